import { codeOf, contextOf, type ErrorCode, type ErrorContext } from "../../../core/errors.js";
import type { LimitScope } from "../../../core/job.js";
import { codeSpan } from "../../discord/markdown.js";
import { capitalized, count, formatBytes, holder, number } from "./parts.js";
import type { Translated } from "./translated.js";

/**
 * All sentences for people are in this folder. They say what happened and what to do, and never show an
 * internal text.
 */

const TRY_AGAIN = "Please try again in a while.";

const ASK_OWNER = "Please tell the owner of this bot.";

const FILE_FORMATS =
  "Attach a `.txt` with one prompt a line, a `.json` list or `.jsonl` lines of texts or of `{original, optimized}` pairs, or a `.csv` or `.tsv` with a `prompt` column.";

/** A sentence is whole without any of its values: a stored failure may come from another version. */
export const errorSentences: Readonly<Record<ErrorCode, (values: Values) => string>> = {
  INPUT_EMPTY: () => "The prompt is empty. Write what the picture should show.",
  INPUT_TOO_LONG: (c) =>
    `${subject(c, "The prompt")} is ${c.say("limit", (limit) => `longer than ${number(limit)} characters`, "too long")}. Shorten it and try again.`,
  INPUT_OPTION: (c) =>
    `${named(c.code("option"), "The option", "An option")} ${taken(c)}. Change it and try again.`,
  INPUT_SIZE: (c) =>
    `${named(c.code("size"), "The size", "This size")} is too large for the model here. ${c.say("max", (max) => `No side may be longer than ${number(max)} pixels`, "Choose a smaller one")}.`,
  INPUT_MEMORY: (c) =>
    `${named(c.code("size"), "The size", "This size")} does not fit into the memory here. ${c.code("largest") === null ? "Choose a smaller one" : `The largest of its shape that does is ${c.code("largest")}`}.`,
  GRID_AXIS: (c) =>
    `${named(c.code("axis"), "The axis", "An axis of the grid")} is not known. ${c.code("option") ?? "An axis"} takes a name and values, such as ${c.code("example") ?? "`steps=10,20,30`"}; the names are ${c.text("words")?.split(" ").join(", ") ?? "shown while you type"}.`,
  GRID_LORA: () =>
    "The axis `strength` is the strength of LoRAs. Name one with `lora`, or take `lora` as the other axis.",
  GRID_TWICE: (c) =>
    `Both axes are ${c.code("axis") ?? "the same"}. Choose another one for \`y\`, or leave it out.`,
  GRID_VALUE: (c) =>
    `${named(c.code("value"), "The value", "A value")} can't be used${c.code("axis") === null ? "" : ` for ${c.code("axis")}`}${expectedOf(c)}. Separate values by commas; numbers may be a range, such as \`1-10 (+3)\` or \`1-10 [4]\`.`,
  GRID_SIZE: (c) =>
    `This grid would have ${c.say("cells", (cells) => `${count(cells, "picture")}, and no more than ${c.say("max", number, "25")} are allowed here`, "too many pictures")}. Leave out some values.`,
  INPUT_CHOICE: (c) =>
    `This job has no such ${c.text("option") ?? "choice"}. Choose again under its newest message.`,
  INPUT_UNCHANGED: () => "Nothing was changed, so the result would be the same.",
  INPUT_WORD: (c) =>
    `${named(c.code("word"), "The word", "A word of the prompt")} is not allowed here. Write the prompt without it.`,
  INPUT_STRENGTH: () =>
    "`strength` says how much of `image` is drawn anew. Attach a picture as `image`, or leave `strength` out.",
  INPUT_STYLE: (c) =>
    `${named(c.code("style"), "The style", "This style")} is not there. \`/style list\` shows those that are; choose one of them, or \`none\`.`,
  INPUT_SPEED: (c) =>
    c.code("lora") === null
      ? "`turbo` needs an LCM-LoRA, and none is here. Who runs the bot can get it with `promptist checkpoints pull lcm-lora`. Choose `fast` or `full` until then."
      : `\`turbo\` can't be used: ${c.code("lora")} is made for another model than the one that draws here. Choose \`fast\` or \`full\`.`,
  INPUT_MODEL: (c) =>
    `There is no ${c.text("kind") === "LoRA" ? "LoRA" : "model"}${c.code("model") === null ? " of this name" : ` ${c.code("model")}`} here.${c.code("near") === null ? "" : ` Did you mean ${c.code("near")}?`} The options \`model\` and \`lora\` show those that are offered while you type.`,
  MODEL_ADULT: (c) =>
    `${named(c.code("model"), c.text("kind") === "LoRA" ? "The LoRA" : "The model", "This model")} is for age-restricted channels only. Choose another one, or use it there.`,
  INPUT_REWRITER: (c) =>
    `${named(c.code("rewriter"), "The rewriter", "This rewriter")} can't be used here. Choose one that is shown while you type: \`promptist\`, \`magicprompt\`, \`none\` and so on.`,
  INPUT_EVALUATION: (c) =>
    `With \`evaluate:True\`, \`rewriter\` names what is compared: up to ${c.say("max", number, "5")} different ones, such as \`promptist, magicprompt, none\`, and not \`none\` alone. \`seeds\` is for an evaluation only.`,
  INPUT_AGAINST: (c) =>
    `Both sides would be ${c.code("rewriter") ?? "one rewriter"}. Choose another one for \`against\`.`,
  FILE_STYLES: () =>
    "The file is no list of styles. Attach A1111's `styles.csv`: its first line is `name,prompt,negative_prompt`, and each line after it is a style.",
  DRAFT_GONE: () =>
    "This draft is no longer there: it was started, discarded, or has ended. Use the command again.",
  DRAFT_LIMIT: (c) =>
    `You already have ${c.say("limit", (limit) => `${count(limit, "draft")} waiting for Start, the most allowed`, "too many drafts waiting for Start")}. Start or discard one, then use the command again.`,
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
  PICTURE_PIXELS: (c) =>
    `The picture has ${c.say("limit", (limit) => `more than ${number(limit)} pixels`, "too many pixels")}, or one side is far longer than the other. Attach a smaller copy.`,
  PICTURE_FLAGGED: () =>
    "The safety checker flagged this picture. It can't be gone on from here, at most in age-restricted channels.",
  PICTURE_UNCHECKED: () =>
    "No safety checker has seen this picture, and pictures that none has seen can't be gone on from here.",
  PICTURE_GONE: () =>
    "The picture that this goes on from is deleted, so nothing more can be drawn from it. Attach it to `/compare` as `image` again.",

  QUEUE_UNREACHABLE: () => `The queue can't be reached right now, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_BUSY_DATABASE: () => `The queue is busy right now, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_LOCKED: () => `Another copy of this bot uses the same queue. ${ASK_OWNER}`,
  QUEUE_FULL: () => `The queue is full, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_CAP: (c) =>
    `${capitalized(holder(scopeOf(c)))} ${c.say("limit", (limit) => `${count(limit, "open job")}, the most allowed here`, "the most open jobs allowed here")}. They start by themselves; ask again when one is done.`,
  QUOTA_USED: (c) =>
    `${c.text("scope") === "server" ? "This server has" : "You have"} used the minutes of the card for now${c.say("minutes", (minutes) => `, of which each day adds ${number(minutes)}`, "")}. ${c.say("at", (at) => `There are some again <t:${at}:R>.`, "Ask again tomorrow.")}`,
  QUEUE_NEWER_SCHEMA: () => `The queue was written by a newer version of this bot. ${ASK_OWNER}`,

  MODEL_GONE: (c) =>
    `The ${c.text("kind") === "LoRA" ? "LoRA" : "model"}${c.code("model") === null ? "" : ` ${c.code("model")}`} is no longer on the bot's machine. Use the command again with another one. ${ASK_OWNER}`,
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
  HOST_DIED: (c) =>
    `The program that worked on this ended unexpectedly ${c.say("times", (times) => `${count(times, "time")} in a row`, "again and again")}, so it was set aside. Try a smaller size or fewer pictures; if that does not help, tell the owner of this bot.`,
  DISK_FULL: () => `The disk of this bot's machine is full. ${ASK_OWNER}`,
  DISK_READ_ONLY: () => `This bot has no permission to save pictures on its machine's disk. ${ASK_OWNER}`,
  DISK_FAILED: () => `The disk of this bot's machine could not be read or written. ${ASK_OWNER}`,
  PICTURES_UNREACHABLE: () =>
    `The store of this bot's pictures does not answer, or refuses them. ${ASK_OWNER}`,
  CANCELLED: () => "This was cancelled.",
  INTERNAL: () =>
    `Something went wrong inside the bot. Please try again; if it happens again, tell its owner.`,

  DISCORD_REFUSED: () => "The result is ready and stored, but Discord refused the message with it.",
  DISCORD_UNREACHABLE: () => `Discord could not be reached. ${TRY_AGAIN}`,
  CONFIG: () => `This bot is not set up correctly. ${ASK_OWNER}`,
};

