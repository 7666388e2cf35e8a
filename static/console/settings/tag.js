// The tag to paste, with what to do with it.

import { h } from "../lib/dom.js";
import { code as codeBlock, copyButton } from "./once.js";

export const tag = {
  name: "tag",
  title: "Install",
  draw: ({ code, config }) => [
    h("h2", {}, "Paste this into your pages"),
    h("p", { class: "soft" }, "Once on every page, anywhere; before </body> is usual. Shop systems have a field for " +
      "it, often called “custom code” or “footer scripts”."),
    codeBlock(code, "The tag"),
    h("div", { class: "actions" }, copyButton(code, "Copy the tag", "primary")),
    config.allowed_origins.includes("*")
      ? h("p", { class: "soft small" }, "Every website may use it; see ", limitsLink(), ".")
      : h("p", { class: "soft small" }, "It works on ", h("strong", {}, config.allowed_origins.join(", ") ||
        "no website yet"), "; others are added under ", limitsLink(), "."),
  ],
};

function limitsLink() {
  return h("a", { href: "/console/settings/limits" }, "Limits and privacy");
}
