import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Transcript } from "../traffic/transcript.js";
import type { DiscordState, StoreEvent } from "../world/state.js";
import { guildCreateView, memberView, userView } from "../world/views.js";
import { Connection } from "./connection.js";
import { type GatewayMoment, type Interference, NO_INTERFERENCE } from "./interference.js";
import { project } from "./projection.js";
import {
  ALL_INTENTS,
  Close,
  decode,
  Intent,
  Op,
  PRIVILEGED_INTENTS,
  received,
  Violation,
} from "./protocol.js";
import { type Line, type Session, Sessions, servesGuild } from "./session.js";

const MAX_PAYLOAD_BYTES = 4096;

/** The gateway for one bot: dispatches the store's events that a session's shard and intents allow. */
export class Gateway {
  /** Faults that a test has planned. */
  interference: Interference = NO_INTERFERENCE;
  readonly #state: DiscordState;
  readonly #transcript: Transcript;
  readonly #url: () => string;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
  readonly #sessions: Sessions;
  readonly #connections = new Set<Connection>();
  readonly #unsubscribe: () => void;

  /** @param url returns the ws:// address that bots connect to */
  constructor(state: DiscordState, transcript: Transcript, url: () => string) {
    this.#state = state;
    this.#transcript = transcript;
    this.#url = url;
    this.#sessions = new Sessions(state.clock, state.limits.resumeMs);
    this.#unsubscribe = state.subscribe((event) => this.#tell(event));
  }

