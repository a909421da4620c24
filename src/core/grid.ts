/** One axis of a grid. */
export interface GridAxis {
  /** What changes along it, such as `steps`. */
  readonly name: string;
  /** Its values in order, as a person writes them. */
  readonly values: readonly string[];
}

/** Whether the cells show texts of several rewriters. */
export const variesRewriters = ({ x, y }: Grid): boolean => x.name === "rewriter" || y?.name === "rewriter";

/** The axes of a grid. Its cells are the items of its job, row by row: `x` goes across, `y` goes down. */
export interface Grid {
  readonly x: GridAxis;
  /** Null for one row of cells. */
  readonly y: GridAxis | null;
}
