// The page's state: loaded once, then kept up to date by the event stream of the current user.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { act, follow, loadChannel, loadState, NOT_THERE } from "./api.js";
import { placeInHash } from "./links.js";
import { changed, NOTHING } from "./room.js";

const OUTCOMES_KEPT = 50;
const TYPING_MS = 10_000;
/** A second press of the same button within this time is a double click. */
const SAME_PRESS_MS = 500;
const remembered = (key, fallback) => sessionStorage.getItem(key) ?? fallback;

/** State and actions of the chat for the current user and channel. */
export function useChat() {
  const [user, setUser] = useState(remembered("user", "alice"));
  const [state, setState] = useState(null);
  const [channelId, setChannelId] = useState(remembered("channel", ""));
  const [room, setRoom] = useState(NOTHING);
  const [modal, setModal] = useState(null);
  const [error, setError] = useState("");
  const [typing, setTyping] = useState(null);
  const [unread, setUnread] = useState({});
  const [busy, setBusy] = useState(null);
  // Null until it is known.
  const [connected, setConnected] = useState(null);
  const [target, setTarget] = useState(null);
  const lastPress = useRef({ key: "", at: 0 });
  const waiting = useRef(new Map());
  // An interaction's event may arrive before the answer that tells its id, so outcomes are kept until asked
  // for.
  const outcomes = useRef(new Map());
  const seenBy = useRef("");
  const here = useRef("");
  // Answers may overtake each other: only the load that was started last counts.
  const lastState = useRef(null);
  const lastRoom = useRef(null);

  const direct =
    state?.direct.map((it) => ({ ...it, name: it.recipients[0].global_name ?? it.recipients[0].username })) ??
    [];
  const channels = state === null ? [] : [...state.guilds.flatMap((it) => it.channels), ...direct];
  const channel = channels.find((it) => it.id === channelId) ?? channels[0] ?? null;
  here.current = channel?.id ?? "";
  seenBy.current = user;

  const fail = (problem) => setError(problem.message);
  const refreshState = useCallback(async () => {
    const load = loadState(user);
    lastState.current = load;
    try {
      const loaded = await load;
      if (lastState.current === load) setState(loaded);
    } catch (problem) {
      if (lastState.current === load) fail(problem);
    }
  }, [user]);
  const refreshRoom = useCallback(async () => {
    const asked = here.current;
    if (asked === "") return;
    // What happens before the answer arrives may be missing in it.
    const load = { since: [] };
    lastRoom.current = load;
    const counts = () => lastRoom.current === load && here.current === asked && seenBy.current === user;
    try {
      const loaded = await loadChannel(user, asked);
      if (!counts()) return;
      lastRoom.current = null;
      setRoom({ ...loaded, channel: asked, messages: load.since.reduce(changed, loaded.messages) });
    } catch (problem) {
      if (counts()) fail(problem);
    }
  }, [user]);

  useEffect(() => {
    sessionStorage.setItem("user", user);
    setRoom(NOTHING);
    setUnread({});
    setModal(null);
    setConnected(null);
    refreshState();
  }, [user]);
  useEffect(() => {
    if (channel === null) return;
    sessionStorage.setItem("channel", channel.id);
    setUnread(({ [channel.id]: _read, ...rest }) => rest);
    setRoom(NOTHING);
    setTyping(null);
    setError("");
    refreshRoom();
  }, [channel?.id, user]);
  useEffect(() => {
    if (typing === null) return undefined;
    const timer = setTimeout(() => setTyping(null), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typing]);

  const onMessage = (event) => {
    const { change, message } = event;
    if (message.channel_id !== here.current) {
      if (change !== "created") return;
      const ping =
        message.guild_id === undefined ||
        message.mention_everyone ||
        message.mentions.some((it) => it.username === user);
      setUnread((all) => {
        const { count, pings } = all[message.channel_id] ?? { count: 0, pings: 0 };
        return { ...all, [message.channel_id]: { count: count + 1, pings: pings + (ping ? 1 : 0) } };
      });
      return;
    }
    if (change !== "deleted" && message.author.id === typing) setTyping(null);
    lastRoom.current?.since.push(event);
    setRoom((it) => ({ ...it, messages: changed(it.messages, event) }));
  };
  const onInteraction = (event) => {
    outcomes.current.set(event.id, event);
    if (outcomes.current.size > OUTCOMES_KEPT) outcomes.current.delete(outcomes.current.keys().next().value);
    const waiter = waiting.current.get(event.id);
    waiting.current.delete(event.id);
    setBusy((it) => (it?.interaction === event.id ? null : it));
    if (waiter) waiter(event);
    else if (event.outcome === "failed") setError("The application did not respond");
    if (event.modal) setModal({ interaction: event.id, ...event.modal });
  };
  const handle = useRef(null);
  handle.current = (event) => {
    if (event.type === "message") onMessage(event);
    else if (event.type === "typing") {
      if (event.channel_id === here.current) setTyping(event.user_id);
    } else if (event.type === "interaction") onInteraction(event);
    else if (event.type === "commands") refreshRoom();
    else refreshState();
  };
  useEffect(
    () =>
      follow(user, {
        onEvent: (event) => handle.current(event),
        onOpen: () => {
          setConnected(true);
          setError((it) => (it === NOT_THERE ? "" : it));
          refreshState();
          refreshRoom();
        },
        onClose: () => setConnected(false),
      }),
    [user],
  );

  // A link to a message changes the page's address. It is cleared, so that the same link works again.
  useEffect(() => {
    const jump = () => {
      const place = placeInHash(location.hash);
      if (place === null) return;
      history.replaceState(null, "", location.pathname + location.search);
      setChannelId(place.channel);
      setTarget(place.message ? place : null);
    };
    jump();
    addEventListener("hashchange", jump);
    return () => removeEventListener("hashchange", jump);
  }, []);

  const attempt = async (run) => {
    setError("");
    try {
      return await run();
    } catch (problem) {
      setError(problem.message);
      return undefined;
    }
  };
  return {
    user,
    state: state && { ...state, direct },
    channel,
    channels,
    room,
    modal,
    error,
    typing,
    unread,
    busy,
    /** Whether the stream is open and the channel loaded: what is shown is what is there. */
    live: connected === true && room.channel === channel?.id,
    connected,
    target,
    clearTarget: () => setTarget(null),
    setUser,
    setError,
    go: (id) => {
      if (!id) return;
      setTarget(null);
      setChannelId(id);
    },
    closeModal: () => setModal(null),
    /** Uses a button or, with `values`, a select. */
    use: (message, customId, values) => {
      const key = JSON.stringify([user, message.id, customId, values]);
      const again = key === lastPress.current.key && Date.now() - lastPress.current.at < SAME_PRESS_MS;
      if (again) return undefined;
      lastPress.current = { key, at: Date.now() };
      return attempt(async () => {
        const body = { user, message: message.id, custom_id: customId, values };
        const { interaction } = await act("component", body);
        if (!outcomes.current.has(interaction)) setBusy({ interaction, message: message.id, customId });
      });
    },
    submitModal: async (inputs, files) => {
      await act("modal", { user, interaction: modal.interaction, inputs }, files);
      setModal(null);
    },
    useMenu: (name, target) => attempt(() => act("menu", { user, channel: channel.id, name, target })),
    react: (message, emoji) => attempt(() => act("react", { user, message: message.id, emoji })),
    remove: (message) => attempt(() => act("delete", { user, message: message.id })),
    setLocale: (locale) => attempt(() => act("locale", { user, locale }).then(refreshState)),
    choicesOf: async (body) => {
      const { interaction } = await act("autocomplete", body);
      const early = outcomes.current.get(interaction);
      if (early) return early.choices ?? [];
      return new Promise((resolve) => {
        waiting.current.set(interaction, (event) => resolve(event.choices ?? []));
      });
    },
  };
}
