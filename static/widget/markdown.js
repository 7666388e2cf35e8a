// A small Markdown as a tree of plain objects: {tag, children, href?, start?}, a string is text. Knows no DOM.
// Only these tags ever come out: p h br strong em code pre ul ol li a span table tr th td blockquote.

import { safeUrl } from "./api.js";

const FENCE = /^ {0,3}(```+|~~~+)/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)]) +/;
const HEADING = /^#{1,6} +/;
const QUOTE = /^ {0,3}> ?/;
const MAX_DEPTH = 6;

/** Cut a text into blocks {kind, lines}; while a text grows, only its last blocks change. */
export function split(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  for (let at = 0; at < lines.length; ) {
    const kind = kindOf(lines, at);
    const end = kind ? endOf(kind, lines, at) : at + 1;
    if (kind) blocks[blocks.length] = { kind, lines: range(lines, at, end) };
    at = end;
  }
  return blocks;
}

/** The tree of one block. */
export function parse({ kind, lines }, depth = 0) {
  const first = lines[0];
  if (kind === "code") return { tag: "pre", children: [{ tag: "code", children: [codeOf(lines)] }] };
  if (kind === "head") return { tag: "h", children: inline(first.replace(HEADING, "")) };
  if (kind === "quote") return { tag: "blockquote", children: nested(lines, QUOTE, depth) };
  if (kind === "list") return list(lines, depth);
  if (kind === "table") return table(lines);
  return { tag: "p", children: inline(text(lines)) };
}

function kindOf(lines, at) {
  const line = lines[at];
  if (!line.trim()) return null;
  if (FENCE.test(line)) return "code";
  if (HEADING.test(line)) return "head";
  if (QUOTE.test(line)) return "quote";
  if (ITEM.test(line)) return "list";
  const next = lines[at + 1] ?? "";
  return line.includes("|") && next.includes("|") && next.includes("-") && /^[-:| ]+$/.test(next) ? "table" : "text";
}

function endOf(kind, lines, start) {
  if (kind === "head") return start + 1;
  const fence = kind === "code" ? FENCE.exec(lines[start])[1] : "";
  let at = start + (kind === "table" ? 2 : 1);
  for (; at < lines.length; at++) {
    const line = lines[at];
    if (fence && line.trim().startsWith(fence)) return at + 1;
    if (!fence && !belongs(kind, lines, at)) break;
  }
  return at;
}

function belongs(kind, lines, at) {
  const line = lines[at];
  if (kind === "list") {
    const isOpen = line.trim() || ITEM.test(lines[at + 1] ?? "");
    return isOpen && (ITEM.test(line) || /^ |^$/.test(line) || kindOf(lines, at) === "text");
  }
  if (kind === "table") return line.includes("|");
  if (kind === "quote") return QUOTE.test(line);
  return kindOf(lines, at) === "text";
}

function codeOf(lines) {
  const isClosed = lines.length > 1 && FENCE.test(lines[lines.length - 1]);
  return text(range(lines, 1, lines.length - (isClosed ? 1 : 0)));
}

function nested(lines, mark, depth) {
  const inner = [];
  for (const line of lines) inner[inner.length] = line.replace(mark, "");
  if (depth >= MAX_DEPTH) return [text(inner)];
  const children = [];
  for (const block of split(text(inner))) children[children.length] = parse(block, depth + 1);
  return children;
}

function list(lines, depth) {
  const [, indent, mark] = ITEM.exec(lines[0]);
  const isOrdered = mark.length > 1;
  const items = [];
  for (const line of lines) {
    const found = ITEM.exec(line);
    const isNew = found && found[1].length <= indent.length + 1;
    if (isNew) items[items.length] = { tag: "li", lines: [line.slice(found[0].length)] };
    else if (items.length) {
      const own = items[items.length - 1].lines;
      own[own.length] = line.replace(/^ {1,4}/, "");
    }
  }
  const children = [];
  for (const item of items) children[children.length] = { tag: "li", children: itemOf(item.lines, depth) };
  return isOrdered ? { tag: "ol", start: parseInt(mark, 10), children } : { tag: "ul", children };
}

function itemOf(lines, depth) {
  const blocks = nested(lines, "", depth);
  // "- one" is a line, not a paragraph of its own.
  return blocks[0]?.tag === "p" ? [...blocks[0].children, ...range(blocks, 1)] : blocks;
}

function table(lines) {
  const children = [];
  for (let at = 0; at < lines.length; at++) {
    if (at === 1) continue;
    const line = lines[at];
    const cells = [];
    for (const cell of line.trim().replace(/^\||\|$/g, "").split("|")) {
      cells[cells.length] = { tag: at ? "td" : "th", children: inline(cell.trim()) };
    }
    children[children.length] = { tag: "tr", children: cells };
  }
  return { tag: "table", children };
}

/** Text with marks inside a line, as children. */
export function inline(source, depth = 0) {
  if (depth > MAX_DEPTH) return [source];
  return new Inline(source, depth).run();
}

class Inline {
  #at = 0;
  #plain = "";
  #out = [];
  // Marks that do not come again: each is searched in vain once only, or a hostile text would take minutes.
  #gone = new Set();

  constructor(source, depth) {
    this.source = source;
    this.depth = depth;
  }

  run() {
    while (this.#at < this.source.length) {
      if (!this.#mark(this.source[this.#at])) this.#plain += this.source[this.#at++];
    }
    this.#flush();
    return this.#out;
  }

  #mark(char) {
    if (char === "\\") return this.#escape();
    if (char === "\n") return this.#put({ tag: "br", children: [] }, this.#at + 1);
    if (char === "`") return this.#code();
    if (char === "*" || char === "_") return this.#strong(char) || this.#em(char);
    if (char === "[") return this.#link(this.#at);
    if (char === "!" && this.source[this.#at + 1] === "[") return this.#link(this.#at + 1);
    return char === "h" && this.#bare();
  }

  #escape() {
    const next = this.source[this.#at + 1] ?? "";
    if (!/[!-/:-@[-`{-~]/.test(next)) return false;
    this.#plain += next;
    this.#at += 2;
    return true;
  }

  #code() {
    const mark = /^`+/.exec(this.source.slice(this.#at, this.#at + 9))[0];
    const end = this.#find(mark, this.#at + mark.length);
    if (end < 0) return false;
    const code = this.source.slice(this.#at + mark.length, end);
    return this.#put({ tag: "code", children: [code.trim() || code] }, end + mark.length);
  }

  #strong(char) {
    const mark = char + char;
    if (!this.source.startsWith(mark, this.#at)) return false;
    const end = this.#find(mark, this.#at + 2);
    return this.#span("strong", mark, end > 0 && this.source[end + 2] === char ? end + 1 : end);
  }

  #em(char) {
    if (char === "_" && /\w/.test(this.source[this.#at - 1] ?? "")) return false;
    let end = this.#find(char, this.#at + 1);
    while (end > 0 && this.source[end + 1] === char) end = this.#find(char, end + 2);
    return this.#span("em", char, end);
  }

  #span(tag, mark, end) {
    const inner = end < 0 ? "" : this.source.slice(this.#at + mark.length, end);
    if (!inner || inner !== inner.trim()) return false;
    return this.#put({ tag, children: inline(inner, this.depth + 1) }, end + mark.length);
  }

  #link(start) {
    const middle = this.#find("](", start + 1);
    let end = middle < 0 ? -1 : this.#find(")", middle + 2);
    if (end < 0) return false;
    if (this.source.slice(middle + 2, end).includes("(")) end = Math.max(end, this.source.indexOf(")", end + 1));
    const [url] = this.source.slice(middle + 2, end).trim().split(/\s/);
    const label = this.source.slice(start + 1, middle).replace(/\*\*|`/g, "");
    return this.#put(anchor(url.replace(/^<|>$/g, ""), [label || url]), end + 1);
  }

  #bare() {
    // Chinese, Japanese and Arabic sentences go on behind a URL without a space.
    const found = /^https?:\/\/[^\s<>"'`*，。！？；：、（）「」『』【】《》…،؛؟]+/.exec(this.source.slice(this.#at, this.#at + 2000));
    if (!found || /[\w:]/.test(this.source[this.#at - 1] ?? "")) return false;
    const url = found[0].replace(found[0].includes("(") ? /[.,;:!?]+$/ : /[.,;:!?)\]]+$/, "");
    return this.#put(anchor(url, [url]), this.#at + url.length);
  }

  #find(mark, from) {
    if (this.#gone.has(mark)) return -1;
    const at = this.source.indexOf(mark, from);
    if (at < 0) this.#gone.add(mark);
    return at;
  }

  #put(node, next) {
    this.#flush();
    this.#out[this.#out.length] = node;
    this.#at = next;
    return true;
  }

  #flush() {
    if (this.#plain) this.#out[this.#out.length] = this.#plain;
    this.#plain = "";
  }
}

function anchor(url, children) {
  const href = safeUrl(url);
  return href ? { tag: "a", href, children } : { tag: "span", children };
}

// Not the methods of Array: a page may have replaced them.
function range(list, from, to = list.length) {
  const part = [];
  for (let at = from; at < to; at++) part[part.length] = list[at];
  return part;
}

function text(lines) {
  let all = "";
  let isFirst = true;
  for (const line of lines) {
    all += isFirst ? line : `\n${line}`;
    isFirst = false;
  }
  return all;
}
