import { createInflate } from "node:zlib";
import { type Client, Events, GatewayIntentBits } from "discord.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  type LocalDiscord,
  type LocalDiscordOptions,
  startLocalDiscord,
  VirtualClock,
} from "../src/testing/index.js";
import { connect } from "./support/sample-bot.js";

let local: LocalDiscord;
const clients: Client[] = [];
const sockets: WebSocket[] = [];

beforeEach(async () => {
  local = await startLocalDiscord();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const client of clients.splice(0)) await client.destroy();
  expect(await local.spec?.check(true)).toEqual([]);
  await local.close();
});

async function restart(options: LocalDiscordOptions): Promise<void> {
  await local.close();
  local = await startLocalDiscord(options);
}

async function bot(...[extra]: [Parameters<typeof connect>[1]?]): Promise<Client<true>> {
  const client = await connect(local, extra);
  clients.push(client);
  return client;
}

const once = (client: Client, event: string): Promise<unknown[]> =>
  new Promise((resolve) => client.once(event, (...values: unknown[]) => resolve(values)));

/** A bare connection: a reader that waits for payloads, and how the connection was closed. */
function raw(query = "?v=10&encoding=json") {
  const socket = new WebSocket(`${local.url.replace("http", "ws")}/gateway${query}`);
  sockets.push(socket);
  const queue: { op: number; t: string | null; s: number | null; d: never }[] = [];
  const readers: (() => void)[] = [];
  socket.on("message", (data) => {
    queue.push(JSON.parse(String(data)));
    readers.shift()?.();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  socket.on("error", () => {});
  return {
    socket,
    closed,
    send: (op: number, d: unknown) => socket.send(JSON.stringify({ op, d })),
    next: async () => {
      if (queue.length === 0) await new Promise<void>((resolve) => readers.push(resolve));
      return queue.shift()!;
    },
  };
}
const identity = (token: string, more: object = {}) => ({ token, intents: 1, properties: {}, ...more });

test("a dropped connection resumes, and missed events are replayed", async () => {
  const client = await bot();
  const resumed = once(client, Events.ShardResume);
  const seen: string[] = [];
  client.on(Events.MessageCreate, (message) => seen.push(message.content));
  local.faults.dropGateway();
  local.member("alice").say("said while you were away");
  await resumed;
  expect(seen).toEqual(["said while you were away"]);
  expect(local.transcript.gateway().filter((it) => it.from === "bot" && it.op === 6).length).toBe(1);
  expect(local.transcript.gateway("READY").length).toBe(1);
});

test("RECONNECT makes the client resume", async () => {
  const client = await bot();
  const resumed = once(client, Events.ShardResume);
  local.faults.requestReconnect();
  await resumed;
  expect(local.transcript.gateway("RESUMED").length).toBe(1);
});

test("an invalid session makes the client identify again", async () => {
  const client = await bot({
    ws: { buildIdentifyThrottler: () => ({ waitForIdentify: async () => {} }) } as never,
  });
  const ready = once(client, Events.ShardReady);
  local.faults.invalidateSession();
  await ready;
  expect(local.transcript.gateway("READY").length).toBe(2);
});

test("a wrong token is refused with 4004 and login rejects", async () => {
  const token = local.token;
  const fake = { ...local, token: "wrong.token.here" };
  await expect(connect(fake)).rejects.toThrow();
  const connection = raw();
  await connection.next();
  connection.send(2, identity(`${token}x`));
  expect(await connection.closed).toBe(4004);
});

test("sends HELLO and acknowledges heartbeats", async () => {
  const connection = raw();
  expect(await connection.next()).toMatchObject({ op: 10, d: { heartbeat_interval: 41_250 } });
  connection.send(1, null);
  expect(await connection.next()).toMatchObject({ op: 11 });
});

test("sequence numbers rise by one, and resuming from one replays exactly the later events", async () => {
  const first = raw();
  await first.next();
  first.send(2, identity(local.token, { intents: 1 | (1 << 9) }));
  const ready = await first.next();
  const sessionId = (ready.d as { session_id: string }).session_id;
  expect([ready.t, ready.s, (await first.next()).s]).toEqual(["READY", 1, 2]);
  for (const text of ["a", "b", "c"]) local.member("bob").say(text);
  first.socket.terminate();
  await first.closed;
  const second = raw();
  await second.next();
  second.send(6, { token: local.token, session_id: sessionId, seq: 3 });
  const replayed = [await second.next(), await second.next(), await second.next()];
  expect(replayed.map((it) => [it.t, it.s])).toEqual([
    ["MESSAGE_CREATE", 4],
    ["MESSAGE_CREATE", 5],
    ["RESUMED", 6],
  ]);
});

test.each([
  ["not JSON", 4002, (it: ReturnType<typeof raw>) => it.socket.send("{")],
  ["an unknown opcode", 4001, (it: ReturnType<typeof raw>) => it.send(99, null)],
  ["a presence before IDENTIFY", 4003, (it: ReturnType<typeof raw>) => it.send(3, {})],
  ["too much", 4002, (it: ReturnType<typeof raw>) => it.send(1, "x".repeat(5000))],
  [
    "unknown intents",
    4013,
    (it: ReturnType<typeof raw>) => it.send(2, identity(local.token, { intents: 2 ** 31 })),
  ],
  [
    "a third shard of two",
    4010,
    (it: ReturnType<typeof raw>) => it.send(2, identity(local.token, { shard: [2, 2] })),
  ],
  [
    "IDENTIFY twice",
    4005,
    (it: ReturnType<typeof raw>) => {
      it.send(2, identity(local.token));
      it.send(2, identity(local.token));
    },
  ],
  [
    "121 sends in a minute",
    4008,
    (it: ReturnType<typeof raw>) => Array.from({ length: 121 }, () => it.send(1, null)),
  ],
])("%s closes with %i", async (_name, code, act) => {
  const connection = raw();
  await connection.next();
  act(connection);
  expect(await connection.closed).toBe(code);
});

test("an unsupported version closes with 4012, and an unknown session is invalid", async () => {
  expect(await raw("?v=6&encoding=json").closed).toBe(4012);
  const connection = raw();
  await connection.next();
  connection.send(6, { token: local.token, session_id: "gone", seq: 1 });
  expect(await connection.next()).toMatchObject({ op: 9, d: false });
});

test("zlib-stream: one deflate stream for the whole connection", async () => {
  const socket = new WebSocket(
    `${local.url.replace("http", "ws")}/gateway?v=10&encoding=json&compress=zlib-stream`,
  );
  sockets.push(socket);
  const inflate = createInflate();
  let text = "";
  const payloads = new Promise<string[]>((resolve) => {
    inflate.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.includes('"t":"GUILD_CREATE"')) resolve([...text.matchAll(/"op":(\d+)/g)].map((it) => it[1]!));
    });
  });
  let identified = false;
  socket.on("message", (data: Buffer) => {
    expect(data.subarray(-4)).toEqual(Buffer.from([0, 0, 255, 255]));
    inflate.write(data);
    if (!identified) socket.send(JSON.stringify({ op: 2, d: identity(local.token) }));
    identified = true;
  });
  expect(await payloads).toEqual(["10", "0", "0"]);
});

