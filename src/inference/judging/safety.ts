import type { Weights } from "../../checkpoints/files/weights.js";
import { CheckpointError } from "../../core/errors.js";
import type { SafetyVerdict } from "../../core/judgement.js";
import { roundHalfToEven } from "../numbers/round.js";
import { cosine } from "./vectors.js";

/** Added to every concept's score once a special-care concept is found. */
const ADJUSTMENT = 0.01;

/** Tensors of a safety checker besides its vision tower and projection. */
export const CONCEPT_TENSORS = [
  "concept_embeds",
  "concept_embeds_weights",
  "special_care_embeds",
  "special_care_embeds_weights",
] as const;

interface Concepts {
  /** One direction per concept. */
  readonly embeds: readonly Float32Array[];
  /** Pictures with this cosine or more show the concept. */
  readonly thresholds: Float32Array;
}

/** Scores by concept, rounded like diffusers; above 0 the picture shows the concept. */
export interface SafetyScores {
  readonly specialCare: readonly number[];
  readonly concepts: readonly number[];
}

/**
 * Classifies a picture's embedding like diffusers' StableDiffusionSafetyChecker: compares its cosine to each
 * concept with that concept's threshold, all a little stricter if a special-care concept is found.
 */
export class SafetyConcepts {
  readonly #specialCare: Concepts;
  readonly #concepts: Concepts;

  private constructor(specialCare: Concepts, concepts: Concepts) {
    this.#specialCare = specialCare;
    this.#concepts = concepts;
  }

  /**
   * Reads the concepts of a `safety_checker/`.
   * @param dimensions of the embeddings, projection_dim
   * @throws CheckpointError CHECKPOINT_TENSORS if one is missing or has another shape
   */
  static read(weights: Weights, dimensions: number): SafetyConcepts {
    const conceptsOf = (name: "concept_embeds" | "special_care_embeds"): Concepts => {
      const [count, size] = weights.get(name)?.shape ?? [];
      const [thresholds] = weights.get(`${name}_weights`)?.shape ?? [];
      if (count === undefined || size !== dimensions || thresholds !== count)
        throw new CheckpointError(
          "CHECKPOINT_TENSORS",
          `${weights.source}: ${name} must be [concepts, ${dimensions}] with as many ${name}_weights.`,
        );
      const values = weights.readFloat32(name);
      return {
        embeds: Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size)),
        thresholds: weights.readFloat32(`${name}_weights`),
      };
    };
    return new SafetyConcepts(conceptsOf("special_care_embeds"), conceptsOf("concept_embeds"));
  }

  /** @param embedding of the picture; need not be normalised */
  scores(embedding: Float32Array): SafetyScores {
    const scoreOf = ({ embeds, thresholds }: Concepts, i: number, adjustment: number) =>
      roundTo3(
        Math.fround(
          Math.fround(Math.fround(cosine(embedding, embeds[i]!)) - thresholds[i]!) + Math.fround(adjustment),
        ),
      );
    let adjustment = 0;
    const specialCare = this.#specialCare.embeds.map((_, i) => {
      const score = scoreOf(this.#specialCare, i, adjustment);
      // Also makes the remaining special-care concepts stricter.
      if (score > 0) adjustment = ADJUSTMENT;
      return score;
    });
    return {
      specialCare,
      concepts: this.#concepts.embeds.map((_, i) => scoreOf(this.#concepts, i, adjustment)),
    };
  }

  verdict(embedding: Float32Array): SafetyVerdict {
    const concepts = this.scores(embedding).concepts.flatMap((score, i) => (score > 0 ? [i] : []));
    return { flagged: concepts.length > 0, concepts };
  }
}

/** numpy's round(float32, 3): scaled, to the nearest whole number and back, all in float32. */
const roundTo3 = (value: number): number => Math.fround(roundHalfToEven(Math.fround(value * 1000)) / 1000);
