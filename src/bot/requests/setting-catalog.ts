import { z } from "zod";
import {
  DEFAULT_SIDES,
  IMAGE_RANGES,
  isInRange,
  LIMIT_RANGES,
  type PictureSize,
  PROMPT_MODES,
  parseSize,
  type Range,
  REVEAL_MINUTES_RANGE,
  SCHEDULERS,
  SEARCH_MODES,
  SETTING_MAX,
  SPEEDS,
  showSize,
} from "../../core/options.js";
import { REWRITER_NAMES } from "../../core/rewriters.js";
import { type SettingName, type Settings, TREATMENTS } from "../../core/settings.js";
import { PRESETS } from "../../core/styles.js";
import { isEmoji, NO_REACTION, USUAL_REACTION } from "../discord/emoji.js";
import type { Expectation } from "../words/english/errors.js";
import { optionError, sizeExpectation } from "./request.js";

const yesNo = z
  .string()
  .toLowerCase()
  .pipe(z.enum(["on", "off", "yes", "no", "true", "false"]))
  .transform((word) => word === "on" || word === "yes" || word === "true");
const SNOWFLAKE = /\d{17,20}/g;
const roleIds = z
  .string()
  .transform((value) => [...value.matchAll(SNOWFLAKE)].map(([id]) => id))
  .refine((ids) => ids.length > 0 && ids.length <= SETTING_MAX.roles);
const wordList = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  )
  .refine((list) => list.length > 0 && list.length <= SETTING_MAX.words);

type Entry<N extends SettingName> = {
  readonly schema: z.ZodType<NonNullable<Settings[N]>>;
  /** Values to choose from, as a person would write them: all of them, or the usual ones. */
  readonly usual?: readonly string[];
  /** What it takes, for the refusal. */
  readonly takes: Expectation;
};

