import { QueueError } from "../../core/errors.js";
import { type ItemNote, isFinished, nextPhase, type Picture } from "../../core/job.js";
import { type PerSide, SIDES, type Side } from "../../core/side.js";
import type { Claim, Queue } from "../queue.js";
import type { Connection } from "./connection.js";
import { fromJson, type ItemJudgements, type ItemRow, type ItemTimes, toItem } from "./job-row.js";
import type { Jobs } from "./jobs.js";

type Verbs = Pick<Queue, "saveText" | "savePictures" | "saveSheet" | "saveCheckpoint" | "cancelItem">;

/** What is made of a job, piece by piece. */
export function keepingResults(connection: Connection, jobs: Jobs): Verbs {
  const { db } = connection;
  const item = db.prepare<[number, number], ItemRow>("select * from items where job = ? and position = ?");
  const updateItem = db.prepare<[ItemRow]>(`
    update items set rewrite = @rewrite, candidates = @candidates, baseline = @baseline, optimized = @optimized,
      comparison = @comparison, notes = @notes, cancelled = @cancelled, times = @times,
      judgements = @judgements
    where job = @job and position = @position`);
  const saveSheet = db.prepare<[{ seq: number; number: number; file: string; items: string }]>(`
    insert into sheets (job, number, file, items) values (@seq, @number, @file, @items)
    on conflict (job, number) do update set file = excluded.file, items = excluded.items`);
  const saveName = {
    text: db.prepare<[string, string | null, number]>(
      "update jobs set promptist_checkpoint = ?, promptist_hash = ? where seq = ?",
    ),
    image: db.prepare<[string, string | null, number]>(
      "update jobs set diffusion_checkpoint = ?, diffusion_hash = ? where seq = ?",
    ),
  };

  /** Saves what the holder of a claim made; false when the claim is stale. */
  function save(claim: Claim, write: (seq: number) => unknown): Promise<boolean> {
    return connection.write(() => {
      const row = jobs.claimed(claim);
      if (row !== undefined) write(row.seq);
      return row !== undefined;
    });
  }

  function saveItem(claim: Claim, index: number, change: (row: ItemRow) => Partial<ItemRow>) {
    return save(claim, (seq) => {
      const row = item.get(seq, index);
      if (row === undefined) throw new QueueError("INTERNAL", `Job ${claim.job.id} has no item ${index}.`);
      updateItem.run({ ...row, ...change(row) });
    });
  }

  return {
    saveText: (claim, index, { rewrite, candidates, notes, ms }) =>
      saveItem(claim, index, (row) => ({
        rewrite,
        candidates: JSON.stringify(candidates),
        notes: withNotes(row.notes, notes),
        times: withParts<ItemTimes>(row.times, ms === undefined ? {} : { rewrite: ms }),
      })),

    savePictures: (claim, index, { pictures = {}, comparison, notes = [] }) =>
      saveItem(claim, index, (row) => ({
        baseline: pictures.baseline?.file ?? row.baseline,
        optimized: pictures.optimized?.file ?? row.optimized,
        comparison: comparison ?? row.comparison,
        notes: withNotes(row.notes, notes),
        times: withParts<ItemTimes>(
          row.times,
          known(pictures, ({ ms }) => ms),
        ),
        judgements: withParts<ItemJudgements>(
          row.judgements,
          known(pictures, ({ judgement }) => judgement),
        ),
      })),

    saveSheet: (claim, { number, file, items }) =>
      save(claim, (seq) => saveSheet.run({ seq, number, file, items: JSON.stringify(items) })),

    saveCheckpoint: (claim, phase, name, hash = null) =>
      save(claim, (seq) => saveName[phase].run(name, hash, seq)),

    cancelItem: (id, index) =>
      connection.write(() => {
        const job = jobs.row(id);
        if (job === undefined || isFinished(job.state)) return false;
        const row = item.get(job.seq, index);
        if (row === undefined || nextPhase(job.kind, toItem(row)) === null) return false;
        updateItem.run({ ...row, cancelled: 1 });
        return true;
      }),
  };
}

/** An item's notes as JSON, with those of the new ones that it lacks. */
function withNotes(stored: string, added: readonly ItemNote[]): string {
  const notes = new Map(
    [...fromJson<ItemNote[]>(stored), ...added].map((note) => [JSON.stringify(note), note]),
  );
  return JSON.stringify([...notes.values()]);
}

/** The column `times` or `judgements` with new parts. */
const withParts = <T extends object>(stored: string, added: T): string =>
  JSON.stringify({ ...fromJson<T>(stored), ...added });

/** What is known of each picture that is there, by its side. */
function known<T>(
  pictures: Partial<PerSide<Picture>>,
  of: (picture: Picture) => T | null,
): Partial<PerSide<T>> {
  const parts: Partial<Record<Side, T>> = {};
  for (const side of SIDES) {
    const picture = pictures[side];
    const part = picture === undefined ? null : of(picture);
    if (part !== null) parts[side] = part;
  }
  return parts;
}
