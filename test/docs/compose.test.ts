import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

interface Service {
  readonly image: string;
  readonly build: { readonly context: string; readonly target: string };
  readonly env_file: readonly { readonly path: string; readonly required: boolean }[];
  readonly volumes: readonly string[];
}
const compose = parse(read("compose.yaml"), { strict: true, uniqueKeys: true }) as {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, null>;
};
const service = compose.services.promptist!;

test("the compose file has one service, with keys of the Compose specification", () => {
  expect(Object.keys(compose)).toEqual(["services", "volumes"]);
  expect(Object.keys(compose.services)).toEqual(["promptist"]);
  expect(Object.keys(service).sort()).toEqual([
    "build",
    "env_file",
    "image",
    "restart",
    "stop_grace_period",
    "volumes",
  ]);
});

test("it builds a target of the Dockerfile and mounts where the image keeps and looks for things", () => {
  const dockerfile = read("Dockerfile");
  expect(existsSync(new URL(`${service.build.context}/Dockerfile`, ROOT))).toBe(true);
  expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${service.build.target}$`, "m"));
  const mounts = service.volumes.map((words) => words.split(":"));
  const data = mounts.find(([source]) => source! in compose.volumes)!;
  expect(dockerfile).toContain(`\nVOLUME ${data[1]}\n`);
  expect(data[2]).toBeUndefined();
  const checkpoints = mounts.find(([source]) => source!.startsWith("./"))!;
  expect(existsSync(new URL(checkpoints[0]!, ROOT))).toBe(true);
  expect(dockerfile).toMatch(new RegExp(`CHECKPOINTS_DIR=${checkpoints[1]}\\s`));
  expect(checkpoints[2]).toBe("ro");
});

test("it starts without an .env, as the program does", () => {
  expect(service.env_file).toEqual([{ path: ".env", required: false }]);
});
