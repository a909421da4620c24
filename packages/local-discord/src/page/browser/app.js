// The page: servers and channels on the left, the channel in the middle, the operator's panel on the right.
import { render } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { AgeQuestion, keepAdults, readAdults } from "./age.js";
import { html, NOT_THERE } from "./api.js";
import { useChat } from "./chat.js";
import { Composer } from "./composer.js";
import { Icon } from "./icons.js";
import { Lightbox } from "./media.js";
import { isEphemeral, Message } from "./message.js";
import { Modal } from "./modal.js";
import { Operator } from "./operator.js";
import { displayName } from "./people.js";
import { Menu } from "./popover.js";
import { Channels, DIRECT, Me, Servers } from "./sidebar.js";
import { leaves } from "./slash.js";

const GROUP_MS = 5 * 60_000;
const NEAR_END = 80;
const WIDE = "(min-width: 1180px)";

function App() {
  const chat = useChat();
  const { state, channel, room } = chat;
  const [zoomed, setZoomed] = useState(null);
  const [menu, setMenu] = useState(null);
  const [hidden, setHidden] = useState([]);
  const [drawer, setDrawer] = useState(false);
  const [operator, setOperator] = useState(
    () => (localStorage.getItem("operator") ?? String(matchMedia(WIDE).matches)) === "true",
  );
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "auto");
  const [dropped, setDropped] = useState(null);
  const [called, setCalled] = useState(null);
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState(0);
  const [adults, setAdults] = useState(readAdults);

  // Before the page is painted, so that it doesn't flash in the other theme.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
  }, [theme]);
  const showOperator = (open) => {
    setOperator(open);
    localStorage.setItem("operator", String(open));
  };
  const fresh = Object.values(chat.unread).reduce((sum, it) => sum + it.count, 0);
  useEffect(() => {
    if (channel)
      document.title = `${fresh > 0 ? `(${fresh}) ` : ""}${channel.guild_id ? "#" : ""}${channel.name} – Local Discord`;
  }, [fresh, channel?.id]);
  const commands = room?.commands;
  const commandNames = useMemo(
    () => new Map(leaves(commands ?? [], state?.me.locale).map((it) => [it.real, it.name])),
    [commands, state?.me.locale],
  );
  const names = useCallback(
    (id) => {
      if (id.startsWith("/")) return commandNames.get(id.slice(1));
      const found = [...(state?.people ?? []), state?.bot].find((it) => it?.id === id);
      if (found) return displayName(found);
      return (
        chat.channels.find((it) => it.id === id)?.name ??
        state?.guilds.flatMap((it) => it.roles).find((it) => it.id === id)?.name
      );
    },
    [state, commandNames],
  );

  if (state === null || channel === null)
    return html`<p class="empty" role="status">${chat.error || "Loading…"}</p>`;
  const guild = state.guilds.find((it) => it.id === channel.guild_id) ?? null;
  const known = entitiesOf(state, guild);
  const go = (id) => {
    chat.go(id);
    setDrawer(false);
  };
  const asked = channel.nsfw === true && !adults.includes(chat.user);
  const confirm = () => {
    const all = [...adults, chat.user];
    keepAdults(all);
    setAdults(all);
  };
  const openMenu = (message, at) =>
    setMenu({ at, items: menuItems({ message, chat, room, channel, dismiss }) });
  const dismiss = (message) => setHidden((all) => [...all, message.id]);
  const context = {
    me: state.me,
    names,
    zoom: setZoomed,
    guild,
    use: chat.use,
    react: chat.react,
    busy: chat.busy,
    entities: known.ofComponent,
    dismiss,
    openMenu,
  };
  const onKeyDown = (event) => {
    if (event.key === "Escape" && drawer) setDrawer(false);
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    const list = guild ? guild.channels : state.direct;
    const at = list.findIndex((it) => it.id === channel.id) + (event.key === "ArrowUp" ? -1 : 1);
    event.preventDefault();
    go(list[(at + list.length) % list.length].id);
  };

  return html`<div class=${["layout", drawer && "open", operator && "with-operator"].filter(Boolean).join(" ")} aria-busy=${!chat.live} onKeyDown=${onKeyDown}>
    <nav class="side" aria-label="Servers and channels">
      <${Servers} state=${state} place=${guild?.id ?? DIRECT} unread=${chat.unread} go=${(id) => chat.go(id)} />
      <div class="side-main">
        <${Channels} state=${state} guild=${guild} channel=${channel} unread=${chat.unread} go=${go} />
        <${Me} state=${state} guild=${guild} setUser=${chat.setUser} setLocale=${chat.setLocale} theme=${theme} setTheme=${setTheme} />
      </div>
    </nav>
    <button type="button" class="shade" aria-label="Close the channels" tabindex="-1" onClick=${() => setDrawer(false)}></button>
    <main class=${over ? "over" : ""}
      onClick=${(event) => {
        const mention = event.target.closest?.("button[data-command]");
        if (mention)
          setCalled({
            name: mention.dataset.command,
            options: JSON.parse(mention.dataset.options ?? "{}"),
          });
      }}
      onDragOver=${(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave=${(event) => event.currentTarget.contains(event.relatedTarget) || setOver(false)}
      onDrop=${(event) => {
        event.preventDefault();
        setOver(false);
        setDropped({ files: event.dataTransfer.files });
      }}>
      <header>
        <button type="button" class="round narrow-only" aria-label="Channels" aria-expanded=${drawer} onClick=${() => setDrawer(!drawer)}><${Icon} name="menu" /></button>
        <h1><${Icon} name=${channel.guild_id ? (channel.hidden ? "lock" : "hash") : "at"} size=${18} />${channel.name}</h1>
        <p>${channel.topic}</p>
        <${Presence} connected=${chat.connected} bot=${state.bot} />
        <button type="button" class="round" aria-label="Operator's panel" title="Operator's panel" aria-pressed=${operator} onClick=${() => showOperator(!operator)}><${Icon} name="gauge" /></button>
      </header>
      ${
        asked
          ? html`<${AgeQuestion} channel=${channel} yes=${confirm} />`
          : html`<${Messages} channel=${channel} room=${room} hidden=${hidden} context=${context} online=${state.bot.online} bot=${displayName(state.bot)} examples=${state.examples}
        sent=${sent} target=${chat.target} clearTarget=${chat.clearTarget} onError=${chat.setError} />`
      }
      <div class="status" role="status">${chat.typing && html`<span class="thinking"><i></i><i></i><i></i></span> <b>${names(chat.typing)}</b> is typing…`}</div>
      ${chat.error && !(chat.connected === false && chat.error === NOT_THERE) && html`<div class="toast" role="alert"><${Icon} name="alert" size=${18} /><span>${chat.error}</span><button type="button" class="round" aria-label="Close" onClick=${() => chat.setError("")}><${Icon} name="close" size=${16} /></button></div>`}
      ${chat.connected === false && html`<p class="offline" role="status">${NOT_THERE}. This page connects again by itself.</p>`}
      ${chat.connected && !state.bot.online && html`<p class="offline" role="status">${displayName(state.bot)} is offline. Nobody answers commands until it is back.</p>`}
      ${
        !asked &&
        html`<${Composer} key=${`${channel.id} ${chat.user}`} user=${chat.user} locale=${state.me.locale} channel=${channel} commands=${room.commands} entities=${known.ofOption} choicesOf=${chat.choicesOf}
        onError=${chat.setError} limit=${state.attachment_size_limit} dropped=${dropped} called=${called} onCalled=${() => setCalled(null)} connected=${chat.connected} onSent=${() => setSent((it) => it + 1)} />`
      }
      ${over && html`<div class="drop" aria-hidden="true"><b>Drop to attach</b></div>`}
    </main>
    ${operator && html`<${Operator} names=${names} close=${() => showOperator(false)} />`}
    ${zoomed && html`<${Lightbox} pictures=${zoomed.all} start=${zoomed.at} close=${() => setZoomed(null)} />`}
    ${menu && html`<${Menu} items=${menu.items} at=${menu.at} label="Message" close=${() => setMenu(null)} />`}
    ${chat.modal && html`<${Modal} key=${chat.modal.interaction} modal=${chat.modal} entities=${known.ofComponent} close=${chat.closeModal} submit=${chat.submitModal} />`}
  </div>`;
}

