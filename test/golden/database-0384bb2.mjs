// Makes database-0384bb2.sqlite: what the program of commit 0384bb2 leaves behind when it is stopped for an update.
// Ids of jobs and the sides of ballots are drawn by lot, so a new file differs in these; tests look jobs up by their
// users. Run, in a folder with this repository's history:
//   git worktree add --detach old 0384bb2 && (cd old && npm ci && npm run build)
//   node test/golden/database-0384bb2.mjs old test/golden/database-0384bb2.sqlite
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [old, file] = process.argv.slice(2);
if (!old || !file || existsSync(file)) throw new Error("Give the old checkout and a new file.");
const load = (name) => import(pathToFileURL(join(resolve(old), "dist", name)).href);
const { openDatabase } = await load("db/open.js");
const { SqliteQueue } = await load("db/sqlite-queue.js");
const { VoteStore } = await load("db/votes.js");
const { SettingsStore } = await load("db/settings.js");
const { DraftStore } = await load("db/drafts.js");
const { DEFAULT_TEXT_SETTINGS } = await load("core/job.js");

let time = Date.UTC(2025, 0, 1);
const now = () => {
  time += 1_000;
  return time;
};
const db = openDatabase(file);
const queue = new SqliteQueue(db, { now });
const votes = new VoteStore(db, now);
const settings = new SettingsStore(db, now);
const drafts = new DraftStore(db, now);

let interactions = 0;
function originOf(user) {
  interactions += 1;
  return {
    userId: user,
    guildId: "guild",
    channelId: "channel",
    locale: "de",
    applicationId: "application",
    interactionId: `interaction-${interactions}`,
    interactionToken: "a-very-fake-token",
    tokenExpiresAt: time + 900_000,
  };
}
const text = { ...DEFAULT_TEXT_SETTINGS, beams: 2, maxNewTokens: 8 };
const image = { seed: 7, steps: 2, guidance: 7.5, negative: "blurry", size: null, scheduler: "ddim" };
const enqueue = (user, kind, prompts, more = {}) =>
  queue.enqueue({
    kind,
    origin: originOf(user),
    text,
    image,
    items: prompts.map((prompt) => ({ prompt, optimized: null })),
    ...more,
  });

const judgement = (flagged) => ({
  relevance: 0.25,
  beauty: 5.5,
  safety: { flagged, concepts: flagged ? [3] : [] },
  judge: "clip-vit-large-patch14",
});
const candidates = (prompt) => [
  { text: `${prompt}, sharp focus`, tokens: 4, score: -1.5 },
  { text: `${prompt}, artstation`, tokens: 3, score: -2 },
];

/** Claims the one job that waits. */
async function claim(phase) {
  const claimed = await queue.claim(phase, "the old program");
  if (claimed === undefined) throw new Error(`no ${phase} job waits`);
  return claimed;
}

async function rewrite(claimed, index) {
  const { prompt } = claimed.job.items[index];
  const notes = [{ code: "truncated", side: "optimized", words: "focus" }];
  await queue.saveText(claimed, index, {
    optimized: `${prompt}, sharp focus`,
    candidates: candidates(prompt),
    notes,
    ms: 1_200 + index,
  });
}

async function draw(claimed, index) {
  const number = index + 1;
  await queue.savePictures(claimed, index, {
    baseline: `${number}-baseline.png`,
    times: { baseline: 20_000 + index },
    judgements: { baseline: judgement(false) },
  });
  await queue.savePictures(claimed, index, {
    drawn: `${number}-optimized.png`,
    times: { drawn: 30_000 + index },
    judgements: { drawn: judgement(index === 1) },
  });
  await queue.savePictures(claimed, index, { comparison: `${number}-comparison.png` });
}

