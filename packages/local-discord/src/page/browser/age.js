// The question that Discord asks before it shows an age-restricted channel.
import { html } from "./api.js";
import { Icon } from "./icons.js";

/** The users who have confirmed their age in this browser. */
export const readAdults = () => JSON.parse(localStorage.getItem("adults") ?? "[]");
export const keepAdults = (users) => localStorage.setItem("adults", JSON.stringify(users));

export function AgeQuestion({ channel, yes }) {
  return html`<div class="age" role="region" aria-label="Age-restricted channel"><${Icon} name="alert" size=${40} />
    <h2>#${channel.name} is age-restricted</h2>
    <p>It may show adult content. Are you 18 or older?</p>
    <div class="row"><button type="button" class="button danger" onClick=${yes}>I am 18 or older</button></div>
    <small>If you are not, pick another channel on the left.</small>
  </div>`;
}