/** Whether the server and the bot are there. */
function Presence({ connected, bot }) {
  const on = connected !== false && bot.online;
  return html`<span class=${on ? "presence on" : "presence"} role="status">${
    connected === false
      ? NOT_THERE
      : html`${bot.username} <span>is ${bot.online ? "online" : "offline"}</span>`
  }</span>`;
}

/**
 * A channel's messages. Stays at the newest one unless the reader scrolled up; `sent` changes when the reader
 * says something, and `target` is the message that a link leads to.
 */
function Messages({
  channel,
  room,
  hidden,
  context,
  online,
  bot,
  examples,
  sent,
  target,
  clearTarget,
  onError,
}) {
  const list = useRef(null);
  const atEnd = useRef(true);
  const [behind, setBehind] = useState(false);
  const shown = room.messages.filter((it) => !hidden.includes(it.id));
  const down = () => {
    list.current.scrollTop = list.current.scrollHeight;
  };
  useLayoutEffect(() => {
    atEnd.current = true;
    setBehind(false);
  }, [channel.id]);
  useLayoutEffect(() => {
    if (atEnd.current) down();
  }, [room.messages]);
  // The list gets lower when a notice or the options of a command open below it.
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => list.current !== null && atEnd.current && down());
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (sent === 0) return;
    atEnd.current = true;
    down();
  }, [sent]);
  useLayoutEffect(() => {
    if (target === null || target.channel !== room.channel) return;
    clearTarget();
    const message = list.current.querySelector(`[data-id="${target.message}"]`);
    if (message === null) {
      onError("The message that this link leads to is no longer here");
      return;
    }
    atEnd.current = false;
    message.scrollIntoView({ block: "center" });
    message.focus({ preventScroll: true });
    message.classList.add("target");
    message.onanimationend = () => message.classList.remove("target");
  }, [target, room]);
  const count = room.commands.length;
  const offered = channel.may.send
    ? examples.filter(({ command }) => room.commands.some(({ name }) => name === command))
    : [];
  return html`<div class="log">
    <ol class="messages" ref=${list} role="log" aria-label=${`Messages in ${channel.name}`} aria-live="polite" aria-relevant="additions" tabindex="0"
      onScroll=${() => {
        const { scrollHeight, scrollTop, clientHeight } = list.current;
        atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
        setBehind(!atEnd.current);
      }}
      onLoadCapture=${() => atEnd.current && down()}>
      <li class="welcome"><span class="welcome-icon"><${Icon} name=${channel.guild_id ? "hash" : "at"} size=${30} /></span>
        <h2>${channel.guild_id ? `Welcome to #${channel.name}` : channel.name}</h2>
        <p>${channel.topic ?? (channel.guild_id ? "" : `The beginning of your messages with ${channel.name}.`)}</p>
        <p>${
          count > 0
            ? html`Type <kbd>/</kbd> to see ${count === 1 ? "the command" : `the ${count} commands`} of ${bot}.`
            : online
              ? html`${bot} offers no commands here.`
              : html`No bot is online. Start one with this address and its token, as the terminal says.`
        }</p>
        ${
          offered.length > 0 &&
          html`<p>To try it, press one and then Enter:</p>
        <ul class="examples" aria-label="Examples">${offered.map(
          ({ command, options }) =>
            html`<li key=${JSON.stringify([command, options])}><button type="button" data-command=${command} data-options=${JSON.stringify(options)}>/${[command, ...Object.entries(options).map(([name, value]) => `${name}:${value}`)].join(" ")}</button></li>`,
        )}</ul>`
        }</li>
      ${shown.map((it, n) => {
        const before = shown[n - 1];
        const at = new Date(it.timestamp);
        const newDay =
          before === undefined || new Date(before.timestamp).toDateString() !== at.toDateString();
        const grouped =
          !newDay &&
          before.author.id === it.author.id &&
          isEphemeral(before) === isEphemeral(it) &&
          !it.interaction &&
          !it.referenced_message &&
          at - new Date(before.timestamp) < GROUP_MS;
        return html`${newDay && html`<li class="day" key=${`day ${it.id}`}><span>${at.toLocaleDateString([], { day: "numeric", month: "long", year: "numeric" })}</span></li>`}
          <${Message} key=${it.id} message=${it} grouped=${grouped} context=${context} />`;
      })}
    </ol>
    ${behind && html`<button type="button" class="to-end" onClick=${down}>To the newest <${Icon} name="down" size=${16} /></button>`}
  </div>`;
}

/** Actions on a message; the bot's message commands come first. */
function menuItems({ message, chat, room, channel, dismiss }) {
  const mine = message.author.username === chat.user;
  const apps = room.message_commands;
  const about = isEphemeral(message) ? [] : room.user_commands;
  return [
    apps.length > 0 && { heading: "Apps" },
    ...(isEphemeral(message) ? [] : apps).map((it) => ({
      label: it.name,
      icon: "spark",
      run: () => chat.useMenu(it.name, message.id),
    })),
    about.length > 0 && { heading: displayName(message.author) },
    ...about.map((it) => ({
      label: it.name,
      icon: "at",
      run: () => chat.useMenu(it.name, message.author.id),
    })),
    { heading: "Message" },
    !isEphemeral(message) && { label: "React with ⭐", icon: "spark", run: () => chat.react(message, "⭐") },
    { label: "Copy text", icon: "copy", run: () => navigator.clipboard.writeText(message.content) },
    { label: "Copy message ID", icon: "hash", run: () => navigator.clipboard.writeText(message.id) },
    isEphemeral(message) && { label: "Dismiss message", icon: "close", run: () => dismiss(message) },
    !isEphemeral(message) &&
      (mine || channel.may.manage) && {
        label: "Delete message",
        icon: "trash",
        danger: true,
        run: () => chat.remove(message),
      },
  ].filter(Boolean);
}

/** Users, roles and channels to choose from; options of commands and selects number the kinds differently. */
function entitiesOf(state, guild) {
  const members = guild?.members.map((it) => it.id);
  const users = [...state.people, state.bot].filter((it) => members === undefined || members.includes(it.id));
  const people = users.map((it) => ({ name: it.username, label: displayName(it), value: it.id }));
  const roles = (guild?.roles ?? []).map((it) => ({ name: it.name, label: it.name, value: it.id }));
  const rooms = (types) =>
    (guild?.channels ?? [])
      .filter((it) => !types || types.length === 0 || types.includes(it.type))
      .map((it) => ({ name: it.name, label: `#${it.name}`, value: it.id }));
  return {
    ofOption: ({ type, channel_types: types }) =>
      ({ 6: people, 7: rooms(types), 8: roles, 9: [...people, ...roles] })[type],
    ofComponent: ({ type, channel_types: types }) =>
      ({ 5: people, 6: roles, 7: [...people, ...roles], 8: rooms(types) })[type] ?? [],
  };
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
