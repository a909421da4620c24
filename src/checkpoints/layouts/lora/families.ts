import { elementCount } from "../../files/element-types.js";
import type { Role } from "./keys.js";
import { addProduct } from "./product.js";

/*
 * What each family of adapters does to a weight W, seen as a matrix [out, n] (n is the input's size times the
 * kernel's); s is alpha / r, w the weight that the adapter is merged with:
 *
 * | family | tensors | W' |
 * |---|---|---|
 * | LoRA, LoCon (Hu et al. 2021, arXiv:2106.09685) | up [out, r], down [r, n] | W + w s up . down |
 * | LoCon with a Tucker core | mid [r, r, k, k] | W + w s (mid x1 up x2 down) |
 * | LoHa (Hyeon-Woo et al. 2021, arXiv:2108.06098) | hada_w1_a [out, r], hada_w1_b [r, n], hada_w2_*; hada_t1, hada_t2 as cores | W + w s (w1_a . w1_b) * (w2_a . w2_b) |
 * | LoKr (Yeh et al. 2023, arXiv:2309.14859) | lokr_w1, lokr_w2, each whole or as _a . _b; lokr_t2 as a core | W + w s w1 (x) w2 |
 * | full | diff, w_norm; diff_b, b_norm | W + w diff |
 * | DoRA (Liu et al. 2024, arXiv:2402.09353) | dora_scale or lora_magnitude_vector m, besides a family above | see `decomposed` |
 * | (IA)^3 (Liu et al. 2022, arXiv:2205.05638) | ia3_l; weight and on_input | W * (1 + w (l - 1)), by rows or columns |
 */

/** The tensors of one module in a file. */
export interface ModuleTensors {
  shape(role: Role): readonly number[] | undefined;
  read(role: Role): Float32Array;
}

/** How a module's product is scaled. */
export interface Scaling {
  /** r where the file does not say */
  readonly alpha?: number | undefined;
  /** The rank that PEFT's configuration states; counts where no tensor shows one. */
  readonly rank?: number | undefined;
  /** alpha / sqrt(r) instead of alpha / r (Kalajdzievski 2023, arXiv:2312.03732) */
  readonly isRankStabilized?: boolean;
}

/** Changes a tensor's values in place, with the weight that the adapter is merged with. */
export type Change = (values: Float32Array, weight: number) => void;

/** Changes of a module's tensors. */
export interface Changes {
  readonly weight?: Change;
  readonly bias?: Change;
}

/** Shapes of the module that is changed. */
export interface Target {
  readonly weight: readonly number[];
  readonly bias: readonly number[] | undefined;
}

/** Why tensors do not go with the module that they name. */
export class Misfit extends Error {}
/** A module of which tensors are missing; it is left out. */
export class Incomplete extends Misfit {}

/** A matrix that is computed when it is asked for; all sizes are checked before. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  compute(): Float32Array;
}

/** Ranks up to here are taken for any weight; more than its smaller side buys nothing, but costs time and memory. */
const MAX_RANK = 1024;

/** Throws Misfit if the tensors do not fit the target, or are incomplete. */
export function changesOf(tensors: ModuleTensors, target: Target, scaling: Scaling): Changes {
  const weight = weightChange(tensors, target.weight, scaling);
  const bias = target.bias === undefined ? undefined : biasChange(tensors, target.bias, scaling);
  return { ...(weight && { weight }), ...(bias && { bias }) };
}

function weightChange(
  tensors: ModuleTensors,
  shape: readonly number[],
  scaling: Scaling,
): Change | undefined {
  const has = (role: Role) => tensors.shape(role) !== undefined;
  const rows = shape[0] ?? 0;
  const columns = elementCount(shape.slice(1));
  if (has("ia3_l") || has("on_input")) return multiplied(tensors, rows, shape);
  for (const role of ["diff", "w_norm"] as const)
    if (has(role)) {
      const added = tensors.shape(role)!;
      if (elementCount(added) !== rows * columns) throw new Misfit(`${role} [${added}]`);
      return (values, weight) => add(values, tensors.read(role), weight);
    }
  const family = [lora, loha, lokr].find((it) => it.roles.some(has));
  if (family === undefined) return undefined;
  const { matrix, scale } = family.build(tensors, shape, scaling);
  if (matrix.rows !== rows || matrix.columns !== columns)
    throw new Misfit(`${family.name} makes [${matrix.rows}, ${matrix.columns}]`);
  const change: Change = (values, weight) => matrix.addTo(values, weight * scale);
  return has("dora_scale") || has("magnitude") ? decomposed(tensors, change, shape) : change;
}

