import type { ErrorCode } from "../../core/errors.js";

/** What a failure code means and what to do about it, for the operator. */
export interface Explanation {
  readonly means: string;
  readonly todo: string;
}

const theirs = (means: string): Explanation => ({
  means,
  todo: "Nothing: the person was told what to change, and nothing was stored.",
});

export const EXPLANATIONS: Readonly<Record<ErrorCode, Explanation>> = {
  INPUT_EMPTY: theirs("A prompt was empty, or held nothing but control characters."),
  INPUT_TOO_LONG: {
    means:
      "A prompt had more characters than MAX_PROMPT_LENGTH, or a line of a batch file did. The number of tokens does not matter: Promptist rewrites the beginning that it can read and keeps the rest.",
    todo: "The person can shorten the prompt, which was stored nowhere; or raise MAX_PROMPT_LENGTH (6000 at most, Discord's own limit).",
  },
  INPUT_OPTION: theirs("An option of a command was out of its range."),
  INPUT_SIZE: {
    means:
      "Someone asked for a picture with a side longer than MAX_SIDE, by default twice the checkpoint's own.",
    todo: "Nothing, or raise MAX_SIDE if this machine draws such pictures fast enough for everyone who waits.",
  },
  INPUT_MEMORY: {
    means:
      "Someone asked for a picture that takes more memory than there is, by the count that promptist doctor shows, however sparingly it is drawn.",
    todo: "Nothing, or raise DEVICE_MEMORY if there is more than it says.",
  },
  GRID_AXIS: theirs("An axis of a grid had a name that is none, or no values."),
  GRID_TWICE: theirs("Both axes of a grid were the same."),
  GRID_LORA: theirs("A grid was to vary the strength of LoRAs, and named none."),
  GRID_VALUE: theirs("An axis of a grid had a value that it does not take."),
  GRID_SIZE: {
    means: "Someone asked for a grid of more pictures than MAX_CELLS, or than `/settings` allows there.",
    todo: "Nothing, or raise MAX_CELLS (25 at most, as many as a menu of Discord's has choices).",
  },
  INPUT_CHOICE: theirs("A menu or a form named something that its job does not have."),
  INPUT_UNCHANGED: theirs("Someone asked for a change but changed nothing."),
  INPUT_WORD: theirs("A prompt had a word that the server or channel refuses (`/settings show`)."),
  INPUT_STRENGTH: theirs("A strength was given without the picture that it is about."),
  INPUT_STYLE: theirs("A command named a style that its server does not have (`/style list`)."),
  INPUT_MODEL: {
    means:
      "A command, a file or a `<lora:...>` named a model or a LoRA that is not here, or is not offered there.",
    todo: "Nothing. What is here is listed by `promptist checkpoints list`, what is offered by `/settings show`.",
  },
  MODEL_ADULT: {
    means: "Someone asked for a model or a LoRA with an 18+ mark outside age-restricted channels.",
    todo: "Nothing, or take it out of ADULT_MODELS or of the server's setting `adultModels`.",
  },
  INPUT_SPEED: {
    means:
      "Someone asked for speed turbo, and there is no LCM-LoRA here, or none that fits the model that draws.",
    todo: "Run `promptist checkpoints pull lcm-lora`; it needs no restart. It goes with Stable Diffusion 1.x.",
  },
  INPUT_REWRITER: theirs("A rewriter was named that is not known, or one that can't stand beside the other."),
  INPUT_EVALUATION: theirs(
    "An evaluation (`/batch evaluate:True`) named no rewriters to compare, or too many.",
  ),
  INPUT_AGAINST: theirs("The same rewriter was named for both sides of a pair."),
  DRAFT_GONE: theirs("Someone pressed Start on a draft that was already started, discarded or expired."),
  DRAFT_LIMIT: theirs("Someone attached many batch files without pressing Start."),
  NOT_ALLOWED: {
    means: "Someone used /settings without permission.",
    todo: "Nothing, or put their role into `/settings set manageRoles`.",
  },
  NOT_OPERATOR: {
    means: "Someone who does not run the bot used /admin.",
    todo: "Put the operators' Discord ids into ADMIN_IDS; if it is empty, the application's owner or team may use it.",
  },
  FILE_TOO_BIG: {
    means: "A batch file was larger than MAX_FILE_BYTES.",
    todo: "Nothing, or raise MAX_FILE_BYTES.",
  },
  FILE_BINARY: theirs("A batch file was a picture, an archive or another binary format."),
  FILE_ENCODING: theirs("A batch file was in an encoding that could not be told safely."),
  FILE_TYPE: theirs("A batch file's name did not end in .txt, .json, .jsonl, .csv or .tsv."),
  FILE_SHAPE: theirs("A batch file was not a list of prompts, or took too much time or memory to read."),
  FILE_EMPTY: theirs("A batch file held no prompt."),
  FILE_UNREACHABLE: {
    means: "An attachment could not be fetched from Discord's CDN within 15 s.",
    todo: "If it repeats: check that this machine reaches https://cdn.discordapp.com.",
  },
  FILE_STYLES: theirs("A file for `/style import` was no list of styles as A1111's `styles.csv` is."),
  PICTURE_TYPE: theirs("Someone gave a file that is neither PNG, JPEG nor WebP to read a prompt from."),
  PICTURE_TOO_BIG: theirs("Someone gave a picture of more than 32 MiB to read a prompt from."),
  PICTURE_SHAPE: theirs("A picture to read a prompt from was cut off, damaged, or made to waste memory."),
  PICTURE_EMPTY: theirs("A picture to read a prompt from holds none, as its site or program removed it."),
  PICTURE_SHEET: theirs("Someone gave a contact sheet, which shows many prompts, to compare one."),
  PICTURE_PIXELS: theirs("A picture to go on from had more pixels than are decoded, or was far too thin."),
  PICTURE_FLAGGED: theirs(
    "The safety checker flagged a picture to go on from, outside an age-restricted channel or where the settings withhold such pictures.",
  ),
  PICTURE_UNCHECKED: {
    means:
      "No safety checker has seen a picture to go on from, and UNCHECKED_PICTURES or the setting unchecked withholds such pictures.",
    todo: "Nothing, or run: promptist checkpoints pull stable-diffusion-v1-5, which has a safety checker.",
  },
  PICTURE_GONE: theirs(
    "A picture to go on from was deleted, by its owner or to make room, before it was drawn from again.",
  ),
  QUEUE_BUSY_DATABASE: {
    means: "Another program held the queue's database for longer than 5 s.",
    todo: "Close whatever has promptist.sqlite open (a shell, a backup that copies the file itself); the bot goes on by itself.",
  },
  QUEUE_UNREACHABLE: {
    means: "The database server of DATABASE_URL did not answer for 10 s.",
    todo: "Start it, or look at the network between it and this machine; the bot goes on by itself. promptist doctor tries it.",
  },
  QUEUE_LOCKED: {
    means: "Another Promptist runs on the same data folder, or works on the database that is to be copied.",
    todo: "Stop it, or give this one another DATA_DIR.",
  },
  QUEUE_FULL: {
    means: "MAX_WAITING_JOBS jobs are waiting already.",
    todo: "Wait, cancel jobs, or set caps: `/settings set userCap`, channelCap, serverCap.",
  },
  QUEUE_CAP: theirs("A person, channel or server has as many open jobs as its cap allows."),
  QUOTA_USED: {
    means:
      "A person or a server has used the minutes of the card that USER_MINUTES, SERVER_MINUTES or the server's own settings give a day.",
    todo: "Nothing: the person was told when there are minutes again. Or raise the limit, or name roles that are free of a server's own (`freeRoles`).",
  },
  QUEUE_NEWER_SCHEMA: {
    means: "A newer version of the program wrote the database; this one does not touch it.",
    todo: "Update the program, or restore the backup that was made before the update.",
  },
  CHECKPOINT_MISSING: {
    means: "A model's files are not where the program looks for them.",
    todo: "Run: promptist checkpoints pull NAME, or set PROMPTIST_CHECKPOINT or DIFFUSION_CHECKPOINT.",
  },
  CHECKPOINT_CORRUPT: {
    means: "A model's file is damaged or was not downloaded whole; the log names it.",
    todo: "Download it again: promptist checkpoints pull NAME; then promptist doctor.",
  },
  CHECKPOINT_TENSORS: {
    means: "A model's tensors do not fit its configuration, or have an unsupported type; the log lists them.",
    todo: "Use the fp16 or fp32 files of the model, all from the same publication.",
  },
  CHECKPOINT_ARCHITECTURE: {
    means: "This program does not run this kind of model.",
    todo: "Use a GPT-2 (Promptist) or Stable Diffusion 1.x checkpoint.",
  },
  CHECKPOINT_UNSAFE: {
    means:
      "The model's pickle asks for more than tensors, so a program that trusts it would run its code. Nothing was run.",
    todo: "Do not trust its source; use the safetensors version of the model.",
  },
  MODEL_GONE: {
    means: "A job names a checkpoint or a LoRA that is in none of the folders of models any more.",
    todo: "Put the file back, or give it its old name (`promptist checkpoints list` shows what is there), then `/admin retry`; or the person uses the command again with another one.",
  },
  HUB_NOT_FOUND: {
    means: "The hub has no such model or revision.",
    todo: "Check the name, the revision and HF_ENDPOINT.",
  },
  HUB_REFUSED: {
    means: "The hub requires permission for this model.",
    todo: "Accept its terms on the hub and set HF_TOKEN.",
  },
  HUB_BUSY: {
    means: "The hub asked us to try again later.",
    todo: "Run the pull again; it continues where it stopped.",
  },
  HUB_UNREACHABLE: {
    means: "The hub could not be reached, or HF_HUB_OFFLINE forbids it.",
    todo: "Check HF_HUB_OFFLINE, the network and HF_ENDPOINT; run the pull again, it continues where it stopped.",
  },
  HUB_HASH: {
    means: "A downloaded file is not what the hub says it is.",
    todo: "Run the pull again; if it repeats, a proxy changes the files.",
  },
  DEVICE_UNAVAILABLE: {
    means: "The device named by DEVICE cannot be opened.",
    todo: "Run promptist doctor; update the graphics driver, or set DEVICE=auto or cpu.",
  },
  OUT_OF_MEMORY: {
    means: "A model's process ran out of memory, on the graphics card or the machine.",
    todo: "Close other programs on the card; smaller `size`, DIFFUSION_PRECISION=fp16, or DEVICE=cpu.",
  },
  WORKER_DIED: {
    means: "A model's process ended by itself; its last output is in the log. The job is retried.",
    todo: "If it repeats: promptist doctor; another DEVICE shows whether it is the driver.",
  },
  WORKER_STALLED: {
    means:
      "A model's process was silent for WORKER_SILENCE_MS, or only printed for four times as long, and was ended. The job is retried.",
    todo: "If single steps take that long here, raise WORKER_SILENCE_MS; else update the driver.",
  },
  HOST_DIED: {
    means:
      "The program itself died each time that it worked on the job (killed, out of memory, the machine went down), and nothing of the job was stored in between. It was set aside, so that it ends no other host.",
    todo: "Look for the last lines of the host's log and the system's (dmesg, out of memory). Smaller pictures, DEVICE_MEMORY or another DEVICE may help; then `/admin retry` the job.",
  },
  DISK_FULL: {
    means: "Nothing more can be written to the disk of DATA_DIR.",
    todo: "Free space; the jobs are retried, and those set aside wait for `/admin retry`.",
  },
  DISK_READ_ONLY: {
    means: "The system does not allow writing in DATA_DIR: its owner, its permissions, or a read-only disk.",
    todo: "The log names the path. Make it writable for the bot's user; then `/admin retry` the jobs that failed.",
  },
  DISK_FAILED: {
    means: "The disk of DATA_DIR answered a read or a write with an error (EIO).",
    todo: "Look at the disk and the system's log (dmesg), and make a backup: promptist backup FILE. The jobs are retried, and those set aside wait for `/admin retry`.",
  },
  PICTURES_UNREACHABLE: {
    means: "The S3 server of PICTURES did not answer, or refused a picture: its error stands in the log.",
    todo: "Run: promptist doctor. The jobs are retried, and those set aside wait for `/admin retry`; their texts are stored, and no picture is lost that was reported.",
  },
  CANCELLED: { means: "Someone cancelled the job.", todo: "Nothing." },
  INTERNAL: {
    means: "A fault of the program itself; its stack is in the log under the job's id.",
    todo: "Report it with the lines of the log; then `/admin retry` or `/admin drop` the job.",
  },
  DISCORD_REFUSED: {
    means: "Discord refused the token, the intents, or a message.",
    todo: "Run promptist doctor for the token; the log has Discord's answer. Results stay stored: `/show`.",
  },
  DISCORD_UNREACHABLE: {
    means: "Discord could not be reached.",
    todo: "Check the network; the bot tries again by itself and loses nothing.",
  },
  CONFIG: {
    means: "A setting, a folder or a port cannot be used.",
    todo: "The message names it; .env.example explains every setting.",
  },
};

const isCode = (code: string): code is ErrorCode => Object.hasOwn(EXPLANATIONS, code);

/** The explanation of a code, in upper or lower case; null for an unknown code. */
export function explain(code: string): (Explanation & { readonly code: ErrorCode }) | null {
  const known = code.trim().toUpperCase();
  return isCode(known) ? { code: known, ...EXPLANATIONS[known] } : null;
}
