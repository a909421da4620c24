import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  chooseWeightFile,
  findWeightFiles,
  openWeightFile,
  openWeights,
  variantNote,
} from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { isInPlace } from "../../../src/checkpoints/files/stored-weights.js";
import type { Weights } from "../../../src/checkpoints/files/weights.js";
import { clipTextWeights, gpt2Weights, vaeWeights } from "../../../src/checkpoints/layouts/names.js";
import { makeZip } from "../../support/zip.js";
import {
  type ExpectedTensor,
  expectedTensors,
  golden,
  refusal,
  temporaryFolder,
  zipEntries,
} from "../support.js";

const TYPE_NAMES: Readonly<Record<string, string>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};

function expectTensor(weights: Weights, name: string, expected: ExpectedTensor, type = expected.type): void {
  const entry = weights.get(name);
  expect(entry, name).toBeDefined();
  expect([...entry!.shape], name).toEqual(expected.shape);
  expect(entry!.type, name).toBe(TYPE_NAMES[type]);
  const values = weights.readFloat32(name);
  expect(Array.from(values.subarray(0, expected.values.length)), name).toEqual(
    expected.values.map(Math.fround),
  );
  const sum = values.reduce((total, value) => total + value, 0);
  expect(Math.abs(sum - expected.sum), name).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(expected.sum)));
}

/** Checks that every expected tensor exists with PyTorch's values. */
function expectTensors(
  weights: Weights,
  expected: Readonly<Record<string, ExpectedTensor>>,
  type?: string,
): void {
  for (const [name, tensor] of Object.entries(expected)) expectTensor(weights, name, tensor, type);
}

const sorted = (names: Iterable<string>): string[] => [...names].sort();

describe("one file", () => {
  it.each([
    "views.bin",
    "views.safetensors",
    "protocol3.bin",
    "protocol4.bin",
    "protocol5.bin",
    "training.ckpt",
  ])("%s gives PyTorch's values, types and shapes", (name) => {
    const weights = openWeightFile(golden(name));
    const expected = expectedTensors(name);
    expect(sorted(weights.names)).toEqual(sorted(Object.keys(expected)));
    expectTensors(weights, expected);
  });

  it("gives the location of contiguous tensors in the file, and of no others", () => {
    const weights = openWeightFile(golden("views.bin"));
    const strided = weights.names.filter((name) => !isInPlace(weights.get(name)!));
    expect(sorted(strided)).toEqual(
      sorted([
        "transposed",
        "column",
        "every-second",
        "permuted",
        "expanded",
        "half-transposed",
        "int64-strided",
        "uint8-transposed",
      ]),
    );
    for (const name of weights.names) {
      const { file, offset, bytes } = weights.get(name)!;
      if (offset < 0) continue;
      const there = readFileSync(file).subarray(offset, offset + bytes);
      expect(there.equals(weights.read(name)), name).toBe(true);
    }
  });

  it("reads 64-bit ZIP fields as it reads 32-bit ones", () => {
    const entries = zipEntries(golden("views.bin"));
    for (const wide of [false, true]) {
      const path = join(temporaryFolder(), "views.bin");
      writeFileSync(path, makeZip(entries, { wide }));
      expectTensors(openWeightFile(path), expectedTensors("views.bin"));
    }
  });

  it("reads what it writes", () => {
    const path = join(temporaryFolder(), "x.safetensors");
    const data = new Uint8Array(new Float32Array([1.5, -2, 0.1]).buffer);
    writeSafetensors(path, [
      { name: "a", type: "F32", shape: [3], data },
      { name: 'quoted " \\ ☃', type: "U8", shape: [2, 0], data: new Uint8Array() },
      { name: "lazy", type: "F32", shape: [1, 3], data: () => data },
    ]);
    const weights = openWeightFile(path);
    expect(weights.names).toEqual(["a", 'quoted " \\ ☃', "lazy"]);
    expect(weights.read("lazy")).toEqual(data);
    expect(weights.get("a")!.offset % 8).toBe(0);
    expect(() => writeSafetensors(path, [{ name: "a", type: "F32", shape: [4], data }])).toThrow(RangeError);
  });

  it("has a fingerprint that changes with the file's header, size or time, but not its folder", () => {
    const folder = temporaryFolder();
    const path = join(folder, "views.bin");
    copyFileSync(golden("views.bin"), path);
    const other = join(temporaryFolder(), "views.bin");
    copyFileSync(golden("views.bin"), other);
    for (const file of [path, other]) utimesSync(file, 1000, 1000);
    const { fingerprint } = openWeightFile(path);
    expect(openWeightFile(other).fingerprint).toBe(fingerprint);
    utimesSync(path, 1000, 2000);
    expect(openWeightFile(path).fingerprint).not.toBe(fingerprint);
  });

  it("reports a missing tensor, and a file that was deleted", () => {
    const path = join(temporaryFolder(), "views.safetensors");
    copyFileSync(golden("views.safetensors"), path);
    const weights = openWeightFile(path);
    expect(refusal(() => weights.read("absent")).code).toBe("CHECKPOINT_TENSORS");
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(refusal(() => weights.read("plain")).code).toBe("CHECKPOINT_CORRUPT");
    rmSync(path);
    expect(refusal(() => weights.read("plain")).code).toBe("CHECKPOINT_MISSING");
  });
});

