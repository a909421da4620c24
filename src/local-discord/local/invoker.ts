import { composeMessage } from "../compose.js";
import { ApiError } from "../errors.js";
import { walk } from "../forms/message.js";
import type { Interactions } from "../interactions.js";
import { guildPermissions, Permission, sendPermission } from "../permissions.js";
import type {
  ChannelRecord,
  CommandRecord,
  InteractionRecord,
  MessageRecord,
  UserRecord,
} from "../records.js";
import type { DiscordState } from "../state.js";
import {
  type ApiCommandOption,
  type ApiComponent,
  type ApiInteractionOption,
  type ApiModal,
  ChannelType,
  ComponentType,
  InteractionType,
  MessageType,
  OptionType,
} from "../types.js";
import { messageEventView } from "../views.js";
import {
  allowedByDefault,
  type FileInput,
  InvocationError,
  isFile,
  type OptionInputs,
  Resolved,
  readOptions,
} from "./options.js";

const CHAT_INPUT = 1;
const LINK_BUTTON = 5;

/** Values for the inputs of a modal by custom id or label: text, chosen values, or files. */
export type ModalInputs = Readonly<Record<string, string | readonly string[] | readonly FileInput[]>>;

/** The user's side: what Discord's own client does between a person and the API. Page and test client share it. */
export class Invoker {
  constructor(
    private readonly state: DiscordState,
    private readonly interactions: Interactions,
  ) {}

  /** The chat commands that a user is offered in a channel, by name. */
  commands(user: UserRecord, channel: ChannelRecord): CommandRecord[] {
    const permissions = this.state.permissions(channel, user.id);
    if ((permissions & Permission.useApplicationCommands) === 0n) return [];
    const guild = this.state.guildOf(channel);
    const inGuild = guild === null ? permissions : guildPermissions(guild, user.id);
    return [...this.state.commands.values()]
      .filter((command) => {
        if (command.type !== CHAT_INPUT) return false;
        if (command.guild_id !== undefined) {
          if (command.guild_id !== channel.guildId) return false;
        } else if (!offeredIn(command, channel)) return false;
        if (command.nsfw && !channel.nsfw && guild !== null) return false;
        return guild === null || allowedByDefault(inGuild | permissions, command.default_member_permissions);
      })
      .sort(
        (a, b) =>
          a.name.localeCompare(b.name) || Number(b.guild_id !== undefined) - Number(a.guild_id !== undefined),
      );
  }

  /** Sends a slash command. `name` may hold subcommands: "settings steps set". @throws InvocationError */
  command(user: UserRecord, channel: ChannelRecord, name: string, inputs: OptionInputs): InteractionRecord {
    return this.#command(user, channel, name, inputs, null);
  }

  /** Asks for completions of the option `focused`. @throws InvocationError */
  autocomplete(
    user: UserRecord,
    channel: ChannelRecord,
    name: string,
    inputs: OptionInputs,
    focused: string,
  ): InteractionRecord {
    return this.#command(user, channel, name, inputs, focused);
  }

  /** Presses a button or, with `values`, chooses in a select. @throws InvocationError */
  component(
    user: UserRecord,
    message: MessageRecord,
    customId: string,
    values: readonly string[] | null,
  ): InteractionRecord {
    const channel = this.#channelOf(message, user);
    const component = message.components
      .flatMap((it) => [...walk(it)])
      .find((it) => it.custom_id === customId);
    if (component === undefined)
      throw new InvocationError(`The message has no component "${customId}"`, customId);
    if (component.disabled === true)
      throw new InvocationError(`"${component.label ?? customId}" is disabled`, customId);
    const isButton = component.type === ComponentType.button;
    if (isButton && component.style === LINK_BUTTON)
      throw new InvocationError("A link button sends no interaction", customId);
    if (isButton !== (values === null)) {
      throw new InvocationError(isButton ? "A button takes no values" : "A select takes values", customId);
    }
    const resolved = new Resolved(this.state, channel, user);
    const chosen = values === null ? null : chooseValues(component, values, resolved);
    return this.interactions.create({
      type: InteractionType.component,
      userId: user.id,
      channelId: channel.id,
      guildId: channel.guildId,
      data: {
        custom_id: customId,
        component_type: component.type,
        id: component.id,
        ...(chosen === null ? {} : { values: chosen }),
        ...(resolved.tables === undefined ? {} : { resolved: resolved.tables }),
      },
      attachments: [],
      commandName: null,
      sourceMessageId: message.id,
      triggeredBy: null,
    });
  }

