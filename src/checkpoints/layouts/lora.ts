import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { CheckpointError } from "../../core/errors.js";
import { elementCount } from "../files/element-types.js";
import { openWeightFile } from "../files/open.js";
import { readMetadata } from "../files/safetensors.js";
import { NOT_IN_PLACE } from "../files/stored-weights.js";
import type { TensorEntry, Weights } from "../files/weights.js";

/*
 * Low-rank adapters (Hu et al. 2021, arXiv:2106.09685), merged into a graph's weights when it is compiled:
 *
 *   W' = W + weight * alpha / r * up . down
 *
 * | symbol | tensor | shape |
 * |---|---|---|
 * | down, A | lora_down, lora_A, lora.down | [r, in] or [r, in, k, k] |
 * | up, B | lora_up, lora_B, lora.up | [out, r] or [out, r, 1, 1] |
 * | alpha | alpha, or lora_alpha of the file's metadata; r where there is none | a number |
 *
 * Keys are read as kohya's scripts, diffusers (old and new) and PEFT write them.
 */

/** A file and the strength to merge it with. */
export interface LoraChoice {
  /** Absolute path. */
  readonly file: string;
  readonly weight: number;
}

/** Parts of a pipeline that an adapter may change. */
export type LoraPart = "unet" | "text_encoder";
type Bases = Readonly<Record<LoraPart, Weights>>;

interface Delta {
  readonly down: string;
  readonly up: string;
  readonly rank: number;
  /** alpha / r */
  readonly scale: number;
}

/** An adapter whose tensors all belong to the checkpoint. */
interface Lora {
  readonly weights: Weights;
  readonly fingerprint: string;
  /** From each changed tensor's name to its change. */
  readonly deltas: Readonly<Record<LoraPart, ReadonlyMap<string, Delta>>>;
}

/**
 * Views of a pipeline's weights with adapters merged, in float32. Computes a tensor only when it is read.
 * @throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT (the file), CHECKPOINT_TENSORS: all keys
 * that these
 *   models don't have, and all with another shape
 */
export function mergeLoras(bases: Bases, choices: readonly LoraChoice[]): Bases {
  const loras = choices.map(({ file, weight }) => ({ lora: readLora(file, bases), weight }));
  const merged = (part: LoraPart): Weights => {
    const changes = loras.filter(({ lora }) => lora.deltas[part].size > 0);
    return changes.length === 0 ? bases[part] : mergedView(bases[part], part, changes);
  };
  return { unet: merged("unet"), text_encoder: merged("text_encoder") };
}

function mergedView(
  base: Weights,
  part: LoraPart,
  loras: readonly { lora: Lora; weight: number }[],
): Weights {
  const touched = new Set(loras.flatMap(({ lora }) => [...lora.deltas[part].keys()]));
  const readFloat32 = (name: string): Float32Array => {
    if (!touched.has(name)) return base.readFloat32(name);
    const values = Float32Array.from(base.readFloat32(name));
    for (const { lora, weight } of loras) {
      const delta = lora.deltas[part].get(name);
      if (delta !== undefined) addProduct(values, lora.weights, delta, weight);
    }
    return values;
  };
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([base.fingerprint, loras.map(({ lora, weight }) => [lora.fingerprint, weight])]))
    .digest("hex");
  return {
    source: base.source,
    names: base.names,
    fingerprint,
    get: (name) => {
      const entry = base.get(name);
      if (entry === undefined || !touched.has(name)) return entry;
      const bytes = 4 * elementCount(entry.shape);
      return { ...entry, type: "F32", bytes, offset: NOT_IN_PLACE } satisfies TensorEntry;
    },
    read: (name) => {
      if (!touched.has(name)) return base.read(name);
      const { buffer } = readFloat32(name);
      return new Uint8Array(buffer);
    },
    readFloat32,
  };
}

/** Side of the square of `up` that is held in registers while going through a run of columns. */
const SIDE = 4;
/** Columns per run: SIDE rows of `down` and SIDE rows of sums fit in the first-level cache. */
const STRETCH = 256;

