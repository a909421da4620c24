import type { GatewayMessageReactionAddDispatchData } from "discord.js";
import { type Events, log } from "../../core/events.js";
import { type Job, linkTo } from "../../core/job.js";
import type { Favourite, Favourites } from "../../db/favourites.js";
import type { Queue } from "../../db/queue.js";
import type { Records } from "../../db/records.js";
import type { StoredSettings } from "../../db/settings.js";
import { isSameEmoji, USUAL_REACTION } from "../discord/emoji.js";
import { faultOf } from "../discord/faults.js";
import { deferPrivately, type Press, replyPrivately } from "../discord/interactions.js";
import { type DiscordApi, NONCE_LIFE_MS } from "../discord/messenger.js";
import { retryTransient } from "../discord/retry-transient.js";
import { galleryMessage } from "../messages/final-message.js";
import type { Presenter } from "../messages/parts/presentation.js";
import { wordsOf } from "../words/languages.js";

export interface GalleryOptions {
  readonly favourites: Favourites;
  readonly queue: Queue;
  readonly records: Records;
  readonly settings: StoredSettings;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly presenter: Presenter;
  /** Delay after the first failed try; it doubles with each one. */
  readonly retryFirstMs: number;
}

/** How a favourite ended: its message, or why there is none. `later`: the next start tries again. */
type Posted = { readonly messageId: string } | "forbidden" | "withheld" | "gone" | "later";

/** What became of a wish to put a result there. */
type Added =
  | { readonly state: "there" | "added"; readonly link: string }
  | { readonly state: "secret" | Exclude<Posted, object> };

/** A reaction as the gateway sends it. */
type Reaction = Pick<
  GatewayMessageReactionAddDispatchData,
  "guild_id" | "channel_id" | "message_id" | "user_id" | "member" | "emoji"
>;

/**
 * Puts results into their server's gallery channel, each once. The row says what is posted, so a restart in the middle
 * neither loses one nor posts it twice.
 */
export class Gallery {
  readonly #options: GalleryOptions;
  readonly #stopping = new AbortController();
  #left: Promise<void> = Promise.resolve();

  constructor(options: GalleryOptions) {
    this.#options = options;
  }

  /** Posts what an earlier run left, in the background. */
  start(): void {
    this.#left = this.#postLeft();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#left;
  }

  /** The button: puts the result into the gallery and tells who pressed where it is, or why it isn't. */
  async add(press: Press, job: Job): Promise<void> {
    const { galleryLines, refusals } = wordsOf(press.locale);
    const channelId = await this.#channelOf(job);
    if (channelId === null) return replyPrivately(press, galleryLines.none);
    await deferPrivately(press);
    const say = async (content: string): Promise<void> => void (await press.editReply({ content }));
    const added = await this.#add(job, channelId, press.user.id);
    if (added.state === "there" || added.state === "added") return say(galleryLines[added.state](added.link));
    if (added.state === "secret") return say(refusals.secret);
    return say(added.state === "gone" ? galleryLines.pruned : galleryLines[added.state](`<#${channelId}>`));
  }

  /**
   * A reaction below a result does what the button does, without an answer: a person's, with the emoji that the settings
   * name. Never throws.
   */
  async react(reaction: Reaction): Promise<void> {
    const { settings, records, events } = this.#options;
    const { guild_id: guildId = null, channel_id: channelId, message_id: messageId, emoji } = reaction;
    if (guildId === null || reaction.member?.user?.bot === true) return;
    try {
      const { gallery, reaction: wanted = USUAL_REACTION } = await settings.resolve({ guildId, channelId });
      if (gallery === undefined || !isSameEmoji(emoji, wanted)) return;
      const job = await records.jobOfMessage(messageId);
      // The button stands below comparisons alone.
      if (job?.state !== "done" || job.kind !== "compare" || job.origin.guildId !== guildId) return;
      const there = await this.#channelOf(job);
      if (there !== null) await this.#add(job, there, reaction.user_id);
    } catch (error) {
      log(events, "warn", "A reaction could not be answered", error);
    }
  }

  /** The gallery of a job's server; null where it has none. */
  async #channelOf({ origin }: Job): Promise<string | null> {
    const { gallery } = await this.#options.settings.resolve(origin);
    return origin.guildId === null ? null : (gallery ?? null);
  }

  /** Puts a result into the gallery for a person, unless it is there or may not be. */
  async #add(job: Job, channelId: string, addedBy: string): Promise<Added> {
    const { favourites, presenter } = this.#options;
    const { userId, guildId, applicationId } = job.origin;
    if (guildId === null) return { state: "gone" };
    const known = await favourites.get(job.id);
    if (known?.messageId) return { state: "there", link: linkTo(known, known.messageId) };
    if (job.picturesPrunedAt !== null) return { state: "gone" };
    const facts = await presenter.facts(job, { guildId, channelId });
    if (facts.vote.state !== "none") return { state: "secret" };
    const fresh = { jobId: job.id, userId, guildId, channelId, applicationId, addedBy };
    const favourite: Favourite = { ...fresh, messageId: null };
    // The second of two at once: the first one posts it.
    if (!(await favourites.add(fresh))) return { state: "later" };
    const posted = await this.#post(favourite, job, false);
    return typeof posted === "object"
      ? { state: "added", link: linkTo(favourite, posted.messageId) }
      : { state: posted };
  }

  async #postLeft(): Promise<void> {
    const { favourites, queue, events } = this.#options;
    try {
      for (const favourite of await favourites.pending()) {
        if (this.#stopping.signal.aborted) return;
        const job = await queue.get(favourite.jobId);
        if (job === undefined) await favourites.remove(favourite.jobId);
        else await this.#post(favourite, job, true);
      }
    } catch (error) {
      log(events, "warn", "Favourites of an earlier run could not be posted", error);
    }
  }

  /** `left`: an earlier run may have posted it without noting it. What can't be posted is forgotten. */
  async #post(favourite: Favourite, job: Job, left: boolean): Promise<Posted> {
    const { favourites, api, presenter, events, now, retryFirstMs: firstMs } = this.#options;
    const { jobId, guildId, channelId } = favourite;
    const { signal } = this.#stopping;
    const there = { ...job.origin, guildId, channelId };
    try {
      const facts = await presenter.facts(job, there);
      const message = facts.view.withheld.length > 0 ? "withheld" : await galleryMessage(job, facts);
      if (typeof message === "string") {
        await favourites.remove(jobId);
        return message;
      }
      // For as long as a repetition can't post it twice.
      const until = now() + NONCE_LIFE_MS;
      const messageId = await retryTransient({ until, now, firstMs, signal }, async () => {
        const earlier = left ? await api.findPosted(there, jobId) : null;
        return earlier ?? (await api.post(there, message, `${jobId}-gallery`, null));
      });
      if (await favourites.posted(jobId, messageId)) return { messageId };
      // Its user was erased, or its job deleted, meanwhile.
      await retryTransient({ until, now, firstMs, signal }, () => api.deleteMessage(channelId, messageId));
      return "gone";
    } catch (error) {
      log(events, "warn", "A favourite was not posted", error, jobId);
      const fault = faultOf(error);
      if (signal.aborted || fault === "transient" || fault === "unauthorized") return "later";
      await favourites.remove(jobId);
      return "forbidden";
    }
  }
}