test("a second IDENTIFY within five seconds is refused as an invalid session, later it is accepted", async () => {
  const clock = new VirtualClock();
  await restart({ clock });
  const identifyNow = async () => {
    const connection = raw();
    await connection.next();
    connection.send(2, identity(local.token));
    return connection.next();
  };
  expect((await identifyNow()).t).toBe("READY");
  expect(await identifyNow()).toMatchObject({ op: 9, d: false });
  clock.advance(5_000);
  expect((await identifyNow()).t).toBe("READY");
});

test("when the day's IDENTIFYs are used up, all sessions end and the token is replaced", async () => {
  await restart({ limits: { identifiesPerDay: 2, identifyMs: 0 } });
  const token = local.token;
  const left = async () => {
    const response = await fetch(`${local.apiUrl}/v10/gateway/bot`, {
      headers: { authorization: `Bot ${token}` },
    });
    return response.status === 200
      ? ((await response.json()) as { session_start_limit: { remaining: number } }).session_start_limit
          .remaining
      : response.status;
  };
  const connections = [raw(), raw(), raw()];
  for (const connection of connections) await connection.next();
  for (const connection of connections.slice(0, 2)) {
    connection.send(2, identity(token));
    expect((await connection.next()).t).toBe("READY");
  }
  expect(await left()).toBe(0);
  connections[2]!.send(2, identity(token));
  expect(await Promise.all(connections.map((it) => it.closed))).toEqual([4004, 4004, 4004]);
  expect(local.token).not.toBe(token);
  expect(await left()).toBe(401);
});

