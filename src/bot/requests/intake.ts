import { setTimeout as delay } from "node:timers/promises";
import type {
  ChatInputCommandInteraction,
  MessageComponentInteraction,
  MessageContextMenuCommandInteraction,
} from "discord.js";
import { codeOf, InputError } from "../../core/errors.js";
import type { Events } from "../../core/events.js";
import type { Origin } from "../../core/job.js";
import type { Settings, Where } from "../../core/settings.js";
import type { Draft, DraftRequest } from "../../db/drafts.js";
import type { Queue } from "../../db/queue.js";
import type { Outbox } from "../delivery/outbox.js";
import { faultOf, isAlreadyAcknowledged } from "../discord/faults.js";
import { type Asking, replyPrivately } from "../discord/interactions.js";
import { errorSentence, refusals } from "../words/messages.js";
import type { Arrivals } from "./arrivals.js";
import type { Command, CommandContext, CommandRequest } from "./request.js";
import { admit, checkWords, contextOf, mayUse } from "./rules.js";

export interface IntakeOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly arrivals: Arrivals;
  readonly outbox: Outbox;
  readonly commands: ReadonlyMap<string, Command>;
  readonly readMenu: (
    interaction: MessageContextMenuCommandInteraction,
    context: CommandContext,
  ) => CommandRequest | null;
  readonly context: CommandContext;
  readonly settingsOf: (where: Where) => Promise<Settings>;
  readonly now: () => number;
  /** Shows what a request comes to, keeps it until its person says yes, and settles its arrival. */
  readonly draft: (request: DraftRequest, origin: Origin) => Promise<void>;
}

/** Discord: an interaction's token works for 15 minutes. */
const TOKEN_LIFE_MS = 15 * 60_000;
/** Discord waits 3 s for the first answer. */
const ACKNOWLEDGE_MS = 2_500;
const ACKNOWLEDGE_PAUSE_MS = 200;
/** Discord may deliver an event more than once; ids older than their tokens need not be remembered. */
const REMEMBERED_IDS = 1_000;

/**
 * From an interaction to a stored job: check what can be checked at once, note it, answer Discord, then fetch, store and
 * show it. No job is stored that could not be answered, and no part of a job without the rest; what was answered and
 * becomes no job gets a sentence, also after a kill.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #seen = new Set<string>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** A slash command that makes work. */
  async accept(interaction: ChatInputCommandInteraction): Promise<void> {
    const command = this.#options.commands.get(interaction.commandName);
    if (command === undefined) return replyPrivately(interaction, refusals.unknownCommand);
    await this.#submit(interaction, (context) => command.read(interaction, context));
  }

  /** The menu of a message. */
  async acceptMenu(interaction: MessageContextMenuCommandInteraction): Promise<void> {
    const { readMenu } = this.#options;
    await this.#submit(interaction, (context) => {
      const request = readMenu(interaction, context);
      if (request === null) throw new InputError("INPUT_CHOICE", "No such menu.", { option: "menu" });
      return request;
    });
  }

  /** What a button, a menu or a form asks for. */
  submit(interaction: Asking, request: CommandRequest): Promise<void> {
    return this.#submit(interaction, () => request);
  }

  async #submit(interaction: Asking, read: (context: CommandContext) => CommandRequest): Promise<void> {
    if (!this.#isNew(interaction.id)) return;
    const settings = await this.#options.settingsOf(interaction);
    if (!mayUse(interaction, settings)) return replyPrivately(interaction, refusals.role);
    let request: CommandRequest;
    try {
      const context = contextOf(this.#options.context, settings);
      request = admit(read(context), settings, context);
      checkWords(settings, request.known);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return replyPrivately(interaction, errorSentence(error.code, error.context));
    }

    const origin = this.#originOf(interaction);
    const { arrivals } = this.#options;
    try {
      await arrivals.arrive(origin);
    } catch (error) {
      await replyPrivately(interaction, errorSentence(codeOf(error)));
      throw error;
    }
    try {
      await acknowledge(interaction);
    } catch (error) {
      // It may have got through all the same.
      void arrivals.refuse(origin, errorSentence("DISCORD_UNREACHABLE"));
      throw error;
    }
    await this.#store(request, origin, interaction.attachmentSizeLimit);
  }

  /** Stores the job and shows its place, or edits the reply to say why not. */
  async #store(request: CommandRequest, origin: Origin, replyLimitBytes: number): Promise<void> {
    const { arrivals } = this.#options;
    const { kind, text, parentId, blind = false, confirm, found } = request;
    const settings = await this.#options.settingsOf(origin);
    const context = contextOf(this.#options.context, settings);
    try {
      const items = await request.prompts();
      checkWords(
        settings,
        items.flatMap((item) => [item.prompt, item.rewrite]),
      );
      const { image } = admit({ text, image: { ...request.image, ...found?.() } }, settings, context);
      const { preview = false } = context;
      if (confirm === true) {
        await this.#options.draft({ kind, text, image, items, preview }, origin);
        return;
      }
      await this.#enqueue({ kind, text, image, items, preview, blind }, origin, replyLimitBytes, parentId);
    } catch (error) {
      const about = error instanceof InputError ? error.context : {};
      await arrivals.refuse(origin, errorSentence(codeOf(error), about));
      if (!(error instanceof InputError)) throw error;
    }
  }

  /** A draft that its person said yes to; the press's own message becomes the job's. Throws InputError. */
  enqueue(press: MessageComponentInteraction, { id, request }: Draft): Promise<void> {
    const job = { ...request, blind: false, draftId: id };
    return this.#enqueue(job, this.#originOf(press), press.attachmentSizeLimit);
  }

  async #enqueue(
    request: DraftRequest & { readonly blind: boolean; readonly draftId?: string },
    origin: Origin,
    replyLimitBytes: number,
    parentId?: string,
  ): Promise<void> {
    const { queue, outbox, context, settingsOf } = this.#options;
    const { limits } = contextOf(context, await settingsOf(origin));
    const job = await queue.enqueue({
      ...request,
      origin,
      // A half that is shown first would tell which picture is which.
      preview: request.preview && !request.blind,
      ...(parentId === undefined ? {} : { parentId }),
      caps: limits.open ?? {},
      limits: limits.inLine ?? {},
    });
    outbox.noteReplyLimit(job.id, replyLimitBytes);
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
      // From our own clock at receipt, not from the id's time stamp: later it is compared with our clock.
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

/**
 * Where the connection broke, nobody knows whether a try arrived; the next one's answer tells. Tries as long as Discord
 * still waits for an answer.
 */
async function acknowledge(interaction: Asking): Promise<void> {
  for (const start = performance.now(); ; ) {
    try {
      await interaction.deferReply();
      return;
    } catch (error) {
      if (isAlreadyAcknowledged(error)) return;
      if (faultOf(error) !== "transient" || performance.now() - start > ACKNOWLEDGE_MS) throw error;
    }
    await delay(ACKNOWLEDGE_PAUSE_MS);
  }
}

/** Every interaction that can be answered with a message has a channel. */
function channelOf({ id, channelId }: Asking): string {
  if (channelId === null) throw new Error(`Interaction ${id} has no channel`);
  return channelId;
}
