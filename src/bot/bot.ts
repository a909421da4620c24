import { atMost } from "../core/backoff.js";
import { DiscordError } from "../core/errors.js";
import { type Events, log } from "../core/events.js";
import type { Host } from "../core/hosts/host.js";
import { type DevicePace, usualMs, type Work } from "../core/hosts/waiting.js";
import { PHASES } from "../core/job.js";
import { NO_MODELS } from "../core/known-models.js";
import { DEFAULT_SIDES, DEFAULT_SPEED, type TextOptions } from "../core/options.js";
import type { Treatment } from "../core/settings.js";
import type { Store } from "../db/store.js";
import type { PictureStore } from "../pictures/store.js";
import { Tastes } from "../taste/tastes.js";
import { BatchItems } from "./buttons/batch-items.js";
import { Cells } from "./buttons/cells.js";
import { GoOn } from "./buttons/go-on.js";
import { History } from "./buttons/history.js";
import { JobButtons } from "./buttons/job-buttons.js";
import { Presses } from "./buttons/presses.js";
import { buttonTable } from "./buttons/table.js";
import { TextForms } from "./buttons/text-forms.js";
import type { Services } from "./commands/command.js";
import { commandDefinitions } from "./commands/index.js";
import { Ballots } from "./delivery/ballots.js";
import { ErasedMessages } from "./delivery/erased-messages.js";
import { Gallery } from "./delivery/gallery.js";
import { Outbox } from "./delivery/outbox.js";
import { Ping } from "./delivery/ping.js";
import { ReplyLimits } from "./delivery/reply-limits.js";
import { SheetPoster } from "./delivery/sheet-poster.js";
import { StatusBoard } from "./delivery/status-board.js";
import { inviteUrl } from "./discord/application.js";
import { DISCORD_CDN_ORIGINS, download } from "./discord/attachment.js";
import { Gateway } from "./discord/gateway.js";
import { audienceReader } from "./messages/parts/audience.js";
import { Presenter } from "./messages/parts/presentation.js";
import { Subjects } from "./messages/parts/subjects.js";
import { Arrivals } from "./requests/arrivals.js";
import { BatchDrafts } from "./requests/batch-drafts.js";
import { DirectMessages } from "./requests/direct-messages.js";
import { Intake } from "./requests/intake.js";
import { type ModelList, usualUpscaler } from "./requests/models.js";
import { Quotas } from "./requests/quotas.js";
import { Repeats } from "./requests/repeats.js";
import type { CommandContext, Defaults, Limits } from "./requests/request.js";
import { Sources } from "./requests/sources.js";
import { Router } from "./router.js";
import { type BotTiming, DEFAULT_TIMING } from "./timing.js";
import type { Machine } from "./words/english/admin.js";

export interface BotOptions {
  readonly token: string;
  /** Base of Discord's API without the version; Discord's own by default. */
  readonly apiUrl?: string;
  /** Base of the CDN; files may come from its host besides Discord's own. */
  readonly cdnUrl?: string;
  /** Gateway connections, each for its share of the servers; `auto`, the default: as many as Discord advises. */
  readonly shards?: "auto" | number;
  /** Registers the commands in these guilds, where they appear at once, instead of globally. */
  readonly guildIds?: readonly string[];
  /** False while another bot may have what is stored, and with it the right to speak for this application. */
  readonly maySend?: () => boolean;
  readonly store: Store;
  readonly events: Events;
  readonly pictures: PictureStore;
  readonly defaults: Defaults;
  readonly limits: Limits;
  /** The models that commands may name; none by default. */
  readonly models?: ModelList;
  /** What the image model can draw, where that is a short list: each subject's names. */
  readonly subjects?: readonly (readonly string[])[];
  /** What servers like; shared with whoever chooses rewrites. */
  readonly tastes?: Tastes;
  /** Whether pictures are shown as they form, where the settings of a server or channel don't say. */
  readonly preview?: boolean;
  /**
   * How pictures that no safety checker has seen are posted outside age-restricted channels; a spoiler by
   * default.
   */
  readonly uncheckedPictures?: Treatment;
  /** The devices of all hosts that take jobs now, and how long work takes there; without it nothing is estimated. */
  readonly paces?: () => readonly DevicePace[];
  /** Whether all devices that draw are set aside. */
  readonly haveDevicesFailed?: () => boolean;
  /** The programs that share the database; by default as it has them. */
  readonly fleet?: () => Promise<readonly Host[]>;
  /** Whether Promptist reads only the beginning of a prompt; throws CheckpointError. */
  /** The names of the rewriters whose files are here; all that are known by default. */
  readonly rewriters?: () => readonly string[];
  readonly isTooLong?: (prompt: string, text: TextOptions) => boolean;
  /** Ids of the users who may use `/admin`; the owners of the Discord application where there are none. */
  readonly adminIds?: readonly string[];
  /** What runs here, for admins. */
  readonly machine?: () => Machine;
  readonly timing?: Partial<BotTiming>;
  /** Milliseconds since the epoch; compared with the ends of tokens. */
  readonly now?: () => number;
  /** Discord ended the connection for good (token reset, intents revoked), after `start` had succeeded. */
  readonly onFatal?: (error: DiscordError) => void;
}

