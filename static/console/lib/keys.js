// Keyboard shortcuts, and the sheet behind `?` that lists them. Never while somebody writes.

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";

const shortcuts = [];

// Binds a key (`j`, `/`, `?`, `Ctrl+Enter`...) until `signal` is aborted. `isAlways`: also inside text fields.
export function shortcut(key, meaning, action, { signal, isAlways = false } = {}) {
  const one = { key, meaning, action, isAlways };
  shortcuts.push(one);
  signal?.addEventListener("abort", () => shortcuts.splice(shortcuts.indexOf(one), 1));
}

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const found = shortcuts.find((one) => one.key === nameOf(event) && (one.isAlways || !isWriting(event.target)));
    if (!found) return;
    event.preventDefault();
    found.action(event);
  });
  shortcut("?", "This list", showSheet);
}

export function showSheet() {
  const rows = shortcuts.map((one) => h("div", {}, h("dt", {}, h("kbd", {}, one.key)), h("dd", {}, one.meaning)));
  openDialog("Keyboard shortcuts", h("dl", { class: "keys" }, rows));
}

function nameOf(event) {
  const held = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return held + (event.altKey ? "Alt+" : "") + event.key;
}

function isWriting(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
