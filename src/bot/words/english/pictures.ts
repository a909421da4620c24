import { count } from "./parts.js";

/** What `/info` says of a picture. */
export const pictureLines = {
  title: "How this picture was made",
  sheetTitle: "A contact sheet",
  shows: { baseline: "the prompt as written", optimized: "the rewrite", both: "both prompts" },
  drawn: (program: string, shows: string | null) =>
    `Made by ${program}${shows === null ? "" : `; it shows ${shows}`}.`,
  model: (name: string) => `Model: ${name}`,
  vae: (name: string) => `VAE: ${name}`,
  loras: (names: readonly string[]) => `LoRA: ${names.join(", ")}`,
  embeddings: (names: readonly string[]) => `Embeddings: ${names.join(", ")}`,
  clipSkip: (skip: number) => `Clip skip: ${skip}`,
  /** Before a list. */
  different: "**Different here:**",
  pairs: (pairs: number) => `It shows ${count(pairs, "pair")}. Attach one of its pictures to draw it again.`,
  next: "**Compare this** draws the prompt as written and as rewritten, with these settings.",
  nextPair: "**Compare this** draws both prompts again, with these settings.",
  attach: "To draw it with these settings, attach it to `/compare` as `from`.",
} as const;

/** What of a picture can't be drawn here, as sentences' parts; drafts store them, so they are English for everyone. */
export const pictureProblems = {
  steps: (asked: number, used: number) =>
    `${count(asked, "step")} are over the limit here, so ${used} are used`,
  size: (asked: string, used: string) => `${asked} can't be drawn here, so ${used} is used`,
  guidance: (asked: number) => `guidance ${asked} is out of range, so the usual one is used`,
  negative: "the negative prompt is too long for here, so its end is left out",
  newRewrite: "the picture's rewrite is too long for here, so Promptist makes a new one",
} as const;
