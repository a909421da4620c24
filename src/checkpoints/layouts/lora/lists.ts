import type { Weights } from "../../files/weights.js";
import { type Bases, type LoraModule, type LoraPart, modulesOf } from "./modules.js";

/*
 * cloneofsimo's scripts (2022) number the layers instead of naming them: `unet:0:up`, `unet:0:down`, ... in the
 * order of PyTorch's `modules()`. There the UNet's middle block comes last, since it was made last, and the
 * feed-forward layer before the second attention.
 */

/** Layers of a block that a list may hold, in the order of `modules()`. */
const LAYERS: Readonly<Record<LoraPart, readonly string[]>> = {
  unet: [
    "attn1.to_q",
    "attn1.to_k",
    "attn1.to_v",
    "attn1.to_out.0",
    "ff.net.0.proj",
    "attn2.to_q",
    "attn2.to_k",
    "attn2.to_v",
    "attn2.to_out.0",
  ],
  text_encoder: ["k_proj", "v_proj", "q_proj", "out_proj"],
};

/** What the scripts train: attention and the gated layer, or attention alone; all of CLIP's attention. */
const USUAL: Readonly<Record<LoraPart, readonly (readonly string[])[]>> = {
  unet: [LAYERS.unet, LAYERS.unet.filter((layer) => !layer.startsWith("ff."))],
  text_encoder: [LAYERS.text_encoder],
};

interface Listed {
  /** From a number, such as `unet:0`, to its module. */
  readonly modules: ReadonlyMap<string, LoraModule>;
  /** A sentence where the order had to be guessed. */
  readonly note: string | null;
}

/**
 * The modules that a file's numbers stand for. Where it holds other layers than the scripts train, the first
 * choice of layers is taken whose shapes fit, and a note says which.
 */
export function listedModules(weights: Weights, bases: Bases): Listed {
  const modules = new Map<string, LoraModule>();
  const guessed: string[] = [];
  for (const list of ["unet", "text_encoder"] as const) {
    const shapes = shapesOf(weights, list);
    if (shapes.length === 0) continue;
    const found =
      USUAL[list].map((layers) => sequence(bases, list, layers)).find((it) => fits(it, shapes, bases)) ??
      guess(shapes, list, bases, guessed);
    found?.forEach((module, i) => {
      modules.set(`${list}:${i}`, module);
    });
  }
  const note =
    guessed.length === 0
      ? null
      : `${weights.source} numbers its layers instead of naming them; they are taken as ${guessed.join(", ")}, the first that fit. Compare a picture before you rely on it.`;
  return { modules, note };
}

/** [out, in] of each number, up to the first that is missing or incomplete. */
function shapesOf(weights: Weights, list: LoraPart): (readonly [number, number])[] {
  const shapes: (readonly [number, number])[] = [];
  for (;;) {
    const [up, down] = (["up", "down"] as const).map((role) =>
      weights.get(`${list}:${shapes.length}:${role}`),
    );
    if (up === undefined || down === undefined) return shapes;
    shapes.push([up.shape[0] ?? 0, down.shape[1] ?? 0]);
  }
}

/** The modules of some layers in the order of `modules()`. */
function sequence(bases: Bases, part: LoraPart, layers: readonly string[]): LoraModule[] {
  const order = (module: string): readonly number[] | undefined => {
    const layer = layers.findIndex((it) => module.endsWith(`.${it}`));
    if (layer < 0) return undefined;
    const at = ["down_blocks", "up_blocks", "mid_block"].findIndex((it) => module.startsWith(it));
    const numbers = (module.slice(0, -layers[layer]!.length).match(/\d+/g) ?? []).map(Number);
    return [at, ...numbers, LAYERS[part].indexOf(layers[layer]!)];
  };
  return modulesOf(bases[part])
    .flatMap((module) => {
      const key = order(module);
      return key === undefined ? [] : [{ module, key }];
    })
    .sort((a, b) => compare(a.key, b.key))
    .map(({ module }) => ({ part, module }));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - (b[at] ?? 0);
}

function fits(
  modules: readonly LoraModule[],
  shapes: readonly (readonly [number, number])[],
  bases: Bases,
): boolean {
  return (
    modules.length === shapes.length &&
    modules.every(({ part, module }, i) => {
      const shape = bases[part].get(`${module}.weight`)!.shape;
      return shape[0] === shapes[i]![0] && shape[1] === shapes[i]![1];
    })
  );
}

/** Tries every choice of layers, the first layers first; the UNet's list may go on with the text encoder. */
function guess(
  shapes: readonly (readonly [number, number])[],
  list: LoraPart,
  bases: Bases,
  guessed: string[],
): LoraModule[] | undefined {
  const texts = list === "unet" ? [[], ...choices(["q_proj", "k_proj", "v_proj", "out_proj"])] : [[]];
  for (const layers of choices(LAYERS[list])) {
    const first = sequence(bases, list, layers);
    if (first.length > shapes.length || !fits(first, shapes.slice(0, first.length), bases)) continue;
    for (const text of texts) {
      const all = text.length === 0 ? first : [...first, ...sequence(bases, "text_encoder", text)];
      if (!fits(all, shapes, bases)) continue;
      guessed.push(...layers, ...text);
      return all;
    }
  }
  return undefined;
}

/** All choices of some of the layers, in dictionary order of their positions. */
function choices(layers: readonly string[]): string[][] {
  if (layers.length === 0) return [];
  const [first, ...others] = layers as [string, ...string[]];
  const rest = choices(others);
  return [[first], ...rest.map((it) => [first, ...it]), ...rest];
}
