import { z } from "zod";

/** Opcodes, close codes, intents and payloads (topics/opcodes-and-status-codes, topics/gateway). */

export const Op = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  resume: 6,
  reconnect: 7,
  requestMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

export const Close = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  shardingRequired: 4011,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;

export const Intent = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildMessageReactions: 1 << 10,
  guildMessageTyping: 1 << 11,
  directMessages: 1 << 12,
  directMessageReactions: 1 << 13,
  directMessageTyping: 1 << 14,
  messageContent: 1 << 15,
} as const;
export const ALL_INTENTS = (1 << 26) - 1;
export const PRIVILEGED_INTENTS = Intent.guildMembers | Intent.guildPresences | Intent.messageContent;

/** What the gateway sends. */
export interface Payload {
  readonly op: number;
  readonly d?: unknown;
  /** The event's name, for dispatches. */
  readonly t?: string;
  /** The session's sequence number, for dispatches. */
  readonly s?: number;
}

/** A client broke the protocol: its connection is closed with this code. */
export class Violation extends Error {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

const identify = z.looseObject({
  token: z.string(),
  intents: z.int().nonnegative(),
  properties: z.looseObject({}),
  shard: z.tuple([z.int().nonnegative(), z.int().positive()]).optional(),
});
const resume = z.object({ token: z.string(), session_id: z.string(), seq: z.int().nonnegative() });
const requestMembers = z.looseObject({
  guild_id: z.string(),
  query: z.string().optional(),
  limit: z.int().optional(),
  user_ids: z.union([z.string(), z.array(z.string())]).optional(),
  nonce: z.string().max(32).optional(),
});
const payload = z.looseObject({ op: z.int(), d: z.unknown() });

/** Forms of what a bot sends: the frame, and the data of each opcode that has any. */
export const received = { payload, identify, resume, requestMembers } as const;

/** Checks the data against its form. @throws Violation 4002 */
export function decode<T>(form: z.ZodType<T>, data: unknown): T {
  const parsed = form.safeParse(data);
  if (!parsed.success) throw new Violation(Close.decodeError, "Error while decoding payload.");
  return parsed.data;
}
