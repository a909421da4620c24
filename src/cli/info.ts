import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { codeOf, type ErrorCode, InputError, isMissing } from "../core/errors.js";
import { showSize } from "../core/options.js";
import { PICTURE_MAX_BYTES, readPictureText } from "../pictures/read-text.js";
import { type NamedFile, type PicturePrompt, readPicturePrompt } from "../prompt-files/picture-prompt.js";
import { EXIT } from "./parts/exit-code.js";
import type { Output } from "./parts/output.js";

type Read =
  | { readonly file: string; readonly picture: PicturePrompt }
  | { readonly file: string; readonly error: { readonly code: ErrorCode; readonly message: string } };

/**
 * `promptist info PICTURE...`: what the texts in picture files say of how they were drawn. Loads no model. A picture
 * that can't be read is told, and the others are read; the exit code is 1 then.
 */
export async function info(output: Output, files: readonly string[]): Promise<void> {
  const read: Read[] = [];
  for (const name of files) read.push(await readOne(resolve(name)));
  if (read.some((it) => "error" in it)) process.exitCode = EXIT.failed;
  output.result(
    { pictures: read.map((it) => ("error" in it ? it : { file: it.file, ...it.picture })) },
    read.map((it, i) => [files[i]!, ...linesOf(it)].join("\n")).join("\n\n"),
  );
}

async function readOne(file: string): Promise<Read> {
  try {
    return { file, picture: readPicturePrompt(readPictureText(await bytesOf(file))) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { file, error: { code: codeOf(error), message: error.message } };
  }
}

/** The file's bytes, and one more than allowed of a larger one. */
async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const bytes = Buffer.alloc(Math.min(size, PICTURE_MAX_BYTES + 1));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    const why = isMissing(cause) ? "there is no such file" : (cause as Error).message;
    throw new InputError("FILE_UNREACHABLE", `The picture can't be read: ${why}.`, {}, { cause });
  }
}

const TITLE_WIDTH = 16;
const SHOWS = { baseline: "the prompt as written", optimized: "the rewrite", both: "both prompts" } as const;

/** Which text a picture shows; of two rewriters' texts, by who wrote it. */
const shown = ({ shows, against, rewriter }: PicturePrompt): string | null => {
  if (shows === null) return null;
  if (against === null) return SHOWS[shows];
  if (shows === "both") return "both rewrites";
  return `the rewrite of ${shows === "baseline" ? against.rewriter : (rewriter ?? "the other side")}`;
};

function linesOf(read: Read): string[] {
  if ("error" in read) return [`  ${read.error.message}`];
  const { program, prompt, rewrite, against, image, seed, sampler, model, vae, clipSkip, loras, ...rest } =
    read.picture;
  const settings = [
    ...(image.steps === undefined ? [] : [`${image.steps} steps`]),
    ...(image.scheduler === undefined ? (sampler === null ? [] : [sampler]) : [image.scheduler]),
    ...(image.guidance === undefined ? [] : [`guidance ${image.guidance}`]),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(image.size == null ? [] : [showSize(image.size)]),
    ...(image.prompts === undefined ? [] : [`${image.prompts} prompts`]),
    ...(image.speed === undefined ? [] : [`speed ${image.speed}`]),
    ...(image.style === undefined ? [] : [`style ${image.style.name}`]),
  ];
  const shows = shown(read.picture);
  const rows: (readonly [title: string, text: string | null])[] = [
    [
      "Made by",
      program === null ? null : [program, ...(shows === null ? [] : [`it shows ${shows}`])].join("; "),
    ],
    ["Prompt", prompt === "" ? null : prompt],
    ["Rewrite", rewrite],
    ["Against", against === null ? null : `${against.rewriter}: ${against.rewrite}`],
    ["Negative prompt", image.negative ?? null],
    ["Settings", settings.length === 0 ? null : settings.join(", ")],
    ["Model", model === null ? null : withHash(model)],
    ["VAE", vae === null ? null : withHash(vae)],
    ["Clip skip", clipSkip === null || clipSkip === 0 ? null : String(clipSkip + 1)],
    ...loras.map((lora) => ["LoRA", [withHash(lora), lora.weight ?? ""].join(" ").trim()] as const),
    ...rest.embeddings.map((name) => ["Embedding", name] as const),
    ...rest.pairs.map((pair, i) => [`Pair ${i + 1}`, pair.prompt] as const),
    ...rest.unread.map((sentence) => ["Note", sentence] as const),
  ];
  return rows.flatMap(([title, text]) =>
    text === null || text === "" ? [] : [`  ${title.padEnd(TITLE_WIDTH)}${inert(text)}`],
  );
}

const withHash = ({ name, hash }: NamedFile): string =>
  [...(name === "" ? [] : [name]), ...(hash === null ? [] : [`(${hash.slice(0, 12)})`])].join(" ");

/** A text from a file without what moves a terminal's cursor or changes its colours. */
const inert = (text: string): string => text.replace(/\s+/g, " ").replace(/\p{Cc}/gu, "");
