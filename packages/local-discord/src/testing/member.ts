/**
 * A small client for tests: people who use the bot, in process, with nothing mocked in between.
 *
 *   const local = await startLocalDiscord();
 *   // connect the bot with { rest: { api: local.apiUrl, cdn: local.cdnUrl } } and local.token, then:
 *   const alice = local.member("alice");
 *   const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 }, { channel: "gallery" });
 *   handle.message                        // the bot's answer as alice sees it now; live, null once deleted
 *   await handle.waitFor((m) => m.attachments.length === 2);          // of the answer, as it is edited
 *   await handle.done();                            // the answer once it is no longer "thinking"
 *   handle.followUps                                // further messages of the same interaction
 *   await alice.slash("batch", { file: { name: "prompts.txt", data: "A cat\nA dog" } });
 *   const next = await alice.press(handle.message, "Vote");           // by custom id or label
 *   await alice.select(handle.message, "style", ["oil"]);
 *   const opened = await alice.press(handle.message, "Edit"); opened.modal // the modal, if one answered
 *   await alice.submitModal(opened, { prompt: "A dog" });              // by custom id or label
 *   await alice.menu("Optimize", message);         // a message command; a user's name for a user command
 *   alice.react(handle.message, "⭐");             // an emoji below a message; again: takes it away
 *   await alice.autocomplete("compare", { prompt: "A" }, "style");     // choices
 *   await alice.waitFor((m) => m.content.includes("done"), { channel: "general" }); // any message alice sees
 *   alice.messages("general"); await alice.say("hello", { channel: "dm" }); await alice.download(attachment);
 *
 * Channels are given by name or id; "dm" is the direct message with the bot; the default is "general".
 * `slash`, `press`, `select` and `submitModal` resolve with the bot's first answer. They reject with
 * InteractionFailed if none came within 3 s, and with InvocationError if Discord's client would not have sent
 * the request. Nothing polls or sleeps: all waits are for events. A wait that times out reports what happened
 * last.
 */

import { walk } from "../forms/message.js";
import type { ModalInputs } from "../people/inputs.js";
import { type FileInput, InvocationError, type OptionInputs } from "../people/options.js";
import {
  type ApiAttachment,
  type ApiChoice,
  type ApiMessage,
  type ApiModal,
  CommandType,
  MessageFlag,
} from "../protocol/types.js";
import type { Parts } from "../server.js";
import type { InteractionRecord, MessageRecord, UserRecord } from "../world/records.js";
import { messageEventView } from "../world/views.js";
import { until } from "./until.js";

export interface Where {
  /** Name or id of a channel, or "dm". */
  readonly channel?: string;
}
export interface WaitOptions extends Where {
  /** Real milliseconds until the wait gives up; 5000 by default. */
  readonly timeoutMs?: number;
}

/** The bot did not answer an interaction within 3 s. */
export class InteractionFailed extends Error {
  constructor(what: string, tail: string) {
    super(`The application did not respond to ${what}. Last calls and events:\n${tail}`);
    this.name = "InteractionFailed";
  }
}

const DEFAULT_TIMEOUT_MS = 5_000;

/** One simulated person. */
export class Member {
  readonly #parts: Parts;
  readonly #user: UserRecord;

  constructor(parts: Parts, user: UserRecord) {
    this.#parts = parts;
    this.#user = user;
  }

  get id(): string {
    return this.#user.id;
  }
  get username(): string {
    return this.#user.username;
  }

