import { apiErrors, invalidForm } from "../protocol/errors.js";
import { type ApiComponent, type ApiEmbed, ComponentType, MessageFlag } from "../protocol/types.js";
import type { Upload } from "../world/cdn.js";
import { Permission } from "../world/permissions.js";
import type { AttachmentRecord, ChannelRecord, MentionRecord, MessageRecord } from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import type { FilePart } from "./body.js";
import {
  type AllowedMentionsForm,
  checkClassic,
  type EmbedForm,
  type MessageForm,
  messageEdit,
  walk,
} from "./message.js";
import { parseForm } from "./parse.js";

export interface ComposeOptions {
  readonly channel: ChannelRecord;
  readonly authorId: string;
  readonly type: number;
  readonly visibleTo: string | null;
  readonly interactionId: string | null;
  readonly replyTo?: string | null;
  readonly nonce?: string | number | null;
  /** Mentions parsed without `allowed_mentions`: all kinds in channels, only users in answers. */
  readonly mentionDefault: readonly ("users" | "roles" | "everyone")[];
}

const SETTABLE = MessageFlag.suppressEmbeds | MessageFlag.suppressNotifications | MessageFlag.componentsV2;

/** Creates a message from a checked body and its files, stores it and emits it. */
export function composeMessage(
  state: DiscordState,
  form: MessageForm,
  files: readonly FilePart[],
  options: ComposeOptions,
): MessageRecord {
  const { channel } = options;
  checkFiles(state, files);
  const flags = (form.flags ?? 0) & SETTABLE;
  const components = numbered(form.components ?? []);
  checkVersion(flags, components);
  if (!form.content?.trim() && !form.embeds?.length && files.length === 0 && components.length === 0) {
    throw apiErrors.emptyMessage();
  }
  const attachments = newAttachments(state, form, files, channel.id, options.visibleTo !== null);
  checkReferences(form, components, attachments);
  const message: MessageRecord = {
    id: state.ids.next(),
    channelId: channel.id,
    guildId: channel.guildId,
    authorId: options.authorId,
    type: options.type,
    visibleTo: options.visibleTo,
    interactionId: options.interactionId,
    replyTo: options.replyTo ?? null,
    nonce: options.nonce ?? null,
    tts: form.tts ?? false,
    createdAt: state.clock.now(),
    editedAt: null,
    content: form.content ?? "",
    embeds: (form.embeds ?? []).map(embed),
    components,
    attachments,
    flags: flags | (options.visibleTo === null ? 0 : MessageFlag.ephemeral),
    mentions: { users: [], roles: [], everyone: false },
  };
  message.mentions = mentions(state, message, channel, form.allowed_mentions, options.mentionDefault);
  state.addMessage(message);
  return message;
}

/** Checks the body of an edit and applies it. Throws ApiError for a malformed one. */
export function editMessage(
  state: DiscordState,
  message: MessageRecord,
  { body, files }: { readonly body: unknown; readonly files: readonly FilePart[] },
  mentionDefault: ComposeOptions["mentionDefault"],
): MessageRecord {
  const raw = (body ?? {}) as Record<string, unknown>;
  const form = parseForm(messageEdit, raw);
  checkAnnounced(
    form,
    files,
    message.attachments.map((it) => it.id),
  );
  return composeEdit(state, message, form, raw, files, mentionDefault);
}

/**
 * Applies an edit: absent fields stay unchanged, `attachments` lists what to keep and what to add.
 * @param raw the body as sent: null and absent differ here
 */
