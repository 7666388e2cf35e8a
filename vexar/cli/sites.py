"""The commands `add-site` and `list-sites`."""

from __future__ import annotations

import json
import secrets
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from vexar.cli import CommandError
from vexar.cli.house import House
from vexar.sites import sites
from vexar.sites.settings import read_settings
from vexar.store import Duplicate


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    adding = subparsers.add_parser("add-site", help="add a website and print the tag to paste")
    adding.add_argument("--url", required=True, help="the website's address")
    adding.add_argument("--name", help="its name; the host name when left out")
    adding.add_argument("--key", help="a site key of your own; made when left out")
    adding.add_argument(
        "--origin", action="append", metavar="O",
        help="an origin the widget may run on, or *; again for more. These replace the one of the url and its www "
             "twin, which it may run on when none is given",
    )
    adding.add_argument("--json", action="store_true")
    adding.set_defaults(run=run_add_site)
    listing = subparsers.add_parser("list-sites", help="list the websites")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=run_list_sites)


def run_add_site(args: Namespace, house: House) -> int:
    """Store the site; print its key, origins and the tag."""
    _checked("--url", sites.web_address, args.url)
    site_key = args.key or sites.new_key()
    if not sites.KEY.fullmatch(site_key):
        raise CommandError("--key must be sk_ and at least 24 characters of A-Z a-z 0-9 _ -")
    origins = [_checked("--origin", sites.normal_origin, origin) for origin in args.origin] if args.origin else None
    try:
        site = house.store.write(
            sites.add, url=args.url, name=args.name or "", site_key=site_key, origins=origins,
            identity_secret=secrets.token_hex(32),
        )
    except Duplicate:
        raise CommandError(f"the key {site_key} exists already") from None
    snippet = house.tag(site_key)
    answer = {
        "id": site.id, "name": site.name, "site_key": site_key,
        "allowed_origins": read_settings(site.settings).allowed_origins, "snippet": snippet,
    }
    print(json.dumps(answer) if args.json else f"{site.name}: {site_key}\n\nPaste this into the pages:\n{snippet}")
    return 0


def run_list_sites(args: Namespace, house: House) -> int:
    """Print every site."""
    found = [
        {
            "id": site.id, "name": site.name, "url": site.url, "site_key": site.site_key,
            "active": bool(site.is_active), "allowed_origins": read_settings(site.settings).allowed_origins,
        }
        for site in house.store.read(sites.every)
    ]
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    for site in () if args.json else found:
        print(f"{site['id']:4}  {site['site_key']}  {site['name']}  {site['url']}")
    return 0


def _checked(option: str, check: Callable[[str], Any], text: str) -> Any:
    try:
        return check(text)
    except ValueError as problem:
        raise CommandError(f"{option} {problem}, not {text}") from None