  /** Sends a slash command; `name` may hold subcommands ("settings set"). */
  async slash(name: string, options: OptionInputs = {}, where: Where = {}): Promise<InteractionHandle> {
    const channel = this.#parts.people.channel(this.#user, where.channel);
    return this.#send(`/${name}`, () =>
      this.#parts.people.invoker.command(this.#user, channel, name, options),
    );
  }

  /** Uses a context menu command on a message, or on the user with this name. */
  async menu(name: string, target: ApiMessage | string, where: Where = {}): Promise<InteractionHandle> {
    const { state, people } = this.#parts;
    const { invoker } = people;
    if (typeof target === "string") {
      const channel = this.#parts.people.channel(this.#user, where.channel);
      const user = [...state.users.values()].find((it) => it.username === target || it.id === target);
      if (user === undefined) throw new InvocationError(`There is no user "${target}"`);
      return this.#send(`"${name}"`, () => invoker.menu(this.#user, channel, name, user));
    }
    const message = state.messages.get(target.id);
    if (message === undefined) throw new InvocationError("There is no such message any more");
    const channel = this.#parts.people.channel(this.#user, message.channelId);
    return this.#send(`"${name}"`, () => invoker.menu(this.#user, channel, name, message));
  }

  /** Puts an emoji below a message, or takes it away again. */
  react(target: ApiMessage, emoji = "⭐"): void {
    const { state, people } = this.#parts;
    const message = state.messages.get(target.id);
    if (message === undefined) throw new InvocationError("There is no such message any more");
    people.invoker.react(this.#user, message, emoji);
  }

  /** The bot's suggestions for the option `focused` while it is typed. */
  async autocomplete(
    name: string,
    options: OptionInputs,
    focused: string,
    where: Where = {},
  ): Promise<readonly ApiChoice[]> {
    const channel = this.#parts.people.channel(this.#user, where.channel);
    const handle = await this.#send(`autocomplete of /${name}`, () =>
      this.#parts.people.invoker.autocomplete(this.#user, channel, name, options, focused),
    );
    return handle.choices;
  }

  /** Presses the button with this custom id or label. */
  async press(message: ApiMessage | null, button: string): Promise<InteractionHandle> {
    const { record, customId } = this.#component(message, button);
    return this.#send(`the button "${button}"`, () =>
      this.#parts.people.invoker.component(this.#user, record, customId, null),
    );
  }

  /** Chooses values in the select with this custom id or placeholder; entities by id or name. */
  async select(
    message: ApiMessage | null,
    select: string,
    values: readonly string[],
  ): Promise<InteractionHandle> {
    const { record, customId } = this.#component(message, select);
    return this.#send(`the select "${select}"`, () =>
      this.#parts.people.invoker.component(this.#user, record, customId, values),
    );
  }

  /** Fills in and submits the modal that answered `opener`. */
  async submitModal(opener: InteractionHandle, inputs: ModalInputs): Promise<InteractionHandle> {
    const { modal } = opener;
    if (modal === null) throw new InvocationError("This interaction was not answered with a modal");
    return this.#send(`the modal "${modal.title}"`, () =>
      this.#parts.people.invoker.modal(this.#user, opener.record, modal, inputs),
    );
  }

  /** Posts a plain message. */
  say(content: string, where: Where & { readonly files?: readonly FileInput[] } = {}): ApiMessage {
    const channel = this.#parts.people.channel(this.#user, where.channel);
    return this.#seen(this.#parts.people.invoker.say(this.#user, channel, content, where.files));
  }

  /** All messages of a channel that this person can see, oldest first. */
  messages(channel?: string): ApiMessage[] {
    const { id } = this.#parts.people.channel(this.#user, channel);
    return this.#parts.state.messagesIn(id, this.#user.id).map((it) => this.#seen(it));
  }

  /** Names of the commands of a type (slash by default) offered in a channel. */
  commands(channel?: string, type: number = CommandType.chatInput): string[] {
    return this.#parts.people.invoker
      .commands(this.#user, this.#parts.people.channel(this.#user, channel), type)
      .map((it) => it.name);
  }

  /**
   * The first message of the channel that satisfies `wanted`: an existing one, or as soon as one appears or
   * changes.
   */
  async waitFor(wanted: (message: ApiMessage) => boolean, options: WaitOptions = {}): Promise<ApiMessage> {
    const look = () => this.messages(options.channel).find(wanted);
    return until(
      this.#parts,
      look,
      `a message in ${options.channel ?? "general"}`,
      options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    );
  }

  /** The bytes behind an attachment, fetched over HTTP from its signed URL. */
  async download(attachment: Pick<ApiAttachment, "url">): Promise<Buffer> {
    const response = await fetch(attachment.url);
    if (!response.ok) throw new Error(`${attachment.url}: ${response.status} ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async #send(what: string, create: () => InteractionRecord): Promise<InteractionHandle> {
    const early: { modal: ApiModal | null; choices: readonly ApiChoice[] } = { modal: null, choices: [] };
    const settled = new Set<string>();
    // The bot may answer before `create` returns to us; listen first.
    const unsubscribe = this.#parts.state.subscribe((event) => {
      if (event.type !== "interaction.answered" && event.type !== "interaction.failed") return;
      settled.add(event.interaction.id);
      if (event.type === "interaction.answered") {
        if (event.interaction === record) early.modal = event.modal ?? null;
        if (event.interaction === record) early.choices = event.choices ?? [];
      }
    });
    let record: InteractionRecord | null = null;
    try {
      const made = create();
      record = made;
      const limit = this.#parts.state.limits.firstAnswerMs + DEFAULT_TIMEOUT_MS;
      await until(
        this.#parts,
        () => (settled.has(made.id) ? made : undefined),
        `an answer to ${what}`,
        limit,
      );
      if (made.failed) throw new InteractionFailed(what, this.#parts.transcript.tail());
      return new InteractionHandle(this.#parts, this.#user, made, early.modal, early.choices);
    } finally {
      unsubscribe();
    }
  }

  #seen(message: MessageRecord): ApiMessage {
    return messageEventView(this.#parts.state, message) as unknown as ApiMessage;
  }

  #component(message: ApiMessage | null, name: string): { record: MessageRecord; customId: string } {
    const record = message === null ? undefined : this.#parts.state.messages.get(message.id);
    if (record === undefined) throw new InvocationError("There is no such message any more");
    const all = record.components.flatMap((it) => [...walk(it)]);
    const hit =
      all.find((it) => it.custom_id === name) ??
      all.find((it) => it.label === name || it.placeholder === name);
    if (hit === undefined) {
      const there = all.flatMap((it) => it.label ?? it.placeholder ?? it.custom_id ?? []);
      throw new InvocationError(
        `The message has no component "${name}"; it has: ${there.join(", ") || "none"}`,
        name,
      );
    }
    return { record, customId: hit.custom_id ?? "" };
  }
}

/** An interaction that the bot has answered, with its later messages. */
export class InteractionHandle {
  readonly #parts: Parts;
  readonly #user: UserRecord;

  constructor(
    parts: Parts,
    user: UserRecord,
    /** The interaction as the server keeps it. */
    readonly record: InteractionRecord,
    /** The modal that the bot answered with, or null. */
    readonly modal: ApiModal | null,
    /** Completions, for autocomplete. */
    readonly choices: readonly ApiChoice[],
  ) {
    this.#parts = parts;
    this.#user = user;
  }

  get id(): string {
    return this.record.id;
  }

  /** The answer as the user sees it now; null if there is none or it was deleted. */
  get message(): ApiMessage | null {
    const { originalMessageId } = this.record;
    const message =
      originalMessageId === null ? undefined : this.#parts.state.messages.get(originalMessageId);
    return message === undefined ? null : this.#seen(message);
  }

  /** Whether only the user sees the answer. */
  get ephemeral(): boolean {
    return ((this.message?.flags ?? 0) & MessageFlag.ephemeral) !== 0;
  }

  /** Whether the answer still says "thinking". */
  get loading(): boolean {
    return ((this.message?.flags ?? 0) & MessageFlag.loading) !== 0;
  }

  /** Further messages of this interaction, oldest first. */
  get followUps(): ApiMessage[] {
    return this.#parts.state
      .messagesIn(this.record.channelId, this.#user.id)
      .filter((it) => it.interactionId === this.record.id && it.id !== this.record.originalMessageId)
      .map((it) => this.#seen(it));
  }

  /** Resolves with the answer as soon as it satisfies `wanted`. */
  async waitFor(
    wanted: (message: ApiMessage) => boolean,
    options: { timeoutMs?: number } = {},
  ): Promise<ApiMessage> {
    const look = () => {
      const { message } = this;
      return message !== null && wanted(message) ? message : undefined;
    };
    return until(
      this.#parts,
      look,
      `the answer to ${this.record.commandName ?? "the interaction"}`,
      options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    );
  }

  /** Resolves with the answer when it is no longer "thinking". */
  done(options: { timeoutMs?: number } = {}): Promise<ApiMessage> {
    return this.waitFor(() => !this.loading, options);
  }

  #seen(message: MessageRecord): ApiMessage {
    return messageEventView(this.#parts.state, message) as unknown as ApiMessage;
  }
}
