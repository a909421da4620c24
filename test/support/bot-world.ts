import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiMessage } from "local-discord/testing";
import { type LocalDiscord, type LocalDiscordOptions, startLocalDiscord } from "local-discord/testing";
import sharp from "sharp";
import { onTestFinished } from "vitest";
import { type Bot, type BotOptions, createBot } from "../../src/bot/bot.js";
import type { ErrorCode, ErrorContext } from "../../src/core/errors.js";
import { type AppEvents, createEvents, type Events } from "../../src/core/events.js";
import { hasOverview, type ItemNote, lacksRewrite, type Phase } from "../../src/core/job.js";
import { isFlagged, type PictureJudgement } from "../../src/core/judgement.js";
import { DEFAULT_TEXT_OPTIONS, type ImageOptions } from "../../src/core/options.js";
import type { PerSide, Side } from "../../src/core/side.js";
import { announced } from "../../src/db/announce.js";
import type { Claim, Queue } from "../../src/db/queue.js";
import { openDatabase } from "../../src/db/sqlite/open.js";
import { sqliteStore } from "../../src/db/sqlite/store.js";
import type { Store } from "../../src/db/store.js";
import { PictureFolder, withheldVariant } from "../../src/pictures/store.js";

export const IMAGE_SETTINGS: ImageOptions = {
  seed: 0,
  steps: 50,
  guidance: 7.5,
  negative: "",
  size: null,
  scheduler: "pndm",
};

/** A picture that the safety checker passed. */
export const PASSED: PictureJudgement = {
  relevance: null,
  beauty: null,
  safety: { flagged: false, concepts: [] },
  judge: null,
};

/** Short enough for a test, in the same order as the real ones. */
export const QUICK = {
  editGapMs: 20,
  phaseGapMs: 20,
  burst: { edits: 4, ms: 0 },
  editsPerSecond: 200,
  positionsGapMs: 10,
  retryFirstMs: 20,
  retryMaxMs: 100,
  pingAfterMs: 30_000,
  // Tests send the same command as fast as they can.
  repeatMs: 0,
};

/** True if a message shows a result or an end and waits for nothing. */
export const isFinal = (message: ApiMessage): boolean =>
  [0x22c55e, 0xef4444, 0x6b7280].includes(message.embeds[0]?.color ?? 0);

export interface World extends Omit<Store, "close"> {
  readonly local: LocalDiscord;
  readonly bot: Bot;
  readonly store: Store;
  readonly events: Events;
  readonly loop: StandInLoop;
  readonly picturesDir: string;
  readonly databaseFile: string;
  /** Warnings and errors that the bot logged, as `level: message`. */
  readonly problems: string[];
  readonly inviteUrl: string;
  readonly userTag: string;
}

export interface WorldOptions {
  readonly local?: LocalDiscordOptions;
  readonly bot?: Partial<BotOptions>;
  readonly maxWaiting?: number;
  /** Wraps the store that the bot sees. */
  readonly wrapStore?: (store: Store) => Store;
}

