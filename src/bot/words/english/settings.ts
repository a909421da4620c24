import { type ImageOptions, promptModeOf } from "../../../core/options.js";
import type { SettingName } from "../../../core/settings.js";
import { clip } from "../../discord/markdown.js";
import { count, listed, number } from "./parts.js";

/** What each setting means. */
export const settingTexts: Readonly<Record<SettingName, string>> = {
  steps: "default number of denoising steps",
  guidance: "default guidance",
  scheduler: "default sampling method",
  size: "default size of the pictures",
  negative: "default negative prompt",
  prompts: "how prompts are read: diffusers, or weighted (brackets weigh words)",
  mode: "default search for a rewrite: beam, greedy or sample",
  rewriter: "what rewrites prompts: promptist, magicprompt or none",
  against: "what pairs compare with in place of the prompt as written: promptist, magicprompt or none",
  model: "default model",
  models: "models that people can choose, with commas; reset it to offer all",
  loras: "LoRAs that people can use, with commas; reset it to offer all",
  adultModels: "models and LoRAs for age-restricted channels only, with commas",
  upscaler: "what Enlarge makes pictures larger with: an upscaler, or lanczos",
  style: "default style",
  speed: "default speed: full, fast or turbo",
  maxSteps: "most steps that people can ask for",
  maxBatch: "most prompts in a file",
  maxPairs: "most pairs in one comparison",
  maxCells: "most pictures in one grid",
  useRoles: "roles that can use the bot; reset it to let everyone in",
  manageRoles: "roles that can manage settings and other people's jobs",
  blind: "comparisons hide which picture is which until people have voted",
  revealMinutes: "minutes until a blind vote is revealed",
  strangers: "everyone can press the buttons that draw something new",
  spoiler: "pictures are hidden behind a click",
  gallery: "channel that favourites are posted in",
  flagged: "flagged pictures in age-restricted channels: show, spoiler or withhold (never elsewhere)",
  unchecked: "pictures no safety checker has seen: show (age-restricted only), spoiler or withhold",
  reaction: "emoji that puts a result into the gallery; off for none",
  alwaysNegative: "added to every negative prompt",
  refusedWords: "words that are not allowed in prompts",
  ping: "ping people when a slow result is ready",
  taste: "rewrites are chosen by what this server's blind votes like",
  preview: "show the picture while it is being drawn",
  userLimit: "jobs that one person can have in the queue at once; more wait outside",
  channelLimit: "jobs that the channel can have in the queue at once; more wait outside",
  serverLimit: "jobs that the server can have in the queue at once; more wait outside",
  userMinutes: "minutes of the card that one person has a day on this server",
  serverMinutes: "minutes of the card that the server has a day",
  freeRoles: "roles without these minutes' limits",
  userCap: "open jobs that one person can have here; more are refused",
  channelCap: "open jobs that the channel can have; more are refused",
  serverCap: "open jobs that the server can have; more are refused",
};

export const settingLines = {
  title: "Settings",
  channel: "This channel",
  server: "This server",
  program: "The bot itself",
  names: "What can be set",
  more: (settings: number) =>
    `-# \`/settings show all:True\` tells what the ${count(settings, "setting")} mean.`,
  /** Discord: 100 letters. */
  choice: (name: string, meaning: string) => clip(`${name} · ${meaning}`, 100),
  none: (falls: "to the server" | "to the bot") =>
    `Nothing is set here (${falls === "to the server" ? "the server's settings" : "the bot's defaults"} apply).`,
  entry: (name: string, value: string, by: string, at: number) =>
    `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
  defaults: (image: ImageOptions, mode: string, maxSteps: number) =>
    `${count(image.steps, "step")} (at most ${number(maxSteps)}), guidance ${image.guidance}, ${image.scheduler}, mode ${mode}, ${promptModeOf(image)} prompts`,
  set: (name: string, value: string, scope: string) => `\`${name}\` is now ${value} for this ${scope}.`,
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
      ? `\`${name}\` is reset for this ${scope}. ${scope === "channel" ? "The server's setting or the bot's default applies." : "The bot's default applies."}`
      : `\`${name}\` was not set for this ${scope}.`,
  pingOn: "You will get a ping when a slow result is ready.",
  pingOff: "You will get no more pings. Your results are still posted.",
} as const;
