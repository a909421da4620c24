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

const { number, count, plural, listed, numbers, percent, decimal, duration, bytes } = formsOf("de", "long");

const JOBS: Plurals = { one: "Auftrag", other: "Aufträge" };
const PICTURES: Plurals = { one: "Bild", other: "Bilder" };
const PROMPTS: Plurals = { one: "Prompt", other: "Prompts" };
const PAIRS: Plurals = { one: "Paar", other: "Paare" };
const NOUNS = { prompt: PROMPTS, pair: PAIRS, picture: PICTURES } as const;
const STEPS: Plurals = { one: "Schritt", other: "Schritte" };
const VOTES: Plurals = { one: "Stimme", other: "Stimmen" };
const BLIND_VOTES: Plurals = { one: "Blindstimme", other: "Blindstimmen" };
const PHRASES: Plurals = { one: "Wendung", other: "Wendungen" };
const MESSAGES: Plurals = { one: "Nachricht", other: "Nachrichten" };
const STYLES: Plurals = { one: "Stil", other: "Stile" };
const ZIPS: Plurals = { one: "ZIP-Datei", other: "ZIP-Dateien" };

const more = (rest: number): string => `${number(rest)} weitere`;
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (prompts: readonly number[]): string =>
  `Prompt${prompts.length === 1 ? "" : "s"} ${numbers(prompts, more)}`;
const holder = { user: "du hast", channel: "dieser Kanal hat", server: "dieser Server hat" } as const;
const Holder = { user: "Du hast", channel: "Dieser Kanal hat", server: "Dieser Server hat" } as const;
const sides = { baseline: "der ursprüngliche Prompt", optimized: "die Umschreibung" } as const;
const results = {
  optimize: "deine Umschreibung",
  compare: "dein Vergleich",
  batch: "deine Stapelverarbeitung",
  grid: "dein Raster",
  evaluation: "deine Auswertung",
};
const commands = {
  optimize: "Optimieren",
  compare: "Vergleichen",
  batch: "Stapelverarbeitung",
  grid: "Raster",
  evaluation: "Auswertung",
} as const;
const votes = { left: "A", right: "B", tie: "Gleich gut", bad: "Beide schlecht" } as const;

const LATER = "Versuch es später noch einmal.";
const OWNER = "Bitte sag den Betreibern dieses Bots Bescheid.";
const FORMATS =
  "Hänge eine `.txt` mit einem Prompt pro Zeile an, eine `.json`-Liste oder `.jsonl`-Zeilen mit Texten oder `{original, optimized}`-Paaren, oder eine `.csv` oder `.tsv` mit einer Spalte `prompt`.";

const expectations: Words["expectations"] = {
  integer: (min, max) => `eine ganze Zahl von ${number(min)} bis ${number(max)}`,
  number: (min, max) => `eine Zahl von ${number(min)} bis ${number(max)}`,
  oneOf: (words) => `eines davon: ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `eine Größe wie \`${example}\`, beide Seiten durch ${multiple} teilbar und von ${min} bis ${max}`,
  roles: (max) => `1 bis ${max} Rollen, als Erwähnung oder ID`,
  words: (max) => `1 bis ${max} Wörter mit Kommas dazwischen`,
  channel: "einen Textkanal dieses Servers wie `#galerie`",
  emoji: "ein Emoji wie `⭐`, oder `off`",
  yesNo: "`on` oder `off`",
  text: (max) => `einen Text von höchstens ${number(max)} Zeichen`,
};

const optionName = optionNames("de");
const subject = (c: Values, otherwise: string): string =>
  placeIn(c, (unit, at) => `${unit === "line" ? "Zeile" : "Eintrag"} ${number(at)} der Datei`, otherwise);

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`, ${number(tie)} unentschieden`]),
    ...(bad === 0 ? [] : [`, ${number(bad)}-mal beide schlecht`]),
  ].join("");

const amountOf = (prompts: number, given: number): string =>
  given === 0
    ? `${count(prompts, PROMPTS)}.`
    : given === prompts
      ? `${count(prompts, PROMPTS)}, schon optimiert: Promptist wird nicht gebraucht.`
      : `${count(prompts, PROMPTS)}, davon ${number(given)} schon optimiert: Dafür wird Promptist nicht gebraucht.`;

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `${percent(mean)} seiner Bilder gewinnen (${percent(low)} bis ${percent(high)}).`;

