import type { Weights } from "../../files/weights.js";
import { blockOf } from "./blocks.js";

/** Parts of a pipeline that an adapter may change. */
export type LoraPart = "unet" | "text_encoder";
export type Bases = Readonly<Record<LoraPart, Weights>>;

/** A module of the model, such as `down_blocks.0.attentions.0.proj_in`. */
export interface LoraModule {
  readonly part: LoraPart;
  readonly module: string;
}

/** Attention of old diffusers' text encoders -> transformers' name. */
const OLD_TEXT_ATTENTION: Readonly<Record<string, string>> = {
  to_q: "q_proj",
  to_k: "k_proj",
  to_v: "v_proj",
  to_out: "out_proj",
};

/** Prefixes of CLIP's text encoder in files of several programs. */
const TEXT_PREFIX = /^(?:text_encoder|te1?|clip_l|text_encoders?\.clip_l\.transformer)\./;

/** The modules of a part: those with a weight. */
export const modulesOf = (weights: Weights): string[] =>
  weights.names.filter((name) => name.endsWith(".weight")).map((name) => name.slice(0, -".weight".length));

/** Finds the module that an adapter means by a name, in any program's spelling. */
export function moduleFinder(bases: Bases): (stem: string) => LoraModule | undefined {
  /**
   * kohya joins the parts of a name with underscores, which names contain too, so look up the model's own
   * names.
   */
  const joined = { unet: new Map<string, string>(), text_encoder: new Map<string, string>() };
  const original = new Map<string, string>();
  for (const part of ["unet", "text_encoder"] as const)
    for (const module of modulesOf(bases[part])) joined[part].set(module.replaceAll(".", "_"), module);
  for (const module of modulesOf(bases.unet)) {
    const name = blockOf(module, bases.unet)?.original;
    if (name === undefined) continue;
    original.set(name, module);
    joined.unet.set(name.replaceAll(".", "_"), module);
  }

  const named = (part: LoraPart, path: string): LoraModule | undefined => {
    const attention = /^(.*\.self_attn)\.(to_\w+)$/.exec(path);
    const candidates = [
      path,
      `${path}.0`, // to_out_lora -> to_out.0
      `text_model.${path}`,
      ...(attention ? [`${attention[1]}.${OLD_TEXT_ATTENTION[attention[2]!]}`] : []),
    ];
    const module = candidates.find((candidate) => bases[part].get(`${candidate}.weight`));
    return module === undefined ? undefined : { part, module };
  };
  const flat = (part: LoraPart, rest: string): LoraModule | undefined => {
    const module = joined[part].get(rest) ?? joined[part].get(`text_model_${rest}`);
    return module === undefined ? undefined : { part, module };
  };
  return (stem) => {
    const kohya = /^lora_(unet|te1?)_(.+)$/.exec(stem);
    if (kohya) return flat(kohya[1] === "unet" ? "unet" : "text_encoder", kohya[2]!);
    const lycoris = /^lycoris_(?:(unet|te1?)_)?(.+)$/.exec(stem);
    if (lycoris) return flat("unet", lycoris[2]!) ?? flat("text_encoder", lycoris[2]!);
    const bare = stem.replace(/^base_model\.model\./, "").replace(/\.processor\./, ".");
    const ldm = /^(?:model\.)?diffusion_model\.(.+)$/.exec(bare)?.[1];
    if (ldm !== undefined) {
      const module = original.get(ldm);
      return module === undefined ? named("unet", ldm) : { part: "unet", module };
    }
    if (TEXT_PREFIX.test(bare)) return named("text_encoder", bare.replace(TEXT_PREFIX, ""));
    if (bare.startsWith("unet.")) return named("unet", bare.slice("unet.".length));
    return named("unet", bare) ?? named("text_encoder", bare);
  };
}
