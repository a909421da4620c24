import sharp from "sharp";
import { expect, test } from "vitest";
import { VirtualClock } from "../src/testing/index.js";
import { inspect } from "../src/world/media.js";
import { SnowflakeFactory } from "../src/world/snowflake.js";

const picture = () => sharp({ create: { width: 37, height: 21, channels: 3, background: "#345" } });

test.each([
  ["png", "image/png", () => picture().png()],
  ["jpeg", "image/jpeg", () => picture().jpeg()],
  ["progressive jpeg", "image/jpeg", () => picture().jpeg({ progressive: true })],
  ["gif", "image/gif", () => picture().gif()],
  ["lossy webp", "image/webp", () => picture().webp()],
  ["lossless webp", "image/webp", () => picture().webp({ lossless: true })],
  [
    "extended webp",
    "image/webp",
    () =>
      picture()
        .withMetadata({ exif: { IFD0: { Artist: "x" } } })
        .webp(),
  ],
])("%s: type and size from the bytes, whatever the name says", async (_name, contentType, make) => {
  expect(inspect(await make().toBuffer(), "lies.txt")).toEqual({ contentType, width: 37, height: 21 });
});

test("tells texts by extension, gives binaries no type, and truncated pictures no size", async () => {
  expect(inspect(Buffer.from("a,b"), "a.csv").contentType).toBe("text/csv; charset=utf-8");
  expect(inspect(Buffer.from([1, 0, 2]), "a.csv").contentType).toBeNull();
  const jpeg = await picture().jpeg().toBuffer();
  expect(inspect(jpeg.subarray(0, 30), "a.jpg")).toEqual({
    contentType: "image/jpeg",
    width: null,
    height: null,
  });
  expect(inspect(Buffer.alloc(0), "empty.txt").contentType).toBe("text/plain; charset=utf-8");
});

test("snowflakes have 17 to 19 digits, rise, never repeat, and carry their time", () => {
  const clock = new VirtualClock();
  const ids = new SnowflakeFactory(clock);
  const made = Array.from({ length: 10_000 }, () => ids.next());
  expect(new Set(made).size).toBe(10_000);
  expect(
    made.every((it, n) => /^\d{17,19}$/.test(it) && (n === 0 || BigInt(it) > BigInt(made[n - 1]!))),
  ).toBe(true);
  expect(Number(BigInt(made[0]!) >> 22n) + Date.UTC(2015, 0, 1)).toBe(clock.now());
});
