import { InputError } from "./errors.js";
import type { TextOptions } from "./options.js";

/**
 * Rewriters: GPT-2 language models in Hugging Face's layout, each asked in its own form. One more is an entry here; if
 * its text needs another clean-up, that is a rule in inference/promptist/clean-up.ts.
 */

/** How a model is asked for a rewrite, and what of its text is the rewrite. */
export interface PromptForm {
  /** What the model was trained to continue stands behind the prompt; empty where it goes on from the prompt itself. */
  readonly suffix: string;
  /** Whether a rewrite is the prompt with the model's text behind it, not the model's text alone. */
  readonly keepsPrompt: boolean;
  /** What is done to the model's text. */
  readonly cleanUp: "none" | "phrases";
}

export interface Rewriter {
  /** For options, files and columns; also its folder in the folder of checkpoints, and its name for `pull`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Repositories of the hub with its files, the best known first. */
  readonly repos: readonly string[];
  /** Where its tokenizer is, if `repos` have none. */
  readonly tokenizerRepos?: readonly string[];
  readonly licence: string;
  readonly form: PromptForm;
  /** How it is run where nobody says otherwise, instead of the configuration's TEXT_ variables. */
  readonly settings: Partial<Pick<TextOptions, "mode" | "temperature" | "topK" | "topP" | "maxNewTokens">>;
}

const CONTINUATION: PromptForm = { suffix: "", keepsPrompt: true, cleanUp: "phrases" };
/** As dynamicprompts runs MagicPrompt; `top_k` is transformers' own default. */
const SAMPLED = { mode: "sample", temperature: 0.7, topK: 50, topP: 1 } as const;

/** LMOps, promptist/README.md. */
export const PROMPTIST = {
  name: "promptist",
  title: "Promptist",
  repos: ["microsoft/Promptist"],
  tokenizerRepos: ["openai-community/gpt2", "gpt2"],
  licence: "MIT",
  form: { suffix: " Rephrase:", keepsPrompt: false, cleanUp: "none" },
  settings: {},
} satisfies Rewriter;

export const MAGICPROMPT = {
  name: "magicprompt",
  title: "MagicPrompt",
  repos: ["Gustavosta/MagicPrompt-Stable-Diffusion"],
  licence: "MIT",
  form: CONTINUATION,
  settings: SAMPLED,
} satisfies Rewriter;

export const REWRITERS: readonly Rewriter[] = [
  PROMPTIST,
  MAGICPROMPT,
  {
    name: "magicprompt-small",
    title: "MagicPrompt small",
    repos: ["pszemraj/distilgpt2-magicprompt-SD"],
    licence: "Apache-2.0",
    form: CONTINUATION,
    settings: SAMPLED,
  },
];

/** The name that stands for the prompt as it is. */
export const NO_REWRITER = "none";

/** In votes, the name of whoever is no rewriter: a person or a file. */
export const GIVEN = "given";

/** All names that `findRewriter` takes. */
export const REWRITER_NAMES: readonly [string, ...string[]] = [
  NO_REWRITER,
  ...REWRITERS.map(({ name }) => name),
];

/** The name of the rewriter of text options; in jobs from before there was a choice, Promptist. */
export const rewriterNameOf = ({ rewriter }: Pick<TextOptions, "rewriter">): string =>
  rewriter ?? PROMPTIST.name;

/** Names are compared without case and outer spaces, with any sign between their words. */
const plain = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, "-");

/** The name of a model, or `none`, that a person may write in another way or as its title; undefined for any other. */
export function rewriterNamed(written: string): string | undefined {
  const wanted = plain(written);
  if (wanted === NO_REWRITER) return NO_REWRITER;
  return REWRITERS.find(({ name, title }) => name === wanted || plain(title) === wanted)?.name;
}

/** A rewriter by its name or title; null for `none`. Throws InputError INPUT_REWRITER for any other. */
export function requireRewriter(written: string): Rewriter | null {
  const name = rewriterNamed(written);
  if (name !== undefined) return REWRITERS.find((it) => it.name === name) ?? null;
  const message = `There is no rewriter ${written}. Choose one of: ${REWRITER_NAMES.join(", ")}.`;
  throw new InputError("INPUT_REWRITER", message, { rewriter: written });
}

/** The beginning of the name of a style that stands in a rewriter's place: its words around the prompt. */
const STYLE_MARK = "style:";

export const nameOfStyle = (style: string): string => `${STYLE_MARK}${style}`;

/** The style that a rewriter's name means; null where it means none. */
export const styleIn = (name: string): string | null => {
  const written = name.trim();
  return written.toLowerCase().startsWith(STYLE_MARK) ? written.slice(STYLE_MARK.length).trim() : null;
};

/** Whether a name is a model's, which is loaded; others write nothing themselves. */
export const isModel = (name: string): boolean => name !== NO_REWRITER && styleIn(name) === null;

/** What people call a rewriter that stored options name; the name itself where it is not known any more. */
export const titleOf = (name: string): string =>
  REWRITERS.find((rewriter) => rewriter.name === name)?.title ?? name;

/**
 * The options with which a rewriter runs: `given` ones, then its own, then the `usual` ones. Throws InputError
 * INPUT_REWRITER.
 */
export function rewriterOptions(
  name: string,
  usual: TextOptions,
  given: Partial<TextOptions> = {},
): TextOptions {
  const rewriter = requireRewriter(name);
  return { ...usual, ...rewriter?.settings, ...given, rewriter: rewriter?.name ?? NO_REWRITER };
}
