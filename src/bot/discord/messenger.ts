import { createHash } from "node:crypto";
import { type APIChannel, type APIMessage, ChannelType, type REST, Routes, SnowflakeUtil } from "discord.js";
import type { Job, Origin } from "../../core/job.js";
import { faultOf } from "./faults.js";
import { type Outgoing, toRequest } from "./outgoing.js";

const THREADS: readonly ChannelType[] = [
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
];
/** Discord: "up to 25 characters". */
const NONCE_MAX = 25;
/** Discord remembers a nonce at least this long, so that posting the same again is harmless. */
export const NONCE_LIFE_MS = 2 * 60_000;
/** Discord: the most messages in one page. */
const PAGE = 100;
/**
 * A draft can be started for as long as its command's token lives. Looking at more pages than this takes too
 * long.
 */
const DRAFT_LIFE_MS = 15 * 60_000;
const PAGES_BEFORE = 5;
/** Between our clock and Discord's, while a job runs. */
const CLOCK_MARGIN_MS = 60_000;

/** The reply to an interaction. */
export type ReplyTarget = Pick<Origin, "applicationId" | "interactionToken">;

/** The reply to an interaction, and whom a further message to it may mention, if anyone. */
export type FollowUpTarget = ReplyTarget & Partial<Pick<Origin, "userId">>;

/** Sends and edits the messages of jobs. */
export class DiscordApi {
  /**
   * One per request: discord.js never removes its listener from a signal, so a shared one would collect them.
   */
  readonly #open = new Set<AbortController>();
  #givenUp = false;

  readonly #rest: REST;
  readonly #once: REST;

  /** `once` never repeats a request: it is for requests that are not idempotent. */
  constructor(rest: REST, once: REST = rest) {
    this.#rest = rest;
    this.#once = once;
  }