  /** Submits the modal that answered `opener`. @throws InvocationError */
  modal(
    user: UserRecord,
    opener: InteractionRecord,
    modal: ApiModal,
    inputs: ModalInputs,
  ): InteractionRecord {
    const channel = this.state.channels.get(opener.channelId);
    if (channel === undefined || opener.userId !== user.id)
      throw new InvocationError("This modal is not open");
    const resolved = new Resolved(this.state, channel, user);
    const known = new Set<string>();
    const components = modal.components.map((it) => fillModal(it, inputs, resolved, known));
    for (const name of Object.keys(inputs)) {
      if (!known.has(name)) throw new InvocationError(`The modal has no input "${name}"`, name);
    }
    return this.interactions.create({
      type: InteractionType.modalSubmit,
      userId: user.id,
      channelId: channel.id,
      guildId: channel.guildId,
      data: {
        custom_id: modal.custom_id,
        components,
        ...(resolved.tables === undefined ? {} : { resolved: resolved.tables }),
      },
      attachments: resolved.attachments,
      commandName: null,
      sourceMessageId: opener.sourceMessageId,
      triggeredBy: opener.id,
    });
  }

  /** Posts a plain message as a user. @throws InvocationError */
  say(
    user: UserRecord,
    channel: ChannelRecord,
    content: string,
    files: readonly FileInput[] = [],
  ): MessageRecord {
    if ((this.state.permissions(channel, user.id) & sendPermission(channel)) === 0n) {
      throw new InvocationError("You do not have permission to send messages in this channel");
    }
    if (content.length > 2000)
      throw new InvocationError("The message must be 2000 or fewer in length", "content");
    const parts = files.map((file, at) => ({
      index: String(at),
      filename: file.name,
      data: Buffer.from(file.data as Uint8Array),
    }));
    try {
      return composeMessage(this.state, { content }, parts, {
        channel,
        authorId: user.id,
        type: MessageType.default,
        visibleTo: null,
        interactionId: null,
        mentionDefault: ["users", "roles", "everyone"],
      });
    } catch (error) {
      if (error instanceof ApiError) throw new InvocationError(error.message, "content");
      throw error;
    }
  }

  #command(
    user: UserRecord,
    channel: ChannelRecord,
    fullName: string,
    inputs: OptionInputs,
    focused: string | null,
  ): InteractionRecord {
    const path = fullName.trim().split(/\s+/);
    const command = this.commands(user, channel).find((it) => it.name === path[0]);
    if (command === undefined) throw new InvocationError(this.#whyNot(path[0] ?? ""), null);
    const resolved = new Resolved(this.state, channel, user);
    const options = descend(command.options ?? [], path.slice(1), fullName, (leaf) => {
      const option = leaf.find((it) => it.name === focused);
      if (focused !== null && option?.autocomplete !== true) {
        throw new InvocationError(`"${focused}" has no autocomplete`, focused);
      }
      return readOptions(leaf, inputs, resolved, focused);
    });
    return this.interactions.create({
      type: focused === null ? InteractionType.command : InteractionType.autocomplete,
      userId: user.id,
      channelId: channel.id,
      guildId: channel.guildId,
      data: {
        id: command.id,
        name: command.name,
        type: CHAT_INPUT,
        ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
        ...(options.length === 0 ? {} : { options }),
        ...(resolved.tables === undefined ? {} : { resolved: resolved.tables }),
      },
      attachments: resolved.attachments,
      commandName: path.join(" "),
      sourceMessageId: null,
      triggeredBy: null,
    });
  }

  #whyNot(name: string): string {
    const registered = [...this.state.commands.values()].some((it) => it.name === name);
    return registered
      ? `You cannot use /${name} here`
      : `There is no command /${name}; has the bot registered it?`;
  }

  #channelOf(message: MessageRecord, user: UserRecord): ChannelRecord {
    const channel = this.state.channels.get(message.channelId);
    const hidden = message.visibleTo !== null && message.visibleTo !== user.id;
    if (channel === undefined || hidden || !this.state.canView(channel, user.id)) {
      throw new InvocationError("You cannot see this message");
    }
    return channel;
  }

  /** What a user sees of a message. */
  view(message: MessageRecord): Record<string, unknown> {
    return messageEventView(this.state, message);
  }
}

function offeredIn(command: CommandRecord, channel: ChannelRecord): boolean {
  const direct = channel.type === ChannelType.dm;
  if (command.contexts !== undefined && command.contexts !== null)
    return command.contexts.includes(direct ? 1 : 0);
  return !direct || command.dm_permission !== false;
}

