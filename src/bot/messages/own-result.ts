import { PROMPT_MODES, SCHEDULERS, SPEEDS } from "../../core/options.js";
import { rewriterNamed, styleIn } from "../../core/rewriters.js";
import { english, type Words } from "../words/english/english.js";
import { OFFERED, wordsOf } from "../words/languages.js";

const SPOKEN: readonly Words[] = [english, ...OFFERED.map(wordsOf)];
const ZERO_WIDTH_SPACES = /\u200B/g;

/** The text below a title, a part of a regular expression, whichever of the languages the title is in. */
function sectionOf(description: string, titleOf: (words: Words) => string): string | undefined {
  const titles = [...new Set(SPOKEN.map(titleOf))].join("|");
  return new RegExp(`\\*\\*(?:${titles})\\*\\*\`\`\`\\n([\\s\\S]*?)\\n\`\`\``).exec(description)?.[1];
}

/** The numbers that a text may have been written with: "1,234 steps", "guidance 7.5" or "Guidance 7,5". */
function numbersIn(text: string): number[] {
  const digits = /\d[\d.,\s]*/.exec(text)?.[0] ?? "";
  return [digits.replace(/\D/g, ""), digits.replace(",", ".")].filter(Boolean).map(Number);
}

/** The number in the first of some texts that is what `say` makes of it, in one of the languages. */
function saidNumber(
  texts: readonly string[],
  say: (words: Words, value: number) => string,
): string | undefined {
  for (const text of texts) {
    const value = numbersIn(text).find((one) => SPOKEN.some((words) => say(words, one) === text));
    if (value !== undefined) return String(value);
  }
  return undefined;
}

/** The name of a style in one of some texts, in any of the languages. */
function namedStyle(texts: readonly string[]): string | undefined {
  for (const { styleLines } of SPOKEN) {
    const [before = "", after = ""] = styleLines.option("\n").split("\n");
    const found = texts.find((text) => text.startsWith(`${before}\``) && text.endsWith(`\`${after}`));
    if (found !== undefined) return found.slice(before.length + 1, found.length - after.length - 1);
  }
  return undefined;
}

/**
 * The prompt and the settings of a result's embed, in any of the languages, as the JSON that readOnePrompt takes;
 * null for a message without a prompt. Reads what promptSections and doneEmbed write.
 */
export function textOfResult(description: string): string | null {
  const plain = (text: string) => text.replace(ZERO_WIDTH_SPACES, "");
  const prompt = sectionOf(description, ({ labels }) => labels.prompt) ?? promptOfDifference(description);
  if (prompt === undefined) return null;
  const negative = sectionOf(description, ({ labels }) => labels.negative);
  // A prompt may well have "seed 7" between dots.
  const lines = description.replace(/```\n[\s\S]*?\n```/g, "\n").split("\n");
  const values = lines.flatMap((line) => line.replace(/^-# /, "").split(" · "));
  const settings = {
    negative: negative === undefined ? undefined : plain(negative),
    steps: saidNumber(values, ({ resultLines }, steps) => resultLines.steps(steps)),
    scheduler: values.find((value) => SCHEDULERS.some((name) => name === value)),
    prompt_mode: PROMPT_MODES.find((mode) =>
      SPOKEN.some(({ resultLines }) => values.includes(resultLines.prompts(mode))),
    ),
    guidance: saidNumber(values, ({ resultLines }, guidance) => resultLines.guidance(guidance)),
    seed: saidNumber(values, ({ resultLines }, seed) => resultLines.seed(seed)),
    // A result says its speed unless it is full.
    speed:
      SPEEDS.find((speed) => SPOKEN.some(({ resultLines }) => values.includes(resultLines.speed(speed)))) ??
      "full",
    style: namedStyle(values),
    size: values.find((value) => /^\d{1,5}x\d{1,5}$/.test(value)),
  };
  return JSON.stringify({ prompt: plain(prompt), settings });
}

/** The rewrite in the embed of a result that was not drawn, or of `/info`'s answer; null without one. */
export const rewriteOfResult = (description: string): string | null =>
  sectionOf(description, ({ labels }) => labels.rewriteBy("[^*\\n]{1,80}"))?.replace(ZERO_WIDTH_SPACES, "") ??
  null;

/** Who wrote the other text, by name, and that text, in `/info`'s answer; null without one. */
export function opponentOfResult(
  description: string,
): { readonly rewriter: string; readonly rewrite: string } | null {
  for (const { labels } of SPOKEN) {
    const heading = new RegExp(`\\*\\*${labels.against("([^*\\n]{1,80})")}\\*\\*\`\`\``);
    const title = heading.exec(description)?.[1];
    if (title === undefined) continue;
    const rewrite = sectionOf(description, ({ labels }) => labels.against(escaped(title)));
    const rewriter = styleIn(title) === null ? rewriterNamed(title) : title;
    if (rewrite !== undefined && rewriter !== undefined)
      return { rewriter, rewrite: rewrite.replace(ZERO_WIDTH_SPACES, "") };
  }
  return null;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The prompt in the small line under a rewrite, which diffMarkdown writes; undefined if it is cut or absent. */
function promptOfDifference(description: string): string | undefined {
  const line = /```\n-# ([^\n]*)/.exec(description)?.[1];
  if (line === undefined || line.endsWith("…")) return undefined;
  let prompt = "";
  let isAdded = false;
  for (const { 0: sign } of line.matchAll(/\\.|\*\*|~~|[\s\S]/gu)) {
    if (sign === "**") isAdded = !isAdded;
    else if (sign !== "~~" && !isAdded) prompt += sign.length === 2 && sign.startsWith("\\") ? sign[1] : sign;
  }
  // The spaces around added words stay.
  return prompt.replace(/ {2,}/g, " ").trim();
}
