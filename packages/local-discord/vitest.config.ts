import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { name: "local-discord", include: ["test/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
});
