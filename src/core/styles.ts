import { InputError } from "./errors.js";

/**
 * Styles: words that are put around a prompt when it is drawn (docs/adr/0010-styles.md). What Promptist reads, and what a
 * message shows as the prompt, stays without them.
 */

/** Where the prompt stands in a style's words; A1111's `styles.csv` writes it so. */
export const GAP = "{prompt}";

/** The words of a style. In both texts GAP marks where the prompt goes; without it the words follow the prompt. */
export interface StyleWords {
  readonly prompt: string;
  readonly negative: string;
}

/** A style as a job keeps it: its own copy, so that a later change of the style changes no stored job. */
export interface Style extends StyleWords {
  readonly name: string;
}

/** What is drawn of a prompt. */
export interface Styled {
  readonly prompt: string;
  readonly negative: string;
}

/** Most that is stored: styles of one server or person, characters of a name and of each of the two texts. */
export const STYLE_MAX = Object.freeze({ styles: 200, name: 50, words: 1000 });

/** The name that stands for no style, where a channel has one by default. */
export const NO_STYLE = "none";

/** Names are compared without case and outer spaces. */
export const styleKey = (name: string): string => name.normalize("NFC").trim().toLowerCase();

/**
 * What is drawn of a prompt and a negative prompt in a style: each text of the style with the prompt in its gap, or
 * behind the prompt after a comma (`merge_prompts` in A1111's modules/styles.py). A negative prompt that has the
 * style's words already stays as it is.
 */
export function applyStyle({ prompt, negative }: Styled, style: StyleWords | undefined): Styled {
  if (style === undefined) return { prompt, negative };
  return {
    prompt: around(prompt, style.prompt),
    negative: has(negative, style.negative) ? negative : around(negative, style.negative),
  };
}

function around(text: string, words: string): string {
  // Not `replaceAll`, to which `$&` in a prompt is a sign.
  if (words.includes(GAP)) return words.split(GAP).join(text);
  return [text, words]
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .join(", ");
}

const has = (negative: string, words: string): boolean =>
  !words.includes(GAP) && negative.toLowerCase().includes(words.toLowerCase());

/** The styles that every server has. */
export const PRESETS: readonly Style[] = [
  {
    name: "photo",
    prompt: "photograph of {prompt}, natural light, 50 mm lens, fine detail, true colours",
    negative: "drawing, painting, render, oversaturated",
  },
  {
    name: "portrait light",
    prompt: "{prompt}, studio portrait, soft key light, dark backdrop, shallow focus",
    negative: "harsh flash, cluttered background, cropped head",
  },
  {
    name: "film still",
    prompt: "still from a film, {prompt}, wide frame, evening light, light grain, muted colours",
    negative: "text, subtitles, flat lighting",
  },
  {
    name: "watercolour",
    prompt: "watercolour of {prompt}, wet paper, soft edges, pale washes, white margin",
    negative: "photo, hard outlines, glossy",
  },
  {
    name: "oil painting",
    prompt: "oil painting of {prompt}, visible brush strokes, thick paint, warm shadows, canvas",
    negative: "photo, flat colours, smooth plastic",
  },
  {
    name: "ink drawing",
    prompt: "ink drawing of {prompt}, black lines, cross-hatching, plain white paper",
    negative: "colour, photo, blur",
  },
  {
    name: "storybook",
    prompt: "illustration from a picture book, {prompt}, gouache, round shapes, friendly colours",
    negative: "photo, gloomy, gore",
  },
  {
    name: "comic",
    prompt: "comic panel, {prompt}, bold outlines, flat colours, halftone dots",
    negative: "photo, blurry lines, speech bubbles",
  },
  {
    name: "woodcut",
    prompt: "woodcut print of {prompt}, carved lines, two colours, rough paper",
    negative: "photo, gradients, gloss",
  },
  {
    name: "clay model",
    prompt: "{prompt} as a clay model, fingerprints in the clay, small set, soft lamp light",
    negative: "photo of a real person, flat drawing, metal",
  },
  {
    name: "pixel art",
    prompt: "pixel art of {prompt}, few colours, clean grid, side view",
    negative: "photo, blur, gradients, soft edges",
  },
  {
    name: "isometric",
    prompt: "isometric miniature of {prompt}, cut-away block, even light, plain background",
    negative: "perspective, photo, clutter",
  },
];

/** A style by its name in a list; undefined where there is none. */
export const styleNamed = (name: string, styles: readonly Style[]): Style | undefined =>
  styles.find((style) => styleKey(style.name) === styleKey(name));

/** The same; throws InputError INPUT_STYLE where there is none. */
export function requireStyle(name: string, styles: readonly Style[]): Style {
  const style = styleNamed(name, styles);
  if (style !== undefined) return style;
  const names = styles.map((it) => it.name).join(", ");
  throw new InputError("INPUT_STYLE", `There is no style ${name}. Choose one of: ${names}.`, { style: name });
}

/** The presets under a server's own styles, of which one replaces the preset of its name; own ones first. */
export const withPresets = (own: readonly Style[]): readonly Style[] => [
  ...own.map(({ name, prompt, negative }) => ({ name, prompt, negative })),
  ...PRESETS.filter(({ name }) => styleNamed(name, own) === undefined),
];
