import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/** Which room may import which (README.md, "Rooms"). Type imports count too. */
const ALLOWED: Record<string, readonly string[]> = {
  protocol: [],
  traffic: [],
  world: ["protocol"],
  forms: ["protocol", "world"],
  gateway: ["protocol", "traffic", "world"],
  api: ["protocol", "traffic", "world", "forms"],
  people: ["protocol", "world", "forms"],
  page: ["protocol", "traffic", "world", "forms", "people"],
  loopback: [],
  panel: ["page", "loopback"],
  server: ["protocol", "traffic", "world", "forms", "gateway", "api", "people", "page", "loopback"],
  index: ["server", "panel", "loopback", "world", "page"],
  testing: [
    "protocol",
    "traffic",
    "world",
    "forms",
    "gateway",
    "api",
    "people",
    "page",
    "server",
    "panel",
    "loopback",
  ],
};

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SOURCE = join(ROOT, "src");

/** Every file of src with its imports: files of src by path, packages by name. */
const graph = new Map(
  readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => {
      const file = path.split(sep).join("/");
      const { importedFiles } = ts.preProcessFile(readFileSync(join(SOURCE, path), "utf8"), true, true);
      const targets = importedFiles.map(({ fileName }) =>
        fileName.startsWith(".")
          ? posix.join(posix.dirname(file), fileName.replace(/\.js$/, ".ts"))
          : fileName,
      );
      return [file, targets] as const;
    }),
);
const inside = (file: string) => (graph.get(file) ?? []).filter((target) => graph.has(target));
const roomOf = (file: string) => file.split("/")[0]!.replace(/\.ts$/, "");

test("rooms import only allowed rooms, and never one that imports them", () => {
  expect(graph.size).toBeGreaterThan(40);
  const wrong: string[] = [];
  for (const file of graph.keys())
    for (const target of inside(file)) {
      const [from, to] = [roomOf(file), roomOf(target)];
      if (from !== to && !ALLOWED[from]?.includes(to)) wrong.push(`${file} -> ${target}`);
    }
  expect(wrong).toEqual([]);
  for (const [room, others] of Object.entries(ALLOWED))
    for (const other of others) expect(ALLOWED[other], `${room} <-> ${other}`).not.toContain(room);
});

test("imports form no cycle, types included", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    else if (!done.has(file)) for (const target of inside(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test("the package imports only itself, Node.js and its dependencies", () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const known = new Set(Object.keys(dependencies));
  const strange: string[] = [];
  for (const [file, targets] of graph)
    for (const target of targets) {
      const name = target.split("/", target.startsWith("@") ? 2 : 1).join("/");
      if (!graph.has(target) && !target.startsWith("node:") && !known.has(name))
        strange.push(`${file}: ${target}`);
    }
  expect(strange).toEqual([]);
});

/** The rooms of the compiled package that a process loads when it imports `entry` and runs a server. */
function loadedBy(entry: string): Set<string> {
  const hook = `
    import { writeSync } from "node:fs";
    export const load = (url, context, next) => (writeSync(1, url + "\\n"), next(url, context));
  `;
  const program = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hook)}));
    const { startLocalDiscord } = await import("${entry}");
    await (await startLocalDiscord({ spec: false })).close();
  `;
  const args = ["--input-type=module", "-e", program];
  const urls = execFileSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" }).trim().split("\n");
  const home = new URL("dist/", pathToFileURL(ROOT)).href;
  return new Set(
    urls.filter((url) => url.startsWith(home)).map((url) => url.slice(home.length).split("/")[0]!),
  );
}

test("a program loads nothing from testing/", () => {
  const loaded = loadedBy("local-discord");
  expect(loaded).toContain("gateway");
  expect(loaded).not.toContain("testing");
  expect(loadedBy("local-discord/testing")).toContain("testing");
});
