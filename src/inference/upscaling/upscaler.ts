import { parse } from "node:path";
import { compileGraph, extraNote } from "../../checkpoints/compile.js";
import { openUpscaler, type UpscalerFile } from "../../checkpoints/layouts/upscaler.js";
import { codeOf, InferenceError } from "../../core/errors.js";
import type { PictureSize, Precision } from "../../core/options.js";
import { upscaleFactor, upscaleMultiple, upscaler } from "../../models/esrgan.js";
import type { Rgb } from "../../pictures/rgb.js";
import { GuardedPart, partLoader } from "../diffusion/guarded-part.js";
import { areNumbers } from "../diffusion/usable.js";
import type { Device } from "../runtime/device.js";
import { arithmeticOn } from "../runtime/device-check.js";
import type { Plan } from "../runtime/plan.js";
import { planOn, precisionOf } from "../runtime/precision.js";
import { Session, Tensor } from "../runtime/session.js";
import { type Rect, tilesOf } from "./tiles.js";

export interface UpscalerOptions {
  /** Absolute path of a .pth or safetensors file. */
  readonly file: string;
  readonly device: Device;
  readonly precision: Precision;
  readonly cacheDir: string;
  /** 0: the runtime chooses. */
  readonly threads: number;
}

export interface UpscaleOptions {
  /** Longest side of a tile without its overlap, in pixels of the picture; `TILE.side` by default. */
  readonly tile?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each tile. */
  readonly onTile?: ((done: number, of: number) => void) | undefined;
}

/**
 * Pixels. A published network sees some hundred pixels around each, but hardly by those beyond the overlap
 * (docs/fidelity.md has how near the result is).
 */
export const TILE = { side: 256, least: 32, overlap: 32 } as const;

/** An upscaler of ESRGAN's family, compiled and on its device. */
export class Upscaler {
  private constructor(
    /** Its file's name without the end. */
    readonly name: string,
    readonly weightBytes: number,
    /** Sentences about the file that stop nothing. */
    readonly notes: readonly string[],
    private readonly file: UpscalerFile,
    private readonly part: GuardedPart<"upscaled">,
  ) {}

  /** How many times as long a picture's sides become. */
  get factor(): number {
    return upscaleFactor(this.file.config);
  }

  /**
   * Reads the file, compiles its graph (or reuses an earlier one) and loads it.
   * @throws CheckpointError if it is no such upscaler; InferenceError if it does not fit the device
   */
  static async open(options: UpscalerOptions): Promise<Upscaler> {
    const { device, cacheDir, threads } = options;
    const file = openUpscaler(options.file);
    let weightBytes = 0;
    let extra: readonly string[] = [];
    const plan = planOn(device, options.precision);
    const load = async (plan: Plan, on: Device) => {
      const graph = upscaler(file.config, await arithmeticOn(on, plan));
      const compiled = await compileGraph(graph, file.weights, { cacheDir });
      ({ weightBytes, extra } = compiled);
      return Session.open<"upscaled">("the upscaler", compiled, device, { threads });
    };
    const part = new GuardedPart(plan, partLoader({ plan, device, cacheDir }, load));
    await part.load();
    const note = extraNote(options.file, extra);
    return new Upscaler(parse(options.file).name, weightBytes, note === null ? [] : [note], file, part);
  }

  /** Type of the weights. */
  get precision(): string {
    return precisionOf(this.part.plan);
  }

  /**
   * The picture, `factor` times as large, in tiles where it is larger than one. If memory is full, smaller tiles
   * are tried.
   * @throws InferenceError CANCELLED, OUT_OF_MEMORY if the smallest tile is too large
   */
  async upscale(picture: Rgb, options: UpscaleOptions = {}): Promise<Rgb> {
    for (let side = options.tile ?? TILE.side; ; side = Math.max(TILE.least, side / 2)) {
      try {
        return await this.#inTiles(picture, side, options);
      } catch (error) {
        if (codeOf(error) !== "OUT_OF_MEMORY" || side <= TILE.least) throw error;
      }
    }
  }

  async #inTiles(picture: Rgb, side: number, { signal, onTile }: UpscaleOptions): Promise<Rgb> {
    const { factor } = this;
    const multiple = upscaleMultiple(this.file.config);
    const width = picture.width * factor;
    const pixels = new Uint8Array(3 * width * picture.height * factor);
    const tiles = tilesOf(picture, { side, overlap: TILE.overlap, multiple });
    for (const [i, { own, seen }] of tiles.entries()) {
      if (signal?.aborted) throw new InferenceError("CANCELLED", "cancelled between two tiles");
      const padded = { width: roundUp(seen.width, multiple), height: roundUp(seen.height, multiple) };
      const values = await this.#run(planesOf(picture, seen, padded), padded);
      const within = scaled({ ...own, left: own.left - seen.left, top: own.top - seen.top }, factor);
      const target = scaled(own, factor);
      copyRect(values, scaled({ ...padded, left: 0, top: 0 }, factor), within, pixels, width, target);
      onTile?.(i + 1, tiles.length);
    }
    return { pixels, width, height: picture.height * factor };
  }

  /** image [1, 3, H, W] -> [1, 3, sH, sW], 0 to 1 both. */
  async #run(image: Float32Array, { width, height }: PictureSize): Promise<Float32Array> {
    const feeds = { image: new Tensor("float32", image, [1, 3, height, width]) };
    const { upscaled } = await this.part.run(feeds, (outputs) =>
      areNumbers(outputs.upscaled.data as Float32Array),
    );
    const values = upscaled.data as Float32Array;
    if (areNumbers(values)) return values;
    throw new InferenceError(
      "INTERNAL",
      `The output of ${this.name} is not a number, in full precision too: the file is damaged.`,
    );
  }

  async release(): Promise<void> {
    await this.part.release();
  }
}

const roundUp = (pixels: number, multiple: number): number => Math.ceil(pixels / multiple) * multiple;

const scaled = ({ left, top, width, height }: Rect, factor: number): Rect => ({
  left: left * factor,
  top: top * factor,
  width: width * factor,
  height: height * factor,
});

/** A part of a picture as [3, H, W], 0 to 1; beyond its right and lower edge it is mirrored, as torch's "reflect". */
function planesOf({ pixels, width }: Rgb, part: Rect, { width: W, height: H }: PictureSize): Float32Array {
  const planes = new Float32Array(3 * W * H);
  const mirrored = (i: number, size: number) => (i < size ? i : Math.max(0, 2 * (size - 1) - i));
  for (let y = 0; y < H; y++)
    for (let x = 0; x < W; x++) {
      const at = (part.top + mirrored(y, part.height)) * width + part.left + mirrored(x, part.width);
      for (let c = 0; c < 3; c++) planes[(c * H + y) * W + x] = pixels[3 * at + c]! / 255;
    }
  return planes;
}

/** Writes a part of planes [3, from.height, from.width], 0 to 1, as bytes into a picture of the given width. */
function copyRect(
  planes: Float32Array,
  from: PictureSize,
  part: Rect,
  pixels: Uint8Array,
  width: number,
  target: Rect,
): void {
  for (let y = 0; y < part.height; y++)
    for (let x = 0; x < part.width; x++)
      for (let c = 0; c < 3; c++) {
        const value = planes[(c * from.height + part.top + y) * from.width + part.left + x]!;
        pixels[3 * ((target.top + y) * width + target.left + x) + c] = Math.round(
          255 * Math.min(1, Math.max(0, value)),
        );
      }
}
