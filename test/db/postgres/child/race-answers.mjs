// One of two processes that tell the same people the same things at once: votes, deliveries, galleries, styles,
// settings; and then end what is stored. Each step is told once its call has returned.
// Arguments: folder of the compiled sources, address of the database, name of this process, "tell" or "end".
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const VOTERS = 4;
/** More than a server may have, in lists. */
const STYLES = 210;
const LIST = 30;
const DAY_MS = 86_400_000;

const [sources, url, name, part] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${sources}/${path}`).href);
const { postgresStore } = await load("db/postgres/store.js");
const store = await postgresStore(url, { connections: 4 });
const { votes, deliveries, favourites, styles, settings, drafts, records, usage } = store;
const tell = (...words) => writeSync(1, `${words.join(" ")}\n`);
/** Both processes have the same list, and each walks it its own way. */
const inMyOrder = (list) => (name === "one" ? list : [...list.slice(1), ...list.slice(0, 1)]);

const jobs = inMyOrder((await records.latest(1_000)).sort((a, b) => (a.id < b.id ? -1 : 1)));
const styleNames = [...Array(STYLES).keys()].map((n) => `style ${n}`);
const server = { scope: "server", id: "guild" };

async function answer(job) {
  const { id, origin } = job;
  const { left } = await votes.open(job, null);
  tell("opened", id, left);
  await Promise.all(
    Array.from({ length: VOTERS }, async (_one, n) => {
      const answered = await votes.vote(id, `voter-${n}`, name === "one" ? "left" : "right");
      if (answered !== "closed") tell(answered.isFirst ? "first" : "later", id, n, answered.counted);
    }),
  );
  if (await votes.close(id)) tell("closed", id);
  tell("late", id, await votes.vote(id, "latecomer", "left"));

  await deliveries.replied(id, `reply-${name}`);
  await deliveries.deliveryFailed(id, name);
  await deliveries.posted(id, origin.channelId, `message-${name}`);
  await deliveries.delivered(id, `message-${name}`);
  for (const sheet of [1, 2]) await deliveries.settleSheet(id, sheet);

  const favourite = { jobId: id, userId: origin.userId, guildId: "guild", channelId: "gallery" };
  if (await favourites.add({ ...favourite, applicationId: "application", addedBy: name }))
    tell("favourite", id);
  if (!(await favourites.posted(id, `favourite-${name}`))) tell("taken away", id);
}

async function tellAll() {
  for (const job of jobs) await answer(job);
  tell("undelivered", (await deliveries.undelivered()).length);
  for (const n of inMyOrder([...Array(STYLES / LIST).keys()])) {
    const list = styleNames.slice(n * LIST, (n + 1) * LIST);
    const saved = await styles.save(
      server,
      list.map((style) => ({ name: style, prompt: name, negative: "" })),
      name,
    );
    for (const [i, became] of saved.entries()) tell("style", became, list[i]);
  }
  for (let n = 0; n < 20; n += 1) await settings.set("server", `guild-${n}`, "ping", name === "one", name);
  for (const id of await drafts.idsOfUser("drafter"))
    tell("shown", id, await drafts.shown(id, `message-${name}`));
}

async function endAll() {
  for (const style of inMyOrder(styleNames))
    if (await styles.remove(server, style)) tell("style-removed", style);
  for (let n = 0; n < 20; n += 1)
    if (await settings.reset("server", `guild-${n}`, "ping")) tell("setting-reset", n);
  for (const id of (await drafts.idsOfUser("drafter")).slice(0, 3)) await drafts.discard(id);
  for (const id of await drafts.erase("drafter", true)) tell("draft-erased", id);
  for (const { id } of jobs) await favourites.remove(id);

  for (const { id, origin } of jobs) {
    if (origin.userId === "dropped" && (await records.drop(id))) tell("gone", id);
    if (origin.userId === "pruned") await records.picturesPruned(id);
  }
  for (const id of await records.pruneOldest(5)) tell("gone", id);
  for (const id of (await records.eraseUser("erased", true)).deleted) tell("erased", id);
  for (const id of await records.eraseEnded()) tell("gone", id);
  for (const id of await records.prune(Date.now() + DAY_MS)) tell("gone", id);
  await usage.erase("erased");
  await votes.erase("voter-0");
  for (;;) {
    const messages = await records.erasedMessages(0, 10);
    if (messages.length === 0) break;
    for (const { seq } of messages) await records.messageSettled(seq);
  }
}

await (part === "tell" ? tellAll() : endAll());
await store.close();
