import { statSync } from "node:fs";
import { join, parse as parsePath } from "node:path";
import { parseDocument } from "yaml";
import { corrupt, readText } from "../files/file.js";
import { readMetadata } from "../files/safetensors.js";
import type { Weights } from "../files/weights.js";

/** What a UNet was trained to predict, under diffusers' names of the scheduler's keys. */
export interface PredictionType {
  readonly prediction_type: "epsilon" | "v_prediction";
  /** True if it was trained with noise levels that end in pure noise. */
  readonly rescale_betas_zero_snr: boolean;
  /** Where that is written; null if nothing says it, and epsilon is assumed. */
  readonly saidBy: string | null;
}

/**
 * Reads what a single-file checkpoint was trained to predict. In this order: the training configuration of
 * the same name beside it (`model.params.parameterization` of NAME.yaml), the empty tensors `v_pred` and
 * `ztsnr` that trainers put into the file, and its metadata (`modelspec.prediction_type`, or the names of
 * kohya's scripts). Throws CheckpointError CHECKPOINT_CORRUPT for a configuration that is not YAML.
 */
export function predictionTypeOf(path: string, weights: Weights): PredictionType {
  const yaml = yamlBeside(path);
  const said = [
    ...(yaml === undefined ? [] : [{ saidBy: yaml.path, ...saidByParameters(yaml.parameters) }]),
    { saidBy: `the tensors of ${path}`, ...saidByTensors(weights) },
    { saidBy: `the metadata of ${path}`, ...saidByMetadata(readMetadata(path)) },
  ];
  const type = said.find((it) => it.type !== undefined);
  return {
    prediction_type: type?.type ?? "epsilon",
    rescale_betas_zero_snr: said.find((it) => it.zeroSnr !== undefined)?.zeroSnr ?? false,
    saidBy: type?.saidBy ?? null,
  };
}

interface Said {
  readonly type?: PredictionType["prediction_type"] | undefined;
  readonly zeroSnr?: boolean | undefined;
}

/** The words for the two types in training configurations and metadata. */
const WORDS: ReadonlyMap<string, PredictionType["prediction_type"]> = new Map([
  ["v", "v_prediction"],
  ["v_prediction", "v_prediction"],
  ["v-prediction", "v_prediction"],
  ["vpred", "v_prediction"],
  ["v_pred", "v_prediction"],
  ["eps", "epsilon"],
  ["epsilon", "epsilon"],
]);

const wordOf = (value: unknown): PredictionType["prediction_type"] | undefined =>
  typeof value === "string" ? WORDS.get(value.trim().toLowerCase()) : undefined;

/** Python's and YAML's spellings. */
function switchOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.trim().toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}

/** The first of several keys that has a value. */
function firstOf<T>(
  record: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  read: (value: unknown) => T | undefined,
) {
  return keys.map((key) => read(record[key])).find((value) => value !== undefined);
}

const ZERO_SNR_KEYS = ["rescale_betas_zero_snr", "zero_terminal_snr", "ztsnr", "zsnr"];

const saidByParameters = (parameters: Readonly<Record<string, unknown>>): Said => ({
  type: firstOf(parameters, ["parameterization", "prediction_type"], wordOf),
  zeroSnr: firstOf(parameters, ZERO_SNR_KEYS, switchOf),
});

/** Trainers mark a v-prediction file by the mere presence of these names, and nothing by their absence. */
function saidByTensors(weights: Weights): Said {
  return {
    type: weights.get("v_pred") ? "v_prediction" : undefined,
    zeroSnr: weights.get("ztsnr") ? true : undefined,
  };
}

function saidByMetadata(metadata: Readonly<Record<string, string>>): Said {
  const flag = switchOf(metadata.ss_v_parameterization);
  return {
    type:
      firstOf(metadata, ["modelspec.prediction_type", "prediction_type"], wordOf) ??
      (flag === undefined ? undefined : flag ? "v_prediction" : "epsilon"),
    zeroSnr: firstOf(metadata, ["ss_zero_terminal_snr", ...ZERO_SNR_KEYS], switchOf),
  };
}

/** A training configuration has 2 kB. */
const MAX_YAML_BYTES = 2 ** 20;

/** `model.params` of the training configuration beside a checkpoint, if there is one. */
function yamlBeside(path: string): { path: string; parameters: Record<string, unknown> } | undefined {
  const { dir, name } = parsePath(path);
  const found = [".yaml", ".yml"]
    .map((extension) => join(dir, name + extension))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  if (found === undefined) return undefined;
  if (statSync(found).size > MAX_YAML_BYTES)
    throw corrupt(found, `it has more than ${MAX_YAML_BYTES} bytes, which is no training configuration`);
  const document = parseDocument(readText(found), { logLevel: "silent" });
  if (document.errors.length > 0) throw corrupt(found, "it is not YAML", document.errors[0]);
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw corrupt(found, "its references cannot be resolved", cause);
  }
  return { path: found, parameters: recordIn(content, "model", "params") };
}

/** The record under nested keys; empty where any is missing. */
function recordIn(value: unknown, ...keys: readonly string[]): Record<string, unknown> {
  let inner = value;
  for (const key of keys)
    inner =
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<string, unknown>)[key]
        : undefined;
  return typeof inner === "object" && inner !== null && !Array.isArray(inner)
    ? (inner as Record<string, unknown>)
    : {};
}
