// The inputs that settings are made of.

import { h } from "../lib/dom.js";

export const input = (name, value, properties = {}) => h("input", { name, value: value ?? "", ...properties });
export const area = (name, value, properties = {}) => h("textarea", { name, value: value ?? "", ...properties });
export const number = (name, value, max) => input(name, value, { type: "number", min: 0, max, inputmode: "numeric" });
export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// Shows `node` while the input in `switcher` is ticked, or has this value.
export function shownWhen(switcher, node, value = null) {
  const control = switcher.querySelector("input, select");
  const show = () => (node.hidden = value === null ? !control.checked : control.value !== value);
  control.addEventListener("change", show);
  show();
  return node;
}
