import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/config.js";
import { hasS3Server } from "../support/s3-server.js";

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

interface FleetService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
  readonly healthcheck?: object;
}

describe("the compose file of a fleet", () => {
  const text = read("compose.fleet.yaml");
  const fleet = parse(text, { strict: true, uniqueKeys: true, merge: true }) as {
    readonly services: Record<string, FleetService>;
    readonly volumes: Record<string, null>;
  };
  const { database, pictures, bot, standby, worker } = fleet.services;
  const password = (value: string) =>
    value.replaceAll(/\$\{(\w+):\?\}/g, (_all, name: string) => `${name}-1`);
  /** What a service's program is told, as Compose would fill it in. */
  const configOf = ({ environment = {} }: FleetService) =>
    loadConfig(
      Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, password(value)])),
      "/data",
    );

  test("it has PostgreSQL, an S3 server, one bot with a standby on request, and two workers", () => {
    expect(Object.keys(fleet.services)).toEqual(["database", "pictures", "bot", "standby", "worker"]);
    expect(worker!.deploy).toEqual({ replicas: 2 });
    expect(standby).toEqual({ ...bot, profiles: ["standby"], volumes: expect.any(Array) });
    for (const { build, volumes } of [bot!, standby!, worker!]) {
      expect(build).toEqual({ context: ".", target: "cpu" });
      expect(volumes).toContain("./checkpoints:/app/checkpoints:ro");
    }
    const named = Object.values(fleet.services).flatMap(({ volumes }) =>
      volumes.map((words) => words.split(":")).filter(([source]) => !/^[./]/.test(source!)),
    );
    // No two have one data folder.
    expect(named.map(([source]) => source).sort()).toEqual(Object.keys(fleet.volumes).sort());
  });

  test("every program reads its settings, reaches the servers by their names and waits for them", () => {
    const known = read(".env.example");
    for (const service of [bot!, standby!, worker!]) {
      for (const name of Object.keys(service.environment!))
        expect(known).toMatch(new RegExp(`^#? ?${name}=`, "m"));
      expect(service.depends_on).toEqual({
        database: { condition: "service_healthy" },
        pictures: { condition: "service_started" },
      });
      const { DATABASE_URL, PICTURES, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = configOf(service);
      const { hostname, port, pathname } = new URL(DATABASE_URL);
      expect([hostname, port, pathname]).toEqual(["database", "5432", "/promptist"]);
      const { host } = new URL(new URL(PICTURES).searchParams.get("endpoint")!);
      expect(host).toBe("pictures:9000");
      expect(pictures!.volumes[0]!.split(":")[1]).toBe(`/data/${new URL(PICTURES).host}`);
      expect(password(pictures!.command!.join(" "))).toContain(
        `${AWS_ACCESS_KEY_ID},${AWS_SECRET_ACCESS_KEY} /data`,
      );
    }
    expect(database!.healthcheck).toBeDefined();
    expect(configOf(bot!).ROLE).toBe("bot");
    expect(configOf(worker!).DISCORD_TOKEN).toBe("");
    expect(new URL(configOf(worker!).DATABASE_URL).username).toBe("worker");
  });

  test("its page names every password that it asks for, and makes the worker's role", () => {
    const page = read("docs/operations.md");
    const asked = new Set([...text.matchAll(/\$\{(\w+):\?\}/g)].map(([, name]) => name!));
    expect([...asked].sort()).toEqual(["DATABASE_PASSWORD", "PICTURES_PASSWORD", "WORKER_PASSWORD"]);
    for (const name of asked) expect(page).toMatch(new RegExp(`^${name}=`, "m"));
    expect(page).toContain('alias fleet="docker compose --env-file fleet.env -f compose.fleet.yaml"');
  });

  test.skipIf(!hasS3Server())("its S3 server takes the flags", () => {
    const { status, stderr } = spawnSync("rclone", [...pictures!.command!.slice(0, -1), "--help"], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
});
