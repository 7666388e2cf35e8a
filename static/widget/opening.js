// What is shown before anybody has said anything: the starters, or the site's question for an address.

import { h } from "./dom.js";

/** The element to show, or null while a form comes instead. */
export function opening(panel) {
  const { starters } = panel.core.config;
  if (asksContact(panel, "start")) {
    panel.extra("contact");
    return null;
  }
  const box = h("div", { class: "starters" });
  for (const text of starters) {
    box.append(h("button", { type: "button", class: "pill", dir: "auto", onclick: () => panel.send(text) }, text));
  }
  return box;
}

/** Whether the site wants to be told now, for the first time, how to reach the visitor. */
export function asksContact({ core, keep }, when) {
  const { collect_data, lead_when } = core.config.forms;
  return collect_data !== "none" && lead_when === when && !keep.get("asked");
}
