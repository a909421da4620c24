import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { CheckpointError } from "../../core/errors.js";
import { corrupt, readText } from "../files/file.js";

/**
 * Reads and checks a JSON file of a checkpoint, such as `config.json`. `schema` names the keys that are used
 * and their defaults. Throws CheckpointError CHECKPOINT_MISSING (no such file), CHECKPOINT_CORRUPT (invalid
 * JSON) or CHECKPOINT_ARCHITECTURE (an unsupported value), each naming the file and the key.
 */
export function readConfig<S extends z.ZodType>(directory: string, name: string, schema: S): z.output<S> {
  const path = join(directory, name);
  return parseConfig(path, readJson(path), schema);
}

/**
 * Checks a configuration read or made from `source`. Throws CheckpointError CHECKPOINT_ARCHITECTURE.
 */
export function parseConfig<S extends z.ZodType>(source: string, config: unknown, schema: S): z.output<S> {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => {
    const where = path.length === 0 ? "the file" : `"${path.join(".")}"`;
    return `${where}: ${message}`;
  });
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${source}: this model is not run here: ${issues.join("; ")}.`,
    { cause: parsed.error },
  );
}

/** A configuration has some kB. */
const MAX_JSON_BYTES = 16 * 2 ** 20;

/** A JSON file's value. Throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT. */
export function readJson(path: string): unknown {
  if (!existsSync(path))
    throw new CheckpointError("CHECKPOINT_MISSING", `${path} is not there. Put the published file there.`);
  const { size } = statSync(path);
  if (size > MAX_JSON_BYTES) throw corrupt(path, `it has ${size} bytes, far more than a configuration needs`);
  const text = readText(path);
  try {
    return JSON.parse(withoutBareNumbers(text));
  } catch (cause) {
    throw corrupt(path, "it is not JSON", cause);
  }
}

/** Python writes these numbers bare, which JSON does not have; diffusers does for `lambda_min_clipped`. */
const BARE: Readonly<Record<string, string>> = { NaN: "null", Infinity: '"inf"', "-Infinity": '"-inf"' };
/** A string without its end reaches to the text's end, so that each character is looked at once. */
const STRING_OR_BARE = /"(?:[^"\\]+|\\[\s\S])*"?|-?\bInfinity\b|\bNaN\b/g;

const withoutBareNumbers = (text: string): string =>
  /Infinity|NaN/.test(text) ? text.replace(STRING_OR_BARE, (found) => BARE[found] ?? found) : text;
