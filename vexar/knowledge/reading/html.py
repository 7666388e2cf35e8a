"""Reads an HTML page as a person does: its main text without menus, banners and footers, its title and its links.

Headings stay as Markdown (`## Shipping`), so that the text can be cut where the page itself is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from vexar.knowledge.reading.charsets import page_text

# The parser's time grows with the square of the depth: 100,000 levels would take 20 s.
MAX_DEPTH = 2000
MAX_TITLE_CHARS = 500
MAX_TEXT_CHARS = 200_000
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
# Whatever its name: more than that share of the page's text is no chrome.
MAX_CHROME_SHARE = 0.4
# A list made of links, on pages that do not say what is their main part.
MIN_LINKS, MAX_LINK_SHARE = 3, 0.7
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
_NEVER_DEEP = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "p", "li",
    "td", "th", "tr", "dt", "dd", "option", "path", "circle", "rect", "use", "polygon", "polyline", "line", "ellipse",
    "stop", "animate", "image",
))  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What a page says. `links`: what its anchors lead to, in order, without fragments; `canonical` and `refresh`:
    the addresses it names itself and is sent on to, or empty."""

    title: str
    text: str
    links: tuple[str, ...] = ()
    canonical: str = ""
    refresh: str = ""
    is_noindex: bool = False
    is_nofollow: bool = False


def read_page(data: bytes, url: str = "", charset: str = "") -> Page:
    """Read a page; `charset` is what its Content-Type says. Broken ones are read as far as browsers would."""
    document = LexborHTMLParser(_shallow(page_text(data, charset).replace("\0", "")))
    base = document.css_first("base[href]")
    if base is not None:
        url = _joined(url, base.attributes.get("href")) or url
    robots = ",".join(_meta(document, 'meta[name="robots" i], meta[name="vexar" i]')).lower()
    title, text = _title_and_text(document)
    canonical = document.css_first('link[rel="canonical" i]')
    return Page(
        title=title,
        text=text,
        links=tuple(_links(document, url)),
        canonical=_joined(url, canonical.attributes.get("href")) if canonical is not None else "",
        refresh=_refresh(document, url),
        is_noindex="noindex" in robots or "none" in robots.split(","),
        is_nofollow="nofollow" in robots or "none" in robots.split(","),
    )


def _title_and_text(document: LexborHTMLParser) -> tuple[str, str]:
    """The first heading of the main part, or else the page's title; and the text without that heading."""
    main = _main(document)
    text = _Text(main[0], is_marked=main[1]).read() if main else ""
    named = document.css_first("head title") or document.css_first("title")
    title = _one_line(named.text()) if named is not None else ""
    first, _, rest = text.partition("\n")
    if first.startswith("# "):
        return first[2:].strip()[:MAX_TITLE_CHARS] or title, rest.strip()[:MAX_TEXT_CHARS]
    return title[:MAX_TITLE_CHARS], text[:MAX_TEXT_CHARS]


def _main(document: LexborHTMLParser) -> tuple[Any, bool] | None:
    """The element that holds what the page is about, and whether the page itself says so."""
    body = document.body
    if body is None:
        return None
    for selector in ("main, [role=main]", "article"):
        found = document.css(selector)
        best = max(found, key=_size, default=None)
        # Some pages mark an empty frame, or one of many teasers.
        if best is not None and (selector != "article" or len(found) == 1) and _size(best) > 0.2 * _size(body):
            return best, True
    return body, False


class _Text:
    """One walk through the main part. No recursion: how deep a page goes is its maker's choice."""

    def __init__(self, root: Any, *, is_marked: bool) -> None:
        self._root = root
        self._is_marked = is_marked
        self._most_chrome = MAX_CHROME_SHARE * _size(root)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._pre = 0

    def read(self) -> str:
        """Lines of text, an empty one between blocks."""
        for node, is_open in _walk(self._root, self._is_skipped):
            if node.is_text_node:
                self._say(node.text_content or "")
            elif node.is_element_node:
                self._enter(node.tag) if is_open else self._leave(node.tag)
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)).strip()

    def _say(self, text: str) -> None:
        self._line.append(text if self._pre else re.sub(r"\s+", " ", text))

    def _enter(self, tag: str) -> None:
        if tag == "br":
            self._line.append("\n")
        elif tag in ("td", "th"):
            self._line.append(" | " if "".join(self._line).strip() else "")
        elif tag in _HEADINGS:
            self._end_line(gap=True)
            self._prefix = "#" * _HEADINGS[tag] + " "
        elif tag in _BLOCKS:
            self._end_line(gap=tag not in ("li", "tr", "dd"))
            self._prefix = "- " if tag == "li" else self._prefix
        self._pre += tag == "pre"

    def _leave(self, tag: str) -> None:
        if tag in _HEADINGS:
            # A heading over two lines stays one heading.
            self._line = [_one_line("".join(self._line))]
            self._end_line(gap=True)
        elif tag in _BLOCKS:
            self._end_line(gap=tag not in ("li", "tr", "dd", "dt"))
        self._pre -= tag == "pre"

    def _end_line(self, *, gap: bool = False) -> None:
        whole = "".join(self._line).replace("\xa0", " ").replace("\u200b", "").replace("\xad", "")
        rows = whole.split("\n") if self._pre else [_one_line(row) for row in whole.split("\n")]
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
        if "none" in (attributes.get("style") or "") and re.search(r"display\s*:\s*none", attributes["style"]):
            return True
        if tag == "header" and not self._is_marked and node.css_first("h1") is None:
            return True
        name = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
        if name != " " and tag not in _HEADINGS and _CHROME.search(name) and _size(node) <= self._most_chrome:
            return True
        return tag in ("ul", "ol", "div", "table") and not self._is_marked and _is_link_list(node)


def _walk(root: Any, is_skipped: Any) -> Iterator[tuple[Any, bool]]:
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


def _is_link_list(node: Any) -> bool:
    links = node.css("a[href]")
    return len(links) >= MIN_LINKS and sum(map(_size, links)) > MAX_LINK_SHARE * max(1, _size(node))


def _size(node: Any) -> int:
    """Characters of text, white space not counted."""
    return len("".join(node.text().split()))


def _links(document: LexborHTMLParser, base: str) -> Iterator[str]:
    seen: set[str] = set()
    for anchor in document.css("a[href], area[href]"):
        attributes = anchor.attributes
        if "nofollow" in (attributes.get("rel") or "").lower().split():
            continue
        target = _joined(base, attributes.get("href"))
        if target and target not in seen:
            seen.add(target)
            yield target


def _refresh(document: LexborHTMLParser, base: str) -> str:
    for content in _meta(document, 'meta[http-equiv="refresh" i]'):
        found = re.match(r"\s*(\d{1,3})[\d.]*\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", content, re.IGNORECASE)
        # Later ones are pages that renew themselves.
        if found and int(found[1]) <= 10:
            return _joined(base, found[2])
    return ""


def _meta(document: LexborHTMLParser, selector: str) -> list[str]:
    return [node.attributes.get("content") or "" for node in document.css(selector)]


def _joined(base: str, target: str | None) -> str:
    """A whole address without its fragment; empty for what is none."""
    with suppress(ValueError):
        return urljoin(base, re.sub(r"[\t\r\n]", "", target or "").strip()).partition("#")[0] if target else ""
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shallow(text: str) -> str:
    """The page up to where it would be nested too deeply."""
    opened: Counter[str] = Counter()
    depth = 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name in _NEVER_DEEP:
            continue
        if not tag[1]:
            opened[name] += 1
            depth += 1
        elif opened[name]:
            opened[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return text[:tag.start()]
    return text
