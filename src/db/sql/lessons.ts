import { randomUUID } from "node:crypto";
import type { Lesson, LessonKey, Lessons } from "../lessons.js";
import { CHOSEN, COUNTED, ON_REWRITING } from "./chosen.js";
import type { Connection } from "./connection.js";
import { sql, type Work } from "./statement.js";

/** A lesson is read and learned from in about 0.1 ms. */
const PAGE = 200;
const MARK = "lessons-mark";
/** With the server's id behind it: the time up to which its votes are forgotten. */
const FORGOTTEN = "lessons-forgotten-";

const after = sql<LessonKey, Lesson>(`
  select votes.job_id as "jobId", user_id as "userId", guild_id as "guildId", mode, optimized_rewriter as rewriter,
    ${CHOSEN} as chosen, prompt, rewrite, against, baseline_rewriter as "againstRewriter", voted_at as at
  from votes join ballots using (job_id) left join flags on flags.name = '${FORGOTTEN}' || guild_id
  where (voted_at, votes.job_id, user_id) > (@at, @jobId, @userId)
    and choice in ('left', 'right') and prompt is not null and ${COUNTED}
    and (against is not null or ${ON_REWRITING})
    and (flags.value is null or voted_at > cast(flags.value as bigint))
  order by voted_at, votes.job_id, user_id limit ${PAGE}`);
const flag = sql<{ name: string }, { value: string }>("select value from flags where name = @name");
const setFlag = sql<{ name: string; value: string }>(`
  insert into flags (name, value) values (@name, @value)
  on conflict (name) do update set value = excluded.value`);

/** Votes as lessons of taste. */
export function sqlLessons(connection: Connection): Lessons {
  return {
    after: (key) => connection.read(() => after.all({ at: key.at, jobId: key.jobId, userId: key.userId })),

    mark: async () => (await connection.read(() => flag.get({ name: MARK })))?.value ?? "",

    forget: (guildId) =>
      connection.write(function* () {
        yield* setFlag.run({ name: FORGOTTEN + guildId, value: String(connection.now()) });
        yield* markLessons();
      }),
  };
}

/** To be run where votes are taken away. */
export function* markLessons(): Work<void> {
  yield* setFlag.run({ name: MARK, value: randomUUID() });
}
