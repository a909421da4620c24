/** What a graph of ComfyUI's draws, where it is simple enough to say so. */
export interface ComfyGraph {
  readonly positive: string;
  readonly negative: string | null;
  /** Values by the names of its nodes' inputs: seed, steps, cfg, sampler_name, scheduler, width, height. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly model: string | null;
  readonly loras: readonly { readonly name: string; readonly weight: number | null }[];
}

interface Node {
  readonly kind: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Nodes that are followed from one to the next. */
const DEPTH_MAX = 32;
const SETTINGS = ["seed", "noise_seed", "steps", "cfg", "sampler_name", "scheduler"] as const;

/**
 * Reads the JSON that ComfyUI writes under `prompt`: nodes by id, each with its inputs, which are values or
 * `[id, output]` of another node. Null unless exactly one plain sampler uses prompts that stand in the graph.
 */
export function readComfyGraph(json: string): ComfyGraph | null {
  const nodes = nodesOf(json);
  const samplers = [...nodes.values()].filter(({ kind }) => /^KSampler(?:Advanced)?$/.test(kind));
  const [sampler] = samplers;
  if (sampler === undefined || samplers.length > 1) return null;
  const linked = (node: Node, input: string): Node | undefined => {
    const value = node.inputs[input];
    return Array.isArray(value) ? nodes.get(String(value[0])) : undefined;
  };
  /** The text that a conditioning comes from. */
  const textOf = (input: string): string | null => {
    let node = linked(sampler, input);
    for (let depth = 0; node !== undefined && depth < DEPTH_MAX; depth++) {
      const { text, value, string } = node.inputs;
      const own = [text, value, string].find((it) => typeof it === "string");
      if (own !== undefined) return own as string;
      node = linked(node, "text") ?? linked(node, "conditioning");
    }
    return null;
  };
  const positive = textOf("positive");
  if (positive === null) return null;
  const latent = linked(sampler, "latent_image");
  const size = latent !== undefined && /^EmptyLatent/.test(latent.kind) ? latent.inputs : {};
  const loras: { name: string; weight: number | null }[] = [];
  let model = linked(sampler, "model");
  for (let depth = 0; model !== undefined && depth < DEPTH_MAX; depth++) {
    const { lora_name, strength_model, ckpt_name } = model.inputs;
    if (typeof ckpt_name === "string") break;
    if (typeof lora_name === "string")
      loras.push({ name: lora_name, weight: typeof strength_model === "number" ? strength_model : null });
    model = linked(model, "model");
  }
  const name = model?.inputs.ckpt_name;
  const values = { ...sampler.inputs, width: size.width, height: size.height };
  const settings = Object.fromEntries(
    [...SETTINGS, "width", "height"]
      .map((key) => [key, values[key as keyof typeof values]] as const)
      // A linked value comes from a node that is not read.
      .filter(([, value]) => typeof value === "string" || typeof value === "number"),
  );
  return {
    positive,
    negative: textOf("negative"),
    settings,
    model: typeof name === "string" ? name : null,
    loras: loras.reverse(),
  };
}

function nodesOf(json: string): ReadonlyMap<string, Node> {
  let graph: unknown;
  try {
    // Python writes NaN, which is none of JSON's words.
    graph = JSON.parse(json.replace(/:\s?NaN\b/g, ": null"));
  } catch (error) {
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
  if (typeof graph !== "object" || graph === null) return new Map();
  return new Map(
    Object.entries(graph).flatMap(([id, node]) => {
      const { class_type: kind, inputs } = (node ?? {}) as Readonly<Record<string, unknown>>;
      return typeof kind === "string" && typeof inputs === "object" && inputs !== null
        ? [[id, { kind, inputs: inputs as Node["inputs"] }] as const]
        : [];
    }),
  );
}
