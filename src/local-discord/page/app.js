// The page: people and channels at the left, the channel in the middle.
import { render } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { act, follow, html, loadChannel, loadState } from "./api.js";
import { Composer } from "./composer.js";
import { Avatar, Message } from "./message.js";
import { Modal } from "./modal.js";

const GROUP_MS = 5 * 60_000;
const OUTCOMES_KEPT = 50;
const remembered = (key, fallback) => sessionStorage.getItem(key) ?? fallback;

function App() {
  const [user, setUser] = useState(remembered("user", "alice"));
  const [state, setState] = useState(null);
  const [channelId, setChannelId] = useState(remembered("channel", ""));
  const [messages, setMessages] = useState([]);
  const [commands, setCommands] = useState([]);
  const [zoomed, setZoomed] = useState(null);
  const [modal, setModal] = useState(null);
  const [error, setError] = useState("");
  const [typing, setTyping] = useState(false);
  const [unread, setUnread] = useState({});
  const [hidden, setHidden] = useState([]);
  const [narrow, setNarrow] = useState(false);
  const [pending, setPending] = useState({});
  const waiting = useRef(new Map());
  // The event of an interaction may overtake the answer that tells its id: outcomes are kept for whoever asks late.
  const outcomes = useRef(new Map());
  const seenBy = useRef("");
  const here = useRef("");
  const list = useRef(null);

  const channels =
    state === null
      ? []
      : [
          ...state.guilds.flatMap((it) => it.channels),
          ...state.direct.map((it) => ({ ...it, name: state.bot.username })),
        ];
  const channel = channels.find((it) => it.id === channelId) ?? channels[0] ?? null;
  here.current = channel?.id ?? "";
  seenBy.current = user;

  const refreshState = useCallback(
    () => loadState(user).then(setState, (problem) => setError(problem.message)),
    [user],
  );
  const refreshChannel = useCallback(() => {
    if (here.current === "") return undefined;
    const asked = here.current;
    return loadChannel(user, asked).then(
      (it) => {
        if (here.current !== asked || seenBy.current !== user) return;
        setMessages(it.messages);
        setCommands(it.commands);
      },
      (problem) => setError(problem.message),
    );
  }, [user]);

  useEffect(() => {
    sessionStorage.setItem("user", user);
    setMessages([]);
    setUnread({});
    setModal(null);
    refreshState();
  }, [user]);
  useEffect(() => {
    if (channel === null) return;
    sessionStorage.setItem("channel", channel.id);
    setUnread((it) => ({ ...it, [channel.id]: 0 }));
    setMessages([]);
    setError("");
    refreshChannel();
  }, [channel?.id, user]);

  const onEvent = useCallback(
    (event) => {
      switch (event.type) {
        case "message": {
          const { message } = event;
          if (message.channel_id !== here.current) {
            if (event.change === "created")
              setUnread((it) => ({ ...it, [message.channel_id]: (it[message.channel_id] ?? 0) + 1 }));
            return;
          }
          setTyping(false);
          setMessages((all) => {
            const rest = all.filter((it) => it.id !== message.id);
            if (event.change === "deleted") return rest;
            const at = all.findIndex((it) => it.id === message.id);
            return at < 0 ? [...all, message] : all.map((it) => (it.id === message.id ? message : it));
          });
          return;
        }
        case "typing":
          if (event.channel_id === here.current) setTyping(true);
          return;
        case "interaction": {
          outcomes.current.set(event.id, event);
          if (outcomes.current.size > OUTCOMES_KEPT)
            outcomes.current.delete(outcomes.current.keys().next().value);
          const waiter = waiting.current.get(event.id);
          waiting.current.delete(event.id);
          setPending(({ [event.id]: _done, ...rest }) => rest);
          if (waiter) waiter(event);
          else if (event.outcome === "failed") setError("The application did not respond");
          if (event.modal) setModal({ interaction: event.id, ...event.modal });
          return;
        }
        case "bot":
          setState((it) => it && { ...it, bot: { ...it.bot, online: event.online } });
          return;
        case "commands":
          refreshChannel();
          return;
        default:
          refreshState();
      }
    },
    [refreshChannel, refreshState],
  );
  useEffect(
    () =>
      follow(user, onEvent, () => {
        refreshState();
        refreshChannel();
      }),
    [user, onEvent],
  );

  // Stay at the newest message unless the reader has scrolled up; pictures that load later count too.
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [messages, typing]);
  useEffect(() => {
    if (!typing) return undefined;
    const timer = setTimeout(() => setTyping(false), 10_000);
    return () => clearTimeout(timer);
  }, [typing]);

  const names = useCallback(
    (id) => {
      if (state === null) return undefined;
      const found = [...state.people, state.bot].find((it) => it.id === id);
      return found
        ? (found.global_name ?? found.username)
        : (channels.find((it) => it.id === id)?.name ??
            state.guilds.flatMap((it) => it.roles).find((it) => it.id === id)?.name);
    },
    [state],
  );
  const entities = (type) => {
    const people = [...state.people, state.bot].map((it) => ({
      name: it.username,
      label: it.username,
      value: it.id,
    }));
    const roles = state.guilds
      .flatMap((it) => it.roles)
      .map((it) => ({ name: it.name, label: it.name, value: it.id }));
    const rooms = state.guilds
      .flatMap((it) => it.channels)
      .map((it) => ({ name: it.name, label: `#${it.name}`, value: it.id }));
    return { 5: people, 6: people, 7: rooms, 8: roles, 9: [...people, ...roles] }[type];
  };
  // Component types number the entity selects differently from option types.
  const selectEntities = (type) => entities({ 5: 6, 6: 8, 7: 9, 8: 7 }[type]) ?? [];

  const use = async (message, customId, values) => {
    setError("");
    try {
      const { interaction } = await act("component", {
        user,
        message: message.id,
        custom_id: customId,
        values,
      });
      if (!outcomes.current.has(interaction)) setPending((it) => ({ ...it, [interaction]: message.id }));
    } catch (problem) {
      setError(problem.message);
    }
  };
  const choicesOf = async (body) => {
    const { interaction } = await act("autocomplete", body);
    const early = outcomes.current.get(interaction);
    if (early) return early.choices ?? [];
    return new Promise((resolve) => {
      waiting.current.set(interaction, (event) => resolve(event.choices ?? []));
    });
  };

  if (state === null || channel === null) return html`<p class="empty">${error || "Loading…"}</p>`;
  const shown = messages.filter((it) => !hidden.includes(it.id));
  const visit = (id) => {
    setChannelId(id);
    setNarrow(false);
  };
  const room = (
    it,
    label,
  ) => html`<li key=${it.id}><button type="button" class=${it.id === channel.id ? "channel here" : "channel"} aria-current=${it.id === channel.id ? "page" : undefined} onClick=${() => visit(it.id)}>
    ${label}${unread[it.id] > 0 && html`<span class="badge" aria-label=${`${unread[it.id]} new`}>${unread[it.id]}</span>`}</button></li>`;

  return html`<div class=${narrow ? "layout open" : "layout"}>
    <nav class="side" aria-label="Channels">
      ${state.guilds.map((guild) => html`<h2>${guild.name}</h2><ul>${guild.channels.map((it) => room(it, html`<span class="sign" aria-hidden="true">#</span>${it.name}`))}</ul>`)}
      <h2 class="minor">Direct messages</h2>
      <ul>${state.direct.map((it) => room(it, html`<span class=${state.bot.online ? "dot on" : "dot"} role="img" aria-label=${state.bot.online ? "online" : "offline"}></span>${state.bot.username}`))}</ul>
      <label class="whoami"><${Avatar} user=${state.me} small /><span>You are</span>
        <select aria-label="You are" value=${user} onChange=${(event) => setUser(event.currentTarget.value)}>
          ${state.people.map((it) => html`<option value=${it.username} selected=${it.username === user}>${it.username}</option>`)}
        </select></label>
    </nav>
    <main>
      <header>
        <button type="button" class="menu" aria-label="Channels" aria-expanded=${narrow} onClick=${() => setNarrow(!narrow)}>☰</button>
        <h1>${channel.guild_id ? html`<span class="sign" aria-hidden="true">#</span>` : "@"}${channel.name}</h1>
        <p>${channel.topic}</p>
        <span class=${state.bot.online ? "presence on" : "presence"} role="status">${state.bot.username} is ${state.bot.online ? "online" : "offline"}</span>
      </header>
      <ol class="messages" ref=${list} role="log" aria-label=${`Messages in ${channel.name}`} aria-live="polite" tabindex="0"
        onScroll=${(event) => {
          const it = event.currentTarget;
          atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 80;
        }}
        onLoadCapture=${() => {
          if (atEnd.current) list.current.scrollTop = list.current.scrollHeight;
        }}>
        <li class="welcome"><h2>${channel.guild_id ? `#${channel.name}` : `You and ${channel.name}`}</h2>
          <p>${commands.length > 0 ? html`Type <kbd>/</kbd> to see ${commands.length === 1 ? "the command" : `${commands.length} commands`}.` : "No commands here yet: start a bot and let it register its commands."}</p></li>
        ${shown.map((it, n) => {
          const before = shown[n - 1];
          const grouped =
            before !== undefined &&
            before.author.id === it.author.id &&
            !it.interaction &&
            !it.referenced_message &&
            new Date(it.timestamp) - new Date(before.timestamp) < GROUP_MS;
          return html`<${Message} key=${it.id} message=${it} me=${state.me} grouped=${grouped} names=${names} zoom=${setZoomed} use=${use}
            busy=${Object.values(pending).includes(it.id)} entities=${selectEntities} dismiss=${(gone) => setHidden([...hidden, gone.id])} />`;
        })}
      </ol>
      <div class="status" role="status">${typing ? `${state.bot.username} is typing…` : ""}</div>
      ${error && html`<div class="error" role="alert">${error} <button type="button" aria-label="Close" onClick=${() => setError("")}>×</button></div>`}
      <${Composer} user=${user} channel=${channel} commands=${commands} entities=${entities} choicesOf=${choicesOf} onError=${setError} limit=${state.attachment_size_limit} />
    </main>
    ${zoomed && html`<${Zoom} picture=${zoomed} close=${() => setZoomed(null)} />`}
    ${
      modal &&
      html`<${Modal} key=${modal.interaction} modal=${modal} entities=${selectEntities} close=${() => setModal(null)}
      submit=${async (inputs) => {
        await act("modal", { user, interaction: modal.interaction, inputs });
        setModal(null);
      }} />`
    }
  </div>`;
}

function Zoom({ picture, close }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} class="zoom" aria-label=${picture.alt} onClose=${close} onClick=${() => dialog.current.close()}>
    <img src=${picture.src} alt=${picture.alt} /><p>${picture.alt} · <a href=${picture.src} target="_blank" rel="noreferrer">Open the original</a></p>
  </dialog>`;
}

const root = document.getElementById("app");
root.textContent = "";
render(html`<${App} />`, root);