describe("a folder", () => {
  it.each(["gpt2", "gpt2-shards", "gpt2-bin-shards", "gpt2-bare-bin", "gpt2-tied-bin"])(
    "%s is the same GPT-2",
    (name) => {
      const weights = gpt2Weights(openWeights(golden(name)));
      const expected = expectedTensors("gpt2");
      expect(sorted(weights.names)).toEqual(sorted(Object.keys(expected)));
      expectTensors(weights, expected);
    },
  );

  it("takes the requested variant, else the one that exists", () => {
    expect(findWeightFiles(golden("vae"), { prefer: "fp16" })?.main).toBe(
      golden("vae", "diffusion_pytorch_model.fp16.safetensors"),
    );
    expect(findWeightFiles(golden("vae"))?.main).toBe(golden("vae", "diffusion_pytorch_model.safetensors"));
    for (const prefer of ["fp16", "fp32"] as const) {
      expect(findWeightFiles(golden("vae-old"), { prefer })?.main).toBe(
        golden("vae-old", "diffusion_pytorch_model.fp16.bin"),
      );
    }
  });

  it.each([
    [["model.bf16.safetensors"], "model.bf16.safetensors", []],
    [["diffusion_pytorch_model.fp32.bin"], "diffusion_pytorch_model.fp32.bin", []],
    [["model.ema_only.safetensors", "model.fp16.safetensors"], "model.fp16.safetensors", []],
    [
      ["diffusion_pytorch_model.fp32.safetensors", "diffusion_pytorch_model.bf16.safetensors"],
      "diffusion_pytorch_model.bf16.safetensors",
      ["diffusion_pytorch_model.fp32.safetensors"],
    ],
    [
      ["model.non_ema.safetensors", "model.zeta.safetensors", "model.fp32.bin"],
      "model.zeta.safetensors",
      ["model.non_ema.safetensors", "model.fp32.bin"],
    ],
    [
      ["model.safetensors.index.bf16.json", "model-00001-of-00002.bf16.safetensors"],
      "model.safetensors.index.bf16.json",
      [],
    ],
    [["novel.safetensors", "novel.ckpt", "config.json"], "novel.safetensors", []],
    [["unet.ckpt", "optimizer.bin", "training_args.bin"], "unet.ckpt", []],
  ])("of %j takes %s", (names, name, others) => {
    expect(chooseWeightFile(names, "fp32")).toEqual({ name, others });
  });

  it("takes none of several files without a known name", () => {
    expect(chooseWeightFile(["a.safetensors", "b.safetensors", "config.json"], "fp32")).toBeUndefined();
    expect(chooseWeightFile(["config.json"], "fp32")).toBeUndefined();
  });

  it("says which of several variants is used", () => {
    const folder = temporaryFolder();
    copyFileSync(golden("views.safetensors"), join(folder, "model.fp32.safetensors"));
    expect(variantNote(folder)).toBeNull();
    copyFileSync(golden("views.safetensors"), join(folder, "model.bf16.safetensors"));
    expect(variantNote(folder)).toContain("model.bf16.safetensors is used");
    expect(openWeights(folder).get("plain")!.file).toContain("bf16");
  });

  it("prefers safetensors to a pickle", () => {
    const folder = temporaryFolder();
    copyFileSync(golden("views.bin"), join(folder, "pytorch_model.bin"));
    copyFileSync(golden("views.bin"), join(folder, "pytorch_model.fp16.bin"));
    copyFileSync(golden("views.safetensors"), join(folder, "model.safetensors"));
    expect(findWeightFiles(folder, { prefer: "fp16" })?.main).toBe(join(folder, "model.safetensors"));
  });

  it("names a missing shard, a truncated one, and one that lacks its tensor", () => {
    const folder = temporaryFolder();
    const shards = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
    const restore = () => {
      for (const file of ["model.safetensors.index.json", ...shards]) {
        copyFileSync(golden("gpt2-shards", file), join(folder, file));
      }
    };
    restore();
    rmSync(join(folder, shards[1]!));
    const missing = refusal(() => openWeights(folder));
    expect(missing.code).toBe("CHECKPOINT_MISSING");
    expect(missing.message).toContain(shards[1]);

    restore();
    writeFileSync(
      join(folder, shards[2]!),
      readFileSync(golden("gpt2-shards", shards[2]!)).subarray(0, 2000),
    );
    const cut = refusal(() => openWeights(folder));
    expect(cut.code).toBe("CHECKPOINT_CORRUPT");
    expect(cut.message).toContain(shards[2]);

    restore();
    copyFileSync(golden("gpt2-shards", shards[0]!), join(folder, shards[1]!));
    expect(refusal(() => openWeights(folder)).message).toContain("which does not have it");
  });

  it.each([
    ["no weight_map", {}],
    ["an empty one", { weight_map: {} }],
    ["a shard in another folder", { weight_map: { a: "../secret.safetensors" } }],
    ["a shard on another drive", { weight_map: { a: "C:secret.safetensors" } }],
    ["a shard that is no text", { weight_map: { a: 1 } }],
  ])("refuses an index with %s", (_name, index) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
    expect(refusal(() => openWeights(folder)).code).toBe("CHECKPOINT_CORRUPT");
  });

  it("without weights, or that isn't there, is missing", () => {
    const folder = temporaryFolder();
    expect(refusal(() => openWeights(folder)).message).toContain("model.safetensors");
    expect(refusal(() => openWeights(join(folder, "absent"))).code).toBe("CHECKPOINT_MISSING");
  });
});

