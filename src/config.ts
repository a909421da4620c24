import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { nearestName, readEnvFile } from "./config/env-file.js";
import { DEVICE_HELP, textDeviceProblem } from "./core/devices.js";
import { InputError } from "./core/errors.js";
import type { LimitScope } from "./core/job.js";
import {
  CLIP_SKIP_RANGE,
  DECODERS,
  DEFAULT_IMAGE_OPTIONS,
  DEFAULT_LIMITS,
  DEFAULT_SPEED,
  DEFAULT_TEXT_OPTIONS,
  IMAGE_RANGES,
  type ImageOptions,
  KEEP_PROMPTS,
  LENGTH_RULES,
  LIMIT_RANGES,
  PRECISIONS,
  PROMPT_MODES,
  SCHEDULERS,
  SEARCH_MODES,
  SPEEDS,
  TEXT_RANGES,
  TEXT_WEIGHTS,
  type TextOptions,
} from "./core/options.js";
import { foldersIn, hubCacheOf } from "./core/paths.js";
import { PROMPTIST, REWRITER_NAMES } from "./core/rewriters.js";
import { TREATMENTS } from "./core/settings.js";
import {
  CAP_HELP,
  choices,
  device,
  devices,
  flag,
  inRange,
  integer,
  jobsOrNone,
  LIMIT_HELP,
  listed,
  MINUTES_HELP,
  memory,
  minutesOrNone,
  oneOf,
  SIDES_HELP,
  secret,
  size,
  text,
  type Variable,
  variable,
} from "./variable.js";

/** The miniatures in the program's own folder; nothing writes there. */
const OWN_MINIATURE = fileURLToPath(new URL("../checkpoints/miniature", import.meta.url));

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const MIB = 1024 * 1024;
const textVariable = (option: keyof typeof TEXT_RANGES, help: string) =>
  variable(String(DEFAULT_TEXT_OPTIONS[option]), inRange(TEXT_RANGES[option]), help);

