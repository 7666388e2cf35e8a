// Who may use the widget, how much, and how long what they write is kept.

import { h } from "../lib/dom.js";
import { checkbox, field } from "../lib/form.js";
import { area, input, lines, number } from "./inputs.js";

const MAX_INT = 2 ** 31 - 1;
const MB = 2 ** 20;
const SECRET_BYTES = 32;

export const limits = {
  name: "limits",
  title: "Limits and privacy",
  fields: ({ config, secrets }) => [
    field("Websites that may use the widget", area("allowed_origins", config.allowed_origins.join("\n"), { rows: 3 }),
      "One a line, such as https://shop.example; * for any."),
    h("div", { class: "columns" },
      field("Messages a month", number("messages_per_month", config.messages_per_month, MAX_INT), "0: no limit."),
      field("Tokens a day", number("tokens_per_day", config.tokens_per_day, Number.MAX_SAFE_INTEGER), "0: no limit."),
      field("Room for images, in MB", input("upload_quota_mb", Math.round(config.upload_quota_bytes / MB * 10) / 10,
        { type: "number", min: 0, step: "any" }), "0: no images."),
      field("Keep conversations, in days", number("retention_days", config.retention_days, 36_500),
        "Closed ones are erased then. 0: kept for good.")),
    h("fieldset", {}, h("legend", {}, "Signed-in visitors"),
      checkbox("Only signed-in visitors", "identity_required", config.identity_required,
        "Your page proves who they are, see identify() in the widget's documentation."),
      secretField(secrets.identity_secret)),
  ],
  read: (given) => ({
    allowed_origins: lines(given.allowed_origins),
    messages_per_month: Number(given.messages_per_month),
    tokens_per_day: Number(given.tokens_per_day),
    upload_quota_bytes: Math.round(Number(given.upload_quota_mb) * MB),
    retention_days: Number(given.retention_days),
    identity_required: given.identity_required,
    ...(given.identity_secret && { identity_secret: given.identity_secret }),
  }),
  saved: (element, { secrets }) => {
    const secret = element.elements.identity_secret;
    secret.value = "";
    secret.type = "password";
    element.querySelector(".secret-state").textContent = secretState(secrets.identity_secret);
    return true;
  },
};

// It goes in and never comes out: whoever wants to see one makes a new one, and copies it before it is saved.
function secretField(isSet) {
  const secret = input("identity_secret", "", { type: "password", autocomplete: "new-password", maxlength: 128 });
  const make = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
    secret.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    secret.type = "text";
    secret.select();
    secret.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const node = field("Identity secret", secret, "Empty: stays as it is. A new one has to be put into your page's " +
    "server, too, and is not shown again after it was saved.");
  const row = h("div", { class: "with-button" }, h("button", { type: "button", onclick: make }, "Make one"));
  secret.replaceWith(row);
  row.prepend(secret);
  node.querySelector("label").append(" ", h("span", { class: "tag secret-state" }, secretState(isSet)));
  return node;
}

export function secretState(isSet) {
  return isSet ? "Set" : "Not set";
}
