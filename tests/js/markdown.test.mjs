// Markdown as a tree: what it understands, and that nothing else ever comes out of it.

import assert from "node:assert/strict";
import test from "node:test";
import { inline, parse, split } from "../../static/widget/markdown.js";
import { safeUrl } from "../../static/widget/api.js";

const TAGS = new Set("p h br strong em code pre ul ol li a span table tr th td blockquote".split(" "));
const tree = (text) => split(text).map((block) => parse(block));

/** The tree as short text: tag(children). */
function short(node) {
  if (typeof node === "string") return node;
  const more = node.href ? `=${node.href}` : node.start ? `=${node.start}` : "";
  return `${node.tag}${more}(${node.children.map(short).join("")})`;
}
const read = (text) => tree(text).map(short).join("");

const CASES = [
  ["plain text", "p(plain text)"],
  ["one\ntwo\n\nthree", "p(onebr()two)p(three)"],
  ["**bold** and *italic* and __b__ and _i_", "p(strong(bold) and em(italic) and strong(b) and em(i))"],
  ["***both***", "p(strong(em(both)))"],
  ["*it **bold** it*", "p(em(it strong(bold) it))"],
  ["2 * 3 * 4 and snake_case_name", "p(2 * 3 * 4 and snake_case_name)"],
  ["a `code **x**` b", "p(a code(code **x**) b)"],
  ["``a ` b``", "p(code(a ` b))"],
  ["\\*not\\* \\<b>", "p(*not* <b>)"],
  ["```js\nlet a = 1;\n\n**b**\n```\nafter", "pre(code(let a = 1;\n\n**b**))p(after)"],
  ["```\nnever closed", "pre(code(never closed))"],
  ["# Title\ntext", "h(Title)p(text)"],
  ["> said\n> twice", "blockquote(p(saidbr()twice))"],
  ["- one\n- two\n  - deep\n- three", "ul(li(one)li(twoul(li(deep)))li(three))"],
  ["3. three\n4. four", "ol=3(li(three)li(four))"],
  ["text\n- one", "p(text)ul(li(one))"],
  ["[shop](https://shop.example/a_(b)) x", "p(a=https://shop.example/a_(b)(shop) x)"],
  ["[mail](mailto:a@b.example) [tel](tel:+123)", "p(a=mailto:a@b.example(mail) a=tel:+123(tel))"],
  ["请访问https://shop.example/a。谢谢", "p(请访问a=https://shop.example/a(https://shop.example/a)。谢谢)"],
  ["（https://shop.example/ü）。", "p(（a=https://shop.example/%C3%BC(https://shop.example/ü)）。)"],
  ["https://shop.example/a؟ https://shop.example/b، و", "p(a=https://shop.example/a(https://shop.example/a)؟ a=https://shop.example/b(https://shop.example/b)، و)"],
  ["see https://shop.example/a?b=c. Yes", "p(see a=https://shop.example/a?b=c(https://shop.example/a?b=c). Yes)"],
  ["![cat](https://x.example/cat.png)", "p(a=https://x.example/cat.png(cat))"],
  ["| a | b |\n|---|:-:|\n| 1 | **2** |", "table(tr(th(a)th(b))tr(td(1)td(strong(2))))"],
  ["a | b\nno table", "p(a | bbr()no table)"],
  ["<b>x</b> <script>alert(1)</script>", "p(<b>x</b> <script>alert(1)</script>)"],
];

for (const [text, expected] of CASES) {
  test(`reads ${JSON.stringify(text)}`, () => assert.equal(read(text), expected));
}

const REFUSED = [
  "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "\u0001javascript:alert(1)",
  "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "blob:https://x/1", "ftp://x", "//x.example", "/path", "x",
  "javascript&colon;alert(1)", "view-source:https://x", "about:blank", "filesystem:https://x/a",
];

for (const url of REFUSED) {
  test(`does not follow ${JSON.stringify(url)}`, () => {
    assert.equal(safeUrl(url), null);
    assert.ok(!JSON.stringify(tree(`[a](${url}) ![b](${url}) <${url}>`)).includes('"href"'));
  });
}

function check(node) {
  if (typeof node === "string") return;
  assert.ok(TAGS.has(node.tag), node.tag);
  assert.ok(!node.href || safeUrl(node.href) === node.href, node.href);
  node.children.forEach(check);
}

test("gives only known tags and safe links for 3,000 texts made of marks", () => {
  const marks = ["**", "*", "_", "`", "```\n", "[", "](", ")", "https://a.example/", "javascript:", "\n", "\n\n", "- ", "1. ", "| ",
    "|-|-|\n", "> ", "# ", "<b>", "\\", " ", "word", "é", "\u202e", "😀"];
  let seed = 7;
  const next = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
  for (let round = 0; round < 3000; round++) {
    let text = "";
    for (let at = next(30); at >= 0; at--) text += marks[next(marks.length)];
    tree(text).forEach(check);
  }
});

test("every beginning of a text can be read, and finished blocks stay", () => {
  const text = CASES.map(([text]) => text).join("\n\n");
  for (let at = 0; at < text.length; at++) tree(text.slice(0, at)).forEach(check);
});

test("16,000 hostile characters take no time to speak of", () => {
  const begun = performance.now();
  for (const mark of ["*", "_", "**a ", "[", "[a](", "`", "`` ", "- ", "> ", "> - ", "|", "a|b\n|-|\n", "https://", "  - a\n", "#", "\n"]) {
    tree(mark.repeat(16000 / mark.length)).forEach(check);
  }
  assert.ok(performance.now() - begun < 10_000);
});

test("marks within marks end somewhere", () => {
  inline("*a _b ".repeat(2000) + "_ *".repeat(2000)).forEach(check);
});