/** A local Discord, a real queue in a file, and the real bot between them; all removed after the test. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "promptist-bot-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const picturesDir = join(dir, "pictures");
  const databaseFile = join(dir, "queue.sqlite");
  const database = openDatabase(databaseFile);
  const events = createEvents();
  const { maxWaiting, bot: { now } = {} } = options;
  const timed = sqliteStore(database, now === undefined ? {} : { now });
  const store = announced(
    {
      ...sqliteStore(database, maxWaiting === undefined ? {} : { maxWaiting }),
      votes: timed.votes,
      drafts: timed.drafts,
    },
    events,
  );
  onTestFinished(() => store.close());
  const problems: string[] = [];
  events.on("log", ({ level, message }) => {
    if (level !== "info") problems.push(`${level}: ${message}`);
  });
  const local = await startLocalDiscord(options.local);
  onTestFinished(() => local.close());
  const loop = new StandInLoop(store.queue, events, picturesDir);
  const { close: _, ...contracts } = store;
  const parts = { ...contracts, local, store, events, loop, picturesDir, databaseFile, problems };
  const bot = makeBot({ ...parts, store: options.wrapStore?.(store) ?? store }, options.bot);
  onTestFinished(() => bot.stop());
  return { ...parts, bot, ...(await bot.start()) };
}

/** A store with another answer of one method; everything else works. */
export function withAnswer<C extends Exclude<keyof Store, "close">>(
  store: Store,
  contract: C,
  answering: string & keyof Store[C],
  answer: () => Promise<unknown>,
): Store {
  const part = new Proxy(store[contract], {
    get(target, name: string & keyof Store[C]) {
      const method = target[name];
      if (name === answering) return answer;
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
  return { ...store, [contract]: part };
}

/** A store with one failing method. */
export const withFailing = <C extends Exclude<keyof Store, "close">>(
  store: Store,
  contract: C,
  failing: string & keyof Store[C],
  error: Error,
): Store => withAnswer(store, contract, failing, () => Promise.reject(error));

/** Another bot on the same parts, as after a restart; not started yet. */
export function makeBot(
  { local, store, events, picturesDir }: Pick<World, "local" | "store" | "events" | "picturesDir">,
  options: Partial<BotOptions> = {},
): Bot {
  return createBot({
    token: local.token,
    apiUrl: local.apiUrl,
    cdnUrl: local.cdnUrl,
    store,
    events,
    pictures: new PictureFolder(picturesDir),
    defaults: {
      text: DEFAULT_TEXT_OPTIONS,
      image: IMAGE_SETTINGS,
      miniature: ["text", "image"],
    },
    limits: { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 },
    ...options,
    timing: { ...QUICK, ...options.timing },
  });
}

/** Judgements of a pair's sides; a missing side was not judged. */
export type Judgements = Partial<PerSide<PictureJudgement>>;

/** Resolves with the next event of a kind that satisfies `wanted`. */
export function nextEvent<K extends keyof AppEvents>(
  events: Events,
  name: K,
  wanted: (event: AppEvents[K][0]) => boolean = () => true,
): Promise<AppEvents[K][0]> {
  return new Promise((resolve) => {
    const listener = (event: AppEvents[K][0]) => {
      if (!wanted(event)) return;
      events.off(name, listener as never);
      resolve(event);
    };
    events.on(name, listener as never);
  });
}

/**
 * Stands in for the inference loop, which has its own tests: claims, reports and finishes jobs like the loop,
 * step by step as a test asks, with real picture files.
 */
export class StandInLoop {
  constructor(
    private readonly queue: Queue,
    private readonly events: Events,
    private readonly picturesDir: string,
  ) {}

  async claim(phase: Phase): Promise<Claim> {
    const claim = await this.queue.claim(phase, "stand-in");
    if (claim === undefined) throw new Error(`No job waits for the ${phase} phase`);
    return claim;
  }

  progress({ job }: Claim, output: "rewrite" | Side, step: number, steps: number, item = 0): void {
    const phase = output === "rewrite" ? "text" : "image";
    this.events.emit("job.progress", {
      jobId: job.id,
      phase,
      item,
      items: job.items.length,
      output,
      step,
      steps,
    });
  }

  /** Rewrites what is not rewritten yet, with one of three candidates, and moves the job to its next phase or its end. */
  async rewrite(claim: Claim, notes: readonly ItemNote[] = [], taken = 0): Promise<void> {
    const { job } = claim;
    for (const item of job.items) {
      if (!lacksRewrite(item)) continue;
      const candidates = [", highly detailed, artstation", ", sharp focus", ", octane render"].map(
        (words, i) => ({
          text: `${item.prompt}${words}`,
          tokens: 10 + i,
          score: -1 - i,
        }),
      );
      await this.queue.saveText(claim, item.index, { rewrite: candidates[taken]!.text, candidates, notes });
    }
    await this.queue.saveCheckpoint(claim, "text", "promptist");
    if (job.kind === "optimize") return this.complete(claim);
    await this.queue.advance(claim);
  }

  /** Draws the baseline of the first pair, as the loop does before the other side. */
  async drawBaseline({ job, ...claim }: Claim, judgement: PictureJudgement = PASSED): Promise<void> {
    const folder = join(this.picturesDir, job.id);
    await mkdir(folder, { recursive: true });
    const file = "0-baseline.png";
    await writeFile(join(folder, file), await plainPicture(file));
    const pictures = { baseline: { file, ms: 1, judgement } };
    await this.queue.savePictures({ job, ...claim }, 0, { pictures });
  }

  /** Draws all items and finishes the job; `judge` gives an item's judgements, which pass by default. */
  async draw(
    claim: Claim,
    makePicture: (name: string) => Promise<Buffer> = plainPicture,
    judge: (item: number) => Judgements = () => ({ baseline: PASSED, optimized: PASSED }),
  ): Promise<void> {
    const { job } = claim;
    const folder = join(this.picturesDir, job.id);
    await mkdir(folder, { recursive: true });
    const save = async (name: string) => {
      await writeFile(join(folder, name), await makePicture(name));
      return name;
    };
    for (const { index, only } of job.items) {
      const { baseline = null, optimized = null } = judge(index);
      if (only !== undefined) {
        const judgement = { baseline, optimized }[only];
        const pictures = { [only]: { file: await save(`${index}-${only}.png`), ms: 1, judgement } };
        await this.queue.savePictures(claim, index, { pictures });
        continue;
      }
      await this.queue.savePictures(claim, index, {
        pictures: {
          baseline: { file: await save(`${index}-baseline.png`), ms: 1, judgement: baseline },
        },
      });
      await this.queue.savePictures(claim, index, {
        pictures: {
          optimized: { file: await save(`${index}-optimized.png`), ms: 1, judgement: optimized },
        },
        comparison: await save(`${index}-comparison.png`),
      });
      if (isFlagged(baseline) !== isFlagged(optimized))
        await save(withheldVariant(`${index}-comparison.png`));
    }
    // Only pairs and cells are composed.
    if (hasOverview(job) && job.evaluation === undefined) {
      const items = job.items.map(({ index }) => index);
      const flagged = items.some((index) => Object.values(judge(index)).some(isFlagged));
      if (flagged) await save(withheldVariant("contact-sheet-1.png"));
      await this.queue.saveSheet(claim, { number: 1, file: await save("contact-sheet-1.png"), items });
    }
    await this.queue.saveCheckpoint(claim, "image", "stable-diffusion");
    await this.complete(claim);
  }

  async complete(claim: Claim): Promise<void> {
    await this.queue.complete(claim);
  }

  async fail(claim: Claim, code: ErrorCode, context: ErrorContext = {}): Promise<void> {
    await this.queue.fail(claim, code, "a detail with /a/path that no channel may see", context);
  }

  async cancelled(claim: Claim): Promise<void> {
    await this.queue.cancelled(claim);
  }

  /** Runs the next job through all its phases. */
  async runNext(
    makePicture?: (name: string) => Promise<Buffer>,
    judge?: (item: number) => Judgements,
  ): Promise<void> {
    const job = (await this.queue.open())[0];
    if (job === undefined) throw new Error("No job waits");
    if (job.phase === "text") await this.rewrite(await this.claim("text"));
    if (job.kind !== "optimize") await this.draw(await this.claim("image"), makePicture, judge);
  }
}

const plainPicture = (name: string): Promise<Buffer> =>
  sharp({
    create: { width: 64, height: 64, channels: 3, background: name.includes("baseline") ? "navy" : "gold" },
  })
    .png()
    .toBuffer();

/** A picture that no format can compress. */
export function noisePicture(width: number, height = width): Promise<Buffer> {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "gray",
      noise: { type: "gaussian", mean: 128, sigma: 60 },
    },
  })
    .png()
    .toBuffer();
}
