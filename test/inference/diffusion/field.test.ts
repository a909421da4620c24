import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../../src/core/errors.js";
import type { SchedulerName } from "../../../src/core/options.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import {
  StableDiffusion,
  type StableDiffusionOptions,
} from "../../../src/inference/diffusion/stable-diffusion.js";
import { ClipTokenizer } from "../../../src/inference/tokenizers/tokenizer.js";

/** Files as people have them, and diffusers' pictures: test/golden/field.py */
const FIELD = fileURLToPath(new URL("../../golden/field/", import.meta.url));

/** How a folder differs from `folder/`, in the order of its keys, and which picture diffusers draws. */
interface Case {
  readonly rename?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly copy?: Readonly<Record<string, string>>;
  readonly json?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** JSON files that begin with a byte order mark. */
  readonly mark?: readonly string[];
  readonly picture?: string;
}
const cases: Readonly<Record<string, Case>> = JSON.parse(readFileSync(join(FIELD, "cases.json"), "utf8"));

/** `picture`: as diffusers draws it. `picture, note`: so too, and a sentence says what was left out. */
type Outcome = "picture" | { readonly note: RegExp } | { readonly code: ErrorCode; readonly says: RegExp };
type Row = readonly [id: string, title: string, outcome: Outcome];

const refused = (says: RegExp, code: ErrorCode = "CHECKPOINT_ARCHITECTURE"): Outcome => ({ code, says });
const noted = (note: RegExp): Outcome => ({ note });

