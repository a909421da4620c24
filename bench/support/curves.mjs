/** Small multiples of curves as one SVG, for docs: it has its own ground, so that it is read in light and dark themes. */

const COLORS = ["#1f6feb", "#c2410c", "#7c3aed", "#6b7280"];
const DASHES = ["", "7 4", "2 4", "10 3 2 3"];
const PANEL = { width: 300, height: 190, left: 44, top: 34, right: 14, bottom: 34 };
const ACROSS = 3;
const TITLE = 42;
const LEGEND = 34;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const text = (words, x, y, { size = 12, anchor = "start", weight = 400, fill = "#374151" } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${escaped(words)}</text>`;

/**
 * A panel for each of `panels` ({ title, curves: [{ label, points: [x, y][] }] }) with the same scales, x logarithmic,
 * and a line at `reference`.
 */
export function curvesSvg(panels, { title, x: xName, reference }) {
  const all = panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points));
  const [xs, ys] = [all.map(([x]) => x), [reference, ...all.map(([, y]) => y)]];
  const [xLow, xHigh] = [Math.min(...xs), Math.max(...xs)];
  const [yLow, yHigh] = [Math.floor(Math.min(...ys) / 5) * 5, Math.ceil(Math.max(...ys) / 5) * 5];
  const inner = {
    width: PANEL.width - PANEL.left - PANEL.right,
    height: PANEL.height - PANEL.top - PANEL.bottom,
  };
  const xOf = (x) => PANEL.left + (inner.width * Math.log(x / xLow)) / Math.log(xHigh / xLow);
  const yOf = (y) => PANEL.top + (inner.height * (yHigh - y)) / (yHigh - yLow || 1);
  const xTicks = [xLow, ...[50, 100, 200, 500].filter((x) => x > xLow && x < xHigh), xHigh];
  const yTicks = Array.from({ length: (yHigh - yLow) / 5 + 1 }, (_, i) => yLow + 5 * i);
  const drawn = panels.map((panel, n) => {
    const grid = [
      ...yTicks.map(
        (y) =>
          `<path d="M${PANEL.left},${yOf(y)}h${inner.width}" stroke="${y === reference ? "#6b7280" : "#e5e7eb"}"/>` +
          text(String(y), PANEL.left - 6, yOf(y) + 4, { size: 11, anchor: "end" }),
      ),
      ...xTicks.map((x) =>
        text(x.toLocaleString("en"), xOf(x), PANEL.height - PANEL.bottom + 16, {
          size: 11,
          anchor: "middle",
        }),
      ),
    ];
    const lines = panel.curves.map(({ points }, i) => {
      const path = points.map(
        ([x, y], k) => `${k === 0 ? "M" : "L"}${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`,
      );
      return `<path d="${path.join("")}" fill="none" stroke="${COLORS[i]}" stroke-width="2" stroke-dasharray="${DASHES[i]}"/>`;
    });
    const at = [(n % ACROSS) * PANEL.width, TITLE + Math.floor(n / ACROSS) * PANEL.height];
    return `<g transform="translate(${at})">${text(panel.title, PANEL.left, 22, { size: 13, weight: 600, fill: "#111827" })}${grid.join("")}${lines.reverse().join("")}</g>`;
  });
  const [width, height] = [
    ACROSS * PANEL.width + PANEL.right,
    TITLE + Math.ceil(panels.length / ACROSS) * PANEL.height + LEGEND,
  ];
  const legend = panels[0].curves.map(({ label }, i) => {
    const left = PANEL.left + i * 150;
    return (
      `<path d="M${left},${height - 18}h28" stroke="${COLORS[i]}" stroke-width="2" stroke-dasharray="${DASHES[i]}"/>` +
      text(label, left + 36, height - 14)
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">
<rect width="100%" height="100%" fill="#ffffff"/>
${text(title, PANEL.left, 28, { size: 16, weight: 600, fill: "#111827" })}
${drawn.join("\n")}
${legend.join("\n")}
${text(xName, width - 2 * PANEL.right, height - 14, { anchor: "end" })}
</svg>
`;
}
