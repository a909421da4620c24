// Copies what the compiler ignores (SQL, HTML, CSS, JSON, browser scripts) from src/ to dist/, here and in the
// packages.
import { cpSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ASSETS = new Set([".sql", ".html", ".css", ".js", ".json", ".svg"]);

for (const home of ["..", "../packages/local-discord"]) {
  const at = (folder) => fileURLToPath(new URL(`${home}/${folder}/`, import.meta.url));
  cpSync(at("src"), at("dist"), {
    recursive: true,
    filter: (path) => extname(path) === "" || ASSETS.has(extname(path)),
  });
}
