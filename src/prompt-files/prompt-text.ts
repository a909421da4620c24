import { cleanPrompt } from "./clean-prompt.js";
import { fieldOf, type GivenOptions, type OptionName, shown } from "./row-options.js";
import { settingPairs } from "./settings-line.js";

/** A prompt that was found in a text, and the options beside it. */
export interface FoundPrompt {
  readonly prompt: string;
  readonly given: GivenOptions;
  /** What was not understood, as sentences without a full stop. */
  readonly unread: readonly string[];
}

interface Draft {
  prompt: string;
  given: GivenOptions;
  unread: string[];
}

/** Commands that people copy with their prompt. */
const COMMAND = /^\/(?:imagine|dream|optimize|compare|draw|generate)\b\s*(?:(?:prompt|text)\s*:)?\s*/i;
/** Options of Midjourney and A1111 that change nothing here, beside those that fieldOf knows. */
const OTHER_OPTIONS: ReadonlySet<string> = new Set(
  `v version stylize s q quality chaos c niji tile iw hd uplight upbeta test testp creative stop video weird style
  repeat r sref sw cref cw oref ow relax fast turbo raw p profile draft exp
  batch_size n_iter restore_faces tiling do_not_save_samples do_not_save_grid outpath_samples outpath_grid
  outpath styles sd_model prompt_for_display subseed subseed_strength seed_resize_from_h seed_resize_from_w
  sampler_index hr_scale hr_upscaler enable_hr denoising_strength clip_skip`.split(/\s+/),
);
/** Options that take no value. */
const FLAGS: ReadonlySet<string> = new Set(
  "tile hd uplight upbeta test testp creative video raw relax fast turbo draft".split(" "),
);
/** Options whose value is a text of several words. */
const TEXTS: ReadonlySet<string> = new Set(["prompt", "negative", "scheduler", "style"]);
/** Word processors make one dash of two. */
const OPTION = /(?:^|(?<=\s))(?:--|\u2014|\u2013)([A-Za-z][\w-]{0,40})(?=\s|=|$)/g;
/** Longer texts are refused anyway, and not worth the search. */
const LINE_MAX = 20_000;

/**
 * Reads one line as people write prompts for other programs: `/imagine prompt: a cat --ar 16:9 --no dogs`,
 * `--prompt "a cat" --steps 20`, `a cat ### ugly`. A line that is none of these is the prompt as it stands.
 */
export function readPromptLine(line: string): FoundPrompt {
  const text = line.trim();
  if (text.length > LINE_MAX) return { prompt: text, given: {}, unread: [] };
  const bare = text.replace(COMMAND, "");
  const draft: Draft = { prompt: bare, given: {}, unread: [] };
  const isOptions = readDashes(draft);
  readColons(draft);
  if (bare !== text || isOptions) readWeights(draft);
  readHashes(draft);
  return draft.prompt === "" && draft.given.negative === undefined
    ? { prompt: bare === text && !isOptions ? text : "", given: draft.given, unread: draft.unread }
    : draft;
}

