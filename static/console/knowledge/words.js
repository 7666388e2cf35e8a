// What entries are called, and where they lead.

import { h } from "../lib/dom.js";
import { wordingsOf } from "./wordings.js";

export const KINDS = { faq: "Question", custom: "Text", page: "Page" };
const NAME_CHARS = 120;
const EXCERPT_CHARS = 140;

// What an entry is called: its question, its title, or how it begins.
export function nameOf(entry) {
  const [asked] = wordingsOf(entry.question || "");
  return shortened(asked || entry.title || entry.content || "Without a title", NAME_CHARS);
}

export function excerptOf(entry) {
  return shortened(entry.content, EXCERPT_CHARS);
}

export function shortened(text, mostChars) {
  const line = text.replace(/\s+/g, " ").trim();
  // Not in the middle of a word, where words are told apart.
  return line.length > mostChars ? `${line.slice(0, mostChars).replace(/\s+\S{0,30}$/, "")} …` : line;
}

export function kindTag(type) {
  return h("span", { class: `tag ${type === "faq" ? "ai" : ""}` }, KINDS[type] || type);
}

// The address of an entry as a link, if it is one that a browser may follow; a path is one of the site's own.
export function sourceLink(address, site) {
  if (!address) return null;
  if (!URL.canParse(address, site.url)) return address;
  const target = new URL(address, site.url);
  if (!["http:", "https:"].includes(target.protocol)) return address;
  const isOwn = URL.canParse(site.url) && target.host === new URL(site.url).host;
  const path = readable(target.pathname + target.search);
  return h("a", { href: target.href, target: "_blank", rel: "noopener noreferrer" },
    shortened(isOwn ? path : target.host + (path === "/" ? "" : path), 60));
}

// "1 page", "2 pages".
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

function readable(path) {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
