import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";

/** Fixed, because our servers trust everyone who connects: nothing beyond this machine may reach them. */
export const HOST = "127.0.0.1";

export interface Served {
  /** For example "http://127.0.0.1:8420". */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

interface ServeOptions {
  /** 0 picks any free port. */
  readonly port: number;
  /** Takes over an upgrade that passed the checks; without it every upgrade is refused. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Serves `app` on loopback, to its own origin only. @throws PortTaken */
export async function serveLoopback(app: Hono, { port, upgrade }: ServeOptions): Promise<Served> {
  let bound = 0;
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => {
    const refusal = refuse(request, bound);
    if (refusal === null) return answer(request, response);
    return response
      .writeHead(refusal.status, { "content-type": "application/json", connection: "close" })
      .end(JSON.stringify({ message: refusal.message, code: 0 }));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The client may have gone; without a listener the answer's failure would end the process.
    socket.on("error", () => socket.destroy());
    const refusal = refuse(request, bound);
    if (refusal !== null) return hangUp(socket, refusal.status);
    return upgrade === undefined ? hangUp(socket, 404) : upgrade(request, socket, head);
  });
  bound = await listen(server, port);
  return {
    url: `http://${HOST}:${bound}`,
    port: bound,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

/** The port is in use by something else. */
export class PortTaken extends Error {
  readonly code = "EADDRINUSE";

  constructor(port: number) {
    super(`Port ${port} of ${HOST} is taken: choose another one, or 0 for any that is free`);
    this.name = "PortTaken";
  }
}

interface Refusal {
  readonly status: 400 | 403;
  readonly message: string;
}

/**
 * Why a request is refused, or null: pages of other sites must not reach this server through a browser. Looks
 * at Host and Origin before anything else of the request.
 */
function refuse(request: IncomingMessage, port: number): Refusal | null {
  const { host, origin } = request.headers;
  const own = [`${HOST}:${port}`, `localhost:${port}`];
  if (host === undefined || !own.includes(host))
    return { status: 403, message: `Forbidden host: this server answers at http://${own[0]} only` };
  if (origin !== undefined && !own.some((it) => origin === `http://${it}`))
    return { status: 403, message: "Forbidden origin" };
  // "GET http://other/" and "OPTIONS *" are for proxies.
  if (!target(request).startsWith("/"))
    return { status: 400, message: "The request's target must be a path that begins with /" };
  return null;
}

/** The path and query of a request. */
export function target(request: IncomingMessage): string {
  return request.url ?? "";
}

/** Answers an upgrade with an error, and closes the connection even if the client keeps its side open. */
export function hangUp(socket: Duplex, status: 400 | 403 | 404): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(taken ? new PortTaken(port) : error);
    });
    server.listen(port, HOST, () => {
      server.removeAllListeners("error");
      // A connection that cannot be accepted concerns its client only.
      server.on("error", (error) => console.error(`A connection was not accepted: ${error.message}`));
      resolve((server.address() as AddressInfo).port);
    });
  });
}
