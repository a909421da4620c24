import {
  type APIActionRowComponent,
  type APIComponentInMessageActionRow,
  type APIEmbed,
  MessageFlags,
  type RawFile,
  type RESTPostAPIChannelMessageJSONBody,
} from "discord.js";

export type Row = APIActionRowComponent<APIComponentInMessageActionRow>;

export interface OutgoingFile {
  readonly name: string;
  readonly data: Buffer;
  /** Alt text; null for a file that is no picture. */
  readonly description: string | null;
}

/** A message before it is known whether it edits a reply or goes to a channel. */
export interface Outgoing {
  readonly content: string;
  readonly embeds: readonly APIEmbed[];
  readonly components: readonly Row[];
  readonly files: readonly OutgoingFile[];
  /**
   * An edit that leaves the files of the message as they are (`files` is empty then), or those of these ids, beside
   * which it puts its own.
   */
  readonly keepFiles?: boolean | readonly string[];
  /** A further message to a reply that only its person sees; the reply itself is what its acknowledgement said. */
  readonly ephemeral?: boolean;
}

/** Discord's limits (developer docs, resources/message). */
export const EMBED_DESCRIPTION_MAX = 4096;
export const ALT_TEXT_MAX = 1024;

export const plainMessage = (content: string): Outgoing => ({
  content,
  embeds: [],
  components: [],
  files: [],
});

/**
 * The message as Discord's JSON and its files. Nobody is ever mentioned, except `mentionUserId`: prompts are other
 * people's words. An edit sends the empty fields too, since a field that is left out keeps its old value.
 */
export function toRequest(
  { content, embeds, components, files, keepFiles = false, ephemeral = false }: Outgoing,
  mentionUserId: string | null,
): { body: RESTPostAPIChannelMessageJSONBody; files: RawFile[] } {
  return {
    body: {
      content,
      embeds: [...embeds],
      components: [...components],
      ...(keepFiles === true
        ? {}
        : {
            attachments: [
              ...(keepFiles === false ? [] : keepFiles.map((id) => ({ id }))),
              ...files.map(({ name, description }, id) => ({
                id: String(id),
                filename: name,
                ...(description === null ? {} : { description }),
              })),
            ],
          }),
      ...(ephemeral ? { flags: MessageFlags.Ephemeral } : {}),
      allowed_mentions: { parse: [], ...(mentionUserId === null ? {} : { users: [mentionUserId] }) },
    },
    files: files.map(({ name, data }) => ({ name, data })),
  };
}
