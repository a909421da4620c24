// Line icons, 20 x 20, in the colour of the surrounding text.
import { html } from "./api.js";

const PATHS = {
  hash: "M8 3 6 17M14 3l-2 14M3.500 7.500h14M2.500 12.500h14",
  lock: "M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9",
  at: "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0zm0 0v1.500a2 2 0 0 0 4 0V10a7 7 0 1 0-3 5.700",
  plus: "M10 4v12M4 10h12",
  send: "M3 10 17 3l-4 14-3.500-5.500z",
  close: "M5 5l10 10M15 5 5 15",
  more: "M4.500 10h.01M10 10h.01M15.500 10h.01",
  gauge: "M3 15a7 7 0 1 1 14 0M10 15l3.500-5",
  sun: "M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  moon: "M16 12.500A7 7 0 0 1 7.500 4a6.500 6.500 0 1 0 8.500 8.500z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  menu: "M3 6h14M3 10h14M3 14h14",
  down: "M5 8l5 5 5-5",
  left: "M12 4l-6 6 6 6",
  right: "M8 4l6 6-6 6",
  file: "M5 2.500h6l4 4v11H5zM11 2.500v4h4",
  download: "M10 3v9M6 8.500l4 4 4-4M4 16.500h12",
  copy: "M7 7h9v10H7zM4 13V3h9",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 11h6.600L14 6",
  spark: "M10 3l1.800 5.200L17 10l-5.200 1.800L10 17l-1.800-5.200L3 10l5.200-1.800z",
  check: "M4 10.500l4 4 8-9",
  alert: "M10 3 2.500 16.500h15zM10 8v4M10 14.500h.01",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4l3 2",
  reply: "M8 5 3 10l5 5M3 10h8a6 6 0 0 1 6 6",
  list: "M7 5h10M7 10h10M7 15h10M3 5h.01M3 10h.01M3 15h.01",
};

export function Icon({ name, size = 20 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor"
    stroke-width="1.600" stroke-linecap="round" stroke-linejoin="round"><path d=${PATHS[name]} /></svg>`;
}
