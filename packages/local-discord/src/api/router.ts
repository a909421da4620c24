import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context, Hono } from "hono";
import { type FilePart, readBody } from "../forms/body.js";
import { ApiError, apiErrors } from "../protocol/errors.js";
import type { Transcript } from "../traffic/transcript.js";
import type { Interactions } from "../world/interactions.js";
import type { DiscordState } from "../world/state.js";
import type { Bucket, RateLimiter } from "./rate-limit.js";

/** What all routes share. */
export interface RestContext {
  readonly state: DiscordState;
  readonly interactions: Interactions;
  readonly limiter: RateLimiter;
  readonly transcript: Transcript;
  /** Lets a test make calls fail (testing/faults.ts). */
  intercept: Intercept;
  /** Every route that is served, such as "GET /users/@me". */
  readonly routes: string[];
  /** Number of calls in progress. */
  readonly calls: { open: number };
  /** ws:// address of the gateway. */
  gatewayUrl(): string;
}

/** One call within the rate limit; its token and body are not checked yet. */
export interface Call {
  readonly method: string;
  /** Path below /api/v10, tokens shortened. */
  readonly path: string;
  /** Checks the token and reads the body. @throws ApiError */
  read(): Promise<ApiRequest>;
  /** Executes the call. @throws ApiError */
  run(): Promise<ApiReply>;
}
/** Answers a call: `(call) => call.run()`, unless a test makes it fail. */
export type Intercept = (call: Call) => Promise<ApiReply>;

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
  /** Replaces the rate limit's headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection instead of answering. */
  readonly hangUp?: boolean;
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

/**
 * Returns a function that registers routes below /api/v10 with authorization, rate limits and the transcript.
 */
export function router(app: Hono, rest: RestContext): Route {
  return (method, path, options, handle) => {
    rest.routes.push(`${method} ${path}`);
    app.on(method, `${BASE}${path}`, async (context) => {
      const shown = shortPath(context.req.path.slice(BASE.length));
      const params = context.req.param() as Record<string, string>;
      let request: ApiRequest | null = null;
      let recorded = false;
      const record = (answer: ApiReply): void => {
        if (recorded) return;
        recorded = true;
        rest.transcript.add({
          kind: "rest",
          at: rest.state.clock.now(),
          method,
          path: shown,
          status: answer.status,
          request: request?.body,
          files: (request?.files ?? []).map((file) => ({ filename: file.filename, bytes: file.data.length })),
          response: answer.body,
        });
      };
      const finish = (answer: ApiReply, headers: Readonly<Record<string, string>>): Response => {
        rest.calls.open -= 1;
        record(answer);
        return answer.hangUp ? hangUp(context) : reply(context, answer, headers);
      };
      const read = async (): Promise<ApiRequest> => {
        if (options.auth !== false && context.req.header("authorization") !== `Bot ${rest.state.token}`) {
          throw apiErrors.unauthorized();
        }
        const { body, files } = await readBody(context.req.raw, rest.state.limits.requestBytes);
        request = { params, query: context.req.query(), body, files };
        return request;
      };
      rest.calls.open += 1;
      const verdict = rest.limiter.take(options.bucket, majorParameter(params));
      if (!verdict.allowed) return finish({ status: 429, body: verdict.body }, verdict.headers);
      try {
        const run = async () => {
          const answer = await handle(await read());
          // Record it first: anyone who sees the change must find the call in the transcript.
          record(answer);
          return answer;
        };
        const answer = await rest.intercept({ method, path: shown, read, run });
        return finish(answer, answer.headers ?? verdict.headers);
      } catch (error) {
        if (!(error instanceof ApiError)) {
          rest.calls.open -= 1;
          throw error;
        }
        return finish({ status: error.status, body: error.toJSON() }, verdict.headers);
      }
    });
  };
}

/** Closes the connection of a request. */
function hangUp(context: Context): Response {
  (context.env as HttpBindings).outgoing.destroy();
  return RESPONSE_ALREADY_SENT;
}

function reply(
  context: Context,
  { status, body }: ApiReply,
  headers: Readonly<Record<string, string>>,
): Response {
  for (const [name, value] of Object.entries(headers)) context.header(name, value);
  return body === undefined ? context.body(null, status as 204) : context.json(body as object, status as 200);
}

/** The resource that a rate limit counts by: channel, guild, or webhook with its token. */
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
