import { type ApiCommandOption, type ApiInteractionOption, OptionType } from "../protocol/types.js";
import type { Upload } from "../world/cdn.js";
import { ALL_PERMISSIONS } from "../world/permissions.js";
import type {
  AttachmentRecord,
  ChannelRecord,
  GuildRecord,
  MessageRecord,
  UserRecord,
} from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import { attachmentView, channelView, memberView, messageView, roleView, userView } from "../world/views.js";

/** A request that Discord's own client would not send; `field` names the option or input. */
export class InvocationError extends Error {
  constructor(
    message: string,
    readonly field: string | null = null,
  ) {
    super(message);
    this.name = "InvocationError";
  }
}

export interface FileInput {
  readonly name: string;
  readonly data: Uint8Array | string;
}

/** A value for an option: users, channels and roles by id or by name. */
export type OptionInput = string | number | boolean | FileInput;
export type OptionInputs = Readonly<Record<string, OptionInput | null | undefined>>;

/** `data.resolved` of an interaction being built, and the files it uploaded. */
export class Resolved {
  readonly attachments: AttachmentRecord[] = [];
  readonly #tables: Record<string, Record<string, unknown>> = {};

  readonly #state: DiscordState;
  readonly #channel: ChannelRecord;
  readonly #invoker: UserRecord;

  constructor(state: DiscordState, channel: ChannelRecord, invoker: UserRecord) {
    this.#state = state;
    this.#channel = channel;
    this.#invoker = invoker;
  }

  /** The tables, or undefined when nothing was resolved. */
  get tables(): Record<string, Record<string, unknown>> | undefined {
    return Object.keys(this.#tables).length === 0 ? undefined : this.#tables;
  }

  user(reference: string, field: string): string {
    const user = [...this.#state.users.values()].find(
      (it) => it.id === reference || it.username === reference,
    );
    if (user === undefined) throw new InvocationError(`There is no user "${reference}"`, field);
    this.#put("users", user.id, userView(user));
    const guild = this.#state.guildOf(this.#channel);
    const member = guild?.members.get(user.id);
    if (member !== undefined) {
      const { user: _user, mute: _mute, deaf: _deaf, ...partial } = memberView(this.#state, member);
      this.#put("members", user.id, {
        ...partial,
        permissions: this.#state.permissions(this.#channel, user.id).toString(),
      });
    }
    return user.id;
  }

  /** Adds the target of a message command: with its content, whatever the bot's intents. */
  message(message: MessageRecord): void {
    this.#put("messages", message.id, messageView(this.#state, message));
  }

  role(reference: string, field: string): string {
    const guild = this.#guild(field);
    const role = [...guild.roles.values()].find((it) => it.id === reference || it.name === reference);
    if (role === undefined) throw new InvocationError(`There is no role "${reference}"`, field);
    this.#put("roles", role.id, roleView(role, guild.id));
    return role.id;
  }

  channelOption(reference: string, field: string, types: readonly number[] | undefined): string {
    const name = reference.replace(/^#/, "");
    const found = [...this.#state.channels.values()].find(
      (it) => it.id === reference || (it.guildId === this.#channel.guildId && it.name === name),
    );
    if (found === undefined || !this.#state.canView(found, this.#invoker.id)) {
      throw new InvocationError(`There is no channel "${reference}"`, field);
    }
    if (types !== undefined && types.length > 0 && !types.includes(found.type)) {
      throw new InvocationError(`#${found.name} is not a channel of the kind asked for`, field);
    }
    this.#put("channels", found.id, {
      ...channelView(this.#state, found),
      permissions: this.#state.permissions(found, this.#invoker.id).toString(),
      app_permissions: this.#state.permissions(found, this.#state.bot.id).toString(),
    });
    return found.id;
  }

  mentionable(reference: string, field: string): string {
    const guild = this.#state.guildOf(this.#channel);
    const isRole = [...(guild?.roles.values() ?? [])].some(
      (it) => it.id === reference || it.name === reference,
    );
    return isRole ? this.role(reference, field) : this.user(reference, field);
  }

  attachment(file: FileInput, field: string): string {
    const data = Buffer.from(file.data as Uint8Array);
    const limit = this.#state.limits.attachmentBytes;
    if (data.length > limit) {
      throw new InvocationError(
        `The file is too big: ${data.length} bytes, and at most ${limit} can be sent`,
        field,
      );
    }
    const upload: Upload = { filename: file.name, data };
    const record = this.#state.cdn.store(upload, this.#channel.id, true);
    this.attachments.push(record);
    this.#put("attachments", record.id, attachmentView(this.#state, record));
    return record.id;
  }

  #guild(field: string): GuildRecord {
    const guild = this.#state.guildOf(this.#channel);
    if (guild === null) throw new InvocationError("There are no roles in a direct message", field);
    return guild;
  }

  #put(table: string, id: string, view: unknown): void {
    const entries = this.#tables[table] ?? {};
    entries[id] = view;
    this.#tables[table] = entries;
  }
}

/** Like Discord, checks only the extension against `file_types`. @throws InvocationError */
export function requireFileType(file: FileInput, types: readonly string[] | undefined, field: string): void {
  if (types === undefined || types.length === 0) return;
  const name = file.name.toLowerCase();
  if (types.some((it) => name.endsWith(`.${it.replace(/^\./, "").toLowerCase()}`))) return;
  throw new InvocationError(`"${field}" takes files of the types ${types.join(", ")}`, field);
}

