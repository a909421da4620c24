import {
  type APIButtonComponent,
  type APIComponentInMessageActionRow,
  type APIStringSelectComponent,
  ButtonStyle,
  ComponentType,
} from "discord.js";
import {
  drawnSides,
  type EvaluationDesign,
  type Item,
  type ItemNoun,
  isUnchanged,
  type Job,
  nounOf,
  placeIn,
  textOptionsOf,
} from "../../../core/job.js";
import { type PictureSize, showSize } from "../../../core/options.js";
import { addedPhrases } from "../../../core/prompt-diff.js";
import { rewriterNameOf, titleOf } from "../../../core/rewriters.js";
import { SIDES, type Side } from "../../../core/side.js";
import type { JobEntry } from "../../../db/records.js";
import { clip, tail } from "../../discord/markdown.js";
import type { Row } from "../../discord/outgoing.js";
import type { Words } from "../../words/english/english.js";
import { cellLabel } from "../../words/english/grid.js";
import { choiceDetail, historyChoice } from "../../words/english/history.js";

/**
 * What a press means. All of it is in the custom id, so a button lives as long as its message. State is
 * looked up by the job's id, and the stored row decides who may press, never the custom id. The pattern is
 * that of the verb's argument; null where it takes none.
 */
const VERBS = {
  cancel: null,
  /** The id is a draft's; there is no job yet. */
  start: null,
  discard: null,
  /** Asks which prompts to take out of a batch; `skip` are the menus that answer, by their index. */
  items: null,
  skip: /^[0-4]$/,
  /** Draws deleted pictures again. */
  redraw: null,
  /** Draws the same prompts from a new seed. */
  again: null,
  /** Ask for another prompt, and for another rewrite; the seed stays. */
  edit: null,
  tune: null,
  /** Asks how to change the rewrite; the menus that answer: another one, added phrases to leave out. */
  change: null,
  beam: null,
  /** The model's own first rewrite, where taste chose another. */
  own: null,
  without: null,
  /** The menu of the rewrites of several rewriters: draws the pair of one. */
  written: null,
  /** Draw a rewrite: both pictures, or the prompt as written. */
  pair: null,
  raw: null,
  /** The menu of a grid: opens one cell; and what is done with it, by its index. */
  cell: null,
  cellpair: /^\d{1,2}$/,
  cellpost: /^\d{1,2}$/,
  /** Draw both sides again from their own pictures, and another prompt from the picture of one side. */
  vary: /^(small|large)$/,
  use: /^(baseline|optimized)(-\d{1,2})?$/,
  /** Asks which picture to draw over, and how much larger; the menu that answers. */
  enlarge: null,
  larger: null,
  info: null,
  /** Puts the result into the server's gallery. */
  favourite: null,
  delete: null,
  /** The menu of `/history`: does the chosen job again. It is of no one job. */
  repeat: null,
  /** Draws what `/info` read in a picture; its message says it all, and it is of no job. */
  from: null,
  vote: /^(left|right|tie|bad)$/,
  reveal: null,
} as const satisfies Record<string, RegExp | null>;

export type Verb = keyof typeof VERBS;
export interface PressAction {
  readonly verb: Verb;
  readonly jobId: string;
  readonly argument: string | null;
}

const CUSTOM_ID = /^([a-z]{1,12}):([\w-]{1,64})(?::([\w-]{1,16}))?$/;

export const encodeCustomId = (verb: Verb, jobId: string, argument?: string): string =>
  argument === undefined ? `${verb}:${jobId}` : `${verb}:${jobId}:${argument}`;

/** The action of a custom id; null for an id that this program did not make. */
export function decodeCustomId(customId: string): PressAction | null {
  const [, verb, jobId, argument = null] = CUSTOM_ID.exec(customId) ?? [];
  if (verb === undefined || jobId === undefined || !Object.hasOwn(VERBS, verb)) return null;
  const pattern: RegExp | null = VERBS[verb as Verb];
  const holds = pattern === null ? argument === null : argument !== null && pattern.test(argument);
  return holds ? { verb: verb as Verb, jobId, argument } : null;
}

/** Discord: options of one select menu, and characters of an option's label. */
const OPTIONS_MAX = 25;
const OPTION_TEXT_MAX = 100;

const row = (...components: APIComponentInMessageActionRow[]): Row => ({
  type: ComponentType.ActionRow,
  components,
});

