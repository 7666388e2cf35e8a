// Who the visitor is: contact, page, language, earlier conversations, the rating.

import { h, put } from "../lib/dom.js";
import { ago, day } from "../lib/time.js";

const languages = new Intl.DisplayNames(undefined, { type: "language", fallback: "code" });

export class Details {
  node = h("aside", { class: "details", "aria-label": "About the visitor" });

  // conversation: the wire row with what conversations/{id}/messages adds (earlier).
  show(conversation, { siteName }) {
    put(
      this.node,
      h("h2", {}, conversation.visitor_name),
      h("dl", { class: "facts" },
        fact("Email", conversation.email && h("a", { href: `mailto:${conversation.email}` }, conversation.email)),
        fact("Phone", conversation.phone && h("a", { href: `tel:${conversation.phone}` }, conversation.phone)),
        fact("Page", page(conversation.page_url)),
        fact("Language", languageOf(conversation.lang)),
        fact("Site", siteName),
        fact("Since", day(conversation.created_at)),
        fact("Rating", conversation.rating_score && `${"★".repeat(conversation.rating_score)} ${conversation.rating_comment || ""}`)),
      earlier(conversation.earlier),
    );
  }
}

function fact(title, value) {
  return value && h("div", {}, h("dt", {}, title), h("dd", {}, value));
}

function page(address) {
  if (!/^https?:\/\//.test(address || "")) return null;
  const { host, pathname } = new URL(address);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, host + pathname);
}

function languageOf(lang) {
  try {
    return lang && languages.of(lang.replace("_", "-"));
  } catch {
    return lang;
  }
}

function earlier(list) {
  if (!list?.length) return null;
  return [
    h("h3", {}, "Earlier conversations"),
    h("ul", { class: "earlier-list" }, list.map((one) => h("li", {},
      h("a", { href: `/console/inbox/${one.id}` }, one.last_message || "Conversation"),
      h("span", { class: "soft small" }, ` ${ago(one.changed_at)}`)))),
  ];
}
