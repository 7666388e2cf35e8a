// What was said, drawn once and appended to: days, system lines, messages of everybody, notes among them.

import { h } from "../lib/dom.js";
import { day, dayKey, moment } from "../lib/time.js";

const WHO = { visitor: "Visitor", assistant: "AI", operator: "Operator", proactive: "Nudge" };
const NEAR_PX = 80;

export class Log {
  #list = h("div", { class: "log-list", role: "log", "aria-label": "Messages", "aria-live": "polite" });
  #seen = new Set();
  #lastDay = "";
  #onEarlier;
  #earlier;

  // onEarlier: called when the beginning is wanted.
  constructor({ onEarlier }) {
    this.#onEarlier = onEarlier;
    this.#earlier = h("button", { type: "button", class: "quiet earlier", hidden: true, onclick: () => this.#onEarlier() }, "Earlier messages");
    this.node = h("div", { class: "log", tabindex: "0", "aria-label": "Conversation so far" }, this.#earlier, this.#list);
  }

  // Draws everything anew and goes to the end. items: messages and notes in order; hasMore: there are earlier ones.
  show(items, hasMore) {
    this.#seen.clear();
    this.#lastDay = "";
    this.#list.setAttribute("aria-live", "off");
    this.#list.replaceChildren();
    items.forEach((item) => this.#append(item));
    this.#earlier.hidden = !hasMore;
    this.#toEnd();
    // What was there before is not read out; what comes from now on is.
    requestAnimationFrame(() => this.#list.setAttribute("aria-live", "polite"));
  }

  // Earlier messages, above what is there; the place that is being read stays where it is.
  prepend(items, hasMore) {
    const height = this.node.scrollHeight;
    const nodes = items.filter((item) => !this.#seen.has(keyOf(item))).map((item) => this.#draw(item));
    this.#list.prepend(...nodes);
    this.#earlier.hidden = !hasMore;
    this.node.scrollTop += this.node.scrollHeight - height;
  }

  // One more at the end; the reader is taken along only when the end was in sight.
  add(item) {
    if (this.#seen.has(keyOf(item))) return;
    const isAtEnd = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < NEAR_PX;
    this.#append(item);
    if (isAtEnd) this.#toEnd();
  }

  #append(item) {
    const key = dayKey(item.created_at);
    if (key !== this.#lastDay) {
      this.#lastDay = key;
      this.#list.append(h("p", { class: "day" }, day(item.created_at)));
    }
    this.#list.append(this.#draw(item));
  }

  #draw(item) {
    this.#seen.add(keyOf(item));
    if (item.isNote) return note(item);
    return item.role === "system" ? h("p", { class: "system" }, item.content) : message(item);
  }

  #toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }
}

function keyOf(item) {
  return item.isNote ? `note-${item.id}` : item.id;
}

function message(item) {
  const name = item.operator?.name || WHO[item.role];
  return h(
    "article",
    { class: `said ${item.role}` },
    h("p", { class: "said-by" }, h("strong", {}, name), " ", h("time", { datetime: item.created_at }, moment(item.created_at)),
      item.status !== "complete" && h("span", { class: "tag" }, item.status)),
    item.image_url && h("a", { href: item.image_url, target: "_blank", rel: "noopener" }, h("img", { src: item.image_url, alt: "Image of the message", loading: "lazy" })),
    item.content && h("div", { class: "said-text", dir: "auto" }, item.content),
    item.sources?.length > 0 && h("p", { class: "small soft" }, "Sources: ", item.sources.map((source) => source.title).join(", ")),
  );
}

function note(item) {
  return h(
    "article",
    { class: "said note" },
    h("p", { class: "said-by" }, h("strong", {}, `Note by ${item.operator?.name || "a colleague"}`), " ", h("time", { datetime: item.created_at }, moment(item.created_at))),
    h("div", { class: "said-text", dir: "auto" }, item.content),
  );
}
