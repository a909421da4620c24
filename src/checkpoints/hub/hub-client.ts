import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { listFiles, modelInfo } from "@huggingface/hub";
import { backoffMs } from "../../core/backoff.js";
import { CheckpointError, isMissing } from "../../core/errors.js";
import { MAX_INDEX_BYTES } from "../files/open.js";

/*
 * Requests to a model hub. Listings use the hub library; files are streamed here, because its downloads
 * restart after an interruption and ignore hashes.
 */

/** A file as the hub lists it at one commit. */
export interface HubFile {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly bytes: number;
  readonly hash: FileHash;
}

/** Large files are identified by their SHA-256, small ones by git's blob hash. */
export interface FileHash {
  readonly kind: "sha256" | "git";
  readonly hex: string;
}

export interface HubOptions {
  /** Base URL, such as https://huggingface.co. */
  readonly endpoint: string;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with messages about waits and retries. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

/** How long to retry a failing hub. */
export interface Patience {
  /** Give up after this many failures in a row without receiving a byte. */
  readonly attempts: number;
  /** Wait after the first failure; doubled after each. */
  readonly delayMs: number;
  /** A connection that is silent for this long counts as dropped. */
  readonly idleMs: number;
  /** Longest wait to accept when the hub asks for one. */
  readonly longestWaitMs: number;
}

const PATIENCE: Patience = { attempts: 6, delayMs: 1_000, idleMs: 60_000, longestWaitMs: 15 * 60_000 };

/** A page of a listing has at most 1,000 files, about 0.5 MB. */
const LARGEST_LISTING = { pages: 200, bytes: 64 * 2 ** 20 };

/** Paths that would be written outside the folder to fill; no repository needs one. */
const LEADS_AWAY = /(^|\/)\.*(\/|$)|[\\\p{Cc}]/u;

/** The connection ended before the file did. */
class DroppedConnection extends Error {}

/** Aborts a request when nothing arrives any more. */
class Watch {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(idleMs: number) {
    // The connection keeps the program alive; the timer must not.
    this.#timer = setTimeout(() => this.#abort.abort(), idleMs).unref();
  }
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  refresh(): void {
    this.#timer.refresh();
  }
  stop(): void {
    clearTimeout(this.#timer);
  }
}

export class HubClient {
  readonly #endpoint: string;
  readonly #patience: Patience;
  readonly #options: HubOptions;

  /** Throws CheckpointError HUB_REFUSED for an endpoint with a password, which requests can't carry. */
  constructor(options: HubOptions) {
    const { username, password, host } = new URL(options.endpoint);
    if (username !== "" || password !== "")
      throw new CheckpointError(
        "HUB_REFUSED",
        `The address of ${host} in HF_ENDPOINT holds a name or password, which is not sent. Take it out, and put a token into HF_TOKEN.`,
      );
    this.#options = options;
    this.#endpoint = options.endpoint.replace(/\/+$/, "");
    this.#patience = { ...PATIENCE, ...options.patience };
  }

  /** The commit that a branch, tag or short hash currently refers to. Throws CheckpointError HUB_*. */
  async commitOf(repo: string, revision: string): Promise<string> {
    const info = await modelInfo({
      name: repo,
      revision,
      hubUrl: this.#endpoint,
      additionalFields: ["sha"],
      fetch: this.#fetchFor(`${repo} at revision ${revision}`, repo),
    });
    if (typeof info.sha === "string" && /^[0-9a-f]{7,64}$/.test(info.sha)) return info.sha;
    throw new CheckpointError(
      "HUB_UNREACHABLE",
      `${this.#endpoint} names no commit for ${repo}@${revision}.`,
    );
  }

  /** All files of a repository at a commit. Throws CheckpointError HUB_*. */
  async list(repo: string, commit: string): Promise<HubFile[]> {
    const files: HubFile[] = [];
    const entries = listFiles({
      repo: { type: "model", name: repo },
      revision: commit,
      recursive: true,
      hubUrl: this.#endpoint,
      fetch: this.#fetchFor(`the list of files of ${repo}`, repo),
    });
    for await (const { type, path, size, oid, lfs } of entries) {
      if (type !== "file" || oid === undefined || LEADS_AWAY.test(path)) continue;
      const hash: FileHash = lfs ? { kind: "sha256", hex: lfs.oid } : { kind: "git", hex: oid };
      files.push({ repo, commit, path, bytes: lfs?.size ?? size, hash });
    }
    return files;
  }

