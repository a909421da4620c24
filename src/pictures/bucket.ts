import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ListObjectsV2CommandOutput, S3Client } from "@aws-sdk/client-s3";
import { DiskError, InputError, isMissing } from "../core/errors.js";
import { isId } from "../core/job-id.js";
import { makeFolder, replaceFile } from "../files/replace-file.js";
import { attemptName, type JobPictures, type PictureKey, type PictureStore } from "./store.js";

/** Where a bucket is, as `PICTURES` says it. */
export interface BucketAddress {
  readonly bucket: string;
  /** What every key begins with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Of a server other than Amazon's. */
  readonly endpoint: string | null;
  readonly region: string;
}

export interface BucketKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** How many jobs' pictures stay on this machine, so that a comparison needs no download. */
const JOBS_AT_HAND = 32;
/** Most keys that a server deletes in one request. */
const KEYS_A_REQUEST = 1_000;

/**
 * Reads an address such as `s3://bucket/prefix?endpoint=https://s3.example.org&region=eu-west-1`.
 * @throws InputError CONFIG
 */
export function parseBucket(text: string): BucketAddress {
  const wrong = (why: string) =>
    new InputError(
      "CONFIG",
      `PICTURES=${text}: ${why}. Write s3://BUCKET or s3://BUCKET/FOLDER?endpoint=https://HOST.`,
    );
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === "") throw wrong("this names no bucket");
  if (url.username !== "" || url.password !== "")
    throw wrong("keys belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  const unknown = [...url.searchParams.keys()].filter((key) => key !== "endpoint" && key !== "region");
  if (unknown.length > 0) throw wrong(`${unknown.join(", ")} is neither endpoint nor region`);
  const endpoint = url.searchParams.get("endpoint");
  if (endpoint !== null && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : ""))
    throw wrong("the endpoint has to begin with http:// or https://");
  const folder = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, "");
  return {
    bucket: url.hostname,
    prefix: folder === "" ? "" : `${folder}/`,
    endpoint,
    region: url.searchParams.get("region") ?? "us-east-1",
  };
}

type Library = typeof import("@aws-sdk/client-s3");

/**
 * Keeps pictures as objects `<prefix><job id>/<file>` of a bucket, and those of the last jobs in a folder of this
 * machine too, where workers read and write them. What a server refuses or does not answer is a DiskError
 * PICTURES_UNREACHABLE.
 */
export class PictureBucket implements PictureStore {
  readonly #address: BucketAddress;
  readonly #scratch: string;
  readonly #client: S3Client;
  readonly #library: Library;
  /** The jobs whose pictures are at hand, the last used last. */
  readonly #atHand = new Set<string>();

