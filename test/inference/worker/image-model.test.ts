import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { findJudges } from "../../../src/checkpoints/layouts/find-judges.js";
import { InferenceError } from "../../../src/core/errors.js";
import { withRoom } from "../../../src/inference/judging/one-tower.js";
import { Session } from "../../../src/inference/runtime/session.js";
import { loadImageModel } from "../../../src/inference/worker/image-model.js";
import type { Drawn, FromFile, ImageSpec } from "../../../src/inference/worker/protocol.js";
import type { LoadedModel } from "../../../src/inference/worker/worker-model.js";
import { readPngText } from "../../../src/pictures/png.js";
import { readPicture } from "../../../src/pictures/read-picture.js";
import { temporaryFolder } from "../../support/app.js";
import { overflowingCheckpoint } from "../../support/overflowing-checkpoint.js";
import { checkpointsWithSafetyChecker, type MadeUpConcept } from "../../support/safety-fixture.js";

/** The image worker's model on the miniature, in this process. */
const CHECKPOINTS = fileURLToPath(new URL("../../../checkpoints", import.meta.url));
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());
afterEach(() => vi.restoreAllMocks());

const CONTEXT = { signal: new AbortController().signal, onStep: () => undefined };
const options = { seed: 7, steps: 6, guidance: 2, negative: "", size: null, scheduler: "euler" } as const;

function specOf(checkpointsDir: string, changes: Partial<ImageSpec> = {}): ImageSpec {
  const directory = join(checkpointsDir, "miniature", "stable-diffusion");
  return {
    phase: "image",
    directory,
    model: "miniature",
    tokenizer: join(directory, "tokenizer"),
    loras: [],
    vae: null,
    clipSkip: 0,
    harmless: true,
    judges: findJudges({ directory, isMiniature: true }, checkpointsDir),
    device: "cpu",
    precision: "fp32",
    cacheDir: join(folder.path, "cache"),
    threads: 1,
    ...changes,
  };
}

async function withImageModel<T>(spec: ImageSpec, work: (model: LoadedModel) => Promise<T>): Promise<T> {
  const model = await loadImageModel(spec);
  try {
    return await work(model);
  } finally {
    await model.release();
  }
}

const draw = (model: LoadedModel, prompt: string, plainPrompt = prompt): Promise<Drawn> =>
  model.handlers.draw!(
    {
      prompt,
      plainPrompt,
      options,
      file: join(folder.path, `${prompt.replace(/\W+/g, "-")}.png`),
      checkpoint: "miniature",
      pair: null,
    },
    CONTEXT,
  );

describe("the image worker's judges", () => {
  it("tell from its pixels alone which of two prompts a picture shows", async () => {
    await withImageModel(specOf(CHECKPOINTS), async (model) => {
      const right = await draw(model, "a pizza");
      expect(right.judgement).toMatchObject({ safety: "harmless", judge: "miniature + style" });
      expect(right.judgement.beauty).toEqual(expect.any(Number));
      // The stored file gives the same judgement as the pixels.
      const request = { file: right.file, plainPrompt: "a pizza" };
      const again = await model.handlers.judge!(request, CONTEXT);
      expect(again.relevance).toBeCloseTo(right.judgement.relevance!, 6);
      const wrong = await model.handlers.judge!({ ...request, plainPrompt: "a penguin" }, CONTEXT);
      expect(right.judgement.relevance! - wrong.relevance!).toBeGreaterThan(0.2);
    });
  });

  it("use the pipeline's own text encoder, which is the miniature CLIP's text tower", async () => {
    const opened = vi.spyOn(Session, "open");
    await withImageModel(specOf(CHECKPOINTS), (model) => draw(model, "a fox"));
    const names = opened.mock.calls.map(([name]) => name);
    expect(names).toEqual(["the text encoder", "the UNet", "the VAE decoder", "CLIP's vision tower"]);
  });

  it("give no scores if there are none, and an unknown checkpoint's pictures are unchecked", async () => {
    const judges = { clip: null, clipName: null, aesthetic: null, safety: null };
    const nothing = await withImageModel(specOf(CHECKPOINTS, { judges, harmless: false }), (model) =>
      draw(model, "a fox"),
    );
    expect(nothing.judgement).toEqual({ relevance: null, beauty: null, safety: "unchecked", judge: null });
  });
});