/** Walks down subcommand names and wraps the leaf's options accordingly. */
function descend(
  definitions: readonly ApiCommandOption[],
  path: readonly string[],
  fullName: string,
  readLeaf: (leaf: readonly ApiCommandOption[]) => ApiInteractionOption[],
): ApiInteractionOption[] {
  const nested = definitions.filter((it) => it.type <= OptionType.subcommandGroup);
  const [head, ...rest] = path;
  if (nested.length === 0) {
    if (head !== undefined) throw new InvocationError(`/${fullName}: there is no subcommand "${head}"`);
    return readLeaf(definitions);
  }
  const next = nested.find((it) => it.name === head);
  if (next === undefined) {
    throw new InvocationError(
      `/${fullName} needs one of the subcommands ${nested.map((it) => it.name).join(", ")}`,
    );
  }
  return [
    { name: next.name, type: next.type, options: descend(next.options ?? [], rest, fullName, readLeaf) },
  ];
}

/** Checks the number of values and that each is on offer; entities are resolved. */
function chooseValues(component: ApiComponent, values: readonly string[], resolved: Resolved): string[] {
  const field = component.custom_id ?? "";
  const min = component.min_values ?? 1;
  const max = component.max_values ?? 1;
  if (values.length < min || values.length > max) {
    throw new InvocationError(
      `Choose ${min === max ? min : `${min} to ${max}`}, not ${values.length}`,
      field,
    );
  }
  return values.map((value) => {
    switch (component.type) {
      case ComponentType.stringSelect: {
        const option =
          component.options?.find((it) => it.value === value) ??
          component.options?.find((it) => it.label === value);
        if (option === undefined) throw new InvocationError(`The select does not offer "${value}"`, field);
        return option.value;
      }
      case ComponentType.userSelect:
        return resolved.user(value, field);
      case ComponentType.roleSelect:
        return resolved.role(value, field);
      case ComponentType.channelSelect:
        return resolved.channelOption(value, field, component.channel_types);
      case ComponentType.mentionableSelect:
        return resolved.mentionable(value, field);
      default:
        throw new InvocationError("This component offers no choice", field);
    }
  });
}

function fillModal(
  component: ApiComponent,
  inputs: ModalInputs,
  resolved: Resolved,
  known: Set<string>,
): Record<string, unknown> {
  const { type, id } = component;
  if (type === ComponentType.actionRow) {
    return {
      type,
      id,
      components: (component.components ?? []).map((it) => fillInput(it, it.label, inputs, resolved, known)),
    };
  }
  if (type === ComponentType.label && component.component !== undefined) {
    return { type, id, component: fillInput(component.component, component.label, inputs, resolved, known) };
  }
  return { type, id };
}

function fillInput(
  component: ApiComponent,
  label: string | undefined,
  inputs: ModalInputs,
  resolved: Resolved,
  known: Set<string>,
): Record<string, unknown> {
  const { type, id, custom_id: customId = "" } = component;
  const name = customId in inputs ? customId : label !== undefined && label in inputs ? label : null;
  if (name !== null) known.add(name);
  const given = name === null ? undefined : inputs[name];
  const field = label ?? customId;
  const required = component.required !== false;
  const common = { type, id, custom_id: customId };
  if (type === ComponentType.textInput) {
    const value = given === undefined ? (component.value ?? "") : String(given);
    if (required && value.length === 0) throw new InvocationError(`"${field}" is required`, customId);
    const max = component.max_length ?? 4000;
    const min = component.min_length ?? 0;
    if (value.length > max)
      throw new InvocationError(`"${field}" must be ${max} or fewer in length`, customId);
    if (value.length > 0 && value.length < min)
      throw new InvocationError(`"${field}" must be ${min} or more in length`, customId);
    return { ...common, value };
  }
  const list = given === undefined ? [] : [given].flat();
  if (list.length === 0 && required) throw new InvocationError(`"${field}" is required`, customId);
  if (list.length === 0) return { ...common, values: [] };
  if (type === ComponentType.fileUpload) {
    const max = component.max_values ?? 1;
    if (list.length > max) throw new InvocationError(`"${field}" takes at most ${max} files`, customId);
    return {
      ...common,
      values: list.map((file) => {
        if (!isFile(file)) throw new InvocationError(`"${field}" takes files`, customId);
        return resolved.attachment(file, customId);
      }),
    };
  }
  return { ...common, values: chooseValues(component, list.map(String), resolved) };
}
