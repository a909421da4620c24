import { CheckpointError } from "../../core/errors.js";
import { corrupt, shown } from "./file.js";

/*
 * A reader of Python pickles that runs no code: it knows the instructions with which torch.save describes a
 * dictionary of tensors (pickle protocols 2 to 5, as in Python's Lib/pickletools.py) and keeps values as plain
 * data. Training programs pickle objects of their own beside the tensors (callbacks, settings, counters): a
 * name that the rules don't know, and whatever is made with it, stays an inert value. The machine is a loop
 * over a stack, so neither nesting nor self-reference can exhaust it.
 */

/** A name such as `torch._utils._rebuild_tensor_v2`; it stands for itself and is never looked up. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}
  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A value that only Python code could make. It stands in its place and is good for nothing. */
export class Inert {
  constructor(
    /** What the pickle asks for, for messages. */
    readonly what: string,
    /** True if a tensor or a storage went into it, so that it may be a tensor itself. */
    public holdsTensor: boolean,
  ) {}
}

/**
 * A list is an array, a dictionary is a Map; `object` is a result of the rules' `reduce` and `persistent`.
 */
export type PickleValue = unknown;

/** What the reader of one kind of file knows; undefined stands for what it does not, which becomes inert. */
export interface PickleRules {
  /** Throws CheckpointError CHECKPOINT_UNSAFE for a name that runs code wherever it is called. */
  global(name: PickleGlobal): PickleValue | undefined;
  /** The result of `callee(...args)`. */
  reduce(callee: PickleGlobal, args: readonly PickleValue[]): PickleValue | undefined;
  /** The object outside the pickle that a persistent id refers to. */
  persistent(id: PickleValue): PickleValue | undefined;
  /** True for the objects of `reduce` and `persistent` that tensors are made of. */
  isOfTensors(value: PickleValue): boolean;
  /** Called with each inert value. */
  onInert(value: Inert): void;
}

/** A list of 700 tensors needs 100 kB and about 15,000 values; a training checkpoint some ten times that. */
export const MAX_PICKLE_BYTES = 16 * 2 ** 20;
const MAX_VALUES = 500_000;

const MARK = Symbol("mark");

/** The error for a pickle that asks for more than data; names what it asks for. */
export function unsafe(path: string, asksFor: string): CheckpointError {
  return new CheckpointError(
    "CHECKPOINT_UNSAFE",
    `${path} is refused: its pickle asks for ${shown(asksFor)}, which a file of tensors does not need and which could run code in a program that trusts it. Take the safetensors version of this model.`,
  );
}

/**
 * Reads the value that a pickle describes, from its start at `start`. Throws CheckpointError
 * CHECKPOINT_UNSAFE for a name that the rules refuse, CHECKPOINT_CORRUPT for anything that is not a pickle.
 * @returns the value, and the position behind the pickle's end
 */
export function readPickle(
  path: string,
  bytes: Uint8Array,
  rules: PickleRules,
  start = 0,
): { value: PickleValue; end: number } {
  if (bytes.byteLength - start > MAX_PICKLE_BYTES) {
    throw corrupt(path, `its pickle has ${bytes.byteLength} bytes, far more than a list of tensors needs`);
  }
  return new PickleMachine(path, bytes, rules, start).run();
}

