import { count } from "./parts.js";

/** Answers of `/mydata`, and of every export. */
export const dataLines = {
  exported: (jobs: number, votes: number) =>
    `${count(jobs, "job")} and ${count(votes, "vote")} of yours are stored.`,
  part: (number: number, isLast: boolean) =>
    isLast ? `Part ${number}, the last one.` : `Part ${number}; the next one follows.`,
  exporting: "Your last export is still being sent. Its files come one after the other.",
  notConfirmed:
    "Nothing was deleted. Use `/mydata erase confirm:True` to delete all that is stored about you.",
  erased: (jobs: number, stopping: number) =>
    `${count(jobs, "job")} of yours with their pictures, your votes and your settings are deleted.${stopping === 0 ? "" : ` ${count(stopping, "running job")} is being stopped; use the command again to delete it.`} Messages in Discord are yours to delete.`,
} as const;
