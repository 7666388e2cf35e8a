"""Questions and answers that a page tells to search engines (schema.org's FAQPage as JSON-LD): its script often shows
them only when they are clicked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from vexar.knowledge.reading.prose import one_line

MAX_SCRIPT_CHARS, MAX_FAQS, MAX_QUESTION_CHARS = 500_000, 200, 300
# As many signs of an answer tell whether the text says it already.
TELLING_CHARS = 60


def faqs(scripts: Iterable[str], plain: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """(question, answer) of these JSON-LD texts; `plain` makes HTML text. Broken ones have none."""
    for script in scripts:
        with suppress(ValueError, RecursionError):
            for page in _things(json.loads(script[:MAX_SCRIPT_CHARS]), "FAQPage"):
                yield from _asked(page, plain)


def _asked(page: dict[str, Any], plain: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    """The pairs of one FAQPage that have both a question and an answer."""
    for each in islice(_things(page.get("mainEntity"), "Question"), MAX_FAQS):
        question = one_line(plain(str(each.get("name") or "")))
        answers = _things(each.get("acceptedAnswer") or each.get("suggestedAnswer"), "Answer")
        answer = plain(str(next(answers, {}).get("text") or ""))
        if answer and 0 < len(question) <= MAX_QUESTION_CHARS:
            yield question, answer


def with_faqs(text: str, found: Iterable[tuple[str, str]]) -> str:
    """The text with each question as a heading over its answer, so that it is found and cited like one."""
    lines = text.split("\n")
    places = {one_line(line.lstrip("#- ")): at for at, line in enumerate(lines)}
    said, more = one_line(text), []
    for question, answer in dict(found).items():
        if one_line(answer)[:TELLING_CHARS] not in said:
            more += ["", f"### {question}", "", answer]
        elif question in places and not lines[places[question]].startswith("#"):
            lines[places[question]] = f"\n### {question}\n"
    return "\n".join([*lines, *more]).strip()


def _things(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """The objects of a kind in a value, however deep in lists and graphs."""
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            kinds = each.get("@type")
            if kind in (kinds if isinstance(kinds, list) else [kinds]):
                yield each
            elif "@graph" in each:
                waiting.append(each["@graph"])
