import { expect, test } from "vitest";
import { type GpuLease, GpuLock } from "../../../src/inference/loop/gpu-lock.js";

/** A promise and its resolver, to hold the lock as long as a test wants. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test("hands over in the order of arrival, even if a newcomer asks at the moment of release", async () => {
  const lock = new GpuLock();
  const order: string[] = [];
  const first = gate();
  const enter = (name: string) => lock.withGpu(async () => void order.push(name));
  const running = lock.withGpu(async () => {
    await first.opened;
    order.push("first");
  });
  const second = enter("second");
  first.open();
  await running;
  const third = enter("third");
  await Promise.all([second, third]);
  expect(order).toEqual(["first", "second", "third"]);
});

test("a failure frees the GPU for the next caller, and only its own caller sees it", async () => {
  const lock = new GpuLock();
  const failing = lock.withGpu(async () => {
    throw new Error("native crash");
  });
  const next = lock.withGpu(async () => "fine");
  await expect(failing).rejects.toThrow("native crash");
  await expect(next).resolves.toBe("fine");
  expect(lock.isHeld).toBe(false);
});

test("a caller that gives up leaves the line at once and does not block those behind", async () => {
  const lock = new GpuLock();
  const first = gate();
  const running = lock.withGpu(() => first.opened);
  const controller = new AbortController();
  const impatient = lock.withGpu(async () => "never", controller.signal);
  const patient = lock.withGpu(async () => "served");
  controller.abort();
  await expect(impatient).rejects.toMatchObject({ code: "CANCELLED" });
  first.open();
  await running;
  await expect(patient).resolves.toBe("served");
});

test("a lease ends with its turn", async () => {
  const lock = new GpuLock();
  let kept: GpuLease | undefined;
  await lock.withGpu(async (lease) => {
    kept = lease;
    expect(lease.live).toBe(true);
  });
  expect(kept?.live).toBe(false);
});
