import type { Job } from "../../core/job.js";
import type { Outgoing } from "../discord/outgoing.js";
import { jobReference } from "../words/english/result.js";
import { spoilered, withImage } from "./embeds.js";
import { sheetPicture } from "./parts/overview-files.js";
import { fitPictures, type SizeLimit } from "./parts/picture-fit.js";
import { safetySentences } from "./parts/picture-policy.js";
import type { Facts } from "./parts/presentation.js";
import { readPicture } from "./parts/stored-picture.js";
import { COLORS } from "./status-message.js";

/**
 * A contact sheet of an unfinished job; null where it is gone or may not be posted. `facts`: of the sheet's
 * items.
 */
export async function sheetMessage(
  job: Job,
  number: number,
  facts: Facts,
  limit: SizeLimit,
): Promise<Outgoing | null> {
  const picture = await readPicture(facts.pictures, sheetPicture(job, number, facts));
  if (picture === null) return null;
  const { files } = await fitPictures([picture], limit);
  const [file] = files;
  if (file == null) return null;
  const { words } = facts;
  const { items = [] } = job.sheets.find((sheet) => sheet.number === number) ?? {};
  const line = words.resultLines.sheet((items[0] ?? 0) + 1, (items.at(-1) ?? 0) + 1, job.items.length);
  const embed = {
    title: words.labels.commands[job.kind],
    description: [
      `${line} ${jobReference(job.id, null, words)}`,
      ...safetySentences(facts.view, true, words),
    ].join("\n"),
    color: COLORS.running,
  };
  const message = withImage(embed, [file], []);
  return facts.spoiler ? spoilered(message) : message;
}
