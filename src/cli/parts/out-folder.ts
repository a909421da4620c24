import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { codeOf, InputError } from "../../core/errors.js";

/**
 * Creates the folder of `--out` if needed and checks that it is writable, before any model spends time on it.
 * @throws InputError INPUT_OPTION
 */
export async function makeOutFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    if (codeOf(cause) !== "INTERNAL") throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new InputError(
      "INPUT_OPTION",
      `--out: ${folder} cannot be written (${code}). Name a folder that you may write to.`,
      {},
      { cause },
    );
  }
}
