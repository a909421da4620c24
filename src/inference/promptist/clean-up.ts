/**
 * Tidies what a model of MagicPrompt's kind wrote behind a prompt: brackets, blanks around them and around hyphens,
 * separators between phrases, and what is no word at the end. The rules are those of dynamicprompts
 * (`clean_up_magic_prompt` in generators/magicprompt.py) but for three: the text keeps how it is joined to the prompt,
 * where theirs drops a comma or splits a word; brackets at its ends stay; and exclamation marks don't become weights,
 * which only one way of reading prompts knows. Empty where no word is left.
 */
export function cleanPhrases(written: string): string {
  const [join = ""] = /^[^\p{L}\p{N}_(]*/u.exec(written.replaceAll("{", "(").replaceAll("}", ")")) ?? [];
  const phrases = RULES.reduce((text, [rule, by]) => text.replace(rule, by), written);
  if (phrases === "") return "";
  return (/[,;.:]/.test(join) ? ", " : join === "" ? "" : " ") + phrases;
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/\{/g, "("],
  [/\}/g, ")"],
  [/^[^\p{L}\p{N}_(]+|[^\p{L}\p{N}_)]+$/gu, ""],
  [/\(\s+/g, "("],
  [/\s+\)/g, ")"],
  [/(?<=[\p{L}\p{N}_])\s+-\s+(?=[\p{L}\p{N}_])/gu, "-"],
  [/\s*[,;.]+\s*(?=[a-zA-Z(])/g, ", "],
  [/\s+_+\s+/g, " "],
  [/(?<=[\p{L}\p{N}_]),\s*,\s*(?=[\p{L}\p{N}_])/gu, ", "],
];
