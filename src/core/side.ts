/** The two sides of a pair, in the order of drawing: the picture of the plain prompt, and that of its rewrite. */
export const SIDES = ["baseline", "optimized"] as const;
export type Side = (typeof SIDES)[number];

/** One value for each side of a pair. */
export type PerSide<T> = Readonly<Record<Side, T>>;
