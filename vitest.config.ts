import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Models run in child processes and fill both cores; a second test file at once would only slow both.
    maxWorkers: 2,
    reporters: ["default", "./test/support/count-reporter.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
