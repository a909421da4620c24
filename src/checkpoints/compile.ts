import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { type FileHandle, readFile, stat } from "node:fs/promises";
import { dirname, join, parse, relative, sep } from "node:path";
import { CheckpointError, codeOf } from "../core/errors.js";
import { makeFolder, replaceFile } from "../files/replace-file.js";
import { float16FromFloat32 } from "../onnx/float16.js";
import { type BoundDerivation, type FloatType, type Graph, weightType } from "../onnx/graph.js";
import type { ExternalData, TensorProto } from "../onnx/proto.js";
import { type TensorSpec, tensorByteLength, tensorBytes } from "../onnx/tensor.js";
import { shown } from "./files/file.js";
import type { TensorEntry, Weights, WeightType } from "./files/weights.js";

export interface CompileOptions {
  /** Folder of compiled graphs; created if missing. */
  readonly cacheDir: string;
  /**
   * Tensors of the checkpoint that the graph may leave unused, such as the encoder of a VAE that only
   * decodes.
   */
  readonly unused?: readonly RegExp[];
  /**
   * Weights stored in the other float type: `convert` writes them once, in the type that the graph keeps them in, to the cache;
   * `cast` points at them in place, and the runtime converts them at each start.
   */
  readonly otherFloat?: "convert" | "cast";
}

/** A graph with its weights, ready for a session. */
export interface CompiledGraph {
  /** The .onnx file. */
  readonly path: string;
  /** Folder of the graph's external data (onnxruntime allows no path outside it). */
  readonly dataFolder: string;
  /** Whether weights stay in memory in another type than the graph computes in. */
  readonly castsWeights: boolean;
  /** Bytes of all weights, wherever they are stored. */
  readonly weightBytes: number;
  /** Bytes of the weights written to the cache, because the checkpoint's own file can't be used in place. */
  readonly convertedBytes: number;
  /** Names of the checkpoint's tensors that are not part of the model. */
  readonly extra: readonly string[];
  /** True if an earlier result was complete and is reused. */
  readonly reused: boolean;
}

/** Part of every cache key: raise it when the same graph and weights are written differently. */
const FORMAT = 1;
/** Aligns for every element type, and for the vector units that read them. */
const ALIGNMENT = 64;
/**
 * Modification time of a finished data file. A file with another time was changed since and is written again.
 */
const FINISHED = new Date(Date.UTC(2001, 0, 1));

const STORED: Readonly<Record<FloatType, WeightType>> = { float32: "F32", float16: "F16" };
const FLOAT_OF: Partial<Record<WeightType, FloatType>> = { F32: "float32", F16: "float16" };

/**
 * Binds a graph to a checkpoint's weights and writes `<cacheDir>/<graph name>-<hash>.onnx`. Weights of a
 * fitting type are referenced in the checkpoint's own files. The rest goes to a data file beside the graph,
 * one tensor after the other, so that memory holds only one at a time. A complete earlier result is reused.
 *
 * @throws CheckpointError CHECKPOINT_TENSORS with all tensors that are missing or misshapen;
 *   DISK_FULL if the cache does not fit.
 */
export async function compileGraph(
  graph: Graph,
  weights: Weights,
  options: CompileOptions,
): Promise<CompiledGraph> {
  const extra = checkTensors(graph, weights, options.unused ?? []);
  await makeFolder(options.cacheDir);
  const cacheDir = realpathSync(options.cacheDir);

  const plan = planWeights(graph, weights, options.otherFloat ?? "convert", parse(cacheDir).root);
  const hash = createHash("sha256");
  hash.update(JSON.stringify([FORMAT, graph.name, weights.fingerprint, plan]));
  hash.update(graph.encode([]));
  const stem = join(cacheDir, `${graph.name}-${hash.digest("hex").slice(0, 20)}`);
  const dataFile = `${stem}.data`;

  const fileOf = ({ location }: PlannedTensor) => (location.kind === "file" ? location.file : dataFile);
  const files = new Set(plan.tensors.map(fileOf));
  const dataFolder = commonFolder([`${stem}.onnx`, ...files]);
  const model = graph.encode(
    plan.tensors.map((tensor): TensorProto => {
      const { name, spec, location } = tensor;
      const path = relative(dataFolder, fileOf(tensor)).split(sep).join("/");
      const data: ExternalData = { location: path, offset: location.offset, length: tensorByteLength(spec) };
      return { name, ...spec, data };
    }),
  );
  const compiled = {
    path: `${stem}.onnx`,
    dataFolder,
    castsWeights: graph.weights !== graph.float,
    weightBytes: plan.tensors.reduce((sum, { spec }) => sum + tensorByteLength(spec), 0),
    convertedBytes: plan.dataBytes,
    extra,
  };

  const reused =
    (await hasContent(compiled.path, model)) && (plan.dataBytes === 0 || (await isFinished(dataFile, plan)));
  if (!reused) {
    try {
      if (plan.dataBytes > 0)
        await putInPlace(
          dataFile,
          (file) => writeData(file, graph, weights, plan),
          () => isFinished(dataFile, plan),
        );
      await putInPlace(compiled.path, model, () => hasContent(compiled.path, model));
    } catch (cause) {
      if (codeOf(cause) !== "DISK_FULL") throw cause;
      const megabytes = Math.ceil((plan.dataBytes + model.byteLength) / 1e6);
      throw new CheckpointError(
        "DISK_FULL",
        `${cacheDir} has no room for the compiled graph "${graph.name}" (${megabytes} MB). Free some, or put the cache elsewhere.`,
        { cause },
      );
    }
  }
  return { ...compiled, reused };
}

