import { readFileSync } from "node:fs";
import { codeOf, contextOf, InferenceError } from "../../core/errors.js";
import type { CallName, FromWorker, ToWorker, WireError, WorkerSpec } from "./protocol.js";
import type { CallContext, LoadedModel } from "./worker-model.js";

/**
 * The child process that holds one model. It knows neither queue nor Discord: it loads what `open` names,
 * answers calls one after another, reports progress, and ends when its parent says so or is gone.
 */

let model: LoadedModel | undefined;
/** Calls run in order of arrival; a model runs one at a time. */
let tail: Promise<void> = Promise.resolve();
const controllers = new Map<number, AbortController>();

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "open":
      void open(message.spec);
      return;
    case "call":
      controllers.set(message.id, new AbortController());
      tail = tail.then(() => answer(message.id, message.name, message.request));
      return;
    case "cancel":
      controllers.get(message.id)?.abort();
      return;
    case "close":
      for (const controller of controllers.values()) controller.abort();
      void tail.then(close);
  }
});
// The parent is gone, so its work is no longer wanted.
process.on("disconnect", () => process.exit(0));
// Ctrl+C in a terminal reaches the whole process group; the parent decides when its workers end.
process.on("SIGINT", () => {});

async function open(spec: WorkerSpec): Promise<void> {
  const started = performance.now();
  try {
    model = await load(spec);
    send({
      type: "ready",
      info: { ...model.info, phase: spec.phase, loadMs: Math.round(performance.now() - started) },
    });
  } catch (error) {
    send({ type: "failed", error: toWire(error) });
  }
}

/**
 * Imports each model only when its worker needs it: a text worker loads neither sharp nor the image code.
 */
async function load(spec: WorkerSpec): Promise<LoadedModel> {
  const onDevice = (name: string) => send({ type: "device", name });
  if (spec.card !== undefined) (await import("../runtime/device.js")).seeOnlyCard(spec.card);
  switch (spec.phase) {
    case "text":
      return (await import("./text-model.js")).loadTextModel(spec, onDevice);
    case "image":
      return (await import("./image-model.js")).loadImageModel(spec, onDevice);
    case "score":
      return (await import("./judges-model.js")).loadJudges(spec, onDevice);
    case "upscale":
      return (await import("./upscaler-model.js")).loadUpscaler(spec, onDevice);
  }
}

async function answer(id: number, name: CallName, request: unknown): Promise<void> {
  const controller = controllers.get(id);
  try {
    const handler = model?.handlers[name] as
      | ((request: unknown, context: CallContext) => Promise<unknown>)
      | undefined;
    if (!handler || !controller)
      throw new InferenceError("INTERNAL", `this worker does not answer "${name}"`);
    if (controller.signal.aborted) throw new InferenceError("CANCELLED", "cancelled before it started");
    const response = await handler(request, {
      signal: controller.signal,
      onStep: (done, of) => send({ type: "progress", id, done, of }),
      onPreview: (data) => send({ type: "preview", id, data }),
    });
    send({ type: "result", id, response });
  } catch (error) {
    send({ type: "error", id, error: toWire(error) });
  } finally {
    controllers.delete(id);
  }
}

/** The most memory that this process had. On Linux, `maxRSS` of a young process is that of the one which started it. */
function peakBytes(): number {
  const { maxRSS } = process.resourceUsage();
  if (process.platform !== "linux") return maxRSS * 1024;
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kib ?? maxRSS) * 1024;
}

async function close(): Promise<void> {
  const message: FromWorker = { type: "closed", peakBytes: peakBytes() };
  // Told first: to release gigabytes may take longer than the parent waits.
  await new Promise<void>((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });
  await model?.release();
  process.exit(0);
}

function send(message: FromWorker): void {
  process.send?.(message);
}

function toWire(error: unknown): WireError {
  const code = codeOf(error);
  const context = contextOf(error);
  if (!(error instanceof Error)) return { code, message: String(error), context, stack: undefined };
  return { code, message: error.message, context, stack: error.stack };
}
