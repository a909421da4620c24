import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { DeviceName } from "../../core/devices.js";

/** A driver that hangs must not hold up what only wants a number. */
const LONGEST_MS = 5_000;

/** A card of NVIDIA, as its driver tells it. */
export interface NvidiaCard {
  readonly name: string;
  readonly bytes: number;
}

/**
 * The cards of NVIDIA in the order of their numbers; none without such a card or its driver.
 * @param card a number or UUID, for this one alone
 */
export async function nvidiaCards(card?: string): Promise<readonly NvidiaCard[]> {
  const query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"];
  const one = card === undefined ? [] : ["-i", card];
  try {
    const { stdout } = await promisify(execFile)("nvidia-smi", [...query, ...one], {
      timeout: LONGEST_MS,
      windowsHide: true,
    });
    return readCards(stdout);
  } catch {
    // There is no such card, or no driver.
    return [];
  }
}

/** Reads lines such as "NVIDIA GeForce RTX 2060, 6144". */
export const readCards = (text: string): readonly NvidiaCard[] =>
  text.split("\n").flatMap((line) => {
    const [, name = "", mib = "0"] = /^(.+), *(\d+)\s*$/.exec(line) ?? [];
    return Number(mib) > 0 ? [{ name, bytes: Number(mib) * 2 ** 20 }] : [];
  });

/** The devices that a machine has, as far as it can be known, and how it is known. */
export interface FoundDevices {
  readonly devices: readonly DeviceName[];
  readonly how: string;
}

const INSTALL_CUDA = "npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12";

/**
 * What `DEVICES=auto` means: every card of NVIDIA where ONNX Runtime's CUDA files are installed, else the one of DEVICE. What
 * WebGPU and DirectML would open can't be listed, since ONNX Runtime names no adapter.
 * @param visible the cards that CUDA_VISIBLE_DEVICES leaves; undefined for all
 */
export async function findDevices(visible?: readonly string[]): Promise<FoundDevices> {
  const cards = await nvidiaCards();
  return chooseDevices({
    names: cards.map(({ name }) => name),
    visible: visible?.length ?? null,
    hasCuda: hasCudaFiles(),
    others: cards.length > 0 ? 0 : linuxCards(),
  });
}

/** The devices for what was found: names of NVIDIA's cards, how many of them may be seen, and how many other cards there are. */
export function chooseDevices({
  names,
  visible,
  hasCuda,
  others,
}: {
  readonly names: readonly string[];
  readonly visible: number | null;
  readonly hasCuda: boolean;
  readonly others: number;
}): FoundDevices {
  const count = Math.min(visible ?? names.length, names.length);
  const hidden = count < names.length ? `, ${names.length - count} hidden by CUDA_VISIBLE_DEVICES` : "";
  const cards = `${names.length} of NVIDIA (${names.join(", ")})${hidden}`;
  if (count > 0 && hasCuda)
    return { devices: names.slice(0, count).map((_, i): DeviceName => `cuda:${i}`), how: cards };
  const one: readonly DeviceName[] = ["auto"];
  if (names.length > 0)
    return {
      devices: one,
      how: `${cards}; that of DEVICE is used, for ONNX Runtime's CUDA files are missing: ${INSTALL_CUDA}`,
    };
  if (others > 1)
    return {
      devices: one,
      how: `${others} graphics cards, none of NVIDIA; that of DEVICE is used, which the system chooses`,
    };
  return { devices: one, how: "no card of NVIDIA; that of DEVICE is used" };
}

/** Whether ONNX Runtime can open CUDA: its files are downloaded apart from the rest. */
function hasCudaFiles(): boolean {
  const home = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const files = ["libonnxruntime_providers_cuda.so", "onnxruntime_providers_cuda.dll"];
  const bin = join(home, "bin");
  const folders = existsSync(bin) ? readdirSync(bin) : [];
  return folders.some((folder) =>
    files.some((file) => existsSync(join(bin, folder, process.platform, process.arch, file))),
  );
}

/** How many graphics cards Linux lists, each with its vendor. */
function linuxCards(): number {
  const folder = "/sys/class/drm";
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter(
    (name) => /^card\d+$/.test(name) && existsSync(join(folder, name, "device", "vendor")),
  ).length;
}
