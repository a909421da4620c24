import { GraphBuilder } from "../../onnx/graph.js";
import { type Device, deviceOptions } from "./device.js";
import { InferenceSession, Tensor } from "./onnxruntime.js";

/*
 * A system can offer a "graphics card" that is software on its CPU (Mesa's lavapipe, SwiftShader). Its
 * results are right but take many times as long as the CPU's own kernels, and the runtime does not say which
 * kind it opened. So `auto` measures matrix products.
 */

/** A chain of products [rows, 1024] x [1024, 1024]. */
export interface Chain {
  readonly products: number;
  readonly rows: number;
}

/**
 * 34 MFLOP, enough to detect software on the CPU; and 8.6 GFLOP, where the transfer to a card and back hardly
 * counts.
 */
const CHAINS: readonly Chain[] = [
  { products: 1, rows: 16 },
  { products: 8, rows: 512 },
];
const WIDTH = 1024;
/** No real card takes this long for the first of them. */
const LONG_MS = 100;

export type Stopwatch = (device: Device["name"], chain: Chain) => Promise<number>;

/**
 * How many times as fast as the CPU a device computes; measured only with the small chain if that took it
 * long.
 */
export async function measureSpeed(device: Device["name"], time: Stopwatch = timeChain): Promise<number> {
  let speed = 1;
  for (const chain of CHAINS) {
    const milliseconds = await time(device, chain);
    speed = (await time("cpu", chain)) / milliseconds;
    if (milliseconds > LONG_MS && speed < SLOWEST) break;
  }
  return speed;
}

/** Milliseconds of a chain: the least of three runs after a warm-up, or of as many as fit in a second. */
async function timeChain(device: Device["name"], { products, rows }: Chain): Promise<number> {
  const g = new GraphBuilder("device-speed", { float: "float32" });
  const w = g.input("w", "float32", [WIDTH, WIDTH]);
  let product = g.input("x", "float32", [rows, WIDTH]);
  for (let i = 0; i < products; i++) product = g.op("MatMul", [product, w]); // [rows, 1024]
  g.output("y", g.op("ReduceMean", [product], { keepdims: 1 }), "float32", [1, 1]);
  const session = await InferenceSession.create(g.build().encode([]), {
    ...deviceOptions(device),
    logSeverityLevel: 4,
  });
  try {
    const feeds = {
      x: new Tensor("float32", new Float32Array(rows * WIDTH).fill(0.5), [rows, WIDTH]),
      w: new Tensor("float32", new Float32Array(WIDTH * WIDTH).fill(1 / WIDTH), [WIDTH, WIDTH]),
    };
    await session.run(feeds);
    const times: number[] = [];
    const begun = performance.now();
    while (times.length === 0 || (times.length < 3 && performance.now() - begun < 1000)) {
      const started = performance.now();
      await session.run(feeds);
      times.push(performance.now() - started);
    }
    return Math.min(...times);
  } finally {
    await session.release();
  }
}

/** The CPU may be this much faster: a card that leaves the CPU free is still worth using. */
const SLOWEST = 0.5;

/**
 * Why `auto` should skip a device, as a phrase; null if it is worth using.
 * @param speed how many times as fast as the CPU it is
 */
export const slownessOf = (speed: number): string | null =>
  speed >= SLOWEST
    ? null
    : `it computes at ${speed.toPrecision(1)} of the CPU's speed, so it is no real card; DEVICE names it to use it all the same`;
