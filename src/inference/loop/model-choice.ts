import { dirname, parse } from "node:path";
import {
  type FoundCheckpoint,
  findClipTokenizer,
  findDiffusion,
  findGpt2Tokenizer,
  findRewriter,
  findVae,
  ownLorasOf,
} from "../../checkpoints/layouts/catalog.js";
import { isFile } from "../../checkpoints/layouts/diffusion-files.js";
import type { EmbeddingChoice } from "../../checkpoints/layouts/embeddings.js";
import { type FoundJudges, findJudges } from "../../checkpoints/layouts/find-judges.js";
import type { LoraChoice } from "../../checkpoints/layouts/lora.js";
import { withoutTinyDecoder } from "../../checkpoints/layouts/tiny-decoder-files.js";
import type { DeviceName } from "../../core/devices.js";
import { codeOf, describe } from "../../core/errors.js";
import { PHASES, type Phase } from "../../core/job.js";
import type { DecoderName, KeepPrompt, Precision, TextWeights } from "../../core/options.js";
import { PROMPTIST, type PromptForm, requireRewriter } from "../../core/rewriters.js";
import type { ScoreSpec, TextSpec, UpscaleSpec, WorkerSpec } from "../worker/protocol.js";
import type { GpuLease } from "./gpu-lock.js";
import { type HostOptions, ModelHost } from "./model-host.js";

/** A checkpoint whose `name` says what was added to it; `model` is the name without. */
interface NamedCheckpoint extends FoundCheckpoint {
  readonly model: string;
}

/** Which checkpoints the program runs, and how. */
export interface ModelChoice {
  /** Of the rewriter: Promptist, unless another one was asked for. */
  readonly promptist: FoundCheckpoint;
  /** How the rewriter is asked; Promptist's form by default. */
  readonly form?: PromptForm;
  /** Whether its rewrites are held to the prompt's words; not if absent. */
  readonly keepsPrompt?: boolean;
  /** Folder of the tokenizer of `promptist`; by default the checkpoint's own. */
  readonly promptistTokenizer?: string;
  readonly diffusion: NamedCheckpoint;
  /** Folder of the tokenizer of `diffusion`. */
  readonly clipTokenizer: string;
  /** Adapters merged into `diffusion`. */
  readonly loras?: readonly LoraChoice[];
  /** Files and folders of embeddings, which prompts ask for by name. */
  readonly embeddings?: readonly EmbeddingChoice[];
  /** A folder or file whose VAE replaces that of `diffusion`. */
  readonly vae?: string | null;
  /** Last layers of the text encoder to leave out, as diffusers' `clip_skip`. */
  readonly clipSkip?: number;
  /** Path of TAESD, which makes previews; null or absent where there is none. */
  readonly tinyDecoder?: string | null;
  /** What makes finished pictures; the VAE if absent. */
  readonly decoder?: DecoderName;
  /** If absent, pictures are not judged. */
  readonly judges?: FoundJudges;
  readonly device: DeviceName;
  /** Where Promptist runs; `auto`: where the pictures are drawn. */
  readonly textDevice?: DeviceName;
  readonly weights: TextWeights;
  readonly precision: Precision;
  /** Bytes that pictures may take on the device; null or absent: as much as it is known to have. */
  readonly memory?: number | null;
  readonly cacheDir: string;
  readonly threads: number;
}

/** Where to look for checkpoints, and how to run them; a path that is left out stands for what is found. */
export interface ModelWishes
  extends Pick<
    ModelChoice,
    "device" | "textDevice" | "weights" | "precision" | "memory" | "cacheDir" | "threads"
  > {
  readonly checkpointsDir: string;
  readonly miniatureDir?: string;
  /** The cache that Hugging Face's programs share; without it, none is looked at. */
  readonly hubCacheDir?: string | undefined;
  /** Where Promptist is. */
  readonly promptist: string | undefined;
  /** The rewriter by name; Promptist by default. */
  readonly rewriter?: string;
  /** `auto` by default: where it is a miniature. */
  readonly keepPrompt?: KeepPrompt;
  readonly diffusion: string | undefined;
  readonly clip: string | undefined;
  readonly loras?: readonly LoraChoice[];
  readonly embeddings?: readonly EmbeddingChoice[];
  readonly vae?: string | undefined;
  readonly clipSkip?: number;
  readonly tinyDecoder?: string | null;
  readonly decoder?: DecoderName;
}

