import { describe, expect, it } from "vitest";
import { mergeLoras } from "../../../../src/checkpoints/layouts/lora.js";
import { temporaryFolder } from "../../support.js";
import { smallBases, writeOnes } from "./support.js";

const bases = smallBases();
const Q = "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q";
const TEXT = "text_model.encoder.layers.0.self_attn.q_proj";

const changed = (file: string) => {
  const { notes, ...merged } = mergeLoras(bases, [{ file, weight: 1 }]);
  expect(notes).toEqual([]);
  return (["unet", "text_encoder"] as const).flatMap((part) =>
    merged[part].names.filter((name) => merged[part].get(name) !== bases[part].get(name)),
  );
};

describe("a module is found by the name that a program gives it", () => {
  it.each<[string, string, string]>([
    ["kohya", `lora_unet_${Q.replaceAll(".", "_")}.lora_%.weight`, Q],
    [
      "kohya with the original's names",
      "lora_unet_input_blocks_5_1_transformer_blocks_0_attn1_to_q.lora_%.weight",
      Q,
    ],
    ["ComfyUI", "diffusion_model.input_blocks.5.1.transformer_blocks.0.attn1.to_q.lora_%.weight", Q],
    ["LyCORIS", `lycoris_${Q.replaceAll(".", "_")}.lora_%.weight`, Q],
    ["LyCORIS, text encoder", `lycoris_${TEXT.replaceAll(".", "_")}.lora_%.weight`, TEXT],
    ["PEFT", `base_model.model.${Q}.lora_$.weight`, Q],
    ["PEFT with the adapter's name", `base_model.model.${Q}.lora_$.default.weight`, Q],
    ["PEFT, text encoder", `base_model.model.${TEXT.replace("text_model.", "")}.lora_$.weight`, TEXT],
    ["diffusers", `unet.${Q}.lora_$.weight`, Q],
    ["diffusers before PEFT", `text_encoder.${TEXT}.lora_linear_layer.%.weight`, TEXT],
    ["kohya, text encoder", `lora_te_${TEXT.replaceAll(".", "_")}.lora_%.weight`, TEXT],
    ["kohya, first of two text encoders", `lora_te1_${TEXT.replaceAll(".", "_")}.lora_%.weight`, TEXT],
    ["ComfyUI, text encoder", `text_encoders.clip_l.transformer.${TEXT}.lora_%.weight`, TEXT],
  ])("%s", (_, pattern, module) => {
    const name = (half: "down" | "up") =>
      pattern.replace("%", half).replace("$", half === "down" ? "A" : "B");
    const shape = bases[module === Q ? "unet" : "text_encoder"].get(`${module}.weight`)!.shape;
    const tensors = { [name("down")]: [2, shape[1]!], [name("up")]: [shape[0]!, 2] };
    expect(changed(writeOnes(temporaryFolder(), tensors))).toEqual([`${module}.weight`]);
  });

  it.each([
    ["input_blocks.0.0", "conv_in"],
    ["input_blocks.3.0.op", "down_blocks.0.downsamplers.0.conv"],
    ["middle_block.1.proj_in", "mid_block.attentions.0.proj_in"],
    ["middle_block.2.in_layers.2", "mid_block.resnets.1.conv1"],
    ["output_blocks.2.1.conv", "up_blocks.0.upsamplers.0.conv"],
    ["output_blocks.5.2.conv", "up_blocks.1.upsamplers.0.conv"],
    ["output_blocks.11.0.skip_connection", "up_blocks.3.resnets.2.conv_shortcut"],
  ])("the original's %s is %s", (original, module) => {
    const shape = bases.unet.get(`${module}.weight`)!.shape;
    const file = writeOnes(temporaryFolder(), { [`diffusion_model.${original}.diff`]: shape });
    expect(changed(file)).toEqual([`${module}.weight`]);
  });
});

describe("a list that numbers its layers", () => {
  const shapeOf = (module: string) => bases.unet.get(`${module}.weight`)!.shape;
  const write = (modules: readonly string[]) =>
    writeOnes(
      temporaryFolder(),
      Object.fromEntries(
        modules.flatMap((module, i) => [
          [`unet:${i}:up`, [shapeOf(module)[0]!, 1]],
          [`unet:${i}:down`, [1, shapeOf(module)[1]!]],
        ]),
      ),
    );
  const block = (at: string, layers: readonly string[]) =>
    layers.map((layer) => `${at}.transformer_blocks.0.${layer}`);
  const attention = (name: string) => ["to_q", "to_k", "to_v", "to_out.0"].map((layer) => `${name}.${layer}`);
  /** As PyTorch's `modules()` of diffusers 0.10 has them. */
  const inOrder = (layers: readonly string[]) =>
    [
      ...[0, 1, 2].flatMap((level) => [0, 1].map((layer) => `down_blocks.${level}.attentions.${layer}`)),
      ...[1, 2, 3].flatMap((level) => [0, 1, 2].map((layer) => `up_blocks.${level}.attentions.${layer}`)),
      "mid_block.attentions.0",
    ].flatMap((at) => block(at, layers));

  it.each([
    ["attention and gated layers", [...attention("attn1"), "ff.net.0.proj", ...attention("attn2")]],
    ["attention", [...attention("attn1"), ...attention("attn2")]],
  ])("of %s, as the script writes it, is read", (_, layers) => {
    const modules = inOrder(layers);
    expect(modules).toHaveLength(16 * layers.length);
    expect(changed(write(modules)).sort()).toEqual(modules.map((module) => `${module}.weight`).sort());
  });

  it("of other layers is read as the first that fit, and says so", () => {
    const modules = inOrder(["attn1.to_q", "attn2.to_k"]);
    const { notes } = mergeLoras(bases, [{ file: write(modules), weight: 1 }]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("taken as attn1.to_q, attn2.to_k, the first that fit");
  });

  it("that no choice of layers fits is refused", () => {
    expect(() => mergeLoras(bases, [{ file: write(["conv_in", "conv_out"]), weight: 1 }])).toThrow(
      "fits no module",
    );
  });
});
