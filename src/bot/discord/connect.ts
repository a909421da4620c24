import {
  Client,
  type ClientOptions,
  type CloseEvent,
  DiscordAPIError,
  Events as DiscordEvents,
  GatewayCloseCodes,
  GatewayDispatchEvents,
} from "discord.js";
import { type Backoff, retry } from "../../core/backoff.js";
import { DiscordError, describe } from "../../core/errors.js";
import { CarefulStrategy, handleWithCare, type OnOddEvent } from "./odd-events.js";

export interface ConnectOptions {
  readonly token: string;
  readonly clientOptions: ClientOptions;
  /** Attaches listeners before the client connects. */
  readonly prepare: (client: Client) => void;
  readonly onOddEvent: OnOddEvent;
  readonly backoff: Backoff;
}

/** Gateway closes after which another try cannot help and would use up the day's identifies. */
const FATAL_CLOSES: Readonly<Record<number, string>> = {
  [GatewayCloseCodes.AuthenticationFailed]:
    "Discord does not know this token. Copy the bot's token again from the developer portal into DISCORD_TOKEN.",
  [GatewayCloseCodes.InvalidShard]: "Discord refused the shards of this bot; leave SHARDS at auto.",
  [GatewayCloseCodes.ShardingRequired]:
    "This bot is in too many servers for so few connections: leave SHARDS at auto, or raise it.",
  [GatewayCloseCodes.InvalidAPIVersion]:
    "Discord no longer speaks this version of its protocol; update the bot.",
  [GatewayCloseCodes.InvalidIntents]: "Discord refused the bot's intents as invalid; update the bot.",
  [GatewayCloseCodes.DisallowedIntents]:
    "Discord refused the bot's intents. Enable them for the bot in the developer portal.",
};

/** The error for a gateway close that ends the bot; null for one that discord.js recovers from. */
export function fatalClose(code: number): DiscordError | null {
  const sentence = FATAL_CLOSES[code];
  return sentence === undefined ? null : new DiscordError("DISCORD_REFUSED", sentence);
}

/** A logged-in client. Retries while the network is down; throws DiscordError where that cannot help. */
export function connect(options: ConnectOptions): Promise<Client<true>> {
  return retry(options.backoff, () => connectOnce(options));
}

async function connectOnce({
  token,
  clientOptions,
  prepare,
  onOddEvent,
  backoff: { signal },
}: ConnectOptions): Promise<Client<true>> {
  // A client that failed to log in has destroyed parts of itself, so each try makes a new one.
  let refuse: ((error: DiscordError) => void) | null = null;
  const unreadable = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  const onOdd: OnOddEvent = (event, error) => {
    // Without its first READY the client would wait for ever.
    if (event === GatewayDispatchEvents.Ready && refuse !== null) refuse(unreadableReady(error));
    else onOddEvent(event, error);
  };
  const client = new Client({
    ...clientOptions,
    ws: { buildStrategy: (manager) => new CarefulStrategy(manager, onOdd) },
  });
  handleWithCare(client, onOdd);
  let closedWith: number | null = null;
  client.once(DiscordEvents.ShardDisconnect, ({ code }: CloseEvent) => {
    closedWith = code;
  });
  prepare(client);
  const ready = new Promise((resolve) => client.once(DiscordEvents.ClientReady, resolve));
  try {
    await Promise.race([Promise.all([client.login(token), ready]), unreadable]);
    refuse = null;
  } catch (error) {
    await client.destroy();
    throw loginError(error, closedWith);
  }
  if (signal.aborted) await client.destroy();
  signal.throwIfAborted();
  return client as Client<true>;
}

const unreadableReady = (error: unknown) =>
  new DiscordError(
    "DISCORD_REFUSED",
    `This program can't read how Discord greets it (${describe(error)}); update the bot.`,
    { cause: error },
  );

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

/** A refusal of Discord's API as an error that ends the start; null for a failure that may pass. */
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