/**
 * Finds each checkpoint when it is first asked for: a batch of pairs runs without any Promptist. Asking throws
 * CheckpointError CHECKPOINT_MISSING where there is none.
 */
export function chooseModels({
  checkpointsDir,
  miniatureDir,
  hubCacheDir,
  loras = [],
  embeddings = [],
  clipSkip = 0,
  tinyDecoder = null,
  decoder = "vae",
  keepPrompt = "auto",
  ...wishes
}: ModelWishes): ModelChoice {
  const { device, textDevice = "auto", weights, precision, memory = null, cacheDir, threads } = wishes;
  const places = { miniatureDir, hubCacheDir };
  // Without a rewriter none is loaded, and this one is only named.
  const rewriter = requireRewriter(wishes.rewriter ?? PROMPTIST.name) ?? PROMPTIST;
  let promptist: FoundCheckpoint | undefined;
  let diffusion: NamedCheckpoint | undefined;
  const findWithAdditions = () => {
    if (decoder === "taesd" && tinyDecoder === null) throw withoutTinyDecoder();
    const vae = findVae(wishes.vae);
    const found = findDiffusion(wishes.diffusion, checkpointsDir, { ...places, vae });
    return withAdditions(found, { loras, vae, clipSkip, decoder });
  };
  return {
    get promptist() {
      const given = rewriter.name === PROMPTIST.name ? wishes.promptist : undefined;
      promptist ??= findRewriter(rewriter, given, checkpointsDir, places);
      return promptist;
    },
    form: rewriter.form,
    get keepsPrompt() {
      return keepPrompt === "auto" ? this.promptist.isMiniature : keepPrompt === "always";
    },
    get promptistTokenizer() {
      return findGpt2Tokenizer(this.promptist.directory, hubCacheDir);
    },
    get diffusion() {
      diffusion ??= findWithAdditions();
      return diffusion;
    },
    get vae() {
      return findVae(wishes.vae);
    },
    clipSkip,
    get clipTokenizer() {
      return findClipTokenizer(this.diffusion, checkpointsDir, hubCacheDir);
    },
    get judges() {
      return findJudges(this.diffusion, checkpointsDir, wishes.clip, places);
    },
    loras,
    embeddings,
    tinyDecoder,
    decoder,
    device,
    textDevice,
    weights,
    precision,
    memory,
    cacheDir,
    threads,
  };
}

/** The checkpoint under a name that says what was added to it, for captions and metadata. */
function withAdditions(
  checkpoint: FoundCheckpoint,
  { loras, vae, clipSkip, decoder }: Required<Pick<ModelChoice, "loras" | "vae" | "clipSkip" | "decoder">>,
): NamedCheckpoint {
  const additions = [
    ...loras.map(({ file, weight, blocks = [] }) =>
      [parse(file).name, weight, ...(blocks.length > 0 ? [blocks.join()] : [])].join(":"),
    ),
    ...(vae === null ? [] : [`VAE ${parse(vae).name}`]),
    ...(clipSkip === 0 ? [] : [`CLIP skip ${clipSkip}`]),
    ...(decoder === "taesd" ? ["decoded by TAESD"] : []),
  ];
  const { directory, name } = checkpoint;
  const model = isFile(directory) ? parse(name).name : name;
  return { ...checkpoint, model, name: [name, ...additions].join(" + ") };
}

