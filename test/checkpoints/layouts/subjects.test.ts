import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readSubjects } from "../../../src/checkpoints/layouts/subjects.js";

interface Trained {
  readonly subjects: () => { readonly name: string; readonly others: readonly string[] }[];
}

test("the miniature's list of subjects is the one that it was trained on", async () => {
  const { subjects } = (await import(
    new URL("../../../training/subjects.mjs", import.meta.url).href
  )) as Trained;
  const miniature = fileURLToPath(new URL("../../../checkpoints/miniature", import.meta.url));
  expect(readSubjects(miniature)).toEqual(subjects().map(({ name, others }) => [name, ...others]));
  expect(readSubjects("/nonexistent")).toBeNull();
});
