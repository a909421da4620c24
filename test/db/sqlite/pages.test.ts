import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import type { Store } from "../../../src/db/store.js";
import { newJob } from "../contract/fixtures.js";

/** More than two pages of what is read in pages. */
const MANY = 4_500;
const VOTER = (i: number) => `voter-${String(i).padStart(5, "0")}`;

let folder: string;
let database: Database;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pages-"));
  database = openDatabase(join(folder, "queue.db"));
  store = sqliteStore(database);
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A row in as many copies, each with other values in some columns. */
function copy(table: string, row: object, values: (i: number) => object): void {
  const names = Object.keys(row);
  const insert = database.prepare(
    `insert into ${table} (${names}) values (${names.map((name) => `@${name}`)})`,
  );
  database.transaction(() => {
    for (let i = 0; i < MANY; i++) insert.run({ ...row, ...values(i) });
  })();
}

/** How many turns of the event loop pass during `work`. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

const rowOf = (table: string) => database.prepare(`select * from ${table} limit 1`).get() as object;

/** MANY votes on ada's first ballot, her MANY further ballots without a vote, and one of bob with both their votes. */
async function addVotes(): Promise<void> {
  const { queue, votes } = store;
  const ada = await queue.enqueue(newJob({ user: "ada" }));
  await votes.open(ada, null);
  copy("votes", { job_id: ada.id, user_id: "", choice: "tie", voted_at: 0 }, (i) => ({
    user_id: VOTER(i),
    // The last one to come was the first to vote.
    voted_at: MANY - i,
  }));
  copy("ballots", rowOf("ballots"), (i) => ({ job_id: `empty-${i}` }));
  const bob = await queue.enqueue(newJob({ user: "bob" }));
  await votes.open(bob, null);
  for (const user of ["ada", "bob"]) await votes.vote(bob.id, user, "bad");
}

test("votes are counted, grouped and listed the same over any number of pages, in several steps", async () => {
  await addVotes();
  const { votes } = store;
  const all = { optimized: 0, baseline: 0, tie: MANY, bad: 2 };
  for (const filter of [{}, { guildId: "guild" }]) {
    expect(await votes.total(filter)).toEqual(all);
    expect(await votes.by("user", filter, 2)).toMatchObject([{ key: "ada" }, { key: "bob" }]);
    expect(await votes.by("mode", filter, 10)).toHaveLength(1);
    const keys = await votes.keys(filter);
    expect(keys).toHaveLength(MANY + 2);
    expect(keys[0]!.userId).toBe(VOTER(MANY - 1));
    expect(await turnsDuring(() => votes.total(filter))).toBeGreaterThan(3);
  }
  expect(await votes.total({ userId: "ada" })).toEqual({ ...all, tie: 0, bad: 1 });
  expect(await votes.total({ guildId: "elsewhere" })).toEqual({ ...all, tie: 0, bad: 0 });
});

test("erasing a person of many ballots keeps those that others voted on, without the texts, in several steps", async () => {
  await addVotes();
  const { votes } = store;
  expect(await turnsDuring(() => votes.erase("ada"))).toBeGreaterThan(3);
  const keys = await votes.keys({});
  expect(keys).toHaveLength(MANY + 1);
  expect(keys.map(({ userId }) => userId)).not.toContain("ada");
  const kept = database.prepare(
    "select author_id as author, prompt, rewrite, seed from ballots order by job_id",
  );
  const erased = { author: null, prompt: null, rewrite: null, seed: null };
  expect(kept.all()).toEqual(expect.arrayContaining([erased, expect.objectContaining({ author: "bob" })]));
  expect(kept.all()).toHaveLength(2);
});

test("jobs are listed and pruned oldest first over any number of pages, in several steps", async () => {
  const { queue, records } = store;
  const { id } = await queue.enqueue(newJob({ user: "ada", kind: "compare" }));
  await queue.cancel(id);
  copy("jobs", { ...rowOf("jobs"), delivered_at: 1 }, (i) => ({
    seq: 10 + i,
    id: `old-${i}`,
    interaction_id: `old-${i}`,
    // The last one to be stored was the first to finish.
    finished_at: MANY - i,
  }));
  const last = `old-${MANY - 1}`;
  expect(await records.idsOfUser("ada")).toHaveLength(MANY + 1);
  expect(await records.withPictures()).toHaveLength(MANY);
  expect((await records.withPictures())[0]).toEqual({ id: last, finishedAt: 1 });
  for (const read of [() => records.withPictures(), () => records.idsOfUser("ada")])
    expect(await turnsDuring(read)).toBeGreaterThan(2);
  expect(await records.pruneOldest(2)).toEqual([last, `old-${MANY - 2}`]);
  expect(await records.prune(MANY)).toHaveLength(MANY - 3);
  expect(await records.idsOfUser("ada")).toEqual([id, "old-0"]);
});

test("expired drafts are found among many long ones, in several steps", async () => {
  const { drafts } = store;
  const { kind, origin, text, image, items } = newJob({ user: "ada", kind: "batch" });
  const request = { kind, text, image, items, preview: false };
  for (let i = 0; i < 20; i++) {
    const of = { ...origin, interactionId: `draft-${i}` };
    await drafts.add(request, of, i === 17 ? 5 : Date.now() + 1_000_000 + i);
  }
  expect(await drafts.nextDueAt()).toBe(5);
  expect((await drafts.due()).map((draft) => draft.origin.interactionId)).toEqual(["draft-17"]);
  expect((await drafts.ofInteraction("draft-19"))?.origin.interactionId).toBe("draft-19");
  expect(await drafts.ofInteraction("draft-20")).toBeUndefined();
  expect(await turnsDuring(() => drafts.nextDueAt())).toBeGreaterThan(2);
});