/** A matrix that knows how to add itself without being made whole. */
interface Addable {
  readonly rows: number;
  readonly columns: number;
  addTo(values: Float32Array, factor: number): void;
}

interface Family {
  readonly name: string;
  readonly roles: readonly Role[];
  build(
    tensors: ModuleTensors,
    shape: readonly number[],
    scaling: Scaling,
  ): { readonly matrix: Addable; readonly scale: number };
}

const lora: Family = {
  name: "lora_up . lora_down",
  roles: ["down", "up", "mid"],
  build: (tensors, shape, scaling) => {
    const rank = required(tensors, "down")[0] ?? 0;
    required(tensors, "up");
    // As tools write it that cut an adapter down layer by layer.
    if (rank === 0) throw new Incomplete("its rank 0 does not fit any module");
    const matrix =
      tensors.shape("mid") === undefined
        ? product(tensors, "up", "down", shape)
        : whole(tucker(tensors, "mid", rowsOf(tensors, "up"), "down", shape));
    return { matrix, scale: scaleOf(scaling, rank) };
  },
};

const loha: Family = {
  name: "hada_w1 * hada_w2",
  roles: ["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"],
  build: (tensors, shape, scaling) => {
    const rank = required(tensors, "hada_w1_b")[0] ?? 0;
    const hasCores = tensors.shape("hada_t1") !== undefined || tensors.shape("hada_t2") !== undefined;
    const half = (core: Role, a: Role, b: Role): Matrix =>
      hasCores
        ? tucker(tensors, core, transposed(tensors, a), b, shape)
        : computed(product(tensors, a, b, shape));
    const one = half("hada_t1", "hada_w1_a", "hada_w1_b");
    const two = half("hada_t2", "hada_w2_a", "hada_w2_b");
    if (one.rows !== two.rows || one.columns !== two.columns)
      throw new Misfit(`hada_w1 [${one.rows}, ${one.columns}] * hada_w2 [${two.rows}, ${two.columns}]`);
    const { rows, columns } = one;
    const addTo = (values: Float32Array, factor: number) => {
      const a = one.compute();
      const b = two.compute();
      for (let i = 0; i < values.length; i++) values[i]! += factor * a[i]! * b[i]!;
    };
    return { matrix: { rows, columns, addTo }, scale: scaleOf(scaling, rank) };
  },
};

const lokr: Family = {
  name: "lokr_w1 (x) lokr_w2",
  roles: ["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"],
  build: (tensors, shape, scaling) => {
    const has = (role: Role) => tensors.shape(role) !== undefined;
    const one = has("lokr_w1")
      ? plain(tensors, "lokr_w1")
      : computed(product(tensors, "lokr_w1_a", "lokr_w1_b", shape));
    const two = has("lokr_w2")
      ? plain(tensors, "lokr_w2")
      : has("lokr_t2")
        ? tucker(tensors, "lokr_t2", transposed(tensors, "lokr_w2_a"), "lokr_w2_b", shape)
        : computed(product(tensors, "lokr_w2_a", "lokr_w2_b", shape));
    const rank = tensors.shape("lokr_w2_b")?.[0] ?? tensors.shape("lokr_w1_b")?.[0];
    const rows = one.rows * two.rows;
    const columns = one.columns * two.columns;
    const addTo = (values: Float32Array, factor: number) => {
      const a = one.compute();
      const b = two.compute();
      for (let i = 0; i < one.rows; i++)
        for (let k = 0; k < two.rows; k++)
          for (let j = 0; j < one.columns; j++) {
            const from = k * two.columns;
            const to = (i * two.rows + k) * columns + j * two.columns;
            const by = factor * a[i * one.columns + j]!;
            for (let l = 0; l < two.columns; l++) values[to + l]! += by * b[from + l]!;
          }
    };
    // LyCORIS scales nothing where both halves are whole; PEFT does, by its configuration.
    const known = rank ?? scaling.rank;
    return { matrix: { rows, columns, addTo }, scale: known === undefined ? 1 : scaleOf(scaling, known) };
  },
};

function scaleOf({ alpha, isRankStabilized = false }: Scaling, rank: number): number {
  return (alpha ?? rank) / (isRankStabilized ? Math.sqrt(rank) : rank);
}

