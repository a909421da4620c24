import { kindOf } from "../../core/devices.js";
import { float16FromFloat32, float32FromFloat16 } from "../../onnx/float16.js";
import {
  type Arithmetic,
  type Avoided,
  type FloatType,
  GraphBuilder,
  REPLACEABLE,
  type ReplaceableOperator,
  weightType,
} from "../../onnx/graph.js";
import { cast } from "../../onnx/ops.js";
import { elementCount } from "../../onnx/tensor.js";
import { type Device, deviceOptions, KEEP_CASTS } from "./device.js";
import { InferenceSession, Tensor } from "./onnxruntime.js";
import {
  type AttentionSize,
  attentionForm,
  type Bench,
  isTried,
  type OperatorForm,
  sample,
} from "./operator-forms.js";
import { arithmeticOf, type Plan, planName } from "./plan.js";

/*
 * No device is trusted untested. A GPU's kernel can be silently wrong: onnxruntime 1.30's MultiHeadAttention
 * on WebGPU is wrong from 32 queries up if the adapter's subgroups have an unexpected size. So each operator
 * form of our graphs runs on small fixed inputs, on the device and on the CPU, before any model does.
 *
 * A kernel can also be right and coarse: WebGPU's convolutions and products keep their sums in float16 if
 * their inputs are, which loses more the longer the sums are. So sums of Stable Diffusion's own length run as
 * well, and if they lose too much the next plan is tried (docs/adr/0008-sums-in-fp32.md).
 */

/**
 * `replaced`: wrong on this device, right when spelled out in other operators. `refused`: wrong either way.
 */
export type Verdict = "right" | "replaced" | "refused";

export interface CheckedForm {
  readonly operator: string;
  readonly form: string;
  /**
   * Largest difference from the CPU's values, relative to the largest of them; of long sums the root mean
   * square, relative to that of the values. Null if the device gave no number.
   */
  readonly error: number | null;
  /** The runtime's message if the device could not run it. */
  readonly reason: string | null;
  readonly verdict: Verdict;
  /** Whether it is refused for long sums that are right but too inexact. */
  readonly isCoarse: boolean;
}

export interface DeviceReport {
  readonly device: Device["name"];
  readonly plan: Plan;
  /** Type of the arithmetic under that plan. */
  readonly float: FloatType;
  readonly forms: readonly CheckedForm[];
  /** What graphs for this device must spell out. */
  readonly avoided: readonly ReplaceableOperator[];
}

/** Right kernels stay well below this; wrong ones were off by a tenth or more. */
const TOLERANCE: Readonly<Record<Plan, number>> = { fp16: 2e-2, mixed: 5e-4, fp32: 5e-4 };
/**
 * Of long sums. A whole UNet is 2 to 5 times as far off as its coarsest sum, and 1e-2 is what it may be off.
 * Sums in float32 that are rounded to float16 at the end stay below 6e-4, WebGPU's sums in float16 reach 1.5e-2.
 */
const LONG_TOLERANCE = 2e-3;
/** Beyond this a long sum is wrong, not coarse. */
const COARSE = 0.1;

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
  const session = await InferenceSession.create(graph, {
    ...deviceOptions(device),
    logSeverityLevel: 4,
    // The conversion of weights is tried as well.
    extra: KEEP_CASTS,
  });
  try {
    const outputs = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, Float32Array.from(tensor.data as Float32Array)]),
    );
  } finally {
    await session.release();
  }
};

/**
 * Compares each form on the device with the CPU, whose values come from the spelled-out forms. If the long sums
 * that nothing replaces are refused, the others are not tried, unless no other plan is left.
 */
export async function checkForms(
  device: Device["name"],
  plan: Plan,
  forms: readonly OperatorForm[],
  run: GraphRunner = runGraph,
): Promise<DeviceReport> {
  const decisive = forms.filter(({ isLong, replaceable }) => isLong && replaceable === null);
  if (plan !== "fp32" && decisive.length > 0 && decisive.length < forms.length) {
    const report = await checkForms(device, plan, decisive, run);
    if (refusalOf(report) !== null) return report;
  }
  const all = new Set(REPLACEABLE);
  const reference = build("fp32", forms, all);
  const expected = await run("cpu", reference.graph, reference.feeds);
  const expectedOf = new Map(forms.map((form, i) => [form, expected[outputName(i)] as Float32Array]));

  const first = await measureInTurn(device, plan, forms, expectedOf, run);
  const wrong = forms.filter((form) => !isRight(form, first.get(form), plan));
  const avoided = new Set(wrong.flatMap(({ replaceable }) => replaceable ?? []));
  // The spelled-out version must be right too, in all forms: avoiding an operator changes all of its uses.
  const changed = forms.filter(({ replaceable }) => replaceable !== null && avoided.has(replaceable));
  const second = await measure(device, plan, changed, avoided, expectedOf, run);

  return {
    device,
    plan,
    float: arithmeticOf(plan).float,
    avoided: [...avoided],
    forms: forms.map((form): CheckedForm => {
      const last = changed.includes(form) ? second.get(form) : first.get(form);
      const refused = !isRight(form, last, plan);
      return {
        operator: form.operator,
        form: form.form,
        ...((refused ? last : first.get(form)) ?? NOT_TRIED),
        verdict: refused ? "refused" : wrong.includes(form) ? "replaced" : "right",
        isCoarse: refused && form.isLong === true && last?.error != null && last.error < COARSE,
      };
    }),
  };
}

