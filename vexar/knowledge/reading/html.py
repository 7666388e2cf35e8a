"""Reads an HTML page as a person does: its main text, its title, its links, and what it says to programs.

Headings stay as Markdown (`## Shipping`), so that the text can be cut where the page itself is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from vexar.knowledge.reading.charsets import page_text
from vexar.knowledge.reading.faqs import faqs, with_faqs
from vexar.knowledge.reading.prose import main_text, one_line

# The parser's time grows with the square of the depth: 100,000 levels would take 20 s.
MAX_DEPTH = 2000
MAX_TITLE_CHARS = 500
MAX_TEXT_CHARS = 200_000
MAX_LINKS = 5_000
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,30})")
_NEVER_DEEP = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "p", "li",
    "td", "th", "tr", "dt", "dd", "option", "path", "circle", "rect", "use", "polygon", "polyline", "line", "ellipse",
    "stop", "animate", "image",
))  # fmt: skip
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
# Words of a robots header that have a colon and are no name of a robot.
_WITH_VALUE = ("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview")


@dataclass(frozen=True)
class Page:
    """What a page says. `links`: what its anchors and versions in other languages lead to, in order, without
    fragments; `canonical` and `refresh`: the addresses it names itself and is sent on to, or empty."""

    title: str
    text: str
    links: tuple[str, ...] = ()
    canonical: str = ""
    refresh: str = ""
    is_noindex: bool = False
    is_nofollow: bool = False
    # {heading: the fragment that leads to it}
    anchors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Page:
        """From its fields, as JSON has them."""
        return cls(**{**values, "links": tuple(values["links"])})


def read_page(data: bytes, url: str = "", charset: str = "") -> Page:
    """Read a page; `charset` is what its Content-Type says. Broken ones are read as far as browsers would."""
    document = LexborHTMLParser(_shallow(page_text(data, charset).replace("\0", "")))
    base = document.css_first("base[href]")
    if base is not None:
        url = _joined(url, base.attributes.get("href")) or url
    robots = directives(",".join(_meta(document, 'meta[name="robots" i], meta[name="vexar" i]')))
    title, text, anchors = _title_and_text(document)
    canonical = document.css_first('link[rel="canonical" i]')
    return Page(
        title=title,
        text=text,
        links=tuple(_links(document, url)),
        canonical=_joined(url, canonical.attributes.get("href")) if canonical is not None else "",
        refresh=_refresh(document, url),
        is_noindex="noindex" in robots,
        is_nofollow="nofollow" in robots,
        anchors=anchors,
    )


def directives(text: str) -> set[str]:
    """What a robots meta or an X-Robots-Tag orders us: those without a robot's name, and with ours."""
    found, robot = set(), ""
    for part in text.lower().split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip() not in _WITH_VALUE:
            robot, part = name.strip(), rest
        if robot in ("", "*", "vexar"):
            found.add(part.strip())
    return found | {"noindex", "nofollow"} if "none" in found else found


def _title_and_text(document: LexborHTMLParser) -> tuple[str, str, dict[str, str]]:
    """The first heading of the main part, or else the page's title; the text without that heading; the fragments."""
    text, anchors = main_text(document.body)
    named = document.css_first("head title") or document.css_first("title")
    title = one_line(named.text()) if named is not None else ""
    first, _, rest = text.partition("\n")
    if first.startswith("# "):
        title, text = first[2:].strip() or title, rest.strip()
    scripts = (node.text() for node in document.css('script[type="application/ld+json" i]'))
    # JSON can spell what no database takes.
    text = _UNSTORABLE.sub("", with_faqs(text, faqs(scripts, _plain)))
    return title[:MAX_TITLE_CHARS], text[:MAX_TEXT_CHARS], anchors


def _plain(text: str) -> str:
    return main_text(LexborHTMLParser(_shallow(text)).body)[0] if "<" in text or "&" in text else text.strip()


def _links(document: LexborHTMLParser, base: str) -> Iterator[str]:
    seen: set[str] = set()
    for anchor in document.css("a[href], area[href], link[rel=alternate i][hreflang], link[rel=next i]"):
        attributes = anchor.attributes
        if "nofollow" in (attributes.get("rel") or "").lower().split():
            continue
        target = _joined(base, attributes.get("href"))
        if target and target not in seen and len(seen) < MAX_LINKS:
            seen.add(target)
            yield target


def _refresh(document: LexborHTMLParser, base: str) -> str:
    for content in _meta(document, 'meta[http-equiv="refresh" i]'):
        found = re.match(r"\s*(\d{1,3})[\d.]*\s*[;,]\s*(?:url\s*=\s*)?[\"']?([^\"']+)", content[:4000], re.IGNORECASE)
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
