import type { NormalSource } from "../../numbers/torch-random.js";

/**
 * Turns the UNet's outputs into a path from noise to a picture's latents. One instance serves one picture at
 * a time: `setTimesteps` makes a path, then `step` is called once per index, from 0 upwards, or from where
 * `start` began.
 *
 * Symbols used by every scheduler, with their names in the papers:
 *
 * | here            | paper                | meaning                                                   |
 * |-----------------|----------------------|-----------------------------------------------------------|
 * | sample          | x_t                  | latents at the noise level of timestep t                  |
 * | noise           | e(x_t, t)            | the noise that the model sees in x_t                      |
 * | clean           | x_0                  | the latents that the model sees behind the noise          |
 * | alphasCumprod   | a_t (DDIM: alpha_t)  | share of the clean latents' variance that is left in x_t  |
 * | sigma           | sigma                | standard deviation of the noise over that of the signal   |
 */
export interface Scheduler {
  /** One per call of the UNet, falling; fractions if the algorithm interpolates the training schedule. */
  readonly timesteps: readonly number[];
  /** The initial latents are standard normal noise times this. */
  readonly initNoiseSigma: number;
  /** Throws InputError INPUT_OPTION if the algorithm has no path with that many steps on this checkpoint. */
  setTimesteps(steps: number): void;
  /**
   * Begins the path at `index` with a picture's latents in place of noise alone: `clean`, [B, C, h, w] after the
   * scaling factor, at the noise level of `timesteps[index]`, with `noise` of the same shape.
   */
  start(clean: Float32Array, noise: Float32Array, index: number): Float32Array;
  /** The UNet's input for `sample` at `timesteps[index]`. May return `sample` itself. */
  scaleModelInput(sample: Float32Array, index: number): Float32Array;
  /**
   * The sample at the next timestep (after the last one: the clean latents), in a new array.
   * @param modelOutput the UNet's output at `timesteps[index]`, after guidance
   * @param random the stream that also made the initial noise; only ancestral algorithms draw from it
   */
  step(modelOutput: Float32Array, index: number, sample: Float32Array, random: NormalSource): Float32Array;
}
