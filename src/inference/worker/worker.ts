import { codeOf, InferenceError } from "../../core/errors.js";
import type { CallName, FromWorker, ToWorker, WireError, WorkerSpec } from "./protocol.js";
import type { CallContext, OpenModel } from "./worker-model.js";

/**
 * The child process that holds one model. It knows neither queue nor Discord: it loads what `open` names, answers
 * calls one after another, says how far it is, and ends when its parent says so or is gone.
 */

let model: OpenModel | undefined;
/** Calls run in the order in which they came; a model runs one thing at a time. */
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
// The parent is gone: there is nobody to work for.
process.on("disconnect", () => process.exit(0));
// Ctrl+C in a terminal reaches the whole process group; the parent decides when its workers end.
process.on("SIGINT", () => {});

async function open(spec: WorkerSpec): Promise<void> {
  const started = performance.now();
  try {
    model = await openModel(spec);
    send({
      type: "ready",
      info: { ...model.info, phase: spec.phase, loadMs: Math.round(performance.now() - started) },
    });
  } catch (error) {
    send({ type: "failed", error: toWire(error) });
  }
}

function openModel(spec: WorkerSpec): Promise<OpenModel> {
  switch (spec.phase) {
    case "text":
      return openText(spec);
    case "image":
      return openImage(spec);
    case "score":
      return openScore(spec);
  }
}

async function openText(spec: Extract<WorkerSpec, { phase: "text" }>): Promise<OpenModel> {
  const [{ Promptist }, { ClipTokenizer }, { openDevice }, { openWeights }, { weightsHash }] =
    await Promise.all([
      import("../promptist/promptist.js"),
      import("../tokenizers/tokenizer.js"),
      import("../runtime/open-device.js"),
      import("../../checkpoints/files/open.js"),
      import("../../checkpoints/files/weights-hash.js"),
    ]);
  const device = await openDevice(spec.device, {
    user: "text",
    floats: ["float32"],
    cacheDir: spec.cacheDir,
  });
  send({ type: "device", name: device.name });
  const promptist = await Promptist.open({
    directory: spec.directory,
    device,
    weights: spec.weights,
    cacheDir: spec.cacheDir,
    threads: spec.threads,
  });
  const clip = spec.clipTokenizer === null ? null : ClipTokenizer.open(spec.clipTokenizer);
  const cut = (text: string): string | null => clip?.encode(text).truncated ?? null;
  const { layers, width, heads, vocabulary, weights, weightBytes } = promptist.info;
  return {
    info: {
      device: promptist.info.device,
      deviceNote: device.note,
      precision: weights,
      weightBytes,
      hash: await weightsHash([openWeights(spec.directory)], spec.cacheDir),
      parameters: `GPT-2, ${layers} layers, ${width} wide, ${heads} heads, vocabulary ${vocabulary}`,
    },
    handlers: {
      optimize: async ({ prompts, options }, { signal, onStep }) => {
        const rewrites = await promptist.optimize(prompts, options, { signal, onStep });
        return rewrites.map((rewrite) => ({
          ...rewrite,
          truncated: { baseline: cut(rewrite.prompt), optimized: cut(rewrite.rewrite) },
        }));
      },
    },
    release: () => promptist.release(),
  };
}

async function openImage(spec: Extract<WorkerSpec, { phase: "image" }>): Promise<OpenModel> {
  const { openPainter } = await import("./image-model.js");
  return openPainter(spec, (name) => send({ type: "device", name }));
}

async function openScore(spec: Extract<WorkerSpec, { phase: "score" }>): Promise<OpenModel> {
  const { openScorer } = await import("./judges-model.js");
  return openScorer(spec);
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

async function close(): Promise<void> {
  await model?.release();
  const message: FromWorker = { type: "closed", peakBytes: process.resourceUsage().maxRSS * 1024 };
  process.send?.(message, () => process.exit(0));
}

function send(message: FromWorker): void {
  process.send?.(message);
}

function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { code: "INTERNAL", message: String(error), stack: undefined };
  return { code: codeOf(error), message: error.message, stack: error.stack };
}
