import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Context, Hono } from "hono";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { type FilePart, readBody } from "../forms/body.js";
import type { ModalInputs } from "../people/inputs.js";
import { InvocationError, type OptionInput } from "../people/options.js";
import type { People } from "../people/people.js";
import { ApiError, apiErrors } from "../protocol/errors.js";
import { type ApiModal, CommandType } from "../protocol/types.js";
import type { Transcript } from "../traffic/transcript.js";
import { Permission, sendPermission } from "../world/permissions.js";
import type { ChannelRecord, UserRecord } from "../world/records.js";
import { channelView, messageEventView, roleView, userView } from "../world/views.js";
import { userEvent } from "./events.js";
import type { OperatorBoard } from "./operator.js";
import { mountOperator } from "./operator-routes.js";

const OPEN_MODALS_KEPT = 200;
/** How many calls and events the page's traffic list gets on opening. */
const TRAFFIC_SENT = 200;
const who = { user: z.string(), channel: z.string() };
/** A plain value, or the n of a `files[n]` part. */
const value = z.union([z.string(), z.number(), z.boolean(), z.strictObject({ file: z.int().nonnegative() })]);
const forms = {
  command: z.strictObject({ ...who, name: z.string(), options: z.record(z.string(), value) }),
  autocomplete: z.strictObject({
    ...who,
    name: z.string(),
    options: z.record(z.string(), value),
    focused: z.string(),
  }),
  component: z.strictObject({
    user: z.string(),
    message: z.string(),
    custom_id: z.string(),
    values: z.array(z.string()).nullable(),
  }),
  modal: z.strictObject({
    user: z.string(),
    interaction: z.string(),
    inputs: z.record(
      z.string(),
      z.union([z.string(), z.boolean(), z.array(z.string()), z.strictObject({ files: z.array(z.int()) })]),
    ),
  }),
  message: z.strictObject({ ...who, content: z.string() }),
  menu: z.strictObject({ ...who, name: z.string(), target: z.string() }),
  react: z.strictObject({ user: z.string(), message: z.string(), emoji: z.string().min(1).max(32) }),
  delete: z.strictObject({ user: z.string(), message: z.string() }),
  locale: z.strictObject({ user: z.string(), locale: z.string().regex(/^[a-z]{2}(-[A-Z0-9]{2,3})?$/) }),
} as const;

/** A command with its options, by the names that the bot registered. */
export interface Example {
  readonly command: string;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * The user's side over HTTP, for the page; not part of Discord's API. Every call acts as the user it names.
 * There is no password: anyone at this machine may be any of the seeded users.
 */
export class PageRoutes {
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #modals = new Map<string, ApiModal>();
  readonly #unsubscribe: () => void;

  readonly #people: People;
  readonly #operator: OperatorBoard;
  readonly #transcript: Transcript;
  readonly #examples: readonly Example[];

  constructor(
    people: People,
    operator: OperatorBoard,
    transcript: Transcript,
    examples: readonly Example[] = [],
  ) {
    this.#people = people;
    this.#operator = operator;
    this.#transcript = transcript;
    this.#examples = examples;
    this.#unsubscribe = people.state.subscribe((event) => {
      if (event.type !== "interaction.answered" || event.modal === undefined) return;
      this.#modals.set(event.interaction.id, event.modal);
      const oldest = this.#modals.keys().next().value;
      if (this.#modals.size > OPEN_MODALS_KEPT && oldest !== undefined) this.#modals.delete(oldest);
    });
  }

