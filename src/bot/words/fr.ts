import { nounOf } from "../../core/job.js";
import type { Mean } from "../../core/statistics/bootstrap.js";
import type { Share } from "../../core/statistics/shares.js";
import type { Words } from "./english/english.js";
import { placeIn, scopeOf, type Values } from "./english/errors.js";
import { formsOf, type Plurals } from "./english/forms.js";
import { resultLines } from "./english/result.js";
import { settingLines } from "./english/settings.js";
import type { Unfinished } from "./english/translated.js";
import { optionNames } from "./locale-files.js";

const { number, count, plural, listed, numbers, percent, decimal, duration, bytes } = formsOf("fr");

const JOBS: Plurals = { one: "demande", other: "demandes" };
const PICTURES: Plurals = { one: "image", other: "images" };
const PROMPTS: Plurals = { one: "prompt", other: "prompts" };
const PAIRS: Plurals = { one: "paire", other: "paires" };
const NOUNS = { prompt: PROMPTS, pair: PAIRS, picture: PICTURES } as const;
const STEPS: Plurals = { one: "étape", other: "étapes" };
const VOTES: Plurals = { one: "vote", other: "votes" };
const BLIND_VOTES: Plurals = { one: "vote à l'aveugle", other: "votes à l'aveugle" };
const PHRASES: Plurals = { one: "expression", other: "expressions" };
const MESSAGES: Plurals = { one: "message", other: "messages" };
const STYLES: Plurals = { one: "style", other: "styles" };
const ZIPS: Plurals = { one: "archive zip", other: "archives zip" };

const more = (rest: number): string => count(rest, { one: "autre", other: "autres" });
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (prompts: readonly number[]): string =>
  prompts.length === 1 ? `Le prompt ${numbers(prompts, more)}` : `Les prompts ${numbers(prompts, more)}`;
const holder = { user: "vous en avez", channel: "ce salon en a", server: "ce serveur en a" } as const;
const owner = { user: "Vous avez", channel: "Ce salon a", server: "Ce serveur a" } as const;
const sides = { baseline: "le prompt d'origine", optimized: "la réécriture" } as const;
const results = {
  optimize: "votre réécriture",
  compare: "votre comparaison",
  batch: "votre lot",
  grid: "votre grille",
  evaluation: "votre évaluation",
} as const;
const commands = {
  optimize: "Réécriture",
  compare: "Comparaison",
  batch: "Lot",
  grid: "Grille",
  evaluation: "Évaluation",
} as const;
const votes = { left: "A", right: "B", tie: "Égalité", bad: "Les deux mauvaises" } as const;

const LATER = "Réessayez dans un moment.";
const OWNER = "Prévenez la personne qui gère ce bot.";
const FORMATS =
  "Joignez un `.txt` avec un prompt par ligne, une liste `.json` ou des lignes `.jsonl` de textes ou de paires `{original, optimized}`, ou un `.csv` ou `.tsv` avec une colonne `prompt`.";

const expectations: Words["expectations"] = {
  integer: (min, max) => `un nombre entier de ${number(min)} à ${number(max)}`,
  number: (min, max) => `un nombre de ${number(min)} à ${number(max)}`,
  oneOf: (words) => `l'une de ces valeurs : ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `une taille comme \`${example}\`, avec deux côtés multiples de ${multiple} et compris entre ${min} et ${max}`,
  roles: (max) => `de 1 à ${max} rôles, en mention ou par leur identifiant`,
  words: (max) => `de 1 à ${max} mots séparés par des virgules`,
  channel: "un salon textuel de ce serveur, comme `#galerie`",
  emoji: "un emoji comme `⭐`, ou `off`",
  yesNo: "`on` ou `off`",
  text: (max) => `un texte de ${number(max)} caractères au plus`,
};

const optionName = optionNames("fr");
const subject = (c: Values, otherwise: string): string =>
  placeIn(
    c,
    (unit, at) => `${unit === "line" ? "La ligne" : "L'entrée"} ${number(at)} du fichier`,
    otherwise,
  );

/** "2 images retirées" */
function without(noun: keyof typeof NOUNS, amount: number): string {
  const end = noun === "prompt" ? "" : "e";
  return `${count(amount, NOUNS[noun])} ${plural(amount, { one: `retiré${end}`, other: `retiré${end}s` })}`;
}

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`, ${count(tie, { one: "égalité", other: "égalités" })}`]),
    ...(bad === 0 ? [] : [`, les deux mauvaises : ${number(bad)}`]),
  ].join("");

const amountOf = (prompts: number, given: number): string =>
  given === 0
    ? `${count(prompts, PROMPTS)}.`
    : given === prompts
      ? `${count(prompts, PROMPTS)}, déjà ${plural(prompts, { one: "optimisé", other: "optimisés" })} : pas besoin de Promptist.`
      : `${count(prompts, PROMPTS)}, dont ${number(given)} déjà ${plural(given, { one: "optimisé", other: "optimisés" })}, sans besoin de Promptist.`;

const inScope = (scope: string): string => (scope === "channel" ? "ce salon" : "ce serveur");

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `${percent(mean)} de ses images gagnent (${percent(low)} à ${percent(high)}).`;

