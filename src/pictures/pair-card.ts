import sharp, { type OverlayOptions } from "sharp";
import { type ImageOptions, type PictureSize, promptModeOf } from "../core/options.js";
import { type PerSide, SIDES, type Side } from "../core/side.js";
import type { From } from "../core/source.js";
import { applyStyle } from "../core/styles.js";
import { lineHeight, renderText, type TextBlock, type TextStyle } from "./text.js";

/** A pair of pictures as files, with its texts. */
export interface PairFiles {
  /** The prompt as written, and its rewrite. */
  readonly texts: PerSide<string>;
  /** Who wrote them, where that is a rewriter on either side. */
  readonly writers?: PerSide<string>;
  /** Absolute paths. */
  readonly files: PerSide<string>;
  /** Small print under the pair. */
  readonly caption: string;
  /** Sides to replace with blank panels. */
  readonly withheld?: readonly Side[];
}

/**
 * The small print under a pair: everything needed to draw it again.
 * @param except names of options that are not told, such as those along a grid's axes
 */
export function captionOf(
  image: Omit<ImageOptions, "from"> & { readonly from?: Pick<From, "strength"> },
  checkpoint: string,
  except: readonly string[] = [],
): string {
  const { seed, steps, guidance, scheduler, speed, style, from } = image;
  const { negative } = applyStyle({ prompt: "", negative: image.negative }, style);
  const mode = promptModeOf(image);
  const parts: Readonly<Record<string, string | null>> = {
    seed: `seed ${seed}`,
    speed: speed === undefined || speed === "full" ? null : `speed ${speed}`,
    steps: `${steps} steps`,
    guidance: `guidance ${guidance}`,
    scheduler,
    from: from === undefined ? null : `from a picture, strength ${from.strength}`,
    prompts: mode === "diffusers" ? null : `${mode} prompts`,
    style: style === undefined ? null : `style ${style.name}`,
    model: checkpoint,
    negative: negative === "" ? null : `without: ${negative}`,
  };
  // A checkpoint's name tells its LoRAs.
  const ofLoras = except.some((name) => name === "lora" || name === "strength") ? ["model"] : [];
  const untold = new Set([...except, ...ofLoras, ...(except.includes("speed") ? OF_SPEED : [])]);
  return Object.entries(parts)
    .flatMap(([name, part]) => (part === null || untold.has(name) ? [] : [part]))
    .join("  ·  ");
}

/** What a speed decides. */
const OF_SPEED = ["steps", "guidance", "scheduler", "model"];

/** Dark and quiet like Discord's own colours, so that the pictures stand out. */
export const COLORS = {
  background: "#1e1f22",
  label: "#9aa0aa",
  accent: "#9db0ff",
  rule: "#3a3c43",
  prompt: "#e6e7ea",
  small: "#84888f",
} as const;

/** Lengths in pixels. */
export interface CardStyle {
  /** Width of one picture. */
  readonly column: number;
  /** Between the two columns. */
  readonly gap: number;
  readonly labelSize: number;
  readonly promptSize: number;
  readonly promptLines: number;
}

/** A pair whose parts are measured and ready to place. */
export interface PairCard {
  readonly width: number;
  readonly headerHeight: number;
  readonly pictureHeight: number;
  /** Layers with the card's top left corner at (left, top); a taller header keeps a row of cards aligned. */
  place(left: number, top: number, headerHeight?: number): OverlayOptions[];
}

const RULE_HEIGHT = 3;

