import { expect, it } from "vitest";
import { type AppEvents, createEvents } from "../../../src/core/events.js";
import type { ModelSet } from "../../../src/core/model-set.js";
import { GpuLock } from "../../../src/inference/loop/gpu-lock.js";
import { type Host, OpenPhase } from "../../../src/inference/loop/phase.js";

const set = (model: string): ModelSet => ({ model, loras: [] });

/** An open image phase whose models each load in 100 ms and have as many bytes as their name says. */
async function withPhase<T>(keptBytes: number, work: (phase: TestPhase) => Promise<T>): Promise<T> {
  const events = createEvents();
  const started: AppEvents["phase.started"][0][] = [];
  events.on("phase.started", (event) => started.push(event));
  const ended: string[] = [];
  const startWorker = async (_phase: unknown, _lease: unknown, _signal: unknown, { model }: ModelSet) =>
    ({
      info: { weightBytes: Number(model), device: "none", loadMs: 100 },
      pid: 1,
      alive: true,
      close: async () => {
        ended.push(model!);
        return { peakBytes: 0, code: 0, signal: null };
      },
    }) as unknown as Host;
  return new GpuLock().withGpu(async (lease) => {
    const options = {
      events,
      owner: "host loop",
      startWorker,
      checkpointName: (_: unknown, it: ModelSet) => it.model!,
      keptBytes,
    };
    const open = new OpenPhase("image", lease, options, new AbortController().signal);
    const host = (model: string, at = 0) => open.host(set(model), new AbortController().signal, () => at);
    return work({ open, host, started, ended });
  });
}

interface TestPhase {
  readonly open: OpenPhase;
  readonly host: (model: string, at?: number) => Promise<Host>;
  readonly started: AppEvents["phase.started"][0][];
  readonly ended: string[];
}

it("one model at a time is loaded where none may be kept, and each change is told as one", () =>
  withPhase(0, async ({ open, host, started, ended }) => {
    for (const model of ["10", "10", "20", "10"]) await host(model);
    expect(started.map(({ checkpoint, replaced }) => [checkpoint, replaced])).toEqual([
      ["10", undefined],
      ["20", "10"],
      ["10", "20"],
    ]);
    await open.close(0);
    expect(ended).toEqual(["10", "20", "10"]);
  }));

it("models that fit together stay loaded; the one that was used longest ago makes room", () =>
  withPhase(80, async ({ open, host, started, ended }) => {
    for (const model of ["10", "20", "30", "10"]) await host(model);
    expect(ended).toEqual([]);
    await host("25");
    expect(ended).toEqual(["20"]);
    expect(started.at(-1)).toMatchObject({ checkpoint: "25", replaced: "20" });
    expect(["10", "20", "30", "25"].map((model) => open.has(set(model)))).toEqual([true, false, true, true]);
  }));

it("a model that turns out larger than thought ends those that fit no more beside it", () =>
  withPhase(60, async ({ open, host, ended }) => {
    for (const model of ["10", "15", "50"]) await host(model);
    expect(ended).toEqual(["10", "15"]);
    expect(open.turn(0)).toEqual(['["50"]']);
  }));

it("the turn of a model lasts ten times as long as it took to load", () =>
  withPhase(0, async ({ open, host }) => {
    expect(open.turn(0)).toBeUndefined();
    await host("10", 5_000);
    expect(open.turn(5_999)).toEqual(['["10"]']);
    expect(open.turn(6_000)).toBeUndefined();
    // Going on with it is no new turn.
    await host("10", 6_000);
    expect(open.turn(6_001)).toBeUndefined();
  }));
