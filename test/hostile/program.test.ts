import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type LocalDiscord, startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { isFinal } from "../support/bot-world.js";

/** The program as people run it, in its own process, with all its output. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Looks like a Discord bot's token but belongs to nobody. */
const TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB";

class Run {
  said = "";
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], folder: string, environment: Record<string, string>) {
    this.child = spawn(process.execPath, [join(ROOT, "bin", "promptist.js"), ...args], {
      cwd: folder,
      env: {
        ...process.env,
        DATA_DIR: join(folder, "data"),
        CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
        DEVICE: "cpu",
        IMAGE_STEPS: "2",
        TEXT_MAX_NEW_TOKENS: "4",
        LOG_LEVEL: "debug",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.said += text;
        this.child.emit("said");
      });
    this.ended = once(this.child, "close").then(([code]) => code as number | null);
    onTestFinished(async () => {
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }

  async until(words: string): Promise<void> {
    while (!this.said.includes(words)) {
      const over = this.ended.then((code) =>
        Promise.reject(new Error(`it ended with ${code}:\n${this.said}`)),
      );
      await Promise.race([once(this.child, "said"), over]);
    }
  }
}

async function world(token = TOKEN): Promise<{ local: LocalDiscord; folder: string }> {
  const local = await startLocalDiscord({ page: false, token });
  onTestFinished(() => local.close());
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  return { local, folder: folder.path };
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [path, ...filesOf(path)] : [path];
  });
}

// Signals and file modes as on Unix.
test.skipIf(process.platform === "win32")(
  "its files are private to its user, and it never prints its token, even if it crashes",
  async () => {
    const { local, folder } = await world();
    // A bug in the process itself whose error holds the token: only this shows what a crash prints.
    const bug = join(folder, "bug.mjs");
    writeFileSync(
      bug,
      `process.on("SIGUSR2", () => {
        console.error("environment: " + JSON.stringify(process.env.DISCORD_TOKEN ?? null));
        Promise.reject(new Error("Bot ${TOKEN} is an invalid header value", { cause: "${TOKEN}" }));
      });`,
    );
    const run = new Run(["start"], folder, {
      DISCORD_TOKEN: TOKEN,
      DISCORD_API_URL: local.apiUrl,
      NODE_OPTIONS: `--import ${pathToFileURL(bug).href}`,
    });
    await run.until("is ready:");
    local.faults.onRest("PATCH", /messages/, { status: 500 });
    const handle = await local.member("alice").slash("compare", { prompt: "A cat", seed: 1 });
    await handle.waitFor(isFinal, { timeoutMs: 100_000 });
    const { token: interactionToken } = handle.record;
    await run.until("delivered as message");

    const data = join(folder, "data");
    expect(lstatSync(data).mode & 0o777).toBe(0o700);
    const files = filesOf(data);
    for (const name of [/promptist\.sqlite$/, /-wal$/, /-shm$/, /comparison\.png$/, /\.onnx$/])
      expect(
        files.some((file) => name.test(file)),
        String(name),
      ).toBe(true);
    for (const file of files) expect(lstatSync(file).mode & 0o077, file).toBe(0);

    run.child.kill("SIGUSR2");
    expect(await run.ended).toBe(1);
    expect(run.said).toContain("unexpected (INTERNAL)");
    expect(run.said).toContain("Bot [token] is an invalid header value");
    expect(run.said).toContain("environment: null");
    expect(run.said).not.toContain(TOKEN);
    expect(run.said).not.toContain(interactionToken);
    // Every line about the job carries its id.
    const records = run.said
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const jobs = new Set(records.flatMap(({ job }) => job ?? []));
    expect(jobs.size).toBe(1);
    expect(records.filter(({ job }) => job !== undefined).length).toBeGreaterThan(5);
  },
);

test("an unknown token or an unreachable Discord is reported without printing the token", async () => {
  const { local, folder } = await world(
    "MTk5OTk5OTk5OTk5OTk5OTk5.Xx_yYz.another-token-of-nobody-0123456789abcdefg",
  );
  const wrong = { DISCORD_TOKEN: TOKEN, DISCORD_API_URL: local.apiUrl };
  const start = new Run(["start"], folder, wrong);
  expect(await start.ended).toBe(1);
  expect(start.said).toContain("Discord does not know this token");

  const doctor = new Run(["doctor"], folder, wrong);
  await doctor.ended;
  expect(doctor.said).toContain("Discord answers 401 to the token");

  const away = new Run(["doctor", "--json"], folder, { ...wrong, DISCORD_API_URL: "http://127.0.0.1:1/api" });
  await away.ended;
  expect(away.said).toContain("cannot be reached");
  for (const { said } of [start, doctor, away]) expect(said).not.toContain(TOKEN);
});

test.skipIf(process.platform !== "linux")(
  "ONNX Runtime sends nothing to Microsoft, neither from the program nor from its workers",
  async () => {
    const { path: folder, remove } = temporaryFolder();
    onTestFinished(remove);
    // Its telemetry leaves files in the home and temporary folders, and is off by itself in CI.
    // The doctor opens a device in its own process, `verify` in a worker.
    for (const verb of ["doctor", "verify"]) {
      const home = join(folder, verb);
      mkdirSync(home);
      const run = new Run([verb], folder, { HOME: home, XDG_CACHE_HOME: home, TMPDIR: home, CI: "" });
      expect(await run.ended, run.said).toBe(0);
      expect(filesOf(home), verb).toEqual([]);
    }
  },
);
