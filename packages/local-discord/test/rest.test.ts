import { get } from "node:http";
import { REST, Routes } from "discord.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import {
  type LocalDiscord,
  type LocalDiscordOptions,
  startLocalDiscord,
  VirtualClock,
} from "../src/testing/index.js";
import type { InteractionRecord } from "../src/world/records.js";
import { png } from "./support/png.js";

let local: LocalDiscord;
let clock: VirtualClock;

async function start(options: LocalDiscordOptions = {}): Promise<void> {
  clock = new VirtualClock();
  local = await startLocalDiscord({ clock, limits: { globalPerSecond: 0 }, ...options });
}
beforeEach(() => start());
afterEach(async () => {
  await local.close();
  expect(await local.spec?.check(true)).toEqual([]);
});

interface Answer {
  status: number;
  body: { code?: number; message?: string; errors?: unknown; id?: string; [field: string]: unknown };
  headers: Headers;
}
async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = body instanceof FormData;
  const response = await fetch(`${local.apiUrl}/v10${path}`, {
    method,
    headers: {
      authorization: `Bot ${local.token}`,
      ...(body === undefined || form ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
}
const messages = () => `/channels/${local.channelId("general")}/messages`;
function upload(
  payload: unknown,
  ...files: [index: number, name: string, data: Buffer | string][]
): FormData {
  const form = new FormData();
  for (const [index, name, data] of files)
    form.set(`files[${index}]`, new Blob([new Uint8Array(Buffer.from(data as string))]), name);
  form.set("payload_json", JSON.stringify(payload));
  return form;
}
/** A command sent while no bot listens, so that the test can answer it. */
async function interaction(): Promise<InteractionRecord> {
  await call("POST", `/applications/${local.applicationId}/commands`, { name: "go", description: "Goes" });
  const sent = new Promise<InteractionRecord>((resolve) => {
    const stop = local.state.subscribe((event) => {
      if (event.type !== "interaction.created") return;
      stop();
      resolve(event.interaction);
    });
  });
  // Some tests leave it unanswered; how the user's side sees that is tested elsewhere.
  local
    .member("alice")
    .slash("go")
    .catch(() => {});
  return sent;
}
const callback = (it: InteractionRecord, body: unknown, query = "") =>
  call("POST", `/interactions/${it.id}/${it.token}/callback${query}`, body);
const webhook = (it: InteractionRecord, tail = "/messages/@original") =>
  `/webhooks/${local.applicationId}/${it.token}${tail}`;

describe("interactions", () => {
  test("a first answer after more than 3 s gets 10062", async () => {
    const it = await interaction();
    clock.advance(3_001);
    expect(await callback(it, { type: 5 })).toMatchObject({ status: 404, body: { code: 10062 } });
  });
  test("a first answer just under 3 s is in time", async () => {
    const it = await interaction();
    clock.advance(2_999);
    expect((await callback(it, { type: 5 })).status).toBe(204);
  });
  test("a second answer gets 40060, a wrong token 10062", async () => {
    const it = await interaction();
    expect((await call("POST", `/interactions/${it.id}/nonsense/callback`, { type: 5 })).body.code).toBe(
      10062,
    );
    await callback(it, { type: 4, data: { content: "one" } });
    expect(await callback(it, { type: 4, data: { content: "two" } })).toMatchObject({
      status: 400,
      body: { code: 40060 },
    });
  });
  test("the token expires after 15 minutes, then 50027", async () => {
    const it = await interaction();
    await callback(it, { type: 5 });
    clock.advance(15 * 60_000 - 1);
    expect((await call("PATCH", webhook(it), { content: "in time" })).status).toBe(200);
    clock.advance(2);
    expect(await call("PATCH", webhook(it), { content: "late" })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    });
    expect((await call("POST", webhook(it, ""), { content: "late" })).body.code).toBe(50027);
  });
  test("with_response returns the interaction and its message", async () => {
    const answer = await callback(
      await interaction(),
      { type: 4, data: { content: "hello", flags: 64 } },
      "?with_response=true",
    );
    expect(answer.body).toMatchObject({
      interaction: { type: 2, response_message_ephemeral: true, response_message_loading: false },
      resource: { type: 4, message: { content: "hello", flags: 64 } },
    });
  });
  test("there is no webhook before the first answer, and a deferral takes only the ephemeral flag", async () => {
    const it = await interaction();
    expect((await call("PATCH", webhook(it), { content: "x" })).body.code).toBe(10015);
    expect((await callback(it, { type: 5, data: { flags: 1 << 15 } })).body).toMatchObject({
      code: 50035,
      errors: { data: { flags: {} } },
    });
    expect((await callback(it, { type: 7, data: { content: "x" } })).body.code).toBe(50035);
    expect((await callback(it, { type: 8, data: { choices: [] } })).body.code).toBe(50035);
  });
  test("an early follow-up fills in the deferred answer; later ones are messages; each can be deleted", async () => {
    const it = await interaction();
    await callback(it, { type: 5 });
    const first = await call("POST", webhook(it, ""), { content: "filled" });
    expect((await call("GET", webhook(it))).body).toMatchObject({
      id: first.body.id,
      content: "filled",
      flags: 0,
    });
    const second = await call("POST", webhook(it, ""), { content: "more" });
    expect(second.body).toMatchObject({
      type: 19,
      interaction_metadata: { original_response_message_id: first.body.id },
    });
    expect((await call("DELETE", webhook(it, `/messages/${second.body.id}`))).status).toBe(204);
    expect((await call("GET", webhook(it, `/messages/${second.body.id}`))).body.code).toBe(10008);
    expect((await call("DELETE", webhook(it))).status).toBe(204);
    expect((await call("PATCH", webhook(it), { content: "x" })).body.code).toBe(10008);
  });
  test("field errors of a callback are reported below data", async () => {
    const answer = await callback(await interaction(), { type: 4, data: { content: "x".repeat(2001) } });
    expect(answer.body).toEqual({
      message: "Invalid Form Body",
      code: 50035,
      errors: {
        data: {
          content: {
            _errors: [{ code: "BASE_TYPE_MAX_LENGTH", message: "Must be 2000 or fewer in length." }],
          },
        },
      },
    });
  });
});

describe("messages", () => {
  test.each([
    ["nothing", {}, 50006],
    ["only blanks", { content: "  " }, 50006],
    ["2001 characters", { content: "x".repeat(2001) }, 50035],
    ["an unknown field", { content: "x", colour: "red" }, 50035],
    ["11 embeds", { embeds: Array(11).fill({ title: "x" }) }, 50035],
    ["a title of 257", { embeds: [{ title: "x".repeat(257) }] }, 50035],
    [
      "6001 characters in embeds",
      { embeds: [{ description: "x".repeat(4000) }, { description: "x".repeat(2001) }] },
      50035,
    ],
    ["a nonce of 26", { content: "x", nonce: "x".repeat(26) }, 50035],
    ["a picture that is not attached", { embeds: [{ image: { url: "attachment://a.png" } }] }, 50035],
    [
      "an announced file that is missing",
      { content: "x", attachments: [{ id: 0, filename: "a.png" }] },
      50035,
    ],
    [
      "six buttons in a row",
      {
        components: [
          {
            type: 1,
            components: Array.from({ length: 6 }, (_, n) => ({
              type: 2,
              style: 1,
              label: "x",
              custom_id: `${n}`,
            })),
          },
        ],
      },
      50035,
    ],
    [
      "a custom id twice",
      {
        components: [
          { type: 1, components: [1, 2].map(() => ({ type: 2, style: 1, label: "x", custom_id: "same" })) },
        ],
      },
      50035,
    ],
    ["V2 components without the flag", { components: [{ type: 10, content: "x" }] }, 50035],
    ["V2 with content", { flags: 1 << 15, content: "x", components: [{ type: 10, content: "x" }] }, 50035],
    ["a reply to nothing", { content: "x", message_reference: { message_id: "1" } }, 50035],
  ])("%s is refused", async (_name, body, code) => {
    const answer = await call("POST", messages(), body);
    expect(answer).toMatchObject({ status: 400, body: { code } });
  });
  test("an unknown field is named", async () => {
    expect((await call("POST", messages(), { content: "x", colour: "red" })).body.errors).toHaveProperty(
      "colour._errors",
    );
  });
  test("accepts file parts in any order; PATCH keeps listed files and adds new ones", async () => {
    const sent = await call(
      "POST",
      messages(),
      upload(
        { attachments: [{ id: 7, description: "seven" }] },
        [7, "a b.png", png(3, 2, [1, 2, 3])],
        [1, "c.txt", "text"],
      ),
    );
    expect(sent.body.attachments).toMatchObject([
      {
        filename: "a_b.png",
        title: "a b.png",
        description: "seven",
        width: 3,
        height: 2,
        content_type: "image/png",
      },
      { filename: "c.txt", content_type: "text/plain; charset=utf-8", size: 4 },
    ]);
    const [first] = sent.body.attachments as { id: string }[];
    const edited = await call(
      "PATCH",
      `${messages()}/${sent.body.id}`,
      upload({ attachments: [{ id: first!.id }, { id: 0, filename: "renamed.txt" }] }, [0, "new.txt", "new"]),
    );
    expect((edited.body.attachments as { filename: string }[]).map((it) => it.filename)).toEqual([
      "a_b.png",
      "renamed.txt",
    ]);
  });
  test("files and requests that are too large get 40005", async () => {
    await local.close();
    await start({ limits: { attachmentBytes: 1000, requestBytes: 5000, globalPerSecond: 0 } });
    expect(await call("POST", messages(), upload({}, [0, "a", Buffer.alloc(1001)]))).toMatchObject({
      status: 413,
      body: { code: 40005 },
    });
    expect((await call("POST", messages(), upload({}, [0, "a", Buffer.alloc(6000)]))).body.code).toBe(40005);
    expect((await call("POST", messages(), upload({}, [0, "a", Buffer.alloc(1000)]))).status).toBe(200);
  });
  test("an enforced nonce prevents duplicates for some minutes", async () => {
    const body = { content: "once", nonce: "job-1", enforce_nonce: true };
    const first = await call("POST", messages(), body);
    expect((await call("POST", messages(), { ...body, content: "twice" })).body).toMatchObject({
      id: first.body.id,
      content: "once",
    });
    clock.advance(5 * 60_000 + 1);
    expect((await call("POST", messages(), body)).body.id).not.toBe(first.body.id);
  });
  test("allowed_mentions decides who is pinged", async () => {
    const [alice, bob] = [local.member("alice"), local.member("bob")];
    const content = `<@${alice.id}> <@${bob.id}> @everyone`;
    const pinged = async (allowed?: object) => {
      const { body } = await call("POST", messages(), {
        content,
        ...(allowed === undefined ? {} : { allowed_mentions: allowed }),
      });
      return (body.mentions as { username: string }[]).map((it) => it.username);
    };
    expect(await pinged()).toEqual(["alice", "bob"]);
    expect(await pinged({ parse: [] })).toEqual([]);
    expect(await pinged({ parse: [], users: [bob.id] })).toEqual(["bob"]);
    expect(
      (await call("POST", messages(), { content, allowed_mentions: { parse: ["users"], users: [bob.id] } }))
        .status,
    ).toBe(400);
  });
  test("permissions: 50013 without SEND, 50001 without VIEW, 10003 for nothing, 50005 for others' messages, 50007 in DMs", async () => {
    expect(
      (await call("POST", `/channels/${local.channelId("read-only")}/messages`, { content: "x" })).body.code,
    ).toBe(50013);
    const gallery = local.state.channels.get(local.channelId("gallery"))!;
    gallery.overwrites = [{ id: local.applicationId, type: 1, allow: 0n, deny: 1n << 10n }];
    expect((await call("POST", `/channels/${gallery.id}/messages`, { content: "x" })).body.code).toBe(50001);
    expect((await call("GET", "/channels/1", undefined)).body.code).toBe(10003);
    const said = local.member("alice").say("mine");
    expect((await call("PATCH", `${messages()}/${said.id}`, { content: "x" })).body.code).toBe(50005);
    expect((await call("DELETE", `${messages()}/${said.id}`)).body.code).toBe(50013);
    const direct = await call("POST", "/users/@me/channels", { recipient_id: local.member("bob").id });
    local.state.users.get(local.member("bob").id)!.acceptsDirectMessages = false;
    expect((await call("POST", `/channels/${direct.body.id}/messages`, { content: "x" })).body.code).toBe(
      50007,
    );
  });
});

describe("commands", () => {
  const commands = () => `/applications/${local.applicationId}/commands`;
  const option = (more: object) => ({
    name: "go",
    description: "Goes",
    options: [{ type: 3, name: "a", description: "A", ...more }],
  });
  test.each([
    ["capital letters", { name: "Go", description: "Goes" }, "name"],
    ["no description", { name: "go" }, "description"],
    ["blanks", { name: "g o", description: "Goes" }, "name"],
    ["max_length 6001", option({ max_length: 6001 }), "options.0.max_length"],
    [
      "choices with autocomplete",
      option({ autocomplete: true, choices: [{ name: "x", value: "x" }] }),
      "options.0.autocomplete",
    ],
    [
      "a number as a text's choice",
      option({ choices: [{ name: "x", value: 1 }] }),
      "options.0.choices.0.value",
    ],
    ["min_value for text", option({ min_value: 1 }), "options.0.min_value"],
    ["an unknown field", { name: "go", description: "Goes", colour: 1 }, "colour"],
    [
      "required after optional",
      {
        name: "go",
        description: "Goes",
        options: [
          { type: 3, name: "a", description: "A" },
          { type: 3, name: "b", description: "B", required: true },
        ],
      },
      "options.1",
    ],
  ])("%s: 50035 at its path", async (_name, body, path) => {
    const answer = await call("POST", commands(), body);
    expect(answer).toMatchObject({ status: 400, body: { code: 50035 } });
    expect(answer.body.errors).toHaveProperty(`${path}._errors`);
    expect((await call("PUT", commands(), [body])).body.errors).toHaveProperty(`0.${path}._errors`);
  });
  test("PUT replaces all, keeping ids by name; POST is an upsert; guild commands are apart", async () => {
    const first = (
      await call("PUT", commands(), [
        { name: "a", description: "A" },
        { name: "b", description: "B" },
      ])
    ).body as unknown as { id: string; name: string }[];
    const second = (await call("PUT", commands(), [{ name: "b", description: "B2" }])).body as unknown as {
      id: string;
    }[];
    expect(second.map((it) => it.id)).toEqual([first[1]!.id]);
    expect((await call("POST", commands(), { name: "b", description: "B3" })).status).toBe(200);
    expect((await call("POST", commands(), { name: "c", description: "C" })).status).toBe(201);
    await call("PUT", `/applications/${local.applicationId}/guilds/${local.guildId}/commands`, [
      { name: "d", description: "D" },
    ]);
    expect(local.member("alice").commands()).toEqual(["b", "c", "d"]);
    expect(local.member("alice").commands("dm")).toEqual(["b", "c"]);
    expect((await call("DELETE", `${commands()}/${first[1]!.id}`)).status).toBe(204);
    expect((await call("GET", `${commands()}/${first[1]!.id}`)).body.code).toBe(10063);
  });
  test("more than 200 creations a day get 30034", async () => {
    for (let n = 0; n < 2; n++) {
      await call(
        "PUT",
        commands(),
        Array.from({ length: 100 }, (_, i) => ({ name: `c${n}-${i}`, description: "x" })),
      );
    }
    expect((await call("PUT", commands(), [{ name: "one-more", description: "x" }])).body.code).toBe(30034);
    clock.advance(86_400_001);
    expect((await call("PUT", commands(), [{ name: "one-more", description: "x" }])).status).toBe(200);
  });
});

describe("rate limits", () => {
  test("every answer has headers; beyond the limit comes 429 with a body, until the window ends", async () => {
    await local.close();
    await start({ limits: {} });
    const first = await call("POST", messages(), { content: "1" });
    expect(Object.fromEntries(first.headers)).toMatchObject({
      "x-ratelimit-limit": "5",
      "x-ratelimit-remaining": "4",
      "x-ratelimit-reset-after": "5.000",
    });
    for (let n = 2; n <= 5; n++) await call("POST", messages(), { content: `${n}` });
    const refused = await call("POST", messages(), { content: "6" });
    expect(refused).toMatchObject({ status: 429, body: { global: false, retry_after: 5 } });
    expect(refused.headers.get("x-ratelimit-scope")).toBe("user");
    expect(
      (await call("POST", `/channels/${local.channelId("gallery")}/messages`, { content: "x" })).status,
    ).toBe(200);
    clock.advance(5_000);
    expect((await call("POST", messages(), { content: "7" })).status).toBe(200);
  });
  test("the global limit", async () => {
    await local.close();
    await start({ limits: { globalPerSecond: 2 } });
    await call("GET", "/users/@me");
    await call("GET", "/applications/@me");
    const refused = await call("GET", "/gateway/bot");
    expect(refused).toMatchObject({ status: 429, body: { global: true } });
    expect(refused.headers.get("x-ratelimit-global")).toBe("true");
  });
  test("discord.js waits for the limit and loses nothing", async () => {
    await local.close();
    local = await startLocalDiscord();
    const rest = new REST({ api: local.apiUrl }).setToken(local.token);
    const channel = local.channelId("general");
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        rest.post(Routes.channelMessages(channel), { body: { content: `${n}` } }),
      ),
    );
    expect(performance.now() - started).toBeGreaterThan(4_900);
    expect(
      local
        .member("alice")
        .messages()
        .map((it) => it.content),
    ).toEqual(["0", "1", "2", "3", "4", "5"]);
    expect(local.transcript.rest("POST").every((it) => it.status === 200)).toBe(true);
  });
});

