import type { ModalSubmitInteraction } from "discord.js";
import { InputError } from "../../core/errors.js";
import type { Work } from "../../core/hosts/waiting.js";
import {
  drawnSides,
  type Item,
  imageOf,
  type Job,
  onlyOf,
  textOfSide,
  textOptionsOf,
} from "../../core/job.js";
import {
  ENLARGE_FACTORS,
  ENLARGE_RANGE,
  ENLARGE_STRENGTH,
  ENLARGED_SIDE_MAX,
  type ImageOptions,
  randomSeed,
  SIDE_MULTIPLE,
  type Sides,
  VARY_STRENGTHS,
  type Variation,
} from "../../core/options.js";
import type { Side } from "../../core/side.js";
import { leastStrength, stepsCost } from "../../core/source.js";
import type { NewItem } from "../../db/queue.js";
import type { PictureStore } from "../../pictures/store.js";
import { type Press, replyPrivately } from "../discord/interactions.js";
import { codeSpan } from "../discord/markdown.js";
import {
  type Enlargement,
  enlargeMenu,
  type PressAction,
  pairMenu,
  shownSides,
} from "../messages/parts/components.js";
import { coarse } from "../messages/parts/eta.js";
import { sizeOfFile } from "../messages/parts/stored-picture.js";
import type { Intake } from "../requests/intake.js";
import { againstOf, unwritten } from "../requests/opponents.js";
import { type CommandRequest, checkRange } from "../requests/request.js";
import { fromDrawn } from "../requests/sources.js";
import type { Words } from "../words/english/english.js";
import { wordsOf } from "../words/languages.js";
import type { TextForms } from "./text-forms.js";

export interface GoOnOptions {
  readonly intake: Intake;
  readonly pictures: PictureStore;
  readonly forms: TextForms;
  /** The sides of the checkpoint's pictures. */
  readonly sides: Sides;
  /** The name of what enlarges pictures where a press is made. */
  readonly upscalerFor: (press: Press) => Promise<string>;
  /** Milliseconds that this machine takes for work of this size; null where that was never measured. */
  readonly estimateMs: (work: Work) => number | null;
}

/** The buttons that go on from a result's pictures. Where it shows several pairs, they ask which one. */
export class GoOn {
  readonly #options: GoOnOptions;

  constructor(options: GoOnOptions) {
    this.#options = options;
  }

