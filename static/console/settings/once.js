// Something to copy: a link or a key that is shown once, the tag.

import { openDialog, toast } from "../lib/dialog.js";
import { h, icon } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";

// A dialog with a secret that nobody sees again.
export function showOnce(title, sentence, text) {
  openDialog(title, [
    h("p", {}, sentence), code(text, title), h("div", { class: "actions" }, copyButton(text, "Copy", "primary")),
  ]);
}

export function code(text, label) {
  return h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label }, h("code", {}, text));
}

export function copyButton(text, words, kind = "") {
  const copy = async () => {
    try {
      // There is no clipboard on plain http.
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      toast("Copying is not allowed here; select the text.", "bad");
    }
  };
  return h("button", { type: "button", class: kind, onclick: copy }, icon(ICONS.copy, 18), words);
}