describe("the CDN", () => {
  const firstUrl = async (name: string, data: Buffer | string) =>
    (
      (await call("POST", messages(), upload({}, [0, name, data]))).body.attachments as {
        url: string;
        content_type?: string;
      }[]
    )[0]!;
  test("URLs are signed and expire; fetching the message again renews them", async () => {
    const { url } = await firstUrl("a.png", png(1, 1, [0, 0, 0]));
    expect((await fetch(url)).headers.get("content-type")).toBe("image/png");
    const forged = url.replace(/hm=(.)/, (_, digit) => `hm=${digit === "0" ? "1" : "0"}`);
    expect((await fetch(forged)).status).toBe(404);
    expect((await fetch(url.split("?")[0]!)).status).toBe(404);
    clock.advance(24 * 3_600_000 + 1_000);
    expect((await fetch(url)).status).toBe(404);
    const [message] = local.member("alice").messages();
    expect((await fetch(message!.attachments[0]!.url)).status).toBe(200);
  });
  test("nothing uploaded runs in the page's origin", async () => {
    const { url } = await firstUrl("evil.html", "<script>alert(1)</script>");
    const response = await fetch(url);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(response.headers.get("content-security-policy")).toContain("sandbox");
  });
  test("the oldest files are deleted when memory is full", async () => {
    await local.close();
    await start({ limits: { cdnBytes: 2500, globalPerSecond: 0 } });
    const old = await firstUrl("a.bin", Buffer.alloc(1000));
    await firstUrl("b.bin", Buffer.alloc(1000));
    expect((await fetch(old.url)).status).toBe(200);
    await firstUrl("c.bin", Buffer.alloc(1000));
    expect((await fetch(old.url)).status).toBe(404);
  });
});

