import { COUNTED_DAYS, type DayUse, dayOf } from "../../core/quota.js";
import type { PersonUse, Usage } from "../usage.js";
import type { Connection } from "./connection.js";
import { sql, type Work } from "./statement.js";

interface Row {
  readonly userId: string;
  /** Empty in direct messages. */
  readonly guildId: string;
  readonly day: number;
  readonly ms: number;
}

const add = sql<Row>(`
  insert into card_usage (user_id, guild_id, day, ms) values (@userId, @guildId, @day, @ms)
  on conflict (user_id, guild_id, day) do update set ms = card_usage.ms + excluded.ms`);
const forget = sql<{ day: number }>("delete from card_usage where day < @day");
const ofPerson = sql<{ userId: string }, DayUse>("select day, ms from card_usage where user_id = @userId");
const ofBoth = sql<{ userId: string; guildId: string }, DayUse>(
  "select day, ms from card_usage where user_id = @userId and guild_id = @guildId",
);
const ofServer = sql<{ guildId: string }, DayUse>(
  "select day, cast(sum(ms) as integer) as ms from card_usage where guild_id = @guildId group by day",
);
const whole = sql<{ userId: string }, Row>(`
  select user_id as "userId", guild_id as "guildId", day, ms from card_usage
  where user_id = @userId order by day, guild_id`);
const erase = sql<{ userId: string }>("delete from card_usage where user_id = @userId");

/** Whoever was erased, together. */
const NOBODY = "";
const DIRECT = "";

/** Adds to what a person used in a server, now; inside the transaction that stores what was made. */
export function* spend(
  user: { readonly userId: string; readonly guildId: string | null },
  ms: number,
  now: number,
): Work<void> {
  if (!(ms > 0)) return;
  const { userId, guildId } = user;
  const day = dayOf(now);
  yield* add.run({ userId, guildId: guildId ?? DIRECT, day, ms: Math.round(ms) });
  yield* forget.run({ day: day - COUNTED_DAYS });
}

/** The use of the card, beside the jobs. */
export function sqlUsage(connection: Connection): Usage {
  return {
    spent: (filter) =>
      connection.read(() => {
        if (!("userId" in filter)) return ofServer.all(filter);
        const { userId, guildId } = filter;
        return guildId === undefined
          ? ofPerson.all({ userId })
          : ofBoth.all({ userId, guildId: guildId ?? DIRECT });
      }),

    async ofUser(userId): Promise<PersonUse[]> {
      const rows = await connection.read(() => whole.all({ userId }));
      return rows.map(({ guildId, day, ms }) => ({ guildId: guildId === DIRECT ? null : guildId, day, ms }));
    },

    async erase(userId) {
      await connection.write(function* () {
        const rows = yield* whole.all({ userId });
        yield* erase.run({ userId });
        for (const { guildId, day, ms } of rows) yield* add.run({ userId: NOBODY, guildId, day, ms });
      });
    },
  };
}
