// A computed PNG of a sky over hills: something to look at without picture files.
import { crc32, deflateSync } from "node:zlib";

const SIZE = 256;
const SKIES = [
  [
    [244, 176, 140],
    [120, 150, 200],
    [70, 90, 80],
  ],
  [
    [226, 96, 72],
    [70, 50, 110],
    [46, 34, 52],
  ],
  [
    [40, 60, 120],
    [8, 12, 34],
    [14, 20, 30],
  ],
];

const mix = (a, b, share) => a.map((value, n) => Math.round(value + (b[n] - value) * share));

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** @param {number} n which sky: 0 dawn, 1 dusk, 2 night */
export function picture(n) {
  const [low, high, ground] = SKIES[n % SKIES.length];
  const rows = [];
  for (let y = 0; y < SIZE; y++) {
    const row = Buffer.alloc(1 + SIZE * 3);
    for (let x = 0; x < SIZE; x++) {
      const hill = 176 + 22 * Math.sin(x / 34 + n) + 9 * Math.sin(x / 11);
      const sun = Math.hypot(x - 70 - 60 * n, y - 110 + 20 * n) < 24;
      const colour =
        y > hill ? mix(ground, [0, 0, 0], (y - hill) / 140) : sun ? [255, 236, 200] : mix(high, low, y / 190);
      row.set(colour, 1 + x * 3);
    }
    rows.push(row);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIZE, 0);
  header.writeUInt32BE(SIZE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
