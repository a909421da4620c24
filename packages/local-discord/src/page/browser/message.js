// One message: author, reference, text, embeds, attachments, components, and its actions.
import { Component as PreactComponent } from "preact";
import { useMemo } from "preact/hooks";
import { html } from "./api.js";
import { Component, Embed } from "./components.js";
import { Icon } from "./icons.js";
import { markdown, oneLine } from "./markdown.js";
import { Attachments } from "./media.js";
import { Avatar, displayName, hue, roleColour } from "./people.js";

const EPHEMERAL = 64;
const LOADING = 128;
const COMPONENTS_V2 = 1 << 15;
const CHAT_COMMAND = 20;

const at = (x, y) => ({ left: x, top: y, bottom: y });
export const isEphemeral = (message) => (message.flags & EPHEMERAL) !== 0;

/**
 * A message; one that cannot be drawn shows its text as it was sent, until it is edited.
 * `context`: { me, names, zoom, guild, use, react, busy, entities, dismiss, openMenu }.
 */
export class Message extends PreactComponent {
  componentDidCatch(error) {
    console.error(error);
    this.setState({ undrawable: this.props.message });
  }

  render({ message, grouped, context }, { undrawable }) {
    if (undrawable !== message)
      return html`<${Drawn} message=${message} grouped=${grouped} context=${context} />`;
    return html`<li class="message" data-id=${message.id} tabindex="-1"><${Avatar} user=${message.author} /><div class="body">
      <div class="head"><b>${displayName(message.author)}</b></div><div class="text"><div class="line">${message.content}</div></div>
    </div></li>`;
  }
}

function Drawn({ message, grouped, context }) {
  const { me, names, zoom, guild, use, react, busy, entities, dismiss, openMenu } = context;
  const { author, flags } = message;
  const ephemeral = isEphemeral(message);
  const loading = (flags & LOADING) !== 0;
  const pinged = message.mention_everyone || message.mentions.some((it) => it.id === me.id);
  // Each event draws the whole list: a text is read again only when it has changed.
  const text = useMemo(() => markdown(message.content, names), [message.content, names]);
  const time = new Date(message.timestamp);
  const short = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const parts = {
    names,
    zoom,
    entities,
    busy: busy?.message === message.id ? busy.customId : null,
    use: (customId, values) => use(message, customId, values),
  };
  const role = roleColour(guild, author.id);
  const style = role === undefined ? `--hue:${hue(author.id)}` : `--role:${role}`;
  const classes = [
    "message",
    ephemeral && "ephemeral",
    pinged && "pinged",
    grouped && "grouped",
    loading && "loading",
  ];
  const atPointer = (event) => {
    // Links, pictures, inputs and selected text keep the browser's own menu.
    if (event.target.closest("a, img, input, textarea") || String(getSelection()) !== "") return;
    event.preventDefault();
    openMenu(message, at(event.clientX, event.clientY));
  };
  const fromKeys = (event) => {
    if (event.target !== event.currentTarget || (event.key !== "ContextMenu" && event.key !== "Enter"))
      return;
    event.preventDefault();
    const { left, top } = event.currentTarget.getBoundingClientRect();
    openMenu(message, at(left + 70, top + 20));
  };
  return html`<li class=${classes.filter(Boolean).join(" ")} data-id=${message.id} tabindex="-1" onContextMenu=${atPointer} onKeyDown=${fromKeys}
      aria-label=${`${displayName(author)}, ${short}`}>
    <${Origin} message=${message} names=${names} />
    ${grouped ? html`<time class="aside" datetime=${message.timestamp} aria-hidden="true">${short}</time>` : html`<${Avatar} user=${author} />`}
    <div class="body">
      ${
        !grouped &&
        html`<div class="head"><b style=${style}>${displayName(author)}</b>${author.bot && html`<span class="tag">APP</span>`}
        <time datetime=${message.timestamp} title=${time.toLocaleString()}>${short}</time></div>`
      }
      ${
        loading
          ? html`<div class="thinking"><i></i><i></i><i></i> ${displayName(author)} is thinking…</div>`
          : message.content !== "" &&
            html`<div class="text">${text}${message.edited_timestamp && html`<small class="edited" title=${new Date(message.edited_timestamp).toLocaleString()}> (edited)</small>`}</div>`
      }
      ${message.embeds.map((it) => html`<${Embed} embed=${it} names=${names} zoom=${zoom} />`)}
      ${(flags & COMPONENTS_V2) === 0 && html`<${Attachments} list=${message.attachments} zoom=${zoom} />`}
      ${message.components.map((it) => html`<${Component} key=${it.id} component=${it} context=${parts} />`)}
      ${
        message.reactions &&
        html`<div class="reactions">${message.reactions.map(
          ({ emoji: { name }, count }) =>
            html`<button type="button" key=${name} title="Add or take away your own" aria-label=${`${name}, ${count}`} onClick=${() => react(message, name)}>${name} <b>${count}</b></button>`,
        )}</div>`
      }
      ${ephemeral && html`<div class="only-you"><${Icon} name="lock" size=${14} />Only you can see this · <button type="button" onClick=${() => dismiss(message)}>Dismiss message</button></div>`}
    </div>
    <div class="tools"><button type="button" aria-label=${`More for the message of ${displayName(author)}, ${short}`} aria-haspopup="menu" onClick=${(
      event,
    ) => {
      const { left, top, bottom } = event.currentTarget.getBoundingClientRect();
      openMenu(message, { left: left - 150, top, bottom });
    }}><${Icon} name="more" /></button></div>
  </li>`;
}

/** The line above a message: the command or message that it answers. */
function Origin({ message, names }) {
  const { interaction, referenced_message: answered } = message;
  if (interaction)
    return html`<div class="origin"><${Avatar} user=${interaction.user} size="tiny" /><b>${displayName(interaction.user)}</b> used <span class="mention">${message.type === CHAT_COMMAND ? "/" : ""}${interaction.name}</span></div>`;
  if (!answered) return null;
  const text = answered.content.slice(0, 120);
  return html`<div class="origin"><${Avatar} user=${answered.author} size="tiny" /><b>${displayName(answered.author)}</b> <span class="cut">${text === "" ? html`<em>Click to see the attachment or components</em>` : oneLine(text, names)}</span></div>`;
}
