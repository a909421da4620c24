import { Command, Option } from "commander";
import type { Config } from "../config.js";
import { AXIS_NAMES } from "../core/grid-axes.js";
import {
  ENLARGE_RANGE,
  ENLARGE_STRENGTH,
  IMAGE_RANGES,
  PRECISIONS,
  type Range,
  TEXT_WEIGHTS,
  UPSCALE_RANGES,
} from "../core/options.js";
import { REWRITER_NAMES } from "../core/rewriters.js";
import { VERSION } from "../core/version.js";
import { PAPER_IMAGE, USUAL_SEEDS } from "../evaluation/plan.js";
import type { BenchFlags } from "./bench.js";
import { addCheckpointsCommand } from "./checkpoints.js";
import type { CompareFlags } from "./compare.js";
import type { CopyFlags } from "./database.js";
import type { EvaluateFlags } from "./evaluate.js";
import type { GenerateFlags } from "./generate.js";
import type { GridFlags } from "./grid.js";
import type { LocalDiscordFlags } from "./local-discord.js";
import type { Models } from "./parts/models.js";
import {
  addAgainstOption,
  addCommonOptions,
  addExamples,
  addImageOptions,
  addPromptsOption,
  addSearchOptions,
  addSeedOption,
  addSourceOptions,
  addTextOptions,
  type CommonFlags,
  type ImageFlags,
  inRange,
  integer,
  type PromptsFlags,
  type TextFlags,
} from "./parts/options.js";
import { Output } from "./parts/output.js";
import type { AgainstFlags } from "./parts/pairs.js";
import type { ScoreFlags } from "./score.js";
import type { UpscaleFlags } from "./upscale.js";

