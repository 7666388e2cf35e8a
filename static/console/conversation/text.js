// The Markdown of answers as elements, through the same reader as the visitor's widget. Text in, nodes out.

import { parse, split } from "/widget/markdown.js";
import { h } from "../lib/dom.js";

// What the AI or a person wrote, as the visitor sees it.
export function written(text) {
  return split(text).map((block) => element(parse(block)));
}

function element(node) {
  if (typeof node === "string") return node;
  const children = node.children.map(element);
  if (node.tag === "a") return h("a", { href: node.href, target: "_blank", rel: "noopener noreferrer" }, children);
  if (node.tag === "h") return h("p", {}, h("strong", {}, children));
  return h(node.tag, { start: node.start }, children);
}
