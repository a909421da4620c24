import type { Mean } from "../core/statistics/bootstrap.js";
import type { Interval } from "../core/statistics/shares.js";
import type { Histogram } from "./summary.js";

/** Parts of a report's page: text, numbers and plots. Plots are SVG that stretches, with their words beside them. */

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it may stand in HTML, also in an attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!);

/** Digits behind the point that tell two figures or more of a value. */
const digitsOf = (value: number): number =>
  value === 0 ? 0 : [10, 0.1, 0.01].findIndex((least) => Math.abs(value) >= least) + 1 || 4;

export const showNumber = (value: number, digits = digitsOf(value)): string =>
  value.toFixed(digits).replace("-", "−");

/** With its sign. */
export const showGain = (value: number, digits = digitsOf(value)): string =>
  `${value > 0 ? "+" : ""}${showNumber(value, digits)}`;

export const showPercent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;

/** `0.42 (0.31 to 0.53)` with the digits that its interval can tell; of one value that alone, and a dash for none. */
export function showMean(mean: Mean | null, show: (value: number, digits?: number) => string = showNumber) {
  if (mean === null) return "–";
  if (mean.n === 1) return show(mean.mean);
  const digits = digitsOf(mean.high - mean.low || mean.mean);
  return `${show(mean.mean, digits)} (${show(mean.low, digits)} to ${show(mean.high, digits)})`;
}

/** The scale of a plot; `zero` is where nothing is gained. */
export interface Scale extends Interval {
  readonly zero: number;
}

export function scaleOver(means: readonly (Mean | null)[], zero = 0): Scale {
  const values = means.flatMap((mean) => (mean === null ? [] : [mean.low, mean.high]));
  const [low, high] = [Math.min(zero, ...values), Math.max(zero, ...values)];
  const margin = (high - low || 1) * 0.05;
  return { low: low - margin, high: high + margin, zero };
}

/** Of a plot's own coordinates, which are stretched to the width that there is. */
const WIDTH = 1000;
const HEIGHT = 24;

/**
 * A bar from zero to the mean under a whisker over its interval, colored by whether the interval has zero in it; one
 * value has no interval.
 */
export function whisker(mean: Mean | null, scale: Scale): string {
  const x = (value: number) => Math.round(((value - scale.low) / (scale.high - scale.low)) * WIDTH);
  const zero = `<path class="zero" d="M${x(scale.zero)},0V${HEIGHT}"/>`;
  if (mean === null) return svg(zero, "no value");
  const isAlone = mean.n === 1;
  const kind = isAlone ? "open" : mean.low > scale.zero ? "gain" : mean.high < scale.zero ? "loss" : "open";
  const [low, middle, high] = [x(mean.low), x(mean.mean), x(mean.high)];
  const [from, to] = [Math.min(middle, x(scale.zero)), Math.max(middle, x(scale.zero))];
  return svg(
    `<rect class="${kind}" x="${from}" y="6" width="${to - from}" height="12"/>${zero}` +
      (isAlone ? "" : `<path class="whisker" d="M${low},12H${high}M${low},7V17M${high},7V17"/>`) +
      `<path class="mean" d="M${middle},3V21"/>`,
    showMean(mean),
  );
}

/** Bars of counts, those below zero in the color of a loss. */
export function histogram({ from, step, counts }: Histogram): string {
  const most = Math.max(1, ...counts);
  const width = WIDTH / counts.length;
  const bars = counts.map((count, i) => {
    const height = (100 * count) / most;
    const kind = from + (i + 0.5) * step < 0 ? "loss" : "gain";
    return `<rect class="${kind}" x="${(i * width).toFixed(1)}" y="${(100 - height).toFixed(1)}" width="${(width * 0.94).toFixed(1)}" height="${height.toFixed(1)}"/>`;
  });
  const zero = (-from / step) * width;
  const line = zero >= 0 && zero <= WIDTH ? `<path class="zero" d="M${zero.toFixed(1)},0V100"/>` : "";
  const end = from + step * counts.length;
  const words = `prompts by their mean gain, from ${showGain(from)} to ${showGain(end)}`;
  return `<div class="histogram">${svg(bars.join("") + line, words, 100)}<div class="ends"><span>${showGain(from)}</span><span>${showGain(end)}</span></div></div>`;
}

const svg = (shapes: string, words: string, height = HEIGHT): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" preserveAspectRatio="none" role="img" aria-label="${escapeHtml(words)}">${shapes}</svg>`;

/** Rows of a plot: a label, a whisker and words, below each other on a narrow screen. */
export function rowsPlot(
  rows: readonly { readonly label: string; readonly mean: Mean | null; readonly words: string }[],
  zero = 0,
): string {
  const scale = scaleOver(
    rows.map(({ mean }) => mean),
    zero,
  );
  const lines = rows.map(
    ({ label, mean, words }) =>
      `<div class="row"><span class="label">${escapeHtml(label)}</span>${whisker(mean, scale)}<span class="words">${escapeHtml(words)}</span></div>`,
  );
  return `<div class="rows">${lines.join("")}</div>`;
}

/** A table whose first column holds labels; cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string) =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("");
  return `<div class="scroll"><table><thead><tr>${cells(head, "th")}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row, "td")}</tr>`)
    .join("")}</tbody></table></div>`;
}

export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1d1f24;--faint:#626872;--line:#d5d8de;--card:#f5f6f8;--gain:#2f6fde;--loss:#c8641b;--open:#9aa1ac}
@media(prefers-color-scheme:dark){:root{--ground:#1b1d21;--ink:#e8e9ec;--faint:#a2a8b3;--line:#3b3f47;--card:#25282e;--gain:#6ea3ff;--loss:#ef9a57;--open:#757c88}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.2}h2{margin-top:2.5rem;font-size:1.25rem}h3{margin:1.5rem 0 .25rem;font-size:1rem}
p{max-width:45rem}.faint,.words,.ends,figcaption small{color:var(--faint)}.lead{font-size:1.1rem}
.scroll{overflow-x:auto}table{border-collapse:collapse}th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;font-variant-numeric:tabular-nums;white-space:nowrap}
.rows{display:grid;gap:.35rem}.row{display:grid;grid-template-columns:13rem 1fr 17rem;gap:.8rem;align-items:center}
.label{overflow-wrap:anywhere}.words{font-size:.9rem;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:1.5rem}path{fill:none;stroke:var(--ink);vector-effect:non-scaling-stroke}
.zero{stroke:var(--faint);stroke-dasharray:3 3}.whisker{stroke-width:1.5px}.mean{stroke-width:3px}
.gain{fill:var(--gain)}.loss{fill:var(--loss)}.open{fill:var(--open)}
.histogram svg{height:7rem}.ends{display:flex;justify-content:space-between;font-size:.9rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.shown{padding:.8rem;border-radius:.5rem;background:var(--card)}.shown p{margin:0 0 .5rem;overflow-wrap:anywhere}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));gap:.6rem}
figure{margin:0}figcaption{font-size:.9rem;overflow-wrap:anywhere}img{display:block;width:100%;border-radius:.25rem}
.withheld{display:grid;place-items:center;aspect-ratio:1;border:1px dashed var(--line);border-radius:.25rem;color:var(--faint);font-size:.9rem;text-align:center}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
@media(max-width:40rem){.row{grid-template-columns:1fr;gap:.1rem;padding-bottom:.5rem}dl{grid-template-columns:1fr}dt{margin-top:.4rem}}
`;
