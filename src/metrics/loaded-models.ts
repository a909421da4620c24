import type { Events } from "../core/events.js";

/** The picture models that are loaded, and how often one took another's place, counted from events alone. */
export class LoadedModels {
  /** By device, for each has its own. */
  readonly #names = new Map<string, Set<string>>();
  #swaps = 0;

  constructor(events: Events) {
    events
      .on("phase.started", ({ phase, device, checkpoint, replaced }) => {
        if (phase !== "image") return;
        const names = this.#names.get(device) ?? new Set();
        this.#names.set(device, names);
        if (replaced !== undefined) {
          this.#swaps++;
          names.delete(replaced);
        }
        names.add(checkpoint);
      })
      .on("phase.finished", ({ phase, device }) => {
        if (phase === "image") this.#names.delete(device);
      });
  }

  get names(): readonly string[] {
    return [...new Set([...this.#names.values()].flatMap((names) => [...names]))];
  }

  get swaps(): number {
    return this.#swaps;
  }
}
