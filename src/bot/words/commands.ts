import type { SearchMode, SizeName } from "../../core/options.js";

/** Names in the menu of a message. */
export const menuNames = { optimize: "Optimize this", compare: "Compare this" } as const;

/** Names and descriptions that Discord shows while a command is typed. */
export const commandTexts = {
  options: {
    prompt: "What the picture should show",
    seed: "Number that fixes the noise; the same seed gives the same picture",
    steps: "Denoising steps; more is slower",
    guidance: "How closely the picture follows the prompt",
    negative: "What the picture should not show",
    size: "Shape of the picture: choose one, or write width x height in pixels",
    sizes: {
      square: "square",
      portrait: "portrait",
      landscape: "landscape",
      larger: "larger",
    } satisfies Record<SizeName, string>,
    scheduler: "How the noise is taken away",
    mode: "How the rewrite is searched: beam is the best known, sample differs each time",
    modes: {
      beam: "beam: the best that is found",
      greedy: "greedy: the quickest",
      sample: "sample: another each time",
    } satisfies Record<SearchMode, string>,
  },
  optimize: { description: "Rewrite a prompt with Promptist" },
  compare: {
    description: "Draw a prompt as written and as rewritten, side by side, from one seed",
    pairs: "How many pairs to draw, each from the next seed",
    blind: "Hide which picture is which until people have voted",
  },
  stats: {
    description: "How often people prefer the rewrite in blind votes",
    show: "Show the win rate with its uncertainty",
    by: "What to compare",
    byServer: "the whole server",
    byUser: "each voter",
    byMode: "each way of rewriting",
    export: "Get the votes as JSON lines; all of them if you manage this server, else your own",
  },
  settings: {
    description: "What this server and its channels decide",
    show: "Show what is set here",
    set: "Change a setting of this channel or server",
    reset: "Forget a setting, or all of them, so that the wider one holds",
    ping: "Choose whether you are called when a result is ready",
    pingOn: "Whether to call you",
    name: "Which setting",
    value: "Its new value",
    role: "For useRoles and manageRoles: the role; write several as value",
    scope: "For this channel (the default) or the whole server",
    channel: "this channel",
    server: "the whole server",
  },
  admin: {
    description: "The queue as a whole and the machine",
    status: "Show the queue's length, devices, memory and versions",
    pause: "Hand out no more work; what runs is finished",
    resume: "Hand out work again",
    failed: "List the jobs that were set aside after failing",
    retry: "Let a failed job wait again",
    drop: "Delete a failed job",
    job: "The job's id",
  },
  queue: { description: "Show what runs and waits, and where your jobs stand" },
  history: { description: "List your last 25 jobs, and do one again" },
  show: {
    description: "Bring up a stored result again",
    id: "The job's id, as it stands under the result",
    part: "Which zip of a batch's pictures to send you",
  },
  mydata: {
    description: "What is stored about you",
    export: "Get all of it as a file",
    erase: "Delete all of it",
    confirm: "Yes, delete my jobs, pictures, votes and settings",
    messages: "Delete the messages with my results, too; yes if you do not say",
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
    `Any message: right-click it (on a phone, hold it), then **Apps**, then **${menuNames.optimize}** or **${menuNames.compare}**.`,
    "",
    "**Later**",
    "`/queue` shows what runs and waits.",
    "`/history` lists your last jobs, `/show` brings one back.",
    "Buttons under a result draw it again.",
    "",
    "**Which is better?**",
    "`/compare blind:True` hides which is which until you vote.",
    "`/stats show` tells which wins.",
    "",
    "**Yours**",
    "`/settings ping` turns pings on or off.",
    "`/mydata export` and `/mydata erase`: what is stored about you.",
  ],
} as const;
