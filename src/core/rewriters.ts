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

export const REWRITERS: readonly Rewriter[] = [
  PROMPTIST,
  {
    name: "magicprompt",
    title: "MagicPrompt",
    repos: ["Gustavosta/MagicPrompt-Stable-Diffusion"],
    licence: "MIT",
    form: CONTINUATION,
    settings: SAMPLED,
  },
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

/** A rewriter by its name or title; null for `none`. Throws InputError INPUT_REWRITER for any other. */
export function requireRewriter(name: string): Rewriter | null {
  const wanted = plain(name);
  if (wanted === NO_REWRITER) return null;
  const found = REWRITERS.find((it) => it.name === wanted || plain(it.title) === wanted);
  if (found !== undefined) return found;
  const message = `There is no rewriter ${name}. Choose one of: ${REWRITER_NAMES.join(", ")}.`;
  throw new InputError("INPUT_REWRITER", message, { rewriter: name });
}

/**
 * The options with which a rewriter runs: `given` ones, then its own, then the `usual` ones. Throws InputError
 * INPUT_REWRITER.
 */
export function textOf(name: string, usual: TextOptions, given: Partial<TextOptions> = {}): TextOptions {
  const rewriter = requireRewriter(name);
  return { ...usual, ...rewriter?.settings, ...given, rewriter: rewriter?.name ?? NO_REWRITER };
}
