import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Hono } from "hono";
import type { Blobs } from "./blobs.js";
import type { Clock } from "./clock.js";
import { inspect } from "./media.js";
import type { AttachmentRecord } from "./records.js";
import type { SnowflakeFactory } from "./snowflake.js";

export interface Upload {
  readonly filename: string;
  readonly data: Buffer;
  readonly description?: string | null;
  readonly spoiler?: boolean;
}

const INLINE = /^image\/(png|jpeg|gif|webp)$/;

/**
 * Serves attachments at signed URLs that expire. Keeps at most `maxBytes`: the oldest files are deleted
 * first, and their URLs then answer 404, as for deleted files.
 */
export class Cdn {
  readonly #records = new Map<string, AttachmentRecord>();
  readonly #secret = randomBytes(32);
  #bytes = 0;
  /** Set once the server listens, such as "http://127.0.0.1:4400/cdn". */
  baseUrl = "";

  readonly #clock: Clock;
  readonly #ids: SnowflakeFactory;
  readonly #blobs: Blobs;
  readonly #maxBytes: number;
  readonly #urlLifetimeMs: number;

  constructor(clock: Clock, ids: SnowflakeFactory, blobs: Blobs, maxBytes: number, urlLifetimeMs: number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#blobs = blobs;
    this.#maxBytes = maxBytes;
    this.#urlLifetimeMs = urlLifetimeMs;
  }

  /** Stores a file and returns its record. */
  store(upload: Upload, channelId: string, ephemeral: boolean): AttachmentRecord {
    const filename = cleanFilename(upload.filename);
    const media = inspect(upload.data, filename);
    const record: AttachmentRecord = {
      id: this.#ids.next(),
      channelId,
      filename,
      title: filename === upload.filename ? null : upload.filename,
      description: upload.description ?? null,
      contentType: media.contentType,
      bytes: upload.data.length,
      width: media.width,
      height: media.height,
      ephemeral,
      spoiler: upload.spoiler === true || filename.startsWith("SPOILER_"),
    };
    this.#blobs.put(record.id, upload.data);
    this.adopt(record);
    for (const { id } of this.#records.values()) {
      if (this.#bytes <= this.#maxBytes || id === record.id) break;
      this.remove(id);
    }
    return record;
  }

  /** Registers a file whose bytes an earlier run stored. */
  adopt(record: AttachmentRecord): void {
    this.#records.set(record.id, record);
    this.#bytes += record.bytes;
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    this.#blobs.delete(id);
    this.#bytes -= record.bytes;
  }

  /** Returns a URL that is valid from now for the configured lifetime. */
  sign(record: AttachmentRecord): string {
    const path = pathOf(record);
    const issued = Math.floor(this.#clock.now() / 1000);
    const is = issued.toString(16);
    const ex = (issued + Math.floor(this.#urlLifetimeMs / 1000)).toString(16);
    return `${this.baseUrl}${path}?ex=${ex}&is=${is}&hm=${this.#mac(path, ex, is)}`;
  }

  /** The attachment that a URL of this CDN refers to, signed or not. */
  fromUrl(url: string): AttachmentRecord | undefined {
    if (!url.startsWith(`${this.baseUrl}/`)) return undefined;
    const id = /\/(?:ephemeral-)?attachments\/\d+\/(\d+)\//.exec(url)?.[1];
    return id === undefined ? undefined : this.#records.get(id);
  }

  /** Serves `/cdn/attachments/{channel}/{id}/{filename}` and its ephemeral twin. */
  mount(app: Hono): void {
    for (const folder of ["attachments", "ephemeral-attachments"]) {
      app.get(`/cdn/${folder}/:channel/:id/:filename`, (context) => {
        const { channel, id, filename } = context.req.param();
        const path = `/${folder}/${channel}/${id}/${encodeURIComponent(filename)}`;
        const gone = () => context.text("This content is no longer available.", 404);
        const { ex = "", is = "", hm = "" } = context.req.query();
        if (!sameText(hm, this.#mac(path, ex, is)) || Number.parseInt(ex, 16) * 1000 <= this.#clock.now()) {
          return gone();
        }
        const record = this.#records.get(id);
        const data = record === undefined || pathOf(record) !== path ? undefined : this.#blobs.get(id);
        if (record === undefined || data === undefined) return gone();
        const type = record.contentType ?? "application/octet-stream";
        // Uploads share an origin with the page, so nothing that a browser would run may be shown inline.
        return context.body(new Uint8Array(data), 200, {
          "Content-Type": INLINE.test(type) || type.startsWith("text/plain") ? type : downloadType(type),
          "Content-Disposition": `${INLINE.test(type) ? "inline" : "attachment"}; filename="${record.filename}"`,
          "Content-Security-Policy": "default-src 'none'; sandbox",
          "X-Content-Type-Options": "nosniff",
          "Cache-Control": "private, max-age=86400",
        });
      });
    }
  }

  #mac(path: string, ex: string, is: string): string {
    return createHmac("sha256", this.#secret).update(`${path}|${ex}|${is}`).digest("hex");
  }
}

function pathOf(record: AttachmentRecord): string {
  const folder = record.ephemeral ? "ephemeral-attachments" : "attachments";
  return `/${folder}/${record.channelId}/${record.id}/${encodeURIComponent(record.filename)}`;
}

function downloadType(type: string): string {
  return /^(application\/(json|zip|pdf)|text\/(csv|markdown))/.test(type) ? type : "application/octet-stream";
}

function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * A filename as Discord stores it: no folders, underscores for blanks, only letters that are safe in a URL.
 */
function cleanFilename(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? "";
  const clean = last.replace(/\s/g, "_").replace(/[^\w.-]/g, "");
  return /\w/.test(clean) ? clean : `unknown${/\.\w+$/.exec(clean)?.[0] ?? ""}`;
}
