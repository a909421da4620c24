import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { release } from "node:os";
import { basename, join } from "node:path";
import { type DeviceName, kindOf } from "../../core/devices.js";
import { replaceFile } from "../../files/replace-file.js";
import { type Device, resolveDevice } from "./device.js";
import { checkForms, type DeviceReport, type GraphRunner, refusalOf, runGraph } from "./device-check.js";
import { measureSpeed, type Stopwatch, slownessOf } from "./device-speed.js";
import { env } from "./onnxruntime.js";
import { operatorForms } from "./operator-forms.js";
import { arithmeticOf, type Plan, planName } from "./plan.js";

export interface OpenDeviceOptions {
  /** Whose operators to try; all by default. */
  readonly user?: "text" | "image";
  /** Plans that graphs may use, cheapest first: the first whose operators are all right is chosen. */
  readonly plans: readonly Plan[];
  /** Where reports are stored, so that a device is tried once. */
  readonly cacheDir: string;
  readonly run?: GraphRunner;
  readonly time?: Stopwatch;
}

/** A device whose operators were tried, with the results. */
export interface CheckedDevice extends Device {
  readonly reports: readonly DeviceReport[];
}

/**
 * The named device, after its operators gave the CPU's numbers (device-check.ts). Graphs avoid wrong
 * operators. If that does not help, or the device is slower than the CPU (device-speed.ts), `auto` tries the
 * next device. The CPU itself is not tried.
 * @throws InferenceError DEVICE_UNAVAILABLE, naming the operator, if an explicitly named device is refused
 */
export async function openDevice(name: DeviceName, options: OpenDeviceOptions): Promise<CheckedDevice> {
  const reports: DeviceReport[] = [];
  const device = await resolveDevice(name, async (candidate) => {
    reports.length = 0;
    const slow = name === "auto" ? slownessOf(await speedOf(candidate, options)) : null;
    if (slow !== null) return slow;
    const refusals: string[] = [];
    for (const plan of options.plans) {
      const report = await reportOf(candidate, plan, options);
      reports.push(report);
      const refusal = refusalOf(report);
      if (refusal === null) return null;
      refusals.push(refusal);
    }
    return refusals.join("; ");
  });
  if (kindOf(device.name) === "cpu") return { ...device, reports: [] };
  const chosen = reports.at(-1) as DeviceReport;
  const checked = { plan: chosen.plan, avoided: new Set(chosen.avoided) };
  return { ...device, note: noteOf(reports), checked, reports };
}

/** A sentence if the device is used with restrictions. */
function noteOf(reports: readonly DeviceReport[]): string | null {
  const { device, plan, avoided } = reports.at(-1) as DeviceReport;
  const refused = reports.slice(0, -1);
  const parts = [
    ...(refused.length > 0
      ? [
          `${device} computes with ${planName(plan)}, because ${refused.map((report) => refusalOf(report)).join(", and ")}`,
        ]
      : []),
    ...(avoided.length > 0
      ? [
          `${device} is wrong at ${avoided.join(", ")} here, so simpler operators stand in, which take more time`,
        ]
      : []),
  ];
  return parts.length === 0 ? null : `${parts.join("; ")}.`;
}

function reportOf(
  device: Device["name"],
  plan: Plan,
  { user, cacheDir, run = runGraph }: OpenDeviceOptions,
): Promise<DeviceReport> {
  const forms = operatorForms(arithmeticOf(plan).float, user);
  const of = [CHECK_VERSION, device, plan, forms.map(({ operator, form }) => [operator, form])];
  return remembered(of, cacheDir, () => checkForms(device, plan, forms, run));
}

/** How many times as fast as the CPU a device is at a product. */
function speedOf(device: Device["name"], { cacheDir, time }: OpenDeviceOptions): Promise<number> {
  return remembered(["speed", device], cacheDir, () => measureSpeed(device, time));
}

/** The stored measurement for this device and driver, else the result of `measure`, which is then stored. */
async function remembered<T>(of: unknown[], cacheDir: string, measure: () => Promise<T>): Promise<T> {
  const key = createHash("sha256")
    .update(JSON.stringify([...of, identity()]))
    .digest("hex");
  const path = join(cacheDir, "device-checks.json");
  const known = await readReports(path);
  const kept = known.find((report) => report.key === key && Date.now() - report.time < LONGEST_MS);
  if (kept !== undefined) return kept.report as T;
  const report = await measure();
  const others = known.filter((other) => other.key !== key).slice(-MOST_REPORTS);
  await replaceFile(path, JSON.stringify([...others, { key, time: Date.now(), report }]));
  return report;
}

/** Raise it when forms or tolerances change under the same names. */
const CHECK_VERSION = 2;
/** Measure again after this long: a card may be replaced without any change to the driver's files. */
const LONGEST_MS = 30 * 24 * 3600 * 1000;
const MOST_REPORTS = 15;

interface KeptReport {
  readonly key: string;
  readonly time: number;
  readonly report: unknown;
}

async function readReports(path: string): Promise<readonly KeptReport[]> {
  if (!existsSync(path)) return [];
  try {
    const kept: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(kept) ? kept : [];
  } catch (error) {
    // A power cut can leave half a file; measure again.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/**
 * Files of graphics drivers and their loaders, on Linux, Windows and macOS, among a process' many other
 * libraries.
 */
const DRIVER =
  /onnxruntime|vulkan|vk_|gallium|mesa|dri|nvidia|nvgpu|nvwgf|nvoglv|cuda|cudnn|cublas|amd|ati|radeon|intel|igd|igc|d3d|dxgi|dxil|directml|metal|agx/i;

/**
 * What a report is valid for: the runtime, the system, the graphics cards that Linux lists, and the drivers
 * (the libraries loaded to open the device, each with its size and time). The runtime itself names neither
 * adapter nor driver.
 */
function identity(): unknown[] {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  report.excludeNetwork = true;
  const { sharedObjects = [] } = report.getReport() as { sharedObjects?: string[] };
  const libraries = sharedObjects
    .filter((file) => DRIVER.test(basename(file)) && existsSync(file))
    .sort()
    .map((file) => [file, statSync(file).size, Math.round(statSync(file).mtimeMs)]);
  return [env.versions, process.platform, process.arch, release(), libraries, cards()];
}

/** Vendor and device numbers of the graphics cards, if the system exposes them as files. */
function cards(): string[] {
  const folder = "/sys/class/drm";
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^card\d+$/.test(name))
    .sort()
    .flatMap((name) => ["vendor", "device"].map((file) => join(folder, name, "device", file)))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8").trim());
}