function required(tensors: ModuleTensors, role: Role): readonly number[] {
  const shape = tensors.shape(role);
  if (shape === undefined)
    throw new Incomplete(`its ${role} ${role === "up" || role === "down" ? "half" : "part"} is missing`);
  return shape;
}

const rest = (shape: readonly number[]): number => elementCount(shape.slice(1));

function plain(tensors: ModuleTensors, role: Role): Matrix {
  const shape = required(tensors, role);
  return { rows: shape[0] ?? 0, columns: rest(shape), compute: () => tensors.read(role) };
}

/** [rows, r], as up is stored */
const rowsOf = (tensors: ModuleTensors, role: Role): Matrix => plain(tensors, role);

/** [rows, r] of a tensor that is stored as [r, rows] */
function transposed(tensors: ModuleTensors, role: Role): Matrix {
  const { rows: rank, columns: rows, compute } = plain(tensors, role);
  return {
    rows,
    columns: rank,
    compute: () => {
      const values = compute();
      const result = new Float32Array(values.length);
      for (let i = 0; i < rank; i++)
        for (let j = 0; j < rows; j++) result[j * rank + i] = values[i * rows + j]!;
      return result;
    },
  };
}

function requireRank(rank: number, side: number): void {
  if (!(rank > 0 && rank <= Math.max(side, MAX_RANK))) throw new Misfit(`rank ${rank}`);
}

/** a [rows, r] . b [r, columns], which is at most as large as the target */
function product(tensors: ModuleTensors, a: Role, b: Role, target: readonly number[]): Addable {
  const [left, right] = [required(tensors, a), required(tensors, b)];
  const rank = right[0] ?? 0;
  const [rows, columns] = [left[0] ?? 0, rest(right)];
  if (rest(left) !== rank || !fits(rows, columns, target))
    throw new Misfit(`${a} [${left}] . ${b} [${right}]`);
  requireRank(rank, Math.min(target[0] ?? 0, rest(target)));
  const addTo = (values: Float32Array, factor: number) =>
    addProduct(values, tensors.read(a), tensors.read(b), rank, factor);
  return { rows, columns, addTo };
}

const fits = (rows: number, columns: number, target: readonly number[]): boolean =>
  rows > 0 && columns > 0 && rows <= (target[0] ?? 0) && columns <= rest(target);

const computed = ({ rows, columns, addTo }: Addable): Matrix => ({
  rows,
  columns,
  compute: () => {
    const values = new Float32Array(rows * columns);
    addTo(values, 1);
    return values;
  },
});

const whole = ({ rows, columns, compute }: Matrix): Addable => ({
  rows,
  columns,
  addTo: (values, factor) => add(values, compute(), factor),
});

function add(values: Float32Array, added: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! += factor * added[i]!;
}

/** core [i, j, k...] x1 left [rows, i] x2 right [j, columns]: a matrix [rows, columns * k] */
function tucker(
  tensors: ModuleTensors,
  core: Role,
  left: Matrix,
  right: Role,
  target: readonly number[],
): Matrix {
  const shape = required(tensors, core);
  const { rows: j, columns: inner, compute } = plain(tensors, right);
  const kernel = elementCount(shape.slice(2));
  const { rows, columns: i } = left;
  if (shape[0] !== i || shape[1] !== j || !fits(rows, inner * kernel, target))
    throw new Misfit(`${core} [${shape}] between [${rows}, ${i}] and [${j}, ${inner}]`);
  requireRank(i, target[0] ?? 0);
  requireRank(j, target[1] ?? 0);
  return {
    rows,
    columns: inner * kernel,
    compute: () => {
      const half = new Float32Array(rows * j * kernel); // [rows, j, k]
      addProduct(half, left.compute(), tensors.read(core), i, 1);
      const turned = new Float32Array(half.length); // [rows, k, j]
      for (let row = 0; row < rows; row++)
        for (let m = 0; m < j; m++)
          for (let k = 0; k < kernel; k++)
            turned[(row * kernel + k) * j + m] = half[(row * j + m) * kernel + k]!;
      const sums = new Float32Array(rows * kernel * inner); // [rows, k, inner]
      addProduct(sums, turned, compute(), j, 1);
      const result = new Float32Array(sums.length); // [rows, inner, k]
      for (let row = 0; row < rows; row++)
        for (let k = 0; k < kernel; k++)
          for (let m = 0; m < inner; m++)
            result[(row * inner + m) * kernel + k] = sums[(row * kernel + k) * inner + m]!;
      return result;
    },
  };
}

