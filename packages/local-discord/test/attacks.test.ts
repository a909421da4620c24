import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startLocalDiscord } from "../src/index.js";
import { rawRequests, sendAll, sendRaw } from "./support/raw-requests.js";
import { type ServerProcess, startServerProcess } from "./support/server-process.js";

const SERVE = fileURLToPath(new URL("support/serve.mjs", import.meta.url));
const REQUESTS = Number(process.env.FUZZ_CASES ?? 10_000);
const SEED = 20_261_128;
/** A line of a stack, also within JSON, or a path of this machine. */
const STACK = /(\n|\\n) +at [^\n]*:\d+:\d+|node_modules|\/dist\//;

interface Served {
  readonly url: string;
  readonly token: string;
  readonly applicationId: string;
  readonly channelId: string;
}

let server: ServerProcess<Served>;
let port: number;
beforeEach(async () => {
  server = await startServerProcess<Served>(SERVE);
  port = Number(new URL(server.told.url).port);
});
afterEach(() => server.stop());

/** The server still works, and nothing surprised it. */
async function expectUnharmed(): Promise<void> {
  const answer = await fetch(`${server.told.url}/local/state?user=alice`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ me: { username: "alice" } });
  expect([server.alive, server.errors()]).toEqual([true, ""]);
}

/** The answer to these lines, "" if the connection was closed without one. */
async function ask(lines: readonly string[], body = ""): Promise<string> {
  const { answer, hung } = await sendRaw(port, {
    writes: [`${lines.join("\r\n")}\r\n\r\n${body}`],
    leave: "end",
  });
  expect(hung).toBe(false);
  return answer;
}
const own = () => `Host: 127.0.0.1:${port}`;
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

describe("an upgrade", () => {
  test.each(["//[", "//a:99999/"])("to %s is refused, and the server lives on", async (path) => {
    expect(await ask([`GET ${path} HTTP/1.1`, own(), ...UPGRADE])).toMatch(/^HTTP\/1\.1 404 /);
    expect(await ask([`GET ${path} HTTP/1.1`, "Host: x", ...UPGRADE])).toMatch(/^HTTP\/1\.1 403 /);
    const foreign = ["Origin: http://evil.example", ...UPGRADE];
    expect(await ask([`GET ${path} HTTP/1.1`, own(), ...foreign])).toMatch(/^HTTP\/1\.1 403 /);
    await expectUnharmed();
  });

  test("to http://[ is refused, and the server lives on", async () => {
    expect(await ask(["GET http://[ HTTP/1.1", own(), ...UPGRADE])).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(["GET http://[ HTTP/1.1", "Host: x", ...UPGRADE])).toMatch(/^HTTP\/1\.1 403 /);
    await expectUnharmed();
  });

  test.each([
    ["an unknown path", "/nowhere"],
    ["an unknown user", "/local/events?user=nobody"],
    ["the gateway", "/gateway?v=10&encoding=json"],
  ])("to %s whose client resets the connection harms nobody", async (_what, path) => {
    const request = `GET ${path} HTTP/1.1\r\n${own()}\r\n${UPGRADE.join("\r\n")}\r\n\r\n`;
    const resets = Array.from({ length: 300 }, () => ({ writes: [request], leave: "reset" as const }));
    await sendAll(port, resets, (_request, { hung }) => expect(hung).toBe(false));
    await expectUnharmed();
  });

  test.each([
    ["/gateway?v=9", "another version"],
    ["/gateway?v=10&encoding=etf", "another encoding"],
    ["/gateway?v=10", "the right version"],
    ["/local/events?user=alice", "a user"],
  ])("to %s (%s) may be followed by a broken frame", async (path) => {
    expect(await ask([`GET ${path} HTTP/1.1`, own(), ...UPGRADE], "\u00f1\u0080abcd")).toMatch(
      /^HTTP\/1\.1 101 /,
    );
    await expectUnharmed();
  });

  test("that is refused does not hold up the server's end, even if the client keeps its side open", async () => {
    const local = await startLocalDiscord();
    const { port } = new URL(local.url);
    const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {}).resume();
    socket.write(`GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${UPGRADE.join("\r\n")}\r\n\r\n`);
    await once(socket, "end");
    await local.close();
  }, 10_000);
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
  "/vendor/%s is not there",
  async (name) => {
    for (const folder of ["vendor", "page"])
      expect((await fetch(`${server.told.url}/${folder}/${name}`)).status).toBe(404);
    await expectUnharmed();
  },
);

