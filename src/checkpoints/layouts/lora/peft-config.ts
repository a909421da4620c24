import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import { z } from "zod";
import { CheckpointError } from "../../../core/errors.js";
import { readText, shown } from "../../files/file.js";
import { MAX_INDEX_BYTES } from "../../files/open.js";
import { readMetadata } from "../../files/safetensors.js";
import type { Scaling } from "./families.js";
import type { LoraModule, LoraPart } from "./modules.js";

/** PEFT's configuration of an adapter, as far as it changes what is merged. */
const peftConfig = z.object({
  peft_type: z.string().nullish(),
  r: z.number().positive().nullish(),
  lora_alpha: z.number().nullish(),
  alpha: z.number().nullish(),
  rank_pattern: z.record(z.string(), z.number().positive()).nullish(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_rslora: z.boolean().nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});
type PeftConfig = z.infer<typeof peftConfig>;

export const PEFT_CONFIG = "adapter_config.json";
/** What PEFT takes where the file says nothing. */
const DEFAULT_ALPHA = 8;
const READ_TYPES = ["LORA", "LOHA", "LOKR", "IA3"];
/** They train a model from which a part was taken first, which an adapter alone does not tell. */
const CHANGED_BASE = /^(pissa|olora|corda|loftq|eva_residual)/i;

/** How PEFT's configuration scales a module; undefined where there is no configuration. */
export type ScalingOf = (module: LoraModule) => Scaling | undefined;

/**
 * Reads the configuration beside a PEFT adapter (`adapter_config.json`) or in a file's metadata, where
 * diffusers keeps it since 0.34 with its keys under the model's name (`unet.r`, `unet.lora_alpha`).
 * @throws CheckpointError CHECKPOINT_CORRUPT (no such configuration), CHECKPOINT_TENSORS (a method that is not
 *   merged here)
 */
export function peftScaling(
  file: string,
  names: readonly string[],
  modules: readonly LoraModule[],
): ScalingOf {
  const isPeft =
    basename(file).startsWith("adapter_model.") || names.some((name) => name.startsWith("base_model.model."));
  const path = join(dirname(file), PEFT_CONFIG);
  const metadata = readMetadata(file).lora_adapter_metadata;
  if (metadata !== undefined) {
    const parts = partsOf(
      `${file}: its lora_adapter_metadata`,
      parseJson(`${file}: its lora_adapter_metadata`, metadata),
    );
    return scalingBy(parts, modules);
  }
  if (!isPeft || !existsSync(path)) return () => undefined;
  if (statSync(path).size > MAX_INDEX_BYTES)
    throw damaged(path, "has far more bytes than a configuration needs");
  const config = parse(path, parseJson(path, readText(path)));
  requireMergeable(path, config);
  const alpha = config.lora_alpha ?? config.alpha ?? DEFAULT_ALPHA;
  const own = { ...config, lora_alpha: alpha };
  return scalingBy({ unet: own, text_encoder: own }, modules);
}

function requireMergeable(path: string, { peft_type, init_lora_weights }: PeftConfig): void {
  const type = peft_type ?? "LORA";
  if (!READ_TYPES.includes(type.toUpperCase()))
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${path} is of PEFT's method ${shown(type)}, which is not merged here; these are: ${READ_TYPES.join(", ")}.`,
    );
  if (typeof init_lora_weights === "string" && CHANGED_BASE.test(init_lora_weights))
    throw new CheckpointError(
      "CHECKPOINT_TENSORS",
      `${path} was trained from changed weights (init_lora_weights is ${shown(init_lora_weights)}), so it does not fit the checkpoint itself. Save it with PEFT's path_initial_model_for_weight_conversion.`,
    );
}

function parseJson(source: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(source, "is not JSON", cause);
  }
}

function parse(source: string, value: unknown): PeftConfig {
  const parsed = peftConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw damaged(source, `is no configuration of PEFT (${shown(path.join("."))}: ${shown(message)})`);
}

const damaged = (source: string, what: string, cause?: unknown): CheckpointError =>
  new CheckpointError("CHECKPOINT_CORRUPT", `${source} ${what}. Download or copy it again.`, { cause });

function partsOf(source: string, value: unknown): Partial<Record<LoraPart, PeftConfig>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw damaged(source, "is no configuration of PEFT");
  const of = (part: LoraPart): PeftConfig | undefined => {
    const own = Object.entries(value).filter(([key]) => key.startsWith(`${part}.`));
    if (own.length === 0) return undefined;
    return parse(source, Object.fromEntries(own.map(([key, it]) => [key.slice(part.length + 1), it])));
  };
  const [unet, text_encoder] = [of("unet"), of("text_encoder")];
  return { ...(unet && { unet }), ...(text_encoder && { text_encoder }) };
}

function scalingBy(configs: Partial<Record<LoraPart, PeftConfig>>, found: readonly LoraModule[]): ScalingOf {
  const scalings = new Map<string, Scaling>();
  for (const part of ["unet", "text_encoder"] as const) {
    const config = configs[part];
    if (config === undefined) continue;
    const modules = found.filter((it) => it.part === part).map(({ module }) => module);
    const alphas = patternValues(config.alpha_pattern ?? {}, modules);
    const ranks = patternValues(config.rank_pattern ?? {}, modules);
    for (const [i, module] of modules.entries())
      scalings.set(`${part}:${module}`, {
        alpha: alphas[i] ?? config.lora_alpha ?? undefined,
        rank: ranks[i] ?? config.r ?? undefined,
        isRankStabilized: config.use_rslora === true,
      });
  }
  return ({ part, module }) => scalings.get(`${part}:${module}`);
}

/** Milliseconds for all patterns of a configuration: a hostile expression takes for ever. */
const PATTERN_MS = 1000;

/** Characters of a pattern; a list of all modules of a model has fewer. */
const MAX_PATTERN = 50_000;

/** Runs apart, since only code in a context of its own can be stopped after a time. */
const MATCHER = `modules.map((module) => {
  for (const [pattern, value] of patterns) if (pattern.test(module)) return value;
})`;

/**
 * The value of the first pattern that matches each module's name. As in PEFT, a pattern is a regular expression
 * for the whole name or for its last parts.
 */
function patternValues(
  patterns: Readonly<Record<string, number>>,
  modules: readonly string[],
): (number | undefined)[] {
  const tooLong = Object.keys(patterns).find((pattern) => pattern.length > MAX_PATTERN);
  if (tooLong !== undefined) throw tooSlow();
  const expressions = Object.entries(patterns).map(
    ([pattern, value]) => [expression(pattern), value] as const,
  );
  if (expressions.length === 0) return [];
  try {
    return runInNewContext(MATCHER, { modules, patterns: expressions }, { timeout: PATTERN_MS });
  } catch (cause) {
    throw tooSlow(cause);
  }
}

const tooSlow = (cause?: unknown): CheckpointError =>
  new CheckpointError(
    "CHECKPOINT_CORRUPT",
    `The patterns of ${PEFT_CONFIG} take too long to match. Name the modules without regular expressions.`,
    { cause },
  );

/** Python's expressions are JavaScript's for all that names of modules need. */
function expression(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:.*\\.)?(?:${pattern})$`);
  } catch {
    return new RegExp(`^(?:.*\\.)?${pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`);
  }
}
