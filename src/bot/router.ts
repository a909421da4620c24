import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageContextMenuCommandInteraction,
} from "discord.js";
import { codeOf, DiscordError, InputError } from "../core/errors.js";
import { type Events, log } from "../core/events.js";
import type { Presses } from "./buttons/presses.js";
import { type AnswerCommand, CHOICES_MAX, type Services } from "./commands/command.js";
import { COMMANDS, readMenu } from "./commands/index.js";
import { type Asking, privately, replyPrivately } from "./discord/interactions.js";
import type { BatchDrafts } from "./requests/batch-drafts.js";
import type { Intake } from "./requests/intake.js";
import type { CommandContext, CommandRequest } from "./requests/request.js";
import { errorSentence, sentenceOf } from "./words/english/errors.js";
import { wordsOf } from "./words/languages.js";

export interface RouterOptions {
  readonly events: Events;
  readonly intake: Intake;
  readonly drafts: BatchDrafts;
  readonly presses: Presses;
  readonly services: Services;
  /** Once aborted, interactions are refused. */
  readonly signal: AbortSignal;
}

/**
 * Decides which interaction goes where: a request to the intake, a press to its button, an answer at once.
 */
export class Router {
  readonly #options: RouterOptions;
  readonly #handling = new Set<Promise<void>>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Handles an interaction; failures are logged and told to its user. */
  route(interaction: Interaction): void {
    const handled = this.#handle(interaction)
      .catch((error) => this.#failed(interaction, error))
      .finally(() => this.#handling.delete(handled));
    this.#handling.add(handled);
  }

  /** Resolves when every interaction so far is handled. */
  async settled(): Promise<void> {
    await Promise.all(this.#handling);
  }

  /** A bug, or an interaction that no Discord client makes: logged, and told to its user in a sentence. */
  async #failed(interaction: Interaction, error: unknown): Promise<void> {
    const { events } = this.#options;
    log(events, "error", `Interaction ${interaction.id} was not handled`, error);
    if (!interaction.isRepliable() || interaction.replied || interaction.deferred) return;
    try {
      await interaction.reply(privately(errorSentence(codeOf(error), {}, wordsOf(interaction.locale))));
    } catch (cause) {
      log(events, "warn", `Interaction ${interaction.id} could not be answered`, cause);
    }
  }

  async #handle(interaction: Interaction): Promise<void> {
    const { signal, presses } = this.#options;
    if (interaction.isAutocomplete()) return this.#complete(interaction);
    if (!interaction.isRepliable()) return;
    const { refusals } = wordsOf(interaction.locale);
    if (signal.aborted) return replyPrivately(interaction, refusals.stopping);
    if (interaction.isChatInputCommand()) return this.#command(interaction);
    if (interaction.isMessageContextMenuCommand()) return this.#menu(interaction);
    if (interaction.isMessageComponent()) return presses.press(interaction);
    if (interaction.isModalSubmit()) return presses.submit(interaction);
    return replyPrivately(interaction, refusals.unknownCommand);
  }

  async #command(interaction: ChatInputCommandInteraction): Promise<void> {
    const command = COMMANDS.get(interaction.commandName);
    if (command === undefined)
      return replyPrivately(interaction, wordsOf(interaction.locale).refusals.unknownCommand);
    if ("run" in command) return this.#answer(command, interaction);
    return this.#submit(interaction, (context) => command.read(interaction, context));
  }

  #menu(interaction: MessageContextMenuCommandInteraction): Promise<void> {
    return this.#submit(interaction, (context) => readMenu(interaction, context));
  }

  async #submit(interaction: Asking, read: (context: CommandContext) => CommandRequest): Promise<void> {
    const { intake, drafts } = this.#options;
    const outcome = await intake.submit(interaction, read);
    if (outcome.kind === "draft") await drafts.open(outcome.request, outcome.origin);
  }

  /** Runs a command that is answered at once; its error is told to its user. */
  async #answer(command: AnswerCommand, interaction: ChatInputCommandInteraction): Promise<void> {
    try {
      await command.run(interaction, this.#options.services);
    } catch (error) {
      // It can't be acknowledged any more; `#failed` tries once to say so.
      if (error instanceof DiscordError && !interaction.deferred) throw error;
      const content = sentenceOf(error, wordsOf(interaction.locale));
      if (interaction.deferred) await interaction.editReply({ content });
      else if (!interaction.replied) await replyPrivately(interaction, content);
      if (!(error instanceof InputError)) throw error;
    }
  }

  /** While an option is typed. */
  async #complete(interaction: AutocompleteInteraction): Promise<void> {
    const complete = COMMANDS.get(interaction.commandName)?.complete;
    const choices = complete === undefined ? [] : await complete(interaction, this.#options.services);
    return interaction.respond(choices.slice(0, CHOICES_MAX));
  }
}
