// Copies what the compiler leaves behind (SQL, HTML, CSS, browser scripts) from src/ to dist/.
import { cpSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const ASSETS = new Set([".sql", ".html", ".css", ".js", ".svg"]);
const at = (folder) => fileURLToPath(new URL(`../${folder}/`, import.meta.url));

cpSync(at("src"), at("dist"), {
  recursive: true,
  filter: (path) => extname(path) === "" || ASSETS.has(extname(path)),
});
