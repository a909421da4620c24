import { DiscordAPIError, HTTPError, RESTJSONErrorCodes } from "discord.js";

/**
 * What an error of a request means for the one who sent it:
 * - `token-gone`: the reply can't be edited any more, the channel still may take a message;
 * - `forbidden`: we may not write there, or it is not there any more, and waiting does not help;
 * - `too-large`: the files are more than this place takes;
 * - `refused`: Discord read the message and does not accept it as it is;
 * - `unauthorized`: the bot's own token is not valid any more;
 * - `transient`: the network, a time-out, their outage: the same request may succeed later.
 */
export type DiscordFault =
  | "token-gone"
  | "forbidden"
  | "too-large"
  | "refused"
  | "unauthorized"
  | "transient";

/** Not in discord-api-types: "Invalid Webhook Token", sent for an interaction token after its 15 minutes. */
const INVALID_WEBHOOK_TOKEN = 50027;

const TOKEN_GONE: ReadonlySet<number> = new Set([
  INVALID_WEBHOOK_TOKEN,
  RESTJSONErrorCodes.UnknownInteraction,
  RESTJSONErrorCodes.UnknownMessage,
  RESTJSONErrorCodes.UnknownWebhook,
]);
const TOO_LARGE: ReadonlySet<number> = new Set([
  RESTJSONErrorCodes.RequestEntityTooLarge,
  RESTJSONErrorCodes.FileUploadedExceedsMaximumSize,
]);

export function faultOf(error: unknown): DiscordFault {
  if (error instanceof DiscordAPIError) {
    const code = Number(error.code);
    if (TOKEN_GONE.has(code)) return "token-gone";
    if (TOO_LARGE.has(code) || error.status === 413) return "too-large";
    if (error.status === 401) return "unauthorized";
    if (error.status === 403 || error.status === 404) return "forbidden";
    return error.status === 429 || error.status >= 500 ? "transient" : "refused";
  }
  if (error instanceof HTTPError) return error.status === 413 ? "too-large" : "transient";
  // discord.js forgets its token after a 401 and then fails locally, before any request.
  if (error instanceof Error && error.message.startsWith("Expected token to be set")) return "unauthorized";
  return "transient";
}

/** True if the message that a request is about is not there any more. */
export const isGone = (error: unknown): boolean => faultOf(error) === "token-gone";

/** True if Discord already holds an answer to this interaction: a retried callback whose first try had arrived. */
export const isAlreadyAcknowledged = (error: unknown): boolean =>
  error instanceof DiscordAPIError && error.code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged;
