import { openWeights } from "../../checkpoints/files/open.js";
import { weightsHash } from "../../checkpoints/files/weights-hash.js";
import { readWords, withMarks } from "../../core/emphasis.js";
import { CheckpointError } from "../../core/errors.js";
import type { Candidate } from "../../core/job.js";
import { type PromptMode, promptModeOf } from "../../core/options.js";
import { applyStyle } from "../../core/styles.js";
import { type OptimizeResult, Promptist } from "../promptist/promptist.js";
import { openDevice } from "../runtime/open-device.js";
import { ClipTokenizer } from "../tokenizers/tokenizer.js";
import { openPromptReader } from "./prompt-tokenizer.js";
import type { TextSpec } from "./protocol.js";
import type { LoadedModel, OnDevice } from "./worker-model.js";

/**
 * The text worker's model: Promptist, and the image model's tokenizer, to find words that that model will not
 * read.
 * @throws CheckpointError or InferenceError like `Promptist.open`
 */
export async function loadTextModel(spec: TextSpec, onDevice: OnDevice = () => {}): Promise<LoadedModel> {
  const { cacheDir, directory, threads } = spec;
  const device = await openDevice(spec.device, { user: "text", plans: ["fp32"], cacheDir });
  onDevice(device.name);
  const promptist = await Promptist.open({
    directory,
    tokenizer: spec.tokenizer ?? directory,
    ...(spec.form && { form: spec.form }),
    keeps: spec.keepsPrompt ?? false,
    device,
    weights: spec.weights,
    cacheDir,
    threads,
  });
  const clip = clipTokenizerOf(spec);
  const cut = (text: string, mode: PromptMode): string | null => {
    const read = mode === "weighted" ? clip?.encodeWeighted(text) : clip?.encode(text);
    return read?.truncated ?? null;
  };
  const { layers, width, heads, vocabulary, weights, weightBytes } = promptist.info;
  return {
    info: {
      device: device.name,
      deviceNote: device.note,
      notes: promptist.info.notes,
      precision: weights,
      weightBytes,
      hash: await weightsHash([openWeights(directory)], cacheDir),
      parameters: `GPT-2, ${layers} layers, ${width} wide, ${heads} heads, vocabulary ${vocabulary}`,
    },
    handlers: {
      optimize: async ({ prompts, modes = [], styles = [], options }, { signal, onStep }) => {
        const modeOf = (i: number) => promptModeOf({ prompts: modes[i] });
        const plain = prompts.map((prompt, i) => readWords(prompt, modeOf(i)));
        const rewrites = await promptist.optimize(plain, options, { signal, onStep });
        return rewrites.map((plainRewrite, i) => {
          const prompt = prompts[i]!;
          const mode = modeOf(i);
          const rewrite = mode === "weighted" ? marked(plainRewrite, prompt) : plainRewrite;
          const drawn = (text: string) => applyStyle({ prompt: text, negative: "" }, styles[i]).prompt;
          return {
            ...rewrite,
            truncated: { baseline: cut(drawn(prompt), mode), optimized: cut(drawn(rewrite.rewrite), mode) },
          };
        });
      },
    },
    release: () => promptist.release(),
  };
}

/** The image model's tokenizer, to find words that that model will not read; null where none is known. */
function clipTokenizerOf({
  clipTokenizer,
  diffusion = null,
  embeddings = [],
}: TextSpec): ClipTokenizer | null {
  if (clipTokenizer === null) return null;
  if (diffusion === null || embeddings.length === 0) return ClipTokenizer.open(clipTokenizer);
  const optional = embeddings.map((choice) => ({ ...choice, isRequired: false }));
  try {
    return openPromptReader(clipTokenizer, diffusion, optional).tokenizer;
  } catch (error) {
    // The image worker says what can't be read of its checkpoint; words are rewritten all the same.
    if (error instanceof CheckpointError) return ClipTokenizer.open(clipTokenizer);
    throw error;
  }
}

/** The rewrites of a prompt without its marks, as those of the prompt with them. */
function marked(plain: OptimizeResult, prompt: string): OptimizeResult {
  const { rewrite, candidates } = plain;
  const all = candidates.map((candidate) => ({ ...candidate, text: withMarks(prompt, candidate.text) }));
  const isFirst = ({ text }: Candidate, i: number) => all.findIndex((other) => other.text === text) === i;
  return { ...plain, prompt, rewrite: withMarks(prompt, rewrite), candidates: all.filter(isFirst) };
}