/** @param number put before the first label, unless null */
export async function pairCard(pair: PairFiles, style: CardStyle, number: number | null): Promise<PairCard> {
  const { column, gap, labelSize, promptSize, promptLines } = style;
  const nameOf = (side: Side) => pair.writers?.[side] ?? side;
  const sides = SIDES.map((side, i) => ({
    label: number === null || i > 0 ? nameOf(side) : `${number} · ${nameOf(side)}`,
    prompt: pair.texts[side],
    file: pair.files[side],
    accent: side === "optimized",
    blank: pair.withheld?.includes(side) ?? false,
  }));
  const promptStyle: TextStyle = { weight: "book", size: promptSize, color: COLORS.prompt };
  const labelLine = await lineHeight({ weight: "bold", size: labelSize, color: COLORS.label });
  const space = Math.round(promptSize * 0.45);
  const promptTop = RULE_HEIGHT + space + labelLine + Math.round(space / 2);

  const parts = await Promise.all(
    sides.map(async ({ label, prompt, file, accent, blank }) => {
      const color = accent ? COLORS.accent : COLORS.label;
      return {
        rule: await rule(column, accent ? COLORS.accent : COLORS.rule),
        label: await renderText(label, { weight: "bold", size: labelSize, color }, column, 1),
        prompt: await renderText(prompt, promptStyle, column, promptLines),
        picture: await (blank ? hidden(file, column, labelSize) : fitted(file, { width: column })),
      };
    }),
  );
  const promptHeight = Math.max(...parts.map((part) => part.prompt.height));
  const ownHeader = promptTop + promptHeight + 2 * space;
  return {
    width: 2 * column + gap,
    headerHeight: ownHeader,
    pictureHeight: Math.max(...parts.map((part) => part.picture.height)),
    place: (left, top, headerHeight = ownHeader) =>
      parts.flatMap((part, i) => {
        const x = left + i * (column + gap);
        return [
          { input: part.rule, left: x, top },
          ...layer(part.label, x, top + RULE_HEIGHT + space),
          ...layer(part.prompt, x, top + promptTop),
          { input: part.picture.png, left: x, top: top + headerHeight },
        ];
      }),
  };
}

/** A text block as a layer; an empty list for an empty block. */
export function layer(block: TextBlock, left: number, top: number): OverlayOptions[] {
  if (block.pixels === null) return [];
  const { width, height } = block;
  return [
    { input: block.pixels.subarray(0, 4 * width * height), raw: { width, height, channels: 4 }, left, top },
  ];
}

const rule = (width: number, color: string): Promise<Buffer> =>
  sharp({ create: { width, height: RULE_HEIGHT, channels: 3, background: color } })
    .png()
    .toBuffer();

const CORNER = 6;
const BLANK_LABEL = "withheld";

/** A panel the size of the picture that it replaces, showing nothing of it. */
async function hidden(
  file: string,
  width: number,
  labelSize: number,
): Promise<{ png: Buffer; height: number }> {
  const picture = await sharp(file).metadata();
  const height = Math.round((width * (picture.height ?? 1)) / (picture.width ?? 1));
  return { png: await blankPanel({ width, height }, labelSize, BLANK_LABEL), height };
}

/** An empty panel that says why. */
export async function blankPanel(
  { width, height }: PictureSize,
  labelSize: number,
  text: string,
): Promise<Buffer> {
  const label = await renderText(text, { weight: "book", size: labelSize, color: COLORS.small }, width, 1);
  const panel = Buffer.from(
    `<svg width="${width}" height="${height}"><rect width="100%" height="100%" rx="${CORNER}" fill="${COLORS.rule}"/></svg>`,
  );
  return sharp(panel)
    .composite(layer(label, Math.round((width - label.width) / 2), Math.round((height - label.height) / 2)))
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A picture scaled to a width, or to fit a box, with slightly rounded corners. */
export async function fitted(
  file: string,
  { width, height }: { readonly width: number; readonly height?: number },
): Promise<PictureSize & { png: Buffer }> {
  const { data, info } = await sharp(file)
    .resize({ width, ...(height === undefined ? {} : { height, fit: "inside" }), kernel: "lanczos3" })
    .removeAlpha()
    .png({ compressionLevel: 1 })
    .toBuffer({ resolveWithObject: true });
  const corners = Buffer.from(
    `<svg width="${info.width}" height="${info.height}"><rect width="100%" height="100%" rx="${CORNER}"/></svg>`,
  );
  const png = await sharp(data)
    .ensureAlpha()
    .composite([{ input: corners, blend: "dest-in" }])
    .png({ compressionLevel: 1 })
    .toBuffer();
  return { png, width: info.width, height: info.height };
}
