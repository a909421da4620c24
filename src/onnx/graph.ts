import {
  type AttributeValue,
  DATA_TYPE,
  type Dimension,
  type ElementType,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfo,
} from "./proto.js";
import { elementCount, type TensorData, type TensorSpec, tensorByteLength, tensorBytes } from "./tensor.js";

export type { AttributeValue, Dimension, ElementType } from "./proto.js";

export type FloatType = "float32" | "float16";

/**
 * One tensor in a graph: an input, a constant, a weight or an operator's output. Only a builder creates them.
 */
export class Value {
  /** @internal */
  constructor(
    /** @internal Changes at most once: when the value becomes an output of the graph. */
    public name: string,
    /** @internal An operator's result may take an output's name; inputs and weights keep theirs. */
    readonly computed: boolean,
  ) {}
}

/**
 * One or more initializers computed from one tensor of the checkpoint when the graph is compiled.
 */
export interface Derivation<Name extends string = string> {
  /** The tensor's key in the checkpoint, and the shape it must have there. */
  readonly from: string;
  readonly fromShape: readonly number[];
  /** Names what `compute` does, with its version and parameters; part of the compiled graph's cache key. */
  readonly recipe: string;
  readonly outputs: Readonly<Record<Name, TensorSpec>>;
  /** Called once with the tensor's values as float32 in storage order. */
  compute(values: Float32Array): Readonly<Record<Name, TensorData>>;
}

/** A derivation in a built graph, with its initializers' names by output name. */
export interface BoundDerivation extends Derivation {
  readonly initializers: Readonly<Record<string, string>>;
}

export type GraphNode = NodeProto;

/** The operators of a graph and what they read. */
export interface GraphStructure {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly GraphNode[];
  /** Weights and constants by name; with their values where these are few numbers. */
  readonly initializers: ReadonlyMap<string, TensorSpec & { readonly values?: readonly number[] }>;
  /** Bytes of each weight in the type that the graph computes in, of those that are converted where they are used. */
  readonly convertedBytes: ReadonlyMap<string, number>;
}

/** A finished graph that does not have its weights yet. */
export interface Graph {
  readonly name: string;
  readonly float: FloatType;
  /** Weights used unchanged, in the type of `weightType`: from the checkpoint's key to the shape it must have. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
  /** Type of the large weights in memory; see `Arithmetic`. */
  readonly weights: FloatType;
  readonly derivations: readonly BoundDerivation[];
  /** Every key that the graph reads, for `parameters` and `derivations`, with the shape it must have. */
  readonly sources: ReadonlyMap<string, readonly number[]>;
  readonly structure: GraphStructure;
  /** Bytes of all weights in memory. */
  readonly weightBytes: number;
  /**
   * The .onnx file. `weights` are the initializers of all parameters (named by their keys) and derivations. A
   * parameter in the other float type is cast in the graph.
   */
  encode(weights: readonly TensorProto[]): Uint8Array;
}

/**
 * Operators that can be spelled out in others, for devices that compute them wrongly: the functions of ops.ts
 * do so, except for MatMulNBits, which is replaced where products are built.
 */
export const REPLACEABLE = [
  "MultiHeadAttention",
  "MatMulNBits",
  "QuickGelu",
  "Gelu",
  "LayerNormalization",
  "InstanceNormalization",
  "Softmax",
  "Resize",
] as const;
export type ReplaceableOperator = (typeof REPLACEABLE)[number];
export type Avoided = ReadonlySet<ReplaceableOperator>;

/**
 * How a graph computes: the only thing that a device decides about it (inference/runtime/device-check.ts).
 */
export interface Arithmetic {
  /** Type of all arithmetic that does not name another type, and of the weights if `weights` names none. */
  readonly float: FloatType;
  /**
   * Type that weights of two dimensions and more have in memory. Where it is not `float`, each is converted
   * whenever it is used: half the memory at full precision of the sums (docs/adr/0008-sums-in-fp32.md).
   */
  readonly weights?: FloatType;
  /** Operators to spell out in others because the device computes them wrongly. None by default. */
  readonly avoided?: Avoided;
  /** Whether 3x3 convolutions of large pictures take Winograd's way: faster on a CPU, with larger weights. */
  readonly winograd?: boolean;
}

/** The type that a weight of this shape has in memory; vectors are small and hold the sums' offsets. */
export const weightType = (
  { float, weights }: Pick<Graph, "float" | "weights">,
  shape: readonly number[],
): FloatType => (shape.length < 2 ? float : weights);

