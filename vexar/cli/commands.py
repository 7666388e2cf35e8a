"""All commands in one parser, and what happens when one fails."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import vexar
from config import ConfigError, load
from vexar.cli import CommandError, conversing, keeping, knowledge, serving, sites
from vexar.cli.house import House
from vexar.errors import ApiError
from vexar.store import StoreError

GROUPS = (serving, sites, knowledge, conversing, keeping)


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Parse and run; 0 done, 1 failed, 2 usage."""
    parser = build_parser()
    args = parser.parse_args(arguments)
    house = None
    try:
        house = House(load())
        return args.run(args, house)
    except (CommandError, ConfigError, StoreError, ApiError, OSError) as problem:
        print(f"vexar: {_one_line(problem)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if house is not None:
            house.close()


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="Vexar: a self-hosted AI chat widget backend.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=vexar.__version__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add_commands(subparsers)
    return parser


def _one_line(problem: Exception) -> str:
    text = str(problem)
    if isinstance(problem, ApiError) and problem.errors:
        text = "; ".join(f"{field} {sentence}" for field, sentence in problem.errors.items())
    return " ".join(text.split()) or type(problem).__name__