describe("names", () => {
  it("of the VAE's old attention become the new ones, and 1x1 convolutions become matrices", () => {
    const fresh = vaeWeights(openWeights(golden("vae"), { prefer: "fp16" }));
    const old = vaeWeights(openWeights(golden("vae-old"), { prefer: "fp16" }));
    expect(sorted(old.names)).toEqual(sorted(fresh.names));
    const expected = expectedTensors("vae");
    expectTensors(old, expected, "float16");
    expectTensors(fresh, expected, "float16");
    const query = "encoder.mid_block.attentions.0.to_q.weight";
    expect(openWeights(golden("vae-old")).get(query.replace("to_q", "query"))!.shape).toEqual([8, 8, 1, 1]);
    expect(old.get(query)!.shape).toEqual([8, 8]);
    expect(old.fingerprint).not.toBe(openWeights(golden("vae-old")).fingerprint);
  });

  it.each(["clip-prefixed", "clip-bare"])("of CLIP's text encoder in %s are text_model.*", (name) => {
    const weights = clipTextWeights(openWeights(golden(name)));
    const expected = expectedTensors("clip");
    expect(sorted(weights.names)).toEqual(sorted(Object.keys(expected)));
    expectTensors(weights, expected);
  });

  it("keep an untied lm_head, and one tensor under two names is refused", () => {
    const tied = openWeights(golden("gpt2-tied-bin"));
    expect(gpt2Weights(tied, { tied: false }).names).toContain("lm_head.weight");
    const path = join(temporaryFolder(), "model.safetensors");
    const data = new Uint8Array(4);
    writeSafetensors(path, [
      { name: "wte.weight", type: "F32", shape: [1], data },
      { name: "transformer.wte.weight", type: "F32", shape: [1], data },
    ]);
    expect(refusal(() => gpt2Weights(openWeightFile(path))).code).toBe("CHECKPOINT_TENSORS");
  });
});
