"""The main text of a page, without its menus, banners and footers, as lines with Markdown headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vexar.knowledge.chunks import MAX_HEADING_CHARS

_SKIPPED = frozenset((
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video", "nav",
    "footer", "aside", "button", "select", "textarea", "dialog", "menu", "head", "frameset", "map", "datalist",
))  # fmt: skip
_SKIPPED_ROLES = frozenset((
    "navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog", "menu", "menubar",
    "toolbar", "tablist", "alert",
))  # fmt: skip
_BLOCKS = frozenset((
    "address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "form", "header", "hgroup", "hr", "html", "legend", "li", "main", "ol", "p", "pre", "section", "table",
    "tbody", "tfoot", "thead", "tr", "ul", "caption",
))  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "summary": 4}
# Names that pages give to their chrome, as a whole word of id or class.
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|submenu|sidebar|breadcrumbs?|cookies?|cookie-?(?:banner|consent|notice)"
    r"|consent|site-?(?:header|footer|nav)|page-?(?:header|footer)|footer|topbar|skip-?(?:link|to-content)|share|social"
    r"|pagination|pager|related|newsletter|popup|modal|advert(?:isement)?s?|ads)(?:$|[\s_-])",
    re.IGNORECASE,
)
MAX_NAME_CHARS, MAX_STYLE_CHARS = 1000, 4000
MAX_ANCHORS = 200
_NAME = re.compile(r"[^\s\"'<>#\x00-\x1f]{1,200}")
# Whatever its name: more than that share of the page's text is no chrome.
MAX_CHROME_SHARE = 0.4
# A list made of links, on pages that do not say what is their main part.
MIN_LINKS, MAX_LINK_SHARE = 3, 0.7


@dataclass
class _Size:
    """What an element holds: characters without white space, those of links, links, and first headings."""

    chars: int = 0
    link_chars: int = 0
    links: int = 0
    titles: int = 0

    def add(self, other: _Size) -> None:
        self.chars += other.chars
        self.link_chars += other.link_chars
        self.links += other.links
        self.titles += other.titles


def main_text(body: Any) -> tuple[str, dict[str, str]]:
    """What a page is about, and the fragments that lead to its headings; `body` is its element, or None."""
    if body is None:
        return "", {}
    sizes = _measured(body)
    root, is_marked = _main(body, sizes)
    text = _Text(root, sizes, is_marked=is_marked)
    return text.read(), text.anchors


def _main(body: Any, sizes: dict[int, _Size]) -> tuple[Any, bool]:
    """The element that holds what the page is about, and whether the page itself says so."""
    for selector in ("main, [role=main]", "article"):
        found = body.css(selector)
        best = max(found, key=lambda node: _chars(node, sizes), default=None)
        # Some pages mark an empty frame, or one of many teasers.
        is_one = selector != "article" or len(found) == 1
        if best is not None and is_one and _chars(best, sizes) > 0.2 * _chars(body, sizes):
            return best, True
    return body, False


def _measured(root: Any) -> dict[int, _Size]:
    """The size of every element, by its place in memory. One walk: asking each takes the square of the depth."""
    sizes: dict[int, _Size] = {}
    inside: list[_Size] = [_Size()]
    for node, is_open in _walk(root, lambda node: node.is_element_node and node.tag in ("script", "style")):
        if node.is_text_node:
            inside[-1].chars += len("".join((node.text_content or "").split()))
        elif node.is_element_node and is_open:
            inside.append(_Size())
        elif node.is_element_node:
            own = sizes[node.mem_id] = inside.pop()
            if node.tag == "a" and "href" in node.attributes:
                own.link_chars, own.links = own.chars, own.links + 1
            own.titles += node.tag == "h1"
            inside[-1].add(own)
    return sizes


def _chars(node: Any, sizes: dict[int, _Size]) -> int:
    return sizes[node.mem_id].chars if node.mem_id in sizes else 0


class _Text:
    """One walk through the main part. No recursion: how deep a page goes is its maker's choice."""

    def __init__(self, root: Any, sizes: dict[int, _Size], *, is_marked: bool) -> None:
        self._root, self._sizes = root, sizes
        self._is_marked = is_marked
        self._most_chrome = MAX_CHROME_SHARE * _chars(root, sizes)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._pre = 0
        self._fragment = ""
        self.anchors: dict[str, str] = {}

    def read(self) -> str:
        """Lines of text, an empty one between blocks."""
        for node, is_open in _walk(self._root, self._is_skipped):
            if node.is_text_node:
                self._say(node.text_content or "")
            elif node.is_element_node:
                self._enter(node) if is_open else self._leave(node.tag)
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()

    def _say(self, text: str) -> None:
        self._line.append(text if self._pre else re.sub(r"\s+", " ", text))

    def _enter(self, node: Any) -> None:
        tag = node.tag
        if tag == "br":
            self._line.append("\n")
        elif tag in ("td", "th"):
            self._line.append(" | " if any(map(str.strip, self._line)) else "")
        elif tag in _HEADINGS:
            self._end_line(gap=True)
            self._prefix = "#" * _HEADINGS[tag] + " "
            self._fragment = _fragment(node)
        elif tag in _BLOCKS:
            self._end_line(gap=tag not in ("li", "tr", "dd"))
            self._prefix = "- " if tag == "li" else self._prefix
        self._pre += tag == "pre"

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            # A heading over two lines stays one heading.
            name = one_line("".join(self._line))
            self._line = [name]
            if self._fragment and name and len(self.anchors) < MAX_ANCHORS:
                self.anchors.setdefault(name[:MAX_HEADING_CHARS], self._fragment)
            self._end_line(gap=True)
        elif tag in _BLOCKS:
            self._end_line(gap=tag not in ("li", "tr", "dd", "dt"))
        self._pre -= tag == "pre"

    def _end_line(self, *, gap: bool = False) -> None:
        whole = "".join(self._line).replace("\xa0", " ").replace("\u200b", "").replace("\xad", "")
        rows = whole.split("\n") if self._pre else [one_line(row) for row in whole.split("\n")]
        rows = [row.rstrip() for row in rows if row.strip()]
        if rows:
            self._lines += [self._prefix + rows[0], *rows[1:]]
            self._prefix = ""
        self._line = []
        if gap and self._lines and self._lines[-1]:
            self._lines.append("")

    def _is_skipped(self, node: Any) -> bool:
        if not node.is_element_node or node.mem_id == self._root.mem_id:
            return False
        tag, attributes = node.tag, node.attributes
        if tag in _SKIPPED or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        if (attributes.get("role") or "").lower() in _SKIPPED_ROLES:
            return True
        if re.search(r"display\s*:\s*none", (attributes.get("style") or "")[:MAX_STYLE_CHARS]):
            return True
        size = self._sizes.get(node.mem_id) or _Size()
        if tag == "header" and not self._is_marked and not size.titles:
            return True
        name = " ".join((attributes.get(each) or "")[:MAX_NAME_CHARS] for each in ("id", "class"))
        if name != " " and tag not in _HEADINGS and _CHROME.search(name) and size.chars <= self._most_chrome:
            return True
        is_list = size.links >= MIN_LINKS and size.link_chars > MAX_LINK_SHARE * max(1, size.chars)
        return tag in ("ul", "ol", "div", "table") and not self._is_marked and is_list


def _fragment(heading: Any) -> str:
    """What leads to a heading: its id, or that of a mark in it."""
    marks = (heading, *heading.css("a[id], a[name]")[:1])
    names = (mark.attributes.get("id") or mark.attributes.get("name") or "" for mark in marks)
    return next((name for name in names if _NAME.fullmatch(name)), "")


def _walk(root: Any, is_skipped: Callable[[Any], bool]) -> Iterator[tuple[Any, bool]]:
    """Every node below and with `root`, elements twice: (node, True) before and (node, False) behind their content."""
    node = root
    while node is not None:
        is_entered = not is_skipped(node)
        if is_entered:
            yield node, True
            if node.first_child is not None:
                node = node.first_child
                continue
            if node.is_element_node:
                yield node, False
        while node.next is None or node.mem_id == root.mem_id:
            if node.mem_id == root.mem_id:
                return
            node = node.parent
            yield node, False
            if node.mem_id == root.mem_id:
                return
        node = node.next


def one_line(text: str) -> str:
    """White space as single spaces."""
    return " ".join(text.split())
