import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { Hono } from "hono";
import { callbackRoutes } from "./api/callback-routes.js";
import { commandRoutes } from "./api/command-routes.js";
import { messageRoutes } from "./api/message-routes.js";
import { RateLimiter } from "./api/rate-limit.js";
import { resourceRoutes } from "./api/resource-routes.js";
import { type RestContext, router } from "./api/router.js";
import { webhookRoutes } from "./api/webhook-routes.js";
import { Gateway } from "./gateway/gateway.js";
import { HOST, hangUp, serveLoopback, target } from "./loopback.js";
import { mountPage } from "./page/files.js";
import {
  type OperatorActions,
  OperatorBoard,
  type OperatorSource,
  type OperatorTaste,
} from "./page/operator.js";
import { type Example, PageRoutes } from "./page/routes.js";
import { Invoker } from "./people/invoker.js";
import { InvocationError } from "./people/options.js";
import { People } from "./people/people.js";
import { apiErrors } from "./protocol/errors.js";
import { SpecWatch } from "./traffic/spec.js";
import { Transcript } from "./traffic/transcript.js";
import { Archive, readArchive } from "./world/archive.js";
import { folderBlobs } from "./world/blobs.js";
import { type Clock, systemClock } from "./world/clock.js";
import { Interactions } from "./world/interactions.js";
import { seedStudio } from "./world/seed.js";
import { DEFAULT_LIMITS, DiscordState, type Limits } from "./world/state.js";

export interface LocalDiscordOptions {
  /** 0, the default, picks any free port. */
  readonly port?: number;
  /** Whether the chat page and its /local API are served; true by default. */
  readonly page?: boolean;
  readonly clock?: Clock;
  /** Changes to Discord's limits and times. */
  readonly limits?: Partial<Limits>;
  /** The bot's token; random by default. */
  readonly token?: string;
  /** The bot's user name; "promptist" by default. */
  readonly botName?: string;
  /**
   * Folder for messages and files, to be read by the next start with the same folder; by default they are in
   * memory only.
   */
  readonly folder?: string;
  /** State of the program behind the bot, for the page's side panel. */
  readonly operator?: OperatorSource;
  /** What the side panel's buttons do; a button without an action is not shown. */
  readonly actions?: OperatorActions;
  /** What the panel shows of servers' tastes; it has no such part without. */
  readonly taste?: OperatorTaste;
  /** Commands that a channel's welcome offers to press, where the bot has them. */
  readonly examples?: readonly Example[];
  /**
   * Whether to check all calls and events against Discord's specification, if it is installed; true by
   * default.
   */
  readonly spec?: boolean;
}

/** The running server's parts. */
export interface Parts {
  readonly state: DiscordState;
  readonly people: People;
  readonly rest: RestContext;
  readonly gateway: Gateway;
  readonly transcript: Transcript;
  /** Violations of Discord's specification; see `SpecWatch`. Null if switched off. */
  readonly spec: SpecWatch | null;
}

export interface LocalDiscord {
  /** Address of the page, such as "http://127.0.0.1:4400". */
  readonly url: string;
  /** discord.js: `rest.api`. */
  readonly apiUrl: string;
  /** discord.js: `rest.cdn`. */
  readonly cdnUrl: string;
  readonly token: string;
  readonly applicationId: string;
  /** The guild "Studio". */
  readonly guildId: string;
  /** For "local-discord/testing" only; programs have no use for them. */
  readonly parts: Parts;
  close(): Promise<void>;
}

/**
 * The CDN of the local Discord whose API is at `apiUrl`, even in another process; undefined for any other
 * API.
 */
export function cdnBeside(apiUrl: string): string | undefined {
  const { protocol, hostname, port } = new URL(apiUrl);
  const isLocal = protocol === "http:" && (hostname === HOST || hostname === "localhost");
  return isLocal ? `http://${HOST}:${port}/cdn` : undefined;
}

/** Starts a local Discord on loopback. */
export async function startLocalDiscord(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
  const clock = options.clock ?? systemClock;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const token =
    options.token ?? `local.${randomBytes(6).toString("base64url")}.${randomBytes(24).toString("base64url")}`;
  const { folder } = options;
  const blobs = folder === undefined ? undefined : folderBlobs(join(folder, "files"));
  const archiveFile = folder === undefined ? null : join(folder, "world");
  const earlier = archiveFile === null ? null : readArchive(archiveFile);
  const state = new DiscordState(clock, limits, token, options.botName ?? "promptist", blobs, earlier);
  if (earlier === null) seedStudio(state);
  const archive = archiveFile === null ? null : new Archive(state, archiveFile);
  const transcript = new Transcript();
  const spec = options.spec === false ? null : new SpecWatch(transcript);
  const interactions = new Interactions(state);
  const people = new People(state, new Invoker(state, interactions));

  const app = new Hono();
  let port = 0;
  const gatewayUrl = () => `ws://${HOST}:${port}/gateway`;
  const gateway = new Gateway(state, transcript, gatewayUrl);
  const rest: RestContext = {
    state,
    interactions,
    limiter: new RateLimiter(clock, limits.globalPerSecond),
    transcript,
    intercept: (call) => call.run(),
    routes: [],
    calls: { open: 0 },
    gatewayUrl,
  };

  const route = router(app, rest);
  for (const mount of [resourceRoutes, commandRoutes, callbackRoutes, webhookRoutes, messageRoutes])
    mount(route, rest);
  state.cdn.mount(app);
  const users =
    options.page === false
      ? null
      : new PageRoutes(
          people,
          new OperatorBoard(options.operator ?? null, options.actions, options.taste),
          transcript,
          options.examples ?? [],
        );
  if (users !== null) {
    mountPage(app);
    users.mount(app);
  }
  app.onError((error, context) => {
    if (error instanceof InvocationError) return context.json({ message: error.message }, 400);
    // A bug in this server: the terminal gets the stack, the answer would show this machine's paths.
    console.error(error);
    return context.json({ message: "500: Internal Server Error", code: 0 }, 500);
  });
  app.all("/api/*", (context) => {
    const error = apiErrors.unknownRoute(context.req.method, context.req.path);
    return context.json(error.toJSON(), 404);
  });

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Split instead of parsed: "//[" is a path that URL refuses.
    const [path, ...query] = target(request).split("?");
    const parameters = new URLSearchParams(query.join("?"));
    if (path === "/gateway" || path === "/gateway/")
      return gateway.upgrade(request, parameters, socket, head);
    const user = path === "/local/events" ? users?.person(parameters.get("user")) : undefined;
    if (users === null || user === undefined) return hangUp(socket, 404);
    return users.upgrade(user, request, socket, head);
  };
  const server = await serveLoopback(app, { port: options.port ?? 0, upgrade });
  const { url } = server;
  port = server.port;
  state.cdn.baseUrl = `${url}/cdn`;
  const guild = [...state.guilds.values()][0]!;

  return {
    url,
    apiUrl: `${url}/api`,
    cdnUrl: `${url}/cdn`,
    get token() {
      return state.token;
    },
    applicationId: state.applicationId,
    guildId: guild.id,
    parts: { state, people, rest, gateway, transcript, spec },
    close: async () => {
      spec?.close();
      interactions.close();
      gateway.close();
      users?.close();
      await server.close();
      await archive?.close();
    },
  };
}
