import type { ModalSubmitInteraction } from "discord.js";
import { InputError } from "../../core/errors.js";
import { drawnSides, type Item, imageOf, type Job, onlyOf } from "../../core/job.js";
import { type ImageOptions, randomSeed, VARY_STRENGTHS, type Variation } from "../../core/options.js";
import type { Side } from "../../core/side.js";
import { leastStrength } from "../../core/source.js";
import type { PictureStore } from "../../pictures/store.js";
import { type Press, replyPrivately } from "../discord/interactions.js";
import { type PressAction, pairMenu } from "../messages/parts/components.js";
import type { Intake } from "../requests/intake.js";
import type { CommandRequest } from "../requests/request.js";
import { fromDrawn } from "../requests/sources.js";
import { wordsOf } from "../words/languages.js";
import type { TextForms } from "./text-forms.js";

export interface GoOnOptions {
  readonly intake: Intake;
  readonly pictures: PictureStore;
  readonly forms: TextForms;
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
        item: { prompt: item.prompt, rewrite: item.rewrite, candidates: item.candidates, ...onlyOf(item) },
      }),
    );
  }

  /** Asks for the prompt of what goes on from one side's picture; the prompt of that side is there already. */
  async use(press: Press, job: Job, { argument, verb }: PressAction): Promise<void> {
    const { side } = readUse(argument);
    const item = await this.#chosen(press, job, { verb, argument: side });
    if (item === null) return;
    const text = side === "baseline" ? item.prompt : (item.rewrite ?? item.prompt);
    await this.#options.forms.show(press, "use", job, { text, argument: `${side}-${item.index}` });
  }

  /** Both sides of another prompt go on from the picture that was chosen. */
  async useWith(modal: ModalSubmitInteraction, job: Job, { argument }: PressAction): Promise<void> {
    const { side, index } = readUse(argument);
    await this.#options.intake.submit(modal, () =>
      goOn(this.#options.pictures, job, itemAt(job, index), {
        sides: [side],
        strength: VARY_STRENGTHS.large,
        item: { prompt: this.#options.forms.read(modal, "use"), rewrite: null },
      }),
    );
  }

  /** The pair that a press is about; null where who pressed is asked for it. */
  async #chosen(
    press: Press,
    job: Job,
    { verb, argument }: { readonly verb: PressAction["verb"]; readonly argument: string },
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
    await replyPrivately(press, { content: words.resultLines.choosePair, components });
    return null;
  }
}

interface Wanted {
  /** Whose pictures are gone on from. */
  readonly sides: readonly Side[];
  readonly strength: number;
  readonly item: Pick<Item, "prompt" | "rewrite"> & Partial<Pick<Item, "candidates" | "only">>;
}

/** A comparison that goes on from pictures of an item, from another seed: its own would repeat their noise. */
function goOn(
  pictures: PictureStore,
  job: Job,
  item: Item,
  { sides, strength, item: wanted }: Wanted,
): CommandRequest {
  const { from: _, ...options } = imageOf(job, item);
  const image: ImageOptions = { ...options, seed: randomSeed() };
  const drawn = Object.fromEntries(sides.map((side) => [side, item.pictures[side]]));
  return {
    kind: "compare",
    text: job.text,
    image,
    parentId: job.id,
    blind: job.blind,
    known: [wanted.prompt, wanted.rewrite],
    prompts: async () => ({
      ...(await fromDrawn(job, drawn, Math.max(strength, leastStrength(options.steps)), pictures)),
      items: [wanted],
    }),
  };
}

/** The argument of a button that uses a side's picture, and of its form: `baseline`, `optimized-2`. */
function readUse(argument: string | null): { readonly side: Side; readonly index: number } {
  const [side, index] = (argument ?? "").split("-");
  return { side: side === "optimized" ? side : "baseline", index: Number(index ?? 0) };
}

function itemAt(job: Job, index: number): Item {
  const item = job.items[index];
  if (item === undefined)
    throw new InputError("INPUT_CHOICE", "There is no such pair in this job.", { option: "pair" });
  return item;
}
