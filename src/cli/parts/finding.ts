/** One thing that `doctor` looked at. */
export interface Finding {
  readonly subject: string;
  /** With `missing` or `broken` the program cannot do its main job; with `note` it can. */
  readonly state: "ok" | "note" | "missing" | "broken";
  readonly found: string;
  /** How to fix it, if anything needs fixing. */
  readonly todo: string | null;
}
