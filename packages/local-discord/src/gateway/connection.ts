import type { WebSocket } from "ws";
import type { Transcript } from "../traffic/transcript.js";
import type { Clock } from "../world/clock.js";
import { zlibStream } from "./compression.js";
import { Close, type Payload, Violation } from "./protocol.js";
import type { Line, Session } from "./session.js";

const SENDS_PER_MINUTE = 120;

/** One WebSocket of a bot: sends payloads, compressed on request, and limits what comes in. */
export class Connection implements Line {
  readonly socket: WebSocket;
  /** Null until the bot has identified or resumed. */
  session: Session | null = null;
  readonly #clock: Clock;
  readonly #transcript: Transcript;
  readonly #compressor: ReturnType<typeof zlibStream> | null;
  #lastHeartbeatAt: number;
  #sends: number[] = [];
  #stopWatching: () => void = () => {};

  constructor(socket: WebSocket, compress: boolean, clock: Clock, transcript: Transcript) {
    this.socket = socket;
    this.#clock = clock;
    this.#transcript = transcript;
    this.#compressor = compress ? zlibStream((bytes) => this.#isOpen && socket.send(bytes)) : null;
    this.#lastHeartbeatAt = clock.now();
  }

  send(payload: Payload): void {
    this.#transcript.add({
      kind: "gateway",
      at: this.#clock.now(),
      from: "server",
      op: payload.op,
      event: payload.t ?? null,
      data: payload.d,
    });
    if (!this.#isOpen) return;
    const text = JSON.stringify({ s: null, t: null, d: null, ...payload });
    if (this.#compressor === null) this.socket.send(text);
    else this.#compressor.write(text);
  }

  cut(): void {
    this.socket.terminate();
  }

  /** Counts a payload from the bot. @throws Violation 4008 above 120 a minute */
  countSend(): void {
    const now = this.#clock.now();
    this.#sends = [...this.#sends.filter((at) => now - at < 60_000), now];
    if (this.#sends.length > SENDS_PER_MINUTE)
      throw new Violation(Close.rateLimited, "You are being rate limited.");
  }

  heartbeat(): void {
    this.#lastHeartbeatAt = this.#clock.now();
  }

  /** Calls `missed` when the bot has sent no heartbeat for two intervals. */
  watchHeartbeat(intervalMs: number, missed: () => void): void {
    const check = () => {
      if (this.#clock.now() - this.#lastHeartbeatAt > intervalMs * 2) missed();
      else this.#stopWatching = this.#clock.after(intervalMs, check);
    };
    this.#stopWatching = this.#clock.after(intervalMs, check);
  }

  /** Stops watching heartbeats. */
  stopWatching(): void {
    this.#stopWatching();
  }

  /** Frees the compressor after the socket is closed. */
  dispose(): void {
    this.#compressor?.close();
  }

  get #isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }
}
