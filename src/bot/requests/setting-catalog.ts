import { z } from "zod";
import { InputError } from "../../core/errors.js";
import { SCHEDULERS } from "../../core/job.js";
import { type SettingName, type Settings, TREATMENTS } from "../../core/settings.js";
import { expectations } from "../words/errors.js";

const yesNo = z
  .string()
  .toLowerCase()
  .pipe(z.enum(["on", "off", "yes", "no", "true", "false"]))
  .transform((word) => word === "on" || word === "yes" || word === "true");
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const SNOWFLAKE = /\d{17,20}/g;
const roles = z
  .string()
  .transform((value) => [...value.matchAll(SNOWFLAKE)].map(([id]) => id))
  .refine((ids) => ids.length > 0 && ids.length <= 20);
const words = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  )
  .refine((list) => list.length > 0 && list.length <= 200);
const size = z
  .string()
  .regex(/^\d{2,4}x\d{2,4}$/)
  .transform((value) => {
    const [width = 0, height = 0] = value.split("x").map(Number);
    return { width, height };
  })
  .refine(({ width, height }) =>
    [width, height].every((side) => side % 8 === 0 && side >= 64 && side <= 1024),
  );
const MINUTES_OF_A_WEEK = 7 * 24 * 60;

type Entry<N extends SettingName> = {
  readonly schema: z.ZodType<NonNullable<Settings[N]>>;
  /** What it takes, for the refusal. */
  readonly takes: string;
};

/** How each setting is written by a person, and what it may be. */
export const CATALOG: { readonly [N in SettingName]: Entry<N> } = {
  steps: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  guidance: { schema: z.coerce.number().min(0).max(30), takes: expectations.number(0, 30) },
  scheduler: { schema: z.enum(SCHEDULERS), takes: expectations.oneOf(SCHEDULERS) },
  size: { schema: size, takes: expectations.size },
  negative: { schema: z.string().min(1).max(1000), takes: expectations.text(1000) },
  mode: {
    schema: z.enum(["beam", "greedy", "sample"]),
    takes: expectations.oneOf(["beam", "greedy", "sample"]),
  },
  maxSteps: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  maxBatch: { schema: whole(1, 10_000), takes: expectations.integer(1, 10_000) },
  maxPairs: { schema: whole(1, 25), takes: expectations.integer(1, 25) },
  useRoles: { schema: roles, takes: expectations.roles },
  manageRoles: { schema: roles, takes: expectations.roles },
  blind: { schema: yesNo, takes: expectations.yesNo },
  revealMinutes: { schema: whole(1, MINUTES_OF_A_WEEK), takes: expectations.integer(1, MINUTES_OF_A_WEEK) },
  strangers: { schema: yesNo, takes: expectations.yesNo },
  spoiler: { schema: yesNo, takes: expectations.yesNo },
  flagged: { schema: z.enum(TREATMENTS), takes: expectations.oneOf(TREATMENTS) },
  unchecked: { schema: z.enum(TREATMENTS), takes: expectations.oneOf(TREATMENTS) },
  alwaysNegative: { schema: z.string().min(1).max(1000), takes: expectations.text(1000) },
  refusedWords: { schema: words, takes: expectations.words },
  ping: { schema: yesNo, takes: expectations.yesNo },
  preview: { schema: yesNo, takes: expectations.yesNo },
  userLimit: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  channelLimit: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  serverLimit: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  userCap: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  channelCap: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
  serverCap: { schema: whole(1, 1000), takes: expectations.integer(1, 1000) },
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
  if (name === "size") {
    const { width, height } = value as { width: number; height: number };
    return `${width}x${height}`;
  }
  return String(value);
}
