import type { Call, Intercept } from "../api/router.js";
import type { GatewayMoment, Interference } from "../gateway/interference.js";
import { ApiError } from "../protocol/errors.js";
import type { Parts } from "../server.js";
import type { Clock } from "../world/clock.js";

export interface RestFault {
  /** Answer with this status instead of running the call; 500 to 599 are retried by discord.js. */
  readonly status?: number;
  /** With status 429: how long the caller is told to wait. */
  readonly retryAfterMs?: number;
  /** Wait this long before answering. */
  readonly delayMs?: number;
  /**
   * Close the connection instead of answering: "before" the call is run, or "after", when it has had its
   * effect and the caller cannot know.
   */
  readonly close?: "before" | "after";
}

interface Planned extends RestFault {
  readonly method: string;
  readonly path: RegExp;
  times: number;
}

/** Trouble on request, for tests: Discord on a bad day. */
export class Faults {
  readonly #gateway: Parts["gateway"];
  readonly #interference: PlannedInterference;
  readonly #planned: Planned[] = [];
  readonly #clock: Clock;

  /** Stands between the server's parts from now on. */
  constructor({ gateway, rest, state }: Pick<Parts, "gateway" | "rest" | "state">) {
    this.#gateway = gateway;
    this.#clock = state.clock;
    this.#interference = new PlannedInterference(state.clock);
    gateway.interference = this.#interference;
    rest.intercept = this.#intercept;
  }

  /**
   * The next `times` REST calls that match are answered with `status`, only after `delayMs`, or not at all
   * (`close`).
   * @param path matched against the path below /api/v10, such as `/\/messages$/`
   */
  onRest(method: string, path: RegExp, fault: RestFault, times = 1): void {
    this.#planned.push({ method, path, times, ...fault });
  }

  /** Takes back the faults of REST calls that were not met yet. */
  clearRest(): void {
    this.#planned.length = 0;
  }

  /** Cuts the bot's gateway connection; its session stays resumable. */
  dropGateway(): void {
    this.#gateway.dropConnections();
  }

  /** Cuts the connection in a moment of its making, or right after an interaction went out, `times` times. */
  dropGatewayAt(moment: GatewayMoment, times = 1): void {
    this.#interference.drops.set(moment, times);
  }

  /** Closes the bot's gateway connection with a code, such as 4014 when its intents were taken away. */
  closeGateway(code: number, reason = ""): void {
    this.#gateway.closeConnections(code, reason);
  }

  /** Makes a new token (`LocalDiscord.token`), as the bot's owner does in the developer portal. */
  resetToken(): void {
    this.#gateway.resetToken();
  }

  /** The next resumes are answered with "invalid session", as after an outage of Discord's. */
  refuseResumes(times = 1): void {
    this.#interference.refusedResumes = times;
  }

  /** The next interactions reach the bot twice. */
  repeatInteractions(times = 1): void {
    this.#interference.repeats = times;
  }

  /** The next interactions reach the bot late. */
  delayInteractions(delayMs: number, times = 1): void {
    this.#interference.late = { times, delayMs };
  }

  /** Op 7. */
  requestReconnect(): void {
    this.#gateway.requestReconnect();
  }

  /** Op 9; not resumable by default. */
  invalidateSession(resumable = false): void {
    this.#gateway.invalidateSessions(resumable);
  }

  /** Stops or restarts the answers to heartbeats; a client that misses one reconnects. */
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

  /** The fault for this call, used up by asking. */
  #take({ method, path }: Call): RestFault | undefined {
    const hit = this.#planned.find((it) => it.times > 0 && it.method === method && it.path.test(path));
    if (hit !== undefined) hit.times -= 1;
    return hit;
  }
}

/** What is to go wrong at the gateway, and how often yet. */
class PlannedInterference implements Interference {
  acknowledge = true;
  refusedResumes = 0;
  repeats = 0;
  late = { times: 0, delayMs: 0 };
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
