"""All commands in one parser, and what happens when one fails.

A command imports only the module it is in: `run` shall serve at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

import vexar
from config import ConfigError, keep_private, load
from vexar.cli import CommandError
from vexar.cli.house import House
from vexar.errors import ApiError
from vexar.store import StoreError

COMMANDS = {
    "serving": ("run", "init-db", "check"),
    "sites": ("add-site", "list-sites"),
    "people": ("add-operator",),
    "knowledge": ("learn", "ask"),
    "unanswered": ("unanswered",),
    "conversing": ("accept", "say", "return", "typing", "block", "unblock", "nudge"),
    "privacy": ("forget", "remove-site"),
    "keeping": ("backup", "export", "prune"),
}


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Parse and run; 0 done, 1 failed, 2 usage."""
    keep_private()
    arguments = sys.argv[1:] if arguments is None else arguments
    args = build_parser(arguments[0] if arguments else "").parse_args(arguments)
    house = None
    try:
        house = House(load())
        return args.run(args, house)
    except (CommandError, ConfigError, StoreError, ApiError, OSError, UnicodeEncodeError) as problem:
        print(f"vexar: {_one_line(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if house is not None:
            house.close()


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """The parser of the group this command is in; of every command for a name nobody knows."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="Vexar: a self-hosted AI chat widget backend.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=vexar.__version__)
    parser_class = partial(argparse.ArgumentParser, allow_abbrev=False)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=parser_class)
    own = [group for group, names in COMMANDS.items() if command in names]
    for group in own or COMMANDS:
        import_module(f"vexar.cli.{group}").add_commands(subparsers)
    return parser


def _one_line(problem: Exception) -> str:
    text = "an argument is not UTF-8" if isinstance(problem, UnicodeEncodeError) else str(problem)
    if isinstance(problem, ApiError) and problem.errors:
        text = "; ".join(f"{field} {sentence}" for field, sentence in problem.errors.items())
    return " ".join(text.split()) or type(problem).__name__
