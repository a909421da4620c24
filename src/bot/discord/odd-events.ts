import {
  type Client,
  GatewayDispatchEvents,
  GatewayOpcodes,
  SimpleShardingStrategy,
  Status,
} from "discord.js";

/**
 * Called for an event from the gateway that discord.js could not handle, and so dropped. `event` is its name,
 * "other" for one that is not in discord.js' list.
 */
export type OnOddEvent = (event: string, error: unknown) => void;

const KNOWN: ReadonlySet<unknown> = new Set(Object.values(GatewayDispatchEvents));
const nameOf = (event: unknown) => (KNOWN.has(event) ? String(event) : "other");

/** What this file uses of the parts of discord.js (14.28) that take a packet from the socket to its handler. */
interface Shard {
  onMessage(data: unknown, isBinary: boolean): Promise<void>;
  emit(event: "ready", payload: object): void;
}
interface Handlers {
  readonly status: Status;
  handlePacket(
    packet?: { readonly t: unknown; readonly d?: unknown },
    shard?: { readonly status: Status },
  ): boolean;
}
interface Actions {
  readonly actions: { readonly InteractionCreate: { handle(interaction: unknown): void } };
}

/**
 * Connects shards so that an event that can't be handled costs only itself. discord.js handles an event inside
 * the socket's listener, where an exception would be an unhandled rejection and end the process.
 */
export class CarefulStrategy extends SimpleShardingStrategy {
  readonly #onOddEvent: OnOddEvent;

  constructor(manager: ConstructorParameters<typeof SimpleShardingStrategy>[0], onOddEvent: OnOddEvent) {
    super(manager);
    this.#onOddEvent = onOddEvent;
  }

  override async spawn(shardIds: number[]): Promise<void> {
    await super.spawn(shardIds);
    const { shards } = this as unknown as { readonly shards: ReadonlyMap<number, Shard> };
    for (const shard of shards.values()) {
      const onMessage = shard.onMessage.bind(shard);
      shard.onMessage = async (data, isBinary) => {
        try {
          await onMessage(data, isBinary);
        } catch (error) {
          // Without zlib-sync, which is not installed, the gateway sends JSON as text.
          const { op, t } = JSON.parse(String(data)) as { readonly op: unknown; readonly t: unknown };
          // The other payloads open and close the connection: a failure there is one of the connection.
          if (op !== GatewayOpcodes.Dispatch) throw error;
          // The shard still waits for READY, and if destroyed while it waits it would connect again.
          if (t === GatewayDispatchEvents.Ready) shard.emit("ready", {});
          this.#onOddEvent(nameOf(t), error);
        }
      };
    }
  }
}

/**
 * The same for events that discord.js keeps until the client is ready, and then handles in a timer. Interactions don't
 * wait for that once their own connection is ready: the others may take a minute, and Discord waits for 3 s.
 */
export function handleWithCare(client: Client, onOddEvent: OnOddEvent): void {
  const handlers = client.ws as unknown as Handlers;
  const handlePacket = handlers.handlePacket.bind(handlers);
  handlers.handlePacket = (packet, shard) => {
    try {
      const isEarly = handlers.status !== Status.Ready && shard?.status === Status.Ready;
      if (!isEarly || packet?.t !== GatewayDispatchEvents.InteractionCreate)
        return handlePacket(packet, shard);
      (client as unknown as Actions).actions.InteractionCreate.handle(packet.d);
      return true;
    } catch (error) {
      onOddEvent(nameOf(packet?.t), error);
      return false;
    }
  };
}
