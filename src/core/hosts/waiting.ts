import type { Phase } from "../job.js";
import { type Host, type WorkTimes, workingDevices } from "./host.js";

/** An amount of work: texts to rewrite, pictures to draw, and their denoising steps in all. */
export interface Work {
  readonly texts: number;
  readonly pictures: number;
  readonly steps: number;
}

/** A device that takes jobs, and how long work takes there. */
export interface DevicePace {
  readonly phases: readonly Phase[];
  /** The job that it is at, as far as is known. */
  readonly jobId: string | null;
  /** Milliseconds for work of its phases, with each model loaded once; null where such work was never measured. */
  readonly estimateMs: (work: Work) => number | null;
}

/** How the devices of all hosts work now. One that has not done a kind of work takes as long as the others on average. */
export function pacesOf(hosts: readonly Host[]): DevicePace[] {
  const devices = workingDevices(hosts);
  const usual = (of: (speeds: WorkTimes) => number | null): number | null =>
    mean(devices.map(({ speeds }) => of(speeds)).filter((ms) => ms !== null));
  const others: WorkTimes = {
    loadMs: { text: usual(({ loadMs }) => loadMs.text), image: usual(({ loadMs }) => loadMs.image) },
    textMs: usual(({ textMs }) => textMs),
    stepMs: usual(({ stepMs }) => stepMs),
    pictureRestMs: usual(({ pictureRestMs }) => pictureRestMs),
  };
  return devices.map(({ phases, jobId, speeds }) => {
    const known: WorkTimes = {
      loadMs: {
        text: speeds.loadMs.text ?? others.loadMs.text,
        image: speeds.loadMs.image ?? others.loadMs.image,
      },
      textMs: speeds.textMs ?? others.textMs,
      stepMs: speeds.stepMs ?? others.stepMs,
      pictureRestMs: speeds.pictureRestMs ?? others.pictureRestMs,
    };
    return { phases, jobId, estimateMs: (work) => workMs(known, work) };
  });
}

/** Milliseconds that work takes at these speeds, one piece after the other; null where a kind of it was never measured. */
export function workMs(speeds: WorkTimes, { texts, pictures, steps }: Work): number | null {
  const { loadMs, textMs, stepMs, pictureRestMs } = speeds;
  return sum([
    times(texts > 0 ? 1 : 0, loadMs.text),
    times(texts, textMs),
    times(pictures > 0 ? 1 : 0, loadMs.image),
    times(pictures, pictureRestMs),
    times(Math.max(0, steps - pictures), stepMs),
  ]);
}

/** Milliseconds that work takes on the device that is at the job, or on average where none is. */
export function usualMs(paces: readonly DevicePace[], work: Work, jobId?: string): number | null {
  const on = (part: Work, ...wanted: Phase[]): number | null => {
    const able = paces.filter(({ phases }) => wanted.every((phase) => phases.includes(phase)));
    const own = jobId === undefined ? [] : able.filter((pace) => pace.jobId === jobId);
    return mean((own.length > 0 ? own : able).flatMap(({ estimateMs }) => estimateMs(part) ?? []));
  };
  const { texts, pictures, steps } = work;
  if (pictures === 0 && steps === 0) return texts === 0 ? 0 : on(work, "text");
  if (texts === 0) return on(work, "image");
  const whole = on(work, "text", "image");
  // Where each phase has devices of its own.
  return (
    whole ?? sum([on({ texts, pictures: 0, steps: 0 }, "text"), on({ texts: 0, pictures, steps }, "image")])
  );
}

/** How many more jobs of a phase can begin at once beside those that run. */
export function freeDevices(
  paces: readonly DevicePace[],
  phase: Phase,
  running: readonly { readonly phase: Phase }[],
): number {
  const able = paces.filter(({ phases }) => phases.includes(phase));
  return able.length - running.filter((job) => able.some(({ phases }) => phases.includes(job.phase))).length;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;

/** Zero pieces take no time, even if the time per piece is unknown. */
const times = (count: number, ms: number | null): number | null =>
  count === 0 ? 0 : ms === null ? null : count * ms;

const sum = (parts: readonly (number | null)[]): number | null =>
  parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