/** `--name value` options; false where the text has none that are known. */
function readDashes(draft: Draft): boolean {
  const text = draft.prompt;
  const found = [...outsideQuotes(text).matchAll(OPTION)].map((match) => {
    const written = match[1]!;
    // Midjourney's `--style raw` is none of ours.
    const field = written === "prompts" ? "mode" : written === "style" ? null : fieldOf(written);
    const name = written.toLowerCase().replaceAll("-", "_");
    return { written, name, field, at: match.index, end: match.index + match[0].length };
  });
  const known = found.filter(({ name, field }) => field !== null || OTHER_OPTIONS.has(name));
  if (known.length === 0) return false;
  const words = [text.slice(0, known[0]!.at)];
  for (const [i, { written, name, field, end }] of known.entries()) {
    const rest = text
      .slice(end, known[i + 1]?.at)
      .replace(/^\s*=/, "")
      .trim();
    if (field !== null && TEXTS.has(field)) {
      const value = withoutQuotes(rest);
      if (field === "prompt") words.splice(0, words.length, value);
      else set(draft.given, field as OptionName, written, value);
      continue;
    }
    const [, first = "", behind = ""] = /^("[^"]*"|\S+)?([\s\S]*)$/.exec(rest) ?? [];
    const isValue =
      field !== null || (!FLAGS.has(name) && (behind === "" || /^["\d.:-]|^https?:/.test(first)));
    words.push(isValue ? behind : rest);
    const value = withoutQuotes(first);
    if (field === null)
      draft.unread.push(
        `\`--${shown(isValue && value !== "" ? `${written} ${value}` : written)}\` is not read`,
      );
    else if (field !== "optimized") set(draft.given, field as OptionName, written, value);
  }
  draft.prompt = words
    .map((part) => part.trim())
    .filter(Boolean)
    .join(" ");
  return true;
}

/** The text with what stands in double quotes blanked out; with a quote left over, quotes mean nothing. */
function outsideQuotes(text: string): string {
  const parts = text.split('"');
  if (parts.length % 2 === 0) return text;
  return parts.map((part, i) => (i % 2 === 1 ? "_".repeat(part.length) : part)).join("_");
}

const withoutQuotes = (text: string): string =>
  text.length > 1 && /^(["'])[\s\S]*\1$/.test(text) ? text.slice(1, -1).replaceAll('\\"', '"') : text;

/** Options of our own commands, as Discord copies them: `prompt:a cat negative:ugly steps:20`. */
function readColons(draft: Draft): void {
  const { prompt, given } = draft;
  const found = [...prompt.matchAll(/(?<=^|\s)(negative|seed|steps|guidance|size|scheduler|prompts):\s?/g)];
  if (found.length === 0) return;
  const values = found.map((match, i) => ({
    name: (match[1] === "prompts" ? "mode" : match[1]) as OptionName,
    value: prompt.slice(match.index + match[0].length, found[i + 1]?.index).trim(),
  }));
  // A prompt may well say "seed: a novel".
  if (!values.some(({ name, value }) => name !== "negative" && /^\d[\d.x]*$/.test(value))) return;
  draft.prompt = prompt.slice(0, found[0]!.index).trim();
  for (const { name, value } of values) set(given, name, name, value);
}

/** Midjourney's parts `a dog::2 moon::-0.5`: parts with a negative weight are what shall not be there. */
function readWeights(draft: Draft): void {
  const parts = draft.prompt.split(/::(-?\d{0,6}(?:\.\d{1,6})?)(?=\s|,|$)/);
  if (parts.length === 1) return;
  const wanted: string[] = [];
  const unwanted: string[] = [];
  let weights = 0;
  for (let i = 0; i < parts.length; i += 2) {
    const text = parts[i]!.replace(/^[\s,]+|[\s,]+$/g, "");
    const weight = parts[i + 1] ?? "";
    if (weight !== "" && weight !== "1") weights += 1;
    if (text !== "") (weight.startsWith("-") ? unwanted : wanted).push(text);
  }
  draft.prompt = wanted.join(", ");
  if (unwanted.length > 0) addNegative(draft.given, unwanted.join(", "));
  if (weights > 0) draft.unread.push("weights such as `::2` are not read");
}

/** `a cat ### ugly`: what shall not be there stands behind. */
function readHashes(draft: Draft): void {
  const [, prompt, negative] = /^([\s\S]*?\S)\s+###\s+(\S[\s\S]*)$/.exec(draft.prompt) ?? [];
  if (prompt === undefined || negative === undefined) return;
  draft.prompt = prompt;
  addNegative(draft.given, negative);
}

function set(given: GivenOptions, name: OptionName, as: string, value: unknown): void {
  if (name === "negative") addNegative(given, String(value));
  else given[name] ??= { as, value };
}

function addNegative(given: GivenOptions, text: string): void {
  const before = given.negative?.value;
  const value =
    typeof before === "string" && before !== "" ? `${before.replace(/,\s{0,9}$/, "")}, ${text}` : text;
  given.negative = { as: "negative", value };
}

// --- A1111's parameters ---

const NEGATIVE_LINE = /^\s*negative prompt:\s*/i;
const SETTINGS_LINE = /^\s*steps:\s*\d+\s*(?:,|$)/i;
/** Keys of A1111's settings line that say nothing about how to draw here. */
const SILENT_KEYS: ReadonlySet<string> = new Set([
  "model hash",
  "version",
  "lora hashes",
  "ti hashes",
  "vae hash",
  "hashes",
]);

/** The options that a line of a text file adds to the prompt before it; null if it starts a new prompt. */
export function readContinuation(line: string): Omit<FoundPrompt, "prompt"> | null {
  if (NEGATIVE_LINE.test(line)) {
    const given: GivenOptions = {};
    addNegative(given, line.replace(NEGATIVE_LINE, "").trim());
    return { given, unread: [] };
  }
  return SETTINGS_LINE.test(line) ? readSettings(line) : null;
}

/** `Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x768, Model: "a, b"`. */
function readSettings(line: string): Omit<FoundPrompt, "prompt"> {
  const given: GivenOptions = {};
  const names: string[] = [];
  for (const [key, value] of settingPairs(line)) {
    const field = fieldOf(key);
    if (field !== null && field !== "prompt" && field !== "optimized") set(given, field, key, value);
    else if (!SILENT_KEYS.has(key.toLowerCase())) names.push(key);
  }
  const unread = names.slice(0, NAMES_MAX).map((name) => `\`${shown(name)}\` is not read`);
  return { given, unread };
}
const NAMES_MAX = 10;

/** The options of two parts of one prompt; negative prompts are joined, and otherwise the first one counts. */
export function withMore(found: FoundPrompt, more: Omit<FoundPrompt, "prompt">): FoundPrompt {
  const given: GivenOptions = { ...found.given };
  for (const [name, option] of Object.entries(more.given))
    set(given, name as OptionName, option.as, option.value);
  return { prompt: found.prompt, given, unread: [...found.unread, ...more.unread] };
}

// --- a whole message ---

const FENCE = /```(?:[A-Za-z0-9_+-]{1,20}\r?\n)?([\s\S]*?)```/;

const OUTSIDE = "what is outside the code block is not read";
const BEHIND = "what follows the settings is not read";

/**
 * Reads a text as people paste it: inside a fence (```), A1111's parameters with `Negative prompt:` and
 * `Steps:`, an `/imagine` line, or simply a prompt of one or more lines.
 */
export function readPromptText(text: string): FoundPrompt {
  const fence = FENCE.exec(text);
  if (fence !== null && fence[1]!.trim() !== "") {
    const found = readBare(fence[1]!.trim());
    const outside = text.replace(fence[0], "").trim();
    return outside === "" ? found : { ...found, unread: [OUTSIDE, ...found.unread] };
  }
  return readBare(text.replaceAll("```", "").trim());
}

/** The same without a fence. */
function readBare(content: string): FoundPrompt {
  const bare = /^`[^`]+`$/.test(content) ? content.slice(1, -1) : content;
  const lines = bare.split(/\r\n|\r|\n/);
  const first = lines.findIndex((line) => readContinuation(line) !== null);
  if (first === -1) return readPromptLine(cleanPrompt(bare));
  let found = readPromptLine(
    cleanPrompt(
      lines
        .slice(0, first)
        .join("\n")
        .replace(/^\s*(?:positive )?prompt:\s*/i, ""),
    ),
  );
  let isNegative = false;
  let isCut = false;
  for (const line of lines.slice(first)) {
    const more = readContinuation(line);
    if (more !== null) {
      found = withMore(found, more);
      isNegative = NEGATIVE_LINE.test(line);
    } else if (isNegative && line.trim() !== "") {
      // A negative prompt of several lines.
      found = withMore(found, { given: { negative: { as: "negative", value: line.trim() } }, unread: [] });
    } else if (line.trim() !== "") {
      isCut = true;
    }
  }
  return isCut ? { ...found, unread: [...found.unread, BEHIND] } : found;
}

// --- lists of lines ---

const MARKER = /^\s*(?:\(?\d{1,4}[.)]|[-*\u2022\u2013\u2014\u00b7\u25cf])\s+(?:\[[ xX]?\]\s+)?(?=\S)/;
const COMMENT = /^\s*#/;

/** Whether a line of a text file is a comment. */
export const isComment = (line: string): boolean => COMMENT.test(line);

/** A line of a list without its number or bullet. */
export const withoutMarker = (line: string): string => line.replace(MARKER, "");
