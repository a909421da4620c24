import { type Inspection, inspectCheckpoint, type Places } from "../../checkpoints/layouts/catalog.js";
import type { Config } from "../../config.js";

/** Where the configuration has models besides CHECKPOINTS_DIR. */
export const placesOf = ({ miniatureDir, hubCacheDir }: Config): Places => ({ miniatureDir, hubCacheDir });

/** What the configuration names to rewrite or to draw with, and what is wrong with it. */
export const inspectConfigured = (kind: "promptist" | "diffusion", config: Config): Inspection =>
  inspectCheckpoint(
    kind,
    (kind === "promptist" ? config.PROMPTIST_CHECKPOINT : config.DIFFUSION_CHECKPOINT) || undefined,
    config.checkpointsDir,
    { ...placesOf(config), ...(kind === "diffusion" && config.VAE ? { vae: config.VAE } : {}) },
  );
