import { basename, join } from "node:path";
import type { PairSides } from "../../bot/requests/opponents.js";
import { readWords } from "../../core/emphasis.js";
import { InputError } from "../../core/errors.js";
import { imageOf, type Opponent } from "../../core/job.js";
import { type PictureJudgement, pairScores } from "../../core/judgement.js";
import {
  type ImageOptions,
  type OwnOptions,
  type PromptMode,
  promptModeOf,
  type TextOptions,
} from "../../core/options.js";
import { GIVEN, isModel, NO_REWRITER, rewriterNameOf, titleOf } from "../../core/rewriters.js";
import type { PerSide, Side } from "../../core/side.js";
import type { StyleWords } from "../../core/styles.js";
import type { Drawn, FromFile, Rewrite, WorkerInfo } from "../../inference/worker/protocol.js";
import { PAIRS_PER_SHEET } from "../../pictures/contact-sheet.js";
import { captionOf, type PairFiles } from "../../pictures/pair-card.js";
import type { Models } from "./models.js";
import { type ImageFlags, searchOptions, type TextFlags } from "./options.js";
import type { Output } from "./output.js";
import { PICTURE_NOTES } from "./picture-notes.js";
import { cutLines } from "./prompt.js";
import { stylesOf } from "./styles.js";

/** Pairs on the command line: rewriting all, then drawing all. */

export interface PairToDraw {
  readonly prompt: string;
  readonly optimized: string;
  /** Who wrote it, by name; null where it was given. */
  readonly rewriter: string | null;
  /** Whether it was held to the prompt's own words. */
  readonly kept?: boolean | undefined;
  /** Who wrote the other text, in place of the prompt as written. */
  readonly against?: Opponent;
  readonly seed: number;
  /** Options of this pair that replace those of all. */
  readonly image?: OwnOptions;
  readonly baseline: string;
  readonly drawn: string;
  /** Path of the side-by-side picture, if wanted. */
  readonly comparison?: string;
}

/** The other side of pairs. */
export interface AgainstFlags {
  readonly against?: string;
}

/** What decides how the texts of pairs are made, and what the command line says of them. Throws InputError INPUT_STYLE. */
export function sidesContext(
  flags: TextFlags & AgainstFlags & Pick<ImageFlags, "styles">,
  seed: number,
  isGiven: (option: string) => boolean,
) {
  const { usual, given: search } = searchOptions(flags, seed, isGiven);
  return {
    defaults: { text: { ...usual, rewriter: flags.rewriter } },
    styles: stylesOf(flags.styles),
    given: {
      rewriter: isGiven("rewriter") ? flags.rewriter : null,
      against: flags.against ?? null,
      search,
    },
  };
}

/** An opponent in what `--json` prints. */
export const opponentJson = ({ text, rewrite }: Opponent) => ({
  rewriter: rewriterNameOf(text),
  text: rewrite,
});

/** A pair's opponent with its text, which was given or is what its rewriter wrote now. */
export const withText = (
  against: PairSides["against"],
  written: Rewrite | undefined,
): Pick<PairToDraw, "against"> =>
  against === undefined
    ? {}
    : { against: { text: against.text, rewrite: against.rewrite ?? written!.rewrite, ms: null } };

/** Throws InputError INPUT_REWRITER for none, since both pictures of a pair would be the same. */
export function requireRewriting({ rewriter, against }: Pick<TextFlags, "rewriter"> & AgainstFlags): void {
  if (rewriter !== NO_REWRITER || against !== undefined) return;
  const message = `--rewriter ${NO_REWRITER} leaves a prompt as it is, so both pictures would be the same. Draw it once: promptist generate`;
  throw new InputError("INPUT_REWRITER", message, { rewriter });
}

/** What rewriters made of prompts. */
export interface Rewritten {
  readonly rewrites: readonly Rewrite[];
  /** The rewriters that were loaded, by name. */
  readonly loaded: ReadonlyMap<string, LoadedRewriter>;
  /** Milliseconds a prompt took, on average: they go through the model together. */
  readonly ms: number;
}

interface LoadedRewriter extends Pick<WorkerInfo, "hash" | "precision" | "device"> {
  /** Of its checkpoint. */
  readonly name: string;
}

/** A prompt to rewrite, and how. */
export interface PromptToRewrite {
  readonly prompt: string;
  readonly mode: PromptMode;
  readonly style?: StyleWords | undefined;
  readonly text: TextOptions;
}

/**
 * Rewrites all prompts, in their order, with each rewriter loaded once, one after another; `none` leaves a prompt
 * as it is and loads nothing.
 */
