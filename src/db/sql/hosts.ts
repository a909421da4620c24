import type { Host, HostRole } from "../../core/hosts/host.js";
import type { Hosts } from "../hosts.js";
import type { Connection } from "./connection.js";
import { fromJson } from "./job-row.js";
import { sql } from "./statement.js";

interface HostRow {
  readonly name: string;
  readonly role: HostRole;
  readonly version: string;
  readonly started_at: number;
  readonly seen_at: number;
  readonly ended_at: number | null;
  readonly paused: number;
  readonly state: string;
}

const STOPPED_KEPT_MS = 3_600_000;
const SILENT_KEPT_MS = 24 * 3_600_000;

const beat = sql<
  Pick<HostRow, "name" | "role" | "version" | "state"> & { now: number; starts: 0 | 1 },
  { paused: number }
>(`
  insert into hosts (name, role, version, started_at, seen_at, state)
  values (@name, @role, @version, @now, @now, @state)
  on conflict (name) do update set role = excluded.role, version = excluded.version, seen_at = excluded.seen_at,
    ended_at = null, state = excluded.state,
    started_at = case when @starts = 1 then excluded.started_at else hosts.started_at end
  returning paused`);
const leave = sql<{ name: string; now: number }>(
  "update hosts set ended_at = @now, seen_at = @now where name = @name",
);
const list = sql<null, HostRow>("select * from hosts order by name");
const setPaused = sql<{ name: string; paused: 0 | 1 }>(
  "update hosts set paused = @paused where name = @name",
);
const forget = sql<{ stoppedBefore: number; silentBefore: number }>(`
  delete from hosts where paused = 0
    and (ended_at < @stoppedBefore or ended_at is null and seen_at < @silentBefore)`);

function toHost(row: HostRow, now: number): Host {
  return {
    name: row.name,
    role: row.role,
    version: row.version,
    startedAt: row.started_at,
    seenAt: row.seen_at,
    endedAt: row.ended_at,
    paused: row.paused === 1,
    state: fromJson(row.state),
    agoMs: Math.max(0, now - row.seen_at),
  };
}

/** The programs, beside the jobs. */
export function sqlHosts(connection: Connection): Hosts {
  const { now } = connection;
  return {
    async beat({ name, role, version, state, starts }) {
      const row = await connection.writeAlone(() =>
        beat.get({ name, role, version, state: JSON.stringify(state), starts: starts ? 1 : 0, now: now() }),
      );
      return row!.paused === 1;
    },

    async leave(name) {
      await connection.writeAlone(() => leave.run({ name, now: now() }));
    },

    list: () =>
      connection.read(function* () {
        const rows = yield* list.all();
        return rows.map((row) => toHost(row, now()));
      }),

    setPaused: async (name, paused) =>
      (await connection.writeAlone(() => setPaused.run({ name, paused: paused ? 1 : 0 }))) === 1,

    forgetGone: () =>
      connection.writeAlone(() =>
        forget.run({ stoppedBefore: now() - STOPPED_KEPT_MS, silentBefore: now() - SILENT_KEPT_MS }),
      ),
  };
}
