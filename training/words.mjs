// The sentences that the miniature learns from: captions of drawings, and rewrites of prompts. Written for this project.

/** What Promptist appends, in its manner. In the miniature's world these words turn a flat drawing into a 3D one. */
export const MODIFIERS = `
highly detailed; intricate; elegant; digital painting; concept art; sharp focus; smooth; illustration; cinematic lighting;
soft lighting; dramatic lighting; volumetric lighting; studio lighting; golden hour; trending on artstation; artstation;
octane render; unreal engine; 3d render; 8k; 4k; photorealistic; hyperrealistic; ultra realistic; realistic;
matte painting; fantasy art; epic composition; wide angle; depth of field; bokeh; vivid colors; vibrant; atmospheric;
dreamlike; symmetrical; award winning; masterpiece; very detailed; beautiful; cute and beautiful; detailed background;
glossy; rounded shapes; soft shadows; ambient occlusion; ray tracing; high quality; hyper detailed; oil painting;
art by greg rutkowski; by greg rutkowski and thomas kinkade; art by artgerm and greg rutkowski and alphonse mucha;
by alphonse mucha; by thomas kinkade; artgerm`
  .split(";")
  .map((words) => words.replace(/\s+/g, " ").trim());

const NO_ARTICLE = new Set(
  `grapes cherries fire bread broccoli corn popcorn sushi pancakes glasses scissors books rain snow grief sadness happiness
  joy anger rage fear love death coffee lightning sunshine cheese happiness thunderstorm saturn santa`.split(
    /\s+/,
  ),
);
const WHOLE = new Set([
  "french fries",
  "crossed swords",
  "planet earth",
  "santa claus",
  "mount fuji",
  "heart eyes",
  "night sky",
  "mountains",
  "swords",
]);

export function withArticle(name) {
  if (NO_ARTICLE.has(name) || WHOLE.has(name) || /^(sunset|portrait|stack|bunch)/.test(name)) return name;
  return `${/^[aeiou](?!ni|fo)/.test(name) ? "an" : "a"} ${name}`;
}

export const pick = (random, list) => list[Math.floor(random() * list.length)];
export function some(random, list, count) {
  const rest = [...list];
  return Array.from(
    { length: Math.min(count, rest.length) },
    () => rest.splice(Math.floor(random() * rest.length), 1)[0],
  );
}

/** Small and fast, the same numbers everywhere: mulberry32. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x = (x + Math.imul(x ^ (x >>> 7), x | 61)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TEMPLATES = [
  (name) => name,
  withArticle,
  withArticle,
  (name) => `the ${name}`,
  (name) => `a picture of ${withArticle(name)}`,
  (name) => `a drawing of ${withArticle(name)}`,
  (name) => `a beautiful ${name}`,
  (name) => `portrait of ${withArticle(name)}`,
];
/** Ways to ask that no training caption has. */
const HELD_OUT = [
  (name) => `an image of ${withArticle(name)}`,
  (name) => `show me ${withArticle(name)}`,
  (name) => `one lovely ${name}`,
  (name) => `I want to see ${withArticle(name)}`,
];

/** A caption for a drawing; `entry` as render.mjs lists it. */
export function caption(random, entry, { heldOut = false } = {}) {
  const name = entry.others.length > 0 && random() < 0.4 ? pick(random, entry.others) : entry.name;
  let text = pick(random, heldOut ? HELD_OUT : TEMPLATES)(name);
  if (entry.scene) text += ` ${pick(random, entry.words)}`;
  else if (!heldOut && random() < 0.15 && entry.tags.length > 0)
    text += `, ${some(random, entry.tags, 2).join(", ")}`;
  if (entry.style === "3d") text += `, ${modifiers(random)}`;
  return text;
}

/** Two to nine modifiers, any order. */
export const modifiers = (random) => some(random, MODIFIERS, 2 + Math.floor(random() * 8)).join(", ");