/** One tensor that differs from what the graph needs. */
export interface TensorDifference {
  /** `quantised`: a weight in integers, or a scale of a weight that is stored in fewer bits. */
  readonly kind: "missing" | "shape" | "quantised" | "extra";
  readonly name: string;
  /** The shape in the checkpoint, and the one that the graph needs; null if it has none. */
  readonly shape: readonly number[] | null;
  readonly expected: readonly number[] | null;
}

/** Compares a checkpoint with what a graph reads. */
export function tensorDifferences(
  graph: Graph,
  weights: Weights,
  unused: readonly RegExp[] = [],
): TensorDifference[] {
  const differences: TensorDifference[] = [];
  for (const [name, expected] of graph.sources) {
    const { shape = null, type } = weights.get(name) ?? {};
    if (shape === null) differences.push({ kind: "missing", name, shape, expected });
    else if (type !== undefined && INTEGERS.test(type))
      differences.push({ kind: "quantised", name, shape, expected });
    else if (shape.length !== expected.length || shape.some((size, i) => size !== expected[i]))
      differences.push({ kind: "shape", name, shape, expected });
  }
  for (const name of weights.names)
    if (!graph.sources.has(name) && !unused.some((pattern) => pattern.test(name))) {
      const kind = SCALES.test(name) ? "quantised" : "extra";
      differences.push({ kind, name, shape: weights.get(name)?.shape ?? null, expected: null });
    }
  return differences;
}

/** A difference in words. */
export function describeDifference({ kind, name, shape, expected }: TensorDifference): string {
  if (kind === "missing") return `missing: ${name} [${expected}]`;
  if (kind === "quantised") return `quantised: ${name} [${shape}]`;
  if (kind === "shape") return `wrong shape: ${name} is [${shape}], expected [${expected}]`;
  return `not part of the model: ${name} [${shape}]`;
}

/** Lines of a message about differences; a file of another kind has hundreds. */
const SHOWN_DIFFERENCES = 10;

/** Tensors that hold the scales of weights stored in fewer bits; without them the weights are wrong. */
const SCALES =
  /(^|\.)(scale_weight|weight_scale|weight_scale_inv|scaled_fp8|comfy_quant|SCB|absmax|quant_map|qweight|qzeros)$|\.quant_state\./;
const INTEGERS = /^[IU]\d/;

/**
 * Compares a checkpoint with what a graph reads. Throws one CheckpointError CHECKPOINT_TENSORS about all
 * tensors that are missing or misshapen. What is there beyond that harms nothing.
 * @returns the names of tensors that are not part of the model
 */
export function checkTensors(graph: Graph, weights: Weights, unused: readonly RegExp[] = []): string[] {
  const differences = tensorDifferences(graph, weights, unused);
  const extra = differences.filter(({ kind }) => kind === "extra").map(({ name }) => name);
  const quantised = differences.find(({ kind }) => kind === "quantised");
  if (quantised !== undefined)
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${weights.source} stores scaled or quantised weights ("${shown(quantised.name)}") of a kind that is not read here. Use the fp16 or fp32 files of this model.`,
    );
  if (extra.length < differences.length) {
    const lines = differences.slice(0, SHOWN_DIFFERENCES).map(describeDifference);
    const more = differences.length - lines.length;
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${weights.source} does not fit ${graph.name} (${differences.length} tensors):\n  ${lines.join("\n  ")}${more > 0 ? `\n  and ${more} more; promptist checkpoints check lists all` : ""}`,
    );
  }
  return extra;
}

/** What is said of tensors that a checkpoint holds beyond its model; null if it holds none. */
export function extraNote(source: string, extra: readonly string[]): string | null {
  if (extra.length === 0) return null;
  const more = extra.length > 3 ? ` and ${extra.length - 3} more` : "";
  return `${source} holds ${extra.length === 1 ? "a tensor" : `${extra.length} tensors`} that the model does not have, not used here: ${extra
    .slice(0, 3)
    .map((name) => shown(name))
    .join(", ")}${more}.`;
}

/** Where an initializer's bytes are: in a file of the checkpoint, or in the data file beside the graph. */
type Location =
  | { readonly kind: "file"; readonly file: string; readonly offset: number }
  | { readonly kind: "data"; readonly offset: number };