/** Opcodes as in pickletools, each with its effect on the machine. */
const INSTRUCTIONS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80 /* PROTO */, (m) => void m.take(1)],
  [0x95 /* FRAME */, (m) => void m.take(8)],

  [0x4e /* NONE */, (m) => m.push(null)],
  [0x88 /* NEWTRUE */, (m) => m.push(true)],
  [0x89 /* NEWFALSE */, (m) => m.push(false)],
  [0x4a /* BININT */, (m) => m.push(m.take(4).readInt32LE())],
  [0x4b /* BININT1 */, (m) => m.push(m.byte())],
  [0x4d /* BININT2 */, (m) => m.push(m.take(2).readUInt16LE())],
  [0x8a /* LONG1 */, (m) => m.push(m.long(m.byte()))],
  [0x8b /* LONG4 */, (m) => m.push(m.long(m.word()))],
  [0x47 /* BINFLOAT */, (m) => m.push(m.take(8).readDoubleBE())],

  [0x58 /* BINUNICODE */, (m) => m.push(m.take(m.word()).toString("utf8"))],
  [0x8c /* SHORT_BINUNICODE */, (m) => m.push(m.take(m.byte()).toString("utf8"))],
  [0x8d /* BINUNICODE8 */, (m) => m.push(m.take(m.wide()).toString("utf8"))],
  [0x54 /* BINSTRING */, (m) => m.push(m.take(m.word()).toString("latin1"))],
  [0x55 /* SHORT_BINSTRING */, (m) => m.push(m.take(m.byte()).toString("latin1"))],
  [0x42 /* BINBYTES */, (m) => m.push(m.take(m.word()))],
  [0x43 /* SHORT_BINBYTES */, (m) => m.push(m.take(m.byte()))],
  [0x8e /* BINBYTES8 */, (m) => m.push(m.take(m.wide()))],
  [0x96 /* BYTEARRAY8 */, (m) => m.push(m.take(m.wide()))],

  [0x28 /* MARK */, (m) => m.push(MARK)],
  [0x29 /* EMPTY_TUPLE */, (m) => m.push(new PickleTuple([]))],
  [0x74 /* TUPLE */, (m) => m.push(new PickleTuple(m.popToMark()))],
  [0x85 /* TUPLE1 */, (m) => m.push(new PickleTuple(m.popSome(1)))],
  [0x86 /* TUPLE2 */, (m) => m.push(new PickleTuple(m.popSome(2)))],
  [0x87 /* TUPLE3 */, (m) => m.push(new PickleTuple(m.popSome(3)))],

  [0x5d /* EMPTY_LIST */, (m) => m.push([])],
  [0x6c /* LIST */, (m) => m.push(m.popToMark())],
  [0x61 /* APPEND */, (m) => m.append(m.popSome(1))],
  [0x65 /* APPENDS */, (m) => m.append(m.popToMark())],
  [0x8f /* EMPTY_SET */, (m) => m.push([])],
  [0x90 /* ADDITEMS */, (m) => m.append(m.popToMark())],
  [0x91 /* FROZENSET */, (m) => m.push(m.popToMark())],
  [0x7d /* EMPTY_DICT */, (m) => m.push(new Map())],
  [0x64 /* DICT */, (m) => m.dictionary(m.popToMark())],
  [0x73 /* SETITEM */, (m) => m.setItems(m.popSome(2))],
  [0x75 /* SETITEMS */, (m) => m.setItems(m.popToMark())],

  [0x30 /* POP */, (m) => m.pop()],
  [0x31 /* POP_MARK */, (m) => void m.popToMark()],
  [0x32 /* DUP */, (m) => m.duplicate()],
  [0x71 /* BINPUT */, (m) => m.remember(m.byte())],
  [0x72 /* LONG_BINPUT */, (m) => m.remember(m.word())],
  [0x94 /* MEMOIZE */, (m) => m.remember(m.memo.size)],
  [0x68 /* BINGET */, (m) => m.recall(m.byte())],
  [0x6a /* LONG_BINGET */, (m) => m.recall(m.word())],

  [0x63 /* GLOBAL */, (m) => m.global(m.line(), m.line())],
  [0x93 /* STACK_GLOBAL */, (m) => m.global(...m.popSome(2))],
  [0x52 /* REDUCE */, (m) => m.reduce(...m.popSome(2))],
  [0x51 /* BINPERSID */, (m) => m.persistent(m.popSome(1)[0])],
  [0x62 /* BUILD */, (m) => m.build(...m.popSome(2))],

  // These make objects of classes, or refer to things outside the pickle.
  [0x69 /* INST */, (m) => m.instance(m.line(), m.line())],
  [0x6f /* OBJ */, (m) => m.newObject(m.popToMark())],
  [0x81 /* NEWOBJ */, (m) => m.newObject(m.popSome(2))],
  [0x92 /* NEWOBJ_EX */, (m) => m.newObject(m.popSome(3))],
  [0x82 /* EXT1 */, (m) => m.extension(m.take(1))],
  [0x83 /* EXT2 */, (m) => m.extension(m.take(2))],
  [0x84 /* EXT4 */, (m) => m.extension(m.take(4))],
  [0x50 /* PERSID */, (m) => m.inert(`the outside object "${m.line()}"`, [])],
]);