/** One device of which nothing is known. */
const UNKNOWN_PACE: DevicePace = { phases: PHASES, jobId: null, estimateMs: () => null };

/** How long `stop` waits for answers that are under way. */
const STOP_GRACE_MS = 1_500;

export interface Bot {
  /**
   * Logs in, registers the commands where they changed, and delivers what an earlier run left. Waits while
   * the network is down. Throws DiscordError where waiting does not help.
   */
  start(): Promise<{ readonly userTag: string; readonly inviteUrl: string }>;
  /**
   * Ends what is under way and leaves Discord, within seconds even where Discord does not answer. Open jobs
   * and undelivered results stay in the queue.
   */
  stop(): Promise<void>;
  /** The name of a server that the bot is in; null of another, and before it has logged in. */
  serverName(guildId: string): string | null;
}

/**
 * The bot: commands become jobs in the queue, the jobs' events become edits, and their results become
 * messages.
 */
export function createBot(options: BotOptions): Bot {
  return new DiscordBot(options);
}

class DiscordBot implements Bot {
  readonly #options: BotOptions;
  readonly #stopping = new AbortController();
  readonly #gateway: Gateway;
  readonly #board: StatusBoard;
  readonly #outbox: Outbox;
  readonly #ballots: Ballots;
  readonly #sheets: SheetPoster;
  readonly #gallery: Gallery;
  readonly #erased: ErasedMessages;
  readonly #arrivals: Arrivals;
  readonly #drafts: BatchDrafts;
  readonly #router: Router;
  readonly #directMessages: DirectMessages;

