"""The commands `forget` and `remove-site`: erasing a visitor, or a site with everything of it."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from vexar.cli import CommandError
from vexar.cli.house import House
from vexar.conversing import visitors


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    forgetting = subparsers.add_parser("forget", help="erase a visitor with every trace")
    forgetting.add_argument("--site", required=True, metavar="sk_...")
    forgetting.add_argument("--session", required=True, metavar="ID", help="the visitor's")
    forgetting.set_defaults(run=run_forget)
    removing = subparsers.add_parser("remove-site", help="erase a website with its visitors, knowledge and images")
    removing.add_argument("--site", required=True, metavar="sk_...")
    removing.add_argument("--yes", action="store_true", help="really")
    removing.set_defaults(run=run_remove_site)
    for parser in (forgetting, removing):
        parser.add_argument("--json", action="store_true")


def run_forget(args: Namespace, house: House) -> int:
    """Erase the visitor of a session."""
    site = house.site(args.site)
    visitor = house.store.read(visitors.find, site_id=site.id, session_id=args.session)
    if visitor is None:
        raise CommandError(f"nobody is known by the session {args.session}")
    house.eraser.visitor(visitor.id)
    print(json.dumps({"erased": visitor.id}) if args.json else "erased")
    return 0


def run_remove_site(args: Namespace, house: House) -> int:
    """Erase a site."""
    site = house.site(args.site)
    if not args.yes:
        raise CommandError(f"this erases {site.name} with all its conversations for good; say --yes to do it")
    house.eraser.site(site.id, wait_s=float("inf"))
    print(json.dumps({"removed": site.id}) if args.json else f"removed {site.name}")
    return 0
