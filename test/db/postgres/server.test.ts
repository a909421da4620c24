import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { createEvents } from "../../../src/core/events.js";
import type { PostgresConnection } from "../../../src/db/postgres/connection.js";
import { countBots, holdInstance, type Instance, LOCK_LIFE_MS } from "../../../src/db/postgres/instance.js";
import { openPostgres } from "../../../src/db/postgres/open.js";
import { LEASE_MS } from "../../../src/db/queue.js";
import { sqlStore } from "../../../src/db/sql/store.js";
import type { Store } from "../../../src/db/store.js";
import {
  createPostgresServer,
  newSchema,
  type PostgresServer,
  postgresPrograms,
  query,
} from "../../support/postgres-server.js";
import { within } from "../../support/within.js";
import { newJob } from "../contract/fixtures.js";

/** Milliseconds between two cuts: some transactions fit in between, others do not. */
const CUT_MS = 8;

/** Works again and again until the signal; answers how often. */
async function repeat(signal: AbortSignal, work: () => Promise<unknown>): Promise<number> {
  let times = 0;
  for (; !signal.aborted; times++) {
    await work();
    await delay(CUT_MS);
  }
  return times;
}

/** These stop the server, so they have one of their own. */
describe.skipIf(inject("postgresUrl") == null)("a server that goes and comes back", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await createPostgresServer(postgresPrograms()!);
  });
  afterAll(() => server.remove());

  let url: string;
  let connection: PostgresConnection;
  let store: Store;
  beforeEach(async () => {
    url = await newSchema(server.url);
    connection = await openPostgres(url);
    store = sqlStore(connection);
  });
  afterEach(() => store.close());

  test("calls wait for a server that restarts, and each is stored once", async () => {
    const before = await store.queue.enqueue(newJob({ user: "ada" }));
    await server.stop("fast");
    const during = Promise.all(
      Array.from({ length: 10 }, (_one, i) => store.queue.enqueue(newJob({ user: `user-${i}` }))),
    );
    const read = store.queue.get(before.id);
    await server.start();
    expect(new Set((await during).map(({ id }) => id)).size).toBe(10);
    expect((await read)?.id).toBe(before.id);
    expect((await store.queue.depth()).queued).toBe(11);
  });

  test("transactions that the server cuts off are run again: nothing is lost or doubled", async () => {
    const patient = sqlStore(await openPostgres(url, { patienceMs: 60_000 }));
    const cutting = new AbortController();
    let begun = 0;
    const cut = repeat(cutting.signal, () => {
      begun += 1;
      return query(
        server.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'promptist' and random() < 0.5",
      );
    });
    const ids: string[] = [];
    const claims: string[] = [];
    try {
      while (ids.length < 30 || begun <= 10)
        ids.push((await patient.queue.enqueue(newJob({ user: "ada" }))).id);
      for (let i = 0; i < 10; i++) {
        const claim = await patient.queue.claim("text", "loop");
        claims.push(claim!.job.id);
        expect(await patient.queue.complete(claim!)).toBe(true);
      }
    } finally {
      cutting.abort();
    }
    expect(await cut).toBeGreaterThan(10);
    expect(claims).toEqual(ids.slice(0, 10));
    expect(await patient.queue.depth()).toEqual({ queued: ids.length - 10, running: 0, undelivered: 10 });
    await patient.close();
  });

  test("a server that stays away is told as such, and the next call after its return works", async () => {
    const hasty = sqlStore(await openPostgres(url, { patienceMs: 300 }));
    await server.stop("immediate");
    await expect(hasty.queue.depth()).rejects.toMatchObject({ code: "QUEUE_UNREACHABLE" });
    await expect(openPostgres(url)).rejects.toMatchObject({ code: "QUEUE_UNREACHABLE" });
    await server.start();
    expect((await hasty.queue.depth()).queued).toBe(0);
    await hasty.close();
  });

  test("a program whose clock is wrong has the server's time, so that leases mean the same to all", async () => {
    await store.queue.enqueue(newJob({ user: "ada" }));
    const clock = vi
      .spyOn(Date, "now")
      .mockImplementation(() => Math.round(performance.timeOrigin + performance.now()) + 3_600_000);
    const claim = (await store.queue.claim("text", "ahead"))!;
    clock.mockRestore();
    const [row] = await query<{ leaseMs: number }>(
      url,
      `select (lease_until - extract(epoch from clock_timestamp()) * 1000)::float8 as "leaseMs" from jobs`,
    );
    expect(row!.leaseMs).toBeGreaterThan(LEASE_MS - 5_000);
    expect(row!.leaseMs).toBeLessThanOrEqual(LEASE_MS);
    expect(await store.queue.recover("lapsed")).toEqual([]);
    expect(await store.queue.extend(claim)).toBe("held");
  });

  test.skipIf(process.platform === "win32")(
    "a program that freezes while it writes holds up the others for some seconds only",
    async () => {
      const code = `const { openPostgres } = await import(process.env.OPEN);
        const connection = await openPostgres(process.env.URL);
        await connection.write(function* () { process.kill(process.pid, "SIGSTOP"); });`;
      const open = new URL("../../../dist/db/postgres/open.js", import.meta.url).href;
      const frozen = spawn(process.execPath, ["--input-type=module", "-e", code], {
        env: { ...process.env, OPEN: open, URL: url },
      });
      onTestFinished(() => void frozen.kill("SIGKILL"));
      const silent = `select count(*)::int as count from pg_stat_activity where state = 'idle in transaction'`;
      await expect.poll(() => query(url, silent)).toEqual([{ count: 1 }]);
      await store.queue.enqueue(newJob({ user: "ada" }));
      expect((await store.queue.depth()).queued).toBe(1);
    },
  );

  test("a writer that holds the line for too long is told as busy", async () => {
    const hasty = sqlStore(await openPostgres(url, { patienceMs: 300 }));
    const client = await connection.pool.connect();
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock(hashtext('promptist ' || current_schema()), 1)");
    await expect(hasty.queue.enqueue(newJob({ user: "ada" }))).rejects.toMatchObject({
      code: "QUEUE_BUSY_DATABASE",
    });
    expect((await hasty.queue.depth()).queued).toBe(0);
    await client.query("rollback");
    client.release();
    await hasty.queue.enqueue(newJob({ user: "ada" }));
    await hasty.close();
  });

  describe("the one program on a database", () => {
    const held: Instance[] = [];
    afterEach(async () => {
      for (const instance of held.splice(0)) await instance.release();
    });
    const hold = async (onTaken = () => {}) => {
      const instance = await holdInstance({ url, events: createEvents(), onTaken });
      held.push(instance);
      return instance;
    };

    test("a second program is refused and told which database; after the first one's end it may", async () => {
      const first = await hold();
      await expect(hold()).rejects.toThrowError(
        /Another Promptist works on the database 127\.0\.0\.1:\d+\/postgres/,
      );
      await first.release();
      expect((await hold()).isOurs()).toBe(true);
    });

    test("two schemas of a database are two installations", async () => {
      await hold();
      url = await newSchema(server.url);
      expect((await hold()).isOurs()).toBe(true);
    });

    test("a restart of the server costs the holder nothing, one that lasts its right until it is back", async () => {
      const instance = await hold();
      await server.stop("fast");
      await server.start();
      expect(instance.isOurs()).toBe(true);
      await server.stop("fast");
      await expect.poll(() => instance.isOurs(), { timeout: 2 * LOCK_LIFE_MS }).toBe(false);
      await server.start();
      await expect.poll(() => instance.isOurs(), { timeout: 5_000 }).toBe(true);
    });

    test("whoever loses it to another one is told to stop", async () => {
      let tell = () => {};
      const taken = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const first = await hold(tell);
      await first.sign();
      // Whoever has it after the first one, however short, signs.
      await query(url, "update flags set value = 'another' where name = 'bot'");
      await cut();
      await taken;
      expect(first.isOurs()).toBe(false);
    });

    /** Ends every connection that holds or awaits the lock. */
    const cut = () =>
      query(
        server.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('promptist bot', 'promptist standby')",
      );

    /** A standby, with a promise of the moment in which it has the database. */
    async function wait(): Promise<{
      taken: Promise<number>;
      stop: () => void;
      instance: Promise<Instance>;
    }> {
      const ending = new AbortController();
      let announce = () => {};
      const announced = new Promise<void>((resolve) => {
        announce = resolve;
      });
      const instance = holdInstance({
        url,
        events: createEvents(),
        onTaken: () => {},
        standby: { signal: ending.signal, onWaiting: async () => announce() },
      });
      const taken = instance.then(async (it) => {
        held.push(it);
        await it.sign();
        return performance.now();
      });
      taken.catch(() => {});
      await announced;
      return { taken, stop: () => ending.abort(), instance };
    }

    test("a standby says that it waits, and has the database at once when the first one says goodbye", async () => {
      const first = await hold();
      await first.sign();
      const second = await wait();
      expect(await countBots(connection.pool)).toEqual({ bots: 1, standbys: 1 });
      const left = performance.now();
      await first.release();
      expect((await second.taken) - left).toBeLessThan(within(LOCK_LIFE_MS / 2));
      expect((await second.instance).isOurs()).toBe(true);
      expect(await countBots(connection.pool)).toEqual({ bots: 1, standbys: 0 });
    });

    test("a standby that is told to end waits no longer", async () => {
      await hold();
      const second = await wait();
      second.stop();
      await expect(second.taken).rejects.toMatchObject({ name: "AbortError" });
    });

    test("cut connections and a restarted server leave it to the first one, which was there", async () => {
      const onTaken = vi.fn();
      const first = await hold(onTaken);
      await first.sign();
      const second = await wait();
      await cut();
      await server.stop("immediate");
      await server.start();
      await expect.poll(async () => (await countBots(connection.pool)).bots, { timeout: 5_000 }).toBe(1);
      expect(first.isOurs()).toBe(true);
      expect(onTaken).not.toHaveBeenCalled();
      await first.release();
      await second.taken;
    });
  });
});
