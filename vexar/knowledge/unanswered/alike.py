"""Which questions ask the same: by their words, folded and stemmed, the rarer ones counting more. Pure functions.

Deterministic: the same questions in the same order make the same groups, on every engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from vexar.knowledge import text
from vexar.knowledge.little import LITTLE
from vexar.knowledge.synonyms import synonyms
from vexar.knowledge.typos import is_typo_of

MAX_TERMS = 16
# How alike two questions must be (1: the same words), and how alike to a whole group on average.
SAME, SAME_ON_AVERAGE = 0.6, 0.5
# A word of this weight that the other lacks tells two questions apart when the other has such a word, too ("Norway",
# "Sweden"), unless nearly all the rest is the same.
TELLING, NEARLY_SAME = 75, 0.85
# In languages without a list of little words the short ones are taken for such.
SHORT_CHARS, SHORT_WEIGHT = 3, 25
TELLING_LANG_WORDS = 3
KIN_CHARS = 4
# Where words have no spaces, pairs that only carry the sentence are cut out of it.
_CARRIERS = re.compile("请问|你们|您们|我们|可不可以|能不能|有没有|是不是|可以|[吗呢啊吧的了是有能会要想我你您]")
_HIRAGANA = re.compile("[\u3040-\u309f]")

# Of each word as it is compared: its weight in percent, and what stands for all words of its meaning.
Terms = Mapping[str, tuple[int, str]]


def lang_of(question: str, lang: str = "") -> str:
    """The language a question is clearly in, else the visitor's, else what may be the question's; empty: unknown."""
    clear = text.detect(question, least=TELLING_LANG_WORDS)
    return clear or text.language(lang) or text.detect(question)


def terms_of(question: str, lang: str) -> list[str]:
    """The words that tell what a question is about; of "where are you?" all there are."""
    if lang == "zh":
        question = _CARRIERS.sub(" ", question)
    words = text.words(question)
    matter = [word for word in words if not (text.is_little(word, lang) or _HIRAGANA.search(word))] or words
    return list(dict.fromkeys(text.stem(word, lang) for word in matter))[:MAX_TERMS]


def weighted(question: str, lang: str, weights: Mapping[str, int]) -> Terms:
    """The terms of a question with what they weigh (100 where nothing is said); words of one everyday meaning
    ("ship", "deliver") are comparable."""
    meanings = {text.stem(word, lang): _meaning(word, lang) for word in text.words(question)}
    found = {}
    for term in terms_of(question, lang):
        is_short = lang not in LITTLE and len(term) <= SHORT_CHARS and not (text.is_dense(term) or _is_code(term))
        found[term] = (SHORT_WEIGHT if is_short else weights.get(term, 100), meanings.get(term, term))
    return found


def similarity(one: Terms, other: Terms) -> float:
    """From 0 to 1: what two questions share of the weight of their words."""
    pairs = _pairs(one, other)
    left, right = one.keys() - pairs.keys(), other.keys() - set(pairs.values())
    # Two questions about different numbers or codes are two questions.
    if not pairs or (any(map(_is_code, left)) and any(map(_is_code, right))):
        return 0.0
    shared = sum(max(one[mine][0], other[theirs][0]) for mine, theirs in pairs.items())
    found = 2 * shared / (2 * shared + _weight(one, left) + _weight(other, right))
    if found < NEARLY_SAME and _tells(one, left) and _tells(other, right):
        return 0.0
    return found


def closeness(question: Terms, group: Sequence[Terms]) -> float:
    """How well a question fits a group of wordings; 0 when it does not belong to it."""
    each = [similarity(question, wording) for wording in group]
    mean = sum(each) / len(each) if each else 0.0
    return mean if each and max(each) >= SAME and mean >= SAME_ON_AVERAGE else 0.0


def _meaning(word: str, lang: str) -> str:
    """The first, by alphabet, of the terms of all words that mean the same."""
    return min([text.stem(word, lang), *(text.stem(other, lang) for other in synonyms(word, lang))])


def _pairs(one: Terms, other: Terms) -> dict[str, str]:
    """Which term of the one is which of the other: the same, of the same meaning, or a slip of the keyboard for it."""
    pairs = {term: term for term in one if term in other}
    for is_meant in (_is_same_meaning, _is_slip):
        for term in [each for each in one if each not in pairs]:
            free = [each for each in other if each not in pairs.values()]
            found = next((each for each in free if is_meant(one, term, other, each)), None)
            # A slip is believed where the two share something else.
            if found and (pairs or is_meant is _is_same_meaning):
                pairs[term] = found
    return pairs


def _is_same_meaning(one: Terms, term: str, other: Terms, each: str) -> bool:
    return one[term][1] == other[each][1]


def _is_slip(_one: Terms, term: str, _other: Terms, each: str) -> bool:
    if term[0] != each[0]:
        return False
    # "livr" and "livraison": the noun of a verb.
    is_kin = min(len(term), len(each)) >= KIN_CHARS and (term.startswith(each) or each.startswith(term))
    return is_kin or is_typo_of(term, each) or is_typo_of(each, term)


def _is_code(term: str) -> bool:
    return any(map(str.isdigit, term))


def _weight(terms: Terms, some: Iterable[str]) -> int:
    return sum(terms[term][0] for term in some)


def _tells(terms: Terms, missing: Iterable[str]) -> bool:
    return any(terms[term][0] >= TELLING and not text.is_dense(term) for term in missing)