/** values [out, n] += weight * scale * up [out, r] . down [r, n], summed in float64 */
function addProduct(
  values: Float32Array,
  weights: Weights,
  { down, up, rank, scale }: Delta,
  weight: number,
): void {
  const read = { A: weights.readFloat32(down), B: weights.readFloat32(up) };
  const columns = read.A.length / rank;
  const rows = read.B.length / rank;
  const depth = Math.ceil(rank / SIDE) * SIDE;
  const A = new Float32Array(depth * columns); // [r rounded up, n]
  A.set(read.A);
  const B = new Float32Array(Math.ceil(rows / SIDE) * SIDE * depth); // [out rounded up, r rounded up]
  for (let row = 0; row < rows; row++) B.set(read.B.subarray(row * rank, (row + 1) * rank), row * depth);

  const sums = new Float64Array(SIDE * STRETCH); // [SIDE, STRETCH]
  for (let column = 0; column < columns; column += STRETCH) {
    const width = Math.min(STRETCH, columns - column);
    for (let row = 0; row < rows; row += SIDE) {
      sums.fill(0);
      for (let k = 0; k < depth; k += SIDE)
        addSquare(sums, A.subarray(k * columns + column), columns, width, B.subarray(row * depth + k), depth);
      for (let i = 0; i < Math.min(SIDE, rows - row); i++)
        for (let j = 0; j < width; j++)
          values[(row + i) * columns + column + j]! += weight * scale * sums[i * STRETCH + j]!;
    }
  }
}

/** sums [4, width] += B [4, 4] . A [4, width]; a row of A is `columns` long, one of B `depth`. */
function addSquare(
  sums: Float64Array,
  A: Float32Array,
  columns: number,
  width: number,
  B: Float32Array,
  depth: number,
): void {
  // Named one by one: an array or an inner loop costs more than the sums themselves.
  const b00 = B[0]!;
  const b01 = B[1]!;
  const b02 = B[2]!;
  const b03 = B[3]!;
  const b10 = B[depth]!;
  const b11 = B[depth + 1]!;
  const b12 = B[depth + 2]!;
  const b13 = B[depth + 3]!;
  const b20 = B[2 * depth]!;
  const b21 = B[2 * depth + 1]!;
  const b22 = B[2 * depth + 2]!;
  const b23 = B[2 * depth + 3]!;
  const b30 = B[3 * depth]!;
  const b31 = B[3 * depth + 1]!;
  const b32 = B[3 * depth + 2]!;
  const b33 = B[3 * depth + 3]!;
  const A1 = A.subarray(columns);
  const A2 = A.subarray(2 * columns);
  const A3 = A.subarray(3 * columns);
  for (let j = 0; j < width; j++) {
    const a0 = A[j]!;
    const a1 = A1[j]!;
    const a2 = A2[j]!;
    const a3 = A3[j]!;
    sums[j]! += b00 * a0 + b01 * a1 + b02 * a2 + b03 * a3;
    sums[STRETCH + j]! += b10 * a0 + b11 * a1 + b12 * a2 + b13 * a3;
    sums[2 * STRETCH + j]! += b20 * a0 + b21 * a1 + b22 * a2 + b23 * a3;
    sums[3 * STRETCH + j]! += b30 * a0 + b31 * a1 + b32 * a2 + b33 * a3;
  }
}

