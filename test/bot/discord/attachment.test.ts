import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { download } from "../../../src/bot/discord/attachment.js";

/** A server that answers `/ok`, `/endless`, `/slow`, `/redirect` and 404 to the rest; counts what it wrote. */
async function startServer() {
  const written = { bytes: 0 };
  const server = createServer((request, response) => {
    switch (request.url) {
      case "/ok":
        response.end("a cat\n");
        return;
      case "/redirect":
        response.writeHead(302, { location: "/ok" }).end();
        return;
      case "/slow":
        response.write("a");
        return;
      case "/endless": {
        const write = () => {
          while (!response.destroyed) {
            written.bytes += 16_384;
            if (!response.write(Buffer.alloc(16_384, 0x61))) break;
          }
        };
        response.on("drain", write);
        write();
        return;
      }
      default:
        response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, written };
}

const options = (origin: string, timeoutMs = 5_000, signal = new AbortController().signal) => ({
  maxBytes: 1_000,
  timeoutMs,
  allowedOrigins: new Set([origin]),
  signal,
});

describe("download", () => {
  it("fetches from an allowed host", async () => {
    const { origin } = await startServer();
    expect(Buffer.from(await download(`${origin}/ok`, options(origin))).toString()).toBe("a cat\n");
  });

  it("stops reading beyond the limit", async () => {
    const { origin, written } = await startServer();
    await expect(download(`${origin}/endless`, options(origin))).rejects.toMatchObject({
      code: "FILE_TOO_BIG",
      context: { limit: 1000 },
    });
    expect(written.bytes).toBeLessThan(64 * 2 ** 20);
  });

  it.each([
    ["another host", (origin: string) => `${origin.replace("127.0.0.1", "localhost")}/ok`],
    ["another port", () => "http://127.0.0.1:1/ok"],
    ["a look-alike host", (origin: string) => `http://${new URL(origin).host}@evil.example/ok`],
    ["a file", () => "file:///etc/passwd"],
    ["no URL", () => "nonsense"],
    ["a redirect", (origin: string) => `${origin}/redirect`],
    ["an error status", (origin: string) => `${origin}/gone`],
  ])("refuses %s", async (_name, url) => {
    const { origin } = await startServer();
    await expect(download(url(origin), options(origin))).rejects.toMatchObject({ code: "FILE_UNREACHABLE" });
  });

  it("gives up on a server that stalls, and when the program stops", async () => {
    const { origin } = await startServer();
    await expect(download(`${origin}/slow`, options(origin, 100))).rejects.toMatchObject({
      code: "FILE_UNREACHABLE",
    });
    const stopping = new AbortController();
    const pending = download(`${origin}/slow`, options(origin, 60_000, stopping.signal));
    stopping.abort();
    await expect(pending).rejects.toMatchObject({ code: "FILE_UNREACHABLE" });
  });
});
