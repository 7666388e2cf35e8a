// Makes elements: nodes and text only, never markup from a string, so that nothing a person or a model wrote can
// become an element. Icons are drawn from the paths below.

import { safeUrl } from "./api.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  attach: "M21 11.5 12.5 20a5 5 0 0 1-7-7l9-9a3.4 3.4 0 0 1 4.8 4.8l-9 9a1.6 1.6 0 0 1-2.3-2.3L16 7.5",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M5 12h.01M12 12h.01M19 12h.01",
  retry: "M4 12a8 8 0 1 0 2.5-5.8M4 4v5h5",
  send: "M4 12 20 4l-6 16-3-7zM11 13l4-4",
  star: "m12 3 2.7 5.9 6.3.7-4.7 4.3 1.3 6.3L12 17l-5.6 3.2 1.3-6.3L3 9.6l6.3-.7z",
  stop: "M7 7h10v10H7z",
};

/** An element: attributes (`on...` functions are listeners, false and null are left out), then children. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false && value !== undefined) element.setAttribute(name, value);
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
  const href = safeUrl(new URL(url, base).href);
  if (href?.startsWith("http")) image.src = href;
  return image;
}

const shown = new WeakMap();
let markdown = null;

/** Fetch what formats answers; until it is here, they are shown as plain text. */
export async function loadMarkdown(suffix = "") {
  markdown ??= await import(`./markdown.js${suffix}`);
}

/** Show a Markdown text in an element; blocks that did not change since the last time stay as they are. */
export function showMarkdown(element, text) {
  if (!markdown) {
    element.textContent = text;
    return;
  }
  const before = shown.get(element) ?? [];
  if (!before.length) element.replaceChildren();
  const now = [];
  for (const block of markdown.split(text)) {
    const at = now.length;
    const source = JSON.stringify({ kind: block.kind, text: plain(block.lines) });
    if (before[at]?.source === source) {
      now[at] = before[at];
      continue;
    }
    const node = build(markdown.parse(block));
    if (before[at]) before[at].node.replaceWith(node);
    else element.append(node);
    now[at] = { source, node };
  }
  for (let at = now.length; at < before.length; at++) before[at].node.remove();
  shown.set(element, now);
}

function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const children = [];
  for (const child of node.children) children[children.length] = build(child);
  if (node.tag === "a") return link(node.href, ...children);
  if (node.tag === "h") return h("p", { class: "h" }, h("strong", {}, ...children));
  // Its own scrolling box: a wide table must not widen the conversation.
  if (node.tag === "table") return h("div", { class: "wide", tabindex: 0 }, h("table", {}, ...children));
  return h(node.tag, { start: node.start, tabindex: node.tag === "pre" ? 0 : null }, ...children);
}

function plain(lines) {
  let all = "";
  for (const line of lines) all += `${line}\n`;
  return all;
}
