import { parse } from "csv-parse/sync";
import { InputError } from "./errors.js";
import type { Grid, GridAxis } from "./grid.js";
import { loraText, NO_LORA, NO_MODELS, type OfferedModels, offeredName, readLoras } from "./known-models.js";
import {
  DEFAULT_SIDES,
  fitsSides,
  IMAGE_RANGES,
  isInRange,
  LIMIT_RANGES,
  LORA_WEIGHT_RANGE,
  namedSizes,
  type OwnOptions,
  type PictureSize,
  PROMPT_MODES,
  parseSize,
  type Range,
  SCHEDULERS,
  SIDE_MULTIPLE,
  type Sides,
  type SizeName,
  SPEEDS,
  showSize,
  type TextOptions,
} from "./options.js";
import { rewriterNameOf } from "./rewriters.js";
import { presetOf, type Speeds, speedsHere } from "./speeds.js";
import { NO_STYLE, PRESETS, type Style, styleKey, styleNamed } from "./styles.js";

/** Values of one axis, and cells of a grid; a limit may be lower. */
const { max: CELLS_MAX } = LIMIT_RANGES.cells;

/** What a value of an axis replaces in the options that all cells share. */
export interface CellOptions {
  readonly image?: OwnOptions;
  readonly seed?: number;
  /** How the text is made that the cell shows, in place of the prompt as written. */
  readonly text?: TextOptions;
  /** Of all LoRAs that are named. */
  readonly loraStrength?: number;
}

/** An axis with what each of its values stands for. */
export interface ReadAxis extends GridAxis {
  readonly cells: readonly CellOptions[];
}

/** What may stand on an axis here, and how many pictures a grid may have. */
export interface AxisLimits {
  readonly maxSteps: number;
  /** In characters, of a negative prompt. */
  readonly maxPromptLength: number;
  readonly sides?: Sides;
  readonly maxCells: number;
  /** What each speed stands for; unchecked if absent. */
  readonly speeds?: Speeds;
  /** Those that can be chosen by name; the presets if absent. */
  readonly styles?: readonly Style[];
  /** The models and LoRAs that can be chosen by name; none if absent. */
  readonly offered?: OfferedModels;
  /** The rewriters that can be named, and how each writes; throws InputError for others. None if absent. */
  readonly rewriters?: { readonly names: readonly string[]; readonly textOf: (name: string) => TextOptions };
}

/** One value: as it is shown, and what it stands for. */
interface AxisValue {
  readonly label: string;
  readonly cell: CellOptions;
}

/** What an axis takes, as the values of an error's sentence. */
type Takes = Readonly<Record<string, string | number>>;

interface AxisKind {
  /** Values that show what can be written. */
  readonly examples: readonly string[];
  /** All values there are, where they can be listed. */
  readonly choices?: (limits: AxisLimits) => readonly string[];
  readonly takes: (limits: AxisLimits) => Takes;
  /** The range of a number; ranges of values are read for these alone. */
  readonly range?: (limits: AxisLimits) => Range;
  /** Null for a value that the axis does not take. */
  readonly read: (text: string, limits: AxisLimits) => AxisValue | null;
}

const UNSIGNED = "(?:\\d+(?:\\.\\d*)?|\\.\\d+)";
const NUMBER = `[+-]?${UNSIGNED}`;
const ONE_NUMBER = new RegExp(`^${NUMBER}$`);
/** `1-10`, `1-10 (+3)` and `1-10 [4]`, as in A1111's X/Y/Z plot. */
const NUMBER_RANGE = new RegExp(
  `^(${NUMBER})\\s*-\\s*(${NUMBER})\\s*(?:\\(\\s*([+-]?${UNSIGNED})\\s*\\)|\\[\\s*(\\d{1,6})\\s*\\])?$`,
);

const numberKind = (
  examples: readonly string[],
  rangeOf: (limits: AxisLimits) => Range,
  cellOf: (value: number) => CellOptions,
): AxisKind => ({
  examples,
  range: rangeOf,
  takes: (limits) => {
    const { min, max, whole } = rangeOf(limits);
    return { takes: whole ? "integer" : "number", min, max };
  },
  read: (text, limits) => {
    const value = ONE_NUMBER.test(text) ? Number(text) : Number.NaN;
    return isInRange(value, rangeOf(limits)) ? { label: String(value), cell: cellOf(value) } : null;
  },
});

const choiceKind = <T extends string>(
  examples: readonly string[],
  choices: readonly T[],
  cellOf: (value: T) => CellOptions,
): AxisKind => ({
  examples,
  choices: () => choices,
  takes: () => ({ takes: "oneOf", words: choices.join(" ") }),
  read: (text) => {
    const value = choices.find((choice) => choice === text.toLowerCase());
    return value === undefined ? null : { label: value, cell: cellOf(value) };
  },
});

