import type { ModalSubmitInteraction } from "discord.js";
import type { Job } from "../../core/job.js";
import type { Press } from "../discord/interactions.js";
import type { PressAction } from "../messages/components.js";

/**
 * Who may press a button of a job: `moderator`: its requester and the channel's moderators; `maker`: its
 * requester, and everyone where the settings say so; `anyone`: everyone who sees the message.
 */
export type Access = "moderator" | "maker" | "anyone";

/** What a verb's button or menu does with the job that its id names. */
export interface JobHandler {
  readonly access: Access;
  readonly run: (press: Press, job: Job, action: PressAction) => Promise<void>;
  /** Takes the text of the form that `run` opened. */
  readonly submit?: (modal: ModalSubmitInteraction, job: Job) => Promise<void>;
}

/** What a button of a draft does; there is no job yet, and the draft decides who may press. */
export interface DraftHandler {
  readonly access: "draft";
  readonly run: (press: Press, action: PressAction) => Promise<void>;
}

/** What a menu does whose values are jobs of its user, or a button whose message says all that it needs. */
export interface ListHandler {
  readonly access: "list";
  readonly run: (press: Press, action: PressAction) => Promise<void>;
}

export type Handler = JobHandler | DraftHandler | ListHandler;
