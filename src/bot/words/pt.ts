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

const { number, count, plural, listed, numbers, percent, decimal, duration, bytes } = formsOf("pt-BR");

const JOBS: Plurals = { one: "tarefa", other: "tarefas" };
const PICTURES: Plurals = { one: "imagem", other: "imagens" };
const PROMPTS: Plurals = { one: "prompt", other: "prompts" };
const PAIRS: Plurals = { one: "par", other: "pares" };
const NOUNS = { prompt: PROMPTS, pair: PAIRS, picture: PICTURES } as const;
const STEPS: Plurals = { one: "passo", other: "passos" };
const VOTES: Plurals = { one: "voto", other: "votos" };
const BLIND_VOTES: Plurals = { one: "voto às cegas", other: "votos às cegas" };
const PHRASES: Plurals = { one: "expressão", other: "expressões" };
const MESSAGES: Plurals = { one: "mensagem", other: "mensagens" };
const STYLES: Plurals = { one: "estilo", other: "estilos" };
const ZIPS: Plurals = { one: "arquivo zip", other: "arquivos zip" };

const more = (rest: number): string => `mais ${number(rest)}`;
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (prompts: readonly number[]): string =>
  prompts.length === 1 ? `O prompt ${numbers(prompts, more)}` : `Os prompts ${numbers(prompts, more)}`;
const holder = { user: "você já tem", channel: "este canal já tem", server: "este servidor já tem" } as const;
const owner = { user: "Você já tem", channel: "Este canal já tem", server: "Este servidor já tem" } as const;
const sides = { baseline: "o prompt original", optimized: "a reescrita" } as const;
const results = {
  optimize: "sua reescrita",
  compare: "sua comparação",
  batch: "seu lote",
  grid: "sua grade",
  evaluation: "sua avaliação",
} as const;
const commands = {
  optimize: "Reescrita",
  compare: "Comparação",
  batch: "Lote",
  grid: "Grade",
  evaluation: "Avaliação",
} as const;
const votes = { left: "A", right: "B", tie: "Empate", bad: "As duas ruins" } as const;

const LATER = "Tente de novo daqui a pouco.";
const OWNER = "Avise quem cuida deste bot.";
const FORMATS =
  "Anexe um `.txt` com um prompt por linha, uma lista `.json` ou linhas `.jsonl` de textos ou de pares `{original, optimized}`, ou um `.csv` ou `.tsv` com uma coluna `prompt`.";

const expectations: Words["expectations"] = {
  integer: (min, max) => `um número inteiro de ${number(min)} a ${number(max)}`,
  number: (min, max) => `um número de ${number(min)} a ${number(max)}`,
  oneOf: (words) => `um destes valores: ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `um tamanho como \`${example}\`, com os dois lados múltiplos de ${multiple} e entre ${min} e ${max}`,
  roles: (max) => `de 1 a ${max} cargos, como menções ou IDs`,
  words: (max) => `de 1 a ${max} palavras separadas por vírgulas`,
  channel: "um canal de texto deste servidor, como `#galeria`",
  emoji: "um emoji como `⭐`, ou `off`",
  yesNo: "`on` ou `off`",
  text: (max) => `um texto de no máximo ${number(max)} caracteres`,
};

const optionName = optionNames("pt-BR");
const subject = (c: Values, otherwise: string): string =>
  placeIn(
    c,
    (unit, at) => `${unit === "line" ? "A linha" : "A entrada"} ${number(at)} do arquivo`,
    otherwise,
  );

/** "2 imagens tiradas" */
function without(noun: keyof typeof NOUNS, amount: number): string {
  const end = noun === "picture" ? "a" : "o";
  return `${count(amount, NOUNS[noun])} ${plural(amount, { one: `tirad${end}`, other: `tirad${end}s` })}`;
}

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`, ${count(tie, { one: "empate", other: "empates" })}`]),
    ...(bad === 0 ? [] : [`, as duas ruins: ${number(bad)}`]),
  ].join("");

const amountOf = (prompts: number, given: number): string =>
  given === 0
    ? `${count(prompts, PROMPTS)}.`
    : given === prompts
      ? `${count(prompts, PROMPTS)}, já ${plural(prompts, { one: "otimizado", other: "otimizados" })}: não precisa do Promptist.`
      : `${count(prompts, PROMPTS)}, ${number(given)} já ${plural(given, { one: "otimizado", other: "otimizados" })}, sem precisar do Promptist.`;

const inScope = (scope: string): string => (scope === "channel" ? "este canal" : "este servidor");

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `${percent(mean)} das imagens dele vencem (de ${percent(low)} a ${percent(high)}).`;