type ErrorWords = { readonly errorSentences: Translated<typeof errorSentences> };

/** The sentence for a code; `INTERNAL`'s for a code that this version does not know. */
export function errorSentence(
  code: string,
  context: ErrorContext = {},
  words: ErrorWords = { errorSentences },
): string {
  const values = new Values(context);
  const { errorSentences: said } =
    code === "FILE_SHAPE" && values.quotesReader() ? { errorSentences } : words;
  return (Object.hasOwn(said, code) ? said[code as ErrorCode] : said.INTERNAL)(values);
}

/** The sentence for anything that was thrown. */
export const sentenceOf = (error: unknown, words: ErrorWords = { errorSentences }): string =>
  errorSentence(codeOf(error), contextOf(error), words);

/** What an option takes, for the refusal of a value out of range. */
export const expectations = {
  integer: (min: number, max: number) => `a whole number from ${number(min)} to ${number(max)}`,
  number: (min: number, max: number) => `a number from ${min} to ${max}`,
  oneOf: (words: readonly string[]) => `one of ${words.join(", ")}`,
  size: (example: string, multiple: number, min: number, max: number) =>
    `a size such as \`${example}\`, both sides multiples of ${multiple} from ${min} to ${max}`,
  roles: (max: number) => `1 to ${number(max)} roles, as mentions or ids`,
  words: (max: number) => `1 to ${number(max)} words with commas between them`,
  emoji: "one emoji such as `⭐`, or `off`",
  channel: "a text channel of this server, such as `#gallery`",
  yesNo: "`on` or `off`",
  text: (max: number) => `a text of at most ${number(max)} characters`,
} as const;