/** The checkpoint's name, for messages and metadata. */
export const checkpointName = (choice: ModelChoice, phase: Phase): string =>
  (phase === "text" ? choice.promptist : choice.diffusion).name;

/** The phases in which a miniature stands in for a published checkpoint. */
export const miniaturePhases = (choice: ModelChoice, phases: readonly Phase[]): Phase[] =>
  phases.filter((phase) => (phase === "text" ? choice.promptist : choice.diffusion).isMiniature);

/** The device on which the model of a phase runs. */
export const deviceOf = ({ device, textDevice = "auto" }: ModelChoice, phase: Phase): DeviceName =>
  phase === "text" && textDevice !== "auto" ? textDevice : device;

/** One of several devices of this program. */
export interface OwnDevice {
  readonly name: DeviceName;
  /** The only card of NVIDIA that its workers may see. */
  readonly card?: string;
  /** Bytes that pictures may take on it; null for as much as it is known to have. */
  readonly memory: number | null;
}

/** What a loop works at, and where. */
export interface LoopPlan {
  readonly phases: readonly Phase[];
  /** Where the program has several; else where `ModelChoice` says. */
  readonly device?: OwnDevice;
}

/**
 * The loops of the program. Phases that share a device take turns under its lock; Promptist on the CPU needs no card, so
 * it never waits for one.
 * @param devices each of which has a loop; none for the one device of `choice`
 */
export function loopPlans(
  { textDevice = "auto" }: Pick<ModelChoice, "textDevice">,
  devices: readonly OwnDevice[] = [],
): readonly LoopPlan[] {
  if (devices.length === 0)
    return textDevice === "cpu" ? PHASES.map((phase) => ({ phases: [phase] })) : [{ phases: PHASES }];
  const isOwn = devices.some(({ name }) => name === textDevice);
  const beside: LoopPlan[] =
    isOwn || textDevice === "auto" ? [] : [{ phases: ["text"], device: { name: textDevice, memory: null } }];
  const rewrites = ({ name }: OwnDevice) => textDevice === "auto" || name === textDevice;
  return [
    ...beside,
    ...devices.map((device): LoopPlan => ({ phases: rewrites(device) ? PHASES : ["image"], device })),
  ];
}

/**
 * Whether pictures need no safety checker. An adapter or an embedding may draw anything; of embeddings that nobody
 * named, the worker looks at those that a picture is drawn with.
 */
export const isHarmless = ({ diffusion, loras = [], embeddings = [] }: ModelChoice): boolean =>
  diffusion.isHarmless &&
  // Its own were trained with its own drawings.
  loras.every(({ file }) => dirname(file) === ownLorasOf(diffusion)) &&
  embeddings.every(({ isFound }) => isFound);

/** What to do if no safety checker sees the pictures; null if one does, or none is needed. */
export function uncheckedNote(choice: ModelChoice): string | null {
  if (isHarmless(choice) || choice.judges?.safety) return null;
  return `${choice.diffusion.name} has no safety checker, so nothing looks at what it draws; outside age-restricted channels such pictures are what UNCHECKED_PICTURES says, a spoiler by default (docs/judging.md). Put the folder safety_checker of Stable Diffusion 1.5 into ${choice.diffusion.directory}, or run: promptist checkpoints pull stable-diffusion-v1-5`;
}

/** Rewriting works without Stable Diffusion, but then cannot report words that it would not read. */
function textReading(choice: ModelChoice): Pick<TextSpec, "clipTokenizer" | "diffusion" | "embeddings"> {
  try {
    const { clipTokenizer, diffusion, embeddings = [] } = choice;
    return { clipTokenizer, diffusion: diffusion.directory, embeddings };
  } catch (error) {
    if (codeOf(error) === "CHECKPOINT_MISSING") return { clipTokenizer: null };
    throw error;
  }
}

/** The same models without judges: pictures are drawn only. */
export const withoutJudges = (choice: ModelChoice): ModelChoice =>
  Object.create(choice, { judges: { value: undefined } }) as ModelChoice;

