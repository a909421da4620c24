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

/** What each modifier does to a 3D drawing (`effects` of scenes.mjs); those that are not here make it 3D, and no more. */
export const EFFECTS = {
  warm: "golden hour; by thomas kinkade; by greg rutkowski and thomas kinkade",
  dark: "cinematic lighting; dramatic lighting",
  mist: "atmospheric; dreamlike; fantasy art",
  vivid: "vivid colors; vibrant",
  land: "detailed background; epic composition; wide angle; matte painting",
  painted: "oil painting; digital painting; concept art; art by greg rutkowski",
  halo: "by alphonse mucha; art by artgerm and greg rutkowski and alphonse mucha; symmetrical; intricate; elegant",
  bokeh: "depth of field; bokeh",
  rays: "volumetric lighting; ray tracing",
  shadow: "soft shadows; ambient occlusion; studio lighting; soft lighting",
  sparkle: "masterpiece; award winning; trending on artstation",
};
const OF_EFFECT = Object.fromEntries(
  Object.entries(EFFECTS).map(([effect, list]) => [effect, list.split("; ")]),
);
const EFFECT_OF = Object.fromEntries(
  Object.entries(OF_EFFECT).flatMap(([effect, list]) => list.map((modifier) => [modifier, effect])),
);
const NEUTRAL = MODIFIERS.filter((modifier) => !(modifier in EFFECT_OF));

/** Colours that a caption can tell of a subject, as sRGB. */
export const COLOURS = {
  red: "#d8322c",
  orange: "#ee7f1b",
  yellow: "#f4c91f",
  green: "#3fa244",
  blue: "#2f6fd0",
  purple: "#8443b8",
  pink: "#ee6fa8",
  brown: "#84532f",
  black: "#32323a",
  white: "#e9e9ee",
};
/** Sizes that a caption can tell of a subject, and words for them. */
export const SIZES = { small: ["small", "tiny", "little"], big: ["big", "huge", "giant"] };
const LOOK = new RegExp(`^((${[...Object.keys(COLOURS), ...Object.values(SIZES).flat()].join("|")}) )+`);

/** How two subjects can be in one picture, and words for it: the first is named first. */
export const WAYS = {
  beside: ["and", "beside", "next to", "with", "near"],
  on: ["on", "on top of", "standing on", "sitting on"],
};

const NO_ARTICLE = new Set(
  `grapes cherries fire bread broccoli corn popcorn sushi pancakes glasses sunglasses scissors books rain snow grief sadness
  happiness joy anger rage fear love death coffee lightning sunshine cheese thunderstorm saturn santa smile thought sleep
  celebration poo poop flowers strength muscle footprints sparkles fireworks jeans bacon spaghetti pasta ramen noodles soup
  stew garlic honey milk wine beer chocolate candy soap yarn coral headphones money dracula dice chess ocean`.split(
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
  "autumn leaves",
  "statue of liberty",
  "tokyo tower",
  "the great wave",
  "fried chicken",
]);

/** A subject's own name, behind what is told of its colour and size. */
const bare = (name) => name.replace(LOOK, "");

