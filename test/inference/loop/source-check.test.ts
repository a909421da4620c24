import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../../src/core/job.js";
import { type PictureJudgement, UNJUDGED } from "../../../src/core/judgement.js";
import type { ImageOptions } from "../../../src/core/options.js";
import type { Concern, Source } from "../../../src/core/source.js";
import type { Host } from "../../../src/inference/loop/phase.js";
import { SourceCheck } from "../../../src/inference/loop/source-check.js";
import { PictureFolder } from "../../../src/pictures/store.js";
import { temporaryFolder } from "../../support/app.js";

const FLAGGED = { flagged: true, concepts: [1] };
const PASSED = { flagged: false, concepts: [] };
const IMAGE: ImageOptions = { seed: 1, steps: 20, guidance: 7, negative: "", size: null, scheduler: "pndm" };
const job = { id: "j" } as Job;

let folder: ReturnType<typeof temporaryFolder>;
let pictures: PictureFolder;
beforeAll(async () => {
  folder = temporaryFolder();
  pictures = new PictureFolder(folder.path);
  await pictures.create({ jobId: "j", file: "source.png" }, async (path) => writeFileSync(path, "pixels"));
});
afterAll(() => folder.remove());

/** A worker whose checker gives this verdict, and how often it was asked. */
function judging(safety: PictureJudgement["safety"]) {
  const asked: unknown[] = [];
  const call = async (name: string, request: unknown) => {
    asked.push([name, request]);
    return { ...UNJUDGED, safety };
  };
  return { host: { call } as unknown as Host, asked };
}

const from = (source: Partial<Source> = {}, accepts: readonly Concern[] = []): ImageOptions => {
  const one = { file: "source.png", sha256: "0123", ...source };
  return { ...IMAGE, from: { strength: 0.6, sources: { baseline: one, optimized: one }, accepts } };
};

describe("a picture to go on from", () => {
  it("is none where the job begins with noise", async () => {
    const { host, asked } = judging(FLAGGED);
    expect(await new SourceCheck(pictures).from(host, job, IMAGE, "baseline")).toBeNull();
    expect(asked).toEqual([]);
  });

  it("is judged once for both sides before it is used", async () => {
    const { host, asked } = judging(PASSED);
    const check = new SourceCheck(pictures);
    const file = join(folder.path, "j", "source.png");
    for (const side of ["baseline", "optimized"] as const)
      expect(await check.from(host, job, from(), side)).toEqual({
        file,
        strength: 0.6,
        sha256: "0123",
        isHarmless: false,
      });
    expect(asked).toEqual([["judge", { file, plainPrompt: null }]]);
  });

  it.each([
    ["flagged", FLAGGED, [], "PICTURE_FLAGGED"],
    ["flagged", FLAGGED, ["unchecked"], "PICTURE_FLAGGED"],
    ["unchecked", "unchecked", ["flagged"], "PICTURE_UNCHECKED"],
  ] as const)("that is %s is refused where that is not accepted", async (_, safety, accepts, code) => {
    const used = new SourceCheck(pictures).from(judging(safety).host, job, from({}, accepts), "baseline");
    await expect(used).rejects.toMatchObject({ code });
  });

  it.each([
    [FLAGGED, ["flagged"]],
    ["unchecked", ["unchecked"]],
  ] as const)("is used where %j is accepted", async (safety, accepts) => {
    const used = await new SourceCheck(pictures).from(
      judging(safety).host,
      job,
      from({}, accepts),
      "optimized",
    );
    expect(used).toMatchObject({ strength: 0.6, isHarmless: false });
  });

  it("that was judged when it was drawn keeps its verdict", async () => {
    const { host, asked } = judging(FLAGGED);
    const check = new SourceCheck(pictures);
    expect(await check.from(host, job, from({ safety: "harmless" }), "baseline")).toMatchObject({
      isHarmless: true,
    });
    expect(await check.from(host, job, from({ safety: PASSED }), "baseline")).toMatchObject({
      isHarmless: false,
    });
    const flagged = check.from(host, job, from({ safety: FLAGGED }), "baseline");
    await expect(flagged).rejects.toMatchObject({ code: "PICTURE_FLAGGED" });
    expect(asked).toEqual([]);
  });

  it("says so when it is deleted", async () => {
    const gone = new SourceCheck(pictures).from(
      judging(PASSED).host,
      job,
      from({ file: "1-baseline.png" }),
      "baseline",
    );
    await expect(gone).rejects.toMatchObject({ code: "PICTURE_GONE" });
  });
});
