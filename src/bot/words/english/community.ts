import { count, listed, number } from "./parts.js";

/** What `/style` answers, and what results say of a style; `name` is a name as code. */
export const styleLines = {
  title: "Styles",
  server: "**This server's**",
  yours: "**Yours**",
  presets: "**On every server**",
  noneHere: "None yet: `/style save` adds one, and `/style import` reads a `styles.csv`.",
  without: (negative: string) => `without: ${negative}`,
  more: (styles: number) => `${number(styles)} more: type a part of the name after \`style:\`.`,
  use: "-# `style:` in `/compare`, `/optimize` and `/batch` puts these words around what is drawn. Promptist does not read them.",
  saved: (name: string) => `The style ${name} is saved. Choose it with \`style:\`.`,
  replaced: (name: string) => `The style ${name} was there, and has these words now.`,
  full: (styles: number) =>
    `There are ${count(styles, "style")} already, the most that are kept. Remove one with \`/style remove\`.`,
  removed: (name: string) => `The style ${name} is removed. Results that used it keep its words.`,
  notRemoved: (name: string) => `There is no style ${name} of your own to remove here.`,
  needsWords:
    "A style needs words: for the picture, for what it should not show, or both. `{prompt}` in them stands for the prompt.",
  imported: (added: number, replaced: number) =>
    `${count(added, "style")} added, ${number(replaced)} replaced.`,
  importedTooLong: (names: readonly string[], rest: number) =>
    `Left out, because a text is too long: ${listed(rest === 0 ? names : [...names, `${number(rest)} more`])}.`,
  importedMore: (styles: number) => `Left out, because there is no more room: ${count(styles, "style")}.`,
  /** Among a result's settings. */
  option: (name: string) => `style ${name}`,
  /** Above the words of a result's style. */
  words: "Style",
  /** Above the rewrite with a style's words around it. */
  whole: "With the style",
} as const;

/** What is said of quotas; times are whole minutes, and a day begins at midnight UTC. */
export const quotaLines = {
  title: "**Minutes of the card**",
  /** `at`: seconds since the epoch. */
  user: (left: number, minutes: number, today: number, at: number) =>
    `You have ${number(left)} min left; ${number(today)} were used today. Each day adds ${number(minutes)}, next <t:${at}:R>.`,
  server: (left: number, minutes: number, today: number, at: number) =>
    `This server has ${number(left)} min left; ${number(today)} were used today. Each day adds ${number(minutes)}, next <t:${at}:R>.`,
  scarce: "Little of the card's time is left. What has begun is finished all the same.",
} as const;

/** What is said of a server's gallery. */
export const galleryLines = {
  /** Above a result in the gallery: a mention, and a link to where it was asked for. */
  by: (person: string, link: string) => `By ${person}: ${link}`,
  added: (link: string) => `It is in the gallery: ${link}`,
  there: (link: string) => `It is in the gallery already: ${link}`,
  later: (channel: string) => `It will be in ${channel} as soon as Discord takes it.`,
  none: "This server has no gallery yet. Its managers can choose a channel: `/settings set name:gallery`.",
  pruned: "The pictures are deleted. Redraw them first.",
  withheld: (channel: string) =>
    `${channel} is not age-restricted, and not all of these pictures may be shown there.`,
  forbidden: (channel: string) =>
    `The bot may not post pictures in ${channel}. Managers can give it the permissions View Channel, Send Messages, Embed Links and Attach Files there.`,
} as const;