/** What an option takes, as values of the error that refuses something else. */
export type Expectation =
  | { readonly takes: "integer" | "number"; readonly min: number; readonly max: number }
  /** `words`: with spaces between them. */
  | { readonly takes: "oneOf"; readonly words: string }
  | {
      readonly takes: "size";
      readonly size: string;
      readonly multiple: number;
      readonly min: number;
      readonly max: number;
    }
  | { readonly takes: "roles" | "words"; readonly max: number }
  | { readonly takes: "yesNo" | "channel" | "emoji" }
  | { readonly takes: "text"; readonly limit: number };

/** The values of a sentence, each of which may be missing or, from a stored row, anything. */
export class Values {
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

  /** A text as code, which can't be changed by its own signs; null where there is none. */
  code(name: string): string | null {
    const value = this.text(name);
    return value === null ? null : codeSpan(value);
  }

  /** Whether the reader of files says what is wrong; it does so in English. */
  quotesReader(): boolean {
    return !NAMED_PROBLEMS.has(this.text("problem"));
  }

  /** What an option takes, by the values of an `Expectation`; null where they are incomplete. */
  expected(words: Translated<typeof expectations>): string | null {
    const [min, max, multiple] = ["min", "max", "multiple"].map((name) => this.number(name));
    switch (this.text("takes")) {
      case "integer":
        return min == null || max == null ? null : words.integer(min, max);
      case "oneOf":
        return this.text("words") === null ? null : words.oneOf(this.text("words")!.split(" "));
      case "size":
        return min == null || max == null || multiple == null || this.text("size") === null
          ? null
          : words.size(this.text("size")!, multiple, min, max);
      case "roles":
        return max == null ? null : words.roles(max);
      case "words":
        return max == null ? null : words.words(max);
      case "yesNo":
        return words.yesNo;
      case "channel":
        return words.channel;
      case "emoji":
        return words.emoji;
      case "text":
        return this.number("limit") === null ? null : words.text(this.number("limit")!);
      default:
        return min == null || max == null ? null : words.number(min, max);
    }
  }

  /** What `words` makes of a number; `otherwise` where there is none. */
  say(name: string, words: (value: number) => string, otherwise: string): string {
    const value = this.number(name);
    return value === null ? otherwise : words(value);
  }
}

/** Problems of a file that have sentences of their own. */
const NAMED_PROBLEMS: ReadonlySet<string | null> = new Set([null, "json", "not a list"]);

const named = (name: string | null, what: string, otherwise: string): string =>
  name === null ? otherwise : `${what} ${name}`;

/** What the option takes, if the error says so. */
function taken(values: Values): string {
  const expected = values.text("expected") ?? values.expected(expectations);
  if (expected !== null) return `takes ${expected}`;
  const limit = values.number("limit");
  if (limit !== null) return `takes ${number(limit)} at most`;
  return values.say(
    "multiple",
    (step) => `takes multiples of ${number(step)}`,
    "has a value that it can't take",
  );
}

/** What a value of an axis may be, if the error says so. */
function expectedOf(values: Values): string {
  const expected = values.expected(expectations);
  return expected === null ? "" : `, which takes ${expected}`;
}

export function scopeOf(values: Values): LimitScope {
  const scope = values.text("scope");
  return scope === "channel" || scope === "server" ? scope : "user";
}

/** What `words` makes of a place in a file, a line or an entry by its number; `otherwise` where there is none. */
export function placeIn(
  values: Values,
  words: (unit: "line" | "entry", at: number) => string,
  otherwise: string,
): string {
  const unit = values.text("unit");
  if (unit !== "line" && unit !== "entry") return otherwise;
  return values.say("number", (at) => words(unit, at), otherwise);
}

const subject = (values: Values, otherwise: string): string =>
  placeIn(values, (unit, at) => `${capitalized(unit)} ${number(at)} of the file`, otherwise);

function fileProblem(values: Values): string {
  const problem = values.text("problem");
  if (problem === "json") return `${subject(values, "The file")} is not valid JSON.`;
  if (problem === "not a list") return "The file is JSON, but not a list.";
  return problem === null
    ? `${subject(values, "The file")} can't be read.`
    : `${subject(values, "The file")}: ${problem}.`;
}
