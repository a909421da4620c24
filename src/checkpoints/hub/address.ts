import { posix } from "node:path";
import { InputError } from "../../core/errors.js";
import { PROMPTIST, REWRITERS, type Rewriter } from "../../core/rewriters.js";
import { requireGpt2 } from "../layouts/architecture.js";
import { TINY_DECODER_FOLDER, TINY_DECODER_REPO } from "../layouts/tiny-decoder-files.js";

export interface Published {
  readonly repo: string;
  /** The folder or file inside the folder of checkpoints. */
  readonly folder: string;
  readonly what: string;
  /** The file that is meant, where the repository has others; empty or absent for all of it. */
  readonly path?: string;
  /** Where the tokenizer is, if the repository has none. */
  readonly tokenizerRepo?: string;
  readonly requireArchitecture?: (directory: string) => void;
}

function ofRewriter({ name, repos, tokenizerRepos, form, licence }: Rewriter): Published {
  return {
    repo: repos[0]!,
    folder: name,
    what: `${form.keepsPrompt ? "continues" : "rewrites"} prompts; ${licence}`,
    ...(tokenizerRepos && { tokenizerRepo: tokenizerRepos[0]! }),
    requireArchitecture: requireGpt2,
  };
}

/** Short names that `pull` knows, besides any `org/name`. */
export const PUBLISHED: Readonly<Record<string, Published>> = {
  promptist: ofRewriter(PROMPTIST),
  "stable-diffusion-v1-5": {
    repo: "stable-diffusion-v1-5/stable-diffusion-v1-5",
    folder: "stable-diffusion-v1-5",
    what: "draws 512x512 pictures",
  },
  clip: { repo: "openai/clip-vit-large-patch14", folder: "clip", what: "compares pictures with texts" },
  "lcm-lora": {
    repo: "latent-consistency/lcm-lora-sdv1-5",
    folder: "loras/lcm-lora-sdv1-5.safetensors",
    path: "pytorch_lora_weights.safetensors",
    what: "LoRA for 4 to 8 steps of lcm",
  },
  "hyper-sd": {
    repo: "ByteDance/Hyper-SD",
    folder: "loras/Hyper-SD15-8steps-lora.safetensors",
    path: "Hyper-SD15-8steps-lora.safetensors",
    what: "LoRA for 8 steps of ddim-trailing",
  },
  taesd: { repo: TINY_DECODER_REPO, folder: TINY_DECODER_FOLDER, what: "decodes previews quickly" },
  "realesrgan-x4": {
    // The official release's weights, which are on no hub under their author's name.
    repo: "Comfy-Org/Real-ESRGAN_repackaged",
    folder: "upscale_models/RealESRGAN_x4plus.safetensors",
    path: "RealESRGAN_x4plus.safetensors",
    what: "makes pictures four times as large",
  },
  ...Object.fromEntries(
    REWRITERS.slice(1).map((rewriter): [string, Published] => [rewriter.name, ofRewriter(rewriter)]),
  ),
};

/** What `pull` is asked for. */
export interface Wanted extends Published {
  readonly revision: string;
  /** A file or folder in the repository; empty for all of it. */
  readonly path: string;
}

/** Hosts of the public hub, whose pasted addresses name its mirrors' files too. */
const HUB_HOSTS = new Set(["huggingface.co", "www.huggingface.co", "hf.co"]);

const ID = /^([\w.-]+\/[\w.-]+?)(?:@([\w./-]+))?(?:[:/](.*))?$/s;
const ID_WITH_REVISION = /^([\w.-]+\/[\w.-]+)@([\w./-]+)(?::(.*))?$/s;

/**
 * Reads `promptist`, `org/name[@revision]`, `org/name/path`, `org/name[@revision]:path`, or a pasted address of the
 * hub. Throws InputError INPUT_OPTION, which says what to do with an address that is none of the hub.
 */
