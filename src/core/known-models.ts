import { InputError } from "./errors.js";
import { nearestNames } from "./nearest.js";
import { type ImageOptions, isInRange, LORA_WEIGHT_RANGE, type NamedLora } from "./options.js";

/** A LoRA for pictures of few steps, by the name that `checkpoints list` tells. */
export interface TurboLora {
  readonly name: string;
  readonly kind: "lcm" | "hyper-sd";
  /** Whether it has the shapes of the model that draws. */
  readonly fits: boolean;
}

/** The picture models and LoRAs of this machine by their names, as `checkpoints list` tells them. */
export interface KnownModels {
  /** The configured model, which is one of `models`. */
  readonly own: string;
  readonly models: readonly string[];
  readonly loras: readonly string[];
  /** What speed turbo uses; absent or null where there is none. */
  readonly turbo?: TurboLora | null;
  /** What enlarges pictures; LANCZOS besides. */
  readonly upscalers?: readonly string[];
}

/** Those that may be named in a channel. */
export interface OfferedModels extends KnownModels {
  /** Names of models and LoRAs that are here for age-restricted channels only, and not offered in this one. */
  readonly adult: readonly string[];
}

export const NO_MODELS: OfferedModels = Object.freeze({ own: "", models: [], loras: [], adult: [] });

/** What is offered where: a list that is absent offers all. */
export interface ModelRules {
  readonly models?: readonly string[] | undefined;
  readonly loras?: readonly string[] | undefined;
  /** Names of those that are for age-restricted channels only. */
  readonly adult: readonly string[];
  readonly isAgeRestricted: boolean;
}

const KINDS = { model: "models", LoRA: "loras" } as const;
export type ModelTitle = keyof typeof KINDS;

const END = /\.(safetensors|sft|ckpt|pt|pth|bin)$/i;

/** The value of a grid's axis that stands for no LoRA. */
export const NO_LORA = "none";

/** A name without its file's end and A1111's hash behind it, in lower case. */
const keyOf = (name: string): string =>
  name
    .trim()
    .replace(/ \[[0-9a-f]{6,64}\]$/i, "")
    .replace(END, "")
    .toLowerCase();

const isAmong = (name: string, names: readonly string[]): boolean =>
  names.some((other) => keyOf(other) === keyOf(name));

/** What of the known models may be named where these rules hold. The configured model is always offered. */
export function offeredOf(known: KnownModels, rules: ModelRules): OfferedModels {
  const { models, loras, adult, isAgeRestricted } = rules;
  const { turbo = null } = known;
  const hidden = isAgeRestricted
    ? []
    : [...known.models, ...known.loras].filter((name) => name !== known.own && isAmong(name, adult));
  const offered = (names: readonly string[], only: readonly string[] | undefined) =>
    names.filter(
      (name) => name === known.own || ((only === undefined || isAmong(name, only)) && !hidden.includes(name)),
    );
  const usable = turbo === null || hidden.includes(turbo.name) ? null : turbo;
  return {
    own: known.own,
    models: offered(known.models, models),
    // A speed may use its own, whatever people may name.
    loras: [...new Set([...offered(known.loras, loras), ...(usable?.fits ? [usable.name] : [])])],
    adult: hidden,
    turbo: usable,
  };
}

/**
 * The name of a model or LoRA as it is offered, written in any case, with or without its file's end.
 * @throws InputError INPUT_MODEL with the nearest names, MODEL_ADULT for one of age-restricted channels
 */
export function offeredName(wanted: string, title: ModelTitle, offered: OfferedModels): string {
  const names = offered[KINDS[title]];
  const found = names.find((name) => keyOf(name) === keyOf(wanted));
  if (found !== undefined) return found;
  const shown = wanted.trim().slice(0, NAME_MAX);
  if (isAmong(wanted, offered.adult))
    throw new InputError("MODEL_ADULT", `The ${title} ${shown} is for age-restricted channels only.`, {
      model: shown,
      kind: title,
    });
  const near = nearestNames(names, wanted.replace(END, ""));
  const hint = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
  throw new InputError("INPUT_MODEL", `There is no ${title} "${shown}".${hint}`, {
    model: shown,
    kind: title,
    ...(near[0] === undefined ? {} : { near: near[0] }),
  });
}

/** Characters of a name in an error. */
const NAME_MAX = 100;

/** Most LoRAs of one picture. */
export const LORAS_MAX = 10;

