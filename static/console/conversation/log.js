// What was said: days, system lines, messages of everybody, notes among them. Nodes are drawn once and kept.

import { h, icon } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { dayKey, dayWords, moment } from "../lib/time.js";
import { written } from "./text.js";

const WHO = { visitor: "Visitor", assistant: "AI", operator: "Operator", proactive: "Nudge" };
const HOW_IT_ENDED = { interrupted: "cut off", stopped: "stopped", error: "failed", streaming: "unfinished" };
const NEAR_PX = 80;

export class Log {
  #list = h("div", { class: "log-list", role: "log", "aria-label": "Messages", "aria-live": "polite" });
  #known = new Map();
  #order = [];
  #hasMore = false;
  #isAtEnd = true;
  #earlier;
  #scroll;
  #newest;

  // onEarlier: called when the beginning is wanted.
  constructor({ onEarlier }) {
    this.#earlier = h("button", { type: "button", class: "quiet earlier", hidden: true, onclick: onEarlier },
      "Earlier messages");
    this.#scroll = h("div", { class: "log", tabindex: "0", role: "region", "aria-label": "What was said" },
      this.#earlier, this.#list);
    this.#newest = h("button", { type: "button", class: "newest", hidden: true, onclick: () => this.#toEnd() },
      icon(ICONS.down, 16), "New messages");
    this.node = h("div", { class: "log-place" }, this.#scroll, this.#newest);
    this.#follow();
  }

  get hasAny() {
    return this.#known.size > 0;
  }

  focus() {
    this.#scroll.focus();
  }

  // Messages and notes, in any order; known ones are drawn again only when they changed. The reader is taken along
  // only when the end was in sight.
  add(items, { isQuiet = false } = {}) {
    const news = items.filter((item) => this.#isNews(item));
    if (!news.length) return;
    const isNewest = news.every((item) => !this.#known.has(keyOf(item)) && this.#isAfterAll(item));
    for (const item of news) this.#known.set(keyOf(item), { item, node: draw(item) });
    this.#arrange({ isQuiet: isQuiet || !isNewest });
    if (this.#isAtEnd) this.#toEnd();
    else if (isNewest) this.#newest.hidden = false;
  }

  // Earlier messages, above what is there; the place that is being read stays where it is.
  prepend(items, hasMore) {
    const first = this.#list.querySelector("[data-key]");
    const before = first?.getBoundingClientRect().top;
    this.setMore(hasMore);
    this.#isAtEnd = false;
    for (const item of items.filter((one) => this.#isNews(one))) this.#known.set(keyOf(item),
      { item, node: draw(item) });
    this.#arrange({ isQuiet: true });
    if (first) this.#scroll.scrollTop += first.getBoundingClientRect().top - before;
  }

  // Whether there are messages before the first one.
  setMore(hasMore) {
    this.#hasMore = hasMore;
    this.#earlier.hidden = !hasMore;
  }

  // Forgets everything: what comes next has a gap before it.
  clear() {
    this.#known.clear();
    this.#order = [];
    this.#list.replaceChildren();
    this.#isAtEnd = true;
  }

  #follow() {
    this.#scroll.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      if (this.#isAtEnd) this.#newest.hidden = true;
    }, { passive: true });
    const stay = () => this.#isAtEnd && this.#toEnd();
    // A picture that has arrived, and a field that grew, push the end out of sight.
    this.#list.addEventListener("load", stay, true);
    new ResizeObserver(stay).observe(this.#scroll);
  }

  #isNews(item) {
    const known = this.#known.get(keyOf(item))?.item;
    return !known || known.content !== item.content || known.status !== item.status;
  }

  #isAfterAll(item) {
    const last = this.#order.at(-1);
    return !last || (item.isNote || last.isNote ? item.created_at >= last.created_at : item.id > last.id);
  }

  // Puts the nodes in order, days between them; only what is not in its place already is moved.
  #arrange({ isQuiet }) {
    if (isQuiet) this.#list.setAttribute("aria-live", "off");
    this.#order = inOrder([...this.#known.values()].map((one) => one.item), this.#hasMore);
    const wanted = [];
    let day = "";
    for (const item of this.#order) {
      if (dayKey(item.created_at) !== day) wanted.push(this.#day(item));
      day = dayKey(item.created_at);
      wanted.push(this.#known.get(keyOf(item)).node);
    }
    this.#place(wanted);
    // What was there before is not read out; what comes from now on is.
    if (isQuiet) requestAnimationFrame(() => this.#list.setAttribute("aria-live", "polite"));
  }

  #day(item) {
    const key = `day-${dayKey(item.created_at)}`;
    return this.#list.querySelector(`[data-day="${key}"]`) || h("p", { class: "day", data: { day: key } },
      dayWords(item.created_at));
  }

  #place(wanted) {
    const keep = new Set(wanted);
    for (const node of [...this.#list.children]) if (!keep.has(node)) node.remove();
    wanted.forEach((node, place) => {
      if (this.#list.children[place] !== node) this.#list.insertBefore(node, this.#list.children[place] || null);
    });
  }

  #toEnd() {
    this.#isAtEnd = true;
    this.#newest.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }
}

// Messages by their number; each note before the first message that is younger. Notes from before the first message
// wait until that time is shown.
function inOrder(items, hasMore) {
  const messages = items.filter((item) => !item.isNote).sort((one, other) => one.id - other.id);
  const notes = items.filter((item) => item.isNote).sort((one, other) => one.id - other.id);
  const start = hasMore ? messages[0]?.created_at || "" : "";
  const found = [];
  for (const message of messages) {
    while (notes.length && notes[0].created_at < message.created_at) {
      const note = notes.shift();
      if (note.created_at >= start) found.push(note);
    }
    found.push(message);
  }
  return [...found, ...notes];
}

function keyOf(item) {
  return item.isNote ? `note-${item.id}` : `message-${item.id}`;
}

function draw(item) {
  const node = item.isNote ? note(item) : item.role === "system"
    ? h("p", { class: "system", dir: "auto" }, item.content) : message(item);
  node.dataset.key = keyOf(item);
  return node;
}

function message(item) {
  const ended = HOW_IT_ENDED[item.status];
  const text = item.role === "visitor" ? item.content : written(item.content || "");
  return h(
    "article",
    { class: `said ${item.role}` },
    saidBy(item.operator?.name || WHO[item.role], item, item.role === "proactive" && item.operator && "spoke first",
      ended),
    item.image_url && h("a", { href: item.image_url, target: "_blank", rel: "noopener" },
      h("img", { src: item.image_url, alt: "Image, opens in a new tab" })),
    item.content && h("div", { class: `said-text${item.role === "visitor" ? " is-plain" : ""}`, dir: "auto" }, text),
    item.sources?.length > 0 && h("p", { class: "small soft said-sources" }, "Sources: ",
      item.sources.map((source) => source.title).join(", ")),
  );
}

function note(item) {
  return h(
    "article",
    { class: "said note" },
    saidBy(`Note by ${item.operator?.name || "a colleague"}`, item, "only for colleagues"),
    h("div", { class: "said-text is-plain", dir: "auto" }, item.content),
  );
}

function saidBy(name, item, ...tags) {
  return h("p", { class: "said-by" }, h("strong", {}, h("bdi", {}, name)), " ",
    h("time", { datetime: item.created_at, title: new Date(item.created_at).toLocaleString() },
      moment(item.created_at)),
    tags.filter(Boolean).map((words) => [" ", h("span", { class: "tag" }, words)]));
}
