// Embeds and components, classic and V2.

import { useState } from "preact/hooks";
import { html } from "./api.js";
import { Choice } from "./choice.js";
import { Icon } from "./icons.js";
import { Link } from "./links.js";
import { markdown } from "./markdown.js";
import { FileCard, Gallery, Picture } from "./media.js";

const colour = (value) => `#${value.toString(16).padStart(6, "0")}`;
const BUTTON = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };

export function Embed({ embed, names, zoom }) {
  const image = embed.image && {
    src: embed.image.url,
    alt: embed.title ?? "picture",
    width: embed.image.width,
    height: embed.image.height,
  };
  const thumbnail = embed.thumbnail && {
    src: embed.thumbnail.url,
    alt: "thumbnail",
    width: embed.thumbnail.width,
    height: embed.thumbnail.height,
  };
  return html`<article class="embed" style=${embed.color == null ? "" : `--stripe:${colour(embed.color)}`}>
    ${thumbnail && html`<${Picture} className="thumbnail" picture=${thumbnail} all=${[thumbnail]} zoom=${zoom} />`}
    ${embed.author && html`<div class="embed-author">${embed.author.url ? html`<${Link} url=${embed.author.url} names=${names}>${embed.author.name}<//>` : embed.author.name}</div>`}
    ${
      embed.title &&
      html`<h3>${embed.url ? html`<${Link} url=${embed.url} names=${names}>${embed.title}<//>` : markdown(embed.title, names)}</h3>`
    }
    ${embed.description && html`<div>${markdown(embed.description, names)}</div>`}
    ${
      embed.fields?.length > 0 &&
      html`<dl>${embed.fields.map((it) => html`<div class=${it.inline ? "inline" : "wide"}><dt>${markdown(it.name, names)}</dt><dd>${markdown(it.value, names)}</dd></div>`)}</dl>`
    }
    ${image && html`<${Picture} picture=${image} all=${[image]} zoom=${zoom} />`}
    ${
      (embed.footer || embed.timestamp) &&
      html`<footer>${[embed.footer?.text, embed.timestamp && new Date(embed.timestamp).toLocaleString()].filter(Boolean).join(" · ")}</footer>`
    }
  </article>`;
}

/** `context`: { names, zoom, use(customId, values), busy: custom id or null, entities(type) } */
export function Component({ component: it, context }) {
  const { names, zoom, use, busy, entities } = context;
  const children = () =>
    it.components.map(
      (child) => html`<${Component} key=${child.id} component=${child} context=${context} />`,
    );
  switch (it.type) {
    case 1:
      return html`<div class="row">${children()}</div>`;
    case 2:
      return html`<${Button} component=${it} use=${use} busy=${busy} names=${names} />`;
    case 3:
    case 5:
    case 6:
    case 7:
    case 8: {
      const preset = new Set((it.default_values ?? []).map((one) => one.id));
      const options = it.options ?? entities(it).map((one) => ({ ...one, default: preset.has(one.value) }));
      return html`<${Choice} options=${options} placeholder=${it.placeholder ?? "Make a selection"} min=${it.min_values ?? 1} max=${it.max_values ?? 1}
        disabled=${it.disabled} busy=${busy !== null} onChoose=${(values) => use(it.custom_id, values)} />`;
    }
    case 9:
      return html`<div class="section"><div>${children()}</div><${Component} component=${it.accessory} context=${context} /></div>`;
    case 10:
      return html`<div class="text">${markdown(it.content, names)}</div>`;
    case 11: {
      const picture = pictureOf(it, "thumbnail");
      return html`<${Picture} className="thumbnail" picture=${picture} all=${[picture]} zoom=${zoom} hidden=${it.spoiler} />`;
    }
    case 12:
      return html`<${Gallery} pictures=${it.items.map((item) => ({ ...pictureOf(item, "picture"), spoiler: item.spoiler }))} zoom=${zoom} />`;
    case 13:
      return html`<${FileCard} name=${it.name ?? "file"} bytes=${it.size} url=${it.file.url} />`;
    case 14:
      return html`<hr class=${`${it.divider === false ? "blank" : ""} ${it.spacing === 2 ? "wide" : ""}`} />`;
    case 17:
      return html`<${Container} component=${it}>${children()}<//>`;
    default:
      return html`<p class="notice">A component of type ${it.type} cannot be shown here.</p>`;
  }
}

const pictureOf = ({ media, description }, fallback) => ({
  src: media.url,
  alt: description ?? fallback,
  width: media.width,
  height: media.height,
});

function Button({ component: it, use, busy, names }) {
  const text = html`${it.emoji?.name && html`<span>${it.emoji.name}</span>`}${it.label}`;
  if (it.style === 5)
    return html`<${Link} className="button link" url=${it.url} names=${names}>${text} <span aria-hidden="true">↗</span><//>`;
  return html`<button type="button" class=${`button ${BUTTON[it.style]}`} disabled=${it.disabled || busy !== null} aria-busy=${busy === it.custom_id}
    onClick=${() => use(it.custom_id, null)}>${text}</button>`;
}

function Container({ component, children }) {
  const [covered, setCovered] = useState(component.spoiler === true);
  const stripe = component.accent_color == null ? "" : `--stripe:${colour(component.accent_color)}`;
  if (covered)
    return html`<button type="button" class="container covered" onClick=${() => setCovered(false)}><${Icon} name="alert" size=${16} /> Spoiler: show</button>`;
  return html`<div class=${stripe === "" ? "container plain" : "container"} style=${stripe}>${children}</div>`;
}
