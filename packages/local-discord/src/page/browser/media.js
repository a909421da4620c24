// Pictures and files of a message, and the dialog that enlarges a picture.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "./api.js";
import { Icon } from "./icons.js";

const SPOILER = 1 << 3;

export const size = (bytes) =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1048576
      ? `${(bytes / 1024).toFixed(1)} KB`
      : bytes < 1073741824
        ? `${(bytes / 1048576).toFixed(1)} MB`
        : `${(bytes / 1073741824).toFixed(2)} GB`;
const isPicture = (it) => /^image\/(png|jpeg|gif|webp)/.test(it.content_type ?? "");

/** A picture that can be enlarged; `all` are its neighbours in the dialog. */
export function Picture({ picture, all, zoom, className = "", hidden = false }) {
  const [covered, setCovered] = useState(hidden);
  const { src, alt, width, height } = picture;
  const ratio = width && height ? `aspect-ratio:${width}/${height}` : "";
  if (covered)
    return html`<button type="button" class=${`picture covered ${className}`} onClick=${() => setCovered(false)} aria-label=${`Spoiler: show ${alt}`}>
      <img src=${src} alt="" width=${width} height=${height} style=${ratio} /><b>Spoiler</b></button>`;
  // Enlarged, arrow keys go through all pictures of the message; a thumbnail stands alone.
  const enlarge = (event) => {
    const around = event.currentTarget
      .closest(".message")
      ?.querySelectorAll(".picture:not(.covered, .thumbnail) img");
    const images = className === "thumbnail" ? [] : [...(around ?? [])];
    const at = images.indexOf(event.currentTarget.querySelector("img"));
    if (at < 0) zoom({ all, at: all.indexOf(picture) });
    else
      zoom({
        all: images.map((it) => ({
          src: it.src,
          alt: it.alt,
          width: it.naturalWidth,
          height: it.naturalHeight,
        })),
        at,
      });
  };
  return html`<button type="button" class=${`picture ${className}`} onClick=${enlarge} aria-label=${`Enlarge ${alt}`}>
    <img src=${src} alt=${alt} width=${width} height=${height} style=${ratio} loading="lazy" />
  </button>`;
}

/** Pictures side by side: one large, two in a row, more in a grid. */
export function Gallery({ pictures, zoom }) {
  return html`<div class=${`pictures count-${Math.min(pictures.length, 5)}`}>
    ${pictures.map((it) => html`<${Picture} key=${it.src} picture=${it} all=${pictures} zoom=${zoom} hidden=${it.spoiler} />`)}
  </div>`;
}

export function FileCard({ name, bytes, url }) {
  return html`<a class="file" href=${url} download=${name}>
    <span class="file-icon"><${Icon} name="file" size=${22} /></span>
    <span class="file-name"><b>${name}</b><small>${bytes == null ? "" : size(bytes)}</small></span>
    <${Icon} name="download" size=${18} />
  </a>`;
}

export function Attachments({ list, zoom }) {
  const pictures = list.filter(isPicture).map((it) => ({
    src: it.url,
    alt: it.description ?? it.filename,
    width: it.width,
    height: it.height,
    spoiler: ((it.flags ?? 0) & SPOILER) !== 0,
  }));
  return html`${pictures.length > 0 && html`<${Gallery} pictures=${pictures} zoom=${zoom} />`}
    ${list
      .filter((it) => !isPicture(it))
      .map(
        (it) =>
          html`<${FileCard} key=${it.id} name=${it.title ?? it.filename} bytes=${it.size} url=${it.url} />`,
      )}`;
}

/**
 * A picture as large as fits, or at its own size; arrow keys go to its neighbours, in exactly the same place.
 */
export function Lightbox({ pictures, start, close }) {
  const dialog = useRef(null);
  const [at, setAt] = useState(start);
  const [actual, setActual] = useState(false);
  const picture = pictures[at];
  useLayoutEffect(() => dialog.current.showModal(), []);
  const go = (by) => setAt((at + by + pictures.length) % pictures.length);
  const onKeyDown = (event) => {
    if (event.key === "ArrowRight") go(1);
    else if (event.key === "ArrowLeft") go(-1);
    else if (event.key === "+" || event.key === "=" || event.key === "-") setActual(event.key !== "-");
  };
  const many = pictures.length > 1;
  return html`<dialog ref=${dialog} class=${actual ? "lightbox actual" : "lightbox"} aria-label=${picture.alt} onClose=${close} onKeyDown=${onKeyDown}
      onClick=${(event) => event.target === event.currentTarget && dialog.current.close()}>
    <div class="stage" onClick=${(event) => event.target === event.currentTarget && dialog.current.close()}>
      <img src=${picture.src} alt=${picture.alt} onClick=${() => setActual(!actual)} />
    </div>
    <div class="lightbox-bar">
      ${many && html`<button type="button" aria-label="Previous picture" onClick=${() => go(-1)}><${Icon} name="left" /></button>`}
      <p aria-live="polite"><b>${picture.alt}</b><small>${[many && `${at + 1} of ${pictures.length}`, picture.width && `${picture.width} × ${picture.height}`].filter(Boolean).join(" · ")}</small></p>
      ${many && html`<button type="button" aria-label="Next picture" onClick=${() => go(1)}><${Icon} name="right" /></button>`}
      <a href=${picture.src} target="_blank" rel="noreferrer" aria-label="Open the original"><${Icon} name="download" /></a>
      <button type="button" aria-label="Close" onClick=${() => dialog.current.close()}><${Icon} name="close" /></button>
    </div>
  </dialog>`;
}
