import { openWeights } from "../../checkpoints/files/open.js";
import { weightsHash } from "../../checkpoints/files/weights-hash.js";
import { Promptist } from "../promptist/promptist.js";
import { openDevice } from "../runtime/open-device.js";
import { ClipTokenizer } from "../tokenizers/tokenizer.js";
import type { TextSpec } from "./protocol.js";
import type { LoadedModel, OnDevice } from "./worker-model.js";

/**
 * The text worker's model: Promptist, and the image model's tokenizer, to find words that that model will not
 * read.
 * @throws CheckpointError or InferenceError like `Promptist.open`
 */
export async function loadTextModel(spec: TextSpec, onDevice: OnDevice = () => {}): Promise<LoadedModel> {
  const { cacheDir, directory, threads } = spec;
  const device = await openDevice(spec.device, { user: "text", floats: ["float32"], cacheDir });
  onDevice(device.name);
  const promptist = await Promptist.open({
    directory,
    tokenizer: spec.tokenizer ?? directory,
    device,
    weights: spec.weights,
    cacheDir,
    threads,
  });
  const clip = spec.clipTokenizer === null ? null : ClipTokenizer.open(spec.clipTokenizer);
  const cut = (text: string): string | null => clip?.encode(text).truncated ?? null;
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
      optimize: async ({ prompts, options }, { signal, onStep }) => {
        const rewrites = await promptist.optimize(prompts, options, { signal, onStep });
        return rewrites.map((rewrite) => ({
          ...rewrite,
          truncated: { baseline: cut(rewrite.prompt), optimized: cut(rewrite.rewrite) },
        }));
      },
    },
    release: () => promptist.release(),
  };
}
