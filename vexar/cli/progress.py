"""How far a long command is, on stderr: a bar that moves on a terminal, plain lines in a log."""

from __future__ import annotations

import shutil
import sys
import time

BAR_CHARS, REDRAW_S = 30, 0.05
# In a log: the end of each step, and of a long one every fifth of it.
LONG_STEP, LINES = 1_000, 5


class Progress:
    """Tell it with `told`. `is_quiet`: nothing where there is no terminal, for output that a program reads."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._is_quiet = is_quiet
        self._drawn_at = 0.0
        self._last = ("", 0)

    def told(self, step: str, done: int, total: int) -> None:
        """`done` of `total` things of a step are finished."""
        if self._is_terminal:
            self._draw(step, done, total)
        elif not self._is_quiet:
            part = done * LINES // max(1, total) if total >= LONG_STEP else LINES * (done >= total)
            if part and (step, part) != self._last:
                self._last = step, part
                print(f"{step}: {done} of {total}", file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._is_terminal and self._drawn_at:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._drawn_at < REDRAW_S and done < total:
            return
        self._drawn_at = now
        full = BAR_CHARS * done // max(1, total)
        line = f"{step} [{'#' * full}{'.' * (BAR_CHARS - full)}] {done}/{total}"
        print(f"\r\x1b[K{line[:shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