test("each shard hears of its guilds, the first one of direct messages too, also after it resumed", async () => {
  await restart({ limits: { identifyMs: 0, advisedGuildsPerShard: 2 } });
  const { state } = local;
  const owner = [...state.users.values()].find(({ username }) => username === "bob")!;
  while (state.guilds.size < 6) state.addGuild(`Guild ${state.guilds.size}`, owner);
  const guilds = [...state.guilds.values()].filter(({ members }) => members.has(state.bot.id));
  const shardOf = (id: string) => Number((BigInt(id) >> 22n) % 2n);
  const advice = await fetch(`${local.apiUrl}/v10/gateway/bot`, {
    headers: { authorization: `Bot ${local.token}` },
  });
  expect(await advice.json()).toMatchObject({ shards: Math.ceil(guilds.length / 2) });

  const connections = [raw(), raw()];
  const sessions: string[] = [];
  for (const [shard, connection] of connections.entries()) {
    await connection.next();
    connection.send(2, identity(local.token, { shard: [shard, 2], intents: 1 | (1 << 9) | (1 << 12) }));
    const ready = await connection.next();
    const own = guilds.map(({ id }) => id).filter((id) => shardOf(id) === shard);
    const told = ready.d as { shard: number[]; session_id: string; guilds: { id: string }[] };
    expect(told.shard).toEqual([shard, 2]);
    expect(told.guilds.map(({ id }) => id)).toEqual(own);
    sessions.push(told.session_id);
    for (const id of own) expect(await connection.next()).toMatchObject({ t: "GUILD_CREATE", d: { id } });
  }
  const mine = shardOf(local.guildId);
  connections[mine]!.socket.terminate();
  await connections[mine]!.closed;
  connections[mine] = raw();
  await connections[mine].next();
  connections[mine].send(6, { token: local.token, session_id: sessions[mine], seq: 1 });
  while ((await connections[mine].next()).t !== "RESUMED");
  local.member("bob").say("in the guild");
  local.member("bob").say("directly", { channel: "dm" });
  const heard = { guild: await connections[mine].next(), direct: await connections[0]!.next() };
  expect(heard.guild).toMatchObject({ t: "MESSAGE_CREATE", d: { guild_id: local.guildId } });
  expect(heard.direct).toMatchObject({ t: "MESSAGE_CREATE", d: { content: "directly" } });
});

test("a shard with too many guilds is refused: sharding is required", async () => {
  await restart({ limits: { guildsPerShard: 2 } });
  const { state } = local;
  const owner = [...state.users.values()][0]!;
  while (state.guilds.size < 5) state.addGuild(`Guild ${state.guilds.size}`, owner);
  const connection = raw();
  await connection.next();
  connection.send(2, identity(local.token));
  expect(await connection.closed).toBe(4011);
});

test("an unacknowledged heartbeat makes the client reconnect and resume", async () => {
  await restart({ limits: { heartbeatMs: 150 } });
  const client = await bot();
  const resumed = once(client, Events.ShardResume);
  local.faults.acknowledgeHeartbeats(false);
  const noticed = new Promise<void>((resolve) => {
    const stop = local.transcript.subscribe((entry) => {
      if (entry.kind !== "gateway" || entry.from !== "bot" || entry.op !== 6) return;
      stop();
      resolve();
    });
  });
  await noticed;
  local.faults.acknowledgeHeartbeats(true);
  await resumed;
});

test("privileged intents can be refused", async () => {
  await restart({ limits: { privilegedIntents: false } });
  const connection = raw();
  await connection.next();
  connection.send(2, identity(local.token, { intents: GatewayIntentBits.MessageContent }));
  expect(await connection.closed).toBe(4014);
});

test("without heartbeats the connection times out, and after a while the session cannot be resumed", async () => {
  const clock = new VirtualClock();
  await restart({ clock });
  const connection = raw();
  await connection.next();
  connection.send(2, identity(local.token));
  const { session_id } = (await connection.next()).d as { session_id: string };
  clock.advance(4 * 41_250);
  expect(await connection.closed).toBe(4009);
  clock.advance(4 * 60_000);
  const second = raw();
  await second.next();
  second.send(6, { token: local.token, session_id, seq: 1 });
  expect(await second.next()).toMatchObject({ op: 9, d: false });
});

test("intents decide what the bot receives: no content without MESSAGE_CONTENT, no messages without their intent", async () => {
  await restart({ limits: { identifyMs: 0 } });
  const deaf = await bot({ intents: [GatewayIntentBits.Guilds] });
  const blind = await bot({ intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages] });
  const heard: string[] = [];
  deaf.on(Events.MessageCreate, (message) => heard.push(`deaf:${message.content}`));
  blind.on(Events.MessageCreate, (message) => heard.push(`blind:${message.content}`));
  const two = new Promise<void>((resolve) =>
    blind.on(Events.MessageCreate, () => heard.length === 2 && resolve()),
  );
  local.member("alice").say("hidden");
  local.member("alice").say(`<@${local.applicationId}> shown`);
  await two;
  expect(heard).toEqual(["blind:", `blind:<@${local.applicationId}> shown`]);
});

test("the page shows whether the bot is online", async () => {
  const client = await connect(local);
  await local.botOnline();
  const offline = new Promise<void>((resolve) =>
    local.state.subscribe((it) => it.type === "bot.presence" && !it.online && resolve()),
  );
  await client.destroy();
  await offline;
  expect(local.state.botOnline).toBe(false);
});
