import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TextBlock, TextStyle } from "../../src/pictures/text.js";

/**
 * This file runs in its own process, whose font library is told before it starts that the system has no
 * fonts: all text is drawn in the program's own font.
 */
let folder: string;
let text: typeof import("../../src/pictures/text.js");
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "promptist-fonts-"));
  const config = join(folder, "fonts.conf");
  writeFileSync(
    config,
    '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>',
  );
  process.env.FONTCONFIG_FILE = config;
  text = await import("../../src/pictures/text.js");
});
afterAll(async () => {
  delete process.env.FONTCONFIG_FILE;
  await rm(folder, { recursive: true, force: true });
});

const book: TextStyle = { weight: "book", size: 18, color: "#ff8000" };
const bold: TextStyle = { ...book, weight: "bold" };

/** Sum of opacity, 1 for a full pixel. */
const ink = ({ pixels }: TextBlock): number =>
  pixels === null ? 0 : pixels.reduce((sum, value, i) => (i % 4 === 3 ? sum + value / 255 : sum), 0);

describe("renderText without any system font", () => {
  it("knows which scripts it lacks", async () => {
    expect(await text.undrawnScripts()).toEqual(["Chinese", "Japanese", "Korean", "emoji"]);
  });

  it("has the two weights of DejaVu Sans, whose widths are known", async () => {
    const one = await text.renderText("Hamburgefonts", book, 500, 1);
    const two = await text.renderText("Hamburgefonts", bold, 500, 1);
    // At 18 pixels per em, computed from the font's own advance widths.
    expect(Math.abs(one.width - 138)).toBeLessThanOrEqual(3);
    expect(Math.abs(two.width - 158)).toBeLessThanOrEqual(3);
    expect(ink(two)).toBeGreaterThan(1.3 * ink(one));
  });

  it("paints in the requested colour", async () => {
    const { pixels } = await text.renderText("████", book, 500, 1);
    const opaque = Array.from({ length: pixels!.length / 4 }, (_, i) => 4 * i).filter(
      (i) => pixels![i + 3] === 255,
    );
    expect(opaque.length).toBeGreaterThan(100);
    expect(opaque.every((i) => pixels![i] === 255 && pixels![i + 1] === 128 && pixels![i + 2] === 0)).toBe(
      true,
    );
  });

  it("puts the first line at the same height whatever its letters", async () => {
    const firstRow = async (word: string): Promise<number> => {
      const { pixels, width } = await text.renderText(word, book, 500, 1);
      return Math.floor(pixels!.findIndex((value, i) => i % 4 === 3 && value > 128) / 4 / width);
    };
    // x has no ascender, so its ink starts lower than l's, whatever the neighbours.
    expect((await firstRow("xxx")) - (await firstRow("lxx"))).toBeGreaterThanOrEqual(3);
    expect(await firstRow("gl")).toBe(await firstRow("l"));
  });

  it("wraps to the width and counts lines", async () => {
    const line = await text.lineHeight(book);
    const block = await text.renderText("word ".repeat(40), book, 200, 20);
    expect(block.width).toBeLessThanOrEqual(202);
    expect(block.cut).toBe(false);
    expect(Math.round(block.height / line)).toBeGreaterThanOrEqual(9);
  });

  it.each([
    ["words", "lovely landscape, detailed ".repeat(40)],
    ["one word of 6,000 letters", "a".repeat(6000)],
    ["6,000 characters of Chinese", "漢字".repeat(3000)],
    ["6,000 emoji", "👩‍👩‍👧‍👦🎨".repeat(600)],
    ["right to left", "שלום עולם ".repeat(200)],
  ])("cuts to the lines asked for: %s", async (_, long) => {
    const line = await text.lineHeight(book);
    const block = await text.renderText(long, book, 300, 3);
    expect(block.cut).toBe(true);
    expect(block.height).toBeLessThanOrEqual(3 * line + 1);
    expect(block.height).toBeGreaterThan(2 * line);
    expect(block.width).toBeLessThanOrEqual(304);
    expect(block.pixels!.length).toBeGreaterThanOrEqual(4 * block.width * block.height);
    expect(ink(block)).toBeGreaterThan(100);
  });

  it("treats markup as text", async () => {
    const plain = await text.renderText('<b>"A & B"</b> &amp; it\'s', book, 500, 1);
    const shorter = await text.renderText('"A & B" & it\'s', book, 500, 1);
    expect(plain.width).toBeGreaterThan(shorter.width + 40);
  });

  it.each([
    ["nothing", ""],
    ["white space", " \n\t\u2028 "],
    ["controls", "\u0000\u0001\u001b\u007f\u0085"],
  ])("renders nothing for %s", async (_, empty) => {
    expect(await text.renderText(empty, book, 300, 3)).toMatchObject({ pixels: null, height: 0 });
  });

  it.each([
    ["controls between letters", "a\u0000b\u001b[31mc"],
    ["halves of characters", "x\ud83d y\udc00"],
    ["non-characters", "a\ufffe\uffff\u{1fffe}b"],
    ["overridden direction", "a\u202edcba\u202c"],
    ["private use", "\ue000\u{f0000}"],
    ["invisible", "\u200b\u200d\ufeff\u00ad"],
  ])("survives %s", async (_, odd) => {
    const block = await text.renderText(odd, book, 300, 3);
    expect(block.cut).toBe(false);
  });

  it("does not let stacked marks paint over the picture", async () => {
    const line = await text.lineHeight(book);
    const heap = `z${"\u0310\u0316".repeat(500)}algo`;
    expect((await text.renderText(heap, book, 300, 2)).height).toBeLessThanOrEqual(2 * line + 1);
  });
});
