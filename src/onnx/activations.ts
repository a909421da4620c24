import type { GraphNode, GraphStructure } from "./graph.js";
import { ELEMENT_BYTES, type ElementType } from "./proto.js";
import { elementCount } from "./tensor.js";

/** What is known of a tensor before a graph runs. */
interface Known {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Its values, of shapes and the numbers that they are computed from. */
  readonly values?: readonly number[] | undefined;
}

/** Inputs of the operators that only look at the numbers' places share memory with their result. */
const VIEWS = new Set(["Reshape", "Identity"]);
/** Operators that may write over their first input where nothing else reads it. */
const IN_PLACE = new Set([
  ...["Add", "Sub", "Mul", "Div", "Relu", "Tanh", "Sigmoid", "Exp", "Sqrt", "Erf", "QuickGelu", "Gelu"],
  ...["Softmax", "Round", "Sin", "Cos"],
]);

/**
 * Most bytes of activations that are in memory at once while the graph runs, its inputs and outputs included and its
 * weights left out: the shapes that its operators give, each from where it is computed to where it is read last.
 * Weights that are converted where they are used count there. What a runtime takes beyond that, such as for one
 * operator's own use, is not counted.
 * @param sizes of the dimensions that the graph's inputs name
 */
export function peakActivationBytes(
  structure: GraphStructure,
  sizes: Readonly<Record<string, number>>,
): number {
  const { nodes, inputs, outputs, initializers } = structure;
  const known = new Map<string, Known>(initializers);
  for (const { name, type, shape } of inputs)
    known.set(name, {
      type,
      shape: shape.map((side) => (typeof side === "number" ? side : sizeOf(side, sizes))),
    });

  const lastUse = new Map<string, number>();
  /** The tensor whose memory a name stands for. */
  const owner = new Map<string, string>();
  const ownerOf = (name: string) => owner.get(name) ?? name;
  for (const { type, inputs, outputs } of nodes)
    if (VIEWS.has(type)) owner.set(outputs[0]!, ownerOf(inputs[0]!));
  for (const [i, node] of nodes.entries()) for (const name of node.inputs) lastUse.set(ownerOf(name), i);
  for (const name of [...inputs, ...outputs].map((one) => one.name)) lastUse.set(ownerOf(name), nodes.length);

  const bytesOf = (name: string) => {
    const { type, shape } = known.get(name)!;
    return elementCount(shape) * ELEMENT_BYTES[type];
  };
  const isWeight = (name: string) => initializers.has(name);
  let live = inputs.reduce((sum, { name }) => sum + bytesOf(name), 0);
  let peak = live;
  for (const [i, node] of nodes.entries()) {
    const given = node.inputs.map((name) => known.get(name));
    for (const [j, result] of resultsOf(node, given).entries()) known.set(node.outputs[j]!, result);
    if (VIEWS.has(node.type) && !isWeight(ownerOf(node.inputs[0]!))) continue;
    const ends = [...new Set(node.inputs.map(ownerOf))].filter(
      (name) => name !== "" && !isWeight(name) && lastUse.get(name) === i,
    );
    const made = node.outputs.reduce((sum, name) => sum + bytesOf(name), 0);
    const freed = ends.reduce((sum, name) => sum + bytesOf(name), 0);
    const [first = ""] = node.inputs.map(ownerOf);
    const reused = IN_PLACE.has(node.type) && ends.includes(first) && bytesOf(first) === made ? made : 0;
    const converted = node.inputs.reduce((sum, name) => sum + (structure.convertedBytes.get(name) ?? 0), 0);
    peak = Math.max(peak, live + made - reused + converted);
    live += made - freed;
  }
  return peak;
}

/** A named size, or one that is a multiple of a name, such as `8*height`. */
function sizeOf(name: string, sizes: Readonly<Record<string, number>>): number {
  const [, factor, base] = /^(?:([\d.]+)\*)?(.+)$/.exec(name)!;
  const size = sizes[base!];
  if (size === undefined) throw new Error(`the size of ${name} is needed`);
  return Number(factor ?? 1) * size;
}

const ATTRIBUTE_TYPE: Readonly<Record<number, ElementType>> = {
  1: "float32",
  6: "int32",
  7: "int64",
  10: "float16",
};

type Rule = (node: GraphNode, given: readonly (Known | undefined)[]) => readonly Known[];

const likeFirst: Rule = (_node, [x]) => [{ type: x!.type, shape: x!.shape }];

const broadcast =
  (combine: (a: number, b: number) => number): Rule =>
  (_node, [a, b]) => {
    const rank = Math.max(a!.shape.length, b!.shape.length);
    const side = ({ shape }: Known, i: number) => shape[i - rank + shape.length] ?? 1;
    const shape = Array.from({ length: rank }, (_, i) => Math.max(side(a!, i), side(b!, i)));
    const others = b!.values;
    const values = others && a!.values?.map((value, i) => combine(value, others[i] ?? others[0]!));
    return [{ type: a!.type, shape, values }];
  };

const reduced: Rule = ({ attributes }, [x, axes]) => {
  const rank = x!.shape.length;
  const gone = new Set(axes!.values!.map((axis) => (axis + rank) % rank));
  const shape = x!.shape.map((side, i) => (gone.has(i) ? 1 : side));
  return [{ type: x!.type, shape: attributes.keepdims === 0 ? shape.filter((_, i) => !gone.has(i)) : shape }];
};

