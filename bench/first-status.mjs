// Milliseconds from Enter on the local Discord's page to what the person sees: that the bot has the command, the
// first status that says what is done, the result. Built checkouts take turns on the same machine:
// npm run bench -- first-status [RUNS] [FOLDER...]
import { loadavg } from "node:os";
import { ROOT, startProgram } from "../scripts/page-pictures.mjs";
import { args, SMOKE } from "./support/arguments.mjs";

const [runs = SMOKE ? "1" : "5", ...roots] = args;
const folders = roots.length === 0 ? [ROOT] : roots;
const COMMANDS = ["/optimize prompt:A cat in the rain", "/compare prompt:A cat in the rain"];
const MOMENTS = ["acknowledged", "first status", "result"];

/** Notes when the text of the last message changes, from the next Enter on. */
const WATCH = `(() => {
  const before = document.querySelectorAll(".message").length;
  window.seen = [];
  let entered = null;
  addEventListener("keydown", (event) => { if (event.key === "Enter") entered ??= performance.now(); }, true);
  new MutationObserver(() => {
    const messages = document.querySelectorAll(".message");
    if (entered === null || messages.length <= before) return;
    const text = messages[messages.length - 1].innerText;
    if (window.seen.at(-1)?.text !== text) window.seen.push({ ms: performance.now() - entered, text });
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
})()`;
const WORKS = /starting|rewriting:|rewriting,|drawing:|drawing |loading|step \d|token \d/i;
const isEnd = "window.seen.some(({ text }) => /\\bDelete\\b/.test(text) && !/\\bCancel\\b/.test(text))";

async function measure(program, command) {
  const page = await program.open();
  const box = page.getByRole("combobox", { name: /^Message/ });
  await box.fill(command);
  await page.evaluate(WATCH);
  // The first Enter may take the completion that is offered.
  await box.press("Escape");
  await box.press("Enter");
  await page.waitForFunction(isEnd, null, { timeout: 120_000 });
  const seen = await page.evaluate("window.seen");
  await page.context().close();
  if (process.env.VERBOSE) for (const { ms, text } of seen) console.log(Math.round(ms), JSON.stringify(text));
  const isStatus = ({ text }) => WORKS.test(text) && !/in the queue/i.test(text);
  const isResult = ({ text }) => /\bDelete\b/.test(text) && !/\bCancel\b/.test(text);
  return [seen[0], seen.find((it) => isStatus(it) || isResult(it)), seen.find(isResult)].map(({ ms }) => ms);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const programs = [];
for (const root of folders) programs.push(await startProgram({}, root));
try {
  const times = programs.map(() => COMMANDS.map(() => []));
  for (let run = -1; run < Number(runs); run++)
    for (const [c, command] of COMMANDS.entries())
      for (const [p, program] of programs.entries()) {
        const found = await measure(program, command);
        // The first round warms the caches of the page and the disk.
        if (run >= 0) times[p][c].push(found);
      }
  console.log(`median of ${runs}, load ${loadavg()[0].toFixed(1)}`);
  for (const [c, command] of COMMANDS.entries())
    for (const [p, root] of folders.entries()) {
      const medians = MOMENTS.map(
        (name, i) => `${name} ${Math.round(median(times[p][c].map((it) => it[i])))}`,
      );
      console.log(`${command.split(" ")[0]} ${root}: ${medians.join(", ")}`);
    }
} finally {
  for (const { stop } of programs) await stop();
}
