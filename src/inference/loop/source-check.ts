import { InputError } from "../../core/errors.js";
import type { Job } from "../../core/job.js";
import type { ImageOptions } from "../../core/options.js";
import type { Side } from "../../core/side.js";
import { type Concern, concernOf, isJudged, type Source } from "../../core/source.js";
import type { PictureStore } from "../../pictures/store.js";
import type { FromFile } from "../worker/protocol.js";
import type { Host } from "./phase.js";

const REFUSED = { flagged: "PICTURE_FLAGGED", unchecked: "PICTURE_UNCHECKED" } as const;

/**
 * The file of what enlarges pictures before they are drawn over, by its name; null for Lanczos. Throws InputError
 * MODEL_GONE where it is not there any more.
 */
export type UpscalerOf = (name: string | undefined) => Promise<string | null>;

/** The pictures that jobs go on from, as far as they may be used. */
export class SourceCheck {
  readonly #pictures: PictureStore;
  readonly #upscalerOf: UpscalerOf;
  /** The last answer: both sides of a job, and all its pairs, may go on from one picture. */
  #last: { readonly key: string; readonly concern: Concern | null } | null = null;

  constructor(pictures: PictureStore, upscalerOf: UpscalerOf = async () => null) {
    this.#pictures = pictures;
    this.#upscalerOf = upscalerOf;
  }

  /**
   * What a side goes on from, once the safety checker has seen it; null for noise.
   * @throws InputError PICTURE_GONE if it is deleted, PICTURE_FLAGGED or PICTURE_UNCHECKED if it may not be used
   * where the job was asked for, MODEL_GONE where its upscaler is gone
   */
  async from(host: Host, { id }: Job, { from }: ImageOptions, side: Side): Promise<FromFile | null> {
    if (from === undefined) return null;
    const source = from.sources[side];
    const key = { jobId: id, file: source.file };
    if ((await this.#pictures.size(key)) === null)
      throw new InputError("PICTURE_GONE", `${source.file} of job ${id}, which it goes on from, is deleted.`);
    const file = await this.#pictures.localPath(key);
    const concern = await this.#concern(host, source, file);
    if (concern !== null && !from.accepts.includes(concern))
      throw new InputError(REFUSED[concern], `The picture that job ${id} goes on from is ${concern}.`);
    return {
      file,
      strength: from.strength,
      sha256: source.sha256,
      isHarmless: source.safety === "harmless",
      ...(from.enlarge === undefined
        ? {}
        : { enlarge: from.enlarge, upscaler: await this.#upscalerOf(from.upscaler) }),
    };
  }

  async #concern(host: Host, source: Source, file: string): Promise<Concern | null> {
    if (isJudged(source)) return concernOf(source.safety ?? "unchecked");
    if (this.#last?.key !== file) {
      const { safety } = await host.call("judge", { file, plainPrompt: null });
      this.#last = { key: file, concern: concernOf(safety) };
    }
    return this.#last.concern;
  }
}
