// A select: a button that opens a list of choices, one or several, with the same keys as a native one.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./api.js";
import { Icon } from "./icons.js";
import { place, useDismiss } from "./popover.js";

/**
 * `options`: { value, label, description?, emoji?, default? }. With `max` 1 a click chooses; with more,
 * "Done" does. `onChoose` gets the list of values.
 */
export function Choice({ options, label, placeholder, min = 1, max = 1, disabled, busy, onChoose, value }) {
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState(value ?? options.filter((it) => it.default).map((it) => it.value));
  const [at, setAt] = useState(0);
  const root = useRef(null);
  const box = useRef(null);
  const listbox = useRef(null);
  const many = max > 1;
  const button = () => root.current.querySelector(".choice-button");
  useDismiss(root, open, () => setOpen(false));
  // In the top layer, because the list of messages would cut it.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const put = (event) => {
      if (event && box.current.contains(event.target)) return;
      const at = button().getBoundingClientRect();
      box.current.style.width = `${at.width}px`;
      place(box.current, at, listbox.current);
    };
    box.current.showPopover();
    put();
    addEventListener("scroll", put, true);
    addEventListener("resize", put);
    return () => {
      removeEventListener("scroll", put, true);
      removeEventListener("resize", put);
    };
  }, [open]);
  useLayoutEffect(() => {
    if (open) listbox.current.children[at]?.scrollIntoView({ block: "nearest" });
  }, [open, at]);

  const finish = (values) => {
    setOpen(false);
    button().focus();
    onChoose(values);
  };
  const take = (option) => {
    if (!many) {
      choose([option.value]);
      finish([option.value]);
      return;
    }
    choose(
      chosen.includes(option.value)
        ? chosen.filter((it) => it !== option.value)
        : [...chosen, option.value].slice(-max),
    );
  };
  const onKeyDown = (event) => {
    if (!open) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        setOpen(true);
      }
      return;
    }
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[event.key];
    if (to !== undefined) setAt(Math.max(0, Math.min(options.length - 1, to)));
    else if ((event.key === "Enter" || event.key === " ") && event.target.matches(".choice-button"))
      take(options[at]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const named = options.filter((it) => chosen.includes(it.value)).map((it) => it.label);
  const id = useRef(`list-${Math.random().toString(36).slice(2)}`).current;
  return html`<div class=${open ? "choice open" : "choice"} ref=${root} onKeyDown=${onKeyDown}>
    <button type="button" class="choice-button" role="combobox" aria-label=${label ?? placeholder} aria-haspopup="listbox" aria-expanded=${open} aria-controls=${id}
      aria-activedescendant=${open ? `${id}-${at}` : undefined} disabled=${disabled || busy} onClick=${() => setOpen(!open)}>
      <span class=${named.length === 0 ? "faint" : ""}>${named.length === 0 ? placeholder : named.join(", ")}</span><${Icon} name="down" size=${16} />
    </button>
    ${
      open &&
      html`<div class="choice-list" popover="manual" ref=${box} onMouseDown=${(event) => event.preventDefault()}>
        <ul role="listbox" id=${id} ref=${listbox} aria-label=${label ?? placeholder} aria-multiselectable=${many}>
        ${options.map(
          (
            it,
            n,
          ) => html`<li key=${it.value} id=${`${id}-${n}`} role="option" aria-selected=${chosen.includes(it.value)} class=${n === at ? "here" : ""}
            onMouseEnter=${() => setAt(n)} onClick=${() => take(it)}>
            ${it.emoji?.name && html`<span>${it.emoji.name}</span>`}
            <span class="grow">${it.label}${it.description && html`<small>${it.description}</small>`}</span>
            ${chosen.includes(it.value) && html`<${Icon} name="check" size=${16} />`}
          </li>`,
        )}
        </ul>
        ${
          many &&
          html`<div class="choice-foot"><small>${min === max ? `Choose ${min}` : `Choose ${min} to ${max}`}</small>
          <button type="button" class="button primary" disabled=${chosen.length < min || chosen.length > max} onClick=${() => finish(chosen)}>Done</button></div>`
        }
      </div>`
    }
  </div>`;
}
