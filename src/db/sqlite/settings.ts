import type { Database, Statement } from "better-sqlite3";
import type { SettingName, SettingScope, Settings } from "../../core/settings.js";
import { fromJson } from "./job-row.js";
import { toQueueError } from "./sqlite-error.js";

/** A setting with who set it, for the list that admins see. */
export interface StoredSetting {
  readonly name: SettingName;
  readonly value: unknown;
  readonly changedBy: string;
  readonly changedAt: number;
}

interface Row {
  readonly name: SettingName;
  readonly value: string;
  readonly changed_by: string;
  readonly changed_at: number;
}

/**
 * Settings of servers, channels and people. Values are checked by whoever writes them; reads are by primary key, so
 * they may be made for each command. Throws QueueError like the queue, whose file they share.
 */
export class SettingsStore {
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

  list(scope: SettingScope, id: string): StoredSetting[] {
    return this.#explained(() =>
      this.#read.all(scope, id).map((row) => ({
        name: row.name,
        value: fromJson(row.value),
        changedBy: row.changed_by,
        changedAt: row.changed_at,
      })),
    );
  }

  of(scope: SettingScope, id: string): Settings {
    return Object.fromEntries(this.list(scope, id).map(({ name, value }) => [name, value]));
  }

  /** What holds in a channel: its own settings over those of its server. */
  resolve(guildId: string | null, channelId: string): Settings {
    return { ...(guildId === null ? {} : this.of("server", guildId)), ...this.of("channel", channelId) };
  }

  set<N extends SettingName>(
    scope: SettingScope,
    id: string,
    name: N,
    value: NonNullable<Settings[N]>,
    by: string,
  ): void {
    this.#explained(() => this.#write.run(scope, id, name, JSON.stringify(value), by, this.#now()));
  }

  /** False where it was not set. */
  reset(scope: SettingScope, id: string, name: SettingName): boolean {
    return this.#explained(() => this.#remove.run(scope, id, name).changes === 1);
  }

  /** Forgets what a person set for themselves. */
  erase(userId: string): void {
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
