import type { PromptMode, SearchMode, SizeName } from "../../../core/options.js";

/** Names in the menu of a message. */
export const menuNames = { optimize: "Optimize this", compare: "Compare this" } as const;

/** Names and descriptions that Discord shows while a command is typed. */
export const commandTexts = {
  options: {
    prompt: "What the picture should show",
    seed: "Starting number; the same seed gives the same picture",
    steps: "Denoising steps; more steps take longer",
    guidance: "How closely the picture follows the prompt",
    negative: "What the picture should not show",
    size: "Shape of the picture: choose one, or type width x height in pixels",
    sizes: {
      square: "square",
      portrait: "portrait",
      landscape: "landscape",
      larger: "larger",
    } satisfies Record<SizeName, string>,
    scheduler: "Sampling method",
    prompts: "How to read the prompt: with brackets that weigh words, or as diffusers reads it",
    promptModes: {
      diffusers: "diffusers: word for word, up to 77 tokens",
      weighted: "weighted: (word:1.3) counts more, [word] less; any length",
    } satisfies Record<PromptMode, string>,
    speed: "Full as diffusers draws it, fast with fewer steps, or turbo with an LCM-LoRA",
    style: "Words around what is drawn: one of this server's styles or a preset; none for none",
    rewriter: "What rewrites the prompt, or a style in its place; none leaves it as it is",
    model: "The model that draws; those that are installed and offered here",
    lora: "LoRAs: a name, name:0.8, or several with commas; <lora:name:0.8> in the prompt does the same",
    loraStrength: "How strong the LoRAs are that have no number of their own; 1 is usual",
    mode: "How to search for a rewrite: beam is the usual way, sample gives a new one each time",
    modes: {
      beam: "beam: the best one found",
      greedy: "greedy: the quickest one",
      sample: "sample: a new one each time",
    } satisfies Record<SearchMode, string>,
  },
  optimize: { description: "Rewrite a prompt with Promptist" },
  compare: {
    description: "Draw a prompt as written and as rewritten, side by side, from the same seed",
    from: "Use the prompt and settings that this picture's file carries",
    image: "Go on from this picture: both sides are drawn from it",
    strength: "How much of the image is drawn anew: 0.3 changes little, 1 everything",
    pairs: "How many pairs to draw, each from the next seed",
    blind: "Hide which picture is which until people have voted",
  },
  grid: {
    description: "Draw a prompt with several values of one or two options, as one labelled picture",
    x: "What changes from left to right, such as steps=10,20,30 or seed=1-4",
    y: "What changes from top to bottom, such as guidance=3,7.5",
    text: "Which text to draw: the prompt as written, or its rewrite",
    texts: { prompt: "the prompt as written", rewrite: "the rewrite by Promptist" },
  },
  stats: {
    description: "How often people prefer the rewrite in blind votes",
    show: "Show the win rate with its uncertainty",
    by: "What to compare",
    byServer: "the whole server",
    byUser: "each voter",
    byMode: "each way of rewriting",
    byRewriter: "rewriters, ranked",
    export: "Get the votes as JSON lines; all of them if you manage this server, otherwise yours",
  },
  taste: {
    description: "What this server likes in rewrites, learned from the blind votes",
    show: "Show the phrases that are liked and disliked, with their uncertainty",
    export: "Get what is known of every phrase as JSON lines",
    forget: "Forget what the votes so far have taught; they still count in the statistics",
    sure: "Yes, forget what this server's votes have taught",
  },
  style: {
    description: "Styles: words around what is drawn",
    list: "Show the styles here",
    save: "Save a style for this server, or replace one",
    title: "The style's name",
    words: "Words for the picture; {prompt} in them stands for the prompt, which else comes first",
    without: "What its pictures should not show",
    remove: "Remove a style of this server",
    import: "Add the styles of a styles.csv, as A1111 writes it",
    file: "A styles.csv with the columns name, prompt and negative_prompt",
  },
  settings: {
    description: "Settings of this server and its channels",
    show: "Show the settings here",
    showAll: "With everything that can be set",
    set: "Change a setting of this channel or server",
    reset: "Reset a setting, or all; the server's setting or the default applies",
    ping: "Turn your ping for finished results on or off",
    pingOn: "Whether to ping you",
    name: "Which setting",
    value: "The new value",
    role: "For useRoles and manageRoles: the role; write several as value",
    scope: "For this channel (the default) or the whole server",
    channel: "this channel",
    server: "the whole server",
  },
  admin: {
    description: "The whole queue and the machine",
    status: "Show the queue's length, devices, memory and versions",
    pause: "Start no more jobs; running ones finish",
    resume: "Start jobs again",
    failed: "List the jobs that failed",
    retry: "Put a failed job back in the queue",
    drop: "Delete a failed job",
    job: "The job's id",
  },
  queue: { description: "Show what is running and waiting, and where your jobs are" },
  history: { description: "List your last 25 jobs, and run one again" },
  info: {
    description: "Show the prompt and settings that a picture's file carries",
    picture: "A PNG, JPEG or WebP: one of this bot's, or from another program",
  },
  show: {
    description: "Show a stored result again",
    id: "The job's id, shown under its result",
    part: "Which zip of a batch's pictures you want",
    evaluation: "What rewriting did to the prompts of a batch, as a report",
  },
  mydata: {
    description: "What is stored about you",
    export: "Get all of it as a file",
    erase: "Delete all of it",
    confirm: "Yes, delete my jobs, pictures, votes and settings",
    messages: "Also delete the messages with my results (default: yes)",
  },
  help: { description: "What this bot can do" },
  batch: {
    description: "Compare all prompts of a file",
    file: ".txt (one prompt a line), .json or .jsonl (texts or pairs) or .csv (a prompt column)",
  },
} as const;

/** The answer to a direct message in words. */
export const directLine =
  "I only understand commands: `/compare` draws a prompt, and `/help` shows the others.";

/** The answer of `/help`, short enough for a phone. Commands in code become links. */
export const helpText = {
  title: "Promptist",
  lines: [
    "**Start here**",
    "`/compare` draws your prompt as written and as rewritten.",
    "`/optimize` only rewrites it.",
    "`/batch` compares all prompts of a file.",
    "`/grid` draws an option's values side by side.",
    `Any message: right-click it (on a phone, hold it), then **Apps**, then **${menuNames.optimize}** or **${menuNames.compare}**.`,
    "",
    "**Later**",
    "`/queue` shows what runs and waits.",
    "`/history` lists your jobs, `/show` shows one.",
    "`/info` reads the prompt in a picture's file.",
    "Buttons under a result draw it again.",
    "",
    "**Which is better?**",
    "`/compare blind:True` hides which is which until you vote.",
    "`/stats show` tells, `/taste show` says why.",
    "",
    "**Yours**",
    "`/settings ping` turns pings on or off.",
    "`/mydata export` and `/mydata erase`: what is stored about you.",
  ],
} as const;
