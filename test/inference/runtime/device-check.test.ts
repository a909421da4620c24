import { describe, expect, it } from "vitest";
import {
  arithmeticOn,
  checkForms,
  type GraphRunner,
  refusalOf,
  runGraph,
} from "../../../src/inference/runtime/device-check.js";
import { Tensor } from "../../../src/inference/runtime/onnxruntime.js";
import { operatorForms } from "../../../src/inference/runtime/operator-forms.js";
import { arithmeticOf, PLANS } from "../../../src/inference/runtime/plan.js";
import { REPLACEABLE, type ReplaceableOperator } from "../../../src/onnx/graph.js";
import { coarseInFp16 } from "./coarse-runner.js";

/** Searches a graph file for an operator: each node has it as field 4 (a tag, the length, the name). */
const has = (graph: Uint8Array, operator: string) =>
  Buffer.from(graph).includes(Buffer.concat([Buffer.of(0x22, operator.length), Buffer.from(operator)]));

/** An imaginary GPU: the CPU with faults. */
const faulty =
  (operator: string, spoil: (values: Float32Array) => Float32Array): GraphRunner =>
  async (device, graph, feeds) => {
    const outputs = await runGraph("cpu", graph, feeds);
    if (device === "cpu" || !has(graph, operator)) return outputs;
    return Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, spoil(values)]));
  };
/** Only one operator's forms, so that faults elsewhere in the graph don't matter. */
const formsOf = (operator: string) =>
  operatorForms("float32").filter((form) => form.replaceable === operator || form.operator === operator);

const tenthOff = (values: Float32Array) => values.map((value) => value * 1.1);
const lastLost = (values: Float32Array) =>
  values.map((value, i) => (i === values.length - 1 ? Number.NaN : value));

describe("on a correct device", () => {
  it.each(PLANS)("every form in %s gives the CPU's numbers unchanged", async (plan) => {
    const { float } = arithmeticOf(plan);
    const report = await checkForms("webgpu", plan, operatorForms(float), (_, graph, feeds) =>
      runGraph("cpu", graph, feeds),
    );
    expect(report.forms.filter(({ verdict }) => verdict !== "right")).toEqual([]);
    expect(report.avoided).toEqual([]);
    expect(refusalOf(report)).toBeNull();
  });

  it("the forms' values differ by far more than the tolerance", async () => {
    const seen = new Set<string>();
    await checkForms("cpu", "fp32", operatorForms("float32"), async (device, graph, feeds) => {
      const outputs = await runGraph(device, graph, feeds);
      for (const values of Object.values(outputs)) {
        expect(values.length).toBeGreaterThan(20);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const most = (of: (value: number) => number) =>
          values.reduce((worst, value) => Math.max(worst, of(value)), 0);
        expect(most((value) => Math.abs(value - mean))).toBeGreaterThan(100 * 5e-4 * most(Math.abs));
      }
      seen.add(Object.keys(outputs).join());
      return outputs;
    });
    expect(seen.size).toBeGreaterThan(0);
  });
});

describe.each(REPLACEABLE)("%s", (operator: ReplaceableOperator) => {
  it.each([
    ["wrong by a tenth", tenthOff],
    ["not a number in one place", lastLost],
  ])("%s, is replaced by one that is right", async (_, spoil) => {
    const report = await checkForms("webgpu", "fp32", formsOf(operator), faulty(operator, spoil));
    expect(report.avoided).toEqual([operator]);
    expect(report.forms.every(({ verdict }) => verdict === "replaced")).toBe(true);
    expect(refusalOf(report)).toBeNull();
  });

  it("is also replaced if it has no kernel", async () => {
    const none: GraphRunner = async (device, graph, feeds) => {
      if (device !== "cpu" && has(graph, operator)) throw new Error(`no kernel for ${operator}`);
      return runGraph("cpu", graph, feeds);
    };
    const report = await checkForms("webgpu", "fp32", operatorForms("float32"), none);
    expect(report.avoided).toEqual([operator]);
    const affected = report.forms.filter(({ verdict }) => verdict !== "right");
    expect(new Set(affected.map(({ verdict }) => verdict))).toEqual(new Set(["replaced"]));
    expect(affected[0]?.reason).toBe(`no kernel for ${operator}`);
  });
});