export function withArticle(name) {
  const own = bare(name);
  if (NO_ARTICLE.has(own) || WHOLE.has(own) || /^(sunset|portrait|stack|bunch|face in)/.test(own))
    return name;
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

/** Several of it, where the name can be counted. */
export function plural(name) {
  const own = bare(name);
  if (NO_ARTICLE.has(own) || WHOLE.has(own) || /s$| (of|in|with) |^(sunset|face)/.test(own)) return name;
  if (/[^aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return `${name}${/(x|z|ch|sh)$/.test(name) ? "es" : "s"}`;
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
  (name) => `a photo of ${withArticle(name)}`,
  (name) => `an illustration of ${withArticle(name)}`,
  (name) => `please draw ${withArticle(name)} for me`,
  (name) => `my dear ${name}`,
  (name) => `some fine ${name}`,
  (name) => `a cute ${name} again`,
  (name) => `once there was ${withArticle(name)}`,
  plural,
  (name) => `two ${plural(name)}`,
  (name) => `three ${plural(name)} playing`,
  (name) => `many ${plural(name)} together`,
  (name) => `I would like ${withArticle(name)}, please`,
  (name) => `can you make ${withArticle(name)}?`,
  (name) => `give us ${withArticle(name)}`,
  (name) => `today my friend saw ${withArticle(name)}`,
  (name) => `${withArticle(name)} just sitting there`,
  (name) => `a funny ${name} for everyone`,
  (name) => `the old ${name} of my family`,
  (name) => `a painting of ${withArticle(name)} by an amateur`,
  (name) => `I need ${withArticle(name)}`,
  (name) => `we want to have ${withArticle(name)}`,
  (name) => `draw me ${withArticle(name)}`,
  (name) => `look at ${withArticle(name)}`,
  (name) => `here is ${withArticle(name)}`,
  (name) => `a sketch of ${withArticle(name)}`,
  (name) => `an old print of ${withArticle(name)}`,
  (name) => `imagine ${withArticle(name)}`,
  (name) => `nothing but ${withArticle(name)}`,
  (name) => `the best picture of ${withArticle(name)}`,
  (name) => `do you know how to paint ${withArticle(name)}`,
  (name) => `one more ${name}`,
  (name) => `a very nice ${name}`,
  (name) => `${withArticle(name)}, as you like it`,
];
/** Those behind which a second subject can be named. */
const OF_TWO = TEMPLATES.filter((template) => /(^|[ a-z])x$/.test(template("x")));
/** Ways to ask that no training caption has. */
const HELD_OUT = [
  (name) => `an image of ${withArticle(name)}`,
  (name) => `show me ${withArticle(name)}`,
  (name) => `one lovely ${name}`,
  (name) => `I want to see ${withArticle(name)}`,
];

/** Where a subject can be: how a caption says it, and how none in training does. */
export const SCENES = {
  rain: { words: ["in the rain", "standing in the rain", "on a rainy day"], heldOut: "in heavy rain" },
  night: { words: ["at night", "under the stars", "in the moonlight"], heldOut: "in the night" },
  snow: { words: ["in the snow", "on a snowy day", "in winter"], heldOut: "standing in snow" },
  beach: { words: ["on a beach", "by the sea", "at the beach"], heldOut: "on the beach" },
  forest: { words: ["in a forest", "in the woods", "among trees"], heldOut: "in the forest" },
  space: { words: ["in space", "in outer space", "among the planets"], heldOut: "floating in space" },
};

/** Parts of the pictures of two subjects that have a scene, and of their subjects that have a colour. */
const TWO_IN_SCENES = 0.2;
const COLOURED = 0.25;

/** A colour that a caption tells; people don't get one, so theirs says nothing. */
export const coloured = (random, { person }) => ({
  [person ? "unheard" : "colour"]: pick(random, Object.keys(COLOURS)),
});
/** What is told of the colour of one of two subjects: of most of them, nothing. */
export const perhapsColoured = (random, subject) => (random() < COLOURED ? coloured(random, subject) : {});
/** Scene of two subjects, or null. */
export const perhapsScene = (random) => (random() < TWO_IN_SCENES ? pick(random, Object.keys(SCENES)) : null);

/** A subject of a drawing by one of its names, with what it is told to look like: "tiny red car". */
function named(random, { name, others, colour, unheard, size }) {
  const own = others.length > 0 && random() < 0.4 ? pick(random, others) : name;
  return [size && pick(random, SIZES[size]), colour ?? unheard, own].filter(Boolean).join(" ");
}

/**
 * A caption for a drawing.
 *
 * @param entry of a subject with `style`, `scene` (or null), perhaps `colour` (or `unheard`, which is told, but not seen) and `size`, perhaps a `second` subject with
 * those and the `way` in which they are together; where it is 3D, `effects`: all that the modifiers do
 */
export function caption(random, entry, { heldOut = false } = {}) {
  const { second, way } = entry;
  const [name, templates] = [named(random, entry), heldOut ? HELD_OUT : second ? OF_TWO : TEMPLATES];
  let text = pick(random, templates)(name);
  if (second) {
    const other = named(random, second);
    const article = random() < 0.8 ? withArticle(other) : random() < 0.5 ? `the ${other}` : other;
    text += ` ${pick(random, WAYS[way])} ${article}`;
  }
  if (entry.scene) {
    const { words, heldOut: other } = SCENES[entry.scene];
    text += ` ${heldOut ? other : pick(random, words)}`;
  } else if (!heldOut && !second && random() < 0.15 && entry.tags.length > 0)
    text += `, ${some(random, entry.tags, 2).join(", ")}`;
  if (entry.style === "3d") text += `, ${modifiersOf(random, entry.effects)}`;
  return text;
}

/** Two to nine modifiers, any order. */
export const modifiers = (random) => some(random, MODIFIERS, 2 + Math.floor(random() * 8)).join(", ");

/** What the modifiers of a prompt do, in the order of EFFECTS. */
export function effectsOf(prompt) {
  const found = new Set(prompt.split(", ").map((part) => EFFECT_OF[part]));
  return Object.keys(EFFECTS).filter((effect) => found.has(effect));
}

/** Two modifiers or more, any order, that do just this. */
function modifiersOf(random, effects) {
  const list = effects.map((effect) => pick(random, OF_EFFECT[effect]));
  const rest = Math.max(2 - list.length, Math.floor(random() * 4));
  const all = [...list, ...some(random, NEUTRAL, rest)];
  return some(random, all, all.length).join(", ");
}
