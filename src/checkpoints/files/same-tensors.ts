import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../files/replace-file.js";
import { float16FromFloat32 } from "../../onnx/float16.js";
import type { Weights } from "./weights.js";

/**
 * Whether two published models hold the same values under `names`, compared in the coarser of their types.
 * CLIP's vision tower usually equals the safety checker's, and its text tower Stable Diffusion's, but not in
 * every fine-tune. The values are read once; the cache keeps the result under the files' fingerprints.
 */
export async function haveSameTensors(
  a: Weights,
  b: Weights,
  names: readonly string[],
  cacheDir: string,
): Promise<boolean> {
  const shapes = (weights: Weights) => JSON.stringify(names.map((name) => weights.get(name)?.shape ?? null));
  if (shapes(a) !== shapes(b) || names.some((name) => a.get(name) === undefined)) return false;
  const hash = createHash("sha256").update(JSON.stringify([a.fingerprint, b.fingerprint, names]));
  const file = join(cacheDir, `same-${hash.digest("hex").slice(0, 20)}`);
  if (existsSync(file)) return (await readFile(file, "utf8")) === SAME;
  const same = names.every((name) => isSame(a, b, name));
  await replaceFile(file, same ? SAME : "different");
  return same;
}

const SAME = "same";

function isSame(a: Weights, b: Weights, name: string): boolean {
  const [typeA, typeB] = [a.get(name)!.type, b.get(name)!.type];
  if (typeA === typeB) return Buffer.compare(a.read(name), b.read(name)) === 0;
  if (typeA === "F16" || typeB === "F16") {
    const halves = [a, b].map((weights) => float16FromFloat32(weights.readFloat32(name))) as [
      Uint16Array,
      Uint16Array,
    ];
    return halves[0].every((bits, i) => bits === halves[1][i]);
  }
  const [valuesA, valuesB] = [a.readFloat32(name), b.readFloat32(name)];
  return valuesA.every((value, i) => value === valuesB[i]);
}
