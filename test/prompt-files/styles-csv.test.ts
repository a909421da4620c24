import { describe, expect, it } from "vitest";
import { codeOf } from "../../src/core/errors.js";
import { STYLE_MAX } from "../../src/core/styles.js";
import { readStylesCsv, STYLES_FILE_MAX_BYTES } from "../../src/prompt-files/styles-csv.js";

const read = (text: string) => readStylesCsv(Buffer.from(text));

describe("readStylesCsv", () => {
  it("reads what A1111 writes: a byte order mark, quotes, commas and line ends in texts, gaps", () => {
    const text =
      '\uFEFFname,prompt,negative_prompt\r\nInk,"ink of {prompt}, thin, ""fine""",photo\r\n"Long, one","line one\nline two",\r\n';
    expect(read(text)).toEqual({
      styles: [
        { name: "Ink", prompt: 'ink of {prompt}, thin, "fine"', negative: "photo" },
        { name: "Long, one", prompt: "line one line two", negative: "" },
      ],
      tooLong: [],
      more: 0,
    });
  });

  it("reads an old file with the columns name and text, and UTF-16", () => {
    expect(read("name,text\nInk,thin lines\n").styles).toEqual([
      { name: "Ink", prompt: "thin lines", negative: "" },
    ]);
    const utf16 = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from("name,prompt\nTusche,dünn\n", "utf16le"),
    ]);
    expect(readStylesCsv(utf16).styles).toEqual([{ name: "Tusche", prompt: "dünn", negative: "" }]);
  });

  it("passes over comments and rows that only part a menu; the last of two with one name counts", () => {
    const rows = ["name,prompt,negative_prompt", "# mine,a,b", "---- photos ----,,", "Ink,a,", "ink,b,c"];
    expect(read(rows.join("\n")).styles).toEqual([{ name: "ink", prompt: "b", negative: "c" }]);
  });

  it("names what is too long and counts what is too many", () => {
    const many = Array.from({ length: STYLE_MAX.styles + 2 }, (_, i) => `style ${i},words,`);
    const long = `long,${"x".repeat(STYLE_MAX.words + 1)},`;
    const { styles, tooLong, more } = read(["name,prompt,negative_prompt", long, ...many].join("\n"));
    expect(styles).toHaveLength(STYLE_MAX.styles);
    expect(tooLong).toEqual(["long"]);
    expect(more).toBe(2);
  });

  it.each([
    ["a,b\nc,d\n", "FILE_STYLES"],
    ["name,prompt,negative_prompt\n", "FILE_STYLES"],
    ["", "FILE_STYLES"],
    [`name,prompt\nink,"${"a".repeat(20)}\n`, "FILE_STYLES"],
    ["\u0089PNG\r\n\u0000", "FILE_BINARY"],
    ["x".repeat(STYLES_FILE_MAX_BYTES + 1), "FILE_TOO_BIG"],
  ])("refuses %j", (text, code) => {
    const bytes = Buffer.from(text, "latin1");
    const failure = (() => {
      try {
        return readStylesCsv(bytes);
      } catch (error) {
        return codeOf(error);
      }
    })();
    expect(failure).toBe(code);
  });
});
