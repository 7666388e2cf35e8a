// Makes elements: nodes and text only, never markup from a string, so that nothing a person or a model wrote can
// become an element. Icons are drawn from the paths below.

import { safeUrl } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  attach: "M4 5h16v14H4zM4 16l5-5 4 4 3-2 4 4M15 9h.01",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M5 12h.01M12 12h.01M19 12h.01",
  retry: "M4 12a8 8 0 1 0 2.5-5.8M4 4v5h5",
  send: "M12 19V5M6 11l6-6 6 6",
  star: "m12 3 2.7 5.9 6.3.7-4.7 4.3 1.3 6.3L12 17l-5.6 3.2 1.3-6.3L3 9.6l6.3-.7z",
  stop: "M8 8h8v8H8z",
};

/** An element: attributes (`on...` functions are listeners, false and null are left out), then children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  // Its own only: pages add things to what every object has.
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) element.setAttribute(name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** A drawing of ICONS. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon and a name for those who do not see it. */
export function iconButton(name, label, onclick, attributes) {
  return h("button", { type: "button", class: `icon ${name}`, "aria-label": label, title: label, onclick, ...attributes },
    icon(name));
}

/** A link that opens elsewhere and tells nothing of this page; the bare text where the address is not allowed. */
export function link(url, ...children) {
  const href = safeUrl(url);
  return href
    ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children)
    : h("span", {}, ...children);
}

/** A picture that is left out when it does not load. */
export function picture(url, alt, name, base) {
  const image = h("img", { class: name, alt, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.remove());
  const href = safeUrl(url, base);
  if (href?.startsWith("http")) image.src = href;
  return image;
}

/** Styles that come with a module: for one shadow root, once. */
export function dress(root, css) {
  if (dressed.has(css)) return;
  dressed.add(css);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

const dressed = new Set();

/** What draws messages, once it was fetched: {draw, markdown}; until then they are shown as plain text. */
export const drawing = {};

/** Fetch it. `suffix` makes addresses of their own, since some browsers remember a failure. */
export async function loadMarkdown(suffix = "") {
  if (drawing.draw) return;
  const [{ draw }, markdown] = await Promise.all([import(`./message.js${suffix}`), import(`./markdown.js${suffix}`)]);
  Object.assign(drawing, { draw, markdown });
}
