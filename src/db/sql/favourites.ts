import type { Favourite, Favourites } from "../favourites.js";
import type { Connection } from "./connection.js";
import { sql } from "./statement.js";

const COLUMNS = `job_id as "jobId", user_id as "userId", guild_id as "guildId", channel_id as "channelId",
  application_id as "applicationId", added_by as "addedBy", message_id as "messageId"`;

const add = sql<Omit<Favourite, "messageId"> & { at: number }>(`
  insert into favourites (job_id, user_id, guild_id, channel_id, application_id, added_by, added_at)
  values (@jobId, @userId, @guildId, @channelId, @applicationId, @addedBy, @at)
  on conflict (job_id) do nothing`);
const find = sql<{ jobId: string }, Favourite>(`select ${COLUMNS} from favourites where job_id = @jobId`);
const pending = sql<null, Favourite>(
  `select ${COLUMNS} from favourites where message_id is null order by added_at, job_id`,
);
const posted = sql<{ jobId: string; messageId: string }>(
  "update favourites set message_id = @messageId where job_id = @jobId",
);
const ofUser = sql<{ userId: string }, { jobId: string }>(
  `select job_id as "jobId" from favourites where user_id = @userId order by added_at, job_id`,
);
// Only the bot itself reaches it, so there is no token.
const keepMessage = sql<{ jobId: string }>(`
  insert into erased_messages (source_id, channel_id, message_id, application_id, interaction_token, token_expires_at)
  select job_id, channel_id, message_id, application_id, '', 0 from favourites
  where job_id = @jobId and message_id is not null`);
const remove = sql<{ jobId: string }>("delete from favourites where job_id = @jobId");
const eraseName = sql<{ userId: string }>("update favourites set added_by = null where added_by = @userId");

/** Favourites, beside the jobs. */
export function sqlFavourites(connection: Connection): Favourites {
  const { now } = connection;

  return {
    add: async (favourite) => (await connection.write(() => add.run({ ...favourite, at: now() }))) === 1,

    get: (jobId) => connection.read(() => find.get({ jobId })),

    pending: () => connection.read(() => pending.all()),

    posted: async (jobId, messageId) =>
      (await connection.write(() => posted.run({ jobId, messageId }))) === 1,

    async remove(jobId) {
      await connection.write(function* () {
        yield* keepMessage.run({ jobId });
        yield* remove.run({ jobId });
      });
    },

    erase: (userId, withMessages = false) =>
      connection.write(function* () {
        const jobs = yield* ofUser.all({ userId });
        for (const { jobId } of jobs) {
          if (withMessages) yield* keepMessage.run({ jobId });
          yield* remove.run({ jobId });
        }
        yield* eraseName.run({ userId });
        return jobs.map(({ jobId }) => jobId);
      }),
  };
}
