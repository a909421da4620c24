import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, parse, resolve } from "node:path";
import { type Command, Option } from "commander";
import { describeDifference, type TensorDifference, tensorDifferences } from "../checkpoints/compile.js";
import { openWeightFile, openWeights } from "../checkpoints/files/open.js";
import type { Weights } from "../checkpoints/files/weights.js";
import { findDiffusion, findPromptist, findVae, publishedInCache } from "../checkpoints/layouts/catalog.js";
import { readConfig, readJson } from "../checkpoints/layouts/config.js";
import {
  DIFFUSION_PARTS,
  type DiffusionFiles,
  isFile,
  openDiffusion,
} from "../checkpoints/layouts/diffusion-files.js";
import { findCachedClip, safetyCheckerOf } from "../checkpoints/layouts/find-judges.js";
import { KIND_FOLDER } from "../checkpoints/layouts/kinds.js";
import { clipTextWeights } from "../checkpoints/layouts/names.js";
import { publishedTinyDecoder } from "../checkpoints/layouts/tiny-decoder-files.js";
import { readTokenizerConfig } from "../checkpoints/layouts/tokenizer-config.js";
import { findModels } from "../checkpoints/library/find-models.js";
import { resolveNames } from "../checkpoints/library/resolve-names.js";
import type { Config } from "../config.js";
import { CheckpointError, InputError } from "../core/errors.js";
import { IMAGE_RANGES, PRECISIONS } from "../core/options.js";
import { REWRITERS } from "../core/rewriters.js";
import type { JudgeGraph } from "../inference/judging/judge.js";
import { clipText, clipTextConfig } from "../models/clip-text.js";
import type { Graph } from "../onnx/graph.js";
import { modelTable } from "./parts/library.js";
import type { CommonFlags, ImageFlags, TextFlags } from "./parts/options.js";
import { addCommonOptions, addExamples, integer, loraOption } from "./parts/options.js";
import { Output } from "./parts/output.js";
import { placesOf } from "./parts/places.js";

/** `promptist checkpoints list | pull | check | compile | synthesize`: lists the models and adds new ones. */
export function addCheckpointsCommand(program: Command, config: Config): void {
  const group = addExamples(
    program.command("checkpoints").description("list, download, check and prepare models"),
    ["checkpoints list", "checkpoints pull promptist"],
  );
  const command = (usage: string, description: string, ...examples: string[]) =>
    addExamples(
      group.command(usage).description(description),
      examples.map((line) => `checkpoints ${line}`),
    );
  const verb = (...of: Parameters<typeof command>) =>
    command(...of).option("--json", "print one JSON object");

  verb("list", "list known and installed models", "list", "list --json").action((flags: JsonFlag) =>
    list(config, new Output(flags.json === true)),
  );
  verb(
    "pull <name>",
    "download a model: promptist, stable-diffusion-v1-5, clip, realesrgan-x4, org/name[@revision] of the hub, a file or folder in it (org/name/file), or its pasted address",
    "pull promptist",
    "pull org/name/style.safetensors",
    "pull clip --out models/clip",
  )
    .option("--out <dir>", "folder to fill (default: its own in CHECKPOINTS_DIR)")
    .addOption(
      new Option("--precision <type>", "which weights to prefer if there are two")
        .choices(["fp16", "fp32"])
        .default("fp16"),
    )
    .action((name: string, flags: PullFlags) =>
      pullVerb(config, new Output(flags.json === true), name, flags),
    );
  verb(
    "check <dir>",
    "compare a model's tensors with what it needs",
    "check checkpoints/stable-diffusion-v1-5",
  ).action(async (path: string, flags: JsonFlag) => {
    const { diffusion } = await resolveNames({ diffusion: path }, config);
    if (!(await check(new Output(flags.json === true), diffusion ?? path))) process.exitCode = 1;
  });
  addCommonOptions(
    command(
      "compile <dir>",
      "make a model's graphs before they are needed",
      "compile checkpoints/stable-diffusion-v1-5",
    ),
    config,
  )
    .addOption(
      new Option("--precision <type>", "number type that Stable Diffusion computes in")
        .choices(PRECISIONS)
        .default(config.DIFFUSION_PRECISION),
    )
    .addOption(
      new Option("--weights <type>", "of Promptist")
        .choices(["int8", "fp32"])
        .default(config.PROMPTIST_WEIGHTS),
    )
    .addOption(loraOption("LoRA to merge into Stable Diffusion"))
    .action((path: string, flags: CompileFlags) =>
      compile(config, new Output(flags.json === true), path, flags),
    );
  verb(
    "synthesize <name> <dir>",
    "write a full-size model with random weights, for measuring",
    "synthesize promptist models/random",
  )
    .option("--seed <n>", "seed of the weights", integer(IMAGE_RANGES.seed.min, IMAGE_RANGES.seed.max), 0)
    .action((name: string, path: string, flags: JsonFlag & { seed: number }) =>
      synthesize(new Output(flags.json === true), name, path, flags.seed),
    );
}

