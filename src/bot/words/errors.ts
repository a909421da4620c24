import { codeOf, contextOf, type ErrorCode, type ErrorContext } from "../../core/errors.js";
import type { LimitScope } from "../../core/job.js";
import { IMAGE_RANGES, namedSizes, SIDE_MULTIPLE, type Sides, showSize } from "../../core/options.js";
import { capitalized, count, formatBytes, holder, number } from "./parts.js";

/**
 * All sentences for people are in this folder. They say what happened and what to do, and never show an
 * internal text.
 */

const TRY_AGAIN = "Please try again in a while.";

const ASK_OWNER = "Please tell the owner of this bot.";

const FILE_FORMATS =
  "Attach a `.txt` with one prompt a line, a `.json` list or `.jsonl` lines of texts or of `{original, optimized}` pairs, or a `.csv` or `.tsv` with a `prompt` column.";

/** A sentence is whole without any of its values: a stored failure may come from another version. */
const SENTENCES: Readonly<Record<ErrorCode, (values: Values) => string>> = {
  INPUT_EMPTY: () => "The prompt is empty. Write what the picture should show.",
  INPUT_TOO_LONG: (c) =>
    `${subject(c, "The prompt")} is ${c.say("limit", (limit) => `longer than ${number(limit)} characters`, "too long")}. Shorten it and try again.`,
  INPUT_OPTION: (c) =>
    `${named(c.text("option"), "The option", "An option")} ${taken(c)}. Change it and try again.`,
  INPUT_SIZE: (c) =>
    `${named(c.text("size"), "The size", "This size")} is too large for the model here. ${c.say("max", (max) => `No side may be longer than ${number(max)} pixels`, "Choose a smaller one")}.`,
  INPUT_CHOICE: (c) =>
    `This job has no such ${c.text("option") ?? "choice"}. Choose again under its newest message.`,
  INPUT_UNCHANGED: () => "Nothing was changed, so the result would be the same.",
  INPUT_WORD: (c) =>
    `${named(c.text("word"), "The word", "A word of the prompt")} is not allowed here. Write the prompt without it.`,
  DRAFT_GONE: () =>
    "This draft is no longer there: it was started, discarded, or has ended. Use the command again with the file.",
  DRAFT_LIMIT: (c) =>
    `You already have ${c.say("limit", (limit) => `${count(limit, "draft")} waiting for Start, the most allowed`, "too many drafts waiting for Start")}. Start or discard one, then attach the file again.`,
  NOT_OPERATOR: () => "Only the people who run this bot can do that, because it affects all servers.",
  NOT_ALLOWED: () => "Only people who manage this server or channel can do that. Ask an admin of the server.",
  FILE_TOO_BIG: (c) =>
    `The file is ${c.say("limit", (limit) => `larger than ${formatBytes(limit)}`, "too large")}. Split it into smaller files.`,
  FILE_BINARY: (c) =>
    `The file is ${c.text("kind") === null ? "" : `a ${c.text("kind")}, `}not text. ${FILE_FORMATS}`,
  FILE_ENCODING: (c) =>
    `${subject(c, "The file")} is not UTF-8 text. Save the file as UTF-8 and attach it again.`,
  FILE_TYPE: () => `This kind of file can't be read. ${FILE_FORMATS}`,
  FILE_SHAPE: (c) => `${fileProblem(c)} ${FILE_FORMATS}`,
  FILE_EMPTY: () => `The file holds no prompt. ${FILE_FORMATS}`,
  FILE_UNREACHABLE: () => "The file could not be fetched from Discord. Attach it again.",
  PICTURE_TYPE: () => "This file is not a picture that can be read. Attach a PNG, JPEG or WebP file.",
  PICTURE_TOO_BIG: (c) =>
    `The picture is ${c.say("limit", (limit) => `larger than ${formatBytes(limit)}`, "too large")}. Attach a smaller file.`,
  PICTURE_SHAPE: () => "The picture is damaged. Download it again where you found it, and attach that file.",
  PICTURE_EMPTY: (c) =>
    c.text("program") === null
      ? "The picture holds no prompt: many sites and apps remove it. Attach the original file, or copy the prompt into `/compare`."
      : `The picture was made by ${c.text("program")}, and its prompt can't be read. Copy the prompt into \`/compare\`.`,
  PICTURE_SHEET: () =>
    "This is a contact sheet with many prompts. Attach one of its pictures, or `report.csv` to `/batch`.",

  QUEUE_BUSY_DATABASE: () => `The queue is busy right now, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_LOCKED: () => `Another copy of this bot uses the same queue. ${ASK_OWNER}`,
  QUEUE_FULL: () => `The queue is full, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_CAP: (c) =>
    `${capitalized(holder(scopeOf(c)))} ${c.say("limit", (limit) => `${count(limit, "open job")}, the most allowed here`, "the most open jobs allowed here")}. They start by themselves; ask again when one is done.`,
  QUEUE_NEWER_SCHEMA: () => `The queue was written by a newer version of this bot. ${ASK_OWNER}`,

  CHECKPOINT_MISSING: () => `The model that this needs is not installed. ${ASK_OWNER}`,
  CHECKPOINT_CORRUPT: () => `The model's files are damaged. ${ASK_OWNER}`,
  CHECKPOINT_TENSORS: () => `The model's files don't fit its configuration. ${ASK_OWNER}`,
  CHECKPOINT_ARCHITECTURE: () => `The installed model is of a kind that this bot can't run. ${ASK_OWNER}`,
  CHECKPOINT_UNSAFE: () => `The model's files were refused because they could run code. ${ASK_OWNER}`,
  HUB_NOT_FOUND: () => `The site that publishes the model does not have it. ${ASK_OWNER}`,
  HUB_REFUSED: () => `The site that publishes the model requires permission for it. ${ASK_OWNER}`,
  HUB_BUSY: () => `The site that publishes the model is busy. ${ASK_OWNER}`,
  HUB_UNREACHABLE: () => `The site that publishes the model can't be reached. ${ASK_OWNER}`,
  HUB_HASH: () => `A file of the model arrived damaged. ${ASK_OWNER}`,

  DEVICE_UNAVAILABLE: () => `The graphics device can't be used right now. ${TRY_AGAIN}`,
  OUT_OF_MEMORY: () => "There was not enough memory for this. Try fewer prompts at once, or try again later.",
  WORKER_DIED: () => `The process that runs the model ended unexpectedly. ${TRY_AGAIN}`,
  WORKER_STALLED: () => `The process that runs the model stopped answering. ${TRY_AGAIN}`,
  DISK_FULL: () => `The disk of this bot's machine is full. ${ASK_OWNER}`,
  DISK_READ_ONLY: () => `This bot has no permission to save pictures on its machine's disk. ${ASK_OWNER}`,
  DISK_FAILED: () => `The disk of this bot's machine could not be read or written. ${ASK_OWNER}`,
  CANCELLED: () => "This was cancelled.",
  INTERNAL: () =>
    `Something went wrong inside the bot. Please try again; if it happens again, tell its owner.`,

  DISCORD_REFUSED: () => "The result is ready and stored, but Discord refused the message with it.",
  DISCORD_UNREACHABLE: () => `Discord could not be reached. ${TRY_AGAIN}`,
  CONFIG: () => `This bot is not set up correctly. ${ASK_OWNER}`,
};

