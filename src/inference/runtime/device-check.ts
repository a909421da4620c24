import {
  type Arithmetic,
  type Avoided,
  type FloatType,
  GraphBuilder,
  REPLACEABLE,
  type ReplaceableOperator,
} from "../../onnx/graph.js";
import { cast } from "../../onnx/ops.js";
import { elementCount } from "../../onnx/tensor.js";
import { type Device, deviceOptions } from "./device.js";
import { InferenceSession, Tensor } from "./onnxruntime.js";
import {
  type AttentionSize,
  attentionForm,
  type Bench,
  isTried,
  type OperatorForm,
  sample,
} from "./operator-forms.js";

/*
 * No device is trusted untested. A GPU's kernel can be silently wrong: onnxruntime 1.30's MultiHeadAttention
 * on WebGPU is wrong from 32 queries up if the adapter's subgroups have an unexpected size. So each operator
 * form of our graphs runs on small fixed inputs, on the device and on the CPU, before any model does.
 */

/**
 * `replaced`: wrong on this device, right when spelled out in other operators. `refused`: wrong either way.
 */
export type Verdict = "right" | "replaced" | "refused";

export interface CheckedForm {
  readonly operator: string;
  readonly form: string;
  /**
   * Largest difference from the CPU's values, relative to the largest of them; null if the device gave no
   * number.
   */
  readonly error: number | null;
  /** The runtime's message if the device could not run it. */
  readonly reason: string | null;
  readonly verdict: Verdict;
}

export interface DeviceReport {
  readonly device: Device["name"];
  readonly float: FloatType;
  readonly forms: readonly CheckedForm[];
  /** What graphs for this device must spell out. */
  readonly avoided: readonly ReplaceableOperator[];
}

/** Right kernels stay well below this; wrong ones were off by a tenth or more. */
const TOLERANCE: Readonly<Record<FloatType, number>> = { float32: 5e-4, float16: 2e-2 };

/**
 * Runs a graph file on a device and returns its outputs by name. Rejects if the device has no kernel for it.
 * Tests replace it to simulate devices.
 */
export type GraphRunner = (
  device: Device["name"],
  graph: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
) => Promise<Readonly<Record<string, Float32Array>>>;

export const runGraph: GraphRunner = async (device, graph, feeds) => {
  const session = await InferenceSession.create(graph, { ...deviceOptions(device), logSeverityLevel: 4 });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, Float32Array.from(tensor.data as Float32Array)]),
    );
  } finally {
    await session.release();
  }
};

/** Compares each form on the device with the CPU, whose values come from the spelled-out forms. */
export async function checkForms(
  device: Device["name"],
  float: FloatType,
  forms: readonly OperatorForm[],
  run: GraphRunner = runGraph,
): Promise<DeviceReport> {
  const all = new Set(REPLACEABLE);
  const reference = build("float32", forms, all);
  const expected = await run("cpu", reference.graph, reference.feeds);
  const expectedOf = new Map(forms.map((form, i) => [form, expected[outputName(i)] as Float32Array]));

  const first = await measureInTurn(device, float, forms, expectedOf, run);
  const wrong = forms.filter((form) => !isRight(first.get(form), float));
  const avoided = new Set(wrong.flatMap(({ replaceable }) => replaceable ?? []));
  // The spelled-out version must be right too, in all forms: avoiding an operator changes all of its uses.
  const changed = forms.filter(({ replaceable }) => replaceable !== null && avoided.has(replaceable));
  const second = await measure(device, float, changed, avoided, expectedOf, run);

  const refused = (form: OperatorForm) =>
    changed.includes(form) ? !isRight(second.get(form), float) : wrong.includes(form);
  return {
    device,
    float,
    avoided: [...avoided],
    forms: forms.map((form) => ({
      operator: form.operator,
      form: form.form,
      ...(first.get(form) ?? NOT_TRIED),
      verdict: refused(form) ? "refused" : wrong.includes(form) ? "replaced" : "right",
    })),
  };
}

/** Why a device can't be used, as a phrase; null if it can. */
export function refusalOf({ forms, float }: DeviceReport): string | null {
  const refused = forms.filter(({ verdict }) => verdict === "refused");
  const [worst] = refused;
  if (worst === undefined) return null;
  const others = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
  const how = worst.error === null ? "can't compute" : "wrongly computes";
  return `it ${how} ${worst.operator} (${worst.form})${others} in ${float}`;
}

interface Measured {
  readonly error: number | null;
  readonly reason: string | null;
}

const NOT_TRIED: Measured = { error: null, reason: "not tried, because another is wrong" };

const isRight = (measured: Measured | undefined, float: FloatType): boolean =>
  measured?.error != null && measured.error <= TOLERANCE[float];

/**
 * Errors by form. Attention is tried size by size up to the first wrong one, which decides: its kernels are
 * large, with one for each size of heads.
 */
