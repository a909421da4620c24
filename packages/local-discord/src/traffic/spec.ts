import { z } from "zod";
import type { Transcript, TranscriptEntry } from "./transcript.js";

/**
 * Checks all traffic against Discord's own OpenAPI description, as the schemas of the package
 * discord-api-spec. That is a development dependency: if it is not installed, nothing is checked.
 *
 * It reports and never refuses: the forms (forms/) decide what is accepted, including rules that the
 * description lacks. A violation is either a gap in the forms or a mistake in what this server sends, so
 * tests demand that there are none.
 */
type Schema = z.core.$ZodType;
type Schemas = Readonly<Record<string, Schema>>;
type RestEntry = Extract<TranscriptEntry, { kind: "rest" }>;
type GatewayEntry = Extract<TranscriptEntry, { kind: "gateway" }>;
export type Call = Pick<RestEntry, "method" | "path" | "status" | "request" | "response">;

/** Names of the schemas of a call's request and response; null: no body. The first match wins. */
interface Rule {
  readonly method: string;
  readonly path: RegExp;
  readonly request: string | null;
  readonly response: string | null;
  readonly list?: boolean;
}
const rule = (
  method: string,
  path: RegExp,
  request: string | null,
  response: string | null,
  list = false,
): Rule => ({
  method,
  path,
  request,
  response,
  list,
});

