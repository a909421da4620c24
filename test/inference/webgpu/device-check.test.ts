import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { checkForms, type GraphRunner, runGraph } from "../../../src/inference/runtime/device-check.js";
import { type CheckedDevice, openDevice } from "../../../src/inference/runtime/open-device.js";
import { attentionForm } from "../../../src/inference/runtime/operator-forms.js";
import { within } from "../../support/within.js";
import { coarseInFp16 } from "../runtime/coarse-runner.js";
import { describeWebgpu, temporaryFolder } from "./software-vulkan.js";

/** onnxruntime 1.30's attention kernel silently gives wrong numbers on this adapter: a real case. */
describeWebgpu("a device whose attention is wrong", () => {
  const cacheDir = temporaryFolder();
  const reports = join(cacheDir, "device-checks.json");
  const options = { user: "image", plans: ["fp16", "mixed", "fp32"], cacheDir } as const;
  let device: CheckedDevice;
  beforeAll(async () => {
    device = await openDevice("webgpu", options);
  }, 180_000);

  it("is used with composed attention and everything else unchanged", () => {
    expect(device.checked?.avoided).toEqual(new Set(["MultiHeadAttention"]));
    const forms = device.reports.at(-1)!.forms;
    expect(forms.length).toBeGreaterThan(30);
    expect(new Set(forms.map(({ verdict }) => verdict))).toEqual(new Set(["right", "replaced"]));
    const tried = forms.find(({ verdict, error }) => verdict === "replaced" && error !== null)!;
    expect(tried.form).toContain("32 queries");
    expect(tried.error).toBeGreaterThan(0.05);
    expect(device.note).toContain("webgpu is wrong at MultiHeadAttention here");
  });

  it("is used in fp32, because the adapter has no float16", () => {
    expect(device.checked?.plan).toBe("fp32");
    expect(device.note).toContain("webgpu computes with fp32, because it can't compute");
  });

  it("is wrong from 32 queries up, and right below", async () => {
    const size = (queries: number) => ({ heads: 2, headSize: 40, queries, keys: 77, causal: false });
    const below = await checkForms("webgpu", "fp32", [attentionForm(size(31))]);
    expect(below.forms[0]).toMatchObject({ verdict: "right" });
    const from = await checkForms("webgpu", "fp32", [attentionForm(size(32))]);
    expect(from.forms[0]).toMatchObject({ verdict: "replaced" });
  });

  it("is not tried again while the driver and runtime stay the same", async () => {
    const written = statSync(reports).mtimeMs;
    const started = performance.now();
    const again = await openDevice("webgpu", {
      ...options,
      run: () => Promise.reject(new Error("no graph should run")),
    });
    expect(performance.now() - started).toBeLessThan(within(2000));
    expect(again.reports).toEqual(device.reports);
    expect(statSync(reports).mtimeMs).toBe(written);
  });

  it("keeps fp16 weights and computes in fp32 if only its sums in fp16 are coarse", async () => {
    const coarse = { ...options, cacheDir: temporaryFolder(), run: coarseInFp16 };
    const found = await openDevice("webgpu", coarse);
    expect(found.checked).toEqual({ plan: "mixed", avoided: new Set() });
    expect(found.reports.map(({ plan }) => plan)).toEqual(["fp16", "mixed"]);
    expect(found.note).toMatch(
      /^webgpu computes with fp16 weights and fp32 sums, because its sums in fp16 are off by up to 1\.0 %/,
    );
    expect((await openDevice("webgpu", { ...coarse, plans: ["fp32"] })).checked?.plan).toBe("fp32");
    await expect(openDevice("webgpu", { ...coarse, plans: ["fp16"] })).rejects.toThrow("its sums in fp16");
  });

  it("is tried again if the report is broken or from another driver", async () => {
    let runs = 0;
    const onCpu = {
      ...options,
      run: ((_, graph, feeds) => {
        runs++;
        return runGraph("cpu", graph, feeds);
      }) satisfies GraphRunner,
    } as const;
    const kept = JSON.parse(readFileSync(reports, "utf8")) as { key: string }[];
    writeFileSync(reports, JSON.stringify(kept.map((report) => ({ ...report, key: "another driver" }))));
    // Here the CPU stands in for the adapter, so nothing is wrong.
    expect((await openDevice("webgpu", onCpu)).checked?.avoided).toEqual(new Set());
    expect(runs).toBeGreaterThan(2);
    writeFileSync(reports, '[{"key":"half a fi');
    runs = 0;
    await openDevice("webgpu", onCpu);
    expect(runs).toBeGreaterThan(2);
  });

  it("is skipped by auto, because it is software on the CPU", async () => {
    const auto = await openDevice("auto", options);
    expect(auto.name).toBe("cpu");
    expect(auto.note).toMatch(/webgpu: it computes at 0\.\d+ of the CPU's speed, so it is no real card/);
    const fast = await openDevice("auto", {
      ...options,
      cacheDir: temporaryFolder(),
      run: (_, graph, feeds) => runGraph("cpu", graph, feeds),
      time: async (name) => (name === "cpu" ? 10 : 15),
    });
    expect(fast.name).toBe("webgpu");
  });
});
