import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";

/*
 * Files of full size that take no room: true headers of published models, and holes in place of the numbers.
 */

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Writes a .safetensors file with these tensors, in one type, whose values are a hole in the file. */
export function writeSparse(
  path: string,
  shapes: Shapes,
  {
    bytesEach = 2,
    type = "F16",
    metadata = {},
  }: { readonly bytesEach?: number; readonly type?: string; readonly metadata?: Record<string, string> } = {},
): number {
  let end = 0;
  const described = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += bytesEach * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: type, shape, data_offsets: [begin, end] }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...described])));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, "w");
  try {
    writeSync(file, Buffer.concat([prefix, text]));
    ftruncateSync(file, 8 + text.length + end);
  } finally {
    closeSync(file);
  }
  return 8 + text.length + end;
}

const linear = (name: string, out: number, into: number, bias = true): Shapes => ({
  [`${name}.weight`]: [out, into],
  ...(bias ? { [`${name}.bias`]: [out] } : {}),
});
const conv = (name: string, out: number, into: number, size = 3): Shapes => ({
  [`${name}.weight`]: [out, into, size, size],
  [`${name}.bias`]: [out],
});
const norm = (name: string, width: number): Shapes => ({
  [`${name}.weight`]: [width],
  [`${name}.bias`]: [width],
});

function transformer(name: string, width: number, text: number): Shapes {
  const block = `${name}.transformer_blocks.0`;
  const attention = (at: string, keys: number) => ({
    ...linear(`${at}.to_q`, width, width, false),
    ...linear(`${at}.to_k`, width, keys, false),
    ...linear(`${at}.to_v`, width, keys, false),
    ...linear(`${at}.to_out.0`, width, width),
  });
  return {
    ...norm(`${name}.norm`, width),
    ...conv(`${name}.proj_in`, width, width, 1),
    ...attention(`${block}.attn1`, width),
    ...linear(`${block}.ff.net.0.proj`, 8 * width, width),
    ...linear(`${block}.ff.net.2`, width, 4 * width),
    ...attention(`${block}.attn2`, text),
    ...norm(`${block}.norm1`, width),
    ...norm(`${block}.norm2`, width),
    ...norm(`${block}.norm3`, width),
    ...conv(`${name}.proj_out`, width, width, 1),
  };
}

function residual(name: string, into: number, out: number): Shapes {
  return {
    ...norm(`${name}.in_layers.0`, into),
    ...conv(`${name}.in_layers.2`, out, into),
    ...linear(`${name}.emb_layers.1`, out, 1280),
    ...norm(`${name}.out_layers.0`, out),
    ...conv(`${name}.out_layers.3`, out, out),
    ...(into === out ? {} : conv(`${name}.skip_connection`, out, into, 1)),
  };
}

const WIDTHS = [320, 640, 1280, 1280] as const;

/** The UNet of Stable Diffusion 1.x under the names of the original code. */
export function unetOf({
  inputs = 4,
  text = 768,
}: {
  readonly inputs?: number;
  readonly text?: number;
} = {}): Shapes {
  const p = "model.diffusion_model";
  let shapes: Shapes = {
    ...linear(`${p}.time_embed.0`, 1280, 320),
    ...linear(`${p}.time_embed.2`, 1280, 1280),
    ...conv(`${p}.input_blocks.0.0`, 320, inputs),
    ...norm(`${p}.out.0`, 320),
    ...conv(`${p}.out.2`, 4, 320),
    ...residual(`${p}.middle_block.0`, 1280, 1280),
    ...transformer(`${p}.middle_block.1`, 1280, text),
    ...residual(`${p}.middle_block.2`, 1280, 1280),
  };
  const skips: number[] = [320];
  let block = 1;
  let width = 320;
  for (const [level, out] of WIDTHS.entries()) {
    for (let i = 0; i < 2; i++, block++) {
      shapes = { ...shapes, ...residual(`${p}.input_blocks.${block}.0`, width, out) };
      if (level < 3) shapes = { ...shapes, ...transformer(`${p}.input_blocks.${block}.1`, out, text) };
      width = out;
      skips.push(width);
    }
    if (level === 3) continue;
    shapes = { ...shapes, ...conv(`${p}.input_blocks.${block}.0.op`, width, width) };
    skips.push(width);
    block++;
  }
  block = 0;
  for (const level of [3, 2, 1, 0]) {
    const out = WIDTHS[level]!;
    for (let i = 0; i < 3; i++, block++) {
      shapes = { ...shapes, ...residual(`${p}.output_blocks.${block}.0`, width + skips.pop()!, out) };
      if (level < 3) shapes = { ...shapes, ...transformer(`${p}.output_blocks.${block}.1`, out, text) };
      if (i === 2 && level > 0)
        shapes = {
          ...shapes,
          ...conv(`${p}.output_blocks.${block}.${level < 3 ? 2 : 1}.conv`, out, out),
        };
      width = out;
    }
  }
  return shapes;
}

/** CLIP's text encoder of Stable Diffusion 1.x. */
export function textEncoder(prefix = "cond_stage_model.transformer.text_model", layers = 12): Shapes {
  const layer = (n: number): Shapes => {
    const at = `${prefix}.encoder.layers.${n}`;
    return {
      ...linear(`${at}.self_attn.k_proj`, 768, 768),
      ...linear(`${at}.self_attn.v_proj`, 768, 768),
      ...linear(`${at}.self_attn.q_proj`, 768, 768),
      ...linear(`${at}.self_attn.out_proj`, 768, 768),
      ...norm(`${at}.layer_norm1`, 768),
      ...linear(`${at}.mlp.fc1`, 3072, 768),
      ...linear(`${at}.mlp.fc2`, 768, 3072),
      ...norm(`${at}.layer_norm2`, 768),
    };
  };
  return Object.assign(
    {
      [`${prefix}.embeddings.token_embedding.weight`]: [49408, 768],
      [`${prefix}.embeddings.position_embedding.weight`]: [77, 768],
      ...norm(`${prefix}.final_layer_norm`, 768),
    },
    ...Array.from({ length: layers }, (_, n) => layer(n)),
  );
}

