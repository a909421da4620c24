import { type ComposeOptions, checkAnnounced, composeMessage, editMessage } from "../forms/compose.js";
import { messageCreate } from "../forms/message.js";
import { parseForm } from "../forms/parse.js";
import { apiErrors, invalidForm } from "../protocol/errors.js";
import { MessageType } from "../protocol/types.js";
import { Permission, sendPermission } from "../world/permissions.js";
import type { ChannelRecord, MessageRecord } from "../world/records.js";
import { messageView } from "../world/views.js";
import { buckets } from "./buckets.js";
import { type ApiRequest, noContent, ok, type RestContext, type Route } from "./router.js";

const CHANNEL_MENTIONS: ComposeOptions["mentionDefault"] = ["users", "roles", "everyone"];

/** Channel messages and typing. */
export function messageRoutes(route: Route, rest: RestContext): void {
  const { state } = rest;
  const nonces = new Map<string, { messageId: string; at: number }>();

  const channelOf = (request: ApiRequest, needed = 0n): ChannelRecord => {
    const channel = state.channels.get(request.params.channel_id ?? "");
    if (channel === undefined) throw apiErrors.unknownChannel();
    const permissions = state.permissions(channel, state.bot.id);
    if ((permissions & Permission.viewChannel) === 0n) throw apiErrors.missingAccess();
    if ((permissions & needed) !== needed) throw apiErrors.missingPermissions();
    return channel;
  };
  const messageOf = (request: ApiRequest, channel: ChannelRecord): MessageRecord => {
    const message = state.messages.get(request.params.message_id ?? "");
    if (message === undefined || message.channelId !== channel.id || message.visibleTo !== null) {
      throw apiErrors.unknownMessage();
    }
    return message;
  };
  /** The message that already used this enforced nonce, within the time that nonces are remembered. */
  const repeated = (key: string): MessageRecord | undefined => {
    const now = state.clock.now();
    for (const [known, { at }] of nonces) if (now - at > state.limits.nonceMs) nonces.delete(known);
    const hit = nonces.get(key);
    if (hit === undefined) return undefined;
    const message = state.messages.get(hit.messageId);
    if (message === undefined) throw apiErrors.unknownMessage();
    return message;
  };

  route("POST", "/channels/:channel_id/messages", { bucket: buckets.messageCreate }, (request) => {
    const channel = channelOf(request);
    const form = parseForm(messageCreate, request.body ?? {});
    const permissions = state.permissions(channel, state.bot.id);
    const need = (bit: bigint) => {
      if ((permissions & bit) === 0n) throw apiErrors.missingPermissions();
    };
    need(sendPermission(channel));
    if (form.embeds?.length) need(Permission.embedLinks);
    if (request.files.length > 0) need(Permission.attachFiles);
    if (state.recipientOf(channel)?.acceptsDirectMessages === false) throw apiErrors.cannotMessageUser();

    const key = form.nonce === undefined ? undefined : `${state.bot.id}:${String(form.nonce)}`;
    const first = key !== undefined && form.enforce_nonce === true ? repeated(key) : undefined;
    if (first !== undefined) return ok(messageView(state, first));

    let replyTo: string | null = null;
    if (form.message_reference !== undefined) {
      if ((permissions & Permission.readMessageHistory) === 0n) throw apiErrors.replyNeedsHistory();
      const answered = state.messages.get(form.message_reference.message_id);
      const found = answered?.channelId === channel.id && answered.visibleTo === null;
      if (!found && form.message_reference.fail_if_not_exists !== false) {
        throw invalidForm([
          { path: ["message_reference"], code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message" },
        ]);
      }
      replyTo = found ? answered.id : null;
    }
    checkAnnounced(form, request.files, []);
    const message = composeMessage(state, form, request.files, {
      channel,
      authorId: state.bot.id,
      type: replyTo === null ? MessageType.default : MessageType.reply,
      visibleTo: null,
      interactionId: null,
      replyTo,
      nonce: form.nonce ?? null,
      mentionDefault: CHANNEL_MENTIONS,
    });
    if (key !== undefined) nonces.set(key, { messageId: message.id, at: state.clock.now() });
    return ok(messageView(state, message));
  });

  route("GET", "/channels/:channel_id/messages", { bucket: buckets.messageRead }, (request) => {
    const channel = channelOf(request);
    if ((state.permissions(channel, state.bot.id) & Permission.readMessageHistory) === 0n) return ok([]);
    const { limit = "50", before, after, around } = request.query;
    const count = Number(limit);
    if (!Number.isInteger(count) || count < 1 || count > 100) {
      throw invalidForm([
        { path: ["limit"], code: "NUMBER_TYPE_MAX", message: "int value should be between 1 and 100." },
      ]);
    }
    const all = state.messagesIn(channel.id, "").reverse();
    return ok(page(all, count, { before, after, around }).map((it) => messageView(state, it)));
  });

  const one = "/channels/:channel_id/messages/:message_id";
  route("GET", one, { bucket: buckets.messageRead }, (request) => {
    const channel = channelOf(request, Permission.readMessageHistory);
    return ok(messageView(state, messageOf(request, channel)));
  });
  route("PATCH", one, { bucket: buckets.messageEdit }, (request) => {
    const channel = channelOf(request);
    const message = messageOf(request, channel);
    if (message.authorId !== state.bot.id) throw apiErrors.notAuthor();
    return ok(messageView(state, editMessage(state, message, request, CHANNEL_MENTIONS)));
  });
  route("DELETE", one, { bucket: buckets.messageDelete }, (request) => {
    const channel = channelOf(request);
    const message = messageOf(request, channel);
    const own = message.authorId === state.bot.id;
    if (!own && (state.permissions(channel, state.bot.id) & Permission.manageMessages) === 0n) {
      throw apiErrors.missingPermissions();
    }
    state.deleteMessage(message);
    return noContent;
  });

  route("POST", "/channels/:channel_id/typing", { bucket: buckets.typing }, (request) => {
    const channel = channelOf(request);
    if ((state.permissions(channel, state.bot.id) & sendPermission(channel)) === 0n)
      throw apiErrors.missingPermissions();
    state.emit({ type: "typing", channel, userId: state.bot.id });
    return noContent;
  });
}

/** A page of messages, newest first. */
function page(
  newestFirst: readonly MessageRecord[],
  count: number,
  {
    before,
    after,
    around,
  }: { before: string | undefined; after: string | undefined; around: string | undefined },
): MessageRecord[] {
  const id = (it: MessageRecord) => BigInt(it.id);
  if (before !== undefined) return newestFirst.filter((it) => id(it) < BigInt(before)).slice(0, count);
  if (after !== undefined) {
    const newer = newestFirst.filter((it) => id(it) > BigInt(after));
    return newer.slice(Math.max(0, newer.length - count));
  }
  if (around !== undefined) {
    const at = newestFirst.findIndex((it) => id(it) <= BigInt(around));
    const from = Math.max(0, (at < 0 ? newestFirst.length : at) - Math.floor(count / 2));
    return newestFirst.slice(from, from + count);
  }
  return newestFirst.slice(0, count);
}
