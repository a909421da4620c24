import type { Events } from "../../core/events.js";
import {
  type Item,
  type ItemNote,
  imageOf,
  type Job,
  sharesRewrites,
  textOptionsOf,
  unwrittenSides,
} from "../../core/job.js";
import { promptModeOf } from "../../core/options.js";
import { SIDES } from "../../core/side.js";
import type { Claim, Queue } from "../../db/queue.js";
import type { RewriteChoice } from "../../taste/rewrite-choice.js";
import type { Host, ItemWork, Piece } from "./phase.js";

export interface TextItemsOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly now: () => number;
  /** Takes rewrites by what a server likes; the model's own first where absent. */
  readonly choice?: RewriteChoice;
}

/** The text phase: rewriters rewrite prompts; the pieces of a call share their options. */
export class TextItems implements ItemWork {
  /** How many prompts are rewritten in one left-padded group. */
  readonly groupSize = 4;
  readonly #options: TextItemsOptions;

  constructor(options: TextItemsOptions) {
    this.#options = options;
  }

  async make(host: Host, claim: Claim, pieces: readonly Piece[], signal: AbortSignal): Promise<boolean> {
    const { queue, events, now, choice } = this.#options;
    const { job } = claim;
    const shared = sharesRewrites(job);
    const asked = shared ? await this.#distinct(job, pieces) : pieces;
    const [first] = asked;
    if (first === undefined) return true;
    const started = now();
    const rewrites = await host.call(
      "optimize",
      {
        prompts: asked.map(({ item }) => item.prompt),
        modes: asked.map(({ item }) => promptModeOf(imageOf(job, item))),
        styles: asked.map(({ item }) => imageOf(job, item).style),
        options: textOptionsOf(job, first.item, first.side),
      },
      {
        signal,
        onProgress: (step, steps) =>
          events.emit("job.progress", {
            jobId: job.id,
            phase: "text",
            item: first.item.index,
            items: job.items.length,
            output: "rewrite",
            step,
            steps,
          }),
      },
    );
    const ms = (now() - started) / asked.length;
    for (const [i, { item, side }] of asked.entries()) {
      const { rewrite: first, candidates, unread = null, kept = false, truncated } = rewrites[i]!;
      // A grid shows what its options do, and an evaluation, or a pair of two rewriters, what each makes itself.
      const isChosen = !shared && item.against === undefined;
      const taken = isChosen ? await choice?.take(job, item.prompt, candidates) : null;
      const rewrite = taken?.rewrite ?? first;
      const notes: ItemNote[] = [
        ...(taken == null ? [] : [taken.note]),
        ...(rewrite === item.prompt.trim() ? [{ code: "unchanged" } as const] : []),
        ...(kept ? [{ code: "kept", side } as const] : []),
        ...(unread === null ? [] : [{ code: "unread", words: unread } as const]),
        ...(item.against === undefined ? SIDES : [side]).flatMap((cut): ItemNote[] => {
          const words = truncated?.[item.against === undefined ? cut : "optimized"] ?? null;
          return words === null ? [] : [{ code: "truncated", side: cut, words }];
        }),
      ];
      if (!(await queue.saveText(claim, item.index, { side, rewrite, candidates, notes, ms }))) return false;
      if (!shared) continue;
      for (const { index } of job.items.filter((other) => other !== item && isSameText(job, item, other)))
        if (!(await queue.saveText(claim, index, { rewrite, candidates, notes }))) return false;
    }
    return true;
  }

  /** Of a job whose items share their rewrites: the pieces that are still to be made, each text once. */
  async #distinct(job: Job, pieces: readonly Piece[]): Promise<readonly Piece[]> {
    const stored = await this.#options.queue.get(job.id);
    const lacking = pieces.filter(({ item: { index }, side }) => {
      const item = stored?.items[index];
      return item !== undefined && unwrittenSides(item).includes(side);
    });
    return lacking.filter(
      ({ item }, i) => lacking.findIndex((other) => isSameText(job, item, other.item)) === i,
    );
  }

  async afterGroup(): Promise<boolean> {
    return true;
  }
}

/** Whether two items have the same rewrite: the same text, read in the same way. */
const isSameText = (job: Job, one: Item, other: Item): boolean =>
  one.prompt === other.prompt &&
  promptModeOf(imageOf(job, one)) === promptModeOf(imageOf(job, other)) &&
  JSON.stringify(textOptionsOf(job, one)) === JSON.stringify(textOptionsOf(job, other));
