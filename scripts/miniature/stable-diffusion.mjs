// A Stable Diffusion pipeline of SD 1.5's architecture at toy size with seeded random weights, in the published layout.
import { normals } from "./random.mjs";

const TEXT = { width: 64, layers: 2, heads: 4, ff: 128, positions: 77 };
const UNET = { widths: [32, 48, 48], layers: 1, heads: 2, groups: 8, sample: 16 };
const VAE = { widths: [16, 32, 32, 32], layers: 1, groups: 8 };
const LATENTS = 4;
/** Newer than 0.9: for an older one diffusers takes the UNet's sample size to be 64, whatever is written. */
const DIFFUSERS_VERSION = "0.30.0";

export const modelIndex = {
  _class_name: "StableDiffusionPipeline",
  _diffusers_version: DIFFUSERS_VERSION,
  feature_extractor: [null, null],
  image_encoder: [null, null],
  requires_safety_checker: false,
  safety_checker: [null, null],
  scheduler: ["diffusers", "PNDMScheduler"],
  text_encoder: ["transformers", "CLIPTextModel"],
  tokenizer: ["transformers", "CLIPTokenizer"],
  unet: ["diffusers", "UNet2DConditionModel"],
  vae: ["diffusers", "AutoencoderKL"],
};

/** As SD 1.5 publishes it. */
export const schedulerConfig = {
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};

export const textConfig = (vocabSize) => ({
  architectures: ["CLIPTextModel"],
  attention_dropout: 0,
  bos_token_id: vocabSize - 2,
  dropout: 0,
  eos_token_id: vocabSize - 1,
  hidden_act: "quick_gelu",
  hidden_size: TEXT.width,
  initializer_range: 0.02,
  intermediate_size: TEXT.ff,
  layer_norm_eps: 1e-5,
  max_position_embeddings: TEXT.positions,
  model_type: "clip_text_model",
  num_attention_heads: TEXT.heads,
  num_hidden_layers: TEXT.layers,
  pad_token_id: 1,
  projection_dim: TEXT.width,
  torch_dtype: "float16",
  vocab_size: vocabSize,
});

export const unetConfig = {
  _class_name: "UNet2DConditionModel",
  _diffusers_version: DIFFUSERS_VERSION,
  act_fn: "silu",
  // As in SD 1.5 this is the number of heads, not their width.
  attention_head_dim: UNET.heads,
  block_out_channels: UNET.widths,
  center_input_sample: false,
  cross_attention_dim: TEXT.width,
  down_block_types: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: LATENTS,
  layers_per_block: UNET.layers,
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: UNET.groups,
  out_channels: LATENTS,
  sample_size: UNET.sample,
  up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
};

export const vaeConfig = {
  _class_name: "AutoencoderKL",
  _diffusers_version: DIFFUSERS_VERSION,
  act_fn: "silu",
  block_out_channels: VAE.widths,
  down_block_types: VAE.widths.map(() => "DownEncoderBlock2D"),
  in_channels: 3,
  latent_channels: LATENTS,
  layers_per_block: VAE.layers,
  norm_num_groups: VAE.groups,
  out_channels: 3,
  sample_size: UNET.sample * 2 ** (VAE.widths.length - 1),
  scaling_factor: 0.18215,
  up_block_types: VAE.widths.map(() => "UpDecoderBlock2D"),
};

/** Binomial 3x3 filter: with it a random convolution paints smooth patches instead of noise. */
const SMOOTH = [1, 2, 1, 2, 4, 2, 1, 2, 1].map((weight) => weight / 16);

/** Collects named tensors; each method is one kind of layer in diffusers' naming. */
class Layers {
  tensors = new Map();

  constructor(seed) {
    this.normal = normals(seed);
  }

  add(name, shape, value) {
    const size = shape.reduce((product, dimension) => product * dimension, 1);
    this.tensors.set(name, { shape, values: Float32Array.from({ length: size }, (_, i) => value(i)) });
  }

  norm(name, width) {
    this.add(`${name}.weight`, [width], () => 1 + 0.1 * this.normal());
    this.add(`${name}.bias`, [width], () => 0.1 * this.normal());
  }

  linear(name, input, output, { bias = true, gain = 1 } = {}) {
    this.add(`${name}.weight`, [output, input], () => (gain / Math.sqrt(input)) * this.normal());
    if (bias) this.add(`${name}.bias`, [output], () => 0.05 * this.normal());
  }

  conv(name, input, output, { size = 3, gain = 1 } = {}) {
    let mixed = 0;
    this.add(`${name}.weight`, [output, input, size, size], (i) => {
      if (size === 1) return (gain / Math.sqrt(input)) * this.normal();
      if (i % 9 === 0) mixed = this.normal();
      return (gain / Math.sqrt(input)) * (1.2 * mixed * SMOOTH[i % 9] + 0.1 * this.normal());
    });
    this.add(`${name}.bias`, [output], () => 0.05 * this.normal());
  }

  resnet(name, input, output, timeWidth) {
    this.norm(`${name}.norm1`, input);
    this.conv(`${name}.conv1`, input, output);
    if (timeWidth) this.linear(`${name}.time_emb_proj`, timeWidth, output);
    this.norm(`${name}.norm2`, output);
    this.conv(`${name}.conv2`, output, output);
    if (input !== output) this.conv(`${name}.conv_shortcut`, input, output, { size: 1 });
  }

  attention(name, width, context, { bias = false, gain = 1 } = {}) {
    this.linear(`${name}.to_q`, width, width, { bias, gain: 2 });
    this.linear(`${name}.to_k`, context, width, { bias });
    this.linear(`${name}.to_v`, context, width, { bias });
    this.linear(`${name}.to_out.0`, width, width, { gain });
  }

