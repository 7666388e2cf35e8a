"""The marks with which a model says what its words rest on: [1] stands for the first passage, [0] for none.

They are counted and taken out on the way: a visitor sees the sources, not the numbers of a list it does not have.
What comes out does not depend on how the text was cut on its way in, and no half mark ever does.
"""

from __future__ import annotations

import re

NOTHING_FITS = 0
_NUMBERS = r"\d{1,2}(?:[ ]?[,;–-][ ]?\d{1,2})*"
_MARK = re.compile(rf"(?:\[\^?(?P<plain>{_NUMBERS})\]|【(?P<wide>\d{{1,2}})(?:[:†][^】\n]{{0,60}})?】)")
_MARK_BEGUN = re.compile(r"(?:\[\^?(?:\d{1,2}(?:[ ]?[,;–-][ ]?\d{1,2})*(?:[ ]?[,;–-]?[ ]?\d{0,2}))?|"
                         r"【(?:\d{1,2}(?:[:†][^】\n]{0,60})?)?)")
_BETWEEN = re.compile(r"[ ]?[,;][ ]?(?=[\[【]\^?\d)")
_BETWEEN_BEGUN = re.compile(r"[ ]?(?:[,;][ ]?(?:[\[【]\^?)?)?")
# A mark that is written as a link, as some models do.
_LINKED = re.compile(r"\([^()\s]{0,500}\)")
_LINKED_BEGUN = re.compile(r"(?:\([^()\s]{0,500})?")
# At the beginning of a line: an entry in a list of sources.
_LABEL = re.compile(r":(?=[ \t\n])")
_LABEL_BEGUN = re.compile(r":?")
_NEXT = re.compile(r"[ \t\u00a0]*(?:[\[【]|\Z)|`")


class Citing:
    """The marks of one answer to a prompt with `count` passages; without passages nothing is a mark."""

    def __init__(self, count: int) -> None:
        self._count = count
        # Numbers of passages in the order in which they were first cited.
        self.cited: list[int] = []
        # The model said that no passage answers.
        self.is_unknown = False
        self._held = ""
        # Backticks in a row up to here; the code they opened, up to the line's end or the next three.
        self._ticks = 0
        self._is_inline = self._is_fenced = False
        # Behind a mark with which a line began: the space that separated it is no indent.
        self._is_line_begun = False
        self._is_after_mark = False
        self._is_final = False

    def add(self, text: str) -> str:
        """What can be said now that `text` has come; may be empty."""
        if not self._count:
            return text
        self._held += text
        return self._take()

    def end(self) -> str:
        """What was still kept back; a mark that was not finished is none of it."""
        self._is_final = True
        return self._take()

    def _take(self) -> str:
        said: list[str] = []
        while self._held:
            found = _NEXT.search(self._held)
            self._say(said, self._held[:found.start()])
            self._held = self._held[found.start():]
            if not self._step(said, found[0]):
                break
        return "".join(said)

    def _step(self, said: list[str], found: str) -> bool:
        """Decide about what the rest begins with; False while more text is needed."""
        if found == "`":
            self._say(said, found)
            self._held = self._held[1:]
            self._ticks += 1
            return True
        self._end_ticks(found)
        if self._is_inline or self._is_fenced:
            # Numbers in code are places in lists.
            self._say(said, found)
            self._held = self._held[len(found):]
            return bool(self._held)
        blank = len(found.rstrip("[【"))
        if blank == len(found):
            if self._is_final:
                self._say(said, self._held)
                self._held = ""
            return False
        mark = _MARK.match(self._held, blank)
        if mark is None or not self._may_be_cited(mark):
            return self._no_mark(said, blank)
        end = self._end_of(mark.end())
        if end is None:
            return False
        self._count_in(mark)
        self._held = self._held[end:]
        self._is_after_mark = not self._is_line_begun
        return True

    def _end_ticks(self, text: str) -> None:
        """Some text that goes on behind backticks decides what they were."""
        if self._ticks and text:
            self._is_fenced ^= self._ticks > 2
            self._is_inline ^= self._ticks < 3 and not self._is_fenced
            self._ticks = 0

    def _no_mark(self, said: list[str], blank: int) -> bool:
        if _MARK_BEGUN.fullmatch(self._held, blank):
            if self._is_final:
                self._held = ""
            return False
        self._say(said, self._held[:blank + 1])
        self._held = self._held[blank + 1:]
        return True

    def _end_of(self, end: int) -> int | None:
        """Where a mark ends, with the link or the comma that may hang on it; None while that is open."""
        labels = () if self._is_line_begun else ((_LABEL, _LABEL_BEGUN),)
        for whole, begun in ((_LINKED, _LINKED_BEGUN), (_BETWEEN, _BETWEEN_BEGUN), *labels):
            if found := whole.match(self._held, end):
                return found.end()
            if not self._is_final and begun.fullmatch(self._held, end):
                return None
        return end

    def _count_in(self, mark: re.Match) -> None:
        for first, last in _ranges(mark):
            for number in range(first, last + 1):
                if number == NOTHING_FITS:
                    self.is_unknown = True
                elif number <= self._count and number not in self.cited:
                    self.cited.append(number)

    def _may_be_cited(self, mark: re.Match) -> bool:
        # One number too many is a mistake; a range of others is [0-9] or a size.
        return all(first == last or 0 < first < last <= self._count for first, last in _ranges(mark))

    def _say(self, said: list[str], text: str) -> None:
        if text != "`":
            self._end_ticks(text)
        if "\n" in text:
            self._is_inline = False
        if self._is_after_mark and text:
            text = text.lstrip(" \t\u00a0")
        if text:
            said.append(text)
            self._is_after_mark = False
            self._is_line_begun = not text.endswith("\n")


def _ranges(mark: re.Match) -> list[tuple[int, int]]:
    parts = [re.findall(r"\d+", part) for part in re.split(r"[,;]", mark["plain"] or mark["wide"])]
    return [(int(numbers[0]), int(numbers[-1])) for numbers in parts]
