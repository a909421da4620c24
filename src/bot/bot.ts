import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Client,
  type RESTPostAPIApplicationCommandsJSONBody as CommandJson,
  Events as DiscordEvents,
  GatewayIntentBits,
  type Interaction,
  MessageFlags,
  REST,
  type RESTOptions,
} from "discord.js";
import { codeOf, DiscordError, InputError } from "../core/errors.js";
import type { Events } from "../core/events.js";
import type { Job } from "../core/job.js";
import type { Settings, Treatment, Where } from "../core/settings.js";
import type { Store } from "../db/store.js";
import type { PictureStore } from "../pictures/store.js";
import { BatchItems } from "./buttons/batch-items.js";
import { Presses } from "./buttons/presses.js";
import { admin } from "./commands/admin.js";
import type { AnswerCommand, Services } from "./commands/answer.js";
import { batch } from "./commands/batch.js";
import { compare } from "./commands/compare.js";
import { help } from "./commands/help.js";
import { messageMenus, readMenu } from "./commands/message-menus.js";
import { mydata } from "./commands/mydata.js";
import { optimize } from "./commands/optimize.js";
import { queue } from "./commands/queue.js";
import { completeSetting, settings } from "./commands/settings.js";
import { show } from "./commands/show.js";
import { stats } from "./commands/stats.js";
import { Ballots, tallyLine } from "./delivery/ballots.js";
import { Outbox } from "./delivery/outbox.js";
import { SheetPoster } from "./delivery/sheet-poster.js";
import { StatusBoard } from "./delivery/status-board.js";
import { inviteUrl } from "./discord/application.js";
import { DISCORD_CDN_ORIGINS, download } from "./discord/attachment.js";
import { type Backoff, connect, fatalClose, refusalOf, withBackoff } from "./discord/connect.js";
import { DiscordApi } from "./discord/messenger.js";
import { ownersOf } from "./discord/operators.js";
import { plainMessage } from "./discord/outgoing.js";
import { registerCommands } from "./discord/registration.js";
import type { Work } from "./messages/eta.js";
import { CHANNEL_LIMIT } from "./messages/picture-fit.js";
import type { Audience } from "./messages/picture-policy.js";
import {
  baselinePicture,
  previewPicture,
  resultMessage,
  sheetMessage,
  zipMessage,
} from "./messages/result-message.js";
import { Arrivals } from "./requests/arrivals.js";
import { BatchDrafts } from "./requests/batch-drafts.js";
import { Intake } from "./requests/intake.js";
import type { Command, Defaults, Limits } from "./requests/request.js";
import type { Machine } from "./words/machine.js";
import { errorSentence, refusals, resultLines } from "./words/messages.js";
import { localizedCommand, localizedMenu } from "./words/translations.js";

export interface BotOptions {
  readonly token: string;
  /** Base of Discord's API without the version; Discord's own by default. */
  readonly apiUrl?: string;
  /** Base of the CDN; files may come from its host besides Discord's own. */
  readonly cdnUrl?: string;
  /** Registers the commands in these guilds, where they appear at once, instead of globally. */
  readonly guildIds?: readonly string[];
  readonly store: Store;
  readonly events: Events;
  readonly pictures: PictureStore;
  readonly defaults: Defaults;
  readonly limits: Limits;
  /** Whether pictures are shown as they form, where a server or channel does not say. */
  readonly preview?: boolean;
  /** What becomes of pictures that no safety checker has seen, outside age-restricted channels; by default a spoiler. */
  readonly uncheckedPictures?: Treatment;
  /** Milliseconds until work of this size is done on this machine; null where it never was measured. */
  readonly estimateMs?: (work: Work) => number | null;
  /** Who may use `/admin`; none: who owns the Discord application. */
  readonly adminIds?: readonly string[];
  /** What runs here, for admins. */
  readonly machine?: () => Machine;
  readonly timing?: Partial<BotTiming>;
  /** Milliseconds since the epoch; compared with the ends of tokens. */
  readonly now?: () => number;
  /** Discord ended the connection for good (token reset, intents taken away), after `start` had succeeded. */
  readonly onFatal?: (error: DiscordError) => void;
}

/** All in milliseconds but the rate. */
export interface BotTiming {
  /** Least time between two edits of one message. */
  readonly editGapMs: number;
  /** Status edits a second over all messages; Discord's own limit is 50 requests. */
  readonly editsPerSecond: number;
  readonly positionsGapMs: number;
  readonly downloadTimeoutMs: number;
  /** An answer of Discord's that takes longer is given up; for messages, which carry pictures, and for all else. */
  readonly uploadTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** A result that was waited for longer than this calls the person who asked. */
  readonly pingAfterMs: number;
}

