import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ClipTokenizer, Gpt2Tokenizer } from "../../../src/inference/tokenizers/tokenizer.js";

interface Case {
  text: string;
  gpt2: number[];
  clip: number[];
  clip77: number[] | null;
  decoded: string;
}

const golden = fileURLToPath(new URL("../../golden/tokenizers", import.meta.url));
const cases = (JSON.parse(readFileSync(join(golden, "cases.json"), "utf8")) as { cases: Case[] }).cases;
const gpt2 = Gpt2Tokenizer.open(join(golden, "gpt2"));
const clip = ClipTokenizer.open(join(golden, "clip"));
/** Removes the padding, which is the end token too, down to one end token. */
function withoutPadding(ids: readonly number[]): number[] {
  let end = ids.length;
  while (end > 1 && ids[end - 1] === clip.padId) end--;
  return [...ids.slice(0, end), clip.eosId];
}

const temporary: string[] = [];
function directory(files: Record<string, string>): string {
  const path = mkdtempSync(join(tmpdir(), "tokenizer-"));
  temporary.push(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}
afterAll(() => {
  for (const path of temporary) rmSync(path, { recursive: true });
});

describe("GPT-2", () => {
  it("gives Hugging Face's ids for every string", () => {
    const wrong = cases.filter(({ text, gpt2: ids }) => gpt2.encode(text).join() !== ids.join());
    expect(wrong.map(({ text }) => JSON.stringify(text))).toEqual([]);
  });

  it("decodes like Hugging Face without clean-up", () => {
    const wrong = cases.filter(({ gpt2: ids, decoded }) => gpt2.decode(ids) !== decoded);
    expect(wrong.map(({ text }) => JSON.stringify(text))).toEqual([]);
  });

  it("knows its size and its end token", () => {
    expect(gpt2.size).toBe(623);
    expect(gpt2.eosId).toBe(622);
  });

  it("keeps the toy vocabulary's pieces, with a leading space if the config says so", () => {
    const vocabulary =
      "l o w e r s t i d n Ġ Ġl Ġn Ġlo Ġlow er Ġlowest Ġnewer Ġwider <unk> <|endoftext|>".split(" ");
    const path = directory({
      "vocab.json": JSON.stringify(Object.fromEntries(vocabulary.map((token, id) => [token, id]))),
      "merges.txt": "#version: 0.2\r\nĠ l\r\nĠl o\r\nĠlo w\r\ne r\r\n",
      "tokenizer_config.json": JSON.stringify({ add_prefix_space: true, unk_token: "<unk>" }),
    });
    expect(Gpt2Tokenizer.open(path).encode("lower newer")).toEqual([14, 15, 10, 9, 3, 2, 15]);
  });
});

describe("CLIP", () => {
  it("gives Hugging Face's ids for every string that fits", () => {
    const wrong = cases.filter(
      ({ text, clip: ids, clip77 }) =>
        clip77 === null && withoutPadding(clip.encode(text).ids).join() !== withoutPadding(ids).join(),
    );
    expect(wrong.map(({ text }) => JSON.stringify(text))).toEqual([]);
  });

  it("pads to the model's length with the configured token", () => {
    const { ids, truncated } = clip.encode("a cat");
    expect(ids).toHaveLength(77);
    expect(ids[0]).toBe(clip.bosId);
    expect(ids.slice(-60).every((id) => id === clip.padId)).toBe(true);
    expect(clip.padId).toBe(clip.eosId);
    expect(truncated).toBeNull();
  });

  it("cuts long texts like Hugging Face and names the words that were cut", () => {
    const long = cases.filter(({ clip77 }) => clip77 !== null);
    expect(long.length).toBeGreaterThan(0);
    for (const { text, clip77 } of long) expect(clip.encode(text).ids).toEqual(clip77);

    const perWord = withoutPadding(clip.encode("Castle").ids).length - 2;
    const fit = Math.floor(75 / perWord);
    const text = `${"Castle ".repeat(fit)} Warrior,\n the   End`;
    expect(clip.encode("Castle ".repeat(fit)).truncated).toBeNull();
    expect(clip.encode(text).truncated).toBe("Warrior, the End");
  });

  it("pads with another token if the config names one", () => {
    const files = ["vocab.json", "merges.txt"].map((name) => [
      name,
      readFileSync(join(golden, "clip", name), "utf8"),
    ]);
    const path = directory({
      ...(Object.fromEntries(files) as Record<string, string>),
      "tokenizer_config.json": JSON.stringify({ pad_token: "!", model_max_length: 10 }),
    });
    const { ids } = ClipTokenizer.open(path).encode("a");
    expect(ids).toHaveLength(10);
    expect(ids[9]).toBe((JSON.parse(files[0]![1]!) as Record<string, number>)["!"]);
  });
});

describe("files", () => {
  it("reads tokenizer.json if it exists", () => {
    const vocab = JSON.parse(readFileSync(join(golden, "gpt2", "vocab.json"), "utf8")) as Record<
      string,
      number
    >;
    const merges = readFileSync(join(golden, "gpt2", "merges.txt"), "utf8")
      .trim()
      .split("\n")
      .slice(1);
    const json = {
      version: "1.0",
      added_tokens: [
        {
          id: 622,
          content: "<|endoftext|>",
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: true,
          special: true,
        },
      ],
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
      post_processor: { type: "ByteLevel", add_prefix_space: true, trim_offsets: false },
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true },
      model: { type: "BPE", vocab, merges: merges.map((merge) => merge.split(" ")) },
    };
    const read = Gpt2Tokenizer.open(directory({ "tokenizer.json": JSON.stringify(json) }));
    for (const { text, gpt2: ids } of cases.slice(0, 50)) expect(read.encode(text)).toEqual(ids);
  });

  it("says what is missing, broken or foreign", () => {
    expect(() => Gpt2Tokenizer.open(directory({}))).toThrow(/not there: vocab.json, merges.txt/);
    expect(() => Gpt2Tokenizer.open(directory({ "vocab.json": "{", "merges.txt": "" }))).toThrow(
      /it is not JSON/,
    );
    expect(() => Gpt2Tokenizer.open(directory({ "vocab.json": "{}", "merges.txt": "" }))).toThrow(
      /no token for eos/,
    );
    const unigram = JSON.stringify({ model: { type: "Unigram", vocab: [] } });
    expect(() => ClipTokenizer.open(directory({ "tokenizer.json": unigram }))).toThrow(/no byte-pair model/);
  });
});
