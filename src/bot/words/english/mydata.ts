import { count } from "./parts.js";

/** Answers of `/mydata`, and of every export. */
export const dataLines = {
  exported: (jobs: number, votes: number) =>
    `Stored about you: ${count(jobs, "job")} and ${count(votes, "vote")}.`,
  part: (number: number, isLast: boolean) =>
    isLast ? `Part ${number}, the last one.` : `Part ${number}; the next one follows.`,
  exporting: "Your last export is still being sent. Its files come one after the other.",
  notConfirmed:
    "Nothing was deleted. Use `/mydata erase confirm:True` to delete all that is stored about you and the bot's messages with your results, or add `messages:False` to keep the messages.",
  erased: (jobs: number, stopping: number) =>
    `Deleted: ${count(jobs, "job")} with ${jobs === 1 ? "its" : "their"} pictures, your votes and your settings.${stopping === 0 ? "" : ` ${count(stopping, "running job")} ${stopping === 1 ? "is" : "are"} being stopped and deleted afterwards.`}`,
  messagesKept: "The messages stay. Press Delete under one to remove it.",
  deletingMessages: "The bot's messages with your prompts and results are being deleted.",
  messagesDeleted: (deleted: number, failed: number, later: number) =>
    [
      `${count(deleted, "message")} deleted.`,
      ...(failed === 0
        ? []
        : [
            `${count(failed, "message")} could not be deleted: press Delete under ${failed === 1 ? "it" : "them"}.`,
          ]),
      ...(later === 0 ? [] : [`${count(later, "message")} could not be deleted yet; the bot tries again.`]),
    ].join(" "),
} as const;
