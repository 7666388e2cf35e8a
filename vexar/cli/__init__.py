"""The command line: `python app.py COMMAND`. Exit codes: 0 done, 1 failed (one line on stderr), 2 usage."""

from __future__ import annotations

import re

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class CommandError(Exception):
    """A command failed; the text is one line for stderr, and the exit code is 1."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    from vexar.cli.commands import run_command

    return run_command(arguments)
