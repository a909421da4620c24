import { join } from "node:path";
import { z } from "zod";
import type { PictureJudgement } from "../core/judgement.js";
import { readRecords } from "./record-file.js";
import type { PictureIndex } from "./scores.js";

/**
 * What lies in the folder of an evaluation: plan.json, the records of each phase, the pictures, and at the end the
 * report. A phase reads what the one before it recorded, and leaves out what it has recorded itself; so whatever is
 * killed goes on where it was.
 */

/** Prompts that are rewritten together, and recorded together: what a model makes by chance depends on its group. */
export const GROUP = 16;

export interface RewrittenGroup {
  /** Index of the first prompt. */
  readonly from: number;
  readonly rewrites: readonly string[];
}
export interface DrawnRecord extends PictureIndex {
  readonly text: string;
  /** Inside the folder. */
  readonly file: string;
  readonly ms: number;
}
export interface JudgedRecord extends DrawnRecord {
  readonly judgement: PictureJudgement;
}

const index = z.number().int().nonnegative();
const group = z.object({ from: index, rewrites: z.array(z.string()) });
const drawn = z.object({
  prompt: index,
  rewriter: index,
  seed: index,
  text: z.string(),
  file: z.string(),
  ms: z.number(),
});
const judged = drawn.extend({
  judgement: z.object({
    relevance: z.number().nullable(),
    beauty: z.number().nullable(),
    safety: z.union([
      z.enum(["unchecked", "harmless"]),
      z.object({ flagged: z.boolean(), concepts: z.array(z.number()) }),
    ]),
    judge: z.string().nullable(),
  }),
});

export class EvaluationFolder {
  constructor(readonly path: string) {}

  rewritesFile(rewriter: string): string {
    return join(this.path, `rewrites-${slug(rewriter)}.jsonl`);
  }
  get drawnFile(): string {
    return join(this.path, "pictures.jsonl");
  }
  get judgedFile(): string {
    return join(this.path, "scores.jsonl");
  }

  /** The file of a picture, inside the folder. */
  pictureFile({ prompt, seed }: PictureIndex, rewriter: string): string {
    return join("pictures", `${String(prompt + 1).padStart(5, "0")}-${seed + 1}-${slug(rewriter)}.png`);
  }

  /** The groups of a rewriter in order, as far as there is none missing. */
  async *rewritten(rewriter: string): AsyncGenerator<RewrittenGroup> {
    let next = 0;
    for await (const record of readRecords(this.rewritesFile(rewriter), group)) {
      if (record.from !== next) continue;
      next += record.rewrites.length;
      yield record;
    }
  }

  drawn(): AsyncGenerator<DrawnRecord> {
    return readRecords<DrawnRecord>(this.drawnFile, drawn);
  }

  judged(): AsyncGenerator<JudgedRecord> {
    return readRecords<JudgedRecord>(this.judgedFile, judged);
  }
}

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
