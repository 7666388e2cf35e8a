// What a site that knows nothing begins with.

import { h, icon } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { startCrawl } from "./crawl.js";

export function startNode(page) {
  if (!page.mayEdit) return h("p", { class: "empty" }, "This site knows nothing yet, so visitors get no answers.");
  const begin = async () => (await startCrawl(page, read)) && page.go("website");
  const read = h("button", { type: "button", class: "primary", data: { first: true }, onclick: begin },
    icon(ICONS.knowledge, 18), "Read my website");
  return h("section", { class: "card form start" },
    h("div", {}, h("h2", {}, "Nothing is known yet"),
      h("p", { class: "soft" }, "Visitors get answers from what you put here, with the source, and an honest “I " +
        "don't know” otherwise. Begin with whatever is at hand:")),
    h("ul", { class: "cards" },
      way("Your website", `Every page of ${page.site.url} that visitors can reach. Takes a few minutes at most.`, read),
      way("A file", "Questions and answers as CSV, a manual as PDF, notes as text.",
        h("a", { class: "button", href: "/console/knowledge/files" }, "Import a file")),
      way("By hand", "The question you hear most often, and its answer.",
        h("a", { class: "button", href: "/console/knowledge/entries/new" }, "Write an entry"))),
    h("p", { class: "soft last" }, "Then ", h("a", { href: "/console/knowledge/ask" }, "ask it something"),
      " and read what visitors would."));
}

function way(title, sentence, button) {
  return h("li", { class: "card way" }, h("h3", {}, title), h("p", { class: "soft" }, sentence), h("div", {}, button));
}
