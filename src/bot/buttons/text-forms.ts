import { ComponentType, type ModalSubmitInteraction, TextInputStyle } from "discord.js";
import { InputError } from "../../core/errors.js";
import { type Job, textOptionsOf } from "../../core/job.js";
import { REWRITE_LENGTH_FACTOR } from "../../core/options.js";
import { rewriterNameOf, titleOf } from "../../core/rewriters.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/clean-prompt.js";
import { acknowledge, type Press } from "../discord/interactions.js";
import { clip } from "../discord/markdown.js";
import { encodeCustomId } from "../messages/parts/components.js";
import type { Limits } from "../requests/request.js";
import { wordsOf } from "../words/languages.js";

/** Discord: the longest text of a form's input. */
const TEXT_INPUT_MAX = 4000;
const TEXT_INPUT = "text";

/** `edit` asks for another prompt, `tune` for another rewrite, `use` for the prompt of what goes on from a picture. */
type FormVerb = "edit" | "tune" | "use";

/** What a form begins with, where that is not what the job has, and what its answer is about. */
interface Beginning {
  readonly text: string;
  readonly argument: string;
}

/** Forms with one text in them. */
export class TextForms {
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  async show(press: Press, verb: FormVerb, job: Job, beginning?: Beginning): Promise<void> {
    const { labels } = wordsOf(press.locale);
    const [item] = job.items;
    const { title, label, value } = {
      edit: { title: labels.editPromptTitle, label: labels.prompt, value: item?.prompt },
      tune: {
        title: labels.editRewriteTitle,
        label: labels.rewriteBy(titleOf(rewriterNameOf(textOptionsOf(job, item)))),
        value: item?.rewrite,
      },
      use: { title: labels.usePromptTitle, label: labels.prompt, value: beginning?.text },
    }[verb];
    const max = Math.min(this.#limit(verb), TEXT_INPUT_MAX);
    await acknowledge(press, () =>
      press.showModal({
        custom_id: encodeCustomId(verb, job.id, beginning?.argument),
        title,
        components: [
          {
            type: ComponentType.Label,
            label,
            component: {
              type: ComponentType.TextInput,
              custom_id: TEXT_INPUT,
              style: TextInputStyle.Paragraph,
              min_length: 1,
              max_length: max,
              value: clip(value ?? "", max),
            },
          },
        ],
      }),
    );
  }

  /** The text of a submitted form. Throws InputError INPUT_EMPTY or INPUT_TOO_LONG. */
  read(modal: ModalSubmitInteraction, verb: FormVerb): string {
    const field = modal.fields.fields.get(TEXT_INPUT);
    // A form of another version, or of another program, may lack the input.
    const text = field?.type === ComponentType.TextInput ? cleanPrompt(field.value) : "";
    const limit = this.#limit(verb);
    if (text === "") throw new InputError("INPUT_EMPTY", "The prompt is empty.");
    if (isLongerThan(text, limit)) {
      throw new InputError("INPUT_TOO_LONG", `The prompt is longer than ${limit} characters.`, { limit });
    }
    return text;
  }

  /** A rewrite repeats its prompt and adds to it, so it may be longer. */
  #limit(verb: FormVerb): number {
    return this.#limits.maxPromptLength * (verb === "edit" ? 1 : REWRITE_LENGTH_FACTOR);
  }
}