/** German, in the familiar form. */
export const de: Unfinished<Words> = {
  locale: "de",
  duration,
  expectations,
  labels: {
    compareThis: "Dies vergleichen",
    commands,
    cancel: "Abbrechen",
    start: "Starten",
    discard: "Verwerfen",
    takeOut: (noun) => `${NOUNS[noun].other} herausnehmen`,
    choosePrompts: (noun, first, last) => `${NOUNS[noun].other} ${first} bis ${last}`,
    pair: (at, seed) => `Paar ${at}, Seed ${seed}`,
    redraw: "Neu erzeugen",
    tryAgain: "Noch einmal versuchen",
    change: "Umformulieren",
    asWritten: "Wie geschrieben",
    previewAlt: "Das Bild, während es entsteht",
    votes,
    reveal: "Für alle auflösen",
    again: "Neuer Seed",
    vary: { small: "Variieren (wenig)", large: "Variieren (stark)" },
    use: { baseline: "Links verwenden", optimized: "Rechts verwenden", only: "Dieses verwenden" },
    enlarge: "Vergrößern",
    larger: (which, times, size) =>
      `${{ baseline: "Links", optimized: "Rechts", only: "Dieses" }[which]}, ${number(times)}-fach: ${size}`,
    editPrompt: "Prompt bearbeiten",
    editFirst: "Erst bearbeiten",
    drawPair: "Das Paar erzeugen",
    drawRaw: "Ohne Umschreibung erzeugen",
    info: "Info",
    favourite: "In die Galerie",
    delete: "Löschen",
    own: "Erste Umschreibung",
    chooseBeam: "Eine andere Umschreibung erzeugen",
    chooseWords: "Hinzugefügte Wörter weglassen",
    editPromptTitle: "Prompt bearbeiten; der Seed bleibt",
    editRewriteTitle: "Umschreibung vorher bearbeiten",
    usePromptTitle: "Der Prompt, der vom Bild ausgeht",
    prompt: "Prompt",
    rewriteBy: (rewriter) => `Von ${rewriter} umgeschrieben`,
    against: (rewriter) => `Gegen ${rewriter}`,
    givenRewrite: "Optimiert",
    negative: "Negativprompt",
    baselineAlt: (prompt) => `Bild zum ursprünglichen Prompt: ${prompt}`,
    optimizedAlt: (prompt) => `Bild zum umgeschriebenen Prompt: ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `Zwei Bilder nebeneinander. Links der ursprüngliche Prompt: ${prompt}. Rechts umgeschrieben: ${optimized}`,
    contactSheetAlt: (prompts) => `Bildpaare zu ${count(prompts.length, PROMPTS)}: ${prompts.join("; ")}`,
  },
  statusLines: {
    accepted: "Angenommen.",
    position: (phase, position, etaMs) =>
      `In der Warteschlange ${phase === "text" ? "zum Umschreiben" : "zum Erzeugen"}: ${position === 1 ? "als Nächstes dran" : `Platz ${number(position)}`}.${etaMs === null ? "" : ` Fertig in etwa ${duration(etaMs)}.`}`,
    starts: (phase) => (phase === "text" ? "Es geht los …" : "Das Erzeugen beginnt …"),
    paused: "Von einem Admin angehalten; dein Platz bleibt dir.",
    devicesFailed:
      "Die Grafikkarte arbeitet gerade nicht; es wird immer wieder versucht. Dein Platz bleibt dir.",
    retries: "Dieser Versuch ist fehlgeschlagen. Der Bot versucht es gleich noch einmal.",
    held: (scope, limit) =>
      `Wartet außerhalb der Warteschlange: ${holder[scope]} ${count(limit, JOBS)} darin, mehr sind gleichzeitig nicht erlaubt. Rückt von selbst nach, sobald ${limit === 1 ? "dieser" : "einer davon"} fertig ist.`,
    loading: (phase) =>
      phase === "text"
        ? "Umschreiben: Promptist wird geladen …"
        : "Erzeugen: Stable Diffusion wird geladen …",
    rewriting: (step, steps) => `wird umgeschrieben, Token ${number(step)} von ${number(steps)}`,
    drawing: (side, step, steps) =>
      `${side === "baseline" ? "ursprünglicher Prompt" : "Umschreibung"} wird erzeugt, Schritt ${number(step)} von ${number(steps)}`,
    item: (noun, index, items) => `${NOUNS[noun].one} ${number(index + 1)} von ${number(items)}`,
    left: (ms) => `noch etwa ${duration(ms)}`,
    pairs: (pairs) => `${count(pairs, PAIRS)}, jedes mit eigenem Seed.`,
    takenOut: (kind, left, all) =>
      `Noch ${number(left)} von ${number(all)} ${{ prompt: "Prompts", pair: "Paaren", picture: "Bildern" }[nounOf(kind)]} übrig.`,
    stopping: "Wird beendet.",
    late: "Das dauert länger, als Discord mich diese Nachricht bearbeiten lässt. Das Ergebnis kommt hier als neue Nachricht.",
    erased: "Das wurde abgebrochen und gelöscht, mit allem, was über dich gespeichert war.",
    batch: amountOf,
  },
  queueLines: {
    title: "Warteschlange",
    paused: "Ein Admin hat die Warteschlange angehalten. Wartende Aufträge behalten ihren Platz.",
    devicesFailed:
      "Die Grafikkarte arbeitet gerade nicht; es wird immer wieder versucht. Wartende Aufträge behalten ihren Platz.",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "Nichts läuft oder wartet."
        : `${number(running)} laufen, ${number(waiting)} warten.`,
    loaded: (names) => `Geladen: ${listed(names)}.`,
    swaps: (swaps) => `Modellwechsel seit dem Start: ${number(swaps)}.`,
    yours: "Deine Aufträge weiter hinten:",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "draußen, bis ein anderer Auftrag dieser Person fertig ist",
        channel: "draußen, bis ein anderer Auftrag dieses Kanals fertig ist",
        server: "draußen, bis ein anderer Auftrag dieses Servers fertig ist",
      };
      const waits = `${number(position)}. ${phase === "text" ? "beim Umschreiben" : "beim Erzeugen"}`;
      const where = held !== null ? outside[held] : position === 0 ? "**läuft**" : waits;
      const what =
        job === null
          ? "ein Auftrag von anderswo"
          : `${commands[job.kind]} von <@${job.userId}> \`${job.id}\``;
      return `${where}: ${what}${etaMs === null ? "" : `, fertig in etwa ${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `aus einem Bild, Stärke ${number(strength)}`,
    choosePair:
      "Welches Paar? Seine beiden Bilder werden variiert, oder eines davon wird die nächste Grundlage.",
    chooseEnlarged: "Welches Bild, und wie groß? Seine Einzelheiten entstehen neu, der Rest bleibt.",
    negativeUnread: "-# Ohne Guidance (1 oder weniger, wie bei `turbo`) wirkt ein Negativprompt nicht.",
    upscaler: (name) => `vergrößert mit ${name}`,
    larger: (times) => `${number(times)}-mal so groß`,
    model: (name) => `Modell ${name}`,
    lora: (name, strength) => `LoRA ${name} ${number(strength)}`,
    prompts: (mode) => `Prompts: ${mode}`,
    speed: (speed) => `Tempo ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`, \`[word]\` und \`BREAK\` gelten${prompts.length === 0 ? " hier" : ` in ${ofPrompts(prompts)}`} als normaler Text. Damit sie wirken, wähle \`prompts: weighted\` im Befehl; wer den Server verwaltet, kann \`prompts\` für alle einstellen.`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` und \`[a:b:0.5]\` haben hier keine Wirkung. Sie gelten${prompts.length === 0 ? "" : ` in ${ofPrompts(prompts)}`} als Wörter.`,
    cut: "Mit `prompts: weighted` liest das Bildmodell lange Prompts bis zum Ende.",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)}: Das Bildmodell kann den Prompt oder die Umschreibung nicht bis zum Ende lesen. Mit \`prompts: weighted\` liest es mehr.`,
    unknownSubject: (subjects, tried) =>
      `Das kleine Modell hier kennt nur ${number(subjects)} Motive, und keines davon kommt in diesem Prompt vor. Versuch es mit ${tried.join(", ")}.`,
    enlarged: (times) => `-# ${number(times)}-mal so groß gezeigt, wie es erzeugt wurde.`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**Links** wie geschrieben · **rechts** ${how}:`,
    left: (how) => `**Links** ${how}:`,
    right: (how) => `**Rechts** ${how}:`,
    sidesOfEach: (pairs, how) =>
      `${count(pairs, PAIRS)}, jeweils **links** wie geschrieben · **rechts** ${how}:`,
    change:
      "Erzeuge das mit einer anderen Umschreibung oder ohne einige der hinzugefügten Wörter; der Seed bleibt.",
    onlySide: (side) =>
      side === "baseline" ? "Zum ursprünglichen Prompt erzeugt." : "Zur Umschreibung erzeugt.",
    rewritesDiffer: "-# Jedes Paar hat eine eigene Umschreibung; das ist die erste.",
    seed: (seed) => `Seed ${seed}`,
    seeds: (first, last) => (first === last ? `Seed ${first}` : `Seeds ${first} bis ${last}`),
    steps: (steps) => count(steps, STEPS),
    guidance: (guidance) => `Guidance ${number(guidance)}`,
    overview: (kind, items, pictures) =>
      `${count(items, NOUNS[nounOf(kind)])}, ${count(pictures, PICTURES)}.`,
    takenOut: (kind, items) => `${count(items, NOUNS[nounOf(kind)])} herausgenommen.`,
    sheet: (first, last, all) => `Prompts ${number(first)} bis ${number(last)} von ${number(all)}.`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "Übersicht 1 kam schon während des Erzeugens und ist auch im ZIP."
        : `Die Übersichten 1 bis ${number(sheets)} kamen schon während des Erzeugens und sind auch im ZIP.`,
    zipped: (pictures) => `${pictures === 1 ? "Das Bild" : `Alle ${number(pictures)} Bilder`}: im ZIP.`,
    zips: (pictures, here, all, jobId) =>
      `Alle ${count(pictures, PICTURES)}: in ${count(all, ZIPS)}, weil eine Datei hier nicht größer sein darf. ${here === 0 ? "Keine passt in diese Nachricht" : here === 1 ? "Die erste ist hier" : `1 bis ${here} sind hier`}; \`/show id:${jobId} part:${here + 1}\` bringt die nächste.`,
    zipTooLarge:
      "Einige Bilder sind größer, als dieser Kanal erlaubt, und fehlen deshalb in jeder ZIP-Datei.",
    again:
      "Hänge `report.csv` an `/batch` an, um die Zeilen noch einmal zu erzeugen: Gleiche Seeds und Einstellungen ergeben gleiche Bilder.",
    pruned: (at) =>
      `Die Bilder wurden <t:${Math.floor(at / 1000)}:D> gelöscht, um Platz zu schaffen. „Neu erzeugen“ macht dieselben noch einmal.`,
    shrunk: "Die Bilder sind verkleinerte Kopien: Die Originale sind größer, als dieser Kanal erlaubt.",
    lost: (words) =>
      `In der Umschreibung fehlt ${words.map((word) => `*${word}*`).join(", ")}; auf dem Bild ist das vielleicht nicht zu sehen.`,
    recordsLeftOut:
      "Die Listen der Prompts und Seeds sind für diesen Kanal zu groß; `/mydata export` enthält sie.",
    chosen: (rewrites) =>
      `${count(rewrites, { one: "Umschreibung", other: "Umschreibungen" })} nach dem Geschmack dieses Servers gewählt (\`/taste show\`).`,
    unread: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "ist" : "sind"} zu lang für Promptist. Der nicht gelesene Teil steht unverändert in der Umschreibung.`,
    missing: "Die Bilder sind nicht mehr auf der Festplatte des Bots.",
    direct: "Dort, wo du gefragt hast, konnte ich nichts posten; deshalb bekommst du es hier.",
    ready: (userId, kind) => `<@${userId}>, ${results[kind]} ist fertig.`,
    readyAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} ist fertig: ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} hat kein Ergebnis: ${link}`,
    ended: (userId, kind) => `<@${userId}>, ${results[kind]} hat kein Ergebnis.`,
  },
  jobLines: {
    id: (jobId) => `Auftrag \`${jobId}\`.`,
    made: (jobId, parentId) => `Auftrag \`${jobId}\`, entstanden aus \`${parentId}\`.`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]} wurde abgebrochen.`,
    tried: (times) => `Es wurde ${number(times)}-mal versucht.`,
  },
  errorSentences: {
    PICTURE_TYPE: () =>
      "Diese Datei ist kein Bild, das ich lesen kann. Hänge eine PNG-, JPEG- oder WebP-Datei an.",
    PICTURE_TOO_BIG: (c) =>
      `Das Bild ist ${c.say("limit", (limit) => `größer als ${bytes(limit)}`, "zu groß")}. Hänge eine kleinere Datei an.`,
    PICTURE_SHAPE: () =>
      "Das Bild ist beschädigt. Lade es dort, wo du es gefunden hast, noch einmal herunter und hänge diese Datei an.",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "In dem Bild steht kein Prompt: Viele Websites und Apps entfernen ihn. Hänge die Originaldatei an oder kopiere den Prompt in `/compare`."
        : `Das Bild stammt von ${c.text("program")}, und sein Prompt ist nicht lesbar. Kopiere den Prompt in \`/compare\`.`,
    PICTURE_PIXELS: (c) =>
      `Das Bild hat ${c.say("limit", (limit) => `mehr als ${number(limit)} Pixel`, "zu viele Pixel")}, oder eine Seite ist viel länger als die andere. Hänge eine kleinere Kopie an.`,
    PICTURE_FLAGGED: () =>
      "Der Sicherheitsfilter hat dieses Bild markiert. Hier kann es nicht als Vorlage dienen, höchstens in Kanälen mit Altersbeschränkung.",
    PICTURE_UNCHECKED: () =>
      "Kein Sicherheitsfilter hat dieses Bild geprüft, und ungeprüfte Bilder sind hier nicht als Vorlage erlaubt.",
    PICTURE_GONE: () =>
      "Das Bild, das als Vorlage diente, ist gelöscht; daraus lässt sich nichts mehr erzeugen. Hänge es in `/compare` noch einmal als `image` an.",
    PICTURE_SHEET: () =>
      "Das ist eine Übersicht mit vielen Prompts. Hänge eines der Bilder an, oder `report.csv` an `/batch`.",
    INPUT_STRENGTH: () =>
      "`strength` sagt, wie viel von `image` neu erzeugt wird. Hänge ein Bild als `image` an oder lass `strength` weg.",
    INPUT_EMPTY: () => "Der Prompt ist leer. Schreib, was das Bild zeigen soll.",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "Der Prompt")} ist ${c.say("limit", (limit) => `länger als ${number(limit)} Zeichen`, "zu lang")}. Kürze ihn und versuch es noch einmal.`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `nimmt ${expected}`
          : limit !== null
            ? `nimmt höchstens ${number(limit)}`
            : "hat einen Wert, der nicht geht";
      return `${name === null ? "Eine Option" : `Die Option \`${name}\``} ${takes}. Ändere das und versuch es noch einmal.`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "Diese Größe" : `Die Größe ${c.code("size")}`} ist zu groß für das Modell hier. ${c.say("max", (max) => `Keine Seite darf länger als ${number(max)} Pixel sein`, "Wähle eine kleinere")}.`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "Diese Größe" : `Die Größe ${c.code("size")}`} passt hier nicht in den Speicher. ${c.code("largest") === null ? "Wähle eine kleinere" : `Die größte in dieser Form, die passt, ist ${c.code("largest")}`}.`,
    GRID_AXIS: (c) =>
      `${c.code("axis") === null ? "Diese Achse des Rasters" : `Die Achse ${c.code("axis")}`} gibt es nicht. ${c.code("option") ?? "Eine Achse"} nimmt einen Namen und Werte, etwa ${c.code("example") ?? "`steps=10,20,30`"}; die Namen sind ${c.text("words")?.split(" ").join(", ") ?? "beim Tippen zu sehen"}.`,
    GRID_LORA: () =>
      "Die Achse `strength` ist die Stärke von LoRAs. Nenne eine mit `lora` oder nimm `lora` als andere Achse.",
    GRID_TWICE: (c) =>
      `Beide Achsen sind ${c.code("axis") ?? "gleich"}. Nimm für \`y\` eine andere oder lass sie weg.`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "Ein Wert" : `Der Wert ${c.code("value")}`} geht${c.code("axis") === null ? "" : ` für ${c.code("axis")}`} nicht${expected === null ? "" : `; erlaubt ist ${expected}`}. Trenne Werte mit Kommas; Zahlen auch als Bereich, etwa \`1-10 (+3)\` oder \`1-10 [4]\`.`;
    },
    GRID_SIZE: (c) =>
      `Dieses Raster hätte ${c.say("cells", (cells) => `${count(cells, PICTURES)}, erlaubt sind hier höchstens ${c.say("max", number, "25")}`, "zu viele Bilder")}. Lass ein paar Werte weg.`,
    INPUT_CHOICE: () =>
      "Das gibt es bei diesem Auftrag nicht. Wähle noch einmal unter seiner neuesten Nachricht.",
    INPUT_UNCHANGED: () => "Es wurde nichts geändert, das Ergebnis wäre also dasselbe.",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "Ein Wort des Prompts" : `Das Wort ${c.code("word")}`} ist hier nicht erlaubt. Schreib den Prompt ohne dieses Wort.`,
    INPUT_STYLE: (c) =>
      `Den Stil${c.code("style") === null ? "" : ` ${c.code("style")}`} gibt es hier nicht. \`/style list\` zeigt, welche es gibt; wähle einen davon oder \`none\`.`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "`turbo` braucht eine LCM-LoRA, und hier gibt es keine. Wer den Bot betreibt, bekommt sie mit `promptist checkpoints pull lcm-lora`. Wähle bis dahin `fast` oder `full`."
        : `\`turbo\` geht hier nicht: ${c.code("lora")} gehört zu einem anderen Modell als dem, das hier Bilder erzeugt. Wähle \`fast\` oder \`full\`.`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "Das LoRA" : "Das Modell"}${c.code("model") === null ? "" : ` ${c.code("model")}`} gibt es hier nicht.${c.code("near") === null ? "" : ` Meintest du ${c.code("near")}?`} Die Optionen \`model\` und \`lora\` zeigen beim Tippen, was es hier gibt.`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "Das LoRA" : "Das Modell"}${c.code("model") === null ? "" : ` ${c.code("model")}`} ist nur für Kanäle mit Altersbeschränkung. Nimm ein anderes, oder nutze es dort.`,
    INPUT_REWRITER: (c) =>
      `Der Umschreiber${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")}`} geht hier nicht. Wähle einen, der beim Tippen angeboten wird: \`promptist\`, \`magicprompt\`, \`none\` und so weiter.`,
    INPUT_EVALUATION: (c) =>
      `Mit \`evaluate:True\` nennt \`rewriter\`, was verglichen wird: höchstens ${c.say("max", number, "5")} verschiedene, etwa \`promptist, magicprompt, none\`, und nicht \`none\` allein. \`seeds\` gibt es nur bei einer Auswertung.`,
    INPUT_AGAINST: (c) =>
      `Auf beiden Seiten stünde ${c.code("rewriter") ?? "derselbe Umschreiber"}. Wähle für \`against\` einen anderen.`,
    FILE_STYLES: () =>
      "Die Datei ist keine Liste von Stilen. Hänge die `styles.csv` von A1111 an: Die erste Zeile ist `name,prompt,negative_prompt`, jede weitere ein Stil.",
    DRAFT_GONE: () =>
      "Diesen Entwurf gibt es nicht mehr: Er wurde gestartet, verworfen oder ist abgelaufen. Nutze den Befehl noch einmal.",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `Bei dir warten schon ${count(limit, { one: "Entwurf", other: "Entwürfe" })} auf den Start, mehr geht nicht`, "Bei dir warten schon zu viele Entwürfe auf den Start")}. Starte oder verwirf einen und nutze den Befehl dann noch einmal.`,
    NOT_OPERATOR: () => "Das können nur die Betreiber dieses Bots, weil es alle Server betrifft.",
    NOT_ALLOWED: () =>
      "Das können nur Leute, die diesen Server oder Kanal verwalten. Frag einen Admin des Servers.",
    FILE_TOO_BIG: (c) =>
      `Die Datei ist ${c.say("limit", (limit) => `größer als ${bytes(limit)}`, "zu groß")}. Teile sie in kleinere Dateien auf.`,
    FILE_BINARY: () => `Die Datei ist kein Text. ${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "Die Datei")} ist kein UTF-8-Text. Speichere die Datei als UTF-8 und hänge sie noch einmal an.`,
    FILE_TYPE: () => `Dateien dieser Art kann ich nicht lesen. ${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "Die Datei ist JSON, aber keine Liste" : `${subject(c, "Die Datei")} ${c.text("problem") === "json" ? "ist kein gültiges JSON" : "ist nicht lesbar"}`}. ${FORMATS}`,
    FILE_EMPTY: () => `In der Datei steht kein Prompt. ${FORMATS}`,
    FILE_UNREACHABLE: () => "Die Datei war bei Discord nicht abrufbar. Hänge sie noch einmal an.",
    QUEUE_UNREACHABLE: () =>
      `Die Warteschlange ist gerade nicht erreichbar, und nichts wurde gespeichert. ${LATER}`,
    QUEUE_BUSY_DATABASE: () =>
      `Die Warteschlange ist gerade beschäftigt, und nichts wurde gespeichert. ${LATER}`,
    QUEUE_LOCKED: () => `Ein anderes Exemplar dieses Bots benutzt dieselbe Warteschlange. ${OWNER}`,
    QUEUE_FULL: () => `Die Warteschlange ist voll, und nichts wurde gespeichert. ${LATER}`,
    QUEUE_CAP: (c) =>
      `${Holder[scopeOf(c)]} ${c.say("limit", (limit) => `schon ${count(limit, { one: "offenen Auftrag", other: "offene Aufträge" })}, mehr sind hier nicht erlaubt`, "schon so viele offene Aufträge, wie hier erlaubt sind")}. Sie starten von selbst; frag noch einmal, wenn einer fertig ist.`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "Dieser Server hat" : "Du hast"} die Rechenminuten der Karte für jetzt verbraucht${c.say("minutes", (minutes) => `; jeder Tag bringt ${number(minutes)} neue`, "")}. ${c.say("at", (at) => `Neue gibt es <t:${at}:R>.`, "Versuch es morgen noch einmal.")}`,
    QUEUE_NEWER_SCHEMA: () => `Die Warteschlange stammt von einer neueren Version dieses Bots. ${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "Das LoRA" : "Das Modell"}${c.code("model") === null ? "" : ` ${c.code("model")}`} liegt nicht mehr auf dem Rechner des Bots. Nutze den Befehl noch einmal mit einem anderen. ${OWNER}`,
    CHECKPOINT_MISSING: () => `Das nötige Modell ist nicht installiert. ${OWNER}`,
    CHECKPOINT_CORRUPT: () => `Die Dateien des Modells sind beschädigt. ${OWNER}`,
    CHECKPOINT_TENSORS: () => `Die Dateien des Modells passen nicht zu seiner Konfiguration. ${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () =>
      `Das installierte Modell ist von einer Art, die dieser Bot nicht ausführen kann. ${OWNER}`,
    CHECKPOINT_UNSAFE: () =>
      `Die Dateien des Modells wurden abgelehnt, weil sie Code ausführen könnten. ${OWNER}`,
    HUB_NOT_FOUND: () => `Die Website, die das Modell anbietet, hat es nicht. ${OWNER}`,
    HUB_REFUSED: () => `Die Website, die das Modell anbietet, verlangt dafür eine Erlaubnis. ${OWNER}`,
    HUB_BUSY: () => `Die Website, die das Modell anbietet, ist überlastet. ${OWNER}`,
    HUB_UNREACHABLE: () => `Die Website, die das Modell anbietet, ist nicht erreichbar. ${OWNER}`,
    HUB_HASH: () => `Eine Datei des Modells kam beschädigt an. ${OWNER}`,
    DEVICE_UNAVAILABLE: () => `Die Grafikkarte ist gerade nicht nutzbar. ${LATER}`,
    OUT_OF_MEMORY: () =>
      "Dafür hat der Speicher nicht gereicht. Nimm weniger Prompts auf einmal oder versuch es später noch einmal.",
    WORKER_DIED: () => `Der Prozess mit dem Modell wurde unerwartet beendet. ${LATER}`,
    WORKER_STALLED: () => `Der Prozess mit dem Modell antwortet nicht mehr. ${LATER}`,
    HOST_DIED: (c) =>
      `Das Programm, das daran arbeitete, wurde ${c.say("times", (times) => `${count(times, { one: "Mal", other: "Mal" })} nacheinander`, "immer wieder")} unerwartet beendet, deshalb wurde der Auftrag zurückgestellt. Versuch es mit einer kleineren Größe oder weniger Bildern; hilft das nicht, sag den Betreibern dieses Bots Bescheid.`,
    DISK_FULL: () => `Die Festplatte dieses Bots ist voll. ${OWNER}`,
    DISK_READ_ONLY: () => `Dieser Bot darf auf seiner Festplatte keine Bilder speichern. ${OWNER}`,
    DISK_FAILED: () => `Die Festplatte dieses Bots ließ sich nicht lesen oder beschreiben. ${OWNER}`,
    PICTURES_UNREACHABLE: () =>
      `Der Speicher für die Bilder dieses Bots antwortet nicht oder lehnt sie ab. ${OWNER}`,
    CANCELLED: () => "Das wurde abgebrochen.",
    INTERNAL: () =>
      "Im Bot ist etwas schiefgegangen. Bitte versuch es noch einmal; wenn es wieder passiert, sag den Betreibern Bescheid.",
    DISCORD_REFUSED: () =>
      "Das Ergebnis ist fertig und gespeichert, aber Discord hat die Nachricht damit abgelehnt.",
    DISCORD_UNREACHABLE: () => `Discord war nicht erreichbar. ${LATER}`,
    CONFIG: () => `Dieser Bot ist nicht richtig eingerichtet. ${OWNER}`,
  },
  noteWords: {
    firstFrame: "Das angehängte Bild ist bewegt: Verwendet wird sein erstes Einzelbild.",
    cropped: "Das angehängte Bild hat eine andere Form, deshalb wird seine Mitte verwendet.",
    models: (used) => `Erzeugt mit ${listed(used)}.`,
    embedding: (name, hash) => `Erzeugt mit dem Embedding ${name} (${hash}).`,
    redone: (side) =>
      `Für das Bild ${side === "baseline" ? "des Prompts" : "der Umschreibung"} reichte halbe Genauigkeit nicht; es wurde genauer noch einmal berechnet.`,
    plain: (side) =>
      `Das Bild ${side === "baseline" ? "des Prompts" : "der Umschreibung"} hat nur eine Farbe: So hat es das Modell erzeugt. Versuch einen anderen Seed oder mehr Wörter.`,
    leftOut: "Ein Teil der Angaben in der Nachricht wurde nicht übernommen.",
    taste: (reasons) => `Für diesen Server gewählt${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`,
    tasteFirst:
      "Für diesen Server gewählt: Von den gefundenen Umschreibungen gefällt auch hier die erste am besten.",
    tasteExplores:
      "Nicht das, was diesem Server am besten gefällt: Jede zehnte Umschreibung dient dazu, weiter zu lernen.",
    unchanged: "Promptist hat nichts geändert.",
    unread: (words) =>
      `Einen so langen Prompt kann Promptist nicht zu Ende lesen. Dieser Teil steht unverändert in der Umschreibung: ${words}`,
    kept: "Die Umschreibung musste mit dem Prompt beginnen, so wie er dasteht, und durfte nichts zweimal sagen.",
    truncated: (side, words) =>
      `Das Bildmodell kann das Ende des ${{ baseline: "Prompts", optimized: "umgeschriebenen Prompts", negative: "Negativprompts" }[side]} nicht lesen: ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `Umschreiben: ${mode}${mode === "beam" ? `, ${beams} Beams` : ""}, höchstens ${count(maxNewTokens, { one: "Token", other: "Tokens" })}, ${count(rewrites, { one: "verschiedene Umschreibung", other: "verschiedene Umschreibungen" })}`,
    source: (strength, hashes) => `Aus einem Bild: Stärke ${number(strength)}, Quelle ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `Seed ${seed} · ${count(steps, STEPS)} · Guidance ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · Prompts: ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `Umschreiben ${duration(ms)}`,
    drawingTook: (side, ms) =>
      `Bild ${side === "baseline" ? "wie geschrieben" : "der Umschreibung"} ${duration(ms)}`,
    took: (parts) => `Dauer: ${parts.join(", ")}`,
    checkpoints: (names) => `Checkpoints: ${names.join(", ") || "noch keine"}`,
    miniature:
      "Miniaturmodelle sind ein kleiner Ersatz: Sie kennen einige hundert Motive. Die Betreiber dieses Bots können richtige installieren.",
    askedBy: (userId, at) => `Angefragt von <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "Miniaturmodelle"
      : `Miniaturmodell von ${phases[0] === "text" ? "Promptist" : "Stable Diffusion"}`;
  },
  safetyLines: {
    picture: (side) =>
      side === "baseline" ? "das Bild zum ursprünglichen Prompt" : "das Bild zur Umschreibung",
    pictureOf: (prompt, side) =>
      side === "baseline" ? `Prompt ${prompt} wie geschrieben` : `die Umschreibung von Prompt ${prompt}`,
    more: (pictures) => more(pictures),
    withheld: (pictures, why, redraw) => {
      const what = `Nicht gezeigt: ${listed(pictures)}.`;
      if (why === "unchecked")
        return `${what} Kein Sicherheitsfilter hat das geprüft, und Ungeprüftes wird hier nicht gepostet.`;
      const because =
        why === "flagged"
          ? "Der Sicherheitsfilter hat angeschlagen, und dieser Kanal hat keine Altersbeschränkung."
          : "Der Sicherheitsfilter hat angeschlagen, und nach den Einstellungen hier wird so etwas nicht gezeigt.";
      const todo =
        redraw === "buttons"
          ? "Wer das angefragt hat, kann es mit den Buttons unten neu erzeugen: mit neuem Seed oder anderen Wörtern."
          : "Wer das angefragt hat, kann so einen Prompt mit `/compare` neu erzeugen: mit anderem Seed oder anderen Wörtern.";
      return `${what} ${because} ${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "Erst nach einem Klick zu sehen, weil der Sicherheitsfilter hier angeschlagen hat."
        : "Erst nach einem Klick zu sehen, weil kein Sicherheitsfilter diese Bilder geprüft hat.",
    blindElsewhere:
      "Über dieses Paar wird noch abgestimmt, deshalb ist es hier erst nach dem Ende der Abstimmung zu sehen.",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `Bewertung${of === null ? "" : ` von ${of}`}: ${parts.join(" · ")}`,
    fits: {
      same: "passt genauso gut zum Prompt",
      better: "passt besser zum Prompt",
      worse: "passt schlechter zum Prompt",
    },
    looksSame: (points) => `sieht genauso gut aus (${decimal(points, 1)} von 10)`,
    looks: (isBetter, from, to) =>
      `sieht ${isBetter ? "besser" : "schlechter"} aus (${decimal(from, 1)} → ${decimal(to, 1)} von 10)`,
    relevance: (change) => `Nähe zum Prompt ${change}`,
    beauty: (change) => `Schönheit ${change}`,
    rewardOf: (reward) => `Reward ${reward} (darauf wurde Promptist trainiert)`,
    pair: (parts, names) =>
      `Werte, ${names?.baseline ?? "wie geschrieben"} → ${names?.optimized ?? "umgeschrieben"}: ${parts.join(" · ")}`,
    title: "**Werte**: Mittelwerte mit 95 % Konfidenzintervall; über 0 war die Umschreibung besser.",
    relevanceChange: "Änderung der Nähe zum Prompt",
    beautyGain: "Änderung der Schönheit",
    reward: "Reward",
    mean: (mean, low, high, n) => `${mean} (${low} bis ${high}), n = ${n}`,
    plotAlt: (facts) => `Ein Punkt je Paar, dazu die Mittelwerte: ${facts.join("; ")}`,
    tableHead: " #  Prompt-Nähe    Schönheit     Reward",
  },
  blindLines: {
    question:
      "Welches Bild ist besser, A oder B? Eines davon gehört zu einer Umschreibung des Prompts. Stimm ab, dann erfährst du, welches.",
    questionBetween: (one, other) =>
      `Welches Bild ist besser, A oder B? Eines gehört zum Text von ${one}, das andere zu dem von ${other}. Stimm ab, dann erfährst du, welches.`,
    closes: (at) => `Die Abstimmung endet <t:${Math.floor(at / 1000)}:R>.`,
    tileAlt: (letter) => `Bild ${letter}; ob es zur Umschreibung gehört, wird noch nicht verraten`,
    nothing: "Promptist hat nichts geändert, deshalb gibt es nichts abzustimmen.",
    nothingBetween: "Beide haben dasselbe geschrieben, deshalb gibt es nichts abzustimmen.",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A, ${said[left]}`,
        right: `B, ${said[right]}`,
        tie: "beide gleich gut",
        bad: "beide schlecht",
      }[counted];
      return `${isFirst ? "Deine Stimme zählt" : "Deine erste Stimme zählt"}: ${chosen}. A war ${said[left]}, B war ${said[right]}.`;
    },
    secret: "Bitte behalte das für dich, bis die Abstimmung vorbei ist.",
    final: "Du hast gesehen, welches welches ist; deine Stimme kann sich nicht mehr ändern.",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**Stimmen** ${names?.optimized ?? "Umschreibung"} ${number(optimized)} · ${names?.baseline ?? "wie geschrieben"} ${number(baseline)} · gleich gut ${number(tie)} · beide schlecht ${number(bad)}`,
  },
  verdictLines: {
    none: "Noch keine Stimmen. Nutze `/compare blind:True`: Unter dem Paar können alle für A oder B stimmen.",
    tooFew: (tally, needed) =>
      `${number(tally.optimized)} von ${count(tally.optimized + tally.baseline, VOTES)} für die Umschreibung${undecided(tally)}. Zu wenige für ein Urteil: ${number(needed)} sind nötig.`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)} (95 % Konfidenz: ${percent(low)} bis ${percent(high)}), n = ${number(n)}${undecided(tally)}.`,
  },
  statsLines: {
    title: "Wie oft die Umschreibung gewinnt",
    all: "Alle Stimmen",
    voter: (rank) => `Person ${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `würde ${percent(share)} gegen den Prompt wie geschrieben gewinnen (95 % Konfidenz: ${percent(low)} bis ${percent(high)}), n = ${number(n)}.`,
    reference: (n) => `daran werden die anderen gemessen, n = ${number(n)}.`,
    asWritten: "Wie geschrieben",
    given: "Eigene Worte",
  },
  tasteLines: {
    title: "Was diesem Server gefällt",
    noServer: "Jeder Server hat seinen eigenen Geschmack. Nutze den Befehl auf einem Server.",
    none: "Noch lässt sich nichts sagen: Dafür braucht es Blindabstimmungen. `/compare blind:True` erzeugt ein Paar dafür.",
    learned: (votes) =>
      `Gelernt aus ${count(votes, BLIND_VOTES)}. Wie oft würde eine Umschreibung mit der Wendung gegen dieselbe ohne sie gewinnen?`,
    liked: "Gefällt",
    disliked: "Gefällt nicht",
    phrase: (text, share, { low, high }, votes) =>
      `${text}: ${percent(share)} (${percent(low)} bis ${percent(high)}), n = ${number(votes)}`,
    intervals: "In Klammern: 95-%-Intervalle. Eines, in dem 50 % liegen, sagt noch nichts.",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `${percent(share)} (${percent(low)} bis ${percent(high)}, n = ${number(n)})`;
      return `So gewählte Umschreibungen gewannen ${rate(chosen)}. Immer die erste hätte ${first === null ? "einen unbekannten Anteil" : rate(first)} gewonnen.`;
    },
    exported: (phrases, votes) => `${count(phrases, PHRASES)}, gelernt aus ${count(votes, BLIND_VOTES)}.`,
    notSure:
      "Nichts wurde verworfen. `/taste forget sure:True` verwirft, was aus den Stimmen dieses Servers gelernt wurde.",
    forgotten:
      "Verworfen. Die bisherigen Stimmen zählen weiter in `/stats show`; was gefällt, wird aus neuen gelernt.",
  },
  draftLines: {
    amount: (prompts, given, pictures) =>
      `${amountOf(prompts, given)} Das ergibt ${count(pictures, PICTURES)}.`,
    time: (ownMs) => `Dauert auf diesem Rechner etwa ${duration(ownMs)}.`,
    unknownTime: "Die Dauer ist noch unbekannt: Seit dem Start des Bots lief noch nichts dergleichen.",
    ahead: (jobs, ms) =>
      `Vorher ${jobs === 1 ? "kommt" : "kommen"} ${count(jobs, JOBS)} dran${ms === null ? "" : `, etwa ${duration(ms)} lang`}.`,
    first: (prompts, all) =>
      [
        ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(prompts.length < all ? [`und ${more(all - prompts.length)}`] : []),
      ].join("\n"),
    tooLong: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "ist" : "sind"} zu lang für Promptist. Der Anfang wird umgeschrieben, der Rest bleibt, wie er ist.`,
    again: "Seeds und Einstellungen kommen aus dem Bericht.",
    fileSettings: "Seeds und Einstellungen aus der Datei werden benutzt.",
    own: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "hat" : "haben"} eigene Einstellungen aus der Datei.`,
    ends: (at) =>
      `Erzeugt wird erst, wenn du auf „Starten“ drückst. Dieser Entwurf läuft <t:${Math.floor(at / 1000)}:R> ab.`,
    expired:
      "Niemand hat rechtzeitig auf „Starten“ gedrückt, deshalb wurde nichts erzeugt. Nutze den Befehl noch einmal.",
    discarded: "Verworfen. Es wurde nichts erzeugt.",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `${taken === 1 ? "Nur der erste Prompt der Datei wird" : `Nur die ersten ${number(taken)} Prompts der Datei werden`} genommen; ${number(rest)}${isAll ? "" : " oder mehr"} bleiben weg. Pack sie in eine weitere Datei.`,
    encoding: (encoding) =>
      `Die Datei ist kein UTF-8 und wird als \`${encoding}\` gelesen. Wenn Buchstaben falsch aussehen, speichere sie als UTF-8 und hänge sie noch einmal an.`,
    leftOut: "Weggelassen",
    unread: "Nicht verstanden und ohne das erzeugt",
    ignored: (names, rest) => `Nicht gelesen: ${withMore(names, rest)}.`,
    comments: (lines) =>
      `${count(lines, { one: "Zeile", other: "Zeilen" })} mit \`#\` am Anfang ${lines === 1 ? "wird" : "werden"} übersprungen.`,
    remark: (unit, lines, rest, problem) => {
      const nouns: Plurals =
        unit === "line" ? { one: "Zeile", other: "Zeilen" } : { one: "Eintrag", other: "Einträge" };
      return `${plural(lines.length + rest, nouns)} ${withMore(lines.map(number), rest)}: ${problem}`;
    },
    more: (remarks) => `und ${more(remarks)}`,
  },
  itemLines: {
    choose: (noun) =>
      `Wähle die ${NOUNS[noun].other}, die du herausnehmen willst. Schon erzeugte Bilder bleiben.`,
    more: (shown, all) =>
      `Die Listen zeigen die ersten ${number(shown)} von ${number(all)}, die noch warten.`,
    taken: (noun, taken, left) =>
      `${count(taken, NOUNS[noun])} herausgenommen; ${left === 0 ? "es bleibt nichts übrig" : `noch ${number(left)} übrig`}.`,
    gone: "Die sind schon erzeugt oder herausgenommen.",
  },
  evaluationLines: {
    amount: (prompts, names, seeds, pictures) =>
      `${count(prompts, PROMPTS)}, mit ${listed(names)} und jeweils ${count(seeds, { one: "Seed", other: "Seeds" })} erzeugt. Das ergibt ${count(pictures, PICTURES)}.`,
    same: "Seeds und Einstellungen sind für alle gleich. Umschreibungen, Seeds und Einstellungen der Zeilen in der Datei zählen nicht.",
    measures: { reward: "Belohnung", relevance: "Nähe zum Prompt", beauty: "Schönheit" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} ist besser als ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} ist schlechter als ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} und ${baseline} lassen sich nicht unterscheiden: ${measure} ${gain}. ${wins(rate)}`,
    noScores:
      "Es gibt keinen Bericht: Von keinem Prompt sind zwei Bilder bewertet. Dafür muss CLIP installiert sein.",
    file: "Der ganze Bericht ist in der ZIP-Datei: Öffne `report.html` im Browser.",
    smaller: "Seine Bilder sind verkleinert, sonst wäre er für diesen Kanal zu groß.",
    withoutPictures: "Er kommt ohne Bilder: Mit ihnen wäre er für diesen Kanal zu groß.",
    tooLarge: "Der Bericht ist für diesen Kanal zu groß.",
    pictures: (jobId) => `\`/show id:${jobId} part:1\` bringt die Bilder selbst.`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${count(all, PICTURES)} in einem Raster${down === null ? "" : `, ${number(across)} nebeneinander und ${number(down)} untereinander`}.`,
    ofRewrite: "Alle entstehen aus der Umschreibung.",
    choose: "Ein Bild öffnen: vergleichen oder posten",
    compare: "Mit der Umschreibung vergleichen",
    post: "Hier posten",
    alt: (prompt, axes) => `Ein Raster von Bildern nach ${axes}, zu: ${prompt}`,
  },
  refusals: {
    notYours: "Das kann nur, wer das angefragt hat, oder die Moderation.",
    notYoursToChange:
      "Das kann hier nur, wer das angefragt hat. Nutze den Befehl selbst, um ein eigenes zu erzeugen.",
    elsewhere: "Das gehört zu einem anderen Kanal.",
    role: "Dafür brauchst du hier eine bestimmte Rolle. Frag einen Admin dieses Servers.",
    noBallot: "Über diese Bilder wird nicht abgestimmt.",
    noVotes: "Noch hat niemand abgestimmt. Lass mit `/compare blind:True` ein Paar erzeugen.",
    stillOpen: "Das ist noch nicht fertig. `/queue` zeigt, wie weit es ist.",
    secret: "Das ist eine Blindabstimmung; du siehst es, sobald sie vorbei ist.",
    notYourDraft: "Starten kann das nur, wer danach gefragt hat.",
    noPart: (parts) =>
      parts === 0
        ? "Die Bilder sind nicht mehr auf der Festplatte des Bots, deshalb gibt es keine ZIP-Datei davon."
        : `Von diesen Bildern gibt es hier ${count(parts, ZIPS)}.`,
    noEvaluation: "Auswerten lässt sich nur eine fertige Stapelverarbeitung, deren Bilder bewertet sind.",
    nothingToChange: "Davon gibt es keine andere Umschreibung.",
    nothingToEnlarge: "Diese Bilder sind gelöscht oder so groß, wie sie hier werden können.",
    nothingLeft: "Von dieser Stapelverarbeitung wartet kein Prompt mehr.",
    notFinished: "Das ist noch nicht fertig. Brich es zuerst ab.",
    alreadyFinished: "Das ist schon fertig.",
    unknownJob: "So einen Auftrag gibt es hier nicht. Vielleicht wurde er gelöscht.",
    unknownButton: "Dieser Button gehört zu einer anderen Version des Bots. Nutze den Befehl noch einmal.",
    unknownCommand:
      "Dieser Befehl gehört zu einer anderen Version des Bots. Lade Discord neu und versuch es noch einmal.",
    repeated: "Du hast das innerhalb einer Sekunde zweimal geschickt, deshalb läuft es nur einmal.",
    stopping: "Der Bot startet gleich neu. Bitte versuch es in einer Minute noch einmal.",
    interrupted:
      "Der Bot wurde beendet, bevor er diesen Befehl speichern konnte. Bitte nutze ihn noch einmal.",
  },
  historyLines: {
    title: "Deine letzten Aufträge",
    none: "Du hast noch nichts angefragt. Fang mit `/compare` an.",
    states: {
      queued: "wartet",
      running: "läuft",
      done: "fertig",
      failed: "fehlgeschlagen",
      cancelled: "abgebrochen",
    },
    open: "Öffnen",
    again: "Einen wiederholen, mit neuem Seed",
  },
  dataLines: {
    exported: (jobs, given) => `Über dich gespeichert: ${count(jobs, JOBS)} und ${count(given, VOTES)}.`,
    part: (at, isLast) =>
      isLast ? `Teil ${number(at)}, der letzte.` : `Teil ${number(at)}; der nächste folgt.`,
    exporting: "Dein letzter Export wird noch gesendet. Seine Dateien kommen nacheinander.",
    notConfirmed:
      "Es wurde nichts gelöscht. Mit `/mydata erase confirm:True` löschst du alles, was über dich gespeichert ist, und die Nachrichten des Bots mit deinen Ergebnissen; mit `messages:False` dazu bleiben die Nachrichten.",
    erased: (jobs, stopping) =>
      `Gelöscht: ${count(jobs, JOBS)} mit Bildern, deine Stimmen und deine Einstellungen.${stopping === 0 ? "" : ` ${count(stopping, { one: "laufender Auftrag wird", other: "laufende Aufträge werden" })} gerade beendet und danach gelöscht.`}`,
    messagesKept: "Die Nachrichten bleiben. Drück „Löschen“ unter einer, um sie zu entfernen.",
    deletingMessages: "Die Nachrichten des Bots mit deinen Prompts und Ergebnissen werden gelöscht.",
    messagesDeleted: (deleted, failed, later) =>
      [
        `${count(deleted, MESSAGES)} gelöscht.`,
        ...(failed === 0
          ? []
          : [
              `${count(failed, MESSAGES)} ${failed === 1 ? "ließ" : "ließen"} sich nicht löschen: Drück „Löschen“ darunter.`,
            ]),
        ...(later === 0
          ? []
          : [
              `${count(later, MESSAGES)} ${later === 1 ? "ließ" : "ließen"} sich noch nicht löschen; der Bot versucht es noch einmal.`,
            ]),
      ].join(" "),
  },
  settingLines: {
    more: (settings) => `-# \`/settings show all:True\` erklärt alle ${number(settings)} Einstellungen.`,
    title: "Einstellungen",
    channel: "Dieser Kanal",
    server: "Dieser Server",
    program: "Der Bot selbst",
    names: "Was sich einstellen lässt",
    choice: settingLines.choice,
    none: (falls) =>
      `Hier ist nichts eingestellt (es ${falls === "to the server" ? "gelten die Einstellungen des Servers" : "gilt der Standard des Bots"}).`,
    entry: (name, value, by, at) => `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${count(steps, STEPS)} (höchstens ${number(maxSteps)}), Guidance ${number(guidance)}, ${scheduler}, Modus ${mode}, Prompts: ${prompts}`,
    set: (name, value, scope) =>
      `\`${name}\` ist jetzt ${value} für diesen ${scope === "channel" ? "Kanal" : "Server"}.`,
    serverWide: (name) =>
      `\`${name}\` zählt die Aufträge des ganzen Servers, deshalb kann ein Kanal keinen eigenen Wert haben. Wähle als Bereich den ganzen Server.`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` kann nur in Kanälen mit Altersbeschränkung \`${value}\` sein, und dieser hat keine. Nutze den Befehl in einem solchen Kanal oder stell es für den ganzen Server ein: Dann gilt es nur in diesen Kanälen.`,
    all: "alles, was eingestellt ist",
    resetAll: (names, scope) => {
      const where = `diesen ${scope === "channel" ? "Kanal" : "Server"}`;
      return names.length === 0
        ? `Für ${where} war nichts eingestellt.`
        : `Für ${where} zurückgesetzt: ${listed(names.map((name) => `\`${name}\``))}.`;
    },
    reset: (name, scope, was) => {
      const where = `diesen ${scope === "channel" ? "Kanal" : "Server"}`;
      if (!was) return `\`${name}\` war für ${where} nicht eingestellt.`;
      return `\`${name}\` ist für ${where} zurückgesetzt. Jetzt gilt ${scope === "channel" ? "die Einstellung des Servers oder der Standard des Bots" : "der Standard des Bots"}.`;
    },
    pingOn: "Du wirst benachrichtigt, wenn ein langsames Ergebnis fertig ist.",
    pingOff: "Du wirst nicht mehr benachrichtigt. Deine Ergebnisse werden weiter gepostet.",
  },
  galleryLines: {
    by: (person, link) => `Von ${person}: ${link}`,
    added: (link) => `Es ist in der Galerie: ${link}`,
    there: (link) => `Es ist schon in der Galerie: ${link}`,
    later: (channel) => `Es kommt nach ${channel}, sobald Discord es annimmt.`,
    none: "Dieser Server hat noch keine Galerie. Wer ihn verwaltet, kann einen Kanal wählen: `/settings set name:gallery`.",
    pruned: "Die Bilder sind gelöscht. Erzeuge sie zuerst neu.",
    withheld: (channel) =>
      `${channel} ist nicht altersbeschränkt, und nicht alle diese Bilder dürfen dort gezeigt werden.`,
    forbidden: (channel) =>
      `Der Bot darf in ${channel} keine Bilder posten. Wer den Server verwaltet, kann ihm dort erlauben, den Kanal zu sehen, Nachrichten zu senden, Links einzubetten und Dateien anzuhängen.`,
  },
  hostLines: {
    none: "Noch ist kein Host bekannt.",
    roles: { both: "Bot und Worker", bot: "Bot", worker: "Worker" },
    heard: (ms) => `vor ${duration(ms)} gehört`,
    silent: (ms) => `**seit ${duration(ms)} nichts gehört**`,
    stopped: (at) => `beendet <t:${at}:R>`,
    paused: "**angehalten**",
    waiting: "wartet als Ersatz",
    otherVersion: (version) => `**${version}, eine andere Version als die dieses Bots**`,
    otherPictures: "**legt Bilder woanders ab als dieser Bot**",
    idle: "wartet auf Arbeit",
    text: (job) => `schreibt um für Auftrag ${job}`,
    image: (job) => `zeichnet für Auftrag ${job}`,
    loaded: (models, size) => `${listed(models)} geladen${size === 0 ? "" : ` (${bytes(size)})`}`,
    setAside: (why) => `**beiseitegelegt**: ${why}`,
    offers: (names, rest) => `hat ${withMore(names, rest)}`,
    more: (hosts) => `und ${more(hosts)}`,
    hostPaused: (host) =>
      `${host} ist angehalten. Was er gerade tut, macht er fertig; andere Aufträge nimmt er erst nach \`/admin resume\` mit seinem Namen, auch nach einem Neustart.`,
    hostResumed: (host) => `${host} nimmt wieder Aufträge an.`,
    unknown: (host) => `Einen Host ${host} gibt es nicht. \`/admin hosts\` zeigt alle.`,
  },
  quotaLines: {
    title: "**Rechenminuten der Karte**",
    user: (left, minutes, today, at) =>
      `Du hast noch ${number(left)} min; heute wurden ${number(today)} verbraucht. Jeder Tag bringt ${number(minutes)}, die nächsten <t:${at}:R>.`,
    server: (left, minutes, today, at) =>
      `Dieser Server hat noch ${number(left)} min; heute wurden ${number(today)} verbraucht. Jeder Tag bringt ${number(minutes)}, die nächsten <t:${at}:R>.`,
    scarce: "Es ist nur noch wenig Rechenzeit übrig. Was begonnen hat, wird trotzdem fertig.",
  },
  styleLines: {
    title: "Stile",
    server: "**Von diesem Server**",
    yours: "**Deine**",
    presets: "**Auf jedem Server**",
    noneHere: "Noch keine: `/style save` fügt einen hinzu, `/style import` liest eine `styles.csv`.",
    without: (negative) => `ohne: ${negative}`,
    more: (styles) => `${number(styles)} weitere: Tippe nach \`style:\` einen Teil des Namens.`,
    use: "-# `style:` bei `/compare`, `/optimize` und `/batch` stellt diese Wörter um das, was erzeugt wird. Promptist liest sie nicht.",
    saved: (name) => `Der Stil ${name} ist gespeichert. Wähle ihn mit \`style:\`.`,
    replaced: (name) => `Den Stil ${name} gab es schon; er hat jetzt diese Wörter.`,
    full: (styles) =>
      `Es gibt schon ${count(styles, STYLES)}, mehr werden nicht gespeichert. Entferne einen mit \`/style remove\`.`,
    removed: (name) => `Der Stil ${name} ist entfernt. Ergebnisse damit behalten seine Wörter.`,
    notRemoved: (name) => `Hier gibt es keinen eigenen Stil ${name}, der entfernt werden könnte.`,
    needsWords:
      "Ein Stil braucht Wörter: für das Bild, für das, was es nicht zeigen soll, oder beides. `{prompt}` darin steht für den Prompt.",
    imported: (added, replaced) => `${count(added, STYLES)} hinzugefügt, ${number(replaced)} ersetzt.`,
    importedTooLong: (names, rest) => `Ausgelassen, weil ein Text zu lang ist: ${withMore(names, rest)}.`,
    importedMore: (styles) => `Ausgelassen, weil kein Platz mehr ist: ${count(styles, STYLES)}.`,
    option: (name) => `Stil ${name}`,
    words: "Stil",
    whole: "Mit dem Stil",
  },
  pictureLines: {
    title: "So entstand dieses Bild",
    sheetTitle: "Eine Übersicht",
    shows: { baseline: "den ursprünglichen Prompt", optimized: "die Umschreibung", both: "beide Prompts" },
    drawn: (program, shows) => `Erzeugt von ${program}${shows === null ? "" : `; es zeigt ${shows}`}.`,
    model: (name) => `Modell: ${name}`,
    vae: (name) => `VAE: ${name}`,
    loras: (names) => `LoRA: ${names.join(", ")}`,
    embeddings: (names) => `Embeddings: ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip: ${skip}`,
    different: "**Hier anders:**",
    pairs: (amount) =>
      `Es zeigt ${count(amount, PAIRS)}. Hänge eines der Bilder an, um es noch einmal zu erzeugen.`,
    next: "**Dies vergleichen** erzeugt den Prompt wie geschrieben und umgeschrieben, mit diesen Einstellungen.",
    nextPair: "**Dies vergleichen** erzeugt beide Prompts noch einmal, mit diesen Einstellungen.",
    attach: "Um es mit diesen Einstellungen zu erzeugen, hänge es an `/compare` als `from` an.",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**Fang hier an**",
      "`/compare` erzeugt Bilder zu deinem Prompt: wie geschrieben und umgeschrieben.",
      "`/optimize` schreibt ihn nur um.",
      "`/batch` vergleicht alle Prompts einer Datei.",
      "`/grid` zeigt, was eine Option bewirkt: viele Werte in einem Bild.",
      "Jede Nachricht: Rechtsklick (am Handy gedrückt halten), dann **Apps**, dann **Dies optimieren** oder **Dies vergleichen**.",
      "",
      "**Danach**",
      "`/queue` zeigt, was läuft und wartet.",
      "`/history` listet deine letzten Aufträge, `/show` holt einen zurück.",
      "`/info` liest den Prompt aus einer Bilddatei.",
      "Die Buttons unter einem Ergebnis erzeugen es noch einmal.",
      "",
      "**Was ist besser?**",
      "`/compare blind:True` verbirgt bis zu deiner Stimme, welches Bild welches ist.",
      "`/stats show` sagt es, `/taste show`, warum.",
      "",
      "**Deine Daten und Pings**",
      "`/settings ping` schaltet Benachrichtigungen an oder aus.",
      "`/mydata export` und `/mydata erase`: was über dich gespeichert ist.",
    ],
  },
};
