import { InputError } from "../../core/errors.js";
import type { Job } from "../../core/job.js";
import type { Ballots } from "../delivery/ballots.js";
import type { Gallery } from "../delivery/gallery.js";
import type { Press } from "../discord/interactions.js";
import type { PressAction, Verb } from "../messages/parts/components.js";
import type { BatchDrafts } from "../requests/batch-drafts.js";
import type { Intake } from "../requests/intake.js";
import type { CommandRequest } from "../requests/request.js";
import type { BatchItems } from "./batch-items.js";
import { type Cells, cellPair, cellPost } from "./cells.js";
import type { GoOn } from "./go-on.js";
import type { Handler, JobHandler } from "./handler.js";
import type { History } from "./history.js";
import type { JobButtons } from "./job-buttons.js";
import { fromPictureMessage } from "./picture.js";
import {
  again,
  drawPair,
  drawRaw,
  pairOfItem,
  redraw,
  withBeam,
  withoutWords,
  withPrompt,
  withRewrite,
} from "./reruns.js";
import type { TextForms } from "./text-forms.js";

export interface ButtonParts {
  readonly intake: Intake;
  readonly drafts: BatchDrafts;
  readonly ballots: Ballots;
  readonly items: BatchItems;
  readonly cells: Cells;
  readonly jobs: JobButtons;
  readonly history: History;
  readonly forms: TextForms;
  readonly gallery: Gallery;
  readonly goOn: GoOn;
}

/** Who may press what, and what it does. */
export function buttonTable({
  intake,
  drafts,
  ballots,
  items,
  cells,
  jobs,
  history,
  forms,
  gallery,
  goOn,
}: ButtonParts): Readonly<Record<Verb, Handler>> {
  const rerun = (request: (job: Job, press: Press, action: PressAction) => CommandRequest): JobHandler => ({
    access: "maker",
    run: async (press, job, action) => {
      await intake.submit(press, () => request(job, press, action));
    },
  });
  const edit = (verb: "edit" | "tune", request: (job: Job, text: string) => CommandRequest): JobHandler => ({
    access: "maker",
    run: (press, job) => forms.show(press, verb, job),
    submit: async (modal, job) => {
      await intake.submit(modal, () => request(job, forms.read(modal, verb)));
    },
  });
  return {
    start: { access: "draft", run: (press, action) => drafts.begin(press, action) },
    discard: { access: "draft", run: (press, action) => drafts.discard(press, action) },
    cancel: { access: "moderator", run: (press, job) => jobs.cancel(press, job) },
    items: { access: "moderator", run: (press, job) => items.choose(press, job) },
    skip: { access: "moderator", run: (press, job) => items.takeOut(press, job) },
    change: { access: "maker", run: (press, job) => jobs.change(press, job) },
    favourite: { access: "anyone", run: (press, job) => gallery.add(press, job) },
    vary: { access: "maker", run: (press, job, action) => goOn.vary(press, job, action) },
    enlarge: { access: "maker", run: (press, job) => goOn.askEnlarge(press, job) },
    larger: { access: "maker", run: (press, job) => goOn.enlarge(press, job) },
    use: {
      access: "maker",
      run: (press, job, action) => goOn.use(press, job, action),
      submit: (modal, job, action) => goOn.useWith(modal, job, action),
    },
    info: { access: "anyone", run: (press, job) => jobs.info(press, job) },
    delete: { access: "moderator", run: (press, job) => jobs.delete(press, job) },
    vote: { access: "anyone", run: (press, job, action) => ballots.vote(press, job, action) },
    reveal: { access: "moderator", run: (press, job) => ballots.reveal(press, job) },
    repeat: { access: "list", run: (press) => history.repeat(press) },
    from: {
      access: "list",
      run: async (press) => {
        await intake.submit(press, (context) => fromPictureMessage(press, context));
      },
    },
    cell: { access: "anyone", run: (press, job) => cells.open(press, job) },
    cellpair: rerun((job, _press, action) => cellPair(job, action)),
    cellpost: rerun((job, _press, action) => cellPost(job, action)),
    again: rerun(again),
    pair: rerun(drawPair),
    raw: rerun(drawRaw),
    redraw: rerun(redraw),
    beam: rerun((job, press) => withBeam(job, chosen(press, "rewrite")[0] ?? -1)),
    written: rerun((job, press) => pairOfItem(job, chosen(press, "rewrite")[0] ?? -1)),
    own: rerun((job) => withBeam(job, 0)),
    without: rerun((job, press) => withoutWords(job, chosen(press, "words"))),
    edit: edit("edit", withPrompt),
    tune: edit("tune", withRewrite),
  };
}

/** The indexes that a menu's values stand for; throws InputError for values that no menu of ours offers. */
function chosen(press: Press, option: string): number[] {
  const values = press.isStringSelectMenu() ? press.values : [""];
  if (values.some((value) => !/^\d{1,3}$/.test(value)))
    throw new InputError("INPUT_CHOICE", `There is no such ${option} in this job.`, { option });
  return values.map(Number);
}
