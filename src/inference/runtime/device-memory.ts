import { existsSync, readdirSync, readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { type DeviceName, kindOf, numberOf } from "../../core/devices.js";
import { nvidiaCards } from "./cards.js";

/** The rest is for screens, for the runtime and for other programs. */
const SHARE = 0.9;
/** A processor's own graphics keep less than this to themselves and take the rest from the system's memory. */
const LEAST_CARD_BYTES = 2 ** 30;

/**
 * Bytes that pictures may take on a device: of a graphics card's memory, as far as `nvidia-smi` or Linux tells; of
 * the system's where the device is the CPU or shares its memory, and where the card's is not known. Of several cards,
 * the smallest counts unless the device is one of CUDA's by its number, for a runtime does not say which one it takes.
 * @param card the number or UUID that `nvidia-smi` has for such a device, by default its own number
 */
export async function deviceMemory(device: DeviceName, card = cudaNumber(device)): Promise<number> {
  const bytes = kindOf(device) === "cpu" ? null : await cardBytes(card);
  return Math.floor(SHARE * (bytes ?? systemBytes()));
}

function cudaNumber(device: DeviceName): string | undefined {
  const number = kindOf(device) === "cuda" ? numberOf(device) : null;
  return number === null ? undefined : String(number);
}

/** Whether a card's own memory is known. */
export const hasKnownCard = async (): Promise<boolean> => (await cardBytes()) !== null;

async function cardBytes(card?: string): Promise<number | null> {
  const known = (await nvidiaCards(card)).map(({ bytes }) => bytes);
  const others = card === undefined ? linuxBytes() : [];
  const sizes = [...known, ...others].filter((bytes) => bytes >= LEAST_CARD_BYTES);
  return sizes.length > 0 ? Math.min(...sizes) : null;
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
