import { InputError } from "../../core/errors.js";
import { type Item, imageOf, type Job, onlyOf, textOptionsOf } from "../../core/job.js";
import type { NewItem } from "../../db/queue.js";
import { deferPrivately, type Press, replyPrivately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import { spoilered } from "../messages/embeds.js";
import { cellMessage } from "../messages/overview-message.js";
import type { PressAction } from "../messages/parts/components.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import type { Presenter } from "../messages/parts/presentation.js";
import type { CommandRequest } from "../requests/request.js";
import { wordsOf } from "../words/languages.js";

export interface CellsOptions {
  readonly presenter: Presenter;
  readonly api: DiscordApi;
}

/** The menu of a grid's cells. */
export class Cells {
  readonly #options: CellsOptions;

  constructor(options: CellsOptions) {
    this.#options = options;
  }

  /** Shows one cell to whoever chose it. */
  async open(press: Press, job: Job): Promise<void> {
    const words = wordsOf(press.locale);
    const [value] = press.isStringSelectMenu() ? press.values : [];
    const item = job.items[Number(value ?? Number.NaN)];
    if (item === undefined) return replyPrivately(press, words.refusals.unknownButton);
    await deferPrivately(press);
    const { presenter, api } = this.#options;
    const facts = { ...(await presenter.facts(job, press, [item])), words };
    const limit = { ...CHANNEL_LIMIT, perFile: press.attachmentSizeLimit };
    const message = await cellMessage(job, item, facts, limit);
    const target = { applicationId: press.applicationId, interactionToken: press.token };
    await api.editReply(target, facts.spoiler ? spoilered(message) : message);
  }
}

/** A cell's text beside its rewrite, drawn with the cell's options. */
export function cellPair(job: Job, { argument }: PressAction): CommandRequest {
  const cell = cellOf(job, argument);
  const { prompt, rewrite, candidates } = cell;
  return ofCell(job, cell, { prompt, rewrite, candidates });
}

/** A cell's picture as a result of its own. */
export function cellPost(job: Job, { argument }: PressAction): CommandRequest {
  const cell = cellOf(job, argument);
  const { prompt, rewrite, candidates } = cell;
  return ofCell(job, cell, { prompt, rewrite, candidates, ...onlyOf(cell) });
}

function ofCell(job: Job, cell: Item, item: NewItem): CommandRequest {
  return {
    kind: "compare",
    text: textOptionsOf(job, cell),
    image: imageOf(job, cell),
    // Whose picture is copied.
    parentId: job.id,
    known: [item.prompt, item.rewrite],
    prompts: async () => ({ items: [item] }),
  };
}

function cellOf(job: Job, argument: string | null): Item {
  const item = argument === null ? undefined : job.items[Number(argument)];
  if (item === undefined)
    throw new InputError("INPUT_CHOICE", "There is no such picture in this job.", { option: "picture" });
  return item;
}
