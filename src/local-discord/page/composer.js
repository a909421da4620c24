// The line one types in: plain messages, and slash commands with hints, completion and files.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { act, html } from "./api.js";

const KIND = {
  3: "text",
  4: "whole number",
  5: "true or false",
  6: "user",
  7: "channel",
  8: "role",
  9: "user or role",
  10: "number",
  11: "file",
};
const SUBCOMMAND_GROUP = 2;
const BOOLEAN = 5;
const ATTACHMENT = 11;
const AUTOCOMPLETE_PAUSE_MS = 150;

/** Commands as one types them: a subcommand is a command with a longer name. */
export function leaves(commands) {
  const walk = (path, node) => {
    const nested = (node.options ?? []).filter((it) => it.type <= SUBCOMMAND_GROUP);
    if (nested.length > 0) return nested.flatMap((it) => walk(`${path} ${it.name}`, it));
    return [{ name: path, description: node.description, options: node.options ?? [] }];
  };
  return commands.flatMap((it) => walk(it.name, it));
}

/** Reads "/name option:value …". Only known option names split the text, so values may hold colons and blanks. */
export function parse(text, commands) {
  const typed = text.slice(1);
  const command = commands
    .filter((it) => typed === it.name || typed.startsWith(`${it.name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (command === undefined) return { command: null, values: {}, at: null };
  const rest = typed.slice(command.name.length);
  const names = command.options.map((it) => it.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (names.length === 0) return { command, values: {}, at: null, extra: rest.trim() };
  const marks = [...rest.matchAll(new RegExp(`(?<=^|\\s)(${names.join("|")}):`, "gu"))];
  const values = {};
  marks.forEach((mark, n) => {
    values[mark[1]] = rest.slice(mark.index + mark[0].length, marks[n + 1]?.index).trim();
  });
  const loose = rest.slice(0, marks[0]?.index).trim();
  const first = command.options.find((it) => it.type === 3 && it.required && !(it.name in values));
  if (loose !== "" && first !== undefined) values[first.name] = loose;
  return { command, values, at: marks.at(-1)?.[1] ?? null, extra: first === undefined ? loose : "" };
}

export function Composer({ user, channel, commands, entities, choicesOf, onError, limit }) {
  const [text, setText] = useState("");
  const [files, setFiles] = useState({});
  const [picked, setPicked] = useState(0);
  const [completions, setCompletions] = useState({ key: "", list: [] });
  const [open, setOpen] = useState(true);
  const [over, setOver] = useState(false);
  const box = useRef(null);
  const picker = useRef(null);
  const all = useMemo(() => leaves(commands), [commands]);
  const slash = text.startsWith("/");
  const parsed = slash ? parse(text, all) : { command: null, values: {}, at: null };
  const { command, values, at } = parsed;
  const current = command?.options.find((it) => it.name === at) ?? null;
  const fileOption =
    command?.options.find((it) => it.type === ATTACHMENT && files[it.name] === undefined) ?? null;

  useEffect(() => {
    setText("");
    setFiles({});
    box.current?.focus();
  }, [channel.id, user]);

  // Completions of the option being typed come from the bot, after a short pause in typing.
  const wanted = current?.autocomplete ? `${command.name}|${current.name}|${values[current.name]}` : "";
  useEffect(() => {
    if (wanted === "") return undefined;
    let stale = false;
    const timer = setTimeout(async () => {
      try {
        const plain = Object.fromEntries(
          Object.entries(values).filter(([name, it]) => it !== "" || name === current.name),
        );
        const list = await choicesOf({
          user,
          channel: channel.id,
          name: command.name,
          options: plain,
          focused: current.name,
        });
        if (!stale) setCompletions({ key: wanted, list });
      } catch (problem) {
        if (!stale) onError(problem.message);
      }
    }, AUTOCOMPLETE_PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [wanted]);

  const suggestions = useMemo(() => {
    if (!slash) return [];
    if (command === null) {
      const typed = text.slice(1).toLowerCase();
      return all
        .filter((it) => it.name.startsWith(typed))
        .map((it) => ({ key: it.name, title: `/${it.name}`, note: it.description, set: `/${it.name} ` }));
    }
    const value = current === null ? "" : (values[current.name] ?? "");
    const replace = (it) => `${text.slice(0, text.lastIndexOf(`${current.name}:`))}${current.name}:${it} `;
    if (current !== null && !text.endsWith(`${value} `)) {
      const list =
        current.choices?.map((it) => ({ label: it.name })) ??
        (current.autocomplete && completions.key === wanted
          ? completions.list.map((it) => ({ label: it.name, value: String(it.value) }))
          : null) ??
        (current.type === BOOLEAN ? [{ label: "true" }, { label: "false" }] : null) ??
        entities(current.type)?.map((it) => ({ label: it.name }));
      if (list) {
        return list
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
        note: `${it.description} · ${KIND[it.type]}${it.required ? " · required" : ""}`,
        set: `${text}${it.name}:`,
        file: it.type === ATTACHMENT ? it.name : null,
      }));
  }, [text, all, command, current, completions, files]);
  const shown = open ? suggestions : [];
  const index = Math.min(picked, Math.max(0, shown.length - 1));

  const take = (it) => {
    if (it.file) return picker.current.click();
    setText(it.set);
    setPicked(0);
    box.current.focus();
    return undefined;
  };
  const attach = (list) => {
    const chosen = [...list];
    const large = chosen.find((it) => it.size > limit);
    if (large) return onError(`${large.name} is too big: at most ${Math.floor(limit / 1048576)} MB`);
    if (slash && fileOption && chosen[0]) setFiles({ ...files, [fileOption.name]: chosen[0] });
    else if (!slash)
      setFiles(
        Object.fromEntries([...Object.values(files), ...chosen].slice(0, 10).map((it, n) => [String(n), it])),
      );
    else onError("This command takes no more files");
    return box.current.focus();
  };
  const send = async () => {
    const body = { user, channel: channel.id };
    const entries = Object.entries(files);
    try {
      if (!slash) {
        if (text.trim() === "" && entries.length === 0) return;
        await act(
          "message",
          { ...body, content: text.trim() },
          entries.map((it) => it[1]),
        );
      } else if (command === null) {
        return onError(`There is no command ${text.split(" ")[0]} here`);
      } else if (parsed.extra) {
        return onError(
          `What is "${parsed.extra}"? Name an option first, such as ${command.options[0] ? `${command.options[0].name}:` : "none: this command has no options"}`,
        );
      } else {
        const options = Object.fromEntries(Object.entries(values).filter((it) => it[1] !== ""));
        entries.forEach(([name], n) => {
          options[name] = { file: n };
        });
        await act(
          "command",
          { ...body, name: command.name, options },
          entries.map((it) => it[1]),
        );
      }
      setText("");
      setFiles({});
      onError("");
    } catch (problem) {
      onError(problem.message);
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
      send();
    } else if (event.key === "Escape") setOpen(false);
  };

  return html`<div class=${over ? "composer over" : "composer"}
      onDragOver=${(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave=${() => setOver(false)}
      onDrop=${(event) => {
        event.preventDefault();
        setOver(false);
        attach(event.dataTransfer.files);
      }}>
    ${
      shown.length > 0 &&
      html`<ul class="suggestions" role="listbox" id="suggestions" aria-label="Suggestions">
      ${shown.map(
        (it, n) => html`<li key=${it.key} id=${`suggestion-${n}`} role="option" aria-selected=${n === index}
          onMouseDown=${(event) => {
            event.preventDefault();
            take(it);
          }} onMouseEnter=${() => setPicked(n)}>
        <b>${it.title}</b><span>${it.note}</span></li>`,
      )}
    </ul>`
    }
    ${
      command !== null &&
      command.options.length > 0 &&
      html`<div class="hints" aria-label=${`Options of /${command.name}`}>
      ${command.options.map(
        (
          it,
        ) => html`<span key=${it.name} class=${["hint", (it.name in values && values[it.name] !== "") || files[it.name] ? "filled" : "", it.required ? "required" : "", it.name === at ? "now" : ""].join(" ")}
        title=${it.description}>${it.name}</span>`,
      )}
      <small>${(current ?? command).description}</small>
    </div>`
    }
    ${
      Object.keys(files).length > 0 &&
      html`<div class="chips">
      ${Object.entries(files).map(
        ([name, it]) => html`<span class="chip" key=${name}>${slash ? `${name}: ` : ""}${it.name}
        <button type="button" aria-label=${`Remove ${it.name}`} onClick=${() => {
          const { [name]: _gone, ...left } = files;
          setFiles(left);
        }}>×</button></span>`,
      )}
    </div>`
    }
    <div class="line-in">
      <button type="button" class="attach" aria-label="Add a file" title="Add a file" onClick=${() => picker.current.click()}>+</button>
      <input ref=${picker} type="file" hidden multiple=${!slash} onChange=${(event) => {
        attach(event.currentTarget.files);
        event.currentTarget.value = "";
      }} />
      <textarea ref=${box} rows="1" value=${text} aria-label=${`Message #${channel.name}`} placeholder=${`Message ${channel.guild_id ? "#" : "@"}${channel.name} – type / for commands`}
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
      <button type="button" class="send" aria-label="Send" title="Send (Enter)" onClick=${send} disabled=${text.trim() === "" && Object.keys(files).length === 0}>➤</button>
    </div>
  </div>`;
}
