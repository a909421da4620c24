import { type Item, isFinished, type Job, nextPhase, nounOf } from "../../core/job.js";
import type { Queue } from "../../db/queue.js";
import type { StatusBoard } from "../delivery/status-board.js";
import { deferUpdate, type Press, replyPrivately } from "../discord/interactions.js";
import { ITEMS_SHOWN, itemRows } from "../messages/parts/components.js";
import { wordsOf } from "../words/languages.js";

export interface BatchItemsOptions {
  readonly queue: Queue;
  /** Shows how many prompts are left. */
  readonly board: StatusBoard;
}

/** Takes single prompts out of a job that waits or runs. */
export class BatchItems {
  readonly #options: BatchItemsOptions;

  constructor(options: BatchItemsOptions) {
    this.#options = options;
  }

  /** The button: lists what is left to make, in menus that only the user sees. */
  async choose(press: Press, job: Job): Promise<void> {
    const words = wordsOf(press.locale);
    const { refusals, itemLines } = words;
    const left = leftOf(job);
    if (left.length === 0) return replyPrivately(press, refusals.nothingLeft);
    await replyPrivately(press, {
      content: [
        itemLines.choose(nounOf(job.kind)),
        ...(left.length > ITEMS_SHOWN ? [itemLines.more(ITEMS_SHOWN, left.length)] : []),
      ].join("\n"),
      components: itemRows(job, left, words),
    });
  }

  /** The menu: takes these prompts out; a job with no prompt left is cancelled. */
  async takeOut(press: Press, job: Job): Promise<void> {
    const words = wordsOf(press.locale);
    const { refusals, itemLines } = words;
    if (!press.isStringSelectMenu()) return replyPrivately(press, refusals.unknownButton);
    const { queue, board } = this.#options;
    await deferUpdate(press);
    let taken = 0;
    for (const value of press.values) if (await queue.cancelItem(job.id, Number(value))) taken++;
    const now = await queue.get(job.id);
    const left = now === undefined ? [] : leftOf(now);
    const isEmpty = now?.items.every(({ cancelled }) => cancelled) ?? false;
    if (isEmpty) {
      await queue.cancel(job.id);
    } else {
      await board.refresh(job.id);
    }
    await press.editReply({
      content: taken === 0 ? itemLines.gone : itemLines.taken(nounOf(job.kind), taken, left.length),
      components: isEmpty ? [] : itemRows(job, left, words),
    });
  }
}

const leftOf = (job: Job): Item[] =>
  isFinished(job.state) ? [] : job.items.filter((item) => nextPhase(job.kind, item) !== null);
