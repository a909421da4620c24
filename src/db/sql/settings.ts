import { type SettingName, type SettingScope, type Settings, underChannel } from "../../core/settings.js";
import type { StoredSettings } from "../settings.js";
import type { Connection } from "./connection.js";
import { fromJson } from "./job-row.js";
import { sql, type Work } from "./statement.js";

interface Row {
  readonly name: SettingName;
  readonly value: string;
  readonly changed_by: string;
  readonly changed_at: number;
}

const list = sql<{ scope: SettingScope; id: string }, Row>(
  "select name, value, changed_by, changed_at from settings where scope = @scope and id = @id order by name",
);
const ofServers = sql<{ name: string }, { id: string; value: string }>(
  "select id, value from settings where scope = 'server' and name = @name order by id",
);
const set = sql<{ scope: SettingScope; id: string } & Row>(`
  insert into settings (scope, id, name, value, changed_by, changed_at)
  values (@scope, @id, @name, @value, @changed_by, @changed_at)
  on conflict (scope, id, name) do update
    set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at`);
const reset = sql<{ scope: SettingScope; id: string; name: string }>(
  "delete from settings where scope = @scope and id = @id and name = @name",
);
const erase = sql<{ userId: string }>("delete from settings where scope = 'user' and id = @userId");

function* settingsOf(scope: SettingScope, id: string): Work<Settings> {
  const rows = yield* list.all({ scope, id });
  return Object.fromEntries(rows.map(({ name, value }) => [name, fromJson(value)]));
}

/** Settings, beside the jobs. */
export function sqlSettings(connection: Connection): StoredSettings {
  const { now } = connection;

  return {
    async list(scope, id) {
      const rows = await connection.read(() => list.all({ scope, id }));
      return rows.map((row) => ({
        name: row.name,
        value: fromJson(row.value),
        changedBy: row.changed_by,
        changedAt: row.changed_at,
      }));
    },

    of: (scope, id) => connection.read(() => settingsOf(scope, id)),

    async resolve({ guildId, channelId }) {
      if (channelId === null) return {};
      return connection.read(function* () {
        const server = guildId === null ? {} : yield* settingsOf("server", guildId);
        return underChannel(server, yield* settingsOf("channel", channelId));
      });
    },

    async ofServers(name) {
      const rows = await connection.read(() => ofServers.all({ name }));
      return new Map(rows.map(({ id, value }) => [id, fromJson(value)]));
    },

    async set(scope, id, name, value, by) {
      const row = { scope, id, name, value: JSON.stringify(value), changed_by: by, changed_at: now() };
      await connection.write(() => set.run(row));
    },

    reset: async (scope, id, name) => (await connection.write(() => reset.run({ scope, id, name }))) === 1,

    async erase(userId) {
      await connection.write(() => erase.run({ userId }));
    },
  };
}
