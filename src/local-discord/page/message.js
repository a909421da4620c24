// One message: author, text, embeds, attachments, components.
import { useState } from "preact/hooks";
import { html } from "./api.js";
import { markdown } from "./markdown.js";

const EPHEMERAL = 64;
const LOADING = 128;
// Ids made together differ by little; the factor spreads their colours.
const hue = (id) => Number((BigInt(id) * 137n) % 360n);
const kilobytes = (bytes) =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1048576
      ? `${(bytes / 1024).toFixed(1)} KB`
      : `${(bytes / 1048576).toFixed(1)} MB`;
const displayName = (user) => user.global_name ?? user.username;
const isPicture = (it) => /^image\//.test(it.content_type ?? "");

export function Avatar({ user, small }) {
  return html`<span class=${small ? "avatar mini" : "avatar"} style=${`--hue:${hue(user.id)}`} aria-hidden="true">
    ${displayName(user).slice(0, 1).toUpperCase()}
  </span>`;
}

const FileIcon =
  () => html`<svg width="20" height="24" viewBox="0 0 20 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
  <path d="M3 1h9l6 6v16H3z M12 1v6h6 M6 12h8 M6 16h8" />
</svg>`;

function Picture({ src, alt, width, height, zoom, className }) {
  return html`<button type="button" class=${`picture ${className ?? ""}`} onClick=${() => zoom({ src, alt })} aria-label=${`Enlarge ${alt}`}>
    <img src=${src} alt=${alt} width=${width} height=${height} loading="lazy" />
  </button>`;
}

function Attachments({ list, zoom }) {
  const pictures = list.filter(isPicture);
  return html`
    ${
      pictures.length > 0 &&
      html`<div class=${`pictures count-${Math.min(pictures.length, 4)}`}>
      ${pictures.map(
        (it) =>
          html`<${Picture} key=${it.id} src=${it.url} alt=${it.description ?? it.filename} width=${it.width} height=${it.height} zoom=${zoom} />`,
      )}
    </div>`
    }
    ${list
      .filter((it) => !isPicture(it))
      .map(
        (it) => html`<a key=${it.id} class="file" href=${it.url} download=${it.filename}>
          <${FileIcon} /><span><b>${it.title ?? it.filename}</b><small>${kilobytes(it.size)}</small></span>
        </a>`,
      )}
  `;
}

function Embed({ embed, names, zoom }) {
  const colour = embed.color === undefined ? "var(--line)" : `#${embed.color.toString(16).padStart(6, "0")}`;
  return html`<article class="embed" style=${`border-left-color:${colour}`}>
    ${embed.author && html`<div class="embed-author">${embed.author.name}</div>`}
    ${
      embed.title &&
      html`<h3>${embed.url ? html`<a href=${embed.url} target="_blank" rel="noreferrer noopener">${embed.title}</a>` : markdown(embed.title, names)}</h3>`
    }
    ${embed.description && html`<div>${markdown(embed.description, names)}</div>`}
    ${
      embed.fields?.length > 0 &&
      html`<dl>
      ${embed.fields.map((it) => html`<div class=${it.inline ? "inline" : "wide"}><dt>${markdown(it.name, names)}</dt><dd>${markdown(it.value, names)}</dd></div>`)}
    </dl>`
    }
    ${embed.thumbnail && html`<${Picture} className="thumbnail" src=${embed.thumbnail.url} alt="thumbnail" zoom=${zoom} />`}
    ${
      embed.image &&
      html`<${Picture} src=${embed.image.url} alt=${embed.title ?? "picture"} width=${embed.image.width} height=${embed.image.height} zoom=${zoom} />`
    }
    ${
      (embed.footer || embed.timestamp) &&
      html`<footer>${[embed.footer?.text, embed.timestamp && new Date(embed.timestamp).toLocaleString()].filter(Boolean).join(" · ")}</footer>`
    }
  </article>`;
}

const BUTTON = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };

function Select({ component, onUse, entities }) {
  const options = component.options ?? entities(component.type);
  const [chosen, choose] = useState(options.filter((it) => it.default).map((it) => it.value));
  const many = (component.max_values ?? 1) > 1;
  const label = component.placeholder ?? "Make a selection";
  if (!many) {
    return html`<select aria-label=${label} disabled=${component.disabled} onChange=${(event) => {
      const { value } = event.currentTarget;
      if (value !== "") onUse(component.custom_id, [value]);
    }}>
      <option value="">${label}</option>
      ${options.map((it) => html`<option value=${it.value} selected=${it.default}>${it.label}${it.description ? ` – ${it.description}` : ""}</option>`)}
    </select>`;
  }
  const fits = chosen.length >= (component.min_values ?? 1) && chosen.length <= component.max_values;
  const toggle = (value) =>
    choose(chosen.includes(value) ? chosen.filter((it) => it !== value) : [...chosen, value]);
  return html`<fieldset class="choices" disabled=${component.disabled}>
    <legend>${label}</legend>
    ${options.map((it) => html`<label><input type="checkbox" checked=${chosen.includes(it.value)} onChange=${() => toggle(it.value)} /> ${it.label}</label>`)}
    <button type="button" class="button secondary" disabled=${!fits} onClick=${() => onUse(component.custom_id, chosen)}>Choose</button>
  </fieldset>`;
}

