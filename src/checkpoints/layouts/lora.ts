import { createHash, type Hash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { CheckpointError, codeOf } from "../../core/errors.js";
import { elementCount } from "../files/element-types.js";
import { shown, withFile } from "../files/file.js";
import { listFolder, openWeightFile } from "../files/open.js";
import { readMetadata } from "../files/safetensors.js";
import { NOT_IN_PLACE } from "../files/stored-weights.js";
import type { TensorEntry, Weights } from "../files/weights.js";
import { blockWeight } from "./lora/blocks.js";
import {
  type Change,
  type Changes,
  changesOf,
  Incomplete,
  Misfit,
  type ModuleTensors,
  type Scaling,
} from "./lora/families.js";
import { parseKey, type Role } from "./lora/keys.js";
import { listedModules } from "./lora/lists.js";
import { type Bases, type LoraModule, type LoraPart, moduleFinder } from "./lora/modules.js";
import { PEFT_CONFIG, peftScaling } from "./lora/peft-config.js";
import { isForeign, kindOf, refused, strayNote } from "./lora/refusal.js";

/*
 * Adapters, merged into a graph's weights when it is compiled. The families and what they compute are in
 * lora/families.ts; their keys, as kohya's scripts, LyCORIS, diffusers and PEFT write them, in lora/keys.ts.
 */

export { BLOCK_COUNTS } from "./lora/blocks.js";
export type { LoraPart } from "./lora/modules.js";

/** A file and the strength to merge it with. */
export interface LoraChoice {
  /** Absolute path of a file, or of the folder of a PEFT adapter. */
  readonly file: string;
  readonly weight: number;
  /** Factors of the weight by block, as `blockWeight` reads them. */
  readonly blocks?: readonly number[];
}

/** A pipeline's weights with adapters merged. */
export interface MergedWeights extends Bases {
  /** Sentences on what of the adapters was left out. */
  readonly notes: readonly string[];
}

/** What an adapter changes. */
interface LoraChanges {
  /** From each changed tensor's name to its change, and the weight to apply it with. */
  readonly changes: Readonly<Record<LoraPart, ReadonlyMap<string, WeightedChange>>>;
  readonly notes: readonly string[];
}
interface Lora extends LoraChanges {
  readonly fingerprint: string;
}
interface WeightedChange {
  readonly change: Change;
  readonly weight: number;
}

/** Part of the fingerprint: raise it when the same file is merged differently. */
const RULES = 2;

/**
 * Views of a pipeline's weights with adapters merged, in float32, one after the other. Computes a tensor only
 * when it is read.
 * @throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT (the file), CHECKPOINT_TENSORS: a file of
 *   another model, or of no model
 */
export function mergeLoras(bases: Bases, choices: readonly LoraChoice[]): MergedWeights {
  const find = choices.length === 0 ? () => undefined : moduleFinder(bases);
  const loras = choices.map((choice) => readLora(choice, bases, find));
  const merged = (part: LoraPart): Weights => {
    const changing = loras.filter(({ changes }) => changes[part].size > 0);
    return changing.length === 0 ? bases[part] : mergedView(bases[part], part, changing);
  };
  return {
    unet: merged("unet"),
    text_encoder: merged("text_encoder"),
    notes: loras.flatMap(({ notes }) => notes),
  };
}

function mergedView(base: Weights, part: LoraPart, loras: readonly Lora[]): Weights {
  const touched = new Set(loras.flatMap(({ changes }) => [...changes[part].keys()]));
  const readFloat32 = (name: string): Float32Array => {
    if (!touched.has(name)) return base.readFloat32(name);
    const values = Float32Array.from(base.readFloat32(name));
    for (const { changes } of loras) {
      const found = changes[part].get(name);
      found?.change(values, found.weight);
    }
    return values;
  };
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([RULES, base.fingerprint, loras.map((lora) => lora.fingerprint)]))
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

/**
 * Whether an adapter has the shapes of a model; reads headers and single numbers alone.
 * @throws CheckpointError CHECKPOINT_MISSING or CHECKPOINT_CORRUPT (the file)
 */
export function fitsModel(path: string, bases: Bases): boolean {
  try {
    readChanges({ file: adapterFile(path), weight: 1 }, bases, moduleFinder(bases));
    return true;
  } catch (error) {
    if (codeOf(error) === "CHECKPOINT_TENSORS") return false;
    throw error;
  }
}

function readLora({ file: path, weight, blocks }: LoraChoice, bases: Bases, find: Find): Lora {
  const file = adapterFile(path);
  const changes = readChanges({ file, weight, ...(blocks && { blocks }) }, bases, find);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([contentHash(file), weight, blocks ?? null]))
    .digest("hex");
  return { fingerprint, ...changes };
}

