import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { forTests, type LocalDiscord } from "local-discord/testing";
import { loadConfig } from "../../src/config.js";
import { type App, createApp } from "../../src/main.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The worker is a process of its own and runs the compiled program; `npm test` compiles first. */
export const WORKER_FILE = join(ROOT, "dist", "inference", "worker", "worker.js");

export interface TestApp extends App {
  /** The local Discord that the bot is connected to. */
  readonly local: LocalDiscord;
}

/** A data folder for one test; `remove` deletes it. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "promptist-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** The whole program on the miniature, with a local Discord on any free port. */
export async function startApp(dataDir: string, settings: Record<string, string> = {}): Promise<TestApp> {
  const config = loadConfig(
    {
      DATA_DIR: dataDir,
      CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
      LOCAL_DISCORD_PORT: "0",
      LOG_LEVEL: "silent",
      DEVICE: "cpu",
      IMAGE_STEPS: "3",
      TEXT_MAX_NEW_TOKENS: "12",
      ...settings,
    },
    dataDir,
  );
  const app = await createApp(config, { workerFile: WORKER_FILE });
  return { ...app, local: forTests(app.local!) };
}
