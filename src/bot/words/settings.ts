import type { ImageOptions } from "../../core/options.js";
import type { SettingName } from "../../core/settings.js";
import { clip } from "../discord/markdown.js";
import { count, listed } from "./parts.js";

/** What each setting means. */
export const settingTexts: Readonly<Record<SettingName, string>> = {
  steps: "denoising steps where a command names none",
  guidance: "guidance where a command names none",
  scheduler: "scheduler where a command names none",
  size: "size of the pictures",
  negative: "negative prompt where a command names none",
  mode: "way of rewriting: beam, greedy or sample",
  maxSteps: "most steps that a command may ask for",
  maxBatch: "most prompts of a file",
  maxPairs: "most pairs of one comparison",
  useRoles: "roles that may use the bot; reset for everyone",
  manageRoles: "roles that may manage settings and other people's jobs",
  blind: "comparisons hide which picture is which until people have voted",
  revealMinutes: "minutes after which a blind vote is revealed",
  strangers: "everyone may press the buttons that draw something new",
  spoiler: "pictures are hidden behind a click",
  flagged: "flagged pictures in age-restricted channels: show, spoiler or withhold; elsewhere never posted",
  unchecked:
    "pictures no safety checker saw: show, spoiler or withhold; `show` needs an age-restricted channel",
  alwaysNegative: "added to every negative prompt",
  refusedWords: "words that no prompt may have",
  ping: "call people when a result that took long is ready",
  preview: "a picture is shown as it forms",
  userLimit: "jobs of one person in line at once; more wait",
  channelLimit: "jobs of the channel in line at once; more wait",
  serverLimit: "jobs of the server in line at once; more wait",
  userCap: "most open jobs of one person here; more are refused",
  channelCap: "most open jobs of the channel; more are refused",
  serverCap: "most open jobs of the server; more are refused",
};

export const settingLines = {
  title: "Settings",
  channel: "This channel",
  server: "This server",
  program: "The bot itself",
  names: "What can be set",
  /** Discord: 100 letters. */
  choice: (name: string, meaning: string) => clip(`${name} · ${meaning}`, 100),
  none: "Nothing; the wider setting holds.",
  entry: (name: string, value: string, by: string, at: number) =>
    `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
  defaults: (image: ImageOptions, mode: string, maxSteps: number) =>
    `${count(image.steps, "step")} of at most ${maxSteps}, guidance ${image.guidance}, ${image.scheduler}, rewriting by ${mode}`,
  set: (name: string, value: string, scope: string) => `\`${name}\` of this ${scope} is now ${value}.`,
  serverWide: (name: string) =>
    `\`${name}\` counts the jobs of the whole server, so one channel can't have its own. Choose the whole server as its scope.`,
  needsAgeRestriction: (name: string, value: string) =>
    `\`${name}\` can be \`${value}\` in age-restricted channels only, and this is none. Use the command in such a channel, or set it for the whole server: it then counts in those channels alone.`,
  all: "everything that is set",
  resetAll: (names: readonly string[], scope: string) =>
    names.length === 0
      ? `Nothing was set for this ${scope}.`
      : `Reset for this ${scope}: ${listed(names.map((name) => `\`${name}\``))}.`,
  reset: (name: string, scope: string, was: boolean) =>
    was
      ? `\`${name}\` of this ${scope} is forgotten; the wider setting holds.`
      : `\`${name}\` was not set for this ${scope}.`,
  pingOn: "You will be called when a result that took long is ready.",
  pingOff: "You will not be called any more; results still come.",
} as const;
