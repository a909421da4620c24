import { setImmediate as nextTurn } from "node:timers/promises";
import { Semaphore } from "async-mutex";
import type { ChatInputCommandInteraction } from "discord.js";
import { deferPrivately, replyPrivately } from "../discord/interactions.js";
import { plainMessage } from "../discord/outgoing.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import { wordsOf } from "../words/languages.js";
import type { Services } from "./command.js";

/** Each record is read when there is room for it. */
export type Records<R> = Iterable<R> | AsyncIterable<R>;

/** What is exported. */
export interface Export<R> {
  readonly records: Records<R>;
  /** Text of the last message. */
  readonly closing: string;
}

/** How an export is written. */
export interface ExportFormat<R> {
  /** File name without the number of the part and the ending. */
  readonly name: string;
  readonly ending: string;
  /** One record, in pieces of at most `maxBytes` each where it can be cut. */
  readonly piecesOf: (record: R, maxBytes: number) => Iterable<Piece>;
  /** The content of a file: at most FRAME_BYTES more than the pieces, plus SEPARATOR_BYTES for each. */
  readonly write: (pieces: readonly Piece[]) => readonly Buffer[];
}

/**
 * An encoded record and its list. Records are encoded one by one: encoding a whole file would block for 50
 * ms.
 */
export interface Piece {
  readonly list: string;
  readonly data: Buffer;
}

const FRAME_BYTES = 200;
const SEPARATOR_BYTES = 4;

/** Each export holds one file in memory; a user has one at a time. */
const slots = new Semaphore(2);
const exporting = new Set<string>();

/**
 * Answers a command privately with all records, in as many files and messages as they need. Records are read
 * as the files fill, and the event loop runs between two of them. `find` says which there are, or a sentence
 * where there are none; it is called once the command is acknowledged, since finding a hundred thousand takes
 * a while.
 */
export async function sendExport<R>(
  interaction: ChatInputCommandInteraction,
  send: Services["send"],
  find: () => Promise<Export<R> | string>,
  format: ExportFormat<R>,
): Promise<void> {
  const { id } = interaction.user;
  const { dataLines } = wordsOf(interaction.locale);
  if (exporting.has(id)) {
    return replyPrivately(interaction, dataLines.exporting);
  }
  exporting.add(id);
  try {
    await deferPrivately(interaction);
    const maxBytes = Math.min(interaction.attachmentSizeLimit, CHANNEL_LIMIT.perFile);
    await slots.runExclusive(async () => {
      const found = await find();
      if (typeof found === "string") {
        await interaction.editReply({ content: found });
        return;
      }
      const { records, closing } = found;
      for await (const { number, isLast, data } of inFiles(records, format, maxBytes)) {
        const isOnly = number === 1 && isLast;
        const part = isOnly ? "" : dataLines.part(number, isLast);
        const content = [part, isLast ? closing : ""].filter(Boolean).join(" ");
        const name = `${format.name}${isOnly ? "" : `-${number}`}.${format.ending}`;
        const message = { ...plainMessage(content), files: [{ name, data, description: null }] };
        if (number === 1) await send(interaction, message, "reply");
        else await send(interaction, { ...message, ephemeral: true }, "follow-up");
      }
    });
  } finally {
    exporting.delete(id);
  }
}

interface ExportFile {
  /** From 1. */
  readonly number: number;
  readonly isLast: boolean;
  readonly data: Buffer;
}

async function* inFiles<R>(
  records: Records<R>,
  { piecesOf, write }: ExportFormat<R>,
  maxBytes: number,
): AsyncGenerator<ExportFile> {
  let pieces: Piece[] = [];
  let bytes = FRAME_BYTES;
  let number = 1;
  for await (const record of records) {
    for (const piece of piecesOf(record, maxBytes - FRAME_BYTES - SEPARATOR_BYTES)) {
      const more = piece.data.length + SEPARATOR_BYTES;
      if (bytes + more > maxBytes && pieces.length > 0) {
        yield { number: number++, isLast: false, data: await written(pieces, write) };
        pieces = [];
        bytes = FRAME_BYTES;
      }
      pieces.push(piece);
      bytes += more;
    }
    await nextTurn();
  }
  yield { number, isLast: true, data: await written(pieces, write) };
}

/** Writing, joining and sending ten megabytes take some milliseconds each: the event loop runs in between. */
async function written(pieces: readonly Piece[], write: ExportFormat<never>["write"]): Promise<Buffer> {
  const parts = write(pieces);
  await nextTurn();
  const data = Buffer.concat(parts);
  await nextTurn();
  return data;
}
