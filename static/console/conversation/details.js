// Who the visitor is: contact, page, language, the rating, earlier conversations; and keeping it out.

import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { ago, day, moment } from "../lib/time.js";

const languages = new Intl.DisplayNames(undefined, { type: "language", fallback: "code" });

export class Details {
  node = h("div", { class: "details" });
  #onBlock;
  #onErase;
  #shown = "";

  // onBlock(): the visitor is to be blocked, or to be let in again; onErase(): to be forgotten.
  constructor({ onBlock, onErase }) {
    this.#onBlock = onBlock;
    this.#onErase = onErase;
  }

  // conversation: the wire row with what conversations/{id}/messages adds (earlier, block). siteName: null where
  // there is only one site. Drawn only when something changed, so that a link being aimed at stays.
  show(conversation, { siteName, mayBlock, mayErase }) {
    const { email, phone, lang, block, earlier } = conversation;
    const facts = [
      fact("Email", email && h("a", { href: `mailto:${email}` }, email)),
      fact("Phone", phone && h("a", { href: `tel:${phone}` }, phone)),
      fact("Looks at", page(conversation.page_url)),
      fact("Language", languageOf(lang)),
      fact("Site", siteName),
      fact("Began", `${moment(conversation.created_at)}, ${conversation.messages_count} messages`),
      fact("Rating", conversation.rating_score && rating(conversation)),
      fact("Blocked", block && blocked(block)),
    ];
    const key = JSON.stringify([conversation, siteName, mayBlock, mayErase], (name, value) => name === "last_message" ? null
      : value);
    if (key === this.#shown) return;
    this.#shown = key;
    put(this.node, h("h2", {}, h("bdi", {}, conversation.visitor_name)), h("dl", { class: "facts" }, facts),
      earlierList(earlier),
      mayBlock && h("button", { type: "button", class: "quiet block-button", onclick: () => this.#onBlock() },
        icon(ICONS.block, 18),
        block ? "Unblock this visitor" : "Block this visitor"),
      mayErase && h("button", { type: "button", class: "quiet block-button", onclick: () => this.#onErase() },
        icon(ICONS.trash, 18), "Erase this visitor"));
  }
}

function fact(title, value) {
  return value && h("div", {}, h("dt", {}, title), h("dd", {}, value));
}

function page(address) {
  if (!/^https?:\/\//.test(address || "") || !URL.canParse(address)) return null;
  const { host, pathname } = new URL(address);
  return [h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, pathname),
    h("span", { class: "soft small fact-more" }, host)];
}

function rating({ rating_score: score, rating_comment: comment }) {
  return [h("span", { class: "stars", role: "img", "aria-label": `${score} of 5` },
    "★".repeat(score) + "☆".repeat(5 - score)),
    comment && h("span", { class: "fact-more", dir: "auto" }, comment)];
}

function blocked({ until, reason }) {
  return [until ? `Until ${moment(until)}` : "For good", reason
    && h("span", { class: "fact-more", dir: "auto" }, reason)];
}

function languageOf(lang) {
  try {
    return lang && languages.of(lang.replace("_", "-"));
  } catch {
    return lang;
  }
}

function earlierList(list) {
  if (!list?.length) return null;
  return h("section", {},
    h("h3", {}, "Earlier conversations"),
    h("ul", { class: "earlier-list" }, list.map((one) => h("li", {},
      h("a", { href: `/console/inbox/${one.id}`, dir: "auto" }, one.last_message
        || `Conversation of ${day(one.created_at)}`),
      h("span", { class: "soft small" }, ` ${ago(one.changed_at)}`)))));
}
