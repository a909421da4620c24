import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { readText } from "../../checkpoints/files/file.js";
import { readJson } from "../../checkpoints/layouts/config.js";
import { readTokenizerConfig } from "../../checkpoints/layouts/tokenizer-config.js";
import { CheckpointError } from "../../core/errors.js";

/**
 * GPT-2's and CLIP's byte-pair tokenizers, built in memory from the files beside the weights:
 * `tokenizer.json`, or the older pair `vocab.json` + `merges.txt`. Nothing is ever downloaded.
 *
 * The byte-pair engine is the one that @xenova/transformers itself runs on, reached through that package.
 * Importing the whole package took 143 ms and 40 MB (it brings onnxruntime and sharp along), the engine alone
 * 7 ms and 1 MB, and a worker starts anew for each phase.
 */
export interface Engine {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
  decode(
    ids: number[],
    options?: { skip_special_tokens?: boolean; clean_up_tokenization_spaces?: boolean },
  ): string;
  token_to_id(token: string): number | undefined;
  get_vocab(withAddedTokens?: boolean): Map<string, number>;
}
type EngineConstructor = new (tokenizer: object, config: object) => Engine;

function engineConstructor(): EngineConstructor {
  const fromHere = createRequire(import.meta.url);
  const fromTransformers = createRequire(fromHere.resolve("@xenova/transformers"));
  return (fromTransformers("@huggingface/tokenizers") as { Tokenizer: EngineConstructor }).Tokenizer;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** The keys we read from `tokenizer_config.json` and `special_tokens_map.json`; all are optional. */
export interface TokenizerConfig {
  readonly [key: string]: unknown;
  readonly model_max_length?: number;
  readonly add_prefix_space?: boolean;
  readonly added_tokens_decoder?: Readonly<Record<string, Partial<AddedToken> & { content: string }>>;
}

type Role = "bos_token" | "eos_token" | "unk_token" | "pad_token";

export interface Family {
  readonly name: string;
  /** The architecture's special tokens, used if the files name none. */
  readonly special: Readonly<Partial<Record<Role, string>>>;
  /** Everything in a `tokenizer.json` except the model, as transformers' converters build it. */
  pipeline(config: TokenizerConfig): Record<string, unknown>;
  readonly model: Record<string, unknown>;
}

const END_OF_TEXT = "<|endoftext|>";

/**
 * Whitespace, spelled out as the Unicode property that `\s` means in Hugging Face's tokenizers: JavaScript's
 * own `\s` includes U+FEFF and lacks U+0085.
 */
const SPACE = "\\p{White_Space}";
const GPT2_WORDS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+" +
  `| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`;
/** Words, single digits and runs of other characters; whitespace separates and is dropped. */
const CLIP_WORDS =
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]" +
  `|[^${SPACE}\\p{L}\\p{N}]+`;

const BYTES = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };

export const GPT2: Family = {
  name: "GPT-2",
  special: { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT },
  pipeline: (config) => ({
    normalizer:
      config.add_prefix_space === true
        ? { type: "Replace", pattern: { Regex: "\\A(?! )" }, content: " " }
        : null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: GPT2_WORDS }, behavior: "Isolated", invert: false },
        BYTES,
      ],
    },
    decoder: { type: "ByteLevel" },
  }),
  model: { continuing_subword_prefix: "", end_of_word_suffix: "" },
};

export const CLIP: Family = {
  name: "CLIP",
  special: { bos_token: "<|startoftext|>", eos_token: END_OF_TEXT, unk_token: END_OF_TEXT },
  pipeline: () => ({
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: `${SPACE}+` }, content: " " },
        // Hugging Face lowercases letter by letter; JavaScript would write a word-final sigma differently.
        { type: "Replace", pattern: { String: "Σ" }, content: "σ" },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: CLIP_WORDS }, behavior: "Removed", invert: true },
        BYTES,
      ],
    },
    decoder: { type: "ByteLevel" },
  }),
  model: { continuing_subword_prefix: "", end_of_word_suffix: "</w>" },
};

export interface Loaded {
  readonly engine: Engine;
  readonly config: TokenizerConfig;
  /** Id of the token with this `role`; undefined if the files give none. */
  idOf(role: Role): number | undefined;
}

const readJsonIfThere = (file: string): unknown => (existsSync(file) ? readJson(file) : undefined);

