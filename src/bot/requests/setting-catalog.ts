import { z } from "zod";
import { InputError } from "../../core/errors.js";
import {
  DEFAULT_SIDES,
  IMAGE_RANGES,
  isInRange,
  LIMIT_RANGES,
  type PictureSize,
  parseSize,
  type Range,
  SCHEDULERS,
  SEARCH_MODES,
  SETTING_TEXT_MAX,
  showSize,
} from "../../core/options.js";
import { type SettingName, type Settings, TREATMENTS } from "../../core/settings.js";
import { expectations } from "../words/errors.js";

const yesNo = z
  .string()
  .toLowerCase()
  .pipe(z.enum(["on", "off", "yes", "no", "true", "false"]))
  .transform((word) => word === "on" || word === "yes" || word === "true");
const SNOWFLAKE = /\d{17,20}/g;
const roleIds = z
  .string()
  .transform((value) => [...value.matchAll(SNOWFLAKE)].map(([id]) => id))
  .refine((ids) => ids.length > 0 && ids.length <= 20);
const wordList = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  )
  .refine((list) => list.length > 0 && list.length <= 200);
const MINUTES_OF_A_WEEK = 7 * 24 * 60;

type Entry<N extends SettingName> = {
  readonly schema: z.ZodType<NonNullable<Settings[N]>>;
  /** What it takes, for the refusal. */
  readonly takes: string;
};

/** The same schema and sentence for all settings of a kind. */
const inRange = (range: Range) => {
  const { min, max, whole } = range;
  return {
    schema: z.coerce.number().refine((value) => isInRange(value, range)),
    takes: whole ? expectations.integer(min, max) : expectations.number(min, max),
  };
};
const oneOf = <const T extends readonly [string, ...string[]]>(choices: T) => ({
  schema: z.enum(choices),
  takes: expectations.oneOf(choices),
});
const text = {
  schema: z.string().min(1).max(SETTING_TEXT_MAX),
  takes: expectations.text(SETTING_TEXT_MAX),
};
const size = {
  schema: z.string().transform((value, context): PictureSize => {
    const parsed = parseSize(value);
    if (parsed === null) context.addIssue("no size");
    return parsed ?? z.NEVER;
  }),
  takes: expectations.size(DEFAULT_SIDES),
};
const roles = { schema: roleIds, takes: expectations.roles };
const words = { schema: wordList, takes: expectations.words };
const onOff = { schema: yesNo, takes: expectations.yesNo };

/** How each setting is written by a person, and what it may be. */
export const CATALOG: { readonly [N in SettingName]: Entry<N> } = {
  steps: inRange(IMAGE_RANGES.steps),
  guidance: inRange(IMAGE_RANGES.guidance),
  scheduler: oneOf(SCHEDULERS),
  size,
  negative: text,
  mode: oneOf(SEARCH_MODES),
  maxSteps: inRange(LIMIT_RANGES.steps),
  maxBatch: inRange(LIMIT_RANGES.batch),
  maxPairs: inRange(LIMIT_RANGES.pairs),
  useRoles: roles,
  manageRoles: roles,
  blind: onOff,
  revealMinutes: inRange({ min: 1, max: MINUTES_OF_A_WEEK, whole: true }),
  strangers: onOff,
  spoiler: onOff,
  flagged: oneOf(TREATMENTS),
  unchecked: oneOf(TREATMENTS),
  alwaysNegative: text,
  refusedWords: words,
  ping: onOff,
  preview: onOff,
  userLimit: inRange(LIMIT_RANGES.jobs),
  channelLimit: inRange(LIMIT_RANGES.jobs),
  serverLimit: inRange(LIMIT_RANGES.jobs),
  userCap: inRange(LIMIT_RANGES.jobs),
  channelCap: inRange(LIMIT_RANGES.jobs),
  serverCap: inRange(LIMIT_RANGES.jobs),
};

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(CATALOG, name);

/** What a person wrote as a setting's value. Throws InputError INPUT_OPTION that says what it takes. */
export function parseSetting<N extends SettingName>(name: N, text: string): NonNullable<Settings[N]> {
  const { schema, takes } = CATALOG[name];
  const parsed = schema.safeParse(text.trim());
  if (parsed.success) return parsed.data;
  throw new InputError("INPUT_OPTION", `The setting ${name} takes ${takes}.`, {
    option: name,
    expected: takes,
  });
}

/** A stored value as a person would write it. */
export function showSetting(name: SettingName, value: unknown): string {
  if (name === "useRoles" || name === "manageRoles")
    return (value as string[]).map((id) => `<@&${id}>`).join(" ");
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.join(", ");
  if (name === "size") return showSize(value as PictureSize);
  return String(value);
}
