// Names, colours and avatars.
import { html } from "./api.js";

// Ids made at about the same time are close to each other; the factor spreads their colours.
export const hue = (id) => Number((BigInt(id) * 137n) % 360n);
export const displayName = (user) => user.global_name ?? user.username;

export function Avatar({ user, size = "", online }) {
  return html`<span class=${`avatar ${size}`} style=${`--hue:${hue(user.id)}`} aria-hidden="true">
    ${displayName(user).slice(0, 1).toUpperCase()}${online !== undefined && html`<i class=${online ? "dot on" : "dot"}></i>`}
  </span>`;
}

/** The colour of a member's highest coloured role, or undefined. */
export function roleColour(guild, userId) {
  const member = guild?.members.find((it) => it.id === userId);
  const roles = guild?.roles.filter((it) => member?.roles.includes(it.id) && it.color !== 0) ?? [];
  const top = roles.sort((a, b) => b.position - a.position)[0];
  return top === undefined ? undefined : `#${top.color.toString(16).padStart(6, "0")}`;
}
