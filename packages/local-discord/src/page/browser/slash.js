// Parses slash commands as people type them, and says what is wrong with them.
export const KIND = {
  3: "text",
  4: "whole number",
  5: "true or false",
  6: "user",
  7: "channel",
  8: "role",
  9: "user or role",
  10: "number",
  11: "file",
};
const SUBCOMMAND_GROUP = 2;
export const ATTACHMENT = 11;
export const BOOLEAN = 5;
const STRING = 3;
const INTEGER = 4;
const NUMBER = 10;

const translated = (it, field, locale) => it[`${field}_localizations`]?.[locale] ?? it[field];

/** Commands as people type them, in the user's language: a subcommand is a command with a longer name. */
export function leaves(commands, locale) {
  const walk = (shown, real, node) => {
    const nested = (node.options ?? []).filter((it) => it.type <= SUBCOMMAND_GROUP);
    if (nested.length > 0)
      return nested.flatMap((it) =>
        walk(`${shown} ${translated(it, "name", locale)}`, `${real} ${it.name}`, it),
      );
    const options = (node.options ?? []).map((it) => ({
      ...it,
      real: it.name,
      name: translated(it, "name", locale),
      description: translated(it, "description", locale),
      choices: it.choices?.map((choice) => ({ ...choice, name: translated(choice, "name", locale) })),
    }));
    return [{ name: shown, real, description: translated(node, "description", locale), options }];
  };
  return commands.flatMap((it) => walk(translated(it, "name", locale), it.name, it));
}

/**
 * Reads "/name option:value …". Only known option names split the text, so values may hold colons and blanks.
 * @returns the command or null, its values by option name, the option being typed, and text that fits nowhere
 */
export function parse(text, commands) {
  const typed = text.slice(1);
  const command = commands
    .filter((it) => typed === it.name || typed.startsWith(`${it.name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (command === undefined) return { command: null, values: {}, at: null };
  const rest = typed.slice(command.name.length);
  const names = command.options.map((it) => it.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (names.length === 0) return { command, values: {}, at: null, extra: rest.trim() };
  const marks = [...rest.matchAll(new RegExp(`(?<=^|\\s)(${names.join("|")}):`, "gu"))];
  const values = {};
  marks.forEach((mark, n) => {
    values[mark[1]] = rest.slice(mark.index + mark[0].length, marks[n + 1]?.index).trim();
  });
  const loose = rest.slice(0, marks[0]?.index).trim();
  const first = command.options.find((it) => it.type === STRING && it.required && !(it.name in values));
  if (loose !== "" && first !== undefined) values[first.name] = loose;
  return { command, values, at: marks.at(-1)?.[1] ?? null, extra: first === undefined ? loose : "" };
}

/** What is wrong with a completely typed value, or null. */
export function problem(option, value) {
  if (value === undefined || value === "") return null;
  if (option.type === STRING) {
    if (option.choices?.length > 0 && !option.choices.some((it) => it.name === value || it.value === value))
      return "Choose one of the values on offer";
    if (value.length > (option.max_length ?? 6000)) return `At most ${option.max_length ?? 6000} characters`;
    if (value.length < (option.min_length ?? 0)) return `At least ${option.min_length} characters`;
  }
  if (option.type === INTEGER || option.type === NUMBER) {
    const named = option.choices?.find((it) => it.name === value);
    const number = named?.value ?? Number(value);
    const fits = option.type === INTEGER ? Number.isSafeInteger(number) : Number.isFinite(number);
    if (!fits) return option.type === INTEGER ? "A whole number" : "A number";
    if (option.choices?.length > 0 && !option.choices.some((it) => it.value === number))
      return "Choose one of the values on offer";
    if (number < (option.min_value ?? Number.NEGATIVE_INFINITY)) return `At least ${option.min_value}`;
    if (number > (option.max_value ?? Number.POSITIVE_INFINITY)) return `At most ${option.max_value}`;
  }
  if (option.type === BOOLEAN && !/^(true|false)$/i.test(value)) return "True or false";
  return null;
}

/** What an option takes, in a few words: its kind and bounds. */
export function bounds(option) {
  const { min_value: min, max_value: max, max_length: longest } = option;
  const range =
    min !== undefined && max !== undefined
      ? `${min} to ${max}`
      : min !== undefined
        ? `from ${min}`
        : max !== undefined
          ? `up to ${max}`
          : "";
  return [KIND[option.type], range, longest === undefined ? "" : `up to ${longest} characters`]
    .filter(Boolean)
    .join(", ");
}
