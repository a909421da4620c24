import { Semaphore } from "async-mutex";
import type { APIMessage } from "discord.js";
import { backoffMs } from "../../core/backoff.js";
import { DiscordError, describe, type ErrorCode } from "../../core/errors.js";
import { type Events, log, subscribe } from "../../core/events.js";
import type { Job } from "../../core/job.js";
import type { Where } from "../../core/settings.js";
import type { Deliveries } from "../../db/deliveries.js";
import type { Queue } from "../../db/queue.js";
import { type DiscordFault, faultOf, isGone } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import { type Outgoing, plainMessage } from "../discord/outgoing.js";
import { finalMessage } from "../messages/final-message.js";
import { CHANNEL_LIMIT, type SizeLimit } from "../messages/parts/picture-fit.js";
import type { Presenter } from "../messages/parts/presentation.js";
import { COLORS } from "../messages/status-message.js";
import { errorSentence } from "../words/english/errors.js";
import { endSentence, jobReference } from "../words/english/result.js";
import { wordsOf } from "../words/languages.js";
import type { Ballots } from "./ballots.js";
import { Coalesced } from "./coalesced.js";
import type { Ping } from "./ping.js";
import type { ReplyLimits } from "./reply-limits.js";
import type { StatusBoard } from "./status-board.js";

export interface OutboxOptions {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly presenter: Presenter;
  readonly ballots: Ballots;
  readonly board: StatusBoard;
  readonly replyLimits: ReplyLimits;
  readonly ping: Ping;
  /** Called when the bot's own token is no longer valid, so that nothing can be delivered. */
  readonly onUnauthorized: (error: unknown) => void;
  /** Delay after the first failed delivery; it doubles with each further one, up to `retryMaxMs`. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

/** The reply is not edited in the token's last seconds: an upload could end after it. */
const TOKEN_MARGIN_MS = 20_000;
/** Events are only hints: this often, undelivered results are looked up. */
const SWEEP_MS = 30_000;
const AT_ONCE = 4;
/** How often a message that Discord calls too large is composed again, each time in half the bytes. */
const SHRINKS = 4;

const END_COLORS: ReadonlySet<number> = new Set([COLORS.done, COLORS.failed, COLORS.cancelled]);

/** The message that arrived and how, or why it did not. */
type Sent =
  | { readonly messageId: string; readonly channelId: string; readonly via: "reply" | "channel" }
  | { readonly fault: DiscordFault; readonly error: unknown };

/**
 * Posts the result of each finished job once, and records that it did. While the token lives it edits the
 * reply, which may be repeated freely; later it posts to the channel, with a nonce that makes a repetition
 * harmless.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #slots = new Semaphore(AT_ONCE);
  readonly #active = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #sweeps = new Coalesced(0, () => this.#startUndelivered());
  #unsubscribe: (() => void) | null = null;
  #sweepTimer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Delivers the results that an earlier run left, and from now on each new one. */
  start(): void {
    this.#unsubscribe = subscribe(this.#options.events, { "job.finished": () => this.#sweeps.ask() });
    this.#sweepTimer = setInterval(() => this.#sweeps.ask(), SWEEP_MS);
    this.#sweeps.ask();
  }