/** The same schema and sentence for all settings of a kind. */
const inRange = (range: Range, usual: readonly number[]) => {
  const { min, max, whole } = range;
  return {
    usual: usual.filter((value) => isInRange(value, range)).map(String),
    schema: z.coerce.number().refine((value) => isInRange(value, range)),
    takes: { takes: whole ? "integer" : "number", min, max } as const,
  };
};
const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) => ({
  schema: z.enum(choices),
  usual: choices,
  takes: { takes: "oneOf", words: choices.join(" ") } as const,
});
const text = {
  schema: z.string().min(1).max(SETTING_MAX.text),
  takes: { takes: "text", limit: SETTING_MAX.text } as const,
};
const size = {
  schema: z.string().transform((value, context): PictureSize => {
    const parsed = parseSize(value);
    if (parsed === null) context.addIssue("no size");
    return parsed ?? z.NEVER;
  }),
  takes: sizeExpectation(DEFAULT_SIDES),
};
const channel = {
  schema: z
    .string()
    .regex(/^(?:<#)?\d{17,20}>?$/)
    .transform((value) => value.replace(/\D/g, "")),
  takes: { takes: "channel" } as const,
};
const emoji = {
  schema: z.string().refine((text) => text === NO_REACTION || isEmoji(text)),
  usual: [USUAL_REACTION, "❤️", "🔥", NO_REACTION],
  takes: { takes: "emoji" } as const,
};
const roles = { schema: roleIds, takes: { takes: "roles", max: SETTING_MAX.roles } as const };
const words = { schema: wordList, takes: { takes: "words", max: SETTING_MAX.words } as const };
const onOff = { schema: yesNo, usual: ["on", "off"], takes: { takes: "yesNo" } as const };

const STEPS = [10, 20, 30, 50, 100];
const MINUTES = [10, 20, 30, 60, 120, 240];
const JOBS = [1, 2, 3, 5, 10];

/** How each setting is written by a person, and what it may be. */
export const CATALOG: { readonly [N in SettingName]: Entry<N> } = {
  steps: inRange(IMAGE_RANGES.steps, STEPS),
  guidance: inRange(IMAGE_RANGES.guidance, [1, 5, 7.5, 10, 15]),
  scheduler: oneOf(SCHEDULERS),
  size,
  negative: text,
  prompts: oneOf(PROMPT_MODES),
  mode: oneOf(SEARCH_MODES),
  rewriter: oneOf(REWRITER_NAMES),
  against: oneOf(REWRITER_NAMES),
  model: text,
  models: words,
  loras: words,
  adultModels: words,
  upscaler: text,
  speed: oneOf(SPEEDS),
  style: { ...text, usual: PRESETS.map(({ name }) => name) },
  maxSteps: inRange(LIMIT_RANGES.steps, STEPS),
  maxBatch: inRange(LIMIT_RANGES.batch, [5, 10, 20, 50, 100]),
  maxPairs: inRange(LIMIT_RANGES.pairs, [1, 2, 3, 4]),
  maxCells: inRange(LIMIT_RANGES.cells, [4, 9, 16, 25]),
  useRoles: roles,
  manageRoles: roles,
  blind: onOff,
  revealMinutes: inRange(REVEAL_MINUTES_RANGE, [5, 15, 60, 24 * 60]),
  strangers: onOff,
  spoiler: onOff,
  gallery: channel,
  reaction: emoji,
  flagged: oneOf(TREATMENTS),
  unchecked: oneOf(TREATMENTS),
  alwaysNegative: text,
  refusedWords: words,
  ping: onOff,
  taste: onOff,
  preview: onOff,
  userLimit: inRange(LIMIT_RANGES.jobs, JOBS),
  channelLimit: inRange(LIMIT_RANGES.jobs, JOBS),
  serverLimit: inRange(LIMIT_RANGES.jobs, JOBS),
  userMinutes: inRange(LIMIT_RANGES.minutes, MINUTES),
  serverMinutes: inRange(LIMIT_RANGES.minutes, MINUTES),
  freeRoles: roles,
  userCap: inRange(LIMIT_RANGES.jobs, JOBS),
  channelCap: inRange(LIMIT_RANGES.jobs, JOBS),
  serverCap: inRange(LIMIT_RANGES.jobs, JOBS),
};

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(CATALOG, name);

/** The settings whose values are names of models, LoRAs or upscalers. */
export const isModels = (name: string): name is "model" | "models" | "loras" | "adultModels" | "upscaler" =>
  ["model", "models", "loras", "adultModels", "upscaler"].includes(name);

/** The settings whose values are roles. */
export const isRoles = (name: SettingName): boolean =>
  name === "useRoles" || name === "manageRoles" || name === "freeRoles";

const SERVER_WIDE: ReadonlySet<SettingName> = new Set([
  "serverLimit",
  "serverCap",
  "userMinutes",
  "serverMinutes",
  "freeRoles",
]);

/** The settings that count a whole server's jobs, and mean nothing for one of its channels. */
export const isServerWide = (name: SettingName): boolean => SERVER_WIDE.has(name);

/**
 * Whether a value changes nothing outside age-restricted channels: what the safety checker flagged is never
 * posted there, and what it has not seen is only treated more strictly.
 */
export const needsAgeRestriction = (name: SettingName, value: unknown): boolean =>
  (name === "flagged" && value !== "withhold") || (name === "unchecked" && value === "show");

/** What a person wrote as a setting's value. Throws InputError INPUT_OPTION that says what it takes. */
export function parseSetting<N extends SettingName>(name: N, text: string): NonNullable<Settings[N]> {
  const { schema, takes } = CATALOG[name];
  const written = text.trim();
  const parsed = schema.safeParse(written);
  // An empty text would be read as the number 0.
  if (parsed.success && written !== "") return parsed.data;
  throw optionError(`The setting ${name}`, name, takes);
}

/** A stored value as a person would write it. */
export function showSetting(name: SettingName, value: unknown): string {
  if (isRoles(name)) return (value as string[]).map((id) => `<@&${id}>`).join(" ");
  if (name === "gallery") return `<#${value}>`;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.join(", ");
  if (name === "size") return showSize(value as PictureSize);
  return String(value);
}
