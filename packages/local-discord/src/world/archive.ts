import { readFileSync, renameSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { DiscordState, World } from "./state.js";

/** Raise it with each change of the records; archives of other versions are set aside, not read. */
const VERSION = 2;
const SAVE_EVERY_MS = 1_000;
/** The folder may be deleted while the program runs. */
const FOLDER = { recursive: true, mode: 0o700 } as const;

interface Archived {
  readonly version: number;
  readonly world: World;
}

/**
 * The world that an earlier run saved in `file`, or null. An unreadable file is renamed to
 * `<file>.unreadable`.
 */
export function readArchive(file: string): World | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const archived = deserialize(bytes) as Archived;
    if (archived.version === VERSION) return archived.world;
  } catch {
    // Truncated or not ours: a chat for trying things out starts fresh rather than not at all.
  }
  renameSync(file, `${file}.unreadable`);
  return null;
}

/**
 * Writes the world to `file` at most once a second while it changes, and once at the end. After a restart,
 * even a kill, the channels, messages and live interactions that bots refer to still exist.
 */
export class Archive {
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  readonly #state: DiscordState;
  readonly #file: string;

  constructor(state: DiscordState, file: string) {
    this.#state = state;
    this.#file = file;
    this.#unsubscribe = state.subscribe(() => {
      this.#timer ??= setTimeout(() => {
        this.#timer = null;
        this.#writing = this.#write();
      }, SAVE_EVERY_MS).unref();
    });
  }

  /** Writes the last changes. @throws the error of that write */
  async close(): Promise<void> {
    this.#unsubscribe();
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#writing;
    await this.#save();
  }

  async #write(): Promise<void> {
    try {
      await this.#save();
      this.#failure = null;
    } catch (error) {
      // Warn only once, at the first failure; the next change tries again.
      if (this.#failure === null) process.emitWarning(`${this.#file} could not be written: ${String(error)}`);
      this.#failure = error;
    }
  }

  /** Replaces the file whole; a reader sees the old world or the new one. */
  async #save(): Promise<void> {
    const bytes = serialize({ version: VERSION, world: this.#state.world() } satisfies Archived);
    await mkdir(dirname(this.#file), FOLDER);
    await writeFile(`${this.#file}.new`, bytes, { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
