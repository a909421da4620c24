import { CheckpointError } from "../../core/errors.js";
import { ELEMENT_BYTES, elementCount } from "./element-types.js";
import { corrupt, fileFingerprint, type OpenFile, withFile } from "./file.js";
import {
  MAX_PICKLE_BYTES,
  PickleGlobal,
  PickleTuple,
  type PickleValue,
  readPickle,
  unsafe,
} from "./pickle.js";
import { isContiguous, NOT_IN_PLACE, type StoredTensor, StoredWeights, spanOf } from "./stored-weights.js";
import type { WeightType } from "./weights.js";
import { dataOffset, readZipDirectory, type ZipDirectory } from "./zip.js";

/*
 * The format of torch.save since PyTorch 1.6: a ZIP archive with one folder that holds data.pkl (the pickle),
 * data/KEY (one storage each, as in memory), byteorder and version. A tensor is a view of a storage.
 */

const STORAGE_TYPES: Readonly<Record<string, WeightType>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** Storages of element types that our weights never have; listed so that the error can name the type. */
const OTHER_STORAGES = new Set([
  "ComplexFloatStorage",
  "ComplexDoubleStorage",
  "QInt8Storage",
  "QUInt8Storage",
]);

/** The globals of a state_dict. `torch.*Storage` names are in the tables above. */
const ALLOWED_GLOBALS = new Set([
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_parameter",
  "torch.Size",
]);

/** PyTorch's own limit. */
const MAX_RANK = 64;

class Storage {
  constructor(
    readonly type: WeightType,
    readonly elements: number,
    /** Position in the file. */
    readonly offset: number,
  ) {}
}

