import type { Events } from "../core/events.js";
import { logEvents } from "./log.js";

const LINES = 50;
const CHARACTERS = 400;

export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/**
 * Keeps the last lines that the log of level "info" has, whatever the log itself shows. Each line is cut
 * after it is redacted, so that no half of a secret is left. Returns them, oldest first.
 */
export function recentLog(events: Events, redact: (text: string) => string): () => readonly LogLine[] {
  const lines: LogLine[] = [];
  const write = (json: string) => {
    const { time, level, msg, job, reason } = JSON.parse(json) as {
      time: string;
      level: LogLine["level"];
      msg: string;
      job?: string;
      reason?: string;
    };
    const text = [job, msg, reason && `(${reason})`].filter(Boolean).join(" ");
    const cut = text.length > CHARACTERS ? `${text.slice(0, CHARACTERS - 1)}…` : text;
    lines.push({ at: Date.parse(time), level, text: cut });
    if (lines.length > LINES) lines.shift();
    return true;
  };
  logEvents(events, "info", { write, pretty: false, redact });
  return () => [...lines];
}
