import type { Database, Statement } from "better-sqlite3";
import type { SettingName, SettingScope, Settings, Where } from "../../core/settings.js";
import type { StoredSetting, StoredSettings } from "../settings.js";
import { fromJson } from "./job-row.js";
import { toQueueError } from "./sqlite-error.js";

interface Row {
  readonly name: SettingName;
  readonly value: string;
  readonly changed_by: string;
  readonly changed_at: number;
}

/** Settings, in the queue's file. */
export class SqliteSettings implements StoredSettings {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #read: Statement<[SettingScope, string], Row>;
  readonly #write: Statement<[SettingScope, string, string, string, string, number]>;
  readonly #remove: Statement<[SettingScope, string, string]>;
  readonly #erase: Statement<[string]>;

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
    this.#read = db.prepare(
      "select name, value, changed_by, changed_at from settings where scope = ? and id = ? order by name",
    );
    this.#write = db.prepare(`
      insert into settings (scope, id, name, value, changed_by, changed_at) values (?, ?, ?, ?, ?, ?)
      on conflict (scope, id, name) do update
        set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at`);
    this.#remove = db.prepare("delete from settings where scope = ? and id = ? and name = ?");
    this.#erase = db.prepare("delete from settings where scope = 'user' and id = ?");
  }

  async list(scope: SettingScope, id: string): Promise<StoredSetting[]> {
    return this.#explained(() =>
      this.#read.all(scope, id).map((row) => ({
        name: row.name,
        value: fromJson(row.value),
        changedBy: row.changed_by,
        changedAt: row.changed_at,
      })),
    );
  }

  async of(scope: SettingScope, id: string): Promise<Settings> {
    return Object.fromEntries((await this.list(scope, id)).map(({ name, value }) => [name, value]));
  }

  async resolve({ guildId, channelId }: Where): Promise<Settings> {
    if (channelId === null) return {};
    return {
      ...(guildId === null ? {} : await this.of("server", guildId)),
      ...(await this.of("channel", channelId)),
    };
  }

  async set<N extends SettingName>(
    scope: SettingScope,
    id: string,
    name: N,
    value: NonNullable<Settings[N]>,
    by: string,
  ): Promise<void> {
    this.#explained(() => this.#write.run(scope, id, name, JSON.stringify(value), by, this.#now()));
  }

  async reset(scope: SettingScope, id: string, name: SettingName): Promise<boolean> {
    return this.#explained(() => this.#remove.run(scope, id, name).changes === 1);
  }

  async erase(userId: string): Promise<void> {
    this.#explained(() => this.#erase.run(userId));
  }

  #explained<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toQueueError(error, this.#db.name);
    }
  }
}