const STOP = 0x2e;

class PickleMachine {
  readonly memo = new Map<number, PickleValue>();
  readonly #bytes: Buffer;
  readonly #stack: PickleValue[] = [];
  #position = 0;
  #values = 0;

  constructor(
    readonly path: string,
    bytes: Uint8Array,
    readonly rules: PickleRules,
    start: number,
  ) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
  }

  run(): { value: PickleValue; end: number } {
    for (let opcode = this.byte(); opcode !== STOP; opcode = this.byte()) {
      const instruction = INSTRUCTIONS.get(opcode);
      if (!instruction) throw this.broken(`has the unknown instruction 0x${opcode.toString(16)}`);
      instruction(this);
    }
    return { value: this.popSome(1)[0], end: this.#position };
  }

  broken(what: string): CheckpointError {
    return corrupt(this.path, `its pickle ${what} (byte ${this.#position})`);
  }

  /** Pushes a value that only Python code could make of `parts`. */
  inert(what: string, parts: readonly PickleValue[]): void {
    const value = new Inert(what, this.#holdsTensor(parts));
    this.rules.onInert(value);
    this.push(value);
  }

  #holdsTensor(parts: readonly PickleValue[]): boolean {
    const seen = new Set<PickleValue>();
    const open = [...parts];
    while (open.length > 0) {
      const value = open.pop();
      if ((value instanceof Inert && value.holdsTensor) || this.rules.isOfTensors(value)) return true;
      const inside = insideOf(value);
      if (inside === undefined || seen.has(value)) continue;
      seen.add(value);
      this.#charge(inside.length);
      for (const item of inside) open.push(item);
    }
    return false;
  }

  take(count: number): Buffer {
    const end = this.#position + count;
    if (end > this.#bytes.length) throw this.broken("ends too early");
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  byte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw this.broken("ends too early");
    return byte;
  }

  word(): number {
    return this.take(4).readUInt32LE();
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.broken("ends too early");
    return this.take(end + 1 - this.#position)
      .toString("utf8")
      .slice(0, -1);
  }

  /** A length of 8 bytes; beyond 2^53 it is longer than any file. */
  wide(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  /**
   * Little-endian two's complement. Numbers of elements have at most 8 bytes; a longer one, such as the state
   * of a random generator, is kept as its bytes.
   */
  long(count: number): PickleValue {
    const taken = this.take(count);
    if (count > 8) return taken;
    const isNegative = count > 0 && taken[count - 1]! >= 0x80;
    const wide = Buffer.alloc(8, isNegative ? 0xff : 0);
    taken.copy(wide);
    return Number(wide.readBigInt64LE());
  }

  push(value: PickleValue): void {
    this.#charge(1);
    this.#stack.push(value);
  }

  /**
   * Counts the values that an instruction makes or reads, because five bytes can ask for a million of them
   * repeatedly.
   */
  #charge(values: number): void {
    this.#values += values;
    if (this.#values > MAX_VALUES) throw this.broken(`has more than ${MAX_VALUES} values`);
  }

  /** The top `count` values, lowest first. */
  popSome(count: 1): [PickleValue];
  popSome(count: 2): [PickleValue, PickleValue];
  popSome(count: number): PickleValue[];
  popSome(count: number): PickleValue[] {
    const values = this.#stack.slice(-count);
    if (values.length < count || values.includes(MARK)) throw this.broken("takes more than it put");
    this.#stack.length -= count;
    return values;
  }

  popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.broken("ends a list that it did not begin");
    const values = this.#stack.slice(mark + 1);
    this.#stack.length = mark;
    return values;
  }

  /** Removes the topmost value, or a mark that encloses none. */
  pop(): void {
    if (this.#stack.pop() === undefined) throw this.broken("takes more than it put");
  }

  duplicate(): void {
    const [value] = this.popSome(1);
    this.push(value);
    this.push(value);
  }

  dictionary(values: readonly PickleValue[]): void {
    this.push(new Map());
    this.setItems(values);
  }

  /** True if the topmost value is inert: then what is added is lost with it. */
  #intoInert(values: readonly PickleValue[]): boolean {
    const target = this.#stack.at(-1);
    if (!(target instanceof Inert)) return false;
    target.holdsTensor ||= this.#holdsTensor(values);
    return true;
  }

  append(values: readonly PickleValue[]): void {
    if (this.#intoInert(values)) return;
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.broken("appends to what is no list");
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    if (this.#intoInert(values)) return;
    const dictionary = this.#stack.at(-1);
    if (!(dictionary instanceof Map) || values.length % 2 !== 0) {
      throw this.broken("sets an item of what is no dictionary");
    }
    for (let i = 0; i < values.length; i += 2) dictionary.set(values[i], values[i + 1]);
  }

  remember(key: number): void {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.broken("remembers nothing");
    this.#charge(1);
    this.memo.set(key, value);
  }

  recall(key: number): void {
    if (!this.memo.has(key)) throw this.broken(`recalls value ${key}, which it did not remember`);
    this.push(this.memo.get(key));
  }

  global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== "string" || typeof name !== "string")
      throw this.broken("names a global without text");
    const global = new PickleGlobal(module, name);
    const known = this.rules.global(global);
    if (known === undefined) this.inert(String(global), []);
    else this.push(known);
  }

  reduce(callee: PickleValue, args: PickleValue): void {
    if (!(args instanceof PickleTuple)) throw this.broken("calls something without a list of arguments");
    for (const argument of args.items) this.#charge(sizeOf(argument));
    const made = callee instanceof PickleGlobal ? this.rules.reduce(callee, args.items) : undefined;
    if (made === undefined) this.inert(calleeOf(callee), [callee, ...args.items]);
    else this.push(made);
  }

  persistent(id: PickleValue): void {
    const found = this.rules.persistent(id);
    if (found === undefined) this.inert("an outside object that is no storage of numbers", [id]);
    else this.push(found);
  }

  /** Ignores a dictionary's attributes (`_metadata` of a state_dict); anything else is then another object. */
  build(target: PickleValue, attributes: PickleValue): void {
    if (target instanceof Inert) target.holdsTensor ||= this.#holdsTensor([attributes]);
    if (target instanceof Map || target instanceof Inert) this.push(target);
    else this.inert("BUILD, the setting of an object's attributes", [target, attributes]);
  }

  /** A new object of the class that INST names, with the arguments since the mark. */
  instance(module: string, name: string): void {
    const global = new PickleGlobal(module, name);
    this.rules.global(global);
    this.inert(String(global), this.popToMark());
  }

  /** OBJ, NEWOBJ or NEWOBJ_EX: a class and its arguments. */
  newObject(parts: readonly PickleValue[]): void {
    const [type] = parts;
    const name = type instanceof Inert ? type.what : type instanceof PickleGlobal ? String(type) : "unnamed";
    this.inert(`a new object of a class (${name})`, parts);
  }

  extension(_number: Uint8Array): void {
    this.inert("a class by its number in Python's extension registry", []);
  }
}

const calleeOf = (callee: PickleValue): string =>
  callee instanceof Inert
    ? callee.what
    : `a call of ${callee instanceof PickleGlobal ? callee : "no function"}`;

/** The values inside a container; undefined for anything else. */
function insideOf(value: PickleValue): readonly PickleValue[] | undefined {
  if (value instanceof PickleTuple) return value.items;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  return Array.isArray(value) ? value : undefined;
}

function sizeOf(value: PickleValue): number {
  if (value instanceof PickleTuple) return value.items.length;
  if (value instanceof Map) return value.size;
  return Array.isArray(value) ? value.length : 1;
}
