/**
 * The two sides of a pair in drawing order: the picture of the prompt as written, and that of its rewrite.
 */
export const SIDES = ["baseline", "optimized"] as const;
export type Side = (typeof SIDES)[number];

/** One value per side of a pair. */
export type PerSide<T> = Readonly<Record<Side, T>>;
