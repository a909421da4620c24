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

const { number, count, plural, listed, numbers, percent, decimal, duration, bytes } = formsOf("ru");

/** A noun after a number: 1, 2 to 4, 5 and more, and a fraction. */
const noun = (one: string, few: string, many: string): Plurals => ({ one, few, many, other: few });
/** The same in a case whose only difference is one or several, such as "из 21 картинки". */
const either = (one: string, several: string): Plurals => ({ one, other: several });

const JOBS = noun("задание", "задания", "заданий");
const PICTURES = noun("картинка", "картинки", "картинок");
const PROMPTS = noun("запрос", "запроса", "запросов");
const PAIRS = noun("пара", "пары", "пар");
const NOUNS = { prompt: PROMPTS, pair: PAIRS, picture: PICTURES } as const;
const STEPS = noun("шаг", "шага", "шагов");
const VOTES = noun("голос", "голоса", "голосов");
const BLIND_VOTES = noun("слепой голос", "слепых голоса", "слепых голосов");
const MESSAGES = noun("сообщение", "сообщения", "сообщений");
const STYLES = noun("стиль", "стиля", "стилей");
const ZIPS = noun("zip-архив", "zip-архива", "zip-архивов");
const IN_ZIPS = either("zip-архиве", "zip-архивах");

/** After "из". */
const OF_ALL = {
  prompt: either("запроса", "запросов"),
  pair: either("пары", "пар"),
  picture: either("картинки", "картинок"),
} as const;

const more = (rest: number): string => `ещё ${number(rest)}`;
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (prompts: readonly number[]): string =>
  prompts.length === 1 ? `Запрос ${numbers(prompts, more)}` : `Запросы ${numbers(prompts, more)}`;
const holder = { user: "у вас", channel: "у этого канала", server: "у этого сервера" } as const;
const owner = { user: "У вас", channel: "У этого канала", server: "У этого сервера" } as const;
const sides = { baseline: "исходный запрос", optimized: "переписанный запрос" } as const;
const results = {
  optimize: "ваш переписанный запрос",
  compare: "ваше сравнение",
  batch: "ваш пакет",
  grid: "ваша сетка",
  evaluation: "ваша оценка",
} as const;
const ready = {
  optimize: "готов",
  compare: "готово",
  batch: "готов",
  grid: "готова",
  evaluation: "готова",
} as const;
const commands = {
  optimize: "Переписывание",
  compare: "Сравнение",
  batch: "Пакет",
  grid: "Сетка",
  evaluation: "Оценка",
} as const;
const votes = { left: "A", right: "B", tie: "Поровну", bad: "Обе плохи" } as const;

const LATER = "Попробуйте ещё раз чуть позже.";
const OWNER = "Сообщите владельцу бота.";
const FORMATS =
  "Прикрепите `.txt` с одним запросом на строку, список `.json` или строки `.jsonl` с текстами или парами `{original, optimized}`, либо `.csv` или `.tsv` со столбцом `prompt`.";

const expectations: Words["expectations"] = {
  integer: (min, max) => `целое число от ${number(min)} до ${number(max)}`,
  number: (min, max) => `число от ${number(min)} до ${number(max)}`,
  oneOf: (words) => `одно из значений: ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `размер вроде \`${example}\`, обе стороны кратны ${multiple} и лежат между ${min} и ${max}`,
  roles: (max) => `от 1 до ${max} ролей: упоминания или ID`,
  words: (max) => `от 1 до ${max} слов через запятую`,
  channel: "текстовый канал этого сервера, например `#gallery`",
  emoji: "один эмодзи, например `⭐`, или `off`",
  yesNo: "`on` или `off`",
  text: (max) => `текст не длиннее ${count(max, either("символа", "символов"))}`,
};

const optionName = optionNames("ru");
const subject = (c: Values, otherwise: string): string =>
  placeIn(c, (unit, at) => `${unit === "line" ? "Строка" : "Запись"} ${number(at)} файла`, otherwise);

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`, поровну: ${number(tie)}`]),
    ...(bad === 0 ? [] : [`, обе плохи: ${number(bad)}`]),
  ].join("");

const amountOf = (prompts: number, given: number): string =>
  given === 0
    ? `${count(prompts, PROMPTS)}.`
    : given === prompts
      ? `${count(prompts, PROMPTS)}, уже с готовым вариантом: Promptist не нужен.`
      : `${count(prompts, PROMPTS)}, из них с готовым вариантом: ${number(given)}. Для них Promptist не нужен.`;

const inScope = (scope: string): string => (scope === "channel" ? "этого канала" : "этого сервера");

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `Выигрывает ${percent(mean)} его картинок (от ${percent(low)} до ${percent(high)}).`;