  /** A small file's text. Throws CheckpointError HUB_*. */
  async readText(file: HubFile): Promise<string> {
    const { response, watch } = await this.#request(this.#urlOf(file), { repo: file.repo, what: file.path });
    const bytes = await this.#readAll(response, watch, file.path, Math.min(file.bytes, MAX_INDEX_BYTES));
    if (bytes !== null) return new TextDecoder().decode(bytes);
    if (file.bytes <= MAX_INDEX_BYTES) throw this.#tooLong(file);
    throw new CheckpointError(
      "HUB_HASH",
      `${file.path} of ${file.repo} has more than ${MAX_INDEX_BYTES} bytes, too many for an index of weights.`,
    );
  }

  /** The first bytes of a file, at most `most`. Throws CheckpointError HUB_*. */
  async readStart(file: HubFile, most: number): Promise<Uint8Array> {
    const headers = { "accept-encoding": "identity", range: `bytes=0-${most - 1}` };
    const { response, watch } = await this.#request(this.#urlOf(file), {
      repo: file.repo,
      what: file.path,
      headers,
    });
    const bytes = await this.#readAll(response, watch, file.path, most, { isCut: true });
    return bytes ?? new Uint8Array();
  }

  /**
   * Downloads a file to `part`, continuing from the bytes already there, and checks its hash. `onBytes` gets
   * the number of bytes on disk. If it throws, those bytes stay on disk, unless the length or hash is wrong.
   * @throws CheckpointError HUB_*, DISK_FULL or CANCELLED
   */
  async download(file: HubFile, part: string, onBytes: (bytes: number) => void = () => {}): Promise<void> {
    const { attempts } = this.#patience;
    for (let failures = 0; ; ) {
      let have = await sizeOf(part);
      if (have > file.bytes) {
        await rm(part);
        have = 0;
      }
      onBytes(have);
      if (have === file.bytes && (have > 0 || failures > 0)) break;
      try {
        await this.#stream(file, part, have, onBytes);
        const arrived = await sizeOf(part);
        if (arrived === file.bytes) break;
        if (arrived > file.bytes) {
          await rm(part);
          throw this.#tooLong(file);
        }
        throw new DroppedConnection("the hub sent another length than it lists");
      } catch (error) {
        if (!(error instanceof DroppedConnection)) throw error;
        failures = (await sizeOf(part)) > have ? 1 : failures + 1;
        if (failures >= attempts)
          throw new CheckpointError(
            "HUB_UNREACHABLE",
            `The connection to ${this.#endpoint} broke ${failures} times in a row within ${file.path} (${error.message}). What has come is kept: run the same again to go on.`,
            { cause: error },
          );
        await this.#wait(failures, `${file.path}: the connection broke`);
      }
    }
    if (await hasHash(part, file)) return;
    await rm(part);
    throw new CheckpointError(
      "HUB_HASH",
      `${file.path} of ${file.repo} arrived with another ${file.hash.kind === "git" ? "git hash" : "SHA-256"} than ${this.#endpoint} lists (${file.hash.hex}); the file was deleted. Run the same again; if it stays so, a proxy or mirror on the way changes files.`,
    );
  }

