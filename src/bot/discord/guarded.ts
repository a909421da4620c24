import { DefaultRestOptions, type RESTOptions } from "discord.js";
import { QueueError } from "../../core/errors.js";

/** Discord takes one answer to an interaction, so whoever gives it overwrites nothing. */
const ANSWERS = /\/interactions\/\d+\/[^/]+\/callback/;

/**
 * Makes Discord's requests, and refuses those that change something while `maySend` answers no. It is asked as the
 * request leaves, after all that it waited for, so a program that was frozen overwrites nothing of the one that works in
 * its place. Refused requests throw a QueueError, which counts as one that may succeed later.
 */
export function guarded(maySend: () => boolean): RESTOptions["makeRequest"] {
  return async (url, init) => {
    if (init.method !== "GET" && !ANSWERS.test(url) && !maySend())
      throw new QueueError(
        "QUEUE_UNREACHABLE",
        "Another bot may have the database, so this one sends nothing until it knows.",
      );
    return DefaultRestOptions.makeRequest(url, init);
  };
}
