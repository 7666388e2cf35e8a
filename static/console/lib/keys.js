// Keyboard shortcuts, and the sheet behind `?` that lists them. Never while somebody writes. They can be switched off:
// single letters get in the way of those who speak to their computer.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { checkbox } from "./form.js";

const OFF_KEY = "vexar-console-keys";
const shortcuts = [];

// Binds a key (`j`, `/`, `Enter`...) until `signal` is aborted. `isPlace`: not on links and buttons, which have a use
// for the key themselves.
export function shortcut(key, meaning, action, { signal, isPlace = false } = {}) {
  const one = { key, meaning, action, isPlace };
  shortcuts.push(one);
  signal?.addEventListener("abort", () => shortcuts.splice(shortcuts.indexOf(one), 1));
}

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    const isHeld = event.ctrlKey || event.metaKey || event.altKey;
    if (event.defaultPrevented || event.isComposing || isHeld || isOff()
      || document.querySelector("dialog[open]")) return;
    const found = shortcuts.find((one) => one.key === event.key && !isTaken(one, event.target));
    if (!found) return;
    event.preventDefault();
    found.action(event);
  });
  shortcut("?", "This list", showSheet);
}

export function showSheet() {
  const rows = shortcuts.map((one) => h("div", {}, h("dt", {}, h("kbd", {}, one.key)), h("dd", {}, one.meaning)));
  const more = [["/ in a reply", "Saved replies"], ["Esc", "Leave the field, close a dialog"]]
    .map(([key, meaning]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, meaning)));
  const box = checkbox("Use single keys as shortcuts", "keys", !isOff());
  box.querySelector("input").addEventListener("change", (event) => localStorage.setItem(OFF_KEY, event.target.checked
    ? "on" : "off"));
  openDialog("Keyboard shortcuts", [h("dl", { class: "keys" }, rows, more), box]);
}

function isOff() {
  return localStorage.getItem(OFF_KEY) === "off";
}

function isTaken({ isPlace }, target) {
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return isPlace && Boolean(target.closest("a, button, summary"));
}
