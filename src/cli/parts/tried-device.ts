import { ownSide } from "../../checkpoints/layouts/diffusion-files.js";
import type { Config } from "../../config.js";
import { type DeviceName, kindOf } from "../../core/devices.js";
import { type PictureSize, showSize } from "../../core/options.js";
import type { SizeLimitOptions } from "../../inference/diffusion/size-limit.js";
import type { DeviceReport } from "../../inference/runtime/device-check.js";
import { type Plan, planName } from "../../inference/runtime/plan.js";

/** A device as the workers open it, and what its check found. */
export interface TriedDevice {
  /** The device that draws. */
  readonly image: string;
  /** How it computes Stable Diffusion. */
  readonly plan: Plan;
  /** Why not otherwise, in a sentence; null if nothing stands in the way of the cheapest plan. */
  readonly note: string | null;
  /**
   * How its operators compare with the CPU's; the CPU itself is compared with a spelled-out version of each.
   */
  readonly reports: readonly DeviceReport[];
  /** The same of Promptist's operators. */
  readonly textReports: readonly DeviceReport[];
}

/**
 * Opens the device as the workers will: with the plan that its precision allows, and with the check's results
 * from the cache. Throws InferenceError DEVICE_UNAVAILABLE if a device named explicitly is refused.
 */
export async function tryDevice(
  name: DeviceName,
  { cacheDir, DIFFUSION_PRECISION: precision }: Pick<Config, "cacheDir" | "DIFFUSION_PRECISION">,
): Promise<TriedDevice> {
  const [{ openDevice }, { checkForms }, { operatorForms }, { planOn, plansToTry }] = await Promise.all([
    import("../../inference/runtime/open-device.js"),
    import("../../inference/runtime/device-check.js"),
    import("../../inference/runtime/operator-forms.js"),
    import("../../inference/runtime/precision.js"),
  ]);
  const image = await openDevice(name, { user: "image", plans: plansToTry(precision), cacheDir });
  const text = await openDevice(name, { user: "text", plans: ["fp32"], cacheDir });
  const isCpu = kindOf(image.name) === "cpu";
  return {
    image: image.name,
    plan: planOn(image, precision),
    note: image.note,
    reports: isCpu ? [await checkForms("cpu", "fp32", operatorForms("float32"))] : image.reports,
    textReports: isCpu ? [] : text.reports,
  };
}

/** A picture's size with what it takes by the count (inference/diffusion/memory-count.ts). */
export interface CountedSize {
  readonly size: PictureSize;
  /** The memory plan in words; null if it fits under none. */
  readonly memoryPlan: string | null;
  /** Under that plan, or under the one that takes the least. */
  readonly countedBytes: number;
}

/** Counts pictures of these sizes on a device that was tried. Throws CheckpointError. */
export async function countSizes(
  checkpoint: Pick<SizeLimitOptions, "directory" | "vae" | "memory" | "card">,
  { image, plan }: Pick<TriedDevice, "image" | "plan">,
  sizes: readonly PictureSize[],
): Promise<{ readonly limit: number; readonly sizes: readonly CountedSize[] }> {
  const [{ countMemory }, { MEMORY_PLANS, memoryPlanName }] = await Promise.all([
    import("../../inference/diffusion/size-limit.js"),
    import("../../inference/diffusion/memory-plan.js"),
  ]);
  const device = { isCpu: kindOf(image as DeviceName) === "cpu", plan };
  const { count, limit } = await countMemory({ ...checkpoint, device: image as DeviceName }, device);
  const counted = sizes.map((size) => {
    const found = count.planFor(size, limit);
    return {
      size,
      memoryPlan: found && memoryPlanName(found),
      countedBytes: count.peak(size, found ?? MEMORY_PLANS.at(-1)!),
    };
  });
  return { limit, sizes: counted };
}

/** How many times as long the larger side is. */
const LARGER = 1.5;

/**
 * The memory for drawing, and what pictures of the checkpoint's own side and of a larger one take of it; what to do if
 * those of the own side don't fit. Throws CheckpointError.
 */
export async function describeMemory(
  checkpoint: Pick<SizeLimitOptions, "directory" | "vae" | "memory" | "card">,
  device: TriedDevice,
): Promise<{ readonly found: string; readonly todo: string | null }> {
  const own = ownSide(checkpoint.directory, checkpoint.vae);
  const squares = [own, LARGER * own].map((side) => ({ width: side, height: side }));
  const { limit, sizes } = await countSizes(checkpoint, device, squares);
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const takes = sizes.map(
    ({ size, memoryPlan, countedBytes }) =>
      `${showSize(size)} takes ${gib(countedBytes)} (${memoryPlan ?? "too much"})`,
  );
  return {
    found: `${gib(limit)} for drawing; ${takes.join(", ")}`,
    todo:
      sizes[0]?.memoryPlan === null
        ? "Pictures of the checkpoint's own size don't fit: raise DEVICE_MEMORY if there is more, or draw smaller ones."
        : null,
  };
}

/** One line per operator: its worst form, and what is done about it. */
export function operatorTable({ device, plan, forms }: DeviceReport): string[] {
  if (forms.every(({ verdict, error }) => verdict === "refused" && error === null))
    return ["", `Operators on ${device} in ${planName(plan)}: none runs (${forms[0]?.reason})`];
  const operators = [...new Set(forms.map(({ operator }) => operator))];
  const width = Math.max(...operators.map((operator) => operator.length));
  const rows = operators.map((operator) => {
    const uses = forms.filter((form) => form.operator === operator);
    const errors = uses.flatMap(({ error }) => error ?? []);
    const worst = errors.length > 0 ? Math.max(...errors).toExponential(1) : "none";
    const verdict = VERDICTS.find((one) => uses.some((use) => use.verdict === one)) ?? "right";
    const unable = uses.find(({ verdict, error }) => verdict === "refused" && error === null)?.reason;
    return `  ${operator.padEnd(width)}  ${String(uses.length).padStart(2)}  ${worst.padStart(7)}  ${verdict}${unable ? ` (${unable})` : ""}`;
  });
  return ["", `Operators on ${device} in ${planName(plan)}: forms tried, largest error, verdict`, ...rows];
}

/** Worst first. */
const VERDICTS = ["refused", "replaced", "right"] as const;
