// Where the visitor writes: the text field, what goes with it, send and stop.

import { h, icon, iconButton } from "./dom.js";

const MAX_CHARS = 4000;
const MAX_HEIGHT_PX = 140;

export class Composer {
  #words;
  #act;
  #chips = h("div", { class: "chips" });
  #text = h("textarea", { rows: 1, maxlength: MAX_CHARS, dir: "auto", enterkeyhint: "send" });
  #stop;
  #send;

  /** act: as of the View. `isUpload`: pictures may be sent. */
  constructor(words, act, isUpload) {
    this.#words = words;
    this.#act = act;
    this.element = this.#build(isUpload);
  }

  get text() {
    return this.#text.value;
  }

  set text(text) {
    this.#text.value = text;
    this.fit();
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  /** As high as what is written; nothing can be measured while the panel is hidden. */
  fit() {
    const { style } = this.#text;
    style.height = "auto";
    if (this.#text.scrollHeight) style.height = `${Math.min(this.#text.scrollHeight, MAX_HEIGHT_PX)}px`;
  }

  set isBlocked(isBlocked) {
    this.#text.disabled = this.#send.disabled = isBlocked;
  }

  set isStoppable(isStoppable) {
    // Hidden under the focus, it would leave the keyboard nowhere.
    if (!isStoppable && this.#stop.matches(":focus")) this.focus();
    this.#stop.hidden = !isStoppable;
  }

  /** An image waiting to be sent, null when it went; `preview` is an element. */
  setImage(preview) {
    const hadFocus = this.#chips.matches(":focus-within");
    const remove = preview && iconButton("close", this.#words.remove, () => this.#act.detach());
    this.#chips.replaceChildren(preview ? h("span", { class: "chip" }, preview, remove) : "");
    if (hadFocus) this.focus();
  }

  /** Take the pictures of a paste or a drop. */
  take(event, data) {
    for (const file of data?.files ?? []) {
      if (!file.type.startsWith("image/")) continue;
      event.preventDefault();
      return this.#act.attach(file);
    }
    // A file dropped beside its target would replace the page.
    if (event.type === "drop") event.preventDefault();
  }

  #build(isUpload) {
    const { placeholder, send, stop } = this.#words;
    const text = this.#text;
    text.ariaLabel = text.placeholder = placeholder;
    text.addEventListener("input", () => {
      this.fit();
      this.#act.typing();
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    });
    this.#stop = iconButton("stop", stop, () => this.#act.stop(), { hidden: "" });
    this.#send = h("button", { class: "icon send", "aria-label": send, title: send }, icon("send"));
    const line = h("div", { class: "line" }, text, this.#stop, this.#send);
    if (isUpload) line.prepend(...this.#attach());
    return h("form", { class: "composer", onsubmit: (event) => this.#submit(event) }, this.#chips, line);
  }

  #attach() {
    const file = h("input", { type: "file", accept: "image/*", hidden: "", tabindex: -1 });
    file.addEventListener("change", () => {
      if (file.files[0]) this.#act.attach(file.files[0]);
      file.value = "";
    });
    return [iconButton("attach", this.#words.attach, () => file.click()), file];
  }

  #submit(event) {
    event.preventDefault();
    if (!this.#act.send(this.text)) return;
    this.text = "";
    this.focus();
  }

}
