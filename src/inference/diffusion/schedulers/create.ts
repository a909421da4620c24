import type { SchedulerName } from "../../../core/job.js";
import { DdimScheduler } from "./ddim.js";
import { DpmPlusPlus2mScheduler } from "./dpmpp-2m.js";
import { EulerScheduler } from "./euler.js";
import { EulerAncestralScheduler } from "./euler-ancestral.js";
import { LcmScheduler } from "./lcm.js";
import { PndmScheduler } from "./pndm.js";
import type { Scheduler } from "./scheduler.js";

/** The diffusers class that each name stands for. */
const CLASS_NAMES: Readonly<Record<SchedulerName, string>> = {
  pndm: "PNDMScheduler",
  ddim: "DDIMScheduler",
  euler: "EulerDiscreteScheduler",
  "euler-ancestral": "EulerAncestralDiscreteScheduler",
  "dpm++2m": "DPMSolverMultistepScheduler",
  "dpm++2m-karras": "DPMSolverMultistepScheduler",
  lcm: "LCMScheduler",
};

/**
 * A scheduler by name with the values of a checkpoint's `scheduler_config.json`, whichever class wrote the file.
 * @throws CheckpointError CHECKPOINT_ARCHITECTURE where the file asks for what the scheduler does not do
 */
export function createScheduler(
  name: SchedulerName,
  published: Readonly<Record<string, unknown>>,
): Scheduler {
  switch (name) {
    case "pndm":
      return new PndmScheduler(published);
    case "ddim":
      return new DdimScheduler(published);
    case "euler":
      return new EulerScheduler(published);
    case "euler-ancestral":
      return new EulerAncestralScheduler(published);
    case "dpm++2m":
      return new DpmPlusPlus2mScheduler(published, false);
    case "dpm++2m-karras":
      return new DpmPlusPlus2mScheduler(published, true);
    case "lcm":
      return new LcmScheduler(published);
  }
}

/**
 * The file's values as diffusers' StableDiffusionPipeline takes them: it counts every Stable Diffusion's timesteps
 * from 1 and never clips latents, whatever an old file says. Where another class than the file's own is chosen, it
 * corrects only what the file spells out, and the chosen class' defaults fill the rest; so do we.
 */
export function stableDiffusionConfig(
  name: SchedulerName,
  published: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const ownClass = published._class_name === CLASS_NAMES[name];
  const config: Record<string, unknown> = { ...published };
  if (ownClass || "steps_offset" in published) config.steps_offset = 1;
  if (ownClass || "clip_sample" in published) config.clip_sample = false;
  return config;
}
