// Where an operator writes: a reply or a note, an image, canned replies.

import { api } from "../lib/api.js";
import { toast } from "../lib/dialog.js";
import { h, icon, newId, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { keep, kept } from "../lib/kept.js";
import { isPassing, outboxOf } from "./outbox.js";
import { ReplyList } from "./replies.js";

const TYPING_MS = 3_000;
const NOTE_WORDS = "Write a note; only colleagues see it";
const HINT = "Enter sends, Shift+Enter makes a new line, / brings saved replies";

export class Composer {
  #id;
  #onSent;
  #outbox;
  #ended;
  #typedAt = 0;
  #isNote = false;
  #wantsNote = false;
  #may = { reply: true, note: true };
  #words = "Write a reply";
  #replies;
  #image = null;
  #letters = h("div", { class: "letters" });
  #line = h("div", { class: "composer-line", hidden: true });
  #chip = h("div", { class: "chip", hidden: true });
  #box;
  #file = h("input", { type: "file", accept: "image/*", hidden: true });
  #form;
  #buttons = {};

  // onSent(message or null): something arrived. nameOf(): what the visitor is called. signal: aborted at the end.
  constructor(id, { onSent, nameOf, signal }) {
    const hintId = newId("hint");
    this.#id = id;
    this.#onSent = onSent;
    this.#ended = signal;
    this.#outbox = outboxOf(id);
    this.#box = h("textarea", { rows: 2, name: "content", dir: "auto", maxlength: 4000, "aria-describedby": hintId });
    this.#replies = new ReplyList(this.#box, nameOf);
    this.#box.value = kept("drafts")?.[id] || "";
    this.#buttons = {
      replies: this.#tool("Replies", ICONS.replies, () => this.#replies.browse()),
      image: this.#tool("Image", ICONS.image, () => this.#file.click()),
      note: this.#tool("Note", ICONS.note, () => this.setNote(!this.#isNote)),
      send: h("button", { type: "submit", class: "primary" }, icon(ICONS.send, 18), h("span", {}, "Send")),
    };
    this.#form = h("form", { class: "composer-form" }, this.#replies.node, this.#replies.status, this.#chip, this.#box,
      h("div", { class: "composer-tools" }, Object.values(this.#buttons), this.#file),
        h("p", { class: "hidden", id: hintId }, HINT));
    this.node = h("div", { class: "composer" }, this.#letters, this.#line, this.#form);
    this.#listen();
    this.#drawLetters();
    this.setNote(false);
  }

  set siteId(siteId) {
    this.#replies.siteId = siteId;
  }

  focus() {
    this.#box.focus();
  }

  // What can be written at the moment. may: {reply, note}; words: the invitation; line: nodes above, or null.
  follow(may, words, line) {
    this.#may = may;
    this.#words = words;
    this.#form.hidden = !may.reply && !may.note;
    const said = h("div", {}, line);
    if (said.textContent !== this.#line.textContent) put(this.#line, ...said.childNodes);
    this.#line.hidden = !line;
    this.#draw();
  }

  // Whether what is written is a note for colleagues.
  setNote(isNote) {
    this.#wantsNote = isNote;
    this.#draw();
  }

  #draw() {
    this.#isNote = (this.#wantsNote && this.#may.note) || !this.#may.reply;
    this.#buttons.note.setAttribute("aria-pressed", String(this.#isNote));
    this.#buttons.note.hidden = !this.#may.reply;
    this.#buttons.image.hidden = this.#buttons.replies.hidden = this.#isNote;
    this.#form.classList.toggle("is-note", this.#isNote);
    const words = this.#isNote ? NOTE_WORDS : this.#words;
    this.#box.placeholder = words;
    this.#box.setAttribute("aria-label", words);
    put(this.#buttons.send.lastChild, this.#isNote ? "Keep note" : "Send");
  }

  #tool(words, path, action) {
    return h("button", { type: "button", class: "quiet tool", onclick: action }, icon(path, 18), h("span", {}, words));
  }

  #listen() {
    const signal = this.#ended;
    this.#outbox.addEventListener("change", () => this.#drawLetters(), { signal });
    this.#outbox.addEventListener("arrived", ({ detail }) => this.#onSent(detail), { signal });
    signal.addEventListener("abort", () => this.#stopTyping());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    this.#box.addEventListener("input", () => this.#typed());
    this.#box.addEventListener("paste", (event) => this.#takeImage(event, event.clipboardData));
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => this.#takeImage(event, event.dataTransfer));
    this.#file.addEventListener("change", () => {
      if (this.#file.files[0]) this.#attach(this.#file.files[0]);
      this.#file.value = "";
    });
  }

  #press(event) {
    if (event.isComposing) return;
    if (this.#replies.takes(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape") this.#box.blur();
  }

  #typed() {
    this.#keepDraft();
    if (this.#isNote) return;
    if (!this.#box.value) this.#stopTyping();
    else if (Date.now() - this.#typedAt >= TYPING_MS) {
      this.#typedAt = Date.now();
      this.#tellTyping(true);
    }
  }

  #stopTyping() {
    if (this.#typedAt) this.#tellTyping(false);
    this.#typedAt = 0;
  }

  #tellTyping(on) {
    api.post("operator/typing", { conversation_id: this.#id, on }).catch(() => {});
  }

  #keepDraft() {
    const { [this.#id]: _, ...others } = kept("drafts") || {};
    keep("drafts", this.#box.value ? { ...others, [this.#id]: this.#box.value } : others);
  }

  #send() {
    const content = this.#box.value.trim();
    if (this.#form.hidden || (!content && !this.#image)) return;
    this.#box.value = "";
    this.#keepDraft();
    // The message itself tells that the typing is over.
    this.#typedAt = 0;
    if (this.#isNote) {
      if (content) this.#keepNote(content);
      return;
    }
    this.#outbox.send(content, this.#image);
    this.#attach(null);
  }

  async #keepNote(content) {
    try {
      await api.post("operator/note", { conversation_id: this.#id, content });
      this.setNote(false);
      this.#onSent(null);
    } catch (problem) {
      this.#box.value = [content, this.#box.value].filter(Boolean).join("\n");
      this.#keepDraft();
      toast(problem.message, "bad");
    }
  }

  #takeImage(event, data) {
    const files = [...(data?.files || [])];
    if (!files.length || this.#isNote) return;
    event.preventDefault();
    this.#attach(files[0]);
  }

  // Shown first and sent with the message: a screenshot in the clipboard is not always meant.
  #attach(file) {
    if (file && !file.type.startsWith("image/")) {
      toast("Only images can be sent.", "bad");
      return;
    }
    URL.revokeObjectURL(this.#chip.querySelector("img")?.src);
    this.#image = file;
    this.#chip.hidden = !file;
    put(this.#chip, file && [
      h("img", { src: URL.createObjectURL(file), alt: "" }), h("span", {}, file.name || "Image"),
      h("button", { type: "button", class: "quiet square", "aria-label": "Remove the image",
        onclick: () => this.#attach(null) }, icon(ICONS.close, 16)),
    ]);
    this.#box.focus();
  }

  #drawLetters() {
    const lines = this.#outbox.entries.map((entry) => entry.problem ? this.#failed(entry)
      : h("p", { class: "letter soft small" }, "Sending …"));
    put(this.#letters, lines);
  }

  #failed(entry) {
    const words = entry.content ? `“${entry.content}”` : "the image";
    const why = isPassing(entry.problem) ? "It is sent as soon as the server can be reached." : entry.problem.message;
    return h("p", { class: `letter is-failed${isPassing(entry.problem) ? " is-passing" : ""}`, role: "alert" },
      h("span", { dir: "auto" }, `Not sent: ${words}. ${why}`),
      h("button", { type: "button", onclick: () => this.#outbox.again(entry) }, "Send again"),
      h("button", { type: "button", class: "quiet", onclick: () => this.#outbox.discard(entry) }, "Discard"));
  }
}