  /** Waits for deliveries that are under way; the next start delivers the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe?.();
    if (this.#sweepTimer !== null) clearInterval(this.#sweepTimer);
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    await this.#sweeps.stop();
    await Promise.all(this.#active.values());
  }

  async #startUndelivered(): Promise<void> {
    try {
      for (const jobId of await this.#options.deliveries.undelivered()) {
        if (this.#stopped || this.#active.has(jobId) || this.#waiting.has(jobId)) continue;
        const delivery = this.#slots
          .runExclusive(() => this.#deliver(jobId))
          .catch((error) =>
            log(this.#options.events, "error", "A delivery could not be recorded", error, jobId),
          )
          .finally(() => this.#active.delete(jobId));
        this.#active.set(jobId, delivery);
      }
    } catch (error) {
      log(this.#options.events, "error", "Undelivered results could not be read", error);
    }
  }

  async #deliver(jobId: string): Promise<void> {
    if (this.#stopped) return;
    const { queue, deliveries, board, replyLimits } = this.#options;
    // Read again: an earlier delivery may have ended between the sweep's read and now.
    const job = await queue.get(jobId);
    if (job === undefined || job.delivery.deliveredAt !== null || job.delivery.abandoned !== null) return;
    await board.settle(jobId);
    let sent = await this.#send(job);
    if ("fault" in sent && (sent.fault === "refused" || sent.fault === "too-large")) {
      log(this.#options.events, "error", "Discord refused a result; saying so instead", sent.error, job.id);
      sent = await this.#sendTo(job, async () =>
        plainMessage(
          job.state === "done"
            ? failedToShow("DISCORD_REFUSED", job)
            : endSentence(job, wordsOf(job.origin.locale)),
        ),
      );
    }
    if ("messageId" in sent) {
      const { messageId, channelId } = sent;
      if (sent.via === "channel" && !(await deliveries.posted(job.id, channelId, messageId)))
        return this.#withdraw(job, channelId, messageId);
      await deliveries.delivered(job.id, messageId);
      replyLimits.forget(job.id);
      if (sent.via === "reply") await this.#ping(job, sent.messageId);
      return;
    }
    await this.#failed(job, sent.fault, sent.error);
  }

  /** Takes the result of a job away whose user was erased while it was posted. */
  async #withdraw(job: Job, channelId: string, messageId: string): Promise<void> {
    try {
      await this.#options.api.deleteMessage(channelId, messageId);
    } catch (error) {
      if (isGone(error)) return;
      log(this.#options.events, "warn", "The result of an erased job can't be deleted", error, job.id);
    }
  }

  /** A ping is a courtesy: a failed one is not repeated. */
  async #ping(job: Job, messageId: string): Promise<void> {
    try {
      await this.#options.ping.send(job, messageId);
    } catch (error) {
      log(this.#options.events, "warn", "The requester could not be called", error, job.id);
    }
  }

