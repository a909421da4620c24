import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DeviceName } from "../../core/options.js";

/** The rest is for screens, for the runtime and for other programs. */
const SHARE = 0.9;
/** A processor's own graphics keep less than this to themselves and take the rest from the system's memory. */
const LEAST_CARD_BYTES = 2 ** 30;
/** A driver that hangs must not hold up what only wants a number. */
const LONGEST_MS = 5_000;

/**
 * Bytes that pictures may take on a device: of a graphics card's memory, as far as `nvidia-smi` or Linux tells; of
 * the system's where the device is the CPU or shares its memory, and where the card's is not known. Of several cards,
 * the smallest counts, for a runtime does not say which one it takes.
 */
export async function deviceMemory(device: DeviceName): Promise<number> {
  const card = device === "cpu" ? null : await cardBytes();
  return Math.floor(SHARE * (card ?? systemBytes()));
}

/** Whether a card's own memory is known. */
export const hasKnownCard = async (): Promise<boolean> => (await cardBytes()) !== null;

async function cardBytes(): Promise<number | null> {
  const sizes = [...(await nvidiaBytes()), ...linuxBytes()].filter((bytes) => bytes >= LEAST_CARD_BYTES);
  return sizes.length > 0 ? Math.min(...sizes) : null;
}

async function nvidiaBytes(): Promise<number[]> {
  const query = ["--query-gpu=memory.total", "--format=csv,noheader,nounits"];
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", query, {
      timeout: LONGEST_MS,
      windowsHide: true,
    });
    return stdout
      .split("\n")
      .map((line) => Number(line) * 2 ** 20)
      .filter((bytes) => bytes > 0);
  } catch {
    // There is no such card, or no driver.
    return [];
  }
}

/** What AMD's driver tells on Linux. */
function linuxBytes(): number[] {
  const folder = "/sys/class/drm";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => join(folder, name, "device", "mem_info_vram_total"))
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, "utf8")));
}

/** The system's memory, or what this process may have of it. */
function systemBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
