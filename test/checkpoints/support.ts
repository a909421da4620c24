import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { withFile } from "../../src/checkpoints/files/file.js";
import { dataOffset, readZipDirectory } from "../../src/checkpoints/files/zip.js";
import { CheckpointError } from "../../src/core/errors.js";

const GOLDEN = fileURLToPath(new URL("../golden/checkpoints/", import.meta.url));

/** A path in the folder written by test/golden/checkpoints.py. */
export const golden = (...path: string[]): string => join(GOLDEN, ...path);

export interface ExpectedTensor {
  readonly type: string;
  readonly shape: readonly number[];
  /** The first values, in row-major order. */
  readonly values: readonly number[];
  readonly sum: number;
}

/** The tensors that PyTorch reads from a file of the folder. */
export function expectedTensors(name: string): Readonly<Record<string, ExpectedTensor>> {
  const all = JSON.parse(readFileSync(golden("expected.json"), "utf8"));
  return all[name];
}

/** A folder that is deleted after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "checkpoints-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The CheckpointError that `action` throws; anything else fails the test. */
export function refusal(action: () => unknown): CheckpointError {
  try {
    action();
  } catch (error) {
    if (error instanceof CheckpointError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** The entries of an archive written by torch.save. */
export function zipEntries(path: string): Record<string, Uint8Array> {
  return withFile(path, (file) => {
    const entries = [...readZipDirectory(file).entries.values()];
    return Object.fromEntries(
      entries.map((entry) => [entry.name, file.read(dataOffset(file, entry), entry.bytes)]),
    );
  });
}

/** Reproducible numbers from 0 to `below` - 1 (mulberry32). */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}
