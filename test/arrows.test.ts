import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/** Which room may import which (docs/architecture.md). A type import counts like any other. */
const ALLOWED: Record<string, readonly string[]> = {
  core: [],
  db: ["core"],
  bot: ["core", "db"],
  onnx: ["core"],
  models: ["core", "onnx"],
  checkpoints: ["core", "models", "onnx"],
  inference: ["core", "db", "models", "onnx", "checkpoints"],
  metrics: ["core"],
  config: ["core"],
};
/** The rooms that know all others; nobody imports them, except that the command line starts the program. */
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
const roomOf = (file: string) => file.split("/")[0]!.replace(/\.ts$/, "");

/** Every file of src with the files of ours that it imports, statically, as a type, or at run time. */
const graph = new Map(
  sourceFiles(SOURCE).map((path) => {
    const { importedFiles } = ts.preProcessFile(readFileSync(path, "utf8"), true, true);
    const targets = importedFiles
      .map(({ fileName }) => fileName)
      .filter((target) => target.startsWith(".") && target.endsWith(".js"))
      .map((target) => posix.join(dirname(name(path)).split(sep).join("/"), target.replace(/\.js$/, ".ts")));
    return [name(path), targets] as const;
  }),
);

test("rooms import only the rooms that they may", () => {
  expect(graph.size).toBeGreaterThan(30);
  const wrong: string[] = [];
  for (const [file, targets] of graph) {
    const room = roomOf(file);
    for (const target of targets) {
      const to = roomOf(target);
      if (to === room) continue;
      if (TOPS.includes(room) && (to !== "cli" || room === "cli")) continue;
      if (!ALLOWED[room]?.includes(to)) wrong.push(`${file} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no circle of imports, types included", () => {
  const circles: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (file: string, path: readonly string[]) => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    state.set(file, "done");
  };
  for (const file of graph.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test("only config.ts reads the environment", () => {
  const readers = [...graph.keys()].filter(
    // A module that sets what a library reads does not read.
    (file) =>
      file !== "config.ts" && /process\.env\b(?!\.\w+ = )/.test(readFileSync(join(SOURCE, file), "utf8")),
  );
  expect(readers).toEqual([]);
});
