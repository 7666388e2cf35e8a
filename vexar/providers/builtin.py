"""Answers from the site's knowledge alone: no key, no network, and never a word that no entry holds.

It says what the best passage says, or that it does not know. It judges nothing itself: whether the passage
answers was decided by who searched (`prompt.confidence` against `prompt.threshold`), for each question of a message.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

from vexar.knowledge import text as language
from vexar.knowledge.quoting import MAX_WHOLE_SENTENCES, PART_CHARS, answering_part
from vexar.providers import REQUEST_OPERATOR, Finish, Part, Passage, Piece, Prompt, Sources, Text, smalltalk
from vexar.providers.people import CALLED, asks_for_person
from vexar.providers.phrases import (
    ALL_RIGHT,
    ALSO,
    BYE,
    GREETING,
    NO_IMAGE,
    THANKS,
    UNKNOWN,
    UNKNOWN_ALONE,
)

DEFAULT_LANG = "en"
POLITE = {smalltalk.GREETING: GREETING, smalltalk.THANKS: THANKS, smalltalk.BYE: BYE, smalltalk.AGREED: ALL_RIGHT}
# Follow-ups: entries that fit at least so well, in comparison with the best one; and how many of them.
NEAR, MAX_OFFERED, MAX_OFFERED_CHARS = 0.5, 2, 90
_QUESTION = re.compile(r"[^?？؟]*[?？؟]?")
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
        yield Sources(tuple({"title": passage.cited_as, "url": passage.url} for passage in used))
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
    if polite := _politeness(prompt):
        return polite, ()
    said, used = _answer(prompt)
    if prompt.image_path:
        no_image = _phrase(NO_IMAGE, prompt)
        is_asked = bool(language.words(prompt.question))
        return (f"{no_image}\n\n{said}" if is_asked else no_image), used if is_asked else ()
    return said, used


def _answer(prompt: Prompt) -> tuple[str, tuple[Passage, ...]]:
    parts = prompt.parts or (Part(prompt.question, prompt.passages, prompt.confidence),)
    known = [part for part in parts if part.passages and part.confidence >= prompt.threshold]
    used = tuple({part.passages[0].entry_id: part.passages[0] for part in known}.values())
    unknown = _phrase(UNKNOWN if prompt.has_people else UNKNOWN_ALONE, prompt)
    is_near = any(part.confidence >= prompt.threshold * NEAR for part in parts)
    offered = _offered(parts, used, prompt) if is_near else ""
    said: list[str] = []
    for part in parts:
        one = _quote(part.passages[0], part.question, prompt.lang) if part in known else \
            f"{part.question}\n{unknown}" if len(parts) > 1 else unknown
        if one not in said:
            said.append(one)
    return "\n\n".join([*said, *([offered] if offered else [])]), used


def _quote(passage: Passage, question: str, lang: str) -> str:
    if passage.type == "faq":
        return answering_part(passage.content, question, lang)
    quoted = answering_part(passage.content, question, lang, whole_chars=PART_CHARS, most_chars=PART_CHARS,
                            most_sentences=MAX_WHOLE_SENTENCES, title=f"{passage.title}\n{passage.heading}")
    # What is cut out of a page needs its place; a faq's question is what was asked.
    return f"{quoted}\n({passage.cited_as})" if passage.heading and passage.cited_as else quoted


def _offered(parts: tuple[Part, ...], used: tuple[Passage, ...], prompt: Prompt) -> str:
    """The questions next to the one asked, that a visitor may ask as well."""
    taken = {passage.entry_id for passage in used}
    near: list[str] = []
    for part in parts:
        most = part.passages[0].score if part.passages else 0.0
        near += [_shortly(passage.question) for passage in part.passages
                 if passage.score >= most * NEAR and passage.entry_id not in taken
                 and language.words(passage.question)]
    lines = [f"- {question}" for question in list(dict.fromkeys(near))[:MAX_OFFERED]]
    return "\n".join([_phrase(ALSO, prompt), *lines]) if lines else ""


def _shortly(question: str) -> str:
    """The first of several wordings, which entries list to be found by; of a long one its beginning."""
    first = _QUESTION.match(question.strip())[0]
    head, comma, _ = first.partition(",")
    return f"{head}?" if comma and len(first) > MAX_OFFERED_CHARS else first


def _politeness(prompt: Prompt) -> str:
    """The answer to a message that only greets, thanks, agrees or takes leave ("ok thanks, bye!"); else nothing."""
    said = None if prompt.image_path else smalltalk.small_talk(prompt.question)
    return POLITE[said.kind][_polite_lang(said.langs, prompt.lang)] if said else ""


def _polite_lang(said_in: tuple[str, ...], tag: str) -> str:
    """The visitor's own language where the words fit it, tell nothing ("hej", "ciao") or are said everywhere ("hi")."""
    lang = language.language(tag)
    if lang in GREETING and (lang in said_in or DEFAULT_LANG in said_in or len(said_in) != 1):
        return lang
    return DEFAULT_LANG if DEFAULT_LANG in said_in or not said_in else said_in[0]


def _phrase(phrases: dict[str, str], prompt: Prompt) -> str:
    return phrases[_lang_of(phrases, prompt)]


def _lang_of(phrases: dict[str, str], prompt: Prompt) -> str:
    """The language the question is clearly in, else the visitor's own, else what may be the question's."""
    clear, possible = (language.detect(prompt.question, least=least) for least in (3, 1))
    for lang in (clear, language.language(prompt.lang), possible):
        if lang in phrases:
            return lang
    return DEFAULT_LANG
