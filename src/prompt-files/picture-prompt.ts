import { readEmphasis } from "../core/emphasis.js";
import { InputError } from "../core/errors.js";
import { LORAS_MAX, loraList, type OfferedModels, ownAsEmpty } from "../core/known-models.js";
import { isInRange, LORA_WEIGHT_RANGE, type OwnOptions } from "../core/options.js";
import { nameOfStyle, rewriterNamed, styleIn } from "../core/rewriters.js";
import type { Side } from "../core/side.js";
import { STYLE_MAX } from "../core/styles.js";
import { cleanPrompt } from "./clean-prompt.js";
import { type ComfyGraph, readComfyGraph } from "./comfy-graph.js";
import {
  fieldOf,
  type GivenOptions,
  type OptionName,
  positionsOf,
  readOptions,
  shown,
} from "./row-options.js";
import { settingPairs } from "./settings-line.js";

/** A file that a picture was drawn with, as its text names it. */
export interface NamedFile {
  readonly name: string;
  readonly hash: string | null;
}

/** What the texts in a picture's file say of how it was drawn. */
export interface PicturePrompt {
  /** What made it, such as "promptist 0.1.0" or "A1111"; null where nothing says so. */
  readonly program: string | null;
  /** The prompt as written. */
  readonly prompt: string;
  /** Its rewrite; null for a picture that is not of a pair of ours. */
  readonly rewrite: string | null;
  /** Who wrote it, by name; null where the picture does not say. */
  readonly rewriter: string | null;
  /** Of a pair of two rewriters: who wrote the other text, by name, and that text; null otherwise. */
  readonly against: { readonly rewriter: string; readonly rewrite: string } | null;
  /** Which of the two prompts the picture shows; null where there is only one. */
  readonly shows: Side | "both" | null;
  readonly seed?: number;
  /** As far as they are known here; the caller checks the ranges. */
  readonly image: OwnOptions;
  /** The sampler as the picture names it; null where it names none. */
  readonly sampler: string | null;
  readonly model: NamedFile | null;
  readonly vae: NamedFile | null;
  /** Last layers of the text encoder that were left out; null where nothing says so. */
  readonly clipSkip: number | null;
  readonly loras: readonly (NamedFile & { readonly weight: number | null })[];
  /** Names of textual inversions. */
  readonly embeddings: readonly string[];
  /** What was given and is not understood or not done here, as sentences without a full stop. */
  readonly unread: readonly string[];
  /** The pairs of a contact sheet; empty for any other picture. */
  readonly pairs: readonly { readonly prompt: string; readonly rewrite: string | null }[];
}

/** The models of the program that is to draw it again. */
export interface ModelsHere {
  /** The checkpoint's name without what was added to it. */
  readonly model: string;
  readonly vae: string | null;
  readonly clipSkip: number;
  readonly loras: readonly string[];
  readonly embeddings: readonly string[];
}

type Texts = Readonly<Record<string, string | undefined>>;
type Json = Readonly<Record<string, unknown>>;

/** No program writes a longer one. */
const TEXT_MAX = 2 ** 17;
const NAMES_MAX = 20;

/**
 * Reads a picture's texts by keyword (pictures/read-text.ts): our own, of this version or an older one, what A1111
 * writes under `parameters`, or the prompts of a simple graph of ComfyUI.
 * @param side pixels of the checkpoint's own side
 * @throws InputError PICTURE_EMPTY where no prompt can be read; `context.program` names what made the picture
 */
export function readPicturePrompt(texts: Texts, side?: number): PicturePrompt {
  const bounded = Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) =>
      text === undefined ? [] : [[key, text.slice(0, TEXT_MAX)]],
    ),
  ) as Texts;
  const found =
    readOwn(bounded, side) ??
    readOlderOwn(bounded, side) ??
    readParameters(bounded, side) ??
    // A graph may be far longer than a prompt, and is nothing if it is cut.
    readComfy(texts.prompt, side);
  if (found !== null && (found.prompt !== "" || found.pairs.length > 0)) return found;
  const program = programOf(texts);
  throw new InputError(
    "PICTURE_EMPTY",
    program === null
      ? "The picture holds no prompt: many sites and apps remove it. Use the original file."
      : `The picture was made by ${program}, and its prompt can't be read.`,
    program === null ? {} : { program },
  );
}