/**
 * DoRA: the direction of W + s up . down with learned lengths m, of each row or (early LyCORIS) each input.
 * Where the weight w is not 1 the two packages differ, and each file is merged by the rule of its own:
 * - `dora_scale` (LyCORIS): (W + D) * (1 + w (m / |W + D| - 1))
 * - `lora_magnitude_vector` (PEFT): (W + w D) * m / |W + w D|
 */
function decomposed(tensors: ModuleTensors, change: Change, shape: readonly number[]): Change {
  const role = tensors.shape("magnitude") === undefined ? "dora_scale" : "magnitude";
  const lengths = tensors.shape(role)!;
  const [rows, inputs] = [shape[0] ?? 0, shape[1] ?? 1];
  const count = elementCount(lengths);
  const isByRow = count === rows && (role === "magnitude" || lengths[0] === rows);
  const isByInput = !isByRow && role === "dora_scale" && lengths[0] === 1 && count === inputs;
  if (!isByRow && !isByInput) throw new Misfit(`${role} [${lengths}]`);
  const columns = rest(shape);
  const kernel = columns / inputs;
  const groupOf = isByRow
    ? (row: number, _column: number) => row
    : (_row: number, column: number) => Math.floor(column / kernel);
  return (values, weight) => {
    change(values, role === "magnitude" ? weight : 1);
    const m = tensors.read(role);
    const squares = new Float64Array(count);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        squares[groupOf(row, column)]! += values[row * columns + column]! ** 2;
    const factors = squares.map((square, i) => {
      const ratio = m[i]! / (Math.sqrt(square) + EPSILON);
      return role === "magnitude" ? ratio : 1 + weight * (ratio - 1);
    });
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        values[row * columns + column]! *= factors[groupOf(row, column)]!;
  };
}

/** Of float32; keeps a row of zeros at zero. */
const EPSILON = 2 ** -23;

/** (IA)^3: PEFT stores the factors l, LyCORIS l - 1. */
function multiplied(tensors: ModuleTensors, rows: number, shape: readonly number[]): Change {
  const role = tensors.shape("ia3_l") === undefined ? "weight" : "ia3_l";
  const by = required(tensors, role);
  const inputs = shape[1] ?? 1;
  const onInput =
    role === "ia3_l" ? by[0] === 1 && by.length > 1 && by[1] === inputs : isTrue(tensors, "on_input");
  if (elementCount(by) !== (onInput ? inputs : rows)) throw new Misfit(`${role} [${by}]`);
  const columns = rest(shape);
  const kernel = columns / inputs;
  const offset = role === "ia3_l" ? 1 : 0;
  return (values, weight) => {
    const factors = tensors.read(role);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const factor = factors[onInput ? Math.floor(column / kernel) : row]!;
        values[row * columns + column]! *= 1 + weight * (factor - offset);
      }
  };
}

function isTrue(tensors: ModuleTensors, role: Role): boolean {
  const shape = required(tensors, role);
  if (elementCount(shape) !== 1) throw new Misfit(`${role} [${shape}]`);
  return tensors.read(role)[0] !== 0;
}

function biasChange(tensors: ModuleTensors, shape: readonly number[], scaling: Scaling): Change | undefined {
  const role = (["diff_b", "b_norm", "up_bias"] as const).find((it) => tensors.shape(it) !== undefined);
  if (role === undefined) return multipliedBias(tensors, shape);
  const added = tensors.shape(role)!;
  if (elementCount(added) !== elementCount(shape)) throw new Misfit(`${role} [${added}]`);
  const scale = role === "up_bias" ? scaleOf(scaling, required(tensors, "down")[0] ?? 1) : 1;
  return (values, weight) => add(values, tensors.read(role), weight * scale);
}

/** PEFT's (IA)^3 multiplies a module's output, bias and all. */
function multipliedBias(tensors: ModuleTensors, shape: readonly number[]): Change | undefined {
  const by = tensors.shape("ia3_l");
  if (by === undefined || (by[0] === 1 && by.length > 1) || elementCount(by) !== elementCount(shape))
    return undefined;
  return (values, weight) => {
    const factors = tensors.read("ia3_l");
    for (let i = 0; i < values.length; i++) values[i]! *= 1 + weight * (factors[i]! - 1);
  };
}
