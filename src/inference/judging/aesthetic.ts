import { openWeightFile } from "../../checkpoints/files/open.js";
import type { Weights } from "../../checkpoints/files/weights.js";
import { CheckpointError } from "../../core/errors.js";
import { dot, normalized } from "./vectors.js";

/**
 * The aesthetic predictor of the LAION family that Promptist's reward uses (LMOps, promptist/aesthetic):
 * linear layers with only dropout between them, on CLIP's normalised image embedding. Together they are one
 * affine map.
 */
export class AestheticPredictor {
  readonly #direction: Float64Array;
  readonly #offset: number;

  private constructor(
    /** Length of the embedding it expects. */
    readonly dimensions: number,
    direction: Float64Array,
    offset: number,
  ) {
    this.#direction = direction;
    this.#offset = offset;
  }

  /**
   * Reads a `.pth` or `.safetensors` with `layers.N.weight` and `layers.N.bias`, as published.
   * @throws CheckpointError CHECKPOINT_* if it is not such a file
   */
  static open(file: string): AestheticPredictor {
    const weights = openWeightFile(file);
    const layers = layersOf(weights);
    let offset = 0;
    // From the last layer to the first: direction' x + offset = direction' (W x + b) + offset.
    let direction: Float64Array = Float64Array.of(1);
    for (const { weight, bias, inputs } of layers.toReversed()) {
      offset += dot(direction, bias);
      const earlier = new Float64Array(inputs);
      for (const [row, factor] of direction.entries())
        for (let i = 0; i < inputs; i++) earlier[i]! += factor * weight[row * inputs + i]!;
      direction = earlier;
    }
    return new AestheticPredictor(direction.length, direction, offset);
  }

  /** About 1 (ugly) to 10. `embedding`: CLIP's, of any length. */
  score(embedding: Float32Array): number {
    return dot(this.#direction, normalized(embedding)) + this.#offset;
  }
}

interface LinearLayer {
  /** [outputs, inputs] */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly inputs: number;
}

function layersOf(weights: Weights): LinearLayer[] {
  const wrong = (why: string) =>
    new CheckpointError(
      "CHECKPOINT_ARCHITECTURE",
      `${weights.source} is no aesthetic predictor: ${why}. Put sac+logos+ava1-l14-linearMSE.pth of Promptist's repository (LMOps, promptist/aesthetic) there.`,
    );
  const numbers = weights.names.flatMap((name) => {
    const [, number] = /^layers\.(\d+)\.weight$/.exec(name) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
  const expected = new Set(numbers.flatMap((n) => [`layers.${n}.weight`, `layers.${n}.bias`]));
  const strange = weights.names.filter((name) => !expected.has(name));
  if (numbers.length === 0 || strange.length > 0) throw wrong(`it holds ${weights.names.join(", ")}`);
  let size: number | undefined;
  const layers = numbers
    .sort((a, b) => a - b)
    .map((n) => {
      const [outputs, inputs, ...others] = weights.get(`layers.${n}.weight`)!.shape;
      const [biases] = weights.get(`layers.${n}.bias`)?.shape ?? [];
      if (outputs === undefined || inputs === undefined || others.length > 0 || biases !== outputs)
        throw wrong(`layer ${n} is not linear`);
      if (size !== undefined && inputs !== size)
        throw wrong(`layer ${n} takes ${inputs} values and gets ${size}`);
      size = outputs;
      return {
        weight: weights.readFloat32(`layers.${n}.weight`),
        bias: weights.readFloat32(`layers.${n}.bias`),
        inputs,
      };
    });
  if (size !== 1) throw wrong(`its last layer gives ${size} values instead of a score`);
  return layers;
}