describe("a picture to go on from", () => {
  const SIZE = { width: 64, height: 64 };
  const goOn = (model: LoadedModel, from: FromFile, name: string): Promise<Drawn> =>
    model.handlers.draw!(
      {
        prompt: "a fox",
        plainPrompt: "a fox",
        options: { ...options, size: SIZE },
        from,
        file: join(folder.path, name),
        checkpoint: "miniature",
        pair: null,
      },
      CONTEXT,
    );

  it("may show anything, unless a harmless checkpoint drew it", async () => {
    await withImageModel(specOf(CHECKPOINTS), async (model) => {
      const { file } = await draw(model, "a fox");
      const strange = await goOn(model, { file, strength: 0.5 }, "strange.png");
      expect(strange.judgement).toMatchObject({ safety: "unchecked", judge: "miniature + style" });
      const own = await goOn(model, { file, strength: 0.5, isHarmless: true }, "own.png");
      expect(own.judgement.safety).toBe("harmless");
      const seen = await model.handlers.judge!({ file, plainPrompt: null }, CONTEXT);
      expect(seen).toMatchObject({ safety: "unchecked", relevance: null });
      const copied = await model.handlers.judge!({ file, plainPrompt: "a fox" }, CONTEXT);
      expect(copied.safety).toBe("harmless");
    });
  });

  it("stands in the picture's texts, by its own hash or by that of the file that it was", async () => {
    await withImageModel(specOf(CHECKPOINTS), async (model) => {
      const { file } = await draw(model, "a fox");
      const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
      const textsOf = (drawn: Drawn) => readPngText(readFileSync(drawn.file));
      const own = textsOf(await goOn(model, { file, strength: 0.5 }, "own-hash.png"));
      expect(JSON.parse(own.promptist!)).toMatchObject({ from: { strength: 0.5, sha256 } });
      expect(own.parameters).toContain("Denoising strength: 0.5, ");
      const given = textsOf(await goOn(model, { file, strength: 0.5, sha256: "abc" }, "given.png"));
      expect(JSON.parse(given.promptist!)).toMatchObject({ from: { strength: 0.5, sha256: "abc" } });
    });
  });
});

describe("a safety checker of harmless concepts", () => {
  const PIZZA: readonly MadeUpConcept[] = [
    { caption: "a penguin", threshold: 0.45 },
    { caption: "a pizza", threshold: 0.45 },
  ];
  let checkpoints: string;
  beforeAll(async () => {
    checkpoints = await checkpointsWithSafetyChecker(join(folder.path, "checked"), PIZZA);
  });

  it("flags exactly its own concepts, whichever CLIP is loaded", async () => {
    const spec = specOf(checkpoints);
    expect(spec.judges.safety).toBe(join(spec.directory, "safety_checker"));
    const alone = { ...spec, judges: { ...spec.judges, clip: null, clipName: null, aesthetic: null } };
    for (const one of [spec, alone]) {
      await withImageModel(one, async (model) => {
        const opened = vi.spyOn(Session, "open");
        const pizza = await draw(model, "a pizza");
        expect(pizza.judgement.safety).toEqual({ flagged: true, concepts: [1] });
        const fox = await draw(model, "a fox");
        expect(fox.judgement.safety).toEqual({ flagged: false, concepts: [] });
        // One tower serves both and is loaded once.
        expect(opened.mock.calls.length).toBe(1);
        vi.restoreAllMocks();
      });
    }
  });

  it("makes the worker fail to open if it is broken, rather than leave pictures unchecked", async () => {
    const broken = await checkpointsWithSafetyChecker(join(folder.path, "broken"), PIZZA);
    const checker = join(broken, "miniature", "stable-diffusion", "safety_checker");
    writeFileSync(join(checker, "model.fp16.safetensors"), readFileSync(join(checker, "config.json")));
    await expect(loadImageModel(specOf(broken))).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
    rmSync(join(checker, "model.fp16.safetensors"));
    await expect(loadImageModel(specOf(broken))).rejects.toMatchObject({ code: "CHECKPOINT_MISSING" });
  });
});

