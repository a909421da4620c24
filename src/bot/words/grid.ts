import { count, number } from "./parts.js";

/** A grid and its cells. */
export const gridLines = {
  /** `down`: null for a single axis. */
  amount: (pictures: number, across: number, down: number | null) =>
    down === null
      ? `${count(pictures, "picture")} in a grid.`
      : `${count(pictures, "picture")} in a grid, ${number(across)} across and ${number(down)} down.`,
  /** `side`: which of the two texts all cells show. */
  ofRewrite: "All are drawn from the rewrite.",
  choose: "Open one picture: compare or post it",
  compare: "Compare with its rewrite",
  post: "Post it here",
  alt: (prompt: string, axes: string) => `A grid of pictures by ${axes}, for: ${prompt}`,
} as const;
