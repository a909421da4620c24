import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../core/errors.js";
import { parsePromptFile } from "./prompt-file.js";
import type { FileJob, FileOutcome } from "./read-prompts.js";

/** Runs in the thread that reads a large prompt file; see read-prompts.ts. */
const { bytes, fileName, limits } = workerData as FileJob;

function read(): FileOutcome {
  try {
    return { file: parsePromptFile(bytes, fileName, limits) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { code: error.code, message: error.message, context: error.context };
  }
}

parentPort?.postMessage(read());
