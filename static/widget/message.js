// What a message looks like inside: formatted text, picture, sources, what became of it. Fetched with the first one.

import { dress, h, icon, link, picture } from "./dom.js";

const CSS = `
.bubble > * + * { margin-top: 8px; }
.bubble a, .sources a { color: var(--accent); text-decoration: underline; text-underline-offset: 2px; }
.bubble p, .bubble li, .bubble th, .bubble td { unicode-bidi: plaintext; }
.bubble pre { direction: ltr; }
.bubble strong, .bubble th { font-weight: 650; }
.bubble em { font-style: italic; }
.bubble ul, .bubble ol { padding-inline-start: 22px; }
.bubble li + li { margin-top: 3px; }
.bubble .asks { display: grid; gap: 6px; justify-items: start; padding: 0; list-style: none; }
.bubble .asks .pill { margin: 0; text-align: start; }
.bubble blockquote { padding-inline-start: 10px; border-inline-start: 3px solid var(--edge); }
.bubble code { font: 13px/1.5 ui-monospace, monospace; }
.bubble pre { padding: 8px 10px; border: 1px solid var(--edge); border-radius: 8px; background: var(--ground); }
.bubble pre code { white-space: pre; overflow-wrap: normal; }
.bubble pre, .wide { overflow-x: auto; scrollbar-width: thin; }
.wide table { width: max-content; border-collapse: collapse; font-size: 14px; overflow-wrap: normal; }
.wide th, .wide td { max-width: 200px; padding: 5px 10px; border-bottom: 1px solid var(--edge); text-align: start;
  vertical-align: top; }
.bubble .photo { display: block; max-width: calc(100% + 18px); max-height: 260px; margin: 8px -9px -5px;
  border-radius: calc(var(--radius) - 4px); }
.bubble.bare .photo { margin-top: -5px; }
.meta, .sources { max-width: min(88%, 640px); margin-top: 4px; padding: 0 4px; color: var(--dim); font-size: 13px; }
.from.meta { order: -1; margin: 0 0 2px; }
.again .from { display: none; }
.panel .error { color: var(--bad); }
.sources summary { width: fit-content; min-height: 24px; cursor: pointer; }
.sources ul { padding-inline-start: 18px; }
.dots { display: inline-flex; gap: 4px; padding: 8px 0; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--dim); animation: blink 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: 0.2s; }
.dots i:nth-child(3) { animation-delay: 0.4s; }
.doing { display: flex; gap: 8px; align-items: center; color: var(--dim); font-size: 14px; }
@keyframes blink { 50% { opacity: 0.25; } }
@media (forced-colors: active) { .dots i { background: CanvasText; } }`;

// The question marks of Latin, Arabic and Chinese script.
const QUESTION = /[?\u061f\uff1f]$/;
const MAX_ASK_CHARS = 200;

const shown = new WeakMap();

/** Draw a row {node, bubble} with what `State.rows` tells of it; `act` as of the View, `markdown` the module. */
export function draw({ node, bubble }, { role, text, message, letter }, { core, words, act, markdown }) {
  dress(core.root, CSS);
  const isOwn = role === "visitor";
  if (isOwn || role === "system") bubble.textContent = text;
  else showMarkdown(bubble, text, markdown);
  if (role === "assistant" && message) offer(bubble.lastElementChild, act);
  const image = (message ?? (isOwn ? letter : null))?.image_url;
  if (image) bubble.append(picture(image, words.image, "photo", core.base));
  bubble.classList.toggle("bare", !text);
  const isWaiting = letter && !isOwn && !text && letter.phase === "answering";
  bubble.hidden = !text && !image && !isWaiting;
  if (isWaiting) bubble.replaceChildren(dots(letter.doing));
  while (bubble.nextSibling) bubble.nextSibling.remove();
  for (const part of message ? about(message, words) : fate(letter, isOwn, words, act)) if (part) node.append(part);
}

/** Questions that end an answer are asked by a tap: the list says what the visitor may ask next. */
function offer(list, act) {
  if (list?.tagName !== "UL") return;
  const texts = [];
  for (const item of list.children) {
    const text = item.textContent.trim();
    if (item.firstElementChild || text.length > MAX_ASK_CHARS || !QUESTION.test(text)) return;
    texts[texts.length] = text;
  }
  list.classList.add("asks");
  let at = 0;
  for (const item of list.children) {
    const text = texts[at++];
    item.replaceChildren(h("button", { type: "button", class: "pill", onclick: () => act.send(text) }, text));
  }
}

function dots(doing) {
  const dots = h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  return h("span", { class: "doing" }, dots, doing && h("span", {}, doing));
}

function* about({ sources, status, created_at }, words) {
  if (status === "stopped" || status === "interrupted") yield h("span", { class: "meta" }, words[status]);
  if (sources?.length) yield sourceList(sources, words);
  yield h("time", { class: "hidden", datetime: created_at }, new Date(created_at).toLocaleTimeString());
}

function* fate(letter, isOwn, words, act) {
  if (letter.phase !== "failed" || isOwn === Boolean(letter.stored)) return;
  yield h("span", { class: "meta error" }, act.reason(letter.note));
  yield h("button", { type: "button", class: "pill", onclick: () => act.retry(letter) }, icon("retry"), words.retry);
}

function sourceList(sources, words) {
  const items = h("ul");
  for (const { title, url } of sources) {
    const label = title || url || "";
    // A page of the site itself may be named by its path alone.
    const address = /^\/[^/\\]/.test(url) ? location.origin + url : url;
    items.append(h("li", { dir: "auto" }, url ? link(address, label) : label));
  }
  return h("details", { class: "sources" }, h("summary", {}, `${words.sources} (${sources.length})`), items);
}

/** Show a Markdown text in an element; blocks that did not change since the last time stay as they are. */
function showMarkdown(element, text, { parse, split }) {
  const before = shown.get(element) ?? [];
  if (!before.length) element.replaceChildren();
  const now = [];
  for (const block of split(text)) {
    const at = now.length;
    const source = JSON.stringify({ kind: block.kind, text: plain(block.lines) });
    if (before[at]?.source === source) {
      now[at] = before[at];
      continue;
    }
    const node = build(parse(block));
    if (before[at]) before[at].node.replaceWith(node);
    else element.append(node);
    now[at] = { source, node };
  }
  for (let at = now.length; at < before.length; at++) before[at].node.remove();
  shown.set(element, now);
}

function build(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const children = [];
  for (const child of node.children) children[children.length] = build(child);
  if (node.tag === "a") return link(node.href, ...children);
  if (node.tag === "h") return h("p", { class: "h" }, h("strong", {}, ...children));
  // Its own scrolling box: a wide table must not widen the conversation.
  if (node.tag === "table") return h("div", { class: "wide", tabindex: 0 }, h("table", {}, ...children));
  return h(node.tag, { start: node.start, tabindex: node.tag === "pre" ? 0 : null }, ...children);
}

function plain(lines) {
  let all = "";
  for (const line of lines) all += `${line}\n`;
  return all;
}
