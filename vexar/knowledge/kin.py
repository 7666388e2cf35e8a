"""Which words of a site an unknown word is made of or akin to: "Versandkosten" to "Versand", "shipment" to "ship".

A leaf: it compares terms, and knows no meaning.
"""

from __future__ import annotations

from collections.abc import Iterable

# Languages that write compounds as one word: there a short beginning or end may be a word of its own.
COMPOUNDING = frozenset({"da", "de", "fi", "hu", "nl", "no", "sv"})
PART_CHARS, BEGINNING_CHARS = 4, 5
# Elsewhere the common beginning must be most of both, or "restaurant" would be akin to "rest".
MOST_OF_BOTH = 0.7


def ends(written: str) -> list[str]:
    """The ends of a word that could be a word, longest first."""
    return [written[at:] for at in range(PART_CHARS, len(written) - PART_CHARS + 1)]


def is_end_of(written: str, term: str) -> bool:
    """Whether a known term is a compound that ends with the word."""
    return len(written) >= BEGINNING_CHARS and len(term) >= len(written) + PART_CHARS and term.endswith(written)


def akin(written: str, known: Iterable[str], *, compounding: bool) -> frozenset[str]:
    """Of the known terms those that `written` is akin to by its beginning; the closest only."""
    found = {term: shared for term in known if (shared := _shared(written, term, compounding))}
    closest = max(found.values(), default=0)
    return frozenset(term for term, shared in found.items() if shared == closest)


def _shared(written: str, term: str, compounding: bool) -> int:
    """How many first letters both share; 0 for too few. Numbers and codes have no kin."""
    longest = min(len(written), len(term))
    shared = next((at for at in range(longest) if written[at] != term[at]), longest)
    if any(map(str.isdigit, written + term)):
        return 0
    is_part = compounding and ((shared >= PART_CHARS and term == written[:shared])
                               or (shared >= BEGINNING_CHARS and written == term[:shared]))
    is_most = shared >= BEGINNING_CHARS and shared >= MOST_OF_BOTH * max(len(written), len(term))
    return shared if is_part or is_most else 0