export function composeEdit(
  state: DiscordState,
  message: MessageRecord,
  form: MessageForm,
  raw: Readonly<Record<string, unknown>>,
  files: readonly FilePart[],
  mentionDefault: ComposeOptions["mentionDefault"],
): MessageRecord {
  checkFiles(state, files);
  const channel = state.channels.get(message.channelId);
  if (channel === undefined) throw apiErrors.unknownChannel();
  const wasLoading = (message.flags & MessageFlag.loading) !== 0;
  let flags = message.flags & ~MessageFlag.loading;
  if (form.flags !== undefined) {
    // Components V2 cannot be turned off again, and a message cannot become ephemeral or stop being so.
    flags =
      (flags & ~MessageFlag.suppressEmbeds) | (form.flags & (SETTABLE & ~MessageFlag.suppressNotifications));
    flags |= message.flags & MessageFlag.componentsV2;
  }
  const components = "components" in raw ? numbered(form.components ?? []) : message.components;
  const content = "content" in raw ? (form.content ?? "") : message.content;
  const embeds = "embeds" in raw ? (form.embeds ?? []).map(embed) : message.embeds;
  checkVersion(flags, components);
  if ((flags & MessageFlag.componentsV2) !== 0 && (content !== "" || embeds.length > 0)) {
    throw invalidForm([
      {
        path: [content === "" ? "embeds" : "content"],
        code: "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        message: "Content and embeds must be cleared when using MessageFlags.IS_COMPONENTS_V2",
      },
    ]);
  }
  const kept = keptAttachments(message, form);
  if (kept.length + files.length > 10) {
    throw invalidForm([
      { path: ["attachments"], code: "BASE_TYPE_MAX_LENGTH", message: "Must be 10 or fewer in length." },
    ]);
  }
  if (
    content.trim() === "" &&
    embeds.length === 0 &&
    components.length === 0 &&
    kept.length + files.length === 0
  ) {
    throw apiErrors.emptyMessage();
  }
  const added = newAttachments(state, form, files, message.channelId, message.visibleTo !== null);
  const attachments = [...kept, ...added];
  checkReferences(form, components, attachments);
  for (const old of message.attachments) if (!kept.some((it) => it.id === old.id)) state.cdn.remove(old.id);
  Object.assign(message, { content, embeds, components, attachments, flags });
  message.mentions = mentions(state, message, channel, form.allowed_mentions, mentionDefault);
  // Filling in a deferred answer is its first appearance; readers don't see it marked as edited.
  message.editedAt = wasLoading ? message.editedAt : state.clock.now();
  state.updateMessage(message);
  return message;
}

function checkFiles(state: DiscordState, files: readonly FilePart[]): void {
  if (files.length > 10) {
    throw invalidForm([
      { path: ["files"], code: "BASE_TYPE_MAX_LENGTH", message: "Must be 10 or fewer in length." },
    ]);
  }
  for (const file of files) {
    if (file.data.length > state.limits.attachmentBytes) throw apiErrors.requestTooLarge();
  }
}

function checkVersion(flags: number, components: readonly ApiComponent[]): void {
  if ((flags & MessageFlag.componentsV2) !== 0) return;
  const errors = checkClassic(components);
  if (errors.length > 0) throw invalidForm(errors);
}

function newAttachments(
  state: DiscordState,
  form: MessageForm,
  files: readonly FilePart[],
  channelId: string,
  ephemeral: boolean,
): AttachmentRecord[] {
  return files.map((file) => {
    const about = form.attachments?.find((it) => it.id === file.index);
    const upload: Upload = {
      filename: about?.filename ?? file.filename,
      data: file.data,
      description: about?.description ?? null,
      spoiler: about?.is_spoiler ?? false,
    };
    return state.cdn.store(upload, channelId, ephemeral);
  });
}

function keptAttachments(message: MessageRecord, form: MessageForm): AttachmentRecord[] {
  if (form.attachments === undefined) return message.attachments;
  return form.attachments.flatMap((about) => {
    const old = message.attachments.find((it) => it.id === about.id);
    if (old === undefined) return [];
    return about.description === undefined ? old : { ...old, description: about.description };
  });
}

/**
 * Every `attachment://name` must name a file of this message, and every new file listed must be in the
 * request.
 */
function checkReferences(
  form: MessageForm,
  components: readonly ApiComponent[],
  attachments: readonly AttachmentRecord[],
): void {
  const names = new Set(attachments.flatMap((it) => [it.filename, it.title]));
  const missing: { path: PropertyKey[]; code: string; message: string }[] = [];
  const check = (path: PropertyKey[], url: string | undefined) => {
    if (url?.startsWith("attachment://") !== true || names.has(url.slice("attachment://".length))) return;
    missing.push({
      path,
      code: "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
      message: `The referenced attachment was not found: ${url}`,
    });
  };
  components
    .flatMap((it) => [...walk(it)])
    .forEach((component) => {
      check(["components"], component.media?.url);
      check(["components"], component.file?.url);
      for (const item of component.items ?? []) check(["components"], item.media.url);
    });
  (form.embeds ?? []).forEach((it, at) => {
    check(["embeds", at, "image", "url"], it.image?.url);
    check(["embeds", at, "thumbnail", "url"], it.thumbnail?.url);
  });
  if (missing.length > 0) throw invalidForm(missing);
}

