import { setTimeout as delay } from "node:timers/promises";
import type { MessageComponentInteraction } from "discord.js";
import { InputError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import type { Origin } from "../../core/job.js";
import type { OfferedModels } from "../../core/known-models.js";
import { IMAGE_RANGES, type ImageOptions } from "../../core/options.js";
import type { Settings } from "../../core/settings.js";
import { ownAtSpeed, type Speeds } from "../../core/speeds.js";
import { PRESETS, type Style } from "../../core/styles.js";
import type { Draft, DraftRequest } from "../../db/drafts.js";
import type { NewItem, Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import type { Styles } from "../../db/styles.js";
import type { ReplyLimits } from "../delivery/reply-limits.js";
import { type Asking, acknowledge, privately, replyPrivately } from "../discord/interactions.js";
import { errorSentence, sentenceOf } from "../words/english/errors.js";
import { wordsOf } from "../words/languages.js";
import type { Arrivals } from "./arrivals.js";
import { type ModelList, offeredHere, withModels } from "./models.js";
import { type Quotas, quotaLine } from "./quotas.js";
import type { Repeats } from "./repeats.js";
import {
  type CommandContext,
  type CommandRequest,
  checkRange,
  checkSize,
  type SourceFile,
  speedsIn,
  withoutModel,
} from "./request.js";
import {
  checkWords,
  contextOf,
  mayManage,
  mayUse,
  stylesOwner,
  withAlwaysNegative,
  withOwnNegative,
} from "./rules.js";
import { checkStrength, type Sources } from "./sources.js";

export interface IntakeOptions {
  readonly queue: Queue;
  readonly settings: StoredSettings;
  readonly styles: Styles;
  readonly models: ModelList;
  readonly quotas: Quotas;
  readonly sources: Sources;
  readonly events: Events;
  readonly arrivals: Arrivals;
  readonly replyLimits: ReplyLimits;
  readonly context: CommandContext;
  readonly repeats: Repeats;
  /** Who runs the bot. */
  readonly operators: () => Promise<readonly string[]>;
  readonly now: () => number;
}

/** What an interaction became: a job, a request whose user has to confirm it first, or a sentence. */
export type Outcome =
  | { readonly kind: "job" }
  | { readonly kind: "draft"; readonly request: DraftRequest; readonly origin: Origin }
  | { readonly kind: "refused" };

/** Discord: an interaction's token works for 15 minutes. */
const TOKEN_LIFE_MS = 15 * 60_000;
/** How long a file is looked at before its command is acknowledged, for which Discord waits 3 s. */
const LOOK_MS = 1_000;
/** Discord may deliver an event more than once; ids older than their tokens need not be remembered. */
const REMEMBERED_IDS = 1_000;

const REFUSED: Outcome = { kind: "refused" };

/**
 * From an interaction to a stored job: check what can be checked at once, note the command, acknowledge it,
 * then fetch its prompts and store it. No job is stored that could not be answered, and no part of a job
 * without the rest. If we acknowledged a command but stored no job, the user is told, even after a crash.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #seen = new Set<string>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Takes what a command, a menu, a button or a form asks for. `read` makes the request from the channel's
   * context, without I/O; its InputError is told privately.
   */
  async submit(interaction: Asking, read: (context: CommandContext) => CommandRequest): Promise<Outcome> {
    if (!this.#isNew(interaction.id)) return REFUSED;
    const words = wordsOf(interaction.locale);
    const settings = await this.#options.settings.resolve(interaction);
    if (!mayUse(interaction, settings)) {
      await replyPrivately(interaction, words.refusals.role);
      return REFUSED;
    }
    let request: CommandRequest;
    let offered: OfferedModels;
    let styles: readonly Style[];
    try {
      const own = await this.#options.styles.of(stylesOwner(interaction));
      offered = await offeredHere(this.#options.models, settings, interaction);
      const context = contextOf(this.#options.context, settings, own, offered);
      styles = context.styles ?? PRESETS;
      request = read(context);
      if (request.evaluation !== undefined) await this.#checkEvaluates(interaction, settings);
      withModels({ image: request.image, items: textsAsItems(request.known) }, offered);
      checkRange("steps", request.image.steps, { ...IMAGE_RANGES.steps, max: context.limits.maxSteps });
      checkSize(request.image.size, context.limits);
      await this.#options.quotas.check(interaction);
      await checkWords(settings, [...request.known, request.image.style?.prompt ?? null]);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      await replyPrivately(interaction, sentenceOf(error, words));
      return REFUSED;
    }

    const { repeats } = this.#options;
    if (repeats.isRepeat(interaction)) {
      await this.#answerRepeat(interaction);
      return REFUSED;
    }
    let outcome = REFUSED;
    try {
      outcome = await this.#accept(interaction, request, offered, styles);
    } finally {
      if (outcome.kind === "refused") repeats.forget(interaction);
    }
    return outcome;
  }

  /** An evaluation draws for hours: throws InputError NOT_ALLOWED but for managers, and for who runs the bot. */
  async #checkEvaluates(interaction: Asking, settings: Settings): Promise<void> {
    if (mayManage(interaction, settings)) return;
    if ((await this.#options.operators()).includes(interaction.user.id)) return;
    throw new InputError("NOT_ALLOWED", "Only who manages the server, or runs the bot, may evaluate.");
  }

  /** The first one has a message already, so a second press needs no words of its own. */
  async #answerRepeat(interaction: Asking): Promise<void> {
    if (interaction.isMessageComponent() || (interaction.isModalSubmit() && interaction.isFromMessage()))
      await acknowledge(interaction, () => interaction.deferUpdate());
    else await replyPrivately(interaction, wordsOf(interaction.locale).refusals.repeated);
  }

  /** Acknowledges a command and stores what it asks for. */
  async #accept(
    interaction: Asking,
    request: CommandRequest,
    offered: OfferedModels,
    styles: readonly Style[],
  ): Promise<Outcome> {
    const origin = this.#originOf(interaction);
    const words = wordsOf(origin.locale);
    const { arrivals } = this.#options;
    try {
      await arrivals.arrive(origin);
    } catch (error) {
      await replyPrivately(interaction, sentenceOf(error, words));
      throw error;
    }
    // An answer is public or private from its acknowledgement on, so a file is looked at before it.
    const read = request.confirm ? this.#read(request, origin, offered, styles) : null;
    if (read !== null && (await this.#refusedEarly(interaction, origin, read))) return REFUSED;
    try {
      await acknowledge(interaction, () => interaction.deferReply());
    } catch (error) {
      // Discord may have received the acknowledgement all the same.
      void arrivals.refuse(origin, errorSentence("DISCORD_UNREACHABLE", {}, words));
      throw error;
    }
    const store = async () =>
      this.#store(
        request,
        origin,
        interaction.attachmentSizeLimit,
        await (read ?? this.#read(request, origin, offered, styles)),
      );
    const outcome = (await arrivals.work(origin, store)) ?? REFUSED;
    if (outcome.kind === "job") await this.#warn(interaction);
    return outcome;
  }

  /** Tells a person privately that little of a quota is left, before they run into it. */
  async #warn(interaction: Asking): Promise<void> {
    const { quotas, events } = this.#options;
    try {
      const quota = await quotas.scarce(interaction);
      if (quota === null) return;
      const words = wordsOf(interaction.locale);
      await interaction.followUp(privately(`${quotaLine(quota, words)} ${words.quotaLines.scarce}`));
    } catch (error) {
      // The job is stored, and `/queue` says the same.
      log(events, "warn", "A person was not told how little of a quota is left", error);
    }
  }

  /** Waits a moment for the prompts; true if they were refused by then and the user was told privately. */
  async #refusedEarly(interaction: Asking, origin: Origin, read: Promise<unknown>): Promise<boolean> {
    const failure = read.then(
      () => null,
      (error: unknown) => error,
    );
    const error = await Promise.race([failure, delay(LOOK_MS, null, { ref: false })]);
    if (!(error instanceof InputError)) return false;
    const { arrivals, queue } = this.#options;
    const sentence = sentenceOf(error, wordsOf(origin.locale));
    try {
      await replyPrivately(interaction, sentence);
    } catch (cause) {
      // Discord may have received it all the same; if not, nothing of the command is left.
      void arrivals.refuse(origin, sentence);
      throw cause;
    }
    await queue.settleArrival(origin.interactionId);
    return true;
  }

  /** Fetches the prompts and checks them. Throws InputError. */
  async #read(
    request: CommandRequest,
    origin: Origin,
    offered: OfferedModels,
    styles: readonly Style[],
  ): Promise<DraftRequest> {
    const { kind, text, grid, evaluation, parentId } = request;
    const settings = await this.#options.settings.resolve(origin);
    const context = contextOf(this.#options.context, settings, [], offered);
    const { preview = false } = context;
    const speeds = speedsIn(context);
    const prompts = await request.prompts();
    const { image: found, sources, notes, isAsDrawn = false } = prompts;
    const read = prompts.items.map((item) => withoutModel(item, text, styles));
    const texts = [
      found?.style?.prompt ?? null,
      ...read.flatMap((item) => [
        item.prompt,
        item.rewrite,
        item.against?.rewrite ?? null,
        item.image?.style?.prompt ?? null,
      ]),
    ];
    await checkWords(settings, texts);
    const { style: _, ...unstyled } = request.image;
    const usual = isAsDrawn ? unstyled : request.image;
    const asked = { ...usual, ...found, ...ownAtSpeed(usual, found ?? {}, speeds) };
    const own = read.map((item) => paced(item, asked, speeds));
    const { image: named, items: stripped } = withModels({ image: asked, items: own }, offered);
    const wanted = withAlwaysNegative(named, settings);
    checkSize(wanted.size, this.#options.context.limits);
    checkStrength(wanted);
    const items = stripped.map((item) => withOwnNegative(item, settings));
    const { image, ...stored } = await this.#withSources(
      wanted,
      sources ?? filesOf(wanted, parentId),
      origin,
    );
    return {
      ...stored,
      kind,
      text,
      image,
      items,
      preview,
      ...(grid === undefined ? {} : { grid }),
      ...(evaluation === undefined ? {} : { evaluation }),
      ...(notes === undefined ? {} : { notes }),
    };
  }

  /** The image options with their pictures to go on from stored, and the id under which these are. */
  async #withSources(
    image: ImageOptions,
    files: readonly SourceFile[],
    origin: Origin,
  ): Promise<Pick<DraftRequest, "id" | "image">> {
    if (image.from === undefined) return { image };
    const { id, from } = await this.#options.sources.bring(image.from, files, origin);
    return { id, image: { ...image, from } };
  }

  /** Stores the request as a job, or hands it back where its user has to confirm it. */
  async #store(
    { confirm = false, blind = false, parentId }: CommandRequest,
    origin: Origin,
    replyLimitBytes: number,
    draft: DraftRequest,
  ): Promise<Outcome> {
    if (confirm === true || (confirm === "notes" && draft.notes !== undefined))
      return { kind: "draft", request: { ...draft, blind }, origin };
    await this.#enqueue({ ...draft, blind }, origin, replyLimitBytes, parentId);
    return { kind: "job" };
  }

  /**
   * Stores a draft whose user pressed Start; the message of the press becomes the job's. Throws InputError.
   */
  async enqueue(press: MessageComponentInteraction, { id, request }: Draft): Promise<void> {
    for (const { size } of [request.image, ...request.items.map(({ image }) => image ?? { size: null })])
      checkSize(size ?? null, this.#options.context.limits);
    await this.#options.quotas.check(press);
    const settings = await this.#options.settings.resolve(press);
    // What is offered may have changed since the draft was made.
    withModels(request, await offeredHere(this.#options.models, settings, press));
    const job = { ...request, blind: request.blind ?? false, draftId: id };
    await this.#enqueue(job, this.#originOf(press), press.attachmentSizeLimit);
    await this.#warn(press);
  }

  /** Only the draft shows the notes on its file; a job has none. */
  async #enqueue(
    { notes: _, ...request }: DraftRequest & { readonly blind: boolean; readonly draftId?: string },
    origin: Origin,
    replyLimitBytes: number,
    parentId?: string,
  ): Promise<void> {
    const { queue, replyLimits, context, settings, sources } = this.#options;
    const { limits } = contextOf(context, await settings.resolve(origin));
    const enqueue = () =>
      queue.enqueue({
        ...request,
        origin,
        // A preview would tell which picture is which.
        preview: request.preview && !request.blind,
        ...(parentId === undefined ? {} : { parentId }),
        caps: limits.open ?? {},
        limits: limits.inLine ?? {},
      });
    const job = await enqueue().catch(async (error: unknown) => {
      // A draft keeps its pictures, and may be started again.
      if (request.id !== undefined && request.draftId === undefined) await sources.drop(request.id);
      throw error;
    });
    replyLimits.note(job.id, replyLimitBytes);
  }

  #originOf(interaction: Asking): Origin {
    return {
      userId: interaction.user.id,
      guildId: interaction.guildId,
      channelId: channelOf(interaction),
      locale: interaction.locale,
      applicationId: interaction.applicationId,
      interactionId: interaction.id,
      interactionToken: interaction.token,
      // By our own clock at receipt, not by the id's time stamp: later it is compared with our clock.
      tokenExpiresAt: this.#options.now() + TOKEN_LIFE_MS,
    };
  }

  #isNew(interactionId: string): boolean {
    if (this.#seen.has(interactionId)) return false;
    this.#seen.add(interactionId);
    if (this.#seen.size > REMEMBERED_IDS) {
      const [oldest] = this.#seen;
      this.#seen.delete(oldest!);
    }
    return true;
  }
}

/** The pictures that a job's options name, as its parent has them. */
function filesOf({ from }: ImageOptions, parentId: string | undefined): SourceFile[] {
  if (from === undefined || parentId === undefined) return [];
  const files = new Set(Object.values(from.sources).map(({ file }) => file));
  return [...files].map((file) => ({ file, picture: { jobId: parentId, file } }));
}

/** A prompt whose own options say a speed, with what that stands for. */
const paced = (item: NewItem, image: ImageOptions, speeds: Speeds): NewItem =>
  item.image === undefined ? item : { ...item, image: ownAtSpeed(image, item.image, speeds) };

/** Every interaction that can be answered with a message has a channel. */
function channelOf({ id, channelId }: Asking): string {
  if (channelId === null) throw new Error(`Interaction ${id} has no channel`);
  return channelId;
}

/** What is known of the prompts before they are fetched. */
const textsAsItems = (known: CommandRequest["known"]): NewItem[] =>
  known.flatMap((prompt) => (prompt === null ? [] : [{ prompt, rewrite: null }]));
