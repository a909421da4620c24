import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * A model hub on loopback with the routes that a download needs: a revision's commit, its file list in pages,
 * and the files. Large files redirect to a second server, like the public hub's CDN.
 */

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** Files of this size or more are "LFS" files: identified by SHA-256, served by the CDN. */
const LFS_BYTES = 2_000;
const PAGE = 5;

export interface Seen {
  readonly server: "hub" | "cdn";
  readonly url: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

/** Faults of requests for a path; each affects one request. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string> }
  /** Cuts the connection after this many bytes of the body. */
  | { readonly cutAfter: number }
  /** Sends nothing more after this many bytes. */
  | { readonly stallAfter: number }
  /** Sends other bytes than those listed. */
  | { readonly corrupt: true }
  /** Sends zeros without end. */
  | { readonly endless: true }
  /** Sends the whole file, whatever range was requested. */
  | { readonly ignoreRange: true };

export class TestHub {
  readonly seen: Seen[] = [];
  /** Repository -> path -> content. */
  readonly repos = new Map<string, Map<string, Buffer>>();
  /** Faults by the end of the request's path, first in, first out. */
  readonly faults = new Map<string, Fault[]>();
  /** Repository -> the only accepted token. */
  readonly tokens = new Map<string, string>();
  readonly gated = new Set<string>();
  /** Sizes that the listing claims instead of the real ones. */
  readonly claimedBytes = new Map<string, number>();
  /** Repositories whose listing always names a next page. */
  readonly endlessListings = new Set<string>();
  readonly #hub = createServer((request, response) => this.#answer("hub", request, response));
  readonly #cdn = createServer((request, response) => this.#answer("cdn", request, response));
  #urls = { hub: "", cdn: "" };

  static async start(): Promise<TestHub> {
    const hub = new TestHub();
    const listen = (server: Server) =>
      new Promise<string>((resolve) => {
        server.listen(0, "127.0.0.1", () =>
          resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
        );
      });
    hub.#urls = { hub: await listen(hub.#hub), cdn: await listen(hub.#cdn) };
    return hub;
  }

  get url(): string {
    return this.#urls.hub;
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  add(repo: string, files: Readonly<Record<string, Buffer | string>>): void {
    const known = this.repos.get(repo) ?? new Map<string, Buffer>();
    for (const [path, content] of Object.entries(files)) known.set(path, Buffer.from(content));
    this.repos.set(repo, known);
  }

  fail(path: string, ...faults: Fault[]): void {
    this.faults.set(path, [...(this.faults.get(path) ?? []), ...faults]);
  }

  /** Requests for the bytes of a file. */
  downloads(path: string): Seen[] {
    return this.seen.filter(
      ({ url, server }) => url.endsWith(path) && (server === "cdn" || !this.#isLfs(url)),
    );
  }

  #isLfs(url: string): boolean {
    const [, repo, path] = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(url) ?? [];
    return (this.repos.get(repo ?? "")?.get(path ?? "")?.length ?? 0) >= LFS_BYTES;
  }

  #answer(server: "hub" | "cdn", request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.url);
    const url = decodeURIComponent(pathname);
    const { range, authorization } = request.headers;
    this.seen.push({ server, url, range, authorization });
    const end = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));

    const [, , repo, rest] = /^(\/api\/models)?\/([^/]+\/[^/]+)\/(.+)$/.exec(url) ?? [];
    const files = this.repos.get(repo ?? "");
    if (repo === undefined || rest === undefined || files === undefined)
      return void end(
        authorization ? 404 : 401,
        { error: "Repository not found" },
        { "x-error-code": "RepoNotFound" },
      );

    const [key, faults] = [...this.faults].find(([path]) => url.endsWith(path)) ?? [];
    // A redirect is not the file: faults of the body wait for the request that gets one.
    const isRedirect = server === "hub" && this.#isLfs(url);
    const next = faults?.[0];
    const fault = next && ("status" in next || !isRedirect) ? faults?.shift() : undefined;
    if (key !== undefined && faults?.length === 0) this.faults.delete(key);
    if (fault && "status" in fault) return void end(fault.status, { error: "no" }, fault.headers);
    if (fault && "endless" in fault) return void sendWithoutEnd(response);

    if (server === "hub") {
      if (this.gated.has(repo) && rest.startsWith("resolve/") && !authorization)
        return void end(401, { error: "Access is restricted" }, { "x-error-code": "GatedRepo" });
      const token = this.tokens.get(repo);
      if (token !== undefined && authorization !== `Bearer ${token}`)
        return void end(401, { error: "Invalid token" });
    }
    const revision = /^revision\/(.+)$/.exec(rest)?.[1];
    if (revision !== undefined) {
      if (revision !== "main" && revision !== "v2")
        return void end(404, { error: "Invalid rev id" }, { "x-error-code": "RevisionNotFound" });
      return void end(200, { _id: "1", id: repo, sha: COMMIT, lastModified: "2026-01-01T00:00:00.000Z" });
    }
    if (rest === `tree/${COMMIT}`) return void this.#list(repo, searchParams, `${this.url}${url}`, end);
    const path = new RegExp(`^resolve/${COMMIT}/(.+)$`).exec(rest)?.[1];
    const content = files.get(path ?? "");
    if (content === undefined)
      return void end(404, { error: "Entry not found" }, { "x-error-code": "EntryNotFound" });
    if (isRedirect) {
      response.writeHead(302, { location: `${this.#urls.cdn}${pathname}` }).end();
      return;
    }
    this.#send(content, range, fault, response);
  }

  #list(
    repo: string,
    search: URLSearchParams,
    url: string,
    end: (status: number, body: object, headers?: Record<string, string>) => unknown,
  ): void {
    const files = this.repos.get(repo) ?? new Map<string, Buffer>();
    const from = Number(search.get("cursor") ?? 0);
    const entries = [...files].slice(from, from + PAGE).map(([path, content]) => {
      const size = this.claimedBytes.get(path) ?? content.length;
      const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
      const lfs = { oid: createHash("sha256").update(content).digest("hex"), size, pointerSize: 130 };
      return { type: "file", path, size, oid, ...(content.length >= LFS_BYTES ? { lfs } : {}) };
    });
    const more = from + PAGE < files.size || this.endlessListings.has(repo);
    end(200, entries, more ? { link: `<${url}?recursive=true&cursor=${from + PAGE}>; rel="next"` } : {});
  }

  #send(
    content: Buffer,
    range: string | undefined,
    fault: Fault | undefined,
    response: ServerResponse,
  ): void {
    const asked = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (asked >= content.length && content.length > 0) {
      response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const start = fault && "ignoreRange" in fault ? 0 : asked;
    const body = Buffer.from(content.subarray(start));
    if (fault && "corrupt" in fault) body[body.length - 1]! ^= 0xff;
    const headers = { "content-length": String(body.length) };
    if (start > 0)
      response.writeHead(206, {
        ...headers,
        "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
      });
    else response.writeHead(200, headers);
    if (fault && "cutAfter" in fault)
      response.write(body.subarray(0, fault.cutAfter), () => response.socket?.destroy());
    else if (fault && "stallAfter" in fault) response.write(body.subarray(0, fault.stallAfter));
    else response.end(body);
  }
}

function sendWithoutEnd(response: ServerResponse): void {
  response.writeHead(200);
  const zeros = Buffer.alloc(2 ** 20);
  const send = () => {
    while (!response.destroyed && response.write(zeros));
  };
  response.on("drain", send);
  send();
}