/** Brazilian Portuguese. */
export const pt: Unfinished<Words> = {
  locale: "pt-BR",
  duration,
  expectations,
  labels: {
    compareThis: "Comparar isto",
    commands,
    cancel: "Cancelar",
    start: "Começar",
    discard: "Descartar",
    takeOut: (noun) => `Tirar ${NOUNS[noun].other}`,
    choosePrompts: (noun, first, last) =>
      `${{ prompt: "Prompts", pair: "Pares", picture: "Imagens" }[noun]} ${first} a ${last}`,
    pair: (at, seed) => `Par ${at}, semente ${seed}`,
    redraw: "Gerar de novo",
    tryAgain: "Tentar de novo",
    change: "Reformular",
    asWritten: "Como escrito",
    previewAlt: "A imagem enquanto se forma",
    votes,
    reveal: "Revelar a todos",
    again: "Outra semente",
    vary: { small: "Variar (pouco)", large: "Variar (muito)" },
    use: { baseline: "Usar a esquerda", optimized: "Usar a direita", only: "Usar esta" },
    enlarge: "Ampliar",
    larger: (which, times, size) =>
      `${{ baseline: "Esquerda", optimized: "Direita", only: "Esta" }[which]}, ${number(times)} vezes: ${size}`,
    editPrompt: "Editar o prompt",
    editFirst: "Editar antes",
    drawPair: "Gerar o par",
    drawRaw: "Gerar como escrito",
    info: "Info",
    favourite: "Para a galeria",
    delete: "Apagar",
    own: "Primeira reescrita",
    chooseBeam: "Gerar outra reescrita",
    chooseWords: "Tirar palavras acrescentadas",
    editPromptTitle: "Editar o prompt; a semente continua",
    editRewriteTitle: "Editar a reescrita antes de gerar",
    usePromptTitle: "O prompt que parte desta imagem",
    prompt: "Prompt",
    rewriteBy: (rewriter) => `Reescrito por ${rewriter}`,
    against: (rewriter) => `Contra ${rewriter}`,
    givenRewrite: "Otimizado",
    negative: "Prompt negativo",
    baselineAlt: (prompt) => `Imagem do prompt original: ${prompt}`,
    optimizedAlt: (prompt) => `Imagem do prompt reescrito: ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `Duas imagens lado a lado. À esquerda, o prompt original: ${prompt}. À direita, reescrito: ${optimized}`,
    contactSheetAlt: (prompts) =>
      `Pares de imagens de ${count(prompts.length, PROMPTS)}: ${prompts.join("; ")}`,
  },
  statusLines: {
    accepted: "Pedido aceito.",
    position: (phase, position, etaMs) =>
      `Na fila de ${phase === "text" ? "reescrita" : "geração"}: ${position === 1 ? "a sua vez é a próxima" : `lugar ${number(position)}`}.${etaMs === null ? "" : ` Pronto em cerca de ${duration(etaMs)}.`}`,
    starts: (phase) => (phase === "text" ? "Começando…" : "A geração está começando…"),
    paused: "Pausado por um admin; você mantém o seu lugar.",
    devicesFailed: "A placa de vídeo parou de funcionar; o bot continua tentando. Você mantém o seu lugar.",
    retries: "Esta tentativa falhou. O bot vai tentar de novo em instantes.",
    held: (scope, limit) =>
      `Espera fora da fila: ${holder[scope]} ${count(limit, JOBS)} nela, o máximo permitido ao mesmo tempo. Ela entra sozinha quando ${limit === 1 ? "essa terminar" : "uma delas terminar"}.`,
    loading: (phase) =>
      phase === "text" ? "Reescrita: carregando o Promptist…" : "Geração: carregando o Stable Diffusion…",
    rewriting: (step, steps) => `reescrevendo, token ${number(step)} de ${number(steps)}`,
    drawing: (side, step, steps) =>
      `imagem ${side === "baseline" ? "do prompt original" : "da reescrita"}, passo ${number(step)} de ${number(steps)}`,
    item: (noun, index, items) => `${NOUNS[noun].one} ${number(index + 1)} de ${number(items)}`,
    left: (ms) => `faltam cerca de ${duration(ms)}`,
    pairs: (pairs) => `${count(pairs, PAIRS)}, cada um com sua própria semente.`,
    takenOut: (kind, left, all) =>
      `${left === 1 ? "Resta" : "Restam"} ${number(left)} de ${number(all)} ${plural(all, NOUNS[nounOf(kind)])}.`,
    stopping: "Parando.",
    late: "Isto está demorando mais do que o Discord me deixa editar esta mensagem. O resultado vai chegar aqui em uma mensagem nova.",
    erased: "Cancelado e apagado, com tudo o que estava salvo sobre você.",
    batch: amountOf,
  },
  queueLines: {
    title: "Fila",
    paused: "Um admin pausou a fila. As tarefas em espera mantêm o lugar.",
    devicesFailed:
      "A placa de vídeo parou de funcionar; o bot continua tentando. As tarefas em espera mantêm o lugar.",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "Não há nada em andamento nem em espera."
        : `${number(running)} em andamento, ${number(waiting)} em espera.`,
    loaded: (names) => `Carregado: ${listed(names)}.`,
    swaps: (swaps) => `Trocas de modelo desde o início: ${number(swaps)}.`,
    yours: "Suas tarefas mais atrás:",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "fora da fila, até outra tarefa desta pessoa terminar",
        channel: "fora da fila, até outra tarefa deste canal terminar",
        server: "fora da fila, até outra tarefa deste servidor terminar",
      };
      const waits = `${number(position)}º na ${phase === "text" ? "reescrita" : "geração"}`;
      const where = held !== null ? outside[held] : position === 0 ? "**em andamento**" : waits;
      const what =
        job === null
          ? "uma tarefa de outro lugar"
          : `${commands[job.kind]} de <@${job.userId}> \`${job.id}\``;
      return `${where}: ${what}${etaMs === null ? "" : `, pronto em cerca de ${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `a partir de uma imagem, força ${number(strength)}`,
    choosePair: "Qual par? As duas imagens dele são variadas, ou uma delas vira a próxima base.",
    chooseEnlarged: "Qual imagem, e de que tamanho? Os detalhes dela são criados de novo, e o resto fica.",
    negativeUnread: "-# Sem orientação (1 ou menos, como com `turbo`), o prompt negativo não tem efeito.",
    upscaler: (name) => `ampliado com ${name}`,
    larger: (times) => `${number(times)} vezes maior`,
    model: (name) => `modelo ${name}`,
    lora: (name, strength) => `LoRA ${name} ${number(strength)}`,
    prompts: (mode) => `prompts: ${mode}`,
    speed: (speed) => `velocidade ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`, \`[word]\` e \`BREAK\` são lidos como texto comum${prompts.length === 0 ? " aqui" : ` (prompts ${numbers(prompts, more)})`}. Para que tenham efeito, escolha \`prompts: weighted\` no comando; quem gerencia pode configurar \`prompts\` para todos.`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` e \`[a:b:0.5]\` não têm efeito aqui. São lidos como palavras${prompts.length === 0 ? "" : ` (prompts ${numbers(prompts, more)})`}.`,
    cut: "Com `prompts: weighted`, o modelo de imagem lê prompts longos até o fim.",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)}: o modelo de imagem não consegue ler o prompt ou a reescrita até o fim. Com \`prompts: weighted\` ele lê mais.`,
    unknownSubject: (subjects, tried) =>
      `O modelo pequeno daqui só conhece ${number(subjects)} temas, e nenhum está neste prompt. Tente ${tried.join(", ")}.`,
    enlarged: (times) => `-# Mostrado ${number(times)} vezes maior do que foi gerado.`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**Esquerda** como escrito · **direita** ${how}:`,
    left: (how) => `**Esquerda** ${how}:`,
    right: (how) => `**Direita** ${how}:`,
    sidesOfEach: (pairs, how) =>
      `${count(pairs, PAIRS)}, cada um com **esquerda** como escrito · **direita** ${how}:`,
    change: "Gere isto com outra reescrita, ou sem algumas das palavras acrescentadas; a semente continua.",
    onlySide: (side) =>
      side === "baseline" ? "Gerado a partir do prompt original." : "Gerado a partir da reescrita.",
    rewritesDiffer: "-# Cada par tem a sua própria reescrita; esta é a primeira.",
    seed: (seed) => `semente ${seed}`,
    seeds: (first, last) => (first === last ? `semente ${first}` : `sementes ${first} a ${last}`),
    steps: (steps) => count(steps, STEPS),
    guidance: (guidance) => `orientação ${number(guidance)}`,
    overview: (kind, items, pictures) =>
      `${count(items, NOUNS[nounOf(kind)])}, ${count(pictures, PICTURES)}.`,
    takenOut: (kind, items) => `${without(nounOf(kind), items)}.`,
    sheet: (first, last, all) => `Prompts ${number(first)} a ${number(last)} de ${number(all)}.`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "A folha 1 chegou durante a geração e também está no zip."
        : `As folhas 1 a ${number(sheets)} chegaram durante a geração e também estão no zip.`,
    zipped: (pictures) =>
      `${pictures === 1 ? "A imagem está" : `As ${number(pictures)} imagens estão`} no zip.`,
    zips: (pictures, here, all, jobId) =>
      `${count(pictures, PICTURES)} no total, em ${count(all, ZIPS)}, porque um arquivo não pode ser maior aqui. ${here === 0 ? "Nenhum cabe nesta mensagem" : here === 1 ? "O primeiro está aqui" : `Do 1 ao ${here} estão aqui`}; \`/show id:${jobId} part:${here + 1}\` traz o próximo.`,
    zipTooLarge: "Algumas imagens são maiores do que este canal permite e não estão em nenhum zip.",
    again:
      "Anexe o `report.csv` ao `/batch` para gerar as linhas de novo: as mesmas sementes e configurações dão as mesmas imagens.",
    pruned: (at) =>
      `As imagens foram apagadas <t:${Math.floor(at / 1000)}:D> para liberar espaço. “Gerar de novo” traz as mesmas.`,
    shrunk: "As imagens são cópias reduzidas: as originais são maiores do que este canal permite.",
    lost: (words) =>
      `A reescrita não tem mais ${words.map((word) => `*${word}*`).join(", ")}; talvez a imagem não mostre isso.`,
    recordsLeftOut:
      "As listas de prompts e sementes são grandes demais para este canal; `/mydata export` as tem.",
    chosen: (rewrites) =>
      `${count(rewrites, { one: "reescrita escolhida", other: "reescritas escolhidas" })} pelo gosto deste servidor (\`/taste show\`).`,
    unread: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "é longo demais" : "são longos demais"} para o Promptist. A parte que ele não leu fica na reescrita, sem mudanças.`,
    missing: "As imagens não estão mais no disco do bot.",
    direct: "Não consegui postar onde você pediu, então aqui está.",
    ready: (userId, kind) =>
      `<@${userId}>, ${results[kind]} ficou ${kind === "batch" ? "pronto" : "pronta"}.`,
    readyAt: (userId, kind, link) =>
      `<@${userId}>, ${results[kind]} ficou ${kind === "batch" ? "pronto" : "pronta"}: ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}>, ${results[kind]} terminou sem resultado: ${link}`,
    ended: (userId, kind) => `<@${userId}>, ${results[kind]} terminou sem resultado.`,
  },
  jobLines: {
    id: (jobId) => `Tarefa \`${jobId}\`.`,
    made: (jobId, parentId) => `Tarefa \`${jobId}\`, feita a partir de \`${parentId}\`.`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]}: tarefa cancelada.`,
    tried: (times) => `Foram feitas ${count(times, { one: "tentativa", other: "tentativas" })}.`,
  },
  errorSentences: {
    PICTURE_TYPE: () => "Este arquivo não é uma imagem que dê para ler. Anexe um PNG, JPEG ou WebP.",
    PICTURE_TOO_BIG: (c) =>
      `A imagem ${c.say("limit", (limit) => `passa de ${bytes(limit)}`, "é grande demais")}. Anexe um arquivo menor.`,
    PICTURE_SHAPE: () => "A imagem está danificada. Baixe de novo de onde a encontrou e anexe esse arquivo.",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "A imagem não traz nenhum prompt: muitos sites e apps o removem. Anexe o arquivo original ou copie o prompt para `/compare`."
        : `A imagem é do ${c.text("program")}, e o prompt não pode ser lido. Copie o prompt para \`/compare\`.`,
    PICTURE_PIXELS: (c) =>
      `A imagem tem ${c.say("limit", (limit) => `mais de ${number(limit)} pixels`, "pixels demais")}, ou um lado é muito mais longo que o outro. Anexe uma cópia menor.`,
    PICTURE_FLAGGED: () =>
      "O filtro de segurança sinalizou esta imagem. Ela não pode servir de base aqui; no máximo, em canais com restrição de idade.",
    PICTURE_UNCHECKED: () =>
      "Nenhum filtro de segurança verificou esta imagem, e imagens não verificadas não podem servir de base aqui.",
    PICTURE_GONE: () =>
      "A imagem que servia de base foi apagada, e nada mais pode ser gerado a partir dela. Anexe-a de novo ao `/compare` como `image`.",
    PICTURE_SHEET: () =>
      "É uma folha com muitos prompts. Anexe uma das imagens, ou `report.csv` ao `/batch`.",
    INPUT_STRENGTH: () =>
      "`strength` diz quanto de `image` é gerado de novo. Anexe uma imagem como `image`, ou tire `strength`.",
    INPUT_EMPTY: () => "O prompt está vazio. Escreva o que a imagem deve mostrar.",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "O prompt")} ${c.say("limit", (limit) => `passa de ${number(limit)} caracteres`, "é longo demais")}. Encurte e tente de novo.`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `aceita ${expected}`
          : limit !== null
            ? `aceita no máximo ${number(limit)}`
            : "tem um valor que não serve";
      return `${name === null ? "Uma opção" : `A opção \`${name}\``} ${takes}. Mude e tente de novo.`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "Este tamanho" : `O tamanho ${c.code("size")}`} é grande demais para o modelo daqui. ${c.say("max", (max) => `Nenhum lado pode passar de ${number(max)} pixels`, "Escolha um menor")}.`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "Este tamanho" : `O tamanho ${c.code("size")}`} não cabe na memória daqui. ${c.code("largest") === null ? "Escolha um menor" : `O maior desta forma que cabe é ${c.code("largest")}`}.`,
    GRID_AXIS: (c) =>
      `${c.code("axis") === null ? "Este eixo da grade" : `O eixo ${c.code("axis")}`} não existe. ${c.code("option") ?? "Um eixo"} leva um nome e valores, por exemplo ${c.code("example") ?? "`steps=10,20,30`"}; os nomes são ${c.text("words")?.split(" ").join(", ") ?? "os que aparecem ao digitar"}.`,
    GRID_LORA: () =>
      "O eixo `strength` é a força das LoRAs. Diga uma com `lora`, ou use `lora` como o outro eixo.",
    GRID_TWICE: (c) =>
      `Os dois eixos são ${c.code("axis") ?? "iguais"}. Escolha outro para \`y\` ou deixe vazio.`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "Um valor" : `O valor ${c.code("value")}`} não serve${c.code("axis") === null ? "" : ` para ${c.code("axis")}`}${expected === null ? "" : `, que aceita ${expected}`}. Separe os valores com vírgulas; números também por faixa, por exemplo \`1-10 (+3)\` ou \`1-10 [4]\`.`;
    },
    GRID_SIZE: (c) =>
      `Esta grade teria ${c.say("cells", (cells) => `${count(cells, PICTURES)}, e aqui são permitidas no máximo ${c.say("max", number, "25")}`, "imagens demais")}. Tire alguns valores.`,
    INPUT_CHOICE: () =>
      "Essa escolha não existe nesta tarefa. Escolha de novo na mensagem mais recente dela.",
    INPUT_UNCHANGED: () => "Nada mudou, então o resultado seria o mesmo.",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "Uma palavra do prompt" : `A palavra ${c.code("word")}`} não é permitida aqui. Escreva o prompt sem ela.`,
    INPUT_STYLE: (c) =>
      `O estilo${c.code("style") === null ? "" : ` ${c.code("style")}`} não existe aqui. \`/style list\` mostra os que existem; escolha um deles, ou \`none\`.`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "`turbo` precisa de uma LCM-LoRA, e não há nenhuma aqui. Quem mantém o bot pode obtê-la com `promptist checkpoints pull lcm-lora`. Até lá, escolha `fast` ou `full`."
        : `\`turbo\` não pode ser usado: ${c.code("lora")} é de outro modelo, não do que desenha aqui. Escolha \`fast\` ou \`full\`.`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "O LoRA" : "O modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} não existe aqui.${c.code("near") === null ? "" : ` Você quis dizer ${c.code("near")}?`} As opções \`model\` e \`lora\` mostram ao digitar o que é oferecido.`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "O LoRA" : "O modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} é só para canais com restrição de idade. Escolha outro, ou use-o lá.`,
    INPUT_REWRITER: (c) =>
      `O reescritor${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")}`} não pode ser usado aqui. Escolha um dos que aparecem ao digitar: \`promptist\`, \`magicprompt\`, \`none\` ou outro.`,
    INPUT_EVALUATION: (c) =>
      `Com \`evaluate:True\`, \`rewriter\` diz o que é comparado: até ${c.say("max", number, "5")} diferentes, como \`promptist, magicprompt, none\`, e não só \`none\`. \`seeds\` serve apenas para uma avaliação.`,
    INPUT_AGAINST: (c) =>
      `Os dois lados seriam de ${c.code("rewriter") ?? "um mesmo reescritor"}. Escolha outro para \`against\`.`,
    FILE_STYLES: () =>
      "O arquivo não é uma lista de estilos. Anexe o `styles.csv` do A1111: a primeira linha é `name,prompt,negative_prompt`, e cada linha seguinte é um estilo.",
    DRAFT_GONE: () =>
      "Este rascunho não existe mais: foi começado, descartado ou expirou. Use o comando de novo.",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `Você já tem ${count(limit, { one: "rascunho", other: "rascunhos" })} para começar, o máximo permitido`, "Você já tem rascunhos demais para começar")}. Comece ou descarte um e use o comando de novo.`,
    NOT_OPERATOR: () => "Só quem cuida deste bot pode fazer isso, porque afeta todos os servidores.",
    NOT_ALLOWED: () =>
      "Só quem gerencia este servidor ou canal pode fazer isso. Fale com um admin do servidor.",
    FILE_TOO_BIG: (c) =>
      `O arquivo ${c.say("limit", (limit) => `passa de ${bytes(limit)}`, "é grande demais")}. Divida em arquivos menores.`,
    FILE_BINARY: () => `O arquivo não é texto. ${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "O arquivo")} não é texto UTF-8. Salve o arquivo como UTF-8 e anexe de novo.`,
    FILE_TYPE: () => `Este tipo de arquivo não pode ser lido. ${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "O arquivo é JSON, mas não uma lista" : `${subject(c, "O arquivo")} ${c.text("problem") === "json" ? "não é JSON válido" : "não pode ser lido"}`}. ${FORMATS}`,
    FILE_EMPTY: () => `O arquivo não tem nenhum prompt. ${FORMATS}`,
    FILE_UNREACHABLE: () => "Não foi possível baixar o arquivo do Discord. Anexe de novo.",
    QUEUE_UNREACHABLE: () => `A fila está inacessível agora, e nada foi salvo. ${LATER}`,
    QUEUE_BUSY_DATABASE: () => `A fila está ocupada agora, e nada foi salvo. ${LATER}`,
    QUEUE_LOCKED: () => `Outra cópia deste bot usa a mesma fila. ${OWNER}`,
    QUEUE_FULL: () => `A fila está cheia, e nada foi salvo. ${LATER}`,
    QUEUE_CAP: (c) =>
      `${owner[scopeOf(c)]} ${c.say("limit", (limit) => `${count(limit, { one: "tarefa aberta", other: "tarefas abertas" })}, o máximo permitido aqui`, "o máximo de tarefas abertas permitido aqui")}. Elas começam sozinhas; peça de novo quando uma terminar.`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "Este servidor usou" : "Você usou"} por enquanto todos os minutos de cálculo da placa${c.say("minutes", (minutes) => `; cada dia traz ${number(minutes)}`, "")}. ${c.say("at", (at) => `Haverá mais <t:${at}:R>.`, "Tente de novo amanhã.")}`,
    QUEUE_NEWER_SCHEMA: () => `A fila é de uma versão mais nova deste bot. ${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "O LoRA" : "O modelo"}${c.code("model") === null ? "" : ` ${c.code("model")}`} não está mais na máquina do bot. Use o comando de novo com outro. ${OWNER}`,
    CHECKPOINT_MISSING: () => `O modelo necessário não está instalado. ${OWNER}`,
    CHECKPOINT_CORRUPT: () => `Os arquivos do modelo estão danificados. ${OWNER}`,
    CHECKPOINT_TENSORS: () => `Os arquivos do modelo não combinam com a configuração dele. ${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () =>
      `O modelo instalado é de um tipo que este bot não consegue executar. ${OWNER}`,
    CHECKPOINT_UNSAFE: () =>
      `Os arquivos do modelo foram recusados porque poderiam executar código. ${OWNER}`,
    HUB_NOT_FOUND: () => `O site que publica o modelo não o tem. ${OWNER}`,
    HUB_REFUSED: () => `O site que publica o modelo exige permissão para ele. ${OWNER}`,
    HUB_BUSY: () => `O site que publica o modelo está sobrecarregado. ${OWNER}`,
    HUB_UNREACHABLE: () => `O site que publica o modelo está fora do ar. ${OWNER}`,
    HUB_HASH: () => `Um arquivo do modelo chegou danificado. ${OWNER}`,
    DEVICE_UNAVAILABLE: () => `A placa de vídeo não pode ser usada agora. ${LATER}`,
    OUT_OF_MEMORY: () =>
      "Não houve memória suficiente. Tente menos prompts por vez, ou tente de novo mais tarde.",
    WORKER_DIED: () => `O processo do modelo fechou inesperadamente. ${LATER}`,
    WORKER_STALLED: () => `O processo do modelo parou de responder. ${LATER}`,
    HOST_DIED: (c) =>
      `O programa que cuidava disto fechou inesperadamente ${c.say("times", (times) => `${count(times, { one: "vez", other: "vezes" })} seguidas`, "várias vezes")}, então a tarefa foi deixada de lado. Tente um tamanho menor ou menos imagens; se não ajudar, avise quem cuida deste bot.`,
    DISK_FULL: () => `O disco deste bot está cheio. ${OWNER}`,
    DISK_READ_ONLY: () => `Este bot não tem permissão para salvar imagens no disco. ${OWNER}`,
    DISK_FAILED: () => `Não foi possível ler ou gravar no disco deste bot. ${OWNER}`,
    PICTURES_UNREACHABLE: () => `O armazenamento de imagens deste bot não responde ou as recusa. ${OWNER}`,
    CANCELLED: () => "Isto foi cancelado.",
    INTERNAL: () =>
      "Algo deu errado dentro do bot. Tente de novo; se acontecer outra vez, avise quem cuida dele.",
    DISCORD_REFUSED: () => "O resultado está pronto e salvo, mas o Discord recusou a mensagem com ele.",
    DISCORD_UNREACHABLE: () => `Não foi possível falar com o Discord. ${LATER}`,
    CONFIG: () => `Este bot não está bem configurado. ${OWNER}`,
  },
  noteWords: {
    firstFrame: "A imagem anexada se move: o primeiro quadro é usado.",
    cropped: "A imagem anexada tem outro formato, por isso o centro dela é usado.",
    models: (used) => `Gerado com ${listed(used)}.`,
    embedding: (name, hash) => `Gerado com o embedding ${name} (${hash}).`,
    redone: (side) =>
      `A meia precisão não bastou para a imagem ${side === "baseline" ? "do prompt" : "da reescrita"}; ela foi calculada de novo com mais exatidão.`,
    plain: (side) =>
      `A imagem ${side === "baseline" ? "do prompt" : "da reescrita"} tem uma cor só: o modelo a gerou assim. Tente outra semente ou mais palavras.`,
    leftOut: "Parte das indicações da mensagem não foi usada.",
    taste: (reasons) =>
      `Escolhida para este servidor${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`,
    tasteFirst: "Escolhida para este servidor: das reescritas encontradas, ele também prefere a primeira.",
    tasteExplores:
      "Não é o que mais agrada neste servidor: uma em cada dez reescritas serve para continuar aprendendo.",
    unchanged: "O Promptist não mudou nada.",
    unread: (words) =>
      `O Promptist não consegue ler até o fim um prompt tão longo. Esta parte fica na reescrita, sem mudanças: ${words}`,
    kept: "A reescrita tinha de começar com o prompt como foi escrito e não dizer nada duas vezes.",
    truncated: (side, words) =>
      `O modelo de imagem não consegue ler o fim do ${{ baseline: "prompt", optimized: "prompt reescrito", negative: "prompt negativo" }[side]}: ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `Reescrita: ${mode}${mode === "beam" ? `, ${beams} feixes` : ""}, no máximo ${count(maxNewTokens, { one: "token", other: "tokens" })}, ${count(rewrites, { one: "reescrita diferente", other: "reescritas diferentes" })}`,
    source: (strength, hashes) =>
      `A partir de uma imagem: força ${number(strength)}, origem ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `Semente ${seed} · ${count(steps, STEPS)} · orientação ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · prompts: ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `reescrita ${duration(ms)}`,
    drawingTook: (side, ms) =>
      `imagem ${side === "baseline" ? "do prompt original" : "da reescrita"} ${duration(ms)}`,
    took: (parts) => `Tempo: ${parts.join(", ")}`,
    checkpoints: (names) => `Checkpoints: ${names.join(", ") || "nenhum ainda"}`,
    miniature:
      "Modelos em miniatura são substitutos pequenos: eles conhecem algumas centenas de temas. Quem cuida deste bot pode instalar os completos.",
    askedBy: (userId, at) => `Pedido por <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "modelos em miniatura"
      : `${phases[0] === "text" ? "Promptist" : "Stable Diffusion"} em miniatura`;
  },
  safetyLines: {
    picture: (side) => (side === "baseline" ? "a imagem do prompt original" : "a imagem da reescrita"),
    pictureOf: (prompt, side) =>
      side === "baseline" ? `o prompt ${prompt} como escrito` : `a reescrita do prompt ${prompt}`,
    more: (pictures) => more(pictures),
    withheld: (pictures, why, redraw) => {
      const what = `Não exibido: ${listed(pictures)}.`;
      if (why === "unchecked")
        return `${what} Nenhum filtro de segurança verificou isso, e nada é postado aqui sem verificação.`;
      const because =
        why === "flagged"
          ? "O filtro de segurança sinalizou isso, e este canal não tem restrição de idade."
          : "O filtro de segurança sinalizou isso, e as configurações daqui escondem o que ele sinaliza.";
      const todo =
        redraw === "buttons"
          ? "Quem pediu pode gerar de novo com os botões abaixo: com outra semente ou outras palavras."
          : "Quem pediu pode gerar um prompt desses de novo com `/compare`: com outra semente ou outras palavras.";
      return `${what} ${because} ${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "Aparece depois de um clique, porque o filtro de segurança sinalizou algo aqui."
        : "Aparece depois de um clique, porque nenhum filtro de segurança verificou estas imagens.",
    blindElsewhere: "Ainda há votação sobre este par, então ele não pode ser mostrado aqui até ela acabar.",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `Avaliação${of === null ? "" : ` de ${of}`}: ${parts.join(" · ")}`,
    fits: {
      same: "segue o prompt igualmente bem",
      better: "segue melhor o prompt",
      worse: "segue pior o prompt",
    },
    looksSame: (points) => `igualmente bonita (${decimal(points, 1)} de 10)`,
    looks: (isBetter, from, to) =>
      `${isBetter ? "mais" : "menos"} bonita (${decimal(from, 1)} → ${decimal(to, 1)} de 10)`,
    relevance: (change) => `fidelidade ao prompt ${change}`,
    beauty: (change) => `beleza ${change}`,
    rewardOf: (reward) => `recompensa ${reward} (o que o Promptist aprendeu a aumentar)`,
    pair: (parts, names) =>
      `Notas, ${names?.baseline ?? "como escrito"} → ${names?.optimized ?? "reescrito"}: ${parts.join(" · ")}`,
    title: "**Notas**: médias com intervalos de 95 %; acima de zero, a reescrita foi melhor.",
    relevanceChange: "Mudança na fidelidade",
    beautyGain: "Mudança na beleza",
    reward: "Recompensa",
    mean: (mean, low, high, n) => `${mean} (${low} a ${high}), n = ${n}`,
    plotAlt: (facts) => `Um ponto para cada par, e as médias: ${facts.join("; ")}`,
    tableHead: " #  fidelidade     beleza        recompensa",
  },
  blindLines: {
    question: "Qual imagem é melhor, A ou B? Uma delas vem de uma reescrita do prompt. Vote para saber qual.",
    questionBetween: (one, other) =>
      `Qual imagem é melhor, A ou B? Uma vem do texto de ${one} e a outra do de ${other}. Vote para saber qual.`,
    closes: (at) => `A votação termina <t:${Math.floor(at / 1000)}:R>.`,
    tileAlt: (letter) => `Imagem ${letter}; ainda não se diz se ela vem da reescrita`,
    nothing: "O Promptist não mudou nada, então não há o que votar.",
    nothingBetween: "Os dois escreveram o mesmo, então não há o que votar.",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A, ${said[left]}`,
        right: `B, ${said[right]}`,
        tie: "empate",
        bad: "as duas ruins",
      }[counted];
      return `${isFirst ? "Seu voto vale" : "Vale o seu primeiro voto"}: ${chosen}. A era ${said[left]}, B era ${said[right]}.`;
    },
    secret: "Guarde segredo até a votação acabar.",
    final: "Você já sabe qual é qual, então seu voto não pode mais mudar.",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**Votos** ${names?.optimized ?? "reescrita"} ${number(optimized)} · ${names?.baseline ?? "como escrito"} ${number(baseline)} · empate ${number(tie)} · as duas ruins ${number(bad)}`,
  },
  verdictLines: {
    none: "Ainda não há votos. Use `/compare blind:True`: abaixo do par, todos podem votar em A ou B.",
    tooFew: (tally, needed) =>
      `${number(tally.optimized)} de ${count(tally.optimized + tally.baseline, VOTES)} para a reescrita${undecided(tally)}. É muito pouco para saber: são precisos ${number(needed)}.`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)} (confiança de 95%: de ${percent(low)} a ${percent(high)}), n = ${number(n)}${undecided(tally)}.`,
  },
  statsLines: {
    title: "Com que frequência a reescrita vence",
    all: "Todos os votos",
    voter: (rank) => `Votante ${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `venceria ${percent(share)} contra o prompt como escrito (confiança de 95%: de ${percent(low)} a ${percent(high)}), n = ${number(n)}.`,
    reference: (n) => `é com isto que os outros são medidos, n = ${number(n)}.`,
    asWritten: "Como escrito",
    given: "Palavras próprias",
  },
  tasteLines: {
    title: "Do que este servidor gosta",
    noServer: "Cada servidor tem o próprio gosto: use este comando em um deles.",
    none: "Ainda não se sabe nada: são precisos votos às cegas. Peça um par com `/compare blind:True`.",
    learned: (votes) =>
      `Aprendido de ${count(votes, BLIND_VOTES)}. Com que frequência uma reescrita com a expressão venceria a mesma sem ela?`,
    liked: "Agrada",
    disliked: "Não agrada",
    phrase: (text, share, { low, high }, votes) =>
      `${text}: ${percent(share)} (de ${percent(low)} a ${percent(high)}), n = ${number(votes)}`,
    intervals: "Entre parênteses: intervalos de 95%. O que contém 50% ainda não decidiu nada.",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `${percent(share)} (de ${percent(low)} a ${percent(high)}, n = ${number(n)})`;
      return `As reescritas assim escolhidas venceram ${rate(chosen)}. Sempre a primeira teria vencido ${first === null ? "uma parte que não se sabe" : rate(first)}.`;
    },
    exported: (phrases, votes) =>
      `${count(phrases, PHRASES)}, com o que se aprendeu de ${count(votes, BLIND_VOTES)}.`,
    notSure:
      "Nada foi apagado. Use `/taste forget sure:True` para apagar o que os votos deste servidor ensinaram.",
    forgotten: "Apagado. Os votos até agora ainda contam em `/stats show`; o gosto se aprende dos novos.",
  },
  draftLines: {
    amount: (prompts, given, pictures) =>
      `${amountOf(prompts, given)} No total, ${count(pictures, PICTURES)}.`,
    time: (ownMs) => `Leva cerca de ${duration(ownMs)} nesta máquina.`,
    unknownTime: "Ainda não se sabe quanto demora: nada parecido rodou desde que o bot iniciou.",
    ahead: (jobs, ms) =>
      `Antes ${jobs === 1 ? "vem" : "vêm"} ${count(jobs, JOBS)}${ms === null ? "" : `, cerca de ${duration(ms)}`}.`,
    first: (prompts, all) =>
      [
        ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(prompts.length < all ? [`e ${more(all - prompts.length)}`] : []),
      ].join("\n"),
    tooLong: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "é longo demais" : "são longos demais"} para o Promptist. Ele reescreve o começo, e o resto fica como está.`,
    again: "As sementes e configurações vêm do relatório.",
    fileSettings: "As sementes e configurações do arquivo são usadas.",
    own: (prompts) =>
      `${ofPrompts(prompts)} ${prompts.length === 1 ? "tem" : "têm"} configurações próprias, do arquivo.`,
    ends: (at) =>
      `Nada é gerado até você apertar “Começar”. Este rascunho expira <t:${Math.floor(at / 1000)}:R>.`,
    expired: "Ninguém apertou “Começar” a tempo, então nada foi gerado. Use o comando de novo.",
    discarded: "Descartado. Nada foi gerado.",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `${taken === 1 ? "Só o primeiro prompt do arquivo entra" : `Só os primeiros ${number(taken)} prompts do arquivo entram`}; ${number(rest)}${isAll ? "" : " ou mais"} ${rest === 1 ? "fica" : "ficam"} de fora. Coloque em outro arquivo.`,
    encoding: (encoding) =>
      `O arquivo não é UTF-8, então é lido como \`${encoding}\`. Se as letras parecerem erradas, salve como UTF-8 e anexe de novo.`,
    leftOut: "Fica de fora",
    unread: "Não entendido, e gerado sem isso",
    ignored: (names, rest) => `Não lido: ${withMore(names, rest)}.`,
    comments: (lines) =>
      `${count(lines, { one: "linha que começa com `#` é pulada", other: "linhas que começam com `#` são puladas" })}.`,
    remark: (unit, lines, rest, problem) => {
      const nouns: Plurals =
        unit === "line" ? { one: "linha", other: "linhas" } : { one: "entrada", other: "entradas" };
      return `${plural(lines.length + rest, nouns)} ${withMore(lines.map(number), rest)}: ${problem}`;
    },
    more: (remarks) => `e ${more(remarks)}`,
  },
  itemLines: {
    choose: (noun) =>
      `Escolha ${noun === "picture" ? "as" : "os"} ${NOUNS[noun].other} que quer tirar. As imagens já geradas ficam.`,
    more: (shown, all) => `As listas mostram os primeiros ${number(shown)} de ${number(all)} em espera.`,
    taken: (noun, taken, left) => {
      return `${without(noun, taken)}; ${left === 0 ? "não resta nada para gerar" : `para gerar: ${number(left)}`}.`;
    },
    gone: "Já foram gerados ou tirados.",
  },
  evaluationLines: {
    amount: (prompts, names, seeds, pictures) =>
      `${count(prompts, PROMPTS)}, com ${listed(names)} e ${count(seeds, { one: "semente", other: "sementes" })} de cada vez. São ${count(pictures, PICTURES)}.`,
    same: "Sementes e configurações são as mesmas para todos. Reescritas, sementes e configurações próprias das linhas do arquivo não são usadas.",
    measures: { reward: "recompensa", relevance: "fidelidade ao prompt", beauty: "beleza" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} se sai melhor que ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} se sai pior que ${baseline}: ${measure} ${gain}. ${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} e ${baseline} não se distinguem: ${measure} ${gain}. ${wins(rate)}`,
    noScores:
      "Não há relatório: nenhum prompt tem duas imagens avaliadas. É preciso instalar o CLIP para avaliá-las.",
    file: "O arquivo zip tem o relatório completo: abra `report.html` no navegador.",
    smaller: "As imagens dele são menores; senão seria grande demais para este canal.",
    withoutPictures: "Ele vem sem imagens: com elas seria grande demais para este canal.",
    tooLarge: "O relatório é grande demais para este canal.",
    pictures: (jobId) => `\`/show id:${jobId} part:1\` traz as imagens.`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${count(all, PICTURES)} em uma grade${down === null ? "" : `, ${number(across)} na largura e ${number(down)} na altura`}.`,
    ofRewrite: "Todas são geradas a partir da reescrita.",
    choose: "Abrir uma imagem: comparar ou publicar",
    compare: "Comparar com a reescrita",
    post: "Publicar aqui",
    alt: (prompt, axes) => `Uma grade de imagens por ${axes}, para: ${prompt}`,
  },
  refusals: {
    notYours: "Só quem pediu isto, ou a moderação, pode fazer isso.",
    notYoursToChange: "Aqui só quem pediu isto pode fazer isso. Use você o comando para gerar o seu.",
    elsewhere: "Isto é de outro canal.",
    role: "Você precisa de um certo cargo para fazer isso aqui. Fale com um admin deste servidor.",
    noBallot: "Não há votação sobre estas imagens.",
    noVotes: "Ninguém votou ainda. Peça um par com `/compare blind:True`.",
    stillOpen: "Isto ainda não terminou. `/queue` mostra em que ponto está.",
    secret: "É uma votação às cegas; você verá isto quando ela acabar.",
    notYourDraft: "Só quem pediu pode começar.",
    noPart: (parts) =>
      parts === 0
        ? "As imagens não estão mais no disco do bot, então não há zip delas."
        : `Há ${count(parts, ZIPS)} destas imagens aqui.`,
    noEvaluation: "Só dá para avaliar um lote concluído cujas imagens tenham pontuações.",
    nothingToChange: "Não há outra reescrita disto.",
    nothingToEnlarge: "Estas imagens não existem mais, ou já têm o maior tamanho possível aqui.",
    nothingLeft: "Nenhum prompt deste lote está mais em espera.",
    notFinished: "Isto não terminou. Cancele primeiro.",
    alreadyFinished: "Isto já terminou.",
    unknownJob: "Essa tarefa não existe aqui. Talvez tenha sido apagada.",
    unknownButton: "Este botão é de outra versão do bot. Use o comando de novo.",
    unknownCommand: "Este comando é de outra versão do bot. Recarregue o Discord e tente de novo.",
    repeated: "Você enviou isto duas vezes em um segundo, então roda só uma vez.",
    stopping: "O bot está prestes a reiniciar. Tente de novo em um minuto.",
    interrupted: "O bot parou antes de conseguir salvar este comando. Use de novo.",
  },
  historyLines: {
    title: "Suas últimas tarefas",
    none: "Você ainda não pediu nada. Comece com `/compare`.",
    states: {
      queued: "em espera",
      running: "em andamento",
      done: "pronta",
      failed: "falhou",
      cancelled: "cancelada",
    },
    open: "Abrir",
    again: "Repetir uma, com outra semente",
  },
  dataLines: {
    exported: (jobs, given) => `Salvo sobre você: ${count(jobs, JOBS)} e ${count(given, VOTES)}.`,
    part: (at, isLast) =>
      isLast ? `Parte ${number(at)}, a última.` : `Parte ${number(at)}; a próxima vem a seguir.`,
    exporting: "Sua última exportação ainda está sendo enviada. Os arquivos chegam um após o outro.",
    notConfirmed:
      "Nada foi apagado. `/mydata erase confirm:True` apaga tudo o que está salvo sobre você e as mensagens do bot com seus resultados; acrescente `messages:False` para manter as mensagens.",
    erased: (jobs, stopping) =>
      `Apagado: ${count(jobs, JOBS)} com suas imagens, seus votos e suas configurações.${stopping === 0 ? "" : ` ${count(stopping, { one: "tarefa em andamento está parando", other: "tarefas em andamento estão parando" })} e ${stopping === 1 ? "será apagada" : "serão apagadas"} depois.`}`,
    messagesKept: "As mensagens ficam. Aperte “Apagar” embaixo de uma para tirá-la.",
    deletingMessages: "As mensagens do bot com seus prompts e resultados estão sendo apagadas.",
    messagesDeleted: (deleted, failed, later) =>
      [
        `${count(deleted, { one: "mensagem apagada", other: "mensagens apagadas" })}.`,
        ...(failed === 0
          ? []
          : [`Não foi possível apagar ${count(failed, MESSAGES)}: aperte “Apagar” embaixo.`]),
        ...(later === 0
          ? []
          : [`Ainda não foi possível apagar ${count(later, MESSAGES)}; o bot vai tentar de novo.`]),
      ].join(" "),
  },
  settingLines: {
    more: (settings) => `-# \`/settings show all:True\` explica as ${number(settings)} configurações.`,
    title: "Configurações",
    channel: "Este canal",
    server: "Este servidor",
    program: "O próprio bot",
    names: "O que pode ser configurado",
    choice: settingLines.choice,
    none: (falls) =>
      `Nada foi configurado aqui (${falls === "to the server" ? "valem as configurações do servidor" : "valem os padrões do bot"}).`,
    entry: (name, value, by, at) => `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${count(steps, STEPS)} (no máximo ${number(maxSteps)}), orientação ${number(guidance)}, ${scheduler}, modo ${mode}, prompts: ${prompts}`,
    set: (name, value, scope) => `\`${name}\` agora é ${value} para ${inScope(scope)}.`,
    serverWide: (name) =>
      `\`${name}\` conta as tarefas do servidor inteiro, então um canal não pode ter o seu. Escolha o servidor inteiro como âmbito.`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` só pode ser \`${value}\` em canais com restrição de idade, e este não tem. Use o comando em um canal assim, ou configure para o servidor inteiro: aí vale só nesses canais.`,
    all: "tudo o que está configurado",
    resetAll: (names, scope) =>
      names.length === 0
        ? `Nada estava configurado para ${inScope(scope)}.`
        : `Redefinido para ${inScope(scope)}: ${listed(names.map((name) => `\`${name}\``))}.`,
    reset: (name, scope, was) => {
      if (!was) return `\`${name}\` não estava configurado para ${inScope(scope)}.`;
      return `\`${name}\` foi redefinido para ${inScope(scope)}. ${scope === "channel" ? "Vale a configuração do servidor ou o padrão do bot." : "Vale o padrão do bot."}`;
    },
    pingOn: "Você vai receber um aviso quando um resultado demorado ficar pronto.",
    pingOff: "Você não vai mais receber avisos. Seus resultados continuam sendo postados.",
  },
  galleryLines: {
    by: (person, link) => `De ${person}: ${link}`,
    added: (link) => `Está na galeria: ${link}`,
    there: (link) => `Já está na galeria: ${link}`,
    later: (channel) => `Estará em ${channel} assim que o Discord aceitar.`,
    none: "Este servidor ainda não tem galeria. Quem o administra pode escolher um canal: `/settings set name:gallery`.",
    pruned: "As imagens foram apagadas. Gere-as de novo primeiro.",
    withheld: (channel) =>
      `${channel} não tem restrição de idade, e nem todas essas imagens podem ser mostradas lá.`,
    forbidden: (channel) =>
      `O bot não pode publicar imagens em ${channel}. Quem administra o servidor pode permitir que ele veja o canal, envie mensagens, insira links e anexe arquivos.`,
  },
  hostLines: {
    none: "Ainda não se conhece nenhum host.",
    roles: { both: "bot e worker", bot: "bot", worker: "worker" },
    heard: (ms) => `último sinal há ${duration(ms)}`,
    silent: (ms) => `**sem sinal há ${duration(ms)}**`,
    stopped: (at) => `parado <t:${at}:R>`,
    paused: "**pausado**",
    waiting: "espera como reserva",
    otherVersion: (version) => `**${version}, outra versão que a deste bot**`,
    otherPictures: "**guarda as imagens em outro lugar que este bot**",
    idle: "espera trabalho",
    text: (job) => `reescreve para a tarefa ${job}`,
    image: (job) => `desenha para a tarefa ${job}`,
    loaded: (models, size) => `carregado: ${listed(models)}${size === 0 ? "" : ` (${bytes(size)})`}`,
    setAside: (why) => `**deixado de lado**: ${why}`,
    offers: (names, rest) => `tem ${withMore(names, rest)}`,
    more: (hosts) => `e ${more(hosts)}`,
    hostPaused: (host) =>
      `${host} está pausado. Termina o que está fazendo e não pega outra tarefa até \`/admin resume\` com o nome dele, nem depois de reiniciar.`,
    hostResumed: (host) => `${host} volta a pegar tarefas.`,
    unknown: (host) => `Não há host ${host}. \`/admin hosts\` mostra todos.`,
  },
  quotaLines: {
    title: "**Minutos de cálculo da placa**",
    user: (left, minutes, today, at) =>
      `Você ainda tem ${number(left)} min; hoje foram usados ${number(today)}. Cada dia traz ${number(minutes)}, os próximos <t:${at}:R>.`,
    server: (left, minutes, today, at) =>
      `Este servidor ainda tem ${number(left)} min; hoje foram usados ${number(today)}. Cada dia traz ${number(minutes)}, os próximos <t:${at}:R>.`,
    scarce: "Resta pouco tempo de cálculo. O que já começou será terminado mesmo assim.",
  },
  styleLines: {
    title: "Estilos",
    server: "**Deste servidor**",
    yours: "**Seus**",
    presets: "**Em todos os servidores**",
    noneHere: "Nenhum ainda: `/style save` adiciona um, e `/style import` lê um `styles.csv`.",
    without: (negative) => `sem: ${negative}`,
    more: (styles) => `${more(styles)}: digite uma parte do nome depois de \`style:\`.`,
    use: "-# `style:` em `/compare`, `/optimize` e `/batch` põe essas palavras em volta do que é gerado. O Promptist não as lê.",
    saved: (name) => `O estilo ${name} foi salvo. Escolha-o com \`style:\`.`,
    replaced: (name) => `O estilo ${name} já existia; agora tem essas palavras.`,
    full: (styles) =>
      `Já há ${count(styles, STYLES)}, o máximo que é guardado. Remova um com \`/style remove\`.`,
    removed: (name) => `O estilo ${name} foi removido. Os resultados que o usaram mantêm as palavras.`,
    notRemoved: (name) => `Não há aqui nenhum estilo ${name} para remover.`,
    needsWords:
      "Um estilo precisa de palavras: para a imagem, para o que ela não deve mostrar, ou ambas. `{prompt}` nelas fica no lugar do prompt.",
    imported: (added, replaced) =>
      `Estilos adicionados: ${number(added)}; substituídos: ${number(replaced)}.`,
    importedTooLong: (names, rest) =>
      `Deixados de fora porque um texto é longo demais: ${withMore(names, rest)}.`,
    importedMore: (styles) => `Deixados de fora por falta de espaço: ${count(styles, STYLES)}.`,
    option: (name) => `estilo ${name}`,
    words: "Estilo",
    whole: "Com o estilo",
  },
  pictureLines: {
    title: "Como esta imagem foi feita",
    sheetTitle: "Uma folha de contato",
    shows: { baseline: "o prompt original", optimized: "a reescrita", both: "os dois prompts" },
    drawn: (program, shows) => `Feita por ${program}${shows === null ? "" : `; mostra ${shows}`}.`,
    model: (name) => `Modelo: ${name}`,
    vae: (name) => `VAE: ${name}`,
    loras: (names) => `LoRA: ${names.join(", ")}`,
    embeddings: (names) => `Embeddings: ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip: ${skip}`,
    different: "**Diferente aqui:**",
    pairs: (amount) => `Mostra ${count(amount, PAIRS)}. Anexe uma das imagens para gerá-la de novo.`,
    next: "**Comparar isto** gera o prompt como escrito e reescrito, com estas configurações.",
    nextPair: "**Comparar isto** gera os dois prompts de novo, com estas configurações.",
    attach: "Para gerar com estas configurações, anexe ao `/compare` como `from`.",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**Comece aqui**",
      "`/compare` gera imagens do seu prompt, como escrito e reescrito.",
      "`/optimize` só o reescreve.",
      "`/batch` compara todos os prompts de um arquivo.",
      "`/grid` mostra o que uma opção faz: muitos valores em uma imagem.",
      "Em qualquer mensagem: clique direito (no celular, segure), depois **Apps**, depois **Otimizar isto** ou **Comparar isto**.",
      "",
      "**Depois**",
      "`/queue` mostra o que está em andamento e em espera.",
      "`/history` lista suas últimas tarefas, `/show` traz uma de volta.",
      "`/info` lê o prompt no arquivo de uma imagem.",
      "Os botões embaixo de um resultado geram de novo.",
      "",
      "**Qual é melhor?**",
      "`/compare blind:True` esconde qual é qual até você votar.",
      "`/stats show` diz, e `/taste show` diz por quê.",
      "",
      "**Seus dados e avisos**",
      "`/settings ping` liga ou desliga as notificações.",
      "`/mydata export` e `/mydata erase`: o que está salvo sobre você.",
    ],
  },
};
