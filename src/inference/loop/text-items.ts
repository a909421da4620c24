import type { Events } from "../../core/events.js";
import { type Item, type ItemNote, imageOf } from "../../core/job.js";
import { promptModeOf } from "../../core/options.js";
import { SIDES } from "../../core/side.js";
import type { Claim, Queue } from "../../db/queue.js";
import type { Host, ItemWork } from "./phase.js";

export interface TextItemsOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly now: () => number;
}

/** The text phase: Promptist rewrites prompts. */
export class TextItems implements ItemWork {
  /** How many prompts Promptist rewrites in one left-padded group. */
  readonly groupSize = 4;
  readonly #options: TextItemsOptions;

  constructor(options: TextItemsOptions) {
    this.#options = options;
  }

  async make(host: Host, claim: Claim, items: readonly Item[], signal: AbortSignal): Promise<boolean> {
    const { queue, events, now } = this.#options;
    const { job } = claim;
    const [first] = items;
    if (first === undefined) return true;
    const started = now();
    const rewrites = await host.call(
      "optimize",
      {
        prompts: items.map((item) => item.prompt),
        modes: items.map((item) => promptModeOf(imageOf(job, item))),
        styles: items.map((item) => imageOf(job, item).style),
        options: job.text,
      },
      {
        signal,
        onProgress: (step, steps) =>
          events.emit("job.progress", {
            jobId: job.id,
            phase: "text",
            item: first.index,
            items: job.items.length,
            output: "rewrite",
            step,
            steps,
          }),
      },
    );
    const ms = (now() - started) / items.length;
    for (const [i, item] of items.entries()) {
      const { rewrite, candidates, unread = null, truncated } = rewrites[i]!;
      const notes: ItemNote[] = [
        ...(rewrite === item.prompt.trim() ? [{ code: "unchanged" } as const] : []),
        ...(unread === null ? [] : [{ code: "unread", words: unread } as const]),
        ...SIDES.flatMap((side): ItemNote[] => {
          const words = truncated?.[side] ?? null;
          return words === null ? [] : [{ code: "truncated", side, words }];
        }),
      ];
      if (!(await queue.saveText(claim, item.index, { rewrite, candidates, notes, ms }))) return false;
    }
    return true;
  }

  async afterGroup(): Promise<boolean> {
    return true;
  }
}