/** The VAE of Stable Diffusion 1.x, under the prefix of a single file or none. */
export function vaeOf(prefix = "first_stage_model.", channels = 4): Shapes {
  const block = (name: string, into: number, out: number): Shapes => ({
    ...norm(`${name}.norm1`, into),
    ...conv(`${name}.conv1`, out, into),
    ...norm(`${name}.norm2`, out),
    ...conv(`${name}.conv2`, out, out),
    ...(into === out ? {} : conv(`${name}.nin_shortcut`, out, into, 1)),
  });
  const middle = (side: string): Shapes => ({
    ...block(`${prefix}${side}.mid.block_1`, 512, 512),
    ...block(`${prefix}${side}.mid.block_2`, 512, 512),
    ...norm(`${prefix}${side}.mid.attn_1.norm`, 512),
    ...conv(`${prefix}${side}.mid.attn_1.q`, 512, 512, 1),
    ...conv(`${prefix}${side}.mid.attn_1.k`, 512, 512, 1),
    ...conv(`${prefix}${side}.mid.attn_1.v`, 512, 512, 1),
    ...conv(`${prefix}${side}.mid.attn_1.proj_out`, 512, 512, 1),
  });
  const widths = [128, 256, 512, 512];
  let shapes: Shapes = {
    ...conv(`${prefix}encoder.conv_in`, 128, 3),
    ...conv(`${prefix}decoder.conv_in`, 512, channels),
    ...middle("encoder"),
    ...middle("decoder"),
    ...norm(`${prefix}encoder.norm_out`, 512),
    ...conv(`${prefix}encoder.conv_out`, 2 * channels, 512),
    ...norm(`${prefix}decoder.norm_out`, 128),
    ...conv(`${prefix}decoder.conv_out`, 3, 128),
    ...conv(`${prefix}quant_conv`, 2 * channels, 2 * channels, 1),
    ...conv(`${prefix}post_quant_conv`, channels, channels, 1),
  };
  for (const [level, out] of widths.entries()) {
    for (let i = 0; i < 2; i++) {
      const into = i > 0 ? out : (widths[level - 1] ?? 128);
      shapes = { ...shapes, ...block(`${prefix}encoder.down.${level}.block.${i}`, into, out) };
    }
    if (level < 3)
      shapes = { ...shapes, ...conv(`${prefix}encoder.down.${level}.downsample.conv`, out, out) };
    for (let i = 0; i < 3; i++) {
      const into = i > 0 ? out : (widths[level + 1] ?? 512);
      shapes = { ...shapes, ...block(`${prefix}decoder.up.${level}.block.${i}`, into, out) };
    }
    if (level > 0) shapes = { ...shapes, ...conv(`${prefix}decoder.up.${level}.upsample.conv`, out, out) };
  }
  return shapes;
}

/** Stable Diffusion 1.5 in one file. */
export const stableDiffusion = (): Shapes => ({ ...unetOf(), ...vaeOf(), ...textEncoder() });

/** A LoRA of kohya's scripts on the attention of the UNet, and of the text encoder. */
export function kohyaLora(rank: number, text = 768): Shapes {
  const modules: [name: string, into: number, out: number][] = [];
  for (const [block, width] of [
    ["down_blocks_0_attentions_0", 320],
    ["down_blocks_0_attentions_1", 320],
    ["down_blocks_1_attentions_0", 640],
    ["down_blocks_1_attentions_1", 640],
    ["down_blocks_2_attentions_0", 1280],
    ["down_blocks_2_attentions_1", 1280],
    ["mid_block_attentions_0", 1280],
    ["up_blocks_1_attentions_0", 1280],
    ["up_blocks_1_attentions_1", 1280],
    ["up_blocks_1_attentions_2", 1280],
    ["up_blocks_2_attentions_0", 640],
    ["up_blocks_2_attentions_1", 640],
    ["up_blocks_2_attentions_2", 640],
    ["up_blocks_3_attentions_0", 320],
    ["up_blocks_3_attentions_1", 320],
    ["up_blocks_3_attentions_2", 320],
  ] as const)
    for (const [part, into] of [
      ["attn1_to_q", width],
      ["attn1_to_k", width],
      ["attn1_to_v", width],
      ["attn1_to_out_0", width],
      ["attn2_to_q", width],
      ["attn2_to_k", text],
      ["attn2_to_v", text],
      ["attn2_to_out_0", width],
    ] as const)
      modules.push([`lora_unet_${block}_transformer_blocks_0_${part}`, into, width]);
  for (let layer = 0; layer < 12; layer++)
    for (const part of ["q_proj", "k_proj", "v_proj", "out_proj"])
      modules.push([`lora_te_text_model_encoder_layers_${layer}_self_attn_${part}`, 768, 768]);
  return Object.fromEntries(
    modules.flatMap(([name, into, out]) => [
      [`${name}.alpha`, []],
      [`${name}.lora_down.weight`, [rank, into]],
      [`${name}.lora_up.weight`, [out, rank]],
    ]),
  );
}
