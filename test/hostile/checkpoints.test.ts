import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, test } from "vitest";
import { openWeightFile } from "../../src/checkpoints/files/open.js";
import { readMetadata } from "../../src/checkpoints/files/safetensors.js";
import type { StoredWeights } from "../../src/checkpoints/files/stored-weights.js";
import { CheckpointError } from "../../src/core/errors.js";
import { makeZip } from "../support/zip.js";
import { parameters, report } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "promptist-hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No reader may take this long for a file of a few kilobytes, whatever it contains. */
const HANGS_MS = 5_000;
const DATA_BYTES = 64;

/** The weights, or the refusal, which must be a sentence that names the file and is safe for a terminal. */
function open(name: string, bytes: Uint8Array): StoredWeights | CheckpointError {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const started = performance.now();
  try {
    const weights = openWeightFile(path);
    for (const tensor of weights.names) {
      const entry = weights.get(tensor)!;
      expect(weights.read(tensor).byteLength).toBe(entry.bytes);
      // A view may repeat elements, but only within bounds.
      expect(entry.bytes).toBeLessThanOrEqual(8 * bytes.length);
      if (entry.offset >= 0) expect(entry.offset + entry.bytes).toBeLessThanOrEqual(bytes.length);
    }
    return weights;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    expect(error.message).toContain(name);
    expect(error.message.length).toBeLessThan(path.length + 700);
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cs}]/u);
    return error;
  } finally {
    expect(performance.now() - started).toBeLessThan(HANGS_MS);
  }
}

function count(seen: Record<string, number>, outcome: StoredWeights | CheckpointError): void {
  const key = outcome instanceof CheckpointError ? outcome.code : "read";
  seen[key] = (seen[key] ?? 0) + 1;
}

// --- safetensors ---

const offset = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: DATA_BYTES }) },
  fc.constantFrom<unknown>(-1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 1e308, 0.5, "0", null, [0], "__proto__"),
);
const description = fc.oneof(
  // One entry with correct offsets, so that sometimes only the location lies.
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(8), fc.nat(8))
      .map(([at, size]) => ({ dtype: "F32", shape: [size], data_offsets: [4 * at, 4 * (at + size)] })),
  },
  fc.record(
    {
      dtype: fc.constantFrom<unknown>(
        "F32",
        "F16",
        "U8",
        "I64",
        "F8_E4M3",
        "toString",
        "__proto__",
        7,
        null,
        "x".repeat(9000),
      ),
      shape: fc.oneof(
        fc.array(offset, { maxLength: 4 }),
        fc.constantFrom<unknown>(null, "[2]", Array(200).fill(1)),
      ),
      data_offsets: fc.oneof(
        fc.array(offset, { minLength: 2, maxLength: 2 }),
        fc.array(offset, { maxLength: 3 }),
      ),
    },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const tensorName = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "__proto__",
    "constructor",
    "__metadata__",
    "\u001b[2J\u0007",
    "\u202e",
    "",
    "x".repeat(5000),
  ),
  fc.string({ maxLength: 20 }),
);
const header = fc
  .tuple(
    fc.array(fc.tuple(tensorName, description), { maxLength: 5 }),
    fc.boolean(),
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(0n) },
      fc.constantFrom(1n, -1n, 2n ** 31n, 2n ** 40n, 2n ** 63n, -(2n ** 62n)),
    ),
  )
  .map(([entries, compact, lie]) => {
    // Written by hand, because JSON.stringify never repeats a name.
    const body = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",");
    const text = Buffer.from(`{${body}}${compact ? "" : "  "}`);
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt.asUintN(64, BigInt(text.length) + lie));
    return Buffer.concat([prefix, text, Buffer.alloc(DATA_BYTES)]);
  });

