// Elements without HTML strings: everything a person wrote reaches the page as text.

const SVG = "http://www.w3.org/2000/svg";

// h("button", {class: "primary", onclick: send, "aria-label": "Send"}, "Send"): an element. Properties that are
// null, undefined or false are left out; true makes an empty attribute; children may be nested arrays and null.
export function h(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

// The same in SVG.
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

// Puts new children into an element.
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") element[name] = value;
    else if (name === "style") Object.assign(element.style, value);
    else if (name === "data") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

// An icon of lib/icons.js; decoration only, so the button around it carries the name.
export function icon(path, size = 20) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: path }),
  );
}

let lastId = 0;

// A name for an element that another one refers to.
export function newId(what) {
  lastId += 1;
  return `${what}-${lastId}`;
}
