import type { DevicePace, Work } from "../../../core/hosts/waiting.js";
import type { OpenWork } from "../../../db/queue.js";

/**
 * Milliseconds until each open job is done, by its id, if the devices take the jobs in order, each whichever is done
 * first. A device does the work that it has been given: the running job, waiting pictures, and the jobs before it in its
 * line. Jobs of a kind that was never measured, and jobs held outside the line, have none.
 */
export function etas(open: readonly OpenWork[], paces: readonly DevicePace[]): Map<string, number> {
  const found = new Map<string, number>();
  const devices = paces.map((pace) => new Device(pace));
  const able = (phase: OpenWork["phase"]) => devices.filter(({ pace }) => pace.phases.includes(phase));
  /** Gives work to the device that is at the job, else to the one that would be done first. */
  const give = (among: readonly Device[], work: Work, jobId: string): Device | undefined => {
    const own = among.find(({ pace }) => pace.jobId === jobId);
    const [first, ...others] = own === undefined ? among : [own];
    if (first === undefined) return undefined;
    const best = others.reduce(
      (least, device) => (device.msWith(work) < least.msWith(work) ? device : least),
      first,
    );
    best.add(work);
    return best;
  };
  const note = (id: string, times: readonly (number | null | undefined)[]) => {
    const known = times.filter((ms) => ms != null);
    if (known.length === times.length) found.set(id, Math.max(...known));
  };

  const running = open.filter(({ state }) => state === "running");
  const givenTo = running.map((job) => {
    const text = job.texts > 0 ? give(able("text"), textsOf(job), job.id) : null;
    const image = job.pictures > 0 ? give(able("image"), picturesOf(job), job.id) : null;
    return { job, text, image };
  });
  for (const { job, text, image } of givenTo) {
    const parts = [...(text === null ? [] : [text?.textMs()]), ...(image === null ? [] : [image?.totalMs()])];
    note(job.id, parts.length === 0 ? [0] : parts);
  }

  const inLine = open.filter(({ state, held }) => state === "queued" && held === null);
  for (const job of inLine.filter(({ phase }) => phase === "image"))
    note(job.id, [give(able("image"), picturesOf(job), job.id)?.totalMs()]);
  for (const job of inLine.filter(({ phase }) => phase === "text")) {
    const text = give(able("text"), textsOf(job), job.id);
    // A rewrite alone does not wait for pictures, since the phases take turns.
    if (job.kind === "optimize") note(job.id, [text?.textMs()]);
    else note(job.id, [text?.textMs(), give(able("image"), picturesOf(job), job.id)?.totalMs()]);
  }
  return found;
}

/** The position, from 1, of each job that waits in the line of its phase, by its id. */
export function positionsOf(open: readonly OpenWork[]): Map<string, number> {
  const counted = { text: 0, image: 0 };
  const inLine = open.filter(({ state, held }) => state === "queued" && held === null);
  return new Map(inLine.map(({ id, phase }) => [id, ++counted[phase]]));
}

/** What has been given to a device. */
class Device {
  readonly pace: DevicePace;
  #work: Work = { texts: 0, pictures: 0, steps: 0 };

  constructor(pace: DevicePace) {
    this.pace = pace;
  }

  add(work: Work): void {
    this.#work = plus(this.#work, work);
  }

  /** Until all of it is done; null where such work was never measured. */
  totalMs(): number | null {
    return this.pace.estimateMs(this.#work);
  }

  /** Until its texts are done. */
  textMs(): number | null {
    return this.pace.estimateMs({ texts: this.#work.texts, pictures: 0, steps: 0 });
  }

  /** Until more work is done; what was never measured comes after all that was. */
  msWith(work: Work): number {
    return this.pace.estimateMs(plus(this.#work, work)) ?? Number.POSITIVE_INFINITY;
  }
}

const textsOf = ({ texts }: OpenWork): Work => ({ texts, pictures: 0, steps: 0 });
const picturesOf = ({ pictures, steps }: OpenWork): Work => ({ texts: 0, pictures, steps: pictures * steps });
const plus = (a: Work, b: Work): Work => ({
  texts: a.texts + b.texts,
  pictures: a.pictures + b.pictures,
  steps: a.steps + b.steps,
});

/** Rounds up, the longer the coarser: an estimate is not exact, and its message not edited every second. */
export function coarse(ms: number): number {
  const stepMs = ms <= 10_000 ? 1_000 : ms <= 60_000 ? 5_000 : ms <= 120_000 ? 15_000 : 60_000;
  return Math.max(1, Math.ceil(ms / stepMs)) * stepMs;
}
