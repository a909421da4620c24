// A menu that opens at a position, works with arrow keys, and returns the focus when it closes.
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { html } from "./api.js";
import { Icon } from "./icons.js";

const MARGIN = 8;

/**
 * `items`: { label, icon?, note?, checked?, danger?, run } or { heading }. `at`: { x, y } of the corner, in
 * pixels.
 */
export function Menu({ items, at, label, close }) {
  const box = useRef(null);
  const opener = useRef(document.activeElement);
  useLayoutEffect(() => {
    const { width, height } = box.current.getBoundingClientRect();
    box.current.style.left = `${Math.max(MARGIN, Math.min(at.x, innerWidth - width - MARGIN))}px`;
    box.current.style.top = `${Math.max(MARGIN, Math.min(at.y, innerHeight - height - MARGIN))}px`;
    entries()[0]?.focus();
  }, []);
  useEffect(() => {
    const outside = (event) => {
      if (!box.current.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, []);
  const entries = () => [...box.current.querySelectorAll("button")];
  const leave = () => {
    close();
    opener.current?.focus?.();
  };
  const onKeyDown = (event) => {
    const all = entries();
    const here = all.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      all[(to + all.length) % all.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
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