test.each(["{", "", "nope", "{}"])("the operator's snapshot %j is refused without a stack", async (body) => {
  const answer = await fetch(`${server.told.url}/local/operator`, {
    method: "PUT",
    headers: { authorization: `Bot ${server.told.token}` },
    body,
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).not.toMatch(STACK);
  await expectUnharmed();
});

test("a request target that is not a path is refused, whatever the Host", async () => {
  for (const target of [
    "http://evil.example/local/state",
    `${server.told.url}/local/state`,
    "*",
    "http://[",
  ]) {
    expect(await ask([`OPTIONS ${target} HTTP/1.1`, own()]), target).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask([`GET ${target} HTTP/1.1`, "Host: evil.example"]), target).toMatch(
      /^HTTP\/1\.1 40[03] /,
    );
  }
  await expectUnharmed();
});

test("a field named like a property of every object is named in the refusal", async () => {
  const answer = await fetch(`${server.told.url}/api/v10/channels/${server.told.channelId}/messages`, {
    method: "POST",
    headers: { authorization: `Bot ${server.told.token}`, "content-type": "application/json" },
    body: '{"content":"x","constructor":1}',
  });
  expect(answer.status).toBe(400);
  expect(Object.keys(((await answer.json()) as { errors: object }).errors)).toEqual(["constructor"]);
  await expectUnharmed();
});

test(`${REQUESTS} raw requests and upgrades are answered or dropped`, async () => {
  const { token, applicationId: app, channelId } = server.told;
  const api = "/api/v10";
  const target = {
    port,
    paths: [
      "/",
      "/local/state?user=alice",
      "/local/events?user=alice",
      "/local/events?user=%",
      "/local/channels/general?user=bob",
      "/local/operator",
      "/local/transcript?after=x",
      ..."command autocomplete message component modal menu delete locale"
        .split(" ")
        .map((it) => `/local/${it}`),
      "/page/app.js",
      "/vendor/htm.mjs",
      "/gateway",
      "/gateway?v=10&encoding=json",
      "/gateway/?v=10&compress=zlib-stream",
      `${api}/gateway/bot`,
      `${api}/users/@me`,
      `${api}/channels/${channelId}/messages`,
      `${api}/channels/${channelId}/messages?limit=__proto__&around=x`,
      `${api}/channels/__proto__/messages/1`,
      `${api}/applications/${app}/commands`,
      `${api}/webhooks/${app}/x/messages/@original`,
      `${api}/interactions/1/x/callback`,
      `${api}/%E0%A4%A`,
    ],
    headers: [
      `authorization: Bot ${token}`,
      "content-type: application/json",
      "content-type: multipart/form-data; boundary=x",
      `origin: http://127.0.0.1:${port}`,
    ],
  };
  const requests = fc.sample(fc.noBias(rawRequests(target)), { numRuns: REQUESTS, seed: SEED });
  const statuses = new Map<string, number>();
  const wrong: unknown[] = [];
  const sent = sendAll(port, requests, (request, { answer, hung }) => {
    const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "dropped";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const shown = /^[45]/.test(status) && STACK.test(answer);
    if (hung || shown || /^5/.test(status)) wrong.push({ request, status, hung });
  });
  await sent.catch((error: unknown) => {
    throw new Error(`The server is gone:\n${server.errors()}`, { cause: error });
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  // The requests get as far as each of these answers.
  for (const status of ["101", "200", "400", "401", "403", "404", "dropped"])
    expect(statuses.get(status), status).toBeGreaterThan(REQUESTS / 500);
  await expectUnharmed();
});