const RULES: readonly Rule[] = [
  rule("GET", /^\/gateway$/, null, "GatewayResponse"),
  rule("GET", /^\/gateway\/bot$/, null, "GatewayBotResponse"),
  rule("PUT", /\/commands$/, "ApplicationCommandUpdateRequest", "ApplicationCommandResponse", true),
  rule("GET", /\/commands$/, null, "ApplicationCommandResponse", true),
  rule("POST", /\/commands$/, "ApplicationCommandCreateRequest", "ApplicationCommandResponse"),
  rule("PATCH", /\/commands\/\d+$/, "ApplicationCommandPatchRequestPartial", "ApplicationCommandResponse"),
  rule("GET", /\/commands\/\d+$/, null, "ApplicationCommandResponse"),
  rule("PATCH", /^\/webhooks\/.*\/messages\//, "IncomingWebhookUpdateRequestPartial", "MessageResponse"),
  rule("GET", /^\/webhooks\/.*\/messages\//, null, "MessageResponse"),
  rule("POST", /^\/webhooks\/[^/]+\/[^/]+$/, "IncomingWebhookInteractionRequest", "MessageResponse"),
  rule("POST", /^\/channels\/\d+\/messages$/, "MessageCreateRequest", "MessageResponse"),
  rule("GET", /^\/channels\/\d+\/messages$/, null, "MessageResponse", true),
  rule("PATCH", /^\/channels\/\d+\/messages\/\d+$/, "MessageEditRequestPartial", "MessageResponse"),
  rule("GET", /^\/channels\/\d+\/messages\/\d+$/, null, "MessageResponse"),
  rule("POST", /^\/users\/@me\/channels$/, "CreatePrivateChannelRequest", "PrivateChannelResponse"),
  rule("GET", /^\/users\/@me\/guilds$/, null, "MyGuildResponse", true),
  rule("GET", /applications\/@me$/, null, "PrivateApplicationResponse"),
  rule("GET", /^\/users\/@me$/, null, "UserPIIResponse"),
  rule("GET", /^\/users\/\d+$/, null, "UserResponse"),
  rule("GET", /^\/guilds\/\d+$/, null, "GuildWithCountsResponse"),
  rule("GET", /^\/guilds\/\d+\/channels$/, null, "GuildChannelResponse", true),
  rule("GET", /^\/guilds\/\d+\/roles$/, null, "GuildRoleResponse", true),
  rule("GET", /^\/guilds\/\d+\/members\//, null, "GuildMemberResponse"),
  rule("DELETE", /./, null, null),
  rule("POST", /\/typing$/, null, null),
];

/** The schema of a callback, by its `type`. */
const CALLBACKS: Readonly<Record<number, string>> = {
  4: "CreateMessageInteractionCallbackRequest",
  5: "CreateMessageInteractionCallbackRequest",
  6: "UpdateMessageInteractionCallbackRequest",
  7: "UpdateMessageInteractionCallbackRequest",
  8: "ApplicationCommandAutocompleteCallbackRequest",
  9: "ModalInteractionCallbackRequest",
};
const DM = 1;

/**
 * Known mistakes of the description: it wants an integer for `default_member_permissions`, which the
 * documentation, discord.js and Discord write as a string; and strings for the ids in `attachments`, where
 * the documentation's own examples have the number of the file.
 */
const KNOWN_WRONG = /^✖[^\n]*\n\s*→ at (?:\S*default_member_permissions|(?:data\.)?attachments\[\d+\]\.id)$/;

/**
 * Errors and 429s as documented (reference, "Error Messages"; topics/rate-limits). The description gives
 * field errors a numeric code, but they are words, and requires `code` in a 429, which the examples leave
 * out.
 */
const fieldErrors: z.ZodType = z.lazy(() =>
  z
    .object({ _errors: z.array(z.strictObject({ code: z.string(), message: z.string() })).optional() })
    .catchall(fieldErrors),
);
const failure = z.strictObject({ code: z.int(), message: z.string(), errors: fieldErrors.optional() });
const limited = z.strictObject({
  message: z.string(),
  retry_after: z.number().positive(),
  global: z.boolean(),
  code: z.int().optional(),
});

function judge(where: string, schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : [`${where}:\n${z.prettifyError(result.error)}`];
}

export class Spec {
  readonly #schemas: Schemas;

  private constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** Loads the description; null if the package is not installed. */
  static async load(): Promise<Spec | null> {
    // The package's types point at its .js file, which tells the compiler nothing; a variable name bypasses
    // them.
    const name = "discord-api-spec/zod";
    try {
      return new Spec((await import(name)) as Schemas);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return null;
      throw error;
    }
  }

  /** Violations of a call; empty if there are none. */
  call(call: Call): string[] {
    const where = `${call.method} ${call.path}`;
    // Status 0: a fault closed the connection without an answer.
    if (call.status === 0) return [];
    if (call.status >= 400)
      return judge(`${where} ${call.status}`, call.status === 429 ? limited : failure, call.response);
    const hit = this.#rule(call);
    if (hit === undefined) return [`${where}: no schema is chosen for this call`];
    return [
      ...(hit.request === null ? [] : this.check(`${where} request`, hit.request, call.request, hit.list)),
      ...(call.status === 204 || hit.response === null
        ? []
        : this.check(`${where} response`, hit.response, call.response, hit.list)),
    ];
  }

  /**
   * Violations of an event. The description has no gateway, so only the objects in events are checked.
   */
  event(name: string, data: unknown): string[] {
    if (typeof data !== "object" || data === null) return [`${name} has no data`];
    const d = data as Record<string, unknown>;
    const part = (field: string, schema: string, list = false) =>
      d[field] === undefined ? [] : this.check(`${name} ${field}`, schema, d[field], list);
    switch (name) {
      case "MESSAGE_CREATE":
      case "MESSAGE_UPDATE":
        return this.check(name, "MessageResponse", d);
      case "READY":
        return part("user", "UserResponse");
      case "GUILD_CREATE":
        return [
          ...this.check(name, "GuildResponse", d),
          ...part("channels", "GuildChannelResponse", true),
          ...part("members", "GuildMemberResponse", true),
          ...part("roles", "GuildRoleResponse", true),
        ];
      case "GUILD_MEMBERS_CHUNK":
        return part("members", "GuildMemberResponse", true);
      case "INTERACTION_CREATE":
        return [
          ...interactionShape(d),
          ...part("user", "UserResponse"),
          ...part("member", "GuildMemberResponse"),
          ...part("message", "MessageResponse"),
        ];
      default:
        return [];
    }
  }

  /** Checks one value, or each value of a list. */
  check(where: string, name: string, value: unknown, list = false): string[] {
    const schema = this.#schemas[`${name}Schema`];
    if (schema === undefined) return [`${where}: the specification has no ${name}`];
    // On the wire, absent and undefined are the same. Discord writes UTC as +00:00, which RFC 3339 allows but
    // this package's schemas do not.
    const plain: unknown = JSON.parse(JSON.stringify(value ?? null).replaceAll('+00:00"', 'Z"'));
    const result = z.safeParse(list ? z.array(schema as z.ZodType) : schema, plain);
    if (result.success) return [];
    // zod prints one problem per paragraph: the mark, then where it is.
    const told = z
      .prettifyError(result.error)
      .split(/\n(?=✖)/)
      .filter((it) => !KNOWN_WRONG.test(it));
    return told.length === 0 ? [] : [`${where} is not ${name}:\n${told.join("\n")}`];
  }

  #rule(call: Call): Rule | undefined {
    if (/^\/channels\/\d+$/.test(call.path)) {
      const direct = (call.response as { type?: number } | null)?.type === DM;
      return rule("GET", /./, null, direct ? "PrivateChannelResponse" : "GuildChannelResponse");
    }
    if (call.path.endsWith("/callback")) {
      const { type = 0 } = (call.request ?? {}) as { type?: number };
      const request = CALLBACKS[type];
      return request === undefined ? undefined : rule("POST", /./, request, "InteractionCallbackResponse");
    }
    return RULES.find(({ method, path }) => method === call.method && path.test(call.path));
  }
}

const id = z.string().regex(/^\d{17,20}$/);
/** INTERACTION_CREATE (interactions/receiving-and-responding, "Interaction Object"). */
const interaction = z.strictObject({
  id,
  application_id: id,
  type: z.union([z.literal(2), z.literal(3), z.literal(4), z.literal(5)]),
  data: z.looseObject({}),
  guild: z.strictObject({ id, locale: z.string(), features: z.array(z.string()) }).optional(),
  guild_id: id.optional(),
  guild_locale: z.string().optional(),
  channel: z.looseObject({ id, type: z.int() }),
  channel_id: id,
  member: z.looseObject({ permissions: z.string().regex(/^\d+$/), user: z.looseObject({ id }) }).optional(),
  user: z.looseObject({ id }).optional(),
  token: z.string().min(20),
  version: z.literal(1),
  message: z.looseObject({ id }).optional(),
  app_permissions: z.string().regex(/^\d+$/),
  locale: z.string(),
  entitlements: z.array(z.never()),
  entitlement_sku_ids: z.array(z.never()),
  authorizing_integration_owners: z.partialRecord(z.enum(["0", "1"]), z.string()),
  context: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  attachment_size_limit: z.int().positive(),
});

function interactionShape(data: Record<string, unknown>): string[] {
  const plain: unknown = JSON.parse(JSON.stringify(data));
  const one = (data.member === undefined) !== (data.user === undefined);
  return [
    ...judge("INTERACTION_CREATE", interaction, plain),
    ...(one ? [] : ["INTERACTION_CREATE has exactly one of member and user"]),
  ];
}

const QUIET_MS = 1_000;

/**
 * Checks the transcript against the specification as it grows: on request, and by itself after a second
 * without traffic, so that neither loading nor checking takes time from a busy bot.
 */
export class SpecWatch {
  readonly #found: string[] = [];
  readonly #unsubscribe: () => void;
  #spec: Promise<Spec | null> | null = null;
  #waiting: TranscriptEntry[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(transcript: Transcript) {
    this.#unsubscribe = transcript.subscribe((entry) => {
      this.#waiting.push(entry);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.check(), QUIET_MS).unref();
    });
  }

  /**
   * Checks everything since the last check. Each violation also becomes a process warning.
   * @returns all violations so far, each with its call or event
   * @throws if the specification is not installed and `required`
   */
  async check(required = false): Promise<readonly string[]> {
    this.#spec ??= Spec.load();
    const spec = await this.#spec;
    const entries = this.#waiting.splice(0);
    if (spec === null) {
      this.close();
      if (required) throw new Error("The package discord-api-spec is not installed");
      return [];
    }
    for (const entry of entries) {
      for (const it of entry.kind === "rest" ? spec.call(entry) : ofGateway(spec, entry)) {
        this.#found.push(it);
        process.emitWarning(it, "LocalDiscordViolation");
      }
    }
    return this.#found;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unsubscribe();
  }
}

function ofGateway(spec: Spec, entry: GatewayEntry): string[] {
  return entry.from === "bot" || entry.event === null ? [] : spec.event(entry.event, entry.data);
}