export function isFile(value: unknown): value is FileInput {
  return typeof value === "object" && value !== null && "name" in value && "data" in value;
}

/**
 * Checks option values as Discord's client does before sending a command.
 * @param focused for autocomplete: the option being typed; nothing is required then, and its value may be
 * incomplete
 */
export function readOptions(
  definitions: readonly ApiCommandOption[],
  inputs: OptionInputs,
  resolved: Resolved,
  focused: string | null,
): ApiInteractionOption[] {
  for (const name of Object.keys(inputs)) {
    if (!definitions.some((it) => it.name === name))
      throw new InvocationError(`There is no option "${name}"`, name);
  }
  return definitions.flatMap((definition) => {
    const value = inputs[definition.name];
    const isFocused = definition.name === focused;
    if (value === undefined || value === null) {
      if (definition.required === true && focused === null) {
        throw new InvocationError(`The option "${definition.name}" is required`, definition.name);
      }
      return isFocused ? [{ name: definition.name, type: definition.type, value: "", focused: true }] : [];
    }
    if (isFocused)
      return [{ name: definition.name, type: definition.type, value: String(value), focused: true }];
    return [{ name: definition.name, type: definition.type, value: readValue(definition, value, resolved) }];
  });
}

function readValue(
  option: ApiCommandOption,
  value: OptionInput,
  resolved: Resolved,
): string | number | boolean {
  const { name } = option;
  if ((option.type === OptionType.attachment) !== isFile(value)) {
    throw new InvocationError(
      option.type === OptionType.attachment ? `"${name}" takes a file` : `"${name}" takes no file`,
      name,
    );
  }
  if (isFile(value)) {
    requireFileType(value, option.file_types, name);
    return resolved.attachment(value, name);
  }
  switch (option.type) {
    case OptionType.string:
      return chosen(option, readString(option, value));
    case OptionType.integer:
    case OptionType.number:
      return chosen(option, readNumber(option, value));
    case OptionType.boolean: {
      const truth = typeof value === "string" ? { true: true, false: false }[value.toLowerCase()] : value;
      if (typeof truth !== "boolean") throw new InvocationError(`"${name}" is either True or False`, name);
      return truth;
    }
    case OptionType.user:
      return resolved.user(reference(value), name);
    case OptionType.channel:
      return resolved.channelOption(reference(value), name, option.channel_types);
    case OptionType.role:
      return resolved.role(reference(value), name);
    case OptionType.mentionable:
      return resolved.mentionable(reference(value), name);
    default:
      throw new InvocationError(`The local Discord does not know option type ${option.type}`, name);
  }
}

/** `<@123>`, `<#123>`, `<@&123>`, `@name`, a name or an id. */
function reference(value: OptionInput): string {
  const text = String(value).trim();
  return /^<(?:@!?|@&|#)(\d+)>$/.exec(text)?.[1] ?? text.replace(/^[@#]/, "");
}

function readString(option: ApiCommandOption, value: OptionInput): string {
  const text = String(value);
  // Discord's client sends no blank values, and trims the rest.
  const trimmed = text.trim();
  if (trimmed.length === 0) throw new InvocationError(`The option "${option.name}" is empty`, option.name);
  const max = option.max_length ?? 6000;
  if (trimmed.length > max)
    throw new InvocationError(`"${option.name}" must be ${max} or fewer in length`, option.name);
  if (trimmed.length < (option.min_length ?? 0)) {
    throw new InvocationError(`"${option.name}" must be ${option.min_length} or more in length`, option.name);
  }
  return trimmed;
}

function readNumber(option: ApiCommandOption, value: OptionInput): number {
  const { name } = option;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const fits =
    typeof number === "number" &&
    (option.type === OptionType.number ? Number.isFinite(number) : Number.isSafeInteger(number));
  if (!fits) {
    throw new InvocationError(
      `"${name}" takes ${option.type === OptionType.integer ? "a whole number" : "a number"}`,
      name,
    );
  }
  if (option.min_value !== undefined && number < option.min_value) {
    throw new InvocationError(`"${name}" must be at least ${option.min_value}`, name);
  }
  if (option.max_value !== undefined && number > option.max_value) {
    throw new InvocationError(`"${name}" must be at most ${option.max_value}`, name);
  }
  return number;
}

function chosen<T extends string | number>(option: ApiCommandOption, value: T): T {
  const { choices } = option;
  if (choices === undefined || choices.length === 0) return value;
  const hit = choices.find((it) => it.value === value) ?? choices.find((it) => it.name === String(value));
  if (hit === undefined) {
    throw new InvocationError(
      `"${option.name}" must be one of ${choices.map((it) => it.name).join(", ")}`,
      option.name,
    );
  }
  return hit.value as T;
}

/** Whether a member with these permissions may use a command that requires `required` by default. */
export function allowedByDefault(permissions: bigint, required: string | null): boolean {
  if (required === null || permissions === ALL_PERMISSIONS) return true;
  const bits = BigInt(required);
  return bits !== 0n && (permissions & bits) === bits;
}
