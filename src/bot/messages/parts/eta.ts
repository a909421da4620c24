import type { OpenWork } from "../../../db/queue.js";

/** An amount of work: texts to rewrite, pictures to draw, and their denoising steps in all. */
export interface Work {
  readonly texts: number;
  readonly pictures: number;
  readonly steps: number;
}

/**
 * Milliseconds until each open job is done, by its id, from the work that is done before it: the running jobs,
 * waiting pictures, and the jobs before it in its line. Jobs of a kind that was never measured here, and jobs
 * held outside the line, have none.
 * @param devices that share all work but that of the job itself
 */
export function etas(
  open: readonly OpenWork[],
  estimateMs: (work: Work) => number | null,
  devices = 1,
): Map<string, number> {
  const found = new Map<string, number>();
  const note = ({ id, kind, texts, ...job }: OpenWork, work: Work) => {
    const allMs = estimateMs(work);
    const ownMs =
      devices <= 1 ? 0 : estimateMs(kind === "optimize" ? { ...NONE, texts } : { ...picturesOf(job), texts });
    if (allMs === null || ownMs === null) return;
    found.set(id, devices <= 1 ? allMs : Math.max(0, allMs - ownMs) / devices + ownMs);
  };
  let texts = 0;
  let drawn: Work = NONE;
  for (const job of open.filter(({ state }) => state === "running")) {
    texts += job.texts;
    drawn = plus(drawn, picturesOf(job));
  }
  const running = { ...drawn, texts };
  for (const job of open.filter(({ state }) => state === "running"))
    note(job, job.kind === "optimize" ? { ...NONE, texts } : running);

  const inLine = open.filter(({ state, held }) => state === "queued" && held === null);
  for (const job of inLine.filter(({ phase }) => phase === "image")) {
    drawn = plus(drawn, picturesOf(job));
    note(job, { ...drawn, texts });
  }
  for (const job of inLine.filter(({ phase }) => phase === "text")) {
    texts += job.texts;
    // A rewrite alone does not wait for pictures, since the phases take turns.
    if (job.kind === "optimize") {
      note(job, { ...NONE, texts });
      continue;
    }
    drawn = plus(drawn, picturesOf(job));
    note(job, { ...drawn, texts });
  }
  return found;
}

/** The position, from 1, of each job that waits in the line of its phase, by its id. */
export function positionsOf(open: readonly OpenWork[]): Map<string, number> {
  const counted = { text: 0, image: 0 };
  const inLine = open.filter(({ state, held }) => state === "queued" && held === null);
  return new Map(inLine.map(({ id, phase }) => [id, ++counted[phase]]));
}

const NONE: Work = { texts: 0, pictures: 0, steps: 0 };
const picturesOf = ({ pictures, steps }: Pick<OpenWork, "pictures" | "steps">): Work => ({
  texts: 0,
  pictures,
  steps: pictures * steps,
});
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
