import { type Arithmetic, type Graph, GraphBuilder, type Value } from "../onnx/graph.js";
import { add, cast, concat, gather, mul, relu, reshape, sub, upsampleNearest } from "../onnx/ops.js";
import { Layers, sidesTimes } from "./layers.js";

/** The generator of ESRGAN: dense blocks in residual blocks (https://arxiv.org/abs/1809.00219). */
export interface RrdbConfig {
  readonly kind: "rrdb";
  /** Channels between the blocks, and those that each convolution in a block adds. */
  readonly features: number;
  readonly growth: number;
  readonly blocks: number;
  /** How often the sides are doubled behind the blocks. */
  readonly doublings: number;
  /**
   * Side of the squares of pixels that become channels first, as Real-ESRGAN does for scales below 4
   * (https://arxiv.org/abs/2107.10833); 1: none.
   */
  readonly unshuffle: number;
}

/** Real-ESRGAN's small generator: convolutions at the picture's own size, and one shuffle at the end. */
export interface CompactConfig {
  readonly kind: "compact";
  readonly features: number;
  /** Convolutions between the first and the last one. */
  readonly convolutions: number;
  readonly scale: number;
}

export type UpscalerConfig = RrdbConfig | CompactConfig;

/** How many times as long the sides become. */
export const upscaleFactor = (config: UpscalerConfig): number =>
  config.kind === "compact" ? config.scale : 2 ** config.doublings / config.unshuffle;

/** Sides of the picture must be multiples of this. */
export const upscaleMultiple = (config: UpscalerConfig): number =>
  config.kind === "compact" ? 1 : config.unshuffle;

/**
 * An upscaler: `image` float32 [B, 3, H, W], 0 to 1 -> `upscaled` float32 [B, 3, sH, sW], about 0 to 1, s being
 * `upscaleFactor`. H and W are multiples of `upscaleMultiple`.
 */
export function upscaler(config: UpscalerConfig, arithmetic: Arithmetic): Graph {
  const g = new GraphBuilder("upscaler", arithmetic);
  const multiple = upscaleMultiple(config);
  const image = g.input("image", "float32", ["batch", 3, ...sidesTimes(multiple)]);
  const upscaled = config.kind === "rrdb" ? rrdb(g, image, config) : compact(g, image, config);
  g.output("upscaled", upscaled, "float32", ["batch", 3, ...sidesTimes(multiple * upscaleFactor(config))]);
  return g.build();
}

/** Of all activations in ESRGAN. */
const SLOPE = 0.2;
const leaky = (g: GraphBuilder, x: Value): Value => g.op("LeakyRelu", [x], { alpha: { float: SLOPE } });
/** Of each residual that is added. */
const RESIDUAL = 0.2;

/** C features, G growth channels, h x w the sides behind the unshuffle. */
function rrdb(g: GraphBuilder, image: Value, { features: C, growth, ...config }: RrdbConfig): Value {
  const model = new Layers(g);
  const { blocks, doublings, unshuffle } = config;
  const pixels = cast(g, unshuffled(g, image, unshuffle), g.float); // [B, 3uu, h, w]
  const first = model.conv("conv_first", pixels, 3 * unshuffle ** 2, C); // [B, C, h, w]
  let x = first;
  for (let i = 0; i < blocks; i++) {
    const block = model.under(`body.${i}`);
    let y = x;
    for (const name of ["rdb1", "rdb2", "rdb3"]) y = dense(block.under(name), y, C, growth);
    x = residual(g, x, y);
  }
  x = add(g, first, model.conv("conv_body", x, C, C, { large: true }));
  for (let i = 1; i <= doublings; i++) x = leaky(g, model.conv(`conv_up${i}`, upsampleNearest(g, x), C, C)); // [B, C, 2h, 2w]
  x = leaky(g, model.conv("conv_hr", x, C, C));
  return cast(g, model.conv("conv_last", x, C, 3), "float32");
}

/** Five convolutions, each of all that came before it: x [B, C, h, w] -> the same */
function dense(layers: Layers, x: Value, C: number, G: number): Value {
  const { g } = layers;
  let all = x; // [B, C + G*(i-1), h, w]
  for (let i = 1; i <= 4; i++) {
    const from = C + G * (i - 1);
    all = concat(g, [all, leaky(g, layers.conv(`conv${i}`, all, from, G, { large: true }))], 1);
  }
  return residual(g, x, layers.conv("conv5", all, C + 4 * G, C, { large: true }));
}

const residual = (g: GraphBuilder, x: Value, y: Value): Value => add(g, mul(g, y, g.scalar(RESIDUAL)), x);

/** torch's pixel_unshuffle: x [B, 3, H, W] -> [B, 3uu, H/u, W/u], a color's squares in sequence */
function unshuffled(g: GraphBuilder, x: Value, u: number): Value {
  if (u === 1) return x;
  // ONNX puts the colors of one place together instead.
  const places = g.op("SpaceToDepth", [x], { blocksize: u });
  const order = Array.from({ length: 3 * u * u }, (_, k) => (k % (u * u)) * 3 + Math.floor(k / (u * u)));
  return gather(g, places, g.ints(...order), 1);
}

/** Layers are numbered with their activations: convolutions have even numbers, PReLUs odd ones. */
function compact(g: GraphBuilder, image: Value, { features: C, convolutions, scale }: CompactConfig): Value {
  const model = new Layers(g, "body");
  let x = cast(g, image, g.float);
  for (let i = 0; i <= convolutions; i++)
    x = prelu(model, `${2 * i + 1}`, model.conv(`${2 * i}`, x, i === 0 ? 3 : C, C, { large: i > 0 }), C);
  x = model.conv(`${2 * convolutions + 2}`, x, C, 3 * scale ** 2); // [B, 3ss, H, W]
  const details = cast(g, x, "float32");
  const shuffled = g.op("DepthToSpace", [details], { blocksize: scale, mode: "CRD" }); // [B, 3, sH, sW]
  const sizes = g.constant("float32", [4], [1, 1, scale, scale]);
  const nearest = g.op("Resize", [image, null, sizes], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
  return add(g, shuffled, nearest);
}

/** x [B, C, H, W], one slope a channel -> the same; WebGPU has no operator for it. */
function prelu(layers: Layers, name: string, x: Value, C: number): Value {
  const { g } = layers;
  const positive = relu(g, x);
  const slopes = reshape(g, layers.weight(`${name}.weight`, [C]), [C, 1, 1]);
  return add(g, positive, mul(g, slopes, sub(g, x, positive)));
}
