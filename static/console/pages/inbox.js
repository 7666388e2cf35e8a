// The inbox: the list of conversations on the left, the chosen one beside it; on a phone one of the two.

import { api } from "../lib/api.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { shortcut } from "../lib/keys.js";
import { alertsDialog } from "../lib/notify.js";
import { ConversationView } from "../conversation/view.js";
import { Rows } from "../conversation/rows.js";

const SEARCH_AFTER_MS = 250;
const CLOCK_MS = 5_000;
const FILTERS = [["all", "Open"], ["waiting", "Waiting"], ["mine", "Mine"], ["ai", "AI"], ["closed", "Closed"]];
const EMPTY = { all: "No open conversations.", waiting: "Nobody waits.",
  mine: "You have no conversation at the moment.",
  ai: "The AI has no conversation at the moment.", closed: "No closed conversations yet." };

export async function open(app, rest) {
  const inbox = new Inbox(app);
  inbox.start();
  inbox.update(rest);
  return inbox;
}

class Inbox {
  title = "Inbox";
  #app;
  #filter = "all";
  #search = "";
  #found = null;
  #foundPages = 1;
  #page = 1;
  #problem = null;
  #turn = 0;
  #view = null;
  #ended = new AbortController();
  #rows;
  #tabs;
  #line = h("p", { class: "empty", role: "status" });
  #more = h("button", { type: "button", class: "quiet more-rows", hidden: true,
    onclick: () => this.#ask(this.#page + 1) }, "Show more");
  #place = h("section", { class: "inbox-view", "aria-label": "Conversation" });
  #box = h("input", { type: "search", placeholder: "Search name, email or text",
    "aria-label": "Search conversations" });

  constructor(app) {
    this.#app = app;
    this.#rows = new Rows(app, { onEnter: () => this.#view?.write() });
    this.#tabs = FILTERS.map(([name, words]) => h("button", {
      type: "button", class: "tab", data: { name }, onclick: () => this.#look({ filter: name }),
    }, words, h("span", { class: "tab-count" })));
    // On a phone the list's own heading is not there while a conversation is.
    this.node = h("div", { class: "inbox" }, h("h1", { class: "hidden" }, "Inbox"),
      h("section", { class: "inbox-list", "aria-label": "Inbox" },
        h("div", { class: "inbox-head" },
          h("div", { class: "inbox-title" }, h("span", { class: "inbox-name", "aria-hidden": "true" }, "Inbox"),
            h("button", { type: "button", class: "quiet square", "aria-label": "Alerts", title: "Alerts",
              onclick: () => alertsDialog(app.notifier) }, icon(ICONS.bell))),
          this.#box, h("div", { class: "tabs", role: "group", "aria-label": "Show" }, this.#tabs)),
        h("div", { class: "rows-place" }, this.#rows.node, this.#line, this.#more)),
      this.#place);
  }

  start() {
    const { conversations } = this.#app;
    const { signal } = this.#ended;
    conversations.addEventListener("change", ({ detail }) => this.#follow(detail), { signal });
    conversations.addEventListener("typing", () => this.#draw(), { signal });
    let timer = 0;
    this.#box.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#look({ search: this.#box.value.trim() }), SEARCH_AFTER_MS);
    });
    this.#box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "ArrowDown") this.#rows.focusFirst();
      if (event.key === "Escape" && !this.#box.value) this.#box.blur();
    });
    shortcut("/", "Search", () => this.#box.focus(), { signal });
    shortcut("j", "Next conversation", () => this.#step(1), { signal });
    shortcut("k", "Previous conversation", () => this.#step(-1), { signal });
    shortcut("Enter", "Open the conversation; once more: write", () => this.#view?.write(), { signal, isPlace: true });
    // "Waiting 3 min" goes on without anything happening.
    const clock = setInterval(() => this.#draw(), CLOCK_MS);
    signal.addEventListener("abort", () => clearInterval(clock));
  }

  // Shows the conversation of this number, or none.
  update(rest) {
    const id = Number(rest) || null;
    if (id === (this.#view?.id ?? null) && this.#place.childElementCount) return;
    this.#view?.close();
    this.#view = id ? new ConversationView(this.#app, id) : null;
    this.node.classList.toggle("has-view", Boolean(id));
    put(this.#place, this.#view?.node);
    this.#draw();
  }

  close() {
    this.#ended.abort();
    this.#view?.close();
  }

  // What stands beside the list while no conversation is chosen: what to do next.
  #drawNothing() {
    if (this.#view) return;
    const next = this.#app.conversations.sorted((row) => row.is_waiting)[0];
    const key = `${next?.id} ${this.#app.conversations.rows.size > 0} ${this.#app.conversations.isRead}`;
    if (this.#place.firstElementChild?.dataset.key === key) return;
    const hadFocus = this.#place.contains(document.activeElement);
    put(this.#place, h("div", { class: "empty inbox-empty", data: { key } }, this.#nothing(next)));
    if (hadFocus) this.#place.querySelector("a")?.focus();
  }

  #nothing(next) {
    if (next) {
      return [h("h2", {}, h("bdi", {}, next.visitor_name), " waits for a person"),
        h("p", {}, "Open the conversation, accept it, and write. The AI stays silent until you give it back."),
        h("p", {}, h("a", { class: "button primary", href: `/console/inbox/${next.id}` }, "Answer now"))];
    }
    if (this.#app.conversations.rows.size) {
      return [h("h2", {}, "Nobody waits for a person"),
        h("p", {}, "The AI answers. Choose a conversation to read along; write, and you take over."),
        h("p", { class: "small" }, h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " step through the list, ",
          h("kbd", {}, "Enter"), " writes, ",
          h("kbd", {}, "?"), " shows all keys.")];
    }
    if (!this.#app.conversations.isRead) return h("p", {}, "Loading …");
    return [h("h2", {}, "Nobody is writing at the moment"),
      h("p", {}, "Conversations appear here by themselves. The AI answers; who asks for a person is shown on top."),
      this.#app.can("can_edit") && h("p", {},
        h("a", { class: "button", href: "/console/settings/tag" }, "Put the chat on your website"))];
  }

  #follow(row) {
    this.#draw();
    // The list of closed ones is the server's; one more is known by the event alone.
    if (row?.status === "closed" && this.#isAsked() && this.#page === 1) this.#ask(1);
  }

  #look(change) {
    if (change.filter) this.#filter = change.filter;
    if (change.search !== undefined) this.#search = change.search;
    this.#found = null;
    this.#draw();
    this.#ask(1);
  }

  // What is not open any more, or has to be searched for, comes from the list of the server.
  async #ask(page) {
    const turn = ++this.#turn;
    if (!this.#isAsked()) return;
    const filter = this.#filter === "mine" ? "operator" : this.#filter;
    try {
      const { data, pagination } = await api.get("conversations", { filter, search: this.#search, page, per_page: 50 });
      if (turn !== this.#turn) return;
      const before = page > 1 ? this.#found : [];
      const known = new Set(before.map((row) => row.id));
      this.#found = [...before, ...data.filter((row) => !known.has(row.id))];
      this.#page = page;
      this.#foundPages = pagination.pages;
      this.#problem = null;
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.#found ||= [];
      this.#problem = problem;
    }
    this.#draw();
  }

  #isAsked() {
    return this.#search !== "" || this.#filter === "closed";
  }

  #wanted() {
    const { conversations, user } = this.#app;
    const isMine = (row) => row.operator?.id === user.id && row.status === "operator";
    // Found ones go on living: what the stream knows of them is newer.
    if (this.#isAsked()) {
      const rows = (this.#found || []).map((row) => conversations.rows.get(row.id) || row);
      return this.#filter === "mine" ? rows.filter(isMine) : rows;
    }
    const keeps = { all: () => true, waiting: (row) => row.is_waiting, mine: isMine, ai: (row) => row.status === "ai" };
    return conversations.sorted(keeps[this.#filter]);
  }

  #draw() {
    const waiting = this.#app.conversations.sorted((row) => row.is_waiting).length;
    for (const tab of this.#tabs) {
      tab.setAttribute("aria-pressed", String(tab.dataset.name === this.#filter));
      if (tab.dataset.name === "waiting") put(tab.lastChild, waiting ? ` ${waiting}` : "");
    }
    const rows = this.#wanted();
    this.#rows.show(rows, this.#view?.id);
    const words = rows.length ? "" : this.#emptyWords();
    if (this.#line.textContent !== words) put(this.#line, words);
    this.#line.hidden = !words;
    this.#more.hidden = !(this.#isAsked() && this.#found?.length && this.#page < this.#foundPages);
    this.#drawNothing();
  }

  #emptyWords() {
    if (this.#isAsked() && !this.#found) return "Searching …";
    if (this.#isAsked() && this.#problem) return this.#problem.message;
    if (!this.#isAsked() && !this.#app.conversations.isRead) return "Loading …";
    return this.#search ? "Nothing found." : EMPTY[this.#filter];
  }

  #step(by) {
    const rows = this.#wanted();
    const place = rows.findIndex((row) => row.id === this.#view?.id);
    const next = rows[Math.min(rows.length - 1, Math.max(0, place + by))];
    if (!next) return;
    this.#app.go(`inbox/${next.id}`);
    this.#rows.focus(next.id);
  }
}