const axisOf = ({ attributes }: GraphNode, { shape }: Known) =>
  ((attributes.axis as number) + shape.length) % shape.length;

const withSide = (shape: readonly number[], axis: number, side: number) => shape.with(axis, side);

/** The shape of each operator's results, after https://onnx.ai/onnx/operators. */
const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    [
      ...["Relu", "Tanh", "Sigmoid", "Exp", "Sqrt", "Erf", "Round", "Sin", "Cos", "QuickGelu", "Gelu"],
      ...["Softmax", "LayerNormalization", "InstanceNormalization", "MultiHeadAttention"],
    ].map((type) => [type, likeFirst]),
  ),
  Identity: (_node, [x]) => [x!],
  Add: broadcast((a, b) => a + b),
  Sub: broadcast((a, b) => a - b),
  Mul: broadcast((a, b) => a * b),
  Div: broadcast((a, b) => a / b),
  ReduceMax: reduced,
  ReduceMean: reduced,
  ReduceSum: reduced,
  Cast: ({ attributes }, [x]) => [{ ...x!, type: ATTRIBUTE_TYPE[attributes.to as number]! }],
  Shape: ({ attributes: { start = 0, end } }, [x]) => {
    const values = x!.shape.slice(start as number, end as number | undefined);
    return [{ type: "int64", shape: [values.length], values }];
  },
  Reshape: (_node, [x, wanted]) => {
    const sides = wanted!.values!.map((side, i) => (side === 0 ? x!.shape[i]! : side));
    const rest = elementCount(x!.shape) / Math.abs(elementCount(sides));
    return [{ type: x!.type, shape: sides.map((side) => (side === -1 ? rest : side)) }];
  },
  Transpose: ({ attributes }, [x]) => [
    { type: x!.type, shape: (attributes.perm as readonly number[]).map((axis) => x!.shape[axis]!) },
  ],
  Concat: (node, given) => {
    const parts = given as readonly Known[];
    const axis = axisOf(node, parts[0]!);
    const side = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
    const values = parts.every((part) => part.values) ? parts.flatMap((part) => part.values!) : undefined;
    return [{ type: parts[0]!.type, shape: withSide(parts[0]!.shape, axis, side), values }];
  },
  Split: (node, [x, sizes]) => {
    const axis = axisOf(node, x!);
    const count = node.outputs.length;
    const whole = x!.shape[axis]!;
    const part = Math.ceil(whole / count);
    const sides =
      sizes?.values ?? Array.from({ length: count }, (_, i) => Math.min(part, Math.max(0, whole - i * part)));
    return sides.map((side) => ({ type: x!.type, shape: withSide(x!.shape, axis, side) }));
  },
  Slice: (_node, [x, starts, ends, axes]) => {
    let { shape } = x!;
    let { values } = x!;
    for (const [i, axis] of axes!.values!.entries()) {
      // Where a stripe begins and ends is only known when it is computed; at most all is kept.
      const [start, end] = [starts!.values?.[i] ?? 0, ends!.values?.[i] ?? shape[axis]!];
      const place = (at: number) => Math.min(shape[axis]!, at < 0 ? at + shape[axis]! : at);
      values = values?.slice(place(start), place(end));
      shape = withSide(shape, axis, Math.max(0, place(end) - place(start)));
    }
    return [{ type: x!.type, shape, values }];
  },
  Gather: ({ attributes: { axis = 0 } }, [x, at]) => {
    const shape = [
      ...x!.shape.slice(0, axis as number),
      ...at!.shape,
      ...x!.shape.slice((axis as number) + 1),
    ];
    return [{ type: x!.type, shape }];
  },
  MatMul: (_node, [a, b]) => {
    const [rows, columns] = [a!.shape.at(-2)!, b!.shape.at(-1)!];
    const [more] = broadcast(Math.max)(
      _node,
      [a!, b!].map(({ type, shape }) => ({ type, shape: shape.slice(0, -2) })),
    );
    return [{ type: a!.type, shape: [...more!.shape, rows, columns] }];
  },
  Gemm: ({ attributes: { transB = 0 } }, [a, b]) => [
    { type: a!.type, shape: [a!.shape[0]!, b!.shape[transB === 1 ? 0 : 1]!] },
  ],
  Conv: ({ attributes }, [x, weight]) => {
    const { kernel_shape: kernel, strides, pads } = attributes as Record<string, readonly number[]>;
    const [batch, , ...sides] = x!.shape;
    const after = sides.map((side, i) =>
      Math.floor((side + pads![i]! + pads![i + sides.length]! - kernel![i]!) / strides![i]! + 1),
    );
    return [{ type: x!.type, shape: [batch!, weight!.shape[0]!, ...after] }];
  },
  Resize: (_node, [x, , scales]) => [
    { type: x!.type, shape: x!.shape.map((side, i) => Math.floor(side * scales!.values![i]!)) },
  ],
};

function resultsOf(node: GraphNode, given: readonly (Known | undefined)[]): readonly Known[] {
  const rule = RULES[node.type];
  if (rule === undefined) throw new Error(`the shape of ${node.type}'s result is not known`);
  return rule(node, given);
}
