import type { PictureNote } from "../../core/job.js";

/** What is said of a picture besides its file. */
export const PICTURE_NOTES: Readonly<Record<PictureNote, string>> = {
  redone: "Half precision was not enough for this picture, so it was computed again more exactly.",
  plain: "The picture is one plain colour: the model drew it so. Try another seed or more words.",
};
