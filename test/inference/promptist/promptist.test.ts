import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import { Promptist } from "../../../src/inference/promptist/promptist.js";

const golden = fileURLToPath(new URL("../../golden", import.meta.url));
const temporary = mkdtempSync(join(tmpdir(), "promptist-"));
const directory = join(temporary, "checkpoint");
const device = { name: "cpu", note: null } as const;
const open = (weights: "int8" | "fp32", from = directory) =>
  Promptist.open({ directory: from, device, weights, cacheDir: join(temporary, "cache"), threads: 2 });

beforeAll(() => {
  cpSync(join(golden, "gpt2", "two-layers"), directory, { recursive: true });
  cpSync(join(golden, "tokenizers", "gpt2"), directory, { recursive: true });
});
afterAll(() => rmSync(temporary, { recursive: true }));

const settings = { ...DEFAULT_TEXT_OPTIONS, maxNewTokens: 16 };
const prompts = ["A cat in the rain", "a fantasy castle", "Fear"];

describe.each(["fp32", "int8"] as const)("%s", (weights) => {
  let promptist: Promptist;
  beforeAll(async () => {
    promptist = await open(weights);
  });
  afterAll(() => promptist.release());

  it("reports what it loaded", () => {
    const { weightBytes, ...info } = promptist.info;
    expect(info).toEqual({
      layers: 2,
      width: 48,
      heads: 4,
      vocabulary: 623,
      weights,
      device: "cpu",
      notes: [],
    });
    const matrices = 2 * 12 * 48 * 48;
    const rest = (623 + 64) * 48;
    expect(weightBytes).toBeGreaterThan(matrices * (weights === "fp32" ? 4 : 1) + rest * 4);
    // In 8 bits, rows of 48 are padded to the block size of 128.
    expect(weightBytes).toBeLessThan(matrices * (weights === "fp32" ? 4 : 2.8) + rest * 4 + 10_000);
  });

  it.each([
    ["beam", settings],
    ["greedy", { ...settings, mode: "greedy" }],
    ["sample", { ...settings, mode: "sample", repetitionPenalty: 1.2, seed: 5 }],
  ] as const)("gives the same text in a batch as alone: %s", async (_, one) => {
    const together = await promptist.optimize(prompts, one);
    expect(together.map(({ prompt }) => prompt)).toEqual(prompts);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await promptist.optimize([prompt], one);
      expect(together[i]!.rewrite).toBe(alone!.rewrite);
      expect(together[i]!.candidates.map(({ text }) => text)).toEqual(
        alone!.candidates.map(({ text }) => text),
      );
      expect(together[i]!.rewrite).toBe(together[i]!.candidates[0]!.text);
    }
  });

  it("gives different rewrites, best first, with their scores", async () => {
    const [{ candidates }] = (await promptist.optimize([prompts[0]!], settings)) as [
      { candidates: never[] },
    ] &
      Awaited<ReturnType<typeof promptist.optimize>>;
    expect(candidates.length).toBeGreaterThan(1);
    expect(new Set(candidates.map(({ text }) => text)).size).toBe(candidates.length);
    const scores = candidates.map(({ score }) => score as unknown as number);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });
});

describe("sampling", () => {
  it("gives the same for the same seed, and different for another", async () => {
    const promptist = await open("fp32");
    const text = async (seed: number) =>
      (await promptist.optimize([prompts[0]!], { ...settings, mode: "sample", seed }))[0]!.rewrite;
    expect(await text(1)).toBe(await text(1));
    expect(new Set([await text(1), await text(2), await text(3)]).size).toBeGreaterThan(1);
    await promptist.release();
  });
});

