import { expect, it } from "vitest";
import { TorchRandom } from "../../src/inference/numbers/torch-random.js";
import { InferenceSession, Tensor } from "../../src/inference/runtime/onnxruntime.js";
import { GraphBuilder } from "../../src/onnx/graph.js";
import { conv2d } from "../../src/onnx/ops.js";
import { tensorBytes } from "../../src/onnx/tensor.js";
import { winogradConv, winogradKernels } from "../../src/onnx/winograd.js";
import { relativeError } from "../support/relative-error.js";

it.each([
  [8, 8],
  [4, 12],
  [13, 7],
  [2, 5],
  [1, 1],
])("equals the direct convolution of a picture of %s x %s", async (height, width) => {
  const [batch, from, to] = [2, 5, 7];
  const random = new TorchRandom(1);
  const weight = random.randn(to * from * 9);
  const [bias, pixels] = [random.randn(to), random.randn(batch * from * height * width)];
  const g = new GraphBuilder("winograd", { float: "float32" });
  const x = g.input("x", "float32", ["batch", from, "height", "width"]);
  const b = g.constant("float32", [to], bias);
  const { kernels } = g.derived(winogradKernels("weight", [to, from]));
  const shape = ["batch", to, "height", "width"];
  g.output("tiled", winogradConv(g, x, kernels, b, { from, to }), "float32", shape);
  const direct = g.constant("float32", [to, from, 3, 3], weight);
  g.output("direct", conv2d(g, x, direct, b, { kernel: 3, pads: [1, 1, 1, 1] }), "float32", shape);
  const graph = g.build();
  const weights = graph.derivations.flatMap(({ outputs, initializers, compute }) => {
    const data = compute(weight);
    return Object.entries(outputs).map(([output, spec]) => ({
      name: initializers[output]!,
      ...spec,
      data: tensorBytes(spec, data[output]!),
    }));
  });
  const session = await InferenceSession.create(graph.encode(weights));
  try {
    const result = await session.run({ x: new Tensor("float32", pixels, [batch, from, height, width]) });
    expect(result.tiled!.dims).toEqual([batch, to, height, width]);
    const error = relativeError(result.tiled!.data as Float32Array, result.direct!.data as Float32Array);
    expect(error).toBeLessThan(2e-6);
  } finally {
    await session.release();
  }
});
