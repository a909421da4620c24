import type {
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody as CommandJson,
} from "discord.js";
import type { Store } from "../../db/store.js";
import type { PictureStore } from "../../pictures/store.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Work } from "../messages/eta.js";
import type { Presenter } from "../messages/presentation.js";
import type { CommandContext, CommandRequest, Limits } from "../requests/request.js";
import type { Machine } from "../words/admin.js";

/** What the commands that are answered at once work with. */
export interface Services extends Omit<Store, "close"> {
  readonly context: CommandContext;
  readonly pictures: PictureStore;
  readonly presenter: Presenter;
  /** Deletes the messages of erased jobs and drafts, and answers how many. `later`: to be tried again. */
  readonly deleteMessages: (
    sourceIds: readonly string[],
  ) => Promise<{ readonly deleted: number; readonly failed: number; readonly later: number }>;
  /**
   * Edits the reply to an acknowledged interaction, or sends a further message to it; answers its id. For messages with
   * files: the interaction's own methods time out after 15 s, too soon for a slow line.
   */
  readonly send: (
    interaction: ChatInputCommandInteraction,
    message: Outgoing,
    as: "reply" | "follow-up",
  ) => Promise<string>;
  /** Milliseconds that this machine takes for work of this size; null where that was never measured. */
  readonly estimateMs: (work: Work) => number | null;
  /** Who may use `/admin`. */
  readonly operators: () => Promise<readonly string[]>;
  /** What runs here, for admins; null where it is unknown. */
  readonly machine: (() => Machine) | null;
}

interface Defined {
  /** The command as Discord registers it, in English. */
  readonly definition: (limits: Limits) => CommandJson;
}

/** A command that makes a request, which becomes a job. */
export interface RequestCommand extends Defined {
  /** Reads the options without any I/O. Throws InputError, which becomes a private refusal. */
  readonly read: (interaction: ChatInputCommandInteraction, context: CommandContext) => CommandRequest;
}

/** A command that is answered at once. */
export interface AnswerCommand extends Defined {
  /** Throws InputError, which becomes a private refusal. */
  readonly run: (interaction: ChatInputCommandInteraction, services: Services) => Promise<void>;
}

/** One slash command. */
export type Command = RequestCommand | AnswerCommand;