function Component({ component: it, context }) {
  const { names, zoom, onUse, busy, entities } = context;
  const children = () =>
    it.components.map(
      (child) => html`<${Component} key=${child.id} component=${child} context=${context} />`,
    );
  const emoji = it.emoji?.name ? `${it.emoji.name} ` : "";
  switch (it.type) {
    case 1:
      return html`<div class="row">${children()}</div>`;
    case 2:
      return it.style === 5
        ? html`<a class="button link" href=${it.url} target="_blank" rel="noreferrer noopener">${emoji}${it.label} ↗</a>`
        : html`<button type="button" class=${`button ${BUTTON[it.style]}`} disabled=${it.disabled || busy} onClick=${() => onUse(it.custom_id, null)}>
            ${emoji}${it.label}
          </button>`;
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return html`<${Select} component=${it} onUse=${onUse} entities=${entities} />`;
    case 9:
      return html`<div class="section"><div>${children()}</div><${Component} component=${it.accessory} context=${context} /></div>`;
    case 10:
      return html`<div>${markdown(it.content, names)}</div>`;
    case 11:
      return html`<${Picture} className="thumbnail" src=${it.media.url} alt=${it.description ?? "thumbnail"} zoom=${zoom} />`;
    case 12:
      return html`<div class=${`pictures count-${Math.min(it.items.length, 4)}`}>
        ${it.items.map((item) => html`<${Picture} src=${item.media.url} alt=${item.description ?? "picture"} width=${item.media.width} height=${item.media.height} zoom=${zoom} />`)}
      </div>`;
    case 13:
      return html`<a class="file" href=${it.file.url} download><${FileIcon} /><span><b>${it.name ?? "file"}</b><small>${kilobytes(it.size ?? 0)}</small></span></a>`;
    case 14:
      return it.divider === false ? html`<div class="gap"></div>` : html`<hr />`;
    case 17:
      return html`<div class="container" style=${it.accent_color == null ? "" : `border-left-color:#${it.accent_color.toString(16).padStart(6, "0")}`}>${children()}</div>`;
    default:
      return html`<p class="notice">A component of type ${it.type} cannot be shown here.</p>`;
  }
}

export function Message({ message, me, grouped, names, zoom, use, busy, entities, dismiss }) {
  const { author, flags, interaction } = message;
  const ephemeral = (flags & EPHEMERAL) !== 0;
  const loading = (flags & LOADING) !== 0;
  const pinged = message.mention_everyone || message.mentions.some((it) => it.id === me.id);
  const time = new Date(message.timestamp);
  const context = {
    names,
    zoom,
    busy,
    entities,
    onUse: (customId, values) => use(message, customId, values),
  };
  const answered = message.referenced_message;
  return html`<li class=${["message", ephemeral && "ephemeral", pinged && "pinged", grouped && "grouped"].filter(Boolean).join(" ")} data-id=${message.id}>
    ${interaction && html`<div class="origin"><b>${displayName(interaction.user)}</b> used <span class="mention">/${interaction.name}</span></div>`}
    ${!interaction && answered && html`<div class="origin">↪ <b>${displayName(answered.author)}</b> ${answered.content.slice(0, 80) || "a message"}</div>`}
    ${!grouped && html`<${Avatar} user=${author} />`}
    <div class="body">
      ${
        !grouped &&
        html`<div class="head">
        <b style=${`--hue:${hue(author.id)}`}>${displayName(author)}</b>
        ${author.bot && html`<span class="tag">BOT</span>`}
        <time datetime=${message.timestamp} title=${time.toLocaleString()}>${time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}</time>
      </div>`
      }
      ${
        loading
          ? html`<div class="thinking" role="status"><i></i><i></i><i></i> ${displayName(author)} is thinking…</div>`
          : html`<div class="text">${markdown(message.content, names)}${message.edited_timestamp && html`<small class="edited"> (edited)</small>`}</div>`
      }
      ${message.embeds.map((it) => html`<${Embed} embed=${it} names=${names} zoom=${zoom} />`)}
      ${(flags & 32768) === 0 && html`<${Attachments} list=${message.attachments} zoom=${zoom} />`}
      ${message.components.map((it) => html`<${Component} key=${it.id} component=${it} context=${context} />`)}
      ${ephemeral && html`<div class="only-you">Only you can see this · <button type="button" onClick=${() => dismiss(message)}>Dismiss message</button></div>`}
    </div>
  </li>`;
}
