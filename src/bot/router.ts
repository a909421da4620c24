import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Interaction,
  type MessageContextMenuCommandInteraction,
  MessageFlags,
} from "discord.js";
import { codeOf, DiscordError, InputError } from "../core/errors.js";
import { type Events, log } from "../core/events.js";
import type { Presses } from "./buttons/presses.js";
import type { AnswerCommand, Services } from "./commands/command.js";
import { completeFailed, completeJobs } from "./commands/history.js";
import { COMMANDS, readMenu } from "./commands/index.js";
import { completeSize } from "./commands/options.js";
import { completeReset, completeSetting, completeValue } from "./commands/settings.js";
import { type Asking, replyPrivately } from "./discord/interactions.js";
import type { BatchDrafts } from "./requests/batch-drafts.js";
import type { Intake } from "./requests/intake.js";
import type { CommandContext, CommandRequest } from "./requests/request.js";
import { errorSentence, sentenceOf } from "./words/errors.js";
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

/** Discord: the most choices that complete an option, and the most characters of each. */
const CHOICES_MAX = 25;
const CHOICE_MAX = 100;

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
      const content = errorSentence(codeOf(error), {}, wordsOf(interaction.locale));
      await interaction.reply({ content, flags: MessageFlags.Ephemeral });
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

  /**
   * While an option is typed: names of settings, sizes, the user's own jobs, failed jobs for an operator, or
   * the user's own recent prompts that contain these letters.
   */
  async #complete(interaction: AutocompleteInteraction): Promise<void> {
    const { name, value } = interaction.options.getFocused(true);
    const { locale, user } = interaction;
    if (interaction.commandName === "settings" && name === "name") {
      const complete = interaction.options.getSubcommand() === "reset" ? completeReset : completeSetting;
      return interaction.respond(complete(value, locale).slice(0, CHOICES_MAX));
    }
    const { records, context, operators } = this.#options.services;
    if (interaction.commandName === "settings") {
      const setting = interaction.options.getString("name") ?? "";
      return interaction.respond(completeValue(setting, value, locale, context.limits));
    }
    if (name === "id") {
      const jobs = await records.recentJobs(user.id, value.trim(), CHOICES_MAX);
      return interaction.respond(completeJobs(jobs, locale));
    }
    if (interaction.commandName === "admin") {
      const jobs = (await operators()).includes(user.id) ? await records.setAside(CHOICES_MAX) : [];
      return interaction.respond(completeFailed(jobs, value, locale));
    }
    if (name === "size") return interaction.respond(completeSize(value, locale, context.limits));
    const prompts = await records.recentPrompts(user.id, value, CHOICES_MAX);
    const choices = prompts.filter((prompt) => prompt.length <= CHOICE_MAX);
    return interaction.respond(choices.map((prompt) => ({ name: prompt, value: prompt })));
  }
}
