/** Roles of a tensor in the change of one module, by the names of LyCORIS where it has one. */
const NAMED_ROLES = [
  "alpha",
  "dora_scale",
  "hada_w1_a",
  "hada_w1_b",
  "hada_w2_a",
  "hada_w2_b",
  "hada_t1",
  "hada_t2",
  "lokr_w1",
  "lokr_w1_a",
  "lokr_w1_b",
  "lokr_w2",
  "lokr_w2_a",
  "lokr_w2_b",
  "lokr_t2",
  "diff",
  "diff_b",
  "w_norm",
  "b_norm",
  "on_input",
  "ia3_l",
] as const;

export type Role =
  | (typeof NAMED_ROLES)[number]
  | "down"
  | "up"
  | "mid"
  /** `lora_bias` of PEFT */
  | "up_bias"
  /** `lora_magnitude_vector` of PEFT's DoRA */
  | "magnitude"
  /** What (IA)^3 of LyCORIS multiplies with */
  | "weight";

export interface ParsedKey {
  /** The module as it is named in the file. */
  readonly stem: string;
  readonly role: Role;
}

/** Names of modules are far shorter; a longer one fits nothing and is not worth a search. */
const MAX_KEY = 400;

const MATRIX =
  /^(.+?)(?:\.lora_(?<kohya>down|up|mid)|\.lora_(?<peft>[AB])(?:\.\w+)?|[._]lora\.(?<diffusers>down|up)|\.lora_linear_layer\.(?<old>down|up))\.(?<kind>weight|bias)$/;
/** PEFT puts the adapter's name behind, where it saved the model and not the adapter. */
const NAMED = new RegExp(`^(.+)\\.(${NAMED_ROLES.join("|")})(?:\\.\\w+)?$`);
const MAGNITUDE = /^(.+)\.lora_magnitude_vector(?:\.\w+){0,2}$/;
/** cloneofsimo's lists, such as `unet:0:up` */
const LISTED = /^((?:unet|text_encoder):\d+):(up|down)$/;
const FLAT_WEIGHT = /^((?:lora_|lycoris_)\w+)\.weight$/;

/**
 * Reads a key as kohya's scripts, LyCORIS, diffusers (old and new) and PEFT write it; undefined for any other.
 */
export function parseKey(key: string): ParsedKey | undefined {
  if (key.length > MAX_KEY) return undefined;
  const matrix = MATRIX.exec(key);
  if (matrix) {
    const { kohya, peft, diffusers, old, kind } = matrix.groups ?? {};
    const role = kohya ?? diffusers ?? old ?? (peft === "A" ? "down" : "up");
    if (kind === "weight") return { stem: matrix[1]!, role: role as Role };
    return role === "up" ? { stem: matrix[1]!, role: "up_bias" } : undefined;
  }
  const magnitude = MAGNITUDE.exec(key);
  if (magnitude) return { stem: magnitude[1]!, role: "magnitude" };
  const named = NAMED.exec(key);
  if (named) return { stem: named[1]!.replace(/[._]lora$/, ""), role: named[2] as Role };
  const listed = LISTED.exec(key);
  if (listed) return { stem: listed[1]!, role: listed[2] as Role };
  const flat = FLAT_WEIGHT.exec(key);
  return flat ? { stem: flat[1]!, role: "weight" } : undefined;
}
