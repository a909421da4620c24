import { findVae } from "../../checkpoints/layouts/catalog.js";
import type { Config } from "../../config.js";
import { CheckpointError, describe } from "../../core/errors.js";
import type { OwnDevice } from "../../inference/loop/model-choice.js";
import type { DeviceReport } from "../../inference/runtime/device-check.js";
import { planName } from "../../inference/runtime/plan.js";
import type { Finding } from "./finding.js";
import { inspectConfigured } from "./places.js";
import { describeMemory, type TriedDevice, tryDevice } from "./tried-device.js";

/** The devices that the program would use, and what `DEVICES=auto` found, in words. */
export interface DevicesToTry {
  readonly devices: readonly OwnDevice[];
  readonly found: string | null;
}

interface Tried {
  readonly findings: readonly Finding[];
  /** Those that opened. */
  readonly devices: readonly { readonly own: OwnDevice; readonly tried: TriedDevice }[];
  readonly reports: readonly DeviceReport[];
}

/** Opens each device as the workers will. The program can do without one of several. */
export async function deviceFindings({ devices, found }: DevicesToTry, config: Config): Promise<Tried> {
  const opened: { own: OwnDevice; tried: TriedDevice }[] = [];
  const findings: Finding[] = [];
  for (const own of devices) {
    const subject = "device";
    try {
      const tried = await tryDevice(own.name, config);
      opened.push({ own, tried });
      const { image, plan, note } = tried;
      const found = `${own.name} -> ${image}, Stable Diffusion in ${planName(plan)}`;
      findings.push({ subject, state: note ? "note" : "ok", found, todo: note });
    } catch (error) {
      findings.push({ subject, state: "broken", found: own.name, todo: describe(error) });
    }
  }
  const isUsable = opened.length > 0;
  const names = devices.map(({ name }) => name).join(", ");
  return {
    findings: [
      ...(found === null
        ? []
        : [{ subject: "devices", state: "ok", found: `auto -> ${names}: ${found}`, todo: null } as const]),
      // The others work on; the broken one is tried again now and then.
      ...findings.map((finding) =>
        isUsable && finding.state === "broken"
          ? {
              ...finding,
              state: "note" as const,
              found: `${finding.found} can't be used; it would be set aside`,
            }
          : finding,
      ),
    ],
    devices: opened,
    reports: opened.flatMap(({ tried }) => [...tried.reports, ...tried.textReports]),
  };
}

/** What pictures of the checkpoint's own side and of a larger one take in memory, by the count, on each device. */
export async function memoryFindings(devices: Tried["devices"], config: Config): Promise<Finding[]> {
  const { checkpoint } = inspectConfigured("diffusion", config);
  if (checkpoint === null) return [];
  const subject = "memory";
  const findings: Finding[] = [];
  for (const { own, tried } of devices) {
    try {
      const vae = findVae(config.VAE || undefined);
      const { directory } = checkpoint;
      const counted = await describeMemory({ directory, vae, memory: own.memory, card: own.card }, tried);
      const found = devices.length === 1 ? counted.found : `${own.name}: ${counted.found}`;
      findings.push({ subject, state: counted.todo === null ? "ok" : "note", found, todo: counted.todo });
    } catch (error) {
      // The checkpoint's own finding says more.
      if (error instanceof CheckpointError) return [];
      findings.push({ subject, state: "broken", found: "not counted", todo: describe(error) });
    }
  }
  return findings;
}
