// Takes docs/images/judging-*.png from the real program: npm run build && node
// scripts/screenshots-judging.mjs Its safety checker is the tests' made-up one, which flags castles.
import { join } from "node:path";
import { runnerImport } from "vite";
import { ROOT, save, shoot as shootPage, startProgram } from "./page-pictures.mjs";

const WAIT = { timeoutMs: 240_000 };
const FLAGGED = { caption: "a castle", threshold: Number(process.env.THRESHOLD ?? "0.72") };
const PROMPTS = [
  "A cat in the rain",
  "A fantasy castle",
  "Fear",
  "A cyberpunk detective standing in neon rain with a robotic arm",
  "A beautiful sunset over the mountains",
  "Portrait of a warrior",
  "The starry night by Van Gogh",
];

const { module: fixture } = await runnerImport(join(ROOT, "test", "support", "safety-fixture.ts"));
const { app, local, open, stop } = await startProgram(async (dataDir) => ({
  CHECKPOINTS_DIR: await fixture.checkpointsWithSafetyChecker(dataDir, [FLAGGED]),
}));

async function shoot(channel, name, { height = 900, top = null } = {}) {
  const page = await open({ viewport: { width: 1280, height }, colorScheme: "dark" });
  await page.getByText(channel, { exact: true }).first().click();
  if (channel === "after-dark") await page.getByRole("button", { name: "I am 18 or older" }).click();
  await page.locator(".message").first().waitFor();
  if (top !== null) await page.locator(".messages").evaluate((it, to) => it.scrollTo(0, to), top);
  await shootPage(page, name);
}

const isDone = (message) => message.embeds[0]?.color === 0x22c55e;

try {
  const alice = local.member("alice");
  const compare = async (prompt, seed, channel) => {
    const handle = await alice.slash("compare", { prompt, seed }, { channel });
    return handle.waitFor(isDone, WAIT);
  };
  await compare("A cat in the rain", 7, "gallery");
  await shoot("gallery", "judging-scores");

  // A seed that gives one flagged and one unflagged picture.
  let seed = 7;
  for (; seed < 30; seed++) {
    const { embeds } = await compare("A fantasy castle", seed, "after-dark");
    const job = await app.queue.get(/Job `(\w+)`/.exec(embeds[0].description)[1]);
    const { baseline, optimized } = job.items[0].pictures;
    if (baseline.judgement.safety.flagged !== optimized.judgement.safety.flagged) break;
  }
  await compare("A fantasy castle", seed, "general");
  await shoot("general", "judging-withheld");
  await shoot("after-dark", "judging-spoiler");

  const file = { name: "prompts.txt", data: PROMPTS.join("\n") };
  const batch = await alice.slash("batch", { file, seed: 7 }, { channel: "gallery" });
  await batch.waitFor((message) => message.components.length > 0);
  await alice.press(batch.message, "Start");
  const report = await batch.waitFor(isDone, WAIT);
  const plot = report.attachments.find(({ filename }) => filename.endsWith("-scores.png"));
  await save(await alice.download(plot), "judging-plot", 256);
  await shoot("gallery", "judging-batch", { height: 1700 });
} finally {
  await stop();
}
