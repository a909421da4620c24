import { codeOf } from "../../core/errors.js";
import type { PictureNote } from "../../core/job.js";
import { IMAGE_RANGES } from "../../core/options.js";
import { cutOut } from "../../pictures/resize.js";
import type { DiffusionModel } from "../diffusion/model.js";
import {
  type DrawOptions,
  drawPicture,
  type Picture,
  type PictureRequest,
  type PromptTokenizer,
  type StartPicture,
} from "../diffusion/pipeline.js";
import { type Tile, tilesOf } from "./tiles.js";

/** Share of a tile, along each edge, in which it and its neighbour pass over into each other. */
const OVERLAP = 1 / 8;

export interface SecondPassOptions extends DrawOptions {
  /** Longest side of what is drawn at once; by default all, and the checkpoint's own where memory does not hold it. */
  readonly tile?: number | undefined;
}

/**
 * Draws over a picture that was made larger, as img2img does: what A1111 calls hires fix, and with tiles its script
 * "SD upscale". Each tile is a picture of its own for diffusers' StableDiffusionImg2ImgPipeline, from the seed plus
 * its number, and fades into its neighbours.
 * @throws like `drawPicture`
 */
export async function secondPass(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  request: PictureRequest & { readonly from: StartPicture },
  { tile, ...options }: SecondPassOptions = {},
): Promise<Picture> {
  const { width, height } = request.from.picture;
  const native = model.config.sampleSize * model.config.vaeScaleFactor;
  const longest = Math.max(width, height);
  if (longest <= (tile ?? Math.max(IMAGE_RANGES.side.max, native))) {
    try {
      return await drawPicture(model, tokenizer, request, options);
    } catch (error) {
      if (tile !== undefined || longest <= native || codeOf(error) !== "OUT_OF_MEMORY") throw error;
    }
  }
  return inTiles(model, tokenizer, request, tile ?? native, options);
}

async function inTiles(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  request: PictureRequest & { readonly from: StartPicture },
  side: number,
  { signal, onStep }: DrawOptions,
): Promise<Picture> {
  const { picture } = request.from;
  const { vaeScaleFactor: multiple } = model.config;
  const overlap = multiple * Math.max(1, Math.round((side * OVERLAP) / multiple));
  const tiles = tilesOf(picture, { side: Math.max(multiple, side - 2 * overlap), overlap, multiple });
  const blend = new Blend(picture.width, picture.height);
  const notes = new Set<PictureNote>();
  let calls = 0;
  let seconds = 0;
  let cut: Pick<Picture, "truncated" | "truncatedNegative"> = { truncated: null, truncatedNegative: null };
  for (const [i, tile] of tiles.entries()) {
    const drawn = await drawPicture(
      model,
      tokenizer,
      {
        ...request,
        seed: seedOf(request.seed, i),
        from: { ...request.from, picture: cutOut(picture, tile.seen) },
      },
      {
        ...(signal && { signal }),
        onStep: (done, of) => onStep?.(i * of + done, tiles.length * of),
        isPart: true,
      },
    );
    blend.add(drawn.pixels, tile, overlap);
    for (const note of drawn.notes) notes.add(note);
    calls += drawn.calls;
    seconds += drawn.seconds;
    cut = drawn;
  }
  const { truncated, truncatedNegative } = cut;
  const { width, height } = picture;
  return {
    pixels: blend.pixels(),
    ...{ width, height, truncated, truncatedNegative, notes: [...notes], calls, seconds },
  };
}

/** Within 0..2^53 - 1, where a number still counts one by one. */
const seedOf = (seed: number, index: number): number =>
  seed <= Number.MAX_SAFE_INTEGER - index ? seed + index : index;

/** Tiles put together: where two lie over each other, the share of one falls as that of the other grows. */
class Blend {
  readonly #sums: Float32Array;
  readonly #weights: Float32Array;

  constructor(
    readonly width: number,
    height: number,
  ) {
    this.#sums = new Float32Array(3 * width * height);
    this.#weights = new Float32Array(width * height);
  }

  add(pixels: Uint8Array, { seen, own }: Tile, overlap: number): void {
    const across = ramp(
      seen.width,
      own.left > seen.left,
      own.left + own.width < seen.left + seen.width,
      overlap,
    );
    const down = ramp(
      seen.height,
      own.top > seen.top,
      own.top + own.height < seen.top + seen.height,
      overlap,
    );
    for (let y = 0; y < seen.height; y++)
      for (let x = 0; x < seen.width; x++) {
        const weight = across[x]! * down[y]!;
        const at = (seen.top + y) * this.width + seen.left + x;
        this.#weights[at]! += weight;
        for (let c = 0; c < 3; c++) this.#sums[3 * at + c]! += weight * pixels[3 * (y * seen.width + x) + c]!;
      }
  }

  pixels(): Uint8Array {
    return Uint8Array.from(this.#sums, (sum, i) => Math.round(sum / this.#weights[Math.floor(i / 3)]!));
  }
}

/** Weights along one side of a tile: they rise from an edge inside the picture over twice the overlap. */
function ramp(length: number, hasBefore: boolean, hasAfter: boolean, overlap: number): Float32Array {
  const rising = (distance: number) => Math.min(1, (distance + 0.5) / (2 * overlap));
  return Float32Array.from(
    { length },
    (_, i) => (hasBefore ? rising(i) : 1) * (hasAfter ? rising(length - 1 - i) : 1),
  );
}
