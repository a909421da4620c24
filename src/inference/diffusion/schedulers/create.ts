import { SCHEDULER_NAMES, type SchedulerName } from "../../../core/options.js";
import { DdimScheduler } from "./ddim.js";
import { DpmPlusPlus2mScheduler } from "./dpmpp-2m.js";
import { EulerScheduler } from "./euler.js";
import { EulerAncestralScheduler } from "./euler-ancestral.js";
import { LcmScheduler } from "./lcm.js";
import { PndmScheduler } from "./pndm.js";
import type { Scheduler } from "./scheduler.js";
import { TcdScheduler } from "./tcd.js";

type Published = Readonly<Record<string, unknown>>;

const MAKERS: Readonly<Record<SchedulerName, (published: Published) => Scheduler>> = {
  pndm: (published) => new PndmScheduler(published),
  ddim: (published) => new DdimScheduler(published),
  "ddim-trailing": (published) => new DdimScheduler({ ...published, timestep_spacing: "trailing" }),
  euler: (published) => new EulerScheduler(published),
  "euler-ancestral": (published) => new EulerAncestralScheduler(published),
  "dpm++2m": (published) => new DpmPlusPlus2mScheduler(published, false),
  "dpm++2m-karras": (published) => new DpmPlusPlus2mScheduler(published, true),
  lcm: (published) => new LcmScheduler(published),
  tcd: (published) => new TcdScheduler(published),
};

/**
 * A scheduler by name with the values of a checkpoint's `scheduler_config.json`, whichever class wrote the
 * file.
 * @throws CheckpointError CHECKPOINT_ARCHITECTURE if the file asks for something that the scheduler does not
 * support
 */
export function createScheduler(name: SchedulerName, published: Published): Scheduler {
  return MAKERS[name](published);
}

/**
 * The file's values as diffusers' StableDiffusionPipeline uses them: it counts every Stable Diffusion's
 * timesteps from 1 and never clips latents, whatever an old file says. For another class than the file's own
 * it corrects only values present in the file, and the chosen class' defaults fill the rest; so do we.
 */
export function stableDiffusionConfig(name: SchedulerName, published: Published): Published {
  const ownClass = published._class_name === SCHEDULER_NAMES[name].className;
  const config: Record<string, unknown> = { ...published };
  if (ownClass || "steps_offset" in published) config.steps_offset = 1;
  if (ownClass || "clip_sample" in published) config.clip_sample = false;
  return config;
}
