// Links to messages and channels: those that exist here stay on this page.
import { html } from "./api.js";

const MESSAGE_LINK =
  /^https:\/\/(?:(?:ptb|canary)\.)?discord(?:app)?\.com\/channels\/(?:@me|\d+)\/(\d+)(?:\/(\d+))?\/?$/;
const HASH = /^#\/(\d+)(?:\/(\d+))?$/;

/** The place that a link of Discord names: { channel, message? } with their ids; null for any other address. */
function placeOf(url) {
  const [, channel, message] = MESSAGE_LINK.exec(url) ?? [];
  return channel === undefined ? null : { channel, message };
}

/** The place in the page's own address, such as "#/CHANNEL/MESSAGE", or null. */
export function placeInHash(hash) {
  const [, channel, message] = HASH.exec(hash) ?? [];
  return channel === undefined ? null : { channel, message };
}

/**
 * A link. `names` tells what exists here by id: links to that jump, all others open in a new tab. Without
 * children a link to a message is called by its channel, as Discord does.
 */
export function Link({ url, names, className, children }) {
  const place = placeOf(url);
  const name = place && names(place.channel);
  if (name === undefined || name === null)
    return html`<a class=${className} href=${url} target="_blank" rel="noreferrer noopener">${children ?? url}</a>`;
  const href = `#/${[place.channel, place.message].filter(Boolean).join("/")}`;
  return html`<a class=${className ?? "mention"} href=${href}>${children ?? `#${name}${place.message ? " › message" : ""}`}</a>`;
}