  transformer(name, width) {
    this.norm(`${name}.norm`, width);
    this.conv(`${name}.proj_in`, width, width, { size: 1 });
    const block = `${name}.transformer_blocks.0`;
    this.norm(`${block}.norm1`, width);
    this.attention(`${block}.attn1`, width, width);
    this.norm(`${block}.norm2`, width);
    // Strong, so that other words make another picture.
    this.attention(`${block}.attn2`, width, TEXT.width, { gain: 3 });
    this.norm(`${block}.norm3`, width);
    this.linear(`${block}.ff.net.0.proj`, width, 8 * width);
    this.linear(`${block}.ff.net.2`, 4 * width, width);
    this.conv(`${name}.proj_out`, width, width, { size: 1 });
  }
}

export function textTensors(vocabSize, seed) {
  const layers = new Layers(seed);
  const { width, positions, ff } = TEXT;
  layers.add("text_model.embeddings.token_embedding.weight", [vocabSize, width], () => layers.normal());
  layers.add(
    "text_model.embeddings.position_embedding.weight",
    [positions, width],
    () => 0.3 * layers.normal(),
  );
  for (let i = 0; i < TEXT.layers; i++) {
    const at = `text_model.encoder.layers.${i}`;
    for (const part of ["q_proj", "k_proj", "v_proj", "out_proj"]) {
      layers.linear(`${at}.self_attn.${part}`, width, width);
    }
    layers.norm(`${at}.layer_norm1`, width);
    layers.linear(`${at}.mlp.fc1`, width, ff);
    layers.linear(`${at}.mlp.fc2`, ff, width);
    layers.norm(`${at}.layer_norm2`, width);
  }
  layers.norm("text_model.final_layer_norm", width);
  return layers.tensors;
}

export function unetTensors(seed) {
  const layers = new Layers(seed);
  const { widths } = UNET;
  const first = widths[0];
  const time = 4 * first;
  layers.linear("time_embedding.linear_1", first, time);
  layers.linear("time_embedding.linear_2", time, time);
  layers.conv("conv_in", LATENTS, first);
  const last = widths.length - 1;
  /** Widths of the tensors that the way down hands to the way up. */
  const skips = [first];
  widths.forEach((width, i) => {
    for (let j = 0; j < UNET.layers; j++) {
      const input = j > 0 ? width : (widths[i - 1] ?? first);
      layers.resnet(`down_blocks.${i}.resnets.${j}`, input, width, time);
      if (i < last) layers.transformer(`down_blocks.${i}.attentions.${j}`, width);
      skips.push(width);
    }
    if (i === last) return;
    layers.conv(`down_blocks.${i}.downsamplers.0.conv`, width, width);
    skips.push(width);
  });
  let width = widths[last];
  layers.resnet("mid_block.resnets.0", width, width, time);
  layers.transformer("mid_block.attentions.0", width);
  layers.resnet("mid_block.resnets.1", width, width, time);
  widths.toReversed().forEach((output, i) => {
    for (let j = 0; j <= UNET.layers; j++) {
      layers.resnet(`up_blocks.${i}.resnets.${j}`, width + skips.pop(), output, time);
      width = output;
      if (i > 0) layers.transformer(`up_blocks.${i}.attentions.${j}`, width);
    }
    if (i < last) layers.conv(`up_blocks.${i}.upsamplers.0.conv`, width, width);
  });
  layers.norm("conv_norm_out", width);
  layers.conv("conv_out", width, LATENTS, { gain: 1.5 });
  return layers.tensors;
}

export function vaeTensors(seed) {
  const layers = new Layers(seed);
  const { widths } = VAE;
  const top = widths.at(-1);
  const middle = (side) => {
    layers.resnet(`${side}.mid_block.resnets.0`, top, top);
    layers.norm(`${side}.mid_block.attentions.0.group_norm`, top);
    layers.attention(`${side}.mid_block.attentions.0`, top, top, { bias: true });
    layers.resnet(`${side}.mid_block.resnets.1`, top, top);
  };
  layers.conv("encoder.conv_in", 3, widths[0]);
  let width = widths[0];
  widths.forEach((output, i) => {
    for (let j = 0; j < VAE.layers; j++, width = output) {
      layers.resnet(`encoder.down_blocks.${i}.resnets.${j}`, width, output);
    }
    if (i < widths.length - 1) layers.conv(`encoder.down_blocks.${i}.downsamplers.0.conv`, width, width);
  });
  middle("encoder");
  layers.norm("encoder.conv_norm_out", top);
  layers.conv("encoder.conv_out", top, 2 * LATENTS);
  layers.conv("quant_conv", 2 * LATENTS, 2 * LATENTS, { size: 1 });

  layers.conv("post_quant_conv", LATENTS, LATENTS, { size: 1 });
  layers.conv("decoder.conv_in", LATENTS, top);
  middle("decoder");
  width = top;
  widths.toReversed().forEach((output, i) => {
    for (let j = 0; j <= VAE.layers; j++, width = output) {
      layers.resnet(`decoder.up_blocks.${i}.resnets.${j}`, width, output);
    }
    if (i < widths.length - 1) layers.conv(`decoder.up_blocks.${i}.upsamplers.0.conv`, width, width);
  });
  layers.norm("decoder.conv_norm_out", width);
  layers.conv("decoder.conv_out", width, 3, { gain: 0.9 });
  return layers.tensors;
}
