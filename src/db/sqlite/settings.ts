import type { SettingName, SettingScope, Settings } from "../../core/settings.js";
import type { StoredSettings } from "../settings.js";
import type { Connection } from "./connection.js";
import { fromJson } from "./job-row.js";

interface Row {
  readonly name: SettingName;
  readonly value: string;
  readonly changed_by: string;
  readonly changed_at: number;
}

/** Settings, in the queue's file. */
export function sqliteSettings(connection: Connection): StoredSettings {
  const { db, now } = connection;
  const list = db.prepare<[SettingScope, string], Row>(
    "select name, value, changed_by, changed_at from settings where scope = ? and id = ? order by name",
  );
  const set = db.prepare<[SettingScope, string, string, string, string, number]>(`
    insert into settings (scope, id, name, value, changed_by, changed_at) values (?, ?, ?, ?, ?, ?)
    on conflict (scope, id, name) do update
      set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at`);
  const reset = db.prepare<[SettingScope, string, string]>(
    "delete from settings where scope = ? and id = ? and name = ?",
  );
  const erase = db.prepare<[string]>("delete from settings where scope = 'user' and id = ?");

  const settingsOf = (scope: SettingScope, id: string): Settings =>
    Object.fromEntries(list.all(scope, id).map(({ name, value }) => [name, fromJson(value)]));

  return {
    list: (scope, id) =>
      connection.read(() =>
        list.all(scope, id).map((row) => ({
          name: row.name,
          value: fromJson(row.value),
          changedBy: row.changed_by,
          changedAt: row.changed_at,
        })),
      ),

    of: (scope, id) => connection.read(() => settingsOf(scope, id)),

    async resolve({ guildId, channelId }) {
      if (channelId === null) return {};
      return connection.read(() => ({
        ...(guildId === null ? {} : settingsOf("server", guildId)),
        ...settingsOf("channel", channelId),
      }));
    },

    async set(scope, id, name, value, by) {
      await connection.write(() => set.run(scope, id, name, JSON.stringify(value), by, now()));
    },

    reset: (scope, id, name) => connection.write(() => reset.run(scope, id, name).changes === 1),

    async erase(userId) {
      await connection.write(() => erase.run(userId));
    },
  };
}