interface ButtonLook {
  readonly style?: Exclude<ButtonStyle, ButtonStyle.Link | ButtonStyle.Premium>;
  readonly argument?: string;
  readonly enabled?: boolean;
}

function button(
  verb: Verb,
  jobId: string,
  label: string,
  { style = ButtonStyle.Secondary, argument, enabled = true }: ButtonLook = {},
): APIButtonComponent {
  return {
    type: ComponentType.Button,
    style,
    label,
    custom_id: encodeCustomId(verb, jobId, argument),
    disabled: !enabled,
  };
}

/** Under a job that waits or runs; `items`: what can be taken out of it. */
export const cancelRow = (jobId: string, enabled: boolean, items: ItemNoun | null, { labels }: Words): Row =>
  row(
    button("cancel", jobId, labels.cancel, { enabled }),
    ...(items === null ? [] : [button("items", jobId, labels.takeOut(items), { enabled })]),
  );

/** Under a draft. */
export const draftRow = (draftId: string, { labels }: Words): Row =>
  row(
    button("start", draftId, labels.start, { style: ButtonStyle.Success }),
    button("discard", draftId, labels.discard),
  );

/** Prompts that one message offers to take out. */
export const ITEMS_SHOWN = 5 * OPTIONS_MAX;

/** Menus of the items that can be taken out, 25 in each. */
export function itemRows(
  { id: jobId, kind, grid, evaluation }: Pick<Job, "id" | "kind" | "grid" | "evaluation">,
  items: readonly Item[],
  { labels }: Words,
): Row[] {
  const noun = nounOf(kind);
  const rows: Row[] = [];
  for (let from = 0; from < Math.min(items.length, ITEMS_SHOWN); from += OPTIONS_MAX) {
    const page = items.slice(from, from + OPTIONS_MAX);
    rows.push(
      select({
        custom_id: encodeCustomId("skip", jobId, String(from / OPTIONS_MAX)),
        placeholder: labels.choosePrompts(noun, page[0]!.index + 1, page.at(-1)!.index + 1),
        min_values: 1,
        max_values: page.length,
        options: page.map(({ index, prompt, seed }) => ({
          // The pairs of a comparison have one prompt.
          label:
            grid !== undefined
              ? clip(`${index + 1}. ${cellLabel(grid, { index })}`, OPTION_TEXT_MAX)
              : noun === "pair"
                ? labels.pair(index + 1, seed)
                : clip(`${index + 1}. ${rewriterName(evaluation, index)}${prompt}`, OPTION_TEXT_MAX),
          value: String(index),
        })),
      }),
    );
  }
  return rows;
}

/** Before the prompt of a picture of an evaluation, whose pictures of one prompt differ by it. */
const rewriterName = (evaluation: EvaluationDesign | undefined, index: number): string =>
  evaluation === undefined ? "" : `${evaluation.rewriters[placeIn(evaluation, index).rewriter]}: `;

/** Under what `/info` read in a picture. */
export const pictureRow = ({ labels }: Words): Row =>
  row(button("from", "picture", labels.compareThis, { style: ButtonStyle.Primary }));

/** Under a list of a person's jobs, 25 at most. */
export const historyRow = (entries: readonly JobEntry[], now: number, words: Words): Row =>
  select({
    custom_id: encodeCustomId("repeat", "history"),
    placeholder: words.historyLines.again,
    options: entries.map((entry) => ({
      label: historyChoice(entry, OPTION_TEXT_MAX),
      description: clip(choiceDetail(entry, now, words), OPTION_TEXT_MAX),
      value: entry.id,
    })),
  });

