import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { makeZip, type ZipOptions } from "../../support/zip.js";
import { golden, refusal, temporaryFolder } from "../support.js";

/** Opens an archive like torch.save's, with this pickle. */
function openPickle(pickle: Uint8Array, options: ZipOptions = {}, more: Record<string, Uint8Array> = {}) {
  const path = join(temporaryFolder(), "model.bin");
  writeFileSync(path, makeZip({ "archive/data.pkl": pickle, ...more }, options));
  return openWeightFile(path);
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;

describe("a dictionary around the tensors", () => {
  it.each(["state_dict", "model", "module"])("that holds itself as %s is refused", (key) => {
    const error = refusal(() => openPickle(latin1(`\x80\x02}q\0${text(key)}h\0s.`)));
    expect(error.code).toBe("CHECKPOINT_TENSORS");
  });

  it("of a thousand levels is refused", () => {
    const open = `}${text("state_dict")}`.repeat(1000);
    expect(refusal(() => openPickle(latin1(`\x80\x02${open}}${"s".repeat(1000)}.`))).code).toBe(
      "CHECKPOINT_TENSORS",
    );
  });

  it("of an object is refused by the object's name", () => {
    const error = refusal(() => openPickle(latin1(`\x80\x02}${text("model")}ctrainer\nNet\n)Rs.`)));
    expect(error.code).toBe("CHECKPOINT_UNSAFE");
    expect(error.message).toContain("trainer.Net");
  });
});

it("a tensor rebuilt within a thousand others is refused", () => {
  const rebuild = "ctorch._tensor\n_rebuild_from_type_v2\n";
  const level = `(${rebuild}ctorch\nTensor\n`;
  const nested = `${rebuild}${level.repeat(1000)})${"}t".repeat(1000)}R`;
  expect(refusal(() => openPickle(latin1(`\x80\x02}${text("w")}${nested}s.`))).code).toBe(
    "CHECKPOINT_UNSAFE",
  );
});

describe("a pickle that asks for more than tensors is refused, naming what it asks for", () => {
  it.each([
    ["reduce-os-system.bin", /(posix|nt)\.system/],
    ["reduce-eval.bin", /(__builtin__|builtins)\.eval/],
    ["reduce-getattr.bin", /(__builtin__|builtins)\.getattr/],
    ["reduce-protocol4.bin", /(posix|nt)\.system/],
    ["global-eval.bin", /builtins\.eval/],
    ["stack-global.bin", /(posix|nt)\.system/],
    ["inst.bin", /os\.system/],
    ["obj.bin", /collections\.OrderedDict/],
    ["newobj.bin", /new object of a class/],
    ["newobj-ex.bin", /new object of a class/],
    ["ext1.bin", /extension registry/],
    ["ext4.bin", /extension registry/],
    ["persid-text.bin", /module\.function/],
    ["persid-other.bin", /no storage/],
    ["build-state.bin", /attributes/],
    ["reduce-tuple.bin", /no function/],
    ["torchscript.bin", /TorchScript/],
  ])("%s", (name, asksFor) => {
    const error = refusal(() => openWeightFile(golden("refused", name)));
    expect(error.code).toBe("CHECKPOINT_UNSAFE");
    expect(error.message).toMatch(asksFor);
    expect(error.message).toContain(name);
  });

  it.each([
    ["a storage class of another module", "cos\nFloatStorage\n."],
    ["a name that every object has", "ctorch\nconstructor\n."],
    ["a function beside the one for tensors", "ctorch._utils\n_rebuild_qtensor\n."],
    ["the loader itself", "ctorch\nload\n."],
    ["a call of a class of storages", "ctorch\nFloatStorage\n)R."],
  ])("%s", (_name, pickle) => {
    expect(refusal(() => openPickle(latin1(`\x80\x02${pickle}`))).code).toBe("CHECKPOINT_UNSAFE");
  });

  it("a name that no training program pickles, though no tensor depends on it", () => {
    for (const name of [
      "cbuiltins\ngetattr",
      "c__builtin__\n__import__",
      "csubprocess\nPopen",
      "cos.path\njoin",
    ]) {
      const error = refusal(() => openPickle(latin1(`\x80\x02}X\x01\x00\x00\x00a${name}\n)Rs.`)));
      expect(error.code, name).toBe("CHECKPOINT_UNSAFE");
    }
  });

  it("a name of megabytes is shortened in the message", () => {
    const error = refusal(() => openPickle(latin1(`\x80\x02c${"x".repeat(1e6)}\ny\n.`)));
    expect(error.message.length).toBeLessThan(600);
  });
});

describe("a file that is not what it claims to be", () => {
  it.each([
    ["deflated.bin", "CHECKPOINT_CORRUPT", /compressed/],
    ["complex.bin", "CHECKPOINT_TENSORS", /ComplexFloatStorage|complex/i],
    ["no-tensors.bin", "CHECKPOINT_TENSORS", /no dictionary of named tensors/],
  ])("%s", (name, code, says) => {
    const error = refusal(() => openWeightFile(golden("refused", name)));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
  });

  it.each([
    ["nothing", "", /neither/],
    [
      "a Git LFS pointer",
      "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
      /git lfs pull/,
    ],
    ["a web page", "<!DOCTYPE html><html>Sign in", /web page/],
    ["a tar archive", `${"weights\0".padEnd(257, "\0")}ustar\0`, /neither/],
  ])("%s", (_name, content, says) => {
    const path = join(temporaryFolder(), "model.bin");
    writeFileSync(path, content);
    expect(refusal(() => openWeightFile(path)).message).toMatch(says);
  });

  it("refuses an archive from a big-endian machine", () => {
    const error = refusal(() => openPickle(latin1("\x80\x02}."), {}, { "archive/byteorder": latin1("big") }));
    expect(error.message).toContain("big-endian");
  });

  it("refuses an encrypted archive", () => {
    expect(refusal(() => openPickle(latin1("\x80\x02}."), { flags: 1 })).message).toContain("encrypted");
  });
});

describe("a pickle made to exhaust its reader", () => {
  it.each([
    ["a million nested tuples", `\x80\x02)${"\x85".repeat(1_000_000)}.`],
    ["a million nested lists", `\x80\x02${"]".repeat(1_000_000)}${"a".repeat(999_999)}.`],
    ["a list that holds itself", "\x80\x02]q\x00h\x00a."],
    ["a dictionary that holds itself", "\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."],
    ["a global named by nested tuples", `\x80\x04)${"\x85".repeat(100_000)}h\x00\x93.`],
    ["a memo of a million entries", `\x80\x04N${"\x94".repeat(1_000_000)}.`],
    ["three million values", `\x80\x02${"N".repeat(3_000_000)}.`],
    ["an integer of two gigabytes", "\x80\x02\x8b\xff\xff\xff\x7f."],
    ["a text of four gigabytes", "\x80\x02X\xff\xff\xff\xff."],
    ["more pops than pushes", "\x80\x02000."],
    ["a list that was never begun", "\x80\x02e."],
    ["no end", "\x80\x02"],
    ["nothing", ""],
  ])("%s", (_name, pickle) => {
    const started = performance.now();
    expect(["CHECKPOINT_CORRUPT", "CHECKPOINT_TENSORS"]).toContain(
      refusal(() => openPickle(latin1(pickle))).code,
    );
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
