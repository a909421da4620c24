import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { findJudges, NO_CLIP } from "../../../src/checkpoints/layouts/find-judges.js";
import { refusal, temporaryFolder } from "../support.js";

const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature", import.meta.url));
const CLIP = fileURLToPath(new URL("../../golden/clip/one", import.meta.url));
const CHECKER = fileURLToPath(new URL("../../golden/safety/plain/safety_checker", import.meta.url));

/** A folder of checkpoints with the miniature, and the checkpoint that draws the pictures. */
function checkpoints() {
  const folder = temporaryFolder();
  cpSync(MINIATURE, join(folder, "miniature"), { recursive: true });
  const at = (...path: string[]) => join(folder, ...path);
  const published = at("stable-diffusion-v1-5");
  mkdirSync(published);
  return {
    at,
    folder,
    miniature: { directory: at("miniature", "stable-diffusion"), isMiniature: true },
    published: { directory: published, isMiniature: false },
  };
}

it("the miniature's CLIP judges only the miniature's pictures", () => {
  const { at, folder, miniature, published } = checkpoints();
  expect(findJudges(miniature, folder)).toEqual({
    clip: at("miniature", "clip"),
    clipName: "miniature",
    aesthetic: at("miniature", "aesthetic", "style.pth"),
    safety: null,
  });
  expect(findJudges(published, folder)).toEqual({
    clip: null,
    clipName: null,
    aesthetic: null,
    safety: null,
  });
});

it("a published CLIP judges all pictures, with its own predictor; a tokenizer alone is not a CLIP", () => {
  const { at, folder, miniature, published } = checkpoints();
  mkdirSync(at("clip"));
  writeFileSync(at("clip", "vocab.json"), "{}");
  expect(findJudges(published, folder).clip).toBeNull();
  cpSync(CLIP, at("clip"), { recursive: true });
  for (const diffusion of [miniature, published])
    expect(findJudges(diffusion, folder)).toMatchObject({
      clip: at("clip"),
      clipName: "clip",
      aesthetic: null,
    });
  mkdirSync(at("aesthetic"));
  cpSync(join(CLIP, "predictor.pth"), at("aesthetic", "mine.pth"));
  expect(findJudges(miniature, folder).aesthetic).toBe(at("aesthetic", "mine.pth"));
});

it("of several predictors Promptist's own is the default, others must be chosen", () => {
  const { at, folder, published } = checkpoints();
  cpSync(CLIP, at("clip"), { recursive: true });
  mkdirSync(at("aesthetic"));
  for (const name of ["ava+logos-l14-linearMSE.pth", "ava+logos-l14-reluMSE.pth"])
    cpSync(join(CLIP, "predictor.pth"), at("aesthetic", name));
  const error = refusal(() => findJudges(published, folder));
  expect(error).toMatchObject({
    code: "CHECKPOINT_MISSING",
    message: expect.stringMatching(/several.*Leave the one/),
  });
  const wanted = at("aesthetic", "sac+logos+ava1-l14-linearMSE.pth");
  cpSync(join(CLIP, "predictor.pth"), wanted);
  expect(findJudges(published, folder).aesthetic).toBe(wanted);
});

it("the safety checker is the checkpoint's own or Stable Diffusion 1.5's; the miniature borrows none", () => {
  const { at, folder, miniature, published } = checkpoints();
  const own = join(published.directory, "safety_checker");
  cpSync(CHECKER, own, { recursive: true });
  const tuned = { directory: at("tuned"), isMiniature: false };
  mkdirSync(tuned.directory);
  writeFileSync(at("single.safetensors"), "");
  const single = { directory: at("single.safetensors"), isMiniature: false };
  for (const diffusion of [published, tuned, single]) expect(findJudges(diffusion, folder).safety).toBe(own);
  expect(findJudges(miniature, folder).safety).toBeNull();
  cpSync(CHECKER, at("tuned", "safety_checker"), { recursive: true });
  cpSync(CHECKER, at("safety_checker"), { recursive: true });
  expect(findJudges(tuned, folder).safety).toBe(at("tuned", "safety_checker"));
  expect(findJudges(single, folder).safety).toBe(at("safety_checker"));
  rmSync(own, { recursive: true });
  expect(findJudges(published, folder).safety).toBeNull();
});

it("a named CLIP must exist, and 'none' turns it off", () => {
  const { at, folder, miniature } = checkpoints();
  expect(findJudges(miniature, folder, CLIP)).toMatchObject({ clip: CLIP, clipName: "one", aesthetic: null });
  expect(findJudges(miniature, folder, NO_CLIP)).toMatchObject({
    clip: null,
    clipName: null,
    aesthetic: null,
  });
  expect(refusal(() => findJudges(miniature, folder, at("nowhere")))).toMatchObject({
    code: "CHECKPOINT_MISSING",
    message: expect.stringContaining('"none"'),
  });
});
