import type { Grid } from "../../core/grid.js";
import type {
  Candidate,
  EvaluationDesign,
  Failure,
  Item,
  ItemNote,
  Job,
  JobKind,
  JobState,
  LimitScope,
  Phase,
  Picture,
  Sheet,
} from "../../core/job.js";
import type { PictureJudgement } from "../../core/judgement.js";
import type { ImageOptions, OwnOptions, TextOptions } from "../../core/options.js";
import type { PerSide, Side } from "../../core/side.js";

/** SQL that is true for the rows of finished jobs (`isFinished`). */
export const FINISHED = "state in ('done', 'failed', 'cancelled')";

/** A row of `jobs`, in the columns' names and types (migrations/0001_jobs.sql). */
export interface JobRow {
  readonly seq: number;
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly phase: Phase;
  readonly user_id: string;
  readonly guild_id: string | null;
  readonly channel_id: string;
  readonly locale: string;
  readonly application_id: string;
  readonly interaction_id: string;
  readonly interaction_token: string;
  readonly token_expires_at: number;
  readonly text_options: string;
  readonly image_options: string;
  /** Key of the models that its next picture needs (core/model-set.ts). */
  readonly model_set: string;
  readonly grid: string | null;
  readonly evaluation: string | null;
  readonly parent_id: string | null;
  readonly blind: number;
  readonly owner: string | null;
  readonly attempt: number;
  readonly recoveries: number;
  readonly lost_by: string | null;
  readonly not_before: number;
  readonly failures: string;
  readonly cancel_requested: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly promptist_checkpoint: string | null;
  readonly diffusion_checkpoint: string | null;
  readonly promptist_hash: string | null;
  readonly diffusion_hash: string | null;
  readonly held: LimitScope | null;
  readonly limits: string;
  readonly preview: number;
  readonly pictures_pruned_at: number | null;
  readonly delivered_at: number | null;
  readonly message_id: string | null;
  readonly delivery_attempts: number;
  readonly delivery_error: string | null;
  readonly delivery_abandoned: string | null;
}

/** A row of `items`. */
export interface ItemRow {
  readonly job: number;
  readonly position: number;
  readonly prompt: string;
  readonly rewrite: string | null;
  readonly candidates: string;
  readonly seed: number;
  /** File names of the two pictures. */
  readonly baseline: string | null;
  readonly optimized: string | null;
  readonly comparison: string | null;
  readonly notes: string;
  readonly cancelled: number;
  readonly times: string;
  readonly judgements: string;
  readonly text_options: string | null;
  readonly image_options: string | null;
  readonly only_side: Side | null;
  /** How the text of the baseline is written, and what it is; null where that is the prompt. */
  readonly against_options: string | null;
  readonly against_rewrite: string | null;
}

/** The columns `times` and `judgements` of an item: a part is missing until it is known. */
export type ItemTimes = Partial<Readonly<Record<"rewrite" | "against" | Side, number>>>;
export type ItemJudgements = Partial<PerSide<PictureJudgement>>;

/** A row of `sheets`. */
export interface SheetRow extends Omit<Sheet, "items" | "settled"> {
  readonly job: number;
  readonly items: string;
  readonly settled_at: number | null;
}

/** Only this folder writes JSON columns, so they are trusted to hold their type. */
export const fromJson = <T>(text: string): T => JSON.parse(text) as T;

/** A job from its row and the rows of its items and sheets, which come in order. */
export function toJob(row: JobRow, items: readonly ItemRow[], sheets: readonly SheetRow[]): Job {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    phase: row.phase,
    origin: {
      userId: row.user_id,
      guildId: row.guild_id,
      channelId: row.channel_id,
      locale: row.locale,
      applicationId: row.application_id,
      interactionId: row.interaction_id,
      interactionToken: row.interaction_token,
      tokenExpiresAt: row.token_expires_at,
    },
    text: fromJson<TextOptions>(row.text_options),
    image: fromJson<ImageOptions>(row.image_options),
    items: items.map(toItem),
    ...(row.grid === null ? {} : { grid: fromJson<Grid>(row.grid) }),
    ...(row.evaluation === null ? {} : { evaluation: fromJson<EvaluationDesign>(row.evaluation) }),
    parentId: row.parent_id,
    blind: row.blind === 1,
    attempt: row.attempt,
    failures: fromJson<Failure[]>(row.failures),
    cancelRequested: row.cancel_requested === 1,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    checkpoints: { promptist: row.promptist_checkpoint, diffusion: row.diffusion_checkpoint },
    hashes: { promptist: row.promptist_hash, diffusion: row.diffusion_hash },
    sheets: sheets.map(({ number, file, items, settled_at }) => ({
      number,
      file,
      items: fromJson<number[]>(items),
      ...(settled_at === null ? {} : { settled: true as const }),
    })),
    held: row.held,
    preview: row.preview === 1,
    picturesPrunedAt: row.pictures_pruned_at,
    delivery: {
      deliveredAt: row.delivered_at,
      messageId: row.message_id,
      attempts: row.delivery_attempts,
      abandoned: row.delivery_abandoned,
    },
  };
}

export function toItem(row: ItemRow): Item {
  const times = fromJson<ItemTimes>(row.times);
  const judgements = fromJson<ItemJudgements>(row.judgements);
  const picture = (side: Side): Picture | null => {
    const file = row[side];
    return file === null ? null : { file, ms: times[side] ?? null, judgement: judgements[side] ?? null };
  };
  return {
    index: row.position,
    prompt: row.prompt,
    rewrite: row.rewrite,
    rewriteMs: times.rewrite ?? null,
    candidates: fromJson<Candidate[]>(row.candidates),
    seed: row.seed,
    ...(row.text_options === null ? {} : { text: fromJson<TextOptions>(row.text_options) }),
    ...(row.image_options === null ? {} : { image: fromJson<OwnOptions>(row.image_options) }),
    ...(row.only_side === null ? {} : { only: row.only_side }),
    ...(row.against_options === null
      ? {}
      : {
          against: {
            text: fromJson<TextOptions>(row.against_options),
            rewrite: row.against_rewrite,
            ms: times.against ?? null,
          },
        }),
    pictures: { baseline: picture("baseline"), optimized: picture("optimized") },
    comparison: row.comparison,
    cancelled: row.cancelled === 1,
    notes: fromJson<ItemNote[]>(row.notes),
  };
}