/** Every variable of the configuration, in the order of .env.example. */
export const VARIABLES = {
  DISCORD_TOKEN: variable(
    "",
    secret,
    "Bot token. Empty: start a local Discord on this machine and print its address.",
  ),
  DISCORD_API_URL: variable("https://discord.com/api", z.url(), "Base URL of Discord's API."),
  SHARDS: variable(
    "auto",
    z.literal("auto").or(integer(1, 1_000)),
    "Connections to Discord, each for its share of the servers; Discord refuses more than 2,500 servers for one. auto: as many as Discord advises.",
  ),
  LOCAL_DISCORD_PORT: variable(
    "8420",
    integer(0, 65535),
    "Port of the local Discord on 127.0.0.1. 0: any free port.",
  ),
  DATA_DIR: variable("data", text.min(1), "Folder for the queue's database, pictures and compiled graphs."),
  DATABASE_URL: variable(
    "",
    z
      .string()
      .trim()
      .refine(
        (url) => url === "" || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)),
        "expected postgres://user:password@host:5432/database (a sign such as @ or / in the password as %40, %2F)",
      ),
    "Database in which the queue and all that is stored lives: postgres://user:password@host:5432/database (PostgreSQL 14 or later). Empty: a file in DATA_DIR.",
  ),
  ROLE: variable(
    "both",
    oneOf("both", "bot", "worker"),
    "What `promptist start` is: both; only the bot, without a device; or only a worker, without Discord, as `promptist worker` is. The last two need DATABASE_URL.",
  ),
  WORKER_PATIENCE_MINUTES: variable(
    "10",
    integer(0, 10_000),
    "Minutes without the database after which a worker ends by itself, so that a rented card is given back. 0: it waits for ever.",
  ),
  CHECKPOINTS_DIR: variable(
    "checkpoints",
    text.min(1),
    "Folder that holds promptist/, stable-diffusion-v1-5/ and clip/. Without them the miniature that comes with the program is used.",
  ),
  PROMPTIST_CHECKPOINT: variable(
    "",
    text,
    "Folder of the Promptist checkpoint. Empty: CHECKPOINTS_DIR/promptist, else the Hugging Face cache, else the miniature.",
  ),
  DIFFUSION_CHECKPOINT: variable(
    "",
    text,
    "Stable Diffusion checkpoint: a folder, a file, a name that `promptist checkpoints list` shows, or an id in the Hugging Face cache. Empty: CHECKPOINTS_DIR/stable-diffusion-v1-5, else the Hugging Face cache, else the miniature.",
  ),
  VAE: variable(
    "",
    text,
    "VAE to use in place of the checkpoint's own: a file, a folder or a name. Empty: NAME.vae.safetensors beside the single file NAME.safetensors, else the checkpoint's own.",
  ),
  DECODER: variable(
    "vae",
    oneOf(...DECODERS),
    "What makes the finished picture: vae, or taesd, which takes less time and memory, softens details, and is named in results and files (`promptist checkpoints pull taesd`). Previews use TAESD wherever it is there.",
  ),
  CLIP_SKIP: variable(
    "0",
    inRange(CLIP_SKIP_RANGE),
    "Last layers of the text encoder to leave out, as diffusers' clip_skip counts (1 is called 2 in some programs).",
  ),
  EMBEDDINGS: variable(
    "",
    text,
    "Embeddings (textual inversion) that prompts ask for by name: files and folders, separated by commas. Those in CHECKPOINTS_DIR and MODELS_DIRS are found without it.",
  ),
  CLIP_CHECKPOINT: variable(
    "",
    text,
    "Folder of the CLIP that scores pictures. Empty: CHECKPOINTS_DIR/clip, else the Hugging Face cache, if it is there. none: no scores.",
  ),
  MODELS_DIRS: variable(
    "",
    text,
    "Folders of other programs (A1111, Forge, ComfyUI) or any folders with models, or ComfyUI's extra_model_paths.yaml, separated by commas; they are read, never written. `promptist checkpoints list` shows what is there.",
  ),
  HF_HUB_CACHE: variable(
    "",
    text,
    "Cache of Hugging Face's programs, where models are looked for and read, never written. Empty: HF_HOME/hub.",
  ),
  HF_HOME: variable(
    "",
    text,
    "Folder of Hugging Face's programs. Empty: XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface.",
  ),
  HF_HUB_OFFLINE: variable("", flag, "1: `promptist checkpoints pull` downloads nothing."),
  TRANSFORMERS_OFFLINE: variable("", flag, "The same, under the name that transformers has for it."),
  HF_ENDPOINT: variable(
    "https://huggingface.co",
    z.url({ protocol: /^https?$/, error: "expected an http or https address" }),
    "Hub that `promptist checkpoints pull` downloads from; nothing else downloads.",
  ),
  HF_TOKEN: variable("", secret, "Access token for models on the hub that require one."),
  ADULT_MODELS: variable(
    "",
    text,
    "Names of models and LoRAs, with commas, that are offered in age-restricted channels only.",
  ),
  DEVICE: variable("auto", device, `${DEVICE_HELP}. auto: the GPU if one opens, else the CPU.`),
  DEVICES: variable(
    "",
    devices,
    "Several devices in place of DEVICE, each at work on a job of its own, such as cuda:0,cuda:1. auto: every card of NVIDIA that is found (`promptist doctor` lists them), else the one of DEVICE.",
  ),
  TEXT_DEVICE: variable(
    "auto",
    device,
    "Where Promptist runs: a device, or auto for where pictures are drawn. cpu: rewriting needs no turn on a card, so it goes on while pictures are drawn. With DEVICES: auto, cpu, or one of them.",
  ),
  DEVICE_MEMORY: variable(
    "auto",
    memory,
    "Memory that drawing may take on a device, such as 6GB or 5500MB. auto: nine tenths of the card's, or of the machine's where pictures are drawn on the CPU or the card's is not known. With less, the VAE computes in stripes and the parts of Stable Diffusion are loaded in turn; sizes that fit in no way are refused.",
  ),
  THREADS: variable("0", integer(0, 256), "CPU threads of a worker. 0: one per physical core."),
  PROMPTIST_WEIGHTS: variable(
    "int8",
    oneOf(...TEXT_WEIGHTS),
    `Weights of Promptist: ${choices(TEXT_WEIGHTS)}.`,
  ),
  DIFFUSION_PRECISION: variable(
    "auto",
    oneOf(...PRECISIONS),
    `Precision of Stable Diffusion: ${choices(PRECISIONS)}. auto: fp16 on a GPU, fp32 on the CPU.`,
  ),
  REWRITER: variable(
    PROMPTIST.name,
    oneOf(...REWRITER_NAMES),
    `What rewrites prompts where nobody says otherwise: ${choices(REWRITER_NAMES)}. All but promptist bring their own mode and sampling settings in place of the TEXT_ ones.`,
  ),
  KEEP_PROMPT: variable(
    "auto",
    oneOf(...KEEP_PROMPTS),
    "Whose rewrites begin with the prompt word for word and say no phrase twice, instead of being what the model writes by itself: auto (the miniature's), always or never. Named in Info and files.",
  ),
  TEXT_MODE: variable(
    DEFAULT_TEXT_OPTIONS.mode,
    oneOf(...SEARCH_MODES),
    `Search for the rewrite: ${choices(SEARCH_MODES)}.`,
  ),
  TEXT_BEAMS: textVariable("beams", "Beams."),
  TEXT_MAX_NEW_TOKENS: textVariable("maxNewTokens", "Longest rewrite, in tokens."),
  TEXT_LENGTH_PENALTY: textVariable("lengthPenalty", "Exponent of the length in a beam's score."),
  TEXT_LENGTH_RULE: variable(
    DEFAULT_TEXT_OPTIONS.lengthRule,
    oneOf(...LENGTH_RULES),
    "Length in a beam's score: hf5 (generated tokens) or hf4 (prompt included, as when Promptist appeared).",
  ),
  TEXT_REPETITION_PENALTY: textVariable(
    "repetitionPenalty",
    "Above 1: words already used become less likely.",
  ),
  TEXT_TEMPERATURE: textVariable("temperature", "Temperature of sampling."),
  TEXT_TOP_K: textVariable("topK", "Sampling draws from this many likeliest tokens. 0: from all."),
  TEXT_TOP_P: textVariable("topP", "Sampling draws from the likeliest tokens of this total probability."),
  SPEED: variable(
    DEFAULT_SPEED,
    oneOf(...SPEEDS),
    `Speed where nobody chooses one: ${choices(SPEEDS)}. full: IMAGE_STEPS, IMAGE_GUIDANCE and IMAGE_SCHEDULER. fast: 20 steps of DPM++ 2M Karras. turbo: 4 steps with an LCM-LoRA (\`promptist checkpoints pull lcm-lora\`) or 8 with Hyper-SD's.`,
  ),
  IMAGE_STEPS: variable(
    String(DEFAULT_IMAGE_OPTIONS.steps),
    inRange(IMAGE_RANGES.steps),
    "Denoising steps of a picture at full speed.",
  ),
  IMAGE_GUIDANCE: variable(
    "",
    z
      .literal("")
      .transform(() => null)
      .or(inRange(IMAGE_RANGES.guidance)),
    "Classifier-free guidance scale. 1 or less: none. Empty: the checkpoint's own (7.5; miniature: 2).",
  ),
  IMAGE_NEGATIVE: variable(DEFAULT_IMAGE_OPTIONS.negative, text, "Negative prompt."),
  IMAGE_SIZE: variable("", size, `WIDTHxHEIGHT in pixels, ${SIDES_HELP}. Empty: the checkpoint's own size.`),
  IMAGE_SCHEDULER: variable(
    DEFAULT_IMAGE_OPTIONS.scheduler,
    oneOf(...SCHEDULERS),
    `Scheduler: ${choices(SCHEDULERS)}.`,
  ),
  IMAGE_PROMPTS: variable(
    DEFAULT_IMAGE_OPTIONS.prompts,
    oneOf(...PROMPT_MODES),
    "How prompts are read: diffusers (brackets are words, the rest beyond 77 tokens is cut) or weighted ((word:1.3), [word] and BREAK are understood, at any length).",
  ),
  MAX_PROMPT_LENGTH: variable(
    String(DEFAULT_LIMITS.promptLength),
    inRange(LIMIT_RANGES.promptLength),
    "Longest prompt, in characters.",
  ),
  MAX_STEPS: variable(
    String(DEFAULT_LIMITS.steps),
    inRange(LIMIT_RANGES.steps),
    "Most denoising steps that a command may ask for.",
  ),
  MAX_SIDE: variable(
    "",
    z
      .literal("")
      .transform(() => null)
      .or(inRange(IMAGE_RANGES.side)),
    "Longest side of a picture, in pixels, that people may ask for in Discord. Empty: twice the checkpoint's own (1024 for Stable Diffusion 1.5, 128 for the miniature).",
  ),
  MAX_BATCH_PROMPTS: variable(
    String(DEFAULT_LIMITS.batch),
    inRange(LIMIT_RANGES.batch),
    "Most prompts in one batch file.",
  ),
  MAX_PAIRS: variable(
    String(DEFAULT_LIMITS.pairs),
    inRange(LIMIT_RANGES.pairs),
    "Most pairs that one comparison may ask for.",
  ),
  MAX_CELLS: variable(
    String(DEFAULT_LIMITS.cells),
    inRange(LIMIT_RANGES.cells),
    "Most pictures that one grid may ask for.",
  ),
  MAX_FILE_BYTES: variable(String(MIB), integer(1, 10 * MIB), "Largest batch file, in bytes."),
  MAX_WAITING_JOBS: variable("1000", integer(1, 1_000_000), "Most jobs that may wait; more are refused."),
  USER_LIMIT: variable("0", jobsOrNone, LIMIT_HELP("one person")),
  CHANNEL_LIMIT: variable("0", jobsOrNone, LIMIT_HELP("one channel")),
  SERVER_LIMIT: variable("0", jobsOrNone, LIMIT_HELP("one server")),
  USER_CAP: variable("100", jobsOrNone, CAP_HELP("one person")),
  CHANNEL_CAP: variable("0", jobsOrNone, CAP_HELP("one channel")),
  SERVER_CAP: variable("0", jobsOrNone, CAP_HELP("one server")),
  USER_MINUTES: variable("0", minutesOrNone, MINUTES_HELP("one person")),
  SERVER_MINUTES: variable("0", minutesOrNone, MINUTES_HELP("one server")),
  PREVIEW: variable(
    "off",
    z.enum(["on", "off"]).transform((value) => value === "on"),
    "on: show previews of unfinished pictures, unless a server or channel decides otherwise. Takes at most 2 % of the time.",
  ),
  TASTE: variable(
    "off",
    z.enum(["on", "off"]).transform((value) => value === "on"),
    "on: of the rewrites that a search finds, take the one that the server's blind votes like, unless a server or channel decides otherwise (docs/taste.md).",
  ),
  PICTURES: variable(
    "",
    z.string(),
    "Where pictures are kept: empty for the data folder, another folder, or s3://BUCKET/FOLDER?endpoint=https://HOST&region=REGION.",
  ),
  AWS_ACCESS_KEY_ID: variable(
    "",
    z.string(),
    "Key for the bucket of PICTURES; empty: what this machine may use.",
  ),
  AWS_SECRET_ACCESS_KEY: variable("", z.string(), "The secret of that key."),
  KEEP_PICTURES_DAYS: variable(
    "90",
    integer(0, 36_500),
    "Days after which pictures are deleted; their prompts and options stay, and Redraw draws them again. 0: never.",
  ),
  KEEP_PICTURES_BYTES: variable(
    String(20 * 1024 * MIB),
    integer(0, Number.MAX_SAFE_INTEGER),
    "Bytes of pictures over which the oldest are deleted. 0: no limit.",
  ),
  KEEP_JOBS_DAYS: variable(
    "365",
    integer(0, 36_500),
    "Days after which a job is deleted with its prompts. 0: never.",
  ),
  KEEP_JOBS_BYTES: variable(
    String(1024 * MIB),
    integer(0, Number.MAX_SAFE_INTEGER),
    "Bytes of the database over which the oldest jobs are deleted. 0: no limit.",
  ),
  MAX_ATTEMPTS: variable("3", integer(1, 20), "A job that failed this many times is set aside as failed."),
  PHASE_MS: variable(
    String(2 * MINUTE),
    integer(0, 24 * 60 * MINUTE),
    "Milliseconds after which a phase makes way for the other one, if that has work.",
  ),
  KEEP_MODELS_BYTES: variable(
    "0",
    integer(0, Number.MAX_SAFE_INTEGER),
    "Bytes of weights of picture models that stay loaded beside each other while they take turns. 0: one model at a time, as a card of 6 GB asks for.",
  ),
  WORKER_SILENCE_MS: variable(
    String(15 * MINUTE),
    integer(1000, 24 * 60 * MINUTE),
    "Milliseconds of silence after which a working model's process is ended and its job retried; four times as many if it prints.",
  ),
  UNCHECKED_PICTURES: variable(
    "spoiler",
    oneOf(...TREATMENTS),
    `${choices(TREATMENTS)}: how to post pictures that no safety checker saw, outside age-restricted channels.`,
  ),
  ADMIN_IDS: variable(
    "",
    z
      .string()
      .regex(/^\s*(\d{17,20}\s*(,\s*\d{17,20}\s*)*)?$/, "expected Discord user ids with commas between them")
      .transform((value) => value.match(/\d+/g) ?? []),
    "Discord user ids, separated by commas, that may use /admin. Empty: the owner of the Discord application, or its team.",
  ),
  LOG_LEVEL: variable(
    "info",
    oneOf("silent", "error", "warn", "info", "debug"),
    "silent, error, warn, info or debug. Readable lines on a terminal, else one JSON object a line.",
  ),
  METRICS_PORT: variable(
    "0",
    integer(0, 65535),
    "Port on 127.0.0.1 where Prometheus can read /metrics. 0: none.",
  ),
  OPERATOR_PORT: variable(
    "0",
    integer(0, 65535),
    "Port on 127.0.0.1 of the operator's panel, for every user of this machine. 0: none.",
  ),
} as const satisfies Record<string, Variable>;

