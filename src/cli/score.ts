import { basename, resolve } from "node:path";
import { findJudges } from "../checkpoints/layouts/find-judges.js";
import type { Config } from "../config.js";
import { CheckpointError } from "../core/errors.js";
import { type PairScores, type PictureJudgement, pairScores, relevanceTerm } from "../core/judgement.js";
import type { Models } from "./parts/models.js";
import type { CommonFlags, ImageFlags } from "./parts/options.js";
import type { Output } from "./parts/output.js";
import { placesOf } from "./parts/places.js";
import { checkPrompt } from "./parts/prompt.js";

export interface ScoreFlags extends CommonFlags, Pick<ImageFlags, "precision"> {
  readonly prompt: string;
  readonly clip?: string;
}

/**
 * `promptist score IMAGE... --prompt TEXT`: relevance, beauty and the safety checker's verdict of picture
 * files. Two pictures count as a pair, baseline first, and get Promptist's reward too.
 */
export async function score(
  models: Models,
  output: Output,
  config: Config,
  images: readonly string[],
  flags: ScoreFlags,
): Promise<void> {
  const plainPrompt = checkPrompt(flags.prompt);
  const { diffusion } = models.choice;
  const given = flags.clip ?? (config.CLIP_CHECKPOINT || undefined);
  const judges = findJudges(diffusion, config.checkpointsDir, given, placesOf(config));
  if (judges.clip === null && judges.safety === null)
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `There is neither a CLIP nor a safety checker in ${config.checkpointsDir}. Run: promptist checkpoints pull clip`,
    );
  const isMiniature = judges.clipName === "miniature";
  const note = isMiniature
    ? "scored by the miniature CLIP, which knows only the miniature's subjects; get the published one: promptist checkpoints pull clip"
    : null;
  if (note) output.say(`Note: ${note}.`);

  const started = performance.now();
  const { judged, info } = await models.withTool({ phase: "score", judges }, async (host) => {
    const judged: { file: string; judgement: PictureJudgement }[] = [];
    const advance = output.progress("scoring");
    for (const image of images) {
      const file = resolve(image);
      const judgement = await host.call("judge", { file, plainPrompt }, { signal: models.signal });
      judged.push({ file, judgement });
      advance(judged.length, images.length);
    }
    return { judged, info: host.info };
  });
  const [baseline, optimized] = judged.map(({ judgement }) => judgement);
  const pair = judged.length === 2 && baseline && optimized ? pairScores({ baseline, optimized }) : null;
  output.result(
    {
      prompt: plainPrompt,
      pictures: judged.map(({ file, judgement }) => ({
        file,
        ...judgement,
        relevanceTerm: judgement.relevance === null ? null : relevanceTerm(judgement.relevance),
      })),
      pair,
      judges,
      miniature: isMiniature,
      note,
      precision: info.precision,
      device: info.device,
      seconds: (performance.now() - started) / 1000,
    },
    [
      ...table(judged),
      ...(pair === null ? [] : ["", `As a pair, the first being the baseline: ${scoreLine(pair)}`]),
    ].join("\n"),
  );
}

const number = (value: number | null, digits: number): string =>
  value === null ? "-" : value.toFixed(digits);

function table(judged: readonly { file: string; judgement: PictureJudgement }[]): string[] {
  const rows = judged.map(({ file, judgement: { relevance, beauty, safety } }) => [
    number(relevance, 4),
    number(beauty, 2),
    typeof safety === "string" ? safety : safety.flagged ? `flagged (${safety.concepts.join(", ")})` : "safe",
    basename(file),
  ]);
  const all = [["RELEVANCE", "BEAUTY", "SAFETY", "PICTURE"], ...rows];
  const widths = [0, 1, 2].map((i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
}

/** The pair's score by the measure that Promptist was trained on. */
export const scoreLine = ({ relevanceTerm: term, beautyGain, reward }: PairScores): string =>
  `relevance term ${number(term, 2)}, beauty gain ${number(beautyGain, 2)}, reward ${number(reward, 2)}.`;