/** Under the result of a finished job, or under how it ended without one. */
export function resultRows(job: Job, words: Words): Row[] {
  const { labels } = words;
  const { id, kind, state, items } = job;
  const [item] = items;
  const end = [button("info", id, labels.info), button("delete", id, labels.delete)];
  const isList = kind === "batch" || kind === "evaluation";
  const edit = isList ? [] : [button("edit", id, labels.editPrompt)];
  if (state !== "done") {
    return [row(button("redraw", id, labels.tryAgain, { style: ButtonStyle.Primary }), ...edit, ...end)];
  }
  const redraw = canRedraw(job) ? [button("redraw", id, labels.redraw)] : [];
  if (isList || (item?.rewrite == null && item?.only === undefined)) return [row(...redraw, ...end)];
  if (item.only !== undefined) {
    const pair = button("pair", id, labels.drawPair, { style: ButtonStyle.Primary });
    return [row(button("again", id, labels.again), ...(redraw.length > 0 ? redraw : edit), pair, ...end)];
  }
  if (kind === "optimize" && items.length > 1) return [...writtenRow(job, words), row(...edit, ...end)];
  if (kind === "optimize") {
    const draw = [
      button("pair", id, labels.drawPair, { style: ButtonStyle.Primary }),
      button("tune", id, labels.editFirst),
      button("raw", id, labels.drawRaw),
    ];
    return [row(...draw, ...end), ...ownRow(job, item, words), ...beamRow(job, item, words)];
  }
  const more = [button("again", id, labels.again), ...edit];
  const change = changeRows(job, words).length === 0 ? [] : [button("change", id, labels.change)];
  // Five buttons at most; pictures that are gone are what people miss first.
  return [row(...more, ...(redraw.length > 0 ? redraw : change), ...end), ...ownRow(job, item, words)];
}

/** Draws the model's own first rewrite, where taste chose another. */
const ownRow = ({ id }: Job, { rewrite, candidates, notes }: Item, { labels }: Words): Row[] =>
  notes.some(({ code }) => code === "taste") && candidates[0]?.text !== rewrite
    ? [row(button("own", id, labels.own))]
    : [];

/** Whether its deleted pictures can be drawn again: those that they went on from are deleted with them. */
export const canRedraw = (job: Job): job is Job & { readonly picturesPrunedAt: number } =>
  job.picturesPrunedAt !== null && job.image.from === undefined;

/** Under the picture of a grid: the menu opens one of its cells. */
export function gridRows(job: Job, { labels, gridLines }: Words): Row[] {
  const { id, grid, items, picturesPrunedAt } = job;
  const seeded = grid?.x.name === "seed" || grid?.y?.name === "seed";
  const buttons = row(
    ...(seeded ? [] : [button("again", id, labels.again)]),
    button("edit", id, labels.editPrompt),
    ...(picturesPrunedAt === null ? [] : [button("redraw", id, labels.redraw)]),
    button("info", id, labels.info),
    button("delete", id, labels.delete),
  );
  const drawn = items.filter((item) => drawnSides(item).some((side) => item.pictures[side] !== null));
  if (grid === undefined || drawn.length === 0 || picturesPrunedAt !== null) return [buttons];
  const options = drawn.slice(0, OPTIONS_MAX).map((item) => ({
    label: clip(cellLabel(grid, item), OPTION_TEXT_MAX),
    value: String(item.index),
  }));
  const menu = select({ custom_id: encodeCustomId("cell", id), placeholder: gridLines.choose, options });
  return [menu, buttons];
}

/** Under one cell of a grid. */
export const pictureRows = ({ id }: Job, { index }: Item, { gridLines }: Words): Row[] => {
  const argument = String(index);
  return [
    row(
      button("cellpair", id, gridLines.compare, { argument, style: ButtonStyle.Primary }),
      button("cellpost", id, gridLines.post, { argument }),
    ),
  ];
};

/** Under a comparison whose pictures are there: what goes on from them. */
export function goOnRows(job: Job, { labels }: Words): Row[] {
  const { id, items, picturesPrunedAt } = job;
  const drawn = items.filter((item) => drawnSides(item).some((side) => item.pictures[side] !== null));
  if (drawn.length === 0 || picturesPrunedAt !== null) return [];
  const vary = (["small", "large"] as const).map((argument) =>
    button("vary", id, labels.vary[argument], { argument }),
  );
  const sides = shownSides(drawn);
  const use = sides.map((argument) =>
    button("use", id, sides.length === 1 ? labels.use.only : labels.use[argument], { argument }),
  );
  return [row(...vary, ...use, button("enlarge", id, labels.enlarge))];
}

/** A picture that can be enlarged: of which item and side, how many times, and what comes of it. */
export interface Enlargement {
  readonly item: number;
  readonly side: Side;
  readonly times: number;
  readonly size: PictureSize;
  /** Of a result with one picture. */
  readonly isOnly: boolean;
  /** What it costs, as a sentence. */
  readonly cost: string;
}

/** Asks which picture to enlarge, and how much. */
export const enlargeMenu = (jobId: string, choices: readonly Enlargement[], { labels }: Words): Row =>
  select({
    custom_id: encodeCustomId("larger", jobId),
    options: choices.slice(0, OPTIONS_MAX).map(({ item, side, times, size, isOnly, cost }) => ({
      label: labels.larger(isOnly ? "only" : side, times, showSize(size)),
      description: clip(cost, OPTION_TEXT_MAX),
      value: `${item}-${side}-${times}`,
    })),
  });