/** The n of each attachment entry without a file in the request. */
export function checkAnnounced(
  form: MessageForm,
  files: readonly FilePart[],
  keptIds: readonly string[],
): void {
  (form.attachments ?? []).forEach((about, at) => {
    if (files.some((file) => file.index === about.id) || keptIds.includes(about.id)) return;
    throw invalidForm([
      {
        path: ["attachments", at],
        code: "ATTACHMENT_NOT_FOUND",
        message: `There is no part files[${about.id}] and no attachment ${about.id} of this message`,
      },
    ]);
  });
}

/** Components without absent fields, each with an id: its own or the next free number in reading order. */
export function numbered(components: readonly unknown[]): ApiComponent[] {
  const tree = JSON.parse(JSON.stringify(components)) as ApiComponent[];
  const all = tree.flatMap((it) => [...walk(it)]);
  const taken = new Set(all.map((it) => it.id));
  let next = 1;
  for (const component of all) {
    if (component.id === undefined || component.id === 0) {
      while (taken.has(next)) next += 1;
      component.id = next++;
    }
    withDefaults(component);
  }
  return tree;
}

const SELECTS: readonly number[] = [
  ComponentType.stringSelect,
  ComponentType.userSelect,
  ComponentType.roleSelect,
  ComponentType.mentionableSelect,
  ComponentType.channelSelect,
];

function withDefaults(component: ApiComponent): void {
  if (SELECTS.includes(component.type)) {
    component.min_values ??= 1;
    component.max_values ??= 1;
    component.disabled ??= false;
  } else if (component.type === ComponentType.separator) {
    component.divider ??= true;
    component.spacing ??= 1;
  } else if (component.type === ComponentType.container || component.type === ComponentType.file) {
    component.spoiler ??= false;
  }
}

function embed(form: EmbedForm): ApiEmbed {
  const plain = JSON.parse(JSON.stringify(form)) as ApiEmbed;
  const media = (it: { url: string } | undefined) => (it === undefined ? undefined : { url: it.url });
  const made = {
    ...plain,
    type: "rich",
    fields: plain.fields?.map((field) => ({ ...field, inline: field.inline ?? false })),
    timestamp:
      plain.timestamp === undefined
        ? undefined
        : new Date(plain.timestamp).toISOString().replace("Z", "000+00:00"),
    image: media(plain.image),
    thumbnail: media(plain.thumbnail),
  };
  return JSON.parse(JSON.stringify(made)) as ApiEmbed;
}

/**
 * Whom the message pings: the mentions in its text that `allowed_mentions` and the author's permissions
 * allow.
 */
function mentions(
  state: DiscordState,
  message: MessageRecord,
  channel: ChannelRecord,
  allowed: AllowedMentionsForm | undefined,
  fallback: ComposeOptions["mentionDefault"],
): MentionRecord {
  const texts = [
    message.content,
    ...message.components.flatMap((it) => [...walk(it)]).map((it) => it.content ?? ""),
  ];
  const text = texts.join("\n");
  const parse = allowed === undefined ? fallback : (allowed.parse ?? []);
  const mayPing = (state.permissions(channel, message.authorId) & Permission.mentionEveryone) !== 0n;
  const guild = state.guildOf(channel);
  const named = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))];

  const users = named(/<@!?(\d+)>/g).filter(
    (id) => state.users.has(id) && (parse.includes("users") || allowed?.users?.includes(id) === true),
  );
  const roles = named(/<@&(\d+)>/g).filter((id) => {
    const role = guild?.roles.get(id);
    if (role === undefined || !(role.mentionable || mayPing)) return false;
    return parse.includes("roles") || allowed?.roles?.includes(id) === true;
  });
  const everyone = /@(everyone|here)\b/.test(text) && mayPing && parse.includes("everyone");
  const answered = message.replyTo === null ? undefined : state.messages.get(message.replyTo);
  const pingsAuthor =
    message.interactionId === null && (allowed === undefined || allowed.replied_user === true);
  if (answered !== undefined && pingsAuthor && !users.includes(answered.authorId))
    users.push(answered.authorId);
  return { users, roles, everyone };
}
