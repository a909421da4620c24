import { type DeviceName, kindOf, numberOf } from "../../core/devices.js";
import { InferenceError } from "../../core/errors.js";
import { GraphBuilder } from "../../onnx/graph.js";
import { env, InferenceSession, listSupportedBackends, Tensor } from "./onnxruntime.js";
import type { CheckedPlan } from "./plan.js";

// Errors are thrown as well; if printed, drivers' messages would appear among our own lines.
env.logLevel = "fatal";

export type OpenDeviceName = Exclude<DeviceName, "auto">;

/** Where graphs run: an execution provider of onnxruntime that opened and gave a correct result. */
export interface Device {
  readonly name: OpenDeviceName;
  /** An explanation if needed, such as why `auto` chose the CPU. */
  readonly note: string | null;
  /**
   * What computes correctly there, with the cheapest of the requested plans. Absent if the operators were not
   * tried, as on the CPU. See `openDevice`.
   */
  readonly checked?: CheckedPlan;
}

/** Checks an open device before it is released. Returns why it can't be used, or null. */
export type DeviceJudge = (name: Device["name"]) => Promise<string | null>;

/**
 * CUDA first, because its libraries are only installed on purpose. WebGPU needs nothing; DirectML replaces it
 * on Windows.
 */
const AUTO_ORDER = ["cuda", "webgpu", "dml"] as const;

/**
 * The named device, tried before it is returned. `auto` takes the first GPU that opens and that `judge`
 * accepts, else the CPU with a note that says why.
 *
 * @throws InferenceError DEVICE_UNAVAILABLE if a device named explicitly does not open.
 */
export async function resolveDevice(
  name: DeviceName,
  judge: DeviceJudge = async () => null,
): Promise<Device> {
  if (kindOf(name) === "cpu") return { name: name as OpenDeviceName, note: null };
  const offered = new Set(listSupportedBackends().map((backend) => backend.name));
  if (name !== "auto") {
    const refusal = offered.has(kindOf(name))
      ? await tryDevice(name, judge)
      : "this build of onnxruntime does not have it";
    if (refusal === null) return { name, note: null };
    throw new InferenceError(
      "DEVICE_UNAVAILABLE",
      `Device "${name}" can't be used: ${refusal}. Choose another, or "auto".`,
    );
  }
  const refusals: string[] = [];
  for (const candidate of AUTO_ORDER) {
    if (!offered.has(candidate)) continue;
    const refusal = await tryDevice(candidate, judge);
    if (refusal === null) return { name: candidate, note: null };
    refusals.push(`${candidate}: ${refusal}`);
  }
  return { name: "cpu", note: `No GPU could be opened, so the CPU is used (${refusals.join("; ")}).` };
}

/** The session options of a device. */
export function deviceOptions(device: Device["name"]): InferenceSession.SessionOptions {
  const kind = kindOf(device);
  switch (kind) {
    case "cpu":
      // The next level reorders each convolution's weights into a copy: the UNet of Stable Diffusion 1.5 then
      // loads in 14 s with 3.3 GB of its own memory instead of 2 s and 1.2 GB, and its steps are no faster.
      return { executionProviders: ["cpu"], graphOptimizationLevel: "extended" };
    case "webgpu":
      // Reuses buffers only at their exact size: sizes repeat from step to step, and the default's buckets
      // cost memory.
      return { executionProviders: [{ name: "webgpu", storageBufferCacheMode: "simple" }] };
    case "dml":
      // DirectML supports neither memory patterns nor parallel execution.
      return {
        executionProviders: [{ name: kind, deviceId: numberOf(device) ?? 0 }],
        enableMemPattern: false,
        executionMode: "sequential",
      };
    case "cuda": {
      const number = numberOf(device);
      // CUDA's own order puts the fastest card first; `nvidia-smi` counts along the bus.
      if (number !== null) process.env.CUDA_DEVICE_ORDER = "PCI_BUS_ID";
      return { executionProviders: [{ name: kind, deviceId: isAlone ? 0 : (number ?? 0) }] };
    }
    default:
      return { executionProviders: [kind] };
  }
}

/** Whether this process sees one card only, which is then CUDA's first. */
let isAlone = false;

/**
 * Hides all other cards of NVIDIA from this process, before it opens one: CUDA otherwise looks at every card when it
 * starts, and one that hangs or is lost would take the others' work along. Numbers are those of `nvidia-smi`.
 * @param card a number or UUID, as in CUDA_VISIBLE_DEVICES
 */
export function seeOnlyCard(card: string): void {
  process.env.CUDA_DEVICE_ORDER = "PCI_BUS_ID";
  process.env.CUDA_VISIBLE_DEVICES = card;
  isAlone = true;
}

/**
 * Session settings (`extra`) that leave conversions of weights in the graph. Two optimizers would run them once
 * at load and keep the results, twice the bytes, for as long as the session lives.
 */
export const KEEP_CASTS = {
  optimization: {
    disable_specified_optimizers: "ConstantFolding;FuseFp16InitializerToFp32NodeTransformer",
  },
} as const;

/** Runs a small product on the device; null if it is right, else what is wrong, on one line. */
async function tryDevice(name: Device["name"], judge: DeviceJudge): Promise<string | null> {
  const g = new GraphBuilder("device-check", { float: "float32" });
  const x = g.input("x", "float32", [2, 3]);
  const w = g.constant("float32", [3, 2], [1, 2, 3, 4, 5, 6]);
  g.output("y", g.op("MatMul", [x, w]), "float32", [2, 2]);
  let session: InferenceSession | undefined;
  try {
    session = await InferenceSession.create(g.build().encode([]), {
      ...deviceOptions(name),
      logSeverityLevel: 4,
      // Without it, a provider that can't run here would silently hand the node to the CPU.
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
    const { y } = await session.run({ x: new Tensor("float32", [1, 0, 2, 0, 1, 0], [2, 3]) });
    const values = Array.from(y?.data as Float32Array);
    if (values.join() !== "11,14,3,4") return `it computes wrongly (${values} instead of 11,14,3,4)`;
    // An open session keeps the device open, with the kernels that it compiled.
    return await judge(name);
  } catch (error) {
    return reason(error);
  } finally {
    await session?.release();
  }
}

/** The runtime's message on one line, without its place in the source and the failed condition. */
function reason(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line
    .replace(/^.* was false\. /, "")
    .slice(0, 300)
    .trim()
    .replace(/\.$/, "");
}
