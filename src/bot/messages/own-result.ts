import { PROMPT_MODES, SCHEDULERS } from "../../core/options.js";
import { labels } from "../words/labels.js";

const section = (title: string): RegExp => new RegExp(`\\*\\*${title}\\*\\*\`\`\`\\n([\\s\\S]*?)\\n\`\`\``);
const PROMPT = section(labels.prompt);
const REWRITE = section(labels.rewrite);
const NEGATIVE = section(labels.negative);
const ZERO_WIDTH_SPACES = /\u200B/g;

/**
 * The prompt and the settings of a result's embed, as the JSON that readOnePrompt takes; null for a message without a
 * prompt. Reads what promptSections and doneEmbed write.
 */
export function textOfResult(description: string): string | null {
  const plain = (text: string) => text.replace(ZERO_WIDTH_SPACES, "");
  const prompt = PROMPT.exec(description)?.[1] ?? promptOfDifference(description);
  if (prompt === undefined) return null;
  const negative = NEGATIVE.exec(description)?.[1];
  // A prompt may well have "seed 7" between dots.
  const lines = description.replace(/```\n[\s\S]*?\n```/g, "\n").split("\n");
  const values = lines.flatMap((line) => line.replace(/^-# /, "").split(" · "));
  const found = (pattern: RegExp) =>
    values.map((value) => pattern.exec(value)?.[1]).find((it) => it !== undefined);
  const settings = {
    negative: negative === undefined ? undefined : plain(negative),
    steps: found(/^([\d,]{1,6}) steps?$/)?.replace(",", ""),
    scheduler: values.find((value) => SCHEDULERS.some((name) => name === value)),
    prompt_mode: found(new RegExp(`^(${PROMPT_MODES.join("|")}) prompts$`)),
    guidance: found(/^guidance ([\d.]{1,9})$/),
    seed: found(/^seed (\d{1,16})$/),
    size: found(/^(\d{1,5}x\d{1,5})$/),
  };
  return JSON.stringify({ prompt: plain(prompt), settings });
}

/** The rewrite in the embed of a result that was not drawn, or of `/info`'s answer; null without one. */
export const rewriteOfResult = (description: string): string | null =>
  REWRITE.exec(description)?.[1]?.replace(ZERO_WIDTH_SPACES, "") ?? null;

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
