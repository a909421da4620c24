import { CheckpointError } from "../../core/errors.js";
import { ELEMENT_BYTES, elementCount } from "./element-types.js";
import { corrupt, fileFingerprint, type OpenFile, withFile } from "./file.js";
import {
  Inert,
  MAX_PICKLE_BYTES,
  PickleGlobal,
  type PickleRules,
  PickleTuple,
  type PickleValue,
  readPickle,
  unsafe,
} from "./pickle.js";
import { isContiguous, NOT_IN_PLACE, type StoredTensor, StoredWeights, spanOf } from "./stored-weights.js";
import type { WeightType } from "./weights.js";
import { dataOffset, readZipDirectory, type ZipDirectory } from "./zip.js";

/*
 * The two formats of torch.save. Since PyTorch 1.6: a ZIP archive with one folder that holds data.pkl (the
 * pickle), data/KEY (one storage each, as in memory), byteorder and version. Before: five pickles one after
 * the other (a magic number, the version, the machine, the object, the keys of the storages), then each
 * storage with its number of elements before it. A tensor is a view of a storage.
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

/** Storages of bytes, whose tensors tell their own type. */
const UNTYPED_STORAGES = new Set(["UntypedStorage"]);

/** Storages of element types that our weights never have; listed so that the error can name the type. */
const OTHER_STORAGES = new Set([
  "ComplexFloatStorage",
  "ComplexDoubleStorage",
  "QInt8Storage",
  "QUInt8Storage",
]);

/** Element types by the name of a torch.dtype, where a storage has none of its own. */
const DTYPES: Readonly<Record<string, WeightType>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

/** The globals of a state_dict. `torch.*Storage` and `torch.dtype` names are in the tables above. */
const KNOWN_GLOBALS = new Set([
  "collections.OrderedDict",
  "collections.defaultdict",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch._tensor._rebuild_from_type_v2",
  "torch.Size",
  "torch.Tensor",
  "torch.nn.parameter.Parameter",
  "torch.nn.parameter.Buffer",
]);

/** The classes whose objects are plain tensors, whatever attributes a program gave them. */
const TENSOR_CLASSES = new Set(["torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"]);

/**
 * Modules and names that no training program pickles, and that run code or open files wherever a program
 * trusts the pickle. They would be inert here too, but a file with one of them was made to harm.
 */
const HARMFUL_MODULES =
  /^(os|posix|nt|pty|sys|subprocess|shutil|socket|ctypes|runpy|importlib|imp|code|codeop|commands|popen2|marshal|pickle|_pickle|cPickle|webbrowser|timeit|pdb|bdb|cProfile|profile|pydoc|pip|pkgutil|zipimport)(\.|$)/;
const HARMFUL_NAMES = new Set(["types.FunctionType", "types.CodeType", "torch.load", "torch.hub.load"]);
const BUILTINS = new Set(["builtins", "__builtin__"]);
const HARMFUL_BUILTINS =
  /^(eval|exec|execfile|compile|open|file|input|raw_input|__import__|reload|apply|getattr|setattr|delattr|breakpoint|globals|locals|vars|help|__.*)(\.|$)/;

const isHarmful = ({ module, name }: PickleGlobal): boolean =>
  HARMFUL_MODULES.test(module) ||
  HARMFUL_NAMES.has(`${module}.${name}`) ||
  (BUILTINS.has(module) && HARMFUL_BUILTINS.test(name));

/** PyTorch's own limit. */
const MAX_RANK = 64;

class Storage {
  constructor(
    /** Null if each tensor tells it. */
    readonly type: WeightType | null,
    /** Of the type, or bytes. */
    readonly elements: number,
    /** Position in the file. */
    public offset: number,
  ) {}
}

