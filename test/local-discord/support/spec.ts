import { z } from "zod";

type Schema = z.core.$ZodType;
// The package's types point at its .js file, which tells the compiler nothing; a name in a variable skips them.
const moduleName = "discord-api-spec/zod";
const spec = (await import(moduleName)) as Record<string, Schema>;

/** The schema that Discord's own OpenAPI description has under this name. */
export function schema(name: string): Schema {
  const found = spec[`${name}Schema`];
  if (found === undefined) throw new Error(`The specification has no ${name}`);
  return found;
}

/** Which schemas a REST call's request and response must satisfy, first match wins; null: no body. */
const CALLS: readonly [
  method: string,
  path: RegExp,
  request: string | null,
  response: string | null,
  list?: boolean,
][] = [
  ["GET", /^\/gateway\/bot$/, null, "GatewayBotResponse"],
  ["PUT", /\/commands$/, "ApplicationCommandUpdateRequest", "ApplicationCommandResponse", true],
  ["GET", /\/commands$/, null, "ApplicationCommandResponse", true],
  ["POST", /\/commands$/, "ApplicationCommandCreateRequest", "ApplicationCommandResponse"],
  ["POST", /\/callback$/, null, "InteractionCallbackResponse"],
  ["PATCH", /^\/webhooks\/.*\/messages\//, "IncomingWebhookUpdateRequestPartial", "MessageResponse"],
  ["GET", /^\/webhooks\/.*\/messages\//, null, "MessageResponse"],
  ["POST", /^\/webhooks\/[^/]+\/[^/]+$/, "IncomingWebhookInteractionRequest", "MessageResponse"],
  ["POST", /^\/channels\/\d+\/messages$/, "MessageCreateRequest", "MessageResponse"],
  ["GET", /^\/channels\/\d+\/messages$/, null, "MessageResponse", true],
  ["PATCH", /^\/channels\/\d+\/messages\/\d+$/, "MessageEditRequestPartial", "MessageResponse"],
  ["GET", /^\/channels\/\d+\/messages\/\d+$/, null, "MessageResponse"],
  ["POST", /^\/users\/@me\/channels$/, "CreatePrivateChannelRequest", "PrivateChannelResponse"],
  ["GET", /applications\/@me$/, null, "PrivateApplicationResponse"],
  ["GET", /^\/users\/@me$/, null, "UserPIIResponse"],
  ["GET", /^\/users\/\d+$/, null, "UserResponse"],
  ["GET", /^\/guilds\/\d+$/, null, "GuildWithCountsResponse"],
  ["GET", /^\/guilds\/\d+\/channels$/, null, "GuildChannelResponse", true],
  ["GET", /^\/guilds\/\d+\/roles$/, null, "GuildRoleResponse", true],
  ["GET", /^\/guilds\/\d+\/members\//, null, "GuildMemberResponse"],
  ["DELETE", /./, null, null],
  ["POST", /\/typing$/, null, null],
];

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly request: unknown;
  readonly response: unknown;
}

/** What is wrong with a recorded call by the specification; empty when nothing is. */
export function violations(call: Call): string[] {
  const where = `${call.method} ${call.path}`;
  if (call.status === 429) return check(`${where} 429`, "RatelimitedResponse", call.response, false);
  if (call.status >= 400) return check(`${where} ${call.status}`, "ErrorResponse", call.response, false);
  const hit = CALLS.find(([method, path]) => method === call.method && path.test(call.path));
  if (hit === undefined && /^\/channels\/\d+$/.test(call.path)) {
    const direct = (call.response as { type: number }).type === 1;
    return check(where, direct ? "PrivateChannelResponse" : "GuildChannelResponse", call.response, false);
  }
  if (hit === undefined) return [`${where}: no schema is chosen for this call`];
  const [, , request, response, list = false] = hit;
  return [
    ...(request === null ? [] : check(`${where} request`, request, call.request, list)),
    ...(call.status === 204 || response === null
      ? []
      : check(`${where} response`, response, call.response, list)),
  ];
}

/** Checks one value, or each of a list. */
export function check(where: string, name: string, value: unknown, list: boolean): string[] {
  // Over the wire, absent and undefined are the same. Discord writes UTC as +00:00, which RFC 3339 allows and this
  // package's schemas do not.
  const plain: unknown = JSON.parse(JSON.stringify(value ?? null).replaceAll('+00:00"', 'Z"'));
  const result = z.safeParse(list ? z.array(schema(name) as z.ZodType) : schema(name), plain);
  return result.success ? [] : [`${where} is not ${name}:\n${z.prettifyError(result.error)}`];
}
