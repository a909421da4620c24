import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const SENTENCES = ["bot/words", "bot/words/english", "bot/discord"];
const MESSAGES = ["bot/messages", "bot/messages/parts", ...SENTENCES];

/**
 * Which room may import which (docs/architecture.md). Type imports count too. A sub-room may import what its
 * room may, but of its own room only what is listed for it.
 */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  "core/hosts": ["core"],
  "core/statistics": [],
  files: ["core"],
  "prompt-files": ["core"],
  db: ["core"],
  "db/sql": ["db"],
  "db/sqlite": ["db", "db/sql"],
  "db/postgres": ["db", "db/sql"],
  pictures: ["core", "db", "files"],
  evaluation: ["core", "files"],
  taste: ["core", "db"],
  bot: ["core", "db", "pictures", "prompt-files", "evaluation", "taste"],
  "bot/discord": [],
  "bot/words": ["bot/words/english", "bot/discord"],
  "bot/words/english": ["bot/discord"],
  "bot/messages": ["bot/messages/parts", ...SENTENCES],
  "bot/messages/parts": SENTENCES,
  "bot/delivery": MESSAGES,
  "bot/requests": ["bot/delivery", ...MESSAGES],
  "bot/buttons": ["bot/requests", "bot/delivery", ...MESSAGES],
  "bot/commands": ["bot/requests", ...MESSAGES],
  onnx: ["core"],
  models: ["core", "onnx"],
  checkpoints: ["core", "files", "models", "onnx", "checkpoints/layouts", "checkpoints/files"],
  "checkpoints/files": [],
  "checkpoints/layouts": ["checkpoints/layouts/lora", "checkpoints/files"],
  "checkpoints/layouts/lora": ["checkpoints/files"],
  "checkpoints/library": ["checkpoints/layouts", "checkpoints/files"],
  "checkpoints/hub": ["checkpoints/layouts", "checkpoints/files"],
  inference: ["core", "db", "files", "models", "onnx", "checkpoints", "pictures", "taste"],
  "inference/numbers": [],
  "inference/runtime": [],
  "inference/tokenizers": [],
  "inference/promptist": ["inference/runtime", "inference/tokenizers"],
  "inference/diffusion": ["inference/runtime", "inference/numbers", "inference/diffusion/schedulers"],
  "inference/diffusion/schedulers": ["inference/numbers"],
  "inference/upscaling": ["inference/runtime", "inference/diffusion"],
  "inference/judging": ["inference/runtime", "inference/tokenizers", "inference/numbers"],
  "inference/worker": [
    "inference/runtime",
    "inference/tokenizers",
    "inference/promptist",
    "inference/diffusion",
    "inference/judging",
    "inference/upscaling",
  ],
  "inference/loop": ["inference/worker", "inference/runtime"],
  metrics: ["core"],
  config: ["core", "variable"],
  variable: ["core"],
};
/** The rooms that know all others. Nothing imports them, except that the command line starts the program. */
const TOPS = ["main", "cli"];

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

const name = (path: string) => relative(SOURCE, path).split(sep).join("/");
/** The folder of a file; for a file of src itself, its name. */
const roomOf = (file: string) => (file.includes("/") ? posix.dirname(file) : file.replace(/\.ts$/, ""));
const topOf = (room: string) => room.split("/")[0]!;

