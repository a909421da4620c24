import {
  type Client,
  type RESTPostAPIApplicationCommandsJSONBody as CommandJson,
  Events as DiscordEvents,
  GatewayDispatchEvents,
  GatewayIntentBits,
  type GatewayMessageReactionAddDispatchData,
  type Interaction,
  type Message,
  Partials,
  type REST,
  type RESTOptions,
} from "discord.js";
import { atMost, type Backoff, retry } from "../../core/backoff.js";
import { DiscordError } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import { ownersOf } from "./application.js";
import { CommandLinks } from "./command-links.js";
import { connect, fatalClose, refusalOf } from "./connect.js";
import { guarded } from "./guarded.js";
import { DiscordApi } from "./messenger.js";
import { registerCommands } from "./registration.js";

export interface GatewayOptions {
  readonly token: string;
  /** Base of Discord's API without the version; Discord's own by default. */
  readonly apiUrl?: string | undefined;
  readonly cdnUrl?: string | undefined;
  /** Gateway connections, each for its share of the servers; `auto`: as many as Discord advises. */
  readonly shards: "auto" | number;
  /** Asked before each request that changes something (`guarded`). */
  readonly maySend: () => boolean;
  readonly events: Events;
  /** A request that Discord answers later than this fails: one with pictures, and any other. */
  readonly uploadTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** Aborted when the bot stops. */
  readonly signal: AbortSignal;
  /** Discord ended the connection for good, after `connect` had succeeded. */
  readonly onFatal: (error: DiscordError) => void;
}

/**
 * discord.js keeps a queue for each reply's route until a sweep; by default hourly, after thousands of them.
 */
const HANDLER_SWEEP_MS = 10 * 60_000;
const INVALID_REQUESTS_PER_WARNING = 500;
/** The gateway asks for a heartbeat about every 40 s. */
const LATENCY_EVERY_MS = 15_000;
const RECONNECT_MAX_MS = 60_000;
/** How long `close` waits for the gateway's goodbye. */
const GOODBYE_MS = 700;

