import type { PromptMode } from "./options.js";

/**
 * The marks that people write into prompts to weigh words, as AUTOMATIC1111's web UI reads them:
 *
 *     (a)       weight 1.1            \( \) \[ \] \\   the character itself
 *     (a:1.3)   weight 1.3            BREAK            the text encoder reads on in its next window
 *     [a]       weight 1 / 1.1
 *
 * Marks may stand within each other, and their weights multiply; a bracket that is not closed ends with the
 * prompt. Nothing here throws, and all of it takes time in proportion to the prompt.
 */

/** A piece of a prompt whose words have one weight. */
export interface Fragment {
  readonly text: string;
  readonly weight: number;
}

export interface Emphasis {
  /** The prompt's parts between BREAKs, one at least; a part may have no fragments. */
  readonly parts: readonly (readonly Fragment[])[];
  /** Whether the prompt has marks that mean nothing where prompts are read as diffusers reads them. */
  readonly isMarked: boolean;
  /** Brackets that the prompt leaves open. */
  readonly open: Readonly<Record<"round" | "square", number>>;
}

const STRONGER = 1.1;
const WEAKER = 1 / STRONGER;
/** Deeper brackets weigh nothing; 1.1 to this power is over 20. */
const DEPTH_MAX = 32;
/** Larger weights, either way, count as this much: already they leave nothing of a picture. */
export const EMPHASIS_MAX = 10;

const TOKENS = /\\[()[\]\\]|\\|[([]|:\s*([+-]?[.\d]+)\s*\)|[)\]]|[^\\()[\]:]+|:/g;
const BREAK = /(?<![\p{L}\p{N}_])BREAK(?![\p{L}\p{N}_])/gu;

/** Reads the marks of a prompt. */
export function readEmphasis(prompt: string): Emphasis {
  const reader = new Reader();
  for (const [token, number] of prompt.matchAll(TOKENS)) reader.take(token, number);
  return reader.end();
}

/** Other programs' syntax that has no meaning here; its parts are bounded, so that the search is linear. */
const FOREIGN = [
  /<hypernet:[^<>]{1,200}>/i,
  /(?<!\S)AND(?!\S)/,
  /(?<!\\)\[[^[\]|]{0,200}\|[^[\]]{0,200}\]/,
  /(?<!\\)\[[^[\]:]{0,200}:(?:[^[\]:]{0,200}:)?\s{0,9}[\d.]{1,9}\s{0,9}\]/,
];

/** Whether a prompt has marks of AUTOMATIC1111's web UI that are read as words in every mode. */
export const hasForeignMarks = (prompt: string): boolean => FOREIGN.some((mark) => mark.test(prompt));

class Reader {
  /** Pieces in order; a BREAK has no text. */
  readonly #texts: (string | null)[] = [];
  readonly #weights: number[] = [];
  readonly #round: number[] = [];
  readonly #square: number[] = [];
  #isMarked = false;

