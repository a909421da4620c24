import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Mutex } from "async-mutex";
import { type FitTask, type Fitted, fitTaste } from "./fit.js";

/** How long a fit that is made here may hold the event loop at a time. */
const SLICE_MS = 8;
/** A fit of no more takes no longer than the start of a thread: the features of all pairs, and how many differ. */
const SMALL = { features: 5_000, different: 150 };
/** Tests run from source, but a thread needs the compiled file. */
const THREAD = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/taste/fit-thread.js" : "./fit-thread.js",
  import.meta.url,
);

/** Makes fits off the event loop: in a thread, one after the other, and in pieces where there is little to fit. */
export class Fits {
  readonly #turns = new Mutex();
  readonly #closing = new AbortController();

  /** Rejects with what the thread failed of, and with an AbortError once closed. */
  async make(task: FitTask): Promise<Fitted> {
    if (isSmall(task)) return inPieces(fitTaste(task));
    return this.#turns.runExclusive(() => inThread(task, this.#closing.signal));
  }

  /** Ends the thread. */
  close(): void {
    this.#closing.abort();
  }
}

async function inPieces(work: Generator<void, Fitted, void>): Promise<Fitted> {
  let until = performance.now() + SLICE_MS;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() < until) continue;
    await nextTurn();
    until = performance.now() + SLICE_MS;
  }
}

async function inThread(workerData: FitTask, signal: AbortSignal): Promise<Fitted> {
  signal.throwIfAborted();
  const thread = new Worker(THREAD, { workerData, env: {}, execArgv: [] });
  let stop = () => {};
  try {
    return await new Promise<Fitted>((resolve, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop);
      thread.once("message", resolve);
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`the thread that fits taste ended with ${code}`)));
    });
  } finally {
    signal.removeEventListener("abort", stop);
    await thread.terminate();
  }
}

function isSmall({ votes, server, others }: FitTask): boolean {
  const different = new Set<number>();
  let all = 0;
  for (let pair = 0; pair < votes.servers.length; pair++) {
    if (others !== null && votes.servers[pair] !== server) continue;
    const features = votes.features.subarray(votes.starts[pair], votes.starts[pair + 1]);
    all += features.length;
    for (const feature of features) different.add(feature);
    if (all > SMALL.features || different.size > SMALL.different) return false;
  }
  return true;
}
