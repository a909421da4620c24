import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { FoundCheckpoint } from "../checkpoints/layouts/catalog.js";
import { ownSide } from "../checkpoints/layouts/diffusion-files.js";
import type { Config } from "../config.js";
import { codeOf, describe, type ErrorCode, InferenceError } from "../core/errors.js";
import type { PictureNote } from "../core/job.js";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../core/options.js";
import { PROGRAM } from "../core/version.js";
import type { ModelHost } from "../inference/loop/model-host.js";
import { planName } from "../inference/runtime/plan.js";
import type { DrawRequest } from "../inference/worker/protocol.js";
import { devicesOf } from "../main/devices.js";

import { type GraphicsCard, graphicsCards } from "./parts/graphics.js";
import { Models } from "./parts/models.js";
import type { ImageFlags, TextFlags } from "./parts/options.js";
import type { Output } from "./parts/output.js";
import { PICTURE_NOTES } from "./parts/picture-notes.js";
import {
  type CountedSize,
  countSizes,
  operatorTable,
  type TriedDevice,
  tryDevice,
} from "./parts/tried-device.js";

export interface BenchFlags
  extends Pick<TextFlags, "device" | "json" | "promptist" | "weights">,
    Pick<ImageFlags, "diffusion" | "precision" | "steps"> {
  /** Random weights of full size in place of a miniature or of nothing. */
  readonly random?: boolean;
}

const PROMPT = "A futuristic city with flying cars";
/** What the bot searches with by default, which is what the published Promptist was made for. */
const SEARCH = DEFAULT_TEXT_OPTIONS;
const SEED = 1;
/** Above 1, so that each step computes two rows: with the prompt and with the negative one. */
const GUIDANCE = 7.5;
/** One call of the UNet for each step. */
const SCHEDULER = "ddim";
/** What a 6 GB card should hold besides 512. */
const LARGER_SIDE = 768;

/** What one worker of Promptist took. */
interface TextFigures {
  readonly device: string;
  readonly weights: string;
  readonly weightBytes: number;
  readonly loadSeconds: number;
  /** Of one rewrite, after another that warmed up. */
  readonly seconds: number;
  /** Tokens of the longest beam. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Of the worker's resident memory; null if it is unknown. */
  readonly peakBytes: number | null;
}

/** What one worker of Stable Diffusion took for a picture of `side` x `side`. */
interface ImageFigures {
  readonly side: number;
  readonly device: string;
  readonly weights: string;
  readonly weightBytes: number;
  readonly loadSeconds: number;
  /** Of the first step, with the text encoder and whatever the device prepares once. */
  readonly firstStepSeconds: number;
  /** Median of the later steps, of two rows each. */
  readonly stepSeconds: number;
  readonly fastestStepSeconds: number;
  readonly slowestStepSeconds: number;
  readonly decodeSeconds: number;
  /** By the count of weights and activations, under the memory plan that is taken for this size. */
  readonly countedBytes: number;
  readonly memoryPlan: string | null;
  readonly peakBytes: number | null;
  readonly notes: readonly PictureNote[];
  readonly problem: null;
}

/** A size that could not be drawn, and why. */
interface Undrawn {
  readonly side: number;
  readonly problem: string;
}

/**
 * `promptist bench`: what this machine takes for a rewrite and for pictures of two sizes, for docs/devices.md, on each
 * device that it would use.
 * Returns false if no picture could be drawn.
 */
export async function bench(config: Config, output: Output, flags: BenchFlags): Promise<boolean> {
  const { devices } = flags.device === config.DEVICE ? await devicesOf(config) : { devices: [] };
  const names = devices.length === 0 ? [flags.device] : devices.map(({ name }) => name);
  const measured: Bench[] = [];
  for (const device of names) measured.push(await benchOf(config, output, { ...flags, device }));
  const [first] = measured;
  output.result(
    measured.length === 1 ? first!.result : { devices: measured.map(({ result }) => result) },
    measured.map(({ lines }) => lines.join("\n")).join("\n\n"),
  );
  return measured.some(({ result }) => result.diffusion.sizes.some(({ problem }) => problem === null));
}

