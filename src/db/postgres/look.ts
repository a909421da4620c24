import pg from "pg";
import type { Host, HostRole } from "../../core/hosts/host.js";
import { fromJson } from "../sql/job-row.js";
import { readMigrations } from "../sql/migrations.js";
import { clientOptions } from "./connection.js";
import { countBots } from "./instance.js";
import { MIGRATIONS, refuseOld } from "./migrate.js";
import { toQueueError } from "./postgres-error.js";
import { missingWorkerRights } from "./rights.js";

/** What a person wants to know about a database before a program starts on it. */
export interface DatabaseLook {
  readonly version: string;
  /** The role that looked. */
  readonly role: string;
  /** How far the server's clock is ahead of this machine's. */
  readonly clockMs: number;
  /** From a question to its answer. */
  readonly roundTripMs: number;
  /** The number of the schema's newest step: null where it has none yet, or where the role can't see it. */
  readonly step: number | null;
  /** Of the newest step that this program knows. */
  readonly newest: number;
  /** Statements for the database's owner that give the role what it lacks. */
  readonly missing: readonly string[];
  readonly bots: number;
  readonly standbys: number;
  /** None where the tables are older, or where the role may not read them. */
  readonly hosts: readonly Pick<
    Host,
    "name" | "role" | "version" | "agoMs" | "endedAt" | "paused" | "state"
  >[];
}

/**
 * Looks at a database without changing anything, not even its schema. Throws QueueError: QUEUE_UNREACHABLE when the
 * server does not answer, and CONFIG when it refuses or is too old.
 */
export async function lookAtDatabase(url: string, as: HostRole): Promise<DatabaseLook> {
  const client = new pg.Client(clientOptions(url));
  client.on("error", () => {});
  try {
    await client.connect();
    await refuseOld(client);
    const start = performance.now();
    const { rows } = await client.query<{ version: string; role: string; at: number }>(
      `select current_setting('server_version') as version, current_user as role,
         (extract(epoch from clock_timestamp()) * 1000)::bigint as at`,
    );
    const roundTripMs = performance.now() - start;
    const { version, role, at } = rows[0]!;
    const steps = await readable<{ number: number }>(
      client,
      "migrations",
      "select number from migrations order by number desc limit 1",
    );
    return {
      version,
      role,
      roundTripMs,
      clockMs: at - (Date.now() - roundTripMs / 2),
      step: steps[0]?.number ?? null,
      newest: readMigrations(MIGRATIONS).at(-1)?.number ?? 0,
      missing: as === "worker" ? (await missingWorkerRights(client)).grants : await missingOfBot(client),
      ...(await countBots(client)),
      hosts: await hostsOf(client),
    };
  } catch (error) {
    throw toQueueError(error);
  } finally {
    await client.end();
  }
}

/** The rows of a table, none where it isn't there or the role may not read it. */
async function readable<R extends object>(client: pg.Client, table: string, text: string): Promise<R[]> {
  const { rows } = await client.query<{ may: boolean | null }>(
    "select has_table_privilege(to_regclass($1), 'select') as may",
    [table],
  );
  return rows[0]?.may === true ? (await client.query<R>(text)).rows : [];
}

async function hostsOf(client: pg.Client): Promise<DatabaseLook["hosts"]> {
  const rows = await readable<{
    name: string;
    role: HostRole;
    version: string;
    endedAt: number | null;
    paused: number;
    agoMs: number;
    state: string;
  }>(
    client,
    "hosts",
    `select name, role, version, ended_at as "endedAt", paused, state,
       greatest(0, (extract(epoch from clock_timestamp()) * 1000)::bigint - seen_at) as "agoMs"
     from hosts order by name`,
  );
  return rows.map(({ state, paused, ...host }) => ({
    ...host,
    paused: paused === 1,
    state: fromJson(state),
  }));
}

/** A bot makes the tables and changes them with each update, so it must be their owner. */
async function missingOfBot(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(
    `select format('grant create on schema %I to %I;', current_schema(), current_user) as statement
       where not has_schema_privilege(current_schema(), 'create')
     union all
     select format('alter table %I owner to %I;', relname, current_user)
       from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
         and not pg_has_role(relowner, 'usage')`,
  );
  return rows.map(({ statement }) => statement);
}
