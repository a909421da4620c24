import type { Item } from "../../core/job.js";
import { isFlagged, type PictureJudgement, UNJUDGED } from "../../core/judgement.js";
import { TREATMENTS, type Treatment } from "../../core/settings.js";
import { SIDES, type Side } from "../../core/side.js";
import { withheldVariant } from "../../pictures/store.js";
import { ANYBODY, type Audience } from "./audience.js";

const stricter = (one: Treatment, other: Treatment): Treatment =>
  TREATMENTS[Math.max(TREATMENTS.indexOf(one), TREATMENTS.indexOf(other))]!;

/**
 * What becomes of one picture. A flagged one is never shown outside an age-restricted channel, whatever the settings
 * say; a picture without a judgement, such as one that still forms or of an earlier version, counts as unchecked.
 */
export function treatmentOf(judgement: PictureJudgement | null, audience: Audience): Treatment {
  const { ageRestricted, settings, unchecked } = audience;
  if (isFlagged(judgement)) return ageRestricted ? (settings.flagged ?? "spoiler") : "withhold";
  if (judgement !== null && judgement.safety !== "unchecked") return "show";
  return ageRestricted
    ? (settings.unchecked ?? "show")
    : stricter(unchecked, settings.unchecked ?? unchecked);
}

/** Whether it depends on the audience how one of the pictures is posted; false spares asking Discord. */
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

/** A picture that is not posted, and whether for what the checker found or because there was none. */
export interface Withheld {
  /** Index of the item. */
  readonly item: number;
  readonly side: Side;
  readonly flagged: boolean;
}

/** How the pictures of some items are posted. */
export interface Exhibition {
  readonly ageRestricted: boolean;
  readonly withheld: readonly Withheld[];
  /** All pictures of the message stand behind a click: one that does not would tell which one was flagged. */
  readonly spoiler: boolean;
  /** Whether a picture was flagged that is shown nevertheless. */
  readonly showsFlagged: boolean;
  /**
   * The file that shows several of them at once, given the one that shows them all: that, its variant with blank
   * panels, or null where neither leaves out just what is withheld.
   */
  readonly composed: (file: string | null) => string | null;
  readonly shows: (item: Item, side: Side) => boolean;
}

/** What of the items' pictures the audience sees. */
export function exhibit(items: readonly Item[], audience: Audience): Exhibition {
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
    composed: (file) => {
      if (file === null || shown.length === 0) return null;
      if (hidden.length === 0) return file;
      return variantFits ? withheldVariant(file) : null;
    },
    shows: (item, side) => !hidden.some((it) => it.item.index === item.index && it.side === side),
  };
}

/** As `exhibit`; asks who will see the message only where that decides something. */
export const exhibitFor = async (
  items: readonly Item[],
  audienceOf: () => Promise<Audience>,
): Promise<Exhibition> => exhibit(items, needsAudience(items) ? await audienceOf() : ANYBODY);

const FLAGGED: PictureJudgement = { ...UNJUDGED, safety: { flagged: true, concepts: [] } };

/**
 * Whether a picture may be seen as it forms. Nobody judges it before it is done, so it is shown only where it might be
 * whatever comes of it.
 */
export const showsPreview = (audience: Audience): boolean =>
  treatmentOf(null, audience) === "show" && treatmentOf(FLAGGED, audience) === "show";
