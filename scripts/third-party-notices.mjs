// Writes THIRD_PARTY_NOTICES, the list of the packages that the program runs with and their licences, from
// package-lock.json and what is installed: node scripts/third-party-notices.mjs [FILE]
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const { packages } = JSON.parse(readFileSync(at("package-lock.json"), "utf8"));

/** The licence files of a package. Which optional ones are installed depends on the system. */
function textsOf(path, { optional }) {
  if (optional || !existsSync(at(path))) return [];
  const names = readdirSync(at(path)).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return names.sort().map((name) => `${path}/${name}`);
}

const lines = Object.entries(packages)
  // Without our own packages, and what only building and testing need.
  .filter(([path, { dev, link }]) => path.includes("node_modules/") && !dev && !link)
  .map(([path, entry]) => {
    const name = entry.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    return { head: `${name} ${entry.version}: ${entry.license}`, texts: textsOf(path, entry) };
  })
  .map(({ head, texts }) => [head, ...texts.map((text) => `  ${text}`)].join("\n"))
  .sort();

writeFileSync(
  process.argv[2] ?? at("THIRD_PARTY_NOTICES"),
  `Promptist runs with the packages below, which are not part of it and have their own licences. Each is
installed unchanged under node_modules, where the named files have the licence's text; a package without
one states its licence in its package.json.

The libraries under LGPL-3.0-or-later (libvips and what it is built with, in the @img/sharp-libvips packages)
are shared libraries in files of their own, and may be replaced by other builds of the same version.

Generated: npm run notices

${lines.join("\n")}
`,
);