/**
 * The bot's connection to Discord: the gateway that brings interactions, and the requests that answer them.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #links = new CommandLinks();
  readonly #rest: REST;
  /**
   * Results must get out while the gateway is down and until the very end of `stop`, so their requests have a
   * REST client of their own: the one of discord.js's client loses its token with the connection.
   */
  readonly api: DiscordApi;
  #client: Client<true> | null = null;
  #owners: readonly string[] | null = null;
  #latencyTimer: NodeJS.Timeout | null = null;
  readonly #oddEvents = new Map<string, number>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    const uploads = { ...this.#restOptions(), timeout: options.uploadTimeoutMs };
    this.#rest = this.#links.rest(uploads).setToken(options.token);
    this.#watch(this.#rest);
    this.api = new DiscordApi(this.#rest, this.#links.rest({ ...uploads, retries: 0 }));
  }

  /** Logs in. Waits while the network is down; throws DiscordError where waiting does not help. */
  async connect(
    onInteraction: (interaction: Interaction) => void,
    onDirectMessage: (message: Message) => void,
    onReaction: (reaction: GatewayMessageReactionAddDispatchData) => void,
  ): Promise<{ readonly userTag: string; readonly applicationId: string }> {
    const client = await connect({
      token: this.#options.token,
      clientOptions: {
        ...(this.#options.shards === "auto" ? { shards: "auto" } : { shardCount: this.#options.shards }),
        intents: [
          GatewayIntentBits.Guilds,
          GatewayIntentBits.DirectMessages,
          GatewayIntentBits.GuildMessageReactions,
        ],
        // Channels of direct messages are not known beforehand.
        partials: [Partials.Channel],
        allowedMentions: { parse: [] },
        rest: this.#restOptions(),
      },
      prepare: (fresh) => {
        fresh.rest.clearHandlerSweeper();
        fresh.rest.clearHashSweeper();
        fresh.rest = this.#links.rest(fresh.options.rest);
        this.#listen(fresh);
        fresh.on(DiscordEvents.InteractionCreate, onInteraction);
        fresh.on(DiscordEvents.MessageCreate, onDirectMessage);
        // As it comes: discord.js would keep the message of each for its own event.
        fresh.ws.on(GatewayDispatchEvents.MessageReactionAdd, onReaction);
      },
      onOddEvent: (event, error) => this.#countOdd(event, error),
      backoff: this.#backoff("Discord can't be reached"),
    });
    this.#client = client;
    this.#latencyTimer = setInterval(() => this.#emitLatency(client), LATENCY_EVERY_MS);
    this.#latencyTimer.unref();
    return { userTag: client.user.tag, applicationId: client.application.id };
  }

  /** Null of a server that the bot is not in, or has not heard of yet. */
  serverName(guildId: string): string | null {
    return this.#client?.guilds.cache.get(guildId)?.name ?? null;
  }

  /**
   * Registers the commands where Discord's list differs: in these guilds, or globally without any. From then
   * on messages link to them; not with several guilds, as each has ids of its own.
   */
  register(
    applicationId: string,
    guildIds: readonly string[],
    commands: readonly CommandJson[],
  ): Promise<"unchanged" | "registered"> {
    return retry(this.#backoff("The commands could not be registered"), async () => {
      try {
        return await registerCommands(this.#rest, applicationId, guildIds, commands, (registered) => {
          if (guildIds.length < 2) this.#links.learn(registered);
        });
      } catch (error) {
        throw refusalOf(error) ?? error;
      }
    });
  }

  /** Who owns the application: asked on each call until Discord has answered once. */
  async owners(): Promise<readonly string[]> {
    if (this.#owners === null && this.#client !== null) this.#owners = await ownersOf(this.#client);
    return this.#owners ?? [];
  }

  /** Leaves Discord. */
  async close(): Promise<void> {
    if (this.#latencyTimer !== null) clearInterval(this.#latencyTimer);
    if (this.#client !== null) await atMost(GOODBYE_MS, this.#client.destroy());
    this.#rest.clearHandlerSweeper();
    this.#rest.clearHashSweeper();
  }

  #restOptions(): Partial<RESTOptions> {
    const { apiUrl, cdnUrl, requestTimeoutMs, maySend } = this.#options;
    return {
      makeRequest: guarded(maySend),
      invalidRequestWarningInterval: INVALID_REQUESTS_PER_WARNING,
      timeout: requestTimeoutMs,
      handlerSweepInterval: HANDLER_SWEEP_MS,
      ...(apiUrl === undefined ? {} : { api: apiUrl }),
      ...(cdnUrl === undefined ? {} : { cdn: cdnUrl }),
    };
  }

  #watch(rest: REST): void {
    const { events } = this.#options;
    rest.on("rateLimited", ({ route, timeToReset: ms }) => {
      events.emit("discord.rate-limited", { route, ms });
      log(events, "warn", `Discord's rate limit holds ${route} for ${ms} ms`);
    });
    rest.on("invalidRequestWarning", ({ count }) =>
      log(
        events,
        "warn",
        `Discord refused ${count} requests in ten minutes; at 10000 it locks this address out`,
      ),
    );
  }

  #listen(client: Client): void {
    const { events, onFatal } = this.#options;
    // Without an "error" listener, a listener that throws ends the process.
    client.on(DiscordEvents.Error, (error) =>
      log(events, "error", "The Discord client reported an error", error),
    );
    client.on(DiscordEvents.ShardError, (error) =>
      log(events, "warn", "The gateway connection failed", error),
    );
    client.on(DiscordEvents.Warn, (message) => log(events, "warn", message));
    client.on(DiscordEvents.ShardDisconnect, ({ code }) => {
      const fatal = fatalClose(code);
      // Until `connect` has succeeded, the failed login reports it.
      if (fatal !== null && this.#client !== null) onFatal(fatal);
    });
    this.#watch(client.rest);
  }

  /** Logs the first event of a name, the 10th, the 100th ..., as each press of a button may bring one. */
  #countOdd(event: string, error: unknown): void {
    const { events } = this.#options;
    const count = (this.#oddEvents.get(event) ?? 0) + 1;
    this.#oddEvents.set(event, count);
    events.emit("discord.odd-event", { event });
    if (!/^10*$/.test(String(count))) return;
    log(events, "error", `Left out an event that discord.js can't handle (${event}, number ${count})`, error);
  }

  /** A latency of -1 means that no heartbeat has been answered yet. */
  #emitLatency({ ws: { ping: ms } }: Client): void {
    if (ms >= 0) this.#options.events.emit("discord.latency", { ms });
  }

  #backoff(message: string): Backoff {
    const { events, retryFirstMs, retryMaxMs, signal } = this.#options;
    return {
      firstMs: retryFirstMs,
      maxMs: Math.min(retryMaxMs, RECONNECT_MAX_MS),
      signal,
      onFailure: (error, delayMs) => {
        if (error instanceof DiscordError) throw error;
        log(events, "warn", `${message}; trying again in ${delayMs / 1000} s`, error);
      },
    };
  }
}
