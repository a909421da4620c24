import { QueueError } from "../../core/errors.js";
import { type ItemNote, isFinished, nextPhase, type Picture } from "../../core/job.js";
import { type PerSide, SIDES, type Side } from "../../core/side.js";
import type { Claim, Queue } from "../queue.js";
import type { Connection } from "./connection.js";
import {
  fromJson,
  type ItemJudgements,
  type ItemRow,
  type ItemTimes,
  type JobRow,
  toItem,
} from "./job-row.js";
import { claimedRow, jobRow } from "./jobs.js";
import { sql, type Work } from "./statement.js";
import { spend } from "./usage.js";

type Verbs = Pick<Queue, "saveText" | "savePictures" | "saveSheet" | "saveCheckpoint" | "cancelItem">;

const itemAt = sql<{ job: number; position: number }, ItemRow>(
  "select * from items where job = @job and position = @position",
);
const updateItem = sql<ItemRow>(`
  update items set rewrite = @rewrite, against_rewrite = @against_rewrite, candidates = @candidates, baseline = @baseline, optimized = @optimized,
    comparison = @comparison, notes = @notes, cancelled = @cancelled, times = @times,
    judgements = @judgements
  where job = @job and position = @position`);
const forgetDeaths = sql<{ seq: number }>("update jobs set recoveries = 0, lost_by = null where seq = @seq");
const saveSheet = sql<{ seq: number; number: number; file: string; items: string }>(`
  insert into sheets (job, number, file, items) values (@seq, @number, @file, @items)
  on conflict (job, number) do update set file = excluded.file, items = excluded.items`);
const saveName = {
  text: sql<{ seq: number; name: string; hash: string | null }>(
    "update jobs set promptist_checkpoint = @name, promptist_hash = @hash where seq = @seq",
  ),
  image: sql<{ seq: number; name: string; hash: string | null }>(
    "update jobs set diffusion_checkpoint = @name, diffusion_hash = @hash where seq = @seq",
  ),
};

/** Results of jobs, stored piece by piece. */
export function keepingResults(connection: Connection): Verbs {
  /** Saves what the holder of a claim made in `ms` milliseconds; false when the claim is stale. */
  function save(claim: Claim, write: (row: JobRow) => Work<unknown>, ms = 0): Promise<boolean> {
    return connection.write(function* () {
      const row = yield* claimedRow(claim);
      if (row === undefined) return false;
      yield* write(row);
      yield* spend({ userId: row.user_id, guildId: row.guild_id }, ms, connection.now());
      return true;
    });
  }

  function saveItem(claim: Claim, position: number, change: (row: ItemRow) => Partial<ItemRow>, ms: number) {
    const write = function* ({ seq: job, recoveries }: JobRow): Work<void> {
      const row = yield* itemAt.get({ job, position });
      if (row === undefined) throw new QueueError("INTERNAL", `Job ${claim.job.id} has no item ${position}.`);
      yield* updateItem.run({ ...row, ...change(row) });
      if (recoveries > 0) yield* forgetDeaths.run({ seq: job });
    };
    return save(claim, write, ms);
  }

  return {
    saveText: (claim, index, { side = "optimized", rewrite, candidates, notes, ms }) =>
      saveItem(
        claim,
        index,
        (row) => ({
          ...(side === "baseline"
            ? { against_rewrite: rewrite }
            : { rewrite, candidates: JSON.stringify(candidates) }),
          notes: withNotes(row.notes, notes),
          times: withParts<ItemTimes>(
            row.times,
            ms === undefined ? {} : { [side === "baseline" ? "against" : "rewrite"]: ms },
          ),
        }),
        ms ?? 0,
      ),

    savePictures: (claim, index, { pictures = {}, comparison, notes = [] }) =>
      saveItem(
        claim,
        index,
        (row) => ({
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
        }),
        SIDES.reduce((sum, side) => sum + (pictures[side]?.ms ?? 0), 0),
      ),

    saveSheet: (claim, { number, file, items }) =>
      save(claim, ({ seq }) => saveSheet.run({ seq, number, file, items: JSON.stringify(items) })),

    saveCheckpoint: (claim, phase, name, hash = null) =>
      save(claim, ({ seq }) => saveName[phase].run({ seq, name, hash })),

    cancelItem: (id, position) =>
      connection.write(function* () {
        const job = yield* jobRow(id);
        if (job === undefined || isFinished(job.state)) return false;
        const row = yield* itemAt.get({ job: job.seq, position });
        if (row === undefined || nextPhase(job.kind, toItem(row)) === null) return false;
        yield* updateItem.run({ ...row, cancelled: 1 });
        return true;
      }),
  };
}

/** An item's notes as JSON, with the new ones that it lacks. */
function withNotes(stored: string, added: readonly ItemNote[]): string {
  const notes = new Map(
    [...fromJson<ItemNote[]>(stored), ...added].map((note) => [JSON.stringify(note), note]),
  );
  return JSON.stringify([...notes.values()]);
}

/** The column `times` or `judgements` with new parts. */
const withParts = <T extends object>(stored: string, added: T): string =>
  JSON.stringify({ ...fromJson<T>(stored), ...added });

/** A property of the pictures that are there and know it, by side. */
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
