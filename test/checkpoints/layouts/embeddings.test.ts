import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEmbeddings, parseEmbedding } from "../../../src/checkpoints/layouts/embeddings.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { temporaryFolder } from "../../support/app.js";

const GOLDEN = fileURLToPath(new URL("../../golden/embeddings/", import.meta.url));
const use = { width: 32, isWord: (name: string) => name === "cat" };
const named = (name: string, token: string | null = null) => ({
  file: join(GOLDEN, name),
  token,
  isRequired: true,
});

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

describe("openEmbeddings", () => {
  it.each([
    ["mycat.pt", ["mycat"], 2],
    ["learned_embeds.bin", ["<cat-toy>"], 1],
    ["badhands7.safetensors", ["badhands7"], 3],
    ["learned_embeds-2.safetensors", ["<Style Of X>"], 1],
  ])("reads %s", (name, names, vectors) => {
    const { embeddings, notes } = openEmbeddings([named(name)], use);
    expect(notes).toEqual([]);
    expect(embeddings).toMatchObject([{ names, file: join(GOLDEN, name) }]);
    expect(embeddings[0]!.vectors.map(({ length }) => length)).toEqual(Array(vectors).fill(32));
    expect(embeddings[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("calls an embedding by the name in the file and by the file's, or by the given one alone", () => {
    const file = join(folder.path, "hat.bin");
    copyFileSync(join(GOLDEN, "learned_embeds.bin"), file);
    expect(openEmbeddings([{ file }], use).embeddings[0]!.names).toEqual(["<cat-toy>", "hat"]);
    expect(openEmbeddings([{ file, token: "own" }], use).embeddings[0]!.names).toEqual(["own"]);
  });

  it("refuses a name that is a token already, or taken", () => {
    expect(() => openEmbeddings([named("mycat.pt", "cat")], use)).toThrow(
      /mycat\.pt is called "cat", which CLIP's vocabulary has already\. Give it a name: --embedding FILE:NAME\./,
    );
    const twice = [named("mycat.pt"), named("badhands7.safetensors", "MyCat")];
    expect(() => openEmbeddings(twice, use)).toThrow(
      /badhands7\.safetensors is called "MyCat", as .*mycat\.pt is/,
    );
  });

  it.each([
    ["xl.safetensors", /is an embedding of Stable Diffusion XL \(clip_l, clip_g\)/],
    ["wide.pt", /its vectors have 64 values, and the text encoder of this checkpoint reads 32/],
    ["two.safetensors", /is no embedding: it holds 2 tensors instead of one \(a, b \.\.\.\)/],
    ["long.safetensors", /holds 80 vectors; a prompt has room for 75/],
    ["nan.safetensors", /is damaged: some of its values are not numbers/],
    ["number.pt", /its string_to_param holds no tensor/],
    ["cut.pt", /cut\.pt/],
    ["cut.safetensors", /cut\.safetensors/],
    ["none.pt", /none\.pt is not there/],
  ])("refuses %s by its name", (name, message) => {
    const choice = named(`refused/${name}`);
    expect(() => openEmbeddings([choice], use)).toThrow(CheckpointError);
    expect(() => openEmbeddings([choice], use)).toThrow(message);
  });

  it("names the family of a file that is too wide", () => {
    expect(() => openEmbeddings([named("mycat.pt")], { ...use, width: 768 })).toThrow(
      /reads 768\. Give one made for Stable Diffusion 1\.x\./,
    );
  });

  it("reads a folder with what is in it, and leaves out what can't be used", () => {
    const inner = join(folder.path, "all", "inner");
    mkdirSync(inner, { recursive: true });
    for (const name of ["mycat.pt", "badhands7.safetensors"])
      copyFileSync(join(GOLDEN, name), join(folder.path, "all", name));
    const refused = readdirSync(join(GOLDEN, "refused"));
    for (const name of refused) copyFileSync(join(GOLDEN, "refused", name), join(inner, name));
    writeFileSync(join(inner, "preview.png"), "no embedding");
    const { embeddings, notes } = openEmbeddings([{ file: join(folder.path, "all") }], use);
    expect(embeddings.map(({ file }) => basename(file))).toEqual(["badhands7.safetensors", "mycat.pt"]);
    expect(notes).toHaveLength(refused.length);
    for (const name of refused) expect(notes.join("\n")).toContain(name);
  });

  it("leaves out what was only found, without a note", () => {
    const found = [...readdirSync(join(GOLDEN, "refused")), "none.pt"].map((name) => ({
      file: join(GOLDEN, "refused", name),
      isFound: true,
    }));
    expect(openEmbeddings(found, use)).toEqual({ embeddings: [], notes: [] });
  });

  it("takes no name made of ordinary words for a found one, as the vocabulary spells them", () => {
    const words = new Set(["cat", "photograph</w>", "red", "hat</w>"]);
    const isWord = (name: string) => words.has(name.toLowerCase());
    const copies = ["Cat", "Photograph", "red hat", "red-hat", "red zorb"].map((name) => {
      const file = join(folder.path, `${name}.safetensors`);
      copyFileSync(join(GOLDEN, "badhands7.safetensors"), file);
      return { file, isFound: true };
    });
    const { embeddings, notes } = openEmbeddings(copies, { ...use, isWord });
    expect(embeddings.map(({ names }) => names)).toEqual([["red-hat"], ["red zorb"]]);
    expect(notes).toEqual([]);
    const named = openEmbeddings([{ file: copies[1]!.file }], { ...use, isWord });
    expect(named.embeddings.map(({ names }) => names)).toEqual([["Photograph"]]);
  });

  it("gives a name to a named file before a found one, and a named file no other name", () => {
    const other = join(folder.path, "found");
    mkdirSync(other, { recursive: true });
    const sameName = join(other, "mycat.pt");
    copyFileSync(join(GOLDEN, "badhands7.safetensors"), sameName);
    const choices = [
      named("mycat.pt"),
      named("badhands7.safetensors", "hands"),
      { file: sameName, isFound: true },
      { file: join(GOLDEN, "badhands7.safetensors"), isFound: true },
    ];
    const { embeddings, notes } = openEmbeddings(choices, use);
    expect(embeddings.map(({ names, file }) => [names, basename(file)])).toEqual([
      [["mycat"], "mycat.pt"],
      [["hands"], "badhands7.safetensors"],
    ]);
    expect(notes).toEqual([]);
  });

  it("reads any damaged file or refuses it by its name", () => {
    let state = 3;
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const file = join(folder.path, "damaged.pt");
    for (const name of ["mycat.pt", "learned_embeds.bin", "badhands7.safetensors"]) {
      const whole = readFileSync(join(GOLDEN, name));
      for (let i = 0; i < 300; i++) {
        const bytes = Buffer.from(whole);
        for (let j = 0; j <= next(4); j++) bytes[next(bytes.length)] = next(256);
        writeFileSync(file, i % 3 === 0 ? bytes.subarray(0, next(bytes.length)) : bytes);
        try {
          for (const { vectors } of openEmbeddings([{ file, isRequired: true }], use).embeddings)
            expect(vectors.every((vector) => vector.length === 32)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
          expect((error as Error).message).toContain("damaged.pt");
        }
      }
    }
  });
});

describe("parseEmbedding", () => {
  it.each([
    ["a/b.pt", { file: "a/b.pt", token: null }],
    ["a/b.pt:<cat>", { file: "a/b.pt", token: "<cat>" }],
    ["C:\\a\\b.pt", { file: "C:\\a\\b.pt", token: null }],
    ["C:/a/b.pt:cat", { file: "C:/a/b.pt", token: "cat" }],
  ])("%s", (text, expected) => expect(parseEmbedding(text)).toEqual(expected));

  it("takes a path that is there as it stands", () => {
    const file = join(folder.path, "odd:name.pt");
    writeFileSync(file, "");
    expect(parseEmbedding(file)).toEqual({ file, token: null });
  });
});
