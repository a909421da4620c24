// Byte-pair vocabularies (Sennrich et al. 2016, arXiv:1508.07909) over bytes, in the two forms that GPT-2 and CLIP publish.

/** Byte -> printable character, as GPT-2 writes bytes in vocab.json: printable ones as they are, the rest from U+0100 up. */
function byteCharacters() {
  const printable = (byte) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  const characters = new Map();
  for (let byte = 0; byte < 256; byte++) if (printable(byte)) characters.set(byte, String.fromCharCode(byte));
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++)
    if (!printable(byte)) characters.set(byte, String.fromCharCode(next++));
  return characters;
}

const CHARACTERS = byteCharacters();
const spell = (text) => [...Buffer.from(text, "utf8")].map((byte) => CHARACTERS.get(byte));

/** The most frequent neighbours, again and again; equal counts in the order of the text, so that it is repeatable. */
function trainMerges(words, count) {
  const merges = [];
  while (merges.length < count) {
    const pairs = new Map();
    for (const { symbols, times } of words) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const pair = `${symbols[i]} ${symbols[i + 1]}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + times);
      }
    }
    let best;
    for (const [pair, times] of pairs) {
      if (!best || times > best.times || (times === best.times && pair < best.pair)) best = { pair, times };
    }
    if (!best || best.times < 2) break;
    merges.push(best.pair);
    const [left, right] = best.pair.split(" ");
    for (const word of words) word.symbols = merge(word.symbols, left, right);
  }
  return merges;
}

function merge(symbols, left, right) {
  const merged = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) merged.push(left + symbols[++i]);
    else merged.push(symbols[i]);
  }
  return merged;
}

function countWords(lines, pattern, spelled) {
  const words = new Map();
  for (const line of lines)
    for (const [word] of line.matchAll(pattern)) words.set(word, (words.get(word) ?? 0) + 1);
  return [...words].map(([word, times]) => ({ symbols: spelled(word), times }));
}

const tokensOf = (merges) => merges.map((pair) => pair.replace(" ", ""));
const vocabularyOf = (tokens) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/**
 * GPT-2's form: 256 bytes, merges, `<|endoftext|>` last. `counts[id]` tells how often `tokens[id]` stands in the corpus.
 */
export function trainGpt2(lines, mergeCount) {
  const words = countWords(
    lines,
    /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu,
    spell,
  );
  const merges = trainMerges(words, mergeCount);
  const tokens = [...CHARACTERS.values(), ...tokensOf(merges), "<|endoftext|>"];
  const vocabulary = vocabularyOf(tokens);
  const counts = new Array(tokens.length).fill(0);
  for (const { symbols, times } of words) for (const symbol of symbols) counts[vocabulary[symbol]] += times;
  return { tokens, vocabulary, merges, counts };
}

/** CLIP's form: lower case, 256 bytes, 256 bytes that end a word, merges, `<|startoftext|>`, `<|endoftext|>`. */
export function trainClip(lines, mergeCount) {
  const ended = (word) => {
    const symbols = spell(word);
    return [...symbols.slice(0, -1), `${symbols.at(-1)}</w>`];
  };
  const lower = lines.map((line) => line.toLowerCase());
  const words = countWords(lower, /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu, ended);
  const merges = trainMerges(words, mergeCount);
  const bytes = [...CHARACTERS.values()];
  const tokens = [
    ...bytes,
    ...bytes.map((byte) => `${byte}</w>`),
    ...tokensOf(merges),
    "<|startoftext|>",
    "<|endoftext|>",
  ];
  return { vocabulary: vocabularyOf(tokens), merges };
}
