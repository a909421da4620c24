import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import type { VoteKey } from "../../db/votes.js";
import { deferPrivately, replyPrivately } from "../discord/interactions.js";
import { commandTexts } from "../words/english/commands.js";
import { wordsOf } from "../words/languages.js";
import type { AnswerCommand, Services } from "./command.js";
import { type Piece, sendExport } from "./export.js";

const texts = commandTexts.mydata;

/** `/mydata export | erase`: all that is stored about the user. */
export const mydata: AnswerCommand = {
  definition: () => ({
    type: ApplicationCommandType.ChatInput,
    name: "mydata",
    description: texts.description,
    options: [
      { type: ApplicationCommandOptionType.Subcommand, name: "export", description: texts.export },
      {
        type: ApplicationCommandOptionType.Subcommand,
        name: "erase",
        description: texts.erase,
        options: [
          {
            type: ApplicationCommandOptionType.Boolean,
            name: "confirm",
            description: texts.confirm,
            required: true,
          },
          {
            type: ApplicationCommandOptionType.Boolean,
            name: "messages",
            description: texts.messages,
          },
        ],
      },
    ],
  }),

  async run(interaction, services) {
    const { records, votes, drafts, settings, styles, usage, favourites, pictures } = services;
    const userId = interaction.user.id;
    const { dataLines } = wordsOf(interaction.locale);
    if (interaction.options.getSubcommand() === "export") {
      const find = async () => {
        const jobs = await records.idsOfUser(userId);
        const keys = await votes.keys({ userId });
        return {
          records: storedAbout(userId, jobs, keys, services),
          closing: dataLines.exported(jobs.length, keys.length),
        };
      };
      const format = { name: "mydata", ending: "json", piecesOf, write: document };
      return sendExport(interaction, services.send, find, format);
    }
    if (!interaction.options.getBoolean("confirm", true))
      return replyPrivately(interaction, dataLines.notConfirmed);
    await deferPrivately(interaction);
    const withMessages = interaction.options.getBoolean("messages") ?? true;
    const { deleted, stopping } = await records.eraseUser(userId, withMessages);
    for (const id of deleted) await pictures.remove(id);
    await votes.erase(userId);
    const erasedDrafts = await drafts.erase(userId, withMessages);
    for (const id of erasedDrafts) await pictures.remove(id);
    await settings.erase(userId);
    await styles.erase(userId);
    await usage.erase(userId);
    const favoured = await favourites.erase(userId, withMessages);
    const erased = dataLines.erased(deleted.length, stopping.length);
    const say = (line: string) => interaction.editReply({ content: `${erased} ${line}` });
    if (!withMessages) return void (await say(dataLines.messagesKept));
    await say(dataLines.deletingMessages);
    const counts = await services.deleteMessages([...deleted, ...erasedDrafts, ...favoured]);
    await say(dataLines.messagesDeleted(counts.deleted, counts.failed, counts.later));
  },
};

const LISTS = ["jobs", "drafts", "votes", "settings", "styles", "usage"] as const;

/** One thing that is stored. */
interface Stored {
  readonly list: (typeof LISTS)[number];
  readonly value: { readonly items?: readonly unknown[]; readonly [name: string]: unknown };
}

async function* storedAbout(
  userId: string,
  jobs: readonly string[],
  keys: readonly VoteKey[],
  { queue, votes, drafts, settings, styles, usage }: Services,
): AsyncGenerator<Stored> {
  for (const id of jobs) {
    const job = await queue.get(id);
    // The token is a key of Discord's, not the user's data.
    if (job !== undefined)
      yield { list: "jobs", value: { ...job, origin: { ...job.origin, interactionToken: undefined } } };
  }
  // Files that were attached but not started.
  for (const id of await drafts.idsOfUser(userId)) {
    const draft = await drafts.get(id);
    if (draft !== undefined)
      yield { list: "drafts", value: { ...draft.request, createdAt: draft.createdAt } };
  }
  for (const key of keys) {
    const vote = await votes.exported(key);
    if (vote !== undefined) yield { list: "votes", value: { ...vote } };
  }
  for (const setting of await settings.list("user", userId))
    yield { list: "settings", value: { ...setting } };
  for (const style of await styles.of({ scope: "user", id: userId }))
    yield { list: "styles", value: { ...style } };
  for (const use of await usage.ofUser(userId)) yield { list: "usage", value: { ...use } };
}

/** A batch that is larger than a file is cut between its items; each part repeats what they share. */
function* piecesOf({ list, value }: Stored, maxBytes: number): Generator<Piece> {
  const data = Buffer.from(JSON.stringify(value, null, 2));
  const { items = [] } = value;
  if (items.length < 2 || data.length <= maxBytes) {
    yield { list, data };
    return;
  }
  const half = Math.ceil(items.length / 2);
  for (const part of [items.slice(0, half), items.slice(half)])
    yield* piecesOf({ list, value: { ...value, items: part } }, maxBytes);
}

function document(pieces: readonly Piece[]): Buffer[] {
  const lists = LISTS.flatMap((name, i) => {
    const entries = pieces.filter(({ list }) => list === name);
    return [
      Buffer.from(`${i === 0 ? "{" : ","}\n"${name}": [`),
      ...entries.flatMap(({ data }, j) => [Buffer.from(j === 0 ? "\n" : ",\n"), data]),
      Buffer.from("\n]"),
    ];
  });
  return [...lists, Buffer.from("\n}\n")];
}
