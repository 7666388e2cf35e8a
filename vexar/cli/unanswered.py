"""The command `unanswered`: what visitors asked and the knowledge did not answer."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from vexar.cli.house import House
from vexar.conversing.messages import to_time
from vexar.knowledge.unanswered import finding, listing

LIMIT = 50


def add_commands(subparsers: Any) -> None:
    """Register the command."""
    asked = subparsers.add_parser("unanswered", help="questions that a site's knowledge did not answer",
                                  description="Show what visitors asked in vain, grouped, what matters most first.")
    asked.add_argument("--site", required=True, metavar="sk_...", help="the site's key")
    asked.add_argument("--search", default="", help="only those with all of these words")
    asked.add_argument("--limit", type=int, default=LIMIT, help=f"how many, {LIMIT} when left out")
    asked.add_argument("--json", action="store_true", help="print the rows of knowledge/unanswered, as JSON")
    asked.set_defaults(run=run_unanswered)


def run_unanswered(args: Namespace, house: House) -> int:
    """Print the list, the newest messages included."""
    site = house.site(args.site)
    finding.catch_up(house.store, timeout_s=30.0)
    rows, total = house.store.read_heavy(
        listing.page, site_id=site.id, search=args.search, limit=max(1, args.limit), offset=0
    )
    if args.json:
        print(json.dumps([_to_wire(row) for row in rows], ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['count']:5}  {row['visitors']:5}  {to_time(row['last_ms'])[:10]}  {row['question']}")
    print(f"{total} in all: times asked, visitors, last day, question" if total else "nothing is unanswered")
    return 0


def _to_wire(row: dict) -> dict:
    times = {"first_asked_at": to_time(row["first_ms"]), "last_asked_at": to_time(row["last_ms"])}
    return {**{name: value for name, value in row.items() if not name.endswith("_ms")}, **times}
