"""What a site writes into its knowledge: one entry, what may be in it, and the terms it is found by."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from vexar.knowledge import text
from vexar.knowledge.chunks import Chunk

TYPES = ("custom", "faq", "page")
MAX_TITLE_CHARS, MAX_QUESTION_CHARS, MAX_URL_CHARS, MAX_CONTENT_CHARS = 500, 2000, 2000, 200_000

# A source is shown as a link; these would run in the visitor's page or lead into its machine.
_ACTIVE = re.compile(r"(?:javascript|vbscript|data|blob|file):", re.IGNORECASE)
_IGNORED_IN_URLS = re.compile(r"[\x00-\x20]")


@dataclass(frozen=True)
class Entry:
    """`type`: custom, faq or page; `question` is empty unless faq."""

    type: str
    title: str
    question: str
    content: str
    url: str | None = None

    def digest(self) -> bytes:
        """The same for entries that say the same; the url does not count."""
        parts = "\0".join((self.type, self.title, self.question, self.content))
        return hashlib.blake2b(parts.encode(), digest_size=16).digest()

    def problem(self) -> str:
        """Why it cannot be taken, as a sentence; empty when it can."""
        limits = (("title", MAX_TITLE_CHARS), ("question", MAX_QUESTION_CHARS), ("content", MAX_CONTENT_CHARS))
        long = [(name, most) for name, most in limits if len(getattr(self, name)) > most]
        if len(self.url or "") > MAX_URL_CHARS:
            long.append(("url", MAX_URL_CHARS))
        everything = self.title + self.question + self.content + (self.url or "")
        if self.type not in TYPES:
            return f"type must be one of {', '.join(TYPES)}, not {self.type[:40]!r}."
        if not self.content.strip():
            return "content is missing."
        if self.type == "faq" and not self.question.strip():
            return "question is missing, and a faq needs one."
        if "\0" in everything or any("\ud800" <= character <= "\udfff" for character in everything):
            return "The text holds a character that cannot be stored."
        if _ACTIVE.match(_IGNORED_IN_URLS.sub("", self.url or "")):
            return "url must lead to a page: https://..., or a path of the site."
        return f"{long[0][0]} is longer than {long[0][1]} characters." if long else ""


def telling_title(title: str, question: str, content: str) -> str:
    """The title, or nothing where it only repeats the question or the first words of the content."""
    bare = title.strip("\ufeff ").rstrip(".…").casefold()
    is_repeat = bare == question.strip().casefold() or content.lstrip("\ufeff ").casefold().startswith(bare)
    return "" if is_repeat else title


def field_counts(entry: Entry, chunk: Chunk, lang: str) -> dict[str, tuple[int, int, int]]:
    """How often each term of one part occurs in question, title (with the heading) and content.

    Every part of a page carries its title: a question often names the page's subject, and the part only says "it".
    """
    title = f"{telling_title(entry.title, entry.question, entry.content)}\n{chunk.heading}"
    fields = (entry.question, title, entry.content[chunk.begins:chunk.ends])
    counts = [Counter(text.terms(field, lang)) for field in fields]
    return {term: tuple(count[term] for count in counts) for term in sorted(set().union(*counts))}
