import { type Plan, saferPlans } from "../runtime/plan.js";
import type { Outputs, Session, Tensor } from "../runtime/session.js";

/** A graph on its device, and how it computes there. */
export interface LoadedPart<Output extends string> {
  readonly session: Pick<Session<Output>, "run" | "release">;
  readonly plan: Plan;
}

/** Loads a graph under the first of these plans that the device computes correctly. */
export type PartLoader<Output extends string> = (plans: readonly Plan[]) => Promise<LoadedPart<Output>>;

/**
 * One of a checkpoint's graphs. If its outputs can't be used, it is loaded under the next safer plan and run
 * again, and stays there: a checkpoint that overflows half precision does so with every picture.
 */
export class GuardedPart<Output extends string> {
  #session: LoadedPart<Output>["session"] | undefined;
  #plan: Plan;
  #wasRedone = false;
  readonly #load: PartLoader<Output>;

  constructor({ session, plan }: LoadedPart<Output>, load: PartLoader<Output>) {
    this.#session = session;
    this.#plan = plan;
    this.#load = load;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Runs the graph under its plan, then under safer ones while `isUsable` refuses its outputs. Returns the last
   * outputs, usable or not.
   * @throws InferenceError like `Session.open` and `Session.run`
   */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    isUsable: (outputs: Outputs<Output>, plan: Plan) => boolean,
  ): Promise<Outputs<Output>> {
    for (;;) {
      // A safer plan may have found no room before; now there may be some.
      if (this.#session === undefined) await this.#loadFrom(this.#plan);
      const outputs = await (this.#session as LoadedPart<Output>["session"]).run(feeds);
      if (isUsable(outputs, this.#plan) || !(await this.makeSafer())) return outputs;
    }
  }

  /** Moves to the next safer plan that the device computes correctly; false if there is none. */
  async makeSafer(): Promise<boolean> {
    const [next] = saferPlans(this.#plan);
    if (next === undefined) return false;
    // Both would hardly fit.
    await this.#session?.release();
    this.#session = undefined;
    this.#plan = next;
    await this.#loadFrom(next);
    return true;
  }

  async #loadFrom(first: Plan): Promise<void> {
    const { session, plan } = await this.#load([first, ...saferPlans(first)]);
    this.#session = session;
    this.#plan = plan;
    this.#wasRedone = true;
  }

  /** Whether a safer plan was needed since the last call. */
  takeRedone(): boolean {
    const was = this.#wasRedone;
    this.#wasRedone = false;
    return was;
  }

  async release(): Promise<void> {
    await this.#session?.release();
  }
}
