import type { Bucket } from "./rate-limit.js";

/**
 * Limits as Discord's headers show them in practice; they are undocumented and may change.
 */
const bucket = (name: string, limit: number, windowMs: number): Bucket => ({ name, limit, windowMs });

export const buckets = {
  gatewayBot: bucket("gateway-bot", 2, 5_000),
  self: bucket("self", 30, 30_000),
  application: bucket("application", 30, 30_000),
  commandsRead: bucket("commands-read", 50, 60_000),
  commandsWrite: bucket("commands-write", 5, 20_000),
  openDirectMessage: bucket("open-dm", 10, 10_000),
  channelRead: bucket("channel-read", 50, 10_000),
  guildRead: bucket("guild-read", 50, 10_000),
  messageCreate: bucket("message-create", 5, 5_000),
  messageEdit: bucket("message-edit", 5, 5_000),
  messageDelete: bucket("message-delete", 5, 1_000),
  messageRead: bucket("message-read", 30, 10_000),
  typing: bucket("typing", 5, 5_000),
  webhook: { ...bucket("webhook", 5, 2_000), outsideGlobal: true },
  webhookMessage: { ...bucket("webhook-message", 5, 2_000), outsideGlobal: true },
  callback: { ...bucket("interaction-callback", 5, 1_000), outsideGlobal: true },
} as const;