export async function rewriteAll(
  models: Models,
  output: Output,
  asked: readonly PromptToRewrite[],
): Promise<Rewritten> {
  const rewrites = asked.map(({ prompt }): Rewrite => ({ prompt, rewrite: prompt, candidates: [] }));
  const loaded = new Map<string, LoadedRewriter>();
  const started = performance.now();
  const names = new Set(asked.map(({ text }) => rewriterNameOf(text)));
  for (const name of [...names].filter(isModel)) {
    const own = [...asked.keys()].filter((i) => rewriterNameOf(asked[i]!.text) === name);
    await models.withRewriter(name, async (host) => {
      const { hash, precision, device } = host.info;
      loaded.set(name, { name: models.choiceOf(name).promptist.name, hash, precision, device });
      for (const options of new Set(own.map((i) => JSON.stringify(asked[i]!.text)))) {
        const group = own.filter((i) => JSON.stringify(asked[i]!.text) === options);
        const found = await host.call(
          "optimize",
          {
            prompts: group.map((i) => asked[i]!.prompt),
            modes: group.map((i) => asked[i]!.mode),
            styles: group.map((i) => asked[i]!.style),
            options: asked[group[0]!]!.text,
          },
          { signal: models.signal, onProgress: output.progress("rewriting") },
        );
        for (const [at, i] of group.entries()) rewrites[i] = found[at]!;
      }
    });
  }
  const ms = asked.length === 0 ? 0 : Math.round((performance.now() - started) / asked.length);
  return { rewrites, loaded, ms };
}

const writersOf = ({ rewriter }: PairToDraw, { text }: Opponent): PerSide<string> => ({
  baseline: titleOf(rewriterNameOf(text)),
  optimized: titleOf(rewriter ?? GIVEN),
});

interface DrawFlags {
  /** The picture that all of them go on from. */
  readonly from?: FromFile | null;
  readonly contactSheets?: boolean;
}

/** Draws all pairs, their comparisons and contact sheets with each model loaded once. */
export async function drawPairs(
  models: Models,
  output: Output,
  folder: string,
  pairs: readonly PairToDraw[],
  image: ImageOptions,
  { from = null, contactSheets = false }: DrawFlags,
) {
  const truncated: { file: string; words: string }[] = [];
  const composed: PairFiles[] = [];
  const drawn: PerSide<Drawn>[] = [];
  // One bar for all pictures, as if they took as many steps each.
  const advance = output.progress("drawing");
  let finished = 0;
  const images = pairs.map((pair) => imageOf({ image }, pair));
  return models.withModelsOf(images, async (host, { checkpoint, indexes, isLast }) => {
    for (const i of indexes) {
      const pair = pairs[i]!;
      const options = images[i]!;
      const mode = promptModeOf(options);
      const place = pairs.length > 1 ? ` ${i + 1} of ${pairs.length}` : "";
      const first = pair.against?.rewrite ?? pair.prompt;
      const half = async (side: Side, prompt: string, file: string): Promise<Drawn> => {
        const picture = await host.call(
          "draw",
          {
            prompt,
            plainPrompt: readWords(pair.prompt, mode),
            options,
            from,
            file,
            checkpoint,
            pair: {
              side,
              original: pair.prompt,
              rewrite: pair.optimized,
              rewriter: pair.rewriter,
              ...(pair.kept === true ? { kept: true } : {}),
              ...(pair.against === undefined
                ? {}
                : {
                    against: {
                      rewriter: rewriterNameOf(pair.against.text),
                      rewrite: pair.against.rewrite ?? "",
                    },
                  }),
            },
          },
          {
            signal: models.signal,
            onProgress: (done, of) =>
              advance(finished * of + done, 2 * pairs.length * of, `drawing ${side}${place}`),
          },
        );
        finished++;
        if (picture.truncated !== null) truncated.push({ file, words: picture.truncated });
        for (const line of cutLines(picture, mode)) output.say(`${basename(file)}: ${line}`);
        for (const note of picture.notes) output.say(`${basename(file)}: ${PICTURE_NOTES[note]}`);
        return picture;
      };
      drawn[i] = {
        baseline: await half("baseline", first, pair.baseline),
        optimized: await half("optimized", pair.optimized, pair.drawn),
      };
      const files = {
        texts: { baseline: first, optimized: pair.optimized },
        ...(pair.against === undefined ? {} : { writers: writersOf(pair, pair.against) }),
        files: { baseline: pair.baseline, optimized: pair.drawn },
        caption: captionOf({ ...options, ...(from === null ? {} : { from }) }, checkpoint),
      };
      if (pair.comparison) await host.call("compose", { pair: files, file: pair.comparison });
      composed[i] = files;
    }
    const sheets: string[] = [];
    for (let from = 0; contactSheets && isLast && from < composed.length; from += PAIRS_PER_SHEET) {
      const file = join(
        folder,
        from === 0 ? "contact-sheet.png" : `contact-sheet-${from / PAIRS_PER_SHEET + 1}.png`,
      );
      await host.call("sheet", {
        pairs: composed.slice(from, from + PAIRS_PER_SHEET),
        file,
        numbers: composed.slice(from, from + PAIRS_PER_SHEET).map((_, i) => from + i + 1),
      });
      sheets.push(file);
    }
    const judgements = drawn.map(
      ({ baseline, optimized }): PerSide<PictureJudgement> => ({
        baseline: baseline.judgement,
        optimized: optimized.judgement,
      }),
    );
    const scores = judgements.map((both, i) => pairScores(both, pairs[i]!.against === undefined));
    return {
      truncated,
      drawn,
      checkpoint,
      hash: host.info.hash,
      judgements,
      scores,
      sheets,
      device: host.info.device,
      precision: host.info.precision,
    };
  });
}
