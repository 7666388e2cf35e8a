// Dialogs on the browser's own <dialog>: focus stays inside, Escape closes, focus goes back where it was. A form that
// was changed in one is not thrown away without a question.

import { isDirty } from "./dirty.js";
import { h, icon, newId } from "./dom.js";
import { ICONS } from "./icons.js";

// Shows `body` (nodes) under a title until it is closed; the <dialog> element. `onClose` is called once.
export function openDialog(title, body, { onClose, isWide = false } = {}) {
  const id = newId("dialog");
  const dialog = h(
    "dialog",
    { class: isWide ? "dialog wide" : "dialog", "aria-labelledby": id },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id }, title),
      h("button", { type: "button", class: "quiet square", "aria-label": "Close", onclick: () => leave(dialog) },
        icon(ICONS.close)),
    ),
    h("div", { class: "dialog-body" }, body),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    onClose?.();
  });
  dialog.addEventListener("cancel", (event) => {
    if (!isDirty(dialog)) return;
    event.preventDefault();
    leave(dialog);
  });
  // A click beside the dialog hits the <dialog> element itself.
  dialog.addEventListener("mousedown", (event) => event.target === dialog && leave(dialog));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

async function leave(dialog) {
  if (await mayLeave(dialog)) dialog.close();
}

// Asks when something would be lost; resolves to whether one may go on.
export async function mayLeave(root = document) {
  const sentence = "What you changed here is not saved yet.";
  return !isDirty(root) || confirmDialog("Leave without saving?", sentence, "Leave", "Stay");
}

// Asks before something that cannot be taken back; resolves to whether it was confirmed.
export function confirmDialog(title, sentence, action, refusal = "Cancel") {
  return new Promise((resolve) => {
    let isSure = false;
    const sure = () => {
      isSure = true;
      dialog.close();
    };
    const dialog = openDialog(
      title,
      [
        h("p", {}, sentence),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", onclick: () => dialog.close() }, refusal),
          h("button", { type: "button", class: "danger", onclick: sure }, action),
        ),
      ],
      { onClose: () => resolve(isSure) },
    );
  });
}

let region = null;

// A short line at the edge of the window, read out by screen readers. kind: "" or "bad".
export function toast(sentence, kind = "") {
  region ||= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  const line = region.appendChild(h("p", { class: `toast ${kind}` }, sentence));
  setTimeout(() => line.remove(), kind === "bad" ? 8_000 : 4_000);
}
