import { type Events, log } from "../../core/events.js";
import type { Job } from "../../core/job.js";
import type { Where } from "../../core/settings.js";
import type { Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import type { Choice, Votes } from "../../db/votes.js";
import { deferUpdate, type Press, replyPrivately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { Outgoing } from "../discord/outgoing.js";
import { voteReply } from "../messages/blind-message.js";
import { finalMessage } from "../messages/final-message.js";
import type { PressAction } from "../messages/parts/components.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import type { PictureView } from "../messages/parts/picture-policy.js";
import { isVoted, type Presenter, type Vote, voteOf } from "../messages/parts/presentation.js";
import { wordsOf } from "../words/languages.js";
import { DueClock } from "./due-clock.js";
import { PrivateAnswers } from "./private-answers.js";

export interface BallotOptions {
  readonly queue: Queue;
  readonly votes: Votes;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly settings: StoredSettings;
  readonly presenter: Presenter;
}

const MINUTE_MS = 60_000;

/** Blind comparisons, from opening the vote to revealing the result, by a button or by the clock. */
export class Ballots {
  readonly #options: BallotOptions;
  readonly #clock: DueClock;
  readonly #answers: PrivateAnswers;

  constructor(options: BallotOptions) {
    this.#options = options;
    this.#answers = new PrivateAnswers(options);
    this.#clock = new DueClock({
      nextDueAt: () => options.votes.nextDueAt(),
      endDue: () => this.#revealDue(),
      now: options.now,
      onError: (error) => log(options.events, "warn", "The votes that are due could not be read", error),
    });
  }

  start(): Promise<void> {
    return this.#clock.wind();
  }

  stop(): Promise<void> {
    return this.#clock.stop();
  }

  /**
   * Opens the ballot of a blind comparison before its result is first posted. One picture can't be voted on:
   * where the view withholds the other, the ballot is closed at once. Answers the vote on the job as it is
   * now.
   */
  async settle(job: Job, view: PictureView): Promise<Vote> {
    const { votes, settings, now } = this.#options;
    if (!isVoted(job)) return { state: "none" };
    const known = await votes.ballot(job.id);
    if (known !== undefined) return voteOf(known);
    if (view.withheld.length > 0) {
      await votes.open(job, null);
      await votes.close(job.id);
      return { state: "none" };
    }
    const { revealMinutes } = await settings.resolve(job.origin);
    const closesAt = revealMinutes === undefined ? null : now() + revealMinutes * MINUTE_MS;
    const ballot = await votes.open(job, closesAt);
    await this.#clock.wind();
    return voteOf(ballot);
  }

  /**
   * Counts the first press of A, B, tie or both bad, and tells the voter alone which picture was which. Later
   * presses count nothing: they come from one who knows. The one answer says so.
   */
  async vote(press: Press, job: Job, { argument }: PressAction): Promise<void> {
    const { votes } = this.#options;
    const words = wordsOf(press.locale);
    const ballot = await votes.ballot(job.id);
    if (ballot === undefined) return replyPrivately(press, words.refusals.noBallot);
    // An earlier version opened ballots on pairs whose pictures are the same.
    if (!isVoted(job)) return this.reveal(press, job);
    const result = await votes.vote(job.id, press.user.id, argument as Choice);
    // The clock could not edit the message, or has not yet: the press updates it.
    if (result === "closed") return this.reveal(press, job);
    const message = voteReply(job, ballot, result.counted, result.isFirst, words);
    await this.#answers.answer(press, `${job.id} ${press.user.id}`, message);
  }

  /** Ends the vote and shows everybody which picture was which. */
  async reveal(press: Press, job: Job): Promise<void> {
    await deferUpdate(press);
    await this.#options.votes.close(job.id);
    const target = { applicationId: press.applicationId, interactionToken: press.token };
    await this.#options.api.editReply(target, await this.#compose(job, press));
  }

  async #revealDue(): Promise<void> {
    const { queue, votes, api, events } = this.#options;
    for (const { jobId } of await votes.due()) {
      await votes.close(jobId);
      try {
        const job = await queue.get(jobId);
        if (job?.delivery.messageId == null) continue;
        const message = await this.#compose(job, job.origin);
        await api.editMessage(job.origin.channelId, job.delivery.messageId, message);
      } catch (error) {
        const message = "A vote is over, but its message could not say so; the next press there will";
        log(events, "warn", message, error, jobId);
      }
    }
  }

  async #compose(job: Job, where: Where): Promise<Outgoing> {
    return finalMessage(job, await this.#options.presenter.facts(job, where), CHANNEL_LIMIT);
  }
}
