import { basename, join, parse } from "node:path";
import { cdnBeside, type LocalDiscord, startLocalDiscord, startOperatorPanel } from "local-discord";
import { type Bot, createBot } from "./bot/bot.js";
import { verdictOf } from "./bot/words/english/votes.js";
import { ownSide } from "./checkpoints/layouts/diffusion-files.js";
import { readSubjects } from "./checkpoints/layouts/subjects.js";
import { findAtStart } from "./checkpoints/library/find-models.js";
import type { Config } from "./config.js";
import { CheckpointError, describe } from "./core/errors.js";
import { createEvents, type Events } from "./core/events.js";
import { type Host, haveDevicesFailed } from "./core/hosts/host.js";
import { pacesOf } from "./core/hosts/waiting.js";
import { PHASES, type Phase } from "./core/job.js";
import { rewriterSetOf } from "./core/model-set.js";
import { DEFAULT_SIDES, type Sides, sidesOf } from "./core/options.js";
import { redactor } from "./core/redact.js";
import { rewriterNameOf } from "./core/rewriters.js";
import { PROGRAM } from "./core/version.js";
import type { Queue } from "./db/queue.js";
import type { Store } from "./db/store.js";
import { diskUse } from "./files/disk-use.js";
import { mostPixels } from "./inference/diffusion/size-limit.js";
import { WorkerRecords } from "./inference/loop/left-behind.js";
import {
  checkpointName,
  type ModelChoice,
  miniaturePhases,
  type OwnDevice,
} from "./inference/loop/model-choice.js";
import { PromptWindow } from "./inference/promptist/prompt-window.js";
import { openPromptReader } from "./inference/worker/prompt-tokenizer.js";
import { openEngine, passwordOf } from "./main/engine.js";
import { examplesOf } from "./main/examples.js";
import { startHost } from "./main/host.js";
import { createLoops, modelSetsOf, type PlannedLoop } from "./main/loops.js";
import { startMetrics } from "./main/metrics.js";
import { showStandby } from "./main/standby.js";
import { tasteTable } from "./main/taste-table.js";
import { LoadedModels } from "./metrics/loaded-models.js";
import { logEvents } from "./metrics/log.js";
import { watchForOperator } from "./metrics/operator-view.js";
import { recentLog } from "./metrics/recent-log.js";
import { isBucket, openPictures } from "./pictures/open.js";
import { Retention } from "./pictures/retention.js";
import { Tastes } from "./taste/tastes.js";

export interface App {
  readonly config: Config;
  readonly store: Store;
  readonly queue: Queue;
  readonly events: Events;
  /** The local Discord, if the configuration has no token. */
  readonly local: LocalDiscord | null;
  /** Address of the operator's panel, if the configuration has a port for it. */
  readonly panelUrl: string | null;
  readonly inviteUrl: string;
  readonly userTag: string;
  readonly choice: ModelChoice;
  /** Puts running jobs back in the queue, disconnects from Discord and closes the database. */
  stop(): Promise<void>;
}

