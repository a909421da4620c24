import { variesRewriters } from "../../core/grid.js";
import { type DevicePace, usualMs } from "../../core/hosts/waiting.js";
import { drawnSides, lacksRewrite, unwrittenSides } from "../../core/job.js";
import { promptModeOf } from "../../core/options.js";
import { stepsCost } from "../../core/source.js";
import type { Draft } from "../../db/drafts.js";
import type { NewItem, OpenWork } from "../../db/queue.js";
import { clip, codeBlock, escapeMarkdown } from "../discord/markdown.js";
import type { Outgoing } from "../discord/outgoing.js";
import { fileSummary, hasRemarks, isCut, wholeRemarks } from "../words/english/batch.js";
import { english, type Words } from "../words/english/english.js";
import { axisLines } from "../words/english/grid.js";
import { speedOption } from "./embeds.js";
import { draftRow } from "./parts/components.js";
import { coarse, etas } from "./parts/eta.js";
import { evaluationAmount } from "./parts/evaluation-amount.js";
import { marksLines } from "./parts/prompt-mode.js";
import { hasUnreadNegative, styleOption } from "./parts/style-sections.js";
import { COLORS } from "./status-message.js";

const PROMPTS_SHOWN = 5;
const PROMPT_MAX = 120;
const NOTES_MAX = 2000;
const GRID_PROMPT_MAX = 400;

/** What decides an item's rewrite in a grid. */
const textKey = ({ text, image }: NewItem): string => JSON.stringify([text, image?.prompts]);

/**
 * The message of a draft: how many pictures it would draw, how long that takes here, and which jobs come first.
 * `tooLong`: numbers of the prompts that Promptist can't read to their end. In English where the notes on the file
 * are.
 */
export function draftMessage(
  draft: Draft,
  open: readonly OpenWork[],
  paces: readonly DevicePace[],
  tooLong: readonly number[],
  wanted: Words,
): Outgoing {
  const { kind, items, image, notes, grid, evaluation } = draft.request;
  // The reader of files tells problems in English, and no message is in two languages.
  const words = notes !== undefined && hasRemarks(notes) ? english : wanted;
  const { draftLines, gridLines, evaluationLines, resultLines, labels } = words;
  const given = items.filter(({ rewrite }) => rewrite !== null).length;
  const lacking = items.reduce((sum, item) => sum + unwrittenSides(item).length, 0);
  const counts = items.map((item) => drawnSides(item).length);
  const pictures = counts.reduce((sum, count) => sum + count, 0);
  const steps = items.reduce((sum, { image: own }, i) => {
    const { steps, guidance, from } = { ...image, ...own };
    return sum + counts[i]! * stepsCost(steps, guidance, from);
  }, 0);
  const isNegativeUnread = items.some(({ image: own }) => hasUnreadNegative({ ...image, ...own }));
  const own = items.flatMap((item, i) => (item.image === undefined ? [] : [i + 1]));
  // Cells of a grid share their rewrites, as do the seeds of an evaluation.
  const texts =
    grid === undefined
      ? lacking / (evaluation?.seeds ?? 1)
      : new Set(items.filter(lacksRewrite).map(textKey)).size;
  const ownMs = usualMs(paces, { texts, pictures, steps });
  const aheadMs = Math.max(0, ...etas(open, paces).values());
  const listed =
    evaluation === undefined
      ? items
      : items.filter((_, i) => i % (evaluation.rewriters.length * evaluation.seeds) === 0);
  const prompts = listed
    .slice(0, PROMPTS_SHOWN)
    .map(({ prompt }) => escapeMarkdown(clip(prompt, PROMPT_MAX)));
  const size = image.size === null ? [] : [`${image.size.width}x${image.size.height}`];
  const description = [
    ...(grid === undefined
      ? [
          evaluation === undefined
            ? draftLines.amount(items.length, given, pictures)
            : evaluationAmount(items, evaluation, words),
          draftLines.first(prompts, listed.length),
          ...(evaluation === undefined ? [] : [evaluationLines.same]),
        ]
      : [
          `${gridLines.amount(pictures, grid.x.values.length, grid.y?.values.length ?? null)}${codeBlock(items[0]?.prompt ?? "", GRID_PROMPT_MAX)}`,
          ...axisLines(grid),
          ...(lacking > 0 && !variesRewriters(grid) ? [gridLines.ofRewrite] : []),
        ]),
    ...(tooLong.length === 0 ? [] : [draftLines.tooLong(tooLong)]),
    ...marksLines(grid === undefined ? items : items.slice(0, 1), image, words),
    resultLines.settings([
      resultLines.seed(items[0]?.seed ?? image.seed),
      ...speedOption(image, words),
      resultLines.steps(image.steps),
      resultLines.guidance(image.guidance),
      image.scheduler,
      ...(promptModeOf(image) === "diffusers" ? [] : [resultLines.prompts(promptModeOf(image))]),
      ...size,
      ...(image.from === undefined ? [] : [resultLines.from(image.from.strength)]),
      ...styleOption(image, words),
    ]),
    ...(isNegativeUnread ? [resultLines.negativeUnread] : []),
    ...(own.length === 0 || grid !== undefined ? [] : [draftLines.own(own)]),
    ...(grid === undefined && evaluation === undefined && items.some(({ seed }) => seed !== undefined)
      ? [(notes?.isReport ?? true) ? draftLines.again : draftLines.fileSettings]
      : []),
    ...(notes === undefined
      ? []
      : [clip(fileSummary(notes, listed.length, words.fileLines).join("\n"), NOTES_MAX)].filter(Boolean)),
    [
      ownMs === null ? draftLines.unknownTime : draftLines.time(coarse(ownMs)),
      ...(open.length === 0 ? [] : [draftLines.ahead(open.length, aheadMs === 0 ? null : coarse(aheadMs))]),
    ].join(" "),
    draftLines.ends(draft.expiresAt),
  ].join("\n");
  return {
    content: "",
    embeds: [{ title: labels.commands[kind], description, color: COLORS.waiting }],
    components: [draftRow(draft.id, words)],
    files:
      notes === undefined || !isCut(notes)
        ? []
        : [
            {
              name: "left-out.txt",
              data: Buffer.from(wholeRemarks(notes, words.fileLines)),
              description: null,
            },
          ],
  };
}
