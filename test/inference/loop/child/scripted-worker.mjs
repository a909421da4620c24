// A worker that speaks the protocol and fails on request: script.json in its "checkpoint" folder says what to
// do at the first start, the second, and so on, of each device where it names several. It simulates faults of a GPU on machines without one.
import { appendFileSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

let script = {};
let waiting;
function answer({ id, request }) {
  const response = request.prompts.map((prompt) => ({
    prompt,
    rewrite: `${prompt}, ${"detailed ".repeat(script.words ?? 1)}`,
    candidates: [],
  }));
  process.send({ type: "result", id, response });
}
process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message.type === "open") {
    const { directory, device } = message.spec;
    const starts = join(directory, "starts");
    appendFileSync(starts, `${device}\n`);
    const begun = readFileSync(starts, "utf8").trim().split("\n");
    const all = JSON.parse(readFileSync(join(directory, "script.json"), "utf8"));
    // A script for each device, or one for all.
    const scripts = Array.isArray(all) ? all : all[device];
    const count = Array.isArray(all) ? begun.length : begun.filter((it) => it === device).length;
    script = scripts[Math.min(count, scripts.length) - 1];
    process.send({ type: "device", name: device === "auto" ? "webgpu" : device });
    if (script.load === "abort") process.abort();
    if (script.load !== undefined) {
      process.send({ type: "failed", error: { code: script.load, message: "scripted", stack: undefined } });
      return;
    }
    const info = {
      phase: message.spec.phase,
      device,
      deviceNote: null,
      notes: [],
      precision: "fp32",
      weightBytes: 1,
      parameters: "",
      loadMs: 1,
    };
    process.send({ type: "ready", info });
  } else if (message.type === "call") {
    const { id } = message;
    if (script.call === "hang") return;
    if (script.call === "wait" && waiting === undefined) {
      waiting = message.id;
      return;
    }
    if (script.call === "flood") for (;;) writeSync(1, `${"x".repeat(1_023)}\n`.repeat(64));
    if (script.call === "print") {
      const until = performance.now() + script.printMs;
      const timer = setInterval(() => {
        process.stdout.write("compiling\n");
        if (performance.now() < until) return;
        clearInterval(timer);
        answer(message);
      }, 20);
      return;
    }
    if (script.call === "kill") process.kill(process.pid, "SIGKILL");
    if (script.call === "freeze") {
      process.kill(process.pid, "SIGSTOP");
      return;
    }
    if (script.call !== undefined && script.call !== "wait") {
      process.send({
        type: "error",
        id,
        error: { code: script.call, message: "scripted", context: script.context, stack: undefined },
      });
      return;
    }
    answer(message);
  } else if (message.type === "cancel" && message.id === waiting) {
    process.send({ type: "error", id: waiting, error: { code: "CANCELLED", message: "scripted" } });
  } else if (message.type === "close" && script.close !== "hang") {
    process.send({ type: "closed", peakBytes: 1 }, () => process.exit(0));
  }
});
