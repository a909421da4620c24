import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { mergeLoras } from "../../../../src/checkpoints/layouts/lora.js";
import { CheckpointError } from "../../../../src/core/errors.js";
import { randomIntegers, temporaryFolder } from "../../support.js";
import { smallBases, writeOnes } from "./support.js";

const FOLDER = fileURLToPath(new URL("../../../golden/lora-families/", import.meta.url));
const bases = smallBases();

/** Merges and reads all that changes; must throw nothing but a CheckpointError. */
function survives(file: string, label: string): "merged" | "refused" {
  try {
    const merged = mergeLoras(bases, [{ file, weight: 0.7 }]);
    for (const part of ["unet", "text_encoder"] as const)
      for (const name of merged[part].names)
        if (merged[part].get(name) !== bases[part].get(name)) merged[part].readFloat32(name);
    return "merged";
  } catch (error) {
    if (error instanceof CheckpointError) {
      expect(error.message.split("\n").length, label).toBeLessThanOrEqual(15);
      return "refused";
    }
    throw new Error(`${label}: ${error}`, { cause: error });
  }
}

const MODULES = [
  "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
  "lora_unet_mid_block_resnets_0_conv1",
  "lora_te_text_model_encoder_layers_0_mlp_fc1",
  "base_model.model.mid_block.resnets.0.norm1",
];
const ROLES = [
  ...["lora_down.weight", "lora_up.weight", "lora_mid.weight", "lora_A.weight", "lora_B.bias", "weight"],
  ...["alpha", "dora_scale", "lora_magnitude_vector", "diff", "diff_b", "w_norm", "b_norm", "ia3_l"],
  ...["hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "on_input"],
  ...["lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"],
];
const SIDES = [0, 1, 1, 2, 2, 2, 3, 8, 8, 8, 8, 8, 16, 24, 144, 2000];

it("any roles in any shapes are merged or refused, in little memory", () => {
  const random = randomIntegers(5);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!;
  const folder = temporaryFolder();
  const outcomes = { merged: 0, refused: 0 };
  for (let run = 0; run < 600; run++) {
    const module = pick(MODULES);
    const first = random(ROLES.length);
    const tensors: Record<string, number[]> = {};
    for (let i = 0; i < 1 + random(6); i++) {
      let left = 40_000;
      const shape = Array.from({ length: pick([0, 1, 2, 2, 2, 4]) }, () => {
        const side = pick(SIDES.filter((it) => it <= left));
        left = Math.floor(left / Math.max(1, side));
        return side;
      });
      tensors[`${module}.${ROLES[(first + i) % ROLES.length]}`] = shape;
    }
    outcomes[survives(writeOnes(folder, tensors), `run ${run}: ${JSON.stringify(tensors)}`)]++;
  }
  expect(outcomes.refused).toBeGreaterThan(100);
  expect(outcomes.merged).toBeGreaterThan(0);
});

it.each([
  "locon-mid.safetensors",
  "loha-tucker.safetensors",
  "lokr-low.safetensors",
  "dora.safetensors",
  "peft-dora/adapter_model.safetensors",
])("a damaged %s is merged or refused", (name) => {
  const original = readFileSync(join(FOLDER, name));
  const header = 8 + Number(original.readBigUInt64LE());
  const path = join(temporaryFolder(), "lora.safetensors");
  const random = randomIntegers(6);
  const outcomes = { merged: 0, refused: 0 };
  for (let run = 0; run < 120; run++) {
    const damaged = Buffer.from(original);
    for (let changes = 1 + random(3); changes > 0; changes--)
      damaged[random(run % 3 === 0 ? original.length : header)] =
        random(2) === 0 ? 48 + random(10) : random(256);
    writeFileSync(path, damaged);
    outcomes[survives(path, `run ${run}`)]++;
  }
  expect(outcomes.refused).toBeGreaterThan(0);
  expect(outcomes.merged).toBeGreaterThan(0);
});

it("a file with a hundred thousand keys that fit nothing is refused soon", () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => [`lora_unet_x_${i}.lora_down.weight`, [0]] as const);
  expect(survives(writeOnes(temporaryFolder(), Object.fromEntries(keys)), "keys")).toBe("refused");
});

it("keys made to make a search slow are refused soon", () => {
  const long = `base_model.model.${"a.lora_A.".repeat(50_000)}`;
  const tensors = { [`${long}x`]: [1], [`unet.${"to_q.".repeat(70)}self_attn.to_q.lora_A.weight`]: [1] };
  expect(survives(writeOnes(temporaryFolder(), tensors), "long")).toBe("refused");
});
