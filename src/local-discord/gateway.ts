import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { zlibStream } from "./compression.js";
import type { DiscordState, StoreEvent } from "./state.js";
import type { Transcript } from "./transcript.js";
import { ChannelType } from "./types.js";
import {
  channelView,
  guildCreateView,
  interactionView,
  memberView,
  messageEventView,
  userView,
} from "./views.js";

const Op = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  resume: 6,
  reconnect: 7,
  requestMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

/** Gateway close codes (topics/opcodes-and-status-codes). */
const Close = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

const Intent = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildMessageTyping: 1 << 11,
  directMessages: 1 << 12,
  directMessageTyping: 1 << 14,
  messageContent: 1 << 15,
} as const;
const ALL_INTENTS = (1 << 26) - 1;
const PRIVILEGED = Intent.guildMembers | Intent.guildPresences | Intent.messageContent;

const MAX_PAYLOAD_BYTES = 4096;
const SENDS_PER_MINUTE = 120;
const REPLAY_KEPT = 1_000;

const identify = z.looseObject({
  token: z.string(),
  intents: z.int().nonnegative(),
  properties: z.looseObject({}),
  shard: z.tuple([z.int().nonnegative(), z.int().positive()]).optional(),
});
const resume = z.object({ token: z.string(), session_id: z.string(), seq: z.int().nonnegative() });
const requestMembers = z.looseObject({
  guild_id: z.string(),
  query: z.string().optional(),
  limit: z.int().optional(),
  user_ids: z.union([z.string(), z.array(z.string())]).optional(),
  nonce: z.string().max(32).optional(),
});
const payload = z.looseObject({ op: z.int(), d: z.unknown() });

interface Dispatch {
  readonly op: 0;
  readonly t: string;
  readonly s: number;
  readonly d: unknown;
}

/** A moment in which a fault can cut the connection: the server has just sent HELLO, or received IDENTIFY, and so on. */
export type GatewayMoment = "hello" | "identify" | "ready" | "resume" | "resumed" | "interaction";

