import type {
  LocalizationMap,
  RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  RESTPostAPIChatInputApplicationCommandsJSONBody as SlashJson,
} from "discord.js";

/**
 * Names and descriptions of the commands in other languages, as `[name, description]`. Discord shows them to people whose
 * client speaks one of these; everyone else sees the English of messages.ts.
 */
type Language = "de" | "fr" | "es-ES" | "pt-BR" | "ru" | "ja";
type Entry = Readonly<Record<Language, readonly [name: string, description: string]>>;

const COMMANDS: Readonly<Record<string, Entry>> = {
  optimize: {
    de: ["optimieren", "Einen Prompt mit Promptist umschreiben"],
    fr: ["optimiser", "Réécrire un prompt avec Promptist"],
    "es-ES": ["optimizar", "Reescribir un prompt con Promptist"],
    "pt-BR": ["otimizar", "Reescrever um prompt com o Promptist"],
    ru: ["улучшить", "Переписать запрос с помощью Promptist"],
    ja: ["最適化", "Promptist でプロンプトを書き直す"],
  },
  compare: {
    de: [
      "vergleichen",
      "Den Prompt wie geschrieben und umgeschrieben zeichnen, nebeneinander, mit einem Seed",
    ],
    fr: ["comparer", "Dessiner le prompt tel quel et réécrit, côte à côte, avec la même graine"],
    "es-ES": ["comparar", "Dibujar el prompt tal cual y reescrito, lado a lado, con la misma semilla"],
    "pt-BR": ["comparar", "Desenhar o prompt como escrito e reescrito, lado a lado, com a mesma semente"],
    ru: ["сравнить", "Нарисовать запрос как есть и переписанный, рядом, с одним зерном"],
    ja: ["比較", "元のプロンプトと書き直したものを同じシードで並べて描く"],
  },
  batch: {
    de: ["stapel", "Alle Prompts einer Datei vergleichen"],
    fr: ["lot", "Comparer tous les prompts d'un fichier"],
    "es-ES": ["lote", "Comparar todos los prompts de un archivo"],
    "pt-BR": ["lote", "Comparar todos os prompts de um arquivo"],
    ru: ["пакет", "Сравнить все запросы из файла"],
    ja: ["一括", "ファイルのすべてのプロンプトを比較する"],
  },
  queue: {
    de: ["warteschlange", "Zeigen, was läuft und wartet, und wo deine Aufträge stehen"],
    fr: ["file", "Voir ce qui tourne et ce qui attend, et où en sont vos demandes"],
    "es-ES": ["cola", "Ver qué se ejecuta y qué espera, y dónde están tus pedidos"],
    "pt-BR": ["fila", "Ver o que roda e o que espera, e onde estão seus pedidos"],
    ru: ["очередь", "Показать, что выполняется и ждёт, и где ваши задания"],
    ja: ["待ち行列", "実行中と待機中のもの、自分の順番を表示する"],
  },
  show: {
    de: ["zeigen", "Ein gespeichertes Ergebnis noch einmal zeigen"],
    fr: ["montrer", "Afficher à nouveau un résultat enregistré"],
    "es-ES": ["mostrar", "Mostrar de nuevo un resultado guardado"],
    "pt-BR": ["mostrar", "Mostrar de novo um resultado guardado"],
    ru: ["показать", "Показать сохранённый результат ещё раз"],
    ja: ["表示", "保存された結果をもう一度表示する"],
  },
  stats: {
    de: ["statistik", "Wie oft die Umschreibung in Blindwahlen gewinnt"],
    fr: ["statistiques", "À quelle fréquence la réécriture gagne les votes à l'aveugle"],
    "es-ES": ["estadísticas", "Con qué frecuencia gana la reescritura en votos a ciegas"],
    "pt-BR": ["estatísticas", "Com que frequência a reescrita ganha em votos às cegas"],
    ru: ["статистика", "Как часто переписанный запрос побеждает в слепых голосованиях"],
    ja: ["統計", "ブラインド投票で書き直しが勝つ割合"],
  },
  settings: {
    de: ["einstellungen", "Was dieser Server und seine Kanäle festlegen"],
    fr: ["réglages", "Ce que décident ce serveur et ses salons"],
    "es-ES": ["ajustes", "Lo que deciden este servidor y sus canales"],
    "pt-BR": ["configurações", "O que este servidor e seus canais decidem"],
    ru: ["настройки", "Что решают этот сервер и его каналы"],
    ja: ["設定", "このサーバーとチャンネルの設定"],
  },
  mydata: {
    de: ["meinedaten", "Was über dich gespeichert ist"],
    fr: ["mesdonnées", "Ce qui est enregistré à votre sujet"],
    "es-ES": ["misdatos", "Lo que se guarda sobre ti"],
    "pt-BR": ["meusdados", "O que é guardado sobre você"],
    ru: ["моиданные", "Что о вас хранится"],
    ja: ["マイデータ", "保存されているあなたのデータ"],
  },
  help: {
    de: ["hilfe", "Was dieser Bot kann"],
    fr: ["aide", "Ce que ce bot sait faire"],
    "es-ES": ["ayuda", "Lo que este bot puede hacer"],
    "pt-BR": ["ajuda", "O que este bot sabe fazer"],
    ru: ["помощь", "Что умеет этот бот"],
    ja: ["ヘルプ", "このボットでできること"],
  },
};

