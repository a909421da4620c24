import { CheckpointError } from "../../core/errors.js";
import type { RrdbConfig, UpscalerConfig } from "../../models/esrgan.js";
import { upscaleFactor } from "../../models/esrgan.js";
import { openAnyFile } from "../files/open.js";
import type { Weights } from "../files/weights.js";
import { renamed } from "./names.js";

/*
 * Upscalers of ESRGAN's family. One network is published under three sets of names, those of ESRGAN's first code
 * (layers by number), of its later code (also BSRGAN, RealSR) and of Real-ESRGAN's; graphs use the last. Sizes are
 * read from the shapes, since these files have no configuration.
 */

/** An upscaler's sizes, and its weights under the names of its graph. */
export interface UpscalerFile {
  readonly config: UpscalerConfig;
  readonly weights: Weights;
}

/** Names and shapes; no values. */
type TensorList = Pick<Weights, "names" | "get">;

/**
 * Opens an upscaler in a .pth or safetensors file. Only headers are read.
 * @throws CheckpointError like `openAnyFile`, and CHECKPOINT_ARCHITECTURE for a network that is not built
 */
export function openUpscaler(path: string): UpscalerFile {
  const weights = published(openAnyFile(path));
  const found = upscalerIn(weights);
  if (typeof found === "object" && found !== null) return { config: found, weights };
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${path} is ${found ?? "no upscaler that is known here"}. Give an ESRGAN or Real-ESRGAN, such as RealESRGAN_x4plus: promptist checkpoints pull realesrgan-x4`,
  );
}

/** The sizes of an upscaler, in a few words why it is not run, or null for another model. Never throws for odd tensors. */
export function readUpscaler(weights: Weights): UpscalerConfig | string | null {
  try {
    return upscalerIn(published(weights));
  } catch (error) {
    if (error instanceof CheckpointError) return "its tensors have several names";
    throw error;
  }
}

/** Such as "4x". */
export const scaleText = (config: UpscalerConfig): string => `${upscaleFactor(config)}x`;

/** Around the tensors of Real-ESRGAN's files; averaged weights, where they are, are the ones to use. */
const WRAPPERS = ["params_ema.", "params."];
const PARALLEL = /^module\./;

/** The tensors under the names of the graph, without the dictionaries around them. */
function published(weights: Weights): Weights {
  const wrapper = WRAPPERS.find((prefix) => weights.names.some((name) => name.startsWith(prefix))) ?? "";
  const bare = renamed(weights, (name) =>
    name.startsWith(wrapper) ? { name: name.slice(wrapper.length).replace(PARALLEL, "") } : null,
  );
  const rules = bare.get("model.0.weight") !== undefined ? rulesOfNumbers(bare) : LATER_NAMES;
  return renamed(bare, (name) => {
    const rule = rules.find(([pattern]) => pattern.test(name));
    return { name: rule === undefined ? name : name.replace(rule[0], rule[1]) };
  });
}

type Rule = readonly [RegExp, string];

const LATER_NAMES: readonly Rule[] = [
  [/^RRDB_trunk\.(\d+)\.RDB(\d)\./, "body.$1.rdb$2."],
  [/^trunk_conv\./, "conv_body."],
  [/^upconv(\d)\./, "conv_up$1."],
  [/^HRconv\./, "conv_hr."],
];

/** ESRGAN's first names: what a layer is follows from how many there are. */
function rulesOfNumbers({ names }: TensorList): Rule[] {
  const numbers = names.flatMap((name) => /^model\.(\d+)\.weight$/.exec(name)?.[1] ?? []).map(Number);
  if (numbers.length > MAX.numbered) return [];
  const [last, hr, ...ups] = numbers.filter((number) => number > 1).sort((a, b) => b - a);
  const ends: Rule[] = [
    [/^model\.0\./, "conv_first."],
    ...ups.reverse().map((number, i): Rule => [new RegExp(`^model\\.${number}\\.`), `conv_up${i + 1}.`]),
    [new RegExp(`^model\\.${hr}\\.`), "conv_hr."],
    [new RegExp(`^model\\.${last}\\.`), "conv_last."],
  ];
  return [
    ...ends,
    [/^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\./, "body.$1.rdb$2.conv$3."],
    [/^model\.1\.sub\.\d+\.(weight|bias)$/, "conv_body.$1"],
  ];
}

/** The largest published ones have 23 blocks and 64 features. */
const MAX = { blocks: 128, features: 1024, doublings: 3, convolutions: 128, scale: 8, numbered: 8 };

/** Networks for the same purpose with other layers, by a name that only they have. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/\.rdb\d\.conv1x1\.|\.RDB\d\.conv1x1\./, "an ESRGAN+"],
  [/^layers\.\d+\.residual_group\.blocks\.\d+\.conv_block\./, "a HAT"],
  [/^layers\.\d+\.residual_group\./, "a SwinIR"],
  [/^layers\.\d+\.blocks\.\d+\.attn\.attns\./, "a DAT"],
  [/^block_1\.c1_r\./, "a SPAN"],
  [/^body\.\d+\.body\.\d+\.body\.\d+\.conv_du\./, "an RCAN"],
  [/^body\.\d+\.conv1\./, "an SRResNet"],
  [/^feats\.\d+\./, "a PLKSR"],
];

function upscalerIn(weights: TensorList): UpscalerConfig | string | null {
  const { names } = weights;
  const other = OTHERS.find(([pattern]) => names.some((name) => name.length < 300 && pattern.test(name)));
  if (other !== undefined) return `${other[1]}, an upscaler that is not built here`;
  const shape = (name: string) => weights.get(name)?.shape ?? [];
  if (shape("body.0.rdb1.conv1.weight").length === 4) return rrdbIn(shape);
  if (shape("body.0.weight").length === 4 && shape("body.1.weight").length === 1) return compactIn(shape);
  return null;
}

/** How many names follow each other, from `first` on. */
function count(has: (i: number) => boolean, first: number, max: number): number {
  let i = first;
  while (i - first <= max && has(i)) i++;
  return i - first;
}

function rrdbIn(shape: (name: string) => readonly number[]): RrdbConfig | string {
  const [features = 0, input = 0] = shape("conv_first.weight");
  const [growth = 0] = shape("body.0.rdb1.conv1.weight");
  const [output] = shape("conv_last.weight");
  const blocks = count((i) => shape(`body.${i}.rdb1.conv1.weight`).length > 0, 0, MAX.blocks);
  const doublings = count((i) => shape(`conv_up${i}.weight`).length > 0, 1, MAX.doublings);
  const unshuffle = Math.sqrt(input / 3);
  if (output === undefined) return "a part of an ESRGAN: it has no last layer";
  if (output !== 3 || ![1, 2, 4].includes(unshuffle) || 2 ** doublings < unshuffle)
    return `an ESRGAN of ${input} input and ${output} output channels, which is not for RGB pictures`;
  if (blocks > MAX.blocks || features > MAX.features || growth > MAX.features || doublings > MAX.doublings)
    return "an ESRGAN far larger than any that is published";
  return { kind: "rrdb", features, growth, blocks, doublings, unshuffle };
}

function compactIn(shape: (name: string) => readonly number[]): UpscalerConfig | string {
  const [features = 0, input] = shape("body.0.weight");
  const convolutions = count((i) => shape(`body.${2 * i + 1}.weight`).length === 1, 1, MAX.convolutions);
  const [output = 0] = shape(`body.${2 * convolutions + 2}.weight`);
  const scale = Math.sqrt(output / 3);
  if (input !== 3 || !Number.isInteger(scale) || scale < 1)
    return `a compact Real-ESRGAN of ${input} input and ${output} output channels, which is not for RGB pictures`;
  if (convolutions > MAX.convolutions || features > MAX.features || scale > MAX.scale)
    return "a compact Real-ESRGAN far larger than any that is published";
  return { kind: "compact", features, convolutions, scale };
}