/**
 * Reads `name`, `name:0.8` or several of them with commas; `strength` counts for those without one of their own.
 * @throws InputError like `offeredName`, and INPUT_OPTION for a strength out of range or too many
 */
export function readLoras(text: string, strength: number, offered: OfferedModels): NamedLora[] {
  const parts = text.split(",").filter((part) => part.trim() !== "");
  return loraList(
    parts.map((part) => {
      const [, name = part, own] = /^(.*?)(?::([^:]*))?$/s.exec(part.trim()) ?? [];
      return { name: offeredName(name, "LoRA", offered), strength: loraStrength(own, strength) };
    }),
  );
}

/** A strength as written; `usual` where none is. Throws InputError INPUT_OPTION. */
export function loraStrength(text: string | undefined, usual: number): number {
  const strength = text === undefined ? usual : Number(text.trim() === "" ? Number.NaN : text);
  if (isInRange(strength, LORA_WEIGHT_RANGE)) return strength;
  const { min, max } = LORA_WEIGHT_RANGE;
  throw new InputError("INPUT_OPTION", `A LoRA's strength is a number from ${min} to ${max}.`, {
    option: "lora",
    takes: "number",
    min,
    max,
  });
}

/** Each LoRA once, with the strength that was given last. Throws InputError INPUT_OPTION for too many. */
export function loraList(loras: readonly NamedLora[]): NamedLora[] {
  const once = new Map(loras.map(({ name, strength }) => [name, strength]));
  if (once.size > LORAS_MAX)
    throw new InputError("INPUT_OPTION", `A picture takes ${LORAS_MAX} LoRAs at most.`, {
      option: "lora",
      takes: "integer",
      min: 0,
      max: LORAS_MAX,
    });
  return [...once].map(([name, strength]) => ({ name, strength }));
}

/** `pastel:0.8`, as `readLoras` reads it. */
export const loraText = ({ name, strength }: NamedLora): string => `${name}:${strength}`;

/** What A1111 takes out of a prompt; a second number is the strength in the text encoder, which is one with the first here. */
const MENTION = /<(?:lora|lyco):([^:<>]{1,200})(?::([^:<>]{0,20}))?(?::[^<>]{0,100})?>/gi;

/** A prompt without its `<lora:name:0.8>`, and the LoRAs that they name. */
export interface Mentions {
  readonly text: string;
  readonly loras: readonly { readonly name: string; readonly strength: string | undefined }[];
}

/** Takes every `<lora:name:0.8>` out of a prompt, with the comma and the space that stood around it. */
export function takeMentions(prompt: string): Mentions {
  const loras = [...prompt.matchAll(MENTION)].map(([, name = "", strength]) => ({ name, strength }));
  if (loras.length === 0) return { text: prompt, loras };
  const pieces = prompt.replace(MENTION, "\0").split("\0");
  const text = pieces.reduce((before, after) => {
    const [left, right] = [before.trimEnd(), after.trimStart()];
    if (left === "") return right.replace(/^,\s*/, "");
    if (right === "") return left.replace(/,$/, "");
    if (/^[,.;:!?]/.test(right)) return left.endsWith(",") ? left + right.slice(1) : left + right;
    return `${left} ${right}`;
  });
  return { text, loras };
}

/** The LoRAs of mentions, as they are offered. Throws like `readLoras`. */
export const mentionedLoras = ({ loras }: Mentions, offered: OfferedModels): NamedLora[] =>
  loras.map(({ name, strength }) => ({
    name: offeredName(name, "LoRA", offered),
    strength: loraStrength(strength, 1),
  }));

/** The same options with models and LoRAs under the names that are offered. Throws like `offeredName`. */
export function withOfferedModels<T extends Pick<ImageOptions, "model" | "loras">>(
  image: T,
  offered: OfferedModels,
): T {
  const { model = "", loras = [] } = image;
  if (model === "" && loras.length === 0) return image;
  return {
    ...image,
    ...(model === "" ? {} : { model: ownAsEmpty(offeredName(model, "model", offered), offered) }),
    ...(loras.length === 0
      ? {}
      : {
          loras: loraList(
            loras.map(({ name, strength }) => ({ name: offeredName(name, "LoRA", offered), strength })),
          ),
        }),
  };
}

/** The configured model is named by an empty text, so that jobs with it need no other worker than those without. */
export const ownAsEmpty = (name: string, { own }: Pick<KnownModels, "own">): string =>
  name === own ? "" : name;
