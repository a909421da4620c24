import { expect, test } from "vitest";
import type { FoundModel } from "../../../src/checkpoints/library/find-models.js";
import { turboLoraAmong } from "../../../src/checkpoints/library/found-turbo-lora.js";

const lora = (path: string, traits: Partial<FoundModel> = {}): FoundModel => ({
  kind: "lora",
  family: "Stable Diffusion 1.x",
  detail: "rank 64",
  misfit: null,
  lacksVae: false,
  broken: false,
  name: path.replace(/^.*\//, "").replace(/\.\w+$/, ""),
  path,
  realPath: path,
  source: "own",
  bytes: 1,
  ...traits,
});
const HYPER = lora("/c/loras/Hyper-SD15-8steps-lora.safetensors");
const fits = () => true;

test.each([
  ["/c/loras/lcm-lora-sdv1-5.safetensors", "lcm"],
  ["/m/Lora/LCM_LoRA_Weights_SD15.safetensors", "lcm"],
  ["/m/lcm/pytorch_lora_weights.safetensors", "lcm"],
  ["/h/models--latent-consistency--lcm-lora-sdv1-5/snapshots/0a1b/pytorch_lora_weights.safetensors", "lcm"],
  ["/h/models--latent-consistency--lcm-lora-sdv1-5/snapshots/0a1b", "lcm"],
  ["/c/loras/Hyper-SD15-8steps-lora.safetensors", "hyper-sd"],
  ["/c/loras/Hyper-SD15-8steps-CFG-lora.safetensors", null],
  ["/c/loras/Hyper-SD15-4steps-lora.safetensors", null],
  ["/lcm/loras/ink.safetensors", null],
  ["/c/loras/filmclm.safetensors", null],
])("%s is of the kind %s", (path, kind) => {
  expect(turboLoraAmong([lora(path)], fits)?.kind ?? null).toBe(kind);
});

test("an LCM-LoRA comes before Hyper-SD's, one that fits before one that does not", () => {
  const lcm = lora("/c/loras/lcm-lora-sdv1-5.safetensors");
  const other = lora("/c/loras/lcm-lora-sdxl.safetensors", { misfit: "of Stable Diffusion XL" });
  expect(turboLoraAmong([HYPER, other, lcm], fits)).toEqual({ name: lcm.name, kind: "lcm", fits: true });
  expect(turboLoraAmong([HYPER, other], fits)).toEqual({ name: HYPER.name, kind: "hyper-sd", fits: true });
  expect(turboLoraAmong([other], fits)).toEqual({ name: other.name, kind: "lcm", fits: false });
  expect(turboLoraAmong([lcm], () => false)?.fits).toBe(false);
  const broken = lora("/c/loras/lcm-lora-sdv1-5.safetensors", { broken: true });
  expect(turboLoraAmong([broken, lora("/c/vae/lcm.safetensors", { kind: "vae" })], fits)).toBeNull();
});