function readChanges({ file, weight, blocks }: LoraChoice, bases: Bases, find: Find): LoraChanges {
  const weights = openWeightFile(file);
  const { groups, strays, note } = grouped(weights, bases, find);
  const scalingOf = peftScaling(file, weights.names, groups);

  const changes = {
    unet: new Map<string, WeightedChange>(),
    text_encoder: new Map<string, WeightedChange>(),
  };
  const misfits: string[] = [];
  const incomplete: string[] = [];
  let fitting = 0;
  for (const group of groups) {
    const { part, module, keys } = group;
    const names = { weight: `${module}.weight`, bias: `${module}.bias` };
    const target = { weight: bases[part].get(names.weight)!.shape, bias: bases[part].get(names.bias)?.shape };
    const tensors = tensorsOf(weights, keys);
    const own = blocks === undefined ? weight : weight * blockWeight(blocks, part, module, bases[part]);
    try {
      const found = changesOf(tensors, target, { ...scalingOf(group), ...ownAlpha(tensors) });
      if (found.weight || found.bias) fitting++;
      strays.push(...[...keys].filter(([role]) => !isUsed(role, found)).map(([, key]) => shown(key)));
      // With weight 0 an adapter leaves the model as it is.
      for (const it of ["weight", "bias"] as const)
        if (found[it] && own !== 0) changes[part].set(names[it], { change: found[it], weight: own });
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      const told = shown([...keys.values()][0]!);
      if (error instanceof Incomplete) incomplete.push(`${told}: ${error.message}`);
      else misfits.push(`${told}: ${error.message} does not fit ${module} [${target.weight}]`);
    }
  }
  const leftOut = [...strays, ...incomplete];
  const total = weights.names.length;
  // Beside modules that fit, only keys tell another model; metadata is often copied from elsewhere.
  const kind = leftOut.length > 0 ? kindOf(weights, {}) : null;
  if (fitting === 0 || misfits.length > 0 || (kind && isForeign(kind))) {
    const reasons = [
      ...misfits,
      ...incomplete,
      ...strays.map((stray) => `no such part of the model: ${stray}`),
    ];
    throw refused(file, kindOf(weights, readMetadata(file)), reasons, total);
  }
  return { changes, notes: [...note, ...strayNote(file, leftOut, total)] };
}

/** The weight file of an adapter that is given as a file or as the folder that PEFT or diffusers saved. */
export function adapterFile(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const names = listFolder(path);
  const usual = ["adapter_model", "pytorch_lora_weights"].flatMap((stem) => [
    `${stem}.safetensors`,
    `${stem}.bin`,
  ]);
  const others = names.filter((name) => name.endsWith(".safetensors"));
  const found = usual.find((name) => names.includes(name)) ?? (others.length === 1 ? others[0] : undefined);
  if (found !== undefined) return join(path, found);
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `${path} holds no LoRA: neither ${usual.join(" nor ")} is there. Name the file itself.`,
  );
}

/** The tensors of a file that change one module, by role. */
interface Group extends LoraModule {
  readonly keys: Map<Role, string>;
}
type Find = (stem: string) => LoraModule | undefined;

/** Sorts a file's tensors by the module that they change; `strays` name none, or one that is not there. */
function grouped(
  weights: Weights,
  bases: Bases,
  find: Find,
): { groups: Group[]; strays: string[]; note: string[] } {
  const groups = new Map<string, Group>();
  const strays: string[] = [];
  const listed = listedModules(weights, bases);
  for (const key of weights.names) {
    const parsed = parseKey(key);
    const found = parsed && (listed.modules.get(parsed.stem) ?? find(parsed.stem));
    const id = found && `${found.part}:${found.module}`;
    const group =
      id === undefined ? undefined : (groups.get(id) ?? { ...found!, keys: new Map<Role, string>() });
    if (!parsed || !group || group.keys.has(parsed.role)) {
      strays.push(`${shown(key)} [${weights.get(key)!.shape}]`);
      continue;
    }
    group.keys.set(parsed.role, key);
    groups.set(id!, group);
  }
  return { groups: [...groups.values()], strays, note: listed.note === null ? [] : [listed.note] };
}

function tensorsOf(weights: Weights, keys: ReadonlyMap<Role, string>): ModuleTensors {
  return {
    shape: (role) => {
      const key = keys.get(role);
      return key === undefined ? undefined : weights.get(key)!.shape;
    },
    read: (role) => weights.readFloat32(keys.get(role)!),
  };
}

/** The alpha that the file states beside a module's tensors; 0 means r, as LyCORIS has it. */
function ownAlpha(tensors: ModuleTensors): Scaling {
  const shape = tensors.shape("alpha");
  if (shape === undefined) return {};
  if (elementCount(shape) !== 1) throw new Misfit(`alpha [${shape}]`);
  const alpha = tensors.read("alpha")[0]!;
  if (!Number.isFinite(alpha)) throw new Misfit(`alpha ${alpha}`);
  return alpha === 0 ? {} : { alpha };
}

const OF_BIAS: readonly Role[] = ["diff_b", "b_norm", "up_bias"];
const isUsed = (role: Role, found: Changes): boolean =>
  (OF_BIAS.includes(role) ? found.bias : found.weight) !== undefined;

/** The parts of a file and its configuration that decide what is merged. */
function contentHash(file: string): string {
  const hash = createHash("sha256");
  updateWithFile(hash, file);
  const config = join(dirname(file), PEFT_CONFIG);
  if (existsSync(config)) updateWithFile(hash, config);
  return hash.digest("hex");
}

const HASH_BYTES = 2 ** 24;

function updateWithFile(hash: Hash, path: string): void {
  withFile(path, (file) => {
    for (let at = 0; at < file.bytes; at += HASH_BYTES)
      hash.update(file.read(at, Math.min(HASH_BYTES, file.bytes - at)));
  });
}