/** A client broke the protocol: its connection is closed with this code. */
class Violation extends Error {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** What survives a dropped connection: who it was, what it wants, and what it may have missed. */
interface Session {
  readonly id: string;
  readonly intents: number;
  seq: number;
  readonly sent: Dispatch[];
  connection: Connection | null;
  forget: (() => void) | null;
}

interface Connection {
  readonly socket: WebSocket;
  /** Sends one payload, compressed where the client asked for that. */
  readonly write: (text: string) => void;
  session: Session | null;
  lastHeartbeatAt: number;
  sends: number[];
  stopHeartbeatCheck: () => void;
}

/** The gateway: one bot, one shard; store events become dispatches that the session's intents let through. */
export class Gateway {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1 << 20 });
  readonly #sessions = new Map<string, Session>();
  readonly #connections = new Set<Connection>();
  readonly #unsubscribe: () => void;
  #acknowledge = true;
  readonly #drops = new Map<GatewayMoment, number>();
  #refusedResumes = 0;
  #repeats = 0;
  #late: { times: number; delayMs: number } = { times: 0, delayMs: 0 };

  constructor(
    private readonly state: DiscordState,
    private readonly transcript: Transcript,
    private readonly url: () => string,
  ) {
    this.#unsubscribe = state.subscribe((event) => this.#project(event));
  }

  /** Takes over an HTTP upgrade to the gateway's path. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const query = new URL(request.url ?? "/", "ws://local").searchParams;
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, query));
  }

  /** Number of bots connected and identified. */
  get online(): number {
    return [...this.#connections].filter((it) => it.session !== null).length;
  }

  /** Fault: cuts every connection without a closing handshake; sessions stay resumable. */
  dropConnections(): void {
    for (const connection of [...this.#connections]) connection.socket.terminate();
  }

  /** Closes every connection with a code; no session can be resumed. */
  closeConnections(code: number, reason: string): void {
    for (const connection of [...this.#connections]) this.#hangUp(connection, code, reason);
    for (const session of this.#sessions.values()) session.forget?.();
    this.#sessions.clear();
  }

  /** The bot's owner made a new token: what is connected with the old one is thrown out. */
  resetToken(): void {
    this.state.resetToken();
    this.closeConnections(Close.authenticationFailed, "Authentication failed.");
  }

  /** Asks clients to reconnect and resume (op 7). */
  requestReconnect(): void {
    for (const connection of this.#connections) this.#send(connection, { op: Op.reconnect, d: null });
  }

  /** Declares sessions invalid (op 9); unless `resumable`, they are forgotten and clients must identify anew. */
  invalidateSessions(resumable: boolean): void {
    for (const connection of this.#connections) {
      if (connection.session !== null && !resumable) this.#sessions.delete(connection.session.id);
      this.#send(connection, { op: Op.invalidSession, d: resumable });
    }
  }

  /** Fault: whether heartbeats are acknowledged. */
  acknowledgeHeartbeats(acknowledge: boolean): void {
    this.#acknowledge = acknowledge;
  }

  /** Fault: cuts the next `times` connections that come to this moment. */
  dropAt(moment: GatewayMoment, times: number): void {
    this.#drops.set(moment, times);
  }

  /** Fault: the next `times` RESUMEs find their session gone. */
  refuseResumes(times: number): void {
    this.#refusedResumes = times;
  }

  /** Fault: the next `times` interactions are dispatched twice. */
  repeatInteractions(times: number): void {
    this.#repeats = times;
  }

  /** Fault: the next `times` interactions are dispatched `delayMs` late. */
  delayInteractions(delayMs: number, times: number): void {
    this.#late = { times, delayMs };
  }

  close(): void {
    this.#unsubscribe();
    for (const session of this.#sessions.values()) session.forget?.();
    for (const connection of [...this.#connections]) connection.socket.terminate();
    this.#server.close();
  }

  #open(socket: WebSocket, query: URLSearchParams): void {
    if (query.get("v") !== "10") {
      socket.close(Close.invalidVersion, "The local Discord speaks version 10");
      return;
    }
    const compress = query.get("compress");
    if ((query.get("encoding") ?? "json") !== "json" || (compress !== null && compress !== "zlib-stream")) {
      socket.close(Close.decodeError, "The local Discord speaks JSON, plain or as zlib-stream");
      return;
    }
    const compressor = compress === null ? null : zlibStream((bytes) => isOpen(socket) && socket.send(bytes));
    const connection: Connection = {
      socket,
      write: (text) => (compressor === null ? socket.send(text) : compressor.write(text)),
      session: null,
      lastHeartbeatAt: this.state.clock.now(),
      sends: [],
      stopHeartbeatCheck: () => {},
    };
    this.#connections.add(connection);
    this.#watchHeartbeat(connection);
    // A broken connection is reported by "close" too; without a listener "error" would end the process.
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, isBinary) => {
      try {
        this.#receive(connection, data, isBinary);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        this.#hangUp(connection, error.code, error.message);
      }
    });
    socket.on("close", (code) => {
      compressor?.close();
      this.#closed(connection, code);
    });
    this.#send(connection, {
      op: Op.hello,
      d: { heartbeat_interval: this.state.limits.heartbeatMs, _trace: [] },
    });
    this.#dropped(connection, "hello");
  }

  /** True where a fault has cut the connection in this moment. */
  #dropped(connection: Connection | null, moment: GatewayMoment): boolean {
    const times = this.#drops.get(moment) ?? 0;
    if (connection === null || times === 0) return false;
    this.#drops.set(moment, times - 1);
    // What was sent before goes out first, as it does over a real line.
    setImmediate(() => connection.socket.terminate());
    return true;
  }

  #watchHeartbeat(connection: Connection): void {
    const { clock, limits } = this.state;
    const check = () => {
      if (clock.now() - connection.lastHeartbeatAt > limits.heartbeatMs * 2) {
        this.#hangUp(connection, Close.sessionTimedOut, "Session timed out");
        return;
      }
      connection.stopHeartbeatCheck = clock.after(limits.heartbeatMs, check);
    };
    connection.stopHeartbeatCheck = clock.after(limits.heartbeatMs, check);
  }

  /** Ends a connection from this side; it counts as gone at once, whenever the other side confirms. */
  #hangUp(connection: Connection, code: number, reason: string): void {
    connection.socket.close(code, reason);
    this.#closed(connection, code);
  }

  #closed(connection: Connection, code: number): void {
    if (!this.#connections.delete(connection)) return;
    connection.stopHeartbeatCheck();
    const { session } = connection;
    if (session !== null && session.connection === connection) {
      session.connection = null;
      if (code === 1000 || code === 1001) this.#sessions.delete(session.id);
      else
        session.forget = this.state.clock.after(this.state.limits.resumeMs, () =>
          this.#sessions.delete(session.id),
        );
    }
    this.state.setBotOnline(this.online > 0);
  }

  #receive(connection: Connection, data: RawData, isBinary: boolean): void {
    if (!this.#connections.has(connection)) return;
    const text = String(data);
    if (isBinary || text.length > MAX_PAYLOAD_BYTES)
      throw new Violation(Close.decodeError, "Error while decoding payload.");
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new Violation(Close.decodeError, "Error while decoding payload.");
    }
    const parsed = payload.safeParse(json);
    if (!parsed.success) throw new Violation(Close.decodeError, "Error while decoding payload.");
    const { op, d } = parsed.data;
    this.transcript.add({
      kind: "gateway",
      at: this.state.clock.now(),
      from: "bot",
      op,
      event: null,
      data: masked(d),
    });
    const now = this.state.clock.now();
    connection.sends = [...connection.sends.filter((at) => now - at < 60_000), now];
    if (connection.sends.length > SENDS_PER_MINUTE)
      throw new Violation(Close.rateLimited, "You are being rate limited.");
    this.#handle(connection, op, d);
  }

  #handle(connection: Connection, op: number, d: unknown): void {
    switch (op) {
      case Op.heartbeat:
        connection.lastHeartbeatAt = this.state.clock.now();
        if (this.#acknowledge) this.#send(connection, { op: Op.heartbeatAck });
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
        // A presence has no reader here: the page shows who is connected.
        if (op === Op.requestMembers) this.#sendMembers(connection.session, d);
        return;
      default:
        throw new Violation(Close.unknownOpcode, `Unknown opcode ${op} for the local Discord.`);
    }
  }

  #identify(connection: Connection, d: unknown): void {
    if (connection.session !== null)
      throw new Violation(Close.alreadyAuthenticated, "Already authenticated.");
    const form = identify.safeParse(d);
    if (!form.success) throw new Violation(Close.decodeError, "Error while decoding payload.");
    const { token, intents, shard } = form.data;
    if (token !== this.state.token) throw new Violation(Close.authenticationFailed, "Authentication failed.");
    if (shard !== undefined && shard[1] !== 1)
      throw new Violation(Close.invalidShard, "The local Discord has one shard.");
    if ((intents & ~ALL_INTENTS) !== 0) throw new Violation(Close.invalidIntents, "Invalid intent(s).");
    if (!this.state.limits.privilegedIntents && (intents & PRIVILEGED) !== 0) {
      throw new Violation(Close.disallowedIntents, "Disallowed intent(s).");
    }
    if (this.#dropped(connection, "identify")) return;
    const count = this.state.countIdentify();
    if (count === "too-soon") {
      this.#send(connection, { op: Op.invalidSession, d: false });
      return;
    }
    if (count === "reset") {
      this.closeConnections(Close.authenticationFailed, "Authentication failed.");
      return;
    }
    const session: Session = {
      id: randomBytes(16).toString("hex"),
      intents,
      seq: 0,
      sent: [],
      connection,
      forget: null,
    };
    this.#sessions.set(session.id, session);
    connection.session = session;
    const guilds = [...this.state.guilds.values()].filter((guild) => guild.members.has(this.state.bot.id));
    this.#dispatch(session, "READY", {
      v: 10,
      user: { ...userView(this.state.bot), verified: true, mfa_enabled: true, email: null },
      guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: this.url(),
      session_type: "normal",
      private_channels: [],
      ...(shard === undefined ? {} : { shard }),
      application: { id: this.state.applicationId, flags: 0 },
    });
    if (this.#dropped(connection, "ready")) return;
    if ((intents & Intent.guilds) !== 0) {
      for (const guild of guilds) this.#dispatch(session, "GUILD_CREATE", guildCreateView(this.state, guild));
    }
    this.state.setBotOnline(true);
  }

  #resume(connection: Connection, d: unknown): void {
    if (connection.session !== null)
      throw new Violation(Close.alreadyAuthenticated, "Already authenticated.");
    const form = resume.safeParse(d);
    if (!form.success) throw new Violation(Close.decodeError, "Error while decoding payload.");
    if (form.data.token !== this.state.token)
      throw new Violation(Close.authenticationFailed, "Authentication failed.");
    if (this.#dropped(connection, "resume")) return;
    if (this.#refusedResumes > 0) {
      this.#refusedResumes -= 1;
      this.#sessions.delete(form.data.session_id);
    }
    const session = this.#sessions.get(form.data.session_id);
    if (session === undefined) {
      this.#send(connection, { op: Op.invalidSession, d: false });
      return;
    }
    if (form.data.seq > session.seq) throw new Violation(Close.invalidSequence, "Invalid seq.");
    session.connection?.socket.terminate();
    session.forget?.();
    session.forget = null;
    session.connection = connection;
    connection.session = session;
    for (const missed of session.sent) if (missed.s > form.data.seq) this.#send(connection, missed);
    this.#dispatch(session, "RESUMED", { _trace: [] });
    if (this.#dropped(connection, "resumed")) return;
    this.state.setBotOnline(true);
  }

  #sendMembers(session: Session, d: unknown): void {
    const form = requestMembers.safeParse(d);
    if (!form.success) throw new Violation(Close.decodeError, "Error while decoding payload.");
    const guild = this.state.guilds.get(form.data.guild_id);
    const wanted = form.data.user_ids === undefined ? null : [form.data.user_ids].flat();
    const members = [...(guild?.members.values() ?? [])].filter((member) =>
      wanted === null
        ? (this.state.users.get(member.userId)?.username.startsWith(form.data.query ?? "") ?? false)
        : wanted.includes(member.userId),
    );
    const limited = form.data.limit ? members.slice(0, form.data.limit) : members;
    this.#dispatch(session, "GUILD_MEMBERS_CHUNK", {
      guild_id: form.data.guild_id,
      members: limited.map((member) => memberView(this.state, member)),
      chunk_index: 0,
      chunk_count: 1,
      ...(wanted === null
        ? {}
        : { not_found: wanted.filter((id) => !members.some((it) => it.userId === id)) }),
      ...(form.data.nonce === undefined ? {} : { nonce: form.data.nonce }),
    });
  }

  /** The bot's projection of what happens: ephemeral messages never appear on the gateway. */
  #project(event: StoreEvent): void {
    for (const session of this.#sessions.values()) {
      switch (event.type) {
        case "interaction.created":
          this.#deliver(session, interactionView(this.state, event.interaction));
          break;
        case "message.created":
        case "message.updated": {
          const { message } = event;
          if (
            message.visibleTo !== null ||
            !this.#hears(session, message.guildId, Intent.guildMessages, Intent.directMessages)
          )
            break;
          const channel = this.state.channels.get(message.channelId);
          if (channel === undefined || !this.state.canView(channel, this.state.bot.id)) break;
          const name = event.type === "message.created" ? "MESSAGE_CREATE" : "MESSAGE_UPDATE";
          this.#dispatch(session, name, this.#readable(session, messageEventView(this.state, message)));
          break;
        }
        case "message.deleted": {
          const { message } = event;
          if (
            message.visibleTo !== null ||
            !this.#hears(session, message.guildId, Intent.guildMessages, Intent.directMessages)
          )
            break;
          this.#dispatch(session, "MESSAGE_DELETE", {
            id: message.id,
            channel_id: message.channelId,
            ...(message.guildId === null ? {} : { guild_id: message.guildId }),
          });
          break;
        }
        case "typing": {
          const { channel, userId } = event;
          if (!this.#hears(session, channel.guildId, Intent.guildMessageTyping, Intent.directMessageTyping))
            break;
          this.#dispatch(session, "TYPING_START", {
            channel_id: channel.id,
            user_id: userId,
            timestamp: Math.floor(this.state.clock.now() / 1000),
            ...(channel.guildId === null ? {} : { guild_id: channel.guildId }),
          });
          break;
        }
        case "channel.created":
          if (event.channel.type === ChannelType.dm || (session.intents & Intent.guilds) === 0) break;
          this.#dispatch(session, "CHANNEL_CREATE", channelView(this.state, event.channel));
          break;
        default:
          break;
      }
    }
  }

  #deliver(session: Session, interaction: unknown): void {
    const { times, delayMs } = this.#late;
    const send = () => {
      this.#dispatch(session, "INTERACTION_CREATE", interaction);
      if (this.#repeats > 0) {
        this.#repeats -= 1;
        this.#dispatch(session, "INTERACTION_CREATE", interaction);
      }
      this.#dropped(session.connection, "interaction");
    };
    if (times === 0) {
      send();
    } else {
      this.#late = { times: times - 1, delayMs };
      this.state.clock.after(delayMs, send);
    }
  }

  #hears(session: Session, guildId: string | null, inGuild: number, direct: number): boolean {
    return (session.intents & (guildId === null ? direct : inGuild)) !== 0;
  }

  /** Without MESSAGE_CONTENT, other people's messages arrive empty unless they are direct or mention the bot. */
  #readable(session: Session, message: Record<string, unknown>): Record<string, unknown> {
    if ((session.intents & Intent.messageContent) !== 0 || message.guild_id === undefined) return message;
    const author = message.author as { id: string };
    const mentions = message.mentions as { id: string }[];
    const botId = this.state.bot.id;
    if (author.id === botId || mentions.some((it) => it.id === botId)) return message;
    return { ...message, content: "", embeds: [], attachments: [], components: [] };
  }

  #dispatch(session: Session, t: string, d: unknown): void {
    session.seq += 1;
    const dispatch: Dispatch = { op: Op.dispatch, t, s: session.seq, d };
    session.sent.push(dispatch);
    if (session.sent.length > REPLAY_KEPT) session.sent.shift();
    if (session.connection !== null) this.#send(session.connection, dispatch);
  }

  #send(connection: Connection, message: { op: number; d?: unknown; t?: string; s?: number }): void {
    this.transcript.add({
      kind: "gateway",
      at: this.state.clock.now(),
      from: "server",
      op: message.op,
      event: message.t ?? null,
      data: message.d,
    });
    if (isOpen(connection.socket))
      connection.write(JSON.stringify({ s: null, t: null, d: null, ...message }));
  }
}

const isOpen = (socket: WebSocket): boolean => socket.readyState === socket.OPEN;

/** Payload data without the bot's token, for the transcript. */
function masked(d: unknown): unknown {
  return typeof d === "object" && d !== null && "token" in d ? { ...d, token: "…" } : d;
}
