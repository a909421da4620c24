import { type CommandForm, commandCreate, commandList } from "../forms/command.js";
import { parseForm } from "../forms/parse.js";
import { apiErrors, invalidForm } from "../protocol/errors.js";
import type { ApiCommandOption } from "../protocol/types.js";
import type { CommandRecord } from "../world/records.js";
import { buckets } from "./buckets.js";
import { type ApiRequest, noContent, ok, type RestContext, type Route } from "./router.js";

const CHAT_INPUT = 1;
const MAX_PER_TYPE: Readonly<Record<number, number>> = { 1: 100, 2: 15, 3: 15 };
const CREATES_PER_DAY = 200;
const DAY_MS = 86_400_000;

/** Application commands, global and per guild. */
export function commandRoutes(route: Route, rest: RestContext): void {
  const { state } = rest;
  const creates = new Map<string, number[]>();

  /** The guild of the route, or null for global commands. */
  const scopeOf = (request: ApiRequest): string | null => {
    if (request.params.application_id !== state.applicationId) throw apiErrors.unknownApplication();
    const guildId = request.params.guild_id;
    if (guildId === undefined) return null;
    if (state.guilds.get(guildId)?.members.has(state.bot.id) !== true) throw apiErrors.missingAccess();
    return guildId;
  };
  const inScope = (scope: string | null): CommandRecord[] =>
    [...state.commands.values()].filter((it) => (it.guild_id ?? null) === scope);
  const commandOf = (request: ApiRequest): CommandRecord => {
    const scope = scopeOf(request);
    const command = inScope(scope).find((it) => it.id === request.params.command_id);
    if (command === undefined) throw apiErrors.unknownCommand();
    return command;
  };
  const countCreate = (scope: string | null): void => {
    const key = scope ?? "";
    const today = (creates.get(key) ?? []).filter((at) => state.clock.now() - at < DAY_MS);
    if (today.length >= CREATES_PER_DAY) throw apiErrors.tooManyCommandCreates();
    creates.set(key, [...today, state.clock.now()]);
  };
  const make = (
    form: CommandForm,
    scope: string | null,
    existing: CommandRecord | undefined,
  ): CommandRecord => {
    if (existing === undefined) countCreate(scope);
    return {
      id: existing?.id ?? state.ids.next(),
      application_id: state.applicationId,
      version: state.ids.next(),
      ...(scope === null ? {} : { guild_id: scope }),
      type: form.type ?? CHAT_INPUT,
      name: form.name,
      name_localizations: form.name_localizations ?? null,
      description: form.description ?? "",
      description_localizations: form.description_localizations ?? null,
      ...(form.options === undefined
        ? {}
        : { options: JSON.parse(JSON.stringify(form.options)) as ApiCommandOption[] }),
      default_member_permissions: form.default_member_permissions ?? null,
      nsfw: form.nsfw ?? false,
      ...(scope === null
        ? {
            dm_permission: form.dm_permission ?? form.contexts?.includes(1) ?? true,
            contexts: form.contexts ?? null,
            integration_types: form.integration_types ?? [0],
          }
        : {}),
    };
  };
  const requireRoom = (scope: string | null, type: number): void => {
    if (inScope(scope).filter((it) => it.type === type).length >= (MAX_PER_TYPE[type] ?? 0)) {
      throw invalidForm([
        {
          path: [],
          code: "APPLICATION_COMMAND_MAX",
          message: `Maximum number of application commands of type ${type} reached (${MAX_PER_TYPE[type]})`,
        },
      ]);
    }
  };

  for (const base of [
    "/applications/:application_id/commands",
    "/applications/:application_id/guilds/:guild_id/commands",
  ]) {
    route("GET", base, { bucket: buckets.commandsRead }, (request) =>
      ok(inScope(scopeOf(request)).map(localized(request))),
    );

    route("PUT", base, { bucket: buckets.commandsWrite }, (request) => {
      const scope = scopeOf(request);
      const forms = parseForm(commandList, request.body ?? []);
      rejectRepeats(forms);
      const before = inScope(scope);
      const after = forms.map((form) =>
        make(
          form,
          scope,
          before.find((it) => it.name === form.name && it.type === (form.type ?? CHAT_INPUT)),
        ),
      );
      for (const command of before) state.commands.delete(command.id);
      for (const command of after) state.commands.set(command.id, command);
      state.emit({ type: "commands.changed" });
      return ok(after);
    });

    route("POST", base, { bucket: buckets.commandsWrite }, (request) => {
      const scope = scopeOf(request);
      const form = parseForm(commandCreate, request.body ?? {});
      const type = form.type ?? CHAT_INPUT;
      const existing = inScope(scope).find((it) => it.name === form.name && it.type === type);
      if (existing === undefined) requireRoom(scope, type);
      const command = make(form, scope, existing);
      state.commands.set(command.id, command);
      state.emit({ type: "commands.changed" });
      return { status: existing === undefined ? 201 : 200, body: command };
    });

    route("GET", `${base}/:command_id`, { bucket: buckets.commandsRead }, (request) =>
      ok(commandOf(request)),
    );

    route("PATCH", `${base}/:command_id`, { bucket: buckets.commandsWrite }, (request) => {
      const command = commandOf(request);
      const { id: _id, application_id: _app, version: _version, guild_id: _guild, ...current } = command;
      const form = parseForm(commandCreate, { ...current, ...(request.body as object) });
      const changed = make(form, command.guild_id ?? null, command);
      state.commands.set(command.id, changed);
      state.emit({ type: "commands.changed" });
      return ok(changed);
    });

    route("DELETE", `${base}/:command_id`, { bucket: buckets.commandsWrite }, (request) => {
      state.commands.delete(commandOf(request).id);
      state.emit({ type: "commands.changed" });
      return noContent;
    });
  }
}

function rejectRepeats(forms: readonly CommandForm[]): void {
  const counts = new Map<number, number>();
  const names = new Set<string>();
  forms.forEach((form, at) => {
    const type = form.type ?? CHAT_INPUT;
    const key = `${type}:${form.name}`;
    if (names.has(key)) {
      throw invalidForm([
        {
          path: [at, "name"],
          code: "APPLICATION_COMMANDS_DUPLICATE_NAME",
          message: "Application command names must be unique",
        },
      ]);
    }
    names.add(key);
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    if (count > (MAX_PER_TYPE[type] ?? 0)) {
      throw invalidForm([
        {
          path: [at],
          code: "APPLICATION_COMMAND_MAX",
          message: `Maximum number of application commands of type ${type} is ${MAX_PER_TYPE[type]}`,
        },
      ]);
    }
  });
}

/** Lists omit the translations unless `with_localizations` is set. */
function localized(request: ApiRequest): (command: CommandRecord) => unknown {
  if (request.query.with_localizations === "true") return (command) => command;
  return ({ name_localizations: _names, description_localizations: _descriptions, ...command }) => command;
}
