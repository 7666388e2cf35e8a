// One conversation: what was said, who the visitor is, and everything an operator does with it.

import { api } from "../lib/api.js";
import { openDialog, toast } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";
import { shortcut } from "../lib/keys.js";
import { Composer } from "./composer.js";
import { Details } from "./details.js";
import { Head } from "./head.js";
import { Log } from "./log.js";
import { VERBS } from "./verbs.js";

const CLOCK_MS = 5_000;
// As many as one answer of the server holds, when the line was away: more, and the log begins anew.
const CATCH_UP = 200;
const OTHERS_WORDS = "answers this visitor. You can leave a note, or take over.";

export class ConversationView {
  #app;
  #row = null;
  #first = null;
  #last = 0;
  #turn = 0;
  #isActing = false;
  #isReadingEarlier = false;
  #ended = new AbortController();
  #head;
  #typing = h("p", { class: "typing", role: "status" });
  #trouble = h("p", { class: "empty", role: "status" }, "Loading …");
  #log = new Log({ onEarlier: () => this.#earlier() });
  #details = new Details({ onBlock: () => this.#block(), onErase: () => this.#do("erase") });
  #about = null;
  #composer;
  #main;

  constructor(app, id) {
    this.#app = app;
    this.id = id;
    this.#head = new Head({ user: app.user, onVerb: (name) => this.#act(name), onAbout: () => this.#openAbout() });
    this.#composer = new Composer(id, {
      onSent: (message) => this.#sent(message), nameOf: () => nameOf(this.#row), signal: this.#ended.signal,
    });
    this.#main = h("div", { class: "view-main is-empty" }, this.#head.node, this.#trouble, this.#log.node, this.#typing,
      this.#composer.node);
    this.node = h("div", { class: "view" }, this.#main,
      h("aside", { class: "view-side", "aria-label": "About the visitor" }, this.#details.node));
    this.#listen();
    this.#read();
  }

  close() {
    this.#ended.abort();
  }

  // Where an operator goes on with Enter: to the answer.
  write(isNote = false) {
    this.#composer.setNote(isNote);
    this.#composer.focus();
  }

  #listen() {
    const { live, conversations } = this.#app;
    const { signal } = this.#ended;
    live.on("connected", () => this.#read(), signal);
    live.on("message", (event) => this.#hear(event), signal);
    live.on("note", (event) => event.conversation_id === this.id && this.#log.add([{ ...event.note, isNote: true }]),
      signal);
    live.on("conversation", ({ conversation }) => this.#follow(conversation), signal);
    conversations.addEventListener("typing", ({ detail }) => detail.id === this.id && this.#showTyping(detail.on),
      { signal });
    document.addEventListener("visibilitychange", () => this.#markRead(), { signal });
    const clock = setInterval(() => this.#row && this.#head.showState(this.#row), CLOCK_MS);
    signal.addEventListener("abort", () => clearInterval(clock));
    this.#bindKeys(signal);
  }

  #bindKeys(signal) {
    const keys = [
      ["a", "Accept the conversation", () => this.#act("accept")],
      ["r", "Write a reply", () => this.write()],
      ["n", "Write a note for colleagues", () => this.write(true)],
      ["t", "Transfer to a colleague", () => this.#act("transfer")],
      ["g", "Give it back to the AI", () => this.#act("return")],
      ["e", "End (close) the conversation", () => this.#act("close")],
      ["i", "About the visitor", () => this.#openAbout()],
    ];
    for (const [key, meaning, action] of keys) shortcut(key, meaning, action, { signal });
  }

  // Reads the newest messages: the beginning, and what was missed while the line was away. What is on the screen stays
  // unless there is a gap.
  async #read() {
    const turn = ++this.#turn;
    try {
      const query = this.#log.hasAny ? { limit: CATCH_UP } : {};
      const answer = await api.get(`conversations/${this.id}/messages`, query);
      if (turn === this.#turn && !this.#ended.signal.aborted) this.#show(answer);
    } catch (problem) {
      if (turn === this.#turn && !this.#ended.signal.aborted) this.#fail(problem);
    }
  }

  #show({ conversation, messages, notes, has_more: hasMore }) {
    const first = messages[0]?.id ?? null;
    const isGap = this.#last > 0 && hasMore && first > this.#last;
    if (isGap) this.#log.clear();
    if (this.#first === null || isGap || first < this.#first) {
      this.#first = first;
      this.#log.setMore(hasMore);
    }
    this.#row = newer(this.#row, conversation);
    this.#main.classList.remove("is-empty");
    this.#last = Math.max(this.#last, messages.at(-1)?.id ?? 0);
    const isBeginning = !this.#log.hasAny;
    this.#log.add([...messages, ...notes.map((note) => ({ ...note, isNote: true }))], { isQuiet: isBeginning });
    this.#composer.siteId = conversation.site_id;
    this.#draw();
    this.#markRead();
  }

  // Gone, not allowed, or out of reach; what is on the screen is taken away only when it is gone.
  #fail(problem) {
    if (this.#row && problem.status !== 404 && problem.status !== 403) return;
    this.#main.classList.add("is-empty");
    const isErased = this.#row && problem.status === 404;
    put(this.#trouble, isErased ? "This conversation was erased." : problem.message);
    this.#row = null;
    put(this.#details.node);
  }

  async #earlier() {
    if (this.#isReadingEarlier) return;
    this.#isReadingEarlier = true;
    try {
      const { messages, has_more: hasMore } = await api.get(`conversations/${this.id}/messages`,
        { before: this.#first });
      this.#first = messages[0]?.id ?? this.#first;
      this.#log.prepend(messages, hasMore);
      if (!hasMore) this.#log.focus();
    } catch (problem) {
      toast(problem.message, "bad");
    }
    this.#isReadingEarlier = false;
  }

  #hear({ conversation_id: id, message }) {
    if (id !== this.id) return;
    // Said while the beginning is on its way: that answer may be too old to hold it.
    if (!this.#row) {
      this.#read();
      return;
    }
    this.#last = Math.max(this.#last, message.id);
    this.#log.add([message]);
    if (message.role === "visitor") this.#showTyping(false);
    this.#markRead();
  }

  #sent(message) {
    if (message && this.#row) this.#hear({ conversation_id: this.id, message });
    this.#markRead();
  }

  #follow(row) {
    if (!this.#row || this.#row.visitor_id !== row.visitor_id) return;
    if (row.id === this.id) this.#row = { ...this.#row, ...row };
    this.#draw();
  }

  // Seen only when somebody looks.
  #markRead() {
    const known = this.#app.conversations.rows.get(this.id);
    if (document.visibilityState !== "visible" || !known?.unread_count
      || !this.#app.can("can_chat", known.site_id)) return;
    this.#app.conversations.markRead(this.id);
    api.post(`operator/read/${this.id}`).catch(() => {});
  }

  #showTyping(isOn) {
    put(this.#typing, isOn && `${this.#row?.visitor_name || "The visitor"} is typing …`);
  }

  #draw() {
    const row = this.#row;
    const mayChat = this.#app.can("can_chat", row.site_id);
    this.#head.show(row, { mayChat });
    const site = this.#app.sites.find((one) => one.id === row.site_id);
    const extras = { siteName: this.#app.sites.length > 1 ? site?.name : null, mayBlock: mayChat,
      mayErase: Boolean(this.#app.user.is_owner) };
    this.#details.show(row, extras);
    this.#about?.show(row, extras);
    this.#invite(row, mayChat);
  }

  // Who may write what at the moment, and why not.
  #invite(row, mayChat) {
    const all = { reply: true, note: true };
    const isMine = row.operator?.id === this.#app.user.id;
    if (row.status === "closed") this.#composer.follow({}, "", this.#closedLine(row));
    else if (!mayChat) this.#composer.follow({}, "", "You may read this conversation; answering it is up to others.");
    else if (row.mode === "ai") this.#composer.follow(all, "Write a reply and take over from the AI");
    else if (isMine) this.#composer.follow(all, "Write a reply");
    else this.#composer.follow({ note: true }, "", `${row.operator?.name || "A colleague"} ${OTHERS_WORDS}`);
  }

  #closedLine(row) {
    const rows = [...this.#app.conversations.rows.values()];
    const next = rows.find((one) => one.visitor_id === row.visitor_id && one.id > row.id);
    return ["This conversation is closed. ", next && h("a", { href: `/console/inbox/${next.id}` },
      "The visitor has begun a new one")];
  }

  async #act(verb) {
    const isAllowed = this.#row && this.#row.status !== "closed" && this.#app.can("can_chat", this.#row.site_id);
    // A second click is not a second wish.
    if (!isAllowed || this.#isActing) return;
    if (verb === "accept" && this.#row.mode === "operator") return;
    await this.#do(verb);
    if (verb === "accept" && this.#row?.operator?.id === this.#app.user.id) this.write();
  }

  async #do(verb) {
    this.#isActing = true;
    this.#head.setBusy(true);
    try {
      await VERBS[verb](this.#app, this.#row);
    } catch (problem) {
      toast(problem.message, "bad");
    }
    // Also after a refusal: somebody else was faster, and the screen has to say who.
    await this.#read();
    this.#isActing = false;
    this.#head.setBusy(false);
  }

  async #block() {
    if (!this.#row || this.#isActing) return;
    await this.#do(this.#row.block ? "unblock" : "block");
  }

  // The details where there is no room for them beside the conversation.
  #openAbout() {
    if (!this.#row || this.#about) return;
    this.#about = new Details({ onBlock: () => this.#block(), onErase: () => this.#do("erase") });
    const dialog = openDialog("About the visitor", this.#about.node, { onClose: () => { this.#about = null; } });
    this.#about.node.addEventListener("click", (event) => event.target.closest("a[href^='/console/']")
      && dialog.close());
    this.#draw();
  }
}

// The stream may have been faster than the answer.
function newer(known, read) {
  if (!known || known.changed_at <= read.changed_at) return read;
  return { ...read, ...known, earlier: read.earlier, block: read.block };
}

// What a saved reply calls the visitor; a number is no name.
function nameOf(row) {
  return /^Visitor \d+$/.test(row?.visitor_name || "Visitor 0") ? "" : row.visitor_name;
}
