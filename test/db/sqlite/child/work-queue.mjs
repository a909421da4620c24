// Uses a queue as fast as it can until it is killed, and prints each step after the call for it has returned.
// Arguments: folder of the compiled sources, database file, name of this run.
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const picture = (file) => ({ file, ms: null, judgement: null });

const [sources, file, run] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${sources}/${path}`).href);
const { openDatabase } = await load("db/sqlite/open.js");
const { sqliteStore } = await load("db/sqlite/store.js");
const { DEFAULT_TEXT_OPTIONS } = await load("core/options.js");

const db = openDatabase(file);
const { queue, deliveries, drafts } = sqliteStore(db);
// Synchronous, so that a line is with the reader before the next call starts.
const tell = (...words) => writeSync(1, `${words.join(" ")}\n`);

for (const { id } of await queue.recover("all")) tell("recovered", id);
for (let n = 0; ; n += 1) {
  const origin = {
    userId: `user-${n % 3}`,
    guildId: null,
    channelId: "channel",
    locale: "en-US",
    applicationId: "application",
    interactionId: `${run}-${n}`,
    interactionToken: "token",
    tokenExpiresAt: 0,
  };
  const request = {
    kind: "compare",
    text: DEFAULT_TEXT_OPTIONS,
    image: { seed: 1, steps: 2, guidance: 7.5, negative: "", size: null, scheduler: "pndm" },
    items: [
      { prompt: "A cat in the rain", rewrite: null },
      { prompt: "Fear", rewrite: null },
    ],
    preview: false,
  };
  const draft = await drafts.add(request, origin, 0);
  tell("drafted", origin.interactionId);
  const job = await queue.enqueue({ ...request, origin, draftId: draft.id });
  tell("enqueued", job.id);

  const text = await queue.claim("text", run);
  if (text !== undefined) {
    for (const item of [0, 1]) {
      const rewrite = `${text.job.id} rewritten ${item}`;
      if (await queue.saveText(text, item, { rewrite, candidates: [], notes: [] }))
        tell("text", text.job.id, item);
    }
    if (await queue.advance(text)) tell("advanced", text.job.id);
  }
  const image = n % 2 === 1 ? await queue.claim("image", run) : undefined;
  if (image !== undefined) {
    if (
      await queue.savePictures(image, 0, {
        pictures: { baseline: picture("a.png"), optimized: picture("b.png") },
      })
    )
      tell("pictures", image.job.id, 0);
    if (await queue.complete(image)) tell("done", image.job.id);
    await deliveries.delivered(image.job.id, "message");
    tell("delivered", image.job.id);
  }
}
