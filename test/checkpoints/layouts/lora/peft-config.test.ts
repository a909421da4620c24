import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeLoras } from "../../../../src/checkpoints/layouts/lora.js";
import { refusal, temporaryFolder } from "../../support.js";
import { smallBases, writeOnes } from "./support.js";

const bases = smallBases();
const Q = "down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q";
const [ROWS, COLUMNS] = bases.unet.get(`${Q}.weight`)!.shape as [number, number];
const RANK = 4;

/** A folder with an adapter of ones, so that each element grows by alpha, or by alpha * 2 with rsLoRA. */
function adapter(config: unknown): string {
  const folder = temporaryFolder();
  const name = `base_model.model.${Q}`;
  writeOnes(
    folder,
    { [`${name}.lora_A.weight`]: [RANK, COLUMNS], [`${name}.lora_B.weight`]: [ROWS, RANK] },
    "adapter_model.safetensors",
  );
  writeFileSync(
    join(folder, "adapter_config.json"),
    typeof config === "string" ? config : JSON.stringify(config),
  );
  return folder;
}

function growth(file: string): number {
  const { unet } = mergeLoras(bases, [{ file, weight: 1 }]);
  return unet.readFloat32(`${Q}.weight`)[0]! - bases.unet.readFloat32(`${Q}.weight`)[0]!;
}

describe("PEFT's configuration", () => {
  it.each<[string, object, number]>([
    ["alpha", { r: RANK, lora_alpha: 16 }, 16],
    ["no alpha, which PEFT takes as 8", { r: RANK }, 8],
    ["the wrong rank, where the tensors tell", { r: 99, lora_alpha: 16 }, 16],
    ["rsLoRA", { lora_alpha: 16, use_rslora: true }, 32],
    ["a pattern for the last parts of a name", { lora_alpha: 1, alpha_pattern: { "attn1.to_q": 3 } }, 3],
    ["a pattern for another module", { lora_alpha: 1, alpha_pattern: { q: 3, to_k: 4 } }, 1],
    ["an expression", { lora_alpha: 1, alpha_pattern: { "down_blocks\\.[12].*to_(q|k)": 3 } }, 3],
    ["the first of two patterns", { lora_alpha: 1, alpha_pattern: { "attn1.*": 3, to_q: 5 } }, 3],
    ["what is no expression", { lora_alpha: 1, alpha_pattern: { "(": 3 } }, 1],
  ])("with %s", (_, config, grows) => {
    const folder = adapter(config);
    expect(growth(folder)).toBeCloseTo(grows, 4);
    expect(growth(join(folder, "adapter_model.safetensors"))).toBeCloseTo(grows, 4);
  });

  it("changes the compiled graph's identity", () => {
    const fingerprint = (alpha: number) =>
      mergeLoras(bases, [{ file: adapter({ lora_alpha: alpha }), weight: 1 }]).unet.fingerprint;
    expect(fingerprint(1)).not.toBe(fingerprint(2));
  });

  it.each<[string, unknown, string]>([
    ["no JSON", "{", "is not JSON"],
    ["a list", [], "is no configuration of PEFT"],
    ["a word for alpha", { lora_alpha: "much" }, "lora_alpha"],
    ["a method that is not merged", { peft_type: "VERA" }, "PEFT's method VERA"],
    ["changed weights to begin with", { init_lora_weights: "pissa_niter_16" }, "changed weights"],
    ["a long expression", { alpha_pattern: { ["(q)?".repeat(20_000)]: 1 } }, "too long to match"],
    ["an expression without end", { alpha_pattern: { "([\\w.]+)+!": 1 } }, "too long to match"],
  ])("that is %s is refused", (_, config, says) => {
    expect(refusal(() => growth(adapter(config))).message).toContain(says);
  });

  it("beside a file of another program is not read", () => {
    const folder = adapter({ lora_alpha: 16 });
    const key = `lora_unet_${Q.replaceAll(".", "_")}`;
    const file = writeOnes(folder, {
      [`${key}.lora_down.weight`]: [RANK, COLUMNS],
      [`${key}.lora_up.weight`]: [ROWS, RANK],
    });
    expect(growth(file)).toBeCloseTo(RANK, 4);
  });

  it("is not looked for in a folder without a LoRA", () => {
    expect(refusal(() => growth(temporaryFolder())).message).toContain("holds no LoRA");
  });
});
