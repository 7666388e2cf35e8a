"""Marks in an answer: counted and taken out, whole ones only, however the text is cut."""

from __future__ import annotations

import pytest

from vexar.answers.citing import Citing

# What a model writes, what a visitor reads, and the passages (of three) it cites.
CASES = [
    ("Yes [1]. Two years [3][1].", "Yes. Two years.", [1, 3]),
    ("Yes.[2] It does.[2]", "Yes. It does.", [2]),
    ("Yes [1, 3] and [2-3]; [1–2].", "Yes and.", [1, 3, 2]),
    ("Yes [1], [2]. No [3], [x].", "Yes. No, [x].", [1, 2, 3]),
    ("[2] Yes\n[1] No\n- [3] Maybe", "Yes\nNo\n- Maybe", [2, 1, 3]),
    ("是【1】。好【3†source】", "是。好", [1, 3]),
    ("Yes [^1].\nNo [1](https://shop.example/x) more [1](see below).", "Yes.\nNo more(see below).", [1]),
    # Numbers that were not given are no sources, and nothing a visitor could use.
    ("Yes [9] [4] [99].", "Yes.", []),
    ("In [2024], [100], [-1], [1.5], [a1] [] [ ] [x]", "In [2024], [100], [-1], [1.5], [a1] [] [ ] [x]", []),
    ("Not known [0].", "Not known.", []),
    ("Digits [0-9], sizes [36-42] or [2-12], see [3-1].", "Digits [0-9], sizes [36-42] or [2-12], see [3-1].", []),
    # A list of sources at the end, as some models write it.
    ("Sources:\n[1]: Shipping\n[2] : Returns [3]: no", "Sources:\nShipping\n: Returns: no", [1, 2, 3]),
    # Numbers in code are places in lists.
    ("Write `items[0]`:\n```\na[1] = b[2]\n```\nDone [1].", "Write `items[0]`:\n```\na[1] = b[2]\n```\nDone.", [1]),
    ("Two  spaces, a line \n and [one] at the end ", "Two  spaces, a line \n and [one] at the end ", []),
    # A stray backtick is none that opens code, in the lines behind it.
    ("It`s so.\nTwo years [1]. ``a[1]`` [2]", "It`s so.\nTwo years. ``a[1]``", [1, 2]),
    ("```\na`[1]\n[2]\n```\n[3] ok", "```\na`[1]\n[2]\n```\nok", [3]),
    # Where it breaks off, no half mark is left.
    ("Yes [1", "Yes", []), ("Yes [", "Yes", []), ("Yes [1] [2, ", "Yes", [1]), ("Yes 【2†sou", "Yes", []),
]  # fmt: skip


def cited(*parts: str, count: int = 3) -> tuple[str, list[int]]:
    citing = Citing(count)
    text = "".join([*(citing.add(part) for part in parts), citing.end()])
    return text, citing.cited


@pytest.mark.parametrize(("text", "said", "numbers"), CASES)
def test_marks_are_counted_and_taken_out(text, said, numbers):
    assert cited(text) == (said, numbers)


@pytest.mark.parametrize("text", [text for text, _, _ in CASES])
def test_every_cut_of_a_text_gives_the_same(text):
    whole = cited(text)
    assert cited(*text) == whole
    for place in range(len(text)):
        assert cited(text[:place], text[place:]) == whole, text[:place]


def test_without_passages_nothing_is_a_mark():
    assert cited("Yes [1] ", "[0]", count=0) == ("Yes [1] [0]", [])


def test_a_refusal_is_known():
    citing = Citing(2)
    citing.add("I do not know. [0] Ask us.")
    assert citing.is_unknown


def test_words_are_not_kept_back():
    citing = Citing(2)
    assert [citing.add(token) for token in ("Yes", ",", " we", " do", " [", "1", "]", ".", " So")] == [
        "Yes", ",", " we", " do", "", "", "", ".", " So"]