export interface OpOptions {
  /** "" is ai.onnx, the default. */
  readonly domain?: string;
  /** Number of outputs; one by default. */
  readonly outputs?: number;
}

export const MICROSOFT = "com.microsoft";

/**
 * Opset 20 is the first with Gelu; DirectML supports little beyond it. IR 9 is the version released with it.
 */
const OPSETS = { "": 20, [MICROSOFT]: 1 };
const IR_VERSION = 9;
const CASTABLE = new Set<ElementType>(["float32", "float16"]);

/** Numbers of a constant that a shape may be computed from. */
const FEW = 8;

function withValues({ type, shape, data }: TensorProto): TensorSpec & { values?: readonly number[] } {
  if (elementCount(shape) > FEW || !(data instanceof Uint8Array)) return { type, shape };
  const { buffer, byteOffset, byteLength } = data;
  const bytes = buffer.slice(byteOffset, byteOffset + byteLength);
  if (type === "int64") return { type, shape, values: Array.from(new BigInt64Array(bytes), Number) };
  return type === "float32" ? { type, shape, values: [...new Float32Array(bytes)] } : { type, shape };
}

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/**
 * Builds an ONNX graph operator by operator. Knows no model: weights are named by the checkpoint's keys and
 * bound when the graph is compiled.
 */
