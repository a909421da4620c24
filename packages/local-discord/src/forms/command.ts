import { z } from "zod";
import type { ApiCommandOption } from "../protocol/types.js";
import { OptionType } from "../protocol/types.js";
import { complain, optional, text } from "./parse.js";

const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const COMMAND_CHARACTERS = 8000;

const localizations = (max: number) =>
  optional(z.record(z.string(), text(max, 1).nullable()).transform(withoutNulls));
const chatName = z.string().superRefine((name, context) => {
  if (!NAME.test(name) || name !== name.toLowerCase()) {
    complain(context, [], "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
  }
});

const choice = z.strictObject({
  name: text(100, 1),
  name_localizations: localizations(100),
  value: z.union([text(100), z.number()]),
});

const option: z.ZodType<ApiCommandOption> = z.lazy(() =>
  z
    .strictObject({
      type: z.int().min(OptionType.subcommand).max(OptionType.attachment),
      name: chatName,
      name_localizations: localizations(32),
      description: text(100, 1),
      description_localizations: localizations(100),
      required: optional(z.boolean()),
      choices: optional(z.array(choice).max(25)),
      options: optional(z.array(option).max(25)),
      channel_types: optional(z.array(z.int())),
      min_value: optional(z.number()),
      max_value: optional(z.number()),
      min_length: optional(z.int().min(0).max(6000)),
      max_length: optional(z.int().min(1).max(6000)),
      autocomplete: optional(z.boolean()),
      file_types: optional(z.array(z.string()).max(10)),
    })
    .superRefine(checkOption)
    .transform((it) => it as ApiCommandOption),
);

const NUMERIC: readonly number[] = [OptionType.integer, OptionType.number];
const CHOOSABLE: readonly number[] = [OptionType.string, ...NUMERIC];

function checkOption(it: Record<string, unknown> & { type: number }, context: z.RefinementCtx): void {
  const only = (field: string, types: readonly number[]) => {
    if (it[field] !== undefined && !types.includes(it.type)) {
      complain(
        context,
        [field],
        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
        `${field} does not belong to option type ${it.type}`,
      );
    }
  };
  only("choices", CHOOSABLE);
  only("autocomplete", CHOOSABLE);
  only("min_value", NUMERIC);
  only("max_value", NUMERIC);
  only("min_length", [OptionType.string]);
  only("max_length", [OptionType.string]);
  only("channel_types", [OptionType.channel]);
  only("options", [OptionType.subcommand, OptionType.subcommandGroup]);
  const choices = (it.choices ?? []) as { value: string | number }[];
  if (it.autocomplete === true && choices.length > 0) {
    complain(
      context,
      ["autocomplete"],
      "APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES",
      "choices and autocomplete exclude each other",
    );
  }
  choices.forEach((entry, at) => {
    const fits =
      it.type === OptionType.string
        ? typeof entry.value === "string"
        : typeof entry.value === "number" &&
          (it.type !== OptionType.integer || Number.isSafeInteger(entry.value));
    if (!fits)
      complain(
        context,
        ["choices", at, "value"],
        "APPLICATION_COMMAND_CHOICE_TYPE",
        "Choice value does not fit the option's type",
      );
  });
  checkOptionList((it.options ?? []) as ApiCommandOption[], context);
}

/** Checks that names are unique, required options come first and subcommands don't mix with values. */
function checkOptionList(options: readonly ApiCommandOption[], context: z.RefinementCtx): void {
  const names = new Set<string>();
  let sawOptional = false;
  options.forEach((it, at) => {
    if (names.has(it.name)) {
      complain(
        context,
        ["options", at],
        "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
        "Option name already exists",
      );
    }
    names.add(it.name);
    if (it.required === true && sawOptional) {
      complain(
        context,
        ["options", at],
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        "Required options must be placed before non-required options",
      );
    }
    if (it.required !== true) sawOptional = true;
  });
  const sub = options.filter((it) => it.type <= OptionType.subcommandGroup).length;
  if (sub > 0 && sub < options.length) {
    complain(
      context,
      ["options"],
      "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
      "Sub-command and sub-command group option types are mutually exclusive to all other types",
    );
  }
}

const CHAT_INPUT = 1;

/** Body of POST, and one entry of PUT, on application commands. */
export const commandCreate = z
  .strictObject({
    // discord.js sends the fetched fields back when it edits.
    id: optional(z.string()),
    type: optional(z.union([z.literal(1), z.literal(2), z.literal(3)])),
    name: text(32, 1),
    name_localizations: localizations(32),
    description: optional(text(100)),
    description_localizations: localizations(100),
    options: optional(z.array(option).max(25)),
    default_member_permissions: optional(
      z.union([z.string().regex(/^\d+$/), z.int()]).transform((bits) => String(bits)),
    ),
    dm_permission: optional(z.boolean()),
    contexts: optional(z.array(z.int().min(0).max(2)).min(1).max(3)),
    integration_types: optional(z.array(z.int().min(0).max(1)).min(1).max(2)),
    nsfw: optional(z.boolean()),
    handler: optional(z.int()),
  })
  .superRefine((it, context) => {
    const chat = (it.type ?? CHAT_INPUT) === CHAT_INPUT;
    if (chat && (!NAME.test(it.name) || it.name !== it.name.toLowerCase())) {
      complain(context, ["name"], "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
    if (chat && !it.description)
      complain(context, ["description"], "BASE_TYPE_REQUIRED", "This field is required");
    if (!chat && (it.description || it.options?.length)) {
      complain(
        context,
        ["description"],
        "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
        "Context menu commands cannot have description or options",
      );
    }
    checkOptionList(it.options ?? [], context);
    const characters =
      it.name.length +
      (it.description?.length ?? 0) +
      (it.options ?? []).reduce((sum, each) => sum + optionCharacters(each), 0);
    if (characters > COMMAND_CHARACTERS) {
      complain(
        context,
        [],
        "APPLICATION_COMMAND_TOO_LARGE",
        `Command exceeds maximum size (${COMMAND_CHARACTERS})`,
      );
    }
  });
export type CommandForm = z.output<typeof commandCreate>;

export const commandList = z.array(commandCreate).max(130);

/** `data` of callback type 8. */
export const autocompleteResult = z.strictObject({ choices: z.array(choice).max(25) });

function optionCharacters(it: ApiCommandOption): number {
  const choices = (it.choices ?? []).reduce(
    (sum, entry) => sum + entry.name.length + String(entry.value).length,
    0,
  );
  const nested = (it.options ?? []).reduce((sum, each) => sum + optionCharacters(each), 0);
  return it.name.length + it.description.length + choices + nested;
}

function withoutNulls(record: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
