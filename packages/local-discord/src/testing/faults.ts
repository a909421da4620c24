import type { Call, Intercept } from "../api/router.js";
import type { GatewayMoment, Interference } from "../gateway/interference.js";
import { ApiError } from "../protocol/errors.js";
import type { Parts } from "../server.js";
import type { Clock } from "../world/clock.js";

export interface RestFault {
  /** Answers with this status instead of running the call; discord.js retries 500 to 599. */
  readonly status?: number;
  /** With status 429: how long the caller must wait. */
  readonly retryAfterMs?: number;
  /** Waits this long before answering. */
  readonly delayMs?: number;
  /**
   * Closes the connection instead of answering: "before" the call runs, or "after" it took effect, so that
   * the caller cannot know.
   */
  readonly close?: "before" | "after";
}

interface Planned extends RestFault {
  readonly method: string;
  readonly path: RegExp;
  times: number;
}

/** Plans faults, for tests: Discord on a bad day. */
export class Faults {
  readonly #gateway: Parts["gateway"];
  readonly #interference: PlannedInterference;
  readonly #planned: Planned[] = [];
  readonly #clock: Clock;

  /** Installs itself between the server's parts. */
  constructor({ gateway, rest, state }: Pick<Parts, "gateway" | "rest" | "state">) {
    this.#gateway = gateway;
    this.#clock = state.clock;
    this.#interference = new PlannedInterference(state.clock);
    gateway.interference = this.#interference;
    rest.intercept = this.#intercept;
  }

  /**
   * Answers the next `times` matching REST calls with `status`, only after `delayMs`, or not at all
   * (`close`).
   * @param path matched against the path below /api/v10, such as `/\/messages$/`
   */
  onRest(method: string, path: RegExp, fault: RestFault, times = 1): void {
    this.#planned.push({ method, path, times, ...fault });
  }

  /** Cancels planned faults of REST calls that have not happened yet. */
  clearRest(): void {
    this.#planned.length = 0;
  }

  /** Cuts the bot's gateway connection; its session can still be resumed. */
  dropGateway(): void {
    this.#gateway.dropConnections();
  }

  /**
   * Cuts the next `times` connections at this moment of connecting, or right after an interaction is sent.
   */
  dropGatewayAt(moment: GatewayMoment, times = 1): void {
    this.#interference.drops.set(moment, times);
  }

  /** Closes the bot's gateway connection with a code, such as 4014 for intents that were revoked. */
  closeGateway(code: number, reason = ""): void {
    this.#gateway.closeConnections(code, reason);
  }

  /** Makes a new token (`LocalDiscord.token`), as the bot's owner does in the developer portal. */
  resetToken(): void {
    this.#gateway.resetToken();
  }

  /** Answers the next resumes with "invalid session", as after an outage of Discord. */
  refuseResumes(times = 1): void {
    this.#interference.refusedResumes = times;
  }

  /** Delivers the next interactions to the bot twice. */
  repeatInteractions(times = 1): void {
    this.#interference.repeats = times;
  }

  /** Delivers the next interactions to the bot late. */
  delayInteractions(delayMs: number, times = 1): void {
    this.#interference.late = { times, delayMs };
  }

  /** Sends the bot an event that may be malformed or unknown. */
  sendEvent(name: string, data: unknown): void {
    this.#gateway.dispatch(name, data);
  }

  /** Changes what every READY holds from now on. */
  changeReady(change: (ready: object) => unknown): void {
    this.#interference.changeReady = change;
  }

  /** Asks the bot to reconnect (op 7). */
  requestReconnect(): void {
    this.#gateway.requestReconnect();
  }

  /** Declares the bot's session invalid (op 9); not resumable by default. */
  invalidateSession(resumable = false): void {
    this.#gateway.invalidateSessions(resumable);
  }

  /** Stops or restarts acknowledging heartbeats; a client that misses an acknowledgement reconnects. */
  acknowledgeHeartbeats(acknowledge: boolean): void {
    this.#interference.acknowledge = acknowledge;
  }

  readonly #intercept: Intercept = async (call) => {
    const fault = this.#take(call);
    if (fault === undefined) return call.run();
    const { delayMs, status, close } = fault;
    if (delayMs !== undefined) await new Promise<void>((done) => this.#clock.after(delayMs, done));
    if (status === 429) {
      const seconds = (fault.retryAfterMs ?? 1_000) / 1_000;
      return {
        status,
        body: { message: "You are being rate limited.", retry_after: seconds, global: false },
        headers: { "Retry-After": String(Math.ceil(seconds)), "X-RateLimit-Scope": "shared" },
      };
    }
    if (status !== undefined) throw new ApiError(status, 0, `${status}: requested fault`);
    if (close === "before") {
      await call.read();
      return { status: 0, body: null, hangUp: true };
    }
    const answer = await call.run();
    return close === "after" ? { ...answer, hangUp: true } : answer;
  };

  /** Takes the planned fault for this call; each is used once. */
  #take({ method, path }: Call): RestFault | undefined {
    const hit = this.#planned.find((it) => it.times > 0 && it.method === method && it.path.test(path));
    if (hit !== undefined) hit.times -= 1;
    return hit;
  }
}

/** Gateway faults still to happen, and how often. */
class PlannedInterference implements Interference {
  acknowledge = true;
  refusedResumes = 0;
  repeats = 0;
  late = { times: 0, delayMs: 0 };
  changeReady: (ready: object) => unknown = (ready) => ready;
  readonly drops = new Map<GatewayMoment, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  cuts(moment: GatewayMoment): boolean {
    const times = this.drops.get(moment) ?? 0;
    if (times === 0) return false;
    this.drops.set(moment, times - 1);
    return true;
  }

  acknowledges(): boolean {
    return this.acknowledge;
  }

  refusesResume(): boolean {
    if (this.refusedResumes === 0) return false;
    this.refusedResumes -= 1;
    return true;
  }

  ready(data: object): unknown {
    return this.changeReady(data);
  }

  deliver(send: () => void): void {
    const sendOften = () => {
      send();
      if (this.repeats === 0) return;
      this.repeats -= 1;
      send();
    };
    const { times, delayMs } = this.late;
    if (times === 0) {
      sendOften();
      return;
    }
    this.late = { times: times - 1, delayMs };
    this.#clock.after(delayMs, sendOften);
  }
}
