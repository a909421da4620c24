import type { ModelKind } from "../../checkpoints/layouts/kinds.js";
import type { FoundModel } from "../../checkpoints/library/find-models.js";

/** How models that were found are shown. */

const KINDS: Readonly<Record<ModelKind, readonly [one: string, several: string]>> = {
  checkpoint: ["checkpoint", "checkpoints"],
  lora: ["LoRA", "LoRAs"],
  vae: ["VAE", "VAEs"],
  embedding: ["embedding", "embeddings"],
  "tiny-decoder": ["TAESD", "TAESDs"],
  upscaler: ["upscaler", "upscalers"],
  controlnet: ["ControlNet", "ControlNets"],
  rewriter: ["rewriter", "rewriters"],
  clip: ["CLIP", "CLIPs"],
  unknown: ["unknown", "of unknown kind"],
};

/** Such as "LoRA, rank 32, Stable Diffusion 1.x". */
const kindText = ({ kind, detail, family, broken }: FoundModel): string =>
  broken ? "unreadable" : [KINDS[kind][0], detail, family].filter((it) => it !== null).join(", ");

const MIB = 2 ** 20;
const sizeText = (bytes: number): string =>
  bytes >= 2 ** 30
    ? `${(bytes / 2 ** 30).toFixed(1)} GiB`
    : bytes >= MIB
      ? `${(bytes / MIB).toFixed(1)} MiB`
      : `${(bytes / 1024).toFixed(1)} KiB`;

/** A file's name may hold what a terminal takes for a command. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "\ufffd");

/** A table of models, one a line, with a heading: kind, size, whether it fits, and where it lies. */
export function modelTable(models: readonly FoundModel[]): string[] {
  const rows = models.map((model) => [
    kindText(model),
    sizeText(model.bytes),
    model.misfit === null ? "yes" : "no",
    printable(model.misfit === null ? model.path : `${model.path}  (${model.misfit})`),
  ]);
  const cells = [["KIND", "SIZE", "FITS", "PATH"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Such as "12 checkpoints (9 fit), 1 LoRA (fits), 2 that cannot be read". */
export function modelCounts(models: readonly FoundModel[]): string {
  const counts = (Object.keys(KINDS) as ModelKind[]).flatMap((kind) => {
    const some = models.filter((model) => model.kind === kind && !model.broken);
    if (some.length === 0) return [];
    const fitting = some.filter(({ misfit }) => misfit === null).length;
    const [one, several] = KINDS[kind];
    if (some.length === 1) return [`1 ${one} (${fitting === 1 ? "fits" : "does not fit"})`];
    const fits = fitting === 0 ? "none fits" : fitting === 1 ? "1 fits" : `${fitting} fit`;
    return [`${some.length} ${several} (${fits})`];
  });
  const broken = models.filter((model) => model.broken).length;
  if (broken > 0)
    counts.push(broken === 1 ? "1 file that cannot be read" : `${broken} files that cannot be read`);
  return counts.join(", ");
}