const NOTHING = {
  program: null,
  prompt: "",
  rewrite: null,
  rewriter: null,
  against: null,
  shows: null,
  image: {},
  sampler: null,
  model: null,
  vae: null,
  clipSkip: null,
  loras: [],
  embeddings: [],
  unread: [],
  pairs: [],
} satisfies PicturePrompt;

// --- our own ---

/** The JSON under `promptist`; null where it is none, or a later version's. */
function readOwn({ promptist = "" }: Texts, side?: number): PicturePrompt | null {
  const own = parseJson(promptist);
  if (own?.version !== 1) return null;
  const program = textOf(own.program);
  if (Array.isArray(own.pairs)) {
    const pairs = own.pairs.slice(0, NAMES_MAX).filter(isObject);
    return {
      ...NOTHING,
      program,
      pairs: pairs.map((pair) => ({ prompt: textOf(pair.original) ?? "", rewrite: textOf(pair.rewrite) })),
    };
  }
  const original = textOf(own.original);
  const keys = ["seed", "steps", "guidance", "scheduler", "size", "negative"] as const;
  const given: GivenOptions = Object.fromEntries(
    keys.flatMap((key) => (own[key] === undefined ? [] : [[key, { as: key, value: own[key] }]])),
  );
  if (own.speed !== undefined) given.speed = { as: "speed", value: own.speed };
  if (own.prompts !== undefined) given.mode = { as: "prompts", value: own.prompts };
  // In the other keys, its words stand around the prompts.
  const plain = isObject(own.style) && isObject(own.plain) ? own.plain : null;
  if (plain !== null) {
    given.style = { as: "style", value: own.style };
    given.negative = { as: "negative", value: plain.negative };
  }
  const options = optionsOf(given, side);
  return {
    ...NOTHING,
    ...options,
    unread: own.from === undefined ? options.unread : [...options.unread, FROM_PICTURE],
    program,
    prompt: cleanPrompt(original ?? textOf(plain?.prompt) ?? textOf(own.prompt) ?? ""),
    rewrite: original === null ? null : textOf(own.rewrite),
    rewriter: original === null ? null : textOf(own.rewriter),
    against: original === null ? null : opponentOf(own.against),
    shows: own.side === "baseline" || own.side === "optimized" || own.side === "both" ? own.side : null,
    sampler: textOf(own.scheduler),
    model: fileOf(own.model),
    vae: fileOf(own.vae),
    clipSkip: numberOf(own.clipSkip),
    loras: listOf(own.loras).flatMap((it) => {
      const file = fileOf(it);
      return file === null ? [] : [{ ...file, weight: numberOf(it.weight) }];
    }),
    embeddings: listOf(own.embeddings).flatMap((it) => fileOf(it)?.name ?? []),
  };
}

/** Who wrote the text of the other side, and that text; null for the prompt as written, and for an unknown rewriter. */
function opponentOf(value: unknown): PicturePrompt["against"] {
  if (!isObject(value)) return null;
  const [name, rewrite] = [textOf(value.rewriter) ?? "", textOf(value.rewrite) ?? ""];
  const style = styleIn(name);
  const rewriter = style === null ? rewriterNamed(name) : nameOfStyle(style.slice(0, STYLE_MAX.name));
  return rewriter === undefined || rewrite === "" ? null : { rewriter, rewrite };
}

