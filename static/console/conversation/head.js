// The line above a conversation: who it is, where it stands, what can be done. Buttons stay the same elements while
// they are shown: one that is being aimed at, or holds the focus, is not taken away by a clock.

import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { lasting } from "../lib/time.js";

const BUTTONS = {
  accept: ["Accept", ICONS.check, "primary"],
  takeOver: ["Take over", ICONS.check, ""],
  return: ["To the AI", ICONS.robot, ""],
  transfer: ["Transfer", ICONS.transfer, ""],
  close: ["Close", ICONS.close, ""],
};

export class Head {
  #user;
  #name = h("h2", {});
  #state = h("p", { class: "small soft", role: "status" });
  #verbs = h("div", { class: "view-verbs", role: "group", "aria-label": "What to do" });
  #buttons = new Map();
  #about;

  // user: who is signed in; onVerb(name): a button was pressed; onAbout(): the visitor's details are wanted.
  constructor({ user, onVerb, onAbout }) {
    this.#user = user;
    for (const [name, [words, path, kind]] of Object.entries(BUTTONS)) {
      const button = h("button", { type: "button", class: kind, onclick: () => onVerb(name) }, icon(path, 18),
        h("span", {}, words));
      this.#buttons.set(name, button);
    }
    this.#about = h("button", { type: "button", class: "quiet square about-button", "aria-label": "About the visitor",
      onclick: onAbout }, icon(ICONS.account));
    this.node = h("header", { class: "view-head" },
      h("a", { class: "button quiet square to-list", href: "/console/inbox", "aria-label": "Back to the list" },
        icon(ICONS.back)),
      h("div", { class: "view-name" }, this.#name, this.#state), this.#verbs, this.#about);
  }

  show(row, { mayChat }) {
    put(this.#name, h("bdi", {}, row.visitor_name));
    this.showState(row);
    const shown = mayChat ? verbsOf(row, this.#user.id).map((name) => this.#buttons.get(name)) : [];
    if (shown.length === this.#verbs.childElementCount
      && shown.every((one, place) => one === this.#verbs.children[place])) return;
    const focused = this.#verbs.contains(document.activeElement) && document.activeElement;
    put(this.#verbs, shown);
    if (focused) (shown.includes(focused) ? focused : shown[0] || this.#about).focus();
  }

  // The words alone; waiting goes on without anything happening.
  showState(row) {
    const words = stateOf(row, this.#user.id) + (row.block ? " · blocked" : "");
    if (this.#state.textContent !== words) put(this.#state, words);
    this.#state.classList.toggle("is-waiting", row.status === "waiting");
  }

  // While something is being done nothing else can be.
  setBusy(isBusy) {
    for (const button of this.#buttons.values()) {
      // Not `disabled`: that would throw the focus away.
      if (isBusy) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }
}

function verbsOf(row, userId) {
  if (row.status === "closed") return [];
  if (row.mode === "ai") return row.is_waiting ? ["accept", "return", "close"] : ["accept", "close"];
  return row.operator?.id === userId ? ["return", "transfer", "close"] : ["takeOver", "return", "close"];
}

function stateOf(row, userId) {
  if (row.status === "closed") return "Closed";
  if (row.status === "waiting") return `Waiting for ${lasting(Date.now() - Date.parse(row.waiting_since))}`;
  if (row.status === "ai") return "The AI answers";
  return row.operator?.id === userId ? "You answer" : `${row.operator?.name || "A person"} answers`;
}