describe("input", () => {
  let promptist: Promptist;
  beforeAll(async () => {
    promptist = await open("fp32");
  });
  afterAll(() => promptist.release());

  it("ignores space around a prompt", async () => {
    const [plain] = await promptist.optimize(["Fear"], settings);
    const [spaced] = await promptist.optimize(["\n Fear\u0085 "], settings);
    expect(spaced!.rewrite).toBe(plain!.rewrite);
    expect(spaced!.prompt).toBe("\n Fear\u0085 ");
  });

  it("refuses an empty prompt", async () => {
    await expect(promptist.optimize([" "], settings)).rejects.toMatchObject({ code: "INPUT_EMPTY" });
  });

  it("rewrites the beginning of too long a prompt, and keeps the rest behind each rewrite", async () => {
    const beginning = Array.from({ length: 7 }, () => "a cat in the rain").join(", ");
    const end = Array.from({ length: 30 }, (_, i) => `a dog ${i}`).join(", ");
    const [long] = await promptist.optimize([`${beginning}, ${end}`], settings);
    const { unread, candidates, rewrite, prompt } = long!;
    const read = prompt.slice(0, prompt.length - unread!.length).replace(/, $/, "");
    expect(read.length).toBeGreaterThan(20);
    const [short] = await promptist.optimize([read], settings);
    expect(short!.unread).toBeNull();
    expect(candidates.map(({ text }) => text.slice(-unread!.length))).toEqual(candidates.map(() => unread));
    expect(rewrite.startsWith(short!.rewrite)).toBe(true);
  });

  it.each(["beam", "greedy", "sample"] as const)(
    "gives a prompt the same rewrite beside too long ones: %s",
    async (mode) => {
      const all = ["Fear", "cat ".repeat(600), "a fantasy castle", "漢".repeat(500)];
      const together = await promptist.optimize(all, { ...settings, mode });
      expect(together.map(({ unread }) => unread === null)).toEqual([true, false, true, false]);
      for (const [i, prompt] of all.entries())
        expect(together[i]).toEqual((await promptist.optimize([prompt], { ...settings, mode }))[0]);
    },
  );

  it("leaves prompts as they are where the new tokens leave no room for any", async () => {
    const all = ["Fear", "a fantasy castle"];
    const rewrites = await promptist.optimize(all, { ...settings, maxNewTokens: 512 });
    expect(rewrites).toEqual(
      all.map((prompt) => ({ prompt, rewrite: prompt, candidates: [], unread: prompt })),
    );
  });

  it("stops between two tokens when cancelled, and still works", async () => {
    const controller = new AbortController();
    const steps: number[] = [];
    const running = promptist.optimize(prompts, settings, {
      signal: controller.signal,
      onStep: (done, of) => {
        expect(of).toBe(16);
        steps.push(done);
        // The message only arrives if the loop yields to the event loop.
        if (done === 3) setImmediate(() => controller.abort());
      },
    });
    await expect(running).rejects.toMatchObject({ name: "AbortError" });
    expect(steps.at(-1)).toBeLessThan(6);
    expect((await promptist.optimize(["Fear"], settings))[0]!.candidates.length).toBeGreaterThan(0);
  });
});

describe("checkpoints that do not fit", () => {
  const broken = (name: string, change: (directory: string) => void): string => {
    const path = join(temporary, name);
    cpSync(directory, path, { recursive: true });
    change(path);
    return path;
  };

  it("says what is wrong", async () => {
    const bert = broken("bert", (path) => writeFileSync(join(path, "config.json"), '{"model_type":"bert"}'));
    await expect(open("fp32", bert)).rejects.toMatchObject({ code: "CHECKPOINT_ARCHITECTURE" });
    const cut = broken("cut", (path) => writeFileSync(join(path, "config.json"), "{"));
    await expect(open("fp32", cut)).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    const none = broken("none", (path) => rmSync(join(path, "config.json")));
    await expect(open("fp32", none)).rejects.toMatchObject({ code: "CHECKPOINT_MISSING" });
    const small = { model_type: "gpt2", n_layer: 2, n_embd: 48, n_head: 4, n_positions: 64 };
    const other = broken("other", (path) =>
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...small, vocab_size: 600 })),
    );
    await expect(open("fp32", other)).rejects.toThrow(/do not belong together/);
    const wide = broken("wide", (path) =>
      writeFileSync(join(path, "config.json"), JSON.stringify({ ...small, n_embd: 64, vocab_size: 623 })),
    );
    await expect(open("fp32", wide)).rejects.toMatchObject({ code: "CHECKPOINT_TENSORS" });
  });
});
