import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "./free-port.js";

/** A PostgreSQL server of its own on a free port of 127.0.0.1, in a folder of its own. */
export interface PostgresServer {
  /** Of the database `postgres`, as its superuser. */
  readonly url: string;
  start(): Promise<void>;
  /** `immediate`: as if its process had died. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  /** Stops it and deletes its folder. */
  remove(): Promise<void>;
}

/** Where the server's programs lie, or null on a machine without PostgreSQL. */
export function postgresPrograms(): string | null {
  const versions = "/usr/lib/postgresql";
  const debian = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, "bin"))
    : [];
  const inPath = (process.env.PATH ?? "").split(":");
  return [...debian, ...inPath].find((folder) => existsSync(join(folder, "initdb"))) ?? null;
}

/** PostgreSQL refuses to run as root. */
function user(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** `settings`: the server's own, beside what a test needs. */
export async function createPostgresServer(
  programs: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const owner = user();
  const folder = mkdtempSync(join(tmpdir(), "postgres-"));
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid!);
  const data = join(folder, "data");
  const port = await freePort();
  const call = async (program: string, args: readonly string[]) => {
    const child = spawn(join(programs, program), args, {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += chunk));
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${said}`);
  };
  await call("initdb", [
    "-D",
    data,
    "-U",
    "promptist",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
  ]);
  const all = {
    ...{
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
      max_connections: "200",
    },
    ...settings,
  };
  const flags = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  const url = `postgres://promptist@127.0.0.1:${port}/postgres`;
  const server: PostgresServer = {
    url,
    start: () =>
      call("pg_ctl", ["-D", data, "-l", join(folder, "log"), "-w", "-o", flags.join(" "), "start"]),
    stop: (mode) => call("pg_ctl", ["-D", data, "-w", "-m", mode, "stop"]),
    async remove() {
      await server.stop("immediate");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

let schemas = 0;

/** An address of the server with a new, empty schema in its search_path. */
export async function newSchema(url: string): Promise<string> {
  const name = `test_${process.pid}_${++schemas}_${Date.now()}`;
  await query(url, `create schema ${name}`);
  return `${url}?options=${encodeURIComponent(`-c search_path=${name}`)}`;
}

/** Runs one statement on a connection of its own. */
export async function query<R extends object>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}
