import { expect, it } from "vitest";
import { COMMANDS } from "../../../src/bot/commands/index.js";
import { messageMenus } from "../../../src/bot/commands/message-menus.js";
import { CATALOG } from "../../../src/bot/requests/setting-catalog.js";
import { LANGUAGES, TRANSLATIONS } from "../../../src/bot/words/translations.js";
import { SCHEDULERS, SIZE_NAMES } from "../../../src/core/options.js";

const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };

interface Node {
  readonly name: string;
  readonly options?: readonly Node[];
  readonly choices?: readonly { readonly value: string }[];
  readonly type: number;
}

/** The texts of the commands that need a translation, by the keys of a file in locales/. */
function keysOfCommands() {
  const keys = { commands: new Set<string>(), options: new Set<string>(), choices: new Set<string>() };
  const visit = (node: Node, path: string) => {
    const isSubcommand = node.type === 1;
    if (isSubcommand) keys.commands.add(path);
    else keys.options.add(node.name);
    for (const { value } of node.choices ?? []) keys.choices.add(`${node.name}:${value}`);
    for (const option of node.options ?? []) visit(option, `${path} ${option.name}`);
  };
  for (const [name, { definition }] of COMMANDS) {
    const command = definition(LIMITS) as unknown as Node;
    expect(command.name).toBe(name);
    keys.commands.add(name);
    for (const option of command.options ?? []) visit(option, `${name} ${option.name}`);
  }
  // Sizes depend on the checkpoint, so they complete the option and are no choices of it.
  for (const name of SIZE_NAMES) keys.choices.add(`size:${name}`);
  // Names of schedulers are the same in every language.
  for (const scheduler of SCHEDULERS) keys.choices.delete(`scheduler:${scheduler}`);
  return keys;
}

it.each(LANGUAGES)("%s translates all that there is, and nothing else", (language) => {
  const { commands, options, choices, settings, menus, ...rest } = TRANSLATIONS[language];
  const expected = keysOfCommands();
  const sorted = (keys: Iterable<string>) => [...keys].sort();
  expect(sorted(Object.keys(commands))).toEqual(sorted(expected.commands));
  expect(sorted(Object.keys(options))).toEqual(sorted(expected.options));
  expect(sorted(Object.keys(choices))).toEqual(sorted(expected.choices));
  expect(sorted(Object.keys(settings))).toEqual(sorted(Object.keys(CATALOG)));
  expect(sorted(Object.keys(menus))).toEqual(sorted(messageMenus.map(({ name }) => name)));
  expect(rest).toEqual({});
});

it.each(LANGUAGES)("%s has texts alone", (language) => {
  const { commands, options, choices, settings, menus } = TRANSLATIONS[language];
  for (const pair of [...Object.values(commands), ...Object.values(options)])
    expect(pair).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
  for (const text of [...Object.values(choices), ...Object.values(settings), ...Object.values(menus)])
    expect(text).toMatch(/\S/);
});
