import { InputError } from "./errors.js";
import type { TurboLora } from "./known-models.js";
import { type ImageOptions, type NamedLora, type OwnOptions, SPEEDS, type Speed } from "./options.js";

/*
 * What the speeds stand for. A job keeps it with its other options, so that a later LoRA or preset changes no stored
 * job.
 */

/** The options that a speed decides, as far as they are numbers and names of their own. */
type Paced = Pick<ImageOptions, "steps" | "guidance" | "scheduler">;

/** What a speed stands for. */
export interface Preset extends Paced {
  /** Merged into the model; null for none. */
  readonly lora: NamedLora | null;
}

/**
 * As the LoRAs' authors draw with them: latent-consistency/lcm-lora-sdv1-5 without guidance in 4 steps, and
 * Hyper-SD15-8steps-lora of ByteDance/Hyper-SD without guidance in 8.
 */
const TURBO = {
  lcm: { steps: 4, guidance: 1, scheduler: "lcm" },
  "hyper-sd": { steps: 8, guidance: 1, scheduler: "ddim-trailing" },
} as const satisfies Record<TurboLora["kind"], Paced>;

/** DPM++ 2M with Karras' noise levels looks finished after about as many. */
const FAST_STEPS = 20;

/** What each speed stands for at a place. */
export interface Speeds {
  readonly full: Preset;
  readonly fast: Preset;
  /** The LoRA's name where it does not fit the model; null where there is none. */
  readonly turbo: Preset | string | null;
}

/**
 * @param full what is drawn with at full speed: diffusers' defaults, or what is configured instead
 * @param maxSteps most steps that may be asked for there
 */
export function speedsOf(
  full: Paced,
  lora: TurboLora | null,
  maxSteps: number = Number.POSITIVE_INFINITY,
): Speeds {
  const preset = ({ steps, guidance, scheduler }: Paced, name: string | null = null): Preset => ({
    steps: Math.min(steps, maxSteps),
    guidance,
    scheduler,
    lora: name === null ? null : { name, strength: 1 },
  });
  return {
    full: preset(full),
    fast: preset({ ...full, steps: FAST_STEPS, scheduler: "dpm++2m-karras" }),
    turbo: lora === null ? null : lora.fits ? preset(TURBO[lora.kind], lora.name) : lora.name,
  };
}

/** The speeds that can be chosen. */
export const speedsHere = (speeds: Speeds): readonly Speed[] =>
  SPEEDS.filter((speed) => speed !== "turbo" || isPreset(speeds.turbo));

const isPreset = (turbo: Speeds["turbo"]): turbo is Preset => turbo !== null && typeof turbo !== "string";

/** What a speed stands for; throws InputError INPUT_SPEED where its LoRA is not there or does not fit the model. */
export function presetOf(speed: Speed, speeds: Speeds): Preset {
  const preset = speeds[speed];
  if (isPreset(preset)) return preset;
  throw preset === null
    ? new InputError(
        "INPUT_SPEED",
        "Speed turbo needs an LCM-LoRA, and none is here. Get it with: promptist checkpoints pull lcm-lora",
      )
    : new InputError(
        "INPUT_SPEED",
        `Speed turbo needs a LoRA of the model that draws, and ${preset} has other shapes.`,
        { lora: preset },
      );
}

/** The same picture at a speed: with all that it stands for. Other LoRAs stay. Throws InputError INPUT_SPEED. */
export function atSpeed(image: ImageOptions, speed: Speed, speeds: Speeds): ImageOptions {
  const { lora, ...paced } = presetOf(speed, speeds);
  const { loras: had = [], ...unmerged } = image;
  const others = had.filter(({ name }) => name !== turboName(speeds));
  const loras = [...(lora === null ? [] : [lora]), ...others];
  return { ...unmerged, ...paced, speed, ...(loras.length === 0 ? {} : { loras }) };
}

const turboName = ({ turbo }: Speeds): string | null =>
  isPreset(turbo) ? (turbo.lora?.name ?? null) : turbo;

/**
 * Own options of a prompt, a row or a cell, with what their speed stands for where they don't say it themselves.
 * @param image what they lie over
 * @throws InputError INPUT_SPEED
 */
export function ownAtSpeed(image: ImageOptions, own: OwnOptions, speeds: Speeds): OwnOptions {
  const { speed = image.speed } = own;
  const isOther = speed !== image.speed;
  if (isWhole(own) || speed === undefined || (!isOther && own.loras === undefined)) return own;
  const paced = isOther ? atSpeed(image, speed, speeds) : image;
  const { steps, guidance, scheduler, loras = [] } = paced;
  const merged = own.loras === undefined ? loras : withTurbo(loras, own, speed, speeds);
  return { ...(isOther ? { steps, guidance, scheduler } : {}), ...own, loras: merged };
}

/** A stored or reported one says all that a speed decides. */
const isWhole = ({ steps, guidance, scheduler, loras }: OwnOptions): boolean =>
  [steps, guidance, scheduler, loras].every((one) => one !== undefined);

/** LoRAs of a row at a speed that it has from others: with theirs at turbo, without it at another. */
function withTurbo(
  theirs: readonly NamedLora[],
  { loras = [], speed: said }: OwnOptions,
  speed: Speed,
  speeds: Speeds,
): readonly NamedLora[] {
  const isTurbo = ({ name }: NamedLora) => name === turboName(speeds);
  if (speed === "turbo") return loras.some(isTurbo) ? loras : [...theirs.filter(isTurbo), ...loras];
  return said === undefined ? loras.filter((lora) => !isTurbo(lora)) : loras;
}

/** What a file, a text or a picture says of how it was drawn: one with a scheduler and no speed, without a speed's LoRA. */
export const asDrawn = (own: OwnOptions): OwnOptions =>
  own.speed === undefined && own.scheduler !== undefined ? { ...own, speed: "full" } : own;

/** The options that a choice of speed replaces where they come from a weaker side, such as a file. */
const REPLACED: ReadonlySet<string> = new Set(["speed", "steps", "guidance", "scheduler"]);

/** Whether an option comes from the stronger side, itself or through a speed. */
export const isDecided =
  (isGiven: (option: string) => boolean) =>
  (option: string): boolean =>
    isGiven(option) || (REPLACED.has(option) && isGiven("speed"));
