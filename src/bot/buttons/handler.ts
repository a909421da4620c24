import type { ModalSubmitInteraction } from "discord.js";
import type { Job } from "../../core/job.js";
import type { Press } from "../discord/interactions.js";
import type { PressAction } from "../messages/parts/components.js";

/**
 * Who may press a button of a job: `moderator`: its requester and the channel's moderators; `maker`: its
 * requester, and everyone where the settings say so; `anyone`: everyone who sees the message.
 */
export type Access = "moderator" | "maker" | "anyone";

/** Handles a press for the job that the custom id names. */
export interface JobHandler {
  readonly access: Access;
  readonly run: (press: Press, job: Job, action: PressAction) => Promise<void>;
  /** Takes the text of the form that `run` opened. */
  readonly submit?: (modal: ModalSubmitInteraction, job: Job, action: PressAction) => Promise<void>;
}

/** Handles a press under a draft. There is no job yet, and the draft decides who may press. */
export interface DraftHandler {
  readonly access: "draft";
  readonly run: (press: Press, action: PressAction) => Promise<void>;
}

/** Handles a menu that lists the user's own jobs, or a button whose message says all that it needs. */
export interface ListHandler {
  readonly access: "list";
  readonly run: (press: Press, action: PressAction) => Promise<void>;
}

export type Handler = JobHandler | DraftHandler | ListHandler;