  async #stream(file: HubFile, part: string, have: number, onBytes: (bytes: number) => void): Promise<void> {
    const { response, watch } = await this.#request(this.#urlOf(file), {
      repo: file.repo,
      what: file.path,
      headers: { "accept-encoding": "identity", ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
    });
    try {
      if (response.status === 416 || (response.status === 206 && startOfRange(response) !== have)) {
        await response.body?.cancel();
        await rm(part, { force: true });
        throw new DroppedConnection(`it does not go on from byte ${have}`);
      }
      // A hub that does not support ranges answers 200 with the whole file.
      let written = response.status === 206 ? have : 0;
      const handle = await open(part, written > 0 ? "a" : "w");
      try {
        const reader = response.body?.getReader();
        while (reader && written <= file.bytes) {
          const { done, value } = await reader.read().catch((cause) => {
            this.#throwIfCancelled();
            throw new DroppedConnection(watch.signal.aborted ? "nothing came any more" : reason(cause), {
              cause,
            });
          });
          if (done) break;
          watch.refresh();
          await handle.writeFile(value);
          written += value.byteLength;
          onBytes(written);
        }
        if (written > file.bytes) await reader?.cancel();
      } finally {
        await handle.close();
      }
    } finally {
      watch.stop();
    }
  }

  #tooLong({ repo, path, bytes }: HubFile): CheckpointError {
    return new CheckpointError(
      "HUB_HASH",
      `${path} of ${repo} is longer than the ${bytes} bytes that ${this.#endpoint} lists; what came was deleted. Run the same again; if it stays so, a proxy or mirror on the way changes files.`,
    );
  }

  /**
   * The body's bytes; of more than `limit` null, or the first ones if `isCut`. Throws CheckpointError
   * HUB_UNREACHABLE.
   */
  async #readAll(
    response: Response,
    watch: Watch,
    what: string,
    limit: number,
    { isCut = false }: { readonly isCut?: boolean } = {},
  ): Promise<Buffer | null> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response.body ?? []) {
        watch.refresh();
        bytes += chunk.byteLength;
        chunks.push(chunk);
        // Leaving the loop cancels the rest.
        if (bytes > limit) return isCut ? Buffer.concat(chunks, limit) : null;
      }
      return Buffer.concat(chunks, bytes);
    } catch (cause) {
      this.#throwIfCancelled();
      const trouble = watch.signal.aborted ? "nothing came any more" : reason(cause);
      throw new CheckpointError(
        "HUB_UNREACHABLE",
        `The connection to ${this.#endpoint} broke within ${what} (${trouble}). Run the same again.`,
        { cause },
      );
    } finally {
      watch.stop();
    }
  }

  #urlOf({ repo, commit, path }: HubFile): string {
    return `${this.#endpoint}/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** A `fetch` for the hub library, which reads whole answers and follows pages as long as there are more. */
  #fetchFor(what: string, repo: string): typeof fetch {
    let pages = 0;
    let left = LARGEST_LISTING.bytes;
    return async (input, init) => {
      const headers = Object.fromEntries(new Headers(init?.headers));
      const url = String(input instanceof Request ? input.url : input);
      const { response, watch } = await this.#request(url, { repo, what, headers });
      const body = await this.#readAll(response, watch, what, left);
      if (body === null || ++pages > LARGEST_LISTING.pages)
        throw new CheckpointError(
          "HUB_UNREACHABLE",
          `${what}: ${this.#endpoint} sends more than ${LARGEST_LISTING.pages} pages or ${LARGEST_LISTING.bytes} bytes. Check HF_ENDPOINT.`,
        );
      left -= body.byteLength;
      return new Response(new Uint8Array(body), { status: response.status, headers: response.headers });
    };
  }

  /** GET with retries; returns a success or 416 and throws a readable error for anything else. */
  async #request(
    url: string,
    {
      repo,
      what,
      headers = {},
    }: {
      readonly repo: string;
      readonly what: string;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<{ response: Response; watch: Watch }> {
    const { token } = this.#options;
    // The next page of a listing, or a mirror, may be on another host, which must not get the token.
    const isOurs = new URL(url).origin === new URL(this.#endpoint).origin;
    const { attempts, idleMs, longestWaitMs } = this.#patience;
    for (let failures = 1; ; failures++) {
      let trouble: string;
      let code: "HUB_BUSY" | "HUB_UNREACHABLE" = "HUB_UNREACHABLE";
      let cause: unknown;
      let waitMs: number | undefined;
      const watch = new Watch(idleMs);
      try {
        const response = await fetch(url, {
          headers: { ...headers, ...(token && isOurs ? { authorization: `Bearer ${token}` } : {}) },
          signal: this.#anySignal(watch.signal),
        });
        if (response.ok || response.status === 416) return { response, watch };
        await response.body?.cancel();
        if (response.status !== 429 && response.status < 500) throw this.#refusal(response, repo, what);
        trouble = `${this.#endpoint} answers ${response.status}`;
        waitMs = retryAfterMs(response.headers.get("retry-after"));
        if (response.status === 429) code = "HUB_BUSY";
      } catch (error) {
        if (error instanceof CheckpointError) throw error;
        this.#throwIfCancelled();
        trouble = watch.signal.aborted
          ? `${this.#endpoint} does not answer`
          : `${this.#endpoint} cannot be reached (${reason(error)})`;
        cause = error;
      }
      watch.stop();
      if (failures >= attempts || (waitMs ?? 0) > longestWaitMs) {
        const later = waitMs === undefined ? "" : ` It asks to wait ${Math.ceil(waitMs / 1000)} s.`;
        const toDo =
          code === "HUB_BUSY"
            ? "Try again later; with a token in HF_TOKEN more requests are allowed."
            : "Check the network and HF_ENDPOINT, then run the same again: it goes on where it stopped.";
        throw new CheckpointError(code, `${what}: ${trouble}.${later} ${toDo}`, { cause });
      }
      await this.#wait(failures, trouble, waitMs);
    }
  }

  async #wait(failures: number, trouble: string, asked?: number): Promise<void> {
    const ms = asked ?? backoffMs(failures - 1, this.#patience.delayMs);
    this.#options.onNotice?.(`${trouble}; trying again in ${Math.ceil(ms / 1000)} s.`);
    await delay(ms, undefined, { signal: this.#anySignal() }).catch(() => {
      this.#throwIfCancelled();
    });
  }

  #refusal({ status, headers }: Response, repo: string, what: string): CheckpointError {
    const page = `${this.#endpoint}/${repo}`;
    const error = headers.get("x-error-code");
    if (error === "GatedRepo" || (status === 403 && error === null))
      return new CheckpointError(
        "HUB_REFUSED",
        `${repo} is only given to those who accepted its terms. Open ${page} in a browser, log in, accept the terms, make a token that may read (${this.#endpoint}/settings/tokens) and put it into .env: HF_TOKEN=hf_...`,
      );
    if (error === "RevisionNotFound")
      return new CheckpointError(
        "HUB_NOT_FOUND",
        `${what} does not exist. ${page}/tree/main lists the revisions.`,
      );
    if (error === "EntryNotFound")
      return new CheckpointError("HUB_NOT_FOUND", `${repo} has no file ${what} (any more).`);
    if (status === 404 || error === "RepoNotFound")
      return new CheckpointError(
        "HUB_NOT_FOUND",
        `There is no model ${repo} on ${this.#endpoint}, or it is private. Check the spelling; for a private one, set HF_TOKEN.`,
      );
    if (status === 401 || status === 403)
      return new CheckpointError(
        "HUB_REFUSED",
        this.#options.token
          ? `${this.#endpoint} does not accept the token in HF_TOKEN for ${repo}. Make a new one that may read: ${this.#endpoint}/settings/tokens`
          : `${repo} asks for a token. Make one that may read (${this.#endpoint}/settings/tokens) and put it into .env: HF_TOKEN=hf_...`,
      );
    return new CheckpointError("HUB_REFUSED", `${what}: ${this.#endpoint} answers ${status}.`);
  }

  #anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
    return AbortSignal.any([this.#options.signal, ...signals].filter((signal) => signal !== undefined));
  }

  #throwIfCancelled(): void {
    if (this.#options.signal?.aborted)
      throw new CheckpointError(
        "CANCELLED",
        "The download was stopped. What has come is kept: run the same again to go on.",
      );
  }
}

/** True if the file at `path` has the length and hash that the hub lists. */
export async function hasHash(
  path: string,
  { bytes, hash }: Pick<HubFile, "bytes" | "hash">,
): Promise<boolean> {
  if (!existsSync(path) || (await sizeOf(path)) !== bytes) return false;
  const digest = createHash(hash.kind === "git" ? "sha1" : "sha256");
  if (hash.kind === "git") digest.update(`blob ${bytes}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), digest);
  return digest.digest("hex") === hash.hex;
}

/** Size of a file in bytes; 0 if it does not exist. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw new CheckpointError("CHECKPOINT_MISSING", `${basename(path)} cannot be read.`, { cause: error });
  }
}

const startOfRange = (response: Response): number =>
  Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);

/** The header's seconds or date, as milliseconds from now; undefined if it is missing. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** The network's own error message, which fetch hides in the cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
