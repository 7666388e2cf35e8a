// The list of conversations. Every conversation keeps its element: a row that is being aimed at, or holds the focus,
// stays while the others come, go and change places.

import { isUnread } from "../lib/conversations.js";
import { h, put } from "../lib/dom.js";
import { ago, lasting } from "../lib/time.js";

const STATUS = { waiting: "Waiting", operator: "Person", ai: "AI", closed: "Closed" };

export class Rows {
  #app;
  #onEnter;
  #known = new Map();
  node = h("ul", { class: "rows", "aria-label": "Conversations" });

  // onEnter(): Enter on the row that is open already.
  constructor(app, { onEnter }) {
    this.#app = app;
    this.#onEnter = onEnter;
  }

  // rows: wire rows in their order; currentId: the conversation that is open.
  show(rows, currentId) {
    const focused = this.node.contains(document.activeElement) && document.activeElement;
    const wanted = rows.map((row) => this.#draw(row, row.id === currentId));
    const keep = new Set(wanted);
    for (const node of [...this.node.children]) if (!keep.has(node)) node.remove();
    wanted.forEach((node, place) => {
      if (this.node.children[place] !== node) this.node.insertBefore(node, this.node.children[place] || null);
    });
    this.#forget(rows);
    // An element that is moved loses the focus.
    if (focused && focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  focus(id) {
    const link = this.#known.get(id)?.link;
    link?.focus();
    link?.scrollIntoView({ block: "nearest" });
  }

  focusFirst() {
    this.node.querySelector("a")?.focus();
  }

  #forget(rows) {
    const ids = new Set(rows.map((row) => row.id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }

  #draw(row, isCurrent) {
    const known = this.#known.get(row.id) || this.#make(row);
    const shown = this.#content(row);
    const key = JSON.stringify(shown);
    if (known.key !== key) {
      known.key = key;
      fill(known.link, row, shown);
    }
    if (isCurrent) known.link.setAttribute("aria-current", "true");
    else known.link.removeAttribute("aria-current");
    return known.node;
  }

  #make(row) {
    const link = h("a", { href: `/console/inbox/${row.id}`, class: "row" });
    link.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !link.hasAttribute("aria-current")) return;
      event.preventDefault();
      this.#onEnter();
    });
    const made = { link, node: h("li", {}, link), key: "" };
    this.#known.set(row.id, made);
    return made;
  }

  // Everything of a row that can be seen.
  #content(row) {
    const { sites, user, conversations } = this.#app;
    return {
      name: row.visitor_name,
      time: ago(row.changed_at),
      text: row.last_message || "No message yet",
      isTyping: conversations.isTyping(row.id),
      tag: statusWords(row),
      status: row.status,
      who: row.operator && row.status !== "closed" ? (row.operator.id === user.id ? "You" : row.operator.name) : "",
      site: sites.length > 1 ? sites.find((one) => one.id === row.site_id)?.name : "",
      score: row.rating_score,
      unread: isUnread(row) ? row.unread_count : 0,
    };
  }
}

function fill(link, row, { name, time, text, isTyping, tag, status, who, site, score, unread }) {
  link.classList.toggle("is-unread", unread > 0);
  put(link,
    h("span", { class: "row-top" },
      h("span", { class: "row-name" }, h("bdi", {}, name)),
      h("time", { class: "row-time", datetime: row.changed_at }, time)),
    h("span", { class: "row-text", dir: "auto" }, isTyping ? h("em", {}, "is typing …") : text),
    h("span", { class: "row-tags" },
      h("span", { class: `tag ${status}` }, tag),
      [who, site].filter(Boolean).map((words) => h("span", { class: "soft small row-more" }, words)),
      score && h("span", { class: "stars small", role: "img", "aria-label": `Rated ${score} of 5` }, "★".repeat(score)),
      unread > 0 && h("span", { class: "unread" }, String(unread), h("span", { class: "hidden" }, " unread"))));
}

function statusWords(row) {
  if (row.status !== "waiting" || !row.waiting_since) return STATUS[row.status];
  return `Waiting ${lasting(Date.now() - Date.parse(row.waiting_since))}`;
}
