import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const SOURCES = ["free-port", "postgres-server"];

/**
 * A PostgreSQL server of its own in a temporary folder, by the tests' own source, which Node can't run as it is; and
 * `query`, which runs one statement. `settings` are the server's.
 */
export async function postgresServer(settings = {}) {
  // Inside node_modules, so that packages are found.
  const folder = fileURLToPath(new URL("../../node_modules/.cache/bench/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const name of SOURCES) {
    const source = readFileSync(new URL(`../../test/support/${name}.ts`, import.meta.url), "utf8");
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    writeFileSync(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  }
  const { createPostgresServer, postgresPrograms, query } = await import(
    pathToFileURL(join(folder, "postgres-server.js")).href
  );
  const programs = postgresPrograms();
  if (programs === null) throw new Error("PostgreSQL's programs (initdb, pg_ctl) are not installed here");
  return { server: await createPostgresServer(programs, settings), query };
}
