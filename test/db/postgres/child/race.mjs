// One of several processes that use one database at once: stores the same commands as the others, then works until no
// job is open, and tells each step whose call has returned. Now and then it is late, so that its lease is over.
// Arguments: folder of the compiled sources, address of the database, name of this process, seed of its choices.
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const COMMANDS = 24;
/** A lease of 15 s is over in 150 ms. */
const PACE = 100;

const [sources, url, name, seed] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${sources}/${path}`).href);
const { postgresStore } = await load("db/postgres/store.js");
const { LEASE_MS } = await load("db/queue.js");
const { DEFAULT_TEXT_OPTIONS } = await load("core/options.js");

let state = Number(seed);
const random = (below) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state >>> 16) % below;
};
const store = await postgresStore(url, { now: () => Date.now() * PACE, maxAttempts: 1_000, connections: 3 });
const { queue, drafts } = store;
const tell = (...words) => writeSync(1, `${words.join(" ")}\n`);
const originOf = (interactionId, n) => ({
  userId: `user-${n % 7}`,
  guildId: "guild",
  channelId: "channel",
  locale: "en-US",
  applicationId: "application",
  interactionId,
  interactionToken: "token",
  tokenExpiresAt: 0,
});
const request = {
  kind: "compare",
  text: DEFAULT_TEXT_OPTIONS,
  image: { seed: 1, steps: 2, guidance: 7.5, negative: "", size: null, scheduler: "pndm" },
  items: [
    { prompt: "A cat", rewrite: null },
    { prompt: "Fear", rewrite: null },
  ],
  preview: false,
};
const picture = (file) => ({ file, ms: null, judgement: null });

const ids = [];
for (let n = 0; n < COMMANDS; n += 1) {
  const origin = originOf(`command-${n}`, n);
  await queue.arrive(origin);
  const job = await queue.enqueue({ ...request, origin, limits: { user: 3 } }, ({ id }) =>
    tell("enqueued", id),
  );
  ids.push(job.id);
}
for (const [n, draftId] of (await drafts.idsOfUser("drafter")).entries()) {
  const start = { ...request, origin: originOf(`${name}-${n}`, n), draftId };
  try {
    await queue.enqueue(start, ({ id }) => tell("enqueued", id));
    tell("started", draftId);
  } catch (error) {
    if (error.code !== "DRAFT_GONE") throw error;
    tell("too-late", draftId);
  }
}

const over = (id, answer) => {
  if (answer === "cancelled") tell("over", id);
  else if (answer === false) tell("refused", id);
};

/** What a holder may do with its job when it has done what it could. */
const endings = [
  async (claim) => over(claim.job.id, await queue.release(claim)),
  async (claim) => over(claim.job.id, await queue.retry(claim, "WORKER_DIED", "raced", 0)),
  async (claim) => {
    const kept = await queue.fail(claim, "INTERNAL", "raced");
    tell(kept ? "failed" : "refused", claim.job.id);
  },
  ...Array(4).fill(async (claim) => {
    if (claim.job.phase === "text") over(claim.job.id, await queue.advance(claim));
    else tell((await queue.complete(claim)) ? "over" : "refused", claim.job.id);
  }),
];

async function work(claim) {
  const { job, attempt } = claim;
  tell("claimed", job.id, attempt);
  for (const { index } of job.items) {
    // Half of a lease, or more than one.
    if (random(4) === 0) await delay((LEASE_MS / PACE) * (random(2) === 0 ? 0.5 : 1.5));
    const lease = await queue.extend(claim);
    if (lease === "cancel") {
      tell((await queue.cancelled(claim)) ? "over" : "refused", job.id);
      return;
    }
    if (random(4) === 0) await delay((LEASE_MS / PACE) * 1.5);
    const rewrite = `${name} ${attempt} ${index}`;
    const isKept =
      job.phase === "text"
        ? await queue.saveText(claim, index, { rewrite, candidates: [], notes: [], ms: 1 })
        : await queue.savePictures(claim, index, {
            pictures: { baseline: picture(`${name}-${attempt}.png`), optimized: picture("b.png") },
          });
    tell(isKept ? job.phase : "refused", job.id, index, attempt);
  }
  await endings[random(endings.length)](claim);
}

for (;;) {
  for (const { id, state } of await queue.recover("lapsed")) {
    tell("recovered", id);
    over(id, state);
  }
  const claim = await queue.claim(random(2) === 0 ? "text" : "image", name);
  if (claim !== undefined) await work(claim);
  const id = ids[random(ids.length)];
  if (random(20) === 0) {
    const answer = await queue.cancel(id);
    if (answer === "cancelled") tell("over", id);
  }
  if (random(10) === 0 && (await queue.cancelItem(id, 1))) tell("item-cancelled", id);
  if (random(3) === 0 && (await queue.requeue(id)) !== undefined) tell("requeued", id);
  const { queued, running } = await queue.depth();
  if (queued + running === 0) break;
}
await store.close();
