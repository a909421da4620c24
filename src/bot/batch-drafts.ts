import { type MessageComponentInteraction, MessageFlags } from "discord.js";
import { codeOf, InputError } from "../core/errors.js";
import type { Events } from "../core/events.js";
import type { Origin } from "../core/job.js";
import type { PlaceSettings } from "../core/settings.js";
import type { Draft, DraftRequest, DraftStore } from "../db/drafts.js";
import type { Queue } from "../db/queue.js";
import type { Work } from "./commands/answer.js";
import type { PressAction } from "./components.js";
import type { DiscordApi } from "./discord-api.js";
import { faultOf } from "./discord-error.js";
import { draftMessage } from "./draft-message.js";
import { DueClock } from "./due-clock.js";
import type { Intake } from "./intake.js";
import { draftLines, errorSentence, refusals } from "./messages.js";
import { plainMessage } from "./outgoing.js";
import { mayModerate, mayUse, type Place } from "./place.js";
import { refuse } from "./presses.js";

export interface DraftOptions {
  readonly drafts: DraftStore;
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  readonly placeOf: (place: Place) => PlaceSettings;
  readonly estimateMs: (work: Work) => number | null;
  readonly intake: () => Intake;
}

/** The reply must still be ours to edit when a draft ends. */
const EDIT_MARGIN_MS = 60_000;

/** Files that were read and wait for a yes, from their preview to Start, Discard or their end by the clock. */
export class BatchDrafts {
  readonly #options: DraftOptions;
  readonly #clock: DueClock;

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#clock = new DueClock({
      nextDueAt: () => options.drafts.nextDueAt(),
      endDue: () => this.#endDue(),
      now: options.now,
    });
  }

  /** Goes on with the drafts of an earlier run. */
  start(): void {
    this.#clock.wind();
  }

  stop(): Promise<void> {
    return this.#clock.stop();
  }

  /** Stores a request and shows in its reply what it comes to. */
  async open(request: DraftRequest, origin: Origin): Promise<void> {
    const { drafts, queue, api, estimateMs } = this.#options;
    const draft = drafts.add(request, origin, origin.tokenExpiresAt - EDIT_MARGIN_MS);
    this.#clock.wind();
    await api.editReply(origin, draftMessage(draft, await queue.work(), estimateMs));
  }

  /** Start: the draft becomes a job, and its preview that job's message. */
  async begin(press: MessageComponentInteraction, action: PressAction): Promise<void> {
    const { drafts, intake, placeOf } = this.#options;
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (press.user.id !== draft.origin.userId) return refuse(press, refusals.notYourDraft);
    if (!mayUse(press, placeOf(draft.origin))) return refuse(press, refusals.role);
    // Whoever takes the draft makes the job: a second press finds none.
    if (drafts.take(draft.id) === undefined) return refuse(press, refusals.noDraft);
    this.#clock.wind();
    await press.deferUpdate();
    try {
      await intake().enqueue(press, draft.request);
    } catch (error) {
      drafts.restore(draft);
      this.#clock.wind();
      const context = error instanceof InputError ? error.context : {};
      const content = errorSentence(codeOf(error), context);
      await press.followUp({ content, flags: MessageFlags.Ephemeral });
      if (!(error instanceof InputError)) throw error;
    }
  }

  async discard(press: MessageComponentInteraction, action: PressAction): Promise<void> {
    const { drafts, placeOf } = this.#options;
    const draft = await this.#alive(press, action);
    if (draft === null) return;
    if (!mayModerate(press, draft.origin, placeOf(draft.origin))) return refuse(press, refusals.notYours);
    drafts.take(draft.id);
    this.#clock.wind();
    await press.update({ content: draftLines.discarded, embeds: [], components: [] });
  }

  /** Null, and the person told, where the draft is gone or its time is over. */
  async #alive(press: MessageComponentInteraction, { jobId: id }: PressAction): Promise<Draft | null> {
    const { drafts, now } = this.#options;
    const draft = drafts.get(id);
    if (draft === undefined) {
      await refuse(press, refusals.noDraft);
      return null;
    }
    if (draft.expiresAt > now()) return draft;
    drafts.take(id);
    await press.update({ content: draftLines.expired, embeds: [], components: [] });
    return null;
  }

  async #endDue(): Promise<void> {
    const { drafts, api, events } = this.#options;
    for (const draft of drafts.due()) {
      drafts.take(draft.id);
      try {
        await api.editReply(draft.origin, plainMessage(draftLines.expired));
      } catch (error) {
        // Its buttons say the same to who presses them.
        const message = `The end of a preview was not shown (${faultOf(error)})`;
        events.emit("log", { level: "warn", message, error });
      }
    }
  }
}
