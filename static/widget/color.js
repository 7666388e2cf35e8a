// The site's colours, made legible: text on them is black or white, they as text are darkened or lightened until
// they reach the contrast of WCAG 2 (4.5:1).

const LIGHT = [255, 255, 255];
const DARK = [27, 29, 34];
const MIN_CONTRAST = 4.5;

/** Set the colour properties of the host: --primary, --on-primary, --header, --on-header, --accent-light, -dark. */
export function paint({ host, config, settings }) {
  const primary = settings.color || config.primary_color;
  const header = settings.color || config.header_color || primary;
  const set = (name, value) => host.style.setProperty(`--vexar-${name}`, value);
  const rgb = toRgb(primary);
  set("own-primary", toHex(rgb));
  set("own-on-primary", textOn(rgb));
  set("own-header", toHex(toRgb(header)));
  set("own-on-header", textOn(toRgb(header)));
  set("own-accent-light", toHex(legible(rgb, LIGHT)));
  set("own-accent-dark", toHex(legible(rgb, DARK)));
}

/** Red, green and blue of #rgb or #rrggbb; a calm blue for anything else. */
export function toRgb(color) {
  const found = /^#?([\da-f]{3}|[\da-f]{6})$/i.exec(String(color).trim());
  const hex = (found ? found[1] : "2f5bea").replace(/^(.)(.)(.)$/, "$1$1$2$2$3$3");
  const all = parseInt(hex, 16);
  return [all >> 16, (all >> 8) & 255, all & 255];
}

export function toHex([red, green, blue]) {
  return `#${((1 << 24) | (red << 16) | (green << 8) | blue).toString(16).slice(1)}`;
}

/** The contrast ratio of two colours, 1 to 21 (WCAG 2). */
export function contrast(one, other) {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Black or white, whichever is easier to read on it. */
export function textOn(rgb) {
  return contrast(rgb, LIGHT) >= contrast(rgb, [0, 0, 0]) ? "#ffffff" : "#000000";
}

/** The colour moved towards black or white until it is legible on `ground`. */
export function legible(rgb, ground) {
  const goal = luminance(ground) > 0.5 ? 0 : 255;
  let color = rgb;
  for (let step = 0; step < 20 && contrast(color, ground) < MIN_CONTRAST; step++) {
    const [red, green, blue] = color;
    color = [towards(red, goal), towards(green, goal), towards(blue, goal)];
  }
  return color;
}

function towards(value, goal) {
  return Math.round(value + (goal - value) * 0.15);
}

function luminance([red, green, blue]) {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(value) {
  const part = value / 255;
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}
