import { ApplicationCommandOptionType, ApplicationCommandType } from "discord.js";
import { InputError } from "../../core/errors.js";
import type { EntryRef, FileNotes } from "../../core/file-notes.js";
import { DEFAULT_SIDES, type ImageOptions, type OwnOptions } from "../../core/options.js";
import { withLeftOut } from "../../prompt-files/notes.js";
import type { PromptFile, PromptPair } from "../../prompt-files/prompt-file.js";
import { readPrompts } from "../../prompt-files/read-prompts.js";
import { checkedOptions, type Limits } from "../requests/request.js";
import { commandTexts } from "../words/english/commands.js";
import type { RequestCommand } from "./command.js";
import { completeRequest } from "./completions.js";
import { EVALUATION_SEEDS, readEvaluation } from "./evaluate.js";
import { decidedBy, imageOptions, modeOption, readImage, readText, rewriterOption } from "./options.js";

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
    const text = readText(interaction, context, image.seed);
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
        const own = options.getString("rewriter") === null;
        const items = rows.map(({ prompt, optimized, seed, image, rewriter }) => ({
          prompt,
          rewrite: optimized,
          ...(seed === undefined ? {} : { seed }),
          ...(rewriter !== undefined && own
            ? { text: readText(interaction, context, text.seed, rewriter) }
            : {}),
          ...(image === undefined ? {} : { image }),
        }));
        return { image, items, notes, isAsDrawn: notes.isReport && !given("style") };
      },
    };
  },
};

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
  const left: { readonly at: EntryRef; readonly error: InputError }[] = [];
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
