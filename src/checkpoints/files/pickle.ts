import { CheckpointError } from "../../core/errors.js";
import { corrupt, shown } from "./file.js";

/*
 * A reader of Python pickles that runs no code: it knows the instructions with which torch.save describes a
 * dictionary of tensors (pickle protocols 2 to 5, as in Python's Lib/pickletools.py), keeps values as plain
 * data, and hands each named global to the caller, who refuses all but the few that tensors need. The machine
 * is a loop over a stack, so neither nesting nor self-reference can exhaust it.
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

/**
 * A list is an array, a dictionary is a Map; `object` is a result of the rules' `reduce` and `persistent`.
 */
export type PickleValue = unknown;

/** What the reader of one kind of file allows. Each method throws CheckpointError for anything unknown. */
export interface PickleRules {
  global(name: PickleGlobal): PickleValue;
  /** The result of `callee(...args)`, for allowed callees. */
  reduce(callee: PickleValue, args: readonly PickleValue[]): PickleValue;
  /** The object outside the pickle that a persistent id refers to. */
  persistent(id: PickleValue): PickleValue;
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
 * Reads the value that a pickle describes. Throws CheckpointError CHECKPOINT_UNSAFE for instructions and
 * globals other than data, CHECKPOINT_CORRUPT for anything that is not a pickle.
 */
export function readPickle(path: string, bytes: Uint8Array, rules: PickleRules): PickleValue {
  if (bytes.byteLength > MAX_PICKLE_BYTES) {
    throw corrupt(path, `its pickle has ${bytes.byteLength} bytes, far more than a list of tensors needs`);
  }
  return new PickleMachine(path, bytes, rules).run();
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
  [0x47 /* BINFLOAT */, (m) => m.push(m.take(8).readDoubleBE())],

  [0x58 /* BINUNICODE */, (m) => m.push(m.take(m.word()).toString("utf8"))],
  [0x8c /* SHORT_BINUNICODE */, (m) => m.push(m.take(m.byte()).toString("utf8"))],
  [0x55 /* SHORT_BINSTRING */, (m) => m.push(m.take(m.byte()).toString("latin1"))],
  [0x43 /* SHORT_BINBYTES */, (m) => m.push(Uint8Array.from(m.take(m.byte())))],

  [0x28 /* MARK */, (m) => m.push(MARK)],
  [0x29 /* EMPTY_TUPLE */, (m) => m.push(new PickleTuple([]))],
  [0x74 /* TUPLE */, (m) => m.push(new PickleTuple(m.popToMark()))],
  [0x85 /* TUPLE1 */, (m) => m.push(new PickleTuple(m.popSome(1)))],
  [0x86 /* TUPLE2 */, (m) => m.push(new PickleTuple(m.popSome(2)))],
  [0x87 /* TUPLE3 */, (m) => m.push(new PickleTuple(m.popSome(3)))],

  [0x5d /* EMPTY_LIST */, (m) => m.push([])],
  [0x61 /* APPEND */, (m) => m.append(m.popSome(1))],
  [0x65 /* APPENDS */, (m) => m.append(m.popToMark())],
  [0x7d /* EMPTY_DICT */, (m) => m.push(new Map())],
  [0x73 /* SETITEM */, (m) => m.setItems(m.popSome(2))],
  [0x75 /* SETITEMS */, (m) => m.setItems(m.popToMark())],

  [0x30 /* POP */, (m) => void m.popSome(1)],
  [0x71 /* BINPUT */, (m) => m.remember(m.byte())],
  [0x72 /* LONG_BINPUT */, (m) => m.remember(m.word())],
  [0x94 /* MEMOIZE */, (m) => m.remember(m.memo.size)],
  [0x68 /* BINGET */, (m) => m.recall(m.byte())],
  [0x6a /* LONG_BINGET */, (m) => m.recall(m.word())],

  [0x63 /* GLOBAL */, (m) => m.global(m.line(), m.line())],
  [0x93 /* STACK_GLOBAL */, (m) => m.global(...m.popSome(2))],
  [0x52 /* REDUCE */, (m) => m.reduce(...m.popSome(2))],
  [0x51 /* BINPERSID */, (m) => m.push(m.rules.persistent(m.popSome(1)[0]))],
  [0x62 /* BUILD */, (m) => m.build(...m.popSome(2))],

  // Never needed for tensors: these create objects of classes or refer to things outside the pickle.
  [0x69 /* INST */, (m) => m.refuse(`${m.line()}.${m.line()}`)],
  [0x6f /* OBJ */, (m) => m.refuse(m.newObject())],
  [0x81 /* NEWOBJ */, (m) => m.refuse(m.newObject())],
  [0x92 /* NEWOBJ_EX */, (m) => m.refuse(m.newObject())],
  [0x82 /* EXT1 */, (m) => m.refuse("a class by its number in Python's extension registry")],
  [0x83 /* EXT2 */, (m) => m.refuse("a class by its number in Python's extension registry")],
  [0x84 /* EXT4 */, (m) => m.refuse("a class by its number in Python's extension registry")],
  [0x50 /* PERSID */, (m) => m.refuse(`the outside object "${m.line()}"`)],
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
  ) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    for (let opcode = this.byte(); opcode !== STOP; opcode = this.byte()) {
      const instruction = INSTRUCTIONS.get(opcode);
      if (!instruction) throw this.broken(`has the unknown instruction 0x${opcode.toString(16)}`);
      instruction(this);
    }
    return this.popSome(1)[0];
  }

  broken(what: string): CheckpointError {
    return corrupt(this.path, `its pickle ${what} (byte ${this.#position})`);
  }

  refuse(asksFor: string): never {
    throw unsafe(this.path, asksFor);
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

  /** Little-endian two's complement; numbers of elements have at most 8 bytes. */
  long(count: number): number {
    if (count > 8) throw this.broken(`has an integer of ${count} bytes`);
    const taken = this.take(count);
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

  append(values: readonly PickleValue[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.broken("appends to what is no list");
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
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
    this.push(this.rules.global(new PickleGlobal(module, name)));
  }

  reduce(callee: PickleValue, args: PickleValue): void {
    if (!(args instanceof PickleTuple)) throw this.broken("calls something without a list of arguments");
    for (const argument of args.items) this.#charge(sizeOf(argument));
    this.push(this.rules.reduce(callee, args.items));
  }

  /** Ignores an OrderedDict's attributes (`_metadata` of a state_dict); nothing else may have any. */
  build(target: PickleValue, _attributes: PickleValue): void {
    if (!(target instanceof Map)) this.refuse("BUILD, the setting of an object's attributes");
    this.push(target);
  }

  /** The object that OBJ, NEWOBJ or NEWOBJ_EX would create, as far as it can be told. */
  newObject(): string {
    const global = this.#stack.findLast((value) => value instanceof PickleGlobal);
    return `a new object of a class (${global ? String(global) : "unnamed"})`;
  }
}

function sizeOf(value: PickleValue): number {
  if (value instanceof PickleTuple) return value.items.length;
  if (value instanceof Map) return value.size;
  return Array.isArray(value) ? value.length : 1;
}
