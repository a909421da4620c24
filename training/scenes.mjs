// How a subject stands in a picture: what is behind it and what is before it, as SVG of 64 x 64. A plain drawing has a
// pale ground; each scene has a place; each effect of a modifier (words.mjs) does one thing, and they add up.

export const SIDE = 64;
/** Grounds that no caption tells of: which one it is, only the seed decides. The first is white. */
export const HUES = 7;

/** Lights: colours at the top and at the bottom. Several are mixed. */
const LIGHTS = {
  warm: ["#ffd98a", "#e5702f"],
  dark: ["#39445f", "#0d1020"],
  vivid: ["#ff3d9a", "#35c8ff"],
  mist: ["#a996e6", "#f6cfe0"],
};
const PLACES = {
  rain: { top: "#8aa4bf", bottom: "#4c6078", behind: "", before: rain() },
  night: { top: "#20265a", bottom: "#5a3f86", behind: stars(14, "#fff6c8"), before: "" },
  snow: { top: "#a9d4ee", bottom: "#dceaf6", behind: ground("#ffffff", 50), before: flakes() },
  beach: {
    top: "#7fd0f5",
    bottom: "#c9efff",
    behind: `<circle cx="54" cy="9" r="6" fill="#ffe36b"/><rect y="34" width="64" height="14" fill="#2f9fd0"/>${ground("#f0d48f", 46)}`,
    before: "",
  },
  forest: { top: "#bfe3c0", bottom: "#6fae6b", behind: `${trees()}${ground("#4c8a45", 53)}`, before: "" },
  space: {
    top: "#06060f",
    bottom: "#14142e",
    behind: `${stars(18, "#ffffff")}<circle cx="53" cy="12" r="7" fill="#d98a4a"/><ellipse cx="53" cy="12" rx="11" ry="2.4" fill="none" stroke="#f3c893" stroke-width="1.4"/>`,
    before: "",
  },
};

/** Fixed places, spread over the picture. */
function places(count) {
  return Array.from({ length: count }, (_, i) => [(i * 37 + 11) % SIDE, (i * 23 + 7) % SIDE]);
}
function rain() {
  return places(16)
    .map(
      ([x, y]) =>
        `<line x1="${x}" y1="${y}" x2="${x - 4}" y2="${y + 9}" stroke="#e8f4ff" stroke-width="1.6"/>`,
    )
    .join("");
}
function stars(count, colour) {
  return places(count)
    .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="1.3" fill="${colour}"/>`)
    .join("");
}
function flakes() {
  return places(16)
    .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="1.9" fill="#ffffff"/>`)
    .join("");
}
function ground(colour, top) {
  return `<rect y="${top}" width="64" height="${SIDE - top}" fill="${colour}"/>`;
}
function trees() {
  return [4, 17, 47, 60]
    .map(
      (x, i) =>
        `<rect x="${x - 2}" y="40" width="4" height="16" fill="#6b4a2f"/><path d="M${x} ${6 + 4 * (i % 2)} L${x + 10} 46 L${x - 10} 46 Z" fill="${i % 2 ? "#2f6b3c" : "#3d7f47"}"/>`,
    )
    .join("");
}

const channels = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
const hex = (values) => `#${values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
const mixed = (colours) =>
  hex([0, 1, 2].map((c) => colours.reduce((sum, colour) => sum + channels(colour)[c], 0) / colours.length));
/** A colour of that hue in degrees: saturation and lightness in parts of 1. */
function hsl(hue, saturation, lightness) {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return hex([part(0), part(8), part(4)]);
}
const degrees = (hue) => (360 / (HUES - 1)) * (hue - 1) + 20;

/** Colours at the top and at the bottom, before the effects. */
function colours(style, scene, hue) {
  if (scene) return [PLACES[scene].top, style === "flat" ? PLACES[scene].top : PLACES[scene].bottom];
  if (style === "flat") return Array(2).fill(hue === 0 ? "#ffffff" : hsl(degrees(hue), 0.75, 0.78));
  return hue === 0 ? ["#f4f4f6", "#b9bcc6"] : [hsl(degrees(hue), 0.65, 0.85), hsl(degrees(hue), 0.6, 0.52)];
}

const DRAWN = {
  land: `<path d="M0 44 Q14 26 28 42 T64 36 V64 H0 Z" fill="#6f9a86" fill-opacity="0.85"/><path d="M0 54 Q20 42 38 52 T64 48 V64 H0 Z" fill="#3f6f52" fill-opacity="0.9"/>`,
  painted: places(12)
    .map(
      ([x, y], i) =>
        `<line x1="${x - 9}" y1="${y + 5}" x2="${x + 9}" y2="${y - 5}" stroke="${["#2f8f8a", "#d8a24a", "#8a4a3f"][i % 3]}" stroke-opacity="0.5" stroke-width="5" stroke-linecap="round"/>`,
    )
    .join(""),
  halo: `<circle cx="32" cy="32" r="29" fill="#fff3cf" fill-opacity="0.3" stroke="#c9962f" stroke-width="3"/>`,
  bokeh: places(9)
    .map(
      ([x, y], i) =>
        `<circle cx="${x}" cy="${y}" r="${3 + (i % 3) * 2}" fill="#fff4d6" fill-opacity="0.45"/>`,
    )
    .join(""),
  rays: [
    [14, 26],
    [36, 52],
    [64, 86],
  ]
    .map(([a, b]) => `<path d="M-4 -4 L${a} 64 L${b} 64 Z" fill="#ffffff" fill-opacity="0.3"/>`)
    .join(""),
};
const SPARKLES = [
  [9, 10, 5],
  [55, 16, 4],
  [52, 52, 5],
  [10, 48, 3.5],
]
  .map(
    ([x, y, r]) =>
      `<path d="M${x} ${y - r} L${x + r / 4} ${y - r / 4} L${x + r} ${y} L${x + r / 4} ${y + r / 4} L${x} ${y + r} L${x - r / 4} ${y + r / 4} L${x - r} ${y} L${x - r / 4} ${y - r / 4} Z" fill="#fffbe0"/>`,
  )
  .join("");

