"""Cuts long texts into parts that are found and cited by themselves: at headings, then between sentences.

Neighbouring parts of a section share their last sentence, so that what leans on it is understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vexar.knowledge.sentences import spans

# Up to that length a text is one part: shorter parts lose the words around what they say.
WHOLE_CHARS = 1500
PART_CHARS = 1000
OVERLAP_CHARS = 200
MAX_HEADING_CHARS = 120
# No part of a pattern can match what the next one does: a line of spaces would take the cube of its length.
_MARKED = re.compile(r"^#{1,6}[ \t]++(?P<name>[^\s][^\n]*+)", re.MULTILINE)
_UNDERLINED = re.compile(r"^(?P<name>[^\n]{1,120})\n(?:={3,}|-{3,})[ \t]*$", re.MULTILINE)
# A short line by itself that ends like no sentence, with text below it.
_ALONE = re.compile(r"(?:\A|\n[ \t]*\n)(?P<name>[^\W_][^\n]{1,79}[^\s.,;:!…。！])[ \t]*\n[ \t]*\n(?=[^\n]{40})")


@dataclass(frozen=True)
class Chunk:
    """The characters `begins` to `ends` of a text, under this heading (empty: none)."""

    heading: str
    begins: int
    ends: int


def chunks(text: str) -> list[Chunk]:
    """The parts of a text in order; at least one. A text up to WHOLE_CHARS is a single one."""
    if len(text) <= WHOLE_CHARS:
        return [Chunk("", 0, len(text))]
    found = [part for heading, begins, ends in _sections(text) for part in _parts(text, heading, begins, ends)]
    return found or [Chunk("", 0, len(text))]


def _sections(text: str) -> list[tuple[str, int, int]]:
    """(heading, where its text begins, where it ends); a heading without a text of its own is left out."""
    marks = {match.start("name"): match for kind in (_ALONE, _UNDERLINED, _MARKED) for match in kind.finditer(text)}
    ordered = [marks[at] for at in sorted(marks)]
    begins = [0] + [match.end() for match in ordered]
    ends = [match.start() for match in ordered] + [len(text)]
    names = [""] + [match["name"].strip().rstrip("#").rstrip()[:MAX_HEADING_CHARS] for match in ordered]
    return [part for part in zip(names, begins, ends, strict=True) if text[part[1]:part[2]].strip()]


def _parts(text: str, heading: str, begins: int, ends: int) -> list[Chunk]:
    found: list[Chunk] = []
    said: list[tuple[int, int]] = []
    for sentence in _pieces(text[begins:ends], begins):
        if said and sentence[1] - said[0][0] > PART_CHARS:
            found.append(Chunk(heading, said[0][0], said[-1][1]))
            last = said[-1]
            said = [last] if last[1] - last[0] <= OVERLAP_CHARS else []
        said.append(sentence)
    if said:
        found.append(Chunk(heading, said[0][0], said[-1][1]))
    return found


def _pieces(text: str, offset: int) -> list[tuple[int, int]]:
    """The sentences; what goes on for longer than a part without an end is cut where it must be."""
    found = []
    for begin, end in spans(text):
        for at in range(begin, end, PART_CHARS):
            found.append((offset + at, offset + min(end, at + PART_CHARS)))
    return found
