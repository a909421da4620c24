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

const { number, count, plural, listed, numbers, percent, decimal, duration, bytes } = formsOf("es-ES");

const JOBS: Plurals = { one: "tarea", other: "tareas" };
const PICTURES: Plurals = { one: "imagen", other: "imágenes" };
const PROMPTS: Plurals = { one: "prompt", other: "prompts" };
const PAIRS: Plurals = { one: "par", other: "pares" };
const NOUNS = { prompt: PROMPTS, pair: PAIRS, picture: PICTURES } as const;
const STEPS: Plurals = { one: "paso", other: "pasos" };
const VOTES: Plurals = { one: "voto", other: "votos" };
const BLIND_VOTES: Plurals = { one: "voto a ciegas", other: "votos a ciegas" };
const PHRASES: Plurals = { one: "expresión", other: "expresiones" };
const STYLES: Plurals = { one: "estilo", other: "estilos" };
const ZIPS: Plurals = { one: "archivo zip", other: "archivos zip" };

const more = (rest: number): string => `${number(rest)} más`;
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (prompts: readonly number[]): string =>
  prompts.length === 1 ? `El prompt ${numbers(prompts, more)}` : `Los prompts ${numbers(prompts, more)}`;
const holder = {
  user: "ya tienes",
  channel: "este canal ya tiene",
  server: "este servidor ya tiene",
} as const;
const owner = {
  user: "Ya tienes",
  channel: "Este canal ya tiene",
  server: "Este servidor ya tiene",
} as const;
const sides = { baseline: "el prompt original", optimized: "la reescritura" } as const;
const results = {
  optimize: "tu reescritura",
  compare: "tu comparación",
  batch: "tu lote",
  grid: "tu cuadrícula",
  evaluation: "tu evaluación",
} as const;
const commands = {
  optimize: "Reescritura",
  compare: "Comparación",
  batch: "Lote",
  grid: "Cuadrícula",
  evaluation: "Evaluación",
} as const;
const votes = { left: "A", right: "B", tie: "Empate", bad: "Las dos mal" } as const;

const LATER = "Inténtalo de nuevo dentro de un rato.";
const OWNER = "Avisa a quien lleva este bot.";
const FORMATS =
  "Adjunta un `.txt` con un prompt por línea, una lista `.json` o líneas `.jsonl` de textos o de pares `{original, optimized}`, o un `.csv` o `.tsv` con una columna `prompt`.";

const expectations: Words["expectations"] = {
  integer: (min, max) => `un número entero del ${number(min)} al ${number(max)}`,
  number: (min, max) => `un número del ${number(min)} al ${number(max)}`,
  oneOf: (words) => `uno de estos valores: ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `un tamaño como \`${example}\`, con ambos lados múltiplos de ${multiple} y entre ${min} y ${max}`,
  roles: (max) => `de 1 a ${max} roles, como menciones o identificadores`,
  words: (max) => `de 1 a ${max} palabras separadas por comas`,
  channel: "un canal de texto de este servidor, como `#galeria`",
  emoji: "un emoji como `⭐`, u `off`",
  yesNo: "`on` u `off`",
  text: (max) => `un texto de ${number(max)} caracteres como máximo`,
};

const optionName = optionNames("es-ES");
const subject = (c: Values, otherwise: string): string =>
  placeIn(
    c,
    (unit, at) => `${unit === "line" ? "La línea" : "La entrada"} ${number(at)} del archivo`,
    otherwise,
  );

/** "2 imágenes quitadas" */
function without(noun: keyof typeof NOUNS, amount: number): string {
  const end = noun === "picture" ? "a" : "o";
  return `${count(amount, NOUNS[noun])} ${plural(amount, { one: `quitad${end}`, other: `quitad${end}s` })}`;
}

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`, ${count(tie, { one: "empate", other: "empates" })}`]),
    ...(bad === 0 ? [] : [`, las dos mal: ${number(bad)}`]),
  ].join("");

const amountOf = (prompts: number, given: number): string =>
  given === 0
    ? `${count(prompts, PROMPTS)}.`
    : given === prompts
      ? `${count(prompts, PROMPTS)}, ya ${plural(prompts, { one: "optimizado", other: "optimizados" })}: no hace falta Promptist.`
      : `${count(prompts, PROMPTS)}, ${number(given)} ya ${plural(given, { one: "optimizado", other: "optimizados" })}, sin necesidad de Promptist.`;

const inScope = (scope: string): string => (scope === "channel" ? "este canal" : "este servidor");

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `Gana el ${percent(mean)} de sus imágenes (del ${percent(low)} al ${percent(high)}).`;

