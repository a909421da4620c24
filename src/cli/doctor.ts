import { join } from "node:path";
import { inviteUrl } from "../bot/discord/application.js";
import { checkTensors, extraNote } from "../checkpoints/compile.js";
import {
  findClipTokenizer,
  findDiffusion,
  findVae,
  publishedInCache,
} from "../checkpoints/layouts/catalog.js";
import { DIFFUSION_PARTS } from "../checkpoints/layouts/diffusion-files.js";
import { type FoundJudges, findJudges } from "../checkpoints/layouts/find-judges.js";
import {
  type FoundModel,
  findAtStart,
  findModels,
  type Library,
} from "../checkpoints/library/find-models.js";
import { embeddingsAmong } from "../checkpoints/library/found-embeddings.js";
import { resolveNames } from "../checkpoints/library/resolve-names.js";
import type { Config } from "../config.js";
import type { DeviceName } from "../core/devices.js";
import { CheckpointError, describe, InputError } from "../core/errors.js";
import { redactor } from "../core/redact.js";
import { unsupportedNode } from "../core/version.js";
import type { JudgeGraph } from "../inference/judging/judge.js";
import { devicesOf } from "../main/devices.js";
import { type DevicesToTry, deviceFindings, memoryFindings } from "./parts/device-findings.js";
import { EXPLANATIONS, explain } from "./parts/explanations.js";
import type { Finding } from "./parts/finding.js";
import { modelCounts, modelTable } from "./parts/library.js";
import type { Output } from "./parts/output.js";
import { inspectConfigured, placesOf } from "./parts/places.js";
import { storedFindings } from "./parts/stored-findings.js";
import { operatorTable } from "./parts/tried-device.js";

const MARK = { ok: "ok     ", note: "note   ", missing: "MISSING", broken: "BROKEN " } as const;
const MIN_NODE = [20, 10] as const;
const REINSTALL = "Install the program again.";

/**
 * `promptist doctor`: checks everything the program needs. Returns true if its main job can run. The device's
 * operators are listed if `verbose`, and always with `--json`.
 */
export async function doctor(
  config: Config,
  output: Output,
  device: DeviceName,
  verbose: boolean,
): Promise<boolean> {
  const works = config.ROLE !== "bot";
  const tried = await deviceFindings(works ? await devicesToTry(device, config) : NO_DEVICES, config);
  const library = await findModels(config);
  const { named, unclear } = await withPaths(config);
  const findings: Finding[] = [
    node(),
    await nativeModule("onnxruntime-node", () => import("../inference/runtime/onnxruntime.js")),
    await nativeModule("sharp", () => import("sharp")),
    await nativeModule("better-sqlite3", async () => {
      const { openKept } = await import("../db/sqlite/kept-database.js");
      openKept(":memory:").close();
    }),
    await fonts(),
    ...tried.findings,
    await checkpointFinding("promptist", "Promptist", named, []),
    await checkpointFinding(
      "diffusion",
      "Stable Diffusion",
      named,
      library.models.filter(({ kind, misfit }) => kind === "checkpoint" && misfit === null),
    ),
    ...(await memoryFindings(tried.devices, named)),
    ...(await embeddingFindings(named)),
    ...(works ? await judgeFindings(named) : []),
    ...unclear,
    ...libraryFinding(library, config),
    ...(await storedFindings(config)),
    ...(config.ROLE === "worker" ? [] : [await token(config)]),
  ];
  const healthy = findings.every(({ state }) => state === "ok" || state === "note");
  const lines = findings.flatMap(({ subject, state, found, todo }) => [
    `${MARK[state]}  ${subject.padEnd(17)} ${found}`,
    ...(todo ? [`${" ".repeat(27)}-> ${todo}`] : []),
  ]);
  output.result(
    { healthy, findings, models: library.models, operators: tried.reports },
    [
      ...lines,
      ...(library.models.length > 0 && (verbose || library.models.length <= FEW_MODELS)
        ? ["", ...modelTable(library.models)]
        : []),
      ...(verbose ? tried.reports.flatMap(operatorTable) : []),
      "",
      healthy ? "Ready." : "Not ready: see above.",
    ].join("\n"),
  );
  return healthy;
}