/** The keys of pictures before the key `promptist`: one for each option, and others in what shows several. */
function readOlderOwn(texts: Texts, side?: number): PicturePrompt | null {
  const { Software: program = "", baseline, optimized, settings, pairs } = texts;
  if (program.startsWith("promptist ") && texts.prompt !== undefined) {
    const keys = ["seed", "steps", "guidance", "scheduler", "size", "negative"] as const;
    const given: GivenOptions = Object.fromEntries(
      keys.flatMap((key) => (texts[key] === undefined ? [] : [[key, { as: key, value: texts[key] }]])),
    );
    return {
      ...NOTHING,
      ...optionsOf(given, side),
      program,
      prompt: cleanPrompt(texts.prompt),
      sampler: texts.scheduler ?? null,
      model: texts.checkpoint === undefined ? null : { name: texts.checkpoint, hash: null },
    };
  }
  if (baseline !== undefined && optimized !== undefined && settings !== undefined)
    return {
      ...NOTHING,
      ...captionOptions(settings, side),
      program: "promptist",
      prompt: cleanPrompt(baseline),
      rewrite: optimized,
      shows: "both",
    };
  const list = pairs === undefined ? null : parseList(pairs);
  if (list === null || !list.every((it) => textOf(it.original) !== null)) return null;
  return {
    ...NOTHING,
    program: "promptist",
    pairs: list.map((it) => ({ prompt: textOf(it.original) ?? "", rewrite: textOf(it.optimized) })),
  };
}

/** `seed 7  ·  20 steps  ·  guidance 7.5  ·  pndm  ·  checkpoint  ·  without: blurry` */
function captionOptions(caption: string, side?: number) {
  const parts = caption.split("  ·  ");
  const value = (pattern: RegExp) => parts.flatMap((part) => pattern.exec(part)?.[1] ?? [])[0];
  const named: readonly (readonly [OptionName, string | undefined])[] = [
    ["seed", value(/^seed (\d+)$/)],
    ["steps", value(/^(\d+) steps$/)],
    ["guidance", value(/^guidance ([\d.]+)$/)],
    ["negative", value(/^without: (.*)$/s)],
    ["scheduler", parts[3]],
  ];
  const given: GivenOptions = Object.fromEntries(
    named.flatMap(([name, found]) => (found === undefined ? [] : [[name, { as: name, value: found }]])),
  );
  const model = parts[4] === undefined ? null : { name: parts[4], hash: null };
  return { ...optionsOf(given, side), model, sampler: parts[3] ?? null };
}

// --- A1111 ---

const NEGATIVE = /^\s*negative prompt:\s?/i;
const STEPS = /^\s*steps:\s*\d/i;
/** A line with fewer settings is a part of the prompt. */
const SETTINGS_MIN = 3;

