// One conversation: what was said, who the visitor is, and everything an operator does with it.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { shortcut } from "../lib/keys.js";
import { lasting } from "../lib/time.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { Log } from "./log.js";
import { blockDialog, transferDialog } from "./verbs.js";

export class ConversationView {
  #app;
  #row = null;
  #first = null;
  #turn = 0;
  #ended = new AbortController();
  #head = h("header", { class: "view-head" });
  #typing = h("p", { class: "typing", role: "status" });
  #log = new Log({ onEarlier: () => this.#earlier() });
  #details = new Details();
  #composer;

  constructor(app, id) {
    this.#app = app;
    this.id = id;
    this.#composer = new Composer(id, { onSent: () => this.#markRead(), nameOf: () => this.#row?.visitor_name || "" });
    this.node = h("div", { class: "view" },
      h("div", { class: "view-main" }, this.#head, this.#log.node, this.#typing, this.#composer.node), this.#details.node);
    this.#listen();
    this.#read();
  }

  close() {
    this.#ended.abort();
  }

  #listen() {
    const { live, conversations } = this.#app;
    const { signal } = this.#ended;
    live.on("connected", () => this.#read(), signal);
    live.on("message", (event) => this.#hear(event), signal);
    live.on("note", (event) => event.conversation_id === this.id && this.#log.add({ ...event.note, isNote: true }), signal);
    live.on("conversation", ({ conversation }) => this.#follow(conversation), signal);
    conversations.addEventListener("typing", ({ detail }) => detail.id === this.id && this.#showTyping(detail.on), { signal });
    document.addEventListener("visibilitychange", () => this.#markRead(), { signal });
    const clock = setInterval(() => this.#row?.is_waiting && this.#drawHead(), 10_000);
    signal.addEventListener("abort", () => clearInterval(clock));
    shortcut("a", "Accept the conversation", () => this.#act("accept"), { signal });
    shortcut("r", "Write a reply", () => this.#write(false), { signal });
    shortcut("n", "Write a note", () => this.#write(true), { signal });
    shortcut("t", "Transfer", () => this.#act("transfer"), { signal });
    shortcut("e", "Close the conversation", () => this.#act("close"), { signal });
    shortcut("g", "Give it back to the AI", () => this.#act("return"), { signal });
  }

  async #read() {
    const turn = ++this.#turn;
    try {
      const answer = await api.get(`conversations/${this.id}/messages`);
      if (turn !== this.#turn || this.#ended.signal.aborted) return;
      this.#row = answer.conversation;
      this.#first = answer.messages[0]?.id ?? null;
      this.#log.show(inOrder(answer.messages, answer.notes), answer.has_more);
      this.#composer.siteId = this.#row.site_id;
      this.#draw();
      this.#markRead();
    } catch (problem) {
      if (turn === this.#turn && !this.#row) put(this.node, h("p", { class: "empty" }, problem.message));
    }
  }

  async #earlier() {
    const { messages, has_more: hasMore } = await api.get(`conversations/${this.id}/messages`, { before: this.#first });
    this.#first = messages[0]?.id ?? this.#first;
    this.#log.prepend(messages, hasMore);
  }

  #hear({ conversation_id: id, message }) {
    if (id !== this.id) return;
    this.#log.add(message);
    if (message.role === "visitor") this.#showTyping(false);
    this.#markRead();
  }

  #follow(row) {
    if (row.id !== this.id || !this.#row) return;
    this.#row = { ...this.#row, ...row };
    this.#draw();
  }

  // Seen only when somebody looks.
  #markRead() {
    const known = this.#app.conversations.rows.get(this.id);
    if (document.visibilityState !== "visible" || !known?.unread_count || !this.#app.can("can_chat", known.site_id)) return;
    this.#app.conversations.markRead(this.id);
    api.post(`operator/read/${this.id}`).catch(() => {});
  }

  #write(isNote) {
    this.#composer.setNote(isNote);
    this.#composer.focus();
  }

  #showTyping(isOn) {
    put(this.#typing, isOn && `${this.#row?.visitor_name || "The visitor"} is typing …`);
  }

  #draw() {
    this.#drawHead();
    const site = this.#app.sites.find((one) => one.id === this.#row.site_id);
    this.#details.show(this.#row, { siteName: this.#app.sites.length > 1 ? site?.name : null });
    this.#composer.node.hidden = this.#row.status === "closed" || !this.#app.can("can_chat", this.#row.site_id);
  }

  #drawHead() {
    const row = this.#row;
    put(
      this.#head,
      h("a", { class: "button quiet square to-list", href: "/console/inbox", "aria-label": "Back to the list" }, icon(ICONS.back)),
      h("div", { class: "view-name" }, h("h2", {}, row.visitor_name), h("p", { class: "small soft" }, this.#state())),
      h("div", { class: "view-verbs" }, this.#verbs()),
    );
  }

  #state() {
    const row = this.#row;
    const block = row.block && " · blocked";
    if (row.status === "closed") return ["Closed", block];
    if (row.status === "waiting") return [`Waits for a person since ${lasting(Date.now() - Date.parse(row.waiting_since))}`, block];
    if (row.status === "ai") return ["The AI answers", block];
    return [row.operator?.id === this.#app.user.id ? "You answer" : `${row.operator?.name || "A person"} answers`, block];
  }

  #verbs() {
    const row = this.#row;
    if (!this.#app.can("can_chat", row.site_id)) return [];
    const isOpen = row.status !== "closed";
    const isMine = row.mode === "operator" && row.operator?.id === this.#app.user.id;
    return [
      isOpen && row.mode === "ai" && this.#button("accept", "Accept", ICONS.check, "primary"),
      isOpen && row.mode === "operator" && this.#button("return", "To the AI", ICONS.robot),
      isOpen && isMine && this.#button("transfer", "Transfer", ICONS.transfer),
      isOpen && this.#button("close", "Close", ICONS.close),
      row.block ? this.#button("unblock", "Unblock", ICONS.block) : this.#button("block", "Block", ICONS.block),
    ];
  }

  #button(verb, words, path, kind = "") {
    return h("button", { type: "button", class: kind, onclick: () => this.#act(verb) }, icon(path, 18), h("span", {}, words));
  }

  async #act(verb) {
    if (!this.#row || !this.#app.can("can_chat", this.#row.site_id)) return;
    try {
      await this.#do(verb);
      await this.#read();
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  async #do(verb) {
    if (verb === "accept") {
      await api.post(`operator/accept/${this.id}`);
      this.#composer.focus();
    } else if (verb === "return") await api.post(`operator/return-to-ai/${this.id}`);
    else if (verb === "transfer") await transferDialog(this.#app, this.#row);
    else if (verb === "block") blockDialog(this.#row);
    else if (verb === "unblock") await api.post(`operator/unblock/${this.id}`);
    else if (await confirmDialog("Close the conversation?", "The visitor begins a new one with the next message.", "Close")) {
      await api.post(`operator/close/${this.id}`);
    }
  }
}

// Messages and notes in one line of time; messages among themselves by their number.
function inOrder(messages, notes = []) {
  const items = [...messages];
  for (const note of notes) {
    const place = items.findIndex((item) => !item.isNote && item.created_at > note.created_at);
    items.splice(place < 0 ? items.length : place, 0, { ...note, isNote: true });
  }
  return items;
}
