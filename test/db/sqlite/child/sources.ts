import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * Compiles src/core and src/db, as they are now, to a folder from which plain Node runs them: a test that kills a
 * process needs a real one, and the built dist/ may be old. Inside node_modules, so that packages are found.
 */
export function compileSources(): { readonly dir: string; remove(): void } {
  const cache = join(ROOT, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "child-"));
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
  for (const room of ["core", "db"]) {
    for (const file of readdirSync(join(ROOT, "src", room), { recursive: true, encoding: "utf8" })) {
      const from = join(ROOT, "src", room, file);
      const to = join(dir, room, file);
      mkdirSync(dirname(to), { recursive: true });
      if (file.endsWith(".sql")) copyFileSync(from, to);
      if (!file.endsWith(".ts")) continue;
      const { outputText } = ts.transpileModule(readFileSync(from, "utf8"), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      });
      writeFileSync(to.replace(/\.ts$/, ".js"), outputText);
    }
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) };
}
