"""What became of a page: from a server's answer to an outcome."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from vexar.knowledge.reading.html import Page, directives
from vexar.outbound.outside import Answer

MAX_PAGE_BYTES = 2_000_000
MIN_TEXT_CHARS = 20
# What servers that answer 200 for everything write on their page about nothing. A number alone may be a product's.
_NOT_FOUND = re.compile(
    r"^\W*(?:error\W{0,3}|fehler\W{0,3}|erreur\W{0,3})?404\b|\b404\W{0,3}(?:error|fehler|not|page|seite)|not found"
    r"|does ?n.t exist|nicht gefunden|introuvable|no encontrad|non trovat|niet gevonden|не знайдено"
    r"|не найден|غير موجود|未找到|找不到|見つかりません", re.IGNORECASE,
)  # fmt: skip
_NOT_FOUND_PATH = re.compile(r"404|not-?_?found|error", re.IGNORECASE)
SOFT_CHARS, SAME_SHARE = 800, 0.9


@dataclass(frozen=True)
class Outcome:
    """What became of a page: kept, duplicate, canonical, redirect, elsewhere, empty, noindex, not_html, robots, gone,
    too_large or failed."""

    word: str
    page: Page | None = None
    found: tuple[str, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether it says nothing about the page, which may be well again the next time: its entry stays."""
        return self.word in ("failed", "too_large")


@dataclass(frozen=True)
class Missing:
    """What a site shows for a page that cannot exist, where it answers 200 to everything."""

    title: str
    words: frozenset[str]

    @classmethod
    def of(cls, page: Page, asked_url: str, url: str) -> Missing | None:
        """From such a page; None when the address that was asked for leads to a page that does exist."""
        is_moved = urlsplit(url).path != urlsplit(asked_url).path
        if is_moved and not _NOT_FOUND_PATH.search(urlsplit(url).path):
            return None
        return cls(page.title, frozenset(_words(page.text, asked_url)))

    def is_like(self, page: Page, url: str) -> bool:
        """Whether a page says the same, but for the address."""
        if page.title != self.title:
            return False
        own = _words(page.text, url)
        return len(own & self.words) >= SAME_SHARE * max(1, len(own | self.words))


def early_outcome(answer: Answer) -> Outcome | None:
    """What an answer is before anybody looks into it; None for a page to read. Redirects are the caller's."""
    if answer.status in (429, 408) or answer.status >= 500:
        return Outcome("failed")
    if answer.status != 200:
        return Outcome("gone")
    if not is_html(answer):
        return Outcome("not_html")
    return Outcome("too_large") if answer.is_cut else None


def says_nothing(page: Page) -> bool:
    """Whether a page calls itself not found."""
    return len(page.text) < SOFT_CHARS and bool(_NOT_FOUND.search(page.title))


def orders(answer: Answer, page: Page) -> set[str]:
    """noindex and nofollow, as the page or its headers say."""
    found = directives(answer.headers.get("X-Robots-Tag") or "")
    own = {"noindex": page.is_noindex, "nofollow": page.is_nofollow}
    return {word for word, is_said in own.items() if is_said or word in found}


def digest(page: Page) -> str:
    """The same for pages that say the same."""
    return hashlib.blake2b(f"{page.title}\0{page.text}".encode(), digest_size=16).hexdigest()


def is_html(answer: Answer) -> bool:
    """Whether an answer is a page: by its type, or by its first bytes where there is none."""
    kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind:
        return kind in ("text/html", "application/xhtml+xml")
    return b"<" in answer.body[:1000]


def charset(answer: Answer) -> str:
    """What the Content-Type says, or nothing."""
    message = Message()
    message["Content-Type"] = answer.headers.get("Content-Type") or "text/html"
    return str(message.get_param("charset", "") or "")


def _words(text: str, url: str) -> set[str]:
    # The address that was asked for is often part of the text.
    words = [set(re.findall(r"[^\W\d_]{2,}", part.lower())) for part in (text, url)]
    return words[0] - words[1]