export function parsePullName(name: string, endpoint: string): Wanted {
  const given = name.trim().replace(/^<(.*)>$/, "$1");
  const known = Object.hasOwn(PUBLISHED, given) ? PUBLISHED[given] : undefined;
  if (known) return { path: "", ...known, revision: "main" };
  const address = addressIn(given, endpoint);
  if (address !== null) return ofAddress(address, given, endpoint);
  const [, repo, revision, path] = ID_WITH_REVISION.exec(given) ?? ID.exec(given) ?? [];
  if (repo === undefined || given.includes("@") !== (revision !== undefined)) throw noModel(name);
  return wanted(name, repo, revision ?? "main", path ?? "");
}

const noModel = (name: string): InputError =>
  new InputError(
    "INPUT_OPTION",
    `"${name}" is no model. Give one of ${Object.keys(PUBLISHED).join(", ")}, a hub id such as org/name, org/name@revision or org/name/file.safetensors, or a pasted address of the hub.`,
  );

/** Throws InputError INPUT_OPTION for a path that leads elsewhere. */
function wanted(name: string, repo: string, revision: string, path: string): Wanted {
  const clean = posix.normalize(path.replace(/\/+$/, "") || ".").replace(/^\.$/, "");
  const parts = [...repo.split("/"), ...revision.split("/"), ...path.split("/")];
  const isOutside = parts.some((part) => /^\.+$/.test(part)) || clean.startsWith("/");
  if (isOutside || /[\\\p{Cc}]/u.test(path)) throw noModel(name);
  const published = Object.values(PUBLISHED).find((it) => it.repo === repo && it.path === undefined);
  const isWhole = clean === "";
  return {
    ...(isWhole && published
      ? published
      : { repo, folder: [...repo.split("/"), ...(isWhole ? [] : clean.split("/"))].join("--"), what: "" }),
    revision,
    path: clean,
  };
}

/** An address in any of the forms in which people paste one; null for anything else. */
function addressIn(given: string, endpoint: string): URL | null {
  const hosts = [...HUB_HOSTS, new URL(endpoint).host];
  const isBare =
    hosts.some((host) => given.toLowerCase().startsWith(`${host}/`)) || /^(www\.)?civitai\./i.test(given);
  const text = /^hf:\/\//i.test(given)
    ? `https://hf.co/${given.slice("hf://".length)}`
    : isBare
      ? `https://${given}`
      : given;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return null;
  return URL.canParse(text) ? new URL(text) : null;
}

const BY_HAND =
  "Download the file in a browser and put it into CHECKPOINTS_DIR: into checkpoints/, loras/, vae/ or embeddings/, or into a folder of MODELS_DIRS.";

function ofAddress(address: URL, given: string, endpoint: string): Wanted {
  const { host, hostname, pathname } = address;
  if (/(^|\.)civitai\.\w+$/i.test(hostname))
    throw new InputError(
      "INPUT_OPTION",
      `${given} is on Civitai, which this program does not download from. ${BY_HAND}`,
    );
  if (!HUB_HOSTS.has(hostname) && host !== new URL(endpoint).host)
    throw new InputError(
      "INPUT_OPTION",
      `${given} is not on the hub. Only the hub tells what hash a file must have, so nothing else is downloaded. ${BY_HAND}`,
    );
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  if (["datasets", "spaces", "papers", "docs", "collections", "blog", "api"].includes(parts[0] ?? ""))
    throw new InputError("INPUT_OPTION", `${given} is no model: it lies under ${parts[0]}/ of the hub.`);
  const [owner, repo, verb, ...rest] = parts;
  if (
    owner === undefined ||
    repo === undefined ||
    !/^[\w.-]+$/.test(owner) ||
    !/^[\w.-]+(@[\w.-]+)?$/.test(repo)
  )
    throw noModel(given);
  if (verb === undefined) return wanted(given, `${owner}/${repo}`, "main", "");
  if (!["blob", "resolve", "raw", "tree"].includes(verb))
    throw new InputError(
      "INPUT_OPTION",
      `${given} is a page of the hub, not a file. Open "Files and versions" there and copy a file's address.`,
    );
  // Such as refs/pr/1: the only revisions of several parts that the hub writes with slashes.
  const revisionParts = rest[0] === "refs" ? 3 : 1;
  const revision = rest.slice(0, revisionParts).join("/") || "main";
  return wanted(given, `${owner}/${repo}`, revision, rest.slice(revisionParts).join("/"));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