/** A bot that leaves the work to others needs no device. */
const NO_DEVICES: DevicesToTry = { devices: [], found: null };

/** The devices that the program would use, unless another one is asked for. */
async function devicesToTry(device: DeviceName, config: Config): Promise<DevicesToTry> {
  const { devices, found } =
    device === config.DEVICE ? await devicesOf(config) : { devices: [], found: null };
  return {
    devices: devices.length === 0 ? [{ name: device, memory: config.DEVICE_MEMORY }] : devices,
    found,
  };
}

/** `promptist doctor --explain [CODE]`. Throws InputError CONFIG for an unknown code. */
export function explainCodes(output: Output, code: string | true): void {
  const found = code === true ? Object.keys(EXPLANATIONS).map(explain) : [explain(code)];
  const known = found.filter((one) => one !== null);
  if (known.length === 0) {
    throw new InputError(
      "CONFIG",
      `There is no failure code ${code}; promptist doctor --explain lists them.`,
    );
  }
  output.result(
    code === true ? { codes: known } : known[0]!,
    known.map(({ code: name, means, todo }) => `${name}\n  ${means}\n  -> ${todo}`).join("\n"),
  );
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  const found = `${process.version} on ${process.platform} ${process.arch}`;
  if (!enough)
    return {
      subject: "Node.js",
      state: "broken",
      found,
      todo: `Install Node.js ${MIN_NODE.join(".")} or newer.`,
    };
  const unsupported = unsupportedNode();
  return {
    subject: "Node.js",
    state: unsupported === null ? "ok" : "note",
    found,
    todo: unsupported === null ? null : `${unsupported}.`,
  };
}

async function nativeModule(subject: string, load: () => Promise<unknown>): Promise<Finding> {
  try {
    await load();
    return { subject, state: "ok", found: "loads", todo: null };
  } catch (error) {
    return {
      subject,
      state: "broken",
      found: describe(error).split("\n")[0] ?? "",
      todo: REINSTALL,
    };
  }
}

/** Whether prompts in any script can be written onto pictures. */
async function fonts(): Promise<Finding> {
  const subject = "fonts";
  try {
    const { undrawnScripts } = await import("../pictures/text.js");
    const missing = await undrawnScripts();
    if (missing.length === 0)
      return { subject, state: "ok", found: "draw every script that was tried", todo: null };
    return {
      subject,
      state: "note",
      found: `lack ${missing.join(", ")}`,
      todo: "Prompts in them show boxes on pictures. On Debian and Ubuntu: apt-get install fonts-wqy-microhei fonts-noto-color-emoji. Elsewhere any font with them will do, such as Noto Sans CJK and Noto Color Emoji.",
    };
  } catch (error) {
    return { subject, state: "broken", found: describe(error).split("\n")[0] ?? "", todo: REINSTALL };
  }
}

/** @param usable other models on this machine that could stand in the place of the miniature */
async function checkpointFinding(
  kind: "promptist" | "diffusion",
  subject: string,
  config: Config,
  usable: readonly FoundModel[],
): Promise<Finding> {
  const { checkpoint, problems } = inspectConfigured(kind, config);
  const found = checkpoint
    ? `${checkpoint.name}, ${(checkpoint.bytes / 2 ** 20).toFixed(1)} MiB in ${checkpoint.directory}`
    : "not found";
  if (problems.length > 0)
    return { subject, state: checkpoint ? "broken" : "missing", found, todo: problems.join(" ") };
  if (checkpoint?.isMiniature) {
    const { problem } = publishedInCache(kind, config.hubCacheDir);
    const here =
      usable[0] === undefined ? "" : ` Or use one that is here: DIFFUSION_CHECKPOINT=${usable[0].name}`;
    const part = problem === null ? "" : ` The Hugging Face cache has a part of them: ${problem}`;
    return {
      subject,
      state: "note",
      found,
      todo: `Only the miniature is here, which shows that everything works, not what the published weights can do.${part} Get them: promptist checkpoints pull ${kind === "promptist" ? "promptist" : "stable-diffusion-v1-5"}${here}`,
    };
  }
  if (checkpoint === null) return { subject, state: "ok", found, todo: null };
  try {
    const vae = kind === "diffusion" ? findVae(config.VAE || undefined) : null;
    const notes = await notesOn(kind, checkpoint.directory, vae);
    return { subject, state: notes.length > 0 ? "note" : "ok", found, todo: notes.join(" ") || null };
  } catch (error) {
    return { subject, state: "broken", found, todo: describe(error) };
  }
}

