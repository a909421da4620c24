import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openWeightFile, openWeights } from "../../../src/checkpoints/files/open.js";
import { readJson } from "../../../src/checkpoints/layouts/config.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { makeZip } from "../../support/zip.js";
import { golden, randomIntegers, refusal, temporaryFolder, zipEntries } from "../support.js";

/** Opens a .safetensors file with this header and this many bytes of data. */
function openHeader(header: unknown, dataBytes: number, claimedBytes?: bigint) {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header), "utf8");
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimedBytes ?? BigInt(text.length));
  const path = join(temporaryFolder(), "model.safetensors");
  writeFileSync(path, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return openWeightFile(path);
}

const tensor = (dtype: string, shape: unknown, ...range: unknown[]) => ({
  dtype,
  shape,
  data_offsets: range,
});

describe("a safetensors header", () => {
  it("that is valid is read", () => {
    const header = {
      __metadata__: { format: "pt" },
      b: tensor("F32", [2], 4, 12),
      a: tensor("F16", [2], 0, 4),
    };
    expect([...openHeader(header, 12).names]).toEqual(["a", "b"]);
  });

  it.each<[string, unknown, number, RegExp]>([
    ["overlaps", { a: tensor("F32", [2], 0, 8), b: tensor("F32", [2], 4, 12) }, 12, /"b" overlaps/],
    ["shares bytes", { a: tensor("F32", [2], 0, 8), b: tensor("F32", [2], 0, 8) }, 8, /overlaps/],
    ["leaves a hole", { a: tensor("F32", [1], 0, 4), b: tensor("F32", [1], 8, 12) }, 12, /hole/],
    ["points beyond the file", { a: tensor("F32", [2], 0, 8) }, 4, /4 bytes are missing/],
    ["is followed by more", { a: tensor("F32", [2], 0, 8) }, 9, /1 bytes more/],
    ["claims too few bytes", { a: tensor("F32", [3], 0, 8) }, 8, /needs 12/],
    ["runs backwards", { a: tensor("F32", [2], 8, 0) }, 8, /claims -8 bytes/],
    ["has a negative offset", { a: tensor("F32", [2], -8, 0) }, 8, /no pair/],
    ["has half an offset", { a: tensor("F32", [2], 0.5, 8.5) }, 8, /no pair/],
    ["has a huge shape", { a: tensor("U8", [2 ** 40, 2 ** 40], 0, 8) }, 8, /needs NaN/],
    ["has a negative shape", { a: tensor("F32", [-1, -2], 0, 8) }, 8, /no list of sizes/],
    ["has no shape", { a: tensor("F32", null, 0, 8) }, 8, /no list of sizes/],
    ["has no type", { a: { shape: [2], data_offsets: [0, 8] } }, 8, /no element type/],
    ["has one offset", { a: tensor("F32", [2], 8) }, 8, /no pair/],
    ["describes nothing", { a: 5 }, 0, /no description/],
    ["is a list", "[]", 0, /looks|not an object|neither|header/],
    ["is not JSON", "{oops}", 0, /not JSON/],
    ["is nested a million deep", `{"a":${"[".repeat(1_000_000)}`, 0, /not JSON/],
    [
      "names a tensor twice",
      `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`,
      1,
      /twice/,
    ],
    ["states a type twice", `{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 1, /twice/],
  ])("that %s is refused", (_name, header, dataBytes, says) => {
    const error = refusal(() => openHeader(header, dataBytes));
    expect(error.code).toBe("CHECKPOINT_CORRUPT");
    expect(error.message).toMatch(says);
    expect(error.message).toContain("model.safetensors");
  });

  it("with an unsupported type is refused, naming the tensor and the type", () => {
    const error = refusal(() => openHeader({ a: tensor("C64", [2], 0, 16) }, 16));
    expect(error.code).toBe("CHECKPOINT_TENSORS");
    expect(error.message).toMatch(/"a".*C64/);
  });

  it.each([0n, 1n, 2n ** 20n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n])(
    "that claims %d bytes is refused",
    (bytes) => {
      expect(refusal(() => openHeader({ a: tensor("F32", [1], 0, 4) }, 4, bytes)).code).toBe(
        "CHECKPOINT_CORRUPT",
      );
    },
  );

  it("may use JavaScript's own property names", () => {
    const header = `{"__proto__":${JSON.stringify(tensor("U8", [1], 0, 1))},"constructor":${JSON.stringify(tensor("toString", [1], 1, 2))}}`;
    expect(refusal(() => openHeader(header, 2)).code).toBe("CHECKPOINT_TENSORS");
  });
});

describe("a truncated file", () => {
  it.each(["views.safetensors", "views.bin"])("is refused: %s, wherever it ends", (name) => {
    const path = join(temporaryFolder(), name);
    const bytes = readFileSync(golden(name)).length;
    for (let length = bytes - 1; length >= 0; length -= 37) {
      copyFileSync(golden(name), path);
      truncateSync(path, length);
      expect(refusal(() => openWeightFile(path)).code, `${length} bytes`).toBe("CHECKPOINT_CORRUPT");
    }
  });
});

describe("a file in torch's format before 1.6", () => {
  const original = readFileSync(golden("../checkpoints-training", "legacy.ckpt"));
  const open = (bytes: Buffer) => {
    const path = join(temporaryFolder(), "model.ckpt");
    writeFileSync(path, bytes);
    return openWeightFile(path);
  };

  it.each(["legacy.ckpt", "legacy.bin", "legacy-objects.ckpt"])("%s is refused, wherever it ends", (name) => {
    const path = join(temporaryFolder(), name);
    const bytes = readFileSync(golden("../checkpoints-training", name));
    for (let length = bytes.length - 1; length >= 0; length--) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(refusal(() => openWeightFile(path)).code, `${length} bytes`).toBe("CHECKPOINT_CORRUPT");
    }
  });

  /** Where the number of elements of the first storage lies: twelve float32 of `w`, and before them 12 as int64. */
  const at = (() => {
    const twelve = Buffer.alloc(8);
    twelve.writeBigInt64LE(12n);
    return original.lastIndexOf(twelve);
  })();

  it.each([0n, 11n, 13n, -1n, 2n ** 40n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)])(
    "that claims %d elements of a storage is refused",
    (elements) => {
      const lying = Buffer.from(original);
      lying.writeBigInt64LE(elements, at);
      expect(at).toBeGreaterThan(0);
      expect(refusal(() => open(lying)).code).toBe("CHECKPOINT_CORRUPT");
    },
  );

  it("that lists a storage twice, or one that no tensor has, is refused", () => {
    const list = Buffer.from("\x80\x02]q\x00X\x01\x00\x00\x00ea.", "latin1");
    const end = original.lastIndexOf(Buffer.from("\x80\x02]", "latin1"));
    expect(end).toBeGreaterThan(0);
    const before = original.subarray(0, end);
    expect(refusal(() => open(Buffer.concat([before, list, original.subarray(at)]))).code).toBe(
      "CHECKPOINT_CORRUPT",
    );
    expect(refusal(() => open(Buffer.concat([before, Buffer.from("\x80\x02]q\x00.", "latin1")]))).code).toBe(
      "CHECKPOINT_CORRUPT",
    );
  });
});

describe("random damage", () => {
  /** Reads everything; a damaged file may still be readable, but must throw nothing but a CheckpointError. */
  function survives(path: string, label: string): "read" | "refused" {
    try {
      const weights = openWeightFile(path);
      for (const name of weights.names) weights.readFloat32(name);
      return "read";
    } catch (error) {
      if (error instanceof CheckpointError) return "refused";
      throw new Error(`${label}: ${error}`, { cause: error });
    }
  }

  function mutate(bytes: Buffer, from: number, to: number, random: (below: number) => number): Buffer {
    const damaged = Buffer.from(bytes);
    const at = () => from + random(to - from);
    for (let changes = 1 + random(4); changes > 0; changes--) {
      const kind = random(4);
      if (kind === 0) damaged[at()] = random(256);
      else if (kind === 1) damaged[at()]! ^= 1 << random(8);
      else if (kind === 2)
        damaged
          .subarray(at(), to)
          .subarray(0, 1 + random(8))
          .fill(random(2) * 255);
      else damaged.subarray(at(), to).subarray(0, 16).copy(damaged.subarray(at(), to));
    }
    return damaged;
  }

  const RUNS = 3000;

  it("of a safetensors header", () => {
    const path = join(temporaryFolder(), "model.safetensors");
    const original = readFileSync(golden("views.safetensors"));
    const headerEnd = 8 + Number(original.readBigUInt64LE());
    const random = randomIntegers(1);
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      writeFileSync(path, mutate(original, 0, headerEnd, random));
      outcomes[survives(path, `run ${run}`)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(RUNS / 2);
    expect(outcomes.read).toBeGreaterThan(0);
  });

  it("of a ZIP archive's tables", () => {
    const path = join(temporaryFolder(), "model.bin");
    const original = readFileSync(golden("protocol3.bin"));
    const random = randomIntegers(2);
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      writeFileSync(path, mutate(original, 0, original.length, random));
      outcomes[survives(path, `run ${run}`)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(RUNS / 10);
    expect(outcomes.read).toBeGreaterThan(0);
  });

  it.each(["legacy-objects.ckpt", "objects-4.ckpt"])("of bytes in %s", (name) => {
    const path = join(temporaryFolder(), "model.ckpt");
    const original = readFileSync(golden("../checkpoints-training", name));
    const random = randomIntegers(4);
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < RUNS / 3; run++) {
      writeFileSync(path, mutate(original, 0, original.length, random));
      outcomes[survives(path, `run ${run}`)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.read).toBeGreaterThan(0);
  });

  it.each(["views.bin", "protocol4.bin", "training.ckpt"])("of the pickle of %s", (name) => {
    const path = join(temporaryFolder(), "model.bin");
    const entries = zipEntries(golden(name));
    const pickleName = Object.keys(entries).find((entry) => entry.endsWith("data.pkl"))!;
    const pickle = Buffer.from(entries[pickleName]!);
    const random = randomIntegers(3);
    const outcomes = { read: 0, refused: 0 };
    for (let run = 0; run < RUNS / 3; run++) {
      const damaged = mutate(pickle, 0, pickle.length, random);
      writeFileSync(path, makeZip({ ...entries, [pickleName]: damaged }));
      outcomes[survives(path, `run ${run}`)]++;
    }
    expect(outcomes.refused).toBeGreaterThan(RUNS / 6);
    expect(outcomes.read).toBeGreaterThan(0);
  });
});

describe.skipIf(process.platform === "win32")("what is no file is refused without opening it", () => {
  it.each<[string, (path: string) => unknown]>([
    ["a pipe", (path) => execFileSync("mkfifo", [path])],
    ["a device", (path) => symlinkSync("/dev/zero", path)],
  ])("%s", (_, make) => {
    const folder = temporaryFolder();
    const at = (name: string): string => {
      make(join(folder, name));
      return join(folder, name);
    };
    for (const path of [at("model.safetensors"), at("model.bin")])
      expect(refusal(() => openWeightFile(path))).toMatchObject({
        code: "CHECKPOINT_MISSING",
        message: `${path} is not a file.`,
      });
    const config = at("config.json");
    expect(refusal(() => readJson(config)).message).toBe(`${config} is not a file.`);
    const shards = temporaryFolder();
    make(join(shards, "model.safetensors.index.json"));
    expect(refusal(() => openWeights(shards)).message).toContain("is not a file.");
  });
});