/** What can stand on an axis, by its name. */
const KINDS: Readonly<Record<string, AxisKind>> = {
  steps: numberKind(
    ["10,20,30,50", "10-50 (+20)", "10-50 [5]"],
    ({ maxSteps }) => ({ ...IMAGE_RANGES.steps, max: maxSteps }),
    (steps) => ({ image: { steps } }),
  ),
  guidance: numberKind(
    ["3,7.5,12", "1-13 (+3)", "1-13 [5]"],
    () => IMAGE_RANGES.guidance,
    (guidance) => ({ image: { guidance } }),
  ),
  seed: numberKind(
    ["1-4", "7,77,777", "100-900 [5]"],
    () => IMAGE_RANGES.seed,
    (seed) => ({ seed }),
  ),
  scheduler: choiceKind(["pndm,ddim,euler", "euler,dpm++2m-karras"], SCHEDULERS, (scheduler) => ({
    image: { scheduler },
  })),
  size: {
    examples: ["square,portrait,landscape"],
    choices: ({ sides = DEFAULT_SIDES }) => Object.keys(namedSizes(sides)),
    takes: ({ sides = DEFAULT_SIDES }) => {
      const { portrait = { width: sides.max, height: sides.max } } = namedSizes(sides);
      const { min } = IMAGE_RANGES.side;
      return { takes: "size", size: showSize(portrait), multiple: SIDE_MULTIPLE, min, max: sides.max };
    },
    read: (text, { sides = DEFAULT_SIDES }) => {
      const written = text.toLowerCase();
      const named: Partial<Record<string, PictureSize>> = namedSizes(sides) satisfies Partial<
        Record<SizeName, PictureSize>
      >;
      const size = (Object.hasOwn(named, written) ? named[written] : undefined) ?? parseSize(written);
      if (size === null || !fitsSides(size, sides)) return null;
      return { label: showSize(size), cell: { image: { size } } };
    },
  },
  negative: {
    examples: ['"",blurry,"blurry, lowres"'],
    takes: ({ maxPromptLength }) => ({ takes: "text", limit: maxPromptLength }),
    read: (text, { maxPromptLength }) =>
      [...text.slice(0, 2 * maxPromptLength + 1)].length > maxPromptLength
        ? null
        : { label: text, cell: { image: { negative: text } } },
  },
  style: {
    examples: ["none,photo,watercolour"],
    choices: styleNames,
    takes: (limits) => oneOfNames(styleNames(limits)),
    read: (text, { styles = PRESETS }) => {
      if (styleKey(text) === NO_STYLE) return { label: NO_STYLE, cell: {} };
      const style = styleNamed(text, styles);
      return style === undefined ? null : { label: style.name, cell: { image: { style } } };
    },
  },
  speed: {
    examples: ["full,fast", "full,fast,turbo"],
    choices: ({ speeds }) => (speeds === undefined ? SPEEDS : speedsHere(speeds)),
    takes: () => ({ takes: "oneOf", words: SPEEDS.join(" ") }),
    read: (text, { speeds }) => {
      const speed = SPEEDS.find((one) => one === text.toLowerCase());
      if (speed === undefined) return null;
      if (speeds !== undefined) presetOf(speed, speeds);
      return { label: speed, cell: { image: { speed } } };
    },
  },
  model: {
    examples: [],
    choices: ({ offered = NO_MODELS }) => offered.models,
    takes: ({ offered = NO_MODELS }) => oneOfNames(offered.models),
    read: (text, { offered = NO_MODELS }) =>
      named(() => {
        const model = offeredName(text, "model", offered);
        return { label: model, cell: model === offered.own ? {} : { image: { model } } };
      }),
  },
  lora: {
    examples: [],
    choices: ({ offered = NO_MODELS }) => [NO_LORA, ...offered.loras],
    takes: ({ offered = NO_MODELS }) => oneOfNames([NO_LORA, ...offered.loras]),
    read: (text, { offered = NO_MODELS }) =>
      text.toLowerCase() === NO_LORA
        ? { label: NO_LORA, cell: {} }
        : named(() => {
            const loras = readLoras(text, 1, offered);
            return { label: loras.map(loraText).join(", "), cell: { image: { loras } } };
          }),
  },
  strength: numberKind(
    ["0.4,0.7,1", "0-1 [5]"],
    () => LORA_WEIGHT_RANGE,
    (loraStrength) => ({ loraStrength }),
  ),
  rewriter: {
    examples: [],
    choices: ({ rewriters }) => rewriters?.names ?? [],
    takes: ({ rewriters }) => oneOfNames(rewriters?.names ?? []),
    read: (text, { rewriters }) =>
      rewriters === undefined
        ? null
        : named(() => {
            const written = rewriters.textOf(text);
            return { label: rewriterNameOf(written), cell: { text: written } };
          }),
  },
  prompts: choiceKind(["diffusers,weighted"], PROMPT_MODES, (prompts) => ({ image: { prompts } })),
};

