import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { resolveDevice } from "../../../src/inference/runtime/device.js";
import { checkForms, refusalOf } from "../../../src/inference/runtime/device-check.js";
import { operatorForms } from "../../../src/inference/runtime/operator-forms.js";

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

/** For what needs an adapter with float16, which Chromium's driver has not: see .ci/lavapipe. */
export const describeFp16 = describe.runIf(isThere && (await hasFloat16()));

async function hasFloat16(): Promise<boolean> {
  const casts = operatorForms("float16").filter(({ operator }) => operator === "Cast");
  return refusalOf(await checkForms("webgpu", "fp16", casts)) === null;
}

/** A folder for compiled graphs and device reports, removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "promptist-webgpu-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
