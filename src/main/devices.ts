import type { Config } from "../config.js";
import { type DeviceName, kindOf, numberOf } from "../core/devices.js";
import type { OwnDevice } from "../inference/loop/model-choice.js";
import { findDevices } from "../inference/runtime/cards.js";
import { deviceMemory } from "../inference/runtime/device-memory.js";

/** The devices that DEVICES means here. */
export interface Devices {
  /** None where DEVICE alone counts. */
  readonly devices: readonly OwnDevice[];
  /** What `auto` found, in words; null where devices are named. */
  readonly found: string | null;
}

/** Finds out what DEVICES means on this machine, and what memory each of its devices has. */
export async function devicesOf(
  config: Pick<Config, "DEVICES" | "DEVICE_MEMORY" | "cudaCards">,
): Promise<Devices> {
  const { DEVICES, cudaCards } = config;
  const found = DEVICES === "auto" ? await findDevices(cudaCards) : null;
  const names = found?.devices ?? (DEVICES as readonly DeviceName[]);
  // One device that nobody named is what DEVICE=auto opens.
  if (names.length === 1 && names[0] === "auto") return { devices: [], found: found?.how ?? null };
  const memory = await sharedMemory(names, config.DEVICE_MEMORY);
  const devices = names.map((name): OwnDevice => {
    const card = cardOf(name, cudaCards);
    return { name, memory: memory.get(name) ?? null, ...(card === undefined ? {} : { card }) };
  });
  return { devices, found: found?.how ?? null };
}

/** The number or UUID by which CUDA knows a device; undefined for those of other kinds. */
function cardOf(device: DeviceName, visible: readonly string[] | undefined): string | undefined {
  if (kindOf(device) !== "cuda") return undefined;
  const number = numberOf(device) ?? 0;
  return visible === undefined ? String(number) : (visible[number] ?? NO_CARD);
}
/** CUDA then finds no card, and says so. */
const NO_CARD = "-1";

/** Devices that share the machine's memory each get an equal part of it. */
async function sharedMemory(
  names: readonly DeviceName[],
  given: number | null,
): Promise<ReadonlyMap<DeviceName, number>> {
  if (given !== null) return new Map(names.map((name) => [name, given]));
  const onCpu = names.filter((name) => kindOf(name) === "cpu");
  if (onCpu.length < 2) return new Map();
  const each = Math.floor((await deviceMemory("cpu")) / onCpu.length);
  return new Map(onCpu.map((name) => [name, each]));
}
