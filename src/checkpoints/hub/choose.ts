import { posix } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { chooseWeightFile, type Preference, shardNames } from "../files/open.js";

/** The files of a repository at one commit, on the hub or in its cache. */
export interface Listing {
  readonly repo: string;
  readonly paths: readonly string[];
  /** A small file's text. */
  readText(path: string): Promise<string>;
}

/** What of a repository is a model that is read here. */
export type Selection =
  | {
      readonly form: "pipeline" | "model" | "vae" | "tiny-decoder" | "adapter";
      /** Folder in the repository. */
      readonly folder: string;
      readonly paths: readonly string[];
      /** True for a model that needs a tokenizer and has none. */
      readonly lacksTokenizer: boolean;
    }
  | { readonly form: "file"; readonly path: string };

/** Files of a tokenizer that a model without one needs. */
export const TOKENIZER_FILES = ["vocab.json", "merges.txt"];
const TOKENIZER_EXTRAS = ["tokenizer_config.json", "special_tokens_map.json"];
const WEIGHTS = /\.(safetensors|sft|ckpt|pt|pth|bin)$/i;
/** What training programs save beside a model. */
const NO_MODEL = /^(optimizer|scheduler|scaler|training_args|random_states|rng_state)/;
/** diffusers' name for a LoRA, which other files may lie beside. */
const USUAL_LORA = "pytorch_lora_weights.safetensors";

/**
 * Chooses what to read of a repository, or of a file or folder in it: a pipeline, a model with its tokenizer, a VAE,
 * a PEFT adapter, or a single file. Throws CheckpointError HUB_NOT_FOUND (no such file), CHECKPOINT_ARCHITECTURE
 * (nothing that is read here, or several files of which none is named).
 */
export async function choose(listing: Listing, path: string, prefer: Preference): Promise<Selection> {
  const { repo, paths } = listing;
  if (paths.includes(path)) {
    if (posix.basename(path).startsWith("adapter_model.")) {
      const adapter = adapterIn(listing, posix.dirname(path));
      if (adapter) return adapter;
    }
    if (WEIGHTS.test(path)) return { form: "file", path };
    throw new CheckpointError(
      "CHECKPOINT_ARCHITECTURE",
      `${path} of ${repo} is no file of weights (.safetensors, .ckpt, .pt, .bin). Name one, or the folder that it is a part of.`,
    );
  }
  const folder = path === "" ? "." : path;
  if (path !== "" && !paths.some((it) => it.startsWith(`${path}/`)))
    throw new CheckpointError(
      "HUB_NOT_FOUND",
      `${repo} has no file or folder ${path}.${listed(
        repo,
        paths.filter((it) => WEIGHTS.test(it)),
      )}`,
    );
  const has = (name: string) => paths.includes(posix.join(folder, name));
  if (has("model_index.json")) return pipeline(listing, folder, prefer);
  const single = singleFiles(listing, folder);
  const adapter = adapterIn(listing, folder);
  if (adapter) return adapter;
  if (has("config.json") && (single.length === 0 || weightsIn(listing, folder, prefer)))
    return model(listing, folder, prefer);
  const usual = single.find((it) => posix.basename(it) === USUAL_LORA);
  const [only] = usual === undefined ? single : [usual];
  if (only !== undefined && (usual !== undefined || single.length === 1)) return { form: "file", path: only };
  if (single.length === 0) return model(listing, folder, prefer);
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${posix.join(repo, path)} holds ${single.length} files of weights. Name one of them.${listed(repo, single)}`,
  );
}

const SHOWN = 10;

const listed = (repo: string, paths: readonly string[]): string =>
  paths
    .slice(0, SHOWN)
    .map((path) => `\n  promptist checkpoints pull "${repo}/${path}"`)
    .join("") + (paths.length > SHOWN ? `\n  and ${paths.length - SHOWN} more` : "");

const namesIn = ({ paths }: Listing, folder: string): Set<string> =>
  new Set(paths.filter((path) => posix.dirname(path) === folder).map((path) => posix.basename(path)));

const weightsIn = (listing: Listing, folder: string, prefer: Preference): string | undefined => {
  const name = chooseWeightFile(namesIn(listing, folder), prefer)?.name;
  return name !== undefined && /^(model|pytorch_model|diffusion_pytorch_model)\./.test(name)
    ? name
    : undefined;
};

/** Files of weights in a folder; where one is published in two formats, its safetensors. */
function singleFiles(listing: Listing, folder: string): string[] {
  const names = [...namesIn(listing, folder)].filter((name) => WEIGHTS.test(name) && !NO_MODEL.test(name));
  const stem = (name: string) => name.replace(WEIGHTS, "");
  const safe = new Set(names.filter((name) => name.endsWith(".safetensors")).map(stem));
  return names
    .filter((name) => name.endsWith(".safetensors") || !safe.has(stem(name)))
    .map((name) => posix.join(folder, name));
}

function adapterIn(listing: Listing, folder: string): Selection | null {
  const names = namesIn(listing, folder);
  const weights = ["adapter_model.safetensors", "adapter_model.bin"].find((name) => names.has(name));
  if (!names.has("adapter_config.json") || weights === undefined) return null;
  const paths = ["adapter_config.json", weights].map((name) => posix.join(folder, name));
  return { form: "adapter", folder, paths, lacksTokenizer: false };
}

/** Collects files, and what is not there. */
class Choice {
  readonly chosen = new Set<string>();
  readonly lacking: string[] = [];

  constructor(
    readonly listing: Listing,
    readonly folder: string,
    readonly prefer: Preference,
  ) {}

  take(...names: string[]): boolean {
    const found = names
      .map((name) => posix.join(this.folder, name))
      .filter((path) => this.listing.paths.includes(path));
    for (const path of found) this.chosen.add(path);
    return found.length === names.length;
  }

  need(...names: string[]): void {
    for (const name of names) if (!this.take(name)) this.lacking.push(name);
  }

  takeTokenizer(folder: string): boolean {
    for (const name of TOKENIZER_EXTRAS) this.take(posix.join(folder, name));
    const names = TOKENIZER_FILES.map((name) => posix.join(folder, name));
    const isThere = names.every((name) => this.listing.paths.includes(posix.join(this.folder, name)));
    return isThere ? this.take(...names) : this.take(posix.join(folder, "tokenizer.json"));
  }

  async needWeights(folder: string): Promise<void> {
    const within = posix.join(this.folder, folder);
    const name = chooseWeightFile(namesIn(this.listing, within), this.prefer)?.name;
    if (name === undefined) {
      this.lacking.push(posix.join(folder, "model.safetensors"));
      return;
    }
    this.need(posix.join(folder, name));
    if (!name.endsWith(".json")) return;
    const index = posix.join(within, name);
    const shards = new Set(shardNames(index, await this.listing.readText(index)).values());
    this.need(...[...shards].map((shard) => posix.join(folder, shard)));
  }

  requireAll(): void {
    if (this.lacking.length === 0) return;
    throw unreadLayout(this.listing.repo, this.lacking);
  }
}

/** The error for a repository whose files are not those of a model that is read here. */
export const unreadLayout = (repo: string, lacking: readonly string[]): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${repo} is not published in a layout that is read here: it lacks ${lacking.join(", ")}. A Stable Diffusion 1.5 in diffusers' layout or a GPT-2 or CLIP in transformers' layout is wanted.`,
  );

