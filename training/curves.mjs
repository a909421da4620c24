// Draws the losses of all stages over their minutes of training, as the logs in the scratch folder tell them; of a stage that
// was not trained there, as logs/ has them:
//   node training/curves.mjs <scratch folder>
// Writes curves.svg and the logs beside this file.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const STAGES = [
  { folder: "text-encoder", key: "distance", title: "text encoder: squared distance to the picture's code" },
  { folder: "decoder", key: "l1", title: "decoder: absolute difference of pixels (-1 to 1)" },
  { folder: "denoiser", key: "loss", title: "denoiser: squared error of the velocity" },
  { folder: "promptist", key: "loss", title: "Promptist: cross entropy of the answer's tokens" },
  { folder: "magicprompt", key: "loss", title: "MagicPrompt: cross entropy of what follows a prompt" },
  { folder: "turbo", key: "distance", title: "turbo: 4 steps of held-out captions, off their drawings" },
];
const [WIDTH, HEIGHT, LEFT, TOP, PITCH] = [420, 150, 50, 34, 220];

const scratch = resolve(process.argv[2] ?? "");
const here = fileURLToPath(new URL("./", import.meta.url));
mkdirSync(join(here, "logs"), { recursive: true });
const charts = STAGES.map(({ folder, key, title }, i) => {
  const made = join(scratch, folder, "log.jsonl");
  const file = join(here, "logs", `${folder}.jsonl`);
  if (existsSync(made)) copyFileSync(made, file);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const points = lines.map((line) => JSON.parse(line)).filter((line) => line[key]);
  const last = Math.max(...points.map(({ seconds }) => seconds));
  const values = points.map((point) => Math.log10(point[key]));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (seconds) => LEFT + (WIDTH * seconds) / last;
  const y = (value) => TOP + (HEIGHT * (high - value)) / (high - low || 1);
  const line = points
    .map((point, j) => `${x(point.seconds).toFixed(1)},${y(values[j]).toFixed(1)}`)
    .join(" ");
  const at = `translate(${(i % 2) * (WIDTH + 90)} ${Math.floor(i / 2) * PITCH})`;
  return `<g transform="${at}"><text x="${LEFT}" y="20">${title}</text>
<path d="M${LEFT} ${TOP}v${HEIGHT}h${WIDTH}" fill="none" stroke="#888"/>
<text x="${LEFT - 6}" y="${TOP + 5}" text-anchor="end">${(10 ** high).toPrecision(2)}</text>
<text x="${LEFT - 6}" y="${TOP + HEIGHT}" text-anchor="end">${(10 ** low).toPrecision(2)}</text>
<text x="${LEFT + WIDTH}" y="${TOP + HEIGHT + 16}" text-anchor="end">${Math.round(last / 60)} min</text>
<polyline points="${line}" fill="none" stroke="#3563c9" stroke-width="2"/></g>`;
});
const size = `width="${2 * (WIDTH + 90)}" height="${Math.ceil(STAGES.length / 2) * PITCH}"`;
writeFileSync(
  join(here, "curves.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12"><title>Losses of all stages over their minutes of training</title><rect width="100%" height="100%" fill="#fff"/>
${charts.join("\n")}
</svg>\n`,
);
