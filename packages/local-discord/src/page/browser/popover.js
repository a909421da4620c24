// A box beside an element, on the side with room, until a click elsewhere or Escape.
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./api.js";
import { Icon } from "./icons.js";

const MARGIN = 8;
const GAP = 4;

/**
 * Places the fixed `box` below the rectangle `at` ({ left, top, bottom } in pixels of the window), or above
 * it where there is more room, or over it where neither is enough. In a window that is too low the box's
 * `list` scrolls, and ends with a whole entry.
 */
export function place(box, at, list = box) {
  list.style.maxHeight = "none";
  const { width, height } = box.getBoundingClientRect();
  const below = innerHeight - at.bottom - GAP - MARGIN;
  const above = at.top - GAP - MARGIN;
  const most = innerHeight - 2 * MARGIN;
  if (height > most) list.style.maxHeight = `${wholeEntries(list, most - (height - list.offsetHeight))}px`;
  const high = box.offsetHeight;
  const top = high > below && above > below ? at.top - GAP - high : at.bottom + GAP;
  box.style.top = `${Math.max(MARGIN, Math.min(top, innerHeight - high - MARGIN))}px`;
  box.style.left = `${Math.max(MARGIN, Math.min(at.left, innerWidth - width - MARGIN))}px`;
}

/** The greatest height up to `room` that cuts no child of `list`. */
function wholeEntries(list, room) {
  const { top } = list.getBoundingClientRect();
  const ends = [...list.children].map((it) => it.getBoundingClientRect().bottom - top + MARGIN);
  return ends.filter((it) => it <= room).at(-1) ?? room;
}

/** Calls `close` when something outside of `box` is pressed, and on Escape wherever the focus is. */
export function useDismiss(box, open, close) {
  const latest = useRef(close);
  latest.current = close;
  useLayoutEffect(() => {
    if (!open) return undefined;
    const onPointer = (event) => box.current?.contains(event.target) || latest.current();
    const onKey = (event) => {
      if (event.key !== "Escape") return;
      // Neither the drawer nor a dialog around it closes too.
      event.preventDefault();
      event.stopPropagation();
      latest.current();
    };
    document.addEventListener("pointerdown", onPointer, true);
    document.addEventListener("keydown", onKey, true);
    return () => {
      document.removeEventListener("pointerdown", onPointer, true);
      document.removeEventListener("keydown", onKey, true);
    };
  }, [open]);
}

/**
 * A menu with arrow keys, which returns the focus when it closes. `items`: { label, icon?, note?, checked?,
 * danger?, run } or { heading }. `at`: the rectangle beside which it opens.
 */
export function Menu({ items, at, label, close }) {
  const box = useRef(null);
  const opener = useRef(document.activeElement);
  useLayoutEffect(() => {
    place(box.current, at);
    entries()[0]?.focus();
  }, []);
  const entries = () => [...box.current.querySelectorAll("button")];
  const leave = () => {
    close();
    opener.current?.focus?.();
  };
  useDismiss(box, true, leave);
  const onKeyDown = (event) => {
    const all = entries();
    const here = all.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[(to + all.length) % all.length].focus();
    } else if (event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      leave();
    }
  };
  return html`<div class="menu" role="menu" aria-label=${label} ref=${box} onKeyDown=${onKeyDown}>
    ${items.filter(Boolean).map((it) =>
      it.heading
        ? html`<div class="menu-heading" role="presentation">${it.heading}</div>`
        : html`<button type="button" role=${it.checked === undefined ? "menuitem" : "menuitemradio"} aria-checked=${it.checked} tabindex="-1"
            class=${it.danger ? "danger" : ""} onClick=${() => {
              leave();
              it.run();
            }}>
            ${it.face ?? (it.icon && html`<${Icon} name=${it.icon} size=${16} />`)}
            <span>${it.label}${it.note && html`<small>${it.note}</small>`}</span>
            ${it.checked && html`<${Icon} name="check" size=${16} />`}
          </button>`,
    )}
  </div>`;
}
