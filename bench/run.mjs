// `npm run bench` runs the benches that need only this repository. `npm run bench -- NAME [arguments]` runs
// one of them, or one that compares with PyTorch and takes the Python to run it with (see their headers).
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
