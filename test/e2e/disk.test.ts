import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type LocalDiscord, startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { openKept } from "../../src/db/sqlite/kept-database.js";
import { temporaryFolder } from "../support/app.js";
import { startBotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";

/** Mounting a small file system needs a mount namespace, which not every container allows. */
const UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"];
const canMount =
  process.platform === "linux" &&
  spawnSync(UNSHARE[0]!, [...UNSHARE.slice(1), "mount", "-t", "tmpfs", "none", "/tmp"]).status === 0;

const WAIT = { timeoutMs: 120_000 };

/** A bot whose pictures are on a disk of its own, `size` large; `inside` runs a command that sees that disk. */
async function withPicturesDisk(
  size: string,
  use: (bot: {
    readonly local: LocalDiscord;
    readonly folder: string;
    readonly pictures: string;
    readonly inside: (...command: string[]) => string;
  }) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const pictures = join(folder.path, "pictures");
  mkdirSync(pictures);
  const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
  try {
    const mount = `mount -t tmpfs -o size=${size} none "${pictures}" && exec "$@"`;
    const bot = await startReadyBot(local, folder.path, {}, [...UNSHARE, "sh", "-c", mount, "sh"]);
    const enter = ["--target", String(bot.child.pid), "--user", "--mount", "--preserve-credentials"];
    const inside = (...command: string[]) =>
      execFileSync("nsenter", [...enter, ...command], { encoding: "utf8" });
    await use({ local, folder: folder.path, pictures, inside });
  } finally {
    await local.close();
  }
}

/** The state of the one job, and the codes of its failed attempts. */
function storedJob(folder: string): { readonly state: string; readonly codes: readonly string[] } {
  const db = openKept(join(folder, "promptist.sqlite"), { readonly: true });
  const { state, failures } = db.prepare("select state, failures from jobs").get() as {
    state: string;
    failures: string;
  };
  db.close();
  return { state, codes: (JSON.parse(failures) as { code: string }[]).map(({ code }) => code) };
}

test.skipIf(!canMount)(
  "a full disk while a picture is written: the job says so, leaves nothing half written, and works once there is space",
  { timeout: 300_000 },
  () =>
    withPicturesDisk("12k", async ({ local, folder, pictures, inside }) => {
      const alice = local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 });
      const failed = await handle.waitFor(isFinal, WAIT);
      expect(failed.embeds[0]?.description).toContain("The disk of this bot's machine is full");
      const { state, codes } = storedJob(folder);
      expect(state).toBe("failed");
      expect(codes).toEqual(Array(3).fill("DISK_FULL"));

      expect(inside("find", pictures, "-name", "*.tmp")).toBe("");
      inside("mount", "-o", "remount,size=64m", pictures);
      const again = await alice.slash("compare", { prompt: "A cat", seed: 2 });
      const result = await again.waitFor(isFinal, WAIT);
      expect(result.attachments.length).toBeGreaterThanOrEqual(2);
    }),
);

test.skipIf(!canMount)(
  "a pictures folder that turns read-only: the job says so at once, and works once it may be written",
  { timeout: 180_000 },
  () =>
    withPicturesDisk("64m", async ({ local, folder, pictures, inside }) => {
      inside("mount", "-o", "remount,ro", pictures);
      const alice = local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 });
      const failed = await handle.waitFor(isFinal, WAIT);
      expect(failed.embeds[0]?.description).toContain("has no permission to save pictures");
      expect(storedJob(folder).codes).toEqual(["DISK_READ_ONLY"]);

      inside("mount", "-o", "remount,rw", pictures);
      const again = await alice.slash("compare", { prompt: "A cat", seed: 2 });
      const result = await again.waitFor(isFinal, WAIT);
      expect(result.attachments.length).toBeGreaterThanOrEqual(2);
    }),
);

test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
  "a data folder without write permission is refused with a sentence that names it",
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false });
    try {
      chmodSync(folder.path, 0o500);
      const bot = startBotProcess(local, join(folder.path, "data"));
      expect(await bot.exited).toEqual([1, null]);
      expect(bot.output()).toContain("Check that the data folder is a folder that this user may write to");
    } finally {
      chmodSync(folder.path, 0o700);
      await local.close();
    }
  },
);

test.skipIf(!canMount)(
  "a data folder on a read-only file system is refused the same way",
  { timeout: 60_000 },
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false });
    try {
      const mount = `mount -t tmpfs none "${folder.path}" && mount -o remount,ro "${folder.path}" && exec "$@"`;
      const bot = startBotProcess(local, join(folder.path, "data"), {}, [
        ...UNSHARE,
        "sh",
        "-c",
        mount,
        "sh",
      ]);
      expect(await bot.exited).toEqual([1, null]);
      expect(bot.output()).toContain("Check that the data folder is a folder that this user may write to");
      expect(bot.output()).not.toMatch(/\n {4}at /);
    } finally {
      await local.close();
    }
  },
);
