import type { Item, Job } from "../core/job.js";
import { isFlagged, type PictureJudgement, UNJUDGED, withheldVariant } from "../core/judgement.js";
import { type PlaceSettings, TREATMENTS, type Treatment } from "../core/settings.js";
import type { Side } from "../db/votes.js";

/** Who will see a message, as far as it decides what may be in it. Known only when the message is posted. */
export interface Audience {
  /** The channel is age-restricted, or the thread's channel is. A direct message is not. */
  readonly ageRestricted: boolean;
  readonly place: PlaceSettings;
  /** The program's own rule for pictures that no safety checker has seen, outside age-restricted channels. */
  readonly unchecked: Treatment;
}

const stricter = (one: Treatment, other: Treatment): Treatment =>
  TREATMENTS[Math.max(TREATMENTS.indexOf(one), TREATMENTS.indexOf(other))]!;

/**
 * What becomes of one picture. A flagged one is never shown outside an age-restricted channel, whatever the settings
 * say; a picture without a judgement, such as one that still forms or of an earlier version, counts as unchecked.
 */
export function treatmentOf(judgement: PictureJudgement | undefined, audience: Audience): Treatment {
  const { ageRestricted, place, unchecked } = audience;
  if (isFlagged(judgement)) return ageRestricted ? (place.flagged ?? "spoiler") : "withhold";
  if (judgement !== undefined && judgement.safety !== "unchecked") return "show";
  return ageRestricted ? (place.unchecked ?? "show") : stricter(unchecked, place.unchecked ?? unchecked);
}

const isPassed = (judgement: PictureJudgement | undefined): boolean =>
  judgement !== undefined && judgement.safety !== "unchecked" && !isFlagged(judgement);

interface DrawnPicture {
  readonly item: Item;
  readonly side: Side;
  readonly judgement: PictureJudgement | undefined;
}

const drawnPictures = (items: readonly Item[]): DrawnPicture[] =>
  items.flatMap((item) => [
    ...(item.baseline === null
      ? []
      : [{ item, side: "baseline" as const, judgement: item.judgements.baseline }]),
    ...(item.drawn === null ? [] : [{ item, side: "optimized" as const, judgement: item.judgements.drawn }]),
  ]);

/** A picture that is not posted, and whether for what the checker found or because there was none. */
export interface Withheld {
  /** Index of the item. */
  readonly item: number;
  readonly side: Side;
  readonly flagged: boolean;
}

/** How the pictures of a job are posted. */
export interface Exhibition {
  readonly ageRestricted: boolean;
  readonly withheld: readonly Withheld[];
  /** All pictures of the message stand behind a click: one that does not would tell which one was flagged. */
  readonly spoiler: boolean;
  /** Whether a picture was flagged that is shown nevertheless. */
  readonly showsFlagged: boolean;
}

/** Where nothing depends on the audience. */
const ANYBODY: Audience = { ageRestricted: false, place: {}, unchecked: "withhold" };

/**
 * What of a job's pictures may be posted. `permitted` is the job as everything that makes messages, zips and reports of
 * pictures gets it: its rows name no file that is withheld, and of a file that shows several pictures at once the
 * variant with blank panels, so that none of them has to know the rule.
 * @param audienceOf asked only where it decides something
 */
export async function exhibit(
  job: Job,
  audienceOf: () => Promise<Audience>,
): Promise<{ readonly permitted: Job; readonly shown: Exhibition }> {
  const pictures = drawnPictures(job.items);
  const audience = pictures.every(({ judgement }) => isPassed(judgement)) ? ANYBODY : await audienceOf();
  const treated = pictures.map((picture) => ({
    ...picture,
    treatment: treatmentOf(picture.judgement, audience),
  }));
  const hidden = treated.filter(({ treatment }) => treatment === "withhold");
  const open = treated.filter(({ treatment }) => treatment !== "withhold");
  const shows = (item: Item, side: Side) =>
    !hidden.some((it) => it.item.index === item.index && it.side === side);
  /** The file of several items that leaves out just what is withheld, or null where there is none. */
  const composed = (file: string | null, items: readonly number[]): string | null => {
    const of = treated.filter(({ item }) => items.includes(item.index));
    const left = of.filter(({ treatment }) => treatment === "withhold");
    if (left.length === 0) return file;
    if (file === null || left.length === of.length) return null;
    // The variant has blank panels for exactly the flagged pictures.
    return of.every((it) => isFlagged(it.judgement) === left.includes(it)) ? withheldVariant(file) : null;
  };
  const permitted = {
    ...job,
    items: job.items.map((item) => ({
      ...item,
      baseline: shows(item, "baseline") ? item.baseline : null,
      drawn: shows(item, "optimized") ? item.drawn : null,
      comparison: composed(item.comparison, [item.index]),
    })),
    sheets: job.sheets.flatMap((sheet) => {
      const file = composed(sheet.file, sheet.items);
      return file === null ? [] : [{ ...sheet, file }];
    }),
  };
  return {
    permitted,
    shown: {
      ageRestricted: audience.ageRestricted,
      withheld: hidden.map(({ item, side, judgement }) => ({
        item: item.index,
        side,
        flagged: isFlagged(judgement),
      })),
      spoiler: open.some(({ treatment }) => treatment === "spoiler"),
      showsFlagged: open.some(({ judgement }) => isFlagged(judgement)),
    },
  };
}

/** What the checkpoint's pictures are judged for: nothing, since it is harmless or has no safety checker, or by one. */
export type CheckpointSafety = "harmless" | "unchecked" | "checked";

/**
 * Whether a picture may be seen as it forms. Nobody judges it before it is done, so where somebody will, it is shown
 * only where it might be if it were flagged.
 */
export const showsForming = (safety: "unchecked" | "checked", audience: Audience): boolean =>
  treatmentOf(WORST[safety], audience) === "show";

const WORST: Readonly<Record<"unchecked" | "checked", PictureJudgement>> = {
  unchecked: UNJUDGED,
  checked: { ...UNJUDGED, safety: { flagged: true, concepts: [] } },
};
