import type { PictureJudgement } from "./judgement.js";
import type { PerSide } from "./side.js";

/** A picture to go on from: a file in the folder of the job that goes on from it. */
export interface Source {
  readonly file: string;
  /** SHA-256 of the file as it was attached, or drawn, in hexadecimal. */
  readonly sha256: string;
  /** What the safety checker said when it was drawn; absent for a picture that a person attached. */
  readonly safety?: PictureJudgement["safety"];
}

/** The name of Pillow's filter among upscalers. */
export const LANCZOS = "lanczos";

/** What keeps a picture from being shown to everyone. */
export const CONCERNS = ["flagged", "unchecked"] as const;
export type Concern = (typeof CONCERNS)[number];

/** What the pictures of a job go on from, in place of noise alone (img2img). */
export interface From {
  /** The share of the steps that are taken, from as noisy a picture; see STRENGTH_RANGE. */
  readonly strength: number;
  readonly sources: PerSide<Source>;
  /** How many times as long the sides of the pictures are made before they are drawn over; absent for 1. */
  readonly enlarge?: number;
  /** By which upscaler, by its name in the library or LANCZOS; absent in jobs from before there was a choice. */
  readonly upscaler?: string;
  /** What a source may be where the job was asked for, by the settings of that time. */
  readonly accepts: readonly Concern[];
}

/** What the safety checker's answer means for a picture; null for one that may be shown to everyone. */
export function concernOf(safety: PictureJudgement["safety"]): Concern | null {
  if (safety === "harmless") return null;
  if (safety === "unchecked") return "unchecked";
  return safety.flagged ? "flagged" : null;
}

/** Whether a source has its verdict. One that was attached, or that nothing looked at when it was drawn, waits for it. */
export const isJudged = ({ safety = "unchecked" }: Source): boolean => safety !== "unchecked";

/** How many steps are taken of a path of `steps`, as in diffusers' img2img. */
export const stepsTaken = (steps: number, strength: number): number => Math.floor(steps * strength);

/** Whether each step asks the UNet twice, with the negative prompt too (classifier-free guidance). */
export const isGuided = (guidance: number): boolean => guidance > 1;

/**
 * What the steps of a picture cost, in guided steps of one of the usual size: the time of each grows with the area, and
 * without guidance it is half.
 */
export const stepsCost = (
  steps: number,
  guidance: number,
  from?: Pick<From, "strength" | "enlarge">,
): number =>
  stepsTaken(steps, from?.strength ?? 1) * (from?.enlarge ?? 1) ** 2 * (isGuided(guidance) ? 1 : 0.5);

/** The least strength, in hundredths, that takes a step of a path of `steps`. */
export const leastStrength = (steps: number): number => Math.ceil(100 / steps) / 100;