interface JsonFlag {
  readonly json?: boolean;
}
interface PullFlags extends JsonFlag {
  readonly out?: string;
  readonly precision: "fp16" | "fp32";
}
type CompileFlags = CommonFlags & Pick<ImageFlags, "precision" | "lora"> & Pick<TextFlags, "weights">;

const MIB = 2 ** 20;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`;

async function list(config: Config, output: Output): Promise<void> {
  const { PUBLISHED, partialDownloads } = await import("../checkpoints/hub/hub.js");
  const partial = await partialDownloads(config.checkpointsDir);
  const cached: Readonly<Record<string, string | null>> = {
    ...Object.fromEntries(
      REWRITERS.map((rewriter) => [rewriter.name, publishedInCache(rewriter, config.hubCacheDir).whole]),
    ),
    "stable-diffusion-v1-5": publishedInCache("diffusion", config.hubCacheDir).whole,
    clip: findCachedClip(config.hubCacheDir),
    taesd: publishedTinyDecoder(config.checkpointsDir, config.hubCacheDir),
  };
  const known = Object.entries(PUBLISHED).map(([name, { repo, folder, what }]) => {
    const own = resolve(config.checkpointsDir, folder);
    const inCache = cached[name] ?? null;
    const isOwn = isFile(own) || (existsSync(own) && readdirSync(own).length > 0);
    const directory = isOwn || inCache === null ? own : inCache;
    const started = partial.find((found) => found.directory === `${directory}.partial`);
    const isHere = isOwn || inCache !== null;
    return {
      name,
      repo,
      what,
      directory,
      state: isOwn ? "here" : inCache !== null ? "cached" : started ? "partial" : "absent",
      bytes: isHere ? bytesOf(directory) : (started?.bytes ?? 0),
      precision: isHere ? precisionOf(directory) : null,
    };
  });
  const folders = existsSync(config.checkpointsDir)
    ? readdirSync(config.checkpointsDir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !/^\.|\.partial$|^miniature$/.test(entry.name))
        .filter(({ name }) => !Object.values<string>(KIND_FOLDER).includes(name))
        .map(({ name }) => resolve(config.checkpointsDir, name))
    : [];
  const miniatures = ["promptist", "stable-diffusion", "clip"].map((name) => join(config.miniatureDir, name));
  const others = [...folders, ...miniatures]
    .filter((directory) => existsSync(directory) && !known.some((entry) => entry.directory === directory))
    .map((directory) => ({ directory, bytes: bytesOf(directory), precision: precisionOf(directory) }));
  const listed = new Set(
    [...known, ...others].map(({ directory }) => directory).filter((path) => !isFile(path)),
  );
  const library = await findModels(config);
  const found = library.models.filter(({ path }) => !listed.has(path));
  const inUse = {
    promptist: nameOf(
      () =>
        findPromptist(config.PROMPTIST_CHECKPOINT || undefined, config.checkpointsDir, placesOf(config))
          .directory,
    ),
    diffusion: nameOf(
      () =>
        findDiffusion(config.DIFFUSION_CHECKPOINT || undefined, config.checkpointsDir, placesOf(config))
          .directory,
    ),
  };
  const row = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
      .join("  ")
      .trimEnd();
  output.result(
    { known, others, inUse, found, notes: library.notes },
    [
      row(["NAME", "STATE", "SIZE", "WEIGHTS", "FROM"]),
      ...known.map(({ name, state, bytes, precision, repo, what }) =>
        row([name, state, bytes > 0 ? mib(bytes) : "-", precision ?? "-", `${repo} (${what})`]),
      ),
      ...others.map(({ directory, bytes, precision }) =>
        row(["-", "here", mib(bytes), precision ?? "-", directory]),
      ),
      ...(found.length > 0 ? ["", ...modelTable(found)] : []),
      ...library.notes.map((note) => `Note: ${note}`),
      "",
      `In use: ${inUse.promptist ?? "no Promptist"} and ${inUse.diffusion ?? "no Stable Diffusion"}`,
      ...(config.modelsDirs.length > 0
        ? []
        : ["Models of other programs are listed too: name their folders in MODELS_DIRS."]),
      "Get one: promptist checkpoints pull NAME",
    ].join("\n"),
  );
}

const WIDTHS = [22, 8, 12, 9];

/** What `find` returns; null if it finds nothing usable, which is not an error here. */
function nameOf(find: () => string): string | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof CheckpointError) return null;
    throw error;
  }
}

function bytesOf(directory: string): number {
  if (isFile(directory)) return statSync(directory).size;
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((path) => statSync(join(directory, path), { throwIfNoEntry: false }))
    .reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0);
}

/** Element types of the weights in a folder, such as `F16` or `F16, F32`; null if none can be read. */
function precisionOf(directory: string): string | null {
  const types = new Set<string>();
  const paths = isFile(directory) ? [""] : readdirSync(directory, { recursive: true, encoding: "utf8" });
  for (const path of paths.map((name) => join(directory, name))) {
    if (!/\.(safetensors|bin|ckpt)$/.test(path)) continue;
    nameOf(() => {
      const weights = openWeightFile(path);
      for (const name of weights.names) types.add(weights.get(name)!.type);
      return path;
    });
  }
  const floats = [...types].filter((type) => /^B?F\d/.test(type)).sort();
  return floats.length > 0 ? floats.join(", ") : null;
}

async function pullVerb(config: Config, output: Output, name: string, flags: PullFlags): Promise<void> {
  const { pull } = await import("../checkpoints/hub/hub.js");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  const started = performance.now();
  let advance: ((done: number, of: number) => void) | undefined;
  const pulled = await pull(name, {
    endpoint: config.HF_ENDPOINT,
    token: config.HF_TOKEN || undefined,
    checkpointsDir: config.checkpointsDir,
    hubCacheDir: config.hubCacheDir,
    isOffline: config.isOffline,
    directory: flags.out,
    prefer: flags.precision,
    signal: stop.signal,
    onNotice: (sentence) => output.say(sentence),
    onProgress: (done, of) => {
      if (!advance) output.say(`${name}: ${mib(of)} from ${config.HF_ENDPOINT}, ${mib(done)} of it here.`);
      advance ??= output.progress(`${name}, MiB`);
      advance(Math.floor(done / MIB), Math.ceil(of / MIB));
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const { directory, bytes, downloadedBytes, files, cached, commit } = pulled;
  const what = `${files.length === 1 ? "1 file" : `${files.length} files`}, ${mib(bytes)}`;
  const came = cached
    ? `the Hugging Face cache has all of it (revision ${commit.slice(0, 8)}), ${what}; it is used from there and nothing was downloaded.`
    : downloadedBytes === 0
      ? `complete already, ${what}; every hash is right.`
      : `${what}; ${mib(downloadedBytes)} came in ${seconds.toFixed(1)} s. Every hash is right.`;
  output.result({ ...pulled, seconds }, `${directory}: ${came}${useOf(directory, config)}`);
}

/** How to name what came, if it is not found by itself. */
function useOf(path: string, { checkpointsDir }: Config): string {
  const kind = basename(dirname(path));
  const isOwn = dirname(dirname(path)) === checkpointsDir;
  const option = isOwn ? OPTION_OF_FOLDER.get(kind) : undefined;
  return option === undefined ? "" : ` Use it: ${option} "${parse(path).name}"`;
}

const OPTION_OF_FOLDER: ReadonlyMap<string, string> = new Map([
  [KIND_FOLDER.lora, "--lora"],
  [KIND_FOLDER.vae, "--vae"],
  [KIND_FOLDER.checkpoint, "--diffusion"],
  [KIND_FOLDER.upscaler, "upscale --model"],
]);

interface CheckedPart {
  readonly part: string;
  readonly tensors: number;
  readonly differences: readonly TensorDifference[];
}

/** True if every tensor that the model needs is there in the expected shape. */
async function check(output: Output, path: string): Promise<boolean> {
  const directory = resolve(path);
  const parts = await checkParts(directory);
  const notes = kindOf(directory) === "diffusion" ? notesOn(openDiffusion(directory)) : [];
  const problems = parts.flatMap(({ part, differences }) =>
    differences.map((difference) => `${part}: ${describeDifference(difference)}`),
  );
  const isFit = parts.every(({ differences }) => differences.every(({ kind }) => kind === "extra"));
  const tensors = parts.map(({ part, tensors }) => `${part} (${tensors} tensors)`).join(", ");
  output.result(
    { directory, fit: isFit, parts, notes },
    [
      ...problems,
      ...notes,
      isFit ? `${directory} fits: ${tensors}.` : `${directory} does not fit (${problems.length} tensors).`,
    ].join("\n"),
  );
  return isFit;
}

const notesOn = (files: DiffusionFiles): string[] => [...files.notes(), ...files.assumptions()];

async function checkParts(directory: string): Promise<CheckedPart[]> {
  const compare = (
    part: string,
    graph: Graph,
    weights: Weights,
    unused: readonly RegExp[] = [],
  ): CheckedPart => ({
    part,
    tensors: weights.names.length,
    differences: tensorDifferences(graph, weights, unused),
  });
  const compareGraph = ({ part, graph, weights, unused }: JudgeGraph) =>
    compare(part, graph, weights, unused);
  if (kindOf(directory) === "diffusion") {
    const { diffusionGraphs } = await import("../inference/diffusion/stable-diffusion.js");
    const { files, graphs } = diffusionGraphs(directory);
    if (!isFile(directory)) readTokenizerConfig(join(directory, "tokenizer"));
    const checker = safetyCheckerOf(directory);
    const { safetyCheckerGraph } = await import("../inference/judging/judge.js");
    return [
      ...DIFFUSION_PARTS.map((part) =>
        compare(part, graphs[part].graph, files.weights(part, "fp32"), graphs[part].unused),
      ),
      ...(checker === null ? [] : [compareGraph(safetyCheckerGraph(checker))]),
    ];
  }
  readTokenizerConfig(directory);
  if (kindOf(directory) === "clip") {
    const config = readJson(join(directory, "config.json")) as { model_type?: string };
    if (config.model_type === "clip_text_model") {
      const text = readConfig(directory, "config.json", clipTextConfig);
      const graph = clipText(text, { float: "float32" });
      return [compare("text_model", graph, clipTextWeights(openWeights(directory)))];
    }
    const { clipGraphs } = await import("../inference/judging/judge.js");
    return clipGraphs(directory).map(compareGraph);
  }
  const { promptistGraph } = await import("../inference/promptist/promptist.js");
  const { graph, weights } = promptistGraph(directory);
  return [compare("promptist", graph, weights)];
}

/** The kind of checkpoint in a folder or file. Throws CheckpointError if it is none that runs here. */
function kindOf(path: string): "diffusion" | "promptist" | "clip" {
  if (!existsSync(path)) throw new CheckpointError("CHECKPOINT_MISSING", `${path} does not exist.`);
  if (isFile(path) || existsSync(join(path, "model_index.json"))) return "diffusion";
  const { model_type: type } = readJson(join(path, "config.json")) as { model_type?: unknown };
  if (type === "gpt2") return "promptist";
  if (type === "clip" || type === "clip_text_model") return "clip";
  throw new CheckpointError(
    "CHECKPOINT_ARCHITECTURE",
    `${path} holds a model of type ${String(type)}; a GPT-2, a CLIP or a Stable Diffusion 1.x is wanted.`,
  );
}

async function compile(config: Config, output: Output, path: string, flags: CompileFlags): Promise<void> {
  const named = await resolveNames(
    { diffusion: path, vae: config.VAE || undefined, loras: flags.lora },
    config,
  );
  const directory = resolve(named.diffusion ?? path);
  const kind = kindOf(directory);
  if (kind === "clip")
    throw new InputError(
      "INPUT_OPTION",
      `${directory} is a CLIP; only Promptist and Stable Diffusion are compiled ahead.`,
    );
  const [{ openDevice }, { plansToTry }, { Promptist }, { StableDiffusion }] = await Promise.all([
    import("../inference/runtime/open-device.js"),
    import("../inference/runtime/precision.js"),
    import("../inference/promptist/promptist.js"),
    import("../inference/diffusion/stable-diffusion.js"),
  ]);
  // As the workers do, since the graphs depend on what the device computes correctly.
  const { cacheDir } = config;
  const device = await openDevice(
    flags.device,
    kind === "promptist"
      ? { user: "text", plans: ["fp32"], cacheDir }
      : { user: "image", plans: plansToTry(flags.precision), cacheDir },
  );
  const common = { directory, device, cacheDir, threads: config.THREADS };
  const started = performance.now();
  const compilePromptist = async () => {
    const { compiled, notes } = await Promptist.compile({ ...common, weights: flags.weights });
    return { graphs: { promptist: compiled }, notes };
  };
  const { graphs, notes } =
    kind === "promptist"
      ? await compilePromptist()
      : await StableDiffusion.compile({
          ...common,
          precision: flags.precision,
          loras: named.loras.map((lora) => ({ ...lora, file: resolve(lora.file) })),
          vae: findVae(named.vae),
          clipSkip: config.CLIP_SKIP,
        });
  for (const note of notes) output.say(`Note: ${note}`);
  const seconds = (performance.now() - started) / 1000;
  const all = Object.values(graphs);
  const sum = (count: (graph: (typeof all)[number]) => number) =>
    all.reduce((total, graph) => total + count(graph), 0);
  const weightBytes = sum((graph) => graph.weightBytes);
  const copiedBytes = sum((graph) => (graph.reused ? 0 : graph.convertedBytes));
  const reused = all.every((graph) => graph.reused);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  output.result(
    { directory, device: device.name, graphs, seconds, weightBytes, copiedBytes, reused, peakBytes },
    `${Object.keys(graphs).join(", ")} ${reused ? "found in the cache" : "compiled"} in ${seconds.toFixed(2)} s: ${mib(weightBytes)} of weights, ${mib(copiedBytes)} of them copied; peak memory ${mib(peakBytes)}.`,
  );
}

async function synthesize(output: Output, name: string, path: string, seed: number): Promise<void> {
  const { SYNTHESIZERS } = await import("../checkpoints/synthesize.js");
  const make = Object.hasOwn(SYNTHESIZERS, name) ? SYNTHESIZERS[name] : undefined;
  if (make === undefined)
    throw new InputError(
      "INPUT_OPTION",
      `"${name}" cannot be synthesized. Give one of ${Object.keys(SYNTHESIZERS).join(", ")}.`,
    );
  const directory = resolve(path);
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new InputError("INPUT_OPTION", `${directory} is not empty; give a new folder.`);
  const started = performance.now();
  make(directory, seed);
  const seconds = (performance.now() - started) / 1000;
  const bytes = bytesOf(directory);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  output.result(
    { name, directory, seed, bytes, seconds, peakBytes },
    `${directory}: ${mib(bytes)} of random weights (seed ${seed}) in ${seconds.toFixed(1)} s; peak memory ${mib(peakBytes)}.`,
  );
}
