import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/bot/commands/index.js";
import { messageMenus } from "../../src/bot/commands/message-menus.js";
import { csvReport } from "../../src/bot/messages/parts/report.js";
import { EXIT } from "../../src/cli/parts/exit-code.js";
import { buildProgram } from "../../src/cli/program.js";
import { loadConfig, VARIABLES } from "../../src/config.js";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { sqliteMigrations } from "../../src/db/sqlite/migrate.js";
import { PICTURE_COLUMNS } from "../../src/evaluation/report.js";
import { pngTexts } from "../../src/pictures/png.js";

const page = readFileSync(new URL("../../docs/stability.md", import.meta.url), "utf8");

/** The names in backquotes after `from` and before `to`. */
function names(from: string, to: string): string[] {
  const start = page.indexOf(from);
  const end = page.indexOf(to, start + from.length);
  expect(Math.min(start, end), `${from} ... ${to}`).toBeGreaterThan(0);
  return [...page.slice(start, end).matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
}

test("every variable is promised, and no other", () => {
  const promised = names("doesn't go unnoticed.", "## Commands");
  expect(promised.toSorted()).toEqual(Object.keys(VARIABLES).toSorted());
});

test("every command that is promised exists, in Discord and on the command line", () => {
  const inDiscord = [...COMMANDS.keys()].map((name) => `/${name}`);
  const promised = names("In Discord:", "On the command line:");
  expect(promised).toHaveLength(COMMANDS.size);
  expect(inDiscord.toSorted()).toEqual(promised.toSorted());
  for (const { name } of messageMenus) expect(page).toContain(`"${name}"`);
  const program = buildProgram(loadConfig({}, "/"));
  for (const verb of names("On the command line:", "With `--json`")) {
    const found = verb
      .split(" ")
      .reduce<typeof program | undefined>(
        (at, word) => at?.commands.find((one) => one.name() === word),
        program,
      );
    expect(found, verb).toBeDefined();
  }
});

test("the exit codes are those of the table", () => {
  const rows = [...page.matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual(Object.values(EXIT));
});

test("a report has the promised columns first, in this order", () => {
  const header = csvReport({
    id: "",
    items: [],
    text: DEFAULT_TEXT_OPTIONS,
    image: { ...DEFAULT_IMAGE_OPTIONS, guidance: 1, seed: 0 },
    checkpoints: { promptist: null, diffusion: null },
    hashes: { promptist: null, diffusion: null },
  }).trim();
  const promised = names("come at the end:", "`prompts.json`");
  expect(promised.length).toBeGreaterThan(20);
  expect(header.split(",").slice(0, promised.length)).toEqual(promised);
});

test("an evaluation's pictures.csv has the promised columns first, in this order", () => {
  const [, ...promised] = names("Columns of an evaluation's", "Its `report.json`");
  expect(promised.length).toBeGreaterThan(10);
  expect(PICTURE_COLUMNS.map(([name]) => name).slice(0, promised.length)).toEqual(promised);
});

test("a picture has the promised text keys", () => {
  const texts = pngTexts({
    prompt: "",
    negative: "",
    seed: 0,
    steps: 1,
    guidance: 1,
    scheduler: "pndm",
    size: { width: 8, height: 8 },
    checkpoint: "",
    models: { model: { name: "", hash: null }, vae: null, clipSkip: 0, loras: [], embeddings: [] },
    pair: null,
    program: "",
  });
  expect(names("Text keys of each PNG", "JSON under")).toEqual(Object.keys(texts));
  expect(names("JSON under", "What the picture shows").slice(1)).toEqual(
    Object.keys(JSON.parse(texts.promptist)),
  );
});

test("the database's migrations are numbered without a gap", () => {
  const numbers = sqliteMigrations().map(({ number }) => number);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  expect(page).toContain("`QUEUE_NEWER_SCHEMA`");
});
