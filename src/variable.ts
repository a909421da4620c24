import { z } from "zod";
import { IMAGE_RANGES, parseSize, type Range, SIDE_MULTIPLE } from "./core/options.js";

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

/** `512x512`, or empty for the checkpoint's own size. */
export const size = z.string().transform((value, context) => {
  if (value === "") return null;
  const parsed = parseSize(value);
  if (parsed !== null) return parsed;
  context.addIssue(`expected WIDTHxHEIGHT such as 512x512, ${SIDES_HELP}, or nothing`);
  return z.NEVER;
});

/** Hugging Face's programs take other words for "no". */
export const flag = text.transform((value) => /^(1|on|yes|true)$/i.test(value.trim()));
