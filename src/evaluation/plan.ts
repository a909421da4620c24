import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError, isMissing } from "../core/errors.js";
import type { ImageOptions, TextOptions } from "../core/options.js";
import { replaceFile } from "../files/replace-file.js";

/**
 * How Promptist's paper draws the pictures that it is trained and judged by (Hao et al. 2022, section 2.3; LMOps,
 * diff_prompter/ppo_prompter.py).
 */
export const PAPER_IMAGE = { scheduler: "dpm++2m", steps: 20 } as const;
/** Pictures of each prompt and rewriter, where nobody says how many. */
export const USUAL_SEEDS = 2;

/** What an evaluation does, which stays the same until its last picture. */
export interface Plan {
  readonly version: 1;
  readonly prompts: { readonly count: number; readonly sha256: string };
  /** In the order of the report; `baseline` is the one that the others are compared with. */
  readonly rewriters: readonly string[];
  readonly baseline: string;
  /** Pictures of each prompt and rewriter. */
  readonly seeds: number;
  /** Of the first picture of the first prompt (`seedOf`). */
  readonly seed: number;
  /** How each model that rewrites searches, by its name. */
  readonly text: Readonly<Record<string, Omit<TextOptions, "seed">>>;
  readonly image: Omit<ImageOptions, "seed">;
  /** Names of the models: `diffusion`, `judge`, and each that rewrites by its name as a rewriter. */
  readonly models: Readonly<Record<string, string>>;
}

/** The seed of a prompt's picture, `seed` from 0: the same for all rewriters, and another for each prompt. */
export const seedOf = (
  { seed, seeds }: Pick<Plan, "seed" | "seeds">,
  prompt: number,
  index: number,
): number => seed + prompt * seeds + index;

export function hashOf(prompts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const prompt of prompts) hash.update(`${prompt}\n`);
  return hash.digest("hex");
}

const stored = z.looseObject({ hashes: z.record(z.string(), z.string()).catch({}) });

/** What people call the parts of a plan. */
const NAMES: Readonly<Record<keyof Plan, string>> = {
  version: "the program's version",
  prompts: "the prompts",
  rewriters: "--rewriters",
  baseline: "--baseline",
  seeds: "--seeds",
  seed: "--seed",
  text: "how rewrites are searched for",
  image: "how pictures are drawn",
  models: "the models",
};

/** The plan of a folder, and the hashes of the weights that it was begun with. */
export class PlanFile {
  readonly #path: string;
  readonly #plan: Plan;
  #hashes: Readonly<Record<string, string>>;

  private constructor(path: string, plan: Plan, hashes: Readonly<Record<string, string>>) {
    this.#path = path;
    this.#plan = plan;
    this.#hashes = hashes;
  }

  /**
   * Begins an evaluation in a folder, or goes on with the same one.
   * @throws InputError INPUT_OPTION if another one was begun there, and says what differs
   */
  static async open(folder: string, plan: Plan): Promise<PlanFile> {
    const path = join(folder, "plan.json");
    const text = await readFile(path, "utf8").catch((error) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (text === null) {
      const file = new PlanFile(path, plan, {});
      await file.#write();
      return file;
    }
    const { hashes, ...before } = stored.parse(JSON.parse(text));
    const names = Object.keys(NAMES) as (keyof Plan)[];
    const changed = names.filter((name) => canonical(before[name]) !== canonical(plan[name]));
    if (changed.length > 0)
      throw new InputError(
        "INPUT_OPTION",
        `--out: another evaluation was begun in ${folder}; it differs in ${changed.map((name) => NAMES[name]).join(", ")}. Go on with the same file and options, or name another folder.`,
      );
    return new PlanFile(path, plan, hashes);
  }

  get hashes(): Readonly<Record<string, string>> {
    return this.#hashes;
  }

  /**
   * Remembers the hash of a model's weights.
   * @throws InputError INPUT_OPTION if the evaluation was begun with other weights
   */
  async checkHash(model: string, hash: string | null): Promise<void> {
    if (hash === null || this.#hashes[model] === hash) return;
    if (this.#hashes[model] !== undefined)
      throw new InputError(
        "INPUT_OPTION",
        `The weights of ${this.#plan.models[model] ?? model} have changed since this evaluation began, so its pictures would not compare. Begin anew in another folder.`,
      );
    this.#hashes = { ...this.#hashes, [model]: hash };
    await this.#write();
  }

  #write(): Promise<void> {
    return replaceFile(this.#path, `${JSON.stringify({ ...this.#plan, hashes: this.#hashes }, null, 2)}\n`);
  }
}

/** JSON with sorted keys and without absent values. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
