"""Where sentences begin and end, in every writing we know. A leaf: it imports nothing of Vexar."""

from __future__ import annotations

import re

# A stop ends a sentence before white space; a full-width one always does, and what asks or calls out in a writing
# without spaces; so does a line's end.
_DENSE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_END = re.compile(rf"(?:(?<=[{_DENSE}])[!?]+(?=[{_DENSE}])|[.!?…؟।]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』）”]*|\n)\s*")
# A stop behind one of these, or behind a single letter or a number that begins a line, belongs to the word.
_SHORT = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|\d{1,2}|[^\W\d_]\.[^\W\d_]|mr|mrs|ms|dr|prof|st|no|nr|vs|e\.g|i\.e|etc|approx|inc|ltd|co|ca|bzw"
    r"|usw|ggf|inkl|zzgl|tel|str|art|sr|sra|ud|uds|núm|mme|mlle|env|р|грн|вул|тел|напр|т\. ?д)\.$", re.IGNORECASE)


def spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text in order, each as (begin, end) without the white space around it."""
    found: list[tuple[int, int]] = []
    begin = 0
    for end in _END.finditer(text):
        said = text[begin:end.start() + 1]
        if "\n" not in end[0] and end[0][0] == "." and _SHORT.search(said[-12:]):
            continue
        _keep(found, text, begin, end.end())
        begin = end.end()
    _keep(found, text, begin, len(text))
    return found


def sentences(text: str) -> list[str]:
    """The same as texts."""
    return [text[begin:end] for begin, end in spans(text)]


def _keep(found: list[tuple[int, int]], text: str, begin: int, end: int) -> None:
    part = text[begin:end]
    if part.strip():
        found.append((begin + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())))