interface PlannedTensor {
  readonly name: string;
  readonly spec: TensorSpec;
  readonly location: Location;
}

interface Plan {
  readonly tensors: readonly PlannedTensor[];
  readonly dataBytes: number;
}

function planWeights(graph: Graph, weights: Weights, otherFloat: "convert" | "cast", root: string): Plan {
  let dataBytes = 0;
  const inData = (spec: TensorSpec): Location => {
    const offset = Math.ceil(dataBytes / ALIGNMENT) * ALIGNMENT;
    dataBytes = offset + tensorByteLength(spec);
    return { kind: "data", offset };
  };
  const realPaths = new Map<string, string>();
  const inFile = ({ file, offset }: TensorEntry): Location => {
    // A hub cache holds links; the runtime follows them and requires the target inside `dataFolder`.
    const real = realPaths.get(file) ?? realpathSync(file);
    realPaths.set(file, real);
    return { kind: "file", file: real, offset };
  };

  const tensors: PlannedTensor[] = [];
  for (const [name, shape] of graph.parameters) {
    const entry = weights.get(name) as TensorEntry;
    const stored = FLOAT_OF[entry.type];
    const type = otherFloat === "cast" && stored !== undefined ? stored : weightType(graph, shape);
    const spec = { type, shape };
    // A negative offset means that the tensor is not contiguous. On Windows no relative path leads from one
    // drive to another.
    const usable =
      entry.type === STORED[type] &&
      entry.offset >= 0 &&
      entry.offset % 4 === 0 &&
      parse(entry.file).root === root;
    tensors.push({ name, spec, location: usable ? inFile(entry) : inData(spec) });
  }
  for (const { outputs, initializers } of graph.derivations)
    for (const [output, spec] of Object.entries(outputs))
      tensors.push({ name: initializers[output] as string, spec, location: inData(spec) });
  return { tensors, dataBytes };
}

/** Writes all tensors planned for the data file, in the order of their offsets. */
async function writeData(file: FileHandle, graph: Graph, weights: Weights, plan: Plan): Promise<void> {
  const derivations = new Map<string, BoundDerivation>();
  for (const derivation of graph.derivations)
    for (const name of Object.values(derivation.initializers)) derivations.set(name, derivation);

  let computed: { of: BoundDerivation; data: ReturnType<BoundDerivation["compute"]> } | undefined;
  const bytesOf = (tensor: PlannedTensor): Uint8Array => {
    const derivation = derivations.get(tensor.name);
    if (derivation === undefined) return parameterBytes(tensor, weights);
    // The outputs of a derivation are adjacent in the plan, so its source is read once.
    if (computed?.of !== derivation)
      computed = { of: derivation, data: derivation.compute(weights.readFloat32(derivation.from)) };
    const output = Object.entries(derivation.initializers).find(([, name]) => name === tensor.name)?.[0];
    const data = output === undefined ? undefined : computed.data[output];
    if (data === undefined) throw new Error(`${derivation.recipe} made no value for ${tensor.name}`);
    return tensorBytes(tensor.spec, data);
  };

  for (const tensor of plan.tensors)
    if (tensor.location.kind === "data") await writeAt(file, bytesOf(tensor), tensor.location.offset);
}

function parameterBytes({ name, spec }: PlannedTensor, weights: Weights): Uint8Array {
  if (weights.get(name)?.type === STORED[spec.type as FloatType]) return weights.read(name);
  const values = weights.readFloat32(name);
  return tensorBytes(spec, spec.type === "float16" ? float16FromFloat32(values) : values);
}

/** A system call writes at most 2^31 - 1 bytes. */
const WRITE_BYTES = 2 ** 30;

async function writeAt(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const length = Math.min(bytes.byteLength - done, WRITE_BYTES);
    done += (await file.write(bytes, done, length, offset + done)).bytesWritten;
  }
}

async function hasContent(path: string, content: Uint8Array): Promise<boolean> {
  if (!existsSync(path)) return false;
  return (await readFile(path)).equals(content);
}

async function isFinished(path: string, plan: Plan): Promise<boolean> {
  if (!existsSync(path)) return false;
  const { size, mtimeMs } = await stat(path);
  return size === plan.dataBytes && mtimeMs === FINISHED.getTime();
}

/** Windows refuses to replace a file that another process has open; a complete one will do. */
async function putInPlace(
  path: string,
  content: Uint8Array | ((file: FileHandle) => Promise<void>),
  isComplete: () => Promise<boolean>,
): Promise<void> {
  try {
    await replaceFile(path, content, { modified: FINISHED });
  } catch (error) {
    if (!(await isComplete())) throw error;
  }
}

/** The deepest folder that contains all files. */
function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] as string);
  for (const file of files)
    while (relative(folder, file).startsWith("..") && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
