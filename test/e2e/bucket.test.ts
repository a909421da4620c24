import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult, jobOf } from "../support/message.js";
import { createS3Server, hasS3Server, type S3Server } from "../support/s3-server.js";

/** The whole program with its pictures in a bucket of a real S3 server. */

const WAIT = { timeoutMs: 100_000 };

describe.skipIf(!hasS3Server())("PICTURES=s3://...", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let server: S3Server;
  let app: TestApp;
  const start = () =>
    startApp(folder.path, {
      IMAGE_STEPS: "2",
      PICTURES: `s3://pictures/bot?endpoint=${server.endpoint}`,
      AWS_ACCESS_KEY_ID: server.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.keys.secretAccessKey,
    });
  beforeAll(async () => {
    folder = temporaryFolder();
    server = await createS3Server(["pictures"]);
    app = await start();
  });
  afterAll(async () => {
    await app?.stop();
    await server?.remove();
    folder?.remove();
  });

  test("a pair is drawn, shown again after a new start, and erased with its person", async () => {
    const alice = app.local.member("alice");
    const drawn = await (await alice.slash("compare", { prompt: "a red apple", seed: 5 })).waitFor(
      hasResult,
      WAIT,
    );
    const id = jobOf(drawn);
    const objects = () => {
      const at = join(server.folder, "pictures", "bot", id);
      return existsSync(at) ? readdirSync(at).sort() : [];
    };
    expect(objects()).toEqual([
      expect.stringMatching(/^1-baseline-attempt-\d\.png$/),
      expect.stringMatching(/^1-comparison-attempt-\d\.png$/),
      expect.stringMatching(/^1-optimized-attempt-\d\.png$/),
    ]);
    await app.stop();

    app = await start();
    const again = app.local.member("alice");
    const shown = await again.slash("show", { id });
    expect((await shown.waitFor((message) => message.attachments.length > 0, WAIT)).attachments).not.toEqual(
      [],
    );
    await (await again.slash("mydata erase", { confirm: true })).waitFor(
      (message) => message.content !== "",
      WAIT,
    );
    await expect.poll(objects).toEqual([]);
  });

  test("an outage of the store loses nothing: the job waits for its next attempt", async () => {
    const alice = app.local.member("alice");
    await server.stop();
    const handle = await alice.slash("compare", { prompt: "a blue star", seed: 6 });
    const code = await new Promise((resolve) => {
      app.events.on("job.requeued", ({ reason, code }) => reason === "retry" && resolve(code));
    });
    expect(code).toBe("PICTURES_UNREACHABLE");
    await server.start();
    await handle.waitFor(hasResult, WAIT);
  });
});