  async #failed(job: Job, fault: DiscordFault, error: unknown): Promise<void> {
    const { deliveries, onUnauthorized, retryFirstMs, retryMaxMs } = this.#options;
    const detail = `${fault}: ${describe(error)}`;
    if (fault === "unauthorized") {
      await deliveries.deliveryFailed(job.id, detail);
      onUnauthorized(error);
      return;
    }
    if (fault !== "transient") {
      log(this.#options.events, "warn", "A result was not delivered and stays stored", error, job.id);
      await deliveries.abandonDelivery(job.id, detail);
      return;
    }
    log(this.#options.events, "warn", "A delivery failed and will be tried again", error, job.id);
    await deliveries.deliveryFailed(job.id, detail);
    if (this.#stopped) return;
    const delayMs = backoffMs(job.delivery.attempts, retryFirstMs, retryMaxMs);
    const timer = setTimeout(() => {
      this.#waiting.delete(job.id);
      this.#sweeps.ask();
    }, delayMs);
    this.#waiting.set(job.id, timer);
  }

  /** Sends the result, in fewer bytes each time that Discord calls it too large. */
  async #send(job: Job): Promise<Sent> {
    let cap = Number.POSITIVE_INFINITY;
    for (let shrink = 0; ; shrink++) {
      let bytes = 0;
      const sent = await this.#sendTo(job, async (limit, where) => {
        const message = await this.#compose(job, atMost(limit, cap), where);
        bytes = message.files.reduce((sum, { data }) => sum + data.length, 0);
        return message;
      });
      if ("messageId" in sent || sent.fault !== "too-large" || shrink === SHRINKS) return sent;
      cap = Math.floor(bytes / 2);
    }
  }

  async #compose(job: Job, limit: SizeLimit, where: Where): Promise<Outgoing> {
    const { presenter, ballots, events } = this.#options;
    try {
      const facts = await presenter.facts(job, where);
      const vote = await ballots.settle(job, facts.view);
      return await finalMessage(job, { ...facts, vote }, limit);
    } catch (error) {
      // Discord did not answer: the message is composed again when it does.
      if (error instanceof DiscordError) throw error;
      log(events, "error", "A result's message could not be made", error, job.id);
      return plainMessage(failedToShow("INTERNAL", job));
    }
  }

  /** Edits the reply while its token lives, else posts to the channel. */
  async #sendTo(job: Job, compose: (limit: SizeLimit, where: Where) => Promise<Outgoing>): Promise<Sent> {
    const { api, now, replyLimits } = this.#options;
    const { origin } = job;
    if (now() < origin.tokenExpiresAt - TOKEN_MARGIN_MS) {
      const limit = replyLimits.of(job.id);
      const sent = await attempt("reply", origin.channelId, async () => {
        const message = await api.editReply(origin, await compose(limit, origin));
        return message.id;
      });
      if ("messageId" in sent || (sent.fault !== "token-gone" && sent.fault !== "forbidden")) return sent;
    }
    const earlier = await this.#earlier(job, origin.channelId);
    if (earlier !== null) return earlier;
    const { resultLines } = wordsOf(origin.locale);
    const mention = (job.state === "done" ? resultLines.ready : resultLines.ended)(origin.userId, job.kind);
    const addressed = (message: Outgoing, ...more: string[]): Outgoing => ({
      ...message,
      content: [mention, message.content, ...more].filter((part) => part !== "").join(" "),
    });
    const sent = await attempt("channel", origin.channelId, async () =>
      api.post(origin, addressed(await compose(CHANNEL_LIMIT, origin)), job.id),
    );
    // "Unknown message" in answer to a post: a message with this nonce was sent, and someone deleted it.
    if (!("fault" in sent) || (sent.fault !== "token-gone" && sent.fault !== "forbidden")) return sent;
    if (sent.fault === "token-gone" || origin.guildId === null) return { ...sent, fault: "forbidden" };
    // The channel is gone or closed to us: the requester gets a direct message, if they accept any. Which
    // pictures may be in it is decided anew.
    const direct = await openDirect(() => api.directChannel(origin));
    if (typeof direct !== "string") return direct;
    const before = await this.#earlier(job, direct);
    if (before !== null) return before;
    return attempt("channel", direct, async () => {
      const message = await compose(CHANNEL_LIMIT, { guildId: null, channelId: null });
      return api.postDirect(origin, direct, addressed(message, resultLines.direct), job.id);
    });
  }

  /**
   * A message that an earlier try posted, whose answer was lost; null where there is none or we may not read
   * there.
   */
  async #earlier(job: Job, channelId: string): Promise<Sent | null> {
    try {
      const messageId = await this.#options.api.findEnd(job, channelId, (message) =>
        showsEnd(message, job.id),
      );
      return messageId === null ? null : { messageId, channelId, via: "channel" };
    } catch (error) {
      const fault = faultOf(error);
      return fault === "transient" || fault === "unauthorized" ? { fault, error } : null;
    }
  }
}

/** A sentence in place of a result. */
function failedToShow(code: ErrorCode, { id, origin }: Job): string {
  const words = wordsOf(origin.locale);
  return `${errorSentence(code, {}, words)} ${jobReference(id, null, words)}`;
}

/** True for a message with the job's result, its failure, or a sentence instead; false for a status. */
function showsEnd({ content, embeds, components }: APIMessage, jobId: string): boolean {
  const [embed] = embeds;
  const ended = embed === undefined ? content !== "" : END_COLORS.has(embed.color ?? 0);
  return ended && JSON.stringify([content, embeds, components]).includes(jobId);
}

async function openDirect(open: () => Promise<string>): Promise<string | Sent> {
  try {
    return await open();
  } catch (error) {
    return { fault: faultOf(error), error };
  }
}

async function attempt(
  via: "reply" | "channel",
  channelId: string,
  send: () => Promise<string>,
): Promise<Sent> {
  try {
    return { messageId: await send(), channelId, via };
  } catch (error) {
    return { fault: faultOf(error instanceof DiscordError ? error.cause : error), error };
  }
}

const atMost = ({ perFile, total }: SizeLimit, bytes: number): SizeLimit => ({
  perFile: Math.min(perFile, bytes),
  total: Math.min(total, bytes),
});