/** Takes the one job that waits through both phases; `without` is an item that is taken out of it before. */
async function finish({ without = -1, sheets = [] } = {}) {
  const first = await claim("text");
  if (without >= 0) await queue.cancelItem(first.job.id, without);
  const wanted = first.job.items.map(({ index }) => index).filter((index) => index !== without);
  for (const index of wanted) await rewrite(first, index);
  await queue.saveCheckpoint(first, "text", "promptist", "aa11");
  await queue.advance(first);
  const second = await claim("image");
  for (const index of wanted) await draw(second, index);
  for (const sheet of sheets) await queue.saveSheet(second, sheet);
  await queue.saveCheckpoint(second, "image", "stable-diffusion-v1-5", "bb22");
  await queue.complete(second);
  return queue.get(second.job.id);
}

// Finished jobs.
await enqueue("optimized", "optimize", ["A lighthouse"]);
const optimized = await claim("text");
await rewrite(optimized, 0);
await queue.saveCheckpoint(optimized, "text", "promptist", "aa11");
await queue.complete(optimized);
await queue.delivered(optimized.job.id, "message-1");

const blind = { blind: true, preview: true };
await enqueue("voted", "compare", ["A castle"], { ...blind, parentId: optimized.job.id });
const voted = await finish();
await queue.delivered(voted.id, "message-2");
const { left } = votes.open(voted, time + 86_400_000);
votes.vote(voted.id, "voter-1", left === "optimized" ? "left" : "right");
votes.vote(voted.id, "voter-2", left === "baseline" ? "left" : "right");
votes.vote(voted.id, "voter-3", "bad");

await enqueue("revealed", "compare", ["A bridge"], blind);
const revealed = await finish();
await queue.delivered(revealed.id, "message-3");
votes.open(revealed, null);
votes.vote(revealed.id, "voter-1", "tie");
votes.close(revealed.id);

await enqueue("drawn", "batch", ["A cat", "A dog", "A crow"]);
const sheets = [
  { number: 1, file: "contact-sheet-1.png", items: [0] },
  { number: 2, file: "contact-sheet-2.png", items: [1] },
];
const drawn = await finish({ without: 2, sheets });
await queue.settleSheet(drawn.id, 1);
await queue.deliveryFailed(drawn.id, "503");
await queue.abandonDelivery(drawn.id, "the channel is gone");

await enqueue("pruned", "compare", ["A ship"]);
const pruned = await finish();
await queue.delivered(pruned.id, "message-4");
await queue.picturesPruned(pruned.id);

await enqueue("failed", "compare", ["A tree"]);
await queue.fail(await claim("text"), "CHECKPOINT_CORRUPT", "cut off");

await queue.cancel((await enqueue("cancelled", "optimize", ["A pond"])).id);

// Open jobs: one that runs, one that failed once and waits for its next attempt, and those that never ran.
await enqueue("running", "batch", ["A fox", "A wolf"]);
await rewrite(await claim("text"), 0);
await enqueue("retried", "compare", ["A mill"]);
await queue.retry(await claim("text"), "OUT_OF_MEMORY", "no room", 60_000);
await enqueue("waiting", "optimize", ["A cat in the rain"]);
const pair = { prompt: "A red door", optimized: "A red door, detailed", seed: 99 };
await enqueue("given", "compare", [], { items: [pair], limits: { user: 1 }, blind: true });
await enqueue("given", "compare", ["A blue door"], { limits: { user: 1 } });
await queue.setPaused(true);

// What is no job yet.
const items = [pair, { prompt: "A green door", optimized: null }];
drafts.add({ kind: "batch", text, image, items, preview: true }, originOf("drafting"), time + 900_000);
await queue.arrive(originOf("arrived"));

settings.set("server", "guild", "steps", 30, "admin");
settings.set("server", "guild", "size", { width: 512, height: 768 }, "admin");
settings.set("channel", "channel", "blind", true, "admin");
settings.set("user", "voter-1", "ping", true, "voter-1");

// One small file without a log beside it.
db.pragma("journal_mode = DELETE");
db.exec("vacuum");
db.close();
