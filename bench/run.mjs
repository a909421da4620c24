// npm run bench: the benches that need nothing but this repository. npm run bench -- NAME [arguments]: one of them, or
// one of those that compare with PyTorch and take a Python to run it with (their headers say how).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const STANDALONE = ["acknowledge", "queue"];
const [name, ...args] = process.argv.slice(2);
const file = (bench) => fileURLToPath(new URL(`${bench}.mjs`, import.meta.url));

if (name !== undefined && !existsSync(file(name))) {
  const names = readdirSync(new URL(".", import.meta.url))
    .filter((entry) => entry.endsWith(".mjs") && entry !== "run.mjs")
    .map((entry) => entry.slice(0, -".mjs".length));
  console.error(`There is no bench "${name}"; there are: ${names.join(", ")}`);
  process.exit(1);
}
let failed = false;
for (const bench of name === undefined ? STANDALONE : [name]) {
  console.log(`== ${bench}`);
  const { status } = spawnSync(process.execPath, [file(bench), ...args], { stdio: "inherit" });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
