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
  /** Alt text; null for a file that isn't a picture. */
  readonly description: string | null;
}

/** A message before it is known whether it edits a reply or goes to a channel. */
export interface Outgoing {
  readonly content: string;
  readonly embeds: readonly APIEmbed[];
  readonly components: readonly Row[];
  readonly files: readonly OutgoingFile[];
  /**
   * Which files an edit keeps: all of them (`files` is empty then), or those with these ids, beside its own.
   */
  readonly keepFiles?: boolean | readonly string[];
  /** Whether only the user sees a further message; a reply is as its acknowledgement was. */
  readonly ephemeral?: boolean;
}

/** Discord's limits (developer docs, resources/message). */
export const CONTENT_MAX = 2000;
export const EMBED_DESCRIPTION_MAX = 4096;
export const ALT_TEXT_MAX = 1024;

export const plainMessage = (content: string): Outgoing => ({
  content,
  embeds: [],
  components: [],
  files: [],
});

/**
 * The message as Discord's JSON and its files. Nobody is ever mentioned except `mentionUserId`, since prompts
 * are other people's words. An edit sends empty fields too: a field that is left out keeps its old value.
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
