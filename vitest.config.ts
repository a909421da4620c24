import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/**
 * Chromium's software Vulkan, the GPU of the tests in test/inference/webgpu. They alone see it: elsewhere `auto` must not choose
 * it. The loader's folder has to be there before a process starts, hence the environment.
 */
const CHROMIUM = "/usr/lib/chromium";
const driver = `${CHROMIUM}/vk_swiftshader_icd.json`;
const softwareVulkan: Record<string, string> = existsSync(driver)
  ? { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: CHROMIUM }
  : {};

/** It has to tell the font library something before that starts, once in a process. */
const FONTS = "test/pictures/text.test.ts";
/** They measure how long something takes, so they have the machine to themselves. */
const TIMED = [
  "test/behaviour/progress.test.ts",
  "test/e2e/benches.test.ts",
  ...["event-loop", "log-reader", "much-data", "odd-events"].map((name) => `test/hostile/${name}.test.ts`),
];
const POSTGRES = "test/db/postgres/**/*.test.ts";
const FP16 = "test/inference/webgpu/fp16.test.ts";

export default defineConfig({
  test: {
    // More than there are cores: most tests wait for a bot, a server or a child process.
    maxWorkers: 4,
    // A worker reads the program once, not for each file: half of the time that the tests need.
    isolate: false,
    reporters: ["default", "./test/support/count-reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What this machine's user has in Hugging Face's cache is no part of the tests.
    env: { HF_HUB_CACHE: join(tmpdir(), "no-hub-cache") },
    // On a loaded machine a state may take longer than the 1 s that is the default.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      "packages/*",
      {
        extends: true,
        test: {
          name: "cpu",
          include: ["test/**/*.test.ts"],
          exclude: ["test/inference/webgpu/**", POSTGRES, FONTS, ...TIMED],
        },
      },
      { extends: true, test: { name: "fonts", include: [FONTS], isolate: true } },
      {
        extends: true,
        test: { name: "timed", include: TIMED, isolate: true, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: "postgres",
          include: [POSTGRES, "test/db/contract/**/*.test.ts"],
          globalSetup: "./test/support/postgres-setup.ts",
        },
      },
      {
        extends: true,
        test: {
          name: "webgpu",
          include: ["test/inference/webgpu/**/*.test.ts"],
          exclude: [FP16],
          // A driver stays as the first file in a process opened it.
          isolate: true,
          env: softwareVulkan,
          testTimeout: 180_000,
        },
      },
      {
        // With the system's own Vulkan: .ci/lavapipe runs it where that has float16.
        extends: true,
        // At the first run the driver compiles every kernel anew: 20 s of processor time.
        test: { name: "fp16", include: [FP16], testTimeout: 240_000, hookTimeout: 240_000 },
      },
    ],
  },
});