  /** Takes over an HTTP upgrade to the gateway's path; `query` is the request's. */
  upgrade(request: IncomingMessage, query: URLSearchParams, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, query));
  }

  /** Cuts every connection without a closing handshake; sessions can still be resumed. */
  dropConnections(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** Closes every connection with a code; no session can be resumed. */
  closeConnections(code: number, reason: string): void {
    for (const connection of [...this.#connections]) this.#hangUp(connection, code, reason);
    this.#sessions.clear();
  }

  /** Sends every session an event, whatever its intents and whether or not Discord has such an event. */
  dispatch(t: string, d: unknown): void {
    for (const session of this.#sessions) session.dispatch(t, d);
  }

  /** Replaces the token, as the bot's owner would, and closes the connections that use the old one. */
  resetToken(): void {
    this.#state.resetToken();
    this.closeConnections(Close.authenticationFailed, "Authentication failed.");
  }

  /** Asks clients to reconnect and resume (op 7). */
  requestReconnect(): void {
    for (const connection of this.#connections) connection.send({ op: Op.reconnect, d: null });
  }

  /**
   * Declares sessions invalid (op 9); unless `resumable`, they are deleted and clients must identify again.
   */
  invalidateSessions(resumable: boolean): void {
    for (const connection of this.#connections) {
      if (connection.session !== null && !resumable) this.#sessions.end(connection.session.id);
      connection.send({ op: Op.invalidSession, d: resumable });
    }
  }

  close(): void {
    this.#unsubscribe();
    this.#sessions.clear();
    this.dropConnections();
    this.#server.close();
  }

  #open(socket: WebSocket, query: URLSearchParams): void {
    // "close" reports a broken connection too, but without a listener "error" would end the process.
    socket.on("error", () => socket.terminate());
    if (query.get("v") !== "10") {
      socket.close(Close.invalidVersion, "The local Discord speaks version 10");
      return;
    }
    const compress = query.get("compress");
    if ((query.get("encoding") ?? "json") !== "json" || (compress !== null && compress !== "zlib-stream")) {
      socket.close(Close.decodeError, "The local Discord speaks JSON, plain or as zlib-stream");
      return;
    }
    const { clock, limits } = this.#state;
    const connection = new Connection(socket, compress !== null, clock, this.#transcript);
    this.#connections.add(connection);
    connection.watchHeartbeat(limits.heartbeatMs, () =>
      this.#hangUp(connection, Close.sessionTimedOut, "Session timed out"),
    );
    socket.on("message", (data, isBinary) => {
      try {
        this.#receive(connection, data, isBinary);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        this.#hangUp(connection, error.code, error.message);
      }
    });
    socket.on("close", (code) => {
      connection.dispose();
      this.#closed(connection, code);
    });
    connection.send({ op: Op.hello, d: { heartbeat_interval: limits.heartbeatMs, _trace: [] } });
    this.#cut(connection, "hello");
  }

  /** Cuts a connection if a test planned that for this moment; returns whether it did. */
  #cut(line: Line, moment: GatewayMoment): boolean {
    if (!this.interference.cuts(moment)) return false;
    // Earlier payloads go out first, as on a real connection.
    setImmediate(() => line.cut());
    return true;
  }

  /** Closes a connection from this side; it counts as gone at once, whenever the client confirms. */
  #hangUp(connection: Connection, code: number, reason: string): void {
    connection.socket.close(code, reason);
    this.#closed(connection, code);
  }

  #closed(connection: Connection, code: number): void {
    if (!this.#connections.delete(connection)) return;
    connection.stopWatching();
    const { session } = connection;
    if (session?.line === connection) {
      if (code === 1000 || code === 1001) this.#sessions.end(session.id);
      else this.#sessions.leave(session);
    }
    this.#state.setBotOnline([...this.#connections].some((it) => it.session !== null));
  }

  #receive(connection: Connection, data: RawData, isBinary: boolean): void {
    if (!this.#connections.has(connection)) return;
    const text = String(data);
    const { op, d } = decode(
      received.payload,
      isBinary || text.length > MAX_PAYLOAD_BYTES ? undefined : parsed(text),
    );
    const at = this.#state.clock.now();
    this.#transcript.add({ kind: "gateway", at, from: "bot", op, event: null, data: masked(d) });
    connection.countSend();
    switch (op) {
      case Op.heartbeat:
        connection.heartbeat();
        if (this.interference.acknowledges()) connection.send({ op: Op.heartbeatAck });
        return;
      case Op.identify:
        this.#identify(connection, d);
        return;
      case Op.resume:
        this.#resume(connection, d);
        return;
      case Op.presence:
      case Op.requestMembers:
        if (connection.session === null) throw new Violation(Close.notAuthenticated, "Not authenticated.");
        // Presence updates are ignored: the page shows who is connected.
        if (op === Op.requestMembers) this.#sendMembers(connection.session, d);
        return;
      default:
        throw new Violation(Close.unknownOpcode, `Unknown opcode ${op} for the local Discord.`);
    }
  }

  #identify(connection: Connection, d: unknown): void {
    if (connection.session !== null)
      throw new Violation(Close.alreadyAuthenticated, "Already authenticated.");
    const { token, intents, shard = [0, 1] as const } = decode(received.identify, d);
    if (token !== this.#state.token)
      throw new Violation(Close.authenticationFailed, "Authentication failed.");
    if (shard[0] >= shard[1]) throw new Violation(Close.invalidShard, "Invalid shard.");
    const { bot, applicationId } = this.#state;
    const guilds = [...this.#state.guilds.values()].filter(
      (guild) => guild.members.has(bot.id) && servesGuild(shard, guild.id),
    );
    if (guilds.length > this.#state.limits.guildsPerShard)
      throw new Violation(Close.shardingRequired, "Sharding required.");
    if ((intents & ~ALL_INTENTS) !== 0) throw new Violation(Close.invalidIntents, "Invalid intent(s).");
    if (!this.#state.limits.privilegedIntents && (intents & PRIVILEGED_INTENTS) !== 0) {
      throw new Violation(Close.disallowedIntents, "Disallowed intent(s).");
    }
    if (this.#cut(connection, "identify")) return;
    const count = this.#state.countIdentify();
    if (count === "too-soon") {
      connection.send({ op: Op.invalidSession, d: false });
      return;
    }
    if (count === "reset") {
      this.closeConnections(Close.authenticationFailed, "Authentication failed.");
      return;
    }
    const session = this.#sessions.start(intents, shard);
    session.line = connection;
    connection.session = session;
    const ready = {
      v: 10,
      user: { ...userView(bot), verified: true, mfa_enabled: true, email: null },
      guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: this.#url(),
      session_type: "normal",
      private_channels: [],
      shard,
      application: { id: applicationId, flags: 0 },
    };
    session.dispatch("READY", this.interference.ready(ready));
    if (this.#cut(connection, "ready")) return;
    if ((intents & Intent.guilds) !== 0) {
      for (const guild of guilds) session.dispatch("GUILD_CREATE", guildCreateView(this.#state, guild));
    }
    this.#state.setBotOnline(true);
  }

  #resume(connection: Connection, d: unknown): void {
    if (connection.session !== null)
      throw new Violation(Close.alreadyAuthenticated, "Already authenticated.");
    const { token, session_id: id, seq } = decode(received.resume, d);
    if (token !== this.#state.token)
      throw new Violation(Close.authenticationFailed, "Authentication failed.");
    if (this.#cut(connection, "resume")) return;
    if (this.interference.refusesResume()) this.#sessions.end(id);
    const session = this.#sessions.get(id);
    if (session === undefined) {
      connection.send({ op: Op.invalidSession, d: false });
      return;
    }
    if (seq > session.seq) throw new Violation(Close.invalidSequence, "Invalid seq.");
    this.#sessions.resume(session, connection);
    connection.session = session;
    session.replay(seq);
    session.dispatch("RESUMED", { _trace: [] });
    if (this.#cut(connection, "resumed")) return;
    this.#state.setBotOnline(true);
  }

  #sendMembers(session: Session, d: unknown): void {
    const form = decode(received.requestMembers, d);
    const guild = this.#state.guilds.get(form.guild_id);
    const wanted = form.user_ids === undefined ? null : [form.user_ids].flat();
    const members = [...(guild?.members.values() ?? [])].filter((member) =>
      wanted === null
        ? (this.#state.users.get(member.userId)?.username.startsWith(form.query ?? "") ?? false)
        : wanted.includes(member.userId),
    );
    const limited = form.limit ? members.slice(0, form.limit) : members;
    session.dispatch("GUILD_MEMBERS_CHUNK", {
      guild_id: form.guild_id,
      members: limited.map((member) => memberView(this.#state, member)),
      chunk_index: 0,
      chunk_count: 1,
      ...(wanted === null
        ? {}
        : { not_found: wanted.filter((id) => !members.some((it) => it.userId === id)) }),
      ...(form.nonce === undefined ? {} : { nonce: form.nonce }),
    });
  }

  #tell(event: StoreEvent): void {
    for (const session of this.#sessions) {
      if (!servesGuild(session.shard, guildOf(event))) continue;
      const told = project(event, this.#state, session.intents);
      if (told === null) continue;
      const send = () => session.dispatch(told.t, told.d);
      if (event.type !== "interaction.created") send();
      else
        this.interference.deliver(() => {
          send();
          if (session.line !== null) this.#cut(session.line, "interaction");
        });
    }
  }
}

/** The guild where an event happens; null for direct messages, and for what no bot is told. */
function guildOf(event: StoreEvent): string | null {
  if ("message" in event) return event.message.guildId;
  if ("channel" in event) return event.channel.guildId;
  return "interaction" in event ? event.interaction.guildId : null;
}

/** Parses JSON; undefined if the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Payload data without the bot's token, for the transcript. */
function masked(d: unknown): unknown {
  return typeof d === "object" && d !== null && "token" in d ? { ...d, token: "…" } : d;
}