async function pipeline(listing: Listing, folder: string, prefer: Preference): Promise<Selection> {
  const choice = new Choice(listing, folder, prefer);
  choice.need("model_index.json", "scheduler/scheduler_config.json");
  for (const part of ["text_encoder", "unet", "vae"]) {
    choice.need(`${part}/config.json`);
    await choice.needWeights(part);
  }
  if (!choice.takeTokenizer("tokenizer")) choice.lacking.push("tokenizer/vocab.json");
  if (choice.take("safety_checker/config.json")) {
    await choice.needWeights("safety_checker");
    choice.take("feature_extractor/preprocessor_config.json");
  }
  choice.requireAll();
  return { form: "pipeline", folder, paths: [...choice.chosen], lacksTokenizer: false };
}

async function model(listing: Listing, folder: string, prefer: Preference): Promise<Selection> {
  const choice = new Choice(listing, folder, prefer);
  choice.need("config.json");
  await choice.needWeights(".");
  const isOfDiffusers = [...choice.chosen].some((it) => /(^|\/)diffusion_pytorch_model\./.test(it));
  if (isOfDiffusers && choice.lacking.length === 0) {
    const form = AUTOENCODERS.get(await classOf(listing, folder));
    if (form) return { form, folder, paths: [...choice.chosen], lacksTokenizer: false };
  }
  choice.take("generation_config.json");
  choice.take("preprocessor_config.json");
  const lacksTokenizer = !choice.takeTokenizer(".");
  // The caller may know where there is one.
  if (lacksTokenizer && choice.lacking.length > 0) choice.lacking.push(...TOKENIZER_FILES);
  choice.requireAll();
  return { form: "model", folder, paths: [...choice.chosen], lacksTokenizer };
}

/** Classes of diffusers that are a model by themselves here. */
const AUTOENCODERS: ReadonlyMap<unknown, "vae" | "tiny-decoder"> = new Map([
  ["AutoencoderKL", "vae"],
  ["AutoencoderTiny", "tiny-decoder"],
]);

/** The class of diffusers that a configuration names; undefined for any other. */
async function classOf(listing: Listing, folder: string): Promise<unknown> {
  try {
    const config: unknown = JSON.parse(await listing.readText(posix.join(folder, "config.json")));
    return (config as { _class_name?: unknown } | null)?._class_name;
  } catch (error) {
    // Not JSON: its reader says so.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
