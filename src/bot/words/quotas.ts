import { number } from "./parts.js";

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
