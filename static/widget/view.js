// The panel as the visitor sees it: draws a State, reports what the visitor does. No network, nothing remembered.

import { Composer } from "./composer.js";
import { drawing, h, iconButton, picture } from "./dom.js";

const NEAR_END_PX = 80;

/** Whether the panel fills the screen, as the style sheet has it. */
export function isPhone({ inline }) {
  return !inline && matchMedia("(max-width: 480px), (max-height: 480px)").matches;
}

export class View {
  #core;
  #words;
  #act;
  #nodes = new Map();
  #list = h("div", { class: "list" });
  #end = h("div", { class: "end" });
  #note = h("div", { class: "note", role: "status" });
  #told = h("div", { class: "hidden", "aria-live": "polite" });
  #hello;
  #opener = null;
  // Whether the end is in sight: a picture that loads later must not push it out.
  #isAtEnd = true;

  /** act: send, stop, retry, older, close, menu (its buttons), attach, detach, typing, reason. */
  constructor(core, words, act) {
    this.#core = core;
    this.#words = words;
    this.#act = act;
    this.panel = this.#build();
    this.#listen();
  }

  /** Show or hide, and put the focus where it belongs. */
  setOpen(isOpen) {
    const { button, host, inline, root } = this.#core;
    const hadFocus = root.activeElement && root.activeElement !== button;
    const active = document.activeElement;
    if (isOpen) this.#opener = active === host || active === document.body ? button : active;
    this.panel.hidden = !isOpen;
    this.panel.ariaModal = isOpen && isPhone(this.#core) ? "true" : null;
    if (!isOpen && hadFocus) (this.#opener?.isConnected ? this.#opener : button).focus({ preventScroll: true });
    if (!isOpen) return;
    this.#composer.fit();
    // A page with the chat in it keeps its own focus, and its place.
    if (!inline) this.#composer.focus();
    this.toEnd();
  }

  /** What is written and not sent. */
  get draft() {
    return this.#composer.text;
  }

  set draft(text) {
    this.#composer.text = text;
  }

  /** Bring what is shown in line with the state. */
  render(state) {
    const seen = new Set();
    let place = this.#list.firstChild;
    let before = null;
    for (const row of state.rows()) {
      const node = this.#row(row, state);
      const sender = `${row.role} ${row.message?.operator?.name}`;
      node.classList.toggle("again", sender === before);
      before = sender;
      seen.add(row.key);
      if (node === place) place = place.nextSibling;
      else this.#list.insertBefore(node, place);
    }
    for (const [key, { node }] of this.#nodes) if (!seen.has(key)) this.#remove(key, node);
    this.#frame(state);
    this.#stay();
  }

  /** Draw everything anew, with what was learned meanwhile. */
  redraw(state) {
    for (const known of this.#nodes.values()) known.signature = null;
    this.render(state);
  }

  /** One line above the text field, "" for none. */
  setNote(text) {
    if (this.#note.textContent !== text) this.#note.textContent = text;
  }

  /** What only a screen reader is told. */
  announce(text) {
    if (text) this.#told.replaceChildren(h("p", {}, text));
  }

  /** Something at the end of the conversation: starters, a form; null takes it away. */
  setEnd(element) {
    const hadFocus = this.#end.contains(this.#core.root.activeElement);
    this.#end.replaceChildren(element ?? "");
    if (hadFocus) this.#composer.focus();
    if (element) this.toEnd();
  }

  /** An image waiting to be sent, null when it went; `preview` is an element. */
  setImage(preview) {
    this.#composer.setImage(preview);
  }

  /** The person who types, or "". */
  setTyping(text) {
    this.#typing.textContent = text;
    this.#typing.hidden = !text;
    this.#stay();
  }

  setBlocked(isBlocked) {
    this.#composer.isBlocked = isBlocked;
  }

  /** Draw what was put in front of the rest, without moving what is being read. */
  keepPlace(draw) {
    const below = this.#log.scrollHeight - this.#log.scrollTop;
    draw();
    this.#log.scrollTop = this.#log.scrollHeight - below;
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#stay();
  }

  #log;
  #typing = h("div", { class: "typing", hidden: "" });
  #subtitle = h("p", { class: "subtitle" });
  #face = h("span", { class: "face", "aria-hidden": "true" });
  #older;
  #composer;
  #menu;

  #build() {
    const words = this.#words;
    this.#older = h("button", { type: "button", class: "pill", hidden: "", onclick: this.#act.older }, words.earlier);
    const { config, inline } = this.#core;
    this.#composer = new Composer(words, this.#act, config.upload);
    const welcome = h("div", { class: "bubble", dir: "auto" }, config.welcome_message);
    this.#hello = config.welcome_message && h("div", { class: "row hello" }, this.#sender({ role: "assistant" }), welcome);
    this.#log = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: 0, "aria-label": words.messages },
      this.#older, this.#hello, this.#list, this.#end, this.#typing);
    const name = h("h2", { id: "name", dir: "auto" }, config.name);
    const role = inline ? "region" : "dialog";
    return h("section", { class: "panel", part: "panel", role, "aria-labelledby": "name", hidden: "" },
      h("header", {}, this.#face, h("div", { class: "who" }, name, this.#subtitle), ...this.#tools()),
      this.#log, this.#note, this.#composer.element, this.#told);
  }

  #tools() {
    this.#menu = h("div", { class: "drop", hidden: "" });
    const toggle = iconButton("menu", this.#words.menu, () => this.#setMenu(this.#menu.hidden),
      { "aria-expanded": "false" });
    const tools = [h("div", { class: "more" }, toggle, this.#menu)];
    if (!this.#core.inline) tools[1] = iconButton("close", this.#words.close, () => this.#act.close());
    return tools;
  }

  #listen() {
    this.#log.addEventListener("scroll", () => (this.#isAtEnd = this.#measure()));
    this.#log.addEventListener("load", () => this.#stay(), true);
    this.panel.addEventListener("paste", (event) => this.#composer.take(event, event.clipboardData));
    this.panel.addEventListener("drop", (event) => this.#composer.take(event, event.dataTransfer));
    this.panel.addEventListener("dragover", (event) => event.preventDefault());
    this.panel.addEventListener("keydown", (event) => this.#key(event));
    this.panel.addEventListener("click", (event) => this.#menu.parentNode.contains(event.target) || this.#setMenu(false));
  }

  #key(event) {
    // The page's own short cuts must not fire while somebody writes here.
    event.stopPropagation();
    if (event.key === "Tab") return this.#trap(event);
    if (event.key !== "Escape" || event.isComposing) return;
    if (!this.#menu.hidden) return this.#setMenu(false, true);
    this.#act.close();
  }

  /** On a phone the panel is all there is to see: the focus stays in it. */
  #trap(event) {
    if (!isPhone(this.#core)) return;
    let first = null;
    let last = null;
    for (const element of this.panel.querySelectorAll("button, textarea, input, a, [tabindex='0']")) {
      if (!element.checkVisibility() || element.disabled || element.tabIndex < 0) continue;
      first ??= element;
      last = element;
    }
    const active = this.#core.root.activeElement;
    if (active !== (event.shiftKey ? first : last)) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }

  async #setMenu(isOpen, isBack = false) {
    if (this.#menu.hidden === !isOpen) return;
    const toggle = this.#menu.previousSibling;
    const items = isOpen ? await this.#act.menu(() => this.#setMenu(false, true)).catch(() => "") : "";
    this.#menu.hidden = !items;
    toggle.setAttribute("aria-expanded", Boolean(items));
    // Before what has it goes: a focus that is lost begins anew at the top of the page.
    if (isBack) toggle.focus();
    this.#menu.replaceChildren(items);
    this.#menu.firstElementChild?.focus();
  }

  #frame(state) {
    const { config, base } = this.#core;
    const person = state.mode === "operator" ? state.operator : null;
    const face = person ?? { name: config.name, avatar_url: config.avatar_url };
    const key = JSON.stringify(face);
    if (this.#face.dataset.key !== key) {
      this.#face.dataset.key = key;
      this.#face.replaceChildren(initial(face.name));
      if (face.avatar_url) this.#face.append(picture(face.avatar_url, "", "avatar", base));
      this.#subtitle.textContent = person ? person.name : "";
    }
    this.#older.hidden = !state.hasMore;
    if (this.#hello) this.#hello.hidden = state.hasMore;
    this.#composer.isStoppable = state.answering?.phase === "answering";
  }

  #stay() {
    if (this.#isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #measure() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #remove(key, node) {
    node.remove();
    this.#nodes.delete(key);
  }

  #row(row, state) {
    const { key, message, letter } = row;
    const signature = message
      ? `m${message.id}`
      : `${letter.phase} ${letter.reply.length} ${letter.doing} ${letter.note?.code} ${state.mode}`;
    let known = this.#nodes.get(key);
    if (!known) {
      const bubble = h("div", { class: "bubble", dir: "auto" });
      known = { node: h("div", { class: `row ${row.role}` }, this.#sender(row), bubble), bubble };
      this.#nodes.set(key, known);
    }
    const isUnsent = letter && row.role === "visitor" && !letter.phase.startsWith("answer");
    known.node.classList.toggle("unsent", Boolean(isUnsent));
    if (known.signature !== signature) this.#fill(known, row);
    known.signature = signature;
    return known.node;
  }

  /** Who speaks: a person's name is seen, of the others it is clear from the side. */
  #sender({ role, message }) {
    const name = message?.operator?.name;
    const text = name ?? (role === "visitor" ? this.#words.you : this.#core.config.name);
    return role !== "system" && h("span", { class: `from ${name ? "meta" : "hidden"}`, dir: "auto" }, text);
  }

  #fill(known, row) {
    const parts = { core: this.#core, words: this.#words, act: this.#act, markdown: drawing.markdown };
    if (drawing.draw) drawing.draw(known, row, parts);
    else known.bubble.textContent = row.text;
  }
}

function initial(name) {
  return [...(name || "?")][0].toUpperCase();
}
