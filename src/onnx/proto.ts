/**
 * Writes ONNX's ModelProto. Field numbers come from onnx/onnx.proto3 (https://github.com/onnx/onnx); only the
 * fields that our graphs use are here. Plain data in, bytes out: nothing here knows what a graph means.
 */

export type ElementType = "float32" | "float16" | "int64" | "int32" | "uint8" | "int8" | "bool";

/** TensorProto.DataType */
export const DATA_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
};

/** The location of a tensor's bytes in a file; `location` is relative to the model's folder. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface TensorProto {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Little-endian and row-major, or a location in a file. */
  readonly data: Uint8Array | ExternalData;
}

/** A plain number is an INT and must be whole; floats are marked. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };

export interface NodeProto {
  readonly type: string;
  readonly domain: string;
  readonly name: string;
  /** An omitted optional input has an empty name. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A string is a symbolic size: equal names mean equal sizes. */
export type Dimension = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}

export interface ModelProto {
  readonly name: string;
  readonly irVersion: number;
  /** Version by domain; "" is ai.onnx. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A protobuf message under construction. Fields are written in the order of the calls. */
class Message {
  #bytes = new Uint8Array(64);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Base-128, low groups first; negative numbers as 64-bit two's complement. */
  #varint(value: number): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire);
  }

  int(field: number, value: number): this {
    this.#tag(field, VARINT);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#tag(field, FIXED32);
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value, "utf8"));
  }

  message(field: number, child: Message): this {
    return this.bytes(field, child.finish());
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

function tensor({ name, type, shape, data }: TensorProto): Message {
  const message = new Message();
  for (const size of shape) message.int(1, size);
  message.int(2, DATA_TYPE[type]).text(8, name);
  if (data instanceof Uint8Array) return message.bytes(9, data);
  const entry = (key: string, value: string) => new Message().text(1, key).text(2, value);
  message.message(13, entry("location", data.location));
  message.message(13, entry("offset", String(data.offset)));
  message.message(13, entry("length", String(data.length)));
  return message.int(14, 1); // data_location = EXTERNAL
}

/** AttributeProto.AttributeType */
const FLOAT = 1;
const INT = 2;
const STRING = 3;
const FLOATS = 6;
const INTS = 7;

function attribute(name: string, value: AttributeValue): Message {
  const message = new Message().text(1, name);
  const whole = (number: number) => {
    if (!Number.isSafeInteger(number)) throw new RangeError(`attribute ${name}: ${number} is not whole`);
    return number;
  };
  if (typeof value === "number") return message.int(3, whole(value)).int(20, INT);
  if (typeof value === "string") return message.text(4, value).int(20, STRING);
  if ("float" in value) return message.float(2, value.float).int(20, FLOAT);
  if ("floats" in value) {
    for (const number of value.floats) message.float(7, number);
    return message.int(20, FLOATS);
  }
  for (const number of value) message.int(8, whole(number));
  return message.int(20, INTS);
}

function node({ type, domain, name, inputs, outputs, attributes }: NodeProto): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, type);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attribute(key, value));
  return domain === "" ? message : message.text(7, domain);
}

function valueInfo({ name, type, shape }: ValueInfo): Message {
  const dimensions = new Message();
  for (const size of shape) {
    const dimension = new Message();
    dimensions.message(1, typeof size === "number" ? dimension.int(1, size) : dimension.text(2, size));
  }
  const tensorType = new Message().int(1, DATA_TYPE[type]).message(2, dimensions);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}

/**
 * The bytes of an .onnx file. Everything inline must stay under protobuf's 2 GiB; weights are stored outside.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const graph = new Message();
  for (const each of model.nodes) graph.message(1, node(each));
  graph.text(2, model.name);
  for (const each of model.initializers) graph.message(5, tensor(each));
  for (const each of model.inputs) graph.message(11, valueInfo(each));
  for (const each of model.outputs) graph.message(12, valueInfo(each));

  const root = new Message().int(1, model.irVersion).text(2, "promptist").message(7, graph);
  for (const [domain, version] of Object.entries(model.opsets))
    root.message(8, new Message().text(1, domain).int(2, version));
  return root.finish();
}
