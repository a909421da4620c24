import type { Queue } from "../../db/queue.js";
import { type Press, replyPrivately } from "../discord/interactions.js";
import type { BatchDrafts } from "../requests/batch-drafts.js";
import type { Intake } from "../requests/intake.js";
import { wordsOf } from "../words/languages.js";
import { repeated } from "./reruns.js";

export interface HistoryOptions {
  readonly queue: Queue;
  readonly intake: Intake;
  readonly drafts: BatchDrafts;
}

/** The menu of `/history`. */
export class History {
  readonly #options: HistoryOptions;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** Does the chosen job again where the menu is; a batch becomes a draft first, as with `/batch`. */
  async repeat(press: Press): Promise<void> {
    const { queue, intake, drafts } = this.#options;
    const { refusals } = wordsOf(press.locale);
    const [id] = press.isStringSelectMenu() ? press.values : [];
    if (id === undefined) return replyPrivately(press, refusals.unknownButton);
    const job = await queue.get(id);
    if (job === undefined) return replyPrivately(press, refusals.unknownJob);
    // Only one's own jobs are listed, and values can be forged.
    if (job.origin.userId !== press.user.id) return replyPrivately(press, refusals.notYours);
    const outcome = await intake.submit(press, () => repeated(job));
    if (outcome.kind === "draft") await drafts.open(outcome.request, outcome.origin);
  }
}
