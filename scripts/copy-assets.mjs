// Copies what the compiler ignores (SQL, HTML, CSS, JSON, browser scripts) from src/ to dist/, here and in the
// packages.
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ASSETS = new Set([".sql", ".html", ".css", ".js", ".json", ".svg"]);

for (const home of ["..", "../packages/local-discord"]) {
  const at = (folder) => fileURLToPath(new URL(`${home}/${folder}/`, import.meta.url));
  // A migration that was renamed would run under both names.
  for (const path of readdirSync(at("dist"), { recursive: true, encoding: "utf8" }))
    if (extname(path) === ".sql" && !existsSync(join(at("src"), path))) rmSync(join(at("dist"), path));
  cpSync(at("src"), at("dist"), {
    recursive: true,
    filter: (path) => extname(path) === "" || ASSETS.has(extname(path)),
  });
}
