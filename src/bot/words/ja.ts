import { nounOf } from "../../core/job.js";
import type { Mean } from "../../core/statistics/bootstrap.js";
import type { Share } from "../../core/statistics/shares.js";
import type { Words } from "./english/english.js";
import { placeIn, scopeOf, type Values } from "./english/errors.js";
import { formsOf } from "./english/forms.js";
import { resultLines } from "./english/result.js";
import { settingLines } from "./english/settings.js";
import type { Unfinished } from "./english/translated.js";
import { optionNames } from "./locale-files.js";

const { number, listed, numbers, percent, decimal, duration, bytes } = formsOf("ja");

/** Japanese counts with a word behind the number, without a space and without a plural. */
const jobs = (amount: number): string => `ジョブ${number(amount)}件`;
const pictures = (amount: number): string => `画像${number(amount)}枚`;
const prompts = (amount: number): string => `プロンプト${number(amount)}件`;
const pairs = (amount: number): string => `${number(amount)}組`;
const NOUNS = {
  prompt: { name: "プロンプト", unit: "件", count: prompts },
  pair: { name: "組", unit: "組", count: pairs },
  picture: { name: "画像", unit: "枚", count: pictures },
} as const;
const messages = (amount: number): string => `メッセージ${number(amount)}件`;

const more = (rest: number): string => `ほか${number(rest)}件`;
const withMore = (names: readonly string[], rest: number): string =>
  listed(rest === 0 ? names : [...names, more(rest)]);
const ofPrompts = (which: readonly number[]): string => `プロンプト ${numbers(which, more)} `;
const owner = { user: "あなたの", channel: "このチャンネルの", server: "このサーバーの" } as const;
const sides = { baseline: "元のプロンプト", optimized: "書き直し" } as const;
const results = {
  optimize: "書き直し",
  compare: "比較",
  batch: "一括処理",
  grid: "グリッド",
  evaluation: "評価",
} as const;
const commands = {
  optimize: "最適化",
  compare: "比較",
  batch: "一括処理",
  grid: "グリッド",
  evaluation: "評価",
} as const;
const votes = { left: "A", right: "B", tie: "同じくらい", bad: "どちらも悪い" } as const;

const LATER = "しばらくしてからもう一度お試しください。";
const OWNER = "このボットの管理者に知らせてください。";
const FORMATS =
  "1行に1つのプロンプトを書いた `.txt`、テキストまたは `{original, optimized}` の組を並べた `.json` のリストか `.jsonl` の行、または `prompt` 列のある `.csv` か `.tsv` を添付してください。";

const expectations: Words["expectations"] = {
  integer: (min, max) => `${number(min)}から${number(max)}までの整数`,
  number: (min, max) => `${number(min)}から${number(max)}までの数`,
  oneOf: (words) => `次のどれか: ${words.join(", ")}`,
  size: (example, multiple, min, max) =>
    `\`${example}\` のようなサイズ（両辺とも ${min} から ${max} までの ${multiple} の倍数）`,
  roles: (max) => `1～${max}個のロール（メンションまたは ID）`,
  words: (max) => `カンマで区切った1～${max}個の単語`,
  channel: "このサーバーのテキストチャンネル（例: `#gallery`）",
  emoji: "`⭐` などの絵文字1つ、または `off`",
  yesNo: "`on` または `off`",
  text: (max) => `${number(max)}文字以内のテキスト`,
};

const optionName = optionNames("ja");
const subject = (c: Values, otherwise: string): string =>
  placeIn(c, (unit, at) => `ファイルの${number(at)}${unit === "line" ? "行目" : "件目"}`, otherwise);

const undecided = ({ tie, bad }: { readonly tie: number; readonly bad: number }): string =>
  [
    ...(tie === 0 ? [] : [`、同じくらい ${number(tie)}`]),
    ...(bad === 0 ? [] : [`、どちらも悪い ${number(bad)}`]),
  ].join("");

const amountOf = (all: number, given: number): string =>
  given === 0
    ? `${prompts(all)}。`
    : given === all
      ? `${prompts(all)}。すべて最適化済みなので、Promptist は使いません。`
      : `${prompts(all)}。そのうち${number(given)}件は最適化済みで、Promptist は使いません。`;

const inScope = (scope: string): string => (scope === "channel" ? "このチャンネル" : "このサーバー");

/** How many pictures of an evaluation win. */
const wins = ({ mean, low, high }: Mean): string =>
  `画像の${percent(mean)}が勝ちました（${percent(low)}～${percent(high)}）。`;

