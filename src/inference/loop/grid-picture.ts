import { type Grid, variesRewriters } from "../../core/grid.js";
import { drawnSides, type Item, imageOf, type Job, type Sheet } from "../../core/job.js";
import { isFlagged } from "../../core/judgement.js";
import type { GridCell } from "../../pictures/grid-picture.js";
import { captionOf } from "../../pictures/pair-card.js";
import { type PictureStore, sheetFile, withheldVariant } from "../../pictures/store.js";
import type { Host } from "./phase.js";

/**
 * Composes the picture of a grid, and its variant with blank panels for flagged cells where there are any. Cells that
 * were taken out are blank in both.
 * @param checkpoint name of what drew it, for the caption
 * @returns the job's only sheet
 * @throws DiskError and system errors, as the store and the worker do
 */
export async function drawGrid(
  host: Host,
  job: Job,
  grid: Grid,
  pictures: PictureStore,
  checkpoint: string,
): Promise<Sheet> {
  const file = pictures.nameOf(sheetFile(1), job.attempt);
  const cells = await Promise.all(job.items.map((item) => cellOf(job, item, pictures)));
  const [first] = job.items;
  const axes = [grid.x, grid.y].flatMap((axis) => (axis === null ? [] : [axis.name]));
  const isRewrite = first?.only === "optimized" && !variesRewriters(grid);
  const text = isRewrite ? first.rewrite : first?.prompt;
  const compose = (shown: readonly GridCell[], file: string) =>
    pictures.create({ jobId: job.id, file }, (path) =>
      host.call("grid", {
        grid,
        cells: shown,
        title: text ?? "",
        caption: captionOf(imageOf(job, first), checkpoint, axes),
        file: path,
      }),
    );
  await compose(
    cells.map(({ whole }) => whole),
    file,
  );
  if (cells.some(({ isHidden }) => isHidden))
    await compose(
      cells.map(({ whole, isHidden }) => (isHidden ? { ...whole, blank: "withheld" } : whole)),
      withheldVariant(file),
    );
  const items = job.items.filter(isDrawn).map(({ index }) => index);
  return { number: 1, file, items };
}

const pictureOf = (item: Item) => drawnSides(item).map((side) => item.pictures[side])[0] ?? null;

const isDrawn = (item: Item): boolean => pictureOf(item) !== null;

async function cellOf(
  job: Job,
  item: Item,
  pictures: PictureStore,
): Promise<{ readonly whole: GridCell; readonly isHidden: boolean }> {
  const picture = pictureOf(item);
  if (picture === null) return { whole: { file: null, blank: "taken out" }, isHidden: false };
  const file = await pictures.localPath({ jobId: job.id, file: picture.file });
  return { whole: { file, blank: null }, isHidden: isFlagged(picture.judgement) };
}
