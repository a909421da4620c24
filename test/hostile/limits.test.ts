import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { cdnBeside, startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { DISCORD_CDN_ORIGINS, download } from "../../src/bot/discord/attachment.js";
import { loadConfig } from "../../src/config.js";
import { temporaryFolder } from "../support/app.js";

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly resolved?: string;
}

test("every package is pinned to one version and a hash", () => {
  // This repository's own packages have no hash: npm links to their folders, and to nothing else.
  const ours = readdirSync(new URL("../../packages/", import.meta.url)).map((name) => `packages/${name}`);
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  const packages = Object.entries<Locked>(lock.packages).filter(([path]) => path !== "");
  expect(packages.length).toBeGreaterThan(100);
  for (const [path, { version, integrity, link, resolved }] of packages) {
    if (ours.includes(path)) continue;
    if (link) {
      expect(ours, path).toContain(resolved);
      continue;
    }
    expect(version, path).toMatch(/^\d+\.\d+\.\d+/);
    expect(integrity, path).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
  }
});

test("files are fetched only from Discord's own hosts over https, whatever the address claims", async () => {
  const options = {
    maxBytes: 10,
    timeoutMs: 1000,
    allowedOrigins: new Set<string>(DISCORD_CDN_ORIGINS),
    signal: new AbortController().signal,
  };
  for (const url of [
    "http://cdn.discordapp.com/a.txt",
    "https://cdn.discordapp.com:444/a.txt",
    "https://cdn.discordapp.com.evil.example/a.txt",
    "https://cdn.discordapp.com@evil.example/a.txt",
    "https://evil.example/cdn.discordapp.com/a.txt",
    "https://evil.example#@cdn.discordapp.com/",
    "https://evil.example\\@cdn.discordapp.com/",
    "https://xcdn.discordapp.com/a.txt",
    "https://discordapp.com/a.txt",
    "ftp://cdn.discordapp.com/a.txt",
    "data:text/plain,a",
    "file:///etc/passwd",
    "//cdn.discordapp.com/a.txt",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/",
    "",
  ]) {
    await expect(download(url, options), url).rejects.toMatchObject({
      code: "FILE_UNREACHABLE",
      message: expect.stringContaining("does not lie on Discord's servers"),
    });
  }
});

test("a local Discord's files come from the host of its API; other APIs allow no extra host", async () => {
  const local = await startLocalDiscord({ page: false, spec: false });
  onTestFinished(() => local.close());
  expect(cdnBeside(local.apiUrl)).toBe(local.cdnUrl);
  expect(cdnBeside(local.apiUrl.replace("127.0.0.1", "localhost"))).toBe(local.cdnUrl);
  for (const url of [
    "https://discord.com/api",
    "http://127.0.0.1.evil.example/api",
    "http://127.0.0.1@evil.example/api",
    "https://localhost/api",
    "http://10.0.0.1/api",
    "http://0.0.0.0:80/api",
  ])
    expect(cdnBeside(url), url).toBeUndefined();
});

/** The status of a request to the server under another host name. */
function status(url: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("upgrade", (_response, socket) => {
        socket.destroy();
        resolve(101);
      })
      .on("error", reject)
      .end();
  });
}

test("the local Discord answers only to its own host name: the page, the API, the CDN and both sockets", async () => {
  const local = await startLocalDiscord();
  onTestFinished(() => local.close());
  const { host, hostname, port } = new URL(local.url);
  expect(hostname).toBe("127.0.0.1");
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const doors: [string, Record<string, string>, number][] = [
    ["/", {}, 200],
    ["/api/v10/gateway", {}, 200],
    ["/cdn/attachments/1/2/a.txt", {}, 404],
    ["/local/world", {}, 404],
    ["/gateway", upgrade, 101],
    ["/local/events", upgrade, 101],
  ];
  for (const [path, headers, open] of doors) {
    // The server may answer anything but a refusal; only the host name decides.
    const own = await status(local.url, path, { ...headers, host });
    expect([open, 200, 400, 404], path).toContain(own);
    for (const name of [
      "evil.example",
      `evil.example:${port}`,
      `${hostname}`,
      `127.0.0.1.nip.io:${port}`,
      `0.0.0.0:${port}`,
    ])
      expect(await status(local.url, path, { ...headers, host: name }), `${path} as ${name}`).toBe(403);
    for (const origin of ["https://evil.example", "null", `http://${hostname}`, `https://${host}`])
      expect(await status(local.url, path, { ...headers, host, origin }), `${path} from ${origin}`).toBe(403);
  }
});

test("a token that a header can't carry is refused before anything can print it", () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB";
  expect(loadConfig({ DISCORD_TOKEN: ` ${token}\n` }, folder.path).DISCORD_TOKEN).toBe(token);
  for (const wrong of [`${token}\nx`, `Bot ${token}`, `${token}\u0000`, `${token}é`]) {
    let message = "";
    try {
      loadConfig({ DISCORD_TOKEN: wrong }, folder.path);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("DISCORD_TOKEN=…: expected a token without spaces or line breaks");
    expect(message).not.toContain("abcdefghij");
  }
});
