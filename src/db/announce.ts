import type { Events } from "../core/events.js";
import type { Job } from "../core/job.js";
import { SIDES } from "../core/side.js";
import type { Queue } from "./queue.js";
import type { Store } from "./store.js";

/**
 * A store that tells what it does: each verb that changes a row emits the event that belongs to its answer,
 * once, after the change is stored. No other module emits these events (test/arrows.test.ts), so no change
 * goes untold and none is told twice.
 */
export function announced(store: Store, events: Events): Store {
  const { queue, deliveries, records, hosts } = store;
  const finished = (jobId: string, state: Job["state"]) => events.emit("job.finished", { jobId, state });
  const verbs: Partial<Queue> = {
    enqueue: (wanted) => queue.enqueue(wanted, (job) => events.emit("job.enqueued", { jobId: job.id, job })),
    async claim(phase, owner, loaded) {
      const claim = await queue.claim(phase, owner, loaded);
      if (claim !== undefined)
        events.emit("job.claimed", { jobId: claim.job.id, phase, attempt: claim.attempt, owner });
      return claim;
    },
    async saveText(claim, item, result) {
      const kept = await queue.saveText(claim, item, result);
      if (kept) events.emit("job.item", { jobId: claim.job.id, item, phase: "text" });
      return kept;
    },
    async savePictures(claim, item, result) {
      const kept = await queue.savePictures(claim, item, result);
      if (!kept) return kept;
      const jobId = claim.job.id;
      for (const side of SIDES)
        if (result.pictures?.[side] !== undefined) events.emit("job.picture", { jobId, item, side });
      const isSingle = claim.job.items[item]?.only !== undefined && result.pictures !== undefined;
      if (isSingle || result.comparison !== undefined)
        events.emit("job.item", { jobId, item, phase: "image" });
      return kept;
    },
    async saveSheet(claim, sheet) {
      const kept = await queue.saveSheet(claim, sheet);
      if (kept) events.emit("job.sheet", { jobId: claim.job.id, number: sheet.number });
      return kept;
    },
    async advance(claim) {
      const end = await queue.advance(claim);
      if (end === "queued")
        events.emit("job.requeued", { jobId: claim.job.id, phase: "image", reason: "next-phase" });
      else if (end !== false) finished(claim.job.id, end);
      return end;
    },
    async release(claim) {
      const end = await queue.release(claim);
      const { id: jobId, phase } = claim.job;
      if (end === "queued") events.emit("job.requeued", { jobId, phase, reason: "yield" });
      else if (end !== false) finished(jobId, end);
      return end;
    },
    async complete(claim) {
      const kept = await queue.complete(claim);
      if (kept) finished(claim.job.id, "done");
      return kept;
    },
    async retry(claim, code, detail, afterMs, context) {
      const end = await queue.retry(claim, code, detail, afterMs, context);
      const { id: jobId, phase } = claim.job;
      if (end === "queued") events.emit("job.requeued", { jobId, phase, reason: "retry", code });
      else if (end === "failed") events.emit("job.finished", { jobId, state: end, code });
      else if (end === "cancelled") finished(jobId, end);
      return end;
    },
    async fail(claim, code, detail, context) {
      const kept = await queue.fail(claim, code, detail, context);
      if (kept) events.emit("job.finished", { jobId: claim.job.id, state: "failed", code });
      return kept;
    },
    async cancelled(claim) {
      const kept = await queue.cancelled(claim);
      if (kept) finished(claim.job.id, "cancelled");
      return kept;
    },
    async cancel(id) {
      const answer = await queue.cancel(id);
      if (answer === "cancelled") finished(id, "cancelled");
      if (answer === "requested") events.emit("job.cancel-requested", { jobId: id });
      return answer;
    },
    async recover(lost) {
      const recovered = await queue.recover(lost);
      for (const { id: jobId, phase, state } of recovered) {
        if (state === "queued") events.emit("job.requeued", { jobId, phase, reason: "recovered" });
        else if (state === "failed") events.emit("job.finished", { jobId, state, code: "HOST_DIED" });
        else finished(jobId, state);
      }
      return recovered;
    },
    async requeue(id) {
      const job = await queue.requeue(id);
      if (job !== undefined) events.emit("job.enqueued", { jobId: id, job });
      return job;
    },
    async setPaused(paused) {
      await queue.setPaused(paused);
      if (paused) events.emit("queue.paused");
      else events.emit("queue.resumed");
    },
  };
  return {
    ...store,
    queue: overlay(queue, verbs),
    deliveries: overlay(deliveries, {
      async delivered(id, messageId) {
        await deliveries.delivered(id, messageId);
        events.emit("job.delivered", { jobId: id, messageId });
      },
    }),
    hosts: overlay(hosts, {
      async setPaused(name, paused) {
        const isKnown = await hosts.setPaused(name, paused);
        if (isKnown) events.emit("host.paused", { name, paused });
        return isKnown;
      },
    }),
    records: overlay(records, {
      async eraseUser(userId, withMessages) {
        const erased = await records.eraseUser(userId, withMessages);
        for (const jobId of erased.waiting)
          events.emit("job.finished", { jobId, state: "cancelled", erased: true });
        for (const jobId of erased.stopping) events.emit("job.cancel-requested", { jobId });
        return erased;
      },
      async eraseEnded() {
        const ids = await records.eraseEnded();
        for (const jobId of ids) events.emit("job.erased", { jobId });
        return ids;
      },
    }),
  };
}

/** An engine with some of its methods replaced; all others stay its own. */
function overlay<T extends object>(engine: T, methods: Partial<T>): T {
  return new Proxy(engine, {
    get(target, name: string & keyof T) {
      const method = methods[name] ?? target[name];
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
}
