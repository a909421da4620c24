import { type Job, linkTo, type Phase } from "../../../core/job.js";
import type { QueueDepth } from "../../../db/queue.js";
import { codeSpan } from "../../discord/markdown.js";
import { errorSentence } from "./errors.js";
import { beginning } from "./history.js";
import { labels } from "./labels.js";
import { count, formatBytes, number } from "./parts.js";

/** The program and the machine that it runs on. */
export interface Machine {
  /** Name and version. */
  readonly program: string;
  readonly node: string;
  readonly platform: string;
  /** The checkpoint of each phase, and the device that last ran it; null before it did. */
  readonly checkpoints: Readonly<Record<Phase, { readonly name: string; readonly device: string | null }>>;
  /** Resident memory of the bot's own process. */
  readonly memoryBytes: number;
}

/** Answers of `/admin`. */
export const adminLines = {
  depth: ({ queued, running, undelivered }: QueueDepth, paused: boolean) =>
    `${paused ? "**Paused.** " : ""}${number(running)} running, ${number(queued)} waiting, ${count(undelivered, "result")} still to be posted.`,
  machine: ({ program, node, platform, checkpoints: { text, image }, memoryBytes }: Machine): string[] => [
    `${program}, Node.js ${node}, ${platform}`,
    `Promptist: ${text.name}${text.device === null ? "" : ` on ${text.device}`}`,
    `Stable Diffusion: ${image.name}${image.device === null ? "" : ` on ${image.device}`}`,
    `Memory of this process: ${formatBytes(memoryBytes)}`,
  ],
  paused: "Paused. Running jobs finish, and no new one starts until `/admin resume`, even after a restart.",
  resumed: "The queue is running again.",
  noneFailed: "There are no failed jobs.",
  moreFailed: (more: number) => `and ${number(more)} more`,
  failed: ({ id, kind, origin, failures }: Job) => {
    const { code = "INTERNAL", context } = failures.at(-1) ?? {};
    return `\`${id}\` ${labels.commands[kind]} by <@${origin.userId}>, ${count(failures.length, "attempt")}: ${code}. ${errorSentence(code, context)}`;
  },
  /** Of a failed job: when, its message, and the beginning of its prompt. */
  failedAt: ({ origin, items, createdAt, finishedAt, delivery }: Job) =>
    `<t:${Math.floor((finishedAt ?? createdAt) / 1000)}:R> · [Open](${linkTo(origin, delivery.messageId)})\n> ${beginning(items[0]?.prompt ?? "")}`,
  notFailed: (id: string) => `There is no failed job ${codeSpan(id)}. \`/admin failed\` lists them.`,
  retried: (id: string) => `Job \`${id}\` is back in the queue.`,
  dropped: (id: string) => `Job \`${id}\` is deleted.`,
} as const;
