import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withPngText } from "../../src/pictures/png-text.js";

/** `promptist info` as a shell runs it: the compiled program. */

const PROGRAM = fileURLToPath(new URL("../../bin/promptist.js", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptist-info-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const info = (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, DATA_DIR: join(folder, "data") };
    execFile(process.execPath, [PROGRAM, "info", ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });

test("info prints what pictures carry, and goes on after one that can't be read", async () => {
  const blank = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#123" } })
    .png()
    .toBuffer();
  const parameters =
    "a \u001b[31mcat <lora:style:0.8>\nNegative prompt: ugly\nSteps: 25, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768, Model hash: 879db523c3, Model: dream, NGMS: 3";
  writeFileSync(join(folder, "cat.png"), withPngText(blank, { parameters }));
  writeFileSync(join(folder, "none.png"), blank);
  const shown = await info("cat.png", "none.png", "gone.png");
  expect(shown.code).toBe(1);
  expect(shown.stdout).toBe(
    [
      "cat.png",
      "  Made by         A1111",
      "  Prompt          a [31mcat",
      "  Negative prompt ugly",
      "  Settings        25 steps, euler-ancestral, guidance 7, seed 5, 512x768",
      "  Model           dream (879db523c3)",
      "  LoRA            style 0.8",
      "  Note            `NGMS` is not read",
      "",
      "none.png",
      "  The picture holds no prompt: many sites and apps remove it. Use the original file.",
      "",
      "gone.png",
      "  The picture can't be read: there is no such file.",
      "",
    ].join("\n"),
  );
  const { code, stdout } = await info("cat.png", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    pictures: [{ file: join(folder, "cat.png"), prompt: "a [31mcat", seed: 5, image: { steps: 25 } }],
  });
});