export interface AppOptions {
  /** Gets the program's events from the first; new ones by default. */
  readonly events?: Events;
  /** The compiled worker; set by tests that run from source. */
  readonly workerFile?: string;
  /** Called when Discord refuses the bot for good, such as after a token reset; the operator must act. */
  readonly onRefused?: (error: Error) => void;
  /** Called when another program has taken the data folder or the database; this one must stop. */
  readonly onTaken?: () => void;
  /** Ends the wait of a standby, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Builds the whole program: lock -> database -> (local Discord) -> bot -> loop. If a part fails to start, the
 * parts before it are stopped and the error is rethrown.
 */
export async function createApp(
  config: Config,
  { events = createEvents(), workerFile, onRefused, onTaken = () => {}, signal }: AppOptions = {},
): Promise<App> {
  const cleanups: (() => unknown)[] = [];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const redact = redactor([
      config.DISCORD_TOKEN,
      config.HF_TOKEN,
      config.AWS_SECRET_ACCESS_KEY,
      passwordOf(config.DATABASE_URL),
    ]);
    logEvents(events, config.LOG_LEVEL, { redact });
    const lines = recentLog(events, redact);
    const found = await findAtStart(config);
    const { models, choice } = await modelSetsOf(config, found);

    const devices = new Map<Phase, string>();
    events.on("phase.started", ({ phase, device }) => devices.set(phase, device));
    const madeBy = (phase: Phase) => ({
      name: checkpointName(choice, phase),
      device: devices.get(phase) ?? null,
    });
    let opened: Queue | null = null;
    let hosts: () => readonly Host[] = () => [];
    let isWaiting = false;
    const measure = async () =>
      cleanups.push(await startMetrics(config, events, { queue: () => opened, hosts: () => hosts() }));
    const engine = await openEngine({
      config,
      events,
      onTaken,
      async onWaiting() {
        isWaiting = true;
        await measure();
        cleanups.push(await showStandby(config, events));
        events.emit("bot.standby", { isWaiting });
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const { store } = engine;
    const { queue, votes, records } = store;
    const tastes = new Tastes(store.lessons, events);
    cleanups.push(engine.close, () => tastes.close());
    opened = queue;
    if (!isWaiting) await measure();
    else events.emit("bot.standby", { isWaiting: false });

    const workers = new WorkerRecords(join(config.dataDir, "workers"), events);
    await workers.endLeftBehind();

    const promptWindows = new Map<string, PromptWindow>();
    const windowOf = (rewriter: string): PromptWindow => {
      const chosen = models.withRewriter(rewriterSetOf({ rewriter }));
      const { promptist, promptistTokenizer, form, keepsPrompt } = chosen;
      const known =
        promptWindows.get(rewriter) ??
        new PromptWindow(promptist.directory, promptistTokenizer, form, keepsPrompt);
      promptWindows.set(rewriter, known);
      return known;
    };
    const pictures = await openPictures(config);
    const { heartbeat, planned } = await startHost(config, { models, choice }, { engine, events, pictures });
    cleanups.push(() => heartbeat.stop());
    hosts = () => heartbeat.latest;
    const operator = watchForOperator({
      events,
      jobs: queue,
      latest: (limit) => records.latest(limit),
      checkpoints: { text: checkpointName(choice, "text"), image: checkpointName(choice, "image") },
      redact,
      votes: async () => {
        const tally = await votes.total({});
        const { optimized, baseline } = tally;
        return { optimized, baseline, summary: verdictOf(tally).sentence.replaceAll("`", "") };
      },
      disk: diskUse(config.dataDir),
      log: lines,
      hosts: () => heartbeat.list(),
    });
    const actions = {
      cancel: (job: string) => queue.cancel(job),
      pause: () => queue.setPaused(true),
      resume: () => queue.setPaused(false),
      pauseHost: (host: string) => store.hosts.setPaused(host, true),
      resumeHost: (host: string) => store.hosts.setPaused(host, false),
    };
    let serverName: Bot["serverName"] = () => null;
    const taste = tasteTable({ store, tastes, isOn: config.TASTE, nameOf: (guildId) => serverName(guildId) });
    const panel =
      config.OPERATOR_PORT === 0
        ? null
        : await startOperatorPanel({ port: config.OPERATOR_PORT, operator, actions, taste });
    if (panel) {
      cleanups.push(() => panel.close());
      events.emit("log", { level: "info", message: `Operator's panel at ${panel.url}` });
    }
    const local = config.DISCORD_TOKEN
      ? null
      : await startLocalDiscord({
          port: config.LOCAL_DISCORD_PORT,
          folder: join(config.dataDir, "local-discord"),
          operator,
          actions,
          taste,
          examples: examplesOf(choice.diffusion.isMiniature),
        });
    if (local) cleanups.push(() => local.close());

    const apiUrl = local?.apiUrl ?? config.DISCORD_API_URL;
    const cdnUrl = cdnBeside(apiUrl);
    const subjects = choice.diffusion.isMiniature ? readSubjects(config.miniatureDir) : null;
    const bot = createBot({
      token: local?.token ?? config.DISCORD_TOKEN,
      apiUrl,
      ...(cdnUrl === undefined ? {} : { cdnUrl }),
      shards: config.SHARDS,
      ...(onRefused ? { onFatal: onRefused } : {}),
      maySend: engine.isOurs,
      store,
      tastes,
      preview: config.PREVIEW,
      events,
      pictures,
      defaults: {
        text: config.text,
        image: { ...config.image, guidance: config.image.guidance ?? choice.diffusion.guidance, seed: 0 },
        speed: config.SPEED,
        models: {
          model: choice.diffusion.model,
          vae: choice.vae == null ? null : basename(choice.vae),
          clipSkip: choice.clipSkip ?? 0,
          loras: (choice.loras ?? []).map(({ file }) => parse(file).name),
          // A folder's files come and go.
          get embeddings() {
            return embeddingNames(choice);
          },
        },
        miniature: miniaturePhases(choice, PHASES),
      },
      models: { known: () => models.known(), adult: config.adultModels, loaded: new LoadedModels(events) },
      ...(subjects === null ? {} : { subjects }),
      uncheckedPictures: config.UNCHECKED_PICTURES,
      paces: () => pacesOf(heartbeat.latest),
      haveDevicesFailed: () => haveDevicesFailed(heartbeat.latest),
      fleet: () => heartbeat.list(),
      isTooLong: (prompt, text) => windowOf(rewriterNameOf(text)).isLonger(prompt, text.maxNewTokens),
      rewriters: () => models.rewriters(),
      adminIds: config.ADMIN_IDS,
      machine: () => ({
        program: PROGRAM,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        checkpoints: { text: madeBy("text"), image: madeBy("image") },
        memoryBytes: process.memoryUsage().rss,
      }),
      limits: {
        maxPromptLength: config.MAX_PROMPT_LENGTH,
        maxBatch: config.MAX_BATCH_PROMPTS,
        maxFileBytes: config.MAX_FILE_BYTES,
        maxSteps: config.MAX_STEPS,
        sides: await sidesHere(choice, planned, config, events),
        maxPairs: config.MAX_PAIRS,
        maxCells: config.MAX_CELLS,
        inLine: config.inLine,
        open: config.openCaps,
        minutes: config.minutes,
      },
    });
    serverName = (guildId) => bot.serverName(guildId);
    const retention = new Retention({
      records,
      events,
      pictures,
      limits: config.retention,
      afterPhases: !isBucket(config),
    });
    const { userTag, inviteUrl } = await bot.start();
    cleanups.push(() => bot.stop());

    const loops = createLoops({
      config,
      models,
      planned,
      store,
      tastes,
      events,
      pictures,
      workers,
      isPaused: () => heartbeat.isPaused,
      mayClaim: engine.isOurs,
      ...(engine.pollMs === undefined ? {} : { pollMs: engine.pollMs }),
      ...(workerFile === undefined ? {} : { workerFile }),
    });
    await engine.recover();
    for (const loop of loops) loop.start();
    cleanups.push(() => Promise.all(loops.map((loop) => loop.stop())));
    retention.start();
    cleanups.push(() => retention.stop());
    return {
      config,
      store,
      queue,
      events,
      local,
      panelUrl: panel?.url ?? null,
      inviteUrl,
      userTag,
      choice,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What prompts can ask for by name; none where the checkpoint can't be read, which each job that draws says. */
function embeddingNames({ clipTokenizer, diffusion, embeddings = [] }: ModelChoice): string[] {
  if (embeddings.length === 0) return [];
  try {
    const found = openPromptReader(clipTokenizer, diffusion.directory, embeddings).embeddings;
    return found.flatMap(({ names }) => names);
  } catch (error) {
    if (error instanceof CheckpointError) return [];
    throw error;
  }
}

/** The sides of pictures, which fit on each device; those of Stable Diffusion 1.5 where the checkpoint's configuration can't be read. */
async function sidesHere(
  { diffusion: { directory }, vae = null, device, precision, memory = null }: ModelChoice,
  planned: readonly PlannedLoop[],
  { MAX_SIDE, image }: Config,
  events: Events,
): Promise<Sides> {
  try {
    const sides = sidesOf(ownSide(directory, vae), MAX_SIDE, image.size);
    const own = planned.flatMap(({ phases, own }) => (own && phases.includes("image") ? [own] : []));
    const places: readonly OwnDevice[] = own.length === 0 ? [{ name: device, memory }] : own;
    const most = await Promise.all(
      places.map((on) =>
        mostPixels({ directory, vae, device: on.name, card: on.card, precision, memory: on.memory }),
      ),
    );
    const limited = most.filter((pixels) => pixels !== null);
    return { ...sides, mostPixels: limited.length === 0 ? null : Math.min(...limited) };
  } catch (error) {
    // Rewriting works all the same, and each job that would draw says what is wrong.
    const message = `The size of the pictures of ${directory} is unknown: ${describe(error)}`;
    events.emit("log", { level: "warn", message, error });
    return sidesOf(DEFAULT_SIDES.own, MAX_SIDE, image.size);
  }
}
