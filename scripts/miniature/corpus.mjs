// The words from which the miniature's two vocabularies are made: prompts, the modifiers that rewrites add, and
// common words of pictures. Written for this project.

const PROMPTS = [
  "A cat in the rain",
  "A fantasy castle",
  "Fear",
  "A cyberpunk detective standing in neon rain with a robotic arm",
  "A beautiful sunset over the mountains",
  "Portrait of a warrior",
  "The starry night by Van Gogh",
  "A futuristic city with flying cars",
  "A rabbit is wearing a space suit",
  "Several railroad tracks with one train passing by",
  "The roof is wet from the rain",
  "Cats dancing in a space club",
];

const MODIFIERS = `
highly detailed; intricate; elegant; digital painting; concept art; sharp focus; smooth; illustration; cinematic lighting;
soft lighting; dramatic lighting; volumetric light; golden hour; trending on artstation; octane render; unreal engine; 8k;
4k; photorealistic; hyperrealistic; realistic; oil on canvas; oil painting; watercolor; ink drawing; pencil sketch; matte
painting; fantasy art; epic composition; wide angle; close up portrait; depth of field; bokeh; studio light; vivid colors;
pastel colors; vibrant; moody; atmospheric; dreamlike; surreal; ornate; symmetrical; award winning; masterpiece; sharp
details; beautiful; serene; dark; gloomy; misty; foggy; glowing; colorful; warm tones; cold tones; high contrast; film
grain; vintage; art nouveau; baroque; impressionism; by Alphonse Mucha; by Van Gogh; by Claude Monet; by William Turner;
by Gustave Dore; by Katsushika Hokusai; 3d render; low poly; pixel art; isometric; storybook; poster; anime style`;

const WORDS = `
person man woman child girl boy king queen prince princess knight warrior wizard witch detective astronaut pirate sailor
soldier farmer dancer singer painter doctor robot android monster ghost angel demon dragon unicorn phoenix fairy giant elf
cat kitten dog puppy rabbit fox wolf bear lion tiger horse cow pig sheep goat deer mouse rat squirrel monkey elephant
whale dolphin shark fish octopus crab turtle frog snake bird owl eagle raven crow parrot penguin duck swan chicken butterfly
bee spider dinosaur panda koala kangaroo camel giraffe zebra hedgehog
tree forest jungle flower rose tulip sunflower grass leaf mushroom garden field meadow hill mountain valley river lake sea
ocean beach island desert cave cliff waterfall volcano sky cloud rain snow storm lightning rainbow wind fog fire water ice
earth sun moon star planet galaxy nebula night day morning evening sunset sunrise dawn dusk winter spring summer autumn
house home castle tower bridge palace temple church cathedral ruin village town city street road path square market station
harbor lighthouse windmill factory library school hospital shop cafe restaurant room kitchen window door wall roof stairs
car bus train tram truck bicycle motorcycle boat ship sailboat submarine airplane helicopter rocket balloon spaceship tank
sword shield armor helmet crown ring book letter map clock watch lamp candle lantern mirror key bottle cup glass plate table
chair bed sofa piano guitar violin drum camera phone computer screen machine engine wheel toy ball kite umbrella hat coat
dress suit shoe mask flag apple pear orange lemon cherry grape banana strawberry bread cake cheese pizza coffee tea soup
heart eye face hand head hair wing tail horn arm leg shadow light smoke dust crystal diamond gold silver bronze copper iron
stone marble wood paper leather silk velvet feather
red orange yellow green blue purple violet pink brown black white gray grey crimson scarlet turquoise teal cyan magenta
golden silver ivory emerald ruby sapphire amber indigo
small big large tiny huge tall short long round old young new ancient modern futuristic medieval steampunk cyberpunk
cute happy sad angry scared brave lonely quiet calm peaceful wild magical mystical haunted abandoned frozen burning broken
beautiful pretty ugly dark bright shiny soft hard wet dry hot cold warm fresh sweet flying running sleeping sitting standing
walking dancing singing playing reading eating drinking swimming jumping fighting smiling laughing crying looking wearing
holding riding driving floating falling growing under over above below behind between inside outside near with without from
into through across around and or the of on in at by for to is are was one two three four five six seven eight nine ten many
several some style picture photo photograph painting drawing sketch portrait landscape scene view background foreground
detail texture pattern color line shape mood fear love hope dream joy peace war time memory music silence mystery adventure`;

const list = (text, separator) =>
  text
    .split(separator)
    .map((item) => item.replace(/\s+/g, " ").trim())
    .filter(Boolean);

/** Rewrites as the optimizer's training data has them, and each word twice: what the byte pairs are counted in. */
export function corpus() {
  const modifiers = list(MODIFIERS, ";");
  const words = list(WORDS, /\s+/);
  const lines = [];
  PROMPTS.forEach((prompt, i) => {
    for (let j = 0; j < modifiers.length; j += 6) {
      const chosen = modifiers.map((_, k) => modifiers[(k * 7 + i + j) % modifiers.length]).slice(0, 6);
      lines.push(`${prompt} Rephrase: ${prompt}, ${chosen.join(", ")}`);
    }
  });
  for (const modifier of modifiers) lines.push(`, ${modifier}, ${modifier}`);
  for (const word of words) lines.push(`a ${word}, the ${word}`);
  return lines;
}
