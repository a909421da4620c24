import type { BaseInteraction } from "discord.js";
import { InputError } from "../../core/errors.js";
import {
  type KnownModels,
  loraList,
  type Mentions,
  mentionedLoras,
  NO_MODELS,
  type OfferedModels,
  offeredName,
  offeredOf,
  ownAsEmpty,
  readLoras,
  takeMentions,
  withOfferedModels,
} from "../../core/known-models.js";
import { type ImageOptions, LORA_WEIGHT_RANGE, type NamedLora } from "../../core/options.js";
import type { Settings } from "../../core/settings.js";
import { LANCZOS } from "../../core/source.js";
import type { NewItem } from "../../db/queue.js";
import { type CommandContext, checkRange } from "./request.js";

/** Which models and LoRAs may be used where, and what commands and prompts say of them. */

/** The models of this machine, and which of them the operator marks as 18+. */
export interface ModelList {
  /** Looked up anew, since files come and go, but never for longer than an interaction can wait. */
  readonly known: () => Promise<KnownModels>;
  readonly adult: readonly string[];
  /** Which picture models are loaded now, and how often one took another's place since the start. */
  readonly loaded?: { readonly names: readonly string[]; readonly swaps: number };
}

/** What may be named in the channel of an interaction. */
export async function offeredHere(
  { known, adult }: ModelList,
  { models, loras, adultModels = [] }: Settings,
  asker: Pick<BaseInteraction, "channel">,
): Promise<OfferedModels> {
  return offeredOf(await known(), {
    models,
    loras,
    adult: [...adult, ...adultModels],
    isAgeRestricted: isAgeRestricted(asker),
  });
}

/** The names of what enlarges pictures here. */
export const upscalersHere = ({ upscalers = [] }: KnownModels): string[] => [...upscalers, LANCZOS];

/** What enlarges pictures in a channel: what its settings name, else the only upscaler that is here, else Lanczos. */
export function usualUpscaler({ upscaler }: Settings, known: KnownModels): string {
  const here = upscalersHere(known);
  if (upscaler !== undefined && here.includes(upscaler)) return upscaler;
  return here.length === 2 ? here[0]! : LANCZOS;
}

/** Whether an interaction comes from an age-restricted channel; a thread is if its channel is. */
export function isAgeRestricted({ channel }: Pick<BaseInteraction, "channel">): boolean {
  const decides = channel?.isThread() === true ? channel.parent : channel;
  return decides !== null && "nsfw" in decides && decides.nsfw;
}

/** The default model of a channel, as far as it is offered. */
export function usualModel({ model }: Settings, offered: OfferedModels): Pick<ImageOptions, "model"> {
  if (model === undefined || !offered.models.includes(model)) return {};
  return modelPart(model, offered);
}

const modelPart = (name: string, offered: OfferedModels): Pick<ImageOptions, "model"> => {
  const model = ownAsEmpty(name, offered);
  return model === "" ? {} : { model };
};

/** The options of a command that name models, as it has them. */
export interface GivenModels {
  readonly model: string | null;
  readonly lora: string | null;
  readonly strength: number | null;
}

/**
 * The model and LoRAs that a command names, as the part of image options that they are; the usual model where it names
 * none.
 * @throws InputError INPUT_MODEL or MODEL_ADULT for a name, INPUT_OPTION for a strength
 */
export function readModels(
  { model, lora, strength }: GivenModels,
  { defaults, offered = NO_MODELS }: Pick<CommandContext, "defaults" | "offered">,
): Pick<ImageOptions, "model" | "loras"> {
  const usual = defaults.image.model;
  const named =
    model === null
      ? usual === undefined
        ? {}
        : { model: usual }
      : modelPart(offeredName(model, "model", offered), offered);
  const weight = strength === null ? 1 : checkRange("lora-strength", strength, LORA_WEIGHT_RANGE);
  const loras = lora === null ? [] : readLoras(lora, weight, offered);
  return { ...named, ...(loras.length === 0 ? {} : { loras }) };
}

/** Prompts and the options that they share. */
interface Asked {
  readonly image: ImageOptions;
  readonly items: readonly NewItem[];
}

/**
 * Prompts and options with each `<lora:name:0.8>` out of the prompts and among the LoRAs, and with all models under the
 * names that are offered.
 * @throws InputError INPUT_MODEL, MODEL_ADULT, INPUT_OPTION, or INPUT_EMPTY where nothing else is in a prompt
 */
export function withModels({ image, items }: Asked, offered: OfferedModels): Asked {
  const shared = withOfferedModels(image, offered);
  const read = items.map((item) => {
    const own = item.image === undefined ? item : { ...item, image: withOfferedModels(item.image, offered) };
    return readMentions(own, offered);
  });
  const [first] = read;
  const isSame = ({ loras, item }: Read) =>
    item.image?.loras === undefined && JSON.stringify(loras) === JSON.stringify(first?.loras);
  if (read.every(isSame))
    return {
      image: withLoras(shared, shared.loras, first?.loras ?? []),
      items: read.map(({ item }) => item),
    };
  return {
    image: shared,
    items: read.map(({ item, loras }) =>
      loras.length === 0
        ? item
        : { ...item, image: withLoras({ ...item.image }, item.image?.loras ?? shared.loras, loras) },
    ),
  };
}

/** An item without the mentions in its texts, and the LoRAs that they name. */
interface Read {
  readonly item: NewItem;
  readonly loras: readonly NamedLora[];
}

function readMentions(item: NewItem, offered: OfferedModels): Read {
  const prompt = takeMentions(item.prompt);
  const rewrite: Mentions | null = item.rewrite === null ? null : takeMentions(item.rewrite);
  const all = [prompt, ...(rewrite === null ? [] : [rewrite])];
  const loras = all.flatMap((mentions) => mentionedLoras(mentions, offered));
  if (loras.length === 0) return { item, loras };
  if (all.some(({ text }) => text.trim() === "")) throw new InputError("INPUT_EMPTY", "The prompt is empty.");
  return { item: { ...item, prompt: prompt.text, rewrite: rewrite?.text ?? null }, loras };
}

const withLoras = <T extends Pick<ImageOptions, "loras">>(
  image: T,
  before: readonly NamedLora[] = [],
  more: readonly NamedLora[],
): T => (more.length === 0 ? image : { ...image, loras: loraList([...before, ...more]) });
