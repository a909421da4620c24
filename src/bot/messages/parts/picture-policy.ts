import type { Item } from "../../../core/job.js";
import { isFlagged, type PictureJudgement, UNJUDGED } from "../../../core/judgement.js";
import { TREATMENTS, type Treatment } from "../../../core/settings.js";
import { SIDES, type Side } from "../../../core/side.js";
import { CONCERNS, type Concern } from "../../../core/source.js";
import { withheldVariant } from "../../../pictures/store.js";
import type { Words } from "../../words/english/english.js";
import type { Audience } from "./audience.js";

const stricter = (one: Treatment, other: Treatment): Treatment =>
  TREATMENTS[Math.max(TREATMENTS.indexOf(one), TREATMENTS.indexOf(other))]!;

/**
 * How one picture is posted. A flagged one is never shown outside an age-restricted channel, whatever the
 * settings say. A picture without a judgement, such as a preview or one of an earlier version, counts as
 * unchecked.
 */
export function treatmentOf(judgement: PictureJudgement | null, audience: Audience): Treatment {
  const { ageRestricted, settings, unchecked } = audience;
  if (isFlagged(judgement)) return ageRestricted ? (settings.flagged ?? "spoiler") : "withhold";
  if (judgement !== null && judgement.safety !== "unchecked") return "show";
  return ageRestricted
    ? (settings.unchecked ?? "show")
    : stricter(unchecked, settings.unchecked ?? unchecked);
}

/** Whether the audience decides how one of the pictures is posted; false saves a request to Discord. */
export const needsAudience = (items: readonly Item[]): boolean =>
  drawnPictures(items).some(({ judgement }) => judgement === null || !isPassed(judgement));

const isPassed = ({ safety }: PictureJudgement): boolean =>
  safety === "harmless" || (safety !== "unchecked" && !safety.flagged);

interface DrawnPicture {
  readonly item: Item;
  readonly side: Side;
  readonly judgement: PictureJudgement | null;
}

const drawnPictures = (items: readonly Item[]): DrawnPicture[] =>
  items.flatMap((item) =>
    SIDES.flatMap((side) => {
      const picture = item.pictures[side];
      return picture === null ? [] : [{ item, side, judgement: picture.judgement }];
    }),
  );

/** A picture that is not posted: because the safety checker flagged it, or because none has seen it. */
export interface Withheld {
  /** Index of the item. */
  readonly item: number;
  readonly side: Side;
  readonly flagged: boolean;
}

/** Which pictures of some items an audience sees, and how. */
export interface PictureView {
  readonly ageRestricted: boolean;
  readonly withheld: readonly Withheld[];
  /** All pictures of the message go behind a click: a single one would tell which of them was flagged. */
  readonly spoiler: boolean;
  /** Whether one of the shown pictures was flagged. */
  readonly showsFlagged: boolean;
  /**
   * The file to post in place of one that shows all the items' pictures: itself, its variant with blank
   * panels, or null where neither leaves out exactly what is withheld.
   */
  readonly combined: (file: string | null) => string | null;
  readonly shows: (item: Item, side: Side) => boolean;
}

export function viewOf(items: readonly Item[], audience: Audience): PictureView {
  const pictures = drawnPictures(items).map((picture) => ({
    ...picture,
    treatment: treatmentOf(picture.judgement, audience),
  }));
  const hidden = pictures.filter(({ treatment }) => treatment === "withhold");
  const shown = pictures.filter(({ treatment }) => treatment !== "withhold");
  const flagged = pictures.filter(({ judgement }) => isFlagged(judgement));
  // The variant has blank panels for exactly the flagged pictures.
  const variantFits = hidden.length === flagged.length && hidden.every((it) => flagged.includes(it));
  return {
    ageRestricted: audience.ageRestricted,
    withheld: hidden.map(({ item, side, judgement }) => ({
      item: item.index,
      side,
      flagged: isFlagged(judgement),
    })),
    spoiler: shown.some(({ treatment }) => treatment === "spoiler"),
    showsFlagged: shown.some(({ judgement }) => isFlagged(judgement)),
    combined: (file) => {
      if (file === null || shown.length === 0) return null;
      if (hidden.length === 0) return file;
      return variantFits ? withheldVariant(file) : null;
    },
    shows: (item, side) => !hidden.some((it) => it.item.index === item.index && it.side === side),
  };
}

const FLAGGED: PictureJudgement = { ...UNJUDGED, safety: { flagged: true, concepts: [] } };

/**
 * Whether a picture may be shown as it forms. It is judged only when it is done, so it is shown only where it
 * may be shown whatever the safety checker will say.
 */
export const showsPreview = (audience: Audience): boolean =>
  treatmentOf(null, audience) === "show" && treatmentOf(FLAGGED, audience) === "show";

/** What a picture to go on from may be where an audience sees what is made of it. */
export const acceptedConcerns = (audience: Audience): Concern[] =>
  CONCERNS.filter((concern) => treatmentOf(concern === "flagged" ? FLAGGED : null, audience) !== "withhold");

/** Pictures that are named one by one. */
const NAMED = 6;

/**
 * What to say about the pictures that are missing or hidden; `many` where the message shows several pairs.
 */
export function safetySentences(
  { withheld, spoiler, showsFlagged, ageRestricted }: PictureView,
  many: boolean,
  { safetyLines }: Words,
): string[] {
  const about = (flagged: boolean, why: Parameters<Words["safetyLines"]["withheld"]>[1]): string[] => {
    const pictures = withheld.filter((picture) => picture.flagged === flagged);
    if (pictures.length === 0) return [];
    const names = pictures.map(({ item, side }) =>
      many ? safetyLines.pictureOf(item + 1, side) : safetyLines.picture(side),
    );
    const named =
      names.length <= NAMED ? names : [...names.slice(0, NAMED), safetyLines.more(names.length - NAMED)];
    return [safetyLines.withheld(named, why, many ? "command" : "buttons")];
  };
  return [
    ...about(true, ageRestricted ? "flagged-by-choice" : "flagged"),
    ...about(false, "unchecked"),
    ...(spoiler ? [safetyLines.behindClick(showsFlagged)] : []),
  ];
}
