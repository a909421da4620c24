import { describe } from "vitest";
import { resolveDevice } from "../../../src/inference/runtime/device.js";
import { checkForms, refusalOf } from "../../../src/inference/runtime/device-check.js";
import { operatorForms } from "../../../src/inference/runtime/operator-forms.js";

async function hasFloat16(): Promise<boolean> {
  try {
    await resolveDevice("webgpu");
  } catch {
    return false;
  }
  const casts = operatorForms("float16").filter(({ operator }) => operator === "Cast");
  return refusalOf(await checkForms("webgpu", "fp16", casts)) === null;
}

/** Whether WebGPU opens an adapter with float16; Chromium's software Vulkan has none. */
const isThere = await hasFloat16();
// Where CI installed a driver, its absence is a failure.
if (!isThere && process.env.FP16_REQUIRED === "1") throw new Error("no adapter with float16 can be opened");
if (!isThere) {
  console.warn(
    "\nNO ADAPTER WITH FLOAT16: test/inference/webgpu/fp16.test.ts is SKIPPED here; .ci/lavapipe brings one and runs it.\n",
  );
}

export const describeFp16 = describe.runIf(isThere);