const DEFAULT_TIMING: BotTiming = {
  editGapMs: 2_500,
  editsPerSecond: 20,
  positionsGapMs: 1_000,
  downloadTimeoutMs: 15_000,
  // Pictures may go out over a slow line.
  uploadTimeoutMs: 120_000,
  requestTimeoutMs: 15_000,
  retryFirstMs: 2_000,
  retryMaxMs: 5 * 60_000,
  pingAfterMs: 30_000,
};

/** Discord: choices that complete an option, and letters of each. */
const CHOICES_MAX = 25;
const CHOICE_MAX = 100;
/** How long a stop waits for answers that are under way, and then for the gateway to say goodbye. */
const STOP_GRACE_MS = 1_500;
const GOODBYE_MS = 700;
/** discord.js keeps a queue for each reply's route until a sweep; its own comes hourly, after thousands of them. */
const HANDLER_SWEEP_MS = 10 * 60_000;
const INVALID_REQUESTS_PER_WARNING = 500;
/** The gateway is asked for a heartbeat about every 40 s. */
const LATENCY_EVERY_MS = 15_000;

const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries({ optimize, compare, batch }));
const ANSWERS: ReadonlyMap<string, AnswerCommand> = new Map(
  Object.entries({ stats, settings, admin, queue, show, mydata, help }),
);

/** All commands as Discord is told of them, in every language. */
export const commandDefinitions = (limits: Limits): CommandJson[] => [
  ...[...COMMANDS.values(), ...ANSWERS.values()].map(({ definition }) =>
    localizedCommand(definition(limits)),
  ),
  ...messageMenus.map(localizedMenu),
];

export interface Bot {
  /**
   * Logs in, registers the commands where they changed, and delivers what an earlier run left. Waits while the network
   * is down. Throws DiscordError where waiting does not help.
   */
  start(): Promise<{ readonly userTag: string; readonly inviteUrl: string }>;
  /**
   * Ends what is under way and leaves Discord, within seconds also where Discord does not answer; open jobs and undelivered
   * results stay in the queue.
   */
  stop(): Promise<void>;
}

/** The bot: commands become jobs in the queue, the jobs' events become edits, their results become messages. */
export function createBot(options: BotOptions): Bot {
  return new DiscordBot(options);
}

class DiscordBot implements Bot {
  readonly #options: BotOptions;
  readonly #timing: BotTiming;
  readonly #rest: REST;
  readonly #board: StatusBoard;
  readonly #outbox: Outbox;
  readonly #arrivals: Arrivals;
  readonly #intake: Intake;
  readonly #presses: Presses;
  readonly #ballots: Ballots;
  readonly #drafts: BatchDrafts;
  readonly #sheets: SheetPoster;
  readonly #services: Services;
  readonly #api: DiscordApi;
  readonly #stopping = new AbortController();
  readonly #handling = new Set<Promise<void>>();
  #client: Client<true> | null = null;
  #owners: readonly string[] | null = null;
  #latencyTimer: NodeJS.Timeout | null = null;

