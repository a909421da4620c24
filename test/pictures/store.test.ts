import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../src/core/job-id.js";
import { PictureBucket, parseBucket } from "../../src/pictures/bucket.js";
import { checkStore, PictureFolder, type PictureStore } from "../../src/pictures/store.js";
import { createS3Server, hasS3Server, type S3Server } from "../support/s3-server.js";

const isServed = hasS3Server();
if (!isServed)
  console.warn("The tests of S3 are skipped: rclone 1.65 or later is not installed on this machine.");

let folder: string;
let server: S3Server;
beforeAll(async () => {
  if (isServed) server = await createS3Server(["pictures", "shared"]);
});
afterAll(async () => {
  if (isServed) await server.remove();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pictures-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const addressOf = (place: string) => parseBucket(`s3://${place}?endpoint=${server.endpoint}`);
const bucket = (place: string, name = "at-hand") =>
  PictureBucket.open(addressOf(place), server.keys, join(folder, name));

const put = (store: PictureStore, jobId: string, file: string, bytes: string) =>
  store.create({ jobId, file }, (path) => writeFile(path, bytes));

const ENGINES: [string, boolean, () => Promise<PictureStore>][] = [
  ["a folder", true, async () => new PictureFolder(join(folder, "pictures"))],
  ["a bucket", isServed, () => bucket("pictures")],
  ["a folder of a bucket", isServed, () => bucket("shared/bot/one")],
];

describe.each(ENGINES.filter(([, isThere]) => isThere))("%s", (_name, _isThere, open) => {
  test("keeps, tells and deletes the pictures of a job", async () => {
    const store = await open();
    const [job, other] = [newId(), newId()];
    const before = Date.now();
    await put(store, job, "1-baseline.png", "one");
    await put(store, job, "1-comparison.png", "three!");
    await put(store, other, "1-baseline.png", "other");

    expect(await store.read({ jobId: job, file: "1-baseline.png" })).toEqual(Buffer.from("one"));
    expect(await store.size({ jobId: job, file: "1-comparison.png" })).toBe(6);
    const path = await store.localPath({ jobId: job, file: "1-baseline.png" });
    expect(await readFile(path, "utf8")).toBe("one");
    const jobs = await store.jobs();
    expect(jobs.get(job)?.bytes).toBe(9);
    // Such a server tells whole seconds.
    expect(jobs.get(job)!.touchedAt).toBeGreaterThan(before - 1_500);

    const copy = { jobId: other, file: "1-optimized.png" };
    await store.write(copy, Buffer.from("before"));
    expect(await store.copy({ jobId: job, file: "1-baseline.png" }, copy)).toBe(true);
    expect(await readFile(await store.localPath(copy), "utf8")).toBe("one");
    expect(await store.copy({ jobId: job, file: "2-baseline.png" }, copy)).toBe(false);

    await put(store, job, "1-baseline.png", "redrawn");
    expect((await store.read({ jobId: job, file: "1-baseline.png" }))?.toString()).toBe("redrawn");

    await store.remove(job);
    await store.remove(job);
    expect([...(await store.jobs()).keys()].filter((id) => id === job || id === other)).toEqual([other]);
    expect(await store.read({ jobId: job, file: "1-baseline.png" })).toBeNull();
    expect(await store.size({ jobId: job, file: "1-baseline.png" })).toBeNull();
  });

  test("stores nothing when writing fails", async () => {
    const store = await open();
    const job = newId();
    const failed = store.create({ jobId: job, file: "1-baseline.png" }, async () => {
      throw new Error("out of memory");
    });
    await expect(failed).rejects.toThrow("out of memory");
    expect(await store.size({ jobId: job, file: "1-baseline.png" })).toBeNull();
  });
});

test("a folder of one program keeps plain names; one that is shared tells attempts apart", () => {
  expect(new PictureFolder(folder).nameOf("1-baseline.png", 2)).toBe("1-baseline.png");
  const shared = new PictureFolder(folder, { isShared: true });
  expect(shared.nameOf("1-baseline.png", 2)).toBe("1-baseline-attempt-2.png");
});

describe.skipIf(!isServed)("a bucket", () => {
  test("shows each host what another stored, and keeps a late attempt apart", async () => {
    const [first, second, bot] = [
      await bucket("pictures", "1"),
      await bucket("pictures", "2"),
      await bucket("pictures", "3"),
    ];
    const job = newId();
    await put(second, job, second.nameOf("1-baseline.png", 2), "second");
    await put(first, job, first.nameOf("1-baseline.png", 1), "late");
    expect((await bot.read({ jobId: job, file: second.nameOf("1-baseline.png", 2) }))?.toString()).toBe(
      "second",
    );
    expect(
      await readFile(await bot.localPath({ jobId: job, file: second.nameOf("1-baseline.png", 2) }), "utf8"),
    ).toBe("second");
  });

  test("touches nothing that is not its own", async () => {
    const store = await bucket("shared/bot/two");
    const job = newId();
    mkdirSync(join(server.folder, "shared", "bot", "two", "holiday"), { recursive: true });
    writeFileSync(join(server.folder, "shared", "bot", "two", "holiday", "beach.png"), "sea");
    writeFileSync(join(server.folder, "shared", "notes.txt"), "mine");
    await put(store, job, "1-baseline.png", "one");
    expect([...(await store.jobs()).keys()]).toEqual([job]);
    await store.remove(job);
    expect(existsSync(join(server.folder, "shared", "bot", "two", "holiday", "beach.png"))).toBe(true);
    expect(existsSync(join(server.folder, "shared", "notes.txt"))).toBe(true);
  });

  test("deletes more objects than one request may name", async () => {
    const store = await bucket("pictures");
    const job = newId();
    mkdirSync(join(server.folder, "pictures", job));
    for (let i = 0; i < 1_100; i++) writeFileSync(join(server.folder, "pictures", job, `${i}.png`), "x");
    expect((await store.jobs()).get(job)?.bytes).toBe(1_100);
    await store.remove(job);
    expect((await store.jobs()).has(job)).toBe(false);
  });

  test("keeps the pictures of the last jobs on this machine, not of all", async () => {
    const store = await bucket("pictures");
    const jobs = Array.from({ length: 40 }, newId);
    for (const job of jobs) await put(store, job, "1-baseline.png", job);
    expect(readdirSync(join(folder, "at-hand")).sort()).toEqual(jobs.slice(-32).sort());
    expect(await readFile(await store.localPath({ jobId: jobs[0]!, file: "1-baseline.png" }), "utf8")).toBe(
      jobs[0],
    );
  });

  test("says that a picture is gone", async () => {
    const store = await bucket("pictures");
    await expect(store.localPath({ jobId: newId(), file: "1-baseline.png" })).rejects.toMatchObject({
      code: "PICTURE_GONE",
    });
  });

  test("tells an outage, a wrong key and a missing bucket, and works on after an outage", async () => {
    const store = await bucket("pictures");
    const job = newId();
    await put(store, job, "1-baseline.png", "one");
    await server.stop();
    const outage = { code: "PICTURES_UNREACHABLE", message: expect.stringContaining("ECONNREFUSED") };
    await expect(store.read({ jobId: job, file: "1-baseline.png" })).rejects.toMatchObject(outage);
    await expect(put(store, job, "1-optimized.png", "two")).rejects.toMatchObject(outage);
    await server.start();
    expect((await store.read({ jobId: job, file: "1-baseline.png" }))?.toString()).toBe("one");
    await checkStore(store);

    const keys = { ...server.keys, secretAccessKey: "wrong" };
    const stranger = await PictureBucket.open(addressOf("pictures"), keys, join(folder, "stranger"));
    await expect(checkStore(stranger)).rejects.toMatchObject({ code: "PICTURES_UNREACHABLE" });
    await expect(checkStore(await bucket("nowhere", "nowhere"))).rejects.toMatchObject({
      code: "PICTURES_UNREACHABLE",
      message: expect.stringMatching(/s3:\/\/nowhere at http.*NoSuchBucket/),
    });
  });
});

test.each([
  ["s3://pictures", { bucket: "pictures", prefix: "", endpoint: null, region: "us-east-1" }],
  [
    "s3://pictures/bot/?endpoint=http://127.0.0.1:7070&region=eu-west-1",
    { bucket: "pictures", prefix: "bot/", endpoint: "http://127.0.0.1:7070", region: "eu-west-1" },
  ],
])("reads %s", (text, address) => {
  expect(parseBucket(text)).toEqual(address);
});

test.each([
  ["s3://", "names no bucket"],
  ["s3:pictures", "names no bucket"],
  ["s3://key:secret@pictures", "AWS_ACCESS_KEY_ID"],
  ["s3://pictures?host=http://a", "host is neither endpoint nor region"],
  ["s3://pictures?endpoint=minio:9000", "begin with http:// or https://"],
])("refuses %s", (text, why) => {
  expect(() => parseBucket(text)).toThrow(why);
});
