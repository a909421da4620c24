// The input line: plain messages, and slash commands with hints, completion and files.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { act, html } from "./api.js";
import { Icon } from "./icons.js";
import { size } from "./media.js";
import { ATTACHMENT, BOOLEAN, bounds, leaves, parse, problem } from "./slash.js";

const AUTOCOMPLETE_PAUSE_MS = 150;
const FILES = 10;

export function Composer({
  user,
  locale,
  channel,
  commands,
  entities,
  choicesOf,
  onError,
  limit,
  dropped,
  called,
  onCalled,
  connected,
  onSent,
}) {
  const [text, setText] = useState("");
  const [files, setFiles] = useState({});
  const [picked, setPicked] = useState(0);
  const [completions, setCompletions] = useState({ key: "", list: [] });
  const [open, setOpen] = useState(true);
  const box = useRef(null);
  const picker = useRef(null);
  const list = useRef(null);
  const sending = useRef(false);
  const all = useMemo(() => leaves(commands, locale), [commands, locale]);
  const slash = text.startsWith("/");
  const parsed = slash ? parse(text, all) : { command: null, values: {}, at: null };
  const { command, values, at } = parsed;
  const current = command?.options.find((it) => it.name === at) ?? null;
  const fileOption =
    command?.options.find((it) => it.type === ATTACHMENT && files[it.name] === undefined) ?? null;
  const may = channel.may;

  useLayoutEffect(() => box.current?.focus(), []);
  // Files and commands are taken before the page is painted: a key that is pressed next must find them there.
  useLayoutEffect(() => {
    if (dropped) attach(dropped.files);
  }, [dropped]);
  // A command that was clicked in a message or in the welcome; one that is not offered here is typed as the message has it.
  useLayoutEffect(() => {
    if (called === null) return;
    const leaf = all.find((it) => it.real === called.name);
    const nameOf = (real) => leaf?.options.find((it) => it.real === real)?.name ?? real;
    const options = Object.entries(called.options).map(([real, value]) => `${nameOf(real)}:${value}`);
    setText(`/${leaf?.name ?? called.name} ${options.join(" ")}`);
    setOpen(true);
    box.current?.focus();
    onCalled();
  }, [called]);

  // The bot completes the option being typed, after a short pause in typing.
  const wanted = current?.autocomplete ? `${command.name}|${current.name}|${values[current.name]}` : "";
  useEffect(() => {
    if (wanted === "") return undefined;
    let stale = false;
    const timer = setTimeout(async () => {
      try {
        const typed = realNames(command, values, (it, value) => value !== "" || it.name === current.name);
        const body = { user, channel: channel.id, name: command.real, options: typed, focused: current.real };
        const found = await choicesOf(body);
        if (!stale) setCompletions({ key: wanted, list: found });
      } catch (trouble) {
        if (!stale) onError(trouble.message);
      }
    }, AUTOCOMPLETE_PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [wanted]);

  const suggestions = useMemo(
    () =>
      slash ? suggest({ text, all, command, current, values, files, entities, completions, wanted }) : [],
    [text, all, command, current, completions, files],
  );
  const shown = open ? suggestions : [];
  const index = Math.min(picked, Math.max(0, shown.length - 1));
  useEffect(() => list.current?.children[index]?.scrollIntoView({ block: "nearest" }), [index, shown.length]);

  const take = (it) => {
    if (it.file) return picker.current.click();
    setText(it.set);
    setPicked(0);
    box.current.focus();
    return undefined;
  };
  function attach(chosen) {
    const fresh = [...chosen];
    const large = fresh.find((it) => it.size > limit);
    // The suggestions would hide what is said about the file.
    setOpen(false);
    if (large)
      return onError(`${large.name} is too big: ${size(large.size)}, and at most ${size(limit)} can be sent`);
    if (slash && fileOption && fresh[0]) setFiles({ ...files, [fileOption.name]: fresh[0] });
    else if (slash) return onError("This command takes no more files");
    else if (!may.attach) return onError("You do not have permission to attach files in this channel");
    else
      setFiles(
        Object.fromEntries(
          [...Object.values(files), ...fresh].slice(0, FILES).map((it, n) => [String(n), it]),
        ),
      );
    return box.current?.focus();
  }
  const send = async () => {
    // A second Enter before the first is answered sends nothing.
    if (sending.current || connected === false) return;
    sending.current = true;
    try {
      await deliver();
    } finally {
      sending.current = false;
    }
  };
  const deliver = async () => {
    const body = { user, channel: channel.id };
    const entries = Object.entries(files);
    const uploads = entries.map((it) => it[1]);
    try {
      if (!slash) {
        if (text.trim() === "" && entries.length === 0) return;
        await act("message", { ...body, content: text.trim() }, uploads);
      } else if (command === null) {
        return onError(`There is no command ${text.split(" ")[0]} here`);
      } else if (parsed.extra) {
        const first = command.options[0];
        return onError(
          `What is "${parsed.extra}"? ${first ? `Name an option first, such as ${first.name}:` : "This command has no options"}`,
        );
      } else {
        const options = realNames(command, values, (_it, value) => value !== "");
        entries.forEach(([name], n) => {
          options[command.options.find((it) => it.name === name).real] = { file: n };
        });
        await act("command", { ...body, name: command.real, options }, uploads);
      }
      // Text typed meanwhile stays.
      setText((now) => (now === text ? "" : now));
      setFiles({});
      onError("");
      onSent();
    } catch (trouble) {
      onError(trouble.message);
    }
  };
  const onKeyDown = (event) => {
    if (event.isComposing) return;
    const naming = shown.length > 0 && command === null;
    if (shown.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setPicked((index + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length);
    } else if (
      shown.length > 0 &&
      ((event.key === "Tab" && !event.shiftKey) || (event.key === "Enter" && naming))
    ) {
      event.preventDefault();
      take(shown[index]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (!event.repeat) send();
    } else if (event.key === "Escape") setOpen(false);
  };

  if (!may.send)
    return html`<div class="composer closed"><${Icon} name="lock" size=${16} /> You do not have permission to send messages in this channel.</div>`;
  const place = `${channel.guild_id ? "#" : "@"}${channel.name}`;
  return html`<div class="composer">
    ${
      shown.length > 0 &&
      html`<ul class="suggestions" role="listbox" id="suggestions" aria-label="Suggestions" ref=${list}>
      ${shown.map(
        (it, n) => html`<li key=${it.key} id=${`suggestion-${n}`} role="option" aria-selected=${n === index}
          onMouseDown=${(event) => {
            event.preventDefault();
            take(it);
          }} onMouseEnter=${() => setPicked(n)}>
        <b>${it.title}</b><span>${it.note}</span>${it.required && html`<em>required</em>`}</li>`,
      )}
    </ul>`
    }
    ${command !== null && html`<${Hints} command=${command} current=${current} values=${values} files=${files} />`}
    ${
      Object.keys(files).length > 0 &&
      html`<div class="chips">
      ${Object.entries(files).map(
        ([
          name,
          it,
        ]) => html`<span class="chip" key=${name}><${Icon} name="file" size=${16} /><span>${slash ? `${name}: ` : ""}${it.name}</span><small>${size(it.size)}</small>
        <button type="button" aria-label=${`Remove ${it.name}`} onClick=${() => {
          const { [name]: _gone, ...left } = files;
          setFiles(left);
        }}><${Icon} name="close" size=${14} /></button></span>`,
      )}
    </div>`
    }
    <div class="line-in">
      <button type="button" class="round" aria-label="Add a file" title="Add a file" onClick=${() => picker.current.click()}><${Icon} name="plus" /></button>
      <input ref=${picker} type="file" hidden multiple=${!slash} onChange=${(event) => {
        attach(event.currentTarget.files);
        event.currentTarget.value = "";
      }} />
      <textarea ref=${box} rows="1" value=${text} aria-label=${`Message ${place}`} placeholder=${`Message ${place}, or / for a command`}
        role="combobox" aria-expanded=${shown.length > 0} aria-controls="suggestions" aria-autocomplete="list"
        aria-activedescendant=${shown.length > 0 ? `suggestion-${index}` : undefined}
        onInput=${(event) => {
          setText(event.currentTarget.value);
          setPicked(0);
          setOpen(true);
          onError("");
        }}
        onPaste=${(event) => {
          if (event.clipboardData.files.length > 0) attach(event.clipboardData.files);
        }}
        onKeyDown=${onKeyDown}></textarea>
      <button type="button" class="round send" aria-label="Send" title="Send (Enter)" onClick=${send} disabled=${text.trim() === "" && Object.keys(files).length === 0}><${Icon} name="send" /></button>
    </div>
  </div>`;
}

/**
 * The options of the command being typed: which are filled in, which are wrong, and what the current one
 * takes.
 */
function Hints({ command, current, values, files }) {
  const wrong = current === null ? null : problem(current, values[current.name]);
  return html`<div class="hints" aria-live="polite">
    <b>/${command.name}</b>
    ${command.options.map((it) => {
      const filled = (it.name in values && values[it.name] !== "") || files[it.name];
      const bad = it !== current && problem(it, values[it.name]) !== null;
      const classes = [
        "hint",
        filled && "filled",
        it.required && "required",
        it === current && "now",
        (bad || (it === current && wrong)) && "bad",
      ];
      return html`<span key=${it.name} class=${classes.filter(Boolean).join(" ")} title=${it.description}>${it.name}</span>`;
    })}
    <small class=${wrong ? "error" : ""}>${wrong ?? (current === null ? command.description : `${current.description} – ${bounds(current)}`)}</small>
  </div>`;
}

/** Values for which `keep` holds, by the options' real names. */
function realNames(command, values, keep) {
  return Object.fromEntries(
    command.options
      .filter((it) => it.name in values && keep(it, values[it.name]))
      .map((it) => [
        it.real,
        it.choices?.find((choice) => choice.name === values[it.name])?.value ?? values[it.name],
      ]),
  );
}

/** Suggestions: a command, an option, or a value of the option being typed. */
function suggest({ text, all, command, current, values, files, entities, completions, wanted }) {
  if (command === null) {
    const typed = text.slice(1).toLowerCase();
    return all
      .filter((it) => it.name.startsWith(typed))
      .map((it) => ({ key: it.name, title: `/${it.name}`, note: it.description, set: `/${it.name} ` }));
  }
  const value = current === null ? "" : (values[current.name] ?? "");
  const replace = (it) => `${text.slice(0, text.lastIndexOf(`${current.name}:`))}${current.name}:${it} `;
  if (current !== null && !text.endsWith(`${value} `)) {
    const offered =
      current.choices?.map((it) => ({ label: it.name })) ??
      (current.autocomplete && completions.key === wanted
        ? completions.list.map((it) => ({ label: it.name, value: String(it.value) }))
        : null) ??
      (current.type === BOOLEAN ? [{ label: "true" }, { label: "false" }] : null) ??
      entities(current)?.map((it) => ({ label: it.name }));
    if (offered) {
      return offered
        .filter((it) => current.autocomplete || it.label.toLowerCase().startsWith(value.toLowerCase()))
        .filter((it) => it.label !== value)
        .map((it) => ({ key: it.label, title: it.label, note: "", set: replace(it.value ?? it.label) }));
    }
  }
  if (!/\s$/.test(text)) return [];
  return command.options
    .filter((it) => !(it.name in values) && files[it.name] === undefined)
    .map((it) => ({
      key: it.name,
      title: `${it.name}:`,
      note: `${it.description} – ${bounds(it)}`,
      required: it.required,
      set: `${text}${it.name}:`,
      file: it.type === ATTACHMENT ? it.name : null,
    }));
}