describe("a checkpoint that overflows half precision", () => {
  it("draws what full precision draws, and says that it was computed again", async () => {
    const from = join(CHECKPOINTS, "miniature", "stable-diffusion");
    const directory = overflowingCheckpoint(from, join(folder.path, "overflowing"), "vae", 24);
    const spec = { ...specOf(CHECKPOINTS), directory };
    const pixels = async (drawn: Drawn) => (await readPicture(drawn.file)).pixels;
    const exact = await withImageModel(spec, async (model) => {
      const drawn = await draw(model, "a pizza");
      expect(drawn.notes).toEqual([]);
      return pixels(drawn);
    });
    await withImageModel({ ...spec, precision: "fp16" }, async (model) => {
      const first = await draw(model, "a pizza");
      expect(first.notes).toEqual(["redone"]);
      const difference = (await pixels(first)).map((byte, i) => Math.abs(byte - exact[i]!));
      expect(difference.reduce((sum, value) => sum + value, 0) / difference.length).toBeLessThan(1);
      expect((await draw(model, "a fox")).notes).toEqual([]);
    });
  });
});

describe("a device too small for both", () => {
  /** Session.open on a simulated device that holds either Stable Diffusion or a judge's tower. */
  function smallDevice() {
    const open = Session.open.bind(Session);
    const held = new Set<Session>();
    const log: string[] = [];
    vi.spyOn(Session, "open").mockImplementation((async (name: string, ...rest: [never, never, never]) => {
      const isTower = /tower|checker/.test(name);
      const others = [...held].filter(
        (session) => session.isOpen && /tower|checker/.test(session.name) !== isTower,
      );
      if (others.length > 0) {
        log.push(`no room for ${name}`);
        throw new InferenceError("OUT_OF_MEMORY", `${name}: memory is full`);
      }
      log.push(name);
      const session = await open(name, ...rest);
      held.add(session);
      return session;
    }) as typeof Session.open);
    return log;
  }

  it("the image model makes room for the judges and is reloaded for the next picture", async () => {
    const log = smallDevice();
    await withImageModel(specOf(CHECKPOINTS), async (model) => {
      const first = await draw(model, "a pizza", "pizza");
      expect(first.judgement.relevance).toEqual(expect.any(Number));
      const second = await draw(model, "a fox");
      expect(second.judgement.relevance).toEqual(expect.any(Number));
    });
    const model = ["the text encoder", "the UNet", "the VAE decoder"];
    const judged = ["no room for CLIP's vision tower", "CLIP's vision tower"];
    expect(log).toEqual([...model, ...judged, ...model, ...judged]);
  });

  it("a device that holds one part at a time draws the same, in turn and with the VAE in stripes", async () => {
    const pixels = async ({ file }: Drawn) => (await readPicture(file)).pixels;
    const spec = {
      ...specOf(CHECKPOINTS),
      judges: { clip: null, clipName: null, aesthetic: null, safety: null },
    };
    const whole = await withImageModel(spec, async (model) => pixels(await draw(model, "a fox")));
    const open = Session.open.bind(Session);
    const held = new Set<Session>();
    const log: string[] = [];
    vi.spyOn(Session, "open").mockImplementation((async (name: string, ...rest: [never, never, never]) => {
      const isFull = name === "the VAE decoder" || [...held].some((session) => session.isOpen);
      log.push(isFull ? `no room for ${name}` : name);
      if (isFull) throw new InferenceError("OUT_OF_MEMORY", `${name}: memory is full`);
      const session = await open(name, ...rest);
      held.add(session);
      return session;
    }) as typeof Session.open);
    const tight = await withImageModel(spec, async (model) => {
      await draw(model, "a pizza");
      return pixels(await draw(model, "a fox"));
    });
    const furthest = tight.reduce((most, byte, i) => Math.max(most, Math.abs(byte - whole[i]!)), 0);
    expect(furthest).toBeLessThanOrEqual(1);
    const second = log.slice(log.lastIndexOf("the text encoder"));
    expect([...new Set(second)]).toEqual(["the text encoder", "the UNet", "the VAE decoder in stripes"]);
    expect(log.filter((line) => line === "no room for the VAE decoder").length).toBe(1);
  });

  it("only a lack of memory is retried, and only once", async () => {
    const room = vi.fn(async () => undefined);
    const full = new InferenceError("OUT_OF_MEMORY", "full");
    const work = vi.fn(async () => {
      throw full;
    });
    await expect(withRoom(work, room)).rejects.toBe(full);
    expect([work.mock.calls.length, room.mock.calls.length]).toEqual([2, 1]);
    const bug = new Error("a bug");
    await expect(withRoom(() => Promise.reject(bug), room)).rejects.toBe(bug);
    expect(room.mock.calls.length).toBe(1);
  });
});
