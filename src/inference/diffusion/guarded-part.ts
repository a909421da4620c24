import type { Device } from "../runtime/device.js";
import { openDevice } from "../runtime/open-device.js";
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
 * Loads a graph under `plan`, which was found for `device`, or under a safer one with what the device's check finds
 * for that.
 */
export const partLoader =
  <Output extends string>(
    { plan, device, cacheDir }: { readonly plan: Plan; readonly device: Device; readonly cacheDir: string },
    load: (plan: Plan, device: Device) => Promise<LoadedPart<Output>["session"]>,
  ): PartLoader<Output> =>
  async (plans) => {
    const first = plans[0] as Plan;
    if (first === plan) return { session: await load(plan, device), plan };
    const checked = await openDevice(device.name, { user: "image", plans, cacheDir });
    // The CPU is not checked.
    const safer = checked.checked?.plan ?? first;
    return { session: await load(safer, checked), plan: safer };
  };

/**
 * One of a checkpoint's graphs, loaded when it is used. If its outputs can't be used, it is loaded under the next
 * safer plan and run again, and stays there: a checkpoint that overflows half precision does so with every picture.
 */
export class GuardedPart<Output extends string> {
  #session: LoadedPart<Output>["session"] | undefined;
  #plan: Plan;
  #wasRedone = false;
  readonly #load: PartLoader<Output>;

  constructor(plan: Plan, load: PartLoader<Output>) {
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
      await this.load();
      const outputs = await (this.#session as LoadedPart<Output>["session"]).run(feeds);
      if (isUsable(outputs, this.#plan) || !(await this.makeSafer())) return outputs;
    }
  }

  /** Loads it, if it is not loaded. */
  async load(): Promise<void> {
    if (this.#session !== undefined) return;
    const { session, plan } = await this.#load([this.#plan, ...saferPlans(this.#plan)]);
    this.#session = session;
    if (plan !== this.#plan) this.#wasRedone = true;
    this.#plan = plan;
  }

  /** Moves to the next safer plan, or one after it if the device is wrong at that; false if there is none. */
  async makeSafer(): Promise<boolean> {
    const [next] = saferPlans(this.#plan);
    if (next === undefined) return false;
    await this.release();
    this.#plan = next;
    this.#wasRedone = true;
    return true;
  }

  /** Whether a safer plan was needed since the last call. */
  takeRedone(): boolean {
    const was = this.#wasRedone;
    this.#wasRedone = false;
    return was;
  }

  /** Frees its memory until it is used again. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}