const SINGLE: readonly Row[] = [
  ["right.safetensors", "with the names of the original code", "picture"],
  [
    "ckpt-lightning.ckpt",
    "with Lightning's callbacks, an optimizer and settings beside the tensors",
    "picture",
  ],
  ["ckpt-flat.ckpt", "whose tensors lie at the top", "picture"],
  ["ckpt-numpy-scalar.ckpt", "with numbers of numpy", "picture"],
  ["ckpt-dtype-and-device.ckpt", "with a dtype and a device of torch", "picture"],
  ["ckpt-defaultdict.ckpt", "with a defaultdict", "picture"],
  ["ckpt-legacy.ckpt", "of torch before 1.6", "picture"],
  ["ckpt-nested-twice.ckpt", "with a state_dict in its state_dict", "picture"],
  ["ckpt-under-model.ckpt", "whose tensors lie under `model`", "picture"],
  ["ckpt-under-module.ckpt", "whose tensors lie under `module`, as DeepSpeed writes it", "picture"],
  ["ckpt-parameters.ckpt", "that holds parameters instead of tensors", "picture"],
  ["ckpt-attributes.ckpt", "whose tensors have attributes of their own", "picture"],
  ["ckpt-data-parallel.ckpt", "whose names begin with module.", "picture"],
  ["data-parallel.safetensors", "whose names begin with module., as safetensors", "picture"],
  ["ckpt-big-endian.ckpt", "from a big-endian machine", refused(/big-endian/, "CHECKPOINT_TENSORS")],
  ["v-by-key.safetensors", "that says v-prediction by empty tensors", "picture"],
  ["v-by-modelspec.safetensors", "that says v-prediction in its metadata", "picture"],
  ["modelspec.safetensors", "with a title, a thumbnail and more in its metadata", "picture"],
  ["no-vae.safetensors", "without a VAE", refused(/holds no VAE.*--vae/)],
  ["no-text-encoder.safetensors", "without a text encoder", refused(/text encoder/)],
  ["fp8.safetensors", "with 8-bit floats (e4m3)", "picture"],
  ["fp8-e5m2.safetensors", "with 8-bit floats (e5m2)", "picture"],
  ["fp8-scaled.safetensors", "with scaled 8-bit floats, as ComfyUI writes them", "picture"],
  ["fp8-weight-scale.safetensors", "with scaled 8-bit floats under the names of later programs", "picture"],
  ["fp8-scaled-by-row.safetensors", "with 8-bit floats scaled row by row", "picture"],
  [
    "fp8-scaled-by-block.safetensors",
    "with 8-bit floats scaled in blocks",
    refused(/scaled/, "CHECKPOINT_TENSORS"),
  ],
  ["int8.safetensors", "with integers for weights", refused(/quantised/, "CHECKPOINT_TENSORS")],
  ["bf16.safetensors", "in bfloat16", "picture"],
  ["fp16-vae.safetensors", "in float32 with a float16 VAE", "picture"],
  ["fp64-norms.safetensors", "with some float64", "picture"],
  ["position-ids-fp16.safetensors", "with position_ids as floats", "picture"],
  ["position-ids-absent.safetensors", "without position_ids", "picture"],
  ["beside-the-models.safetensors", "with noise schedules, counters and more beside the models", "picture"],
  ["with-averages.safetensors", "with averaged weights (model_ema) besides", "picture"],
  ["averages-alone.safetensors", "with averaged weights only", refused(/model_ema/)],
  [
    "vae-loss-extra.safetensors",
    "with the VAE's training loss",
    noted(/2 tensors that the model does not have.*loss/),
  ],
  ["text-without-inner-name.safetensors", "whose text encoder has no text_model in its names", "picture"],
  ["text-with-projection.safetensors", "whose text encoder has a projection", "picture"],
  ["vae-attention-squeezed.safetensors", "whose VAE has matrices where others have convolutions", "picture"],
  ["inpainting.safetensors", "for inpainting", refused(/inpainting UNet \(9/)],
  ["edits.safetensors", "that edits pictures", refused(/edits pictures/)],
  ["sd2.safetensors", "of Stable Diffusion 2", refused(/Stable Diffusion 2\.x/)],
  ["sdxl.safetensors", "of Stable Diffusion XL", refused(/Stable Diffusion XL/)],
  ["sd3.safetensors", "of Stable Diffusion 3", refused(/Stable Diffusion 3/)],
  ["flux.safetensors", "of Flux", refused(/the Flux family/)],
  ["unet-of-diffusers.safetensors", "that is a UNet alone, by diffusers' names", refused(/UNet alone/)],
  ["unet-of-comfyui.safetensors", "that is a UNet alone, by ComfyUI's names", refused(/UNet alone/)],
  ["lora-as-checkpoint.safetensors", "that is a LoRA", refused(/is a LoRA.*--lora/)],
  ["vae-as-checkpoint.safetensors", "that is a VAE", refused(/is a VAE.*--vae/)],
  ["embedding-as-checkpoint.safetensors", "that is an embedding", refused(/is an embedding/)],
  ["controlnet-as-checkpoint.safetensors", "that is a ControlNet", refused(/is a ControlNet/)],
];

const VAES: readonly Row[] = [
  ["bare.safetensors", "under the original's names", "picture"],
  ["prefixed.safetensors", "under the names of a whole checkpoint", "picture"],
  ["diffusers.safetensors", "under diffusers' names", "picture"],
  ["diffusers-old.bin", "under diffusers' names before 0.18", "picture"],
  ["nested.vae.pt", "in a .vae.pt with a state_dict", "picture"],
  ["with-loss.ckpt", "with its training loss", noted(/loss\.logvar/)],
  ["whole-checkpoint.safetensors", "out of a whole checkpoint", "picture"],
  ["decoder-alone.safetensors", "without an encoder", "picture"],
  [
    "sixteen-channels",
    "of another family, with 16 channels",
    refused(/and the VAE .*latent_channels 16.*Take a VAE/),
  ],
];

const FOLDERS: readonly Row[] = [
  ["right", "as published", "picture"],
  ["unet-fp16", "whose UNet is fp16 only", "picture"],
  ["unet-bf16", "whose UNet is bf16 only", "picture"],
  ["unet-fp32", "whose UNet is fp32 only", "picture"],
  ["unet-my_own", "whose UNet is of a variant of its own", "picture"],
  ["all-fp16", "whose parts are fp16 only", "picture"],
  ["bin-alone", "with .bin files only, the VAE with old names", "picture"],
  ["unet-in-shards", "whose UNet lies in shards", "picture"],
  ["with-non-ema", "with a non_ema variant besides", "picture"],
  ["bf16-and-non-ema", "with bf16 and non_ema only", noted(/non_ema/)],
  ["both-formats", "with safetensors and .bin", "picture"],
  ["text-bare-names", "whose text encoder has no text_model in its names", "picture"],
  [
    "clip-skip",
    "whose text encoder's last layers are cut off by its configuration",
    noted(/text_model\.encoder\.layers\.1/),
  ],
  ["checker-named-but-absent", "whose index names a safety checker that is not there", "picture"],
  ["checker-not-named", "whose index names neither safety checker nor version", "picture"],
  ["odd-version", "of odd versions", "picture"],
  ["another-task", "saved from a pipeline for another task", "picture"],
  ["custom-pipeline", "saved from a pipeline of one's own", "picture"],
  ["scheduler-short", "whose scheduler leaves keys out", "picture"],
  ["scheduler-v", "whose scheduler says v-prediction", "picture"],
  ["scheduler-of-another-class", "whose scheduler is of another class", "picture"],
  ["marks-before-json", "whose JSON begins with a byte order mark", "picture"],
  ["tokenizer-bare", "whose tokenizer is vocab.json and merges.txt alone", "picture"],
  ["tokenizer-json-alone", "whose tokenizer is tokenizer.json alone", "picture"],
  ["tokenizer-without-limit", "whose tokenizer has no limit", "picture"],
  ["no-vae", "without a VAE", refused(/vae/, "CHECKPOINT_MISSING")],
  ["sdxl", "of Stable Diffusion XL", refused(/XL/)],
  ["lcm-distilled", "distilled for LCM", refused(/time_cond_proj_dim/)],
];

const LORAS: readonly Row[] = [
  ["kohya.safetensors", "of kohya's scripts", "picture"],
  ["te1.safetensors", "with lora_te1_", "picture"],
  ["no-alpha.safetensors", "without alpha", "picture"],
  ["alpha-0.safetensors", "with alpha 0, by which trainers mean the rank", "picture"],
  ["kohya.pt", "in a .pt file", "picture"],
  ["bf16.safetensors", "in bfloat16", "picture"],
  ["fp8.safetensors", "in 8-bit floats", "picture"],
  ["stray-alpha.safetensors", "with an alpha of a layer that is not there", noted(/without 1 of its/)],
  ["one-rank-0.safetensors", "with a layer of rank 0", noted(/rank 0/)],
  ["diffusers.safetensors", "of diffusers", "picture"],
  ["diffusers-old.safetensors", "of diffusers before PEFT", "picture"],
  ["peft", "in PEFT's folder", "picture"],
  ["locon-mid.safetensors", "as LoCon with a core", "picture"],
  ["mixed-ranks-and-convolutions.safetensors", "of mixed ranks, with convolutions", "picture"],
  ["loha.safetensors", "as LoHa", "picture"],
  ["lokr.safetensors", "as LoKr", "picture"],
  ["dora.safetensors", "as DoRA", "picture"],
  ["whole-differences.safetensors", "with whole differences of weights, biases and norms", "picture"],
  ["cloneofsimo.safetensors", "that numbers its layers", noted(/numbers its layers/)],
  [
    "with-bundled-embedding.safetensors",
    "with an embedding in its bundle",
    noted(/without 1 of its.*bundle_emb/),
  ],
  ["refused-oft.safetensors", "as OFT", refused(/OFT/, "CHECKPOINT_TENSORS")],
  ["refused-boft.safetensors", "as BOFT", refused(/OFT/, "CHECKPOINT_TENSORS")],
  ["refused-glora.safetensors", "as GLoRA", refused(/GLoRA/, "CHECKPOINT_TENSORS")],
  [
    "refused-sdxl.safetensors",
    "of Stable Diffusion XL",
    refused(/Stable Diffusion XL/, "CHECKPOINT_TENSORS"),
  ],
  ["refused-sd2.safetensors", "of Stable Diffusion 2", refused(/Stable Diffusion 2/, "CHECKPOINT_TENSORS")],
  ["refused-flux.safetensors", "of Flux", refused(/Flux/, "CHECKPOINT_TENSORS")],
  ["refused-controlnet.safetensors", "that is a ControlNet", refused(/ControlNet/, "CHECKPOINT_TENSORS")],
  [
    "refused-hypernetwork.pt",
    "that is a hypernetwork",
    refused(/no dictionary of named tensors/, "CHECKPOINT_TENSORS"),
  ],
];

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "promptist-field-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const RIGHT = join(FIELD, "single", "right.safetensors");
const nameOf = (group: string, file: string) =>
  `${group}/${group === "single" ? file.replace(/\.[^.]+$/, "") : file}`;

/** A copy of `folder/` with a case's changes, as field.py makes it. */
function build({ rename = {}, remove = [], copy = {}, json = {}, mark = [] }: Case): string {
  const at = join(mkdtempSync(join(root, "folder-")), "model");
  cpSync(join(FIELD, "folder"), at, { recursive: true });
  const make = (name: string): string => {
    mkdirSync(dirname(join(at, name)), { recursive: true });
    return join(at, name);
  };
  for (const [old, now] of Object.entries(rename)) renameSync(join(at, old), make(now));
  for (const name of remove) rmSync(join(at, name), { recursive: true });
  for (const [name, source] of Object.entries(copy)) copyFileSync(join(FIELD, source), make(name));
  for (const [name, changes] of Object.entries(json)) {
    const content = { ...JSON.parse(readFileSync(join(at, name), "utf8")), ...changes };
    const kept = Object.entries(content).filter(([, value]) => value !== "absent");
    // Python writes minus infinity bare.
    const text = JSON.stringify(Object.fromEntries(kept)).replace('"-Infinity"', "-Infinity");
    writeFileSync(join(at, name), mark.includes(name) ? `\ufeff${text}` : text);
  }
  return at;
}

/** Classes of diffusers that write the scheduler's configuration into a folder. */
const WRITERS = [
  ...["DDIM", "DDPM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "HeunDiscrete", "KDPM2Discrete"],
  ...["DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep", "UniPCMultistep", "LCM"],
];

type What = Pick<StableDiffusionOptions, "directory" | "vae" | "loras"> & {
  readonly scheduler?: SchedulerName;
};

async function draw({ scheduler = "pndm", ...what }: What, tokenizer: string) {
  const model = await StableDiffusion.open({
    ...what,
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(root, "cache"),
    threads: 1,
  });
  try {
    const { pixels } = await drawPicture(model, ClipTokenizer.open(tokenizer), {
      ...{ prompt: "a cat in the rain", negative: "", scheduler, steps: 4, guidance: 5, seed: 3 },
      size: null,
    });
    return { pixels, notes: model.notes.join("\n") };
  } finally {
    await model.release();
  }
}

/** How far from diffusers' pixels, of 255, rounding may lead. */
const NEAR = 2;

async function expectOutcome(id: string, outcome: Outcome, what: What, tokenizer: string): Promise<void> {
  if (typeof outcome === "object" && "code" in outcome) {
    await expect(draw(what, tokenizer)).rejects.toMatchObject({
      code: outcome.code,
      message: expect.stringMatching(outcome.says),
    });
    return;
  }
  const { pixels, notes } = await draw(what, tokenizer);
  if (outcome === "picture") expect(notes).toBe("");
  else expect(notes).toMatch(outcome.note);
  const theirs = await sharp(join(FIELD, "pictures", `${cases[id]!.picture}.png`))
    .removeAlpha()
    .raw()
    .toBuffer();
  expect(pixels.length).toBe(theirs.length);
  const differences = Array.from(pixels, (value, i) => Math.abs(value - theirs[i]!));
  expect(Math.max(...differences), id).toBeLessThanOrEqual(NEAR);
}

/** The schedulers of `BUILT` in field.py. */
const DRAWN_WITH: readonly SchedulerName[] = [
  "pndm",
  "ddim",
  "euler",
  "euler-ancestral",
  "dpm++2m",
  "dpm++2m-karras",
  "lcm",
];

it("the tables name every case", () => {
  const rows = Object.entries({ single: SINGLE, vae: VAES, folder: FOLDERS, lora: LORAS });
  const named = rows.flatMap(([group, table]) => table.map(([file]) => nameOf(group, file)));
  const written = WRITERS.flatMap((writer) => DRAWN_WITH.map((name) => `scheduler/${writer}-${name}`));
  expect([...named, ...written].sort()).toEqual(Object.keys(cases).sort());
});

const TOKENIZER = join(FIELD, "folder", "tokenizer");

describe("a single file", () => {
  it.each(SINGLE)("%s, $1", (file, _title, outcome) =>
    expectOutcome(nameOf("single", file), outcome, { directory: join(FIELD, "single", file) }, TOKENIZER),
  );
});

describe("a VAE apart", () => {
  it.each(VAES)("%s", (file, _title, outcome) =>
    expectOutcome(
      nameOf("vae", file),
      outcome,
      { directory: RIGHT, vae: join(FIELD, "vae", file) },
      TOKENIZER,
    ),
  );
});

describe("a folder", () => {
  it.each(FOLDERS)("%s", (name, _title, outcome) => {
    const id = nameOf("folder", name);
    const directory = build(cases[id]!);
    return expectOutcome(id, outcome, { directory }, join(directory, "tokenizer"));
  });
});

describe("a folder whose scheduler was written by another class", () => {
  it.each(WRITERS)("%s, is drawn with each scheduler as diffusers draws it", async (writer) => {
    const ids = DRAWN_WITH.map((scheduler) => ({ scheduler, id: `scheduler/${writer}-${scheduler}` }));
    const directory = build(cases[ids[0]!.id]!);
    // diffusers has no way from DEIS to DPM-Solver++ either.
    for (const { scheduler, id } of ids)
      await expectOutcome(
        id,
        cases[id]!.picture === undefined ? refused(/Choose another scheduler/) : "picture",
        { directory, scheduler },
        TOKENIZER,
      );
  });
});

describe("a LoRA", () => {
  it.each(LORAS)("%s", (name, _title, outcome) =>
    expectOutcome(
      nameOf("lora", name),
      outcome,
      { directory: RIGHT, loras: [{ file: join(FIELD, "lora", name), weight: 1 }] },
      TOKENIZER,
    ),
  );
});
