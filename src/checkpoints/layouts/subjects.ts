import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a checkpoint that draws only some subjects knows: each subject's names, the usual one first. Read from
 * `subjects.txt` in its folder, a subject a line; null without that file.
 */
export function readSubjects(folder: string): string[][] | null {
  const file = join(folder, "subjects.txt");
  if (!existsSync(file)) return null;
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((name) => name.trim()));
}
