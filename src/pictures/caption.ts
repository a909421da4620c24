import type { ImageSettings } from "../core/job.js";

/** The small print under a pair: what repeats it. */
export function captionOf(settings: ImageSettings, checkpoint: string): string {
  const { seed, steps, guidance, scheduler, negative } = settings;
  const parts = [`seed ${seed}`, `${steps} steps`, `guidance ${guidance}`, scheduler, checkpoint];
  return (negative ? [...parts, `without: ${negative}`] : parts).join("  ·  ");
}
