import { STYLE_MAX, type Style, styleKey } from "../../core/styles.js";
import type { SavedStyle, StoredStyle, StyleOwner, Styles } from "../styles.js";
import type { Connection } from "./connection.js";

type Scope = StyleOwner["scope"];
type Row = Style & { readonly scope: Scope; readonly id: string; readonly key: string; readonly by: string };

/** Styles, in the queue's file. */
export function sqliteStyles(connection: Connection): Styles {
  const { db, now } = connection;
  const list = db.prepare<[Scope, string], StoredStyle>(`
    select name, prompt, negative, saved_by as savedBy, saved_at as savedAt
    from styles where scope = ? and id = ? order by key`);
  const has = db.prepare<[Scope, string, string], 1>(
    "select 1 from styles where scope = ? and id = ? and key = ?",
  );
  const count = db
    .prepare<[Scope, string], number>("select count(*) from styles where scope = ? and id = ?")
    .pluck();
  const save = db.prepare<[Row & { readonly at: number }]>(`
    insert into styles (scope, id, key, name, prompt, negative, saved_by, saved_at)
    values (@scope, @id, @key, @name, @prompt, @negative, @by, @at)
    on conflict (scope, id, key) do update set name = excluded.name, prompt = excluded.prompt,
      negative = excluded.negative, saved_by = excluded.saved_by, saved_at = excluded.saved_at`);
  const remove = db.prepare<[Scope, string, string]>(
    "delete from styles where scope = ? and id = ? and key = ?",
  );
  const eraseOwn = db.prepare<[string]>("delete from styles where scope = 'user' and id = ?");
  const eraseName = db.prepare<[string]>("update styles set saved_by = null where saved_by = ?");

  function saveOne({ scope, id }: StyleOwner, { name, prompt, negative }: Style, by: string): SavedStyle {
    const key = styleKey(name);
    const isKnown = has.get(scope, id, key) !== undefined;
    if (!isKnown && count.get(scope, id)! >= STYLE_MAX.styles) return "full";
    save.run({ scope, id, key, name: name.trim(), prompt, negative, by, at: now() });
    return isKnown ? "replaced" : "added";
  }

  return {
    of: ({ scope, id }) => connection.read(() => list.all(scope, id)),

    save: (owner, styles, by) => connection.write(() => styles.map((style) => saveOne(owner, style, by))),

    remove: ({ scope, id }, name) =>
      connection.write(() => remove.run(scope, id, styleKey(name)).changes === 1),

    async erase(userId) {
      await connection.write(() => {
        eraseOwn.run(userId);
        eraseName.run(userId);
      });
    },
  };
}