async function measureInTurn(
  device: Device["name"],
  float: FloatType,
  forms: readonly OperatorForm[],
  expectedOf: ReadonlyMap<OperatorForm, Float32Array>,
  run: GraphRunner,
): Promise<Map<OperatorForm, Measured>> {
  const isAttention = ({ replaceable }: OperatorForm) => replaceable === "MultiHeadAttention";
  const small = forms.filter((form) => !isAttention(form));
  const found = await measure(device, float, small, new Set(), expectedOf, run);
  for (const form of forms.filter(isAttention)) {
    for (const entry of await measure(device, float, [form], new Set(), expectedOf, run)) found.set(...entry);
    if (!isRight(found.get(form), float)) break;
  }
  return found;
}

/**
 * Errors by form. All forms are in one graph, which loads much faster; if it fails, each form is tried alone.
 */
async function measure(
  device: Device["name"],
  float: FloatType,
  forms: readonly OperatorForm[],
  avoided: Avoided,
  expectedOf: ReadonlyMap<OperatorForm, Float32Array>,
  run: GraphRunner,
): Promise<Map<OperatorForm, Measured>> {
  if (forms.length === 0) return new Map();
  const { graph, feeds } = build(float, forms, avoided);
  try {
    const actual = await run(device, graph, feeds);
    return new Map(
      forms.map((form, i) => {
        const error = errorOf(actual[outputName(i)], expectedOf.get(form) as Float32Array);
        return [form, { error, reason: error === null ? "not a number" : null }];
      }),
    );
  } catch (error) {
    const [only] = forms;
    if (forms.length === 1 && only !== undefined) {
      const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
      return new Map([[only, { error: null, reason: reason.slice(0, 300) }]]);
    }
    const found = new Map<OperatorForm, Measured>();
    for (const form of forms)
      for (const entry of await measure(device, float, [form], avoided, expectedOf, run)) found.set(...entry);
    return found;
  }
}

const outputName = (index: number): string => `y${index}`;

/** One graph with all forms. Inputs and outputs are float32 and int64, whatever types are between them. */
function build(
  float: FloatType,
  forms: readonly OperatorForm[],
  avoided: Avoided,
): { graph: Uint8Array; feeds: Record<string, Tensor> } {
  const g = new GraphBuilder("device-check", { float, avoided });
  const feeds: Record<string, Tensor> = {};
  for (const [i, form] of forms.entries()) {
    // A form's values must not depend on its position among the others.
    let seed =
      [...`${form.operator} ${form.form}`].reduce((hash, char) => hash * 31 + char.charCodeAt(0), 7) >>> 0;
    const next = (count: number) => sample(count, ++seed);
    const bench: Bench = {
      g,
      input: (...shape) => {
        const name = `x${i}_${seed}`;
        feeds[name] = new Tensor("float32", next(elementCount(shape)), shape);
        return cast(g, g.input(name, "float32", shape), g.float);
      },
      indices: (limit, ...shape) => {
        const name = `x${i}_${seed}`;
        const rows = Array.from(next(elementCount(shape)), (value) =>
          BigInt(Math.floor((value / 3 + 0.5) * limit)),
        );
        feeds[name] = new Tensor("int64", BigInt64Array.from(rows), shape);
        return g.input(name, "int64", shape);
      },
      weight: (...shape) => g.constant(g.float, shape, Array.from(next(elementCount(shape)))),
    };
    g.output(outputName(i), cast(g, form.build(bench), "float32"), "float32", [`n${i}`]);
  }
  return { graph: g.build().encode([]), feeds };
}

/** Null where values are missing or not numbers. */
function errorOf(actual: Float32Array | undefined, expected: Float32Array): number | null {
  if (actual?.length !== expected.length) return null;
  let [difference, largest] = [0, 0];
  for (const [i, value] of expected.entries()) {
    const off = Math.abs(actual[i]! - value);
    if (!Number.isFinite(off)) return null;
    difference = Math.max(difference, off);
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}

/**
 * How graphs in `float` compute correctly on a device.
 * @param attention the sizes of all attention in them. Sizes that were never tried are tried now; if one is
 * wrong or has
 *   no kernel, all attention is spelled out.
 */
export async function arithmeticOn(
  { name, checked }: Device,
  float: FloatType,
  attention: readonly AttentionSize[] = [],
  run: GraphRunner = runGraph,
): Promise<Arithmetic> {
  const avoided: Avoided = checked?.avoided ?? new Set();
  if (name === "cpu") return { float, avoided, winograd: float === "float32" };
  if (avoided.has("MultiHeadAttention")) return { float, avoided };
  const distinct = new Map(attention.map((size) => [JSON.stringify(size), size]));
  const others = [...distinct.values()].filter((size) => checked === undefined || !isTried(size));
  if (others.length === 0) return { float, avoided };
  const found = await checkForms(name, float, others.map(attentionForm), run);
  return { float, avoided: new Set([...avoided, ...found.avoided]) };
}
