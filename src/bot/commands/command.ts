import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody as CommandJson,
} from "discord.js";
import type { Host } from "../../core/hosts/host.js";
import type { DevicePace } from "../../core/hosts/waiting.js";
import type { Store } from "../../db/store.js";
import type { PictureStore } from "../../pictures/store.js";
import type { Tastes } from "../../taste/tastes.js";
import type { Outgoing } from "../discord/outgoing.js";
import type { Presenter } from "../messages/parts/presentation.js";
import type { Subjects } from "../messages/parts/subjects.js";
import type { ModelList } from "../requests/models.js";
import type { Quotas } from "../requests/quotas.js";
import type { CommandContext, CommandRequest, Limits } from "../requests/request.js";
import type { Machine } from "../words/english/admin.js";

/** What the commands that are answered at once work with. */
export interface Services extends Omit<Store, "close"> {
  readonly context: CommandContext;
  readonly models: ModelList;
  readonly quotas: Quotas;
  readonly tastes: Tastes;
  readonly pictures: PictureStore;
  readonly presenter: Presenter;
  /** What the image model can draw, where that is a short list. */
  readonly subjects?: Subjects;
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
  /** The devices of all hosts that take jobs now, and how long work takes there. */
  readonly paces: () => readonly DevicePace[];
  /** Whether all devices that draw are set aside. */
  readonly haveDevicesFailed: () => boolean;
  /** The programs that share the database, this one among them. */
  readonly fleet: () => Promise<readonly Host[]>;
  /** Who may use `/admin`. */
  readonly operators: () => Promise<readonly string[]>;
  /** What runs here, for admins; null where it is unknown. */
  readonly machine: (() => Machine) | null;
}

/** Discord: the most choices that complete an option. */
export const CHOICES_MAX = 25;

/** What completes an option: the text that is shown, and the value that is sent. */
export interface Choice {
  readonly name: string;
  readonly value: string;
}

interface Defined {
  /** The command as Discord registers it, in English. */
  readonly definition: (limits: Limits) => CommandJson;
  /** What is offered while one of its options is typed, best first; the first CHOICES_MAX are shown. */
  readonly complete?: (
    interaction: AutocompleteInteraction,
    services: Services,
  ) => Promise<readonly Choice[]> | readonly Choice[];
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