  constructor(options: BotOptions) {
    this.#options = options;
    const { store, events, limits, defaults, pictures, now = Date.now } = options;
    const { queue, deliveries, records, votes, drafts, settings, styles, usage, favourites } = store;
    const {
      paces = () => [UNKNOWN_PACE],
      haveDevicesFailed = () => false,
      isTooLong = () => false,
    } = options;
    const estimateMs = (work: Work, jobId?: string) => usualMs(paces(), work, jobId);
    const { models = { known: async () => NO_MODELS, adult: [] } } = options;
    const timing = { ...DEFAULT_TIMING, ...options.timing };
    const { signal } = this.#stopping;
    const onFatal = (error: DiscordError) => {
      log(events, "error", error.message, error);
      options.onFatal?.(error);
    };
    const { token, apiUrl, cdnUrl, shards = "auto", maySend = () => true } = options;
    this.#gateway = new Gateway({
      token,
      apiUrl,
      cdnUrl,
      shards,
      maySend,
      events,
      signal,
      onFatal,
      ...timing,
    });
    const { api } = this.#gateway;
    const common = { queue, deliveries, events, api, settings, now, ...timing };

    // Results and statuses: from the queue's events to Discord.
    const audienceOf = audienceReader({ api, settings, unchecked: options.uncheckedPictures ?? "spoiler" });
    const subjects = options.subjects && new Subjects(options.subjects);
    const presenter = new Presenter({
      pictures,
      votes,
      settings,
      image: { ...defaults.image, speed: defaults.speed ?? DEFAULT_SPEED },
      miniature: defaults.miniature,
      ...(subjects && { subjects }),
      audienceOf,
    });
    const replyLimits = new ReplyLimits();
    this.#ballots = new Ballots({ ...common, votes, presenter });
    this.#board = new StatusBoard({
      ...common,
      presenter,
      replyLimits,
      estimateMs,
      paces,
      haveDevicesFailed,
    });
    this.#outbox = new Outbox({
      ...common,
      presenter,
      replyLimits,
      board: this.#board,
      ballots: this.#ballots,
      ping: new Ping(common),
      onUnauthorized: (cause) =>
        onFatal(new DiscordError("DISCORD_REFUSED", "Discord no longer accepts the bot's token.", { cause })),
    });
    this.#gallery = new Gallery({ ...common, favourites, records, presenter });
    this.#sheets = new SheetPoster({ ...common, presenter });
    this.#erased = new ErasedMessages({ ...common, records, pictures, board: this.#board });

    // Requests: from interactions to the queue.
    const origins = [...DISCORD_CDN_ORIGINS, ...(cdnUrl === undefined ? [] : [new URL(cdnUrl).origin])];
    const { maxFileBytes: maxBytes } = limits;
    const { downloadTimeoutMs: timeoutMs } = timing;
    const files = { maxBytes, timeoutMs, allowedOrigins: new Set<string>(origins), signal };
    const context: CommandContext = {
      defaults,
      limits,
      blind: false,
      preview: options.preview ?? false,
      ...(options.rewriters && { rewriters: options.rewriters }),
      download: (url, maxBytes = files.maxBytes) => download(url, { ...files, maxBytes }),
    };
    this.#arrivals = new Arrivals(common);
    const repeats = new Repeats(timing.repeatMs);
    const quotas = new Quotas({
      ...common,
      usage,
      minutes: limits.minutes ?? {},
      adminIds: options.adminIds ?? [],
      estimateMs,
    });
    const sources = new Sources({ pictures, audienceOf });
    const operators = async () => (options.adminIds?.length ? options.adminIds : this.#gateway.owners());
    const intake = new Intake({
      ...common,
      sources,
      styles,
      models,
      quotas,
      arrivals: this.#arrivals,
      replyLimits,
      context,
      repeats,
      operators,
    });
    this.#drafts = new BatchDrafts({
      ...common,
      drafts,
      arrivals: this.#arrivals,
      intake,
      sources,
      repeats,
      paces,
      isTooLong,
    });
    const forms = new TextForms(limits);
    const table = buttonTable({
      intake,
      goOn: new GoOn({
        intake,
        pictures,
        forms,
        sides: limits.sides ?? DEFAULT_SIDES,
        upscalerFor: async (press) => usualUpscaler(await settings.resolve(press), await models.known()),
        estimateMs,
      }),
      drafts: this.#drafts,
      ballots: this.#ballots,
      items: new BatchItems({ queue, board: this.#board }),
      cells: new Cells({ presenter, api }),
      jobs: new JobButtons({
        queue,
        records,
        votes,
        pictures,
        presenter,
        api,
        favourites,
        deleteMessages: (jobIds) => this.#erased.deleteOf(jobIds),
      }),
      history: new History({ queue, intake, drafts: this.#drafts }),
      forms,
      gallery: this.#gallery,
    });
    const services: Services = {
      ...store,
      context,
      models,
      quotas,
      tastes: options.tastes ?? new Tastes(store.lessons, events),
      pictures,
      paces,
      haveDevicesFailed,
      fleet: options.fleet ?? (() => store.hosts.list()),
      presenter,
      ...(subjects && { subjects }),
      deleteMessages: (sourceIds) => this.#erased.deleteOf(sourceIds),
      send: async ({ applicationId, token: interactionToken, user }, message, as) => {
        const target = { applicationId, interactionToken, userId: user.id };
        if (as === "follow-up") return api.followUp(target, message);
        return (await api.editReply(target, message)).id;
      },
      operators,
      machine: options.machine ?? null,
    };
    this.#directMessages = new DirectMessages(common);
    const presses = new Presses({ queue, settings, table });
    this.#router = new Router({ events, intake, drafts: this.#drafts, presses, services, signal });
  }

  async start(): Promise<{ userTag: string; inviteUrl: string }> {
    try {
      return await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async #start(): Promise<{ userTag: string; inviteUrl: string }> {
    const { store, events, limits, guildIds = [] } = this.#options;
    // Read before the first command of this run can arrive.
    const left = await store.queue.arrivals();
    const { userTag, applicationId } = await this.#gateway.connect(
      (interaction) => this.#router.route(interaction),
      (message) => void this.#directMessages.answer(message),
      (reaction) => void this.#gallery.react(reaction),
    );
    const registered = await this.#gateway.register(applicationId, guildIds, commandDefinitions(limits));
    log(events, "info", `Logged in as ${userTag}; commands ${registered}`);
    await this.#board.adoptOpenJobs();
    this.#stopping.signal.throwIfAborted();
    this.#arrivals.start(await this.#drafts.start(left));
    this.#outbox.start();
    await this.#ballots.start();
    this.#sheets.start();
    this.#gallery.start();
    this.#erased.start();
    return { userTag, inviteUrl: inviteUrl(applicationId) };
  }

  serverName(guildId: string): string | null {
    return this.#gateway.serverName(guildId);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const giveUp = setTimeout(() => this.#gateway.api.giveUp(), STOP_GRACE_MS);
    // Stop arrivals first: handling a refused command waits for its message.
    const arrivals = this.#arrivals.stop();
    await atMost(STOP_GRACE_MS, this.#router.settled());
    await arrivals;
    await this.#ballots.stop();
    await this.#drafts.stop();
    await this.#sheets.stop();
    await this.#gallery.stop();
    await this.#erased.stop();
    await this.#board.stop();
    await this.#outbox.stop();
    clearTimeout(giveUp);
    await this.#gateway.close();
  }
}