/** What was measured on one device, and the same in lines. */
interface Bench {
  readonly result: Result;
  readonly lines: readonly string[];
}

async function benchOf(config: Config, output: Output, flags: BenchFlags): Promise<Bench> {
  // From here on Ctrl+C ends the work, not the process, so the folder goes in any case.
  const found = await Models.open(config, output, flags);
  mkdirSync(config.dataDir, { recursive: true });
  const folder = mkdtempSync(join(config.dataDir, "bench-"));
  try {
    const random = flags.random ? await synthesizeMissing(folder, config, output, flags, found) : {};
    // What random weights are compiled to is of no use later.
    const models =
      Object.keys(random).length > 0
        ? await Models.open({ ...config, cacheDir: join(folder, "graphs") }, output, { ...flags, ...random })
        : found;
    return await measure({ models, random, folder }, output, flags);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Folders of random weights. */
interface RandomWeights {
  readonly promptist?: string;
  readonly diffusion?: string;
}

interface Measured {
  readonly models: Models;
  readonly random: RandomWeights;
  readonly folder: string;
}

async function measure(
  { models, random, folder }: Measured,
  output: Output,
  flags: BenchFlags,
): Promise<Bench> {
  const { miniature, note } = models.noteMiniature(["text", "image"]);
  const cards = await graphicsCards();
  // In the workers' cache folder, so that no load takes the time of the check.
  const { cacheDir } = models.choice;
  const tried = await tryDevice(flags.device, { cacheDir, DIFFUSION_PRECISION: flags.precision });

  const text = await rewriteTimed(models, output);
  const sizes: (ImageFigures | Undrawn)[] = [];
  for (const side of sidesOf(models)) {
    const { directory } = models.choice.diffusion;
    const { vae = null, memory = null } = models.choice;
    const counted = await countSizes({ directory, vae, memory }, tried, [{ width: side, height: side }]);
    sizes.push(await drawTimed(models, output, counted.sizes[0]!, flags.steps, folder));
  }

  const { promptist, diffusion } = models.choice;
  const [cpu] = cpus();
  const machine = {
    program: PROGRAM,
    node: process.version,
    system: `${process.platform} ${arch()} ${release()}`,
    cpu: { name: cpu?.model.trim() || "unknown", threads: cpus().length, memoryBytes: totalmem() },
    graphics: cards,
  };
  const device = {
    asked: flags.device,
    name: tried.image,
    plan: tried.plan,
    arithmetic: planName(tried.plan),
    reason: tried.note,
  };
  const result = {
    ...machine,
    device,
    operators: [...tried.reports, ...tried.textReports],
    miniature,
    note,
    promptist: {
      checkpoint: random.promptist ? RANDOM : promptist.name,
      miniature: promptist.isMiniature,
      random: random.promptist !== undefined,
      beams: SEARCH.beams,
      ...text,
    },
    diffusion: {
      checkpoint: random.diffusion ? RANDOM : diffusion.name,
      miniature: diffusion.isMiniature,
      random: random.diffusion !== undefined,
      steps: flags.steps,
      sizes,
    },
  };
  return { result, lines: describeResult(result, tried) };
}

const RANDOM = "random weights of full size";

/** Writes random weights where none are named and there is only a miniature or nothing; returns their folders. */
async function synthesizeMissing(
  folder: string,
  config: Config,
  output: Output,
  flags: BenchFlags,
  { choice, signal }: Models,
): Promise<RandomWeights> {
  const { SYNTHESIZERS } = await import("../checkpoints/synthesize.js");
  const made: { promptist?: string; diffusion?: string } = {};
  const kinds = [
    ["promptist", "promptist", flags.promptist || config.PROMPTIST_CHECKPOINT],
    ["diffusion", "stable-diffusion-v1-5", flags.diffusion || config.DIFFUSION_CHECKPOINT],
  ] as const;
  // All at once, so that a wrong name is told before anything is written.
  const missing = kinds.filter(([kind, , named]) => !isUsed(() => choice[kind], named !== ""));
  for (const [kind, published] of missing) {
    const directory = join(folder, published);
    output.say(`Writing random weights in the size of ${published}; they are deleted at the end.`);
    SYNTHESIZERS[published]?.(directory, SEED);
    // Writing blocks the thread, so Ctrl+C arrives here.
    await setImmediate();
    if (signal.aborted) throw new InferenceError("CANCELLED", "cancelled while random weights were written");
    made[kind] = directory;
  }
  return made;
}

/** Whether a checkpoint is measured as it is: it is published, or named. Throws CheckpointError for a wrong name. */
function isUsed(find: () => FoundCheckpoint, isNamed: boolean): boolean {
  try {
    return !find().isMiniature || isNamed;
  } catch (error) {
    if (!isNamed && codeOf(error) === "CHECKPOINT_MISSING") return false;
    throw error;
  }
}

/** The checkpoint's own side, and a larger one. */
function sidesOf({ choice: { diffusion, vae = null } }: Models): number[] {
  const own = ownSide(diffusion.directory, vae);
  // 768 pixels are far beyond what a miniature was made for.
  const larger = own < LARGER_SIDE / 2 ? 2 * own : LARGER_SIDE;
  return [...new Set([own, larger])];
}

async function rewriteTimed(models: Models, output: Output): Promise<TextFigures> {
  let peakBytes: number | null = null;
  const figures = await models.withModel(
    "text",
    async (host) => {
      const rewrite = async (label: string) => {
        let tokens = 0;
        const advance = output.progress(label);
        const onProgress = (done: number, of: number) => {
          tokens = done;
          advance(done, of);
        };
        const started = performance.now();
        await host.call(
          "optimize",
          { prompts: [PROMPT], options: SEARCH },
          { signal: models.signal, onProgress },
        );
        return { tokens, seconds: (performance.now() - started) / 1000 };
      };
      await rewrite("warming up");
      const { tokens, seconds } = await rewrite("rewriting");
      return { ...loaded(host), seconds, tokens, tokensPerSecond: tokens / seconds };
    },
    (bytes) => {
      peakBytes = bytes || null;
    },
  );
  return { ...figures, peakBytes };
}

/** Draws one picture in a worker of its own, whose peak memory is then that of this size. */
async function drawTimed(
  models: Models,
  output: Output,
  { size: { width: side }, countedBytes, memoryPlan }: CountedSize,
  steps: number,
  folder: string,
): Promise<ImageFigures | Undrawn> {
  let peakBytes: number | null = null;
  const request: DrawRequest = {
    prompt: PROMPT,
    plainPrompt: PROMPT,
    options: {
      ...DEFAULT_IMAGE_OPTIONS,
      seed: SEED,
      steps,
      guidance: GUIDANCE,
      scheduler: SCHEDULER,
      size: { width: side, height: side },
    },
    file: join(folder, `${side}.png`),
    checkpoint: models.choice.diffusion.name,
    pair: null,
  };
  try {
    const figures = await models.withModel(
      "image",
      async (host) => {
        const advance = output.progress(`drawing ${side}x${side}`);
        // The worker lets its messages out after each step.
        const ends = [performance.now()];
        const onProgress = (done: number, of: number) => {
          ends.push(performance.now());
          advance(done, of);
        };
        const { seconds, notes } = await host.call("draw", request, { signal: models.signal, onProgress });
        const [first, ...later] = ends.slice(1).map((end, i) => (end - ends[i]!) / 1000);
        const stepped = (ends.at(-1)! - ends[0]!) / 1000;
        const sorted = later.toSorted((a, b) => a - b);
        return {
          side,
          ...loaded(host),
          firstStepSeconds: first!,
          stepSeconds: sorted[Math.floor(sorted.length / 2)]!,
          fastestStepSeconds: sorted[0]!,
          slowestStepSeconds: sorted.at(-1)!,
          // What the worker's own clock has beyond the steps; a message's way may be longer than a tiny decoder's work.
          decodeSeconds: Math.max(0, seconds - stepped),
          countedBytes,
          memoryPlan,
          notes,
          problem: null,
        };
      },
      (bytes) => {
        peakBytes = bytes || null;
      },
    );
    return { ...figures, peakBytes };
  } catch (error) {
    if (!DOES_NOT_FIT.includes(codeOf(error))) throw error;
    return { side, problem: describe(error) };
  }
}

/** Errors of a picture that is too large for the device; a driver may also end the process. */
const DOES_NOT_FIT: readonly ErrorCode[] = ["INPUT_MEMORY", "OUT_OF_MEMORY", "WORKER_DIED"];

const loaded = ({ info }: ModelHost) => ({
  device: info.device,
  weights: info.precision,
  weightBytes: info.weightBytes,
  loadSeconds: info.loadMs / 1000,
});

const MINIATURE_NOTE =
  "Some figures are the miniature's, which say nothing of the published models. Get those, or measure random weights of their size: promptist bench --random";

interface Result {
  readonly program: string;
  readonly node: string;
  readonly system: string;
  readonly cpu: { readonly name: string; readonly threads: number; readonly memoryBytes: number };
  readonly graphics: readonly GraphicsCard[];
  readonly device: {
    readonly asked: string;
    readonly name: string;
    readonly arithmetic: string;
    readonly reason: string | null;
  };
  readonly miniature: boolean;
  readonly promptist: TextFigures & { readonly checkpoint: string; readonly beams: number };
  readonly diffusion: { readonly checkpoint: string; readonly sizes: readonly (ImageFigures | Undrawn)[] };
}

function describeResult(
  { program, node, system, cpu, graphics, device, miniature, promptist, diffusion }: Result,
  { reports }: TriedDevice,
): string[] {
  const cards = graphics.map(({ name, driver }) => (driver === null ? name : `${name}, driver ${driver}`));
  const row = (subject: string, text: string) => `${subject.padEnd(17)} ${text}`;
  return [
    row("program", `${program}, Node ${node} on ${system}`),
    row("processor", `${cpu.name}, ${cpu.threads} threads, ${size(cpu.memoryBytes)} of memory`),
    row("graphics", cards.join("; ") || "unknown"),
    row("device", `${device.asked} -> ${device.name}, Stable Diffusion in ${device.arithmetic}`),
    ...(device.reason === null ? [] : [row("reason", device.reason)]),
    ...(miniature ? [row("note", MINIATURE_NOTE)] : []),
    "",
    row("Promptist", `${promptist.checkpoint}, ${weightsText(promptist)}`),
    row("  load", time(promptist.loadSeconds)),
    row("  rewrite", `${time(promptist.seconds)}, ${promptist.beams} beams of ${promptist.tokens} tokens`),
    row("  tokens", `${promptist.tokensPerSecond.toFixed(1)} a second`),
    row("  peak memory", peak(promptist)),
    ...diffusion.sizes.flatMap((figures) => [
      "",
      row(
        "Stable Diffusion",
        `${figures.side}x${figures.side}, ${diffusion.checkpoint}${drawnWith(figures)}`,
      ),
      ...(figures.problem === null ? sizeRows(figures, row) : [row("  not drawn", figures.problem)]),
    ]),
    ...reports.flatMap(operatorTable),
  ];
}

const drawnWith = (figures: ImageFigures | Undrawn): string =>
  figures.problem === null ? `, ${weightsText(figures)}` : "";

const sizeRows = (figures: ImageFigures, row: (subject: string, text: string) => string): string[] => [
  row("  load", time(figures.loadSeconds)),
  row("  first step", `${time(figures.firstStepSeconds)}, with the text encoder`),
  row(
    "  step",
    `${time(figures.stepSeconds)} (${time(figures.fastestStepSeconds)} to ${time(figures.slowestStepSeconds)}), two rows`,
  ),
  row("  decode", time(figures.decodeSeconds)),
  row("  counted memory", `${size(figures.countedBytes)}, ${figures.memoryPlan}`),
  row("  peak memory", peak(figures)),
  ...figures.notes.map((note) => row("  note", PICTURE_NOTES[note])),
];

const weightsText = ({ weights, weightBytes, device }: TextFigures | ImageFigures): string =>
  `${weights} on ${device}, ${size(weightBytes)} of weights`;

const time = (seconds: number): string => `${seconds < 10 ? seconds.toPrecision(3) : seconds.toFixed(1)} s`;

const size = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const peak = ({ peakBytes }: TextFigures | ImageFigures): string =>
  peakBytes === null ? "unknown" : `${size(peakBytes)} of the process`;
