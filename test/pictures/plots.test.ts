import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { bootstrapMean } from "../../src/core/statistics/bootstrap.js";
import { scorePlot } from "../../src/pictures/plots.js";

describe("the plot of scores", () => {
  /** Where the only row of a plot ends and the legend begins, in pixels. */
  const FOOT = 196;
  /** Columns of the pixels of about a colour, from the rows `top` to `bottom` of the picture. */
  const pixels = async (png: Buffer, [r, g, b]: number[], top = 0, bottom = FOOT) => {
    const { data, info } = await sharp(png)
      .extract({ left: 0, top, width: 760, height: bottom - top })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const found: number[] = [];
    for (let i = 0; i < data.length; i += 3) {
      const near = [r!, g!, b!].every((value, c) => Math.abs(data[i + c]! - value) < 30);
      if (near) found.push((i / 3) % info.width);
    }
    return found;
  };
  const row = (values: number[]) => ({ label: "Reward", values, mean: bootstrapMean(values)!, note: "n" });
  const BLUE = [70, 120, 210];
  const ORANGE = [190, 120, 75];

  it("sets gains in blue to the right of losses in orange", async () => {
    const png = await scorePlot("Title", [row([-1, -0.5, 0.5, 1])]);
    const [gains, losses] = [await pixels(png, BLUE), await pixels(png, ORANGE)];
    expect(gains.length).toBeGreaterThan(50);
    expect(losses.length).toBeGreaterThan(50);
    expect(Math.min(...gains)).toBeGreaterThan(Math.max(...losses));
  });

  it("says below what its colours mean", async () => {
    const png = await scorePlot("Title", [row([1, 2])]);
    const { height } = await sharp(png).metadata();
    expect(await pixels(png, ORANGE)).toEqual([]);
    for (const color of [BLUE, ORANGE])
      expect((await pixels(png, color, FOOT, height)).length).toBeGreaterThan(20);
  });

  it.each([[[0]], [[0, 0, 0]], [[1e-9, -1e-9]], [[5000, 2]]])("takes %j", async (values) => {
    expect((await sharp(await scorePlot("Title", [row(values)])).metadata()).height).toBe(271);
  });
});
