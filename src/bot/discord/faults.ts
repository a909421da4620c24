import { DiscordAPIError, HTTPError, RESTJSONErrorCodes } from "discord.js";

/**
 * What the error of a request means for its sender:
 * - `token-gone`: the reply can no longer be edited, but the channel may take a message;
 * - `forbidden`: we may not write there, or it is gone, and waiting does not help;
 * - `too-large`: the files are larger than the channel takes;
 * - `refused`: Discord read the message and does not accept it as it is;
 * - `unauthorized`: the bot's own token is no longer valid;
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

/** True if the request's message no longer exists. */
export const isGone = (error: unknown): boolean => faultOf(error) === "token-gone";

/**
 * True if Discord already has an answer to this interaction, so the first try of a retried callback arrived.
 */
export const isAlreadyAcknowledged = (error: unknown): boolean =>
  error instanceof DiscordAPIError && error.code === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged;
