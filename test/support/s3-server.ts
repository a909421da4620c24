import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.js";

/** An S3 server of its own (rclone's) on a free port of 127.0.0.1, whose buckets are folders. */
export interface S3Server {
  readonly endpoint: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The folder whose folders are the buckets. */
  readonly folder: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and deletes its folder. */
  remove(): Promise<void>;
}

/** Whether this machine has a version of rclone that serves S3. */
export const hasS3Server = (): boolean => spawnSync("rclone", ["serve", "s3", "--help"]).status === 0;

/** Starts a server with an empty bucket for each name. */
export async function createS3Server(buckets: readonly string[]): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), "s3-"));
  for (const bucket of buckets) mkdirSync(join(folder, bucket));
  const address = `127.0.0.1:${await freePort()}`;
  const keys = { accessKeyId: "promptist", secretAccessKey: "only-for-this-test" };
  let running: ChildProcess | null = null;

  const start = async () => {
    const child = spawn(
      "rclone",
      [
        ...["--config", "/dev/null", "serve", "s3", "--addr", address, "--vfs-cache-mode", "off"],
        // Tests put files there behind its back.
        ...["--dir-cache-time", "1ms"],
        ...["--auth-key", `${keys.accessKeyId},${keys.secretAccessKey}`, folder],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    running = child;
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    // It says nothing when it is ready.
    for (;;) {
      if (child.exitCode !== null) throw new Error(`The S3 server ended: ${said}`);
      const answer = await fetch(`http://${address}/`).catch(() => null);
      await answer?.arrayBuffer();
      if (answer !== null) return;
      await delay(20);
    }
  };
  const stop = async () => {
    const child = running;
    running = null;
    if (child === null || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await start();
  const remove = async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { endpoint: `http://${address}`, keys, folder, start, stop, remove };
}