  /** Draws each side again from its own picture, with another seed. */
  async vary(press: Press, job: Job, { argument, verb }: PressAction): Promise<void> {
    const variation = argument as Variation;
    const item = await this.#chosen(press, job, { verb, argument: variation });
    if (item === null) return;
    await this.#options.intake.submit(press, () =>
      goOn(this.#options.pictures, job, item, {
        sides: drawnSides(item),
        strength: VARY_STRENGTHS[variation],
        item: { ...textsOf(item), ...onlyOf(item) },
      }),
    );
  }

  /** Asks for the prompt of what goes on from one side's picture; the prompt of that side is there already. */
  async use(press: Press, job: Job, { argument, verb }: PressAction): Promise<void> {
    const { side } = readUse(argument);
    const item = await this.#chosen(press, job, { verb, argument: side });
    if (item === null) return;
    const text = textOfSide(item, side) ?? item.prompt;
    await this.#options.forms.show(press, "use", job, { text, argument: `${side}-${item.index}` });
  }

  /** Both sides of another prompt go on from the picture that was chosen. */
  async useWith(modal: ModalSubmitInteraction, job: Job, { argument }: PressAction): Promise<void> {
    const { side, index } = readUse(argument);
    await this.#options.intake.submit(modal, () =>
      goOn(this.#options.pictures, job, itemAt(job, index), {
        sides: [side],
        strength: VARY_STRENGTHS.large,
        item: {
          prompt: this.#options.forms.read(modal, "use"),
          rewrite: null,
          ...againstOf(unwritten(itemAt(job, index).against)),
        },
      }),
    );
  }

  /** Asks which picture to draw over, and how much larger; each choice says how long it takes. */
  async askEnlarge(press: Press, job: Job): Promise<void> {
    const words = wordsOf(press.locale);
    const upscaler = words.resultLines.upscaler(codeSpan(await this.#options.upscalerFor(press)));
    const content = `${words.resultLines.chooseEnlarged}\n-# ${upscaler}`;
    const item = await this.#chosen(press, job, { verb: "enlarge", argument: null }, content);
    if (item === null) return;
    const choices: Enlargement[] = [];
    for (const side of shownSides([item]))
      choices.push(...(await this.#enlargements(job, item, side, words)));
    if (choices.length === 0) return replyPrivately(press, words.refusals.nothingToEnlarge);
    await replyPrivately(press, { content, components: [enlargeMenu(job.id, choices, words)] });
  }

  /** Draws over the chosen picture, made larger: the same seed and prompt, more details. */
  async enlarge(press: Press, job: Job): Promise<void> {
    const [value = ""] = press.isStringSelectMenu() ? press.values : [];
    const [, index, side, times] = /^(\d{1,2})-(baseline|optimized)-([\d.]{1,4})$/.exec(value) ?? [];
    const upscaler = await this.#options.upscalerFor(press);
    await this.#options.intake.submit(press, () => {
      const item = itemAt(job, Number(index ?? Number.NaN));
      const only = side as Side;
      const request = goOn(this.#options.pictures, job, item, {
        sides: [only],
        strength: ENLARGE_STRENGTH,
        enlarge: { times: checkRange("size", Number(times), ENLARGE_RANGE), upscaler },
        item: { ...textsOf(item), only },
      });
      // The same noise, on another grid; the picture keeps its own shape.
      return { ...request, image: { ...request.image, seed: item.seed, size: null } };
    });
  }

  /** How a picture can be enlarged; none where it is gone, or large already. */
  async #enlargements(job: Job, item: Item, side: Side, words: Words): Promise<Enlargement[]> {
    const { pictures, sides, estimateMs } = this.#options;
    const file = item.pictures[side]?.file;
    const drawn = file === undefined ? null : await sizeOfFile({ jobId: job.id, file }, pictures);
    if (drawn === null) return [];
    const { steps, guidance } = imageOf(job, item);
    return ENLARGE_FACTORS.flatMap((times) => {
      const length = (own: number) => SIDE_MULTIPLE * Math.floor((own * times) / SIDE_MULTIPLE);
      const size = { width: length(drawn.width), height: length(drawn.height) };
      if (Math.max(size.width, size.height) > ENLARGED_SIDE_MAX) return [];
      const area = (size.width * size.height) / sides.own ** 2;
      const taken = stepsCost(steps, guidance, { strength: strengthOf(ENLARGE_STRENGTH, steps) });
      const ms = estimateMs({ texts: 0, pictures: 1, steps: taken * area });
      const cost = ms === null ? words.draftLines.unknownTime : words.draftLines.time(coarse(ms));
      return [{ item: item.index, side, times, size, isOnly: shownSides([item]).length === 1, cost }];
    });
  }

  /** The pair that a press is about; null where who pressed is asked for it. */
  async #chosen(
    press: Press,
    job: Job,
    { verb, argument }: Pick<PressAction, "verb" | "argument">,
    content: string = wordsOf(press.locale).resultLines.choosePair,
  ): Promise<Item | null> {
    const words = wordsOf(press.locale);
    const drawn = job.items.filter((item) => drawnSides(item).some((side) => item.pictures[side] !== null));
    const found = press.isStringSelectMenu()
      ? drawn.find(({ index }) => String(index) === press.values[0])
      : drawn[0];
    if (found === undefined) {
      await replyPrivately(press, words.refusals.unknownButton);
      return null;
    }
    if (press.isStringSelectMenu() || drawn.length === 1) return found;
    const components = [pairMenu({ verb, jobId: job.id, argument }, drawn, words)];
    await replyPrivately(press, { content, components });
    return null;
  }
}

/** An item's texts as they are. */
const textsOf = ({ prompt, rewrite, candidates, against }: Item) => ({
  prompt,
  rewrite,
  candidates,
  ...againstOf(against),
});

interface Wanted {
  /** Whose pictures are gone on from. */
  readonly sides: readonly Side[];
  readonly strength: number;
  readonly enlarge?: { readonly times: number; readonly upscaler: string };
  readonly item: NewItem;
}

/** A comparison that goes on from pictures of an item, from another seed: its own would repeat their noise. */
function goOn(
  pictures: PictureStore,
  job: Job,
  item: Item,
  { sides, strength, enlarge, item: wanted }: Wanted,
): CommandRequest {
  const { from: _, ...options } = imageOf(job, item);
  const image: ImageOptions = { ...options, seed: randomSeed() };
  const drawn = Object.fromEntries(sides.map((side) => [side, item.pictures[side]]));
  return {
    kind: "compare",
    text: textOptionsOf(job, item),
    image,
    parentId: job.id,
    blind: job.blind,
    known: [wanted.prompt, wanted.rewrite],
    prompts: async () => {
      const { from, sources } = await fromDrawn(job, drawn, strengthOf(strength, options.steps), pictures);
      return {
        items: [wanted],
        image: {
          from:
            enlarge === undefined ? from : { ...from, enlarge: enlarge.times, upscaler: enlarge.upscaler },
        },
        sources,
      };
    },
  };
}

/** The argument of a button that uses a side's picture, and of its form: `baseline`, `optimized-2`. */
function readUse(argument: string | null): { readonly side: Side; readonly index: number } {
  const [side, index] = (argument ?? "").split("-");
  return { side: side === "optimized" ? side : "baseline", index: Number(index ?? 0) };
}

/** A few steps take none at a small strength. */
const strengthOf = (strength: number, steps: number): number => Math.max(strength, leastStrength(steps));

function itemAt(job: Job, index: number): Item {
  const item = job.items[index];
  if (item === undefined)
    throw new InputError("INPUT_CHOICE", "There is no such pair in this job.", { option: "pair" });
  return item;
}
