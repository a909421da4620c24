// Chat markdown as elements, never as HTML text: nothing that a message says can become markup.
import { html } from "./api.js";

const INLINE =
  /(?<code>`([^`\n]+)`)|(?<bold>\*\*([\s\S]+?)\*\*)|(?<under>__([\s\S]+?)__)|(?<strike>~~([\s\S]+?)~~)|(?<spoiler>\|\|([\s\S]+?)\|\|)|(?<em>\*([^*\n]+?)\*|(?<!\w)_([^_\n]+?)_(?!\w))|(?<mask>\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\))|(?<url><?https?:\/\/[^\s<>]+>?)|(?<mention><(@!?|@&|#)(\d+)>)|(?<all>@everyone|@here)|(?<time><t:(-?\d+)(?::[a-zA-Z])?>)|(?<escape>\\([*_~`|\\>[\]]))/g;

const link = (url, text) => html`<a href=${url} target="_blank" rel="noreferrer noopener">${text}</a>`;

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
  if (g.code) return html`<code>${match[0].slice(1, -1)}</code>`;
  if (g.bold) return html`<strong>${inner(2)}</strong>`;
  if (g.under) return html`<u>${inner(2)}</u>`;
  if (g.strike) return html`<s>${inner(2)}</s>`;
  if (g.spoiler) return html`<details class="spoiler"><summary>spoiler</summary>${inner(2)}</details>`;
  if (g.em) return html`<em>${inner(1)}</em>`;
  if (g.mask) {
    const [, label, url] = /^\[([^\]]+)\]\((.+)\)$/.exec(g.mask);
    return link(url, label);
  }
  if (g.url) {
    const url = g.url.replace(/^<|>$/g, "");
    return link(url, url);
  }
  if (g.mention) {
    const [, kind, id] = /^<(@!?|@&|#)(\d+)>$/.exec(g.mention);
    return html`<span class="mention">${kind === "#" ? "#" : "@"}${names(id) ?? id}</span>`;
  }
  if (g.all) return html`<span class="mention">${g.all}</span>`;
  if (g.time) return html`<time>${new Date(Number(/-?\d+/.exec(g.time)[0]) * 1000).toLocaleString()}</time>`;
  return match[0].slice(1);
}

/** Blocks: fenced code, quotes, headings, small print, lists; the rest is text with line breaks. */
export function markdown(text, names) {
  return text.split(/(```[\s\S]*?```)/).map((part) => {
    const fence = /^```(?:\w*\n)?([\s\S]*?)\n?```$/.exec(part);
    return fence ? html`<pre><code>${fence[1]}</code></pre>` : lines(part, names);
  });
}

function lines(text, names) {
  const out = [];
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    const quote = /^> (.*)$/.exec(line);
    const heading = /^(#{1,3}) (.+)$/.exec(line);
    const small = /^-# (.+)$/.exec(line);
    const item = /^\s*[-*] (.+)$/.exec(line);
    if (quote) out.push(html`<blockquote>${inline(quote[1], names)}</blockquote>`);
    else if (heading)
      out.push(html`<div class=${`heading h${heading[1].length}`}>${inline(heading[2], names)}</div>`);
    else if (small) out.push(html`<div class="small">${inline(small[1], names)}</div>`);
    else if (item) out.push(html`<div class="item">${inline(item[1], names)}</div>`);
    else if (line !== "" || text.trim() !== "")
      out.push(html`<div class="line">${inline(line, names)}</div>`);
  }
  return out;
}