  constructor(options: BotOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    const { store, events, limits, defaults, pictures, now = Date.now } = options;
    const { queue, deliveries, records, votes, drafts } = store;
    const timing = this.#timing;

    // Results must get out while the gateway is down and until the very end of `stop`, so they have a client of
    // their own: that of discord.js loses its token with the connection.
    this.#rest = new REST({ ...this.#restOptions(), timeout: timing.uploadTimeoutMs }).setToken(
      options.token,
    );
    this.#watch(this.#rest);
    const once = new REST({ ...this.#restOptions(), timeout: timing.uploadTimeoutMs, retries: 0 });
    const api = new DiscordApi(this.#rest, once);
    this.#api = api;
    const settingsOf = (where: Where) => this.#settingsOf(where);
    const result = {
      pictures,
      checkpointNote: defaults.checkpointNote,
      image: defaults.image,
      settingsOf,
      audienceOf: (where: Where) => this.#audienceOf(where),
      ballotOf: (job: Job) => this.#ballots.open(job),
      withoutBallot: (job: Job) => this.#ballots.withdraw(job),
      tallyOf: (job: Job) => tallyLine(votes, job.id),
    };
    this.#ballots = new Ballots({
      queue,
      votes,
      events,
      api,
      now,
      settingsOf,
      compose: (job, where) => resultMessage(job, result, this.#outbox.replyLimit(job.id), where),
    });
    this.#board = new StatusBoard({
      queue,
      events,
      api,
      now,
      estimateMs: options.estimateMs ?? (() => null),
      pictureOf: (job) => baselinePicture(job, result, this.#outbox.replyLimit(job.id)),
      previewOf: (origin, jobId, data, harmless) => previewPicture(origin, jobId, data, harmless, result),
      ...timing,
    });
    this.#outbox = new Outbox({
      queue,
      deliveries,
      events,
      api,
      now,
      compose: (job, limit, where) => resultMessage(job, result, limit, where),
      settle: (jobId) => this.#board.settle(jobId),
      ping: (job, messageId) => this.#ping(job, messageId),
      onUnauthorized: (error) =>
        this.#fatal(
          new DiscordError("DISCORD_REFUSED", "Discord no longer accepts the bot's token.", { cause: error }),
        ),
      ...timing,
    });
    this.#arrivals = new Arrivals({ queue, events, api, now, ...timing });
    const cdnOrigins = options.cdnUrl === undefined ? [] : [new URL(options.cdnUrl).origin];
    const downloadOptions = {
      maxBytes: limits.maxFileBytes,
      timeoutMs: timing.downloadTimeoutMs,
      allowedOrigins: new Set<string>([...DISCORD_CDN_ORIGINS, ...cdnOrigins]),
      signal: this.#stopping.signal,
    };
    const context = {
      defaults,
      limits,
      blind: false,
      preview: options.preview ?? false,
      download: (url: string) => download(url, downloadOptions),
    };
    this.#drafts = new BatchDrafts({
      drafts,
      queue,
      events,
      api,
      now,
      settingsOf,
      estimateMs: options.estimateMs ?? (() => null),
      intake: () => this.#intake,
      retryFirstMs: timing.retryFirstMs,
    });
    this.#intake = new Intake({
      queue,
      events,
      arrivals: this.#arrivals,
      outbox: this.#outbox,
      commands: COMMANDS,
      readMenu,
      context,
      settingsOf,
      now,
      draft: (request, origin) => this.#drafts.open(request, origin),
    });
    this.#sheets = new SheetPoster({
      queue,
      deliveries,
      events,
      api,
      now,
      limit: CHANNEL_LIMIT,
      compose: (job, number, limit) => sheetMessage(job, number, result, limit),
      retryFirstMs: timing.retryFirstMs,
    });
    const items = new BatchItems({ queue, refresh: (jobId) => this.#board.refresh(jobId) });
    const isSecret = async (job: Job) => job.blind && (await votes.ballot(job.id))?.closedAt === null;
    this.#presses = new Presses(
      { queue, records, intake: this.#intake, limits, pictures, settingsOf, isSecret },
      {
        vote: { access: "anyone", run: (press, job, action) => this.#ballots.vote(press, job, action) },
        reveal: { access: "moderator", run: (press, job) => this.#ballots.reveal(press, job) },
        items: { access: "moderator", run: (press, job) => items.choose(press, job) },
        skip: { access: "moderator", run: (press, job) => items.takeOut(press, job) },
      },
      {
        start: (press, action) => this.#drafts.begin(press, action),
        discard: (press, action) => this.#drafts.discard(press, action),
      },
    );
    this.#services = {
      ...store,
      events,
      context,
      pictures,
      now,
      settingsOf,
      compose: (job, perFile, where) => resultMessage(job, result, { ...CHANNEL_LIMIT, perFile }, where),
      zip: (job, part, perFile, where) => zipMessage(job, part, result, { ...CHANNEL_LIMIT, perFile }, where),
      estimateMs: options.estimateMs ?? (() => null),
      send: async ({ applicationId, token: interactionToken, user }, message, as) => {
        const target = { applicationId, interactionToken, userId: user.id };
        await (as === "reply" ? api.editReply(target, message) : api.followUp(target, message));
      },
      operators: () => this.#operators(),
      machine: options.machine ?? null,
    };
  }

  #settingsOf(where: Where): Promise<Settings> {
    return this.#options.store.settings.resolve(where);
  }

  /** Asked for when someone uses `/admin`, and again until Discord has answered once. */
  async #operators(): Promise<readonly string[]> {
    const { adminIds = [] } = this.#options;
    if (adminIds.length > 0) return adminIds;
    if (this.#owners === null && this.#client !== null) this.#owners = await ownersOf(this.#client);
    return this.#owners ?? [];
  }

  /** Asks Discord, since a channel may have changed since the command; throws DiscordError where it can't say. */
  async #audienceOf(where: Where): Promise<Audience> {
    const { uncheckedPictures: unchecked = "spoiler" } = this.#options;
    const settings = await this.#settingsOf(where);
    if (where.guildId === null || where.channelId === null)
      return { ageRestricted: false, settings, unchecked };
    try {
      return { ageRestricted: await this.#api.isAgeRestricted(where.channelId), settings, unchecked };
    } catch (cause) {
      throw new DiscordError("DISCORD_UNREACHABLE", "Discord did not say what the channel is.", { cause });
    }
  }

  /** A new message, since Discord tells nobody that a message was edited; not for what was there at once. */
  async #ping(job: Job, messageId: string): Promise<void> {
    const { store, now = Date.now } = this.#options;
    const { origin, kind, state } = job;
    if (state === "cancelled" || now() - job.createdAt < this.#timing.pingAfterMs) return;
    const own = (await store.settings.of("user", origin.userId)).ping;
    if (!(own ?? (await this.#settingsOf(origin)).ping ?? true)) return;
    const link = `https://discord.com/channels/${origin.guildId ?? "@me"}/${origin.channelId}/${messageId}`;
    const sentence = state === "done" ? resultLines.readyAt : resultLines.endedAt;
    await this.#api.followUp(origin, plainMessage(sentence(origin.userId, kind, link)));
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
    const { signal } = this.#stopping;
    // Read before the first command of this run can arrive.
    const left = await this.#options.store.queue.arrivals();
    const client = await connect({
      token: this.#options.token,
      clientOptions: {
        intents: [GatewayIntentBits.Guilds],
        allowedMentions: { parse: [] },
        rest: this.#restOptions(),
      },
      prepare: (fresh) => this.#listen(fresh),
      retry: this.#backoff("Discord can't be reached"),
      signal,
    });
    this.#client = client;
    this.#latencyTimer = setInterval(() => this.#tellLatency(client), LATENCY_EVERY_MS);
    this.#latencyTimer.unref();
    const registered = await this.#register(client.application.id);
    this.#log("info", `Logged in as ${client.user.tag}; commands ${registered}`);
    await this.#board.adoptOpenJobs();
    signal.throwIfAborted();
    this.#arrivals.start(await this.#drafts.start(left));
    this.#outbox.start();
    await this.#ballots.start();
    this.#sheets.start();
    return { userTag: client.user.tag, inviteUrl: inviteUrl(client.application.id) };
  }

  #register(applicationId: string): Promise<"unchanged" | "registered"> {
    const definitions = commandDefinitions(this.#options.limits);
    const backoff = this.#backoff("The commands could not be registered");
    return withBackoff(backoff, this.#stopping.signal, async () => {
      try {
        return await registerCommands(this.#rest, applicationId, this.#options.guildIds ?? [], definitions);
      } catch (error) {
        throw refusalOf(error) ?? error;
      }
    });
  }

  /** -1: no heartbeat was answered yet. */
  #tellLatency({ ws: { ping: ms } }: Client): void {
    if (ms >= 0) this.#options.events.emit("discord.latency", { ms });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#latencyTimer !== null) clearInterval(this.#latencyTimer);
    const giveUp = setTimeout(() => this.#api.giveUp(), STOP_GRACE_MS);
    // At once, since a command that is refused ends when its person was told or is not to be.
    const arrivals = this.#arrivals.stop();
    await atMost(STOP_GRACE_MS, Promise.all(this.#handling));
    await arrivals;
    await this.#ballots.stop();
    await this.#drafts.stop();
    await this.#sheets.stop();
    await this.#board.stop();
    await this.#outbox.stop();
    clearTimeout(giveUp);
    if (this.#client !== null) await atMost(GOODBYE_MS, this.#client.destroy());
    this.#rest.clearHandlerSweeper();
    this.#rest.clearHashSweeper();
  }

  #restOptions(): Partial<RESTOptions> {
    const { apiUrl, cdnUrl } = this.#options;
    return {
      invalidRequestWarningInterval: INVALID_REQUESTS_PER_WARNING,
      timeout: this.#timing.requestTimeoutMs,
      handlerSweepInterval: HANDLER_SWEEP_MS,
      ...(apiUrl === undefined ? {} : { api: apiUrl }),
      ...(cdnUrl === undefined ? {} : { cdn: cdnUrl }),
    };
  }

  #watch(rest: REST): void {
    rest.on("rateLimited", ({ route, timeToReset: ms }) => {
      this.#options.events.emit("discord.rate-limited", { route, ms });
      this.#log("warn", `Discord's rate limit holds ${route} for ${ms} ms`);
    });
    rest.on("invalidRequestWarning", ({ count }) =>
      this.#log(
        "warn",
        `Discord refused ${count} requests in ten minutes; at 10000 it locks this address out`,
      ),
    );
  }

  #listen(client: Client): void {
    // Without an "error" listener, a listener that throws ends the process.
    client.on(DiscordEvents.Error, (error) =>
      this.#log("error", "The Discord client reported an error", error),
    );
    client.on(DiscordEvents.ShardError, (error) => this.#log("warn", "The gateway connection failed", error));
    client.on(DiscordEvents.Warn, (message) => this.#log("warn", message));
    client.on(DiscordEvents.ShardDisconnect, ({ code }) => {
      const fatal = fatalClose(code);
      // Before `start` has a client, the failed login says it.
      if (fatal !== null && this.#client !== null) this.#fatal(fatal);
    });
    this.#watch(client.rest);
    client.on(DiscordEvents.InteractionCreate, (interaction) => {
      const handled = this.#handle(interaction)
        .catch((error) => this.#unhandled(interaction, error))
        .finally(() => this.#handling.delete(handled));
      this.#handling.add(handled);
    });
  }

  /** A bug, or an interaction that no client of Discord makes: told in the log, and to the person in a sentence. */
  async #unhandled(interaction: Interaction, error: unknown): Promise<void> {
    this.#log("error", `Interaction ${interaction.id} was not handled`, error);
    if (!interaction.isRepliable() || interaction.replied || interaction.deferred) return;
    try {
      const content = errorSentence(codeOf(error));
      await interaction.reply({ content, flags: MessageFlags.Ephemeral });
    } catch (cause) {
      this.#log("warn", `Interaction ${interaction.id} could not be answered`, cause);
    }
  }

  async #handle(interaction: Interaction): Promise<void> {
    if (interaction.isAutocomplete()) {
      await this.#complete(interaction);
      return;
    }
    if (!interaction.isRepliable()) return;
    if (this.#stopping.signal.aborted) {
      await interaction.reply({ content: refusals.stopping, flags: MessageFlags.Ephemeral });
    } else if (interaction.isChatInputCommand()) {
      const answer = ANSWERS.get(interaction.commandName);
      if (answer === undefined) await this.#intake.accept(interaction);
      else await this.#answer(answer, interaction);
    } else if (interaction.isMessageContextMenuCommand()) {
      await this.#intake.acceptMenu(interaction);
    } else if (interaction.isMessageComponent()) {
      await this.#presses.press(interaction);
    } else if (interaction.isModalSubmit()) {
      await this.#presses.submit(interaction);
    } else {
      await interaction.reply({ content: refusals.unknownCommand, flags: MessageFlags.Ephemeral });
    }
  }

  /** While a prompt is typed: the person's own recent ones that have these letters in them; likewise a setting's name. */
  async #complete(interaction: AutocompleteInteraction): Promise<void> {
    const { name, value } = interaction.options.getFocused(true);
    if (interaction.commandName === "settings" && name === "name") {
      const settings = completeSetting(value, interaction.locale);
      await interaction.respond(settings.slice(0, CHOICES_MAX));
      return;
    }
    const prompts = await this.#options.store.records.recentPrompts(interaction.user.id, value, CHOICES_MAX);
    const choices = prompts.filter((prompt) => prompt.length <= CHOICE_MAX);
    await interaction.respond(choices.map((prompt) => ({ name: prompt, value: prompt })));
  }

  async #answer(command: AnswerCommand, interaction: ChatInputCommandInteraction): Promise<void> {
    try {
      await command.run(interaction, this.#services);
    } catch (error) {
      const content =
        error instanceof InputError ? errorSentence(error.code, error.context) : errorSentence("INTERNAL");
      if (interaction.deferred) await interaction.editReply({ content });
      else if (!interaction.replied) await interaction.reply({ content, flags: MessageFlags.Ephemeral });
      if (!(error instanceof InputError)) throw error;
    }
  }

  #fatal(error: DiscordError): void {
    this.#log("error", error.message, error);
    this.#options.onFatal?.(error);
  }

  #backoff(message: string): Backoff {
    const { retryFirstMs, retryMaxMs } = this.#timing;
    return {
      firstMs: retryFirstMs,
      maxMs: Math.min(retryMaxMs, 60_000),
      onRetry: (error, delayMs) =>
        this.#log("warn", `${message}; trying again in ${delayMs / 1000} s`, error),
    };
  }

  #log(level: "info" | "warn" | "error", message: string, error?: unknown): void {
    this.#options.events.emit("log", { level, message, ...(error === undefined ? {} : { error }) });
  }
}

/** Waits for `work`, but no longer than `ms`. */
async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
