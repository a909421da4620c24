import { composeMessage } from "../forms/compose.js";
import { walk } from "../forms/message.js";
import { ApiError } from "../protocol/errors.js";
import {
  type ApiCommandOption,
  type ApiInteractionOption,
  type ApiModal,
  CommandType,
  ComponentType,
  InteractionType,
  MessageType,
  OptionType,
} from "../protocol/types.js";
import type { Interactions } from "../world/interactions.js";
import { Permission, sendPermission } from "../world/permissions.js";
import type {
  ChannelRecord,
  CommandRecord,
  InteractionRecord,
  MessageRecord,
  UserRecord,
} from "../world/records.js";
import type { DiscordState } from "../world/state.js";
import { messageEventView } from "../world/views.js";
import { chooseValues, fillModal, type ModalInputs } from "./inputs.js";
import { offeredCommands, ownersOf } from "./offers.js";
import { type FileInput, InvocationError, type OptionInputs, Resolved, readOptions } from "./options.js";

const LINK_BUTTON = 5;

/** What Discord's own client does between a person and the API, for the page and tests. */
export class Invoker {
  readonly #state: DiscordState;
  readonly #interactions: Interactions;

  constructor(state: DiscordState, interactions: Interactions) {
    this.#state = state;
    this.#interactions = interactions;
  }

  /** Commands of one type offered to a user in a channel, by name. */
  commands(user: UserRecord, channel: ChannelRecord, type: number = CommandType.chatInput): CommandRecord[] {
    return offeredCommands(this.#state, user, channel, type);
  }

  /** Sends a slash command. `name` may hold subcommands: "settings steps set". @throws InvocationError */
  command(user: UserRecord, channel: ChannelRecord, name: string, inputs: OptionInputs): InteractionRecord {
    return this.#command(user, channel, name, inputs, null);
  }

  /** Uses a context menu command on a message or a user. @throws InvocationError */
  menu(
    user: UserRecord,
    channel: ChannelRecord,
    name: string,
    target: MessageRecord | UserRecord,
  ): InteractionRecord {
    const onMessage = "channelId" in target;
    const type = onMessage ? CommandType.message : CommandType.user;
    const command = this.commands(user, channel, type).find((it) => it.name === name);
    if (command === undefined) {
      throw new InvocationError(`There is no "${name}" to use on a ${onMessage ? "message" : "user"} here`);
    }
    if (onMessage && this.#channelOf(target, user).id !== channel.id)
      throw new InvocationError("The message is in another channel");
    const resolved = new Resolved(this.#state, channel, user);
    if (onMessage) resolved.message(target);
    else resolved.user(target.id, "target");
    return this.#interactions.create({
      type: InteractionType.command,
      userId: user.id,
      channelId: channel.id,
      guildId: channel.guildId,
      data: {
        id: command.id,
        name: command.name,
        type,
        target_id: target.id,
        ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
        resolved: resolved.tables,
      },
      attachments: [],
      owners: ownersOf(this.#state, user, channel, command) ?? {},
      targetId: target.id,
      commandName: command.name,
      sourceMessageId: null,
      triggeredBy: null,
    });
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
    const resolved = new Resolved(this.#state, channel, user);
    const chosen = values === null ? null : chooseValues(component, values, resolved);
    return this.#interactions.create({
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
      owners: this.#ownersOf(message),
      targetId: null,
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
    const channel = this.#state.channels.get(opener.channelId);
    if (channel === undefined || opener.userId !== user.id)
      throw new InvocationError("This modal is not open");
    const resolved = new Resolved(this.#state, channel, user);
    const components = fillModal(modal, inputs, resolved);
    return this.#interactions.create({
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
      owners: opener.owners,
      targetId: null,
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
    const permissions = this.#state.permissions(channel, user.id);
    if ((permissions & sendPermission(channel)) === 0n) {
      throw new InvocationError("You do not have permission to send messages in this channel");
    }
    if (files.length > 0 && (permissions & Permission.attachFiles) === 0n) {
      throw new InvocationError("You do not have permission to attach files in this channel");
    }
    if (content.length > 2000)
      throw new InvocationError("The message must be 2000 or fewer in length", "content");
    const parts = files.map((file, at) => ({
      index: String(at),
      filename: file.name,
      data: Buffer.from(file.data as Uint8Array),
    }));
    try {
      return composeMessage(this.#state, { content }, parts, {
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

  /**
   * Deletes a message: the user's own, or any as a moderator; an ephemeral one vanishes for its reader.
   * @throws InvocationError
   */
  remove(user: UserRecord, message: MessageRecord): void {
    const channel = this.#channelOf(message, user);
    const may = (this.#state.permissions(channel, user.id) & Permission.manageMessages) !== 0n;
    if (message.authorId !== user.id && message.visibleTo !== user.id && !may)
      throw new InvocationError("You do not have permission to delete this message");
    this.#state.deleteMessage(message);
  }

  /**
   * Puts the user's emoji below a message, or takes it away again. @throws InvocationError
   */
  react(user: UserRecord, message: MessageRecord, emoji: string): void {
    const channel = this.#channelOf(message, user);
    const may = (this.#state.permissions(channel, user.id) & Permission.addReactions) !== 0n;
    if (channel.guildId !== null && !may)
      throw new InvocationError("You do not have permission to react in this channel");
    if (message.visibleTo !== null) throw new InvocationError("Nobody can react to this message");
    this.#state.react(message, user.id, emoji);
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
    const resolved = new Resolved(this.#state, channel, user);
    const options = descend(command.options ?? [], path.slice(1), fullName, (leaf) => {
      const option = leaf.find((it) => it.name === focused);
      if (focused !== null && option?.autocomplete !== true) {
        throw new InvocationError(`"${focused}" has no autocomplete`, focused);
      }
      return readOptions(leaf, inputs, resolved, focused);
    });
    return this.#interactions.create({
      type: focused === null ? InteractionType.command : InteractionType.autocomplete,
      userId: user.id,
      channelId: channel.id,
      guildId: channel.guildId,
      data: {
        id: command.id,
        name: command.name,
        type: CommandType.chatInput,
        ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
        ...(options.length === 0 ? {} : { options }),
        ...(resolved.tables === undefined ? {} : { resolved: resolved.tables }),
      },
      attachments: resolved.attachments,
      owners: ownersOf(this.#state, user, channel, command) ?? {},
      targetId: null,
      commandName: path.join(" "),
      sourceMessageId: null,
      triggeredBy: null,
    });
  }

  #whyNot(name: string): string {
    const registered = [...this.#state.commands.values()].some((it) => it.name === name);
    return registered
      ? `You cannot use /${name} here`
      : `There is no command /${name}; has the bot registered it?`;
  }

  /** The owners that authorised the message's interaction; its components act for the same ones. */
  #ownersOf(message: MessageRecord): Readonly<Record<string, string>> {
    const origin =
      message.interactionId === null ? undefined : this.#state.interactions.get(message.interactionId);
    return origin?.owners ?? { "0": message.guildId ?? "0" };
  }

  #channelOf(message: MessageRecord, user: UserRecord): ChannelRecord {
    const channel = this.#state.channels.get(message.channelId);
    const hidden = message.visibleTo !== null && message.visibleTo !== user.id;
    if (channel === undefined || hidden || !this.#state.canView(channel, user.id)) {
      throw new InvocationError("You cannot see this message");
    }
    return channel;
  }

  /** A message as a user sees it. */
  view(message: MessageRecord): Record<string, unknown> {
    return messageEventView(this.#state, message);
  }
}

/** Descends into subcommand names and wraps the leaf's options accordingly. */
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