/** One name may be several words, and the list is parted by spaces. */
function oneOfNames(names: readonly string[]): Takes {
  return { takes: "oneOf", words: names.map((name) => name.replaceAll(" ", "\u00a0")).join(" ") };
}

/** The value that `read` makes of a name; null where there is no such model, LoRA or rewriter. */
function named(read: () => AxisValue): AxisValue | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function styleNames({ styles = PRESETS }: AxisLimits): readonly string[] {
  return [NO_STYLE, ...styles.map(({ name }) => name)];
}

/** What other programs call them. */
const ALIASES: Readonly<Record<string, string>> = {
  cfg: "guidance",
  "cfg scale": "guidance",
  sampler: "scheduler",
  seeds: "seed",
  "lora strength": "strength",
  "lora-strength": "strength",
};

export const AXIS_NAMES: readonly string[] = Object.keys(KINDS);

/** The beginning of an axis as it is typed: its name, and where it is known, what follows it. */
const TYPED = /^\s*([a-z]+(?: scale|[ -]strength)?)\s*[=:]\s*(.*)$/is;

/**
 * Reads an axis, `NAME=VALUES`: a list with commas, quoted where a value has one; numbers also as ranges:
 * `1-5`, `1-10 (+3)` by steps of 3, `1-10 [4]` for four in even distances. Equal values count once.
 * @param option name of the option that it stands in, for the errors
 * @throws InputError GRID_AXIS for an unknown name, GRID_VALUE for a value that it does not take, GRID_SIZE for more
 * values than a grid has pictures, INPUT_SPEED for a speed whose LoRA is not there
 */
export function readAxis(option: "x" | "y", text: string, limits: AxisLimits): ReadAxis {
  const [, typed = text.trim(), list = ""] = TYPED.exec(text) ?? [];
  const name = nameOf(typed);
  if (name === null || list.trim() === "") throw axisError(option, name === null ? typed : null, name);
  const kind = KINDS[name]!;
  const refuse = (value: string) => valueError(option, name, value, kind.takes(limits));
  const values = new Map<string, AxisValue>();
  const isText = kind.range === undefined && kind.choices === undefined;
  for (const part of partsOf(list, refuse)) {
    // A comma too many is no value, but an empty text is one.
    if (part === "" && !isText) continue;
    for (const one of kind.range === undefined ? [part] : expanded(part, kind.range(limits), refuse)) {
      const value = kind.read(one, limits);
      if (value === null) throw refuse(one);
      values.set(value.label, value);
    }
    if (values.size > CELLS_MAX) throw sizeError(values.size, CELLS_MAX);
  }
  if (values.size === 0) throw axisError(option, null, name);
  const all = [...values.values()];
  return { name, values: all.map(({ label }) => label), cells: all.map(({ cell }) => cell) };
}

/** The cells of two axes, or of one, row by row. Throws InputError GRID_TWICE or GRID_SIZE. */
export function cellsOf(
  x: ReadAxis,
  y: ReadAxis | null,
  { maxCells }: Pick<AxisLimits, "maxCells">,
): { readonly grid: Grid; readonly cells: readonly CellOptions[] } {
  if (y?.name === x.name)
    throw new InputError("GRID_TWICE", `Both axes of the grid are ${x.name}. Choose another one for y.`, {
      axis: x.name,
    });
  const cells = (y?.cells ?? [{}]).flatMap((down) => x.cells.map((across) => joined(down, across)));
  if (cells.length > maxCells) throw sizeError(cells.length, maxCells);
  return { grid: { x: shown(x), y: y === null ? null : shown(y) }, cells };
}

const shown = ({ name, values }: ReadAxis): GridAxis => ({ name, values });

const joined = (one: CellOptions, other: CellOptions): CellOptions => {
  const image = { ...one.image, ...other.image };
  return { ...one, ...other, ...(Object.keys(image).length === 0 ? {} : { image }) };
};

/** What completes an axis while it is typed: whole axes to choose from, best first. */
export function completeAxis(typed: string, limits: AxisLimits): string[] {
  const [, written = typed.trim().toLowerCase(), list = null] = TYPED.exec(typed) ?? [];
  const name = list === null ? null : nameOf(written);
  if (name === null) {
    const names = AXIS_NAMES.filter((one) => one.startsWith(written.toLowerCase()));
    return (names.length === 0 ? AXIS_NAMES : names).flatMap((one) =>
      examplesOf(one, limits)
        .slice(0, names.length === 1 ? undefined : 1)
        .map((values) => `${one}=${values}`),
    );
  }
  const { choices } = KINDS[name]!;
  const examples = examplesOf(name, limits);
  const parts = (list ?? "").split(",").map((part) => part.trim());
  const [last = "", before] = [parts.at(-1), parts.slice(0, -1)];
  const next = (choices?.(limits) ?? []).filter(
    (choice) => choice.toLowerCase().startsWith(last.toLowerCase()) && !before.includes(choice),
  );
  return [
    ...next.map((choice) => `${name}=${[...before, choice].join(",")}`),
    ...examples.map((values) => `${name}=${values}`),
  ];
}

