import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Favourites } from "../../../src/db/favourites.js";
import type { Records } from "../../../src/db/records.js";
import { ENGINES, type Engine } from "./engines.js";

const START = Date.UTC(2026, 0, 1);
const favourite = (jobId: string, userId = "ada") => ({
  jobId,
  userId,
  guildId: "guild",
  channelId: "gallery",
  applicationId: "application",
  addedBy: "bob",
});

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let favourites: Favourites;
  let records: Records;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ favourites, records } = await engine.connect(() => time));
  });
  afterEach(() => engine.destroy());

  const erasedMessages = async () =>
    (await records.erasedMessages(0, 10)).map(({ sourceId, channelId, messageId }) => [
      sourceId,
      channelId,
      messageId,
    ]);

  test("a job's result is added once, and waits, also over a restart, until its message is noted", async () => {
    expect(await favourites.add(favourite("b"))).toBe(true);
    time += 1;
    expect(await favourites.add(favourite("a"))).toBe(true);
    expect(await favourites.add({ ...favourite("b"), addedBy: "cleo" })).toBe(false);
    ({ favourites, records } = await engine.connect(() => time));
    expect((await favourites.pending()).map(({ jobId }) => jobId)).toEqual(["b", "a"]);
    expect(await favourites.posted("b", "message")).toBe(true);
    expect((await favourites.pending()).map(({ jobId }) => jobId)).toEqual(["a"]);
    expect(await favourites.get("b")).toEqual({ ...favourite("b"), messageId: "message" });
    expect(await favourites.get("c")).toBeUndefined();
    expect(await favourites.posted("c", "message")).toBe(false);
  });

  test("one that is taken away leaves its message to be deleted, and may be added again", async () => {
    await favourites.add(favourite("a"));
    await favourites.add(favourite("b"));
    await favourites.posted("a", "message");
    await favourites.remove("a");
    await favourites.remove("b");
    await favourites.remove("c");
    expect(await erasedMessages()).toEqual([["a", "gallery", "message"]]);
    expect(await favourites.posted("b", "late")).toBe(false);
    expect(await favourites.add(favourite("a"))).toBe(true);
  });

  test.each([true, false])(
    "erasing a person takes their results away; with messages: %s",
    async (withMessages) => {
      for (const jobId of ["a", "b"]) await favourites.add(favourite(jobId));
      await favourites.add(favourite("c", "bob"));
      await favourites.posted("b", "message");
      expect(await favourites.erase("ada", withMessages)).toEqual(["a", "b"]);
      expect(await erasedMessages()).toEqual(withMessages ? [["b", "gallery", "message"]] : []);
      expect(await favourites.get("b")).toBeUndefined();
      // Who put a result of someone else there leaves only their name.
      await favourites.add({ ...favourite("d"), addedBy: "cleo" });
      expect(await favourites.erase("cleo", withMessages)).toEqual([]);
      expect((await favourites.get("d"))?.addedBy).toBeNull();
    },
  );
});
