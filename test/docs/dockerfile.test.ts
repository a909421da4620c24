import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig, VARIABLES } from "../../src/config.js";
import { createEvents } from "../../src/core/events.js";
import { collectMetrics, type QueueState, serveMetrics } from "../../src/metrics/prometheus.js";
import { host } from "../support/hosts.js";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");
const { engines, bin } = JSON.parse(read("package.json"));

/** The Dockerfile's instructions in order, without comments, with continued lines joined. */
const instructions = read("Dockerfile")
  .replace(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter(Boolean)
  .map((line) => {
    const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const all = (wanted: string) => instructions.filter(({ name }) => name === wanted).map(({ rest }) => rest);
const only = (wanted: string) => {
  expect(all(wanted)).toHaveLength(1);
  return all(wanted)[0]!;
};
/** Environment of the image `cpu`; `gpu` changes parts of it. */
const environment = Object.fromEntries(
  all("ENV")[0]!
    .split(" ")
    .map((pair) => pair.split("=")),
);

test("uses one base image, with a Node.js that the program and its native module support", () => {
  const [base, ...stages] = all("FROM");
  const major = Number(/^node:(\d+)-\S+ AS node$/.exec(base!)?.[1]);
  expect(major).toBeGreaterThanOrEqual(Number(/^>=(\d+)/.exec(engines.node)?.[1]));
  const sqlite = JSON.parse(read("node_modules/better-sqlite3/package.json"));
  expect(sqlite.engines.node.split(" || ")).toContain(`${major}.x`);
  const names = ["node", ...stages.map((stage) => stage.split(" AS ")[1])];
  expect(names).toEqual(["node", "packages", "program", "production", "cpu", "gpu"]);
  for (const stage of stages) expect(names).toContain(stage.split(" AS ")[0]);
});

test("sends only copied files to the build, and they exist", () => {
  const sent = read(".dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(sent[0]).toBe("*");
  const copied = all("COPY")
    .filter((words) => !words.startsWith("--from="))
    .flatMap((words) => words.split(" ").slice(0, -1));
  expect(sent.slice(1).sort()).toEqual([...new Set(copied)].map((path) => `!${path}`).sort());
  for (const path of copied) expect(existsSync(new URL(path, ROOT)), path).toBe(true);
});

test("puts our own packages where node_modules links to", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { link?: boolean; resolved?: string }>;
  };
  const linked = Object.values(packages).filter(({ link }) => link);
  expect(linked).not.toEqual([]);
  const cpu = instructions
    .slice(instructions.findIndex(({ rest }) => rest === "node AS cpu"))
    .map(({ rest }) => rest);
  for (const { resolved } of linked) {
    expect(cpu).toContain(`${resolved}/package.json ${resolved}/`);
    expect(cpu).toContain(`--from=program /app/${resolved}/dist ${resolved}/dist`);
  }
});

test("sets only known environment variables, to valid values", () => {
  for (const words of all("ENV"))
    for (const pair of words.split(" "))
      if (!/^(NODE_ENV|MALLOC_ARENA_MAX|NVIDIA_\w+)=/.test(pair))
        expect(Object.keys(VARIABLES)).toContain(pair.split("=")[0]);
  const config = loadConfig(environment, "/data");
  expect(config.databaseFile).toBe(resolve(only("VOLUME"), "promptist.sqlite"));
  expect(all("WORKDIR").at(-1)).toBe(only("VOLUME"));
  expect(config.checkpointsDir).toBe(resolve("/app/checkpoints"));
});

test("runs the program's own command, as a user that owns only the data", () => {
  const link = all("RUN").find((command) => command.includes("ln -s"))!;
  expect(link).toContain(`ln -s /app/${bin.promptist} /usr/local/bin/promptist`);
  expect(link).toContain(`mkdir -m 700 ${only("VOLUME")} && chown node:node ${only("VOLUME")} `);
  expect([only("ENTRYPOINT"), only("CMD"), only("STOPSIGNAL")]).toEqual([
    '["tini", "--", "promptist"]',
    '["start"]',
    "SIGTERM",
  ]);
  expect(all("USER").at(-1)).toBe("node");
});

test("removes only package files that exist and that nothing imports", () => {
  const removed = /rm -r ([^&]+)$/.exec(all("RUN").find((command) => command.includes("npm prune"))!)![1]!;
  for (const path of removed.trim().split(" ")) {
    expect(existsSync(new URL(`node_modules/${path}`, ROOT)), path).toBe(true);
  }
  // The second package alone loads the first; the program uses none of its code (tokenizer-files.ts).
  const sources = readdirSync(new URL("src/", ROOT), { recursive: true, encoding: "utf8" });
  for (const file of sources.filter((name) => name.endsWith(".ts")))
    expect(read(`src/${file}`)).not.toMatch(/(from|import\() ?"(onnxruntime-web|@xenova\/transformers)/);
  for (const path of [
    "onnxruntime-node/bin/napi-v6/linux/x64",
    "better-sqlite3/build/Release/better_sqlite3.node",
  ])
    expect(existsSync(new URL(`node_modules/${path}`, ROOT)), path).toBe(true);
});

test("passes the health check while the queue can be read, and fails if it cannot or nothing listens", async () => {
  const command = JSON.parse(/CMD (\[.*\])$/.exec(only("HEALTHCHECK"))![1]!) as string[];
  expect(command.shift()).toBe("node");
  const check = async (port: number) => {
    const child = spawn(process.execPath, command, {
      stdio: "ignore",
      env: { ...process.env, METRICS_PORT: String(port) },
    });
    return (await once(child, "exit"))[0];
  };
  let readable = true;
  const lines: QueueState["lines"] = async () => {
    if (!readable) throw new Error("database is locked");
    return [];
  };
  const depth: QueueState["depth"] = async () => ({ running: 0, undelivered: 0 });
  const metrics = await serveMetrics(
    collectMetrics(createEvents(), { lines, depth }, () => [host()]),
    0,
  );
  onTestFinished(() => metrics.close().catch(() => {}));
  const port = Number(new URL(metrics.url).port);
  expect(await check(port)).toBe(0);
  readable = false;
  expect(await check(port)).toBe(1);
  await metrics.close();
  expect(await check(port)).toBe(1);
  expect(loadConfig(environment).METRICS_PORT).toBeGreaterThan(0);
});
