import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";

/**
 * The program without a clone: the tarball of `npm pack`, in a folder that knows nothing of this one. With
 * TARBALL_INSTALL=npm, as CI has it, npm installs it with everything that it depends on, and compiles SQLite. Else the
 * tarball is unpacked and what it depends on is linked from here, which takes seconds and no network.
 */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { version, dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const npm = (...args: string[]) =>
  execFileSync("npm", args, {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
  });

const made = temporaryFolder();
const home = join(made.path, "node_modules", "promptist");
const packed: string[] = [];
beforeAll(() => {
  // Compiled already; a build now would change files under the feet of other tests.
  const [{ filename, files }] = JSON.parse(
    npm("pack", "--json", "--ignore-scripts", "--pack-destination", made.path),
  );
  packed.push(...files.map(({ path }: { path: string }) => path));
  const tarball = join(made.path, filename);
  if (process.env.TARBALL_INSTALL === "npm")
    npm("install", "--prefix", made.path, "--prefer-offline", "--no-audit", tarball);
  else installByLinks(tarball);
}, 600_000);
afterAll(() => made.remove());

function installByLinks(tarball: string): void {
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", home, "--strip-components=1"]);
  for (const name of Object.keys(dependencies)) {
    const link = join(made.path, "node_modules", name);
    if (existsSync(join(home, "node_modules", name))) continue;
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), link);
  }
}

const BIN = join(home, "bin", "promptist.js");
/** Nothing of this shell's settings: what a newcomer has. */
const environment = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LOCAL_DISCORD_PORT: "0",
  DEVICE: "cpu",
};

function emptyFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(folder.remove);
  return folder.path;
}

const promptist = (folder: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, [BIN, ...args], { cwd: folder, env: environment });

/** Every file below `folder` with its size and time of change. */
const stateOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => ({ path, stat: lstatSync(join(folder, path)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ path, stat }) => `${path} ${stat.size} ${stat.mtimeMs}`);

test("the tarball holds the program, the miniature and the local Discord, and nothing that only developers need", () => {
  for (const path of [
    "bin/promptist.js",
    "dist/cli/main.js",
    "checkpoints/miniature/promptist/config.json",
    "node_modules/local-discord/dist/index.js",
    "node_modules/local-discord/dist/page/browser/index.html",
    ".env.example",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES",
  ])
    expect(packed).toContain(path);
  const own = packed.filter((path) => !path.startsWith("node_modules/") || path.includes("/local-discord/"));
  const unwanted = /(^|\/)(test|tests|training|bench|scripts|src)\/|\.tsbuildinfo$|\.map$|^\.(ci|github)/;
  expect(own.filter((path) => unwanted.test(path))).toEqual([]);
});

test("--version, doctor and optimize run in an empty folder, on the miniature that came along", async () => {
  const folder = emptyFolder();
  expect((await promptist(folder, "--version")).stdout.trim()).toBe(version);
  const before = stateOf(join(home, "checkpoints"));

  const { stdout } = await promptist(folder, "doctor", "--json");
  const report = JSON.parse(stdout);
  expect(report.healthy).toBe(true);
  const found = (subject: string) =>
    report.findings.find((finding: { subject: string }) => finding.subject === subject).found;
  expect(found("Promptist")).toContain(join(home, "checkpoints", "miniature", "promptist"));
  expect(found("disk")).toContain(join(folder, "data"));

  const rewritten = await promptist(folder, "optimize", "A cat", "--json", "--max-new-tokens", "8");
  expect(JSON.parse(rewritten.stdout)).toMatchObject({ prompt: "A cat", miniature: true });
  expect(stateOf(join(home, "checkpoints"))).toEqual(before);
  expect(readdirSync(folder)).toEqual(["data"]);
});

test("start is ready in an empty folder, shows its page, and stops when told", async () => {
  const folder = emptyFolder();
  const child: ChildProcess = spawn(process.execPath, [BIN, "start"], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout! })) {
    url ??= /Open +(http\S+)/.exec(line)?.[1];
    if (line.startsWith("Ctrl+C")) break;
  }
  expect(await (await fetch(url!)).text()).toContain("<html");
  expect(existsSync(join(folder, "data", "promptist.sqlite"))).toBe(true);
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
});
