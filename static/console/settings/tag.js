// The tag to paste, with what to do with it.

import { toast } from "../lib/dialog.js";
import { h, icon } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";

export const tag = {
  name: "tag",
  title: "Install",
  draw: ({ code }) => [
    h("h2", {}, "Paste this into your pages"),
    h("p", { class: "soft" }, "Once on every page, anywhere; before </body> is usual. Shop systems have a field for it, often called “custom code” or “footer scripts”."),
    h("code", { class: "code", tabindex: "0" }, code),
    h("div", { class: "actions" }, h("button", { type: "button", class: "primary", onclick: () => copy(code) }, icon(ICONS.copy, 18), "Copy the tag")),
    h("p", { class: "soft small" }, "The website has to be listed under Limits and privacy."),
  ],
};

function copy(text) {
  const failed = () => toast("Copying is not allowed here; select the text.", "bad");
  if (!navigator.clipboard) failed();
  else navigator.clipboard.writeText(text).then(() => toast("Copied."), failed);
}
