import {
  type APIApplicationCommand,
  type APIApplicationCommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  type InternalRequest,
  REST,
  type ResponseLike,
} from "discord.js";
import { CONTENT_MAX, EMBED_DESCRIPTION_MAX } from "./outgoing.js";

/** Discord's limits (developer docs, resources/message): of a field, of all embeds, of all text displays. */
const FIELD_MAX = 1024;
const EMBEDS_MAX = 6000;
const TEXT_DISPLAYS_MAX = 4000;

/** A fenced block, in which Discord links nothing, or a command in code: `/settings ping on:True`. */
const FENCE_OR_COMMAND = /```[\s\S]*?```|(?<![\\`])`\/([a-z]+(?: [a-z]+)*)((?: [a-z]+:[^`\n]*)?)`(?!`)/g;

/**
 * Turns the commands that our messages name into links: Discord shows these in the reader's language, and a
 * click writes the command. Sentences have them in code, as they are read where Discord does not link: on the
 * operator's page, in the log, and before the ids are known.
 */
export class CommandLinks {
  #ids: ReadonlyMap<string, string> = new Map();

  /** Takes the commands as Discord registered them. */
  learn(commands: readonly Pick<APIApplicationCommand, "id" | "type" | "name" | "options">[]): void {
    const slash = commands.filter(({ type }) => type === ApplicationCommandType.ChatInput);
    this.#ids = new Map(slash.flatMap(({ id, name, options }) => paths(name, options).map((it) => [it, id])));
  }

  /** The text with each command whose id is known as a link, and its options in code behind it. */
  link(text: string): string {
    return text.replace(FENCE_OR_COMMAND, (found, path?: string, options?: string) => {
      const id = path === undefined ? undefined : this.#ids.get(path);
      if (id === undefined) return found;
      return `</${path}:${id}>${options ? ` \`${options.trim()}\`` : ""}`;
    });
  }

  /** A REST client whose messages have links. */
  rest(options: ConstructorParameters<typeof REST>[0]): REST {
    return new LinkingRest(options, this);
  }

  /** The body of a request that sends or edits a message, or answers an interaction with one. */
  body(body: unknown): unknown {
    if (!isRecord(body)) return body;
    // An answer to an interaction has its message in `data`.
    const { data } = body;
    return isRecord(data) ? { ...body, data: this.#message(data) } : this.#message(body);
  }

  /** A link is longer than the command's name: a message that would become too long keeps its names. */
  #message(message: Fields): Fields {
    const room = { content: CONTENT_MAX, embeds: EMBEDS_MAX, texts: TEXT_DISPLAYS_MAX };
    let fits = true;
    const link = (part: keyof typeof room, most: number) => (text: string) => {
      const linked = this.link(text);
      room[part] -= linked.length;
      fits &&= linked.length <= most && room[part] >= 0;
      return linked;
    };
    const embed = (one: Fields) => ({
      ...withText(one, "description", link("embeds", EMBED_DESCRIPTION_MAX)),
      ...(Array.isArray(one.fields)
        ? { fields: one.fields.map(each((field) => withText(field, "value", link("embeds", FIELD_MAX)))) }
        : {}),
    });
    const component = (one: Fields): Fields => ({
      ...(one.type === ComponentType.TextDisplay
        ? withText(one, "content", link("texts", TEXT_DISPLAYS_MAX))
        : one),
      ...(Array.isArray(one.components) ? { components: one.components.map(each(component)) } : {}),
    });
    const { embeds, components } = message;
    const linked = {
      ...withText(message, "content", link("content", CONTENT_MAX)),
      ...(Array.isArray(embeds) ? { embeds: embeds.map(each(embed)) } : {}),
      ...(Array.isArray(components) ? { components: components.map(each(component)) } : {}),
    };
    return fits ? linked : message;
  }
}

/** The names under which a command is used: its own, or those of its subcommands. */
function paths(name: string, options: readonly APIApplicationCommandOption[] = []): string[] {
  const nested = options.flatMap((option) =>
    option.type === ApplicationCommandOptionType.Subcommand ||
    option.type === ApplicationCommandOptionType.SubcommandGroup
      ? paths(`${name} ${option.name}`, option.options)
      : [],
  );
  return nested.length === 0 ? [name] : nested;
}

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** Changes what is an object; discord.js hands builders to its REST client. */
const each =
  (change: (value: Fields) => Fields) =>
  (value: unknown): unknown => {
    const plain = isRecord(value) && typeof value.toJSON === "function" ? value.toJSON() : value;
    return isRecord(plain) ? change(plain) : plain;
  };
const withText = (value: Fields, name: string, change: (text: string) => string): Fields => {
  const text = value[name];
  return typeof text === "string" ? { ...value, [name]: change(text) } : value;
};

/** Routes that take a message: channels, webhooks, and the first answer to an interaction. */
const MESSAGES = /^\/(?:channels\/\d+\/messages|webhooks\/|interactions\/)/;

class LinkingRest extends REST {
  readonly #links: CommandLinks;

  constructor(options: ConstructorParameters<typeof REST>[0], links: CommandLinks) {
    super(options);
    this.#links = links;
  }

  override queueRequest(request: InternalRequest): Promise<ResponseLike> {
    const { body, fullRoute } = request;
    if (body === undefined || !MESSAGES.test(fullRoute)) return super.queueRequest(request);
    return super.queueRequest({ ...request, body: this.#links.body(body) });
  }
}