const NO_JUDGES: FoundJudges = { clip: null, clipName: null, aesthetic: null, safety: null };

/** Notes on checkpoints that were told; the loop loads the same ones again and again. */
const TOLD = new WeakMap<ModelChoice, Set<string>>();

/**
 * Starts the worker of a phase and loads its model; see `ModelHost.open` for the errors. If the model does not
 * fit on the GPU that `auto` chose, or the driver crashes the process, this run uses the CPU.
 * @param options.onNote is told each note on the checkpoints of `choice`, once
 * @param options.on where it runs, in place of what `choice` says
 */
export async function startWorker(
  choice: ModelChoice,
  phase: Phase,
  lease: GpuLease,
  {
    onNote,
    on,
    ...options
  }: HostOptions & {
    readonly onNote?: (sentence: string) => void;
    readonly on?: OwnDevice | undefined;
  } = {},
): Promise<ModelHost> {
  const { cacheDir, threads } = choice;
  const device = on?.name ?? deviceOf(choice, phase);
  const card = on?.card === undefined ? {} : { card: on.card };
  const spec: WorkerSpec =
    phase === "text"
      ? {
          phase,
          directory: choice.promptist.directory,
          tokenizer: choice.promptistTokenizer ?? choice.promptist.directory,
          ...(choice.form && { form: choice.form }),
          keepsPrompt: choice.keepsPrompt ?? false,
          weights: choice.weights,
          ...textReading(choice),
          device,
          ...card,
          cacheDir,
          threads,
        }
      : {
          phase,
          directory: choice.diffusion.directory,
          model: choice.diffusion.model,
          tokenizer: choice.clipTokenizer,
          loras: choice.loras ?? [],
          embeddings: choice.embeddings ?? [],
          vae: choice.vae ?? null,
          clipSkip: choice.clipSkip ?? 0,
          tinyDecoder: choice.tinyDecoder ?? null,
          decoder: choice.decoder ?? "vae",
          harmless: isHarmless(choice),
          judges: choice.judges ?? NO_JUDGES,
          precision: choice.precision,
          memory: (on === undefined ? choice.memory : on.memory) ?? null,
          device,
          ...card,
          cacheDir,
          threads,
        };
  let tried: string | undefined;
  const onDevice = (name: string) => {
    tried = name;
  };
  const noted = (host: ModelHost): ModelHost => {
    const told = TOLD.get(choice) ?? new Set();
    TOLD.set(choice, told);
    for (const note of host.info.notes.filter((it) => !told.has(it))) {
      told.add(note);
      onNote?.(note);
    }
    return host;
  };
  try {
    return noted(await ModelHost.open(lease, spec, { ...options, onDevice }));
  } catch (error) {
    const onGpu = device === "auto" && tried !== undefined && tried !== "cpu";
    if (!onGpu || !["OUT_OF_MEMORY", "WORKER_DIED"].includes(codeOf(error))) throw error;
    options.onOutput?.(`the CPU is used, since the model can't be loaded on ${tried}: ${describe(error)}`);
    return noted(await ModelHost.open(lease, { ...spec, device: "cpu" }, options));
  }
}

/** A worker for existing pictures: what it works with, without where. */
export type PictureTool = Pick<ScoreSpec, "phase" | "judges"> | Pick<UpscaleSpec, "phase" | "file">;

/** Starts a worker that only judges pictures, or only upscales them; see `ModelHost.open` for the errors. */
export function startToolWorker(
  tool: PictureTool,
  {
    device,
    precision,
    cacheDir,
    threads,
  }: Pick<ModelChoice, "device" | "precision" | "cacheDir" | "threads">,
  lease: GpuLease,
  options: HostOptions = {},
): Promise<ModelHost> {
  return ModelHost.open(lease, { ...tool, device, precision, cacheDir, threads }, options);
}