export class GraphBuilder {
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: (Omit<ValueInfo, "name"> & { value: Value })[] = [];
  readonly #nodes: (Omit<NodeProto, "inputs" | "outputs"> & {
    inputs: (Value | null)[];
    outputs: Value[];
  })[] = [];
  readonly #constants = new Map<string, { value: Value; proto: TensorProto }>();
  readonly #parameters = new Map<string, { value: Value; shape: readonly number[] }>();
  readonly #derivations: BoundDerivation[] = [];
  readonly #sources = new Map<string, readonly number[]>();

  readonly float: FloatType;
  readonly weights: FloatType;
  readonly avoided: Avoided;
  readonly winograd: boolean;

  constructor(
    readonly name: string,
    { float, weights = float, avoided = new Set(), winograd = false }: Arithmetic,
  ) {
    this.float = float;
    this.weights = weights;
    this.avoided = avoided;
    this.winograd = winograd;
  }

  /** An input of the graph. */
  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.#inputs.push({ name, type, shape });
    return new Value(name, false);
  }

  /** Makes `value` an output of the graph under `name`. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dimension[]): void {
    const renameable = value.computed && !this.#outputs.some((output) => output.value === value);
    const result = renameable ? value : this.op("Identity", [value]);
    result.name = name;
    this.#outputs.push({ value: result, type, shape });
  }

  /** Adds an operator. `null` omits an optional input. */
  op(
    type: string,
    inputs: readonly (Value | null)[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    options?: OpOptions & { readonly outputs?: never },
  ): Value;
  op(
    type: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    options: OpOptions & { readonly outputs: number },
  ): Value[];
  op(
    type: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    { domain = "", outputs }: OpOptions = {},
  ): Value | Value[] {
    const name = `${type}_${this.#nodes.length}`;
    const values = Array.from(
      { length: outputs ?? 1 },
      (_, i) => new Value(i === 0 ? name : `${name}_${i}`, true),
    );
    // WebGPU's convolution reads a last input named "" as a bias, so trailing nulls are cut off.
    const given = inputs.slice(0, inputs.findLastIndex((input) => input !== null) + 1);
    this.#nodes.push({ type, domain, name, inputs: given, outputs: values, attributes });
    return outputs === undefined ? (values[0] as Value) : values;
  }

  /**
   * A constant in the graph file; equal constants are stored once. Float16 values may be given as plain
   * numbers.
   */
  constant(type: ElementType, shape: readonly number[], data: TensorData): Value {
    const bytes = tensorBytes({ type, shape }, data);
    const key = `${type}[${shape}]${Buffer.from(bytes).toString("latin1")}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known.value;
    const value = new Value(`constant_${this.#constants.size}`, false);
    this.#constants.set(key, { value, proto: { name: value.name, type, shape, data: bytes } });
    return value;
  }

  /** A scalar constant, in the graph's float type by default. */
  scalar(number: number, type: ElementType = this.float): Value {
    return this.constant(type, [], [number]);
  }

  /** A one-dimensional int64 constant, for shapes, axes and bounds. */
  ints(...numbers: readonly number[]): Value {
    return this.constant("int64", [numbers.length], numbers);
  }

  /** A weight used unchanged: `key` is the checkpoint's own, `shape` the shape it must have there. */
  parameter(key: string, shape: readonly number[]): Value {
    this.#source(key, shape);
    const known = this.#parameters.get(key);
    if (known !== undefined) return known.value;
    const value = new Value(key, false);
    this.#parameters.set(key, { value, shape });
    return value;
  }

  /**
   * Initializers computed from one tensor when the graph is compiled, such as 8-bit blocks and their scales.
   */
  derived<Name extends string>(derivation: Derivation<Name>): Record<Name, Value> {
    const { from, fromShape, recipe, outputs } = derivation;
    this.#source(from, fromShape);
    const names = Object.keys(outputs) as Name[];
    const initializers = Object.fromEntries(names.map((name) => [name, `${from}:${recipe}:${name}`]));
    if (!this.#derivations.some((known) => known.from === from && known.recipe === recipe))
      this.#derivations.push({ ...(derivation as unknown as Derivation), initializers });
    return Object.fromEntries(
      names.map((name) => [name, new Value(initializers[name] as string, false)]),
    ) as Record<Name, Value>;
  }

  #source(key: string, shape: readonly number[]): void {
    const known = this.#sources.get(key);
    if (known !== undefined && !sameShape(known, shape))
      throw new Error(`${this.name}: ${key} is used as [${known}] and as [${shape}]`);
    this.#sources.set(key, [...shape]);
  }

  /** Finishes the graph. Throws if an output is missing or a name is used twice. */
  build(): Graph {
    if (this.#outputs.length === 0) throw new Error(`${this.name}: a graph needs an output`);
    const names = this.#outputs
      .map((output) => output.value.name)
      .concat(this.#inputs.map((input) => input.name));
    if (new Set(names).size !== names.length)
      throw new Error(`${this.name}: an input or output name is used twice: ${names.join(", ")}`);
    const parameters = new Map([...this.#parameters].map(([key, { shape }]) => [key, shape]));
    return {
      name: this.name,
      float: this.float,
      weights: this.weights,
      parameters,
      derivations: this.#derivations,
      sources: this.#sources,
      ...this.#structure(),
      encode: (weights) => this.#encode(weights),
    };
  }

  #structure(): Pick<Graph, "structure" | "weightBytes"> {
    const { float, weights } = this;
    const initializers = new Map<string, TensorSpec & { values?: readonly number[] }>();
    const convertedBytes = new Map<string, number>();
    for (const [key, { shape }] of this.#parameters) {
      const stored = { type: weightType({ float, weights }, shape), shape };
      initializers.set(key, stored);
      if (stored.type !== float) convertedBytes.set(key, tensorByteLength({ type: float, shape }));
    }
    for (const { outputs, initializers: names } of this.#derivations)
      for (const [output, spec] of Object.entries(outputs)) initializers.set(names[output] as string, spec);
    const weightBytes = [...initializers.values()].reduce((sum, spec) => sum + tensorByteLength(spec), 0);
    for (const { proto } of this.#constants.values()) initializers.set(proto.name, withValues(proto));
    const structure = {
      inputs: this.#inputs,
      outputs: this.#outputProtos(),
      nodes: this.#nodeProtos(),
      initializers,
      convertedBytes,
    };
    return { structure, weightBytes };
  }

  #outputProtos(): ValueInfo[] {
    return this.#outputs.map(({ value, type, shape }) => ({ name: value.name, type, shape }));
  }

  #nodeProtos(): NodeProto[] {
    return this.#nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((value) => value?.name ?? ""),
      outputs: node.outputs.map((value) => value.name),
    }));
  }

  #encode(weights: readonly TensorProto[]): Uint8Array {
    // They come before all nodes that use them: the runtime then runs each right before its use, so that only a
    // few converted weights are in memory at once.
    const casts: NodeProto[] = [];
    const initializers = weights.map((weight): TensorProto => {
      if (!this.#parameters.has(weight.name) || weight.type === this.float) return weight;
      if (!CASTABLE.has(weight.type)) throw new Error(`${weight.name}: ${weight.type} can't be cast`);
      const stored = `${weight.name}:stored`;
      casts.push({
        type: "Cast",
        domain: "",
        name: `${weight.name}:cast`,
        inputs: [stored],
        outputs: [weight.name],
        attributes: { to: DATA_TYPE[this.float] },
      });
      return { ...weight, name: stored };
    });
    return encodeModel({
      name: this.name,
      irVersion: IR_VERSION,
      opsets: OPSETS,
      inputs: this.#inputs,
      outputs: this.#outputProtos(),
      initializers: [...initializers, ...[...this.#constants.values()].map(({ proto }) => proto)],
      nodes: [...casts, ...this.#nodeProtos()],
    });
  }
}