/** Options of the commands that draw; an option of the same name means the same everywhere. */
const OPTIONS: Readonly<Record<string, Entry>> = {
  prompt: {
    de: ["prompt", "Was das Bild zeigen soll"],
    fr: ["prompt", "Ce que l'image doit montrer"],
    "es-ES": ["prompt", "Lo que debe mostrar la imagen"],
    "pt-BR": ["prompt", "O que a imagem deve mostrar"],
    ru: ["запрос", "Что должно быть на картинке"],
    ja: ["プロンプト", "絵に描くもの"],
  },
  seed: {
    de: ["seed", "Zahl, die das Rauschen festlegt; gleicher Seed, gleiches Bild"],
    fr: ["graine", "Nombre qui fixe le bruit ; même graine, même image"],
    "es-ES": ["semilla", "Número que fija el ruido; misma semilla, misma imagen"],
    "pt-BR": ["semente", "Número que fixa o ruído; mesma semente, mesma imagem"],
    ru: ["зерно", "Число, задающее шум; то же зерно даёт ту же картинку"],
    ja: ["シード", "ノイズを決める数。同じシードなら同じ絵になる"],
  },
  steps: {
    de: ["schritte", "Schritte des Entrauschens; mehr ist langsamer"],
    fr: ["étapes", "Étapes de débruitage ; plus c'est lent"],
    "es-ES": ["pasos", "Pasos de eliminación de ruido; más es más lento"],
    "pt-BR": ["passos", "Passos de remoção de ruído; mais é mais lento"],
    ru: ["шаги", "Шаги удаления шума; больше значит медленнее"],
    ja: ["ステップ", "ノイズ除去のステップ数。多いほど遅い"],
  },
  guidance: {
    de: ["führung", "Wie genau das Bild dem Prompt folgt"],
    fr: ["guidage", "À quel point l'image suit le prompt"],
    "es-ES": ["guía", "Cuánto sigue la imagen al prompt"],
    "pt-BR": ["orientação", "Quanto a imagem segue o prompt"],
    ru: ["точность", "Насколько точно картинка следует запросу"],
    ja: ["ガイダンス", "絵がプロンプトにどれだけ従うか"],
  },
  negative: {
    de: ["negativ", "Was das Bild nicht zeigen soll"],
    fr: ["négatif", "Ce que l'image ne doit pas montrer"],
    "es-ES": ["negativo", "Lo que la imagen no debe mostrar"],
    "pt-BR": ["negativo", "O que a imagem não deve mostrar"],
    ru: ["негатив", "Чего не должно быть на картинке"],
    ja: ["ネガティブ", "絵に描かないもの"],
  },
  file: {
    de: ["datei", "Die Datei mit den Prompts"],
    fr: ["fichier", "Le fichier des prompts"],
    "es-ES": ["archivo", "El archivo con los prompts"],
    "pt-BR": ["arquivo", "O arquivo com os prompts"],
    ru: ["файл", "Файл с запросами"],
    ja: ["ファイル", "プロンプトのファイル"],
  },
};

const MENUS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  "Optimize this": {
    de: "Dies optimieren",
    fr: "Optimiser ceci",
    "es-ES": "Optimizar esto",
    "pt-BR": "Otimizar isto",
    ru: "Улучшить это",
    ja: "これを最適化",
  },
  "Compare this": {
    de: "Dies vergleichen",
    fr: "Comparer ceci",
    "es-ES": "Comparar esto",
    "pt-BR": "Comparar isto",
    ru: "Сравнить это",
    ja: "これを比較",
  },
};

/** English is named too: en-GB falls back to it, as Discord advises for the default language. */
function localizations(entry: Entry, name: string, description: string) {
  const pick = (index: 0 | 1): LocalizationMap =>
    Object.fromEntries(Object.entries(entry).map(([language, texts]) => [language, texts[index]]));
  return {
    name_localizations: { "en-US": name, ...pick(0) },
    description_localizations: { "en-US": description, ...pick(1) },
  };
}

/** A slash command with the names and descriptions of all languages that there are. */
export function localizedCommand(command: SlashJson): SlashJson {
  const entry = COMMANDS[command.name];
  const options = command.options?.map((option) => {
    const texts = OPTIONS[option.name];
    return texts === undefined
      ? option
      : { ...option, ...localizations(texts, option.name, option.description) };
  });
  return {
    ...command,
    ...(entry === undefined ? {} : localizations(entry, command.name, command.description)),
    ...(options === undefined ? {} : { options }),
  };
}

/** An entry of a message's menu with its names. */
export function localizedMenu(menu: MenuJson): MenuJson {
  const names = MENUS[menu.name];
  return names === undefined ? menu : { ...menu, name_localizations: { "en-US": menu.name, ...names } };
}

export const LANGUAGES: readonly Language[] = ["de", "fr", "es-ES", "pt-BR", "ru", "ja"];
