import { STYLE_MAX, type Style, styleKey } from "../../core/styles.js";
import type { SavedStyle, StoredStyle, StyleOwner, Styles } from "../styles.js";
import type { Connection } from "./connection.js";
import { sql, type Work } from "./statement.js";

interface Key extends StyleOwner {
  readonly key: string;
}

const list = sql<StyleOwner, StoredStyle>(`
  select name, prompt, negative, saved_by as "savedBy", saved_at as "savedAt"
  from styles where scope = @scope and id = @id order by key`);
const find = sql<Key, { key: string }>(
  "select key from styles where scope = @scope and id = @id and key = @key",
);
const count = sql<StyleOwner, { styles: number }>(
  "select count(*) as styles from styles where scope = @scope and id = @id",
);
const save = sql<Key & Style & { by: string; at: number }>(`
  insert into styles (scope, id, key, name, prompt, negative, saved_by, saved_at)
  values (@scope, @id, @key, @name, @prompt, @negative, @by, @at)
  on conflict (scope, id, key) do update set name = excluded.name, prompt = excluded.prompt,
    negative = excluded.negative, saved_by = excluded.saved_by, saved_at = excluded.saved_at`);
const remove = sql<Key>("delete from styles where scope = @scope and id = @id and key = @key");
const eraseOwn = sql<{ userId: string }>("delete from styles where scope = 'user' and id = @userId");
const eraseSaver = sql<{ userId: string }>("update styles set saved_by = null where saved_by = @userId");

/** Styles, beside the jobs. */
export function sqlStyles(connection: Connection): Styles {
  const { now } = connection;

  function* saveOne(owner: StyleOwner, style: Style, by: string): Work<SavedStyle> {
    const { scope, id } = owner;
    const key = styleKey(style.name);
    const isKnown = (yield* find.get({ scope, id, key })) !== undefined;
    if (!isKnown && (yield* count.get({ scope, id }))!.styles >= STYLE_MAX.styles) return "full";
    const { prompt, negative } = style;
    yield* save.run({ scope, id, key, name: style.name.trim(), prompt, negative, by, at: now() });
    return isKnown ? "replaced" : "added";
  }

  return {
    of: ({ scope, id }) => connection.read(() => list.all({ scope, id })),

    save: (owner, styles, by) =>
      connection.write(function* () {
        const became: SavedStyle[] = [];
        for (const style of styles) became.push(yield* saveOne(owner, style, by));
        return became;
      }),

    remove: async ({ scope, id }, name) =>
      (await connection.write(() => remove.run({ scope, id, key: styleKey(name) }))) === 1,

    async erase(userId) {
      await connection.write(function* () {
        yield* eraseOwn.run({ userId });
        yield* eraseSaver.run({ userId });
      });
    },
  };
}