  mount(app: Hono): void {
    const people = this.#people;
    const { state, invoker } = people;
    app.get("/local/state", (context) =>
      context.json(this.#overview(people.user(context.req.query("user") ?? "alice"))),
    );
    app.get("/local/channels/:channel", (context) => {
      const user = people.user(context.req.query("user") ?? "");
      const channel = people.channel(user, context.req.param("channel"));
      return context.json({
        messages: state.messagesIn(channel.id, user.id).map((it) => messageEventView(state, it)),
        commands: invoker.commands(user, channel),
        message_commands: invoker.commands(user, channel, CommandType.message),
        user_commands: invoker.commands(user, channel, CommandType.user),
      });
    });
    this.#post(app, "command", forms.command, (form, user, channel, files) => ({
      interaction: invoker.command(user, channel, form.name, withFiles(form.options, files)).id,
    }));
    this.#post(app, "autocomplete", forms.autocomplete, (form, user, channel, files) => ({
      interaction: invoker.autocomplete(
        user,
        channel,
        form.name,
        withFiles(form.options, files),
        form.focused,
      ).id,
    }));
    this.#post(app, "message", forms.message, (form, user, channel, files) => ({
      message: invoker.say(
        user,
        channel,
        form.content,
        files.map((it) => ({ name: it.filename, data: it.data })),
      ).id,
    }));
    this.#post(app, "component", forms.component, (form, user) => {
      const message = state.messages.get(form.message);
      if (message === undefined) throw new InvocationError("This message is gone");
      return { interaction: invoker.component(user, message, form.custom_id, form.values).id };
    });
    this.#post(app, "modal", forms.modal, (form, user, _channel, files) => {
      const opener = state.interactions.get(form.interaction);
      const modal = this.#modals.get(form.interaction);
      if (opener === undefined || modal === undefined)
        throw new InvocationError("This modal is no longer open");
      return { interaction: invoker.modal(user, opener, modal, withUploads(form.inputs, files)).id };
    });
    this.#post(app, "menu", forms.menu, (form, user, channel) => {
      const target = state.messages.get(form.target) ?? state.users.get(form.target);
      if (target === undefined) throw new InvocationError("This message is gone");
      return { interaction: invoker.menu(user, channel, form.name, target).id };
    });
    this.#post(app, "react", forms.react, (form, user) => {
      const message = state.messages.get(form.message);
      if (message === undefined) throw new InvocationError("This message is gone");
      invoker.react(user, message, form.emoji);
      return {};
    });
    this.#post(app, "delete", forms.delete, (form, user) => {
      const message = state.messages.get(form.message);
      if (message === undefined) throw new InvocationError("This message is gone");
      invoker.remove(user, message);
      return {};
    });
    this.#post(app, "locale", forms.locale, (form, user) => {
      user.locale = form.locale;
      return {};
    });
    mountOperator(app, this.#operator);
    app.put("/local/operator", async (context) => {
      if (context.req.header("authorization") !== `Bot ${state.token}`)
        return context.json({ message: "401: Unauthorized" }, 401);
      try {
        const body: unknown = await context.req.json().catch(() => {
          throw apiErrors.badJson();
        });
        this.#operator.send(body);
        return context.body(null, 204);
      } catch (error) {
        if (error instanceof z.ZodError) return context.json({ message: z.prettifyError(error) }, 400);
        if (error instanceof ApiError) return context.json(error.toJSON(), error.status as 400);
        throw error;
      }
    });
    app.get("/local/transcript", (context) =>
      context.json(this.#transcript.since(Number(context.req.query("after") ?? 0), TRAFFIC_SENT)),
    );
  }

  /** The person whose events /local/events?user=NAME follows; undefined for the bot and unknown names. */
  person(name: string | null): UserRecord | undefined {
    return [...this.#people.state.users.values()].find((it) => it.username === name && !it.bot);
  }

  /** Takes over an HTTP upgrade to /local/events: one JSON event of `user` per frame. */
  upgrade(user: UserRecord, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      const unsubscribe = this.#people.state.subscribe((event) => {
        const seen = userEvent(this.#people.state, user, event);
        if (seen !== null && ws.readyState === ws.OPEN) ws.send(JSON.stringify(seen));
      });
      ws.on("error", () => ws.terminate());
      ws.on("close", unsubscribe);
    });
  }

  close(): void {
    this.#unsubscribe();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  #post<T extends { user: string; channel?: string }>(
    app: Hono,
    name: string,
    form: z.ZodType<T>,
    act: (form: T, user: UserRecord, channel: ChannelRecord, files: readonly FilePart[]) => unknown,
  ): void {
    app.post(`/local/${name}`, async (context: Context) => {
      try {
        const { body, files } = await readBody(context.req.raw, this.#people.state.limits.requestBytes);
        const parsed = form.safeParse(body);
        if (!parsed.success) throw new InvocationError(z.prettifyError(parsed.error));
        const user = this.#people.user(parsed.data.user);
        const channel = this.#people.channel(user, parsed.data.channel);
        return context.json(act(parsed.data, user, channel, files) as object);
      } catch (error) {
        if (error instanceof InvocationError)
          return context.json({ message: error.message, field: error.field }, 400);
        if (error instanceof ApiError) return context.json(error.toJSON(), error.status as 400);
        throw error;
      }
    });
  }

  /** A channel as this user sees it, with the user's permissions and whether it is hidden from others. */
  #channel(channel: ChannelRecord, user: UserRecord): Record<string, unknown> {
    const { state } = this.#people;
    const permissions = state.permissions(channel, user.id);
    const may = (bit: bigint) => (permissions & bit) !== 0n;
    return {
      ...channelView(state, channel, user.id),
      may: {
        send: may(sendPermission(channel)),
        attach: may(Permission.attachFiles),
        manage: may(Permission.manageMessages),
      },
      hidden: channel.overwrites.some(
        (it) => it.id === channel.guildId && (it.deny & Permission.viewChannel) !== 0n,
      ),
    };
  }

  #overview(user: UserRecord): Record<string, unknown> {
    const { state } = this.#people;
    const visible = [...state.channels.values()].filter((it) => state.canView(it, user.id));
    const guilds = [...state.guilds.values()].filter((it) => it.members.has(user.id));
    return {
      me: { ...userView(user), locale: user.locale },
      bot: { ...userView(state.bot), online: state.botOnline },
      people: [...state.users.values()].filter((it) => !it.bot).map(userView),
      guilds: guilds.map((guild) => ({
        id: guild.id,
        name: guild.name,
        owner_id: guild.ownerId,
        has_bot: guild.members.has(state.bot.id),
        roles: [...guild.roles.values()].map((role) => roleView(role, guild.id)),
        members: [...guild.members.values()].map((it) => ({ id: it.userId, roles: it.roleIds })),
        channels: visible.filter((it) => it.guildId === guild.id).map((it) => this.#channel(it, user)),
      })),
      direct: visible.filter((it) => it.participants.includes(user.id)).map((it) => this.#channel(it, user)),
      attachment_size_limit: state.limits.attachmentBytes,
      examples: this.#examples,
    };
  }
}

function withFiles(
  options: Readonly<Record<string, z.output<typeof value>>>,
  files: readonly FilePart[],
): Record<string, OptionInput> {
  return Object.fromEntries(
    Object.entries(options).map(([name, it]): [string, OptionInput] => {
      if (typeof it !== "object") return [name, it];
      const file = files.find((part) => part.index === String(it.file));
      if (file === undefined) throw new InvocationError(`There is no part files[${it.file}]`, name);
      return [name, { name: file.filename, data: file.data }];
    }),
  );
}

function withUploads(
  inputs: z.output<typeof forms.modal>["inputs"],
  files: readonly FilePart[],
): ModalInputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, it]): [string, ModalInputs[string]] => {
      if (typeof it !== "object" || Array.isArray(it)) return [name, it];
      return [
        name,
        it.files.map((index) => {
          const file = files.find((part) => part.index === String(index));
          if (file === undefined) throw new InvocationError(`There is no part files[${index}]`, name);
          return { name: file.filename, data: file.data };
        }),
      ];
    }),
  );
}
