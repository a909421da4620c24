import { parse } from "node:path";
import { dataStart, readMetadata } from "../files/safetensors.js";
import { fileHash } from "../files/weights-hash.js";
import { adapterFile, type LoraChoice } from "./lora.js";

/**
 * The hash by which A1111 and Civitai know a LoRA: the one that its metadata states (kohya's scripts write it), else
 * the SHA-256 of a safetensors file without its header, which editing the metadata leaves as it is, or of another
 * file as a whole (NetworkOnDisk in A1111's extensions-builtin/Lora/network.py). `name`: the file's, or that of the
 * folder of an adapter. Throws CheckpointError like `mergeLoras`, and system errors.
 */
export async function knownLora(
  { file: path }: LoraChoice,
  cacheDir: string,
): Promise<{ readonly name: string; readonly hash: string }> {
  const file = adapterFile(path);
  const stated = readMetadata(file).sshs_model_hash?.toLowerCase();
  const hash =
    stated !== undefined && /^[0-9a-f]{12,64}$/.test(stated)
      ? stated
      : await fileHash(file, cacheDir, dataStart(file) ?? 0);
  return { name: parse(path).name, hash };
}
