import type { FoundCheckpoint } from "../checkpoints/catalog.js";
import type { FoundJudges } from "../checkpoints/judges.js";
import type { LoraChoice } from "../checkpoints/lora.js";
import { codeOf, describe } from "../core/errors.js";
import type { Phase } from "../core/job.js";
import type { DeviceName } from "./device.js";
import type { GpuLease } from "./gpu-lock.js";
import { type HostOptions, ModelHost } from "./model-host.js";
import type { WorkerSpec } from "./protocol.js";

/** Which checkpoints the program runs, and how. */
export interface ModelChoice {
  readonly promptist: FoundCheckpoint;
  readonly diffusion: FoundCheckpoint;
  /** Folder of the tokenizer of `diffusion`. */
  readonly clipTokenizer: string;
  /** Adapters that are merged into `diffusion`. */
  readonly loras?: readonly LoraChoice[];
  /** What judges the pictures; absent: nothing does. */
  readonly judges?: FoundJudges;
  readonly device: DeviceName;
  readonly weights: "int8" | "fp32";
  readonly precision: "auto" | "fp16" | "fp32";
  readonly cacheDir: string;
  readonly threads: number;
}

/** The checkpoint's name, for messages and metadata. */
export const checkpointName = (choice: ModelChoice, phase: Phase): string =>
  (phase === "text" ? choice.promptist : choice.diffusion).name;

/** Those of the phases in which a miniature stands in for a published checkpoint. */
export const miniaturePhases = (choice: ModelChoice, phases: readonly Phase[]): Phase[] =>
  phases.filter((phase) => (phase === "text" ? choice.promptist : choice.diffusion).isMiniature);

/** Whether what the image phase draws needs no safety checker: an adapter brings subjects that nobody knows. */
export const isHarmless = ({ diffusion, loras = [] }: ModelChoice): boolean =>
  diffusion.isHarmless && loras.length === 0;

const NO_JUDGES: FoundJudges = { clip: null, clipName: null, aesthetic: null, safety: null };

/**
 * Starts the worker of a phase and loads its model; see `ModelHost.open` for the errors. Where `auto` chose a GPU on which
 * the model then does not fit, or whose driver takes the process down, the CPU is used this time.
 */
export async function openModel(
  choice: ModelChoice,
  phase: Phase,
  lease: GpuLease,
  options: HostOptions = {},
): Promise<ModelHost> {
  const { device, cacheDir, threads } = choice;
  const spec: WorkerSpec =
    phase === "text"
      ? {
          phase,
          directory: choice.promptist.directory,
          weights: choice.weights,
          clipTokenizer: choice.clipTokenizer,
          device,
          cacheDir,
          threads,
        }
      : {
          phase,
          directory: choice.diffusion.directory,
          tokenizer: choice.clipTokenizer,
          loras: choice.loras ?? [],
          harmless: isHarmless(choice),
          judges: choice.judges ?? NO_JUDGES,
          precision: choice.precision,
          device,
          cacheDir,
          threads,
        };
  let tried: string | undefined;
  const onDevice = (name: string) => {
    tried = name;
  };
  try {
    return await ModelHost.open(lease, spec, { ...options, onDevice });
  } catch (error) {
    const onGpu = device === "auto" && tried !== undefined && tried !== "cpu";
    if (!onGpu || !["OUT_OF_MEMORY", "WORKER_DIED"].includes(codeOf(error))) throw error;
    options.onOutput?.(`the CPU is used, since the model can't be loaded on ${tried}: ${describe(error)}`);
    return ModelHost.open(lease, { ...spec, device: "cpu" }, options);
  }
}

/** Starts a worker that only judges pictures; see `ModelHost.open` for the errors. */
export function openScorer(
  judges: FoundJudges,
  {
    device,
    precision,
    cacheDir,
    threads,
  }: Pick<ModelChoice, "device" | "precision" | "cacheDir" | "threads">,
  lease: GpuLease,
  options: HostOptions = {},
): Promise<ModelHost> {
  const spec: WorkerSpec = { phase: "score", judges, device, precision, cacheDir, threads };
  return ModelHost.open(lease, spec, options);
}
