// Canned replies: a slash at the beginning of a message opens the list, arrows choose, Enter takes.

import { readAll } from "../lib/api.js";
import { toast } from "../lib/dialog.js";
import { h, newId, put } from "../lib/dom.js";

const cache = new Map();
const MAX_SHOWN = 8;

// The replies of a site, read once; `forgetReplies` after they were edited.
export async function repliesOf(siteId) {
  if (!cache.has(siteId)) cache.set(siteId, readAll(`sites/${siteId}/canned-replies`));
  return cache.get(siteId).catch(() => {
    cache.delete(siteId);
    return [];
  });
}

export function forgetReplies(siteId) {
  cache.delete(siteId);
}

export class ReplyList {
  #box;
  #nameOf;
  #siteId = null;
  #found = [];
  #place = 0;
  #id = newId("replies");
  node = h("ul", { class: "replies", role: "listbox", "aria-label": "Saved replies", id: this.#id, hidden: true });
  status = h("p", { class: "hidden", role: "status" });

  // box: the <textarea>; nameOf: the visitor's name for {name} in a reply, or "".
  constructor(box, nameOf) {
    this.#box = box;
    this.#nameOf = nameOf;
    // A textarea must not be a combobox; that a list has opened is said by the status line.
    for (const [name, value] of [["aria-autocomplete", "list"], ["aria-haspopup", "listbox"],
      ["aria-controls", this.#id]]) {
      box.setAttribute(name, value);
    }
    box.addEventListener("input", () => this.#look());
    box.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  set siteId(siteId) {
    this.#siteId = siteId;
  }

  get isOpen() {
    return !this.node.hidden;
  }

  // Whether the key was for the list.
  takes(event) {
    if (!this.isOpen) return false;
    if (event.key === "Escape") this.close();
    else if (event.key === "ArrowDown") this.#move(1);
    else if (event.key === "ArrowUp") this.#move(-1);
    else if (event.key === "Enter" || event.key === "Tab") this.#use(this.#found[this.#place]);
    else return false;
    return true;
  }

  // The whole list, for who does not know of the slash; what was written stays.
  async browse() {
    this.#box.focus();
    if (this.isOpen) {
      this.close();
      return;
    }
    const all = await repliesOf(this.#siteId);
    if (all.length) this.#show(all);
    else toast("No saved replies yet. Write some on the page Replies.");
  }

  close() {
    this.node.hidden = true;
    put(this.status);
    this.#box.removeAttribute("aria-activedescendant");
  }

  async #look() {
    const match = /^\/(\S*)$/.exec(this.#box.value);
    if (!match || !this.#siteId) {
      this.close();
      return;
    }
    const all = await repliesOf(this.#siteId);
    // Typed on while the list was being read.
    if (this.#box.value !== match[0]) return;
    const wanted = match[1].toLowerCase();
    const begins = all.filter((reply) => reply.shortcut.toLowerCase().startsWith(wanted));
    const holds = all.filter((reply) => !begins.includes(reply) && reply.content.toLowerCase().includes(wanted));
    this.#show([...begins, ...holds].slice(0, MAX_SHOWN));
  }

  #show(found) {
    this.#found = found;
    this.#place = 0;
    this.node.hidden = !found.length;
    put(this.status, found.length > 0 && `${found.length} saved replies; the arrow keys choose, Enter takes`);
    this.#draw();
  }

  #move(by) {
    this.#place = (this.#place + by + this.#found.length) % this.#found.length;
    this.#draw();
  }

  #draw() {
    put(this.node, this.#found.map((reply, place) => h(
      "li",
      { role: "option", id: `${this.#id}-${place}`, "aria-selected": String(place === this.#place),
        onmousedown: () => this.#use(reply) },
      h("strong", {}, `/${reply.shortcut}`), " ", h("span", { class: "soft" }, reply.content),
    )));
    if (!this.isOpen) return;
    this.#box.setAttribute("aria-activedescendant", `${this.#id}-${this.#place}`);
    this.node.children[this.#place].scrollIntoView({ block: "nearest" });
  }

  #use(reply) {
    const name = this.#nameOf();
    const text = reply.content.replace(/( ?)\{name\}/g, name && `$1${name}`);
    const before = /^\/\S*$/.test(this.#box.value) ? "" : this.#box.value.trimEnd();
    this.#box.value = before ? `${before} ${text}` : text;
    this.close();
    this.#box.focus();
    // As if it were typed: drafts and the field's height follow.
    this.#box.dispatchEvent(new Event("input"));
  }
}
