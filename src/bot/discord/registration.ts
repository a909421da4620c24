import { createHash } from "node:crypto";
import {
  type APIApplicationCommand,
  ApplicationIntegrationType,
  type RESTPostAPIApplicationCommandsJSONBody as CommandJson,
  InteractionContextType,
  type REST,
  Routes,
} from "discord.js";

/**
 * Registers our commands where Discord's list differs from ours. Otherwise the list is left alone: writing it
 * takes up to an hour to reach all clients and counts against a daily limit. Without guilds the commands are
 * global. `learn` gets them as Discord has them, with their ids.
 */
export async function registerCommands(
  rest: REST,
  applicationId: string,
  guildIds: readonly string[],
  commands: readonly CommandJson[],
  learn: (registered: readonly APIApplicationCommand[]) => void = () => {},
): Promise<"unchanged" | "registered"> {
  const scopes =
    guildIds.length === 0
      ? [{ route: Routes.applicationCommands(applicationId), body: commands.map(asGlobal) }]
      : guildIds.map((guildId) => ({
          route: Routes.applicationGuildCommands(applicationId, guildId),
          body: commands.map(asGuilds),
        }));
  const all: APIApplicationCommand[] = [];
  let result: "unchanged" | "registered" = "unchanged";
  for (const { route, body } of scopes) {
    const query = new URLSearchParams({ with_localizations: "true" });
    const before = (await rest.get(route, { query })) as (APIApplicationCommand & CommandJson)[];
    if (definitionHash(before) === definitionHash(body)) {
      all.push(...before);
      continue;
    }
    all.push(...((await rest.put(route, { body })) as APIApplicationCommand[]));
    result = "registered";
  }
  learn(all);
  return result;
}

/**
 * Available everywhere: to servers that installed the bot and to users who installed it for themselves, whose
 * late results go to their direct messages where the bot may not post. A command that belongs to servers says
 * so itself.
 */
const asGlobal = (command: CommandJson): CommandJson => ({
  contexts: [
    InteractionContextType.Guild,
    InteractionContextType.BotDM,
    InteractionContextType.PrivateChannel,
  ],
  integration_types: [ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall],
  ...command,
});

/** Discord takes no contexts for a command of one guild. */
const asGuilds = ({ contexts: _c, integration_types: _i, ...command }: CommandJson): CommandJson => command;

/** Keys that we define; Discord adds ids, versions and empty localizations. */
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

/**
 * Equal for two lists that mean the same, whatever the order of commands and keys, and whatever Discord
 * added.
 */
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

/**
 * Discord fills in what we leave out: `required: false`, `options: []`, `contexts: null`, `description: ""`.
 */
const isDefault = (field: unknown): boolean =>
  field === "" ||
  field === null ||
  field === undefined ||
  field === false ||
  (Array.isArray(field) && field.length === 0);
