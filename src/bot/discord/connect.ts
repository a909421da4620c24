import { setTimeout as delay } from "node:timers/promises";
import {
  Client,
  type ClientOptions,
  type CloseEvent,
  DiscordAPIError,
  Events as DiscordEvents,
  GatewayCloseCodes,
} from "discord.js";
import { DiscordError } from "../../core/errors.js";

export interface ConnectOptions {
  readonly token: string;
  readonly clientOptions: ClientOptions;
  /** Attaches listeners before anything can happen. */
  readonly prepare: (client: Client) => void;
  readonly retry: Backoff;
  readonly signal: AbortSignal;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
  readonly onRetry: (error: unknown, delayMs: number) => void;
}

/** Gateway closes after which another try cannot help, and would use up the day's identifies. */
const FATAL_CLOSES: Readonly<Record<number, string>> = {
  [GatewayCloseCodes.AuthenticationFailed]:
    "Discord does not know this token. Copy the bot's token again from the developer portal into DISCORD_TOKEN.",
  [GatewayCloseCodes.InvalidShard]: "Discord refused the shard of this bot.",
  [GatewayCloseCodes.ShardingRequired]:
    "This bot is in too many servers for one connection; it needs sharding.",
  [GatewayCloseCodes.InvalidAPIVersion]:
    "Discord no longer speaks this version of its protocol; update the bot.",
  [GatewayCloseCodes.InvalidIntents]: "Discord refused the bot's intents as invalid; update the bot.",
  [GatewayCloseCodes.DisallowedIntents]:
    "Discord refused the bot's intents. Enable them for the bot in the developer portal.",
};

/** The sentence for a gateway close that ends the bot, or null for one that discord.js mends itself. */
export function fatalClose(code: number): DiscordError | null {
  const sentence = FATAL_CLOSES[code];
  return sentence === undefined ? null : new DiscordError("DISCORD_REFUSED", sentence);
}

/** A logged-in client. Tries again while the network is down; throws DiscordError where that cannot help. */
export function connect(options: ConnectOptions): Promise<Client<true>> {
  return withBackoff(options.retry, options.signal, () => connectOnce(options));
}

async function connectOnce({ token, clientOptions, prepare, signal }: ConnectOptions): Promise<Client<true>> {
  // A client that failed to log in has destroyed parts of itself, so each try has its own.
  const client = new Client(clientOptions);
  let closedWith: number | null = null;
  client.once(DiscordEvents.ShardDisconnect, ({ code }: CloseEvent) => {
    closedWith = code;
  });
  prepare(client);
  try {
    await client.login(token);
  } catch (error) {
    await client.destroy();
    throw loginError(error, closedWith);
  }
  if (!client.isReady()) await new Promise((resolve) => client.once(DiscordEvents.ClientReady, resolve));
  if (signal.aborted) await client.destroy();
  signal.throwIfAborted();
  return client as Client<true>;
}

function loginError(error: unknown, closedWith: number | null): unknown {
  const fatal = closedWith === null ? null : fatalClose(closedWith);
  if (fatal !== null) return new DiscordError(fatal.code, fatal.message, { cause: error });
  // discord.js turns the 401 of the first request into its own error with this code.
  if ((error as { code?: unknown }).code === "TokenInvalid") {
    return new DiscordError("DISCORD_REFUSED", FATAL_CLOSES[GatewayCloseCodes.AuthenticationFailed]!, {
      cause: error,
    });
  }
  return refusalOf(error) ?? error;
}

/** A "no" of Discord's API as an error that ends the start, or null for what may pass. */
export function refusalOf(error: unknown): DiscordError | null {
  if (!(error instanceof DiscordAPIError) || error.status === 429 || error.status >= 500) return null;
  return new DiscordError(
    "DISCORD_REFUSED",
    `Discord refused ${error.method} ${error.url}: ${error.message}`,
    {
      cause: error,
    },
  );
}

/** Runs `task` until it succeeds or throws a DiscordError; waits twice as long after each failure. */
export async function withBackoff<T>(
  backoff: Backoff,
  signal: AbortSignal,
  task: () => Promise<T>,
): Promise<T> {
  for (let delayMs = backoff.firstMs; ; delayMs = Math.min(backoff.maxMs, delayMs * 2)) {
    signal.throwIfAborted();
    try {
      return await task();
    } catch (error) {
      if (error instanceof DiscordError) throw error;
      backoff.onRetry(error, delayMs);
      await delay(delayMs, undefined, { signal });
    }
  }
}
