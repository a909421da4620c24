import type { LimitScope } from "../../../core/job.js";

/** Parts of sentences. */

/** "a, b and c" */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** How many numbers a sentence lists. */
const NUMBERS_MAX = 10;

/** "prompt 2", "prompts 2, 3 and 7"; a long list ends with how many more there are. */
export function numbered(prompts: readonly number[]): string {
  const named = prompts.slice(0, NUMBERS_MAX).map(number);
  const more = prompts.length - named.length;
  const names = more === 0 ? named : [...named, `${number(more)} more`];
  return `prompt${prompts.length === 1 ? "" : "s"} ${listed(names)}`;
}

/** Whose jobs a limit counts, before what they have: "you have 3 jobs". */
export const holder = (scope: LimitScope): string =>
  scope === "user" ? "you have" : scope === "channel" ? "this channel has" : "this server has";

/** A duration without a zero after the point, or after the minutes. */
export const about = (ms: number): string =>
  formatDuration(ms)
    .replace(/\.0 s$/, " s")
    .replace(/ 0 s$/, "");

/** 12345 -> `12,345`. */
export const number = (value: number): string => value.toLocaleString("en-US");

/** `1 job`, `2 jobs`. */
export const count = (amount: number, noun: string): string =>
  `${number(amount)} ${noun}${amount === 1 ? "" : "s"}`;

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** 950 -> `950 ms`, 12345 -> `12.3 s`, 185000 -> `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${trim(bytes / 1024)} KiB`;
  return `${trim(bytes / 1024 ** 2)} MiB`;
}

const trim = (value: number): string => value.toFixed(1).replace(/\.0$/, "");
