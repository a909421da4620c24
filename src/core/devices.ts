/** Where models run; `auto` takes the GPU if it can be opened. */
export const DEVICE_KINDS = ["auto", "cpu", "webgpu", "cuda", "dml", "coreml"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** Kinds of which one can be chosen by its number. */
const NUMBERED = ["cpu", "cuda", "dml"] as const;
type NumberedKind = (typeof NUMBERED)[number];

/** A device as people name it: a kind, or one of several of a kind by its number from 0, such as `cuda:1`. */
export type DeviceName = DeviceKind | `${NumberedKind}:${number}`;

export const kindOf = (device: DeviceName): DeviceKind => device.split(":")[0] as DeviceKind;

/** The number of a device among those of its kind; null where none was given. */
export function numberOf(device: DeviceName): number | null {
  const [, number] = device.split(":");
  return number === undefined ? null : Number(number);
}

export const DEVICE_HELP = `${new Intl.ListFormat("en-GB", { type: "disjunction" }).format(DEVICE_KINDS)}, or one of several, such as cuda:1`;

const WITHOUT_NUMBER: Partial<Record<DeviceKind, string>> = {
  webgpu:
    "ONNX Runtime opens the card that the system names first and lets nobody choose another. With NVIDIA's cards take cuda:0,cuda:1 (npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12), on Windows dml:0,dml:1. Elsewhere DEVICE=webgpu uses one card",
  coreml: "CoreML chooses by itself where it computes. Take coreml",
  auto: "auto looks for devices and takes no number",
};

/** Reads a device's name; a sentence in place of it says what is wrong. */
export function readDevice(text: string): { readonly device: DeviceName } | { readonly problem: string } {
  const [, name = "", digits] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const kind = DEVICE_KINDS.find((it) => it === name);
  if (kind === undefined) return { problem: `expected ${DEVICE_HELP}, not "${text.trim()}"` };
  if (digits === undefined) return { device: kind };
  const numbered = NUMBERED.find((it) => it === kind);
  if (numbered !== undefined) return { device: `${numbered}:${Number(digits)}` };
  // The first one is what the name without a number means.
  if (kind === "webgpu" && Number(digits) === 0) return { device: kind };
  return { problem: `there is no ${text.trim()}: ${WITHOUT_NUMBER[kind]}` };
}

/** Reads a list of devices with commas between them, each of which gets a loop of its own. */
export function readDevices(
  text: string,
): { readonly devices: readonly DeviceName[] } | { readonly problem: string } {
  const devices: DeviceName[] = [];
  for (const part of text.split(",").filter((it) => it.trim() !== "")) {
    const read = readDevice(part);
    if ("problem" in read) return read;
    const { device } = read;
    if (device === "auto") return { problem: "auto stands alone: it looks for all devices" };
    const same = devices.find((it) => kindOf(it) === kindOf(device) && isSame(it, device));
    if (same !== undefined)
      return { problem: `${same} and ${device} are one device; two models in turn would not fit on it` };
    devices.push(device);
  }
  return { devices };
}

/** Without a number a device is the first of its kind. */
const isSame = (one: DeviceName, other: DeviceName): boolean =>
  (numberOf(one) ?? 0) === (numberOf(other) ?? 0);

/** What is wrong with a device for rewriting beside these devices, in a sentence; nothing where it can be used. */
export function textDeviceProblem(text: DeviceName, devices: "auto" | readonly DeviceName[]): string[] {
  if (devices.length === 0 || text === "auto" || text === "cpu") return [];
  if (devices !== "auto" && devices.includes(text)) return [];
  return [`TEXT_DEVICE=${text}: with DEVICES it is auto, cpu, or one of the devices that are named there`];
}
