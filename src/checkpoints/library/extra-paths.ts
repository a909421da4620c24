import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { CheckpointError } from "../../core/errors.js";
import { corrupt, readText } from "../files/file.js";

/** ComfyUI's example has 2 kB. */
const MAX_BYTES = 2 ** 20;
/** Keys of a section that are no folders of models. */
const NO_FOLDERS = new Set(["base_path", "is_default", "custom_nodes"]);

/** Whether an entry of MODELS_DIRS is ComfyUI's list of folders, not a folder. */
export const isPathsFile = (path: string): boolean => /\.ya?ml$/i.test(path) && isFile(path);

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/**
 * The folders that ComfyUI's `extra_model_paths.yaml` names: sections with a `base_path` and, for each kind of
 * model, one folder a line below it. Throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT.
 */
export function foldersOfPathsFile(path: string): string[] {
  if (statSync(path).size > MAX_BYTES) throw corrupt(path, `it has more than ${MAX_BYTES} bytes`);
  const document = parseDocument(readText(path), { logLevel: "silent" });
  if (document.errors.length > 0) throw corrupt(path, "it is not YAML", document.errors[0]);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw corrupt(path, "its references cannot be resolved", cause);
  }
  const folders = recordsIn(content).flatMap((section) => {
    const base = resolve(dirname(path), typeof section.base_path === "string" ? section.base_path : ".");
    return Object.entries(section)
      .filter(([key]) => !NO_FOLDERS.has(key))
      .flatMap(([, value]) => linesOf(value))
      .map((line) => resolve(base, line));
  });
  if (folders.length > 0) return [...new Set(folders)];
  throw new CheckpointError("CHECKPOINT_MISSING", `${path} names no folders of models.`);
}

const recordsIn = (content: unknown): Record<string, unknown>[] =>
  typeof content === "object" && content !== null
    ? Object.values(content).filter(
        (value): value is Record<string, unknown> =>
          typeof value === "object" && value !== null && !Array.isArray(value),
      )
    : [];

/** A folder, several in lines of one text, or a list. */
function linesOf(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value];
  return texts
    .filter((text): text is string => typeof text === "string")
    .flatMap((text) => text.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