type Key = keyof typeof VARIABLES;
export type Variables = { readonly [K in Key]: z.output<(typeof VARIABLES)[K]["schema"]> };

export interface Config extends Variables {
  /** Defaults of the commands' options, from REWRITER and the TEXT_ and IMAGE_ variables. */
  readonly text: TextOptions;
  readonly image: Omit<ImageOptions, "seed" | "guidance"> & {
    /** Null: use the checkpoint's own. */
    readonly guidance: number | null;
  };
  /** Limits of jobs in line at once, and of open jobs, by scope; scopes without a limit are left out. */
  readonly inLine: Partial<Record<LimitScope, number>>;
  readonly openCaps: Partial<Record<LimitScope, number>>;
  /** Minutes of the card a day. */
  readonly minutes: { readonly user?: number; readonly server?: number };
  /** How long and how much is kept, in milliseconds and bytes; null means no limit. */
  readonly retention: Readonly<
    Record<"picturesMs" | "picturesBytes" | "jobsMs" | "jobsBytes", number | null>
  >;
  /** Absolute paths of DATA_DIR and CHECKPOINTS_DIR, and of the files in DATA_DIR. */
  readonly dataDir: string;
  readonly checkpointsDir: string;
  /** Absolute path of the miniatures: CHECKPOINTS_DIR/miniature, else those that came with the program. */
  readonly miniatureDir: string;
  /** Absolute paths of MODELS_DIRS. */
  readonly modelsDirs: readonly string[];
  /** Absolute path of the cache that Hugging Face's programs share; undefined where there is no home folder. */
  readonly hubCacheDir: string | undefined;
  /** Whether downloads are forbidden. */
  readonly isOffline: boolean;
  readonly databaseFile: string;
  /** With a bucket, those of the last jobs. */
  readonly picturesDir: string;
  readonly cacheDir: string;
  /** CUDA's own variable: the cards that this program may see, as numbers or UUIDs; undefined for all. */
  readonly cudaCards: readonly string[] | undefined;
  /** Names of models and LoRAs for age-restricted channels only. */
  readonly adultModels: readonly string[];
  /** Absolute paths of EMBEDDINGS. */
  readonly embeddings: readonly string[];
}

