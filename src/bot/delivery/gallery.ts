import { type Events, log } from "../../core/events.js";
import { type Job, linkTo } from "../../core/job.js";
import type { Favourite, Favourites } from "../../db/favourites.js";
import type { Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
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
    const { favourites, settings, presenter } = this.#options;
    const { origin } = job;
    const words = wordsOf(press.locale);
    const { galleryLines, refusals } = words;
    const { gallery } = await settings.resolve(origin);
    if (origin.guildId === null || gallery === undefined) return replyPrivately(press, galleryLines.none);
    await deferPrivately(press);
    const say = async (content: string): Promise<void> => void (await press.editReply({ content }));
    const known = await favourites.get(job.id);
    if (known?.messageId) return say(galleryLines.there(linkTo(known, known.messageId)));
    if (job.picturesPrunedAt !== null) return say(galleryLines.pruned);
    const facts = await presenter.facts(job, { guildId: origin.guildId, channelId: gallery });
    if (facts.vote.state !== "none") return say(refusals.secret);
    const fresh = {
      jobId: job.id,
      userId: origin.userId,
      guildId: origin.guildId,
      channelId: gallery,
      applicationId: origin.applicationId,
      addedBy: press.user.id,
    };
    const favourite: Favourite = { ...fresh, messageId: null };
    // The second of two presses at once: the first one posts it.
    if (!(await favourites.add(fresh))) return say(galleryLines.later(`<#${gallery}>`));
    const posted = await this.#post(favourite, job, false);
    if (typeof posted === "object") return say(galleryLines.added(linkTo(favourite, posted.messageId)));
    return say(posted === "gone" ? galleryLines.pruned : galleryLines[posted](`<#${gallery}>`));
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