describe("the door", () => {
  test("an unknown route is named; a wrong token is 401", async () => {
    expect((await call("GET", "/guilds/1/webhooks/x")).body.message).toContain(
      "GET /api/v10/guilds/1/webhooks/x",
    );
    expect((await call("GET", "/users/@me", undefined, { authorization: "Bot nonsense" })).status).toBe(401);
  });
  test("foreign origins are refused for calls, the page and sockets", async () => {
    const evil = { origin: "http://evil.example" };
    expect((await call("GET", "/users/@me", undefined, evil)).status).toBe(403);
    expect((await fetch(`${local.url}/local/state`, { headers: evil })).status).toBe(403);
    expect((await fetch(`${local.url}/local/state`, { headers: { origin: local.url } })).status).toBe(200);
    for (const path of ["/gateway?v=10", "/local/events?user=alice"]) {
      const socket = new WebSocket(`${local.url.replace("http", "ws")}${path}`, { headers: evil });
      const error = await new Promise<Error>((resolve) => socket.on("error", resolve));
      expect(error.message).toContain("403");
    }
  });
  test("a foreign host name for this address is refused (DNS rebinding)", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(local.url);
      const options = {
        host: "127.0.0.1",
        port,
        path: "/local/state",
        headers: { host: `evil.example:${port}` },
      };
      get(options, (response) => resolve(response.resume().statusCode)).on("error", reject);
    });
    expect(status).toBe(403);
  });
  test("with the page switched off there is no /local either", async () => {
    await local.close();
    await start({ page: false });
    expect((await fetch(`${local.url}/`)).status).toBe(404);
    expect((await fetch(`${local.url}/local/state`)).status).toBe(404);
    expect((await call("GET", "/users/@me")).status).toBe(200);
  });
  test("planned faults close a connection before or after the write, or delay an answer", async () => {
    const path = /\/messages$/;
    local.faults.onRest("POST", path, { close: "before" });
    await expect(call("POST", messages(), { content: "never" })).rejects.toThrow();
    local.faults.onRest("POST", path, { close: "after" });
    const body = { content: "written", nonce: "n", enforce_nonce: true };
    await expect(call("POST", messages(), body)).rejects.toThrow();
    expect(
      local
        .member("alice")
        .messages()
        .map((it) => it.content),
    ).toEqual(["written"]);
    // A caller that does not know the outcome retries with the same nonce, and nothing is posted twice.
    expect((await call("POST", messages(), body)).status).toBe(200);
    expect(local.member("alice").messages()).toHaveLength(1);

    local.faults.onRest("GET", /^\/users\/@me$/, { delayMs: 60_000 });
    let answered = false;
    const slow = call("GET", "/users/@me").then((answer) => {
      answered = true;
      return answer.status;
    });
    await call("GET", "/gateway");
    expect(answered).toBe(false);
    await expect
      .poll(() => {
        clock.advance(60_000);
        return answered;
      })
      .toBe(true);
    expect(await slow).toBe(200);
  });
  test("the same clock gives the same ids", async () => {
    const first = [local.guildId, local.applicationId, local.member("alice").id, local.channelId("gallery")];
    await local.close();
    await start();
    expect([
      local.guildId,
      local.applicationId,
      local.member("alice").id,
      local.channelId("gallery"),
    ]).toEqual(first);
  });
  test("a taken port is reported as such", async () => {
    const port = Number(new URL(local.url).port);
    await expect(startLocalDiscord({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
  });
  test("quiet waits while an interaction is unanswered, and resolves soon after", async () => {
    const it = await interaction();
    await expect(local.quiet({ idleMs: 5, timeoutMs: 50 })).rejects.toThrow(
      /Not quiet after 50 ms[\s\S]*POST/,
    );
    await callback(it, { type: 5 });
    await local.quiet({ idleMs: 5 });
  });
  test("threads inherit their channel's permissions, but posting needs their own", async () => {
    const parent = local.state.channels.get(local.channelId("gallery"))!;
    const thread = {
      ...parent,
      id: local.state.ids.next(),
      type: 11,
      parentId: parent.id,
      overwrites: [],
      name: "thread",
    };
    local.state.channels.set(thread.id, thread);
    const post = async () =>
      (await call("POST", `/channels/${thread.id}/messages`, { content: "x" })).body.code;
    expect(await post()).toBeUndefined();
    const deny = (bit: bigint) => [{ id: local.applicationId, type: 1 as const, allow: 0n, deny: bit }];
    parent.overwrites = deny(1n << 11n);
    expect(await post()).toBeUndefined();
    parent.overwrites = deny(1n << 38n);
    expect(await post()).toBe(50013);
    parent.overwrites = deny(1n << 10n);
    expect(await post()).toBe(50001);
  });
  test("overwrites apply to everyone, then all roles together, then the member; administrators bypass them", async () => {
    const alice = local.member("alice");
    const channel = local.state.channels.get(local.channelId("general"))!;
    const guild = local.state.guilds.get(local.guildId)!;
    const painters = guild.members.get(alice.id)!.roleIds[0]!;
    const can = () => (local.state.permissions(channel, alice.id) & (1n << 11n)) !== 0n;
    const rule = (id: string, type: 0 | 1, allow: boolean) => ({
      id,
      type,
      allow: allow ? 1n << 11n : 0n,
      deny: allow ? 0n : 1n << 11n,
    });
    const seen: boolean[] = [];
    channel.overwrites = [];
    for (const [id, type, allow] of [
      [guild.id, 0, false],
      [painters, 0, true],
      [alice.id, 1, false],
    ] as const) {
      channel.overwrites = [...channel.overwrites, rule(id, type, allow)];
      seen.push(can());
    }
    expect(seen).toEqual([false, true, false]);
    guild.roles.get(painters)!.permissions = 1n << 3n;
    expect(can()).toBe(true);
  });
  test("discord.js retries a planned 500", async () => {
    const rest = new REST({ api: local.apiUrl }).setToken(local.token);
    local.faults.onRest("POST", /\/messages$/, { status: 502 });
    await rest.post(Routes.channelMessages(local.channelId("general")), { body: { content: "through" } });
    expect(local.transcript.rest("POST").map((it) => it.status)).toEqual([502, 200]);
  });
});