/** French, in the polite form. */
export const fr: Unfinished<Words> = {
  locale: "fr",
  duration,
  expectations,
  labels: {
    compareThis: "Comparer ceci",
    commands,
    cancel: "Annuler",
    start: "Démarrer",
    discard: "Abandonner",
    takeOut: (noun) => `Retirer des ${NOUNS[noun].other}`,
    choosePrompts: (noun, first, last) =>
      `${{ prompt: "Prompts", pair: "Paires", picture: "Images" }[noun]} ${first} à ${last}`,
    pair: (at, seed) => `Paire ${at}, graine ${seed}`,
    redraw: "Régénérer",
    tryAgain: "Réessayer",
    change: "Reformuler",
    asWritten: "Tel quel",
    previewAlt: "L'image en cours de génération",
    votes,
    reveal: "Révéler à tous",
    again: "Autre graine",
    vary: { small: "Varier (peu)", large: "Varier (beaucoup)" },
    use: { baseline: "Prendre la gauche", optimized: "Prendre la droite", only: "Prendre celle-ci" },
    enlarge: "Agrandir",
    larger: (which, times, size) =>
      `${{ baseline: "Gauche", optimized: "Droite", only: "Celle-ci" }[which]}, ${number(times)} fois : ${size}`,
    editPrompt: "Modifier le prompt",
    editFirst: "Modifier d'abord",
    drawPair: "Générer la paire",
    drawRaw: "Générer tel quel",
    info: "Infos",
    favourite: "Dans la galerie",
    delete: "Supprimer",
    own: "Première réécriture",
    chooseBeam: "Générer une autre réécriture",
    chooseWords: "Enlever des mots ajoutés",
    editPromptTitle: "Modifier le prompt ; la graine reste",
    editRewriteTitle: "Modifier la réécriture avant de générer",
    usePromptTitle: "Le prompt qui part de cette image",
    prompt: "Prompt",
    rewriteBy: (rewriter) => `Réécrit par ${rewriter}`,
    against: (rewriter) => `Face à ${rewriter}`,
    givenRewrite: "Optimisé",
    negative: "Prompt négatif",
    baselineAlt: (prompt) => `Image du prompt d'origine : ${prompt}`,
    optimizedAlt: (prompt) => `Image du prompt réécrit : ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `Deux images côte à côte. À gauche, le prompt d'origine : ${prompt}. À droite, réécrit : ${optimized}`,
    contactSheetAlt: (prompts) =>
      `Paires d'images pour ${count(prompts.length, PROMPTS)} : ${prompts.join("; ")}`,
  },
  statusLines: {
    accepted: "Demande acceptée.",
    position: (phase, position, etaMs) =>
      `Dans la file ${phase === "text" ? "de réécriture" : "de génération"} : ${position === 1 ? "c'est bientôt votre tour" : `place ${number(position)}`}.${etaMs === null ? "" : ` Résultat dans environ ${duration(etaMs)}.`}`,
    starts: (phase) => (phase === "text" ? "C'est parti…" : "La génération commence…"),
    paused: "Mis en pause par un admin ; vous gardez votre place.",
    devicesFailed: "La carte graphique ne répond plus ; de nouveaux essais suivent. Vous gardez votre place.",
    retries: "Cet essai a échoué. Le bot réessaie dans un instant.",
    held: (scope, limit) =>
      `En attente hors de la file : ${holder[scope]} déjà ${number(limit)} dedans, le maximum autorisé à la fois. Votre demande y entrera d'elle-même dès ${limit === 1 ? "que celle-ci sera terminée" : "qu'une autre sera terminée"}.`,
    loading: (phase) =>
      phase === "text"
        ? "Réécriture : chargement de Promptist…"
        : "Génération : chargement de Stable Diffusion…",
    rewriting: (step, steps) => `réécriture, jeton ${number(step)} sur ${number(steps)}`,
    drawing: (side, step, steps) =>
      `image ${side === "baseline" ? "du prompt d'origine" : "de la réécriture"}, étape ${number(step)} sur ${number(steps)}`,
    item: (noun, index, items) => `${NOUNS[noun].one} ${number(index + 1)} sur ${number(items)}`,
    left: (ms) => `encore ${duration(ms)} environ`,
    pairs: (pairs) => `${count(pairs, PAIRS)}, chacune avec sa propre graine.`,
    takenOut: (kind, left, all) =>
      `Il reste ${number(left)} ${plural(left, NOUNS[nounOf(kind)])} sur ${number(all)}.`,
    stopping: "Arrêt en cours.",
    late: "C'est plus long que le temps pendant lequel Discord me laisse modifier ce message. Le résultat arrivera ici dans un nouveau message.",
    erased: "Annulé et supprimé, avec tout ce qui était enregistré à votre sujet.",
    batch: amountOf,
  },
  queueLines: {
    title: "File d'attente",
    paused: "Un admin a mis la file en pause. Les demandes en attente gardent leur place.",
    devicesFailed:
      "La carte graphique ne répond plus ; de nouveaux essais suivent. Les demandes en attente gardent leur place.",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "Rien n'est en cours ni en attente."
        : `${number(running)} en cours, ${number(waiting)} en attente.`,
    loaded: (names) => `Chargé : ${listed(names)}.`,
    swaps: (swaps) => `Changements de modèle depuis le démarrage : ${number(swaps)}.`,
    yours: "Vos demandes plus loin dans la file :",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "hors de la file, jusqu'à la fin d'une autre demande de cette personne",
        channel: "hors de la file, jusqu'à la fin d'une autre demande de ce salon",
        server: "hors de la file, jusqu'à la fin d'une autre demande de ce serveur",
      };
      const waits = `n° ${number(position)} ${phase === "text" ? "en réécriture" : "en génération"}`;
      const where = held !== null ? outside[held] : position === 0 ? "**en cours**" : waits;
      const what =
        job === null
          ? "une demande venue d'ailleurs"
          : `${commands[job.kind]} de <@${job.userId}> \`${job.id}\``;
      return `${where} : ${what}${etaMs === null ? "" : `, résultat dans environ ${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `à partir d'une image, force ${number(strength)}`,
    choosePair:
      "Quelle paire ? Ses deux images seront variées, ou l'une d'elles deviendra la prochaine base.",
    chooseEnlarged: "Quelle image, et à quelle taille ? Ses détails sont refaits, le reste ne change pas.",
    negativeUnread: "-# Sans guidage (1 ou moins, comme avec `turbo`), le prompt négatif est sans effet.",
    upscaler: (name) => `agrandi par ${name}`,
    larger: (times) => `${number(times)} fois plus grande`,
    model: (name) => `modèle ${name}`,
    lora: (name, strength) => `LoRA ${name} ${number(strength)}`,
    prompts: (mode) => `prompts : ${mode}`,
    speed: (speed) => `vitesse ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`, \`[word]\` et \`BREAK\` sont lus comme du texte simple${prompts.length === 0 ? " ici" : ` (prompts ${numbers(prompts, more)})`}. Pour leur donner leur sens, choisissez \`prompts: weighted\` dans la commande ; les gestionnaires peuvent régler \`prompts\` pour tous.`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` et \`[a:b:0.5]\` n'ont pas de sens ici. Ils sont lus comme des mots${prompts.length === 0 ? "" : ` (prompts ${numbers(prompts, more)})`}.`,
    cut: "Avec `prompts: weighted`, le modèle d'image lit les longs prompts jusqu'au bout.",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)} : le modèle d'image ne peut pas lire le prompt ou sa réécriture jusqu'au bout. Avec \`prompts: weighted\`, il en lit plus.`,
    unknownSubject: (subjects, tried) =>
      `Le petit modèle d'ici ne connaît que ${number(subjects)} sujets, et aucun n'est dans ce prompt. Essaie ${tried.join(", ")}.`,
    enlarged: (times) => `-# Affiché ${number(times)} fois plus grand que l'image générée.`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**À gauche** tel quel · **à droite** ${how} :`,
    left: (how) => `**À gauche** ${how} :`,
    right: (how) => `**À droite** ${how} :`,
    sidesOfEach: (pairs, how) =>
      `${count(pairs, PAIRS)}, chaque fois **à gauche** tel quel · **à droite** ${how} :`,
    change: "Générez ceci avec une autre réécriture, ou sans certains des mots ajoutés ; la graine reste.",
    onlySide: (side) =>
      side === "baseline" ? "Généré à partir du prompt d'origine." : "Généré à partir de la réécriture.",
    rewritesDiffer: "-# Chaque paire a sa propre réécriture ; voici la première.",
    seed: (seed) => `graine ${seed}`,
    seeds: (first, last) => (first === last ? `graine ${first}` : `graines ${first} à ${last}`),
    steps: (steps) => count(steps, STEPS),
    guidance: (guidance) => `guidage ${number(guidance)}`,
    overview: (kind, items, pictures) =>
      `${count(items, NOUNS[nounOf(kind)])}, ${count(pictures, PICTURES)}.`,
    takenOut: (kind, items) => `${without(nounOf(kind), items)}.`,
    sheet: (first, last, all) => `Prompts ${number(first)} à ${number(last)} sur ${number(all)}.`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "La planche 1 est arrivée pendant la génération ; elle est aussi dans le zip."
        : `Les planches 1 à ${number(sheets)} sont arrivées pendant la génération ; elles sont aussi dans le zip.`,
    zipped: (pictures) =>
      `${pictures === 1 ? "L'image est" : `Les ${number(pictures)} images sont`} dans le zip.`,
    zips: (pictures, here, all, jobId) =>
      `${count(pictures, PICTURES)} au total, dans ${count(all, ZIPS)}, car un fichier ne peut pas être plus gros ici. ${here === 0 ? "Aucune ne tient dans ce message" : here === 1 ? "La première est ici" : `Les archives 1 à ${here} sont ici`} ; \`/show id:${jobId} part:${here + 1}\` donne la suivante.`,
    zipTooLarge:
      "Certaines images sont plus grosses que ce salon ne le permet : elles ne sont dans aucun zip.",
    again:
      "Joignez `report.csv` à `/batch` pour régénérer ses lignes : les mêmes graines et réglages donnent les mêmes images.",
    pruned: (at) =>
      `Les images ont été supprimées <t:${Math.floor(at / 1000)}:D> pour faire de la place. « Régénérer » redonne les mêmes.`,
    shrunk: "Les images sont des copies réduites : les originales dépassent ce que ce salon permet.",
    lost: (words) =>
      `La réécriture n'a plus ${words.map((word) => `*${word}*`).join(", ")} ; l'image ne le montre peut-être pas.`,
    recordsLeftOut:
      "Les listes de prompts et de graines sont trop grosses pour ce salon ; `/mydata export` les contient.",
    chosen: (rewrites) =>
      `${count(rewrites, { one: "réécriture choisie", other: "réécritures choisies" })} selon les goûts de ce serveur (\`/taste show\`).`,
    unread: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "est trop long" : "sont trop longs"} pour Promptist. La partie non lue est dans la réécriture, sans changement.`,
    missing: "Les images ne sont plus sur le disque du bot.",
    direct: "Je n'ai pas pu publier là où vous l'avez demandé, alors voici le résultat.",
    ready: (userId, kind) => `<@${userId}>, ${results[kind]} : c'est prêt.`,
    readyAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} : c'est prêt, ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} : aucun résultat, ${link}`,
    ended: (userId, kind) => `<@${userId}>, ${results[kind]} : aucun résultat.`,
  },
  jobLines: {
    id: (jobId) => `Demande \`${jobId}\`.`,
    made: (jobId, parentId) => `Demande \`${jobId}\`, issue de \`${parentId}\`.`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]} : demande annulée.`,
    tried: (times) => `${count(times, { one: "essai a été fait", other: "essais ont été faits" })}.`,
  },
  errorSentences: {
    PICTURE_TYPE: () => "Ce fichier n'est pas une image lisible. Joignez un fichier PNG, JPEG ou WebP.",
    PICTURE_TOO_BIG: (c) =>
      `L'image ${c.say("limit", (limit) => `dépasse ${bytes(limit)}`, "est trop grosse")}. Joignez un fichier plus petit.`,
    PICTURE_SHAPE: () =>
      "L'image est endommagée. Téléchargez-la à nouveau là où vous l'avez trouvée et joignez ce fichier.",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "L'image ne contient pas de prompt : beaucoup de sites et d'applications l'enlèvent. Joignez le fichier d'origine, ou copiez le prompt dans `/compare`."
        : `L'image vient de ${c.text("program")}, et son prompt ne peut pas être lu. Copiez le prompt dans \`/compare\`.`,
    PICTURE_PIXELS: (c) =>
      `L'image a ${c.say("limit", (limit) => `plus de ${number(limit)} pixels`, "trop de pixels")}, ou un côté est bien plus long que l'autre. Joignez une copie plus petite.`,
    PICTURE_FLAGGED: () =>
      "Le filtre de sécurité a réagi à cette image. Elle ne peut pas servir de base ici, tout au plus dans un salon avec restriction d'âge.",
    PICTURE_UNCHECKED: () =>
      "Aucun filtre de sécurité n'a vérifié cette image, et une image non vérifiée ne peut pas servir de base ici.",
    PICTURE_GONE: () =>
      "L'image qui servait de base est supprimée ; rien ne peut plus en être tiré. Joignez-la de nouveau à `/compare` comme `image`.",
    PICTURE_SHEET: () =>
      "C'est une planche avec beaucoup de prompts. Joignez une de ses images, ou `report.csv` à `/batch`.",
    INPUT_STRENGTH: () =>
      "`strength` dit quelle part de `image` est refaite. Joignez une image comme `image`, ou retirez `strength`.",
    INPUT_EMPTY: () => "Le prompt est vide. Écrivez ce que l'image doit montrer.",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "Le prompt")} ${c.say("limit", (limit) => `dépasse ${number(limit)} caractères`, "est trop long")}. Raccourcissez et réessayez.`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `attend ${expected}`
          : limit !== null
            ? `accepte ${number(limit)} au plus`
            : "a une valeur impossible";
      return `${name === null ? "Une option" : `L'option \`${name}\``} ${takes}. Corrigez et réessayez.`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "Cette taille" : `La taille ${c.code("size")}`} est trop grande pour le modèle d'ici. ${c.say("max", (max) => `Aucun côté ne peut dépasser ${number(max)} pixels`, "Choisissez-en une plus petite")}.`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "Cette taille" : `La taille ${c.code("size")}`} ne tient pas dans la mémoire d'ici. ${c.code("largest") === null ? "Choisissez-en une plus petite" : `La plus grande de cette forme qui y tient est ${c.code("largest")}`}.`,
    GRID_AXIS: (c) =>
      `${c.code("axis") === null ? "Cet axe de la grille" : `L'axe ${c.code("axis")}`} n'existe pas. ${c.code("option") ?? "Un axe"} prend un nom et des valeurs, par exemple ${c.code("example") ?? "`steps=10,20,30`"} ; les noms sont ${c.text("words")?.split(" ").join(", ") ?? "proposés pendant la saisie"}.`,
    GRID_LORA: () =>
      "L'axe `strength` est la force des LoRA. Nommez-en une avec `lora`, ou prenez `lora` comme autre axe.",
    GRID_TWICE: (c) =>
      `Les deux axes sont ${c.code("axis") ?? "les mêmes"}. Choisissez-en un autre pour \`y\`, ou omettez-le.`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "Une valeur" : `La valeur ${c.code("value")}`} ne convient pas${c.code("axis") === null ? "" : ` pour ${c.code("axis")}`}${expected === null ? "" : `, il faut ${expected}`}. Séparez les valeurs par des virgules ; les nombres aussi par plage, par exemple \`1-10 (+3)\` ou \`1-10 [4]\`.`;
    },
    GRID_SIZE: (c) =>
      `Cette grille aurait ${c.say("cells", (cells) => `${count(cells, PICTURES)}, et ${c.say("max", number, "25")} au plus sont autorisées ici`, "trop d'images")}. Retirez quelques valeurs.`,
    INPUT_CHOICE: () =>
      "Ce choix n'existe pas pour cette demande. Choisissez à nouveau sous son message le plus récent.",
    INPUT_UNCHANGED: () => "Rien n'a changé, le résultat serait donc le même.",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "Un mot du prompt" : `Le mot ${c.code("word")}`} n'est pas autorisé ici. Écrivez le prompt sans ce mot.`,
    INPUT_STYLE: (c) =>
      `Le style${c.code("style") === null ? "" : ` ${c.code("style")}`} n'existe pas ici. \`/style list\` montre ceux qui existent ; choisissez-en un, ou \`none\`.`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "`turbo` a besoin d'une LCM-LoRA, et il n'y en a pas ici. La personne qui gère le bot peut l'obtenir avec `promptist checkpoints pull lcm-lora`. En attendant, choisissez `fast` ou `full`."
        : `\`turbo\` n'est pas possible : ${c.code("lora")} est fait pour un autre modèle que celui qui dessine ici. Choisissez \`fast\` ou \`full\`.`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "Le LoRA" : "Le modèle"}${c.code("model") === null ? "" : ` ${c.code("model")}`} n'existe pas ici.${c.code("near") === null ? "" : ` Vouliez-vous dire ${c.code("near")} ?`} Les options \`model\` et \`lora\` montrent pendant la saisie ce qui est proposé.`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "Le LoRA" : "Le modèle"}${c.code("model") === null ? "" : ` ${c.code("model")}`} est réservé aux salons avec restriction d'âge. Choisissez-en un autre, ou utilisez-le là-bas.`,
    INPUT_REWRITER: (c) =>
      `Le réécriveur${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")}`} ne peut pas servir ici. Choisissez-en un parmi ceux proposés pendant la saisie : \`promptist\`, \`magicprompt\`, \`none\` ou un autre.`,
    INPUT_EVALUATION: (c) =>
      `Avec \`evaluate:True\`, \`rewriter\` nomme ce qui est comparé : jusqu'à ${c.say("max", number, "5")} réécriveurs différents, comme \`promptist, magicprompt, none\`, et pas \`none\` seul. \`seeds\` ne sert qu'à une évaluation.`,
    INPUT_AGAINST: (c) =>
      `Il y aurait ${c.code("rewriter") ?? "le même réécriveur"} des deux côtés. Choisissez-en un autre pour \`against\`.`,
    FILE_STYLES: () =>
      "Ce fichier n'est pas une liste de styles. Joignez le `styles.csv` d'A1111 : sa première ligne est `name,prompt,negative_prompt`, et chaque ligne suivante est un style.",
    DRAFT_GONE: () =>
      "Ce brouillon n'existe plus : il a été démarré, abandonné, ou il a expiré. Utilisez à nouveau la commande.",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `Vous avez déjà ${count(limit, { one: "brouillon", other: "brouillons" })} à démarrer, le maximum autorisé`, "Vous avez déjà trop de brouillons à démarrer")}. Démarrez-en ou abandonnez-en un, puis utilisez à nouveau la commande.`,
    NOT_OPERATOR: () =>
      "Seules les personnes qui gèrent ce bot le peuvent, car cela touche tous les serveurs.",
    NOT_ALLOWED: () =>
      "Seules les personnes qui gèrent ce serveur ou ce salon le peuvent. Demandez à un admin du serveur.",
    FILE_TOO_BIG: (c) =>
      `Le fichier ${c.say("limit", (limit) => `dépasse ${bytes(limit)}`, "est trop gros")}. Découpez-le en fichiers plus petits.`,
    FILE_BINARY: () => `Le fichier n'est pas du texte. ${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "Le fichier")} n'est pas du texte UTF-8. Enregistrez le fichier en UTF-8 et joignez-le à nouveau.`,
    FILE_TYPE: () => `Ce type de fichier ne peut pas être lu. ${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "Le fichier est du JSON, mais pas une liste" : `${subject(c, "Le fichier")} ${c.text("problem") === "json" ? "n'est pas du JSON valide" : "ne peut pas être lu"}`}. ${FORMATS}`,
    FILE_EMPTY: () => `Le fichier ne contient aucun prompt. ${FORMATS}`,
    FILE_UNREACHABLE: () => "Le fichier n'a pas pu être récupéré chez Discord. Joignez-le à nouveau.",
    QUEUE_UNREACHABLE: () => `La file est injoignable pour le moment, et rien n'a été enregistré. ${LATER}`,
    QUEUE_BUSY_DATABASE: () => `La file est occupée, et rien n'a été enregistré. ${LATER}`,
    QUEUE_LOCKED: () => `Une autre copie de ce bot utilise la même file. ${OWNER}`,
    QUEUE_FULL: () => `La file est pleine, et rien n'a été enregistré. ${LATER}`,
    QUEUE_CAP: (c) =>
      `${owner[scopeOf(c)]} ${c.say("limit", (limit) => `déjà ${count(limit, { one: "demande ouverte", other: "demandes ouvertes" })}, le maximum autorisé ici`, "déjà le maximum de demandes ouvertes autorisé ici")}. Elles démarrent d'elles-mêmes ; redemandez quand l'une sera terminée.`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "Ce serveur a" : "Vous avez"} épuisé pour l'instant les minutes de calcul de la carte${c.say("minutes", (minutes) => ` ; chaque jour en apporte ${number(minutes)}`, "")}. ${c.say("at", (at) => `Il y en aura de nouveau <t:${at}:R>.`, "Réessayez demain.")}`,
    QUEUE_NEWER_SCHEMA: () => `La file vient d'une version plus récente de ce bot. ${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "Le LoRA" : "Le modèle"}${c.code("model") === null ? "" : ` ${c.code("model")}`} n'est plus sur la machine du bot. Utilisez à nouveau la commande avec un autre. ${OWNER}`,
    CHECKPOINT_MISSING: () => `Le modèle nécessaire n'est pas installé. ${OWNER}`,
    CHECKPOINT_CORRUPT: () => `Les fichiers du modèle sont endommagés. ${OWNER}`,
    CHECKPOINT_TENSORS: () => `Les fichiers du modèle ne correspondent pas à sa configuration. ${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () =>
      `Le modèle installé est d'un type que ce bot ne sait pas exécuter. ${OWNER}`,
    CHECKPOINT_UNSAFE: () =>
      `Les fichiers du modèle ont été refusés, car ils pourraient exécuter du code. ${OWNER}`,
    HUB_NOT_FOUND: () => `Le site qui publie le modèle ne l'a pas. ${OWNER}`,
    HUB_REFUSED: () => `Le site qui publie le modèle demande une autorisation. ${OWNER}`,
    HUB_BUSY: () => `Le site qui publie le modèle est surchargé. ${OWNER}`,
    HUB_UNREACHABLE: () => `Le site qui publie le modèle est injoignable. ${OWNER}`,
    HUB_HASH: () => `Un fichier du modèle est arrivé endommagé. ${OWNER}`,
    DEVICE_UNAVAILABLE: () => `La carte graphique n'est pas utilisable pour le moment. ${LATER}`,
    OUT_OF_MEMORY: () =>
      "La mémoire n'a pas suffi. Essayez avec moins de prompts à la fois, ou réessayez plus tard.",
    WORKER_DIED: () => `Le processus du modèle s'est arrêté de façon inattendue. ${LATER}`,
    WORKER_STALLED: () => `Le processus du modèle ne répond plus. ${LATER}`,
    HOST_DIED: (c) =>
      `Le programme qui s'en occupait s'est arrêté de façon inattendue ${c.say("times", (times) => `${count(times, { one: "fois", other: "fois" })} de suite`, "à plusieurs reprises")}, la demande a donc été mise de côté. Essayez une taille plus petite ou moins d'images ; sinon, prévenez la personne qui gère ce bot.`,
    DISK_FULL: () => `Le disque de ce bot est plein. ${OWNER}`,
    DISK_READ_ONLY: () => `Ce bot n'a pas le droit d'enregistrer des images sur son disque. ${OWNER}`,
    DISK_FAILED: () => `Le disque de ce bot n'a pas pu être lu ou écrit. ${OWNER}`,
    PICTURES_UNREACHABLE: () => `Le stockage des images de ce bot ne répond pas ou les refuse. ${OWNER}`,
    CANCELLED: () => "Cette demande a été annulée.",
    INTERNAL: () =>
      "Un problème est survenu dans le bot. Réessayez ; si cela se reproduit, prévenez la personne qui le gère.",
    DISCORD_REFUSED: () =>
      "Le résultat est prêt et enregistré, mais Discord a refusé le message qui le contient.",
    DISCORD_UNREACHABLE: () => `Discord n'a pas pu être joint. ${LATER}`,
    CONFIG: () => `Ce bot n'est pas bien configuré. ${OWNER}`,
  },
  noteWords: {
    firstFrame: "L'image jointe est animée : sa première vue est utilisée.",
    cropped: "L'image jointe a une autre forme ; son centre est utilisé.",
    models: (used) => `Généré avec ${listed(used)}.`,
    embedding: (name, hash) => `Généré avec l'embedding ${name} (${hash}).`,
    redone: (side) =>
      `La demi-précision ne suffisait pas pour l'image ${side === "baseline" ? "du prompt" : "de la réécriture"} : elle a été recalculée plus exactement.`,
    plain: (side) =>
      `L'image ${side === "baseline" ? "du prompt" : "de la réécriture"} est d'une seule couleur : le modèle l'a faite ainsi. Essayez une autre graine ou plus de mots.`,
    leftOut: "Une partie des indications du message n'a pas été reprise.",
    taste: (reasons) => `Choisi pour ce serveur${reasons.length === 0 ? "" : ` : ${reasons.join(", ")}`}.`,
    tasteFirst: "Choisi pour ce serveur : parmi les réécritures trouvées, il préfère aussi la première.",
    tasteExplores: "Pas ce que ce serveur préfère : une réécriture sur dix sert à continuer d'apprendre.",
    unchanged: "Promptist n'a rien changé.",
    unread: (words) =>
      `Promptist ne peut pas lire jusqu'au bout un prompt si long. Cette partie est dans la réécriture, sans changement : ${words}`,
    kept: "La réécriture devait commencer par le prompt tel quel et ne rien dire deux fois.",
    truncated: (side, words) =>
      `Le modèle d'image ne peut pas lire la fin du ${{ baseline: "prompt", optimized: "prompt réécrit", negative: "prompt négatif" }[side]} : ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `Réécriture : ${mode}${mode === "beam" ? `, ${beams} faisceaux` : ""}, ${count(maxNewTokens, { one: "jeton", other: "jetons" })} au plus, ${count(rewrites, { one: "réécriture différente", other: "réécritures différentes" })}`,
    source: (strength, hashes) =>
      `À partir d'une image : force ${number(strength)}, source ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `Graine ${seed} · ${count(steps, STEPS)} · guidage ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · prompts : ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `réécriture ${duration(ms)}`,
    drawingTook: (side, ms) =>
      `image ${side === "baseline" ? "du prompt d'origine" : "de la réécriture"} ${duration(ms)}`,
    took: (parts) => `Durée : ${parts.join(", ")}`,
    checkpoints: (names) => `Checkpoints : ${names.join(", ") || "aucun pour l'instant"}`,
    miniature:
      "Les modèles miniatures sont de petits remplaçants : ils connaissent quelques centaines de sujets. La personne qui gère ce bot peut en installer de vrais.",
    askedBy: (userId, at) => `Demandé par <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "modèles miniatures"
      : `${phases[0] === "text" ? "Promptist" : "Stable Diffusion"} miniature`;
  },
  safetyLines: {
    picture: (side) => (side === "baseline" ? "l'image du prompt d'origine" : "l'image de la réécriture"),
    pictureOf: (prompt, side) =>
      side === "baseline" ? `le prompt ${prompt} tel quel` : `la réécriture du prompt ${prompt}`,
    more: (pictures) => more(pictures),
    withheld: (pictures, why, redraw) => {
      const what = `Non affiché : ${listed(pictures)}.`;
      if (why === "unchecked")
        return `${what} Aucun filtre de sécurité n'a vérifié cela, et rien n'est publié ici sans vérification.`;
      const because =
        why === "flagged"
          ? "Le filtre de sécurité a réagi, et ce salon n'a pas de restriction d'âge."
          : "Le filtre de sécurité a réagi, et les réglages d'ici masquent ce qu'il signale.";
      const todo =
        redraw === "buttons"
          ? "L'auteur de la demande peut régénérer avec les boutons ci-dessous : autre graine ou autres mots."
          : "L'auteur de la demande peut régénérer un tel prompt avec `/compare` : autre graine ou autres mots.";
      return `${what} ${because} ${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "Visible après un clic, car le filtre de sécurité a réagi ici."
        : "Visible après un clic, car aucun filtre de sécurité n'a vérifié ces images.",
    blindElsewhere:
      "Le vote sur cette paire est encore en cours ; elle ne pourra être montrée ici qu'à la fin du vote.",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `Évaluation${of === null ? "" : ` de ${of}`} : ${parts.join(" · ")}`,
    fits: {
      same: "suit aussi bien le prompt",
      better: "suit mieux le prompt",
      worse: "suit moins bien le prompt",
    },
    looksSame: (points) => `aussi belle (${decimal(points, 1)} sur 10)`,
    looks: (isBetter, from, to) =>
      `${isBetter ? "plus" : "moins"} belle (${decimal(from, 1)} → ${decimal(to, 1)} sur 10)`,
    relevance: (change) => `fidélité au prompt ${change}`,
    beauty: (change) => `beauté ${change}`,
    rewardOf: (reward) => `récompense ${reward} (ce que Promptist a appris à augmenter)`,
    pair: (parts, names) =>
      `Notes, ${names?.baseline ?? "tel quel"} → ${names?.optimized ?? "réécrit"} : ${parts.join(" · ")}`,
    title: "**Notes** : moyennes avec intervalles à 95 % ; au-dessus de zéro, la réécriture fait mieux.",
    relevanceChange: "Évolution de la fidélité",
    beautyGain: "Évolution de la beauté",
    reward: "Récompense",
    mean: (mean, low, high, n) => `${mean} (${low} à ${high}), n = ${n}`,
    plotAlt: (facts) => `Un point par paire, et les moyennes : ${facts.join("; ")}`,
    tableHead: " #  fidélité       beauté        récompense",
  },
  blindLines: {
    question:
      "Quelle image est la meilleure, A ou B ? L'une d'elles vient d'une réécriture du prompt. Votez pour savoir laquelle.",
    questionBetween: (one, other) =>
      `Quelle image est la meilleure, A ou B ? L'une vient du texte de ${one}, l'autre de celui de ${other}. Votez pour savoir laquelle.`,
    closes: (at) => `Le vote se termine <t:${Math.floor(at / 1000)}:R>.`,
    tileAlt: (letter) => `Image ${letter} ; on ne dit pas encore si elle vient de la réécriture`,
    nothing: "Promptist n'a rien changé, il n'y a donc rien à départager.",
    nothingBetween: "Les deux ont écrit la même chose, il n'y a donc rien à départager.",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A, ${said[left]}`,
        right: `B, ${said[right]}`,
        tie: "égalité",
        bad: "les deux mauvaises",
      }[counted];
      return `${isFirst ? "Votre vote compte" : "C'est votre premier vote qui compte"} : ${chosen}. A était ${said[left]}, B était ${said[right]}.`;
    },
    secret: "Gardez-le pour vous jusqu'à la fin du vote.",
    final: "Vous savez maintenant laquelle est laquelle ; votre vote ne peut plus changer.",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**Votes** ${names?.optimized ?? "réécriture"} ${number(optimized)} · ${names?.baseline ?? "tel quel"} ${number(baseline)} · égalité ${number(tie)} · les deux mauvaises ${number(bad)}`,
  },
  verdictLines: {
    none: "Pas encore de vote. Utilisez `/compare blind:True` : sous la paire, tout le monde peut voter pour A ou B.",
    tooFew: (tally, needed) =>
      `${number(tally.optimized)} sur ${count(tally.optimized + tally.baseline, VOTES)} pour la réécriture${undecided(tally)}. C'est trop peu pour conclure : il en faut ${number(needed)}.`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)} (confiance à 95 % : ${percent(low)} à ${percent(high)}), n = ${number(n)}${undecided(tally)}.`,
  },
  statsLines: {
    title: "À quelle fréquence la réécriture gagne",
    all: "Tous les votes",
    voter: (rank) => `Votant ${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `gagnerait ${percent(share)} contre le prompt tel quel (confiance à 95 % : ${percent(low)} à ${percent(high)}), n = ${number(n)}.`,
    reference: (n) => `ce à quoi les autres sont comparés, n = ${number(n)}.`,
    asWritten: "Tel quel",
    given: "Mots d'une personne",
  },
  tasteLines: {
    title: "Ce que ce serveur aime",
    noServer: "Chaque serveur a ses propres goûts : utilisez cette commande sur un serveur.",
    none: "On ne sait encore rien : il faut des votes à l'aveugle. Demandez une paire avec `/compare blind:True`.",
    learned: (votes) =>
      `Appris de ${count(votes, BLIND_VOTES)}. Combien de fois une réécriture avec l'expression gagnerait-elle contre la même sans elle ?`,
    liked: "Apprécié",
    disliked: "Peu apprécié",
    phrase: (text, share, { low, high }, votes) =>
      `${text} : ${percent(share)} (${percent(low)} à ${percent(high)}), n = ${number(votes)}`,
    intervals: "Entre parenthèses : intervalles à 95 %. Celui qui contient 50 % ne tranche pas encore.",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `${percent(share)} (${percent(low)} à ${percent(high)}, n = ${number(n)})`;
      return `Les réécritures ainsi choisies ont gagné ${rate(chosen)}. Toujours la première aurait gagné ${first === null ? "une part inconnue" : rate(first)}.`;
    },
    exported: (phrases, votes) => `${count(phrases, PHRASES)}, appris de ${count(votes, BLIND_VOTES)}.`,
    notSure:
      "Rien n'a été effacé. `/taste forget sure:True` efface ce que les votes de ce serveur ont appris.",
    forgotten:
      "Effacé. Les votes passés comptent toujours dans `/stats show` ; les goûts s'apprennent des nouveaux.",
  },
  draftLines: {
    amount: (prompts, given, pictures) =>
      `${amountOf(prompts, given)} Cela fait ${count(pictures, PICTURES)}.`,
    time: (ownMs) => `Durée sur cette machine : environ ${duration(ownMs)}.`,
    unknownTime: "La durée n'est pas encore connue : rien de tel n'a tourné depuis le démarrage du bot.",
    ahead: (jobs, ms) =>
      `${count(jobs, JOBS)} ${jobs === 1 ? "passe" : "passent"} avant${ms === null ? "" : `, pour environ ${duration(ms)}`}.`,
    first: (prompts, all) =>
      [
        ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(prompts.length < all ? [`et ${more(all - prompts.length)}`] : []),
      ].join("\n"),
    tooLong: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "est trop long" : "sont trop longs"} pour Promptist. Il réécrit le début, et le reste ne change pas.`,
    again: "Les graines et les réglages viennent du rapport.",
    fileSettings: "Les graines et les réglages du fichier sont utilisés.",
    own: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "a ses propres réglages" : "ont leurs propres réglages"}, lus dans le fichier.`,
    ends: (at) =>
      `Rien n'est généré avant que vous appuyiez sur « Démarrer ». Ce brouillon expire <t:${Math.floor(at / 1000)}:R>.`,
    expired:
      "Personne n'a appuyé à temps sur « Démarrer », rien n'a donc été généré. Utilisez à nouveau la commande.",
    discarded: "Abandonné. Rien n'a été généré.",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `${taken === 1 ? "Seul le premier prompt du fichier est pris" : `Seuls les ${number(taken)} premiers prompts du fichier sont pris`} ; ${number(rest)}${isAll ? "" : " ou plus"} ${rest === 1 ? "est laissé" : "sont laissés"} de côté. Mettez la suite dans un autre fichier.`,
    encoding: (encoding) =>
      `Le fichier n'est pas en UTF-8 ; il est lu comme \`${encoding}\`. Si des lettres semblent fausses, enregistrez-le en UTF-8 et joignez-le à nouveau.`,
    leftOut: "Laissé de côté",
    unread: "Non compris, et généré sans cela",
    ignored: (names, rest) => `Non lu : ${withMore(names, rest)}.`,
    comments: (lines) =>
      `${count(lines, { one: "ligne qui commence par `#` est ignorée", other: "lignes qui commencent par `#` sont ignorées" })}.`,
    remark: (unit, lines, rest, problem) => {
      const nouns: Plurals =
        unit === "line" ? { one: "ligne", other: "lignes" } : { one: "entrée", other: "entrées" };
      return `${plural(lines.length + rest, nouns)} ${withMore(lines.map(number), rest)} : ${problem}`;
    },
    more: (remarks) => `et ${more(remarks)}`,
  },
  itemLines: {
    choose: (noun) => `Choisissez les ${NOUNS[noun].other} à retirer. Les images déjà générées restent.`,
    more: (shown, all) =>
      `Les listes montrent les ${number(shown)} premiers éléments sur ${number(all)} en attente.`,
    taken: (noun, taken, left) => {
      return `${without(noun, taken)} ; ${left === 0 ? "il ne reste rien à générer" : `reste à générer : ${number(left)}`}.`;
    },
    gone: "C'est déjà généré ou retiré.",
  },
  evaluationLines: {
    amount: (prompts, names, seeds, pictures) =>
      `${count(prompts, PROMPTS)}, avec ${listed(names)} et ${count(seeds, { one: "graine", other: "graines" })} à chaque fois. Cela fait ${count(pictures, PICTURES)}.`,
    same: "Graines et réglages sont les mêmes pour tous. Les réécritures, graines et réglages propres aux lignes du fichier ne sont pas utilisés.",
    measures: { reward: "récompense", relevance: "fidélité au prompt", beauty: "beauté" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} fait mieux que ${baseline} : ${measure} ${gain}. ${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} fait moins bien que ${baseline} : ${measure} ${gain}. ${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} et ${baseline} ne se distinguent pas : ${measure} ${gain}. ${wins(rate)}`,
    noScores:
      "Il n'y a pas de rapport : aucun prompt n'a deux images notées. Il faut installer CLIP pour les noter.",
    file: "L'archive zip contient le rapport complet : ouvrez `report.html` dans un navigateur.",
    smaller: "Ses images sont réduites, sinon il serait trop gros pour ce salon.",
    withoutPictures: "Il est sans images : avec elles, il serait trop gros pour ce salon.",
    tooLarge: "Le rapport est trop gros pour ce salon.",
    pictures: (jobId) => `\`/show id:${jobId} part:1\` apporte les images elles-mêmes.`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${count(all, PICTURES)} en grille${down === null ? "" : `, ${number(across)} en largeur et ${number(down)} en hauteur`}.`,
    ofRewrite: "Toutes sont générées à partir de la réécriture.",
    choose: "Ouvrir une image : la comparer ou la publier",
    compare: "Comparer avec sa réécriture",
    post: "Publier ici",
    alt: (prompt, axes) => `Une grille d'images selon ${axes}, pour : ${prompt}`,
  },
  refusals: {
    notYours: "Seul l'auteur de la demande, ou la modération, peut faire cela.",
    notYoursToChange:
      "Seul l'auteur de la demande peut faire cela ici. Utilisez vous-même la commande pour générer la vôtre.",
    elsewhere: "Cela appartient à un autre salon.",
    role: "Il vous faut un certain rôle pour cela. Demandez à un admin de ce serveur.",
    noBallot: "Il n'y a pas de vote sur ces images.",
    noVotes: "Personne n'a encore voté. Demandez une paire avec `/compare blind:True`.",
    stillOpen: "Ce n'est pas encore terminé. `/queue` montre où en est la demande.",
    secret: "C'est un vote à l'aveugle ; vous verrez cela une fois le vote terminé.",
    notYourDraft: "Seule la personne qui l'a demandé peut le démarrer.",
    noPart: (parts) =>
      parts === 0
        ? "Les images ne sont plus sur le disque du bot, il n'y en a donc pas de zip."
        : `Il y a ${count(parts, ZIPS)} de ces images ici.`,
    noEvaluation: "Seul un lot terminé dont les images ont des notes peut être évalué.",
    nothingToChange: "Il n'y a pas d'autre réécriture.",
    nothingToEnlarge: "Ces images ont disparu, ou sont aussi grandes que possible ici.",
    nothingLeft: "Plus aucun prompt de ce lot n'est en attente.",
    notFinished: "Ce n'est pas terminé. Annulez d'abord.",
    alreadyFinished: "C'est déjà terminé.",
    unknownJob: "Cette demande n'existe pas ici. Elle a peut-être été supprimée.",
    unknownButton: "Ce bouton vient d'une autre version du bot. Utilisez à nouveau la commande.",
    unknownCommand: "Cette commande vient d'une autre version du bot. Rechargez Discord et réessayez.",
    repeated: "Vous avez envoyé cela deux fois en une seconde ; c'est exécuté une seule fois.",
    stopping: "Le bot va redémarrer. Réessayez dans une minute.",
    interrupted: "Le bot s'est arrêté avant d'enregistrer cette commande. Utilisez-la à nouveau.",
  },
  historyLines: {
    title: "Vos dernières demandes",
    none: "Vous n'avez encore rien demandé. Commencez par `/compare`.",
    states: {
      queued: "en attente",
      running: "en cours",
      done: "terminé",
      failed: "échec",
      cancelled: "annulé",
    },
    open: "Ouvrir",
    again: "En refaire une, avec une autre graine",
  },
  dataLines: {
    exported: (jobs, given) => `Enregistré à votre sujet : ${count(jobs, JOBS)} et ${count(given, VOTES)}.`,
    part: (at, isLast) =>
      isLast ? `Partie ${number(at)}, la dernière.` : `Partie ${number(at)} ; la suivante arrive.`,
    exporting: "Votre dernier export est encore en cours d'envoi. Ses fichiers arrivent l'un après l'autre.",
    notConfirmed:
      "Rien n'a été supprimé. `/mydata erase confirm:True` supprime tout ce qui est enregistré à votre sujet et les messages du bot avec vos résultats ; ajoutez `messages:False` pour garder les messages.",
    erased: (jobs, stopping) =>
      `Supprimé : ${count(jobs, JOBS)} avec ${jobs === 1 ? "ses" : "leurs"} images, vos votes et vos réglages.${stopping === 0 ? "" : ` ${count(stopping, { one: "demande en cours est en train de s'arrêter", other: "demandes en cours sont en train de s'arrêter" })} puis ${stopping === 1 ? "sera supprimée" : "seront supprimées"}.`}`,
    messagesKept: "Les messages restent. Appuyez sur « Supprimer » sous l'un d'eux pour l'enlever.",
    deletingMessages: "Les messages du bot avec vos prompts et résultats sont en cours de suppression.",
    messagesDeleted: (deleted, failed, later) =>
      [
        `${count(deleted, { one: "message supprimé", other: "messages supprimés" })}.`,
        ...(failed === 0
          ? []
          : [
              `${count(failed, MESSAGES)} n'${failed === 1 ? "a" : "ont"} pas pu être ${plural(failed, { one: "supprimé", other: "supprimés" })} : appuyez sur « Supprimer » en dessous.`,
            ]),
        ...(later === 0
          ? []
          : [
              `${count(later, MESSAGES)} n'${later === 1 ? "a" : "ont"} pas encore pu être ${plural(later, { one: "supprimé", other: "supprimés" })} ; le bot réessaie.`,
            ]),
      ].join(" "),
  },
  settingLines: {
    more: (settings) => `-# \`/settings show all:True\` explique les ${number(settings)} réglages.`,
    title: "Réglages",
    channel: "Ce salon",
    server: "Ce serveur",
    program: "Le bot lui-même",
    names: "Ce qui peut être réglé",
    choice: settingLines.choice,
    none: (falls) =>
      `Rien n'est réglé ici (${falls === "to the server" ? "les réglages du serveur s'appliquent" : "les valeurs par défaut du bot s'appliquent"}).`,
    entry: (name, value, by, at) => `\`${name}\` : ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${count(steps, STEPS)} (${number(maxSteps)} au plus), guidage ${number(guidance)}, ${scheduler}, mode ${mode}, prompts : ${prompts}`,
    set: (name, value, scope) => `\`${name}\` vaut maintenant ${value} pour ${inScope(scope)}.`,
    serverWide: (name) =>
      `\`${name}\` compte les demandes de tout le serveur ; un salon ne peut donc pas avoir le sien. Choisissez tout le serveur comme portée.`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` ne peut valoir \`${value}\` que dans les salons avec restriction d'âge, et celui-ci n'en a pas. Utilisez la commande dans un tel salon, ou réglez-le pour tout le serveur : cela ne vaudra que dans ces salons.`,
    all: "tout ce qui est réglé",
    resetAll: (names, scope) =>
      names.length === 0
        ? `Rien n'était réglé pour ${inScope(scope)}.`
        : `Réinitialisé pour ${inScope(scope)} : ${listed(names.map((name) => `\`${name}\``))}.`,
    reset: (name, scope, was) => {
      if (!was) return `\`${name}\` n'était pas réglé pour ${inScope(scope)}.`;
      return `\`${name}\` est réinitialisé pour ${inScope(scope)}. ${scope === "channel" ? "Le réglage du serveur ou la valeur par défaut du bot s'applique." : "La valeur par défaut du bot s'applique."}`;
    },
    pingOn: "Vous recevrez une notification quand un résultat qui a pris du temps sera prêt.",
    pingOff: "Vous ne recevrez plus de notifications. Vos résultats sont toujours publiés.",
  },
  galleryLines: {
    by: (person, link) => `Par ${person} : ${link}`,
    added: (link) => `C'est dans la galerie : ${link}`,
    there: (link) => `C'est déjà dans la galerie : ${link}`,
    later: (channel) => `Ce sera dans ${channel} dès que Discord l'acceptera.`,
    none: "Ce serveur n'a pas encore de galerie. Ses responsables peuvent choisir un salon : `/settings set name:gallery`.",
    pruned: "Les images ont été supprimées. Générez-les d'abord à nouveau.",
    withheld: (channel) =>
      `${channel} n'est pas soumis à une limite d'âge, et toutes ces images ne peuvent pas y être montrées.`,
    forbidden: (channel) =>
      `Le bot ne peut pas publier d'images dans ${channel}. Les responsables peuvent lui permettre d'y voir le salon, d'envoyer des messages, d'intégrer des liens et de joindre des fichiers.`,
  },
  hostLines: {
    none: "Aucun hôte n'est encore connu.",
    roles: { both: "bot et worker", bot: "bot", worker: "worker" },
    heard: (ms) => `dernier signe il y a ${duration(ms)}`,
    silent: (ms) => `**sans nouvelles depuis ${duration(ms)}**`,
    stopped: (at) => `arrêté <t:${at}:R>`,
    paused: "**en pause**",
    waiting: "attend en réserve",
    otherVersion: (version) => `**${version}, une autre version que celle de ce bot**`,
    otherPictures: "**garde ses images ailleurs que ce bot**",
    idle: "attend du travail",
    text: (job) => `réécrit pour la demande ${job}`,
    image: (job) => `dessine pour la demande ${job}`,
    loaded: (models, size) => `chargé : ${listed(models)}${size === 0 ? "" : ` (${bytes(size)})`}`,
    setAside: (why) => `**mis de côté** : ${why}`,
    offers: (names, rest) => `a ${withMore(names, rest)}`,
    more: (hosts) => `et ${more(hosts)}`,
    hostPaused: (host) =>
      `${host} est en pause. Il finit ce qu'il fait et ne prend rien d'autre avant \`/admin resume\` avec son nom, même après un redémarrage.`,
    hostResumed: (host) => `${host} reprend des demandes.`,
    unknown: (host) => `Il n'y a pas d'hôte ${host}. \`/admin hosts\` les affiche.`,
  },
  quotaLines: {
    title: "**Minutes de calcul de la carte**",
    user: (left, minutes, today, at) =>
      `Il vous reste ${number(left)} min ; ${number(today)} ont été utilisées aujourd'hui. Chaque jour en apporte ${number(minutes)}, les prochaines <t:${at}:R>.`,
    server: (left, minutes, today, at) =>
      `Il reste ${number(left)} min à ce serveur ; ${number(today)} ont été utilisées aujourd'hui. Chaque jour en apporte ${number(minutes)}, les prochaines <t:${at}:R>.`,
    scarce: "Il reste peu de temps de calcul. Ce qui a commencé sera terminé quand même.",
  },
  styleLines: {
    title: "Styles",
    server: "**Ceux de ce serveur**",
    yours: "**Les vôtres**",
    presets: "**Sur tous les serveurs**",
    noneHere: "Aucun pour l'instant : `/style save` en ajoute un, et `/style import` lit un `styles.csv`.",
    without: (negative) => `sans : ${negative}`,
    more: (styles) => `${more(styles)} : tapez une partie du nom après \`style:\`.`,
    use: "-# `style:` dans `/compare`, `/optimize` et `/batch` place ces mots autour de ce qui est généré. Promptist ne les lit pas.",
    saved: (name) => `Le style ${name} est enregistré. Choisissez-le avec \`style:\`.`,
    replaced: (name) => `Le style ${name} existait déjà ; il a maintenant ces mots.`,
    full: (styles) =>
      `Il y a déjà ${count(styles, STYLES)}, le maximum conservé. Retirez-en un avec \`/style remove\`.`,
    removed: (name) => `Le style ${name} est retiré. Les résultats qui l'utilisent gardent ses mots.`,
    notRemoved: (name) => `Il n'y a pas ici de style ${name} à retirer.`,
    needsWords:
      "Un style a besoin de mots : pour l'image, pour ce qu'elle ne doit pas montrer, ou les deux. `{prompt}` y prend la place du prompt.",
    imported: (added, replaced) => `Styles ajoutés : ${number(added)}, remplacés : ${number(replaced)}.`,
    importedTooLong: (names, rest) =>
      `Laissés de côté, car un texte est trop long : ${withMore(names, rest)}.`,
    importedMore: (styles) => `Laissés de côté, faute de place : ${count(styles, STYLES)}.`,
    option: (name) => `style ${name}`,
    words: "Style",
    whole: "Avec le style",
  },
  pictureLines: {
    title: "Comment cette image a été faite",
    sheetTitle: "Une planche",
    shows: { baseline: "le prompt d'origine", optimized: "la réécriture", both: "les deux prompts" },
    drawn: (program, shows) => `Faite par ${program}${shows === null ? "" : ` ; elle montre ${shows}`}.`,
    model: (name) => `Modèle : ${name}`,
    vae: (name) => `VAE : ${name}`,
    loras: (names) => `LoRA : ${names.join(", ")}`,
    embeddings: (names) => `Embeddings : ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip : ${skip}`,
    different: "**Différent ici :**",
    pairs: (amount) => `Elle montre ${count(amount, PAIRS)}. Joignez une de ses images pour la régénérer.`,
    next: "**Comparer ceci** génère le prompt tel quel et réécrit, avec ces réglages.",
    nextPair: "**Comparer ceci** génère à nouveau les deux prompts, avec ces réglages.",
    attach: "Pour la générer avec ces réglages, joignez-la à `/compare` comme `from`.",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**Pour commencer**",
      "`/compare` génère les images de votre prompt, tel quel et réécrit.",
      "`/optimize` le réécrit seulement.",
      "`/batch` compare tous les prompts d'un fichier.",
      "`/grid` montre l'effet d'une option : plusieurs valeurs en une image.",
      "Sur un message : clic droit (appui long sur un téléphone), puis **Applications**, puis **Optimiser ceci** ou **Comparer ceci**.",
      "",
      "**Ensuite**",
      "`/queue` montre ce qui est en cours et en attente.",
      "`/history` liste vos dernières demandes, `/show` en fait revenir une.",
      "`/info` lit le prompt dans le fichier d'une image.",
      "Les boutons sous un résultat le régénèrent.",
      "",
      "**Laquelle est la meilleure ?**",
      "`/compare blind:True` cache laquelle est laquelle jusqu'à votre vote.",
      "`/stats show` le dit, `/taste show` dit pourquoi.",
      "",
      "**Vos données**",
      "`/settings ping` active ou désactive les notifications.",
      "`/mydata export` et `/mydata erase` : ce qui est enregistré à votre sujet.",
    ],
  },
};