function readLora(file: string, bases: Bases): Lora {
  const weights = openWeightFile(file);
  const alphaOf = metadataAlphas(file);
  const find = finder(bases);
  const unknown: string[] = [];
  const found = new Map<string, { part: LoraPart; name: string; keys: Partial<Record<Role, string>> }>();
  for (const key of weights.names) {
    const parsed = parseKey(key);
    const place = parsed && find(parsed.stem);
    if (!parsed || !place) {
      unknown.push(key);
      continue;
    }
    const id = `${place.part}:${place.name}`;
    const entry = found.get(id) ?? { ...place, keys: {} };
    entry.keys[parsed.role] = key;
    found.set(id, entry);
  }

  const deltas = { unet: new Map<string, Delta>(), text_encoder: new Map<string, Delta>() };
  const misfits: string[] = [];
  for (const { part, name, keys } of found.values()) {
    const { down, up, alpha } = keys;
    if (down === undefined || up === undefined) {
      misfits.push(
        `${Object.values(keys).join(", ")}: its ${down === undefined ? "down" : "up"} half is missing`,
      );
      continue;
    }
    const [A, B, W] = [weights.get(down)!.shape, weights.get(up)!.shape, bases[part].get(name)!.shape];
    const rank = A[0] ?? 0;
    const rest = (shape: readonly number[]) => elementCount(shape.slice(1));
    if (rank === 0 || B[0] !== W[0] || rest(B) !== rank || rest(A) !== rest(W)) {
      misfits.push(`${up} [${B}] . ${down} [${A}] does not fit ${name} [${W}]`);
      continue;
    }
    const stated = alpha === undefined ? alphaOf(part, name) : weights.readFloat32(alpha)[0];
    deltas[part].set(name, { down, up, rank, scale: (stated ?? rank) / rank });
  }
  if (unknown.length + misfits.length > 0)
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${file} is no LoRA for this checkpoint (${unknown.length + misfits.length} of ${weights.names.length} tensors):\n  ${[
        ...unknown.map((key) => `no such part of the model: ${key} [${weights.get(key)!.shape}]`),
        ...misfits,
      ].join(
        "\n  ",
      )}\nA LoRA of Stable Diffusion 1.5 with lora_down/lora_up, lora_A/lora_B or lora.down/lora.up is wanted.`,
    );
  const fingerprint = createHash("sha256").update(readFileSync(file)).digest("hex");
  return { weights, fingerprint, deltas };
}

type Role = "down" | "up" | "alpha";

const MATRIX =
  /^(.+?)(?:\.lora_(?<kohya>down|up)|\.lora_(?<peft>[AB])(?:\.\w+)?|[._]lora\.(?<diffusers>down|up)|\.lora_linear_layer\.(?<old>down|up))\.weight$/;

/** A key's module name as written there, and the tensor's role in it. */
function parseKey(key: string): { stem: string; role: Role } | undefined {
  const alpha = /^(.+)\.alpha$/.exec(key)?.[1];
  if (alpha !== undefined) return { stem: alpha.replace(/[._]lora$/, ""), role: "alpha" };
  const match = MATRIX.exec(key);
  const { kohya, peft, diffusers, old } = match?.groups ?? {};
  const role = kohya ?? diffusers ?? old ?? (peft === "A" ? "down" : "up");
  return match ? { stem: match[1]!, role: role as Role } : undefined;
}

/** Attention of old diffusers' text encoders -> transformers' name. */
const OLD_TEXT_ATTENTION: Readonly<Record<string, string>> = {
  to_q: "q_proj",
  to_k: "k_proj",
  to_v: "v_proj",
  to_out: "out_proj",
};

/** Finds the tensor that an adapter's module name refers to. */
function finder(bases: Bases): (stem: string) => { part: LoraPart; name: string } | undefined {
  /**
   * kohya joins the parts of a name with underscores, which names contain too, so look up the model's own
   * names.
   */
  const joined = { unet: new Map<string, string>(), text_encoder: new Map<string, string>() };
  for (const part of ["unet", "text_encoder"] as const)
    for (const name of bases[part].names)
      if (name.endsWith(".weight"))
        joined[part].set(name.slice(0, -".weight".length).replaceAll(".", "_"), name);

  const named = (part: LoraPart, path: string) => {
    const attention = /^(.*\.self_attn)\.(to_\w+)$/.exec(path);
    const candidates = [
      path,
      `${path}.0`, // to_out_lora -> to_out.0
      `text_model.${path}`,
      ...(attention ? [`${attention[1]}.${OLD_TEXT_ATTENTION[attention[2]!]}`] : []),
    ];
    const name = candidates
      .map((candidate) => `${candidate}.weight`)
      .find((weight) => bases[part].get(weight));
    return name === undefined ? undefined : { part, name };
  };
  const flat = (part: LoraPart, rest: string) => {
    const name = joined[part].get(rest) ?? joined[part].get(`text_model_${rest}`);
    return name === undefined ? undefined : { part, name };
  };
  return (stem) => {
    const kohya = /^lora_(unet|te)_(.+)$/.exec(stem);
    if (kohya) return flat(kohya[1] === "te" ? "text_encoder" : "unet", kohya[2]!);
    const bare = stem.replace(/^base_model\.model\./, "").replace(/\.processor\./, ".");
    const [, part, path] = /^(unet|text_encoder)\.(.+)$/.exec(bare) ?? [];
    if (part !== undefined) return named(part as LoraPart, path!);
    return named("unet", bare) ?? named("text_encoder", bare);
  };
}

/**
 * diffusers since 0.34 keeps an adapter's configuration in the file's metadata, with PEFT's keys under the
 * model's name: `unet.r`, `unet.lora_alpha`, `unet.alpha_pattern` (module -> alpha).
 */
function metadataAlphas(file: string): (part: LoraPart, tensor: string) => number | undefined {
  const text = readMetadata(file).lora_adapter_metadata;
  if (text === undefined) return () => undefined;
  let config: Record<string, unknown>;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError("CHECKPOINT_CORRUPT", `${file}: its lora_adapter_metadata is not JSON.`, {
      cause,
    });
  }
  return (part, tensor) => {
    const value = (key: string) => config[`${part}.${key}`];
    if (value("use_dora") === true || value("use_rslora") === true)
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${file} is a DoRA or rank-stabilized LoRA, which is not merged here.`,
      );
    const module = tensor.replace(/\.weight$/, "");
    const pattern = Object.entries((value("alpha_pattern") ?? {}) as Record<string, unknown>).find(
      ([name]) => module === name || module.endsWith(`.${name}`),
    );
    const alpha = pattern?.[1] ?? value("lora_alpha");
    return typeof alpha === "number" ? alpha : undefined;
  };
}
