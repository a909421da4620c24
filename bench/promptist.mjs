// Times full-size Promptist (12 layers, 768 wide, vocabulary 50257, random weights): one prompt, 8 beams, 75
// new tokens. Ours and transformers' generate in PyTorch run in turns, so that a busy machine slows both.
// Measured on a Xeon with AVX512-VNNI (neither AMX nor bf16 instructions) that others loaded at the same
// time. One thread each, because PyTorch's threads wait for each other by spinning, which makes them 2 to 4
// times as slow on a loaded machine. onnxruntime 1.30, torch 2.13, transformers 5.18; 3 rounds:
//
//                least ms   median ms   CPU ms   tokens
// PyTorch fp32       9654       10528     9496       75
// PyTorch bf16      11500       12783    11317       75
// ours int8          2446        2539     2399       75    3.9 and 4.7 times as fast
// ours fp32          4646        5047     4599       75    the same 8 sequences as PyTorch fp32
//
// Run: npm run build && node bench/promptist.mjs [python with torch and transformers] [rounds] [threads] [--smoke]
// With --smoke it times ours alone, on the miniature.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { compileGraph } from "../dist/checkpoints/compile.js";
import { openGpt2 } from "../dist/checkpoints/layouts/gpt2-files.js";
import { DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { Decoder } from "../dist/inference/promptist/decoder.js";
import { generate } from "../dist/inference/promptist/generate.js";
import { Session } from "../dist/inference/runtime/session.js";
import { Gpt2Tokenizer } from "../dist/inference/tokenizers/tokenizer.js";
import { gpt2Graph, gpt2Layout } from "../dist/models/gpt2.js";
import { args, SMOKE } from "./support/arguments.mjs";

const [python = "python3", rounds = SMOKE ? "1" : "5", threads = "2"] = args;
const THREADS = Number(threads);
const MINIATURE = fileURLToPath(new URL("../checkpoints/miniature/promptist", import.meta.url));
const small = SMOKE ? Gpt2Tokenizer.open(MINIATURE) : null;
// In GPT-2's vocabulary by default.
const PROMPT = small?.encode("A cat in the rain Rephrase:") ?? [
  32, 3797, 287, 262, 6290, 797, 34378, 589, 25,
];
const EOS = small?.eosId ?? 50256;
const { beams, maxNewTokens } = DEFAULT_TEXT_OPTIONS;

const folder = mkdtempSync(join(tmpdir(), "bench-promptist-"));
const script = fileURLToPath(new URL("promptist_reference.py", import.meta.url));
const reference = SMOKE ? null : spawn(python, [script, threads], { stdio: ["pipe", "pipe", "inherit"] });
const answers =
  reference === null ? null : createInterface({ input: reference.stdout })[Symbol.asyncIterator]();
const ask = async (question) => {
  reference.stdin.write(`${JSON.stringify(question)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`${python} ended; it needs torch and transformers`);
  return JSON.parse(value);
};

async function open(weights) {
  const files = openGpt2(SMOKE ? MINIATURE : folder);
  const { config } = files;
  const graph = await compileGraph(
    gpt2Graph(config, { float: "float32" }, gpt2Layout(weights, "cpu")),
    files.weights(),
    {
      cacheDir: join(folder, "cache"),
    },
  );
  const session = await Session.open("bench", graph, { name: "cpu", note: null }, { threads: THREADS });
  const decoder = new Decoder(session, config);
  return async () => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const [found] = await generate(decoder, [PROMPT], DEFAULT_TEXT_OPTIONS, {
      eosId: EOS,
      vocabulary: config.vocab_size,
    });
    const wallMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs, cpuMs: (user + system) / 1000, sequences: found.map(({ tokens }) => tokens) };
  };
}

const torch = (dtype) => () =>
  ask({ directory: folder, dtype, ids: PROMPT, beams, tokens: maxNewTokens, eos: EOS });

try {
  if (reference !== null) await ask({ make: folder, outliers: false });
  const contenders = {
    ...(reference === null ? {} : { "PyTorch fp32": torch("float32"), "PyTorch bf16": torch("bfloat16") }),
    "ours int8": await open("int8"),
    "ours fp32": await open("fp32"),
  };
  const measured = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  // The first round warms up and is not counted.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const result = await run();
      if (round > 0) measured[name].push(result);
    }
  }
  const at = (values, share) => values.sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];
  const wall = (name, share) =>
    at(
      measured[name].map(({ wallMs }) => wallMs),
      share,
    );
  const cpu = (name) =>
    at(
      measured[name].map(({ cpuMs }) => cpuMs),
      0,
    );
  console.log(
    `${THREADS} threads`.padEnd(14),
    ["least ms", "median ms", "CPU ms", "tokens"].map((h) => h.padStart(10)).join(""),
  );
  for (const name of Object.keys(contenders)) {
    const tokens = Math.max(...measured[name][0].sequences.map(({ length }) => length));
    const row = [wall(name, 0), wall(name, 0.5), cpu(name), tokens];
    console.log(name.padEnd(14), row.map((value) => value.toFixed(0).padStart(10)).join(""));
  }
  for (const dtype of reference === null ? [] : ["fp32", "bf16"]) {
    const ratio = (share) => (wall(`PyTorch ${dtype}`, share) / wall("ours int8", share)).toFixed(1);
    console.log(`ours int8 is ${ratio(0)} (least), ${ratio(0.5)} (median) times as fast as PyTorch ${dtype}`);
  }
  if (reference !== null) {
    const same =
      JSON.stringify(measured["ours fp32"][0].sequences) ===
      JSON.stringify(measured["PyTorch fp32"][0].sequences);
    console.log(`ours fp32 finds PyTorch fp32's ${beams} sequences: ${same ? "yes" : "no"}`);
  }
} finally {
  if (reference !== null) {
    reference.stdin.end();
    await once(reference, "exit");
  }
  rmSync(folder, { recursive: true, force: true });
}
