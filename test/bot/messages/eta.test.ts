import { expect, test } from "vitest";
import { etas, type Work } from "../../../src/bot/messages/parts/eta.js";
import type { OpenWork } from "../../../src/db/queue.js";

/** A second for each picture. */
const estimateMs = ({ pictures }: Work) => pictures * 1_000;
const open = (id: string, state: "running" | "queued", pictures: number) =>
  ({
    id,
    kind: "compare",
    phase: "image",
    state,
    held: null,
    texts: 0,
    pictures,
    steps: 1,
  }) as unknown as OpenWork;
const jobs = [open("running", "running", 2), open("next", "queued", 2), open("last", "queued", 4)];

test("one device works through the line alone", () => {
  expect(Object.fromEntries(etas(jobs, estimateMs))).toEqual({ running: 2_000, next: 4_000, last: 8_000 });
});

test("two devices share what is before a job, not the job itself", () => {
  expect(Object.fromEntries(etas(jobs, estimateMs, 2))).toEqual({ running: 2_000, next: 3_000, last: 6_000 });
});
