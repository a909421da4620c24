import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { folderOfDatabase, lockInstance } from "../../../src/db/sqlite/instance-lock.js";
import { compileSources } from "./child/sources.js";

const SCRIPT = fileURLToPath(new URL("./child/hold-lock.mjs", import.meta.url));

let sources: ReturnType<typeof compileSources>;
beforeAll(() => {
  sources = compileSources();
});
afterAll(() => sources.remove());

let folder: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) await kill(child);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Starts a program that locks the folder; answers it and the first line that it says. */
async function start(): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ["--expose-gc", SCRIPT, sources.dir, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const [said] = (await once(createInterface(child.stdout!), "line")) as [string];
  return { child, said };
}

const locked = expect.objectContaining({
  code: "QUEUE_LOCKED",
  message: expect.stringMatching(/Another Promptist is running on the data folder .*Stop it first, or/),
});

test("a second program on the folder is refused, and told which folder and what to do", async () => {
  expect((await start()).said).toBe("held");
  const { said } = await start();
  expect(said).toMatch(/^QUEUE_LOCKED /);
  expect(said).toContain(folder);
  expect(() => lockInstance(folder)).toThrowError(locked);
});

test("kill -9 of the first frees the folder at once", async () => {
  const { child, said } = await start();
  expect(said).toBe("held");
  await kill(child);
  lockInstance(folder).release();
  expect((await start()).said).toBe("held");
});

test("a second lock in one process is refused, too, until the first is released", () => {
  const lock = lockInstance(folder);
  expect(() => lockInstance(folder)).toThrowError(locked);
  lock.release();
  lockInstance(folder).release();
});

test.skipIf(process.platform === "win32")("two data folders with a link to one database are one lock", () => {
  const [one, two] = ["one", "two"].map((name) => join(folder, name, "promptist.sqlite")) as [string, string];
  for (const file of [one, two]) mkdirSync(dirname(file));
  expect(folderOfDatabase(one)).toBe(dirname(one));
  writeFileSync(one, "");
  symlinkSync(one, two);
  const lock = lockInstance(folderOfDatabase(one));
  expect(() => lockInstance(folderOfDatabase(two))).toThrowError(locked);
  lock.release();
});

test("two folders are two locks", () => {
  const one = lockInstance(join(folder, "one"));
  const two = lockInstance(join(folder, "two"));
  one.release();
  two.release();
});

describe.skipIf(process.platform === "win32")("a lock whose file is", () => {
  const file = () => join(folder, "instance.lock");

  test.each<[string, () => void]>([
    ["removed", () => rmSync(file())],
    ["moved", () => renameSync(file(), join(folder, "elsewhere"))],
    [
      "replaced",
      () => {
        writeFileSync(join(folder, "new"), "");
        renameSync(join(folder, "new"), file());
      },
    ],
  ])("%s is made again at the next look, and a second program is refused", async (_how, harm) => {
    const lock = lockInstance(folder);
    harm();
    expect(lock.keep()).toBe(true);
    expect(() => lockInstance(folder)).toThrowError(locked);
    expect((await start()).said).toMatch(/^QUEUE_LOCKED /);
    lock.release();
    expect((await start()).said).toBe("held");
  });

  test("removed is lost if another program was faster, and stays lost", async () => {
    const lock = lockInstance(folder);
    expect(lock.keep()).toBe(true);
    rmSync(file());
    expect((await start()).said).toBe("held");
    expect(lock.keep()).toBe(false);
    expect(lock.keep()).toBe(false);
    lock.release();
    expect(() => lockInstance(folder)).toThrowError(locked);
  });

  test("in a folder that is moved away stays locked there, also once there is a new folder", () => {
    const data = join(folder, "data");
    const moved = join(folder, "moved");
    const lock = lockInstance(data);
    renameSync(data, moved);
    expect(lock.keep()).toBe(true);
    expect(existsSync(data)).toBe(false);
    mkdirSync(data);
    expect(lock.keep()).toBe(true);
    for (const it of [data, moved]) expect(() => lockInstance(it)).toThrowError(locked);
    lock.release();
    for (const it of [data, moved]) lockInstance(it).release();
  });
});