/** The sentence for a code; `INTERNAL`'s for a code that this version does not know. */
export function errorSentence(code: string, context: ErrorContext = {}): string {
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code as ErrorCode] : SENTENCES.INTERNAL;
  return sentence(new Values(context));
}

/** The sentence for anything that was thrown. */
export const sentenceOf = (error: unknown): string => errorSentence(codeOf(error), contextOf(error));

/** What an option takes, for the refusal of a value out of range. */
export const expectations = {
  integer: (min: number, max: number) => `a whole number from ${number(min)} to ${number(max)}`,
  number: (min: number, max: number) => `a number from ${min} to ${max}`,
  oneOf: (words: readonly string[]) => `one of ${words.join(", ")}`,
  size: (sides: Sides) => {
    const { portrait = { width: sides.max, height: sides.max } } = namedSizes(sides);
    return `a size such as \`${showSize(portrait)}\`, both sides multiples of ${SIDE_MULTIPLE} from ${IMAGE_RANGES.side.min} to ${sides.max}`;
  },
  roles: "one or more roles, as mentions or ids",
  words: "words with commas between them",
  yesNo: "`on` or `off`",
  text: (max: number) => `a text of at most ${number(max)} characters`,
} as const;

/** The values of a sentence, each of which may be missing or, from a stored row, anything. */
class Values {
  readonly #context: Readonly<Record<string, unknown>>;

  constructor(context: ErrorContext) {
    this.#context = context;
  }

  text(name: string): string | null {
    const value = this.#context[name];
    return typeof value === "string" && value.trim() !== "" ? value : null;
  }

  number(name: string): number | null {
    const value = this.#context[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  }

  /** What `words` makes of a number; `otherwise` where there is none. */
  say(name: string, words: (value: number) => string, otherwise: string): string {
    const value = this.number(name);
    return value === null ? otherwise : words(value);
  }
}

const named = (name: string | null, what: string, otherwise: string): string =>
  name === null ? otherwise : `${what} \`${name.replaceAll("`", "'")}\``;

/** What an option takes, as far as the error knows. */
function taken(values: Values): string {
  const [min, max, limit] = ["min", "max", "limit"].map((name) => values.number(name));
  const expected = values.text("expected");
  if (expected !== null) return `takes ${expected}`;
  if (min != null && max != null) return `takes ${expectations.number(min, max)}`;
  if (limit != null) return `takes ${number(limit)} at most`;
  return values.say(
    "multiple",
    (step) => `takes multiples of ${number(step)}`,
    "has a value that it can't take",
  );
}

function scopeOf(values: Values): LimitScope {
  const scope = values.text("scope");
  return scope === "channel" || scope === "server" ? scope : "user";
}

function subject(values: Values, otherwise: string): string {
  const unit = values.text("unit");
  if (unit !== "line" && unit !== "entry") return otherwise;
  return values.say("number", (at) => `${capitalized(unit)} ${number(at)} of the file`, otherwise);
}

function fileProblem(values: Values): string {
  const problem = values.text("problem");
  if (problem === "json") return `${subject(values, "The file")} is not valid JSON.`;
  if (problem === "not a list") return "The file is JSON, but not a list.";
  return problem === null
    ? `${subject(values, "The file")} can't be read.`
    : `${subject(values, "The file")}: ${problem}.`;
}