/** Compares the tensors with the model's. Throws CheckpointError where some are missing or misshapen. */
async function notesOn(
  kind: "promptist" | "diffusion",
  directory: string,
  vae: string | null,
): Promise<string[]> {
  if (kind === "promptist") {
    const { promptistGraph } = await import("../inference/promptist/promptist.js");
    const { graph, weights } = promptistGraph(directory);
    return [extraNote(directory, checkTensors(graph, weights))].filter((note) => note !== null);
  }
  const { diffusionGraphs } = await import("../inference/diffusion/stable-diffusion.js");
  const { files, graphs } = diffusionGraphs(directory, vae);
  const extra = DIFFUSION_PARTS.flatMap((part) =>
    checkTensors(graphs[part].graph, files.weights(part, "fp32"), graphs[part].unused),
  );
  return [...files.notes(), extraNote(directory, extra)].filter((note) => note !== null);
}

/** The embeddings that fit the checkpoint, by name, and why others of EMBEDDINGS do not. */
async function embeddingFindings(config: Config): Promise<Finding[]> {
  const found = embeddingsAmong(await findAtStart(config));
  if (config.embeddings.length === 0 && found.length === 0) return [];
  const subject = "embeddings";
  try {
    const { openPromptReader } = await import("../inference/worker/prompt-tokenizer.js");
    const vae = findVae(config.VAE || undefined);
    const { checkpointsDir, hubCacheDir } = config;
    const diffusion = findDiffusion(config.DIFFUSION_CHECKPOINT || undefined, checkpointsDir, {
      ...placesOf(config),
      vae,
    });
    const { embeddings, notes } = openPromptReader(
      findClipTokenizer(diffusion, checkpointsDir, hubCacheDir),
      diffusion.directory,
      [...config.embeddings.map((file) => ({ file })), ...found],
    );
    const names = embeddings.map(({ names }) => names[0]).slice(0, NAMES_SHOWN);
    const more = embeddings.length - names.length;
    const usable = `${embeddings.length} usable${names.length > 0 ? `: ${names.join(", ")}` : ""}${more > 0 ? ` and ${more} more` : ""}`;
    const told = notes.slice(0, NOTES_SHOWN);
    const rest = notes.length - told.length;
    const todo = [...told, ...(rest > 0 ? [`${rest} more are left out.`] : [])].join(" ");
    return [{ subject, state: notes.length > 0 ? "note" : "ok", found: usable, todo: todo || null }];
  } catch (error) {
    return [{ subject, state: "note", found: "not read", todo: describe(error) }];
  }
}
const NAMES_SHOWN = 10;
const NOTES_SHOWN = 3;

/**
 * Checks CLIP with its predictor, and the safety checker: both are optional, but must be intact if present.
 */