/** Whether a variable holds a token or a password. */
const isSecret = (key: string): boolean => /_TOKEN$|^DATABASE_URL$|^AWS_SECRET/.test(key);

/**
 * Reads the configuration from the environment, laid over a `.env` file, and freezes it. Nothing else reads
 * `process.env`.
 * Throws InputError CONFIG, which names every wrong or unknown variable.
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  root: string = process.cwd(),
): Config {
  const file = readEnvFile(resolve(root, ".env"));
  const problems = Object.keys(file)
    .filter((key) => !(key in VARIABLES))
    .map((key) => `.env has an unknown setting ${key}${nearestName(key, Object.keys(VARIABLES))}`);

  const parts: Record<string, unknown> = {};
  for (const [key, { default: initial, schema }] of Object.entries<Variable>(VARIABLES)) {
    const given = environment[key] ?? file[key] ?? initial;
    const parsed = schema.safeParse(given === "" ? initial : given);
    if (parsed.success) parts[key] = parsed.data;
    else
      problems.push(
        `${key}=${isSecret(key) ? "…" : given}: ${parsed.error.issues.map((issue) => issue.message).join(", ")}`,
      );
  }
  const values = parts as Variables;
  if (problems.length === 0) problems.push(...textDeviceProblem(values.TEXT_DEVICE, values.DEVICES));
  if (problems.length > 0)
    throw new InputError(
      "CONFIG",
      `The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}\nSee .env.example for every setting.`,
    );

  const dataDir = resolve(root, values.DATA_DIR);
  const checkpointsDir = resolve(root, values.CHECKPOINTS_DIR);
  const home = environment.HOME ?? environment.USERPROFILE;
  return Object.freeze({
    ...values,
    text: Object.freeze({
      rewriter: values.REWRITER,
      mode: values.TEXT_MODE,
      beams: values.TEXT_BEAMS,
      maxNewTokens: values.TEXT_MAX_NEW_TOKENS,
      lengthPenalty: values.TEXT_LENGTH_PENALTY,
      lengthRule: values.TEXT_LENGTH_RULE,
      repetitionPenalty: values.TEXT_REPETITION_PENALTY,
      temperature: values.TEXT_TEMPERATURE,
      topK: values.TEXT_TOP_K,
      topP: values.TEXT_TOP_P,
      seed: 0,
    }),
    image: Object.freeze({
      steps: values.IMAGE_STEPS,
      guidance: values.IMAGE_GUIDANCE,
      negative: values.IMAGE_NEGATIVE,
      size: values.IMAGE_SIZE,
      scheduler: values.IMAGE_SCHEDULER,
      prompts: values.IMAGE_PROMPTS,
    }),
    inLine: Object.freeze(
      limitsOf({ user: values.USER_LIMIT, channel: values.CHANNEL_LIMIT, server: values.SERVER_LIMIT }),
    ),
    openCaps: Object.freeze(
      limitsOf({ user: values.USER_CAP, channel: values.CHANNEL_CAP, server: values.SERVER_CAP }),
    ),
    minutes: Object.freeze(limitsOf({ user: values.USER_MINUTES, server: values.SERVER_MINUTES })),
    retention: Object.freeze({
      picturesMs: values.KEEP_PICTURES_DAYS * DAY || null,
      picturesBytes: values.KEEP_PICTURES_BYTES || null,
      jobsMs: values.KEEP_JOBS_DAYS * DAY || null,
      jobsBytes: values.KEEP_JOBS_BYTES || null,
    }),
    adultModels: Object.freeze(listed(values.ADULT_MODELS)),
    embeddings: Object.freeze(listed(values.EMBEDDINGS).map((path) => resolve(root, path))),
    dataDir,
    checkpointsDir,
    miniatureDir: existsSync(resolve(checkpointsDir, "miniature"))
      ? resolve(checkpointsDir, "miniature")
      : OWN_MINIATURE,
    modelsDirs: Object.freeze(foldersIn(values.MODELS_DIRS, root, home)),
    hubCacheDir: hubCacheOf(values, environment.XDG_CACHE_HOME, home, root),
    isOffline: values.HF_HUB_OFFLINE || values.TRANSFORMERS_OFFLINE,
    databaseFile: resolve(dataDir, "promptist.sqlite"),
    picturesDir: values.PICTURES.startsWith("s3:")
      ? resolve(dataDir, "pictures-at-hand")
      : resolve(root, values.PICTURES || join(dataDir, "pictures")),
    cacheDir: resolve(dataDir, "graphs"),
    cudaCards:
      environment.CUDA_VISIBLE_DEVICES === undefined ? undefined : listed(environment.CUDA_VISIBLE_DEVICES),
  });
}

/** The limits that are set. */
const limitsOf = <Scope extends LimitScope>(limits: Record<Scope, number>): Partial<Record<Scope, number>> =>
  Object.fromEntries(Object.entries<number>(limits).filter(([, limit]) => limit > 0)) as Partial<
    Record<Scope, number>
  >;

/**
 * Removes the secrets from this process' environment after they are read: workers inherit it, and crash
 * reports list it.
 */
export function forgetSecrets(): void {
  for (const key of Object.keys(VARIABLES)) if (isSecret(key)) delete process.env[key];
}

/** The text of .env.example: every variable with its help and its default, commented out. */
export function envExample(): string {
  const blocks = Object.entries<Variable>(VARIABLES).map(
    ([key, { default: initial, help }]) => `# ${help}\n#${key}=${initial}\n`,
  );
  return `# Copy to .env and change what you need; every line shows the default.\n\n${blocks.join("\n")}`;
}
