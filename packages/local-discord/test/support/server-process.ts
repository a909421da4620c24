import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface ServerProcess<T> {
  /** The JSON on its first line of output. */
  readonly told: T;
  readonly alive: boolean;
  /** What it has printed to stderr. */
  errors(): string;
  stop(): Promise<void>;
}

/**
 * Starts a module that prints one line of JSON once its server listens. Rejects with its stderr if it ends
 * first.
 */
export async function startServerProcess<T>(module: string): Promise<ServerProcess<T>> {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(process.execPath, [module], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exit = once(child, "exit");
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line") as Promise<[string]>,
    once(child, "close").then(() => {
      throw new Error(`The server ended before it listened:\n${errors}`);
    }),
  ]);
  return {
    told: JSON.parse(line) as T,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
    errors: () => errors,
    stop: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