/** Spanish, in the familiar form. */
export const es: Unfinished<Words> = {
  locale: "es-ES",
  duration,
  expectations,
  labels: {
    compareThis: "Comparar esto",
    commands,
    cancel: "Cancelar",
    start: "Empezar",
    discard: "Descartar",
    takeOut: (noun) => `Quitar ${NOUNS[noun].other}`,
    choosePrompts: (noun, first, last) =>
      `${{ prompt: "Prompts", pair: "Pares", picture: "Imágenes" }[noun]} ${first} a ${last}`,
    pair: (at, seed) => `Par ${at}, semilla ${seed}`,
    redraw: "Volver a generar",
    tryAgain: "Reintentar",
    change: "Reformular",
    asWritten: "Tal cual",
    previewAlt: "La imagen mientras se forma",
    votes,
    reveal: "Revelar a todos",
    again: "Otra semilla",
    vary: { small: "Variar (poco)", large: "Variar (mucho)" },
    use: { baseline: "Usar la izquierda", optimized: "Usar la derecha", only: "Usar esta" },
    enlarge: "Ampliar",
    larger: (which, times, size) =>
      `${{ baseline: "Izquierda", optimized: "Derecha", only: "Esta" }[which]}, ${number(times)} veces: ${size}`,
    editPrompt: "Editar el prompt",
    editFirst: "Editar antes",
    drawPair: "Generar el par",
    drawRaw: "Generar tal cual",
    info: "Info",
    favourite: "A la galería",
    delete: "Eliminar",
    own: "Primera reescritura",
    chooseBeam: "Generar otra reescritura",
    chooseWords: "Quitar palabras añadidas",
    editPromptTitle: "Editar el prompt; la semilla no cambia",
    editRewriteTitle: "Editar la reescritura antes de generar",
    usePromptTitle: "El prompt que parte de esta imagen",
    prompt: "Prompt",
    rewriteBy: (rewriter) => `Reescrito por ${rewriter}`,
    against: (rewriter) => `Frente a ${rewriter}`,
    givenRewrite: "Optimizado",
    negative: "Prompt negativo",
    baselineAlt: (prompt) => `Imagen del prompt original: ${prompt}`,
    optimizedAlt: (prompt) => `Imagen del prompt reescrito: ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `Dos imágenes, una al lado de la otra. A la izquierda, el prompt original: ${prompt}. A la derecha, reescrito: ${optimized}`,
    contactSheetAlt: (prompts) =>
      `Pares de imágenes de ${count(prompts.length, PROMPTS)}: ${prompts.join("; ")}`,
  },
  statusLines: {
    accepted: "Aceptado.",
    position: (phase, position, etaMs) =>
      `En la cola de ${phase === "text" ? "reescritura" : "generación"}: ${position === 1 ? "el próximo turno es tuyo" : `puesto ${number(position)}`}.${etaMs === null ? "" : ` Listo en aprox. ${duration(etaMs)}.`}`,
    starts: (phase) => (phase === "text" ? "Empezando…" : "Empieza la generación…"),
    paused: "Un admin lo ha pausado; conservas tu puesto.",
    devicesFailed: "La tarjeta gráfica ha dejado de funcionar; se sigue intentando. Conservas tu puesto.",
    retries: "Este intento ha fallado. El bot lo intenta de nuevo enseguida.",
    held: (scope, limit) =>
      `Espera fuera de la cola: ${holder[scope]} ${count(limit, JOBS)} en ella, el máximo permitido a la vez. Entrará sola cuando ${limit === 1 ? "termine esa" : "termine una de ellas"}.`,
    loading: (phase) =>
      phase === "text" ? "Reescritura: cargando Promptist…" : "Generación: cargando Stable Diffusion…",
    rewriting: (step, steps) => `reescribiendo, token ${number(step)} de ${number(steps)}`,
    drawing: (side, step, steps) =>
      `imagen ${side === "baseline" ? "del prompt original" : "de la reescritura"}, paso ${number(step)} de ${number(steps)}`,
    item: (noun, index, items) => `${NOUNS[noun].one} ${number(index + 1)} de ${number(items)}`,
    left: (ms) => `faltan aprox. ${duration(ms)}`,
    pairs: (pairs) => `${count(pairs, PAIRS)}, cada uno con su propia semilla.`,
    takenOut: (kind, left, all) =>
      `${left === 1 ? "Queda" : "Quedan"} ${number(left)} de ${number(all)} ${plural(all, NOUNS[nounOf(kind)])}.`,
    stopping: "Deteniendo.",
    late: "Esto tarda más de lo que Discord me deja editar este mensaje. El resultado llegará aquí en un mensaje nuevo.",
    erased: "Cancelado y borrado, junto con todo lo que se guardaba sobre ti.",
    batch: amountOf,
  },
  queueLines: {
    title: "Cola",
    paused: "Un admin ha pausado la cola. Las tareas en espera conservan su puesto.",
    devicesFailed:
      "La tarjeta gráfica ha dejado de funcionar; se sigue intentando. Las tareas en espera conservan su puesto.",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "No hay nada en curso ni en espera."
        : `${number(running)} en curso, ${number(waiting)} en espera.`,
    loaded: (names) => `Cargado: ${listed(names)}.`,
    swaps: (swaps) => `Cambios de modelo desde el inicio: ${number(swaps)}.`,
    yours: "Tus tareas más atrás:",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "fuera, hasta que termine otra tarea de esta persona",
        channel: "fuera, hasta que termine otra tarea de este canal",
        server: "fuera, hasta que termine otra tarea de este servidor",
      };
      const waits = `n.º ${number(position)} en ${phase === "text" ? "reescritura" : "generación"}`;
      const where = held !== null ? outside[held] : position === 0 ? "**en curso**" : waits;
      const what =
        job === null ? "una tarea de otro sitio" : `${commands[job.kind]} de <@${job.userId}> \`${job.id}\``;
      return `${where}: ${what}${etaMs === null ? "" : `, en aprox. ${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `a partir de una imagen, fuerza ${number(strength)}`,
    choosePair: "¿Qué par? Se varían sus dos imágenes, o una de ellas pasa a ser la próxima base.",
    chooseEnlarged: "¿Qué imagen y de qué tamaño? Sus detalles se crean de nuevo y el resto se queda.",
    negativeUnread: "-# Sin guía (1 o menos, como con `turbo`) el prompt negativo no tiene efecto.",
    upscaler: (name) => `ampliado con ${name}`,
    larger: (times) => `${number(times)} veces más grande`,
    model: (name) => `modelo ${name}`,
    lora: (name, strength) => `LoRA ${name} ${number(strength)}`,
    prompts: (mode) => `prompts: ${mode}`,
    speed: (speed) => `velocidad ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`, \`[word]\` y \`BREAK\` se leen como texto normal${prompts.length === 0 ? " aquí" : ` (prompts ${numbers(prompts, more)})`}. Para que tengan efecto, elige \`prompts: weighted\` en el comando; quien administra puede ajustar \`prompts\` para todos.`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` y \`[a:b:0.5]\` no tienen efecto aquí. Se leen como palabras${prompts.length === 0 ? "" : ` (prompts ${numbers(prompts, more)})`}.`,
    cut: "Con `prompts: weighted`, el modelo de imágenes lee los prompts largos hasta el final.",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)}: el modelo de imágenes no puede leer el prompt o su reescritura hasta el final. Con \`prompts: weighted\` lee más.`,
    unknownSubject: (subjects, tried) =>
      `El modelo pequeño de aquí solo conoce ${number(subjects)} temas, y ninguno está en este prompt. Prueba con ${tried.join(", ")}.`,
    enlarged: (times) => `-# Se muestra ${number(times)} veces más grande de lo que se generó.`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**Izquierda** tal cual · **derecha** ${how}:`,
    left: (how) => `**Izquierda** ${how}:`,
    right: (how) => `**Derecha** ${how}:`,
    sidesOfEach: (pairs, how) =>
      `${count(pairs, PAIRS)}, cada uno con **izquierda** tal cual · **derecha** ${how}:`,
    change: "Genera esto con otra reescritura, o sin algunas de las palabras añadidas; la semilla no cambia.",
    onlySide: (side) =>
      side === "baseline" ? "Generado a partir del prompt original." : "Generado a partir de la reescritura.",
    rewritesDiffer: "-# Cada par tiene su propia reescritura; esta es la primera.",
    seed: (seed) => `semilla ${seed}`,
    seeds: (first, last) => (first === last ? `semilla ${first}` : `semillas ${first} a ${last}`),
    steps: (steps) => count(steps, STEPS),
    guidance: (guidance) => `guía ${number(guidance)}`,
    overview: (kind, items, pictures) =>
      `${count(items, NOUNS[nounOf(kind)])}, ${count(pictures, PICTURES)}.`,
    takenOut: (kind, items) => `${without(nounOf(kind), items)}.`,
    sheet: (first, last, all) => `Prompts ${number(first)} a ${number(last)} de ${number(all)}.`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "La hoja 1 llegó durante la generación y también está en el zip."
        : `Las hojas 1 a ${number(sheets)} llegaron durante la generación y también están en el zip.`,
    zipped: (pictures) =>
      `${pictures === 1 ? "La imagen está" : `Las ${number(pictures)} imágenes están`} en el zip.`,
    zips: (pictures, here, all, jobId) =>
      `${count(pictures, PICTURES)} en total, en ${count(all, ZIPS)}, porque aquí un archivo no puede ser más grande. ${here === 0 ? "Ninguno cabe en este mensaje" : here === 1 ? "El primero está aquí" : `Del 1 al ${here} están aquí`}; \`/show id:${jobId} part:${here + 1}\` trae el siguiente.`,
    zipTooLarge: "Algunas imágenes pesan más de lo que permite este canal y no están en ningún zip.",
    again:
      "Adjunta `report.csv` a `/batch` para volver a generar sus filas: las mismas semillas y ajustes dan las mismas imágenes.",
    pruned: (at) =>
      `Las imágenes se borraron <t:${Math.floor(at / 1000)}:D> para hacer sitio. «Volver a generar» da las mismas.`,
    shrunk: "Las imágenes son copias reducidas: las originales pesan más de lo que permite este canal.",
    lost: (words) =>
      `La reescritura ya no tiene ${words.map((word) => `*${word}*`).join(", ")}; puede que la imagen no lo muestre.`,
    recordsLeftOut:
      "Las listas de prompts y semillas pesan demasiado para este canal; `/mydata export` las tiene.",
    chosen: (rewrites) =>
      `${count(rewrites, { one: "reescritura elegida", other: "reescrituras elegidas" })} por los gustos de este servidor (\`/taste show\`).`,
    unread: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "es demasiado largo" : "son demasiado largos"} para Promptist. La parte que no leyó queda en la reescritura, sin cambios.`,
    missing: "Las imágenes ya no están en el disco del bot.",
    direct: "No he podido publicar donde lo pediste, así que aquí lo tienes.",
    ready: (userId, kind) => `<@${userId}>, ya está ${results[kind]}.`,
    readyAt: (userId, kind, link) => `<@${userId}>, ya está ${results[kind]}: ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} ha acabado sin resultado: ${link}`,
    ended: (userId, kind) => `<@${userId}>, ${results[kind]} ha acabado sin resultado.`,
  },
  jobLines: {
    id: (jobId) => `Tarea \`${jobId}\`.`,
    made: (jobId, parentId) => `Tarea \`${jobId}\`, hecha a partir de \`${parentId}\`.`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]}: tarea cancelada.`,
    tried: (times) => `Se ha intentado ${count(times, { one: "vez", other: "veces" })}.`,
  },
  errorSentences: {
    PICTURE_TYPE: () => "Este archivo no es una imagen que se pueda leer. Adjunta un PNG, JPEG o WebP.",
    PICTURE_TOO_BIG: (c) =>
      `La imagen ${c.say("limit", (limit) => `pasa de ${bytes(limit)}`, "es demasiado grande")}. Adjunta un archivo más pequeño.`,
    PICTURE_SHAPE: () =>
      "La imagen está dañada. Descárgala otra vez de donde la encontraste y adjunta ese archivo.",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "La imagen no lleva ningún prompt: muchos sitios y apps lo quitan. Adjunta el archivo original o copia el prompt en `/compare`."
        : `La imagen es de ${c.text("program")} y su prompt no se puede leer. Copia el prompt en \`/compare\`.`,
    PICTURE_PIXELS: (c) =>
      `La imagen tiene ${c.say("limit", (limit) => `más de ${number(limit)} píxeles`, "demasiados píxeles")}, o un lado es mucho más largo que el otro. Adjunta una copia más pequeña.`,
    PICTURE_FLAGGED: () =>
      "El filtro de seguridad ha marcado esta imagen. Aquí no puede servir de base; como mucho, en canales con restricción de edad.",
    PICTURE_UNCHECKED: () =>
      "Ningún filtro de seguridad ha revisado esta imagen, y aquí las imágenes sin revisar no pueden servir de base.",
    PICTURE_GONE: () =>
      "La imagen que servía de base se ha borrado y ya no se puede generar nada con ella. Adjúntala otra vez a `/compare` como `image`.",
    PICTURE_SHEET: () =>
      "Es una hoja con muchos prompts. Adjunta una de sus imágenes, o `report.csv` a `/batch`.",
    INPUT_STRENGTH: () =>
      "`strength` dice cuánto de `image` se genera de nuevo. Adjunta una imagen como `image`, o quita `strength`.",
    INPUT_EMPTY: () => "El prompt está vacío. Escribe lo que debe mostrar la imagen.",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "El prompt")} ${c.say("limit", (limit) => `pasa de ${number(limit)} caracteres`, "es demasiado largo")}. Acórtalo e inténtalo de nuevo.`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `admite ${expected}`
          : limit !== null
            ? `admite ${number(limit)} como máximo`
            : "tiene un valor que no vale";
      return `${name === null ? "Una opción" : `La opción \`${name}\``} ${takes}. Cámbialo e inténtalo de nuevo.`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "Este tamaño" : `El tamaño ${c.code("size")}`} es demasiado grande para el modelo de aquí. ${c.say("max", (max) => `Ningún lado puede pasar de ${number(max)} píxeles`, "Elige uno más pequeño")}.`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "Este tamaño" : `El tamaño ${c.code("size")}`} no cabe en la memoria de aquí. ${c.code("largest") === null ? "Elige uno más pequeño" : `El mayor de esta forma que cabe es ${c.code("largest")}`}.`,
    GRID_AXIS: (c) =>
      `${c.code("axis") === null ? "Este eje de la cuadrícula" : `El eje ${c.code("axis")}`} no existe. ${c.code("option") ?? "Un eje"} lleva un nombre y valores, por ejemplo ${c.code("example") ?? "`steps=10,20,30`"}; los nombres son ${c.text("words")?.split(" ").join(", ") ?? "los que se ofrecen al escribir"}.`,
    GRID_LORA: () =>
      "El eje `strength` es la fuerza de las LoRA. Nombra una con `lora`, o usa `lora` como el otro eje.",
    GRID_TWICE: (c) =>
      `Los dos ejes son ${c.code("axis") ?? "iguales"}. Elige otro para \`y\` o déjalo vacío.`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "Un valor" : `El valor ${c.code("value")}`} no sirve${c.code("axis") === null ? "" : ` para ${c.code("axis")}`}${expected === null ? "" : `, que admite ${expected}`}. Separa los valores con comas; los números también por rango, por ejemplo \`1-10 (+3)\` o \`1-10 [4]\`.`;
    },
    GRID_SIZE: (c) =>
      `Esta cuadrícula tendría ${c.say("cells", (cells) => `${count(cells, PICTURES)}, y aquí se permiten ${c.say("max", number, "25")} como máximo`, "demasiadas imágenes")}. Quita algunos valores.`,
    INPUT_CHOICE: () =>
      "Esa opción no existe en esta tarea. Elige de nuevo debajo de su mensaje más reciente.",
    INPUT_UNCHANGED: () => "No ha cambiado nada, así que el resultado sería el mismo.",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "Una palabra del prompt" : `La palabra ${c.code("word")}`} no está permitida aquí. Escribe el prompt sin ella.`,
    DRAFT_GONE: () => "Este borrador ya no existe: se empezó, se descartó o caducó. Usa el comando otra vez.",
    INPUT_STYLE: (c) =>
      `El estilo${c.code("style") === null ? "" : ` ${c.code("style")}`} no existe aquí. \`/style list\` muestra los que hay; elige uno de ellos, o \`none\`.`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "`turbo` necesita una LCM-LoRA, y aquí no hay ninguna. Quien gestiona el bot puede obtenerla con `promptist checkpoints pull lcm-lora`. Mientras tanto, elige `fast` o `full`."
        : `\`turbo\` no se puede usar: ${c.code("lora")} es para otro modelo que el que dibuja aquí. Elige \`fast\` o \`full\`.`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "El LoRA" : "El modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} no existe aquí.${c.code("near") === null ? "" : ` ¿Querías decir ${c.code("near")}?`} Las opciones \`model\` y \`lora\` muestran al escribir lo que se ofrece.`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "El LoRA" : "El modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} es solo para canales con restricción de edad. Elige otro, o úsalo allí.`,
    INPUT_REWRITER: (c) =>
      `El reescritor${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")}`} no se puede usar aquí. Elige uno de los que se muestran al escribir: \`promptist\`, \`magicprompt\`, \`none\` u otro.`,
    INPUT_EVALUATION: (c) =>
      `Con \`evaluate:True\`, \`rewriter\` dice qué se compara: hasta ${c.say("max", number, "5")} distintos, como \`promptist, magicprompt, none\`, y no solo \`none\`. \`seeds\` es solo para una evaluación.`,
    INPUT_AGAINST: (c) =>
      `En los dos lados estaría ${c.code("rewriter") ?? "el mismo reescritor"}. Elige otro para \`against\`.`,
    FILE_STYLES: () =>
      "El archivo no es una lista de estilos. Adjunta el `styles.csv` de A1111: su primera línea es `name,prompt,negative_prompt`, y cada línea siguiente es un estilo.",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `Ya tienes ${count(limit, { one: "borrador", other: "borradores" })} por empezar, el máximo permitido`, "Ya tienes demasiados borradores por empezar")}. Empieza o descarta uno y usa el comando otra vez.`,
    NOT_OPERATOR: () => "Solo puede hacerlo quien lleva este bot, porque afecta a todos los servidores.",
    NOT_ALLOWED: () =>
      "Solo puede hacerlo quien administra este servidor o canal. Pregunta a un admin del servidor.",
    FILE_TOO_BIG: (c) =>
      `El archivo ${c.say("limit", (limit) => `pasa de ${bytes(limit)}`, "es demasiado grande")}. Divídelo en archivos más pequeños.`,
    FILE_BINARY: () => `El archivo no es texto. ${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "El archivo")} no es texto UTF-8. Guarda el archivo como UTF-8 y adjúntalo otra vez.`,
    FILE_TYPE: () => `Este tipo de archivo no se puede leer. ${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "El archivo es JSON, pero no una lista" : `${subject(c, "El archivo")} ${c.text("problem") === "json" ? "no es JSON válido" : "no se puede leer"}`}. ${FORMATS}`,
    FILE_EMPTY: () => `El archivo no tiene ningún prompt. ${FORMATS}`,
    FILE_UNREACHABLE: () => "No se ha podido descargar el archivo de Discord. Adjúntalo otra vez.",
    QUEUE_UNREACHABLE: () => `No se puede acceder a la cola ahora mismo y no se ha guardado nada. ${LATER}`,
    QUEUE_BUSY_DATABASE: () => `La cola está ocupada y no se ha guardado nada. ${LATER}`,
    QUEUE_LOCKED: () => `Otra copia de este bot usa la misma cola. ${OWNER}`,
    QUEUE_FULL: () => `La cola está llena y no se ha guardado nada. ${LATER}`,
    QUEUE_CAP: (c) =>
      `${owner[scopeOf(c)]} ${c.say("limit", (limit) => `${count(limit, { one: "tarea abierta", other: "tareas abiertas" })}, el máximo permitido aquí`, "el máximo de tareas abiertas que se permite aquí")}. Empiezan solas; vuelve a pedirlo cuando termine una.`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "Este servidor ha" : "Has"} agotado por ahora los minutos de cálculo de la tarjeta${c.say("minutes", (minutes) => `; cada día trae ${number(minutes)}`, "")}. ${c.say("at", (at) => `Habrá más <t:${at}:R>.`, "Inténtalo mañana.")}`,
    QUEUE_NEWER_SCHEMA: () => `La cola es de una versión más nueva de este bot. ${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "El LoRA" : "El modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} ya no está en la máquina del bot. Usa el comando otra vez con otro. ${OWNER}`,
    CHECKPOINT_MISSING: () => `El modelo que hace falta no está instalado. ${OWNER}`,
    CHECKPOINT_CORRUPT: () => `Los archivos del modelo están dañados. ${OWNER}`,
    CHECKPOINT_TENSORS: () => `Los archivos del modelo no encajan con su configuración. ${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () =>
      `El modelo instalado es de un tipo que este bot no puede ejecutar. ${OWNER}`,
    CHECKPOINT_UNSAFE: () =>
      `Se han rechazado los archivos del modelo porque podrían ejecutar código. ${OWNER}`,
    HUB_NOT_FOUND: () => `El sitio que publica el modelo no lo tiene. ${OWNER}`,
    HUB_REFUSED: () => `El sitio que publica el modelo pide permiso para usarlo. ${OWNER}`,
    HUB_BUSY: () => `El sitio que publica el modelo está saturado. ${OWNER}`,
    HUB_UNREACHABLE: () => `No se puede acceder al sitio que publica el modelo. ${OWNER}`,
    HUB_HASH: () => `Un archivo del modelo llegó dañado. ${OWNER}`,
    DEVICE_UNAVAILABLE: () => `La tarjeta gráfica no se puede usar ahora mismo. ${LATER}`,
    OUT_OF_MEMORY: () =>
      "No ha habido memoria suficiente. Prueba con menos prompts a la vez o inténtalo más tarde.",
    WORKER_DIED: () => `El proceso del modelo se ha cerrado de forma inesperada. ${LATER}`,
    WORKER_STALLED: () => `El proceso del modelo ha dejado de responder. ${LATER}`,
    HOST_DIED: (c) =>
      `El programa que trabajaba en esto se cerró de forma inesperada ${c.say("times", (times) => `${count(times, { one: "vez", other: "veces" })} seguidas`, "una y otra vez")}, así que la tarea se ha apartado. Prueba con un tamaño menor o menos imágenes; si no basta, avisa a quien lleva este bot.`,
    DISK_FULL: () => `El disco de este bot está lleno. ${OWNER}`,
    DISK_READ_ONLY: () => `Este bot no tiene permiso para guardar imágenes en su disco. ${OWNER}`,
    DISK_FAILED: () => `No se ha podido leer o escribir en el disco de este bot. ${OWNER}`,
    PICTURES_UNREACHABLE: () => `El almacén de imágenes de este bot no responde o las rechaza. ${OWNER}`,
    CANCELLED: () => "Se ha cancelado.",
    INTERNAL: () =>
      "Algo ha fallado dentro del bot. Inténtalo de nuevo; si vuelve a pasar, avisa a quien lo lleva.",
    DISCORD_REFUSED: () =>
      "El resultado está listo y guardado, pero Discord ha rechazado el mensaje que lo lleva.",
    DISCORD_UNREACHABLE: () => `No se ha podido contactar con Discord. ${LATER}`,
    CONFIG: () => `Este bot no está bien configurado. ${OWNER}`,
  },
  noteWords: {
    firstFrame: "La imagen adjunta se mueve: se usa su primer fotograma.",
    cropped: "La imagen adjunta tiene otra forma, así que se usa su centro.",
    models: (used) => `Generado con ${listed(used)}.`,
    embedding: (name, hash) => `Generado con el embedding ${name} (${hash}).`,
    redone: (side) =>
      `La media precisión no bastó para la imagen ${side === "baseline" ? "del prompt" : "de la reescritura"}; se calculó otra vez con más exactitud.`,
    plain: (side) =>
      `La imagen ${side === "baseline" ? "del prompt" : "de la reescritura"} es de un solo color: así la generó el modelo. Prueba con otra semilla o con más palabras.`,
    leftOut: "Parte de las indicaciones del mensaje no se ha tenido en cuenta.",
    taste: (reasons) => `Elegida para este servidor${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`,
    tasteFirst: "Elegida para este servidor: de las reescrituras halladas, también prefiere la primera.",
    tasteExplores:
      "No es lo que más gusta en este servidor: una de cada diez reescrituras sirve para seguir aprendiendo.",
    unchanged: "Promptist no ha cambiado nada.",
    unread: (words) =>
      `Promptist no puede leer hasta el final un prompt tan largo. Esta parte queda en la reescritura, sin cambios: ${words}`,
    kept: "La reescritura tenía que empezar con el prompt tal como está escrito y no decir nada dos veces.",
    truncated: (side, words) =>
      `El modelo de imágenes no puede leer el final del ${{ baseline: "prompt", optimized: "prompt reescrito", negative: "prompt negativo" }[side]}: ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `Reescritura: ${mode}${mode === "beam" ? `, ${beams} haces` : ""}, ${count(maxNewTokens, { one: "token", other: "tokens" })} como máximo, ${count(rewrites, { one: "reescritura distinta", other: "reescrituras distintas" })}`,
    source: (strength, hashes) =>
      `A partir de una imagen: fuerza ${number(strength)}, origen ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `Semilla ${seed} · ${count(steps, STEPS)} · guía ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · prompts: ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `reescritura ${duration(ms)}`,
    drawingTook: (side, ms) =>
      `imagen ${side === "baseline" ? "del prompt original" : "de la reescritura"} ${duration(ms)}`,
    took: (parts) => `Tiempo: ${parts.join(", ")}`,
    checkpoints: (names) => `Checkpoints: ${names.join(", ") || "ninguno todavía"}`,
    miniature:
      "Los modelos en miniatura son sustitutos pequeños: conocen unos cientos de temas. Quien lleva este bot puede instalar los completos.",
    askedBy: (userId, at) => `Pedido por <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "modelos en miniatura"
      : `${phases[0] === "text" ? "Promptist" : "Stable Diffusion"} en miniatura`;
  },
  safetyLines: {
    picture: (side) =>
      side === "baseline" ? "la imagen del prompt original" : "la imagen de la reescritura",
    pictureOf: (prompt, side) =>
      side === "baseline" ? `el prompt ${prompt} tal cual` : `la reescritura del prompt ${prompt}`,
    more: (pictures) => more(pictures),
    withheld: (pictures, why, redraw) => {
      const what = `No se muestra: ${listed(pictures)}.`;
      if (why === "unchecked")
        return `${what} Ningún filtro de seguridad lo ha revisado, y aquí no se publica nada sin revisar.`;
      const because =
        why === "flagged"
          ? "El filtro de seguridad lo ha marcado, y este canal no tiene restricción de edad."
          : "El filtro de seguridad lo ha marcado, y los ajustes de aquí ocultan lo que marca.";
      const todo =
        redraw === "buttons"
          ? "Quien lo pidió puede generarlo otra vez con los botones de abajo: con otra semilla u otras palabras."
          : "Quien lo pidió puede generar ese prompt otra vez con `/compare`: con otra semilla u otras palabras.";
      return `${what} ${because} ${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "Se ve tras un clic, porque el filtro de seguridad ha marcado algo aquí."
        : "Se ve tras un clic, porque ningún filtro de seguridad ha revisado estas imágenes.",
    blindElsewhere:
      "Todavía se está votando sobre este par; no se puede mostrar aquí hasta que acabe la votación.",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `Valoración${of === null ? "" : ` de ${of}`}: ${parts.join(" · ")}`,
    fits: {
      same: "sigue el prompt igual de bien",
      better: "sigue mejor el prompt",
      worse: "sigue peor el prompt",
    },
    looksSame: (points) => `se ve igual de bien (${decimal(points, 1)} de 10)`,
    looks: (isBetter, from, to) =>
      `se ve ${isBetter ? "mejor" : "peor"} (${decimal(from, 1)} → ${decimal(to, 1)} de 10)`,
    relevance: (change) => `fidelidad al prompt ${change}`,
    beauty: (change) => `belleza ${change}`,
    rewardOf: (reward) => `recompensa ${reward} (lo que Promptist aprendió a subir)`,
    pair: (parts, names) =>
      `Puntuación, ${names?.baseline ?? "tal cual"} → ${names?.optimized ?? "reescrito"}: ${parts.join(" · ")}`,
    title: "**Puntuación**: medias con intervalos del 95 %; por encima de cero, la reescritura es mejor.",
    relevanceChange: "Cambio de fidelidad",
    beautyGain: "Cambio de belleza",
    reward: "Recompensa",
    mean: (mean, low, high, n) => `${mean} (de ${low} a ${high}), n = ${n}`,
    plotAlt: (facts) => `Un punto por cada par, y las medias: ${facts.join("; ")}`,
    tableHead: " #  fidelidad      belleza       recompensa",
  },
  blindLines: {
    question:
      "¿Qué imagen es mejor, A o B? Una de ellas sale de una reescritura del prompt. Vota para saber cuál.",
    questionBetween: (one, other) =>
      `¿Qué imagen es mejor, A o B? Una sale del texto de ${one} y la otra del de ${other}. Vota para saber cuál.`,
    closes: (at) => `La votación termina <t:${Math.floor(at / 1000)}:R>.`,
    tileAlt: (letter) => `Imagen ${letter}; todavía no se dice si sale de la reescritura`,
    nothing: "Promptist no ha cambiado nada, así que no hay nada que votar.",
    nothingBetween: "Los dos han escrito lo mismo, así que no hay nada que votar.",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A, ${said[left]}`,
        right: `B, ${said[right]}`,
        tie: "empate",
        bad: "las dos mal",
      }[counted];
      return `${isFirst ? "Tu voto cuenta" : "Cuenta tu primer voto"}: ${chosen}. A era ${said[left]}, B era ${said[right]}.`;
    },
    secret: "Guárdatelo hasta que acabe la votación.",
    final: "Ya sabes cuál es cuál, así que tu voto ya no puede cambiar.",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**Votos** ${names?.optimized ?? "reescritura"} ${number(optimized)} · ${names?.baseline ?? "tal cual"} ${number(baseline)} · empate ${number(tie)} · las dos mal ${number(bad)}`,
  },
  verdictLines: {
    none: "Todavía no hay votos. Usa `/compare blind:True`: debajo del par, todos pueden votar por A o B.",
    tooFew: (tally, needed) =>
      `${number(tally.optimized)} de ${count(tally.optimized + tally.baseline, VOTES)} para la reescritura${undecided(tally)}. Son muy pocos para saberlo: hacen falta ${number(needed)}.`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)} (confianza del 95 %: del ${percent(low)} al ${percent(high)}), n = ${number(n)}${undecided(tally)}.`,
  },
  statsLines: {
    title: "Con qué frecuencia gana la reescritura",
    all: "Todos los votos",
    voter: (rank) => `Votante ${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `ganaría el ${percent(share)} contra el prompt tal cual (confianza del 95 %: del ${percent(low)} al ${percent(high)}), n = ${number(n)}.`,
    reference: (n) => `con esto se miden los demás, n = ${number(n)}.`,
    asWritten: "Tal cual",
    given: "Palabras propias",
  },
  tasteLines: {
    title: "Lo que gusta en este servidor",
    noServer: "Cada servidor tiene sus propios gustos: usa este comando en uno.",
    none: "Aún no se sabe nada: hacen falta votos a ciegas. Pide un par con `/compare blind:True`.",
    learned: (votes) =>
      `Aprendido de ${count(votes, BLIND_VOTES)}. ¿Con qué frecuencia ganaría una reescritura con la expresión a la misma sin ella?`,
    liked: "Gusta",
    disliked: "No gusta",
    phrase: (text, share, { low, high }, votes) =>
      `${text}: ${percent(share)} (del ${percent(low)} al ${percent(high)}), n = ${number(votes)}`,
    intervals: "Entre paréntesis: intervalos del 95 %. El que contiene el 50 % aún no decide nada.",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `el ${percent(share)} (del ${percent(low)} al ${percent(high)}, n = ${number(n)})`;
      return `Las reescrituras elegidas así ganaron ${rate(chosen)}. Siempre la primera habría ganado ${first === null ? "una parte que no se sabe" : rate(first)}.`;
    },
    exported: (phrases, votes) =>
      `${count(phrases, PHRASES)}, con lo aprendido de ${count(votes, BLIND_VOTES)}.`,
    notSure:
      "No se ha borrado nada. Usa `/taste forget sure:True` para borrar lo que han enseñado los votos de este servidor.",
    forgotten:
      "Borrado. Los votos anteriores siguen contando en `/stats show`; los gustos se aprenden de los nuevos.",
  },
  draftLines: {
    amount: (prompts, given, pictures) =>
      `${amountOf(prompts, given)} En total, ${count(pictures, PICTURES)}.`,
    time: (ownMs) => `Tarda aprox. ${duration(ownMs)} en este equipo.`,
    unknownTime: "Aún no se sabe cuánto tarda: no se ha hecho nada parecido desde que arrancó el bot.",
    ahead: (jobs, ms) =>
      `Antes ${jobs === 1 ? "va" : "van"} ${count(jobs, JOBS)}${ms === null ? "" : `, aprox. ${duration(ms)}`}.`,
    first: (prompts, all) =>
      [
        ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(prompts.length < all ? [`y ${more(all - prompts.length)}`] : []),
      ].join("\n"),
    tooLong: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "es demasiado largo" : "son demasiado largos"} para Promptist. Reescribe el principio y el resto se queda como está.`,
    again: "Las semillas y los ajustes vienen del informe.",
    fileSettings: "Se usan las semillas y los ajustes del archivo.",
    own: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "tiene" : "tienen"} ajustes propios, del archivo.`,
    ends: (at) =>
      `No se genera nada hasta que pulses «Empezar». Este borrador caduca <t:${Math.floor(at / 1000)}:R>.`,
    expired: "Nadie pulsó «Empezar» a tiempo, así que no se generó nada. Usa el comando otra vez.",
    discarded: "Descartado. No se ha generado nada.",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `${taken === 1 ? "Solo se toma el primer prompt del archivo" : `Solo se toman los ${number(taken)} primeros prompts del archivo`}; ${rest === 1 ? "se queda" : "se quedan"} fuera ${number(rest)}${isAll ? "" : " o más"}. Ponlos en otro archivo.`,
    encoding: (encoding) =>
      `El archivo no está en UTF-8, así que se lee como \`${encoding}\`. Si ves letras raras, guárdalo como UTF-8 y adjúntalo otra vez.`,
    leftOut: "Se queda fuera",
    unread: "No se entiende, y se genera sin ello",
    ignored: (names, rest) => `No se lee: ${withMore(names, rest)}.`,
    comments: (lines) =>
      `${count(lines, { one: "línea que empieza por `#` se salta", other: "líneas que empiezan por `#` se saltan" })}.`,
    remark: (unit, lines, rest, problem) => {
      const nouns: Plurals =
        unit === "line" ? { one: "línea", other: "líneas" } : { one: "entrada", other: "entradas" };
      return `${plural(lines.length + rest, nouns)} ${withMore(lines.map(number), rest)}: ${problem}`;
    },
    more: (remarks) => `y ${more(remarks)}`,
  },
  itemLines: {
    choose: (noun) =>
      `Elige ${noun === "picture" ? "las" : "los"} ${NOUNS[noun].other} que quieres quitar. Las imágenes ya generadas se quedan.`,
    more: (shown, all) => `Las listas muestran los primeros ${number(shown)} de ${number(all)} en espera.`,
    taken: (noun, taken, left) => {
      return `${without(noun, taken)}; ${left === 0 ? "no queda nada por generar" : `por generar: ${number(left)}`}.`;
    },
    gone: "Ya se han generado o quitado.",
  },
  evaluationLines: {
    amount: (prompts, names, seeds, pictures) =>
      `${count(prompts, PROMPTS)}, con ${listed(names)} y ${count(seeds, { one: "semilla", other: "semillas" })} cada vez. Son ${count(pictures, PICTURES)}.`,
    same: "Las semillas y los ajustes son iguales para todos. No se usan las reescrituras, semillas ni ajustes propios de las filas del archivo.",
    measures: { reward: "recompensa", relevance: "fidelidad al prompt", beauty: "belleza" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} lo hace mejor que ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} lo hace peor que ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} y ${baseline} no se distinguen: ${measure} ${gain}. ${wins(rate)}`,
    noScores:
      "No hay informe: ningún prompt tiene dos imágenes puntuadas. Hay que instalar CLIP para puntuarlas.",
    file: "El archivo zip tiene el informe completo: abre `report.html` en un navegador.",
    smaller: "Sus imágenes son más pequeñas; si no, sería demasiado grande para este canal.",
    withoutPictures: "Va sin imágenes: con ellas sería demasiado grande para este canal.",
    tooLarge: "El informe es demasiado grande para este canal.",
    pictures: (jobId) => `\`/show id:${jobId} part:1\` trae las imágenes.`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${count(all, PICTURES)} en una cuadrícula${down === null ? "" : `, ${number(across)} a lo ancho y ${number(down)} a lo alto`}.`,
    ofRewrite: "Todas se generan a partir de la reescritura.",
    choose: "Abrir una imagen: compararla o publicarla",
    compare: "Comparar con su reescritura",
    post: "Publicar aquí",
    alt: (prompt, axes) => `Una cuadrícula de imágenes según ${axes}, para: ${prompt}`,
  },
  refusals: {
    notYours: "Solo puede hacerlo quien pidió esto, o la moderación.",
    notYoursToChange: "Aquí solo puede hacerlo quien pidió esto. Usa tú el comando para generar lo tuyo.",
    elsewhere: "Esto es de otro canal.",
    role: "Necesitas cierto rol para hacer esto aquí. Pregunta a un admin de este servidor.",
    noBallot: "No hay votación sobre estas imágenes.",
    noVotes: "Todavía no ha votado nadie. Pide un par con `/compare blind:True`.",
    stillOpen: "Esto aún no ha terminado. `/queue` muestra por dónde va.",
    secret: "Es una votación a ciegas; lo verás cuando termine.",
    notYourDraft: "Solo puede empezarlo quien lo pidió.",
    noPart: (parts) =>
      parts === 0
        ? "Las imágenes ya no están en el disco del bot, así que no hay zip de ellas."
        : `Aquí hay ${count(parts, ZIPS)} de estas imágenes.`,
    noEvaluation: "Solo se puede evaluar un lote terminado cuyas imágenes tengan puntuaciones.",
    nothingToChange: "No hay otra reescritura de esto.",
    nothingToEnlarge: "Estas imágenes ya no están, o son tan grandes como pueden ser aquí.",
    nothingLeft: "Ya no espera ningún prompt de este lote.",
    notFinished: "Esto no ha terminado. Cancélalo primero.",
    alreadyFinished: "Esto ya ha terminado.",
    unknownJob: "Esa tarea no existe aquí. Puede que se haya borrado.",
    unknownButton: "Este botón es de otra versión del bot. Usa el comando otra vez.",
    unknownCommand: "Este comando es de otra versión del bot. Recarga Discord e inténtalo de nuevo.",
    repeated: "Lo has enviado dos veces en un segundo, así que se hace solo una vez.",
    stopping: "El bot está a punto de reiniciarse. Inténtalo de nuevo en un minuto.",
    interrupted: "El bot se detuvo antes de poder guardar este comando. Úsalo otra vez.",
  },
  historyLines: {
    title: "Tus últimas tareas",
    none: "Todavía no has pedido nada. Empieza con `/compare`.",
    states: {
      queued: "en espera",
      running: "en curso",
      done: "hecha",
      failed: "fallida",
      cancelled: "cancelada",
    },
    open: "Abrir",
    again: "Repetir una, con otra semilla",
  },
  dataLines: {
    exported: (jobs, given) => `Guardado sobre ti: ${count(jobs, JOBS)} y ${count(given, VOTES)}.`,
    part: (at, isLast) =>
      isLast ? `Parte ${number(at)}, la última.` : `Parte ${number(at)}; ahora viene la siguiente.`,
    exporting: "Tu última exportación aún se está enviando. Los archivos llegan uno tras otro.",
    notConfirmed:
      "No se ha borrado nada. `/mydata erase confirm:True` borra todo lo que se guarda sobre ti y los mensajes del bot con tus resultados; añade `messages:False` para conservar los mensajes.",
    erased: (jobs, stopping) =>
      `Borrado: ${count(jobs, JOBS)} con sus imágenes, tus votos y tus ajustes.${stopping === 0 ? "" : ` ${count(stopping, { one: "tarea en curso se está deteniendo", other: "tareas en curso se están deteniendo" })} y se ${stopping === 1 ? "borrará" : "borrarán"} después.`}`,
    messagesKept: "Los mensajes se quedan. Pulsa «Eliminar» debajo de uno para quitarlo.",
    deletingMessages: "Se están borrando los mensajes del bot con tus prompts y resultados.",
    messagesDeleted: (deleted, failed, later) =>
      [
        `${count(deleted, { one: "mensaje borrado", other: "mensajes borrados" })}.`,
        ...(failed === 0
          ? []
          : [
              `No se ${failed === 1 ? "ha" : "han"} podido borrar ${count(failed, { one: "mensaje", other: "mensajes" })}: pulsa «Eliminar» debajo.`,
            ]),
        ...(later === 0
          ? []
          : [
              `Aún no se ${later === 1 ? "ha" : "han"} podido borrar ${count(later, { one: "mensaje", other: "mensajes" })}; el bot lo intenta de nuevo.`,
            ]),
      ].join(" "),
  },
  settingLines: {
    more: (settings) => `-# \`/settings show all:True\` explica los ${number(settings)} ajustes.`,
    title: "Ajustes",
    channel: "Este canal",
    server: "Este servidor",
    program: "El propio bot",
    names: "Lo que se puede ajustar",
    choice: settingLines.choice,
    none: (falls) =>
      `Aquí no hay nada ajustado (se aplican ${falls === "to the server" ? "los ajustes del servidor" : "los valores predeterminados del bot"}).`,
    entry: (name, value, by, at) => `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${count(steps, STEPS)} (${number(maxSteps)} como máximo), guía ${number(guidance)}, ${scheduler}, modo ${mode}, prompts: ${prompts}`,
    set: (name, value, scope) => `\`${name}\` es ahora ${value} en ${inScope(scope)}.`,
    serverWide: (name) =>
      `\`${name}\` cuenta las tareas de todo el servidor, así que un canal no puede tener el suyo. Elige todo el servidor como ámbito.`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` solo puede ser \`${value}\` en canales con restricción de edad, y este no la tiene. Usa el comando en un canal así, o ajústalo para todo el servidor: entonces vale solo en esos canales.`,
    all: "todo lo que está ajustado",
    resetAll: (names, scope) =>
      names.length === 0
        ? `No había nada ajustado en ${inScope(scope)}.`
        : `Restablecido en ${inScope(scope)}: ${listed(names.map((name) => `\`${name}\``))}.`,
    reset: (name, scope, was) => {
      if (!was) return `\`${name}\` no estaba ajustado en ${inScope(scope)}.`;
      return `\`${name}\` se ha restablecido en ${inScope(scope)}. ${scope === "channel" ? "Se aplica el ajuste del servidor o el predeterminado del bot." : "Se aplica el valor predeterminado del bot."}`;
    },
    pingOn: "Se te avisará cuando un resultado lento esté listo.",
    pingOff: "Ya no se te avisará. Tus resultados se siguen publicando.",
  },
  galleryLines: {
    by: (person, link) => `De ${person}: ${link}`,
    added: (link) => `Está en la galería: ${link}`,
    there: (link) => `Ya está en la galería: ${link}`,
    later: (channel) => `Estará en ${channel} en cuanto Discord lo acepte.`,
    none: "Este servidor aún no tiene galería. Quien lo administra puede elegir un canal: `/settings set name:gallery`.",
    pruned: "Las imágenes se han borrado. Genéralas de nuevo primero.",
    withheld: (channel) =>
      `${channel} no tiene restricción de edad, y no todas estas imágenes se pueden mostrar allí.`,
    forbidden: (channel) =>
      `El bot no puede publicar imágenes en ${channel}. Quien administra el servidor puede permitirle ver el canal, enviar mensajes, insertar enlaces y adjuntar archivos.`,
  },
  hostLines: {
    none: "Aún no se conoce ningún host.",
    roles: { both: "bot y worker", bot: "bot", worker: "worker" },
    heard: (ms) => `última señal hace ${duration(ms)}`,
    silent: (ms) => `**sin señales desde hace ${duration(ms)}**`,
    stopped: (at) => `detenido <t:${at}:R>`,
    paused: "**en pausa**",
    waiting: "espera como reserva",
    otherVersion: (version) => `**${version}, otra versión que la de este bot**`,
    otherPictures: "**guarda sus imágenes en otro almacén que este bot**",
    idle: "espera trabajo",
    text: (job) => `reescribe para la tarea ${job}`,
    image: (job) => `dibuja para la tarea ${job}`,
    loaded: (models, size) => `cargado: ${listed(models)}${size === 0 ? "" : ` (${bytes(size)})`}`,
    setAside: (why) => `**apartado**: ${why}`,
    offers: (names, rest) => `tiene ${withMore(names, rest)}`,
    more: (hosts) => `y ${more(hosts)}`,
    hostPaused: (host) =>
      `${host} está en pausa. Termina lo que hace y no toma otra tarea hasta \`/admin resume\` con su nombre, ni siquiera tras reiniciarse.`,
    hostResumed: (host) => `${host} vuelve a tomar tareas.`,
    unknown: (host) => `No hay ningún host ${host}. \`/admin hosts\` los muestra.`,
  },
  quotaLines: {
    title: "**Minutos de cálculo de la tarjeta**",
    user: (left, minutes, today, at) =>
      `Te quedan ${number(left)} min; hoy se han usado ${number(today)}. Cada día trae ${number(minutes)}, los próximos <t:${at}:R>.`,
    server: (left, minutes, today, at) =>
      `A este servidor le quedan ${number(left)} min; hoy se han usado ${number(today)}. Cada día trae ${number(minutes)}, los próximos <t:${at}:R>.`,
    scarce: "Queda poco tiempo de cálculo. Lo que ha empezado se termina de todos modos.",
  },
  styleLines: {
    title: "Estilos",
    server: "**De este servidor**",
    yours: "**Tuyos**",
    presets: "**En todos los servidores**",
    noneHere: "Aún ninguno: `/style save` añade uno, y `/style import` lee un `styles.csv`.",
    without: (negative) => `sin: ${negative}`,
    more: (styles) => `${more(styles)}: escribe una parte del nombre después de \`style:\`.`,
    use: "-# `style:` en `/compare`, `/optimize` y `/batch` pone estas palabras alrededor de lo que se genera. Promptist no las lee.",
    saved: (name) => `El estilo ${name} está guardado. Elígelo con \`style:\`.`,
    replaced: (name) => `El estilo ${name} ya existía; ahora tiene estas palabras.`,
    full: (styles) =>
      `Ya hay ${count(styles, STYLES)}, el máximo que se guarda. Quita uno con \`/style remove\`.`,
    removed: (name) =>
      `El estilo ${name} se ha quitado. Los resultados que lo usaron conservan sus palabras.`,
    notRemoved: (name) => `Aquí no hay ningún estilo ${name} que quitar.`,
    needsWords:
      "Un estilo necesita palabras: para la imagen, para lo que no debe mostrar, o ambas. `{prompt}` en ellas ocupa el lugar del prompt.",
    imported: (added, replaced) => `Estilos añadidos: ${number(added)}; reemplazados: ${number(replaced)}.`,
    importedTooLong: (names, rest) =>
      `Omitidos porque un texto es demasiado largo: ${withMore(names, rest)}.`,
    importedMore: (styles) => `Omitidos por falta de espacio: ${count(styles, STYLES)}.`,
    option: (name) => `estilo ${name}`,
    words: "Estilo",
    whole: "Con el estilo",
  },
  pictureLines: {
    title: "Cómo se hizo esta imagen",
    sheetTitle: "Una hoja de contactos",
    shows: { baseline: "el prompt original", optimized: "la reescritura", both: "los dos prompts" },
    drawn: (program, shows) => `Hecha por ${program}${shows === null ? "" : `; muestra ${shows}`}.`,
    model: (name) => `Modelo: ${name}`,
    vae: (name) => `VAE: ${name}`,
    loras: (names) => `LoRA: ${names.join(", ")}`,
    embeddings: (names) => `Embeddings: ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip: ${skip}`,
    different: "**Distinto aquí:**",
    pairs: (amount) =>
      `Muestra ${count(amount, PAIRS)}. Adjunta una de sus imágenes para generarla otra vez.`,
    next: "**Comparar esto** genera el prompt tal cual y reescrito, con estos ajustes.",
    nextPair: "**Comparar esto** genera los dos prompts otra vez, con estos ajustes.",
    attach: "Para generarla con estos ajustes, adjúntala a `/compare` como `from`.",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**Empieza aquí**",
      "`/compare` genera imágenes de tu prompt, tal cual y reescrito.",
      "`/optimize` solo lo reescribe.",
      "`/batch` compara todos los prompts de un archivo.",
      "`/grid` muestra qué hace una opción: muchos valores en una imagen.",
      "En cualquier mensaje: clic derecho (en el móvil, mantenlo pulsado), luego **Aplicaciones** y luego **Optimizar esto** o **Comparar esto**.",
      "",
      "**Después**",
      "`/queue` muestra lo que está en curso y en espera.",
      "`/history` muestra tus últimas tareas, `/show` recupera una.",
      "`/info` lee el prompt del archivo de una imagen.",
      "Los botones bajo un resultado lo generan otra vez.",
      "",
      "**¿Cuál es mejor?**",
      "`/compare blind:True` oculta cuál es cuál hasta que votes.",
      "`/stats show` lo dice; `/taste show`, por qué.",
      "",
      "**Tus datos y avisos**",
      "`/settings ping` activa o desactiva los avisos.",
      "`/mydata export` y `/mydata erase`: lo que se guarda sobre ti.",
    ],
  },
};