  private constructor(address: BucketAddress, keys: BucketKeys | null, scratch: string, library: Library) {
    this.#address = address;
    this.#scratch = scratch;
    this.#library = library;
    this.#client = new library.S3Client({
      region: address.region,
      ...(keys === null ? {} : { credentials: keys }),
      // Servers other than Amazon's know a bucket by its path, and not all know the newer checksums.
      ...(address.endpoint === null ? {} : { endpoint: address.endpoint, forcePathStyle: true }),
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  /**
   * Loads the client, which is large, and empties the folder at hand.
   * @param keys null: the client finds them as Amazon's own tools do
   * @param scratch a folder of this machine that is the program's own
   */
  static async open(
    address: BucketAddress,
    keys: BucketKeys | null,
    scratch: string,
  ): Promise<PictureBucket> {
    const library = await import("@aws-sdk/client-s3");
    await rm(scratch, { recursive: true, force: true });
    await makeFolder(scratch);
    return new PictureBucket(address, keys, scratch, library);
  }

  async create<T>(key: PictureKey, write: (path: string) => Promise<T>): Promise<T> {
    const path = await this.#pathAtHand(key);
    const result = await write(path);
    const { PutObjectCommand } = this.#library;
    const Body = await readFile(path);
    await this.#ask((client) =>
      client.send(new PutObjectCommand({ ...this.#object(key), Body, ContentType: "image/png" })),
    );
    return result;
  }

  async write(key: PictureKey, content: Uint8Array): Promise<void> {
    await this.create(key, (path) => replaceFile(path, content));
  }

  async copy(from: PictureKey, to: PictureKey): Promise<boolean> {
    const { CopyObjectCommand } = this.#library;
    const { Bucket, Key } = this.#object(from);
    const CopySource = `${Bucket}/${encodeURI(Key)}`;
    const copied = await this.#ask((client) =>
      client.send(new CopyObjectCommand({ ...this.#object(to), CopySource })),
    );
    if (copied === null) return false;
    // What is at hand under this name is another picture now.
    await rm(await this.#pathAtHand(to), { force: true });
    return true;
  }

  /** @throws InputError PICTURE_GONE */
  async localPath(key: PictureKey): Promise<string> {
    const path = await this.#pathAtHand(key);
    const isHere = await stat(path).then(
      () => true,
      (error) => {
        if (isMissing(error)) return false;
        throw error;
      },
    );
    if (isHere) return path;
    const picture = await this.#download(key);
    if (picture === null)
      throw new InputError(
        "PICTURE_GONE",
        `${key.file} of job ${key.jobId} is no longer in the picture store.`,
      );
    await replaceFile(path, picture);
    return path;
  }

  async read(key: PictureKey): Promise<Buffer | null> {
    return this.#download(key);
  }

  async size(key: PictureKey): Promise<number | null> {
    const { HeadObjectCommand } = this.#library;
    const found = await this.#ask((client) => client.send(new HeadObjectCommand(this.#object(key))));
    return found?.ContentLength ?? null;
  }

  async remove(jobId: string): Promise<void> {
    const { DeleteObjectsCommand } = this.#library;
    const keys: string[] = [];
    for await (const { key } of this.#list(`${jobId}/`)) keys.push(key);
    for (let from = 0; from < keys.length; from += KEYS_A_REQUEST) {
      const Objects = keys.slice(from, from + KEYS_A_REQUEST).map((Key) => ({ Key }));
      const Delete = { Objects, Quiet: true };
      const answer = await this.#ask((client) =>
        client.send(new DeleteObjectsCommand({ Bucket: this.#address.bucket, Delete })),
      );
      const [kept] = answer?.Errors ?? [];
      if (kept !== undefined) throw this.#failed(`it kept ${kept.Key}: ${kept.Message ?? kept.Code}`);
    }
    await this.#forget(jobId);
  }

  nameOf(file: string, attempt: number): string {
    return attemptName(file, attempt);
  }

  /** An object is there whole or not at all. */
  async removeUnfinished(): Promise<number> {
    return 0;
  }

  async jobs(): Promise<ReadonlyMap<string, JobPictures>> {
    const jobs = new Map<string, JobPictures>();
    for await (const { key, bytes, at } of this.#list("")) {
      const jobId = key.slice(this.#address.prefix.length).split("/", 1)[0]!;
      // Others may keep something beside our pictures.
      if (!isId(jobId)) continue;
      const known = jobs.get(jobId);
      jobs.set(jobId, { bytes: (known?.bytes ?? 0) + bytes, touchedAt: Math.max(known?.touchedAt ?? 0, at) });
    }
    return jobs;
  }

  async #download(key: PictureKey): Promise<Buffer | null> {
    const { GetObjectCommand } = this.#library;
    const bytes = await this.#ask(async (client) => {
      const { Body } = await client.send(new GetObjectCommand(this.#object(key)));
      return Body?.transformToByteArray() ?? null;
    });
    return bytes && Buffer.from(bytes);
  }

  async *#list(below: string): AsyncGenerator<{ key: string; bytes: number; at: number }> {
    const { ListObjectsV2Command } = this.#library;
    const { bucket, prefix } = this.#address;
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput | null = await this.#ask((client) =>
        client.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${below}`, ContinuationToken: token }),
        ),
      );
      for (const { Key, Size = 0, LastModified } of page?.Contents ?? [])
        if (Key !== undefined) yield { key: Key, bytes: Size, at: LastModified?.getTime() ?? 0 };
      token = page?.NextContinuationToken;
    } while (token !== undefined);
  }

  /** What a request answers; null if what it asks for is not there. */
  async #ask<T>(request: (client: S3Client) => Promise<T>): Promise<T | null> {
    try {
      return await request(this.#client);
    } catch (cause) {
      const { name, message } = cause as Error;
      if (name === "NoSuchKey" || name === "NotFound") return null;
      throw this.#failed(`${name}: ${message}`, { cause });
    }
  }

  #failed(why: string, options?: ErrorOptions): DiskError {
    const { bucket, endpoint } = this.#address;
    const where = endpoint === null ? "" : ` at ${endpoint}`;
    return new DiskError(
      "PICTURES_UNREACHABLE",
      `The picture store s3://${bucket}${where} failed: ${why}`,
      options,
    );
  }

  #object({ jobId, file }: PictureKey): { Bucket: string; Key: string } {
    const { bucket, prefix } = this.#address;
    return { Bucket: bucket, Key: `${prefix}${jobId}/${file}` };
  }

  /** Where the picture is or would be on this machine; makes room by forgetting the job that was used longest ago. */
  async #pathAtHand({ jobId, file }: PictureKey): Promise<string> {
    this.#atHand.delete(jobId);
    this.#atHand.add(jobId);
    const [oldest] = this.#atHand;
    if (oldest !== undefined && this.#atHand.size > JOBS_AT_HAND) await this.#forget(oldest);
    await makeFolder(join(this.#scratch, jobId));
    return join(this.#scratch, jobId, file);
  }

  async #forget(jobId: string): Promise<void> {
    this.#atHand.delete(jobId);
    await rm(join(this.#scratch, jobId), { recursive: true, force: true, maxRetries: 3 });
  }
}
