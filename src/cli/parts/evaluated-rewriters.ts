import { InputError } from "../../core/errors.js";
import { NO_REWRITER, requireRewriter } from "../../core/rewriters.js";
import { requireStyle, type Style } from "../../core/styles.js";

/** One of the texts that an evaluation draws of each prompt: a model's rewrite, the prompt in a style, or as it is. */
export type EvaluatedRewriter =
  | { readonly name: string; readonly kind: "model" }
  | { readonly name: string; readonly kind: "style"; readonly style: Style }
  | { readonly name: typeof NO_REWRITER; readonly kind: "none" };

const STYLE_PREFIX = "style:";

/** Reads `promptist,none,style:watercolour`. Throws InputError INPUT_OPTION, INPUT_REWRITER or INPUT_STYLE. */
export function readRewriters(list: string, styles: readonly Style[]): EvaluatedRewriter[] {
  const names = list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const rewriters = names.map((name): EvaluatedRewriter => {
    if (name.toLowerCase().startsWith(STYLE_PREFIX)) {
      const style = requireStyle(name.slice(STYLE_PREFIX.length), styles);
      return { name: `${STYLE_PREFIX}${style.name}`, kind: "style", style };
    }
    const rewriter = requireRewriter(name);
    return rewriter === null ? { name: NO_REWRITER, kind: "none" } : { name: rewriter.name, kind: "model" };
  });
  if (new Set(rewriters.map(({ name }) => name)).size < Math.max(2, rewriters.length))
    throw new InputError(
      "INPUT_OPTION",
      "--rewriters takes two or more different ones, such as promptist,none.",
    );
  return rewriters;
}

/** Index of the rewriter that the others are compared with: the one named, else the prompt as it is, else the first. */
export function baselineOf(rewriters: readonly EvaluatedRewriter[], named: string | undefined): number {
  const names: readonly string[] = rewriters.map(({ name }) => name);
  if (named === undefined) return Math.max(0, names.indexOf(NO_REWRITER));
  const index = names.indexOf(named);
  if (index >= 0) return index;
  throw new InputError(
    "INPUT_OPTION",
    `--baseline: ${named} is none of the rewriters; name one of ${names.join(", ")}.`,
  );
}
