import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { resolveDevice } from "../../../src/inference/runtime/device.js";

/** True if WebGPU opens an adapter; this folder's tests run on software Vulkan (vitest.config.ts). */
const isThere = await resolveDevice("webgpu").then(
  () => true,
  () => false,
);
if (!isThere) {
  console.warn(
    "\nNO WEBGPU ADAPTER: the tests in test/webgpu are SKIPPED. Install chromium, whose software Vulkan they run on.\n",
  );
}

export const describeWebgpu = describe.runIf(isThere);

/** A folder for compiled graphs and device reports, removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "promptist-webgpu-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
