import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context, Hono } from "hono";
import type { FilePart } from "../compose.js";
import { ApiError, apiErrors } from "../errors.js";
import type { Interactions } from "../interactions.js";
import type { DiscordState } from "../state.js";
import type { Transcript } from "../transcript.js";
import { readBody } from "./body.js";
import type { Bucket, RateLimiter } from "./rate-limit.js";

/** What every resource's routes are built on. */
export interface RestContext {
  readonly state: DiscordState;
  readonly interactions: Interactions;
  readonly limiter: RateLimiter;
  readonly transcript: Transcript;
  /** Faults that a test asked for; see `Faults`. */
  readonly faults: RestFaults;
  /** Every route that is served, such as "GET /users/@me". */
  readonly routes: string[];
  /** How many calls are being worked on. */
  readonly calls: { open: number };
  /** ws:// address of the gateway. */
  gatewayUrl(): string;
}

export interface RestFaults {
  /** The fault for this call, used up by asking. */
  take(method: string, path: string): RestFault | undefined;
}
export interface RestFault {
  /** Answer with this status instead of running the call; 500 to 599 are retried by discord.js. */
  readonly status?: number;
  /** With status 429: how long the caller is told to wait. */
  readonly retryAfterMs?: number;
  /** Wait this long before answering. */
  readonly delayMs?: number;
  /**
   * Close the connection instead of answering: "before" the call is run, or "after", when it has had its effect and the
   * caller cannot know.
   */
  readonly close?: "before" | "after";
}

export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The JSON body or `payload_json`; undefined without a body. */
  readonly body: unknown;
  readonly files: readonly FilePart[];
}

export interface ApiReply {
  readonly status: number;
  readonly body?: unknown;
}

export interface RouteOptions {
  readonly bucket: Bucket;
  /** False for routes that carry their own token in the path. */
  readonly auth?: boolean;
}

export type Handler = (request: ApiRequest) => ApiReply | Promise<ApiReply>;
export type Route = (method: string, path: string, options: RouteOptions, handle: Handler) => void;

export const ok = (body: unknown): ApiReply => ({ status: 200, body });
export const noContent: ApiReply = { status: 204 };

const BASE = "/api/v10";

/** A function that registers routes below /api/v10 with authorization, rate limits, faults and the transcript. */
export function router(app: Hono, rest: RestContext): Route {
  return (method, path, options, handle) => {
    rest.routes.push(`${method} ${path}`);
    app.on(method, `${BASE}${path}`, async (context) => {
      const shown = shortPath(context.req.path.slice(BASE.length));
      const call: { request: unknown; files: readonly FilePart[] } = { request: undefined, files: [] };
      const finish = (status: number, body: unknown, headers: Record<string, string>): Response => {
        rest.calls.open -= 1;
        rest.transcript.add({
          kind: "rest",
          at: rest.state.clock.now(),
          method,
          path: shown,
          status,
          request: call.request,
          files: call.files.map((file) => ({ filename: file.filename, bytes: file.data.length })),
          response: body,
        });
        return reply(context, status, body, headers);
      };
      const params = context.req.param() as Record<string, string>;
      rest.calls.open += 1;
      const verdict = rest.limiter.take(options.bucket, majorParameter(params));
      if (!verdict.allowed) return finish(429, verdict.body, verdict.headers);
      try {
        const fault = rest.faults.take(method, shown);
        if (fault?.delayMs !== undefined) await pause(rest, fault.delayMs);
        if (fault?.status === 429) {
          const seconds = (fault.retryAfterMs ?? 1_000) / 1_000;
          return finish(
            429,
            { message: "You are being rate limited.", retry_after: seconds, global: false },
            { "Retry-After": String(Math.ceil(seconds)), "X-RateLimit-Scope": "shared" },
          );
        }
        if (fault?.status !== undefined)
          throw new ApiError(fault.status, 0, `${fault.status}: requested fault`);
        if (options.auth !== false && context.req.header("authorization") !== `Bot ${rest.state.token}`) {
          throw apiErrors.unauthorized();
        }
        const { body, files } = await readBody(context.req.raw, rest.state.limits.requestBytes);
        call.request = body;
        call.files = files;
        if (fault?.close === "before") return hangUp(finish(0, null, {}), context);
        const answer = await handle({ params, query: context.req.query(), body, files });
        const response = finish(answer.status, answer.body, verdict.headers);
        return fault?.close === "after" ? hangUp(response, context) : response;
      } catch (error) {
        if (!(error instanceof ApiError)) {
          rest.calls.open -= 1;
          throw error;
        }
        return finish(error.status, error.toJSON(), verdict.headers);
      }
    });
  };
}

/** Cuts the connection that a request came over; `unsent` is what it would have got. */
function hangUp(unsent: Response, context: Context): Response {
  void unsent.body?.cancel();
  (context.env as HttpBindings).outgoing.destroy();
  return RESPONSE_ALREADY_SENT;
}

function reply(context: Context, status: number, body: unknown, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) context.header(name, value);
  if (status === 0) return context.body(null);
  return body === undefined ? context.body(null, status as 204) : context.json(body as object, status as 200);
}

function pause(rest: RestContext, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    rest.state.clock.after(delayMs, resolve);
  });
}

/** The resource that a rate limit is counted per: channel, guild, or webhook with its token. */
function majorParameter(params: Readonly<Record<string, string>>): string {
  const {
    channel_id: channel,
    guild_id: guild,
    webhook_id: webhook,
    webhook_token: token,
    interaction_token: interaction,
  } = params;
  return channel ?? guild ?? (webhook === undefined ? (interaction ?? "") : `${webhook}:${token}`);
}

function shortPath(path: string): string {
  return path.replace(/[\w-]{40,}/g, (token) => `${token.slice(0, 6)}…`);
}