/** What a file imports, statically, as a type, or at run time. */
const importsOf = (file: string) =>
  ts
    .preProcessFile(readFileSync(join(SOURCE, file), "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName);

/** Every file of src with the files of ours that it imports. */
const graph = new Map(
  sourceFiles(SOURCE).map((path) => {
    const targets = importsOf(name(path))
      .filter((target) => target.startsWith(".") && target.endsWith(".js"))
      .map((target) => posix.join(dirname(name(path)).split(sep).join("/"), target.replace(/\.js$/, ".ts")));
    return [name(path), targets] as const;
  }),
);

/** Whether the room lists `to`, or one of its outer rooms may import it from outside. */
function mayImport(room: string, to: string): boolean {
  const top = topOf(room);
  if (TOPS.includes(top)) return topOf(to) !== "cli" || (room === "cli" && to === "cli/parts");
  if (topOf(to) === top) return (ALLOWED[room] ?? []).includes(to) || (room === top && room === "bot");
  return (ALLOWED[top] ?? []).includes(topOf(to));
}

test("rooms import only allowed rooms", () => {
  expect(graph.size).toBeGreaterThan(30);
  const wrong: string[] = [];
  for (const [file, targets] of graph) {
    const room = roomOf(file);
    for (const target of targets) {
      const to = roomOf(target);
      const startsProgram = room === "cli" && to === "main";
      if (to !== room && !startsProgram && !mayImport(room, to)) wrong.push(`${file} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only the engine and those who start it know SQLite", () => {
  const isEngine = (file: string) => roomOf(file) === "db/sqlite";
  const knowing = [...graph]
    .filter(
      ([file, targets]) =>
        !isEngine(file) && (targets.some(isEngine) || importsOf(file).includes("better-sqlite3")),
    )
    .map(([file]) => file);
  expect(knowing).toContain("main/engine.ts");
  expect(knowing.filter((file) => !TOPS.includes(topOf(roomOf(file))))).toEqual([]);
});

test("only the announced store tells that a row has changed", () => {
  const told = (file: string) =>
    [...readFileSync(join(SOURCE, file), "utf8").matchAll(/\bemit\(\s*"([^"]+)"/g)].map(([, name]) => name!);
  const announcer = "db/announce.ts";
  expect([...new Set(told(announcer))].sort()).toEqual([
    "host.paused",
    "job.cancel-requested",
    "job.claimed",
    "job.delivered",
    "job.enqueued",
    "job.erased",
    "job.finished",
    "job.item",
    "job.picture",
    "job.requeued",
    "job.sheet",
    "queue.paused",
    "queue.resumed",
  ]);
  const elsewhere = [...graph.keys()].filter((file) => file !== announcer).flatMap(told);
  expect(new Set(elsewhere.filter((name) => /^(host|job|queue)\./.test(name)))).toEqual(
    new Set(["job.progress", "job.preview"]),
  );
});

/** The circles of a graph, each as the nodes on it. */
function circlesOf(arrows: ReadonlyMap<string, Iterable<string>>): string[] {
  const circles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (node: string, path: readonly string[]) => {
    if (state.get(node) === "done") return;
    if (state.get(node) === "open") {
      circles.push([...path.slice(path.indexOf(node)), node].join(" -> "));
      return;
    }
    state.set(node, "open");
    for (const target of arrows.get(node) ?? []) visit(target, [...path, node]);
    state.set(node, "done");
  };
  for (const node of arrows.keys()) visit(node, []);
  return circles;
}

test("files form no import cycle, types included", () => {
  expect(circlesOf(graph)).toEqual([]);
});

test("folders form no import cycle, types included", () => {
  const rooms = new Map<string, Set<string>>();
  for (const [file, targets] of graph) {
    const room = roomOf(file);
    const seen = rooms.get(room) ?? new Set();
    for (const target of targets) if (roomOf(target) !== room) seen.add(roomOf(target));
    rooms.set(room, seen);
  }
  expect(circlesOf(rooms)).toEqual([]);
});

/** Each holds every sentence in one language; what they have in common is their shape. */
const TRANSLATIONS = /^bot\/words\/[a-z]{2}\.ts$/;

test("no file has more than 550 lines, and no folder more than 30 files", () => {
  const large: string[] = [];
  const measure = (folder: string) => {
    const entries = readdirSync(folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    if (files.length > 30) large.push(`${folder}: ${files.length} files`);
    for (const { name } of files.filter((file) => /\.(ts|js)$/.test(file.name))) {
      const lines = readFileSync(join(folder, name), "utf8").split("\n").length - 1;
      const isTranslation = TRANSLATIONS.test(relative(SOURCE, join(folder, name)));
      if (lines > 550 && !isTranslation) large.push(`${join(folder, name)}: ${lines} lines`);
    }
    for (const entry of entries) if (entry.isDirectory()) measure(join(folder, entry.name));
  };
  measure(SOURCE);
  measure(fileURLToPath(new URL("../packages/local-discord/src/", import.meta.url)));
  expect(large).toEqual([]);
});

test("only config.ts reads the environment", () => {
  const readers = [...graph.keys()].filter(
    // A module may set variables for a library; only reading is refused.
    (file) =>
      file !== "config.ts" && /process\.env\b(?!\.\w+ = )/.test(readFileSync(join(SOURCE, file), "utf8")),
  );
  expect(readers).toEqual([]);
});
