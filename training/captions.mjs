// Writes captions.json (for each drawing, captions to train on and captions held out), two.json (captions of two subjects
// without a drawing) and the tokenizer of Stable Diffusion's text encoder:
//   node training/captions.mjs <scratch folder>
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { trainClip } from "./byte-pairs.mjs";
import { caption, generator, perhapsColoured, perhapsScene, pick, WAYS } from "./words.mjs";

const CAPTIONS = 6;
const HELD_OUT = 1;
/** Captions of two subjects beside those of pictures. */
const OF_TWO = 60_000;
const SEED = 7;
const MERGES = 1400;
/** Tokens of a caption, start and end included. SD 1.5 takes 77; a miniature's captions are shorter. */
const POSITIONS = 48;

const scratch = resolve(process.argv[2] ?? "");
const pictures = JSON.parse(readFileSync(join(scratch, "data/pictures.json"), "utf8"));
const random = generator(SEED);
const captions = pictures.map((entry) => ({
  train: Array.from({ length: CAPTIONS }, () => caption(random, entry)),
  heldOut: Array.from({ length: HELD_OUT }, () => caption(random, entry, { heldOut: true })),
}));
writeFileSync(join(scratch, "data/captions.json"), JSON.stringify(captions, null, 1));

/** Of two subjects, which are more than pictures can be made of; the text encoder needs none. */
const subjects = JSON.parse(readFileSync(join(scratch, "data/subjects.json"), "utf8"));
function anyTwo() {
  const [first, second] = [pick(random, subjects), pick(random, subjects)];
  return {
    ...first,
    ...perhapsColoured(random, first),
    second: { ...second, ...perhapsColoured(random, second) },
    way: pick(random, Object.keys(WAYS)),
    scene: perhapsScene(random),
    style: "flat",
    effects: [],
    tags: [],
  };
}
const two = Array.from({ length: OF_TWO }, anyTwo).filter(({ label, second }) => label !== second.label);
const told = two.map((entry) => ({ entry, caption: caption(random, entry) }));
writeFileSync(join(scratch, "data/two.json"), JSON.stringify(told));

const folder = join(scratch, "tokenizer");
// Weights that are trained on keep their words.
if (!existsSync(folder)) writeTokenizer();
console.log(`${captions.length} drawings`);

function writeTokenizer() {
  // Each word of a name weighs as much as one of a modifier.
  const lines = pictures.flatMap((entry, i) => [
    ...captions[i].train.slice(0, 1),
    entry.name,
    ...entry.others,
    ...entry.tags,
  ]);
  const { vocabulary, merges } = trainClip(lines, MERGES);
  mkdirSync(folder, { recursive: true });
  const json = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  const special = (content) => ({
    content,
    lstrip: false,
    normalized: true,
    rstrip: false,
    single_word: false,
  });
  const [start, end] = [special("<|startoftext|>"), special("<|endoftext|>")];
  json("vocab.json", vocabulary);
  writeFileSync(join(folder, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
  const tokens = { bos_token: start, eos_token: end, pad_token: end.content, unk_token: end };
  json("special_tokens_map.json", tokens);
  json("tokenizer_config.json", {
    add_prefix_space: false,
    do_lower_case: true,
    errors: "replace",
    model_max_length: POSITIONS,
    tokenizer_class: "CLIPTokenizer",
    ...tokens,
  });
}