/** Why a device can't be used with a plan, as a phrase; null if it can. */
export function refusalOf({ forms, plan }: DeviceReport): string | null {
  const refused = forms.filter(({ verdict }) => verdict === "refused");
  const worst = refused.find(({ isCoarse }) => !isCoarse) ?? coarsest(refused);
  if (worst === undefined) return null;
  const others = refused.length > 1 ? ` and ${refused.length - 1} more` : "";
  const what = `${worst.operator} (${worst.form})`;
  if (worst.isCoarse)
    return `its sums in ${planName(plan)} are off by up to ${(worst.error! * 100).toPrecision(2)} % (${worst.operator}, ${worst.form}), where ${LONG_TOLERANCE * 100} % is the limit`;
  return `it ${worst.error === null ? "can't compute" : "wrongly computes"} ${what}${others} in ${planName(plan)}`;
}

const coarsest = (forms: readonly CheckedForm[]): CheckedForm | undefined =>
  forms.toSorted((a, b) => b.error! - a.error!)[0];

interface Measured {
  readonly error: number | null;
  readonly reason: string | null;
}

const NOT_TRIED: Measured = { error: null, reason: "not tried, because another is wrong" };

const isRight = ({ isLong }: OperatorForm, measured: Measured | undefined, plan: Plan): boolean =>
  measured?.error != null && measured.error <= (isLong ? LONG_TOLERANCE : TOLERANCE[plan]);

/**
 * Errors by form. Attention is tried size by size up to the first wrong one, which decides: its kernels are
 * large, with one for each size of heads.
 */
async function measureInTurn(
  device: Device["name"],
  plan: Plan,
  forms: readonly OperatorForm[],
  expectedOf: ReadonlyMap<OperatorForm, Float32Array>,
  run: GraphRunner,
): Promise<Map<OperatorForm, Measured>> {
  const isAttention = ({ replaceable }: OperatorForm) => replaceable === "MultiHeadAttention";
  const small = forms.filter((form) => !isAttention(form));
  const found = await measure(device, plan, small, new Set(), expectedOf, run);
  for (const form of forms.filter(isAttention)) {
    for (const entry of await measure(device, plan, [form], new Set(), expectedOf, run)) found.set(...entry);
    if (!isRight(form, found.get(form), plan)) break;
  }
  return found;
}

/**
 * Errors by form. All forms are in one graph, which loads much faster; if it fails, each form is tried alone.
 */
async function measure(
  device: Device["name"],
  plan: Plan,
  forms: readonly OperatorForm[],
  avoided: Avoided,
  expectedOf: ReadonlyMap<OperatorForm, Float32Array>,
  run: GraphRunner,
): Promise<Map<OperatorForm, Measured>> {
  if (forms.length === 0) return new Map();
  const { graph, feeds } = build(plan, forms, avoided);
  try {
    const actual = await run(device, graph, feeds);
    return new Map(
      forms.map((form, i) => {
        const error = errorOf(form, actual[outputName(i)], expectedOf.get(form) as Float32Array);
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
      for (const entry of await measure(device, plan, [form], avoided, expectedOf, run)) found.set(...entry);
    return found;
  }
}

const outputName = (index: number): string => `y${index}`;

/** One graph with all forms. Inputs and outputs are float32 and int64, whatever types are between them. */
function build(
  plan: Plan,
  forms: readonly OperatorForm[],
  avoided: Avoided,
): { graph: Uint8Array; feeds: Record<string, Tensor> } {
  const g = new GraphBuilder("device-check", { ...arithmeticOf(plan), avoided });
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
      weight: (...shape) => {
        const halves = float16FromFloat32(next(elementCount(shape)));
        const type = weightType(g, shape);
        if (type === "float32") return g.constant(type, shape, float32FromFloat16(halves));
        return cast(g, g.constant(type, shape, halves), g.float);
      },
    };
    g.output(outputName(i), cast(g, form.build(bench), "float32"), "float32", [`n${i}`]);
  }
  return { graph: g.build().encode([]), feeds };
}

/** Null where values are missing or not numbers. */
function errorOf(
  { isLong }: OperatorForm,
  actual: Float32Array | undefined,
  expected: Float32Array,
): number | null {
  if (actual?.length !== expected.length) return null;
  let [difference, largest, squares, length] = [0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i]!;
    const off = Math.abs(actual[i]! - value);
    if (!Number.isFinite(off)) return null;
    difference = Math.max(difference, off);
    largest = Math.max(largest, Math.abs(value));
    squares += off * off;
    length += value * value;
  }
  return isLong ? Math.sqrt(squares / length) : difference / largest;
}

/**
 * How graphs of a plan compute correctly on a device.
 * @param attention the sizes of all attention in them. Sizes that were never tried are tried now; if one is
 * wrong or has
 *   no kernel, all attention is spelled out.
 */
export async function arithmeticOn(
  { name, checked }: Device,
  plan: Plan,
  attention: readonly AttentionSize[] = [],
  run: GraphRunner = runGraph,
): Promise<Arithmetic> {
  const avoided: Avoided = checked?.avoided ?? new Set();
  const arithmetic = { ...arithmeticOf(plan), avoided };
  if (kindOf(name) === "cpu") return { ...arithmetic, winograd: plan === "fp32" };
  if (avoided.has("MultiHeadAttention")) return arithmetic;
  const distinct = new Map(attention.map((size) => [JSON.stringify(size), size]));
  const others = [...distinct.values()].filter((size) => checked === undefined || !isTried(size));
  if (others.length === 0) return arithmetic;
  const found = await checkForms(name, plan, others.map(attentionForm), run);
  return { ...arithmetic, avoided: new Set([...avoided, ...found.avoided]) };
}