/** The text of a special token, which files write as a string or as an object with `content`. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === "string" ? content : undefined;
}

function readMerges(file: string): string[] {
  const lines = readText(file).split("\n");
  return lines
    .map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
    .filter((line) => line !== "" && !line.startsWith("#version"));
}

interface Published {
  readonly vocabulary: Readonly<Record<string, number>>;
  readonly merges: readonly unknown[];
  readonly added: readonly AddedToken[];
  readonly addPrefixSpace: boolean;
}

const addedToken = (id: number, token: Partial<AddedToken> & { content: string }): AddedToken => ({
  id,
  content: token.content,
  single_word: token.single_word ?? false,
  lstrip: token.lstrip ?? false,
  rstrip: token.rstrip ?? false,
  normalized: token.normalized ?? false,
  special: token.special ?? true,
});

function readTokenizerJson(file: string, family: Family): Published {
  const json = readJson(file) as {
    added_tokens?: AddedToken[];
    pre_tokenizer?: { add_prefix_space?: boolean } | null;
    model?: { type?: string; vocab?: Record<string, number>; merges?: unknown[] };
  };
  const { vocab, merges, type } = json.model ?? {};
  // Early files omit the type.
  if ((type !== undefined && type !== "BPE") || vocab === undefined || merges === undefined) {
    throw new CheckpointError(
      "CHECKPOINT_ARCHITECTURE",
      `${file} holds no byte-pair model, so it is not a ${family.name} tokenizer.`,
    );
  }
  return {
    vocabulary: vocab,
    merges,
    added: json.added_tokens ?? [],
    addPrefixSpace: json.pre_tokenizer?.add_prefix_space === true,
  };
}

function readVocabularyAndMerges(directory: string, config: TokenizerConfig): Published {
  const added = Object.entries(config.added_tokens_decoder ?? {}).map(([id, token]) =>
    addedToken(Number(id), token),
  );
  const more = readJsonIfThere(join(directory, "added_tokens.json")) as Record<string, number> | undefined;
  for (const [content, id] of Object.entries(more ?? {})) {
    if (!added.some((token) => token.id === id)) added.push(addedToken(id, { content, special: false }));
  }
  return {
    vocabulary: readJson(join(directory, "vocab.json")) as Record<string, number>,
    merges: readMerges(join(directory, "merges.txt")),
    added,
    addPrefixSpace: false,
  };
}

/**
 * Like transformers' own classes, takes only vocabulary, merges and added tokens from the files; the family
 * decides how text is normalized and split. `more`: tokens that are found in normalized text, wherever they
 * stand; their contents are normalized already.
 */
export function loadTokenizer(
  directory: string,
  family: Family,
  more: readonly { readonly id: number; readonly content: string }[] = [],
): Loaded {
  const jsonFile = join(directory, "tokenizer.json");
  const hasJson = existsSync(jsonFile);
  const missing = ["vocab.json", "merges.txt"].filter((name) => !existsSync(join(directory, name)));
  if (!hasJson && missing.length > 0) {
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `The ${family.name} tokenizer needs tokenizer.json, or vocab.json and merges.txt, in ${directory}; ` +
        `not there: ${missing.join(", ")}. Put the tokenizer's files beside the weights.`,
    );
  }
  const config: TokenizerConfig = {
    ...(readJsonIfThere(join(directory, "special_tokens_map.json")) as TokenizerConfig | undefined),
    ...(readTokenizerConfig(directory) as TokenizerConfig),
  };
  const published = hasJson
    ? readTokenizerJson(jsonFile, family)
    : readVocabularyAndMerges(directory, config);

  const special = new Map<Role, string>();
  const added = new Map(published.added.map((token) => [token.content, token]));
  for (const role of ["bos_token", "eos_token", "unk_token", "pad_token"] as const) {
    const stated = config[role];
    const content = contentOf(stated) ?? family.special[role];
    if (content === undefined) continue;
    special.set(role, content);
    const id = published.vocabulary[content];
    if (id === undefined || published.added.some((token) => token.content === content)) continue;
    // A token with several roles keeps the properties of its last role, as in transformers.
    added.set(content, addedToken(id, { ...(typeof stated === "object" ? stated : {}), content }));
  }
  const tokenizer = {
    added_tokens: [
      ...[...added.values()].sort((a, b) => a.id - b.id),
      ...more.map(({ id, content }) => addedToken(id, { content, normalized: true, special: false })),
    ],
    ...family.pipeline({ ...config, add_prefix_space: config.add_prefix_space ?? published.addPrefixSpace }),
    post_processor: null,
    model: {
      type: "BPE",
      unk_token: special.get("unk_token") ?? null,
      ...family.model,
      vocab: published.vocabulary,
      merges: published.merges,
    },
  };
  const engine = new (engineConstructor())(tokenizer, {});
  return {
    engine,
    config,
    idOf: (role) => {
      const content = special.get(role);
      return content === undefined ? undefined : engine.token_to_id(content);
    },
  };
}
