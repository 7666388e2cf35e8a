// The widget as it would look with settings that are not saved yet, in a frame of its own; nothing is sent or stored.

import { h } from "../lib/dom.js";

const AFTER_MS = 350;
// What the widget takes to draw itself after its page has loaded: the old picture stays until then.
const DRAWN_AFTER_MS = 250;
const SHOWN = [
  "bot_name", "bot_avatar_url", "welcome_message", "primary_color", "header_color", "position", "button_style",
  "starters", "photo_upload_enabled", "operator_enabled", "collect_data", "collect_email", "lead_when",
];

export class Preview {
  #siteKey;
  #timer = 0;
  #last = "";
  #place = h("div", { class: "preview-place" });

  constructor(siteKey) {
    this.#siteKey = siteKey;
    this.node = h("aside", { class: "preview", "aria-label": "Preview" }, h("h2", {}, "Preview"), this.#place,
      h("p", { class: "soft small" }, "Nothing you write here is sent or kept."));
  }

  show(config) {
    const shown = Object.fromEntries(SHOWN.filter((name) => name in config).map((name) => [name, config[name]]));
    const state = JSON.stringify({ site_key: this.#siteKey, config: shown });
    if (state === this.#last) return;
    this.#last = state;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(state), AFTER_MS);
  }

  close() {
    clearTimeout(this.#timer);
  }

  // A new frame for every change: the widget draws itself once, from its configuration.
  #load(state) {
    const src = `/console/preview#${encodeURIComponent(state)}`;
    const frame = h("iframe", { class: "preview-frame", title: "Preview of the widget", src });
    frame.addEventListener("load", () => setTimeout(() => {
      while (frame.isConnected && frame.previousElementSibling) frame.previousElementSibling.remove();
    }, DRAWN_AFTER_MS));
    this.#place.append(frame);
  }
}
