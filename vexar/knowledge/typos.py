"""Whether one word is likely meant for another: few edits, a swap of neighbours being one."""

from __future__ import annotations

# Shorter words have too many true neighbours; a second slip is believed in long words only.
ONE_SLIP_CHARS, TWO_SLIPS_CHARS, MEANT_CHARS = 5, 8, 4


def is_typo_of(written: str, meant: str) -> bool:
    """Whether `written` could be a slip of the keyboard for `meant`. Numbers and codes never are."""
    if len(written) < ONE_SLIP_CHARS or len(meant) < MEANT_CHARS:
        return False
    slips = 2 if min(len(written), len(meant)) >= TWO_SLIPS_CHARS else 1
    # One edit changes at most two letters of the sets; nearly every word of a site is told apart here, cheaply.
    if abs(len(written) - len(meant)) > slips or len(set(written) ^ set(meant)) > 2 * slips:
        return False
    return not any(map(str.isdigit, written + meant)) and distance(written, meant, slips) <= slips


def distance(first: str, second: str, most: int) -> int:
    """Edits between two words (insert, delete, replace, swap); anything over `most` is given as most + 1."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other))
            if older and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