async function judgeFindings(config: Config): Promise<Finding[]> {
  const subject = "judges";
  const { checkpoint } = inspectConfigured("diffusion", config);
  if (checkpoint === null) return [];
  let judges: FoundJudges;
  try {
    judges = findJudges(
      checkpoint,
      config.checkpointsDir,
      config.CLIP_CHECKPOINT || undefined,
      placesOf(config),
    );
  } catch (error) {
    return [{ subject, state: "broken", found: "not found", todo: describe(error) }];
  }
  const [{ clipGraphs, safetyCheckerGraph }, { AestheticPredictor }] = await Promise.all([
    import("../inference/judging/judge.js"),
    import("../inference/judging/aesthetic.js"),
  ]);
  const looked = (subject: string, file: string, note: string | null, open: () => unknown): Finding => {
    try {
      open();
      return { subject, state: note ? "note" : "ok", found: file, todo: note };
    } catch (error) {
      return { subject, state: "broken", found: file, todo: describe(error) };
    }
  };
  const whole = (graphs: readonly JudgeGraph[]) => {
    for (const { graph, weights, unused } of graphs) checkTensors(graph, weights, unused);
  };
  const absent = (subject: string, todo: string): Finding => ({
    subject,
    state: "note",
    found: "none",
    todo,
  });
  const { clip, clipName, aesthetic, safety } = judges;
  const clipNote =
    clipName === "miniature"
      ? "It judges only the miniature's pictures. For those of the published weights: promptist checkpoints pull clip"
      : null;
  const noChecker = checkpoint.isHarmless
    ? "The miniature draws only harmless subjects and needs none."
    : `No safety checker looks at pictures of ${checkpoint.name}. Get it: promptist checkpoints pull stable-diffusion-v1-5`;
  return [
    clip === null
      ? absent("CLIP", "Pictures get no scores. Get it: promptist checkpoints pull clip")
      : looked("CLIP", clip, clipNote, () => whole(clipGraphs(clip))),
    ...(clip === null
      ? []
      : [
          aesthetic === null
            ? absent(
                "beauty",
                `Pictures get no score for it. Put sac+logos+ava1-l14-linearMSE.pth of Microsoft's LMOps (promptist/aesthetic) into ${join(config.checkpointsDir, "aesthetic")}`,
              )
            : looked("beauty", aesthetic, null, () => AestheticPredictor.open(aesthetic)),
        ]),
    safety === null
      ? absent("safety checker", noChecker)
      : looked("safety checker", safety, null, () => whole([safetyCheckerGraph(safety)])),
  ];
}

/** The configuration with paths in place of models' names, or what is wrong with a name. */
async function withPaths(config: Config): Promise<{ named: Config; unclear: Finding[] }> {
  const { PROMPTIST_CHECKPOINT, DIFFUSION_CHECKPOINT, VAE } = config;
  try {
    const { promptist, diffusion, vae } = await resolveNames(
      {
        promptist: PROMPTIST_CHECKPOINT || undefined,
        diffusion: DIFFUSION_CHECKPOINT || undefined,
        vae: VAE || undefined,
      },
      config,
    );
    return {
      named: {
        ...config,
        PROMPTIST_CHECKPOINT: promptist ?? "",
        DIFFUSION_CHECKPOINT: diffusion ?? "",
        VAE: vae ?? "",
      },
      unclear: [],
    };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const finding: Finding = { subject: "names", state: "broken", found: "not clear", todo: error.message };
    return { named: config, unclear: [finding] };
  }
}

/** Models that are listed without --verbose. */
const FEW_MODELS = 20;

/** What lies in other programs' folders, in the hub's cache and beside the checkpoints. */
function libraryFinding({ models, notes }: Library, { modelsDirs }: Config): Finding[] {
  if (models.length === 0 && modelsDirs.length === 0 && notes.length === 0) return [];
  const list = models.length > FEW_MODELS ? ["promptist checkpoints list shows all."] : [];
  const todo = [...notes, ...list].join(" ") || null;
  const found = models.length === 0 ? "none found" : modelCounts(models);
  return [{ subject: "models", state: notes.length > 0 ? "note" : "ok", found, todo }];
}

const TOKEN_TIMEOUT_MS = 5_000;

async function token(config: Config): Promise<Finding> {
  const subject = "Discord";
  if (!config.DISCORD_TOKEN)
    return {
      subject,
      state: "note",
      found: "no DISCORD_TOKEN: a local Discord will be started",
      todo: "For the real one: make a bot in Discord's developer portal and put its token into .env.",
    };
  try {
    const answer = await fetch(`${config.DISCORD_API_URL}/v10/applications/@me`, {
      headers: { authorization: `Bot ${config.DISCORD_TOKEN}` },
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    });
    if (answer.ok) {
      const { name, id } = (await answer.json()) as { name: string; id: string };
      const todo = `Invite it to a server: ${inviteUrl(id)}`;
      return { subject, state: "ok", found: `the token belongs to ${name} (${id})`, todo };
    }
    return {
      subject,
      state: "broken",
      found: `Discord answers ${answer.status} to the token`,
      todo:
        answer.status === 401
          ? "The token is wrong or was reset: copy it again from the developer portal into .env."
          : "Try again later.",
    };
  } catch (error) {
    return {
      subject,
      state: "broken",
      found: `${config.DISCORD_API_URL} cannot be reached`,
      todo: `Check the network. (${redactor([config.DISCORD_TOKEN])(describe(error))})`,
    };
  }
}
