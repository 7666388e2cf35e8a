// Where an operator writes: a reply or a note, an image, canned replies. A message that did not arrive stays with a
// button to send it again, under the same message_id, so it never arrives twice.

import { api } from "../lib/api.js";
import { toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { ReplyList } from "./replies.js";

const TYPING_MS = 3_000;
// What was being written, by conversation: changing to another one and back loses nothing.
const drafts = new Map();

export class Composer {
  #id;
  #onSent;
  #typedAt = 0;
  #isNote = false;
  #replies;
  #failed = h("div", { class: "failed" });
  #box = h("textarea", { rows: 2, name: "content", dir: "auto", maxlength: 4000 });
  #file = h("input", { type: "file", accept: "image/*", hidden: true, tabindex: "-1", "aria-hidden": "true" });
  #noteButton;
  #sendButton;

  // onSent(): something arrived. nameOf(): what the visitor is called.
  constructor(id, { onSent, nameOf }) {
    this.#id = id;
    this.#onSent = onSent;
    this.#replies = new ReplyList(this.#box, nameOf);
    this.#box.value = drafts.get(id) || "";
    this.#noteButton = h("button", { type: "button", class: "quiet", "aria-pressed": "false", onclick: () => this.setNote(!this.#isNote) }, icon(ICONS.note), "Note");
    this.#sendButton = h("button", { type: "submit", class: "primary" }, icon(ICONS.send, 18), h("span", {}, "Send"));
    this.node = h("form", { class: "composer" }, this.#failed, this.#replies.node, this.#box,
      h("div", { class: "composer-tools" },
        h("button", { type: "button", class: "quiet", onclick: () => this.#file.click() }, icon(ICONS.image), "Image"),
        this.#noteButton, this.#file, h("span", { class: "soft small composer-hint" }, "Enter sends · Shift+Enter new line · / replies"), this.#sendButton));
    this.#listen();
    this.setNote(false);
  }

  set siteId(siteId) {
    this.#replies.siteId = siteId;
  }

  focus() {
    this.#box.focus();
  }

  // Whether what is written is a note for colleagues.
  setNote(isNote) {
    this.#isNote = isNote;
    this.#noteButton.setAttribute("aria-pressed", String(isNote));
    this.node.classList.toggle("is-note", isNote);
    const words = isNote ? "A note for your colleagues; visitors never see it" : "Write a reply";
    this.#box.placeholder = words;
    this.#box.setAttribute("aria-label", words);
    put(this.#sendButton.lastChild, isNote ? "Keep note" : "Send");
  }

  #listen() {
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#box.addEventListener("keydown", (event) => this.#press(event));
    this.#box.addEventListener("input", () => this.#typed());
    this.#box.addEventListener("paste", (event) => this.#takeImage(event, event.clipboardData));
    this.#file.addEventListener("change", () => {
      if (this.#file.files[0]) this.#upload(this.#file.files[0]);
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
    drafts.set(this.#id, this.#box.value);
    if (this.#isNote || Date.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = Date.now();
    this.#tellTyping(this.#box.value !== "");
  }

  #tellTyping(on) {
    api.post("operator/typing", { conversation_id: this.#id, on }).catch(() => {});
  }

  async #send() {
    const content = this.#box.value.trim();
    if (!content) return;
    const isNote = this.#isNote;
    this.#box.value = "";
    drafts.delete(this.#id);
    this.#typedAt = 0;
    if (isNote) await this.#keepNote(content);
    else await this.#deliver({ conversation_id: this.#id, content, message_id: newMessageId() });
  }

  async #keepNote(content) {
    try {
      await api.post("operator/note", { conversation_id: this.#id, content });
      this.setNote(false);
      this.#onSent();
    } catch (problem) {
      this.#box.value = content;
      toast(problem.message, "bad");
    }
  }

  async #deliver(message) {
    try {
      await api.post("operator/message", message);
      this.#onSent();
    } catch (problem) {
      this.#failed.append(this.#failedLine(message, problem));
    }
  }

  #failedLine(message, problem) {
    const again = () => {
      line.remove();
      this.#deliver(message);
    };
    const line = h("p", { class: "failed-line", role: "alert" },
      h("span", {}, `Not sent: “${message.content || "image"}” – ${problem.message}`),
      h("button", { type: "button", onclick: again }, "Send again"),
      h("button", { type: "button", class: "quiet", onclick: () => line.remove() }, "Discard"));
    return line;
  }

  #takeImage(event, data) {
    const file = [...(data?.files || [])].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    this.#upload(file);
  }

  async #upload(file) {
    const form = new FormData();
    form.append("conversation_id", String(this.#id));
    form.append("image", file);
    try {
      const { url } = await api.upload("operator/upload-image", form);
      await this.#deliver({ conversation_id: this.#id, content: "", image_url: url, message_id: newMessageId() });
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }
}

function newMessageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `m_${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
