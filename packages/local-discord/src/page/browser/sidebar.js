// Servers, channels, and the current user.
import { useState } from "preact/hooks";
import { html } from "./api.js";
import { Icon } from "./icons.js";
import { Avatar, displayName, hue } from "./people.js";
import { Menu } from "./popover.js";

const LANGUAGES = {
  "en-US": "English",
  de: "Deutsch",
  "es-ES": "Español",
  fr: "Français",
  ja: "日本語",
  "pt-BR": "Português",
  ru: "Русский",
};
const THEMES = [
  ["auto", "auto", "As the system"],
  ["light", "sun", "Light"],
  ["dark", "moon", "Dark"],
];
export const DIRECT = "direct";

/** The rail of servers on the far left. */
export function Servers({ state, place, unread, go }) {
  const count = (channels) => channels.reduce((sum, it) => sum + (unread[it.id]?.count ?? 0), 0);
  const pings = (channels) => channels.reduce((sum, it) => sum + (unread[it.id]?.pings ?? 0), 0);
  const entry = (
    id,
    name,
    face,
    channels,
  ) => html`<li key=${id} class=${[place === id && "here", count(channels) > 0 && "unread"].filter(Boolean).join(" ")}>
    <button type="button" aria-label=${name} title=${name} aria-current=${place === id ? "true" : undefined} onClick=${() => go(channels[0]?.id)}>${face}
      ${pings(channels) > 0 && html`<span class="badge">${pings(channels)}</span>`}</button></li>`;
  return html`<ul class="servers" aria-label="Servers">
    ${entry(DIRECT, "Direct messages", html`<${Icon} name="at" size=${22} />`, state.direct)}
    <li class="gap" role="presentation"></li>
    ${state.guilds.map((it) => entry(it.id, it.name, html`<span class="initials" style=${`--hue:${hue(it.id)}`}>${it.name.slice(0, 2)}</span>`, it.channels))}
  </ul>`;
}

/** The channels of the current server, or the direct messages. */
export function Channels({ state, guild, channel, unread, go }) {
  const room = (
    it,
    label,
    hint,
  ) => html`<li key=${it.id}><button type="button" class=${["channel", it.id === channel.id && "here", unread[it.id]?.count > 0 && "unread"].filter(Boolean).join(" ")}
      aria-current=${it.id === channel.id ? "page" : undefined} onClick=${() => go(it.id)}>
    ${label}${hint && html`<small class="mark" title=${hint[1]}>${hint[0]}</small>`}
    ${unread[it.id]?.count > 0 && html`<span class=${unread[it.id].pings > 0 ? "badge ping" : "badge"} aria-label=${`${unread[it.id].count} new`}>${unread[it.id].count}</span>`}</button></li>`;
  if (guild === null)
    return html`<div class="channels"><h2>Direct messages</h2><ul>${state.direct.map((it) =>
      room(
        it,
        html`<${Avatar} user=${it.recipients[0]} size="mid" online=${it.recipients[0].id === state.bot.id ? state.bot.online : undefined} /><span>${it.name}</span>`,
      ),
    )}</ul></div>`;
  return html`<div class="channels"><h2>${guild.name}</h2>
    ${!guild.has_bot && html`<p class="notice">${displayName(state.bot)} is not on this server. Commands that you added to your account work here.</p>`}
    <ul>${guild.channels.map((it) => room(it, html`<${Icon} name=${it.hidden ? "lock" : "hash"} size=${18} /><span>${it.name}</span>`, it.nsfw && ["18+", "Age-restricted"]))}</ul></div>`;
}

/** The current user, with menus to switch user, language and theme. */
export function Me({ state, guild, setUser, setLocale, theme, setTheme }) {
  const [menu, setMenu] = useState(null);
  const { me, people } = state;
  const rolesOf = (id) => {
    const member = guild?.members.find((it) => it.id === id);
    const named = guild?.roles.filter((it) => member?.roles.includes(it.id)).map((it) => it.name) ?? [];
    if (guild?.owner_id === id) named.unshift("Owner");
    return named.length === 0
      ? guild === null || member
        ? "Member"
        : "Not on this server"
      : named.join(", ");
  };
  const items = [
    { heading: "Be somebody else" },
    ...people.map((it) => ({
      label: displayName(it),
      note: rolesOf(it.id),
      face: html`<${Avatar} user=${it} size="mid" />`,
      checked: it.id === me.id,
      run: () => setUser(it.username),
    })),
    { heading: "Your language" },
    ...Object.entries(LANGUAGES).map(([id, label]) => ({
      label,
      checked: me.locale === id,
      run: () => setLocale(id),
    })),
    { heading: "Appearance" },
    ...THEMES.map(([id, icon, label]) => ({ label, icon, checked: theme === id, run: () => setTheme(id) })),
  ];
  return html`<div class="me">
    <button type="button" class="whoami" aria-label=${`You are ${displayName(me)}. Switch user, language or theme`} aria-haspopup="menu" aria-expanded=${menu !== null}
      onClick=${(event) => setMenu(event.currentTarget.getBoundingClientRect())}>
      <${Avatar} user=${me} size="mid" online=${true} /><span><b>${displayName(me)}</b><small>${rolesOf(me.id)}</small></span><${Icon} name="down" size=${16} />
    </button>
    ${menu && html`<${Menu} items=${items} at=${menu} label="You" close=${() => setMenu(null)} />`}
  </div>`;
}
