import type { Weights } from "../../files/weights.js";

/** A block of Stable Diffusion 1.x's UNet as its original code counts them, and a module's name there. */
export interface Block {
  readonly side: "IN" | "MID" | "OUT";
  readonly index: number;
  /** The module's name in the original code, such as `input_blocks.1.1.proj_in`. */
  readonly original: string;
}

/** Parts of a residual block, in diffusers' names -> the original's. */
const RESNET: Readonly<Record<string, string>> = {
  norm1: "in_layers.0",
  conv1: "in_layers.2",
  time_emb_proj: "emb_layers.1",
  norm2: "out_layers.0",
  conv2: "out_layers.3",
  conv_shortcut: "skip_connection",
};

/** Where a module of the UNet stood in the original code; undefined for what is in no block. */
export function blockOf(module: string, unet: Weights): Block | undefined {
  if (module === "conv_in") return { side: "IN", index: 0, original: "input_blocks.0.0" };
  const [, block, level, kind, layer, rest] =
    /^(down_blocks|mid_block|up_blocks)(?:\.(\d+))?\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$/.exec(
      module,
    ) ?? [];
  if (block === undefined || kind === undefined || rest === undefined) return undefined;
  const isResnet = kind === "resnets";
  const inside = isResnet ? RESNET[rest] : rest;
  if (inside === undefined) return undefined;
  if (block === "mid_block") {
    const at = isResnet ? 2 * Number(layer) : 1;
    return { side: "MID", index: 0, original: `middle_block.${at}.${inside}` };
  }
  const side = block === "down_blocks" ? "IN" : "OUT";
  const perLevel = layersPerLevel(unet) + 1;
  const first = perLevel * Number(level) + (side === "IN" ? 1 : 0);
  if (kind === "downsamplers" || kind === "upsamplers") {
    const index = first + perLevel - 1;
    const hasAttention = unet.get(`${block}.${level}.attentions.0.proj_in.weight`) !== undefined;
    const original =
      side === "IN" ? `input_blocks.${index}.0.op` : `output_blocks.${index}.${hasAttention ? 2 : 1}.conv`;
    return { side, index, original };
  }
  const index = first + Number(layer);
  const name = side === "IN" ? "input_blocks" : "output_blocks";
  return { side, index, original: `${name}.${index}.${isResnet ? 0 : 1}.${inside}` };
}

function layersPerLevel(unet: Weights): number {
  let count = 0;
  while (unet.get(`down_blocks.0.resnets.${count}.conv1.weight`)) count++;
  return count;
}

/** The blocks that 17 weights stand for: the text encoder (BASE) and the blocks with attention. */
const SHORT = "BASE IN1 IN2 IN4 IN5 IN7 IN8 MID0 OUT3 OUT4 OUT5 OUT6 OUT7 OUT8 OUT9 OUT10 OUT11".split(" ");
const numbered = (side: string) => Array.from({ length: 12 }, (_, index) => `${side}${index}`);
/** The blocks that 26 weights stand for. */
const LONG = ["BASE", ...numbered("IN"), "MID0", ...numbered("OUT")];

/** How many weights may be given: one for each block. */
export const BLOCK_COUNTS: readonly number[] = [SHORT.length, LONG.length];

/**
 * What the weight of a whole adapter is multiplied with in a module, as A1111's extension "LoRA Block Weight"
 * has it: blocks that a short list leaves out get 0, modules outside of all blocks 1.
 */
export function blockWeight(weights: readonly number[], part: string, module: string, unet: Weights): number {
  if (part === "text_encoder") return weights[0]!;
  const block = blockOf(module, unet);
  if (block === undefined) return 1;
  const at = (weights.length === SHORT.length ? SHORT : LONG).indexOf(`${block.side}${block.index}`);
  return weights[at] ?? 0;
}