  /** Aborts every request that is under way, and each later one at once. */
  giveUp(): void {
    this.#givenUp = true;
    for (const controller of this.#open) controller.abort();
  }

  /**
   * Edits the first answer to the command, within the 15 minutes of its token. Answers the message. Without
   * `timeoutMs` the limit is that of uploads.
   */
  async editReply(origin: ReplyTarget, message: Outgoing, timeoutMs?: number): Promise<APIMessage> {
    const route = Routes.webhookMessage(origin.applicationId, origin.interactionToken, "@original");
    const request = { ...toRequest(message, null), auth: false };
    const answer = await this.#send((signal) => this.#rest.patch(route, { ...request, signal }), timeoutMs);
    return answer as APIMessage;
  }

  /** Edits a message of ours at any time; needs the bot to see the channel. */
  async editMessage(channelId: string, messageId: string, message: Outgoing): Promise<void> {
    const route = Routes.channelMessage(channelId, messageId);
    await this.#send((signal) => this.#rest.patch(route, { ...toRequest(message, null), signal }));
  }

  /** Deletes a message of ours; needs the bot to see the channel. */
  async deleteMessage(channelId: string, messageId: string): Promise<void> {
    await this.#send((signal) => this.#rest.delete(Routes.channelMessage(channelId, messageId), { signal }));
  }

  /** Deletes the first answer to the command, or a further one, within the 15 minutes of its token. */
  async deleteReply(
    { applicationId, interactionToken }: ReplyTarget,
    messageId = "@original",
  ): Promise<void> {
    const route = Routes.webhookMessage(applicationId, interactionToken, messageId);
    await this.#send((signal) => this.#rest.delete(route, { auth: false, signal }));
  }

  /**
   * Sends a further message to the command's reply, within its 15 minutes, and mentions the requester.
   * Discord takes no nonce here, so a request whose answer was lost is not repeated: no message is better
   * than two.
   */
  async followUp(origin: FollowUpTarget, message: Outgoing, timeoutMs?: number): Promise<string> {
    const route = Routes.webhook(origin.applicationId, origin.interactionToken);
    const query = new URLSearchParams({ wait: "true" });
    const request = { ...toRequest(message, origin.userId ?? null), query, auth: false };
    const answer = await this.#send((signal) => this.#once.post(route, { ...request, signal }), timeoutMs);
    return (answer as APIMessage).id;
  }

  /**
   * Posts a new message to the command's channel and mentions the requester, or `mention`. A second call with the same
   * `nonceOf` within a few minutes posts nothing and answers the first message's id.
   */
  async post(
    origin: Origin,
    message: Outgoing,
    nonceOf: string,
    mention: string | null = origin.userId,
  ): Promise<string> {
    const { body, files } = toRequest(message, mention);
    const request = { body: { ...body, nonce: nonce(nonceOf), enforce_nonce: true }, files };
    const route = Routes.channelMessages(origin.channelId);
    const answer = await this.#send((signal) => this.#rest.post(route, { ...request, signal }));
    return (answer as APIMessage).id;
  }

  /**
   * Id of the message in a channel that `isEnd` accepts as the end of the job, or null. Discord remembers a
   * nonce for minutes: after a longer outage, or where the reply was edited before its token ended, only
   * reading the channel tells whether an earlier try arrived. Reads what followed the command and what
   * followed the end of the job. A batch's message is its draft, which is older than the press of Start.
   */
  async findEnd(
    job: Job,
    channelId: string,
    isEnd: (message: APIMessage) => boolean,
  ): Promise<string | null> {
    const { interactionId, applicationId } = job.origin;
    const askedAt = SnowflakeUtil.timestampFrom(interactionId);
    const took = (job.finishedAt ?? job.createdAt) - job.createdAt;
    const timestamp = Math.max(askedAt, askedAt + took - CLOCK_MARGIN_MS);
    const ended = String(SnowflakeUtil.generate({ timestamp }));
    const endAmong = (messages: readonly APIMessage[]) =>
      messages.find((message) => message.author.id === applicationId && isEnd(message))?.id;
    for (const after of [interactionId, ended]) {
      const end = endAmong(await this.#page(channelId, { after }));
      if (end !== undefined) return end;
    }
    if (job.kind !== "batch" && job.kind !== "evaluation") return null;
    let before = interactionId;
    for (let pages = 0; pages < PAGES_BEFORE; pages++) {
      const messages = await this.#page(channelId, { before });
      const end = endAmong(messages);
      if (end !== undefined) return end;
      const oldest = messages.at(-1)?.id;
      if (oldest === undefined || SnowflakeUtil.timestampFrom(oldest) < askedAt - DRAFT_LIFE_MS) break;
      before = oldest;
    }
    return null;
  }

  /** Id of our latest message in the channel with a picture whose file name contains `name`, or null. */
  async findPosted({ applicationId, channelId }: Origin, name: string): Promise<string | null> {
    const messages = await this.#page(channelId);
    const found = messages.find(({ author, attachments, embeds }) => {
      // A picture that an embed shows is not among the attachments.
      const urls = [...attachments.map(({ url }) => url), ...embeds.map(({ image }) => image?.url ?? "")];
      return author.id === applicationId && urls.some((url) => url.includes(name));
    });
    return found?.id ?? null;
  }

  /** Id of the channel of direct messages with the requester. */
  async directChannel(origin: Origin): Promise<string> {
    const request = { body: { recipient_id: origin.userId } };
    const channel = await this.#send((signal) =>
      this.#rest.post(Routes.userChannels(), { ...request, signal }),
    );
    return (channel as APIChannel).id;
  }

  /**
   * Whether the channel is age-restricted now; a thread is if its channel is. A direct message is not, nor is
   * a channel that we can't see.
   */
  async isAgeRestricted(channelId: string): Promise<boolean> {
    const channel = await this.#channel(channelId);
    const isThread = channel !== null && THREADS.includes(channel.type);
    const parentId = isThread && "parent_id" in channel ? channel.parent_id : null;
    const decides = isThread ? (parentId == null ? null : await this.#channel(parentId)) : channel;
    return decides !== null && "nsfw" in decides && decides.nsfw === true;
  }

  async #page(channelId: string, where: Record<string, string> = {}): Promise<APIMessage[]> {
    const query = new URLSearchParams({ ...where, limit: String(PAGE) });
    const route = Routes.channelMessages(channelId);
    return (await this.#send((signal) => this.#rest.get(route, { query, signal }))) as APIMessage[];
  }

  async #channel(channelId: string): Promise<APIChannel | null> {
    try {
      return (await this.#send((signal) =>
        this.#rest.get(Routes.channel(channelId), { signal }),
      )) as APIChannel;
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "forbidden" || fault === "token-gone") return null;
      throw error;
    }
  }

  /** Sends a direct message to the requester; fails with `forbidden` where they accept none. */
  async postDirect(origin: Origin, channelId: string, message: Outgoing, nonceOf: string): Promise<string> {
    return this.post({ ...origin, channelId }, message, `${nonceOf}-dm`);
  }

  async #send(request: (signal: AbortSignal) => Promise<unknown>, timeoutMs?: number): Promise<unknown> {
    const controller = new AbortController();
    this.#open.add(controller);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => controller.abort(), timeoutMs);
    if (this.#givenUp) controller.abort();
    try {
      return await Promise.race([request(controller.signal), abortOf(controller.signal)]);
    } finally {
      clearTimeout(timer);
      this.#open.delete(controller);
    }
  }
}

/** Rejects when the signal aborts: discord.js looks at it only after waiting out its rate limits. */
const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });

const nonce = (id: string): string =>
  id.length <= NONCE_MAX ? id : createHash("sha256").update(id).digest("base64url").slice(0, NONCE_MAX);
