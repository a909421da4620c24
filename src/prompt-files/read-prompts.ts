import { Worker } from "node:worker_threads";
import { Semaphore } from "async-mutex";
import { type ErrorCode, InputError } from "../core/errors.js";
import { type PromptFile, type PromptFileLimits, parsePromptFile } from "./prompt-file.js";

/** Input of the thread, and its answer. */
export interface FileJob {
  readonly bytes: Uint8Array;
  readonly fileName: string;
  readonly limits: PromptFileLimits;
}
export type FileOutcome =
  | { readonly file: PromptFile }
  | {
      readonly code: ErrorCode;
      readonly message: string;
      readonly context: Readonly<Record<string, string | number>>;
    };

/**
 * Files up to this size are parsed in place: that takes under 10 ms for any content. A megabyte of commas
 * takes csv-parse 0.1 to 0.3 s, and a megabyte of `[` takes JSON.parse as long; MAX_FILE_BYTES may allow ten
 * of them.
 */
const AT_ONCE_BYTES = 16 * 1024;
const TIMEOUT_MS = 20_000;
const THREADS = 2;
/** A file of empty lists takes twelve times its size once parsed. */
const HEAP_BASE_MIB = 64;
const HEAP_PER_BYTE = 12;
/** Tests run from source, but a thread needs the compiled file. */
const THREAD = new URL(
  import.meta.url.endsWith(".ts")
    ? "../../dist/prompt-files/prompt-file-thread.js"
    : "./prompt-file-thread.js",
  import.meta.url,
);
const threads = new Semaphore(THREADS);

/**
 * Like `parsePromptFile`, but never blocks the bot: a large file is read in a thread with bounded time and
 * memory.
 *
 * @throws InputError like `parsePromptFile`, and FILE_SHAPE if the file is too much for the thread
 */
export async function readPrompts(
  bytes: Uint8Array,
  fileName: string,
  limits: PromptFileLimits,
  timeoutMs: number = TIMEOUT_MS,
): Promise<PromptFile> {
  if (bytes.length <= AT_ONCE_BYTES) return parsePromptFile(bytes, fileName, limits);
  const outcome = await threads.runExclusive(() => inThread({ bytes, fileName, limits }, timeoutMs));
  if ("file" in outcome) return outcome.file;
  throw new InputError(outcome.code, outcome.message, outcome.context);
}

async function inThread(workerData: FileJob, timeoutMs: number): Promise<FileOutcome> {
  const mib = HEAP_BASE_MIB + Math.ceil((HEAP_PER_BYTE * workerData.bytes.length) / 2 ** 20);
  const thread = new Worker(THREAD, {
    workerData,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: mib, stackSizeMb: 4 },
  });
  const tooMuch = (problem: string, cause?: unknown) =>
    new InputError("FILE_SHAPE", `The file ${problem}; split it.`, { problem }, { cause });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<FileOutcome>((resolve, reject) => {
      timer = setTimeout(() => reject(tooMuch("takes too long to read")), timeoutMs);
      thread.once("message", resolve);
      thread.once("error", (error: NodeJS.ErrnoException) =>
        reject(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooMuch("holds too many parts", error) : error),
      );
      thread.once("exit", (code) => reject(new Error(`the reader of prompt files ended with ${code}`)));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
