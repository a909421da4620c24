import { expect, it } from "vitest";
import { mergeLoras } from "../../../../src/checkpoints/layouts/lora.js";
import { temporaryFolder } from "../../support.js";
import { smallBases, writeOnes } from "./support.js";

const bases = smallBases();

/** Modules in the order of 26 weights: BASE, IN00 to IN11, M00, OUT00 to OUT11. */
const MODULES = [
  "text_model.encoder.layers.0.mlp.fc1",
  "conv_in",
  "down_blocks.0.attentions.0.proj_in",
  "down_blocks.0.resnets.1.conv1",
  "down_blocks.0.downsamplers.0.conv",
  "down_blocks.1.attentions.0.proj_in",
  "down_blocks.1.attentions.1.proj_in",
  "down_blocks.1.downsamplers.0.conv",
  "down_blocks.2.attentions.0.proj_in",
  "down_blocks.2.attentions.1.proj_in",
  "down_blocks.2.downsamplers.0.conv",
  "down_blocks.3.resnets.0.conv1",
  "down_blocks.3.resnets.1.conv1",
  "mid_block.attentions.0.proj_in",
  "up_blocks.0.resnets.0.conv1",
  "up_blocks.0.resnets.1.conv1",
  "up_blocks.0.upsamplers.0.conv",
  ...[1, 2, 3].flatMap((level) => [0, 1, 2].map((layer) => `up_blocks.${level}.attentions.${layer}.proj_in`)),
];
/** The blocks that 17 weights name: those with attention, and the text encoder. */
const SHORT = [0, 2, 3, 5, 6, 8, 9, 13, 17, 18, 19, 20, 21, 22, 23, 24, 25];

const partOf = (module: string) => (module.startsWith("text_model") ? "text_encoder" : "unet");
const shapeOf = (module: string) => bases[partOf(module)].get(`${module}.weight`)!.shape;
const key = (module: string) =>
  `lora_${partOf(module) === "unet" ? "unet" : "te"}_${module.replaceAll(".", "_")}.diff`;

function growths(weight: number, blocks: readonly number[]): number[] {
  const modules = [...MODULES, "time_embedding.linear_1"];
  const tensors = Object.fromEntries(modules.map((module) => [key(module), shapeOf(module)]));
  const merged = mergeLoras(bases, [{ file: writeOnes(temporaryFolder(), tensors), weight, blocks }]);
  return modules.map((module) => {
    const name = `${module}.weight`;
    const part = partOf(module);
    const difference = merged[part].readFloat32(name)[0]! - bases[part].readFloat32(name)[0]!;
    return Math.round(difference * 1000) / 1000;
  });
}

it("26 weights are one for the text encoder and one for each block", () => {
  const weights = MODULES.map((_, i) => i / 10);
  expect(growths(0.5, weights)).toEqual([...weights.map((it) => it / 2), 0.5]);
});

it("17 weights leave out the blocks without attention", () => {
  const weights = SHORT.map((_, i) => (i + 1) / 10);
  const expected = MODULES.map((_, i) => (SHORT.includes(i) ? weights[SHORT.indexOf(i)]! : 0));
  expect(growths(1, weights)).toEqual([...expected, 1]);
});

it("a block with weight 0 is not copied", () => {
  const tensors = Object.fromEntries(["conv_in", "conv_out"].map((it) => [key(it), shapeOf(it)]));
  const choice = { file: writeOnes(temporaryFolder(), tensors), weight: 1, blocks: MODULES.map(() => 0) };
  const { unet } = mergeLoras(bases, [choice]);
  expect(unet.get("conv_in.weight")).toBe(bases.unet.get("conv_in.weight"));
  expect(unet.get("conv_out.weight")).not.toBe(bases.unet.get("conv_out.weight"));
});
