import type { Gateway, GatewayMoment } from "./gateway.js";
import type { RestFault, RestFaults } from "./rest/router.js";

interface Planned extends RestFault {
  readonly method: string;
  readonly path: RegExp;
  times: number;
}

/** Trouble on request, for tests: Discord on a bad day. */
export class Faults implements RestFaults {
  readonly #planned: Planned[] = [];

  constructor(private readonly gateway: Gateway) {}

  /**
   * The next `times` REST calls that match are answered with `status`, only after `delayMs`, or not at all (`close`).
   * @param path matched against the path below /api/v10, such as `/\/messages$/`
   */
  onRest(method: string, path: RegExp, fault: RestFault, times = 1): void {
    this.#planned.push({ method, path, times, ...fault });
  }

  /** Takes back the faults of REST calls that were not met yet. */
  clearRest(): void {
    this.#planned.length = 0;
  }

  take(method: string, path: string): RestFault | undefined {
    const hit = this.#planned.find((it) => it.times > 0 && it.method === method && it.path.test(path));
    if (hit !== undefined) hit.times -= 1;
    return hit;
  }

  /** Cuts the bot's gateway connection; its session stays resumable. */
  dropGateway(): void {
    this.gateway.dropConnections();
  }

  /** Cuts the connection in a moment of its making, or right after an interaction went out, `times` times. */
  dropGatewayAt(moment: GatewayMoment, times = 1): void {
    this.gateway.dropAt(moment, times);
  }

  /** Closes the bot's gateway connection with a code, such as 4014 when its intents were taken away. */
  closeGateway(code: number, reason = ""): void {
    this.gateway.closeConnections(code, reason);
  }

  /** Makes a new token (`LocalDiscord.token`), as the bot's owner does in the developer portal. */
  resetToken(): void {
    this.gateway.resetToken();
  }

  /** The next resumes are answered with "invalid session", as after an outage of Discord's. */
  refuseResumes(times = 1): void {
    this.gateway.refuseResumes(times);
  }

  /** The next interactions reach the bot twice. */
  repeatInteractions(times = 1): void {
    this.gateway.repeatInteractions(times);
  }

  /** The next interactions reach the bot late. */
  delayInteractions(delayMs: number, times = 1): void {
    this.gateway.delayInteractions(delayMs, times);
  }

  /** Op 7. */
  requestReconnect(): void {
    this.gateway.requestReconnect();
  }

  /** Op 9; not resumable by default. */
  invalidateSession(resumable = false): void {
    this.gateway.invalidateSessions(resumable);
  }

  /** Stops or restarts the answers to heartbeats; a client that misses one reconnects. */
  acknowledgeHeartbeats(acknowledge: boolean): void {
    this.gateway.acknowledgeHeartbeats(acknowledge);
  }
}
