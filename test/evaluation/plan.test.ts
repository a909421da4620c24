import { expect, onTestFinished, test } from "vitest";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { hashOf, type Plan, PlanFile, seedOf } from "../../src/evaluation/plan.js";
import { temporaryFolder } from "../support/app.js";

const { seed: _, ...text } = DEFAULT_TEXT_OPTIONS;
const plan: Plan = {
  version: 1,
  prompts: { count: 2, sha256: hashOf(["A cat", "A dog"]) },
  rewriters: ["promptist", "none"],
  baseline: "none",
  seeds: 2,
  seed: 0,
  text: { promptist: text },
  image: { ...DEFAULT_IMAGE_OPTIONS, guidance: 7.5 },
  models: { promptist: "Promptist", diffusion: "sd" },
};

function place(): string {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  return folder.path;
}

test("the same evaluation goes on, and keeps the hashes of its weights", async () => {
  const folder = place();
  const first = await PlanFile.open(folder, plan);
  await first.checkHash("diffusion", "abc");
  const image = { guidance: 7.5, ...DEFAULT_IMAGE_OPTIONS };
  const again = await PlanFile.open(folder, { ...plan, image });
  expect(again.hashes).toEqual({ diffusion: "abc" });
  await again.checkHash("diffusion", "abc");
  await again.checkHash("promptist", null);
  await expect(again.checkHash("diffusion", "abd")).rejects.toThrow(
    "The weights of sd have changed since this evaluation began",
  );
});

test("another evaluation is refused with what differs", async () => {
  const folder = place();
  await PlanFile.open(folder, plan);
  const other = {
    ...plan,
    seeds: 3,
    prompts: { count: 2, sha256: hashOf(["A cat", "A hen"]) },
    image: { ...plan.image, steps: 20 },
  };
  await expect(PlanFile.open(folder, other)).rejects.toMatchObject({
    code: "INPUT_OPTION",
    message: expect.stringContaining("differs in the prompts, --seeds, how pictures are drawn. Go on with"),
  });
});

test("every picture of a prompt has its own seed, and no two prompts share one", () => {
  const seeds = [0, 1, 2].flatMap((prompt) => [0, 1].map((i) => seedOf({ seed: 7, seeds: 2 }, prompt, i)));
  expect(seeds).toEqual([7, 8, 9, 10, 11, 12]);
});