/** A tensor without a name yet. */
class TensorView {
  constructor(
    readonly storage: Storage,
    readonly type: WeightType,
    /** First element. */
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
 * Opens a file of tensors written by torch.save (.bin, .pt, .pth, .ckpt), of any version since 0.4. Its pickle
 * is read without running any of it; no tensor is read. Uses the dictionary of tensors at the top level, or
 * under `state_dict` or another usual key. What else the file holds is left out, unless a tensor depends on it. Throws
 * CheckpointError CHECKPOINT_MISSING, CHECKPOINT_CORRUPT, CHECKPOINT_UNSAFE, or CHECKPOINT_TENSORS (an
 * unsupported element type).
 */
export function openTorchFile(path: string, select: SelectTensors = stateDict): StoredWeights {
  return withFile(path, (file) => {
    const directory = readZipDirectory(file);
    const folder = findFolder(file, directory);
    const pickle = readEntry(file, directory, `${folder}data.pkl`);
    if (!pickle) throw corrupt(path, "its data.pkl is missing");
    const byteOrder = readEntry(file, directory, `${folder}byteorder`);
    if (byteOrder && Buffer.from(byteOrder).toString("latin1") !== "little") throw bigEndian(path);
    const rules = new TorchRules(file, (key) => {
      const entry = directory.entries.get(`${folder}data/${key}`);
      return entry && { offset: dataOffset(file, entry), bytes: entry.bytes };
    });
    const tensors = select(path, readPickle(path, pickle, rules).value, rules);
    return new StoredWeights(path, fileFingerprint(file, directory.raw), tensors);
  });
}

const bigEndian = (path: string): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${path} was written on a big-endian machine, which is not read here. Take the safetensors version.`,
  );

/** The version of the format that PyTorch 0.4 to 1.5 wrote. */
const LEGACY_VERSION = 1001;

/** Opens a file in the format of torch.save before PyTorch 1.6. Throws like `openTorchFile`. */
export function openLegacyTorchFile(path: string, select: SelectTensors = stateDict): StoredWeights {
  return withFile(path, (file) => {
    const start = file.read(0, Math.min(file.bytes, MAX_PICKLE_BYTES));
    const rules = new TorchRules(file, undefined);
    let at = 0;
    const next = (): PickleValue => {
      const { value, end } = readPickle(path, start, rules, at);
      at = end;
      return value;
    };
    next(); // The magic number, by which the caller knew the file.
    if (next() !== LEGACY_VERSION) throw corrupt(path, "it has another version than PyTorch 1.5's format");
    const machine = next();
    if (machine instanceof Map && machine.get("little_endian") === false) throw bigEndian(path);
    const root = next();
    const keys = next();
    if (!Array.isArray(keys)) throw corrupt(path, "it has no list of storages");
    const used = start.subarray(0, at);
    for (const key of keys) at = rules.place(key, at);
    return new StoredWeights(path, fileFingerprint(file, used), select(path, root, rules));
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

/** Where an archive has a storage; undefined if it has none under that key. */
type FindStorage = (key: string) => { readonly offset: number; readonly bytes: number } | undefined;

/** Meaning of the globals, calls and persistent ids in a file of torch.save. */
class TorchRules implements PickleRules {
  readonly #storages = new Map<string, Storage>();
  #firstInert: Inert | undefined;

  /** @param find undefined in the format whose storages are found by `place` afterwards */
  constructor(
    readonly file: OpenFile,
    readonly find: FindStorage | undefined,
  ) {}

  /** What the pickle first asked for that only Python code could make. */
  get firstInert(): Inert | undefined {
    return this.#firstInert;
  }

  onInert(value: Inert): void {
    this.#firstInert ??= value;
  }

  isOfTensors(value: PickleValue): boolean {
    return value instanceof Storage || value instanceof TensorView;
  }

  global(global: PickleGlobal): PickleValue | undefined {
    if (isHarmful(global)) throw unsafe(this.file.path, String(global));
    const { module, name } = global;
    const isStorage =
      (/^torch(\.cuda|\.storage)?$/.test(module) &&
        (Object.hasOwn(STORAGE_TYPES, name) || UNTYPED_STORAGES.has(name) || OTHER_STORAGES.has(name))) ||
      (module === "torch" && Object.hasOwn(DTYPES, name));
    return isStorage || KNOWN_GLOBALS.has(String(global)) ? global : undefined;
  }

  reduce(callee: PickleGlobal, args: readonly PickleValue[]): PickleValue | undefined {
    switch (String(callee)) {
      case "collections.OrderedDict":
        return orderedDict(this.file.path, args);
      case "collections.defaultdict":
        return new Map();
      case "torch._utils._rebuild_tensor":
      case "torch._utils._rebuild_tensor_v2":
        return this.#view(args, undefined);
      case "torch._utils._rebuild_tensor_v3":
        return this.#view(args, args[6]);
      case "torch._utils._rebuild_parameter":
      case "torch._utils._rebuild_parameter_with_state":
        return args[0] instanceof TensorView ? args[0] : undefined;
      case "torch._tensor._rebuild_from_type_v2":
        return this.#ofClass(args);
      case "torch.Size":
        return args[0];
      default:
        return undefined;
    }
  }

  /**
   * ("storage", torch.FloatStorage, key, device, number of elements); the original device does not matter.
   * Before PyTorch 1.6 a sixth item may name a part of the storage: (key, first element, number of elements).
   */
  persistent(id: PickleValue): PickleValue | undefined {
    const [kind, storageClass, key, , elements, part] = id instanceof PickleTuple ? id.items : [];
    if (kind !== "storage" || !(storageClass instanceof PickleGlobal) || typeof key !== "string")
      return undefined;
    const type = UNTYPED_STORAGES.has(storageClass.name) ? null : STORAGE_TYPES[storageClass.name];
    if (type === undefined) {
      throw new CheckpointError(
        "CHECKPOINT_TENSORS",
        `${this.file.path} holds a ${storageClass.name}, an element type that is not read here. Use the fp16 or fp32 files of this model.`,
      );
    }
    if (!isCount(elements)) throw corrupt(this.file.path, `storage ${key} has no number of elements`);
    // Such parts were written for tensors of Torch 7 only; none of a model's weights is one.
    if (part instanceof PickleTuple) return undefined;
    const known = this.#storages.get(key);
    if (known) {
      if (known.type === type && known.elements === elements) return known;
      throw corrupt(this.file.path, `storage ${key} is described in two ways`);
    }
    const storage = new Storage(type, elements, this.#offsetOf(key, type, elements));
    this.#storages.set(key, storage);
    return storage;
  }

  #offsetOf(key: string, type: WeightType | null, elements: number): number {
    if (this.find === undefined) return NOT_IN_PLACE;
    const found = this.find(key);
    if (!found) throw corrupt(this.file.path, `storage ${key} is missing`);
    if (found.bytes !== elements * bytesOf(type)) {
      throw corrupt(
        this.file.path,
        `storage ${key} has ${found.bytes} bytes for ${elements} elements of ${type ?? "one byte"}`,
      );
    }
    return found.offset;
  }

  /** Places the storage `key`, whose number of elements is at `at`. Returns the position behind it. */
  place(key: PickleValue, at: number): number {
    const storage = typeof key === "string" ? this.#storages.get(key) : undefined;
    if (!storage) throw corrupt(this.file.path, "it has a storage that its pickle does not describe");
    const prefix = this.file.read(at, LEGACY_PREFIX_BYTES);
    const elements = Number(new DataView(prefix.buffer).getBigInt64(0, true));
    if (elements !== storage.elements || storage.offset !== NOT_IN_PLACE)
      throw corrupt(this.file.path, `storage ${key} is described in two ways`);
    storage.offset = at + LEGACY_PREFIX_BYTES;
    const end = storage.offset + elements * bytesOf(storage.type);
    if (end > this.file.bytes) throw corrupt(this.file.path, `it is cut off within storage ${key}`);
    return end;
  }

  /** (function, class, its arguments, attributes): a tensor with attributes; undefined for a class of others. */
  #ofClass([rebuild, type, args]: readonly PickleValue[]): PickleValue | undefined {
    if (!(type instanceof PickleGlobal) || !TENSOR_CLASSES.has(String(type))) return undefined;
    // One call inside another would go as deep as a file likes.
    const isNested = String(rebuild) === "torch._tensor._rebuild_from_type_v2";
    if (!(rebuild instanceof PickleGlobal) || !(args instanceof PickleTuple) || isNested) return undefined;
    return this.reduce(rebuild, args.items);
  }

  /** (storage, first element, shape, strides, ...); undefined if one of them is inert. */
  #view(
    [storage, start, shape, strides]: readonly PickleValue[],
    dtype: PickleValue,
  ): TensorView | undefined {
    const bad = () => corrupt(this.file.path, "a tensor in it does not fit its storage");
    if ([storage, shape, strides, dtype].some((it) => it instanceof Inert)) return undefined;
    if (!(storage instanceof Storage) || !isCount(start)) throw bad();
    const type = storage.type ?? (dtype instanceof PickleGlobal ? DTYPES[dtype.name] : undefined);
    if (type === undefined) throw bad();
    const sizes = countsOf(shape);
    const steps = countsOf(strides);
    if (!sizes || !steps || sizes.length !== steps.length || sizes.length > MAX_RANK) throw bad();
    const count = elementCount(sizes);
    const end = (start + spanOf(sizes, steps)) * (storage.type === null ? ELEMENT_BYTES[type] : 1);
    // A view may repeat elements (stride 0), but a small file must not ask for a huge tensor.
    if (!(end <= storage.elements) || !(count <= this.file.bytes)) throw bad();
    return new TensorView(storage, type, start, sizes, steps);
  }
}

/** A storage of before PyTorch 1.6 begins with its number of elements. */
const LEGACY_PREFIX_BYTES = 8;

const bytesOf = (type: WeightType | null): number => (type === null ? 1 : ELEMENT_BYTES[type]);

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

/** Which tensors a file is read for, from the value of its pickle. */
export type SelectTensors = (path: string, root: PickleValue, rules: TorchRules) => StoredTensor[];

/** Dictionaries in dictionaries, as embeddings and upscalers have them. */
const MAX_NESTING = 3;

/**
 * Like `stateDict`, but with the tensors of inner dictionaries too, under names such as `outer.inner`; a tensor alone
 * has an empty name.
 */
export const nestedTensors: SelectTensors = (path, root, rules) => {
  if (root instanceof TensorView) return [stored(path, "", root)];
  const tensors: StoredTensor[] = [];
  const collect = (value: PickleValue, prefix: string, depth: number) => {
    if (!(value instanceof Map)) return;
    for (const [name, inner] of value) {
      if (typeof name !== "string") continue;
      if (inner instanceof TensorView) tensors.push(stored(path, prefix + name, inner));
      else if (depth < MAX_NESTING) collect(inner, `${prefix}${name}.`, depth + 1);
    }
  };
  if (unwrapped(path, root) === root) collect(root, "", 1);
  return tensors.length > 0 ? tensors : stateDict(path, root, rules);
};

/**
 * The tensors of an embedding: that of AUTOMATIC1111's `string_to_param`, under the name that the file gives it;
 * a dictionary of tensors by their names; or a tensor alone. One without a name has an empty one.
 */
export const embeddingTensors: SelectTensors = (path, root, rules) => {
  if (root instanceof TensorView) return [stored(path, "", root)];
  const params = root instanceof Map ? root.get("string_to_param") : undefined;
  if (params instanceof Inert) throw unsafe(path, params.what);
  if (!(root instanceof Map) || !(params instanceof Map)) return stateDict(path, root, rules);
  const value = params.get("*") ?? (params.size === 1 ? [...params.values()][0] : undefined);
  if (value instanceof Inert) throw unsafe(path, value.what);
  if (!(value instanceof TensorView)) throw corrupt(path, "its string_to_param holds no tensor");
  const name = root.get("name");
  return [stored(path, typeof name === "string" ? name : "", value)];
};

/** Where programs keep a model's tensors, besides at the top; `module` is DeepSpeed's. */
const WRAPPERS = ["state_dict", "model_state_dict", "model", "module"];
/** Dictionaries around the tensors; two are seen in practice, and one may hold itself. */
const MAX_WRAPPERS = 4;

/** The dictionary of tensors itself; `state_dict` counts even beside tensors, as in diffusers. */
function unwrapped(path: string, root: PickleValue): PickleValue {
  let dictionary = root;
  for (let depth = 0; depth < MAX_WRAPPERS && dictionary instanceof Map; depth++) {
    const outer: ReadonlyMap<PickleValue, PickleValue> = dictionary;
    const isBare = ![...outer.values()].some((value) => value instanceof TensorView);
    const inner = WRAPPERS.filter((key) => key === "state_dict" || isBare)
      .map((key) => outer.get(key))
      .find((value) => value instanceof Map || value instanceof Inert);
    if (inner === undefined) break;
    if (inner instanceof Inert) throw unsafe(path, inner.what);
    dictionary = inner;
  }
  return dictionary;
}

function stateDict(path: string, root: PickleValue, rules: TorchRules): StoredTensor[] {
  const dictionary = unwrapped(path, root);
  const tensors: StoredTensor[] = [];
  if (dictionary instanceof Map) {
    for (const [name, value] of dictionary) {
      if (typeof name !== "string") continue;
      if (value instanceof TensorView) tensors.push(stored(path, name, value));
      else if (value instanceof Inert && value.holdsTensor) throw unsafe(path, value.what);
    }
  }
  if (tensors.length > 0) return tensors;
  if (rules.firstInert) throw unsafe(path, rules.firstInert.what);
  throw new CheckpointError(
    "CHECKPOINT_TENSORS",
    `${path} holds no dictionary of named tensors. Take the published weights of this model.`,
  );
}

function stored(
  path: string,
  name: string,
  { storage, type, start, shape, strides }: TensorView,
): StoredTensor {
  const elementBytes = ELEMENT_BYTES[type];
  // A storage that the format before 1.6 describes but does not hold.
  if (storage.offset === NOT_IN_PLACE) throw corrupt(path, `the storage of tensor "${name}" is missing`);
  const offset = storage.offset + start * elementBytes;
  const bytes = elementCount(shape) * elementBytes;
  const entry = { name, type, shape, file: path, bytes };
  if (isContiguous(shape, strides)) return { ...entry, offset };
  return { ...entry, offset: NOT_IN_PLACE, strided: { start: offset, strides } };
}
