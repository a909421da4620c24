import { CommanderError } from "commander";
import { codeOf, type ErrorCode, InputError } from "../../core/errors.js";

/** How the program ends (docs/stability.md). */
export const EXIT = {
  done: 0,
  /** The work failed, or a check found something wrong. */
  failed: 1,
  /** The command, an option or a setting cannot be used as written; nothing was made. */
  usage: 2,
} as const;

const USAGE: ReadonlySet<ErrorCode> = new Set([
  "INPUT_EMPTY",
  "INPUT_OPTION",
  "INPUT_REWRITER",
  "INPUT_AGAINST",
  "INPUT_STYLE",
  "INPUT_TOO_LONG",
  "INPUT_MEMORY",
  "GRID_AXIS",
  "GRID_TWICE",
  "GRID_LORA",
  "GRID_VALUE",
  "GRID_SIZE",
]);

/** The exit code for what a verb threw. Commander also throws to end after `--help` and `--version`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const code = codeOf(error);
  const isUsage = USAGE.has(code) || (error instanceof InputError && code === "CONFIG");
  return isUsage ? EXIT.usage : EXIT.failed;
}
