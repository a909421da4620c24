import { setImmediate as nextTurn } from "node:timers/promises";
import { readWords } from "../../core/emphasis.js";
import { InputError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import type { DevicePace } from "../../core/hosts/waiting.js";
import { lacksRewrite, type Origin, placeIn } from "../../core/job.js";
import type { TextOptions } from "../../core/options.js";
import { promptModeOf } from "../../core/options.js";
import type { Draft, DraftRequest, Drafts } from "../../db/drafts.js";
import type { Arrival, Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import { DueClock } from "../delivery/due-clock.js";
import { faultOf, isGone } from "../discord/faults.js";
import { acknowledge, deferUpdate, type Press, privately, replyPrivately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import { plainMessage } from "../discord/outgoing.js";
import { retryTransient } from "../discord/retry-transient.js";
import { draftMessage } from "../messages/draft-message.js";
import type { PressAction } from "../messages/parts/components.js";
import { errorSentence, sentenceOf } from "../words/english/errors.js";
import { wordsOf } from "../words/languages.js";
import type { Arrivals } from "./arrivals.js";
import type { Intake } from "./intake.js";
import type { Repeats } from "./repeats.js";
import { mayModerate, mayUse } from "./rules.js";
import type { Sources } from "./sources.js";

export interface DraftOptions {
  readonly drafts: Drafts;
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly settings: StoredSettings;
  readonly arrivals: Arrivals;
  readonly intake: Intake;
  readonly sources: Sources;
  readonly repeats: Repeats;
  /** The devices of all hosts that take jobs now, and how long work takes there. */
  readonly paces: () => readonly DevicePace[];
  /** Whether Promptist reads only the beginning of a prompt; throws CheckpointError. */
  readonly isTooLong: (prompt: string, text: TextOptions) => boolean;
  /** Delay after the first failed try to show a draft; it doubles with each further one. */
  readonly retryFirstMs: number;
}

/** The reply must still be ours to edit when a draft ends. */
const EDIT_MARGIN_MS = 60_000;
/** A draft may hold a megabyte, and making one costs its user nothing. */
const DRAFTS_PER_USER = 10;

/** Batches that were read and wait to be started, until Start, Discard or the end of their time. */
export class BatchDrafts {
  readonly #options: DraftOptions;
  readonly #clock: DueClock;
  readonly #stopping = new AbortController();
  /** Drafts whose message is on its way to Discord: a press is handled after it. */
  readonly #showing = new Map<string, Promise<unknown>>();
  #resuming: Promise<unknown> = Promise.resolve();

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#clock = new DueClock({
      nextDueAt: () => options.drafts.nextDueAt(),
      endDue: () => this.#endDue(),
      now: options.now,
      onError: (error) => log(options.events, "warn", "The drafts that are due could not be read", error),
    });
  }

  /**
   * Takes up the drafts of an earlier run. Of the commands that it left, those with a draft are shown it; the
   * others are returned.
   */
  async start(left: readonly Arrival[]): Promise<Arrival[]> {
    await this.#clock.wind();
    const { drafts } = this.#options;
    const theirs: Arrival[] = [];
    const ours: Draft[] = [];
    for (const arrival of left) {
      const draft = await drafts.ofInteraction(arrival.interactionId);
      if (draft === undefined) theirs.push(arrival);
      else ours.push(draft);
    }
    this.#resuming = Promise.all(ours.map((draft) => this.#resume(draft)));
    return theirs;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#clock.stop();
    await this.#resuming;
  }

  /**
   * Stores a request, shows the draft in its reply, and settles its arrival. The reply tells its user about a
   * failure, such as too many drafts (DRAFT_LIMIT).
   */
  async open(request: DraftRequest, origin: Origin): Promise<void> {
    await this.#options.arrivals.work(origin, () => this.#open(request, origin));
  }

  async #open(request: DraftRequest, origin: Origin): Promise<void> {
    const { drafts } = this.#options;
    if ((await drafts.idsOfUser(origin.userId)).length >= DRAFTS_PER_USER) {
      throw new InputError("DRAFT_LIMIT", "Too many drafts wait already.", { limit: DRAFTS_PER_USER });
    }
    const draft = await drafts.add(request, origin, origin.tokenExpiresAt - EDIT_MARGIN_MS);
    try {
      await this.#show(draft);
    } catch (error) {
      // The next start shows it.
      if (this.#stopping.signal.aborted) return;
      await this.#discard(draft.id);
      throw error;
    }
    await this.#settle(draft);
  }

  /** Start: the draft becomes a job, and its message the job's. */
  async begin(press: Press, action: PressAction): Promise<void> {
    const { intake, settings, repeats } = this.#options;
    const words = wordsOf(press.locale);
    const { refusals } = words;
    // The second click of a double click: the first makes the job of this message.
    if (repeats.isRepeat(press)) return deferUpdate(press);
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (press.user.id !== draft.origin.userId) return replyPrivately(press, refusals.notYourDraft);
    if (!mayUse(press, await settings.resolve(draft.origin))) return replyPrivately(press, refusals.role);
    await deferUpdate(press);
    await this.#showing.get(draft.id);
    try {
      await intake.enqueue(press, draft);
    } catch (error) {
      repeats.forget(press);
      await press.followUp(privately(sentenceOf(error, words)));
      if (!(error instanceof InputError)) throw error;
    }
  }

  async discard(press: Press, action: PressAction): Promise<void> {
    const { settings } = this.#options;
    const { refusals } = wordsOf(press.locale);
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (!mayModerate(press, draft.origin, await settings.resolve(draft.origin)))
      return replyPrivately(press, refusals.notYours);
    await deferUpdate(press);
    await this.#showing.get(draft.id);
    await this.#end(draft);
    const { draftLines } = wordsOf(draft.origin.locale);
    await press.editReply({ content: draftLines.discarded, embeds: [], components: [] });
  }

  /** The draft of a press; null, after telling the user, where it is gone or its time is over. */
  async #alive(press: Press, { jobId: id }: PressAction): Promise<Draft | null> {
    const { drafts, now } = this.#options;
    const draft = await drafts.get(id);
    if (draft === undefined) {
      await replyPrivately(press, errorSentence("DRAFT_GONE", {}, wordsOf(press.locale)));
      return null;
    }
    if (draft.expiresAt > now()) return draft;
    await this.#end(draft);
    const { draftLines } = wordsOf(draft.origin.locale);
    await acknowledge(press, () => press.update({ content: draftLines.expired, embeds: [], components: [] }));
    return null;
  }

  async #endDue(): Promise<void> {
    const { drafts, api, events } = this.#options;
    for (const draft of await drafts.due()) {
      await this.#end(draft);
      try {
        await api.editReply(draft.origin, plainMessage(wordsOf(draft.origin.locale).draftLines.expired));
      } catch (error) {
        // A press of its buttons says the same.
        log(events, "warn", `The end of a draft was not shown (${faultOf(error)})`, error);
      }
    }
  }

  /** From its first moment on, a press of an earlier message of the draft waits for it. */
  async #show(draft: Draft): Promise<void> {
    const shown = this.#send(draft);
    // Waiters only need to know that it settled; the caller hears of the failure.
    this.#showing.set(
      draft.id,
      shown.catch(() => {}),
    );
    try {
      await shown;
    } finally {
      this.#showing.delete(draft.id);
    }
  }

  async #send(draft: Draft): Promise<void> {
    const { drafts, queue, api, paces, now, retryFirstMs: firstMs } = this.#options;
    const { signal } = this.#stopping;
    await this.#clock.wind();
    const words = wordsOf(draft.origin.locale);
    const tooLong = await this.#tooLong(draft);
    const message = draftMessage(draft, await queue.work(), paces(), tooLong, words);
    const edit = () => api.editReply(draft.origin, message);
    const { id } = await retryTransient({ until: draft.expiresAt, now, firstMs, signal }, edit);
    if (!(await drafts.shown(draft.id, id))) await this.#withdraw(draft);
  }

  /** Takes the message of a draft away whose user was erased while it was shown. */
  async #withdraw({ origin }: Draft): Promise<void> {
    try {
      await this.#options.api.deleteReply(origin);
    } catch (error) {
      if (isGone(error)) return;
      log(this.#options.events, "warn", `An erased draft can't be deleted (${faultOf(error)})`, error);
    }
  }

  /** Numbers of the prompts whose end Promptist will not read. */
  async #tooLong({ request: { items, text, image: shared, evaluation } }: Draft): Promise<number[]> {
    const { isTooLong, events } = this.#options;
    const numbers = new Set<number>();
    try {
      for (const [i, item] of items.entries()) {
        const { prompt, image } = item;
        const number = evaluation === undefined ? i : placeIn(evaluation, i).prompt;
        const words = readWords(prompt, promptModeOf({ ...shared, ...image }));
        if (lacksRewrite(item) && isTooLong(words, item.text ?? text)) numbers.add(number + 1);
        // A thousand long prompts take seconds to count.
        await nextTurn();
      }
    } catch (error) {
      // The result says it.
      log(events, "warn", "Long prompts of a draft could not be counted", error);
    }
    return [...numbers];
  }

  /** Shows a draft that was stored just before the program stopped. */
  async #resume(draft: Draft): Promise<void> {
    const { events, now } = this.#options;
    try {
      if (draft.expiresAt > now()) await this.#show(draft);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // The clock ends the draft with a sentence.
      log(events, "warn", `A draft was not shown (${faultOf(error)})`, error);
    }
    await this.#settle(draft);
  }

  /** In this order: a crash in between leaves a draft that can still be pressed. */
  async #end(draft: Pick<Draft, "id" | "origin">): Promise<void> {
    await this.#settle(draft);
    await this.#discard(draft.id);
  }

  /** With the pictures that are stored for it, unless they are a job's by now. */
  async #discard(id: string): Promise<void> {
    const { drafts, queue, sources } = this.#options;
    await drafts.discard(id);
    if ((await queue.get(id)) === undefined) await sources.drop(id);
  }

  async #settle(draft: Pick<Draft, "origin">): Promise<void> {
    const { queue, events } = this.#options;
    try {
      await queue.settleArrival(draft.origin.interactionId);
    } catch (error) {
      // The next start shows it again.
      log(events, "warn", "A draft was not noted as shown", error);
    }
  }
}
