// Chat markdown as elements, never as HTML text, so that no message can become markup.
import { useEffect, useState } from "preact/hooks";
import { html } from "./api.js";
import { Link } from "./links.js";

const INLINE =
  /(?<escape>\\([*_~`|\\>[\]#-]))|(?<code>(?<ticks>`{1,2})([^`\n]+)\k<ticks>)|(?<bold>\*\*([\s\S]+?)\*\*(?!\*))|(?<under>__([\s\S]+?)__)|(?<strike>~~([\s\S]+?)~~)|(?<spoiler>\|\|([\s\S]+?)\|\|)|(?<em>\*(?!\s)([^*\n]+?)\*|(?<!\w)_([^_\n]+?)_(?!\w))|(?<mask>\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?\))|(?<url><?https?:\/\/[^\s<>]*[^\s<>.,:;!?)'"\]]>?)|(?<mention><(@!?|@&|#)(\d+)>)|(?<command><\/([^:>]+):\d+>)|(?<emoji><a?:(\w+):\d+>)|(?<all>@everyone|@here)|(?<time><t:(-?\d+)(?::([tTdDfFR]))?>)/g;

function inline(text, names) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) out.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    out.push(one(match, names));
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

function one(match, names) {
  const g = match.groups;
  const inner = (mark) => inline(match[0].slice(mark, -mark), names);
  if (g.escape) return match[0].slice(1);
  if (g.code) return html`<code>${g.code.replace(/^`+|`+$/g, "")}</code>`;
  if (g.bold) return html`<strong>${inner(2)}</strong>`;
  if (g.under) return html`<u>${inner(2)}</u>`;
  if (g.strike) return html`<s>${inner(2)}</s>`;
  if (g.spoiler) return html`<${Spoiler}>${inner(2)}<//>`;
  if (g.em) return html`<em>${inner(1)}</em>`;
  if (g.mask) {
    const [, label, url] = /^\[([^\]]+)\]\(<?(.+?)>?\)$/.exec(g.mask);
    return html`<${Link} url=${url} names=${names}>${inline(label, names)}<//>`;
  }
  if (g.url) {
    return html`<${Link} url=${g.url.replace(/^<|>$/g, "")} names=${names} />`;
  }
  if (g.mention) {
    const [, kind, id] = /^<(@!?|@&|#)(\d+)>$/.exec(g.mention);
    return html`<span class="mention">${kind === "#" ? "#" : "@"}${names(id) ?? id}</span>`;
  }
  if (g.command) {
    const [, path] = /^<\/([^:]+):/.exec(g.command);
    return html`<button type="button" class="mention" data-command=${path}>/${names(`/${path}`) ?? path}</button>`;
  }
  if (g.emoji) return html`<span>:${/:(\w+):/.exec(g.emoji)[1]}:</span>`;
  if (g.all) return html`<span class="mention">${g.all}</span>`;
  const [, seconds, style] = /^<t:(-?\d+)(?::(\w))?>$/.exec(g.time);
  const at = Number(seconds) * 1000;
  return Math.abs(at) <= LAST_MS ? html`<${Time} at=${at} style=${style ?? "f"} />` : g.time;
}

function Spoiler({ children }) {
  const [open, setOpen] = useState(false);
  return open
    ? html`<span class="spoiler open">${children}</span>`
    : html`<button type="button" class="spoiler" aria-label="Spoiler: show" onClick=${() => setOpen(true)}><span aria-hidden="true">${children}</span></button>`;
}

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
/** The last moment that a Date can hold; Discord shows a later timestamp as text. */
const LAST_MS = 8.64e15;
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** "in 5 minutes", "2 hours ago". */
export function relative(at) {
  const distance = at - Date.now();
  const [unit, ms] = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(distance / ms), unit);
}

function Time({ at, style }) {
  const [, tick] = useState(0);
  useEffect(() => {
    if (style !== "R") return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [style]);
  const date = new Date(at);
  const text = style === "R" ? relative(at) : new Intl.DateTimeFormat("en", STYLES[style]).format(date);
  return html`<time class="stamp" datetime=${date.toISOString()} title=${date.toLocaleString()}>${text}</time>`;
}

/** Parses blocks: fenced code, quotes, headings, small print, lists; the rest is text with line breaks. */
export function markdown(text, names) {
  return text.split(/(```[\s\S]*?```)/).map((part) => {
    const fence = /^```(?:(\w+)\n)?\n?([\s\S]*?)\n?```$/.exec(part);
    return fence
      ? html`<pre tabindex="0" data-language=${fence[1] ?? ""}><code>${fence[2]}</code></pre>`
      : blocks(part.replace(/^\n|\n$/g, "").split("\n"), names);
  });
}

/** Renders text on one line, for replies and previews. */
export const oneLine = (text, names) => inline(text.replace(/\s*\n\s*/g, " "), names);

const QUOTE = /^> ?(.*)$/;
const ITEM = /^(\s*)(?:[-*]|(\d+)\.) (.+)$/;

function blocks(lines, names) {
  const out = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const heading = /^(#{1,3}) (.+)$/.exec(line);
    const small = /^-# (.+)$/.exec(line);
    if (line.startsWith(">>> ")) {
      out.push(html`<blockquote>${blocks([line.slice(4), ...lines.slice(at + 1)], names)}</blockquote>`);
      return out;
    }
    if (QUOTE.test(line) && line.startsWith("> ")) {
      const quoted = [];
      while (at < lines.length && lines[at].startsWith(">")) quoted.push(QUOTE.exec(lines[at++])[1]);
      at -= 1;
      out.push(html`<blockquote>${blocks(quoted, names)}</blockquote>`);
    } else if (heading) {
      out.push(
        html`<div class=${`heading h${heading[1].length}`} role="heading" aria-level=${heading[1].length + 2}>${inline(heading[2], names)}</div>`,
      );
    } else if (small) {
      out.push(html`<div class="small">${inline(small[1], names)}</div>`);
    } else if (ITEM.test(line)) {
      const items = [];
      while (at < lines.length && ITEM.test(lines[at])) items.push(ITEM.exec(lines[at++]));
      at -= 1;
      out.push(list(items, names));
    } else if (line !== "" || lines.length > 1) {
      out.push(html`<div class="line">${inline(line, names)}</div>`);
    }
  }
  return out;
}

function list(items, names) {
  const [, indent, number] = items[0];
  const tag = number === undefined ? "ul" : "ol";
  const entries = [];
  for (let at = 0; at < items.length; at++) {
    const nested = [];
    while (at + 1 + nested.length < items.length && items[at + 1 + nested.length][1].length > indent.length)
      nested.push(items[at + 1 + nested.length]);
    entries.push(html`<li>${inline(items[at][3], names)}${nested.length > 0 && list(nested, names)}</li>`);
    at += nested.length;
  }
  return html`<${tag} start=${number}>${entries}<//>`;
}
