// Measures what 8-bit weights change in a full-size GPT-2 against fp32, for each layout that was considered:
// relative error of the logits (108 rows), share of rows with the same likeliest token, share of prompts with
// the same best beam. The figures, from onnxruntime 1.30 on a Xeon with AVX512-VNNI, are in docs/fidelity.md.
// Chosen: rows, including the head, on the CPU; blocks of 32 with fp32 activations on other devices. Blocks
// with 8-bit activations lose most where outliers are, and are slower than rows on the CPU (2.5 s to 2.0 s).
// With fp32 activations the CPU's kernel takes 15 times as long. An 8-bit output projection adds 1 to 7 % to
// the existing error and saves a third of the time. MB counts the fp32 embedding, which is never in 8 bits.
// Run: npm run build && node bench/promptist-fidelity.mjs [python with torch and transformers] [--smoke]
// With --smoke it measures two prompts on the miniature alone, which needs no Python.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileGraph } from "../dist/checkpoints/compile.js";
import { openGpt2 } from "../dist/checkpoints/layouts/gpt2-files.js";
import { DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { Decoder } from "../dist/inference/promptist/decoder.js";
import { generate } from "../dist/inference/promptist/generate.js";
import { SeededRandom } from "../dist/inference/promptist/sampling.js";
import { Session } from "../dist/inference/runtime/session.js";
import { Gpt2Tokenizer } from "../dist/inference/tokenizers/tokenizer.js";
import { gpt2Graph } from "../dist/models/gpt2.js";
import { args, SMOKE } from "./support/arguments.mjs";

const [python = "python3"] = args;
const PROMPTS = 12;
const TOKENS = 16;
const STEPS = SMOKE ? 1 : 8;
const WORDS = [
  ...["A cat in the rain", "A fantasy castle", "Fear", "A beautiful sunset over the mountains"],
  ...["Portrait of a warrior", "The starry night by Van Gogh", "a cat face", "a slice of pizza"],
  ...["a red apple", "a rain cloud", "an old lighthouse by the sea", "a robot that waters flowers"],
];
const float = { kind: "float" };
const rows = { kind: "rows" };
const blocks = (block, accuracy = 4) => ({ kind: "blocks", block, accuracy });
const layouts = {
  fp32: { layers: float, head: float },
  "rows, head rows": { layers: rows, head: rows },
  "rows, head fp32": { layers: rows, head: float },
  "blocks of 32, fp32 activations": { layers: blocks(32, 0), head: float },
  ...Object.fromEntries(
    [32, 128].flatMap((block) => [
      [`blocks of ${block}, head fp32`, { layers: blocks(block), head: float }],
      [`blocks of ${block}, head same`, { layers: blocks(block), head: blocks(block) }],
    ]),
  ),
};

/** A full-size GPT-2 with random weights, and random tokens to feed it. */
function fullSize(folder, outliers) {
  const made = spawnSync(python, [fileURLToPath(new URL("promptist_reference.py", import.meta.url))], {
    input: `${JSON.stringify({ make: folder, outliers })}\n`,
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (made.status !== 0)
    throw new Error(`${python} can't make the checkpoint; it needs torch and transformers`);
  const random = new SeededRandom(1);
  const token = () => Math.floor(random.uniform() * 50_000);
  const prompts = Array.from({ length: PROMPTS }, () => Array.from({ length: TOKENS }, token));
  const steps = Array.from({ length: STEPS }, () => Array.from({ length: PROMPTS }, token));
  return { directory: folder, prompts, steps, eosId: 50256, settings: { beams: 4, maxNewTokens: 12 } };
}

/** The trained miniature, with prompts as people write them; its forced steps are words of the prompt. */
function miniature() {
  const directory = fileURLToPath(new URL("../checkpoints/miniature/promptist", import.meta.url));
  const tokenizer = Gpt2Tokenizer.open(directory);
  const prompts = (SMOKE ? WORDS.slice(0, 2) : WORDS).map((words) => tokenizer.encode(`${words} Rephrase:`));
  const steps = Array.from({ length: STEPS }, (_, step) =>
    prompts.map((ids) => ids[step % (ids.length - 1)]),
  );
  return { directory, prompts, steps, eosId: tokenizer.eosId, settings: {} };
}

/** Logits of the last token, after the prompts and after each forced step, as dense rows. */
async function logitsOf(decoder, vocabulary, { prompts, steps }) {
  const request = { k: vocabulary, normalize: false, penalty: 1 };
  const rows = [];
  const add = ({ tokens, scores, rows: count, k }) => {
    for (let row = 0; row < count; row++) {
      const dense = new Float32Array(k);
      for (let i = row * k; i < (row + 1) * k; i++) dense[tokens[i]] = scores[i];
      rows.push(dense);
    }
  };
  add(await decoder.start(prompts, request));
  for (const step of steps) {
    add(
      await decoder.next(
        step.map((id, index) => ({ index, steps: [{ parent: 0, token: id }] })),
        request,
      ),
    );
  }
  return rows;
}

const argmax = (row) => row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
const norm = (row) => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
const centred = (row) => {
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  return row.map((value) => value - mean);
};

const sets = {
  ...(SMOKE
    ? {}
    : {
        "random weights": (folder) => fullSize(folder, false),
        "random weights with outlier channels": (folder) => fullSize(folder, true),
      }),
  "the miniature": miniature,
};
for (const [title, make] of Object.entries(sets)) {
  const folder = mkdtempSync(join(tmpdir(), "bench-fidelity-"));
  try {
    const set = make(folder);
    const { directory, prompts, eosId, settings } = set;
    const files = openGpt2(directory);
    const { config } = files;
    let exact;
    console.log(`\n${title}`);
    console.log(
      "layout".padEnd(32),
      "MB".padStart(6),
      "rel. error".padStart(12),
      "top-1".padStart(8),
      "beams".padStart(8),
    );
    for (const [name, layout] of Object.entries(layouts)) {
      const graph = await compileGraph(gpt2Graph(config, { float: "float32" }, layout), files.weights(), {
        cacheDir: join(folder, "cache"),
      });
      const session = await Session.open(name, graph, { name: "cpu", note: null }, { threads: 2 });
      const decoder = new Decoder(session, config);
      const logits = await logitsOf(decoder, config.vocab_size, set);
      const found = [];
      for (const prompt of prompts) {
        const [hypotheses] = await generate(
          decoder,
          [prompt],
          { ...DEFAULT_TEXT_OPTIONS, ...settings },
          { eosId, vocabulary: config.vocab_size },
        );
        found.push(hypotheses[0].tokens.join());
      }
      await session.release();
      exact ??= { logits, found };
      // A constant added to all logits changes nothing, so subtract the mean difference.
      const errors = logits.map((row, i) => {
        const reference = centred(exact.logits[i]);
        return norm(centred(row).map((value, j) => value - reference[j])) / norm(reference);
      });
      const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
      const top1 = logits.filter((row, i) => argmax(row) === argmax(exact.logits[i])).length / logits.length;
      const same = found.filter((tokens, i) => tokens === exact.found[i]).length / found.length;
      console.log(
        name.padEnd(32),
        (graph.weightBytes / 1e6).toPrecision(3).padStart(6),
        mean.toExponential(2).padStart(12),
        top1.toFixed(3).padStart(8),
        same.toFixed(2).padStart(8),
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
