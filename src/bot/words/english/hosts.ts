import { about, formatBytes, listed, number } from "./parts.js";

/** What `/admin hosts` says, and `/admin pause` and `/admin resume` of one host. Names come as code. */
export const hostLines = {
  none: "No host is known yet.",
  roles: { both: "bot and worker", bot: "bot", worker: "worker" },
  heard: (ms: number) => `heard of ${about(ms)} ago`,
  silent: (ms: number) => `**not heard of for ${about(ms)}**`,
  stopped: (at: number) => `stopped <t:${at}:R>`,
  paused: "**paused**",
  waiting: "waits as the standby",
  otherVersion: (version: string) => `**${version}, another version than this bot's**`,
  otherPictures: "**keeps its pictures in another store than this bot**",
  idle: "waits for work",
  text: (job: string) => `rewrites for job ${job}`,
  image: (job: string) => `draws for job ${job}`,
  loaded: (models: readonly string[], bytes: number) =>
    `${listed(models)} loaded${bytes === 0 ? "" : ` (${formatBytes(bytes)})`}`,
  setAside: (why: string) => `**set aside**: ${why}`,
  offers: (names: readonly string[], more: number) =>
    `has ${listed(more === 0 ? names : [...names, `${number(more)} more`])}`,
  more: (hosts: number) => `and ${number(hosts)} more`,
  hostPaused: (host: string) =>
    `${host} is paused. It finishes what it is at and takes no other job until \`/admin resume\` with its name, even after a restart.`,
  hostResumed: (host: string) => `${host} takes jobs again.`,
  unknown: (host: string) => `There is no host ${host}. \`/admin hosts\` lists them.`,
} as const;
