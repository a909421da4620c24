import type {
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody as CommandJson,
} from "discord.js";
import type { Events } from "../../core/events.js";
import type { Job } from "../../core/job.js";
import type { Settings, Where } from "../../core/settings.js";
import type { Store } from "../../db/store.js";
import type { PictureStore } from "../../pictures/store.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import type { Work } from "../messages/eta.js";
import type { CommandContext, Limits } from "../requests/request.js";
import type { Machine } from "../words/machine.js";

/** What the commands that make no job work with. */
export interface Services extends Omit<Store, "close"> {
  readonly events: Events;
  readonly context: CommandContext;
  readonly pictures: PictureStore;
  readonly now: () => number;
  readonly settingsOf: (where: Where) => Promise<Settings>;
  /** The message of a finished job for a place, within the bytes that one file may have there. */
  readonly compose: (job: Job, bytesPerFile: number, where: Where) => Promise<Outgoing>;
  /** One zip of a batch's pictures as that place may have them, and how many of them there are. */
  readonly zip: (
    job: Job,
    part: number,
    bytesPerFile: number,
    where: Where,
  ) => Promise<{ readonly file: OutgoingFile | null; readonly parts: number }>;
  /**
   * Edits the reply to an acknowledged interaction, or writes a further message to it. For messages with files: the
   * interaction's own methods give a slow line 15 s.
   */
  readonly send: (
    interaction: ChatInputCommandInteraction,
    message: Outgoing,
    as: "reply" | "follow-up",
  ) => Promise<void>;
  /** Milliseconds until work of this size is done on this machine; null where it never was measured. */
  readonly estimateMs: (work: Work) => number | null;
  /** Who may use `/admin`. */
  readonly operators: () => Promise<readonly string[]>;
  /** What runs here, for admins; null where nobody says. */
  readonly machine: (() => Machine) | null;
}

/** A command that is answered at once. */
export interface AnswerCommand {
  readonly definition: (limits: Limits) => CommandJson;
  /** Throws InputError, which becomes a private refusal. */
  readonly run: (interaction: ChatInputCommandInteraction, services: Services) => Promise<void>;
}
