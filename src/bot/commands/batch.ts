import { isDeepStrictEqual } from "node:util";
import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { codeOf, InputError } from "../../core/errors.js";
import type { EntryRef, FileNotes } from "../../core/file-notes.js";
import { DEFAULT_SIDES, type ImageOptions, type OwnOptions } from "../../core/options.js";
import type { NewItem } from "../../db/queue.js";
import { withLeftOut } from "../../prompt-files/notes.js";
import type { PromptFile, PromptPair } from "../../prompt-files/prompt-file.js";
import { readPrompts } from "../../prompt-files/read-prompts.js";
import { type GivenSides, type PairSides, readOpponent, readSides } from "../requests/opponents.js";
import { checkedOptions, type Limits, type RewritingContext, readRewriting } from "../requests/request.js";
import { commandTexts } from "../words/english/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import { EVALUATION_SEEDS, readEvaluation } from "./evaluate.js";
import {
  againstOption,
  decidedBy,
  givenSides,
  imageOptions,
  modeOption,
  readImage,
  rewriterOption,
  sidesOf,
} from "./options.js";

const texts = commandTexts.batch;

/**
 * `/batch file [...]`: `/compare` for each prompt of a file, started from a draft. Pairs in the file skip the
 * rewriting, each row may have options of its own, and a batch's own report draws the same pictures again.
 * The command's options override the file's. With `evaluate` the prompts are those of an evaluation.
 */
export const batch: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "batch",
    description: texts.description,
    options: [
      {
        type: ApplicationCommandOptionType.Attachment,
        name: "file",
        description: texts.file,
        required: true,
      },
      ...imageOptions(limits),
      rewriterOption,
      againstOption,
      modeOption,
      { type: ApplicationCommandOptionType.Boolean, name: "evaluate", description: texts.evaluate },
      {
        type: ApplicationCommandOptionType.Integer,
        name: "seeds",
        description: texts.seeds,
        min_value: EVALUATION_SEEDS.min,
        max_value: EVALUATION_SEEDS.max,
      },
    ],
  }),

  complete: completeRequest,

  read(interaction, context) {
    const { limits, download, styles, offered } = context;
    const { options } = interaction;
    const file = options.getAttachment("file", true);
    if (file.size > limits.maxFileBytes) {
      throw new InputError("FILE_TOO_BIG", `The file is larger than ${limits.maxFileBytes} bytes.`, {
        limit: limits.maxFileBytes,
        found: file.size,
      });
    }
    if (options.getBoolean("evaluate") === true) return readEvaluation(interaction, context, file);
    if (options.getInteger("seeds") !== null)
      throw new InputError("INPUT_EVALUATION", "The option seeds is for an evaluation.");
    const image = readImage(interaction, context);
    const { text } = sidesOf(interaction, context, image.seed);
    const said = givenSides(interaction);
    const given = decidedBy(interaction);
    return {
      kind: "batch",
      text,
      image,
      known: [],
      confirm: true,
      prompts: async () => {
        const read = await readPrompts(await download(file.url), file.name, {
          maxBytes: limits.maxFileBytes,
          maxPrompts: limits.maxBatch,
          maxPromptLength: limits.maxPromptLength,
          side: (limits.sides ?? DEFAULT_SIDES).own,
          ...(styles === undefined ? {} : { styles }),
          ...(offered === undefined ? {} : { offered }),
        });
        const { image, rows, notes } = usableRows(read, limits, given);
        const left: LeftOut[] = [];
        const items = rows.flatMap((row): NewItem[] => {
          const { prompt, optimized, seed, image } = row;
          try {
            const { text: own, ...opponent } = sidesOfRow(row, said, context, text.seed);
            return [
              {
                prompt,
                rewrite: optimized,
                ...opponent,
                ...(seed === undefined ? {} : { seed }),
                ...(isDeepStrictEqual(own, text) ? {} : { text: own }),
                ...(image === undefined ? {} : { image }),
              },
            ];
          } catch (error) {
            if (codeOf(error) !== "INPUT_AGAINST") throw error;
            left.push({ at: row.at, error: error as InputError });
            return [];
          }
        });
        if (items.length === 0) throw left[0]!.error;
        const all = withLeftOut(notes, left);
        return { image, items, notes: all, isAsDrawn: notes.isReport && !given("style") };
      },
    };
  },
};

/** A row that can't be drawn, and why. */
interface LeftOut {
  readonly at: EntryRef;
  readonly error: InputError;
}

/** The sides of a row: as the command says, else as the row does. Throws InputError like `readSides`. */
export function sidesOfRow(
  { optimized, rewriter, against, againstText }: PromptPair,
  said: GivenSides,
  context: RewritingContext,
  seed: number,
): PairSides {
  const given = {
    ...said,
    rewriter: said.rewriter ?? rewriter ?? null,
    against: said.against ?? against ?? null,
  };
  if (optimized === null) return readSides(given, context, seed);
  // Its rewrite is the file's own words, whoever wrote them.
  const opponent = readOpponent(given, context, seed);
  const text = readRewriting({ ...given, rewriter: said.rewriter }, context, seed);
  if (opponent === undefined) return { text };
  const isOwnText = said.against === null && againstText !== undefined;
  return { text, against: isOwnText ? { ...opponent, rewrite: againstText } : opponent };
}

/** The rows of a file that can be drawn. */
export interface UsableRows {
  /** The options that all rows share, where the command itself gives none. */
  readonly image: OwnOptions;
  /** Each with the options that are its own alone. */
  readonly rows: readonly PromptPair[];
  readonly notes: FileNotes;
}

/**
 * Leaves out the rows whose options are out of range; the ranges are those of the command's own options,
 * which come before the file's. Throws InputError INPUT_OPTION or INPUT_SIZE where no row is left.
 */
export function usableRows(
  { pairs, notes }: PromptFile,
  { maxSteps, sides = DEFAULT_SIDES }: Pick<Limits, "maxSteps" | "sides">,
  given: (name: keyof ImageOptions) => boolean,
): UsableRows {
  const left: LeftOut[] = [];
  const usable: PromptPair[] = [];
  for (const { seed, image = {}, ...pair } of pairs) {
    const entries = Object.entries(image).filter(([name]) => !given(name as keyof ImageOptions));
    let own: OwnOptions;
    try {
      own = checkedOptions(Object.fromEntries(entries), { maxSteps, sides });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      left.push({ at: pair.at, error });
      continue;
    }
    usable.push({ ...pair, ...(seed === undefined || given("seed") ? {} : { seed }), image: own });
  }
  if (usable.length === 0) throw left[0]!.error;
  const image = sharedOf(usable.map(({ image = {} }) => image));
  const rows = usable.map(({ image: all = {}, ...pair }): PromptPair => {
    const own = Object.entries(all).filter(([name]) => !Object.hasOwn(image, name));
    return own.length === 0 ? pair : { ...pair, image: Object.fromEntries(own) };
  });
  return { image, rows, notes: withLeftOut(notes, left) };
}

/** The options that all rows have, with equal values. */
function sharedOf([first = {}, ...others]: readonly OwnOptions[]): OwnOptions {
  const isShared = ([name, value]: [string, unknown]) =>
    others.every((other) => JSON.stringify(other[name as keyof OwnOptions]) === JSON.stringify(value));
  return Object.fromEntries(Object.entries(first).filter(isShared));
}
