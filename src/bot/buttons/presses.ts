import {
  ComponentType,
  type MessageComponentInteraction,
  MessageFlags,
  type ModalSubmitInteraction,
  TextInputStyle,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import { isFinished, type Job } from "../../core/job.js";
import { REWRITE_LENGTH_FACTOR } from "../../core/options.js";
import type { Settings, Where } from "../../core/settings.js";
import type { Queue } from "../../db/queue.js";
import type { Records } from "../../db/records.js";
import type { PictureStore } from "../../pictures/store.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/prompt-file.js";
import { isGone } from "../discord/faults.js";
import { type Press, replyPrivately } from "../discord/interactions.js";
import { clip } from "../discord/markdown.js";
import { decodeCustomId, encodeCustomId, type PressAction, type Verb } from "../messages/components.js";
import { infoMessage } from "../messages/info-message.js";
import type { Intake } from "../requests/intake.js";
import type { CommandRequest, Limits } from "../requests/request.js";
import { mayModerate, mayUse } from "../requests/rules.js";
import { errorSentence, labels, refusals } from "../words/messages.js";
import { again, drawPair, drawRaw, redraw, withBeam, withPrompt, withRewrite, withWords } from "./reruns.js";

export interface PressOptions {
  readonly queue: Queue;
  readonly records: Records;
  readonly intake: Intake;
  readonly limits: Limits;
  readonly pictures: PictureStore;
  readonly settingsOf: (where: Where) => Promise<Settings>;
  /** Whether it must not be told yet which picture of the job is which. */
  readonly isSecret: (job: Job) => Promise<boolean>;
}

/** Discord: the longest text of a modal's input. */
const TEXT_INPUT_MAX = 4000;
const TEXT_INPUT = "text";

/**
 * Who may press: `moderator` the requester and who keeps order in the channel; `maker` the requester, and everyone
 * where the place says so; `anyone` whoever sees the message.
 */
type Access = "moderator" | "maker" | "anyone";

export interface Handler {
  readonly access: Access;
  readonly run: (press: Press, job: Job, action: PressAction) => Promise<void>;
}

/** Decides itself who may. */
export type JoblessHandler = (press: Press, action: PressAction) => Promise<void>;

/** Buttons, menus and modals under the messages of jobs. The row decides who may and what is left to do, never the id. */
export class Presses {
  readonly #options: PressOptions;
  readonly #handlers: Readonly<Partial<Record<Verb, Handler>>>;
  readonly #jobless: Readonly<Partial<Record<Verb, JoblessHandler>>>;

  constructor(
    options: PressOptions,
    more: Readonly<Partial<Record<Verb, Handler>>> = {},
    /** For ids that name no job. */
    jobless: Readonly<Partial<Record<Verb, JoblessHandler>>> = {},
  ) {
    this.#options = options;
    this.#jobless = jobless;
    const made = (make: (job: Job, press: Press) => CommandRequest): Handler => ({
      access: "maker",
      run: (press, job) => this.#make(press, () => make(job, press)),
    });
    this.#handlers = {
      cancel: { access: "moderator", run: (press, job) => this.#cancel(press, job) },
      delete: { access: "moderator", run: (press, job) => this.#delete(press, job) },
      info: {
        access: "anyone",
        run: async (press, job) => {
          if (await options.isSecret(job)) return replyPrivately(press, refusals.secret);
          await press.reply(infoMessage(job));
        },
      },
      again: made(again),
      pair: made(drawPair),
      raw: made(drawRaw),
      redraw: made(redraw),
      beam: made((job, press) => withBeam(job, chosen(press, "rewrite")[0] ?? -1)),
      words: made((job, press) => withWords(job, chosen(press, "words"))),
      edit: {
        access: "maker",
        run: (press, job) =>
          this.#ask(press, "edit", job, labels.editPromptTitle, labels.prompt, job.items[0]?.prompt ?? ""),
      },
      tune: {
        access: "maker",
        run: (press, job) =>
          this.#ask(press, "tune", job, labels.editRewriteTitle, labels.rewrite, job.items[0]?.rewrite ?? ""),
      },
      ...more,
    };
  }

  async press(press: MessageComponentInteraction): Promise<void> {
    const action = decodeCustomId(press.customId);
    const handler = action === null ? undefined : this.#handlers[action.verb];
    const isOurs = press.isButton() || press.isStringSelectMenu();
    const jobless = action === null ? undefined : this.#jobless[action.verb];
    if (action !== null && jobless !== undefined && isOurs) return jobless(press, action);
    if (action === null || handler === undefined || !isOurs)
      return replyPrivately(press, refusals.unknownButton);
    const job = await this.#accessible(press, action, handler.access);
    if (job !== null) await handler.run(press, job, action);
  }

  async submit(modal: ModalSubmitInteraction): Promise<void> {
    const action = decodeCustomId(modal.customId);
    if (action?.verb !== "edit" && action?.verb !== "tune")
      return replyPrivately(modal, refusals.unknownButton);
    const job = await this.#accessible(modal, action, "maker");
    if (job === null) return;
    await this.#make(modal, () => {
      const text = this.#readText(modal);
      return action.verb === "edit" ? withPrompt(job, text) : withRewrite(job, text);
    });
  }

  /** The job of an action; null, and the person told why, where there is none or it is not theirs to press. */
  async #accessible(
    press: MessageComponentInteraction | ModalSubmitInteraction,
    { jobId }: PressAction,
    access: Access,
  ): Promise<Job | null> {
    const job = await this.#options.queue.get(jobId);
    const refusal = job === undefined ? refusals.unknownJob : await this.#refusal(press, job, access);
    if (job !== undefined && refusal === null) return job;
    await replyPrivately(press, refusal ?? refusals.unknownJob);
    return null;
  }

  async #refusal(
    press: MessageComponentInteraction | ModalSubmitInteraction,
    { origin }: Job,
    access: Access,
  ): Promise<string | null> {
    const settings = await this.#options.settingsOf(origin);
    const own = press.user.id === origin.userId;
    // An id that was carried elsewhere shows nobody what people of another channel have asked for.
    if (!own && press.channelId !== origin.channelId) return refusals.elsewhere;
    if (access === "anyone") return null;
    if (access === "moderator") return mayModerate(press, origin, settings) ? null : refusals.notYours;
    if (!mayUse(press, settings)) return refusals.role;
    return own || settings.strangers === true ? null : refusals.notYoursToChange;
  }

  async #make(press: Press | ModalSubmitInteraction, make: () => CommandRequest): Promise<void> {
    let request: CommandRequest;
    try {
      request = make();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return replyPrivately(press, errorSentence(error.code, error.context));
    }
    await this.#options.intake.submit(press, request);
  }

  async #ask(
    press: Press,
    verb: "edit" | "tune",
    job: Job,
    title: string,
    label: string,
    value: string,
  ): Promise<void> {
    const max = Math.min(this.#limit(verb), TEXT_INPUT_MAX);
    await press.showModal({
      custom_id: encodeCustomId(verb, job.id),
      title,
      components: [
        {
          type: ComponentType.Label,
          label,
          component: {
            type: ComponentType.TextInput,
            custom_id: TEXT_INPUT,
            style: TextInputStyle.Paragraph,
            min_length: 1,
            max_length: max,
            value: clip(value, max),
          },
        },
      ],
    });
  }

  #readText(modal: ModalSubmitInteraction): string {
    const field = modal.fields.fields.get(TEXT_INPUT);
    // A form of another version, or of another program, may lack it.
    const text = field?.type === ComponentType.TextInput ? cleanPrompt(field.value) : "";
    const limit = this.#limit(modal.customId.startsWith("tune") ? "tune" : "edit");
    if (text === "") throw new InputError("INPUT_EMPTY", "The prompt is empty.");
    if (isLongerThan(text, limit)) {
      throw new InputError("INPUT_TOO_LONG", `The prompt is longer than ${limit} characters.`, { limit });
    }
    return text;
  }

  /** A rewrite repeats its prompt and adds to it, so it may be longer. */
  #limit(verb: "edit" | "tune"): number {
    return this.#options.limits.maxPromptLength * (verb === "tune" ? REWRITE_LENGTH_FACTOR : 1);
  }

  async #cancel(press: Press, job: Job): Promise<void> {
    if (isFinished(job.state)) return replyPrivately(press, refusals.alreadyFinished);
    await press.deferUpdate();
    const answer = await this.#options.queue.cancel(job.id);
    if (answer === "finished" || answer === "unknown") {
      const content = answer === "finished" ? refusals.alreadyFinished : refusals.unknownJob;
      await press.followUp({ content, flags: MessageFlags.Ephemeral });
    }
  }

  /** Removes the message, the pictures and the stored job. */
  async #delete(press: Press, job: Job): Promise<void> {
    if (!isFinished(job.state)) return replyPrivately(press, refusals.notFinished);
    await press.deferUpdate();
    await this.#options.records.drop(job.id);
    await this.#options.pictures.remove(job.id);
    try {
      await press.deleteReply();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** The places that a menu's values stand for; throws InputError for what no menu of ours offers. */
function chosen(press: Press, option: string): number[] {
  const values = press.isStringSelectMenu() ? press.values : [""];
  if (values.some((value) => !/^\d{1,3}$/.test(value)))
    throw new InputError("INPUT_CHOICE", `There is no such ${option} in this job.`, { option });
  return values.map(Number);
}
