import { readFileSync } from "node:fs";
import { InputError, isMissing } from "../../core/errors.js";
import type { ImageOptions } from "../../core/options.js";
import { NO_STYLE, PRESETS, requireStyle, type Style, styleNamed, withPresets } from "../../core/styles.js";
import { readStylesCsv } from "../../prompt-files/styles-csv.js";
import type { Output } from "./output.js";

export interface StyleFlags {
  readonly style?: string;
  readonly styles?: string;
}

/**
 * The style that the command line names, as the part of image options that it is. Throws InputError INPUT_STYLE, and
 * FILE_* for a file that can't be read.
 */
export function chosenStyle({ style: name, styles: file }: StyleFlags): Pick<ImageOptions, "style"> {
  if (name === undefined) return {};
  const styles = stylesOf(file);
  const isNone = name.toLowerCase() === NO_STYLE && styleNamed(name, styles) === undefined;
  return isNone ? {} : { style: requireStyle(name, styles) };
}

/** The presets, and over them the styles of a file as A1111 writes it. */
export function stylesOf(file: string | undefined): readonly Style[] {
  return file === undefined ? PRESETS : withPresets(readStyles(file).styles);
}

function readStyles(file: string) {
  try {
    return readStylesCsv(readFileSync(file));
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new InputError("FILE_UNREACHABLE", `${file} cannot be read: there is no such file.`, {}, { cause });
  }
}

/** `promptist styles [FILE]`: the presets, or what is read of a `styles.csv`. */
export function listStyles(output: Output, file?: string): void {
  const { styles, tooLong, more } =
    file === undefined ? { styles: PRESETS, tooLong: [], more: 0 } : readStyles(file);
  if (tooLong.length > 0) output.say(`Left out, because a text is too long: ${tooLong.join(", ")}.`);
  if (more > 0) output.say(`Left out, because there are too many: ${more}.`);
  output.result(
    { styles, tooLong, more },
    styles
      .map(({ name, prompt, negative }) =>
        [name, `  ${prompt}`, ...(negative === "" ? [] : [`  without: ${negative}`])].join("\n"),
      )
      .join("\n"),
  );
}