/** A1111's text under `parameters`, which many programs write. */
function readParameters({ parameters }: Texts, side?: number): PicturePrompt | null {
  if (parameters === undefined || parameters.trim() === "" || /^\s*\{\s*"/.test(parameters)) return null;
  const lines = parameters.trim().split(/\r\n|\r|\n/);
  const last = lines.length - 1;
  const steps = lines.findLastIndex((line) => STEPS.test(line));
  const at = steps === -1 && settingPairs(lines[last]!).length >= SETTINGS_MIN ? last : steps;
  const before = at === -1 ? lines : lines.slice(0, at);
  const negativeAt = before.findIndex((line) => NEGATIVE.test(line));
  const positive = (negativeAt === -1 ? before : before.slice(0, negativeAt)).join("\n");
  const negative = negativeAt === -1 ? null : before.slice(negativeAt).join("\n").replace(NEGATIVE, "");
  return ofSettings(positive, negative, at === -1 ? [] : settingPairs(lines[at]!), side);
}

/** Keys that say nothing about how to draw here, and those that are read by name. */
const SILENT: ReadonlySet<string> = new Set(
  [
    [
      "model",
      "model hash",
      "vae",
      "vae hash",
      "clip skip",
      "lora hashes",
      "ti hashes",
      "hashes",
      "version",
      "rng",
    ],
    ["user", "created date", "civitai resources", "civitai metadata", "emphasis", "app", "backend"],
    [
      "cardinality",
      "batch size",
      "batch pos",
      "downcast alphas_cumprod",
      "schedule type",
      "denoising strength",
      "source hash",
    ],
  ].flat(),
);

/** Keys by how they begin, and what the picture had that is not done here. */
const FROM_PICTURE = "it was made from another picture, and is drawn from noise here";
const HYPERNETWORK = "hypernetworks are not there, so it is drawn without";
const NOT_DONE: readonly (readonly [RegExp, string])[] = [
  [/^(?:hires|first pass)/, "the hires fix is not done here, so the picture has its first size"],
  [/^controlnet/, "ControlNet is not there, so only the prompt leads the picture"],
  [/^adetailer/, "ADetailer is not there, so faces stay as they come out"],
  [/^face restoration/, "face restoration is not there, so faces stay as they come out"],
  [/^refiner/, "there is no refiner, so one model draws all steps"],
  [/^(?:init image|mask|masked|inpaint|conditional mask|image cfg)/, FROM_PICTURE],
  [/^variation seed/, "variation seeds are not there, so the seed alone is used"],
  [/^hypernet/, HYPERNETWORK],
  [/^tiling/, "tiling is not there, so the edges don't match"],
];

/** `<lora:name:0.8>` and the like, which A1111 takes out of a prompt. */
const TAG = /<(lora|lyco|hypernet):([^:<>]{1,200})(?::([^<>]{0,200}))?>/gi;

function ofSettings(
  positive: string,
  negativeText: string | null,
  pairs: readonly (readonly [string, string])[],
  side?: number,
): PicturePrompt {
  const given: GivenOptions = {};
  const values = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  const unread: string[] = [];
  for (const [name, value] of pairs) {
    // A1111's own words for it are none of ours.
    const field = name.toLowerCase() === "emphasis" ? null : fieldOf(name);
    if (field !== null && field !== "prompt" && field !== "optimized") given[field] ??= { as: name, value };
    else if (!SILENT.has(name.toLowerCase())) {
      const what = NOT_DONE.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1];
      const sentence = what ?? `\`${shown(name)}\` is not read`;
      if (!unread.includes(sentence)) unread.push(sentence);
    }
  }
  if (
    values.has("denoising strength") &&
    ![...values.keys()].some((key) => /^(?:hires|first pass|init)/.test(key))
  )
    unread.push(FROM_PICTURE);
  if (negativeText !== null) given.negative = { as: "negative", value: negativeText.replace(TAG, "").trim() };
  const tags = [...positive.matchAll(TAG)].slice(0, NAMES_MAX);
  if (tags.some(([, kind]) => kind!.toLowerCase() === "hypernet")) unread.push(HYPERNETWORK);
  const hashes = hashesOf(values.get("lora hashes"));
  const named = tags
    .filter(([, kind]) => kind!.toLowerCase() !== "hypernet")
    .map(([, , name, weight]) => ({ name: name!, hash: hashes.get(name!) ?? null, weight: decimal(weight) }));
  const untagged = [...hashes]
    .filter(([name]) => !named.some((it) => it.name === name))
    .map(([name, hash]) => ({ name, hash, weight: null }));
  const model = values.get("model");
  const hash = values.get("model hash") ?? null;
  const vae = values.get("vae");
  const skip = decimal(values.get("clip skip"));
  const version = values.get("version") ?? "";
  const isWeighed = values.get("emphasis") !== "None" && !version.startsWith("promptist ");
  if (isWeighed) readMarks(given, positive.replace(TAG, ""), negativeText ?? "");
  const options = optionsOf(given, side);
  return {
    ...NOTHING,
    ...options,
    unread: [...unread.slice(0, NAMES_MAX), ...options.unread],
    program: /^[a-z]+ [\d.]+$/i.test(version) ? version : pairs.length === 0 ? null : "A1111",
    prompt: cleanPrompt(positive.replace(TAG, "").replace(/^\s*(?:positive )?prompt:\s*/i, "")),
    sampler: textOf(given.scheduler?.value),
    model: model === undefined && hash === null ? null : { name: model ?? "", hash },
    vae: vae === undefined ? null : { name: vae, hash: values.get("vae hash") ?? null },
    // A1111 counts from the last layer, which is 1.
    clipSkip: skip === null ? null : Math.max(0, skip - 1),
    loras: [...named, ...untagged].slice(0, NAMES_MAX),
    embeddings: [...hashesOf(values.get("ti hashes")).keys()].slice(0, NAMES_MAX),
  };
}

/** Other programs weigh what stands in brackets, and a picture of theirs is drawn as they do. */
function readMarks(given: GivenOptions, ...texts: readonly string[]): void {
  if (texts.some((text) => readEmphasis(text).isMarked)) given.mode = { as: "prompts", value: "weighted" };
}

/** `name: hash, name: hash` */
function hashesOf(list: string | undefined): Map<string, string> {
  const pairs = (list ?? "").split(",").flatMap((part) => {
    const [name, hash] = part.split(":").map((it) => it.trim());
    return name && hash ? [[name, hash] as const] : [];
  });
  return new Map(pairs);
}

// --- ComfyUI and others ---

/** The prompts of ComfyUI's graph under `prompt`, where one plain sampler uses them. */
function readComfy(prompt: string | undefined, side?: number): PicturePrompt | null {
  const graph = prompt === undefined ? null : readComfyGraph(prompt);
  if (graph === null) return null;
  const { positive, negative, settings, model, loras } = graph satisfies ComfyGraph;
  const keys = Object.keys(settings);
  const given: GivenOptions = {};
  for (const [field, at] of Object.entries(positionsOf(keys)))
    if (field !== "prompt" && field !== "optimized")
      given[field as OptionName] = { as: keys[at]!, value: settings[keys[at]!] };
  if (negative !== null) given.negative = { as: "negative", value: negative };
  readMarks(given, positive, negative ?? "");
  return {
    ...NOTHING,
    ...optionsOf(given, side),
    program: "ComfyUI",
    prompt: cleanPrompt(positive),
    sampler: textOf(settings.sampler_name),
    model: model === null ? null : { name: model, hash: null },
    loras: loras.slice(0, NAMES_MAX).map((lora) => ({ ...lora, hash: null })),
  };
}

/** What made a picture whose prompt is not read. */
function programOf(texts: Texts): string | null {
  if (texts.prompt !== undefined || texts.workflow !== undefined) return "ComfyUI";
  if (
    texts.invokeai_metadata !== undefined ||
    texts["sd-metadata"] !== undefined ||
    texts.Dream !== undefined
  )
    return "InvokeAI";
  if (texts.Software === "NovelAI") return "NovelAI";
  if (/^\s*\{\s*"sui_image_params"/.test(texts.parameters ?? "")) return "SwarmUI";
  return texts.parameters === undefined || texts.parameters.trim() === "" ? null : "another program";
}

// --- what is not here ---

/** What of a picture's models is not here and what draws instead, as sentences without a full stop. */
export function missingModels(picture: PicturePrompt, here: ModelsHere): string[] {
  const { model, vae, clipSkip, loras, embeddings } = picture;
  const isHere = (name: string, names: readonly (string | null)[]) =>
    names.some((it) => it !== null && plain(it) === plain(name));
  const gone = (kind: string, names: readonly string[], known: readonly string[]) =>
    names
      .filter((name) => !isHere(name, known))
      .map((name) => `the ${kind} \`${shown(name)}\` is not loaded here, so it is drawn without`);
  const unused = here.loras.filter(
    (name) =>
      !isHere(
        name,
        loras.map((it) => it.name),
      ),
  );
  const name = model?.name || model?.hash;
  return [
    ...(name && !isHere(name.split(" + ")[0]!, [here.model])
      ? [`the model \`${shown(name)}\` is not here, so \`${shown(here.model)}\` draws`]
      : []),
    ...gone(
      "LoRA",
      loras.map((it) => it.name),
      here.loras,
    ),
    ...unused.map((lora) => `the LoRA \`${shown(lora)}\` is always used here`),
    ...(embeddings.length === 0 ? [] : gone("embedding", embeddings, here.embeddings)),
    ...(vae !== null && vae.name !== "" && !isHere(vae.name, [here.vae])
      ? [`the VAE \`${shown(vae.name)}\` is not here, so \`${shown(here.vae ?? "the model's own")}\` is used`]
      : []),
    ...(clipSkip !== null && clipSkip !== here.clipSkip
      ? [`it was drawn with clip skip ${clipSkip + 1}, and here it is ${here.clipSkip + 1}`]
      : []),
  ];
}

/** Those of a picture's model and LoRAs that can be named here, as the image options that they are. */
export function modelsOf(
  { model, loras }: Pick<PicturePrompt, "model" | "loras">,
  offered: OfferedModels,
): Pick<OwnOptions, "model" | "loras"> {
  const find = (name: string, names: readonly string[]) => names.find((one) => plain(one) === plain(name));
  const found = model === null ? undefined : find(model.name.split(" + ")[0]!, offered.models);
  const named = loras.flatMap(({ name, weight }) => {
    const known = find(name, offered.loras);
    const strength = weight ?? 1;
    return known === undefined || !isInRange(strength, LORA_WEIGHT_RANGE) ? [] : [{ name: known, strength }];
  });
  return {
    ...(found === undefined ? {} : { model: ownAsEmpty(found, offered) }),
    ...(named.length === 0 ? {} : { loras: loraList(named.slice(0, LORAS_MAX)) }),
  };
}

/** A file's name as people compare it: without folders, ending and case. */
const plain = (name: string): string =>
  name
    .replace(/^.*[\\/]/, "")
    .replace(/\.(?:safetensors|ckpt|pt|pth|bin)$/i, "")
    .replace(/\.vae$/i, "")
    // Lists of hashes have names without these.
    .replace(/[<>]/g, "")
    .toLowerCase();

// --- values ---

/**
 * The options that can be read; one that can't be is told and left to the usual one. The models, of which a picture has
 * hashes, are read for themselves.
 */
function optionsOf({ model: _, lora: __, ...given }: GivenOptions, side?: number) {
  const unread: string[] = [];
  for (const left: GivenOptions = { ...given }; ; ) {
    const options = readOptions(left, side);
    if (!("problem" in options)) {
      const { seed, image = {} } = options;
      return { ...(seed === undefined ? {} : { seed }), image, unread: [...unread, ...options.unread] };
    }
    const bad = (Object.keys(left) as OptionName[]).filter(
      (name) => "problem" in readOptions({ [name]: left[name]! }, side),
    );
    for (const name of bad) {
      unread.push(`\`${shown(left[name]!.as)}\` can't be read, so the usual one is taken`);
      delete left[name];
    }
    // Every problem is one option's, so the next round has one less.
    if (bad.length === 0) return { image: {}, unread: [...unread, options.problem] };
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const listOf = (value: unknown): Json[] =>
  Array.isArray(value) ? value.slice(0, NAMES_MAX).filter(isObject) : [];

function fileOf(value: unknown): NamedFile | null {
  if (!isObject(value)) return null;
  const name = textOf(value.name);
  return name === null ? null : { name, hash: textOf(value.hash) };
}

function decimal(text: string | undefined): number | null {
  const [, number] = /^\s*(-?\d{1,9}(?:\.\d{1,9})?)\s*(?::|$)/.exec(text ?? "") ?? [];
  return number === undefined ? null : Number(number);
}

function parseJson(text: string): Json | null {
  const value = parsed(text);
  return isObject(value) ? value : null;
}

function parseList(text: string): Json[] | null {
  const value = parsed(text);
  return Array.isArray(value) ? value.slice(0, NAMES_MAX).filter(isObject) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
