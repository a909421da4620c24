import { createHash } from "node:crypto";
import {
  ApplicationIntegrationType,
  type RESTPostAPIChatInputApplicationCommandsJSONBody as CommandJson,
  InteractionContextType,
  type REST,
  Routes,
} from "discord.js";

/**
 * Makes Discord's list of our commands equal to ours, and leaves it alone where it is: writing takes up to an hour to
 * reach all clients and counts against a daily limit. Without guilds the commands are global.
 */
export async function registerCommands(
  rest: REST,
  applicationId: string,
  guildIds: readonly string[],
  commands: readonly CommandJson[],
): Promise<"unchanged" | "registered"> {
  const scopes =
    guildIds.length === 0
      ? [{ route: Routes.applicationCommands(applicationId), body: commands.map(asGlobal) }]
      : guildIds.map((guildId) => ({
          route: Routes.applicationGuildCommands(applicationId, guildId),
          body: [...commands],
        }));
  let result: "unchanged" | "registered" = "unchanged";
  for (const { route, body } of scopes) {
    const registered = (await rest.get(route)) as CommandJson[];
    if (definitionHash(registered) === definitionHash(body)) continue;
    await rest.put(route, { body });
    result = "registered";
  }
  return result;
}

/** Where a late result can be written too: servers that installed the bot, and its own direct messages. */
const asGlobal = (command: CommandJson): CommandJson => ({
  ...command,
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
});

/** Keys that we define; Discord adds ids, versions and empty localisations of its own. */
const DEFINED = new Set([
  "type",
  "name",
  "description",
  "options",
  "required",
  "min_length",
  "max_length",
  "min_value",
  "max_value",
  "choices",
  "value",
  "autocomplete",
  "name_localizations",
  "description_localizations",
  "default_member_permissions",
  "contexts",
  "integration_types",
]);

/** Equal for two lists that mean the same, whatever their order, the order of their keys, and what Discord added. */
export function definitionHash(commands: readonly CommandJson[]): string {
  const byName = [...commands].sort((a, b) => (a.name < b.name ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify(byName.map(defined)))
    .digest("hex");
}

function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, field]) => DEFINED.has(key) && !isDefault(field))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, field]) => [key, defined(field)]));
}

/** Discord writes out what we leave out: `required: false`, `options: []`, `contexts: null`. */
const isDefault = (field: unknown): boolean =>
  field === null || field === undefined || field === false || (Array.isArray(field) && field.length === 0);