  take(token: string, number: string | undefined): void {
    const [round, square] = [this.#round, this.#square];
    if (token.startsWith("\\")) {
      this.#isMarked ||= token.length > 1;
      this.#add(token.slice(1));
    } else if (token === "(") round.push(this.#texts.length);
    else if (token === "[") square.push(this.#texts.length);
    else if (number !== undefined && round.length > 0) this.#closeRound(token, number);
    else if (token === ")" && round.length > 0) {
      // Two around one word are a mark; one may be a remark.
      this.#isMarked ||= round.length > 1;
      this.#multiply(round, STRONGER);
    } else if (token === "]" && square.length > 0) {
      this.#isMarked ||= square.at(-1)! < this.#texts.length;
      this.#multiply(square, WEAKER);
    } else this.#addText(token);
  }

  end(): Emphasis {
    const [round, square] = [this.#round, this.#square];
    const open = { round: round.length, square: square.length };
    while (round.length > 0) this.#multiply(round, STRONGER);
    while (square.length > 0) this.#multiply(square, WEAKER);
    return { parts: this.#parts(), isMarked: this.#isMarked, open };
  }

  #closeRound(token: string, number: string): void {
    const weight = Number(number);
    if (Number.isFinite(weight)) {
      this.#isMarked = true;
      this.#multiply(this.#round, weight);
    } else {
      // Such as `:1.2.3)`: the bracket ends, and the rest is text.
      this.#addText(token.slice(0, -1));
      this.#multiply(this.#round, STRONGER);
    }
  }

  #addText(text: string): void {
    for (const [i, piece] of text.split(BREAK).entries()) {
      if (i > 0) {
        // The spaces around a BREAK belong to it.
        const before = this.#texts.at(-1);
        if (typeof before === "string") this.#texts[this.#texts.length - 1] = before.trimEnd();
        this.#texts.push(null);
        this.#weights.push(1);
        this.#isMarked = true;
      }
      this.#add(i > 0 ? piece.trimStart() : piece);
    }
  }

  #add(text: string): void {
    if (text === "") return;
    this.#texts.push(text);
    this.#weights.push(1);
  }

  /** Takes the last open bracket and weighs what stands behind it. */
  #multiply(brackets: number[], factor: number): void {
    const start = brackets.pop()!;
    if (brackets.length >= DEPTH_MAX) return;
    for (let i = start; i < this.#weights.length; i++) this.#weights[i]! *= factor;
  }

  #parts(): Fragment[][] {
    const parts: Fragment[][] = [[]];
    for (const [i, text] of this.#texts.entries()) {
      const part = parts.at(-1)!;
      if (text === "") continue;
      if (text === null) parts.push([]);
      else {
        const weight = Math.max(-EMPHASIS_MAX, Math.min(EMPHASIS_MAX, this.#weights[i]!));
        const last = part.at(-1);
        // Joined, so that a word is one word where a mark that weighs nothing stands in it.
        if (last?.weight === weight) part[part.length - 1] = { text: last.text + text, weight };
        else part.push({ text, weight });
      }
    }
    return parts;
  }
}

/** The prompt without its marks; a comma stands for a BREAK. */
export function withoutMarks(prompt: string): string {
  let plain = "";
  for (const part of readEmphasis(prompt).parts) {
    const text = part.map((fragment) => fragment.text).join("");
    if (text === "") continue;
    if (plain !== "") plain += /[,;.!?:]\s*$/u.test(plain.slice(-20)) ? " " : ", ";
    plain += text;
  }
  return plain.replace(/ {2,}/g, " ").trim();
}

/** What a prompt says where it is read this way; the prompt itself where its marks are all there is of it. */
export const readWords = (prompt: string, mode: PromptMode): string =>
  (mode === "weighted" && withoutMarks(prompt)) || prompt;

/**
 * A rewrite of the prompt without its marks, with them: the prompt as it is marked, and behind it what the
 * rewrite adds, word for word. Where a rewrite has changed the prompt's own words, each marked phrase that it
 * still has is weighed there, in their order, and the other marks are lost.
 */
export function withMarks(prompt: string, rewrite: string): string {
  const end = endOfPrefix(rewrite, withoutMarks(prompt));
  if (end === null) return weighed(rewrite, readEmphasis(prompt));
  const added = rewrite.slice(end);
  return added.trim() === "" ? prompt.trim() : closed(prompt.trim()) + escaped(added);
}

/** The text as one that has no marks. */
const escaped = (text: string): string =>
  text.replace(/[\\()[\]]/g, "\\$&").replace(BREAK, (word) => word.toLowerCase());

/** The prompt with its brackets closed, so that what follows is not weighed. */
function closed(prompt: string): string {
  const { open } = readEmphasis(prompt);
  // A lone mark of escape at the end says nothing, and would escape what follows.
  const [slashes = ""] = /\\*$/.exec(prompt) ?? [];
  const whole = slashes.length % 2 === 1 ? prompt.slice(0, -1) : prompt;
  // Else a bracket would make a weight of a number at the end.
  const guard = open.round > 0 && /:\s*[+-]?[.\d]+\s*$/.test(whole.slice(-100)) ? "[]" : "";
  return whole + guard + ")".repeat(open.round) + "]".repeat(open.square);
}

/** Where `prefix` ends in `text`, but for case and the length of spaces; null where `text` begins otherwise. */
function endOfPrefix(text: string, prefix: string): number | null {
  let at = 0;
  const wanted = prefix.trim().split(/\s+/u);
  for (const [i, word] of wanted.entries()) {
    const start = at;
    while (at < text.length && /\s/u.test(text[at]!)) at++;
    if (i > 0 && at === start) return null;
    if (text.slice(at, at + word.length).toLowerCase() !== word.toLowerCase()) return null;
    at += word.length;
  }
  const isInWord = /[\p{L}\p{N}]$/u.test(prefix.trim()) && /^[\p{L}\p{N}]/u.test(text.slice(at, at + 2));
  return isInWord ? null : at;
}

function weighed(rewrite: string, { parts }: Emphasis): string {
  const [text, lower] = [rewrite, rewrite.toLowerCase()];
  // Some letters grow when they are lowered; then places in one text are not places in the other.
  const find = (phrase: string, from: number) =>
    lower.length === text.length ? lower.indexOf(phrase.toLowerCase(), from) : text.indexOf(phrase, from);
  let marked = "";
  let done = 0;
  for (const fragment of parts.flat()) {
    if (fragment.weight === 1) continue;
    for (const phrase of fragment.text.split(",").map((it) => it.trim())) {
      const at = phrase === "" ? -1 : find(phrase, done);
      if (at === -1 || !isWhole(text, at, at + phrase.length)) continue;
      const weight = Number(fragment.weight.toFixed(4));
      marked += `${escaped(text.slice(done, at))}(${escaped(text.slice(at, at + phrase.length))}:${weight})`;
      done = at + phrase.length;
    }
  }
  return marked + escaped(text.slice(done));
}

/** Whether no letter stands beside a place that begins and ends with one. */
function isWhole(text: string, start: number, end: number): boolean {
  const isLetter = (at: number) => /[\p{L}\p{N}]/u.test(text[at] ?? "");
  return !(isLetter(start) && isLetter(start - 1)) && !(isLetter(end - 1) && isLetter(end));
}
