// Draws docs/images/parity.png: pictures drawn by diffusers (test/golden/miniature, made by
// miniature_pictures.py), ours from the same prompts and seeds, and the difference times 64. Run: npm run
// build && node scripts/parity-picture.mjs
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { layer } from "../dist/pictures/pair-card.js";
import { renderText } from "../dist/pictures/text.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const GOLDEN = join(ROOT, "test", "golden", "miniature");
const [NATIVE, SHOWN, GAP, WORDS, HEAD, FOOT] = [64, 256, 12, 220, 40, 34];
const AMPLIFIED = 64;
const TITLE = { weight: "bold", size: 18, color: "#ffffff" };
const NOTE = { weight: "book", size: 15, color: "#c8cad0" };

const folder = mkdtempSync(join(tmpdir(), "parity-"));
const pixels = (file) => sharp(file).removeAlpha().raw().toBuffer();
const shown = (raw) =>
  sharp(raw, { raw: { width: NATIVE, height: NATIVE, channels: 3 } })
    .resize(SHOWN, SHOWN, { kernel: "nearest" })
    .png()
    .toBuffer();
const write = async (text, style, left, top, width, lines = 1) =>
  layer(await renderText(text, style, width, lines), left, top);

const cases = JSON.parse(readFileSync(join(GOLDEN, "cases.json"), "utf8"));
const column = (i) => GAP + WORDS + i * (SHOWN + GAP);
const layers = (
  await Promise.all(
    ["diffusers", "ours", `difference x ${AMPLIFIED}`].map((title, i) =>
      write(title, TITLE, column(i), 10, SHOWN),
    ),
  )
).flat();
const [worst, means] = [[], []];
try {
  for (const [number, { prompt, seed, steps, guidance, scheduler }] of cases.entries()) {
    const out = join(folder, `${number}.png`);
    const checkpoint = join(ROOT, "checkpoints", "miniature", "stable-diffusion");
    const words = ["generate", prompt, "--out", out, "--diffusion", checkpoint, "--precision", "fp32"];
    const numbers = ["--seed", seed, "--steps", steps, "--guidance", guidance].map(String);
    execFileSync(
      process.execPath,
      [join(ROOT, "bin", "promptist.js"), ...words, ...numbers, "--scheduler", scheduler],
      { env: { ...process.env, DATA_DIR: folder, DEVICE: "cpu" }, stdio: ["ignore", "ignore", "inherit"] },
    );
    const theirs = await pixels(join(GOLDEN, `picture-${number}.png`));
    const ours = await pixels(out);
    const differences = theirs.map((value, i) => Math.abs(value - ours[i]));
    worst.push(Math.max(...differences));
    means.push(differences.reduce((sum, value) => sum + value, 0) / differences.length);
    const top = HEAD + number * (SHOWN + GAP);
    const pictures = [theirs, ours, differences.map((value) => Math.min(255, value * AMPLIFIED))];
    for (const [i, picture] of pictures.entries())
      layers.push({ input: await shown(picture), left: column(i), top });
    const text = `${prompt} (seed ${seed}, ${steps} steps, ${scheduler}, guidance ${guidance})`;
    layers.push(...(await write(text, NOTE, GAP, top, WORDS - GAP, 12)));
  }
  const top = HEAD + cases.length * (SHOWN + GAP);
  const found = `Largest difference of a channel: ${Math.max(...worst)} of 255; largest mean ${Math.max(...means).toFixed(4)}.`;
  console.log(found);
  layers.push(...(await write(found, NOTE, GAP, top, column(3) - 2 * GAP)));
  await sharp({
    create: { width: column(3), height: top + FOOT, channels: 3, background: "#1e1f22" },
  })
    .composite(layers)
    .png({ palette: true })
    .toFile(join(ROOT, "docs", "images", "parity.png"));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
