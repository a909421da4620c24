import type { ApiMessage } from "local-discord/testing";

/** What a message says below its title. */
export const textOf = (message: ApiMessage | null | undefined): string =>
  message?.embeds[0]?.description ?? "";

/** The id of the job that a message is about; empty where it names none. */
export const jobOf = (message: ApiMessage | null): string => /Job `(\w+)`/.exec(textOf(message))?.[1] ?? "";

/** Whether a message has the color of success and its pictures. */
export const hasResult = (message: ApiMessage): boolean =>
  message.embeds[0]?.color === 0x22c55e && message.attachments.length > 0;
