import type { Events } from "../core/events.js";

/** The picture models that are loaded, and how often one took another's place, counted from events alone. */
export class LoadedModels {
  readonly #names = new Set<string>();
  #swaps = 0;

  constructor(events: Events) {
    events
      .on("phase.started", ({ phase, checkpoint, replaced }) => {
        if (phase !== "image") return;
        if (replaced !== undefined) {
          this.#swaps++;
          this.#names.delete(replaced);
        }
        this.#names.add(checkpoint);
      })
      .on("phase.finished", ({ phase }) => {
        if (phase === "image") this.#names.clear();
      });
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  get swaps(): number {
    return this.#swaps;
  }
}
