import type {
  ChatInputCommandInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody as CommandJson,
} from "discord.js";
import type { Events } from "../../core/events.js";
import type { Job } from "../../core/job.js";
import type { PlaceSettings } from "../../core/settings.js";
import type { DraftStore } from "../../db/drafts.js";
import type { Queue } from "../../db/queue.js";
import type { SettingsStore } from "../../db/settings.js";
import type { VoteStore } from "../../db/votes.js";
import type { Machine } from "../machine.js";
import type { Outgoing, OutgoingFile } from "../outgoing.js";
import type { Place } from "../place.js";
import type { CommandContext, Limits } from "./command.js";

/** What the commands that make no job work with. */
export interface Services {
  readonly queue: Queue;
  readonly settings: SettingsStore;
  readonly votes: VoteStore;
  readonly drafts: DraftStore;
  readonly events: Events;
  readonly context: CommandContext;
  readonly picturesDir: string;
  readonly now: () => number;
  readonly placeOf: (place: Place) => PlaceSettings;
  /** The message of a finished job for a place, within the bytes that one file may have there. */
  readonly compose: (job: Job, bytesPerFile: number, where: Place) => Promise<Outgoing>;
  /** One zip of a batch's pictures as that place may have them, and how many of them there are. */
  readonly zip: (
    job: Job,
    part: number,
    bytesPerFile: number,
    where: Place,
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

/** An amount of work: texts to rewrite, pictures to draw, and their denoising steps in all. */
export interface Work {
  readonly texts: number;
  readonly pictures: number;
  readonly steps: number;
}

/** A command that is answered at once. */
export interface AnswerCommand {
  readonly definition: (limits: Limits) => CommandJson;
  /** Throws InputError, which becomes a private refusal. */
  readonly run: (interaction: ChatInputCommandInteraction, services: Services) => Promise<void>;
}
