import { type MessageComponentInteraction, MessageFlags } from "discord.js";
import { codeOf, InputError } from "../../core/errors.js";
import type { Events } from "../../core/events.js";
import type { Origin } from "../../core/job.js";
import type { Settings, Where } from "../../core/settings.js";
import type { Draft, DraftRequest, Drafts } from "../../db/drafts.js";
import type { Arrival, Queue } from "../../db/queue.js";
import { DueClock } from "../delivery/due-clock.js";
import { faultOf } from "../discord/faults.js";
import { replyPrivately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import { plainMessage } from "../discord/outgoing.js";
import { retryTransient } from "../discord/retry-transient.js";
import type { PressAction } from "../messages/components.js";
import { draftMessage } from "../messages/draft-message.js";
import type { Work } from "../messages/eta.js";
import { draftLines, errorSentence, refusals } from "../words/messages.js";
import type { Intake } from "./intake.js";
import { mayModerate, mayUse } from "./rules.js";

export interface DraftOptions {
  readonly drafts: Drafts;
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly settingsOf: (where: Where) => Promise<Settings>;
  readonly estimateMs: (work: Work) => number | null;
  readonly intake: () => Intake;
  /** Delay after the first failed try to show a preview; it doubles with each one. */
  readonly retryFirstMs: number;
}

/** The reply must still be ours to edit when a draft ends. */
const EDIT_MARGIN_MS = 60_000;
/** Each may hold a megabyte, and it costs nothing to attach one. */
const DRAFTS_PER_PERSON = 10;

/** Files that were read and wait for a yes, from their preview to Start, Discard or their end by the clock. */
export class BatchDrafts {
  readonly #options: DraftOptions;
  readonly #clock: DueClock;
  readonly #stopping = new AbortController();
  /** Previews on their way to Discord: what a press does to one comes after it. */
  readonly #showing = new Map<string, Promise<unknown>>();
  #resuming: Promise<unknown> = Promise.resolve();

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#clock = new DueClock({
      nextDueAt: () => options.drafts.nextDueAt(),
      endDue: () => this.#endDue(),
      now: options.now,
      onError: (error) =>
        options.events.emit("log", {
          level: "warn",
          message: "The drafts that are due could not be read",
          error,
        }),
    });
  }

  /**
   * Goes on with the drafts of an earlier run. Of the commands that it left, those that have a draft get its preview, and
   * the others are given back.
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
   * Stores a request, shows in its reply what it comes to, and settles its arrival. Throws InputError DRAFT_LIMIT for a
   * person who has many drafts already.
   */
  async open(request: DraftRequest, origin: Origin): Promise<void> {
    const { drafts } = this.#options;
    if ((await drafts.idsOfUser(origin.userId)).length >= DRAFTS_PER_PERSON) {
      throw new InputError("DRAFT_LIMIT", "Too many drafts wait already.", { limit: DRAFTS_PER_PERSON });
    }
    const draft = await drafts.add(request, origin, origin.tokenExpiresAt - EDIT_MARGIN_MS);
    try {
      await this.#show(draft);
    } catch (error) {
      // The next start shows it.
      if (this.#stopping.signal.aborted) return;
      await drafts.discard(draft.id);
      throw error;
    }
    await this.#settle(draft);
  }

  /** Start: the draft becomes a job, and its preview that job's message. */
  async begin(press: MessageComponentInteraction, action: PressAction): Promise<void> {
    const { intake, settingsOf } = this.#options;
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (press.user.id !== draft.origin.userId) return replyPrivately(press, refusals.notYourDraft);
    if (!mayUse(press, await settingsOf(draft.origin))) return replyPrivately(press, refusals.role);
    await press.deferUpdate();
    await this.#showing.get(draft.id);
    try {
      await intake().enqueue(press, draft);
    } catch (error) {
      const context = error instanceof InputError ? error.context : {};
      const content = errorSentence(codeOf(error), context);
      await press.followUp({ content, flags: MessageFlags.Ephemeral });
      if (!(error instanceof InputError)) throw error;
    }
  }

  async discard(press: MessageComponentInteraction, action: PressAction): Promise<void> {
    const { settingsOf } = this.#options;
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (!mayModerate(press, draft.origin, await settingsOf(draft.origin)))
      return replyPrivately(press, refusals.notYours);
    await press.deferUpdate();
    await this.#showing.get(draft.id);
    await this.#end(draft);
    await press.editReply({ content: draftLines.discarded, embeds: [], components: [] });
  }

  /** Null, and the person told, where the draft is gone or its time is over. */
  async #alive(press: MessageComponentInteraction, { jobId: id }: PressAction): Promise<Draft | null> {
    const { drafts, now } = this.#options;
    const draft = await drafts.get(id);
    if (draft === undefined) {
      await replyPrivately(press, errorSentence("DRAFT_GONE"));
      return null;
    }
    if (draft.expiresAt > now()) return draft;
    await this.#end(draft);
    await press.update({ content: draftLines.expired, embeds: [], components: [] });
    return null;
  }

  async #endDue(): Promise<void> {
    const { drafts, api, events } = this.#options;
    for (const draft of await drafts.due()) {
      await this.#end(draft);
      try {
        await api.editReply(draft.origin, plainMessage(draftLines.expired));
      } catch (error) {
        // Its buttons say the same to who presses them.
        const message = `The end of a preview was not shown (${faultOf(error)})`;
        events.emit("log", { level: "warn", message, error });
      }
    }
  }

  async #show(draft: Draft): Promise<void> {
    const { queue, api, estimateMs, now, retryFirstMs: firstMs } = this.#options;
    const { signal } = this.#stopping;
    await this.#clock.wind();
    const message = draftMessage(draft, await queue.work(), estimateMs);
    const shown = retryTransient({ until: draft.expiresAt, now, firstMs, signal }, () =>
      api.editReply(draft.origin, message),
    );
    // Whoever waits for it wants to know that it is over; that it failed is said by who shows it.
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

  /** The preview of a draft that was stored when the program was stopped before it had said so. */
  async #resume(draft: Draft): Promise<void> {
    const { events, now } = this.#options;
    try {
      if (draft.expiresAt > now()) await this.#show(draft);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // The clock ends it with a sentence.
      const message = `A preview was not shown (${faultOf(error)})`;
      events.emit("log", { level: "warn", message, error });
    }
    await this.#settle(draft);
  }

  /** In this order: a kill between the two leaves a preview that can still be pressed. */
  async #end(draft: Pick<Draft, "id" | "origin">): Promise<void> {
    await this.#settle(draft);
    await this.#options.drafts.discard(draft.id);
  }

  async #settle(draft: Pick<Draft, "origin">): Promise<void> {
    const { queue, events } = this.#options;
    try {
      await queue.settleArrival(draft.origin.interactionId);
    } catch (error) {
      // The next start shows it again.
      events.emit("log", { level: "warn", message: "A preview was not noted as shown", error });
    }
  }
}
