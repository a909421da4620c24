import { type Events, log } from "../../core/events.js";
import type { Job } from "../../core/job.js";
import type { Where } from "../../core/settings.js";
import type { Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import type { Ballot, Choice, Votes } from "../../db/votes.js";
import { type Press, replyPrivately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { PressAction } from "../messages/components.js";
import { voteReply } from "../messages/vote-reply.js";
import { blindLines, refusals } from "../words/messages.js";
import { DueClock } from "./due-clock.js";

export interface BallotOptions {
  readonly queue: Queue;
  readonly votes: Votes;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly settings: StoredSettings;
  /** The result of a job as everybody may see it there. */
  readonly compose: (job: Job, where: Where) => Promise<Outgoing>;
}

const MINUTE_MS = 60_000;

/** Blind comparisons from their opening to their reveal, which comes from a button or by the clock. */
export class Ballots {
  readonly #options: BallotOptions;
  readonly #clock: DueClock;

  constructor(options: BallotOptions) {
    this.#options = options;
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

  /** The open ballot of a blind comparison; opened when its result is first shown. */
  async open(job: Job): Promise<Ballot> {
    const { revealMinutes } = await this.#options.settings.resolve(job.origin);
    const known = await this.#options.votes.ballot(job.id);
    if (known !== undefined) return known;
    const closesAt = revealMinutes === undefined ? null : this.#options.now() + revealMinutes * MINUTE_MS;
    const ballot = await this.#options.votes.open(job, closesAt);
    await this.#clock.wind();
    return ballot;
  }

  /** Half a pair can't be voted on: a ballot that nobody has seen is closed. True where people vote on it already. */
  async withdraw(job: Job): Promise<boolean> {
    const { votes } = this.#options;
    const known = await votes.ballot(job.id);
    if (known !== undefined) return known.closedAt === null;
    await votes.open(job, null);
    await votes.close(job.id);
    return false;
  }

  /** A press of left, right, tie or both bad: counted, and answered with what it was, to the voter alone. */
  async vote(press: Press, job: Job, { argument }: PressAction): Promise<void> {
    const { votes } = this.#options;
    const ballot = await votes.ballot(job.id);
    if (ballot === undefined) return replyPrivately(press, refusals.noBallot);
    const choice = argument as Choice;
    const result = await votes.vote(job.id, press.user.id, choice);
    // The clock could not edit the message, or has not come to it: the press brings it up to date.
    if (result === "closed") return this.reveal(press, job);
    await press.reply(voteReply(job, ballot, choice, result.before));
  }

  /** Ends the vote and shows everybody which picture was which. */
  async reveal(press: Press, job: Job): Promise<void> {
    await press.deferUpdate();
    await this.#options.votes.close(job.id);
    const target = { applicationId: press.applicationId, interactionToken: press.token };
    await this.#options.api.editReply(target, await this.#options.compose(job, press));
  }

  async #revealDue(): Promise<void> {
    const { queue, votes, api, events, compose } = this.#options;
    for (const { jobId } of await votes.due()) {
      await votes.close(jobId);
      try {
        const job = await queue.get(jobId);
        if (job?.delivery.messageId == null) continue;
        await api.editMessage(job.origin.channelId, job.delivery.messageId, await compose(job, job.origin));
      } catch (error) {
        const message = "A vote is over, but its message could not say so; the next press there will";
        log(events, "warn", message, error, jobId);
      }
    }
  }
}

/** How the votes of a closed ballot fell; null for a job that had none or whose vote goes on. */
export async function tallyLine(votes: Votes, jobId: string): Promise<string | null> {
  const ballot = await votes.ballot(jobId);
  if (ballot === undefined || ballot.closedAt === null) return null;
  return blindLines.tally(await votes.tally(jobId));
}