describe("a fault that nothing replaces", () => {
  it.each(["Conv", "MatMul", "Transpose", "Gather", "TopK"])(
    "refuses the device for %s",
    async (operator) => {
      const forms = operatorForms("float32").filter((form) => form.operator === operator);
      const report = await checkForms("webgpu", "fp32", forms, faulty(operator, tenthOff));
      expect(report.forms.every(({ verdict }) => verdict === "refused")).toBe(true);
      expect(refusalOf(report)).toMatch(new RegExp(`^it wrongly computes ${operator} \\(.*\\).* in fp32$`));
    },
  );

  it("refuses the device if the replacement is wrong as well", async () => {
    const report = await checkForms("webgpu", "fp32", formsOf("Softmax"), async (device, graph, feeds) => {
      const outputs = await runGraph("cpu", graph, feeds);
      return device === "cpu"
        ? outputs
        : Object.fromEntries(Object.entries(outputs).map(([n, v]) => [n, tenthOff(v)]));
    });
    expect(report.forms[0]?.verdict).toBe("refused");
    expect(refusalOf(report)).toBe("it wrongly computes Softmax (rows of 77) in fp32");
  });
});

describe("a device whose sums in fp16 are coarse", () => {
  it("is refused fp16 for them alone, though no kernel is wrong", async () => {
    const report = await checkForms("webgpu", "fp16", operatorForms("float16"), coarseInFp16);
    expect(report.forms.length).toBeGreaterThan(4);
    for (const form of report.forms) expect(form).toMatchObject({ verdict: "refused", isCoarse: true });
    expect(report.avoided).toEqual([]);
    expect(refusalOf(report)).toMatch(
      /^its sums in fp16 are off by up to 1\.0 % \((Conv|Gemm), .*\), where 0\.2 % is the limit$/,
    );
    const short = operatorForms("float16").filter(({ isLong }) => !isLong);
    expect(refusalOf(await checkForms("webgpu", "fp16", short, coarseInFp16))).toBeNull();
  });

  it("is right with fp16 weights in memory and sums in fp32", async () => {
    const report = await checkForms("webgpu", "mixed", operatorForms("float32"), coarseInFp16);
    expect(refusalOf(report)).toBeNull();
    for (const { error } of report.forms) expect(error).toBeLessThan(1e-5);
  });
});

describe("attention of a checkpoint's own sizes", () => {
  const size = { heads: 3, headSize: 24, queries: 64, keys: 64, causal: false };
  const composed = new Set(["MultiHeadAttention"] as const);
  const right: GraphRunner = (_, graph, feeds) => runGraph("cpu", graph, feeds);

  it("is tried on a device, and composed if it is wrong", async () => {
    const device = { name: "webgpu", note: null } as const;
    expect(await arithmeticOn(device, "fp32", [size], right)).toEqual({
      float: "float32",
      avoided: new Set(),
    });
    const wrong = faulty("MultiHeadAttention", tenthOff);
    expect(await arithmeticOn(device, "fp32", [size], wrong)).toEqual({
      float: "float32",
      avoided: composed,
    });
  });

  it("is fused on the CPU, and composed where attention is known to be wrong, without trying", async () => {
    const never: GraphRunner = () => Promise.reject(new Error("no graph should run"));
    const cpu = { name: "cpu", note: null } as const;
    expect(await arithmeticOn(cpu, "fp32", [size], never)).toEqual({
      float: "float32",
      avoided: new Set(),
      winograd: true,
    });
    const checked = { plan: "fp32", avoided: composed } as const;
    const device = { name: "webgpu", note: null, checked } as const;
    expect(await arithmeticOn(device, "fp32", [size], never)).toEqual({
      float: "float32",
      avoided: composed,
    });
  });
});

it("gives the runner tensors of the graph's own types", async () => {
  const types = new Set<string>();
  await checkForms("webgpu", "fp32", operatorForms("float32"), (_, graph, feeds) => {
    for (const feed of Object.values(feeds)) {
      expect(feed).toBeInstanceOf(Tensor);
      types.add(feed.type);
    }
    return runGraph("cpu", graph, feeds);
  });
  expect(types).toEqual(new Set(["float32", "int64"]));
});
