"""From text to terms: folding, words, stems by language, pairs of characters where words have no spaces.

A leaf: it imports nothing of Vexar. The index and the questions must be cut by the same rules, so a change here
asks for a rebuild of every index.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import snowballstemmer

from vexar.knowledge.little import HIRAGANA, JOINING_ZH, LITTLE, SCRIPTS

MAX_TERM_CHARS = 32  # knowledge_term.term holds 128 bytes, and a character takes up to 4
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian",
    "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}
# Inflected languages without a stemmer: the first letters carry the meaning.
SHORTENED = {"be", "bg", "bs", "hr", "lv", "mk", "sk", "sl", "uk"}
SHORTENED_CHARS = 5
ALIASES = {"nb": "no", "nn": "no", "iw": "he", "in": "id"}

_DENSE = "\u0e00-\u0eff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
_TOKEN = re.compile(rf"[{_DENSE}]+|(?:(?![{_DENSE}])[^\W_]|[{_MARKS}])(?:(?![{_DENSE}])[^\W_]|[{_MARKS}]|"
                    rf"['.,\-/](?=[^\W_{_DENSE}]))*")
_DENSE_RUN = re.compile(rf"[{_DENSE}]")
_SCRIPT_RUNS = tuple((lang, re.compile(rf"[{span}]")) for lang, span in SCRIPTS)
_JOINING, _JOINING_IN_CHINESE = re.compile(f"[{HIRAGANA}]"), re.compile(f"[{HIRAGANA}{JOINING_ZH}]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "\u0640": ""})


def language(tag: str) -> str:
    """The language of a BCP 47 tag in its short form ("pt-BR": "pt"); empty for none."""
    short = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return ALIASES.get(short, short)


def detect(text: str, *, least: int = 1) -> str:
    """The language a text seems to be in; empty when fewer than `least` different little words tell."""
    sample = unicodedata.normalize("NFKC", text[:4000])
    letters = sum(map(str.isalpha, sample))
    for lang, run in _SCRIPT_RUNS:
        if len(run.findall(sample)) * 5 > letters > 0:
            return lang
    found = set(words(sample))
    hits = {lang: len(found & little) for lang, little in LITTLE.items()}
    # The alphabet breaks the tie of two Cyrillic neighbours.
    hits["uk"] += bool(re.search("[іїєґ]", sample)) * 2
    best = max(hits, key=lambda lang: hits[lang])
    return best if hits[best] >= least else ""


def words(text: str) -> list[str]:
    """The words of a text in order, folded in case and width; runs without spaces give pairs of characters."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    found: list[str] = []
    for token in _TOKEN.findall(folded):
        if _DENSE_RUN.match(token):
            found += [token[at:at + 2] for at in range(max(1, len(token) - 1))]
        else:
            found += _split(token)
    return found


def terms(text: str, lang: str) -> list[str]:
    """What the index holds for a text in this language, in order, repeats included."""
    return [stem(word, lang) for word in words(text)]


def is_little(word: str, lang: str) -> bool:
    """Whether a word carries the sentence rather than the matter; with or without its accents."""
    if is_dense(word):
        joining = _JOINING_IN_CHINESE if lang == "zh" else _JOINING
        return word in LITTLE.get(lang, ()) or bool(joining.search(word))
    return bare(word) in _bare_little(lang)


@cache
def _bare_little(lang: str) -> frozenset[str]:
    return frozenset(map(bare, LITTLE.get(lang, ())))


@lru_cache(maxsize=50_000)
def stem(word: str, lang: str) -> str:
    """The term a word is kept under; numbers and codes stay whole. Cached: a stem costs 40 us."""
    stemmed = word
    if not any(map(str.isdigit, word)):
        if lang in STEMMERS:
            # A stemmer keeps state between its steps, and searches run in several threads.
            stemmed = snowballstemmer.stemmer(STEMMERS[lang]).stemWord(word)
        elif lang in SHORTENED:
            stemmed = word[:SHORTENED_CHARS]
    return (bare(stemmed) or word)[:MAX_TERM_CHARS]


def bare(word: str) -> str:
    """A word without accents and points, so that text typed without them still meets."""
    if word.isascii() or _DENSE_RUN.match(word):
        return word
    parts = unicodedata.normalize("NFD", word.translate(_PLAIN))
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def is_dense(word: str) -> bool:
    """Whether a word is of a script that writes without spaces."""
    return bool(_DENSE_RUN.match(word))


def _split(token: str) -> list[str]:
    """One run of letters, digits and inner marks, as words: "30-day" is 30day, 30 and day; "1,000" is 1000."""
    if token.isalpha():
        return [token]
    if _NUMBER.fullmatch(token):
        return [re.sub(r"[.,](?=\d{3}(?!\d))", "", token).replace(",", ".")]
    parts = [part for part in re.split(r"[.,\-/]", token) if part]
    joined = "".join(parts)
    is_code = len(parts) > 1 and any(map(str.isdigit, joined))
    return ([joined] if is_code else []) + [piece for part in parts for piece in _unelided(part)]


def _unelided(word: str) -> list[str]:
    """An elided article is a word of its own ("l'envoi"); elsewhere the apostrophe falls away ("don't")."""
    before, mark, after = word.partition("'")
    if mark and len(before) <= 2 and len(after) > 2:
        return [before, after]
    return [before] if after == "s" else [word.replace("'", "")]
