import type { Side } from "../../../core/side.js";
import { listed, number } from "./parts.js";

/** Why pictures are missing or behind a click. Nobody is told which concept the safety checker found. */
export const safetyLines = {
  picture: (side: Side) =>
    side === "baseline" ? "the picture of the prompt as written" : "the picture of the rewrite",
  pictureOf: (prompt: number, side: Side) =>
    side === "baseline" ? `prompt ${prompt} as written` : `the rewrite of prompt ${prompt}`,
  more: (pictures: number) => `${number(pictures)} more`,
  withheld: (
    pictures: readonly string[],
    why: "flagged" | "flagged-by-choice" | "unchecked",
    redraw: "buttons" | "command",
  ) => {
    const [it, is] = pictures.length === 1 ? ["it", "is"] : ["them", "are"];
    const what = `${listed(pictures).replace(/^./, (letter) => letter.toUpperCase())} ${is} withheld: `;
    if (why === "unchecked")
      return `${what}no safety checker has seen ${it}, and pictures that none has seen are not posted here.`;
    const because =
      why === "flagged"
        ? `the safety checker flagged ${it}, and this channel is not age-restricted.`
        : `the safety checker flagged ${it}, and the settings here withhold what it flags.`;
    const todo =
      redraw === "buttons"
        ? "Whoever asked for this can draw again with the buttons below: with a new seed or other words."
        : "Whoever asked for this can draw such a prompt again with `/compare`: with another seed or other words.";
    return `${what}${because} ${todo}`;
  },
  behindClick: (flagged: boolean) =>
    flagged
      ? "Behind a click, because the safety checker flagged something here."
      : "Behind a click, because no safety checker has seen these pictures.",
  /** While people vote elsewhere, leaving a picture out would tell which is which. */
  blindElsewhere: "People are still voting on this pair, so it can't be shown here until the vote is over.",
} as const;