/** The sides that look different: of a prompt that was not changed both pictures are the same. */
export function shownSides(items: readonly Item[]): readonly Side[] {
  const [item] = items;
  if (item?.only !== undefined) return [item.only];
  return items.every(isUnchanged) ? ["baseline"] : SIDES;
}

/** Asks which of several pairs a button is about. */
export const pairMenu = (
  { verb, jobId, argument }: PressAction,
  items: readonly Item[],
  { labels }: Words,
): Row =>
  select({
    custom_id: encodeCustomId(verb, jobId, argument ?? undefined),
    options: items.slice(0, OPTIONS_MAX).map(({ index, seed }) => ({
      label: labels.pair(index + 1, seed),
      value: String(index),
    })),
  });

/** Under a result with pictures, where the server has a gallery. */
export const galleryRow = (jobId: string, { labels }: Words): Row =>
  row(button("favourite", jobId, labels.favourite));

/** Menus that draw a comparison with another rewrite. */
export function changeRows(job: Job, words: Words): Row[] {
  const [item] = job.items;
  // Rewrites that differ from pair to pair can't be chosen from together.
  if (item === undefined || job.items.some(({ rewrite }) => rewrite !== item.rewrite)) return [];
  return [...beamRow(job, item, words), ...withoutRow(job, item, words)];
}

/** Under a blind comparison: vote buttons, plus Reveal for the requester. */
export const voteRows = (jobId: string, { labels }: Words): Row[] => [
  row(
    ...(["left", "right", "tie", "bad"] as const).map((argument) =>
      button("vote", jobId, labels.votes[argument], { argument, style: ButtonStyle.Primary }),
    ),
  ),
  row(button("reveal", jobId, labels.reveal), button("delete", jobId, labels.delete)),
];

/** A menu of the other rewrites; the value is the index among the candidates. */
function beamRow(job: Job, item: Item, { labels }: Words): Row[] {
  const others = item.candidates.map(({ text }, index) => ({ text, index }));
  const options = others
    .filter(({ text }) => text !== item.rewrite)
    .slice(0, OPTIONS_MAX)
    .map(({ text, index }) => {
      // Rewrites start with the prompt; the difference comes after it.
      const own = text.startsWith(item.prompt) ? text.slice(item.prompt.length).replace(/^[\s,]+/, "") : text;
      return {
        label: clip(`${index + 1}. ${own}`, OPTION_TEXT_MAX),
        value: String(index),
        ...(own.length > OPTION_TEXT_MAX ? { description: clip(tail(own, 90), OPTION_TEXT_MAX) } : {}),
      };
    });
  if (options.length === 0) return [];
  return [select({ custom_id: encodeCustomId("beam", job.id), placeholder: labels.chooseBeam, options })];
}

/** A menu of the rewrites of several rewriters; the value is the item's index. */
function writtenRow(job: Job, { labels }: Words): Row[] {
  const options = job.items
    .filter(({ rewrite }) => rewrite !== null)
    .map((item) => ({
      label: clip(titleOf(rewriterNameOf(textOptionsOf(job, item))), OPTION_TEXT_MAX),
      description: clip(item.rewrite ?? "", OPTION_TEXT_MAX),
      value: String(item.index),
    }));
  if (options.length === 0) return [];
  return [select({ custom_id: encodeCustomId("written", job.id), placeholder: labels.drawPair, options })];
}

/** A menu of the phrases that the rewrite added; those that are chosen are left out. */
function withoutRow(job: Job, item: Item, { labels }: Words): Row[] {
  const phrases = addedPhrases(item.prompt, item.rewrite ?? "").slice(0, OPTIONS_MAX);
  if (phrases.length === 0) return [];
  return [
    select({
      custom_id: encodeCustomId("without", job.id),
      placeholder: labels.chooseWords,
      min_values: 1,
      max_values: phrases.length,
      options: phrases.map(({ text }, index) => ({
        label: clip(text, OPTION_TEXT_MAX),
        value: String(index),
      })),
    }),
  ];
}

const select = (menu: Omit<APIStringSelectComponent, "type">): Row =>
  row({ type: ComponentType.StringSelect, ...menu });
