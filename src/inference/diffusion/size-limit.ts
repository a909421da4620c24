import { openDiffusion } from "../../checkpoints/layouts/diffusion-files.js";
import { type DeviceName, kindOf } from "../../core/devices.js";
import { IMAGE_RANGES, type Precision } from "../../core/options.js";
import { clipTextConfig } from "../../models/clip-text.js";
import { unetConfig } from "../../models/unet.js";
import { vaeConfig } from "../../models/vae-decoder.js";
import { deviceMemory, hasKnownCard } from "../runtime/device-memory.js";
import { arithmeticOf, type Plan } from "../runtime/plan.js";
import { MemoryCount } from "./memory-count.js";

/** A checkpoint, and where it will be drawn. */
export interface SizeLimitOptions {
  readonly directory: string;
  readonly vae: string | null;
  readonly device: DeviceName;
  /** What `nvidia-smi` calls the card; see `deviceMemory`. */
  readonly card?: string | undefined;
  readonly precision: Precision;
  /** Bytes that it may take; null for what the device has. */
  readonly memory: number | null;
}

/** Where it will be drawn, and how. */
export interface CountedDevice {
  readonly isCpu: boolean;
  readonly plan: Plan;
}

/** The count of a checkpoint's memory, and the bytes that it may take. Throws CheckpointError. */
export async function countMemory(
  { directory, vae, device, card, memory }: Omit<SizeLimitOptions, "precision">,
  { isCpu, plan }: CountedDevice,
): Promise<{ readonly count: MemoryCount; readonly limit: number }> {
  const files = openDiffusion(directory, vae);
  const parts = {
    text: files.config("text_encoder", clipTextConfig),
    unet: files.config("unet", unetConfig),
    vae: files.config("vae", vaeConfig),
  };
  const arithmetic = { ...arithmeticOf(plan), winograd: isCpu && plan === "fp32" };
  const limit = memory ?? (await deviceMemory(isCpu ? "cpu" : device, card));
  return { count: new MemoryCount(parts, { arithmetic, isCpu }), limit };
}

/**
 * Pixels of the largest picture that fits into memory; null if every size does. Opens no device: a card is taken to
 * need sums in fp32, which is the most that `auto` may come to, and the worker that draws counts with what it found.
 * @throws CheckpointError if the checkpoint is not one that is drawn here
 */
export async function mostPixels(options: SizeLimitOptions): Promise<number | null> {
  const { device, precision } = options;
  const isCpu = kindOf(device) === "cpu" || (device === "auto" && !(await hasKnownCard()));
  const { count, limit } = await countMemory(options, { isCpu, plan: planOf(isCpu, device, precision) });
  return count.mostPixels(limit, IMAGE_RANGES.side.max);
}

function planOf(isCpu: boolean, device: DeviceName, precision: Precision): Plan {
  if (precision === "fp32" || (isCpu && precision === "auto")) return "fp32";
  return kindOf(device) === "cuda" || isCpu ? "fp16" : "mixed";
}
