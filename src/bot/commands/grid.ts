import {
  type APIApplicationCommandBasicOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type AutocompleteInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { Grid } from "../../core/grid.js";
import {
  type AxisLimits,
  type CellOptions,
  cellsOf,
  completeAxis,
  type ReadAxis,
  readAxis,
} from "../../core/grid-axes.js";
import { NO_MODELS } from "../../core/known-models.js";
import {
  DEFAULT_LIMITS,
  type ImageOptions,
  type NamedLora,
  randomSeed,
  type TextOptions,
} from "../../core/options.js";
import type { Side } from "../../core/side.js";
import { PRESETS } from "../../core/styles.js";
import type { NewItem } from "../../db/queue.js";
import { offeredHere } from "../requests/models.js";
import { type CommandContext, readPrompt, readRewriting, speedsIn } from "../requests/request.js";
import { stylesHere } from "../requests/rules.js";
import { commandTexts } from "../words/english/commands.js";
import type { Choice, RequestCommand, Services } from "./command.js";
import { completeRequest, rewritersHere } from "./completions.js";
import { imageOptions, modeOption, promptOption, readImage, readText, rewriterOption } from "./options.js";

const texts = commandTexts.grid;

/** Pictures of a grid that starts without being asked again: as many as two comparisons have. */
const AT_ONCE = 4;
/** In characters; Discord's choices have as many. */
const AXIS_MAX = 100;

const axisOption = (name: "x" | "y"): APIApplicationCommandBasicOption => ({
  type: ApplicationCommandOptionType.String,
  name,
  description: texts[name],
  required: name === "x",
  max_length: AXIS_MAX,
  autocomplete: true,
});

/**
 * `/grid prompt x [y] [...]`: the prompt with each value of one or two options, as one labelled picture. A large one
 * is started from a draft that tells what it costs.
 */
export const grid: RequestCommand = {
  definition: (limits) => ({
    type: ApplicationCommandType.ChatInput,
    name: "grid",
    description: texts.description,
    options: [
      promptOption(limits),
      axisOption("x"),
      axisOption("y"),
      {
        type: ApplicationCommandOptionType.String,
        name: "text",
        description: texts.text,
        choices: Object.entries(texts.texts).map(([value, name]) => ({ name, value })),
      },
      ...imageOptions(limits),
      rewriterOption,
      modeOption,
    ],
  }),

  complete: (interaction, services) => {
    const { name } = interaction.options.getFocused(true);
    return name === "x" || name === "y"
      ? axisChoices(interaction, services)
      : completeRequest(interaction, services);
  },

  read(interaction, context) {
    const { options } = interaction;
    const prompt = readPrompt(interaction, context.limits);
    const limits = axisLimits(context, (name) => readText(interaction, context, randomSeed(), name));
    const down = options.getString("y");
    const { grid, cells } = cellsOf(
      readAxis("x", options.getString("x", true), limits),
      down === null ? null : readAxis("y", down, limits),
      limits,
    );
    const image = sharedImage(readImage(interaction, context), grid);
    const side = options.getString("text") === "rewrite" ? "optimized" : "baseline";
    const items = cellItems(prompt, image, cells, side);
    return {
      kind: "grid",
      text: readText(interaction, context, image.seed),
      image,
      grid,
      confirm: cells.length > AT_ONCE,
      known: [prompt, ...cells.map((cell) => cell.image?.negative ?? null)],
      prompts: async () => ({ items }),
    };
  },
};

/**
 * The items of a grid: all from one seed, where no axis has seeds. Throws InputError GRID_LORA for strengths where no
 * LoRA is named.
 */
export function cellItems(
  prompt: string,
  image: ImageOptions,
  cells: readonly CellOptions[],
  only: Side,
): NewItem[] {
  const { seed, speed, loras = [] } = image;
  // The first of them is turbo's own, which has one strength.
  const named = speed === "turbo" ? loras.slice(1) : loras;
  return cells.map(({ text, loraStrength, ...cell }) => ({
    prompt,
    rewrite: null,
    seed,
    ...cell,
    ...(loraStrength === undefined
      ? {}
      : { image: { ...cell.image, loras: atStrength(cell.image?.loras ?? named, loraStrength) } }),
    ...(text === undefined ? { only } : { only: "optimized", text: { ...text, seed } }),
  }));
}

function atStrength(loras: readonly NamedLora[], strength: number): NamedLora[] {
  if (loras.length === 0)
    throw new InputError(
      "GRID_LORA",
      "The axis strength is that of LoRAs, and none is named. Name one, or take lora as the other axis.",
    );
  return loras.map(({ name }) => ({ name, strength }));
}

/** The options that all cells share: a channel's own style or model would stand in the cells without one. */
export function sharedImage(image: ImageOptions, { x, y }: Grid): ImageOptions {
  const { style, model, loras, ...shared } = image;
  // The first of them is turbo's own.
  const kept = image.speed === "turbo" ? loras?.slice(0, 1) : undefined;
  const varies = (name: string) => x.name === name || y?.name === name;
  return {
    ...shared,
    ...(style === undefined || varies("style") ? {} : { style }),
    ...(model === undefined || varies("model") ? {} : { model }),
    ...(varies("lora") ? kept && { loras: kept } : loras && { loras }),
  };
}

/** @param textOf how a rewriter writes; throws InputError for one that is not here */
function axisLimits(context: CommandContext, textOf: (name: string) => TextOptions): AxisLimits {
  const { limits, styles = PRESETS, offered = NO_MODELS } = context;
  const { maxSteps, maxPromptLength, sides, maxCells = DEFAULT_LIMITS.cells } = limits;
  const speeds = speedsIn(context);
  const rewriters = { names: rewritersHere(context), textOf };
  const names = { styles, speeds, offered, rewriters };
  return { maxSteps, maxPromptLength, maxCells, ...names, ...(sides === undefined ? {} : { sides }) };
}

/** Axes to choose from, each with the values that it stands for where these are not plain to see. */
async function axisChoices(
  interaction: AutocompleteInteraction,
  { context, styles, models, settings }: Services,
): Promise<Choice[]> {
  const { name, value } = interaction.options.getFocused(true);
  const here = {
    ...context,
    styles: await stylesHere(styles, interaction),
    offered: await offeredHere(models, await settings.resolve(interaction), interaction),
  };
  const limits = axisLimits(here, (rewriter) => readRewriting({ rewriter }, here, 0));
  const read = (text: string): ReadAxis | null => {
    try {
      return readAxis(name === "y" ? "y" : "x", text, limits);
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  };
  const own = read(value) === null ? [] : [value.trim()];
  return [...new Set([...own, ...completeAxis(value, limits)])]
    .filter((text) => text.length <= AXIS_MAX)
    .flatMap((text) => {
      const axis = read(text);
      if (axis === null) return [];
      const values = axis.values.join(", ");
      const label = /[-[(]\s*\d/.test(text) ? `${text} → ${values}` : text;
      return [{ name: label.length > AXIS_MAX ? text : label, value: text }];
    });
}