/** Japanese, in the polite form. */
export const ja: Unfinished<Words> = {
  locale: "ja",
  duration,
  expectations,
  labels: {
    compareThis: "これを比較",
    commands,
    cancel: "キャンセル",
    start: "開始",
    discard: "破棄",
    takeOut: (noun) => `${NOUNS[noun].name}を外す`,
    choosePrompts: (noun, first, last) => `${NOUNS[noun].name} ${first}～${last}`,
    pair: (at, seed) => `${at}組目、シード ${seed}`,
    redraw: "再生成",
    tryAgain: "もう一度試す",
    change: "言い換える",
    asWritten: "元のまま",
    previewAlt: "生成中の画像",
    votes,
    reveal: "全員に公開",
    again: "新しいシード",
    vary: { small: "少し変える", large: "大きく変える" },
    use: { baseline: "左を使う", optimized: "右を使う", only: "これを使う" },
    enlarge: "拡大",
    larger: (which, times, size) =>
      `${{ baseline: "左", optimized: "右", only: "これ" }[which]}、${number(times)}倍: ${size}`,
    editPrompt: "プロンプトを編集",
    editFirst: "編集してから生成",
    drawPair: "2枚を生成",
    drawRaw: "元のまま生成",
    info: "情報",
    favourite: "ギャラリーへ",
    delete: "削除",
    own: "最初の書き直し",
    chooseBeam: "別の書き直しで生成",
    chooseWords: "追加された語を省く",
    editPromptTitle: "プロンプトを編集（シードはそのまま）",
    editRewriteTitle: "生成する前に書き直しを編集",
    usePromptTitle: "この画像から続けるプロンプト",
    prompt: "プロンプト",
    rewriteBy: (rewriter) => `${rewriter} による書き直し`,
    against: (rewriter) => `比較相手 ${rewriter}`,
    givenRewrite: "最適化済み",
    negative: "ネガティブプロンプト",
    baselineAlt: (prompt) => `元のプロンプトの画像: ${prompt}`,
    optimizedAlt: (prompt) => `書き直したプロンプトの画像: ${prompt}`,
    comparisonAlt: (prompt, optimized) =>
      `並んだ2枚の画像。左は元のプロンプト: ${prompt}。右は書き直し: ${optimized}`,
    contactSheetAlt: (shown) => `${prompts(shown.length)}の画像の組: ${shown.join("; ")}`,
  },
  statusLines: {
    accepted: "受け付けました。",
    position: (phase, position, etaMs) =>
      `${phase === "text" ? "書き直し" : "生成"}の順番待ち: ${position === 1 ? "次です" : `${number(position)}番目`}。${etaMs === null ? "" : `完了まで約${duration(etaMs)}。`}`,
    starts: (phase) => (phase === "text" ? "始めています…" : "生成を始めています…"),
    paused: "管理者が一時停止しています。順番はそのままです。",
    devicesFailed: "グラフィックカードが動作しなくなったため、再試行を続けています。順番はそのままです。",
    retries: "今回は失敗しました。まもなくもう一度試します。",
    held: (scope, limit) =>
      `キューの外で待っています。${owner[scope]}ジョブがすでに${number(limit)}件キューにあり、同時に入れられるのはここまでです。${limit === 1 ? "それ" : "どれか"}が終わると自動的に入ります。`,
    loading: (phase) =>
      phase === "text" ? "書き直し: Promptist を読み込み中…" : "生成: Stable Diffusion を読み込み中…",
    rewriting: (step, steps) => `書き直し中、トークン ${number(step)}/${number(steps)}`,
    drawing: (side, step, steps) =>
      `${side === "baseline" ? "元のプロンプト" : "書き直し"}の画像を生成中、ステップ ${number(step)}/${number(steps)}`,
    item: (noun, index, items) => `${NOUNS[noun].name} ${number(index + 1)}/${number(items)}`,
    left: (ms) => `残り約${duration(ms)}`,
    pairs: (all) => `${pairs(all)}。組ごとにシードが違います。`,
    takenOut: (kind, left, all) =>
      `残り${number(left)}${NOUNS[nounOf(kind)].unit}（全${number(all)}${NOUNS[nounOf(kind)].unit}）。`,
    stopping: "止めています。",
    late: "Discord でこのメッセージを編集できる時間を過ぎそうです。結果はここに新しいメッセージで届きます。",
    erased: "キャンセルして、あなたについて保存されていたものと一緒に削除しました。",
    batch: amountOf,
  },
  queueLines: {
    title: "キュー",
    paused: "管理者がキューを一時停止しています。待機中のジョブの順番はそのままです。",
    devicesFailed:
      "グラフィックカードが動作しなくなったため、再試行を続けています。待機中のジョブの順番はそのままです。",
    counts: (running, waiting) =>
      running + waiting === 0
        ? "実行中のものも待機中のものもありません。"
        : `実行中 ${number(running)}件、待機中 ${number(waiting)}件。`,
    loaded: (names) => `読み込み済み：${names.join("、")}。`,
    swaps: (swaps) => `起動後のモデル切り替え：${number(swaps)}回。`,
    yours: "後ろのほうにあるあなたのジョブ:",
    entry: (job, phase, position, etaMs, held) => {
      const outside = {
        user: "キューの外（同じ人の別のジョブが終わるまで）",
        channel: "キューの外（このチャンネルの別のジョブが終わるまで）",
        server: "キューの外（このサーバーの別のジョブが終わるまで）",
      };
      const waits = `${phase === "text" ? "書き直し" : "生成"}の${number(position)}番目`;
      const where = held !== null ? outside[held] : position === 0 ? "**実行中**" : waits;
      const what =
        job === null ? "ほかの場所のジョブ" : `<@${job.userId}> の${commands[job.kind]} \`${job.id}\``;
      return `${where}: ${what}${etaMs === null ? "" : `、完了まで約${duration(etaMs)}`}`;
    },
  },
  resultLines: {
    from: (strength) => `画像から、強さ ${number(strength)}`,
    choosePair: "どの組ですか。その2枚を変えるか、1枚を次の元にします。",
    chooseEnlarged: "どの画像を、どの大きさにしますか。細部は描き直され、ほかはそのままです。",
    negativeUnread: "-# ガイダンスが1以下（`turbo` など）では、ネガティブプロンプトは効きません。",
    upscaler: (name) => `${name} で拡大`,
    larger: (times) => `${number(times)}倍の大きさ`,
    model: (name) => `モデル ${name}`,
    lora: (name, strength) => `LoRA ${name}（強さ ${number(strength)}）`,
    prompts: (mode) => `プロンプト: ${mode}`,
    speed: (speed) => `速度 ${speed}`,
    marks: (prompts = []) =>
      `\`(word:1.3)\`、\`[word]\`、\`BREAK\` は${prompts.length === 0 ? "ここでは" : `プロンプト ${numbers(prompts, more)} では`}普通の文字として読まれます。効かせるには、コマンドで \`prompts: weighted\` を選んでください。管理者は \`prompts\` を全員向けに設定できます。`,
    foreign: (prompts = []) =>
      `\`<hypernet:...>\`、\`AND\`、\`[a|b]\`、\`[a:b:0.5]\` はここでは働きません。${prompts.length === 0 ? "" : `プロンプト ${numbers(prompts, more)} では`}言葉として読まれます。`,
    cut: "`prompts: weighted` なら、画像モデルは長いプロンプトも最後まで読みます。",
    cutPrompts: (prompts) =>
      `${ofPrompts(prompts)}は、画像モデルが最後まで読めません。\`prompts: weighted\` ならもっと読めます。`,
    unknownSubject: (subjects, tried) =>
      `ここの小さなモデルが知っている題材は${number(subjects)}個だけで、このプロンプトにはどれも含まれていません。${tried.join("、")} などを試してください。`,
    enlarged: (times) => `-# 生成した画像を${number(times)}倍に拡大して表示しています。`,
    settings: resultLines.settings,
    footer: resultLines.footer,
    sides: (how) => `**左** 元のまま · **右** ${how}:`,
    left: (how) => `**左** ${how}:`,
    right: (how) => `**右** ${how}:`,
    sidesOfEach: (all, how) => `${pairs(all)}、それぞれ **左** 元のまま · **右** ${how}:`,
    change: "別の書き直しで、または追加された語の一部を省いて生成します。シードはそのままです。",
    onlySide: (side) => (side === "baseline" ? "元のプロンプトの画像です。" : "書き直しの画像です。"),
    rewritesDiffer: "-# 書き直しは組ごとに違います。これは1組目です。",
    seed: (seed) => `シード ${seed}`,
    seeds: (first, last) => (first === last ? `シード ${first}` : `シード ${first}～${last}`),
    steps: (steps) => `${number(steps)}ステップ`,
    guidance: (guidance) => `ガイダンス ${number(guidance)}`,
    overview: (kind, items, all) => `${NOUNS[nounOf(kind)].count(items)}、${pictures(all)}。`,
    takenOut: (kind, items) => `${NOUNS[nounOf(kind)].count(items)}を外しました。`,
    sheet: (first, last, all) => `プロンプト ${number(first)}～${number(last)}（全${number(all)}件）。`,
    earlierSheets: (sheets) =>
      sheets === 1
        ? "一覧1は生成中に届いています。zip にも入っています。"
        : `一覧1～${number(sheets)}は生成中に届いています。zip にも入っています。`,
    zipped: (all) => `${pictures(all)}すべて zip に入っています。`,
    zips: (all, here, zips, jobId) =>
      `全部で${pictures(all)}。ここではこれ以上大きいファイルを送れないため、zip ${number(zips)}個に分けました。${here === 0 ? "このメッセージに収まるものはありません" : here === 1 ? "1個目がここにあります" : `1～${here}個目がここにあります`}。続きは \`/show id:${jobId} part:${here + 1}\` で受け取れます。`,
    zipTooLarge: "このチャンネルで送れる大きさを超える画像があり、どの zip にも入っていません。",
    again:
      "`report.csv` を `/batch` に添付すると、同じ行をもう一度生成できます。シードと設定が同じなら、画像も同じです。",
    pruned: (at) =>
      `画像は <t:${Math.floor(at / 1000)}:D> に、容量を空けるため削除されました。「再生成」で同じ画像を作れます。`,
    shrunk: "これは縮小した画像です。元の画像はこのチャンネルで送れる大きさを超えています。",
    lost: (words) =>
      `書き直しから ${words.map((word) => `*${word}*`).join(", ")} がなくなりました。画像に表れないかもしれません。`,
    recordsLeftOut:
      "プロンプトとシードの一覧はこのチャンネルには大きすぎます。`/mydata export` で受け取れます。",
    chosen: (rewrites) =>
      `書き直し${number(rewrites)}件をこのサーバーの好みで選びました（\`/taste show\`）。`,
    unread: (which) =>
      `${ofPrompts(which)}は Promptist が最後まで読めない長さです。読めなかった部分は、書き直しにそのまま入ります。`,
    missing: "画像はもうボットのディスクにありません。",
    direct: "頼まれた場所に投稿できなかったので、ここに送ります。",
    ready: (userId, kind) => `<@${userId}> さん、${results[kind]}ができました。`,
    readyAt: (userId, kind, link) => `<@${userId}> さん、${results[kind]}ができました: ${link}`,
    endedAt: (userId, kind, link) => `<@${userId}> さん、${results[kind]}は結果なしで終わりました: ${link}`,
    ended: (userId, kind) => `<@${userId}> さん、${results[kind]}は結果なしで終わりました。`,
  },
  jobLines: {
    id: (jobId) => `ジョブ \`${jobId}\`。`,
    made: (jobId, parentId) => `ジョブ \`${jobId}\`（\`${parentId}\` から作成）。`,
  },
  endLines: {
    cancelled: (kind) => `${commands[kind]}はキャンセルされました。`,
    tried: (times) => `${number(times)}回試しました。`,
  },
  errorSentences: {
    PICTURE_TYPE: () =>
      "このファイルは読み取れる画像ではありません。PNG、JPEG、WebP のどれかを添付してください。",
    PICTURE_TOO_BIG: (c) =>
      `画像が${c.say("limit", (limit) => `${bytes(limit)} を超えています`, "大きすぎます")}。小さいファイルを添付してください。`,
    PICTURE_SHAPE: () =>
      "画像が壊れています。見つけた場所からもう一度ダウンロードして、そのファイルを添付してください。",
    PICTURE_EMPTY: (c) =>
      c.text("program") === null
        ? "画像にプロンプトがありません。多くのサイトやアプリは削除します。元のファイルを添付するか、プロンプトを `/compare` に貼り付けてください。"
        : `この画像は ${c.text("program")} で作られていて、プロンプトを読み取れません。プロンプトを \`/compare\` に貼り付けてください。`,
    PICTURE_PIXELS: (c) =>
      `画像のピクセルが${c.say("limit", (limit) => `${number(limit)} を超えている`, "多すぎる")}か、縦横の長さが違いすぎます。小さいコピーを添付してください。`,
    PICTURE_FLAGGED: () =>
      "セーフティチェッカーがこの画像を検出しました。ここでは元の画像に使えません。使えるとしても年齢制限のあるチャンネルだけです。",
    PICTURE_UNCHECKED: () =>
      "セーフティチェッカーがこの画像を確認していません。確認されていない画像は、ここでは元の画像に使えません。",
    PICTURE_GONE: () =>
      "元の画像が削除されたため、もう生成できません。もう一度 `/compare` に `image` として添付してください。",
    PICTURE_SHEET: () =>
      "これは多くのプロンプトの一覧です。その中の画像を1枚添付するか、`report.csv` を `/batch` に添付してください。",
    INPUT_STRENGTH: () =>
      "`strength` は `image` をどれだけ描き直すかを決めます。画像を `image` に添付するか、`strength` を外してください。",
    INPUT_EMPTY: () => "プロンプトが空です。画像に描く内容を書いてください。",
    INPUT_TOO_LONG: (c) =>
      `${subject(c, "プロンプト")}が${c.say("limit", (limit) => `${number(limit)}文字を超えています`, "長すぎます")}。短くしてもう一度お試しください。`,
    INPUT_OPTION: (c) => {
      const name = optionName(c.text("option"));
      const expected = c.expected(expectations);
      const limit = c.number("limit");
      const takes =
        expected !== null
          ? `に入れられるのは${expected}です`
          : limit !== null
            ? `は${number(limit)}までです`
            : "に使えない値が入っています";
      return `${name === null ? "オプション" : `オプション \`${name}\` `}${takes}。直してもう一度お試しください。`;
    },
    INPUT_SIZE: (c) =>
      `${c.code("size") === null ? "このサイズ" : `サイズ ${c.code("size")} `}は、ここのモデルには大きすぎます。${c.say("max", (max) => `1辺は${number(max)}ピクセルまでです`, "小さいサイズを選んでください")}。`,
    INPUT_MEMORY: (c) =>
      `${c.code("size") === null ? "このサイズ" : `サイズ ${c.code("size")} `}は、ここのメモリに収まりません。${c.code("largest") === null ? "小さいサイズを選んでください" : `同じ形で収まる最大は ${c.code("largest")} です`}。`,
    GRID_AXIS: (c) =>
      `グリッドの軸${c.code("axis") === null ? "" : ` ${c.code("axis")} `}はありません。${c.code("option") ?? "軸"} には名前と値を書きます（例: ${c.code("example") ?? "`steps=10,20,30`"}）。使える名前は${c.text("words") === null ? "入力中に表示されます" : `次のとおりです: ${c.text("words")!.split(" ").join(", ")}`}。`,
    GRID_LORA: () =>
      "軸 `strength` は LoRA の強さです。`lora` で LoRA を指定するか、もう一方の軸を `lora` にしてください。",
    GRID_TWICE: (c) =>
      `2つの軸がどちらも${c.code("axis") === null ? "同じ" : ` ${c.code("axis")} `}です。\`y\` を別の軸にするか、省いてください。`,
    GRID_VALUE: (c) => {
      const expected = c.expected(expectations);
      return `${c.code("value") === null ? "使えない値があります" : `値 ${c.code("value")} は${c.code("axis") === null ? "" : ` ${c.code("axis")} に`}使えません`}${expected === null ? "" : `（使えるのは${expected}）`}。値はカンマで区切ってください。数は \`1-10 (+3)\` や \`1-10 [4]\` のような範囲でも書けます。`;
    },
    GRID_SIZE: (c) =>
      `このグリッドは${c.say("cells", (cells) => `${pictures(cells)}になりますが、ここでは${c.say("max", number, "25")}枚までです`, "画像が多すぎます")}。値をいくつか減らしてください。`,
    INPUT_CHOICE: () =>
      "このジョブにその選択肢はありません。いちばん新しいメッセージの下で選び直してください。",
    INPUT_UNCHANGED: () => "何も変わっていないので、同じ結果になります。",
    INPUT_WORD: (c) =>
      `${c.code("word") === null ? "プロンプトの中の語" : `${c.code("word")} という語`}は、ここでは使えません。その語なしで書いてください。`,
    INPUT_STYLE: (c) =>
      `スタイル${c.code("style") === null ? "" : ` ${c.code("style")} `}はここにありません。\`/style list\` で一覧を見て、その中の1つか \`none\` を選んでください。`,
    INPUT_SPEED: (c) =>
      c.code("lora") === null
        ? "`turbo` には LCM-LoRA が必要ですが、ここにはありません。ボットの運営者は `promptist checkpoints pull lcm-lora` で入手できます。それまでは `fast` か `full` を選んでください。"
        : `\`turbo\` は使えません: ${c.code("lora")} は、ここで描くモデルとは別のモデル用です。\`fast\` か \`full\` を選んでください。`,
    INPUT_MODEL: (c) =>
      `${c.text("kind") === "LoRA" ? "LoRA" : "モデル"}${c.code("model") === null ? "" : ` ${c.code("model")} `}はここにはありません。${c.code("near") === null ? "" : `${c.code("near")} のことですか？`}\`model\` と \`lora\` のオプションに入力すると、使えるものが表示されます。`,
    MODEL_ADULT: (c) =>
      `${c.text("kind") === "LoRA" ? "LoRA" : "モデル"}${c.code("model") === null ? "" : ` ${c.code("model")} `}は年齢制限チャンネル専用です。別のものを選ぶか、そのチャンネルで使ってください。`,
    INPUT_REWRITER: (c) =>
      `リライター${c.code("rewriter") === null ? "" : ` ${c.code("rewriter")} `}はここでは使えません。入力中に表示されるもの（\`promptist\`、\`magicprompt\`、\`none\` など）から選んでください。`,
    INPUT_EVALUATION: (c) =>
      `\`evaluate:True\` では、\`rewriter\` に比べるものを書きます。\`promptist, magicprompt, none\` のように異なるものを ${c.say("max", number, "5")} 個までで、\`none\` だけにはできません。\`seeds\` は評価のときだけ使えます。`,
    INPUT_AGAINST: (c) =>
      `両側が${c.code("rewriter") ?? "同じリライター"}になります。\`against\` には別のものを選んでください。`,
    FILE_STYLES: () =>
      "このファイルはスタイルの一覧ではありません。A1111 の `styles.csv` を添付してください。1行目は `name,prompt,negative_prompt` で、2行目からは1行に1つのスタイルです。",
    DRAFT_GONE: () =>
      "この下書きはもうありません。開始されたか、破棄されたか、期限が切れました。コマンドをもう一度使ってください。",
    DRAFT_LIMIT: (c) =>
      `${c.say("limit", (limit) => `開始を待つ下書きがすでに${number(limit)}件あり、これが上限です`, "開始を待つ下書きが多すぎます")}。どれかを開始するか破棄してから、コマンドをもう一度使ってください。`,
    NOT_OPERATOR: () => "すべてのサーバーに影響するため、このボットの管理者だけができます。",
    NOT_ALLOWED: () =>
      "このサーバーかチャンネルを管理する人だけができます。サーバーの管理者に聞いてください。",
    FILE_TOO_BIG: (c) =>
      `ファイルが${c.say("limit", (limit) => `${bytes(limit)} を超えています`, "大きすぎます")}。小さいファイルに分けてください。`,
    FILE_BINARY: () => `このファイルはテキストではありません。${FORMATS}`,
    FILE_ENCODING: (c) =>
      `${subject(c, "ファイル")}は UTF-8 のテキストではありません。UTF-8 で保存して、もう一度添付してください。`,
    FILE_TYPE: () => `この種類のファイルは読めません。${FORMATS}`,
    FILE_SHAPE: (c) =>
      `${c.text("problem") === "not a list" ? "ファイルは JSON ですが、リストではありません" : `${subject(c, "ファイル")}${c.text("problem") === "json" ? "は正しい JSON ではありません" : "を読めません"}`}。${FORMATS}`,
    FILE_EMPTY: () => `ファイルにプロンプトがありません。${FORMATS}`,
    FILE_UNREACHABLE: () => "Discord からファイルを取得できませんでした。もう一度添付してください。",
    QUEUE_UNREACHABLE: () => `キューに接続できず、何も保存されませんでした。${LATER}`,
    QUEUE_BUSY_DATABASE: () => `キューが混み合っていて、何も保存されませんでした。${LATER}`,
    QUEUE_LOCKED: () => `このボットの別のコピーが同じキューを使っています。${OWNER}`,
    QUEUE_FULL: () => `キューがいっぱいで、何も保存されませんでした。${LATER}`,
    QUEUE_CAP: (c) =>
      `${owner[scopeOf(c)]}ジョブが${c.say("limit", (limit) => `すでに${number(limit)}件あり、ここではこれが上限です`, "ここでの上限に達しています")}。順番が来れば自動的に始まります。どれかが終わったら、もう一度頼んでください。`,
    QUOTA_USED: (c) =>
      `${c.text("scope") === "server" ? "このサーバーは" : "あなたは"}計算時間を今のところ使い切りました${c.say("minutes", (minutes) => `（1日ごとに${number(minutes)}分追加されます）`, "")}。${c.say("at", (at) => `次は <t:${at}:R> に追加されます。`, "明日もう一度お試しください。")}`,
    QUEUE_NEWER_SCHEMA: () => `キューはこのボットの新しいバージョンのものです。${OWNER}`,
    MODEL_GONE: (c) =>
      `${c.text("kind") === "LoRA" ? "LoRA" : "モデル"}${c.code("model") === null ? "" : ` ${c.code("model")}`}はもうボットのマシンにありません。別のものでコマンドをもう一度使ってください。${OWNER}`,
    CHECKPOINT_MISSING: () => `必要なモデルがインストールされていません。${OWNER}`,
    CHECKPOINT_CORRUPT: () => `モデルのファイルが壊れています。${OWNER}`,
    CHECKPOINT_TENSORS: () => `モデルのファイルが設定と合っていません。${OWNER}`,
    CHECKPOINT_ARCHITECTURE: () => `インストールされたモデルは、このボットでは動かせない種類です。${OWNER}`,
    CHECKPOINT_UNSAFE: () => `モデルのファイルはコードを実行するおそれがあるため、拒否されました。${OWNER}`,
    HUB_NOT_FOUND: () => `モデルの公開サイトに、そのモデルがありません。${OWNER}`,
    HUB_REFUSED: () => `モデルの公開サイトが許可を求めています。${OWNER}`,
    HUB_BUSY: () => `モデルの公開サイトが混み合っています。${OWNER}`,
    HUB_UNREACHABLE: () => `モデルの公開サイトにつながりません。${OWNER}`,
    HUB_HASH: () => `モデルのファイルが壊れて届きました。${OWNER}`,
    DEVICE_UNAVAILABLE: () => `グラフィックデバイスが今は使えません。${LATER}`,
    OUT_OF_MEMORY: () => "メモリが足りませんでした。一度のプロンプトを減らすか、後でもう一度お試しください。",
    WORKER_DIED: () => `モデルを動かすプロセスが突然終了しました。${LATER}`,
    WORKER_STALLED: () => `モデルを動かすプロセスが応答しなくなりました。${LATER}`,
    HOST_DIED: (c) =>
      `これを処理していたプログラムが${c.say("times", (times) => `${number(times)}回続けて`, "何度も")}突然終了したため、処理を中止しました。サイズを小さくするか、枚数を減らしてお試しください。それでもだめなら、このボットの管理者に知らせてください。`,
    DISK_FULL: () => `ボットのディスクがいっぱいです。${OWNER}`,
    DISK_READ_ONLY: () => `ボットにはディスクに画像を保存する権限がありません。${OWNER}`,
    DISK_FAILED: () => `ボットのディスクを読み書きできませんでした。${OWNER}`,
    PICTURES_UNREACHABLE: () => `このボットの画像の保存先が応答しないか、画像を受け付けません。${OWNER}`,
    CANCELLED: () => "キャンセルされました。",
    INTERNAL: () =>
      "ボットの中で問題が起きました。もう一度お試しください。また起きたら、ボットの管理者に知らせてください。",
    DISCORD_REFUSED: () => "結果はできて保存されていますが、Discord がそのメッセージを拒否しました。",
    DISCORD_UNREACHABLE: () => `Discord につながりませんでした。${LATER}`,
    CONFIG: () => `ボットの設定が正しくありません。${OWNER}`,
  },
  noteWords: {
    firstFrame: "添付された画像は動画です。最初のコマを使います。",
    cropped: "添付された画像は形が違うため、中央の部分を使います。",
    models: (used) => `${used.join("、")} を使って生成しました。`,
    embedding: (name, hash) => `エンベディング ${name}（${hash}）を使って生成しました。`,
    redone: (side) => `${sides[side]}の画像は半精度では足りなかったため、より正確に計算し直しました。`,
    plain: (side) =>
      `${sides[side]}の画像が一色になりました。モデルがそのように生成したものです。別のシードか、もっと多くの言葉で試してください。`,
    leftOut: "メッセージの指定の一部は使われませんでした。",
    taste: (reasons) =>
      `このサーバー向けに選びました${reasons.length === 0 ? "" : `: ${reasons.join("、")}`}。`,
    tasteFirst:
      "このサーバー向けに選びました。見つかった書き直しのうち、ここでも最初のものが最も好まれます。",
    tasteExplores: "最も好まれるものではありません。10回に1回は、学び続けるために選びます。",
    unchanged: "Promptist は何も変えませんでした。",
    unread: (words) =>
      `Promptist はこれほど長いプロンプトを最後まで読めません。この部分は、書き直しにそのまま入ります: ${words}`,
    kept: "書き直しは、プロンプトをそのまま最初に置き、同じ語句を二度使わないように作られました。",
    truncated: (side, words) =>
      `画像モデルは${{ baseline: "プロンプト", optimized: "書き直したプロンプト", negative: "ネガティブプロンプト" }[side]}の終わりを読めません: ${words}`,
  },
  infoWords: {
    rewriting: ({ mode, beams, maxNewTokens }, rewrites) =>
      `書き直し: ${mode}${mode === "beam" ? `、ビーム${number(beams)}本` : ""}、最大${number(maxNewTokens)}トークン、候補${number(rewrites)}件`,
    source: (strength, hashes) => `画像から: 強さ ${number(strength)}、元の画像 ${hashes.join(", ")}`,
    drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }, size) =>
      `シード ${seed} · ${number(steps)}ステップ · ガイダンス ${number(guidance)} · ${scheduler}${prompts === "diffusers" ? "" : ` · プロンプト: ${prompts}`}${size === null ? "" : ` · ${size}`}`,
    rewritingTook: (ms) => `書き直し ${duration(ms)}`,
    drawingTook: (side, ms) => `${side === "baseline" ? "元のプロンプト" : "書き直し"}の画像 ${duration(ms)}`,
    took: (parts) => `所要時間: ${parts.join("、")}`,
    checkpoints: (names) => `チェックポイント: ${names.join(", ") || "まだありません"}`,
    miniature:
      "ミニチュアモデルは小さな代用品で、知っている題材は数百個です。本物のモデルはボットの管理者がインストールできます。",
    askedBy: (userId, at) => `依頼: <@${userId}>、<t:${Math.floor(at / 1000)}:f>`,
  },
  miniatureNote: (phases) => {
    if (phases.length === 0) return null;
    return phases.length > 1
      ? "ミニチュアモデル"
      : `ミニチュア版 ${phases[0] === "text" ? "Promptist" : "Stable Diffusion"}`;
  },
  safetyLines: {
    picture: (side) => (side === "baseline" ? "元のプロンプトの画像" : "書き直しの画像"),
    pictureOf: (prompt, side) =>
      side === "baseline" ? `プロンプト${prompt}の元の画像` : `プロンプト${prompt}の書き直し`,
    more: (all) => `ほか${number(all)}枚`,
    withheld: (hidden, why, redraw) => {
      const what = `非表示: ${listed(hidden)}。`;
      if (why === "unchecked")
        return `${what}セーフティチェッカーが確認していない画像は、ここには投稿されません。`;
      const because =
        why === "flagged"
          ? "セーフティチェッカーが検出し、このチャンネルには年齢制限がないためです。"
          : "セーフティチェッカーが検出し、ここの設定でそうした画像を隠しているためです。";
      const todo =
        redraw === "buttons"
          ? "依頼した人は、下のボタンから新しいシードや別の言葉で生成し直せます。"
          : "依頼した人は、`/compare` で別のシードや別の言葉を使って生成し直せます。";
      return `${what}${because}${todo}`;
    },
    behindClick: (flagged) =>
      flagged
        ? "セーフティチェッカーが検出したため、クリックすると表示されます。"
        : "セーフティチェッカーがまだ確認していないため、クリックすると表示されます。",
    blindElsewhere: "この組はまだ投票中なので、終わるまでここには表示できません。",
  },
  scoreLines: {
    decimal,
    judges: (parts, of) => `${of === null ? "" : `${of} の`}評価: ${parts.join(" · ")}`,
    fits: {
      same: "プロンプトへの忠実さは同じくらい",
      better: "プロンプトにより忠実",
      worse: "プロンプトへの忠実さは下がった",
    },
    looksSame: (points) => `見た目は同じくらい（10点中 ${decimal(points, 1)}）`,
    looks: (isBetter, from, to) =>
      `見た目は${isBetter ? "良くなった" : "悪くなった"}（10点中 ${decimal(from, 1)} → ${decimal(to, 1)}）`,
    relevance: (change) => `プロンプトとの一致 ${change}`,
    beauty: (change) => `美しさ ${change}`,
    rewardOf: (reward) => `報酬 ${reward}（Promptist が上げるよう学習した値）`,
    pair: (parts, names) =>
      `スコア（${names?.baseline ?? "元"} → ${names?.optimized ?? "書き直し"}）: ${parts.join(" · ")}`,
    title: "**スコア**: 平均と95%区間。0より上なら書き直しのほうが良い結果です。",
    relevanceChange: "一致の変化",
    beautyGain: "美しさの変化",
    reward: "報酬",
    mean: (mean, low, high, n) => `${mean}（${low}～${high}）、n = ${n}`,
    plotAlt: (facts) => `組ごとの点と平均: ${facts.join("; ")}`,
    tableHead: " #  一致           美しさ        報酬",
  },
  blindLines: {
    question:
      "A と B、どちらの画像が良いですか？ 片方は書き直したプロンプトから生成されました。投票すると、どちらか分かります。",
    questionBetween: (one, other) =>
      `A と B、どちらの画像が良いですか？ 片方は ${one}、もう片方は ${other} の文から生成されました。投票すると、どちらか分かります。`,
    closes: (at) => `投票は <t:${Math.floor(at / 1000)}:R> に終わります。`,
    tileAlt: (letter) => `画像${letter}。書き直しから生成されたかどうかは、まだ秘密です`,
    nothing: "Promptist は何も変えなかったので、投票することがありません。",
    nothingBetween: "どちらも同じ文を書いたので、投票することがありません。",
    voted: (counted, left, isFirst, names) => {
      const said = names ?? sides;
      const right = left === "baseline" ? "optimized" : "baseline";
      const chosen = {
        left: `A（${said[left]}）`,
        right: `B（${said[right]}）`,
        tie: "同じくらい",
        bad: "どちらも悪い",
      }[counted];
      return `${isFirst ? "投票を受け付けました" : "最初の投票が有効です"}: ${chosen}。A は${said[left]}、B は${said[right]}でした。`;
    },
    secret: "投票が終わるまで、ほかの人には内緒にしてください。",
    final: "どちらがどちらか見た後なので、投票はもう変えられません。",
    tally: ({ optimized, baseline, tie, bad }, names) =>
      `**投票** ${names?.optimized ?? "書き直し"} ${number(optimized)} · ${names?.baseline ?? "元のまま"} ${number(baseline)} · 同じくらい ${number(tie)} · どちらも悪い ${number(bad)}`,
  },
  verdictLines: {
    none: "投票はまだありません。`/compare blind:True` を使うと、組の下で誰でも A か B に投票できます。",
    tooFew: (tally, needed) =>
      `${number(tally.optimized + tally.baseline)}票中${number(tally.optimized)}票が書き直し${undecided(tally)}。判断するには少なすぎます（${number(needed)}票必要）。`,
    rate: (rate, { low, high }, n, tally) =>
      `${percent(rate)}（95%信頼区間: ${percent(low)}～${percent(high)}）、n = ${number(n)}${undecided(tally)}。`,
  },
  statsLines: {
    title: "書き直しが勝つ割合",
    all: "すべての投票",
    voter: (rank) => `投票者${number(rank)}`,
    rated: (share, { low, high }, n) =>
      `元のままのプロンプトに${percent(share)}勝つ見込み（95%信頼区間: ${percent(low)}～${percent(high)}）、n = ${number(n)}。`,
    reference: (n) => `ほかはこれと比べたものです、n = ${number(n)}。`,
    asWritten: "元のまま",
    given: "自分で書いた語",
  },
  tasteLines: {
    title: "このサーバーの好み",
    noServer: "好みはサーバーごとに学びます。サーバーで使ってください。",
    none: "まだ何も分かりません。ブラインド投票が必要です。`/compare blind:True` で組を描けます。",
    learned: (cast) =>
      `ブラインド投票${number(cast)}票から学びました。その語句がある書き直しは、ない書き直しにどれくらいの割合で勝つでしょうか。`,
    liked: "好まれる語句",
    disliked: "好まれない語句",
    phrase: (text, share, { low, high }, cast) =>
      `${text}: ${percent(share)}（${percent(low)}～${percent(high)}）、n = ${number(cast)}`,
    intervals: "かっこ内は95%区間です。50%を含むものは、まだ決まっていません。",
    shares: (chosen, first) => {
      const rate = ({ share, low, high, n }: Share) =>
        `${percent(share)}（${percent(low)}～${percent(high)}、n = ${number(n)}）`;
      return `こうして選んだ書き直しの勝率: ${rate(chosen)}。いつも最初のものにした場合: ${first === null ? "まだ分かりません" : rate(first)}。`;
    },
    exported: (phrases, cast) => `語句${number(phrases)}件、ブラインド投票${number(cast)}票から学びました。`,
    notSure: "何も忘れていません。`/taste forget sure:True` で、このサーバーの投票から学んだことを忘れます。",
    forgotten: "忘れました。これまでの投票は `/stats show` に残り、好みは新しい投票から学びます。",
  },
  draftLines: {
    amount: (all, given, drawn) => `${amountOf(all, given)}合計で${pictures(drawn)}。`,
    time: (ownMs) => `このマシンで約${duration(ownMs)}かかります。`,
    unknownTime: "ボットの起動後に似たジョブがまだないため、かかる時間は分かりません。",
    ahead: (before, ms) => `先に${jobs(before)}が入っています${ms === null ? "" : `（約${duration(ms)}）`}。`,
    first: (shown, all) =>
      [
        ...shown.map((prompt, i) => `${i + 1}. ${prompt}`),
        ...(shown.length < all ? [more(all - shown.length)] : []),
      ].join("\n"),
    tooLong: (which) =>
      `${ofPrompts(which)}は Promptist が最後まで読めない長さです。初めの部分だけ書き直し、残りはそのままにします。`,
    again: "シードと設定はレポートのものを使います。",
    fileSettings: "ファイルにあるシードと設定を使います。",
    own: (which) => `${ofPrompts(which)}には、ファイルに独自の設定があります。`,
    ends: (at) => `「開始」を押すまで何も生成されません。この下書きの期限: <t:${Math.floor(at / 1000)}:R>。`,
    expired:
      "時間内に「開始」が押されなかったので、何も生成されませんでした。コマンドをもう一度使ってください。",
    discarded: "破棄しました。何も生成されていません。",
  },
  fileLines: {
    onlyFirst: (taken, rest, isAll) =>
      `ファイルの先頭から${prompts(taken)}だけ使います。残り${number(rest)}件${isAll ? "" : "以上"}は入りません。別のファイルに分けてください。`,
    encoding: (encoding) =>
      `ファイルが UTF-8 ではないので、\`${encoding}\` として読みました。文字化けしていたら、UTF-8 で保存してもう一度添付してください。`,
    leftOut: "除外",
    unread: "理解できず、なしで生成",
    ignored: (names, rest) => `読まないもの: ${withMore(names, rest)}。`,
    comments: (lines) => `\`#\` で始まる${number(lines)}行は飛ばします。`,
    remark: (unit, lines, rest, problem) =>
      `${withMore(lines.map(number), rest)}${unit === "line" ? "行目" : "件目"}: ${problem}`,
    more,
  },
  itemLines: {
    choose: (noun) => `外す${NOUNS[noun].name}を選んでください。生成済みの画像は残ります。`,
    more: (shown, all) => `待機中の${number(all)}件のうち、最初の${number(shown)}件を表示しています。`,
    taken: (noun, taken, left) =>
      `${NOUNS[noun].count(taken)}を外しました。${left === 0 ? "生成するものは残っていません" : `残り${number(left)}${NOUNS[noun].unit}です`}。`,
    gone: "すでに生成されたか、外されています。",
  },
  evaluationLines: {
    amount: (count, names, seeds, all) =>
      `プロンプト${number(count)}件を ${listed(names)} で、それぞれ${number(seeds)}個のシードから生成します。合わせて${pictures(all)}です。`,
    same: "シードと設定はすべて同じです。ファイルの行にある書き直し、シード、設定は使いません。",
    measures: { reward: "報酬", relevance: "プロンプトとの一致", beauty: "美しさ" },
    better: (name, baseline, measure, gain, rate) =>
      `${name} は ${baseline} より良い結果です: ${measure} ${gain}。${wins(rate)}`,
    worse: (name, baseline, measure, gain, rate) =>
      `${name} は ${baseline} より悪い結果です: ${measure} ${gain}。${wins(rate)}`,
    open: (name, baseline, measure, gain, rate) =>
      `${name} と ${baseline} の差はわかりません: ${measure} ${gain}。${wins(rate)}`,
    noScores:
      "レポートはありません。評価された画像が2枚あるプロンプトがないためです。評価には CLIP のインストールが必要です。",
    file: "レポート全体は zip にあります。`report.html` をブラウザーで開いてください。",
    smaller: "このチャンネルには大きすぎるため、レポートの画像は縮小されています。",
    withoutPictures: "画像を入れるとこのチャンネルには大きすぎるため、レポートに画像はありません。",
    tooLarge: "レポートはこのチャンネルには大きすぎます。",
    pictures: (jobId) => `画像そのものは \`/show id:${jobId} part:1\` で届きます。`,
  },
  gridLines: {
    amount: (all, across, down) =>
      `${pictures(all)}のグリッド${down === null ? "" : `（横${number(across)}、縦${number(down)}）`}。`,
    ofRewrite: "すべて書き直したプロンプトから生成します。",
    choose: "1枚を開いて、比較するか投稿する",
    compare: "書き直しと比較",
    post: "ここに投稿",
    alt: (prompt, axes) => `${axes} による画像のグリッド。プロンプト: ${prompt}`,
  },
  refusals: {
    notYours: "依頼した人かモデレーターだけができます。",
    notYoursToChange:
      "ここでは依頼した人だけができます。自分のものを生成するには、コマンドを使ってください。",
    elsewhere: "これは別のチャンネルのものです。",
    role: "ここで使うには特定のロールが必要です。このサーバーの管理者に聞いてください。",
    noBallot: "この画像には投票がありません。",
    noVotes: "まだ誰も投票していません。`/compare blind:True` で組を作ってください。",
    stillOpen: "まだ終わっていません。`/queue` で状況を確認できます。",
    secret: "ブラインド投票です。終わると見られます。",
    notYourDraft: "開始できるのは、依頼した人だけです。",
    noPart: (parts) =>
      parts === 0
        ? "画像はもうボットのディスクにないので、zip はありません。"
        : `この画像の zip は、ここに${number(parts)}個あります。`,
    noEvaluation: "評価できるのは、画像に採点のある、完了した一括処理だけです。",
    nothingToChange: "ほかの書き直しはありません。",
    nothingToEnlarge: "画像がもうないか、ここでの最大の大きさです。",
    nothingLeft: "この一括処理に、待機中のプロンプトはもうありません。",
    notFinished: "まだ終わっていません。先にキャンセルしてください。",
    alreadyFinished: "もう終わっています。",
    unknownJob: "そのジョブはここにありません。削除されたのかもしれません。",
    unknownButton: "このボタンはボットの別のバージョンのものです。コマンドをもう一度使ってください。",
    unknownCommand:
      "このコマンドはボットの別のバージョンのものです。Discord を再読み込みして、もう一度お試しください。",
    repeated: "1秒以内に2回送られたので、1回だけ実行します。",
    stopping: "ボットはまもなく再起動します。1分後にもう一度お試しください。",
    interrupted: "このコマンドを保存する前にボットが停止しました。もう一度使ってください。",
  },
  historyLines: {
    title: "最近のジョブ",
    none: "まだ何も依頼していません。`/compare` から始めてください。",
    states: {
      queued: "待機中",
      running: "実行中",
      done: "完了",
      failed: "失敗",
      cancelled: "キャンセル",
    },
    open: "開く",
    again: "新しいシードでもう一度実行",
  },
  dataLines: {
    exported: (stored, given) =>
      `あなたについて保存されているもの: ${jobs(stored)}、投票${number(given)}件。`,
    part: (at, isLast) =>
      isLast ? `パート${number(at)}（最後）。` : `パート${number(at)}。次のパートが続きます。`,
    exporting: "前回の書き出しをまだ送信中です。ファイルは順番に届きます。",
    notConfirmed:
      "何も削除していません。`/mydata erase confirm:True` を使うと、あなたについて保存されているものと、結果のメッセージをすべて削除します。メッセージを残すには `messages:False` を付けてください。",
    erased: (deleted, stopping) =>
      `削除しました: ${jobs(deleted)}とその画像、投票、設定。${stopping === 0 ? "" : `実行中の${jobs(stopping)}を止めてから削除します。`}`,
    messagesKept: "メッセージは残ります。消すには、メッセージの下の「削除」を押してください。",
    deletingMessages: "プロンプトと結果の入ったボットのメッセージを削除しています。",
    messagesDeleted: (deleted, failed, later) =>
      [
        `${messages(deleted)}を削除しました。`,
        ...(failed === 0
          ? []
          : [`${messages(failed)}は削除できませんでした。下の「削除」を押してください。`]),
        ...(later === 0 ? [] : [`${messages(later)}はまだ削除できていません。もう一度試します。`]),
      ].join(""),
  },
  settingLines: {
    more: (settings) => `-# \`/settings show all:True\` で${number(settings)}個の設定の意味を表示します。`,
    title: "設定",
    channel: "このチャンネル",
    server: "このサーバー",
    program: "ボット自体",
    names: "設定できるもの",
    choice: settingLines.choice,
    none: (falls) =>
      `ここでは何も設定されていません（${falls === "to the server" ? "サーバーの設定" : "ボットの既定値"}が有効です）。`,
    entry: (name, value, by, at) => `\`${name}\`: ${value}（<@${by}>、<t:${Math.floor(at / 1000)}:R>）`,
    defaults: ({ steps, guidance, scheduler, prompts = "diffusers" }, mode, maxSteps) =>
      `${number(steps)}ステップ（最大${number(maxSteps)}）、ガイダンス ${number(guidance)}、${scheduler}、モード ${mode}、プロンプト ${prompts}`,
    set: (name, value, scope) => `${inScope(scope)}の \`${name}\` を ${value} にしました。`,
    serverWide: (name) =>
      `\`${name}\` はサーバー全体のジョブを数えるので、チャンネルごとには設定できません。範囲にサーバー全体を選んでください。`,
    needsAgeRestriction: (name, value) =>
      `\`${name}\` を \`${value}\` にできるのは、年齢制限のあるチャンネルだけです。そのようなチャンネルで使うか、サーバー全体に設定してください（年齢制限のあるチャンネルでだけ有効になります）。`,
    all: "設定されているものすべて",
    resetAll: (names, scope) =>
      names.length === 0
        ? `${inScope(scope)}では何も設定されていませんでした。`
        : `${inScope(scope)}でリセットしました: ${listed(names.map((name) => `\`${name}\``))}。`,
    reset: (name, scope, was) => {
      if (!was) return `${inScope(scope)}では \`${name}\` は設定されていませんでした。`;
      return `${inScope(scope)}の \`${name}\` をリセットしました。${scope === "channel" ? "サーバーの設定またはボットの既定値" : "ボットの既定値"}が有効です。`;
    },
    pingOn: "時間のかかった結果ができると通知します。",
    pingOff: "今後は通知しません。結果はこれまでどおり投稿されます。",
  },
  galleryLines: {
    by: (person, link) => `${person} の作品: ${link}`,
    added: (link) => `ギャラリーに入りました: ${link}`,
    there: (link) => `すでにギャラリーにあります: ${link}`,
    later: (channel) => `Discord が受け付けしだい、${channel} に入ります。`,
    none: "このサーバーにはまだギャラリーがありません。管理者は `/settings set name:gallery` でチャンネルを選べます。",
    pruned: "画像は削除されています。先に描き直してください。",
    withheld: (channel) =>
      `${channel} には年齢制限がないため、これらの画像のすべてを表示することはできません。`,
    forbidden: (channel) =>
      `ボットは ${channel} に画像を投稿できません。管理者は、チャンネルの閲覧、メッセージの送信、埋め込みリンク、ファイルの添付を許可できます。`,
  },
  hostLines: {
    none: "ホストはまだありません。",
    roles: { both: "ボット兼ワーカー", bot: "ボット", worker: "ワーカー" },
    heard: (ms) => `${duration(ms)}前に応答`,
    silent: (ms) => `**${duration(ms)}応答なし**`,
    stopped: (at) => `<t:${at}:R> に停止`,
    paused: "**一時停止中**",
    waiting: "予備として待機中",
    otherVersion: (version) => `**${version}（このボットとは別のバージョン）**`,
    otherPictures: "**画像の保存先がこのボットと違います**",
    idle: "待機中",
    text: (job) => `ジョブ ${job} の書き直し中`,
    image: (job) => `ジョブ ${job} の描画中`,
    loaded: (models, size) => `読み込み済み: ${listed(models)}${size === 0 ? "" : `（${bytes(size)}）`}`,
    setAside: (why) => `**使用停止**: ${why}`,
    offers: (names, rest) => `使えるもの: ${withMore(names, rest)}`,
    more: (hosts) => more(hosts),
    hostPaused: (host) =>
      `${host} を一時停止しました。いまの処理は最後まで行い、その名前で \`/admin resume\` するまで、再起動しても新しいジョブは受けません。`,
    hostResumed: (host) => `${host} は再びジョブを受けます。`,
    unknown: (host) => `${host} というホストはありません。\`/admin hosts\` で一覧を表示できます。`,
  },
  quotaLines: {
    title: "**計算時間**",
    user: (left, minutes, today, at) =>
      `あなたの残りは${number(left)}分です。今日は${number(today)}分使いました。1日ごとに${number(minutes)}分追加され、次は <t:${at}:R> です。`,
    server: (left, minutes, today, at) =>
      `このサーバーの残りは${number(left)}分です。今日は${number(today)}分使いました。1日ごとに${number(minutes)}分追加され、次は <t:${at}:R> です。`,
    scarce: "計算時間の残りがわずかです。始まったジョブは最後まで終わります。",
  },
  styleLines: {
    title: "スタイル",
    server: "**このサーバーのもの**",
    yours: "**あなたのもの**",
    presets: "**どのサーバーにもあるもの**",
    noneHere: "まだありません。`/style save` で追加し、`/style import` で `styles.csv` を読み込めます。",
    without: (negative) => `除外: ${negative}`,
    more: (styles) => `${more(styles)}: \`style:\` の後に名前の一部を入力してください。`,
    use: "-# `/compare`、`/optimize`、`/batch` の `style:` は、描画する文の前後にこれらの語を加えます。Promptist は読みません。",
    saved: (name) => `スタイル ${name} を保存しました。\`style:\` で選べます。`,
    replaced: (name) => `スタイル ${name} はすでにあったので、語を置き換えました。`,
    full: (styles) =>
      `スタイルはすでに上限の${number(styles)}件です。\`/style remove\` で1つ削除してください。`,
    removed: (name) => `スタイル ${name} を削除しました。使った結果には語が残ります。`,
    notRemoved: (name) => `ここには、削除できるスタイル ${name} がありません。`,
    needsWords:
      "スタイルには、画像のための語か、描きたくないものの語、またはその両方が必要です。語の中の `{prompt}` はプロンプトの位置です。",
    imported: (added, replaced) => `${number(added)}件を追加し、${number(replaced)}件を置き換えました。`,
    importedTooLong: (names, rest) => `文が長すぎるので除いたもの: ${withMore(names, rest)}。`,
    importedMore: (styles) => `空きがないので除いたもの: ${number(styles)}件。`,
    option: (name) => `スタイル ${name}`,
    words: "スタイル",
    whole: "スタイルを加えた全文",
  },
  pictureLines: {
    title: "この画像の作り方",
    sheetTitle: "画像の一覧",
    shows: { baseline: "元のプロンプト", optimized: "書き直し", both: "両方のプロンプト" },
    drawn: (program, shows) => `${program} で作成${shows === null ? "" : `（${shows}）`}。`,
    model: (name) => `モデル: ${name}`,
    vae: (name) => `VAE: ${name}`,
    loras: (names) => `LoRA: ${names.join(", ")}`,
    embeddings: (names) => `エンベディング: ${names.join(", ")}`,
    clipSkip: (skip) => `Clip skip: ${skip}`,
    different: "**ここでの違い:**",
    pairs: (amount) => `${pairs(amount)}の一覧です。もう一度生成するには、画像を1枚添付してください。`,
    next: "**これを比較** で、この設定のまま元のプロンプトと書き直しを生成できます。",
    nextPair: "**これを比較** で、この設定のまま両方のプロンプトをもう一度生成できます。",
    attach: "この設定で生成するには、`/compare` の `from` に添付してください。",
  },
  helpText: {
    title: "Promptist",
    lines: [
      "**まずはここから**",
      "`/compare` 元のプロンプトと書き直しの画像を生成します。",
      "`/optimize` 書き直すだけです。",
      "`/batch` ファイルのすべてのプロンプトを比較します。",
      "`/grid` 設定の違いを、1枚の画像に並べて見せます。",
      "メッセージから: 右クリック（スマホでは長押し）→ **アプリ** → **これを最適化** または **これを比較**。",
      "",
      "**次に**",
      "`/queue` 実行中と待機中のものを表示します。",
      "`/history` 最近のジョブを一覧し、`/show` で結果をもう一度表示します。",
      "`/info` 画像ファイルからプロンプトを読み取ります。",
      "結果の下のボタンで、もう一度生成できます。",
      "",
      "**どちらが良い？**",
      "`/compare blind:True` 投票するまで、どちらがどちらか隠します。",
      "`/stats show` で結果を、`/taste show` で理由を表示します。",
      "",
      "**自分の設定とデータ**",
      "`/settings ping` 通知のオンとオフを切り替えます。",
      "`/mydata export` と `/mydata erase`: あなたについて保存されているもの。",
    ],
  },
};
