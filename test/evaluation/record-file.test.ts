import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { RecordFile, readRecords } from "../../src/evaluation/record-file.js";
import { temporaryFolder } from "../support/app.js";

const schema = z.object({ n: z.number(), text: z.string() });
type Numbered = z.infer<typeof schema>;

function path(): string {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  return join(folder.path, "records.jsonl");
}
async function append(file: string, ...records: Numbered[]): Promise<void> {
  const open = await RecordFile.openToAppend<Numbered>(file);
  for (const record of records) await open.append(record);
  await open.close();
}
async function all(file: string): Promise<Numbered[]> {
  const records: Numbered[] = [];
  for await (const record of readRecords(file, schema)) records.push(record);
  return records;
}
const numbers = async (file: string): Promise<number[]> => (await all(file)).map(({ n }) => n);

test("records are appended and read in order, with any text", async () => {
  const file = path();
  expect(await numbers(file)).toEqual([]);
  await append(file, { n: 1, text: "two\nlines, “quoted” \u2028 and 猫" });
  await append(file, { n: 2, text: "x".repeat(200_000) });
  expect(await all(file)).toEqual([
    { n: 1, text: "two\nlines, “quoted” \u2028 and 猫" },
    { n: 2, text: "x".repeat(200_000) },
  ]);
});

test.each([
  ["the beginning of a record", '{"n":3,"te'],
  ["a record without its line break", '{"n":3,"text":"c"}'],
  ["a long beginning", `{"n":3,"text":"${"y".repeat(150_000)}`],
])("%s at the end is cut off before more is appended", async (_, torn) => {
  const file = path();
  await append(file, { n: 1, text: "a" }, { n: 2, text: "b" });
  appendFileSync(file, torn);
  await append(file, { n: 4, text: "d" });
  expect(await numbers(file)).toEqual([1, 2, 4]);
  expect(readFileSync(file, "utf8").split("\n")).toHaveLength(4);
});

test("a file that is one beginning becomes empty", async () => {
  const file = path();
  writeFileSync(file, '{"n":');
  await append(file, { n: 1, text: "a" });
  expect(await numbers(file)).toEqual([1]);
});

test("lines that are no such record are passed over", async () => {
  const file = path();
  writeFileSync(file, `${"\0".repeat(20)}\n{"n":"one","text":"a"}\n[]\n{"n":5,"text":"e"}\n`);
  expect(await numbers(file)).toEqual([5]);
});
