import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "local-discord",
    include: ["test/**/*.test.ts"],
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A poll waits for a state of the page, which takes its time on a loaded machine; 1 s is the default.
    expect: { poll: { timeout: 20_000 } },
  },
});
