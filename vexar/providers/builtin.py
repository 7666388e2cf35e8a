"""Answers from the site's knowledge alone: no key, no network, and never a word that no entry holds.

It says what the best passage says, or that it does not know. It judges nothing itself: whether the passage
answers was decided by who searched (`prompt.confidence` against `prompt.threshold`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from vexar.knowledge import text as language
from vexar.providers import REQUEST_OPERATOR, Finish, Passage, Piece, Prompt, Sources, Text
from vexar.providers.people import CALLED, asks_for_person
from vexar.providers.phrases import ALL_THANKS, GREETING, GREETINGS, THANKS, UNKNOWN, UNKNOWN_ALONE

DEFAULT_LANG = "en"
# A longer entry is a page: then only the sentences around the answer are said.
WHOLE_CHARS = 700
MAX_SENTENCES = 4
LITTLE_WEIGHT = 0.2
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”»)]*\s+|(?<=[。！？])|\n+")
# A word with the space behind it; without spaces in the writing, two characters.
_PIECE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]{1,2}\\s*|[^\\s\u3040-\u30ff\u3400-\u9fff]+\\s*|\\s+")


class BuiltinProvider:
    """The provider that is always there. `pace_s`: the pause between two words, so that it reads like writing."""

    name = "builtin"

    def __init__(self, pace_s: float = 0.015) -> None:
        self._pace_s = pace_s

    def answer(self, prompt: Prompt) -> BuiltinAnswer:
        """See Provider.answer."""
        return BuiltinAnswer(prompt, self._pace_s)

    def close(self) -> None:
        """See Provider.close."""


class BuiltinAnswer:
    """One answer, word by word."""

    def __init__(self, prompt: Prompt, pace_s: float) -> None:
        self._prompt = prompt
        self._pace_s = pace_s
        self._cancelled = threading.Event()

    def __iter__(self) -> Iterator[Piece]:
        said, used = self._call_person() or compose(self._prompt)
        yield Sources(tuple({"title": passage.title or passage.question, "url": passage.url} for passage in used))
        for piece in _PIECE.findall(said):
            if self._cancelled.is_set():
                return
            yield Text(piece)
            if self._pace_s:
                self._cancelled.wait(self._pace_s)
        yield Finish("stop")

    def cancel(self) -> None:
        """See Answer.cancel."""
        self._cancelled.set()

    def _call_person(self) -> tuple[str, tuple] | None:
        """What to say to a visitor who asks for a person, who is called now; None for every other question."""
        prompt = self._prompt
        tool = next((tool for tool in prompt.tools if tool.name == REQUEST_OPERATOR), None)
        if tool is None or not asks_for_person(prompt.question):
            return None
        result = tool.call(lang=_lang_of(CALLED, prompt), is_told=True)
        return (_phrase(CALLED, prompt) if result.outcome == "called" else result.text), ()


def compose(prompt: Prompt) -> tuple[str, tuple[Passage, ...]]:
    """The whole answer to a prompt, never empty, and the passages it rests on."""
    said = " ".join(re.findall(r"[^\W_]+", prompt.question.casefold()))
    for phrases, whole_messages in ((GREETING, GREETINGS), (THANKS, ALL_THANKS)):
        if said in whole_messages:
            return phrases[_polite_lang(whole_messages[said], prompt.lang)], ()
    if prompt.passages and prompt.confidence >= prompt.threshold:
        best = prompt.passages[0]
        return answering_part(best.content, prompt.question, prompt.lang), (best,)
    return _phrase(UNKNOWN if prompt.has_people else UNKNOWN_ALONE, prompt), ()


def answering_part(content: str, question: str, lang: str = "", *, whole_chars: int = WHOLE_CHARS) -> str:
    """The neighbouring sentences of a text that share most with the question; all of a short text."""
    content = content.strip()
    if len(content) <= whole_chars:
        return content
    lang = language.language(lang) or language.detect(content)
    asked = {language.stem(word, lang): LITTLE_WEIGHT if language.is_little(word, lang) else 1.0
             for word in language.words(question)}
    sentences = [sentence.strip() for sentence in _SENTENCE_END.split(content) if sentence and sentence.strip()]
    terms = [set(language.terms(sentence, lang)) for sentence in sentences]
    best, most = 0, -1.0
    for at in range(len(sentences)):
        # The first sentence of a window is where the answer should begin, so it counts twice.
        met = terms[at] | set().union(*terms[at:at + MAX_SENTENCES])
        shared = sum(weight for term, weight in asked.items() if term in met)
        shared += sum(weight for term, weight in asked.items() if term in terms[at])
        if shared > most:
            best, most = at, shared
    return _cut(sentences[best:best + MAX_SENTENCES], whole_chars)


def _cut(sentences: list[str], most_chars: int) -> str:
    said = sentences[0][:most_chars]
    for sentence in sentences[1:]:
        if len(said) + len(sentence) + 1 > most_chars:
            break
        said += " " + sentence
    return said


def _polite_lang(said_in: list[str], tag: str) -> str:
    """The visitor's own language where the words fit it; "hi" and "ok thanks" are said everywhere."""
    lang = language.language(tag)
    return lang if lang in said_in or (lang in GREETING and DEFAULT_LANG in said_in) else said_in[0]


def _phrase(phrases: dict[str, str], prompt: Prompt) -> str:
    return phrases[_lang_of(phrases, prompt)]


def _lang_of(phrases: dict[str, str], prompt: Prompt) -> str:
    """The language the question is clearly in, else the visitor's own, else what may be the question's."""
    clear, possible = (language.detect(prompt.question, least=least) for least in (3, 1))
    for lang in (clear, language.language(prompt.lang), possible):
        if lang in phrases:
            return lang
    return DEFAULT_LANG
