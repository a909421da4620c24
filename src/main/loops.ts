import { randomUUID } from "node:crypto";
import type { FoundModel } from "../checkpoints/library/find-models.js";
import { embeddingsAmong } from "../checkpoints/library/found-embeddings.js";
import { tinyDecoderAmong } from "../checkpoints/library/found-tiny-decoder.js";
import { resolveNames } from "../checkpoints/library/resolve-names.js";
import type { Config } from "../config.js";
import type { Events } from "../core/events.js";
import type { Store } from "../db/store.js";
import { GpuLock } from "../inference/loop/gpu-lock.js";
import type { WorkerRecords } from "../inference/loop/left-behind.js";
import { InferenceLoop } from "../inference/loop/loop.js";
import {
  chooseModels,
  deviceOf,
  loopPlans,
  type ModelChoice,
  type ModelWishes,
  type OwnDevice,
  startWorker,
} from "../inference/loop/model-choice.js";
import { levelOfOutput } from "../inference/loop/model-host.js";
import { ModelSets } from "../inference/loop/model-sets.js";
import type { LoopOnDevice } from "../metrics/host-watch.js";
import type { PictureStore } from "../pictures/store.js";
import { RewriteChoice } from "../taste/rewrite-choice.js";
import type { Tastes } from "../taste/tastes.js";

export interface Models {
  /** What the configuration names. */
  readonly choice: ModelChoice;
  /** What jobs may name. */
  readonly models: ModelSets;
}

/** The models that the configuration names, and those that jobs may name. Throws CheckpointError where one is missing. */
export async function modelSetsOf(config: Config, found: readonly FoundModel[]): Promise<Models> {
  const { promptist, diffusion, vae } = await resolveNames(
    {
      promptist: config.PROMPTIST_CHECKPOINT || undefined,
      diffusion: config.DIFFUSION_CHECKPOINT || undefined,
      vae: config.VAE || undefined,
    },
    config,
  );
  const wishes: ModelWishes = {
    checkpointsDir: config.checkpointsDir,
    miniatureDir: config.miniatureDir,
    hubCacheDir: config.hubCacheDir,
    promptist,
    diffusion,
    clip: config.CLIP_CHECKPOINT || undefined,
    vae,
    clipSkip: config.CLIP_SKIP,
    tinyDecoder: tinyDecoderAmong(found, config),
    decoder: config.DECODER,
    keepPrompt: config.KEEP_PROMPT,
    embeddings: [...config.embeddings.map((file) => ({ file })), ...embeddingsAmong(found)],
    device: config.DEVICE,
    textDevice: config.TEXT_DEVICE,
    weights: config.PROMPTIST_WEIGHTS,
    precision: config.DIFFUSION_PRECISION,
    memory: config.DEVICE_MEMORY,
    cacheDir: config.cacheDir,
    threads: config.THREADS,
  };
  // Spread, so that all are looked for now: a start fails where a checkpoint is missing.
  const choice: ModelChoice = { ...chooseModels(wishes) };
  return { choice, models: new ModelSets(choice, wishes, config) };
}

export interface LoopsOptions {
  readonly config: Config;
  readonly models: ModelSets;
  readonly store: Store;
  readonly tastes: Tastes;
  readonly events: Events;
  readonly pictures: PictureStore;
  readonly workers: WorkerRecords;
  readonly mayClaim: () => boolean;
  readonly isPaused: () => boolean;
  /** What `plannedLoops` has made. */
  readonly planned: readonly PlannedLoop[];
  readonly pollMs?: number;
  /** The compiled worker; set by tests that run from source. */
  readonly workerFile?: string;
}

/** A loop, and its device where the program has several. */
export interface PlannedLoop extends LoopOnDevice {
  readonly own?: OwnDevice;
}

/**
 * Which loops this machine's devices get, under the name of the host.
 * @param devices each of which has a loop; none for the one of `choice`
 */
export const plannedLoops = (
  choice: ModelChoice,
  host: string,
  devices: readonly OwnDevice[],
): readonly PlannedLoop[] =>
  loopPlans(choice, devices).map(({ phases, device }) => ({
    owner: `${host} ${randomUUID()}`,
    device: device?.name ?? deviceOf(choice, phases[0]!),
    phases,
    ...(device === undefined ? {} : { own: device }),
  }));

/** The loops of this machine's devices, not started. */
export function createLoops({
  config,
  models,
  store,
  tastes,
  workers,
  workerFile,
  planned,
  ...options
}: LoopsOptions): readonly InferenceLoop[] {
  const { events } = options;
  const rewriteChoice = new RewriteChoice({
    tastes,
    isOn: async (where) => (await store.settings.resolve(where)).taste ?? config.TASTE,
  });
  const { KEEP_MODELS_BYTES: keptBytes, PHASE_MS: phaseMs, WORKER_SILENCE_MS: silenceMs } = config;
  const loops: InferenceLoop[] = [];
  for (const { phases, owner, own } of planned) {
    const on = own === undefined ? "" : ` on ${own.name}`;
    const loop: InferenceLoop = new InferenceLoop({
      ...options,
      ...(own === undefined ? {} : { device: own.name }),
      elsewhere: () => loops.filter((other) => other !== loop).flatMap(({ loaded }) => loaded),
      queue: store.queue,
      choice: rewriteChoice,
      phases,
      upscalerOf: (name) => models.upscaler(name),
      gpu: new GpuLock(),
      startWorker: async (phase, lease, signal, set) => {
        const log = (line: string) =>
          events.emit("log", {
            level: levelOfOutput(line),
            message: `${phase} worker${on}: ${line}`,
            phase,
            ...(own === undefined ? {} : { device: own.name }),
          });
        const chosen = phase === "text" ? models.withRewriter(set) : await models.choiceOf(set);
        return startWorker(chosen, phase, lease, {
          signal,
          on: own,
          silenceMs,
          ...(workerFile === undefined ? {} : { workerFile }),
          onStarted: (pid) => workers.add(pid),
          onOutput: log,
          onNote: log,
        });
      },
      checkpointName: (phase, set) => (phase === "text" ? models.rewriterName(set) : models.nameOf(set)),
      owner,
      phaseMs,
      keptBytes,
    });
    loops.push(loop);
  }
  return loops;
}
