import type { Grid } from "../../../core/grid.js";
import type { Item } from "../../../core/job.js";
import { clip, codeSpan } from "../../discord/markdown.js";
import { count, number } from "./parts.js";

/** A grid and its cells. */
export const gridLines = {
  /** `down`: null for a single axis. */
  amount: (pictures: number, across: number, down: number | null) =>
    down === null
      ? `${count(pictures, "picture")} in a grid.`
      : `${count(pictures, "picture")} in a grid, ${number(across)} across and ${number(down)} down.`,
  ofRewrite: "All are drawn from the rewrite.",
  choose: "Open one picture: compare or post it",
  compare: "Compare with its rewrite",
  post: "Post it here",
  alt: (prompt: string, axes: string) => `A grid of pictures by ${axes}, for: ${prompt}`,
} as const;

/** Letters of an axis' values, and of one value. */
const VALUES_MAX = 300;
const VALUE_MAX = 60;

/** What changes along the axes, which reads the same in every language. */
export const axisLines = ({ x, y }: Grid): string[] => [
  `→ **${x.name}** ${valuesOf(x.values)}`,
  ...(y === null ? [] : [`↓ **${y.name}** ${valuesOf(y.values)}`]),
];

const valuesOf = (values: readonly string[]): string =>
  clip(values.map((value) => codeSpan(clip(shown(value), VALUE_MAX))).join(", "), VALUES_MAX);

/** Such as `steps 10 · guidance 7.5`: the values of one cell. */
export function cellLabel({ x, y }: Grid, { index }: Pick<Item, "index">): string {
  const across = x.values[index % x.values.length] ?? "";
  const down = y?.values[Math.floor(index / x.values.length)] ?? "";
  return [`${x.name} ${shown(across)}`, ...(y === null ? [] : [`${y.name} ${shown(down)}`])].join(" · ");
}

/** An empty text is seen as such. */
const shown = (value: string): string => (value === "" ? '""' : value);
