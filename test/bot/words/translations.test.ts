import { expect, it } from "vitest";
import { COMMANDS } from "../../../src/bot/commands/index.js";
import { messageMenus } from "../../../src/bot/commands/message-menus.js";
import { CATALOG } from "../../../src/bot/requests/setting-catalog.js";
import { settingLines } from "../../../src/bot/words/english/settings.js";
import { LANGUAGES, type Language, TRANSLATIONS } from "../../../src/bot/words/locale-files.js";
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

/** Words that speakers of a language found wrong here, in any of its texts. */
const WRONG: Readonly<Record<Language, RegExp>> = {
  de: /gerufen|\brufen|Führung|Blindwahl|\bStapel\b|zeichnen|mit einem Seed|bekannt|ohne Angabe|Vorgabe|vergessen/i,
  fr: /plus c'est lent$|(?<!plus il y en a, )plus c'est lent|oublier|vaille|appel[eé]|connue|sans précision|dessiner/i,
  "es-ES": /no se dice|lo normal|olvidar|conocida|dibujar|pedido/i,
  "pt-BR": /não dit|esquecer|conhecida|desenhar|pedido/i,
  ru: /(?<!\p{L})(имя|точность|вкл|звать|забыть|известный)(?!\p{L})/iu,
  ja: /待ち行列|絵|大きさ|呼ぶ/,
};

it.each(LANGUAGES)("%s uses no word that its speakers found wrong", (language) => {
  expect(JSON.stringify(TRANSLATIONS[language], null, 1)).not.toMatch(WRONG[language]);
});

it.each(LANGUAGES)("%s has names and lengths that Discord takes", (language) => {
  const { commands, options, settings } = TRANSLATIONS[language];
  for (const [name, description] of [...Object.values(commands), ...Object.values(options)]) {
    expect(name).toMatch(/^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u);
    expect(name).toBe(name.toLowerCase());
    expect(description.length).toBeLessThanOrEqual(100);
  }
  for (const [name, meaning] of Object.entries(settings))
    expect(settingLines.choice(name, meaning)).not.toMatch(/…$/);
});

it.each(LANGUAGES)("%s gives no two commands beside each other the same name", (language) => {
  const { commands, options } = TRANSLATIONS[language];
  const visit = (nodes: readonly Node[], path: string) => {
    const keys = nodes.map((node) => (node.type === 1 || path === "" ? `${path}${node.name}` : node.name));
    const names = keys.map((key, i) => (nodes[i]!.type === 1 || path === "" ? commands : options)[key]?.[0]);
    expect(new Set(names).size, path).toBe(nodes.length);
    for (const [i, node] of nodes.entries()) visit(node.options ?? [], `${keys[i]} `);
  };
  visit(
    [...COMMANDS.values()].map(({ definition }) => definition(LIMITS) as unknown as Node),
    "",
  );
});