/** A tensor without a name yet. */
class TensorView {
  constructor(
    readonly storage: Storage,
    readonly start: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Magic number 0x1950a86a20f9469cfc6c, pickled as torch.save began a file before PyTorch 1.6. */
const LEGACY_START = Buffer.from("80028a0a6cfc9c46f9206aa85019", "hex");

export const looksLikeLegacyTorch = (start: Uint8Array): boolean =>
  LEGACY_START.equals(start.subarray(0, LEGACY_START.length));

/**
 * Opens a file of tensors written by torch.save (.bin, .pt, .pth, .ckpt). Its pickle is read without running
 * any of it; no tensor is read. Uses the dictionary of tensors at the top level, or under `state_dict`.
 * Throws CheckpointError CHECKPOINT_MISSING, CHECKPOINT_CORRUPT, CHECKPOINT_UNSAFE, or CHECKPOINT_TENSORS (an
 * unsupported element type).
 */
export function openTorchFile(path: string): StoredWeights {
  return withFile(path, (file) => {
    const directory = readZipDirectory(file);
    const folder = findFolder(file, directory);
    const pickle = readEntry(file, directory, `${folder}data.pkl`);
    if (!pickle) throw corrupt(path, "its data.pkl is missing");
    const byteOrder = readEntry(file, directory, `${folder}byteorder`);
    if (byteOrder && Buffer.from(byteOrder).toString("latin1") !== "little") {
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${path} was written on a big-endian machine, which is not read here. Take the safetensors version.`,
      );
    }
    const rules = new TorchRules(file, directory, folder);
    const tensors = stateDict(path, readPickle(path, pickle, rules));
    return new StoredWeights(path, fileFingerprint(file, directory.raw), tensors);
  });
}

/** The archive's only folder, with its slash. */
function findFolder(file: OpenFile, { entries }: ZipDirectory): string {
  const folders = Array.from(entries.keys())
    .filter((name) => /(^|\/)data\.pkl$/.test(name))
    .map((name) => name.slice(0, -"data.pkl".length));
  const [folder] = folders;
  if (folder === undefined || folders.length > 1) {
    throw corrupt(
      file.path,
      "it is a ZIP archive, but not one that torch.save made (it has no single data.pkl)",
    );
  }
  if (entries.has(`${folder}constants.pkl`)) {
    throw new CheckpointError(
      "CHECKPOINT_UNSAFE",
      `${file.path} is a TorchScript program, not a file of tensors. Take the published weights of this model.`,
    );
  }
  return folder;
}

function readEntry(file: OpenFile, { entries }: ZipDirectory, name: string): Uint8Array | undefined {
  const entry = entries.get(name);
  // The file's size is a bound too, but a sparse file can have any size.
  if (entry && entry.bytes > MAX_PICKLE_BYTES) {
    throw corrupt(file.path, `its "${name}" has ${entry.bytes} bytes, far more than a list of tensors needs`);
  }
  return entry && file.read(dataOffset(file, entry), entry.bytes);
}

/** Meaning of the globals, calls and persistent ids in a torch archive. */
class TorchRules {
  readonly #storages = new Map<string, Storage>();

  constructor(
    readonly file: OpenFile,
    readonly directory: ZipDirectory,
    readonly folder: string,
  ) {}

  global(global: PickleGlobal): PickleValue {
    const isStorage =
      (global.module === "torch" || global.module === "torch.cuda") &&
      (Object.hasOwn(STORAGE_TYPES, global.name) || OTHER_STORAGES.has(global.name));
    if (isStorage || ALLOWED_GLOBALS.has(String(global))) return global;
    throw unsafe(this.file.path, String(global));
  }

  reduce(callee: PickleValue, args: readonly PickleValue[]): PickleValue {
    switch (callee instanceof PickleGlobal ? String(callee) : "") {
      case "collections.OrderedDict":
        return orderedDict(this.file.path, args);
      case "torch._utils._rebuild_tensor":
      case "torch._utils._rebuild_tensor_v2":
        return this.#view(args);
      case "torch._utils._rebuild_parameter":
        if (args[0] instanceof TensorView) return args[0];
        throw corrupt(this.file.path, "a parameter in it is no tensor");
      case "torch.Size":
        return args[0];
      default:
        throw unsafe(this.file.path, `a call of ${callee instanceof PickleGlobal ? callee : "no function"}`);
    }
  }

  /**
   * ("storage", torch.FloatStorage, key, device, number of elements); the original device does not matter.
   */
  persistent(id: PickleValue): PickleValue {
    const [kind, storageClass, key, , elements] = id instanceof PickleTuple ? id.items : [];
    if (kind !== "storage" || !(storageClass instanceof PickleGlobal) || typeof key !== "string") {
      throw unsafe(this.file.path, "an outside object that is no storage of numbers");
    }
    const type = STORAGE_TYPES[storageClass.name];
    if (!type) {
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${this.file.path} holds a ${storageClass.name}, an element type that is not read here. Use the fp16 or fp32 files of this model.`,
      );
    }
    if (!isCount(elements)) throw corrupt(this.file.path, `storage ${key} has no number of elements`);
    const known = this.#storages.get(key);
    if (known) {
      if (known.type === type && known.elements === elements) return known;
      throw corrupt(this.file.path, `storage ${key} is described in two ways`);
    }
    const entry = this.directory.entries.get(`${this.folder}data/${key}`);
    if (!entry) throw corrupt(this.file.path, `storage ${key} is missing`);
    if (entry.bytes !== elements * ELEMENT_BYTES[type]) {
      throw corrupt(
        this.file.path,
        `storage ${key} has ${entry.bytes} bytes for ${elements} elements of ${type}`,
      );
    }
    const storage = new Storage(type, elements, dataOffset(this.file, entry));
    this.#storages.set(key, storage);
    return storage;
  }

  /** (storage, first element, shape, strides, ...) */
  #view([storage, start, shape, strides]: readonly PickleValue[]): TensorView {
    const bad = () => corrupt(this.file.path, "a tensor in it does not fit its storage");
    if (!(storage instanceof Storage) || !isCount(start)) throw bad();
    const sizes = countsOf(shape);
    const steps = countsOf(strides);
    if (!sizes || !steps || sizes.length !== steps.length || sizes.length > MAX_RANK) throw bad();
    const count = elementCount(sizes);
    const end = start + spanOf(sizes, steps);
    // A view may repeat elements (stride 0), but a small file must not ask for a huge tensor.
    if (!(end <= storage.elements) || !(count <= this.file.bytes)) throw bad();
    return new TensorView(storage, start, sizes, steps);
  }
}

const isCount = (value: PickleValue): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function countsOf(value: PickleValue): readonly number[] | undefined {
  const items = value instanceof PickleTuple ? value.items : value;
  return Array.isArray(items) && items.every(isCount) ? (items as number[]) : undefined;
}

/** `OrderedDict()` or `OrderedDict([[key, value], ...])`. */
function orderedDict(path: string, [pairs]: readonly PickleValue[]): Map<PickleValue, PickleValue> {
  if (pairs === undefined) return new Map();
  if (!Array.isArray(pairs)) throw corrupt(path, "a dictionary in it is made of no list");
  return new Map(
    pairs.map((pair): [PickleValue, PickleValue] => {
      const items = pair instanceof PickleTuple ? pair.items : pair;
      if (!Array.isArray(items) || items.length !== 2) throw corrupt(path, "a dictionary in it is broken");
      return [items[0], items[1]];
    }),
  );
}

function stateDict(path: string, root: PickleValue): StoredTensor[] {
  const inner = root instanceof Map ? root.get("state_dict") : undefined;
  const dictionary = inner instanceof Map ? inner : root;
  const tensors: StoredTensor[] = [];
  if (dictionary instanceof Map) {
    for (const [name, value] of dictionary) {
      if (typeof name === "string" && value instanceof TensorView) tensors.push(stored(path, name, value));
    }
  }
  if (tensors.length > 0) return tensors;
  throw new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${path} holds no dictionary of named tensors. Take the published weights of this model.`,
  );
}

function stored(path: string, name: string, { storage, start, shape, strides }: TensorView): StoredTensor {
  const elementBytes = ELEMENT_BYTES[storage.type];
  const offset = storage.offset + start * elementBytes;
  const bytes = elementCount(shape) * elementBytes;
  const entry = { name, type: storage.type, shape, file: path, bytes };
  if (isContiguous(shape, strides)) return { ...entry, offset };
  return { ...entry, offset: NOT_IN_PLACE, strided: { start: offset, strides } };
}