/** The command line with all its verbs. Wrong usage throws a CommanderError; nothing exits the process. */
export function buildProgram(config: Config): Command {
  const program = new Command("promptist")
    .description("Rewrites prompts with Promptist and draws both with Stable Diffusion 1.5 from one seed.")
    .version(VERSION)
    .showHelpAfterError("(promptist --help lists the commands; --help after a command shows examples)")
    .exitOverride();
  // What a verb needs is loaded when it runs, so that help and mistakes are quick.
  const opened = async (output: Output, flags: Parameters<typeof Models.open>[2]) => {
    const { Models } = await import("./parts/models.js");
    return Models.open(config, output, flags);
  };
  const verb = (usage: string, description: string, ...examples: string[]) =>
    addExamples(program.command(usage).description(description), examples);

  addSeedOption(
    addPromptsOption(
      addTextOptions(
        addCommonOptions(
          verb(
            "optimize <text>",
            "rewrite a prompt",
            'optimize "A cat in the rain"',
            'optimize "A cat in the rain" --mode sample --seed 7',
            'optimize "A cat in the rain" --rewriter magicprompt',
          ),
          config,
        ),
        config,
      ),
      config,
    ),
  ).action(async (written: string, given: TextFlags & PromptsFlags, command: Command) => {
    const output = outputOf(given);
    const { withMentions } = await import("./parts/prompt.js");
    const { text, flags } = withMentions(written, given);
    const { optimize } = await import("./optimize.js");
    return optimize(await opened(output, flags), output, text, flags, givenOn(command));
  });
  addSourceOptions(
    addSeedOption(
      addImageOptions(
        addCommonOptions(
          verb(
            "generate <text>",
            "draw a prompt as written",
            'generate "A cat in the rain" --out cat.png',
            'generate "A cat in the rain" --out cat.png --seed 7 --steps 30 --size 512x768',
            'generate "A cat in the snow" --image cat.png --strength 0.6 --out snow.png',
            'generate "A cat in the rain" --enlarge 2 --out large.png',
            'generate "A (red:1.3) cat in the [rain]" --out cat.png --prompts weighted',
            'generate "A cat in the rain" --out cat.png --style watercolour',
          ),
          config,
        ),
        config,
      ),
    ),
  )
    .requiredOption("--out <file.png>", "the picture to write")
    .option(
      "--enlarge <x>",
      `draw over the picture, or over --image, made this many times as large (A1111's hires fix); --strength is then ${ENLARGE_STRENGTH} by default`,
      inRange(ENLARGE_RANGE),
    )
    .option("--upscaler <name>", "what makes it larger for --enlarge: a file, or a name (default: Lanczos)")
    .action(async (written: string, given: GenerateFlags, command: Command) => {
      const output = outputOf(given);
      const { withMentions } = await import("./parts/prompt.js");
      const { text, flags } = withMentions(written, given);
      const models = await opened(output, flags);
      const { generate } = await import("./generate.js");
      return generate(models, output, config, text, flags, givenOn(command));
    });
  const both = (command: Command) =>
    addSeedOption(
      addImageOptions(addTextOptions(addCommonOptions(command, config), config), config),
    ).requiredOption("--out <dir>", "folder for the results");
  const compared = (command: Command) => addAgainstOption(both(command));
  addSourceOptions(
    compared(
      verb(
        "compare <text>",
        "rewrite a prompt and draw both, side by side",
        'compare "A cat in the rain" --out cat',
        'compare "A cat in the rain" --out cat --seed 7 --negative "blurry"',
        'compare "A cat in the rain" --out cat --rewriter promptist --against magicprompt',
        'compare "A cat in the snow" --image cat.png --strength 0.6 --out snow',
      ),
    ),
  ).action(async (written: string, given: CompareFlags, command: Command) => {
    const output = outputOf(given);
    const { withMentions } = await import("./parts/prompt.js");
    const { text, flags } = withMentions(written, given);
    const { compare } = await import("./compare.js");
    return compare(await opened(output, flags), output, text, flags, givenOn(command));
  });
  compared(
    verb(
      "batch <file>",
      "compare every prompt of a .txt, .json, .jsonl, .csv or .tsv file",
      "batch prompts.txt --out drawn",
      "batch drawn/report.csv --out again",
    ),
  ).action(
    async (
      file: string,
      flags: TextFlags & ImageFlags & AgainstFlags & { out: string },
      command: Command,
    ) => {
      const output = outputOf(flags);
      const { batch } = await import("./batch.js");
      return batch(await opened(output, flags), output, config, file, flags, givenOn(command));
    },
  );
  const paper = { ...config, image: { ...config.image, ...PAPER_IMAGE } };
  addSeedOption(
    addImageOptions(
      addSearchOptions(
        addCommonOptions(
          verb(
            "evaluate <file>",
            "measure what rewriting does to the pictures of a file's prompts, as a report; goes on where it was stopped",
            "evaluate captions.txt --out measured",
            "evaluate captions.txt --rewriters promptist,magicprompt,none --seeds 4 --out measured",
          ),
          config,
        ),
        paper,
      ),
      paper,
    ),
    "0, of the first prompt's first picture; each further picture of the prompts has the next one",
  )
    .requiredOption("--out <dir>", "folder for the pictures and the report; named again, it is gone on with")
    .option(
      "--rewriters <list>",
      `what to compare, with commas: ${REWRITER_NAMES.join(", ")} and style:NAME; none is the prompt as written`,
      "promptist,none",
    )
    .option("--baseline <name>", "which of them the others are compared with (default: none, else the first)")
    .option("--seeds <n>", "pictures of each prompt and rewriter", inRange(EVALUATED_SEEDS), USUAL_SEEDS)
    .action(async (file: string, flags: EvaluateFlags, command: Command) => {
      const output = outputOf(flags);
      const { evaluate } = await import("./evaluate.js");
      return evaluate(await opened(output, flags), output, file, flags, givenOn(command));
    });
  both(
    verb(
      "grid <text>",
      "draw a prompt with several values of one or two options, as one labelled picture",
      'grid "A cat in the rain" --x steps=10,20,50 --y guidance=3,7.5 --out cat-grid',
      'grid "A cat in the rain" --x seed=1-9 --out cat-seeds',
      'grid "A cat in the rain" --x rewriter=none,promptist,magicprompt --out cat-rewriters',
      'grid "A cat in the rain" --x "guidance=1-13 [5]" --y scheduler=pndm,euler --text rewrite --out cat-grid',
    ),
  )
    .requiredOption("--x <axis>", `what changes from left to right: NAME=VALUES, of ${AXIS_NAMES.join(", ")}`)
    .option("--y <axis>", "what changes from top to bottom")
    .addOption(
      new Option("--text <which>", "which text to draw: the prompt as written, or its rewrite")
        .choices(["prompt", "rewrite"])
        .default("prompt"),
    )
    .action(async (written: string, given: GridFlags, command: Command) => {
      const output = outputOf(given);
      const { withMentions } = await import("./parts/prompt.js");
      const { text, flags } = withMentions(written, given);
      const { grid, variesStrength } = await import("./grid.js");
      const models = await opened(output, variesStrength(flags) ? { ...flags, lora: [] } : flags);
      return grid(models, output, text, flags, givenOn(command));
    });
  addCommonOptions(
    verb(
      "score <image...>",
      "rate how well pictures fit a prompt, and how beautiful and safe they are",
      'score cat.png --prompt "A cat in the rain"',
      'score cat/baseline.png cat/optimized.png --prompt "A cat in the rain"',
    ),
    config,
  )
    .requiredOption("--prompt <text>", "what they should show: the prompt before its rewrite")
    .option("--clip <dir>", "CLIP checkpoint (default: CLIP_CHECKPOINT, else what is in CHECKPOINTS_DIR)")
    .addOption(
      new Option("--precision <type>", "number type that the judges compute in")
        .choices(PRECISIONS)
        .default(config.DIFFUSION_PRECISION),
    )
    .action(async (images: readonly string[], flags: ScoreFlags) => {
      const output = outputOf(flags);
      const { score } = await import("./score.js");
      return score(await opened(output, flags), output, config, images, flags);
    });
  addCommonOptions(
    verb(
      "upscale <picture>",
      "make a picture larger with an upscaler of ESRGAN's family",
      "upscale cat.png --model RealESRGAN_x4plus --out cat-4x.png",
      "upscale cat.png --scale 2 --out cat-2x.png",
    ),
    config,
  )
    .requiredOption("--out <file.png>", "the picture to write")
    .option(
      "--model <name>",
      "upscaler: a file, or a name that checkpoints list shows (default: the only one)",
    )
    .option(
      "--scale <x>",
      "how many times as long the sides become (default: as the upscaler makes them)",
      inRange(UPSCALE_RANGES.factor),
    )
    .option(
      "--tile <pixels>",
      "longest side of what goes through the upscaler at once",
      inRange(UPSCALE_RANGES.tile),
    )
    .addOption(
      new Option("--precision <type>", "number type that the upscaler computes in")
        .choices(PRECISIONS)
        .default(config.DIFFUSION_PRECISION),
    )
    .action(async (picture: string, flags: UpscaleFlags) => {
      const output = outputOf(flags);
      const { upscale } = await import("./upscale.js");
      return upscale(await opened(output, flags), output, config, picture, flags);
    });
  verb(
    "info <picture...>",
    "show the prompt and settings that picture files carry, ours or another program's",
    "info cat.png",
    "info drawn/*.png --json",
  )
    .option("--json", "print one JSON object")
    .action(async (pictures: readonly string[], flags: { json?: boolean }) => {
      const { info } = await import("./info.js");
      return info(outputOf(flags), pictures);
    });
  addSeedOption(
    addTextOptions(
      addCommonOptions(
        verb(
          "verify",
          "check that Promptist, or another rewriter, loads and generates",
          "verify",
          "verify --rewriter magicprompt",
          "verify --promptist checkpoints/promptist",
        ),
        config,
      ),
      config,
    ),
  ).action(async (flags: TextFlags, command: Command) => {
    const output = outputOf(flags);
    const { verify } = await import("./verify.js");
    return verify(await opened(output, flags), output, flags, givenOn(command));
  });
  addCommonOptions(
    verb(
      "doctor",
      "check what is installed, what is missing and what to do",
      "doctor",
      "doctor --verbose",
      "doctor --explain DISK_FULL",
    ),
    config,
  )
    .option("--verbose", "also list how exact each operator of the models is on the device")
    .option("--explain [code]", "what a failure code means and what to do; without one, all of them")
    .action(async (flags: CommonFlags & { explain?: string | true; verbose?: boolean }) => {
      const output = outputOf(flags);
      const { doctor, explainCodes } = await import("./doctor.js");
      if (flags.explain !== undefined) return explainCodes(output, flags.explain);
      const healthy = await doctor(config, output, flags.device, flags.verbose === true);
      if (!healthy) process.exitCode = 1;
    });
  addCommonOptions(
    verb(
      "bench",
      "measure this machine: what a rewrite and a picture take, to paste into a report",
      "bench",
      "bench --random",
      "bench --device webgpu --json",
    ),
    config,
  )
    .option("--promptist <dir>", "Promptist checkpoint")
    .option("--diffusion <path>", "Stable Diffusion checkpoint")
    .addOption(
      new Option("--weights <type>", "number type of Promptist's weights")
        .choices(TEXT_WEIGHTS)
        .default(config.PROMPTIST_WEIGHTS),
    )
    .addOption(
      new Option("--precision <type>", "number type that Stable Diffusion computes in")
        .choices(PRECISIONS)
        .default(config.DIFFUSION_PRECISION),
    )
    .option(
      "--steps <n>",
      "denoising steps of each picture; the first one is not counted",
      integer(2, IMAGE_RANGES.steps.max),
      BENCH_STEPS,
    )
    .option(
      "--random",
      "where no published checkpoint is here, use random weights of the same size (8 GB of disk, deleted after)",
    )
    .action(async (flags: BenchFlags) => {
      const { bench } = await import("./bench.js");
      const isDrawn = await bench(config, outputOf(flags), flags);
      if (!isDrawn) process.exitCode = 1;
    });
  verb(
    "styles [file]",
    "list the styles that --style takes, or those of a styles.csv as A1111 writes it",
    "styles",
    "styles styles.csv --json",
  )
    .option("--json", "print one JSON object")
    .action(async (file: string | undefined, flags: { json?: boolean }) => {
      const { listStyles } = await import("./parts/styles.js");
      return listStyles(outputOf(flags), file);
    });
  verb("backup <file>", "copy the queue's database, even while the bot runs", "backup backups/today.sqlite")
    .option("--json", "print the result as JSON")
    .action(async (file: string, flags: { json?: boolean }) => {
      const { backup } = await import("./database.js");
      return backup(config, outputOf(flags), file);
    });
  addExamples(
    program
      .command("db")
      .description("the queue's database")
      .command("copy")
      .description("copy all that is stored into PostgreSQL or back, and compare; stop the bot first"),
    ["db copy --to postgres://promptist:secret@localhost/promptist"],
  )
    .option(
      "--to <url>",
      "from the data folder into this empty database: postgres://user:password@host/database",
    )
    .option("--from <url>", "from this database into the data folder, which must not have one")
    .option("--json", "print the result as JSON")
    .action(async (flags: CopyFlags & { json?: boolean }) => {
      const { copyDatabase } = await import("./database.js");
      return copyDatabase(config, outputOf(flags), flags);
    });
  addCheckpointsCommand(program, config);
  verb(
    "local-discord",
    "run a local Discord for any bot, with a page to chat in",
    "local-discord",
    "local-discord --port 0 --name guide --folder world",
  )
    .option(
      "--port <number>",
      "port on 127.0.0.1; 0 is any free one",
      integer(0, 65_535),
      config.LOCAL_DISCORD_PORT,
    )
    .option("--token <token>", "the bot's token (default: a new one)")
    .option("--name <name>", "the bot's user name", "bot")
    .option("--folder <folder>", "keep messages and files here (default: in memory only)")
    .option("--json", "print the address as JSON")
    .action(async (flags: LocalDiscordFlags & { json?: boolean }) => {
      const { localDiscord } = await import("./local-discord.js");
      await localDiscord(outputOf(flags), flags);
    });
  verb(
    "start",
    "run the bot (with a local Discord if there is no DISCORD_TOKEN)",
    "start",
    "DISCORD_TOKEN=... promptist start",
  ).action(async () => {
    const { start } = await import("./start.js");
    await start(config);
  });
  verb(
    "worker",
    "rewrite and draw for a bot on another machine, over a database that both use (DATABASE_URL)",
    "worker",
    "DATABASE_URL=postgres://... promptist worker",
  ).action(async () => {
    const { start } = await import("./start.js");
    await start({ ...config, ROLE: "worker" });
  });
  return program;
}

/** Few enough for a slow machine, and enough for a median. */
const BENCH_STEPS = 6;

const EVALUATED_SEEDS: Range = { min: 1, max: 100, whole: true };

const outputOf = (flags: { json?: boolean }): Output => new Output(flags.json === true);

/** Whether the command line itself gives an option. */
const givenOn =
  (command: Command) =>
  (option: string): boolean =>
    command.getOptionValueSource(option) === "cli";
