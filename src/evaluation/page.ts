import type { Mean } from "../core/statistics/bootstrap.js";
import { escapeHtml, histogram, rowsPlot, STYLE, showGain, showMean, showPercent, table } from "./html.js";
import type { Measure } from "./scores.js";
import type { Group, PhraseGroup, RewriterSummary, Shown, Summary } from "./summary.js";

/** A picture of the page: a small WebP, `withheld` where it is not to be shown, null where there is none. */
export type Thumbnail = Uint8Array | "withheld" | null;

export interface PageContent {
  readonly summary: Summary;
  /** What it was made with, as it is shown: model, steps, seeds ... */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** The picture of a prompt by a rewriter with a prompt's first seed. */
  readonly picture: (prompt: number, rewriter: string) => Promise<Thumbnail>;
}

/** The percentile bootstrap knows nothing of what so few did not show. */
const FEW = 20;

const TITLES: Readonly<Record<Measure, string>> = {
  reward: "Reward",
  relevance: "Relevance",
  beauty: "Beauty",
};

/**
 * The report as one HTML page without scripts, which loads nothing: pictures and plots are in it. It follows the
 * reader's light or dark theme, and fits a phone.
 */
export async function reportPage({ summary, facts, picture }: PageContent): Promise<string> {
  const { prompts, seeds, baseline, rewriters, sample } = summary;
  const names = rewriters.map(({ name }) => name);
  const title = `${names.join(", ")}: ${prompts} ${prompts === 1 ? "prompt" : "prompts"}, ${seeds} ${seeds === 1 ? "seed" : "seeds"} each`;
  const sections = [
    `<h1>${escapeHtml(title)}</h1>`,
    ...rewriters.flatMap((rewriter) => verdict(rewriter, summary)),
    prompts < FEW
      ? `<p class="faint">Few prompts: intervals of fewer than ${FEW} are narrower than they should be.</p>`
      : "",
    `<h2>Scores</h2>${scoreTable(summary)}`,
    rewriters.length > 1 ? `<h2>Against ${escapeHtml(baseline)}</h2>${comparison(summary)}` : "",
    duels(summary),
  ];
  for (const rewriter of rewriters) sections.push(await rewriterSection(rewriter, summary, picture));
  const inOrder = [baseline, ...names.filter((name) => name !== baseline)];
  const sampled = await Promise.all(sample.map((shown) => card(shown, inOrder, shown.rewrites, picture)));
  sections.push(
    `<h2>A few prompts, chosen by their place in the file</h2>${cards(sampled)}`,
    `<h2>How it was made</h2><dl>${facts
      .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
      .join("")}</dl>${METHOD}`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>
${sections.filter((section) => section !== "").join("\n")}
</body></html>
`;
}

/** In one sentence whether a rewriter helps. */
function verdict({ name, against }: RewriterSummary, { measures, baseline }: Summary): string[] {
  const measure = measures[0]!;
  const gain = against?.gains[measure];
  const rate = against?.wins[measure];
  if (!gain || !rate) return [];
  const how = gain.low > 0 ? "does better than" : gain.high < 0 ? "does worse than" : "can't be told from";
  return [
    `<p class="lead"><strong>${escapeHtml(name)}</strong> ${how} ${escapeHtml(baseline)}: ${measure} ${showMean(gain, showGain)}, and ${showPercent(rate.mean)} of its pictures win (${showPercent(rate.low)} to ${showPercent(rate.high)}).</p>`,
  ];
}

const scoreTable = ({ rewriters, measures }: Summary): string =>
  table(
    ["", ...measures.map((measure) => TITLES[measure])],
    rewriters.map(({ name, scores }) => [name, ...measures.map((measure) => showMean(scores[measure]))]),
  );

/** A plot for each measure, since each has its own unit, and one of how often each wins. */
function comparison({ rewriters, measures }: Summary): string {
  const others = rewriters.flatMap(({ name, against }) => (against === null ? [] : [{ name, against }]));
  const gains = measures.map(
    (measure) =>
      `<h3>${TITLES[measure]} gained</h3>${rowsPlot(
        others.map(({ name, against }) => gainRow(name, against.gains[measure])),
      )}`,
  );
  const wins = measures.map(
    (measure) =>
      `<h3>Pictures with more ${measure}</h3>${rowsPlot(
        others.map(({ name, against }) => {
          const rate = against.wins[measure];
          const words =
            rate === null
              ? "–"
              : `${showPercent(rate.mean)} (${showPercent(rate.low)} to ${showPercent(rate.high)})`;
          return { label: name, mean: rate, words };
        }),
        0.5,
      )}`,
  );
  return [...gains, ...wins].join("");
}

function duels({ duels, measures }: Summary): string {
  if (duels.length === 0) return "";
  const measure = measures[0]!;
  const rows = duels.map(({ first, second, gains, wins }) => {
    const rate = wins[measure];
    return [
      `${first} against ${second}`,
      showMean(gains[measure], showGain),
      rate === null ? "–" : showPercent(rate.mean),
    ];
  });
  return `<h2>Against each other</h2>${table(["", `${TITLES[measure]} gained`, "Wins"], rows)}`;
}

async function rewriterSection(
  { name, against }: RewriterSummary,
  { baseline, measures, prompts }: Summary,
  picture: PageContent["picture"],
): Promise<string> {
  if (against === null) return "";
  const measure = measures[0]!;
  const { histogram: spread, lengths, topics, phrases, worst, best, unchanged } = against;
  const row = ({ label, gain, prompts }: Group) => gainRow(label, gain, prompts);
  const shown = (list: readonly Shown[]) =>
    Promise.all(
      list.map((it) => card(it, [baseline, name], { ...it.rewrites, [baseline]: "" }, picture, name)),
    );
  const parts = [
    `<h2>${escapeHtml(name)}</h2>`,
    unchanged === 0 ? "" : `<p>${unchanged} of ${prompts} prompts were left as they are.</p>`,
    `<h3>How the prompts' ${measure} changed</h3>${histogram(spread)}`,
    `<h3>By length of the prompt</h3>${rowsPlot(lengths.map(row))}`,
    topics.length === 0 ? "" : `<h3>By what the prompt names</h3>${rowsPlot(topics.map(row))}`,
    addedWords(phrases),
    worst.length === 0 ? "" : `<h3>Where it hurt most</h3>${cards(await shown(worst))}`,
    best.length === 0 ? "" : `<h3>Where it helped most</h3>${cards(await shown(best))}`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** What prompts with the words that a rewriter adds gained over the others; words that all got can't be told from it. */
function addedWords(phrases: readonly PhraseGroup[]): string {
  const told = phrases.filter(({ difference }) => difference !== null);
  const untold = phrases
    .filter(({ difference }) => difference === null)
    .map(({ label }) => escapeHtml(label));
  const parts = [
    told.length === 0
      ? ""
      : `${rowsPlot(told.map(({ label, difference, prompts }) => gainRow(label, difference, prompts)))}<p class="faint">A difference between prompts with and without the words: it does not say that the words caused it.</p>`,
    untold.length === 0 ? "" : `<p>Added to every prompt: ${untold.join(", ")}.</p>`,
  ];
  return phrases.length === 0
    ? ""
    : `<h3>Words most added, and what prompts with them gained over the others</h3>${parts.join("")}`;
}

const gainRow = (label: string, mean: Mean | null, prompts?: number) => ({
  label: prompts === undefined ? label : `${label} (${prompts})`,
  mean,
  words: showMean(mean, showGain),
});

const cards = (all: readonly string[]): string => `<div class="cards">${all.join("")}</div>`;

/** A prompt with the pictures of some rewriters and what these made of it. */
async function card(
  { prompt, text, gain }: Shown,
  names: readonly string[],
  rewrites: Readonly<Record<string, string>>,
  picture: PageContent["picture"],
  rewriter?: string,
): Promise<string> {
  const figures = await Promise.all(
    names.map(async (name) => {
      const rewrite = rewrites[name] ?? "";
      const words = rewrite === "" || rewrite === text ? "" : `<br><small>${escapeHtml(rewrite)}</small>`;
      return `<figure>${image(await picture(prompt, name), name)}<figcaption>${escapeHtml(name)}${words}</figcaption></figure>`;
    }),
  );
  const change =
    gain === null ? "" : ` <span class="faint">${escapeHtml(rewriter ?? "")} ${showGain(gain)}</span>`;
  return `<div class="shown"><p>${prompt + 1}. ${escapeHtml(text)}${change}</p><div class="pictures">${figures.join("")}</div></div>`;
}

function image(thumbnail: Thumbnail, name: string): string {
  if (thumbnail === "withheld")
    return `<div class="withheld">withheld: the safety checker flagged it, or did not see it</div>`;
  if (thumbnail === null) return `<div class="withheld">the picture is gone</div>`;
  return `<img alt="${escapeHtml(`drawn by ${name}`)}" src="data:image/webp;base64,${Buffer.from(thumbnail).toString("base64")}">`;
}

const METHOD = `<p class="faint">Relevance is the cosine of CLIP's embeddings of picture and plain prompt, beauty the aesthetic predictor's score. Reward is what Promptist was trained for (Hao et al. 2022): 20 times the relevance minus 5.6, at most 0, plus the beauty gained over the baseline's picture of the same prompt and seed. Intervals hold 95 %: the percentile bootstrap over prompts, each with the mean of its seeds, and gains are differences within a prompt and seed. Of twenty such intervals, one misses its true value by chance; so single rows of the long lists are hints. Bars are blue or orange where the interval leaves out zero. Numbers in brackets after a label count prompts.</p>`;