/** Russian, in the polite form. */
export const ru: Unfinished<Words> = {
  locale: "ru",
  duration,
  expectations,
  labels: {
    compareThis: "Сравнить это",
    commands,
    cancel: "Отменить",
    start: "Начать",
    discard: "Удалить черновик",
    takeOut: (what) => (what === "prompt" ? "Убрать запросы" : "Убрать пары"),
    choosePrompts: (what, first, last) => `${what === "prompt" ? "Запросы" : "Пары"} с ${first} по ${last}`,
    pair: (at, seed) => `Пара ${at}, зерно ${seed}`,
    redraw: "Создать заново",
    tryAgain: "Попробовать снова",
    change: "Изменить вариант",
    asWritten: "Как написано",
    previewAlt: "Картинка в процессе создания",
    votes,
    reveal: "Показать всем",
    again: "Новое зерно",
    vary: { small: "Изменить слегка", large: "Изменить сильно" },
    use: { baseline: "Взять левую", optimized: "Взять правую", only: "Взять эту" },
    enlarge: "Увеличить",
    larger: (which, times, size) =>
      `${{ baseline: "Левая", optimized: "Правая", only: "Эта" }[which]}, в ${number(times)} раза: ${size}`,
    editPrompt: "Изменить запрос",
    editFirst: "Сначала изменить",
    drawPair: "Создать пару",
    drawRaw: "Создать как написано",
    info: "Подробности",
    favourite: "В галерею",
    delete: "Удалить",
    own: "Первый вариант",
    chooseBeam: "Создать по другому варианту",
    chooseWords: "Убрать добавленные слова",
    editPromptTitle: "Изменить запрос; зерно останется",
    editRewriteTitle: "Изменить вариант перед созданием",
    usePromptTitle: "Запрос, который исходит из картинки",
    prompt: "Запрос",
    rewriteBy: (rewriter) => `Переписано ${rewriter}`,
    against: (rewriter) => `Против ${rewriter}`,
    givenRewrite: "Улучшено",
    negative: "Негативный запрос",
    baselineAlt: (prompt) => `Картинка по исходному запросу: ${prompt}`,
    optimizedAlt: (prompt) => `Картинка по переписанному запросу: ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `Две картинки рядом. Слева исходный запрос: ${prompt}. Справа переписанный: ${optimized}`,
    contactSheetAlt: (prompts) =>
      `Пары картинок для ${count(prompts.length, either("запроса", "запросов"))}: ${prompts.join("; ")}`,
  },
  statusLines: {
    accepted: "Принято.",
    position: (phase, position, etaMs) =>
      `В очереди на ${phase === "text" ? "переписывание" : "создание картинок"}: ${position === 1 ? "ваша очередь следующая" : `место ${number(position)}`}.${etaMs === null ? "" : ` Будет готово примерно через ${duration(etaMs)}.`}`,
    starts: (phase) => (phase === "text" ? "Начинаем…" : "Начинаем создавать картинки…"),
    paused: "Администратор поставил очередь на паузу; ваше место сохранено.",
    devicesFailed: "Видеокарта перестала работать; попытки продолжаются. Ваше место сохранено.",
    retries: "Эта попытка не удалась. Бот сейчас попробует ещё раз.",
    held: (scope, limit) =>
      `Ждёт вне очереди: ${holder[scope]} в ней уже ${count(limit, JOBS)}, больше одновременно нельзя. Это задание встанет в очередь само, когда ${limit === 1 ? "оно завершится" : "одно из них завершится"}.`,
    loading: (phase) =>
      phase === "text" ? "Переписывание: загружается Promptist…" : "Картинки: загружается Stable Diffusion…",
    rewriting: (step, steps) => `переписывание, токен ${number(step)} из ${number(steps)}`,
    drawing: (side, step, steps) =>
      `картинка по ${side === "baseline" ? "исходному" : "переписанному"} запросу, шаг ${number(step)} из ${number(steps)}`,
    item: (what, index, items) => `${NOUNS[what].one} ${number(index + 1)} из ${number(items)}`,
    left: (ms) => `осталось примерно ${duration(ms)}`,
    pairs: (pairs) => `${count(pairs, PAIRS)}, у каждой своё зерно.`,
    takenOut: (kind, left, all) => `Осталось ${number(left)} из ${count(all, OF_ALL[nounOf(kind)])}.`,
    stopping: "Останавливается.",
    late: "Это занимает больше времени, чем Discord разрешает мне менять это сообщение. Результат придёт сюда новым сообщением.",
    erased: "Отменено и удалено вместе со всем, что о вас хранилось.",
    batch: amountOf,
  },
  queueLines: {
    title: "Очередь",
    paused: "Администратор поставил очередь на паузу. Задания сохраняют свои места.",
    devicesFailed: "Видеокарта перестала работать; попытки продолжаются. Задания сохраняют свои места.",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "Ничего не выполняется и не ждёт."
        : `Выполняется: ${number(running)}, ждёт: ${number(waiting)}.`,
    loaded: (names) => `Загружено: ${listed(names)}.`,
    swaps: (swaps) => `Смен модели с запуска: ${number(swaps)}.`,
    yours: "Ваши задания дальше в очереди:",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "вне очереди, пока не завершится другое задание этого человека",
        channel: "вне очереди, пока не завершится другое задание этого канала",
        server: "вне очереди, пока не завершится другое задание этого сервера",
      };
      const waits = `${number(position)}-е на ${phase === "text" ? "переписывание" : "картинки"}`;
      const where = held !== null ? outside[held] : position === 0 ? "**выполняется**" : waits;
      const what =
        job === null ? "задание из другого места" : `${commands[job.kind]}, <@${job.userId}> \`${job.id}\``;
      return `${where}: ${what}${etaMs === null ? "" : `, готово примерно через ${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `из картинки, степень ${number(strength)}`,
    choosePair: "Какая пара? Обе её картинки будут изменены, или одна станет новой основой.",
    chooseEnlarged: "Какую картинку и во сколько раз? Её детали создаются заново, остальное остаётся.",
    negativeUnread: "-# При силе 1 и меньше (как при `turbo`) негативный запрос не действует.",
    upscaler: (name) => `увеличено: ${name}`,
    larger: (times) => `больше в ${number(times)} раза`,
    model: (name) => `модель ${name}`,
    lora: (name, strength) => `LoRA ${name} ${number(strength)}`,
    prompts: (mode) => `запросы: ${mode}`,
    speed: (speed) => `скорость ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`, \`[word]\` и \`BREAK\` читаются как обычный текст${prompts.length === 0 ? "" : ` (запросы ${numbers(prompts, more)})`}. Чтобы они действовали, выберите в команде \`prompts: weighted\`; управляющие могут настроить \`prompts\` для всех.`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` и \`[a:b:0.5]\` здесь не действуют. Они читаются как слова${prompts.length === 0 ? "" : ` (запросы ${numbers(prompts, more)})`}.`,
    cut: "С `prompts: weighted` модель картинок читает длинные запросы до конца.",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)}: модель картинок не может прочитать запрос или его переписанный вариант до конца. С \`prompts: weighted\` она прочитает больше.`,
    unknownSubject: (subjects, tried) =>
      `Здешняя маленькая модель знает только ${count(subjects, noun("сюжет", "сюжета", "сюжетов"))}, и ни одного из них нет в этом запросе. Попробуйте ${tried.join(", ")}.`,
    enlarged: (times) => `-# Показано с увеличением в ${count(times, noun("раз", "раза", "раз"))}.`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**Слева** как написано · **справа** ${how}:`,
    left: (how) => `**Слева** ${how}:`,
    right: (how) => `**Справа** ${how}:`,
    sidesOfEach: (pairs, how) => `${count(pairs, PAIRS)}: **слева** как написано · **справа** ${how}:`,
    change: "Создайте это по другому варианту или без некоторых добавленных слов; зерно останется.",
    onlySide: (side) =>
      side === "baseline" ? "Создано по исходному запросу." : "Создано по переписанному запросу.",
    rewritesDiffer: "-# У каждой пары свой вариант; это первый.",
    seed: (seed) => `зерно ${seed}`,
    seeds: (first, last) => (first === last ? `зерно ${first}` : `зёрна с ${first} по ${last}`),
    steps: (steps) => count(steps, STEPS),
    guidance: (guidance) => `сила ${number(guidance)}`,
    overview: (kind, items, pictures) =>
      `${count(items, NOUNS[nounOf(kind)])}, ${count(pictures, PICTURES)}.`,
    takenOut: (kind, items) => `Убрано: ${count(items, NOUNS[nounOf(kind)])}.`,
    sheet: (first, last, all) => `Запросы с ${number(first)} по ${number(last)} из ${number(all)}.`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "Лист 1 пришёл во время создания; он есть и в zip."
        : `Листы с 1 по ${number(sheets)} пришли во время создания; они есть и в zip.`,
    zipped: (pictures) => `В zip: ${count(pictures, PICTURES)}.`,
    zips: (pictures, here, all, jobId) =>
      `Всего ${count(pictures, PICTURES)} в ${count(all, IN_ZIPS)}, потому что файл здесь не может быть больше. ${here === 0 ? "В это сообщение не помещается ни один" : here === 1 ? "Первый здесь" : `Здесь с 1 по ${here}`}; \`/show id:${jobId} part:${here + 1}\` пришлёт следующий.`,
    zipTooLarge: "Некоторые картинки больше, чем разрешает этот канал, и их нет ни в одном zip.",
    again:
      "Прикрепите `report.csv` к `/batch`, чтобы создать его строки снова: те же зёрна и настройки дадут те же картинки.",
    pruned: (at) =>
      `Картинки удалены <t:${Math.floor(at / 1000)}:D>, чтобы освободить место. «Создать заново» сделает те же.`,
    shrunk: "Это уменьшенные копии: оригиналы больше, чем разрешает этот канал.",
    lost: (words) =>
      `В переписанном запросе больше нет: ${words.map((word) => `*${word}*`).join(", ")}; на картинке этого может не быть.`,
    recordsLeftOut: "Списки запросов и зёрен слишком велики для этого канала; они есть в `/mydata export`.",
    chosen: (rewrites) => `По вкусу этого сервера выбрано вариантов: ${number(rewrites)} (\`/taste show\`).`,
    unread: (prompts) =>
      `${ofPrompts(prompts)}: слишком длинно для Promptist. Непрочитанная часть остаётся в переписанном тексте без изменений.`,
    missing: "Картинок больше нет на диске бота.",
    direct: "Там, где вы просили, написать не получилось, поэтому результат здесь.",
    ready: (userId, kind) => `<@${userId}>, ${results[kind]} ${ready[kind]}.`,
    readyAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} ${ready[kind]}: ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}>, ${results[kind]}: без результата, ${link}`,
    ended: (userId, kind) => `<@${userId}>, ${results[kind]}: без результата.`,
  },
  jobLines: {
    id: (jobId) => `Задание \`${jobId}\`.`,
    made: (jobId, parentId) => `Задание \`${jobId}\`, сделано из \`${parentId}\`.`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]}: задание отменено.`,
    tried: (times) => `Сделано ${count(times, noun("попытка", "попытки", "попыток"))}.`,
  },
  errorSentences: {
    PICTURE_TYPE: () => "Это не картинка, которую можно прочитать. Прикрепите PNG, JPEG или WebP.",
    PICTURE_TOO_BIG: (c) =>
      `Картинка ${c.say("limit", (limit) => `больше ${bytes(limit)}`, "слишком большая")}. Прикрепите файл поменьше.`,
    PICTURE_SHAPE: () => "Картинка повреждена. Скачайте её снова там, где нашли, и прикрепите этот файл.",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "В картинке нет запроса: многие сайты и приложения его удаляют. Прикрепите исходный файл или скопируйте запрос в `/compare`."
        : `Картинка сделана в ${c.text("program")}, и её запрос прочитать нельзя. Скопируйте запрос в \`/compare\`.`,
    PICTURE_PIXELS: (c) =>
      `В картинке ${c.say("limit", (limit) => `больше ${number(limit)} пикселей`, "слишком много пикселей")}, или одна её сторона намного длиннее другой. Прикрепите копию поменьше.`,
    PICTURE_FLAGGED: () =>
      "На эту картинку сработал фильтр безопасности. Здесь она не может быть основой, разве что в каналах с возрастным ограничением.",
    PICTURE_UNCHECKED: () =>
      "Фильтр безопасности не проверял эту картинку, а непроверенные картинки здесь не могут быть основой.",
    PICTURE_GONE: () =>
      "Картинка, которая была основой, удалена, и по ней больше ничего не создать. Прикрепите её к `/compare` снова как `image`.",
    PICTURE_SHEET: () =>
      "Это лист со многими запросами. Прикрепите одну из его картинок или `report.csv` к `/batch`.",
    INPUT_STRENGTH: () =>
      "`strength` говорит, какая часть `image` создаётся заново. Прикрепите картинку как `image` или уберите `strength`.",
    INPUT_EMPTY: () => "Запрос пуст. Напишите, что должно быть на картинке.",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "Запрос")}: ${c.say("limit", (limit) => `длиннее ${count(limit, either("символа", "символов"))}`, "слишком длинно")}. Сократите и попробуйте снова.`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `нужно ${expected}`
          : limit !== null
            ? `не больше ${number(limit)}`
            : "такое значение не подходит";
      return `${name === null ? "Один из параметров" : `Параметр \`${name}\``}: ${takes}. Исправьте и попробуйте снова.`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "Такой размер" : `Размер ${c.code("size")}`} слишком велик для здешней модели. ${c.say("max", (max) => `Сторона не может быть длиннее ${count(max, either("пикселя", "пикселей"))}`, "Выберите меньший")}.`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "Такой размер" : `Размер ${c.code("size")}`} не помещается в здешнюю память. ${c.code("largest") === null ? "Выберите меньший" : `Наибольший такой же формы, который помещается: ${c.code("largest")}`}.`,
    GRID_AXIS: (c) =>
      `${c.code("axis") === null ? "Такой оси сетки" : `Оси ${c.code("axis")}`} нет. ${c.code("option") ?? "Ось"} задаётся именем и значениями, например ${c.code("example") ?? "`steps=10,20,30`"}; имена: ${c.text("words")?.split(" ").join(", ") ?? "они видны при вводе"}.`,
    GRID_LORA: () => "Ось `strength` — это сила LoRA. Укажите LoRA в `lora` или возьмите `lora` второй осью.",
    GRID_TWICE: (c) =>
      `Обе оси одинаковы${c.code("axis") === null ? "" : `: ${c.code("axis")}`}. Выберите для \`y\` другую или не указывайте её.`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "Одно из значений" : `Значение ${c.code("value")}`} не подходит${c.code("axis") === null ? "" : ` для ${c.code("axis")}`}${expected === null ? "" : `, нужно ${expected}`}. Разделяйте значения запятыми; числа можно задать диапазоном, например \`1-10 (+3)\` или \`1-10 [4]\`.`;
    },
    GRID_SIZE: (c) =>
      `В этой сетке было бы ${c.say("cells", (cells) => `${count(cells, PICTURES)}, а здесь можно не больше ${c.say("max", number, "25")}`, "слишком много картинок")}. Уберите часть значений.`,
    INPUT_CHOICE: () => "У этого задания нет такого выбора. Выберите снова под его последним сообщением.",
    INPUT_UNCHANGED: () => "Ничего не изменилось, поэтому результат был бы тем же.",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "Одно из слов запроса" : `Слово ${c.code("word")}`} здесь запрещено. Напишите запрос без него.`,
    INPUT_STYLE: (c) =>
      `Стиля${c.code("style") === null ? "" : ` ${c.code("style")}`} здесь нет. \`/style list\` показывает, какие есть; выберите один из них или \`none\`.`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "Для `turbo` нужна LCM-LoRA, а её здесь нет. Тот, кто запустил бота, может получить её командой `promptist checkpoints pull lcm-lora`. До тех пор выберите `fast` или `full`."
        : `\`turbo\` здесь не работает: ${c.code("lora")} сделана для другой модели, не для той, что здесь рисует. Выберите \`fast\` или \`full\`.`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "LoRA" : "Модели"}${c.code("model") === null ? "" : ` ${c.code("model")}`} здесь нет.${c.code("near") === null ? "" : ` Может быть, ${c.code("near")}?`} Параметры \`model\` и \`lora\` при вводе показывают, что здесь есть.`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "LoRA" : "Модель"}${c.code("model") === null ? "" : ` ${c.code("model")}`} — только для каналов с возрастным ограничением. Выберите другую или используйте её там.`,
    INPUT_REWRITER: (c) =>
      `Модель переписывания${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")}`} здесь использовать нельзя. Выберите из тех, что предлагаются при вводе: \`promptist\`, \`magicprompt\`, \`none\` и другие.`,
    INPUT_EVALUATION: (c) =>
      `С \`evaluate:True\` опция \`rewriter\` называет, что сравнить: не больше ${c.say("max", number, "5")} разных, например \`promptist, magicprompt, none\`, но не один \`none\`. \`seeds\` нужна только для оценки.`,
    INPUT_AGAINST: (c) =>
      `С обеих сторон был бы ${c.code("rewriter") ?? "один и тот же рерайтер"}. Выберите для \`against\` другой.`,
    FILE_STYLES: () =>
      "Это не список стилей. Прикрепите `styles.csv` из A1111: первая строка — `name,prompt,negative_prompt`, каждая следующая — один стиль.",
    DRAFT_GONE: () =>
      "Этого черновика больше нет: его начали, удалили, или он истёк. Вызовите команду ещё раз.",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `У вас уже ${count(limit, noun("черновик ждёт", "черновика ждут", "черновиков ждут"))} начала, больше нельзя`, "У вас уже слишком много черновиков ждут начала")}. Начните или удалите один и вызовите команду снова.`,
    NOT_OPERATOR: () => "Это могут только владельцы бота, потому что затрагивает все серверы.",
    NOT_ALLOWED: () =>
      "Это могут только те, кто управляет этим сервером или каналом. Обратитесь к администратору сервера.",
    FILE_TOO_BIG: (c) =>
      `Файл ${c.say("limit", (limit) => `больше ${bytes(limit)}`, "слишком большой")}. Разделите его на файлы поменьше.`,
    FILE_BINARY: () => `Этот файл не текстовый. ${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "Файл")}: это не текст в UTF-8. Сохраните файл в UTF-8 и прикрепите снова.`,
    FILE_TYPE: () => `Такой файл прочитать нельзя. ${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "Файл — это JSON, но не список" : `${subject(c, "Файл")}: ${c.text("problem") === "json" ? "это неправильный JSON" : "прочитать не получается"}`}. ${FORMATS}`,
    FILE_EMPTY: () => `В файле нет ни одного запроса. ${FORMATS}`,
    FILE_UNREACHABLE: () => "Не удалось получить файл из Discord. Прикрепите его снова.",
    QUEUE_UNREACHABLE: () => `Очередь сейчас недоступна, и ничего не сохранено. ${LATER}`,
    QUEUE_BUSY_DATABASE: () => `Очередь сейчас занята, и ничего не сохранено. ${LATER}`,
    QUEUE_LOCKED: () => `Ту же очередь использует другая копия этого бота. ${OWNER}`,
    QUEUE_FULL: () => `Очередь заполнена, и ничего не сохранено. ${LATER}`,
    QUEUE_CAP: (c) =>
      `${owner[scopeOf(c)]} уже ${c.say("limit", (limit) => `${count(limit, noun("открытое задание", "открытых задания", "открытых заданий"))}, больше здесь нельзя`, "столько открытых заданий, сколько здесь можно")}. Они начнутся сами; попросите снова, когда одно завершится.`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "Сервер пока израсходовал" : "Вы пока израсходовали"} минуты видеокарты${c.say("minutes", (minutes) => `; каждый день добавляет ${number(minutes)}`, "")}. ${c.say("at", (at) => `Новые появятся <t:${at}:R>.`, "Попробуйте завтра.")}`,
    QUEUE_NEWER_SCHEMA: () => `Очередь записана более новой версией этого бота. ${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "Файла LoRA" : "Модели"}${c.code("model") === null ? "" : ` ${c.code("model")}`} больше нет на компьютере бота. Вызовите команду ещё раз с другим именем. ${OWNER}`,
    CHECKPOINT_MISSING: () => `Нужная модель не установлена. ${OWNER}`,
    CHECKPOINT_CORRUPT: () => `Файлы модели повреждены. ${OWNER}`,
    CHECKPOINT_TENSORS: () => `Файлы модели не подходят к её настройкам. ${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () => `Этот бот не умеет запускать модели такого вида. ${OWNER}`,
    CHECKPOINT_UNSAFE: () => `Файлы модели отклонены, потому что могли бы выполнить код. ${OWNER}`,
    HUB_NOT_FOUND: () => `На сайте, где публикуют модель, её нет. ${OWNER}`,
    HUB_REFUSED: () => `Сайт, где публикуют модель, требует разрешения. ${OWNER}`,
    HUB_BUSY: () => `Сайт, где публикуют модель, перегружен. ${OWNER}`,
    HUB_UNREACHABLE: () => `Сайт, где публикуют модель, недоступен. ${OWNER}`,
    HUB_HASH: () => `Файл модели пришёл повреждённым. ${OWNER}`,
    DEVICE_UNAVAILABLE: () => `Видеокарту сейчас нельзя использовать. ${LATER}`,
    OUT_OF_MEMORY: () => "Не хватило памяти. Возьмите меньше запросов за раз или попробуйте позже.",
    WORKER_DIED: () => `Процесс с моделью неожиданно завершился. ${LATER}`,
    WORKER_STALLED: () => `Процесс с моделью перестал отвечать. ${LATER}`,
    HOST_DIED: (c) =>
      `Программа, которая этим занималась, ${c.say("times", (times) => `${count(times, { one: "раз", few: "раза", many: "раз", other: "раза" })} подряд`, "раз за разом")} неожиданно завершилась, поэтому задание отложено. Попробуйте размер поменьше или меньше картинок; если не поможет, сообщите владельцу бота.`,
    DISK_FULL: () => `Диск бота заполнен. ${OWNER}`,
    DISK_READ_ONLY: () => `Боту нельзя сохранять картинки на своём диске. ${OWNER}`,
    DISK_FAILED: () => `Не удалось прочитать диск бота или записать на него. ${OWNER}`,
    PICTURES_UNREACHABLE: () => `Хранилище картинок этого бота не отвечает или не принимает их. ${OWNER}`,
    CANCELLED: () => "Это отменено.",
    INTERNAL: () =>
      "Внутри бота что-то пошло не так. Попробуйте снова; если это повторится, сообщите его владельцу.",
    DISCORD_REFUSED: () => "Результат готов и сохранён, но Discord не принял сообщение с ним.",
    DISCORD_UNREACHABLE: () => `Не удалось связаться с Discord. ${LATER}`,
    CONFIG: () => `Бот неправильно настроен. ${OWNER}`,
  },
  noteWords: {
    firstFrame: "Прикреплённая картинка движется: взят её первый кадр.",
    cropped: "У прикреплённой картинки другая форма, поэтому взята её середина.",
    models: (used) => `Создано с ${listed(used)}.`,
    embedding: (name, hash) => `Создано с эмбеддингом ${name} (${hash}).`,
    redone: (side) =>
      `Половинной точности не хватило для картинки ${side === "baseline" ? "по запросу" : "по переписанному запросу"}; она вычислена заново точнее.`,
    plain: (side) =>
      `Картинка ${side === "baseline" ? "по запросу" : "по переписанному запросу"} одноцветная: такой её создала модель. Попробуйте другое зерно или больше слов.`,
    leftOut: "Часть указаний из сообщения не учтена.",
    taste: (reasons) => `Выбрано для этого сервера${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`,
    tasteFirst: "Выбрано для этого сервера: из найденных вариантов здесь тоже лучше первый.",
    tasteExplores: "Не самое любимое на этом сервере: каждый десятый вариант нужен, чтобы учиться дальше.",
    unchanged: "Promptist ничего не изменил.",
    unread: (words) =>
      `Promptist не может дочитать такой длинный запрос. Эта часть остаётся в переписанном тексте без изменений: ${words}`,
    kept: "Переписанный текст должен был начинаться с запроса слово в слово и ничего не повторять.",
    truncated: (side, words) =>
      `Модель картинок не может прочитать конец ${{ baseline: "запроса", optimized: "переписанного запроса", negative: "негативного запроса" }[side]}: ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `Переписывание: ${mode}${mode === "beam" ? `, ${count(beams, noun("луч", "луча", "лучей"))}` : ""}, не больше ${count(maxNewTokens, either("токена", "токенов"))}, ${count(rewrites, noun("разный вариант", "разных варианта", "разных вариантов"))}`,
    source: (strength, hashes) => `Из картинки: степень ${number(strength)}, источник ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `Зерно ${seed} · ${count(steps, STEPS)} · сила ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · запросы: ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `переписывание ${duration(ms)}`,
    drawingTook: (side, ms) =>
      `картинка по ${side === "baseline" ? "исходному" : "переписанному"} запросу ${duration(ms)}`,
    took: (parts) => `Время: ${parts.join(", ")}`,
    checkpoints: (names) => `Модели: ${names.join(", ") || "пока нет"}`,
    miniature:
      "Миниатюрные модели — маленькая замена: они знают несколько сотен сюжетов. Владелец бота может установить полные.",
    askedBy: (userId, at) => `Автор задания: <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "миниатюрные модели"
      : `миниатюрная модель ${phases[0] === "text" ? "Promptist" : "Stable Diffusion"}`;
  },
  safetyLines: {
    picture: (side) =>
      side === "baseline" ? "картинка по исходному запросу" : "картинка по переписанному запросу",
    pictureOf: (prompt, side) =>
      side === "baseline" ? `запрос ${prompt} как написано` : `переписанный запрос ${prompt}`,
    more: (pictures) => more(pictures),
    withheld: (pictures, why, redraw) => {
      const what = `Не показано: ${listed(pictures)}.`;
      if (why === "unchecked")
        return `${what} Фильтр безопасности этого не проверял, а непроверенное здесь не публикуется.`;
      const because =
        why === "flagged"
          ? "Сработал фильтр безопасности, а в этом канале нет возрастного ограничения."
          : "Сработал фильтр безопасности, а по здешним настройкам такое скрывается.";
      const todo =
        redraw === "buttons"
          ? "Автор задания может создать картинку снова кнопками ниже: с другим зерном или другими словами."
          : "Автор задания может создать картинку снова с помощью `/compare`: с другим зерном или другими словами.";
      return `${what} ${because} ${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "Видно после нажатия, потому что здесь сработал фильтр безопасности."
        : "Видно после нажатия, потому что фильтр безопасности не проверял эти картинки.",
    blindElsewhere: "За эту пару ещё голосуют, поэтому показать её здесь можно только после голосования.",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `Оценка${of === null ? "" : ` ${of}`}: ${parts.join(" · ")}`,
    fits: {
      same: "так же соответствует запросу",
      better: "лучше соответствует запросу",
      worse: "хуже соответствует запросу",
    },
    looksSame: (points) => `выглядит так же хорошо (${decimal(points, 1)} из 10)`,
    looks: (isBetter, from, to) =>
      `выглядит ${isBetter ? "лучше" : "хуже"} (${decimal(from, 1)} → ${decimal(to, 1)} из 10)`,
    relevance: (change) => `соответствие запросу ${change}`,
    beauty: (change) => `красота ${change}`,
    rewardOf: (reward) => `награда ${reward} (её Promptist учился повышать)`,
    pair: (parts, names) =>
      `Оценки, ${names?.baseline ?? "как написано"} → ${names?.optimized ?? "переписано"}: ${parts.join(" · ")}`,
    title: "**Оценки**: средние с интервалами 95 %; выше нуля переписанный запрос лучше.",
    relevanceChange: "Изменение соответствия",
    beautyGain: "Изменение красоты",
    reward: "Награда",
    mean: (mean, low, high, n) => `${mean} (от ${low} до ${high}), n = ${n}`,
    plotAlt: (facts) => `По точке на каждую пару и средние: ${facts.join("; ")}`,
    tableHead: " #  соответствие   красота       награда",
  },
  blindLines: {
    question:
      "Какая картинка лучше, A или B? Одна из них создана по переписанному запросу. Проголосуйте, чтобы узнать какая.",
    questionBetween: (one, other) =>
      `Какая картинка лучше, A или B? Одна создана по тексту ${one}, другая — по тексту ${other}. Проголосуйте, чтобы узнать какая.`,
    closes: (at) => `Голосование закончится <t:${Math.floor(at / 1000)}:R>.`,
    tileAlt: (letter) => `Картинка ${letter}; создана ли она по переписанному запросу, пока не сказано`,
    nothing: "Promptist ничего не изменил, поэтому голосовать не о чем.",
    nothingBetween: "Оба написали одно и то же, поэтому голосовать не о чем.",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A, ${said[left]}`,
        right: `B, ${said[right]}`,
        tie: "поровну",
        bad: "обе плохи",
      }[counted];
      return `${isFirst ? "Ваш голос учтён" : "Считается ваш первый голос"}: ${chosen}. A — ${said[left]}, B — ${said[right]}.`;
    },
    secret: "Пожалуйста, никому не говорите, пока голосование не закончится.",
    final: "Вы уже видели, где какая, поэтому голос изменить нельзя.",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**Голоса** ${names?.optimized ?? "переписанный"} ${number(optimized)} · ${names?.baseline ?? "как написано"} ${number(baseline)} · поровну ${number(tie)} · обе плохи ${number(bad)}`,
  },
  verdictLines: {
    none: "Голосов пока нет. Вызовите `/compare blind:True`: под парой все смогут проголосовать за A или B.",
    tooFew: (tally, needed) =>
      `За переписанный запрос ${number(tally.optimized)} из ${count(tally.optimized + tally.baseline, either("голоса", "голосов"))}${undecided(tally)}. Для вывода мало: нужно ${number(needed)}.`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)} (доверие 95 %: от ${percent(low)} до ${percent(high)}), n = ${number(n)}${undecided(tally)}.`,
  },
  statsLines: {
    title: "Как часто побеждает переписанный запрос",
    all: "Все голоса",
    voter: (rank) => `Голосующий ${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `победит запрос как написано в ${percent(share)} случаев (доверие 95 %: от ${percent(low)} до ${percent(high)}), n = ${number(n)}.`,
    reference: (n) => `с ним сравниваются остальные, n = ${number(n)}.`,
    asWritten: "Как написано",
    given: "Свои слова",
  },
  tasteLines: {
    title: "Что нравится на этом сервере",
    noServer: "У каждого сервера свой вкус, поэтому используйте эту команду на сервере.",
    none: "Пока ничего не известно: нужны слепые голосования. Пару для них рисует `/compare blind:True`.",
    learned: (votes) =>
      `Учтено: ${count(votes, BLIND_VOTES)}. Как часто запрос с этими словами победил бы такой же без них?`,
    liked: "Нравится",
    disliked: "Не нравится",
    phrase: (text, share, { low, high }, votes) =>
      `${text}: ${percent(share)} (от ${percent(low)} до ${percent(high)}), n = ${number(votes)}`,
    intervals: "В скобках — интервалы 95 %. Если в интервал входит 50 %, ничего ещё не решено.",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `${percent(share)} (от ${percent(low)} до ${percent(high)}, n = ${number(n)})`;
      return `Выбранные так варианты победили в ${rate(chosen)}. Если брать всегда первый: ${first === null ? "пока неясно" : rate(first)}.`;
    },
    exported: (phrases, votes) => `Выражений: ${number(phrases)}. Учтено: ${count(votes, BLIND_VOTES)}.`,
    notSure: "Ничего не сброшено. `/taste forget sure:True` сбросит всё, чему научили голоса этого сервера.",
    forgotten: "Сброшено. Прежние голоса по-прежнему учитываются в `/stats show`; вкус сложится из новых.",
  },
  draftLines: {
    amount: (prompts, given, pictures) => `${amountOf(prompts, given)} Всего ${count(pictures, PICTURES)}.`,
    time: (ownMs) => `На этом компьютере займёт примерно ${duration(ownMs)}.`,
    unknownTime: "Время пока неизвестно: с запуска бота ничего подобного не выполнялось.",
    ahead: (jobs, ms) => `Впереди ${count(jobs, JOBS)}${ms === null ? "" : `, примерно на ${duration(ms)}`}.`,
    first: (prompts, all) =>
      [
        ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(prompts.length < all ? [`и ${more(all - prompts.length)}`] : []),
      ].join("\n"),
    tooLong: (prompts) =>
      `${ofPrompts(prompts)}: слишком длинно для Promptist. Он перепишет начало, остальное останется как есть.`,
    again: "Зёрна и настройки взяты из отчёта.",
    fileSettings: "Используются зёрна и настройки из файла.",
    own: (prompts) => `${ofPrompts(prompts)}: со своими настройками из файла.`,
    ends: (at) =>
      `Ничего не создаётся, пока вы не нажмёте «Начать». Черновик истечёт <t:${Math.floor(at / 1000)}:R>.`,
    expired: "Никто вовремя не нажал «Начать», поэтому ничего не создано. Вызовите команду ещё раз.",
    discarded: "Черновик удалён. Ничего не создано.",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `Из файла взято: ${count(taken, PROMPTS)}, с начала; не вошло: ${number(rest)}${isAll ? "" : " или больше"}. Перенесите остальное в другой файл.`,
    encoding: (encoding) =>
      `Файл не в UTF-8 и читается как \`${encoding}\`. Если буквы выглядят неправильно, сохраните его в UTF-8 и прикрепите снова.`,
    leftOut: "Не вошло",
    unread: "Не понято, создаётся без этого",
    ignored: (names, rest) => `Не читается: ${withMore(names, rest)}.`,
    comments: (lines) =>
      `${count(lines, noun("строка", "строки", "строк"))} с \`#\` в начале ${plural(lines, either("пропущена", "пропущено"))}.`,
    remark: (unit, lines, rest, problem) => {
      const nouns = unit === "line" ? ["строка", "строки"] : ["запись", "записи"];
      return `${lines.length + rest === 1 ? nouns[0] : nouns[1]} ${withMore(lines.map(number), rest)}: ${problem}`;
    },
    more: (remarks) => `и ${more(remarks)}`,
  },
  itemLines: {
    choose: (what) =>
      `Выберите ${{ prompt: "запросы", pair: "пары", picture: "картинки" }[what]}, которые нужно убрать. Уже созданные картинки останутся.`,
    more: (shown, all) => `В списках первые ${number(shown)} из ${number(all)} ожидающих.`,
    taken: (what, taken, left) =>
      `Убрано: ${count(taken, NOUNS[what])}; ${left === 0 ? "создавать больше нечего" : `осталось создать: ${number(left)}`}.`,
    gone: "Это уже создано или убрано.",
  },
  evaluationLines: {
    amount: (prompts, names, seeds, pictures) =>
      `${count(prompts, NOUNS.prompt)}: каждый с ${listed(names)}, зёрен на каждый: ${number(seeds)}. Всего ${count(pictures, NOUNS.picture)}.`,
    same: "Зёрна и настройки у всех одинаковы. Переписанные запросы, зёрна и настройки из строк файла не используются.",
    measures: { reward: "награда", relevance: "близость к запросу", beauty: "красота" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} лучше, чем ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} хуже, чем ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} и ${baseline} не различить: ${measure} ${gain}. ${wins(rate)}`,
    noScores:
      "Отчёта нет: ни у одного запроса нет двух оценённых картинок. Чтобы их оценивать, нужно установить CLIP.",
    file: "Весь отчёт — в zip-архиве: откройте `report.html` в браузере.",
    smaller: "Картинки в нём уменьшены, иначе он слишком велик для этого канала.",
    withoutPictures: "Он без картинок: с ними он слишком велик для этого канала.",
    tooLarge: "Отчёт слишком велик для этого канала.",
    pictures: (jobId) => `\`/show id:${jobId} part:1\` пришлёт сами картинки.`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${count(all, PICTURES)} сеткой${down === null ? "" : `: ${number(across)} в ширину и ${number(down)} в высоту`}.`,
    ofRewrite: "Все создаются из переписанного запроса.",
    choose: "Открыть картинку: сравнить или показать всем",
    compare: "Сравнить с переписанной",
    post: "Показать здесь",
    alt: (prompt, axes) => `Сетка картинок: ${axes}; запрос: ${prompt}`,
  },
  refusals: {
    notYours: "Это может только автор задания или модератор.",
    notYoursToChange: "Здесь это может только автор задания. Вызовите команду сами, чтобы создать своё.",
    elsewhere: "Это относится к другому каналу.",
    role: "Для этого здесь нужна определённая роль. Обратитесь к администратору сервера.",
    noBallot: "За эти картинки не голосуют.",
    noVotes: "Ещё никто не голосовал. Создайте пару: `/compare blind:True`.",
    stillOpen: "Это ещё не готово. `/queue` покажет, на каком оно этапе.",
    secret: "Это слепое голосование; вы увидите это, когда оно закончится.",
    notYourDraft: "Начать может только тот, кто это запросил.",
    noPart: (parts) =>
      parts === 0
        ? "Картинок больше нет на диске бота, поэтому zip-архива с ними нет."
        : `Для этих картинок здесь есть ${count(parts, ZIPS)}.`,
    noEvaluation: "Оценить можно только готовый пакет, у картинок которого есть оценки.",
    nothingToChange: "Другого варианта у этого нет.",
    nothingToEnlarge: "Этих картинок больше нет, или они уже самого большого размера.",
    nothingLeft: "В этом пакете больше не ждёт ни один запрос.",
    notFinished: "Это ещё не готово. Сначала отмените.",
    alreadyFinished: "Это уже завершено.",
    unknownJob: "Такого задания здесь нет. Возможно, его удалили.",
    unknownButton: "Эта кнопка от другой версии бота. Вызовите команду ещё раз.",
    unknownCommand: "Эта команда от другой версии бота. Перезагрузите Discord и попробуйте снова.",
    repeated: "Вы отправили это дважды за секунду, поэтому выполняется один раз.",
    stopping: "Бот сейчас перезапустится. Попробуйте через минуту.",
    interrupted: "Бот остановился, не успев сохранить эту команду. Вызовите её ещё раз.",
  },
  historyLines: {
    title: "Ваши последние задания",
    none: "Вы ещё ничего не просили. Начните с `/compare`.",
    states: {
      queued: "ждёт",
      running: "выполняется",
      done: "готово",
      failed: "сбой",
      cancelled: "отменено",
    },
    open: "Открыть",
    again: "Повторить одно, с новым зерном",
  },
  dataLines: {
    exported: (jobs, given) => `О вас хранится: ${count(jobs, JOBS)} и ${count(given, VOTES)}.`,
    part: (at, isLast) =>
      isLast ? `Часть ${number(at)}, последняя.` : `Часть ${number(at)}; дальше придёт следующая.`,
    exporting: "Прошлый экспорт ещё отправляется. Файлы приходят один за другим.",
    notConfirmed:
      "Ничего не удалено. `/mydata erase confirm:True` удалит всё, что о вас хранится, и сообщения бота с вашими результатами; добавьте `messages:False`, чтобы сообщения остались.",
    erased: (jobs, stopping) =>
      `Удалено: ${count(jobs, JOBS)} с картинками, ваши голоса и настройки.${stopping === 0 ? "" : ` Ещё останавливается ${count(stopping, JOBS)}; потом и это будет удалено.`}`,
    messagesKept: "Сообщения остаются. Нажмите «Удалить» под сообщением, чтобы его убрать.",
    deletingMessages: "Сообщения бота с вашими запросами и результатами удаляются.",
    messagesDeleted: (deleted, failed, later) =>
      [
        `Удалено: ${count(deleted, MESSAGES)}.`,
        ...(failed === 0
          ? []
          : [`Не удалось удалить: ${count(failed, MESSAGES)}. Нажмите под ними «Удалить».`]),
        ...(later === 0 ? [] : [`Пока не удалось удалить: ${count(later, MESSAGES)}; бот попробует снова.`]),
      ].join(" "),
  },
  settingLines: {
    more: (settings) =>
      `-# \`/settings show all:True\` объяснит ${count(settings, noun("настройку", "настройки", "настроек"))}.`,
    title: "Настройки",
    channel: "Этот канал",
    server: "Этот сервер",
    program: "Сам бот",
    names: "Что можно настроить",
    choice: settingLines.choice,
    none: (falls) =>
      `Здесь ничего не настроено (действуют ${falls === "to the server" ? "настройки сервера" : "значения бота по умолчанию"}).`,
    entry: (name, value, by, at) => `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${count(steps, STEPS)} (не больше ${number(maxSteps)}), сила ${number(guidance)}, ${scheduler}, режим ${mode}, запросы: ${prompts}`,
    set: (name, value, scope) => `\`${name}\` для ${inScope(scope)} теперь ${value}.`,
    serverWide: (name) =>
      `\`${name}\` считает задания всего сервера, поэтому у канала не может быть своего значения. Выберите областью весь сервер.`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` может быть \`${value}\` только в каналах с возрастным ограничением, а у этого его нет. Вызовите команду в таком канале или настройте весь сервер: тогда это действует только в таких каналах.`,
    all: "всё, что настроено",
    resetAll: (names, scope) =>
      names.length === 0
        ? `Для ${inScope(scope)} ничего не было настроено.`
        : `Сброшено для ${inScope(scope)}: ${listed(names.map((name) => `\`${name}\``))}.`,
    reset: (name, scope, was) => {
      if (!was) return `Для ${inScope(scope)} \`${name}\` не был настроен.`;
      return `\`${name}\` для ${inScope(scope)} сброшен. Действует ${scope === "channel" ? "настройка сервера или значение бота по умолчанию" : "значение бота по умолчанию"}.`;
    },
    pingOn: "Вы получите уведомление, когда долгий результат будет готов.",
    pingOff: "Уведомлений больше не будет. Результаты по-прежнему публикуются.",
  },
  galleryLines: {
    by: (person, link) => `Автор — ${person}: ${link}`,
    added: (link) => `Результат в галерее: ${link}`,
    there: (link) => `Результат уже в галерее: ${link}`,
    later: (channel) => `Результат появится в ${channel}, как только Discord его примет.`,
    none: "У этого сервера пока нет галереи. Управляющие могут выбрать канал: `/settings set name:gallery`.",
    pruned: "Картинки удалены. Сначала нарисуйте их снова.",
    withheld: (channel) =>
      `У ${channel} нет возрастного ограничения, и не все эти картинки можно там показать.`,
    forbidden: (channel) =>
      `Бот не может публиковать картинки в ${channel}. Управляющие могут разрешить ему просматривать канал, отправлять сообщения, встраивать ссылки и прикреплять файлы.`,
  },
  hostLines: {
    none: "Пока не известно ни одного хоста.",
    roles: { both: "бот и исполнитель", bot: "бот", worker: "исполнитель" },
    heard: (ms) => `на связи ${duration(ms)} назад`,
    silent: (ms) => `**нет связи уже ${duration(ms)}**`,
    stopped: (at) => `остановлен <t:${at}:R>`,
    paused: "**на паузе**",
    waiting: "ждёт в резерве",
    otherVersion: (version) => `**${version}, другая версия, чем у этого бота**`,
    otherPictures: "**хранит картинки не там, где этот бот**",
    idle: "ждёт работы",
    text: (job) => `переписывает для задания ${job}`,
    image: (job) => `рисует для задания ${job}`,
    loaded: (models, size) => `в памяти ${listed(models)}${size === 0 ? "" : ` (${bytes(size)})`}`,
    setAside: (why) => `**отстранено**: ${why}`,
    offers: (names, rest) => `есть ${withMore(names, rest)}`,
    more: (hosts) => `и ${more(hosts)}`,
    hostPaused: (host) =>
      `${host} на паузе. Начатое он завершит, а новых заданий не возьмёт до \`/admin resume\` с его именем, даже после перезапуска.`,
    hostResumed: (host) => `${host} снова берёт задания.`,
    unknown: (host) => `Хоста ${host} нет. Все показывает \`/admin hosts\`.`,
  },
  quotaLines: {
    title: "**Минуты видеокарты**",
    user: (left, minutes, today, at) =>
      `У вас осталось ${number(left)} мин; сегодня израсходовано ${number(today)}. Каждый день добавляет ${number(minutes)}, следующие <t:${at}:R>.`,
    server: (left, minutes, today, at) =>
      `У этого сервера осталось ${number(left)} мин; сегодня израсходовано ${number(today)}. Каждый день добавляет ${number(minutes)}, следующие <t:${at}:R>.`,
    scarce: "Времени видеокарты осталось мало. Начатое всё равно будет закончено.",
  },
  styleLines: {
    title: "Стили",
    server: "**Этого сервера**",
    yours: "**Ваши**",
    presets: "**На всех серверах**",
    noneHere: "Пока нет: `/style save` добавляет стиль, а `/style import` читает `styles.csv`.",
    without: (negative) => `без: ${negative}`,
    more: (styles) => `Ещё ${number(styles)}: введите часть названия после \`style:\`.`,
    use: "-# `style:` в `/compare`, `/optimize` и `/batch` ставит эти слова вокруг того, что рисуется. Promptist их не читает.",
    saved: (name) => `Стиль ${name} сохранён. Выберите его через \`style:\`.`,
    replaced: (name) => `Стиль ${name} уже был; теперь у него эти слова.`,
    full: (styles) =>
      `Здесь уже ${count(styles, STYLES)}, больше не хранится. Удалите один через \`/style remove\`.`,
    removed: (name) => `Стиль ${name} удалён. У прежних результатов его слова остаются.`,
    notRemoved: (name) => `Своего стиля ${name}, который можно удалить, здесь нет.`,
    needsWords:
      "Стилю нужны слова: для картинки, для того, чего на ней не должно быть, или и те и другие. `{prompt}` в них стоит на месте запроса.",
    imported: (added, replaced) => `Добавлено стилей: ${number(added)}, заменено: ${number(replaced)}.`,
    importedTooLong: (names, rest) => `Пропущены из-за слишком длинного текста: ${withMore(names, rest)}.`,
    importedMore: (styles) => `Не хватило места: ${count(styles, STYLES)}.`,
    option: (name) => `стиль ${name}`,
    words: "Стиль",
    whole: "Вместе со стилем",
  },
  pictureLines: {
    title: "Как сделана эта картинка",
    sheetTitle: "Лист с картинками",
    shows: { baseline: "исходный запрос", optimized: "переписанный запрос", both: "оба запроса" },
    drawn: (program, shows) => `Сделано в ${program}${shows === null ? "" : `; показывает ${shows}`}.`,
    model: (name) => `Модель: ${name}`,
    vae: (name) => `VAE: ${name}`,
    loras: (names) => `LoRA: ${names.join(", ")}`,
    embeddings: (names) => `Эмбеддинги: ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip: ${skip}`,
    different: "**Здесь иначе:**",
    pairs: (amount) => `На нём ${count(amount, PAIRS)}. Прикрепите одну из картинок, чтобы создать её снова.`,
    next: "**Сравнить это** создаст картинки по запросу как написано и переписанному, с этими настройками.",
    nextPair: "**Сравнить это** создаст картинки по обоим запросам снова, с этими настройками.",
    attach: "Чтобы создать её с этими настройками, прикрепите её к `/compare` как `from`.",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**С чего начать**",
      "`/compare` создаёт картинки по вашему запросу: как написано и переписанному.",
      "`/optimize` только переписывает его.",
      "`/batch` сравнивает все запросы из файла.",
      "`/grid` показывает, что меняет настройка: много значений на одной картинке.",
      "Любое сообщение: правый клик (на телефоне — удерживайте), затем **Приложения**, затем **Улучшить это** или **Сравнить это**.",
      "",
      "**Дальше**",
      "`/queue` показывает, что выполняется и ждёт.",
      "`/history` — ваши последние задания, `/show` возвращает одно из них.",
      "`/info` читает запрос из файла картинки.",
      "Кнопки под результатом создают его снова.",
      "",
      "**Что лучше?**",
      "`/compare blind:True` скрывает, где какая картинка, пока вы не проголосуете.",
      "`/stats show` говорит что, `/taste show` — почему.",
      "",
      "**Ваши данные и уведомления**",
      "`/settings ping` включает и выключает уведомления.",
      "`/mydata export` и `/mydata erase`: что о вас хранится.",
    ],
  },
};