/** Values to show; of an axis without any of its own, the first ones that there are. */
function examplesOf(name: string, limits: AxisLimits): readonly string[] {
  const { examples, choices } = KINDS[name]!;
  const first = (choices?.(limits) ?? []).slice(0, EXAMPLE_VALUES).join(",");
  return examples.length > 0 || first === "" ? examples : [first];
}
const EXAMPLE_VALUES = 3;

function nameOf(typed: string): string | null {
  const name = typed.trim().toLowerCase();
  const known = Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name;
  return Object.hasOwn(KINDS, known) ? known : null;
}

/** The values of a list, in quotes where they have a comma. */
function partsOf(list: string, refuse: (value: string) => InputError): string[] {
  try {
    const line = list.replace(/\s+/g, " ");
    const [parts = []] = parse(line, { trim: true, relax_quotes: true }) as string[][];
    return parts.map((part) => part.trim());
  } catch (cause) {
    throw new InputError("GRID_VALUE", (cause as Error).message, refuse(list).context, { cause });
  }
}

/** Range and steps of a part as its numbers; a part that is no range is itself. */
function expanded(part: string, { whole }: Range, refuse: (value: string) => InputError): string[] {
  const [, from, to, step, count] = NUMBER_RANGE.exec(part) ?? [];
  if (from === undefined || to === undefined) return [part];
  const [first, last] = [Number(from), Number(to)];
  if (!Number.isFinite(last - first)) throw refuse(part);
  if (count !== undefined) {
    const all = Number(count);
    if (all < 1) throw refuse(part);
    if (all > CELLS_MAX) throw sizeError(all, CELLS_MAX);
    // As A1111 does with whole numbers: 1-10 [5] is 1, 3, 5, 7, 10.
    const at = (i: number) => (all === 1 ? first : first + ((last - first) * i) / (all - 1));
    return Array.from({ length: all }, (_, i) => plain(whole ? Math.trunc(rounded(at(i))) : at(i)));
  }
  const by = step === undefined ? Math.sign(last - first) || 1 : Number(step);
  const steps = (last - first) / by;
  if (by === 0 || !(steps >= 0) || (whole && !Number.isInteger(by))) throw refuse(part);
  const all = Math.floor(steps + 1e-9) + 1;
  if (all > CELLS_MAX) throw sizeError(all, CELLS_MAX);
  return Array.from({ length: all }, (_, i) => plain(first + by * i));
}

/** Without what binary fractions add: 0.1 + 0.2 is 0.3. */
const rounded = (value: number): number => (Number.isSafeInteger(value) ? value : Number(value.toFixed(6)));

const plain = (value: number): string => String(rounded(value));

function axisError(option: string, axis: string | null, name: string | null): InputError {
  const known = name ?? "steps";
  const example = `${known}=${KINDS[known]!.examples[0] ?? "NAME,NAME"}`;
  const what =
    axis === null || axis === "" ? `--${option} has no values.` : `There is no axis ${axis.slice(0, 40)}.`;
  return new InputError(
    "GRID_AXIS",
    `${what} An axis is a name and values, such as ${example}; the names are ${AXIS_NAMES.join(", ")}.`,
    {
      option,
      example,
      words: AXIS_NAMES.join(" "),
      ...(axis === null || axis === "" ? {} : { axis: axis.slice(0, 40) }),
    },
  );
}

function valueError(option: string, axis: string, value: string, takes: Takes): InputError {
  const { min, max, words, size } = takes;
  const expected =
    words !== undefined
      ? `one of ${String(words).split(" ").join(", ")}`
      : size !== undefined
        ? `sizes such as ${size}, no side over ${max}`
        : min !== undefined
          ? `${takes.takes === "integer" ? "whole numbers" : "numbers"} from ${min} to ${max}`
          : `texts of at most ${takes.limit} characters`;
  return new InputError(
    "GRID_VALUE",
    `${axis} in ${option} can't be "${value.slice(0, 60)}": it takes ${expected}.`,
    {
      option,
      axis,
      value: value.slice(0, 60),
      ...takes,
    },
  );
}

const sizeError = (cells: number, max: number): InputError =>
  new InputError("GRID_SIZE", `The grid would have ${cells} pictures, and ${max} is the most.`, {
    cells,
    max,
  });
