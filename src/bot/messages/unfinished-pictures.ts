import { hasOverview, type Job } from "../../core/job.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import type { Presenter } from "./parts/presentation.js";
import { namedPicture, readPicture } from "./parts/stored-picture.js";

/**
 * The baseline of a comparison whose other picture is still being drawn; null where it can't be shown yet. A
 * picture that needs a click or is withheld waits for the result, which says so.
 */
export async function baselinePicture(
  job: Job,
  presenter: Presenter,
  limit: SizeLimit,
): Promise<OutgoingFile | null> {
  const [item] = job.items;
  if (job.kind === "optimize" || hasOverview(job) || job.blind || item?.pictures.baseline == null)
    return null;
  const { view, spoiler, pictures, words } = await presenter.facts(job, job.origin, [item]);
  if (spoiler || !view.shows(item, "baseline")) return null;
  const { file } = item.pictures.baseline;
  const name = `${job.id}-${item.seed}-baseline`;
  const picture = await readPicture(
    pictures,
    namedPicture(job, file, name, words.labels.baselineAlt(item.prompt)),
  );
  return picture === null ? null : ((await fitPictures([picture], limit)).files[0] ?? null);
}

/** A preview, a small WebP of a picture that is being drawn, as a file of the job's message. */
export const previewFile = (jobId: string, webp: Uint8Array, { labels }: Words): OutgoingFile => ({
  name: `${jobId}-preview.webp`,
  data: Buffer.from(webp),
  description: labels.previewAlt,
});
