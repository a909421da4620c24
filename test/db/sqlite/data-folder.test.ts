import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createEvents } from "../../../src/core/events.js";
import { type DataFolderWatch, watchDataFolder } from "../../../src/db/sqlite/data-folder.js";
import { lockInstance } from "../../../src/db/sqlite/instance-lock.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { temporaryFolder } from "../../support/app.js";

let dataDir: string;
let databaseFile: string;
let logged: string[];
let gone: boolean[];
let taken: number;
let watch: DataFolderWatch;
beforeEach(() => {
  const made = temporaryFolder();
  dataDir = join(made.path, "data");
  databaseFile = join(dataDir, "queue.db");
  const lock = lockInstance(dataDir);
  const database = openDatabase(databaseFile);
  const events = createEvents();
  [logged, gone, taken] = [[], [], 0];
  events.on("log", ({ level, message }) => logged.push(`${level} ${message}`));
  events.on("data-folder.gone", ({ isGone }) => gone.push(isGone));
  const onTaken = () => {
    taken += 1;
  };
  watch = watchDataFolder({ lock, dataDir, databaseFile, events, onTaken, everyMs: 1e6 });
  onTestFinished(() => {
    watch.stop();
    database.close();
    lock.release();
    made.remove();
  });
});

/** Looks several times. */
const look = () => [1, 2, 3].map(() => watch.isOurs());
const OURS = [true, true, true];

describe.skipIf(process.platform === "win32")("the data folder of a running program", () => {
  test("that nobody touched is not mentioned", () => {
    expect(look()).toEqual(OURS);
    expect([...logged, ...gone]).toEqual([]);
  });

  test("that was deleted is told once and not made again", () => {
    rmSync(dataDir, { recursive: true });
    expect(look()).toEqual(OURS);
    expect(logged).toEqual([expect.stringContaining(`warn The data folder ${dataDir} was deleted, moved`)]);
    expect(gone).toEqual([true]);
    expect(() => renameSync(dataDir, `${dataDir}2`)).toThrow("ENOENT");
  });

  test("that was moved away is told once, and so is its return", () => {
    renameSync(dataDir, `${dataDir}2`);
    look();
    renameSync(`${dataDir}2`, dataDir);
    look();
    expect(logged).toEqual([
      expect.stringContaining("warn The data folder"),
      `info The database ${databaseFile} is back.`,
    ]);
    expect(gone).toEqual([true, false]);
  });

  test("whose database was replaced is told once", () => {
    renameSync(databaseFile, `${databaseFile}.old`);
    writeFileSync(databaseFile, "another");
    expect(look()).toEqual(OURS);
    expect(logged).toEqual([expect.stringContaining(`warn The database ${databaseFile} was deleted, moved`)]);
  });

  test("that another program has taken stops this one, told once", () => {
    rmSync(join(dataDir, "instance.lock"));
    const other = lockInstance(dataDir);
    onTestFinished(() => other.release());
    expect(look()).toEqual([false, false, false]);
    expect(logged).toEqual([
      expect.stringContaining(`error Another Promptist has taken the data folder ${dataDir}`),
    ]);
    expect(taken).toBe(1);
  });

  test("whose lock can't be made again is told once, and works on", () => {
    rmSync(join(dataDir, "instance.lock"));
    mkdirSync(join(dataDir, "instance.lock"));
    expect(look()).toEqual(OURS);
    expect(logged).toEqual([expect.stringMatching(/^warn The data folder .* can't be looked at/)]);
    rmSync(join(dataDir, "instance.lock"), { recursive: true });
    look();
    expect(() => lockInstance(dataDir)).toThrow("Another Promptist is running");
    expect(logged).toHaveLength(1);
  });
});
