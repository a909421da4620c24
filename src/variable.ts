import { z } from "zod";
import { type DeviceName, readDevice, readDevices } from "./core/devices.js";
import { IMAGE_RANGES, LIMIT_RANGES, parseSize, type Range, SIDE_MULTIPLE } from "./core/options.js";
import { parseMemory } from "./core/picture-memory.js";

/** One variable of the environment and of `.env`. */
export interface Variable {
  readonly default: string;
  /** What the variable does, with its unit; becomes the comment in .env.example. */
  readonly help: string;
  readonly schema: z.ZodType;
}
export const variable = <S extends z.ZodType>(initial: string, schema: S, help: string) => ({
  default: initial,
  schema,
  help,
});

export const SIDES_HELP = `both sides multiples of ${SIDE_MULTIPLE} from ${IMAGE_RANGES.side.min} to ${IMAGE_RANGES.side.max}`;

export const integer = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const number = (min: number, max: number) => z.coerce.number().min(min).max(max);
export const text = z.string();
/**
 * Only characters an HTTP header can carry: a line break would end up in an error's message, token and all.
 */
export const secret = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]*$/, "expected a token without spaces or line breaks");
export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) => z.enum(values);

export const inRange = ({ min, max, whole }: Range) => (whole ? integer(min, max) : number(min, max));

/** `cpu, webgpu or cuda`. */
export const choices = (values: readonly string[]) =>
  new Intl.ListFormat("en-GB", { type: "disjunction" }).format(values);

/** What `read` makes of a text; null for the word `none`. */
const readBy = <T>(read: (text: string) => T | null, none: string, expected: string) =>
  text.refine((value) => value === none || read(value) !== null, expected).transform(read);

/** `512x512`, or empty for the checkpoint's own size. */
export const size = readBy(parseSize, "", `expected WIDTHxHEIGHT such as 512x512, ${SIDES_HELP}, or nothing`);

/** An amount such as `6GB`, in bytes; null for `auto`. */
export const memory = readBy(parseMemory, "auto", "expected auto, or an amount such as 6GB or 5500MB");

/** What stands between commas. */
export const listed = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `cuda`, or `cuda:1`. */
export const device = text.transform((value, context): DeviceName => {
  const read = readDevice(value);
  if ("device" in read) return read.device;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

/** `auto`, or devices with commas between them; none for what DEVICE says. */
export const devices = text.transform((value, context): "auto" | readonly DeviceName[] => {
  if (value.trim() === "auto") return "auto";
  const read = readDevices(value);
  if ("devices" in read) return read.devices;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

/** Hugging Face's programs take other words for "no". */
export const flag = text.transform((value) => /^(1|on|yes|true)$/i.test(value.trim()));

/** 0 means no limit. */
export const jobsOrNone = integer(0, LIMIT_RANGES.jobs.max);

export const LIMIT_HELP = (whose: string) =>
  `Jobs of ${whose} in line at once; further ones wait outside the line. /settings may set a lower limit. 0: no limit.`;
export const minutesOrNone = integer(0, LIMIT_RANGES.minutes.max);
export const MINUTES_HELP = (whose: string) =>
  `Minutes of rewriting and drawing that ${whose} has a day (UTC); unused ones of two days are kept. With none left, commands say when there are some again. /settings may set a lower limit. 0: no limit.`;
export const CAP_HELP = (whose: string) =>
  `Open jobs of ${whose}; further ones are refused. /settings may set a lower limit. 0: no limit.`;