const svg = (content) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}">${content}</svg>`);

/**
 * Where subjects stand in a picture: of each the side of its square and the square's left and top, in pixels; a big one
 * reaches over the edges. Of two the one behind comes first, and is the second of the caption.
 *
 * @param kind as `layers` takes it, and `size` ("small", "big" or none) or the `way` of two
 */
export function placing({ style, scene, size, way }) {
  if (way === "beside")
    return [
      { side: 34, left: 30, top: 22 },
      { side: 34, left: 0, top: 24 },
    ];
  if (way === "on")
    return [
      { side: 38, left: 13, top: 26 },
      { side: 34, left: 15, top: 0 },
    ];
  const [side, top] = scene ? [50, 11] : style === "flat" ? [60, 2] : [54, 4];
  const foot = top + side;
  const own = { small: 30, big: 84 }[size] ?? side;
  const left = Math.round((SIDE - own) / 2);
  return [{ side: own, left, top: size === "big" ? -8 : size === "small" ? Math.min(foot, 56) - own : top }];
}

/**
 * A subject's pixels in another colour: its light and shade stay, and a little of its own colours.
 *
 * @param pixels RGBA, which are changed
 * @param colour of COLOURS in words.mjs, as #rrggbb
 */
export function recolour(pixels, colour) {
  const wanted = channels(colour);
  const light = (at) => (0.3 * pixels[at] + 0.59 * pixels[at + 1] + 0.11 * pixels[at + 2]) / 255;
  let [sum, weight] = [0, 1e-6];
  for (let at = 0; at < pixels.length; at += 4) {
    sum += light(at) * pixels[at + 3];
    weight += pixels[at + 3];
  }
  // The mean light of a subject gets the colour itself.
  const power = Math.log(0.55) / Math.log(Math.min(0.95, Math.max(0.05, sum / weight)));
  for (let at = 0; at < pixels.length; at += 4) {
    const shade = light(at) ** power;
    for (let c = 0; c < 3; c++) {
      const dark = 0.25 * wanted[c];
      const bright = 0.35 * wanted[c] + 0.65 * 255;
      const value =
        shade < 0.55
          ? dark + (shade / 0.55) * (wanted[c] - dark)
          : wanted[c] + ((shade - 0.55) / 0.45) * (bright - wanted[c]);
      pixels[at + c] = Math.round(0.85 * value + 0.15 * pixels[at + c]);
    }
  }
}

/**
 * What is behind a subject and what is before it.
 *
 * @param kind.style `flat` or `3d`
 * @param kind.scene of SCENES in words.mjs, or null
 * @param kind.effects of the modifiers; none for a flat drawing
 * @param kind.hue which ground, 0 to HUES - 1; a scene has its own
 * @returns SVG files of SIDE x SIDE; `before` is transparent
 */
export function layers(kind) {
  const { style, scene, effects = [], hue = 0 } = kind;
  const lights = effects.filter((effect) => effect in LIGHTS).map((effect) => LIGHTS[effect]);
  const own = colours(style, scene, hue);
  // A light is stronger than an untold ground; a told place it only tints, as the untold colour does.
  const [top, bottom] = [0, 1].map((end) =>
    lights.length === 0 || scene
      ? own[end]
      : mixed([...lights, ...lights].map((light) => light[end]).concat(own[end])),
  );
  const over = (colour, opacity) =>
    `<rect width="64" height="64" fill="${colour}" fill-opacity="${opacity}"/>`;
  const tint = !scene
    ? ""
    : (hue === 0 ? "" : over(hsl(degrees(hue), 0.8, 0.55), 0.22)) +
      (lights.length > 0 ? over(mixed(lights.flat()), 0.35) : "");
  const depth = effects.includes("shadow") ? 0.6 : 0.25;
  // What stands on another one throws its shadow there, unseen.
  const standing = style === "flat" ? [] : kind.way === "on" ? placing(kind).slice(0, 1) : placing(kind);
  const shadow = standing
    .map(
      ({ side, left, top: above }) =>
        `<ellipse cx="${left + side / 2}" cy="${above + side - 2}" rx="${side * 0.4}" ry="4.5" fill="url(#s)" fill-opacity="${depth}"/>`,
    )
    .join("");
  const drawn = Object.keys(DRAWN)
    .filter((effect) => effects.includes(effect))
    .map((effect) => DRAWN[effect])
    .join("");
  const defs = `<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient><radialGradient id="s"><stop offset="0.4" stop-color="#000000"/><stop offset="1" stop-color="#000000" stop-opacity="0"/></radialGradient></defs>`;
  const behind = `${defs}<rect width="64" height="64" fill="url(#g)"/>${scene ? PLACES[scene].behind : ""}${tint}${drawn}${shadow}`;
  const before = `${scene ? PLACES[scene].before : ""}${effects.includes("sparkle") ? SPARKLES : ""}`;
  return { behind: svg(behind), before: svg(before) };
}
