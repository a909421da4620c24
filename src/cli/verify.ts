import { InputError } from "../core/errors.js";
import { randomSeed } from "../core/options.js";
import { NO_REWRITER } from "../core/rewriters.js";
import type { Models } from "./parts/models.js";
import { type TextFlags, textOptions } from "./parts/options.js";
import type { Output } from "./parts/output.js";

/** The prompt that the original reproduction checks itself with. */
const PROMPT = "A futuristic city with flying cars";

/**
 * `promptist verify`: proves that a rewriter loads and generates; prints what was loaded, its size and the
 * time.
 */
export async function verify(
  models: Models,
  output: Output,
  flags: TextFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const options = textOptions(flags, flags.seed ?? randomSeed(), isGiven);
  if (options.rewriter === NO_REWRITER)
    throw new InputError("INPUT_REWRITER", `--rewriter ${NO_REWRITER} loads nothing that could be checked.`, {
      rewriter: NO_REWRITER,
    });
  const { miniature, note } = models.noteMiniature(["text"]);
  const { rewrite, info, seconds } = await models.withModel("text", async (host) => {
    const started = performance.now();
    const [rewrite] = await host.call(
      "optimize",
      { prompts: [PROMPT], options },
      { signal: models.signal, onProgress: output.progress("rewriting") },
    );
    return { rewrite: rewrite!, info: host.info, seconds: (performance.now() - started) / 1000 };
  });
  const { name, directory } = models.choice.promptist;
  output.result(
    {
      prompt: PROMPT,
      optimized: rewrite.rewrite,
      candidates: rewrite.candidates,
      checkpoint: name,
      directory,
      model: info.parameters,
      weights: info.precision,
      weightBytes: info.weightBytes,
      device: info.device,
      loadSeconds: info.loadMs / 1000,
      seconds,
      settings: options,
      miniature,
      note,
    },
    [
      `checkpoint  ${name} (${directory})`,
      `model       ${info.parameters}`,
      `weights     ${info.precision}, ${(info.weightBytes / 2 ** 20).toFixed(1)} MiB`,
      `device      ${info.device}`,
      `time        ${(info.loadMs / 1000).toFixed(2)} s to load, ${seconds.toFixed(2)} s to rewrite`,
      `prompt      ${PROMPT}`,
      `optimized   ${rewrite.rewrite}`,
      ...(options.mode === "sample" ? [`seed        ${options.seed}`] : []),
    ].join("\n"),
  );
}
