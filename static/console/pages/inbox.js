// The inbox: the list of conversations on the left, the chosen one beside it; on a phone one of the two.

import { api } from "../lib/api.js";
import { isUnread } from "../lib/conversations.js";
import { h, put } from "../lib/dom.js";
import { shortcut } from "../lib/keys.js";
import { ago, lasting } from "../lib/time.js";
import { ConversationView } from "../conversation/view.js";

const SEARCH_AFTER_MS = 250;
const CLOCK_MS = 15_000;
const FILTERS = [["all", "Open"], ["waiting", "Waiting"], ["mine", "Mine"], ["ai", "With the AI"], ["closed", "Closed"]];
const STATUS = { waiting: "Waiting", operator: "Person", ai: "AI", closed: "Closed" };

export async function open(app, rest) {
  const inbox = new Inbox(app);
  await inbox.start();
  inbox.update(rest);
  return inbox;
}

class Inbox {
  title = "Inbox";
  #app;
  #filter = "all";
  #search = "";
  #found = null;
  #turn = 0;
  #view = null;
  #ended = new AbortController();
  #list = h("ul", { class: "rows", "aria-label": "Conversations" });
  #tabs = h("div", { class: "tabs", role: "group", "aria-label": "Show" });
  #place = h("section", { class: "inbox-view", "aria-label": "Conversation" });
  #box = h("input", { type: "search", placeholder: "Search name, email or text", "aria-label": "Search conversations" });

  constructor(app) {
    this.#app = app;
    this.node = h("div", { class: "inbox" },
      h("section", { class: "inbox-list", "aria-label": "Inbox" },
        h("div", { class: "inbox-head" }, h("h1", {}, "Inbox"), this.#box, this.#tabs), this.#list),
      this.#place);
  }

  async start() {
    const { conversations } = this.#app;
    const { signal } = this.#ended;
    conversations.addEventListener("change", () => this.#draw(), { signal });
    conversations.addEventListener("typing", () => this.#draw(), { signal });
    let timer = 0;
    this.#box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#look({ search: this.#box.value.trim() }), SEARCH_AFTER_MS);
    });
    shortcut("/", "Search", () => this.#box.focus(), { signal });
    shortcut("j", "Next conversation", () => this.#step(1), { signal });
    shortcut("k", "Previous conversation", () => this.#step(-1), { signal });
    // "Waiting for 3 min" goes on without anything happening.
    const clock = setInterval(() => this.#draw(), CLOCK_MS);
    signal.addEventListener("abort", () => clearInterval(clock));
    this.#draw();
  }

  // Shows the conversation of this number, or none.
  update(rest) {
    const id = Number(rest) || null;
    if (id === (this.#view?.id ?? null) && this.#place.childElementCount) return;
    this.#view?.close();
    this.#view = id ? new ConversationView(this.#app, id) : null;
    this.node.classList.toggle("has-view", Boolean(id));
    put(this.#place, this.#view ? this.#view.node : this.#nothing());
    this.title = "Inbox";
    this.#draw();
  }

  close() {
    this.#ended.abort();
    this.#view?.close();
  }

  #nothing() {
    const hasSome = this.#app.conversations.rows.size > 0;
    return h("div", { class: "empty inbox-empty" },
      h("h2", {}, hasSome ? "Choose a conversation" : "Nobody is writing at the moment"),
      h("p", {}, hasSome
        ? "Use j and k to step through the list, Enter to write."
        : "New conversations appear here by themselves; the AI answers until you take over."));
  }

  #look(change) {
    if (change.filter) this.#filter = change.filter;
    if (change.search !== undefined) this.#search = change.search;
    this.#found = null;
    this.#draw();
    this.#ask();
  }

  // What is not open any more, or has to be searched for, comes from the list of the server.
  async #ask() {
    const turn = ++this.#turn;
    if (!this.#isAsked()) return;
    const filter = this.#filter === "mine" ? "operator" : this.#filter;
    const answer = await api.get("conversations", { filter, search: this.#search, per_page: 100 })
      .catch((problem) => ({ data: [], problem }));
    if (turn !== this.#turn) return;
    this.#found = answer.data;
    this.#problem = answer.problem;
    this.#draw();
  }

  #problem = null;

  #isAsked() {
    return this.#search !== "" || this.#filter === "closed";
  }

  #rows() {
    if (this.#isAsked()) return this.#found || [];
    const mine = this.#app.user.id;
    const keeps = {
      all: () => true,
      waiting: (row) => row.is_waiting,
      mine: (row) => row.operator?.id === mine,
      ai: (row) => row.status === "ai",
    };
    return this.#app.conversations.sorted(keeps[this.#filter]);
  }

  #draw() {
    put(this.#tabs, FILTERS.map(([name, words]) => h("button", {
      type: "button", class: "tab", "aria-pressed": String(name === this.#filter),
      onclick: () => this.#look({ filter: name }),
    }, words)));
    const rows = this.#rows();
    const focused = this.#list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    put(this.#list, rows.length ? rows.map((row) => this.#row(row)) : this.#emptyLine());
    if (focused) this.#list.querySelector(`[href="${focused}"]`)?.focus();
    if (!this.#view && this.#place.querySelector(".inbox-empty")) put(this.#place, this.#nothing());
  }

  #emptyLine() {
    if (this.#isAsked() && !this.#found) return h("li", { class: "empty" }, "Searching …");
    if (this.#problem && this.#isAsked()) return h("li", { class: "empty" }, this.#problem.message);
    const words = this.#search ? "Nothing found." : this.#filter === "waiting" ? "Nobody waits." : "No conversations here.";
    return h("li", { class: "empty" }, words);
  }

  #row(row) {
    const isTyping = this.#app.conversations.isTyping(row.id);
    const manySites = this.#app.sites.length > 1;
    const site = this.#app.sites.find((one) => one.id === row.site_id);
    return h("li", {}, h("a", {
      href: `/console/inbox/${row.id}`, class: `row${isUnread(row) ? " is-unread" : ""}`,
      "aria-current": row.id === this.#view?.id ? "true" : null,
    },
    h("span", { class: "row-top" },
      h("span", { class: "row-name" }, row.visitor_name),
      h("time", { class: "row-time", datetime: row.changed_at }, ago(row.changed_at))),
    h("span", { class: "row-text" }, isTyping ? h("em", {}, "is typing …") : row.last_message || "No message yet"),
    h("span", { class: "row-tags" },
      h("span", { class: `tag ${row.status}` }, statusWords(row)),
      row.operator && h("span", { class: "soft small" }, row.operator.name),
      manySites && h("span", { class: "soft small" }, site?.name),
      isUnread(row) && h("span", { class: "unread" }, String(row.unread_count), h("span", { class: "hidden" }, " unread")))));
  }

  #step(by) {
    const rows = this.#rows();
    const place = rows.findIndex((row) => row.id === this.#view?.id);
    const next = rows[Math.min(rows.length - 1, Math.max(0, place + by))];
    if (next) this.#app.go(`inbox/${next.id}`);
  }
}

function statusWords(row) {
  if (row.status !== "waiting" || !row.waiting_since) return STATUS[row.status];
  return `Waiting ${lasting(Date.now() - Date.parse(row.waiting_since))}`;
}
