"""Which messages ask something that a site could answer: no small talk, no contact, no call for a person, no spam.

Pure functions; when in doubt a message is left out, for a list full of noise is read by nobody.
"""

from __future__ import annotations

import re

from vexar.knowledge import text
from vexar.knowledge.little import LITTLE
from vexar.knowledge.sentences import sentences
from vexar.providers.people import asks_for_person
from vexar.providers.smalltalk import small_talk

MAX_QUESTION_CHARS = 300
# With a question mark a single word is enough ("Versand?"), if it can be one.
MIN_WORD_CHARS = 3
_CONTACT = re.compile(r"[^\s@]+@[^\s@]+\.\w+|\+?\d[\d\s()./-]{5,}\d")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# Links first: an address may stand in one.
_PERSONAL = (_LINK, _CONTACT, re.compile(r"\d{5,}"))
_ASKS = re.compile(r"[?？؟;]\s*$|[?？؟]")
_REPEATED = re.compile(r"(\S)\1{4,}")
_PARTS = re.compile(r"[.,;!?\n…。！？，、؟،]+")
# Said with politeness or by itself: it answers or goes on, and asks nothing.
_FILLER_WORDS = (
    "ok okay yes no yeah yep nope sure fine great cool perfect super test testing hmm please what why how ja nein gut "
    "klar genau doch bitte oui non si bien vale claro sí não sim bem nee goed tak nie dobrze так ні добре да нет "
    "хорошо evet hayır tamam نعم لا حسنا כן לא טוב 是 不是 好的 好 はい いいえ"
)
_FILLERS = frozenset(_FILLER_WORDS.split())


def question_of(message: str) -> str:
    """What a message asks, in the visitor's words and at most MAX_QUESTION_CHARS; empty when it asks nothing."""
    said = " ".join(message.split())
    if len(said) > MAX_QUESTION_CHARS:
        asking = [part for part in sentences(said) if _ASKS.search(part)]
        said = asking[-1] if asking else ""
    if not said or len(said) > MAX_QUESTION_CHARS or _is_noise(said) or is_small_talk(said) or asks_for_person(said):
        return ""
    # Who leaves a contact says so in words ("my mail is..."), and asks nothing.
    if _CONTACT.search(said) and not _ASKS.search(said):
        return ""
    return said if _has_matter(_CONTACT.sub(" ", said)) else ""


def is_small_talk(message: str) -> bool:
    """Whether every part of a message greets, thanks, takes leave or just agrees."""
    return bool(small_talk(message)) or all(_is_polite(part) for part in _PARTS.split(message.casefold()))


def is_personal(question: str) -> bool:
    """Whether a question holds what may tell who asked: an address, a phone or order number, a link."""
    return any(pattern.search(question) for pattern in _PERSONAL)


def masked(question: str) -> str:
    """A question without that."""
    for pattern in _PERSONAL:
        question = pattern.sub("…", question)
    return question


def _is_polite(part: str) -> bool:
    return bool(small_talk(part)) or all(word in _FILLERS for word in re.findall(r"[^\W_]+", part))


def _is_noise(said: str) -> bool:
    return len(_LINK.findall(said)) > 1 or bool(_LINK.sub("", said).strip() == "" or _REPEATED.search(said))


def _has_matter(said: str) -> bool:
    """Whether something is left that carries a meaning, and it looks like language rather than a hand on the keys."""
    words = text.words(said)
    matter = [word for word in words if len(word) > 1 and not _is_little(word)]
    if not any(any(map(str.isalpha, word)) for word in matter):
        return False
    if _ASKS.search(said):
        return len("".join(matter)) >= MIN_WORD_CHARS
    # Without a question mark: several words, one of which is a little word of some language, or a dense writing.
    is_language = any(_is_little(word) for word in words) or text.is_dense(matter[0])
    return len(words) > 1 and (is_language or len(matter) > 1)


def _is_little(word: str) -> bool:
    return any(word in little for little in LITTLE.values())
