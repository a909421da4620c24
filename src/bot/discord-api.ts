import { createHash } from "node:crypto";
import { type APIChannel, type APIMessage, ChannelType, type REST, Routes } from "discord.js";
import type { Origin } from "../core/job.js";
import { faultOf } from "./discord-error.js";
import { type Outgoing, toRequest } from "./outgoing.js";

const THREADS: readonly ChannelType[] = [
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
  ChannelType.AnnouncementThread,
];
/** Discord: "up to 25 characters". */
const NONCE_MAX = 25;

/** The reply to an interaction. */
export type ReplyTarget = Pick<Origin, "applicationId" | "interactionToken">;

/** The two ways in which a job's message gets to Discord. */
export class DiscordApi {
  constructor(readonly rest: REST) {}

  /** Edits the first answer to the command; works for the 15 minutes of its token. Answers the message's id. */
  async editReply(origin: ReplyTarget, message: Outgoing): Promise<string> {
    return (await this.editStatus(origin, message)).id;
  }

  /** The same, and answers the message. Without `timeoutMs` it may take as long as an upload may. */
  async editStatus(origin: ReplyTarget, message: Outgoing, timeoutMs?: number): Promise<APIMessage> {
    const route = Routes.webhookMessage(origin.applicationId, origin.interactionToken, "@original");
    const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
    const request = { ...toRequest(message, null), auth: false, signal };
    return (await this.rest.patch(route, request)) as APIMessage;
  }

  /** Edits a message of ours at any time; needs the bot to see the channel. */
  async editMessage(channelId: string, messageId: string, message: Outgoing): Promise<void> {
    await this.rest.patch(Routes.channelMessage(channelId, messageId), toRequest(message, null));
  }

  /** Writes a further message to the command's reply, within its 15 minutes, and mentions who asked. */
  async followUp(origin: Origin, message: Outgoing): Promise<string> {
    const route = Routes.webhook(origin.applicationId, origin.interactionToken);
    const answer = await this.rest.post(route, {
      ...toRequest(message, origin.userId),
      query: new URLSearchParams({ wait: "true" }),
      auth: false,
    });
    return (answer as APIMessage).id;
  }

  /**
   * Writes a new message into the command's channel and mentions who asked. A second call with the same `nonceOf`
   * within a few minutes posts nothing and answers the first message's id.
   */
  async post(origin: Origin, message: Outgoing, nonceOf: string): Promise<string> {
    const { body, files } = toRequest(message, origin.userId);
    const answer = await this.rest.post(Routes.channelMessages(origin.channelId), {
      body: { ...body, nonce: nonce(nonceOf), enforce_nonce: true },
      files,
    });
    return (answer as APIMessage).id;
  }

  /**
   * Whether Discord shows the channel to adults only, as it says now; a thread is what its channel is. A direct message
   * is not age-restricted, nor does a channel that we can't see count as such.
   */
  async isAgeRestricted(channelId: string): Promise<boolean> {
    const channel = await this.#channel(channelId);
    const isThread = channel !== null && THREADS.includes(channel.type);
    const parentId = isThread && "parent_id" in channel ? channel.parent_id : null;
    const decides = isThread ? (parentId == null ? null : await this.#channel(parentId)) : channel;
    return decides !== null && "nsfw" in decides && decides.nsfw === true;
  }

  async #channel(channelId: string): Promise<APIChannel | null> {
    try {
      return (await this.rest.get(Routes.channel(channelId))) as APIChannel;
    } catch (error) {
      const fault = faultOf(error);
      if (fault === "forbidden" || fault === "token-gone") return null;
      throw error;
    }
  }

  /** Writes to the person who asked; fails with `forbidden` where they take no messages. */
  async postDirect(origin: Origin, message: Outgoing, nonceOf: string): Promise<string> {
    const channel = (await this.rest.post(Routes.userChannels(), {
      body: { recipient_id: origin.userId },
    })) as APIChannel;
    return this.post({ ...origin, channelId: channel.id }, message, `${nonceOf}-dm`);
  }
}

const nonce = (id: string): string =>
  id.length <= NONCE_MAX ? id : createHash("sha256").update(id).digest("base64url").slice(0, NONCE_MAX);
