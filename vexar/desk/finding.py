"""What operators find conversations by: the words of texts and contacts, and how a search is read. Pure functions.

Words are folded in case, width and accents and not stemmed: what was typed is found, and its beginnings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from vexar.knowledge.text import MAX_TERM_CHARS, bare, is_dense, words

MAX_SEARCH_TOKENS = 8
MAX_CONTACT_CHARS = 600
# Shorter ones are in nearly every text: a long look for nothing.
MIN_BEGINNING_CHARS = 3
# Fewer digits are rather a number in a text than the end of a phone number.
MIN_PHONE_DIGITS = 5
_DENSE_PAIR_CHARS = 2
_PHONE_MARKS = str.maketrans("", "", " +-()./")


@dataclass(frozen=True)
class Token:
    """One word of a search: `contact` may stand anywhere in a contact, or all of its terms in the texts, as whole
    words or as `beginnings`."""

    contact: str
    whole: tuple[str, ...]
    beginnings: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """Every token must be found; or `phone`, digits that stand in a contact (empty: it is no phone number)."""

    tokens: tuple[Token, ...]
    phone: str


NO_SEARCH = Search((), "")


def read_search(text: str) -> Search:
    """What a person typed into the search field; without tokens when there is nothing to look for."""
    parts = [(part, _query_terms(part)) for part in fold(text).split()]
    # What holds no word (a dash, an exclamation mark) asks for nothing.
    found = [(part, terms) for part, terms in parts if terms][:MAX_SEARCH_TOKENS]
    tokens = tuple(_token(part, terms, is_last=number == len(found)) for number, (part, terms) in enumerate(found, 1))
    # 0170... at home is +49170... in the contact.
    return Search(tokens, _phone_digits(text).lstrip("0"))


def terms(text: str) -> set[str]:
    """The terms of a text; pairs of characters where words have no spaces."""
    found = _folded(text)
    return {*found, *_last_characters(found)}


def contact_words(name: str, email: str, phone: str) -> str:
    """What visitor.contact_words holds; empty when nothing is known."""
    known = [fold(name), fold(email), phone.translate(_PHONE_MARKS)]
    return " ".join(part for part in known if part)[:MAX_CONTACT_CHARS]


def fold(text: str) -> str:
    """A text without case and accents, its words as they are."""
    return " ".join(bare(part) for part in unicodedata.normalize("NFKC", text).casefold().split())


def _query_terms(part: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(_folded(part)))
    # A code is a term of its own ("ab-12": ab12, ab, 12); its pieces would have to be typed to their ends.
    return found[:1] if len(found) > 1 and found[0] == "".join(found[1:]) else found


def _token(part: str, terms: tuple[str, ...], *, is_last: bool) -> Token:
    beginnings = tuple(term for term in terms if is_last and (len(term) >= MIN_BEGINNING_CHARS or is_dense(term)))
    return Token(_phone_digits(part) or part, tuple(term for term in terms if term not in beginnings), beginnings)


def _folded(text: str) -> list[str]:
    return [(bare(word) or word)[:MAX_TERM_CHARS] for word in words(text)]


def _phone_digits(text: str) -> str:
    digits = text.translate(_PHONE_MARKS)
    return digits if digits.isascii() and digits.isdigit() and len(digits) >= MIN_PHONE_DIGITS else ""


def _last_characters(found: list[str]) -> Iterator[str]:
    """The last character of each run of pairs: the one character that begins no pair, and would not be found alone."""
    for pair, following in zip(found, [*found[1:], ""], strict=True):
        if len(pair) == _DENSE_PAIR_CHARS and is_dense(pair) and following[:1] != pair[1]:
            yield pair[1]