test("a lying safetensors header is refused with a sentence", { timeout: 3_600_000 }, () => {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(fc.oneof(header, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      count(seen, open("lies.safetensors", bytes));
      try {
        for (const value of Object.values(readMetadata(join(folder, "lies.safetensors"))))
          expect(typeof value).toBe("string");
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
      }
    }),
    parameters(600),
  );
  expect(seen.CHECKPOINT_CORRUPT).toBeGreaterThan(100);
  report("safetensors headers", { outcomes: seen });
});

// --- pickles in archives ---

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).toString("latin1");
const text = (value: string) => `X${u32(value.length)}${value}`;
/**
 * Parts of pickles that torch.save or attackers write; in any order they make something close to a pickle.
 */
const instruction = fc.oneof(
  fc.constantFrom(
    "N",
    "\x88",
    "K\x01",
    "K\x00",
    ")",
    "]",
    "}",
    "(",
    "t",
    "\x85",
    "\x86",
    "\x87",
    "a",
    "e",
    "s",
    "u",
    "0",
    "q\x00",
    "h\x00",
    "q\x01",
    "h\x01",
    "\x94",
    "R",
    "Q",
    "b",
    "i",
    "o",
    "\x81",
    "\x92",
    "\x82\x01",
    ".",
    "\x80\x04",
    "\x95\0\0\0\0\0\0\0\0",
    "\x93",
    `J${u32(0xffffffff)}`,
    "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
    `X${u32(0xfffffff0)}`,
    "B\xff\xff\xff\x7f",
    "\x8b\xff\xff\xff\x7f",
    "\x8f",
    "\x90",
    "\x91",
  ),
  fc.constantFrom(
    "ccollections\nOrderedDict\n",
    "ctorch\nFloatStorage\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ctorch\nSize\n",
    "cos\nsystem\n",
    "c__builtin__\neval\n",
    "cbuiltins\ngetattr\n",
    "cposix\nsystem\n",
    "csubprocess\nPopen\n",
    text("storage"),
    text("0"),
    text("cpu"),
    text("weight"),
    text("echo owned"),
    text("\u001b[2J"),
  ),
);
const tensor = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K\x10tQ`;
const view = `ctorch._utils\n_rebuild_tensor_v2\n(${tensor}K\x00(K\x04t(K\x01t\x89)tR`;
const pickle = fc.oneof(
  fc.array(instruction, { maxLength: 60 }).map((parts) => `\x80\x02${parts.join("")}.`),
  fc
    .array(fc.oneof(instruction, fc.constantFrom(view, tensor)), { maxLength: 12 })
    .map((parts) => `\x80\x02}(${text("w")}${view}${parts.join("")}u.`),
  fc
    .tuple(
      fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 5),
      fc.constantFrom(0, 1, 2 ** 31, 3),
      fc.constantFrom(0, 1, 7),
    )
    .map(
      ([size, stride, start]) =>
        `\x80\x02}${text("w")}ctorch._utils\n_rebuild_tensor_v2\n(${tensor}J${u32(start)}(J${u32(size)}t(J${u32(stride)}t\x89)tRs.`,
    ),
);

/** What a malicious pickle asks a trusting program to do. */
const ASKS = /\b(os|posix|nt|subprocess)\b|eval|getattr/;

test("a pickle that asks for more than tensors is refused, and no pickle hangs its reader", {
  timeout: 3_600_000,
}, () => {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(pickle, fc.boolean(), (program, wide) => {
      const bytes = makeZip(
        { "archive/data.pkl": Buffer.from(program, "latin1"), "archive/data/0": Buffer.alloc(64) },
        { wide },
      );
      const outcome = open("asks.bin", bytes);
      count(seen, outcome);
      if (outcome instanceof CheckpointError && outcome.code === "CHECKPOINT_UNSAFE" && ASKS.test(program))
        expect(outcome.message).toContain("refused");
    }),
    parameters(600),
  );
  for (const code of ["read", "CHECKPOINT_CORRUPT", "CHECKPOINT_UNSAFE"])
    expect(seen[code] ?? 0, code).toBeGreaterThan(10);
  report("pickles", { outcomes: seen });
});

const archive = makeZip({
  "archive/data.pkl": Buffer.from(`\x80\x02}${text("w")}${view}s.`, "latin1"),
  "archive/data/0": Buffer.alloc(64),
});
const wideArchive = makeZip(
  {
    "archive/data.pkl": Buffer.from(`\x80\x02}${text("w")}${view}s.`, "latin1"),
    "archive/data/0": Buffer.alloc(64),
  },
  { wide: true },
);

test("an archive with wrong sizes and offsets is refused or read within its bounds", {
  timeout: 3_600_000,
}, () => {
  const seen: Record<string, number> = {};
  const lie = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0xff), fc.constantFrom(1, 2, 4, 8));
  fc.assert(
    fc.property(fc.boolean(), fc.array(lie, { minLength: 1, maxLength: 4 }), (wide, lies) => {
      const bytes = Buffer.from(wide ? wideArchive : archive);
      for (const [at, value, width] of lies) {
        const start = at % bytes.length;
        bytes.subarray(start, start + width).fill(value);
      }
      count(seen, open("packed.bin", bytes));
    }),
    parameters(600),
  );
  expect(seen.read).toBeGreaterThan(10);
  expect(seen.CHECKPOINT_CORRUPT).toBeGreaterThan(10);
  report("archives", { outcomes: seen });
});

describe("a small file that asks for a huge amount", () => {
  const asBin = (program: string) =>
    open(
      "small.bin",
      makeZip({ "archive/data.pkl": Buffer.from(program, "latin1"), "archive/data/0": Buffer.alloc(64) }),
    );

  it.each([
    // A list of pairs, made once, and as many dictionaries of it as fit.
    [
      "a dictionary of a long list, over and over",
      `\x80\x02](${"))\x86".repeat(100_000)}e\x85q\x00${"ccollections\nOrderedDict\nh\x00R0".repeat(20_000)}N.`,
    ],
    [
      "a shape of many sizes, over and over",
      `\x80\x02(${"K\x01".repeat(300_000)}tq\x00\x85q\x01${"ctorch\nSize\nh\x01R0".repeat(20_000)}N.`,
    ],
    ["a memo of three million entries", `\x80\x04N${"\x94".repeat(3_000_000)}.`],
  ])("%s", (_name, program) => {
    const outcome = asBin(program);
    expect(outcome).toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it("a tensor of a hundred dimensions", () => {
    const ones = `(${"K\x01".repeat(100)}t`;
    const wide = `ctorch._utils\n_rebuild_tensor_v2\n(${tensor}K\x00${ones}${ones}\x89)tR`;
    expect(asBin(`\x80\x02}${text("w")}${wide}s.`)).toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });

  it("rejects a sparse file with a pickle or header of gigabytes", () => {
    // A sparse file: its size is real, but nothing may be read because of it.
    const path = join(folder, "holes.bin");
    const zip = makeZip({ "archive/data.pkl": Buffer.alloc(0) });
    const claimed = Buffer.from(zip);
    const central = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    claimed.writeUInt32LE(0xf0000000, central + 20);
    claimed.writeUInt32LE(0xf0000000, central + 24);
    writeFileSync(path, claimed);
    expect(() => openWeightFile(path)).toThrow(/far more|does not lie/);
    const tensors = join(folder, "holes.safetensors");
    const prefix = Buffer.alloc(9, "{");
    prefix.writeBigUInt64LE(4_000_000_000n);
    writeFileSync(tensors, prefix);
    truncateSync(tensors, 4_500_000_000);
    const started = process.memoryUsage().rss;
    expect(() => openWeightFile(tensors)).toThrow(/its header claims 4000000000 bytes/);
    expect(process.memoryUsage().rss - started).toBeLessThan(64 * 2 ** 20);
  });
});
