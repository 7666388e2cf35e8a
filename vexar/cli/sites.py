"""The commands `add-site`, `list-sites` and `add-operator`."""

from __future__ import annotations

import hashlib
import json
import secrets
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from vexar import sites
from vexar.cli import EMAIL, CommandError
from vexar.cli.house import House
from vexar.models import Operator, OperatorSite
from vexar.settings import read_settings
from vexar.store import Duplicate, P, Statement, Transaction

_ADD_OPERATOR = Statement(
    Operator.insert(
        email=P.email, name=P.name, avatar_url=None, is_owner=P.is_owner, key_hash=P.key_hash, created_ms=P.now_ms
    )
)
_ASSIGN = Statement(OperatorSite.insert(operator_id=P.operator_id, site_id=P.site_id))


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    adding = subparsers.add_parser("add-site", help="add a website and print the tag to paste")
    adding.add_argument("--url", required=True, help="the website's address")
    adding.add_argument("--name", help="its name; the host name when left out")
    adding.add_argument("--key", help="a site key of your own; made when left out")
    adding.add_argument(
        "--origin", action="append", metavar="O",
        help="an origin the widget may run on, or *; again for more; that of the url and its www twin when left out",
    )
    adding.add_argument("--json", action="store_true")
    adding.set_defaults(run=run_add_site)
    listing = subparsers.add_parser("list-sites", help="list the websites")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=run_list_sites)
    operator = subparsers.add_parser("add-operator", help="add a person who answers visitors")
    operator.add_argument("--email", required=True)
    operator.add_argument("--name", help="shown to visitors; the part before the @ when left out")
    role = operator.add_mutually_exclusive_group(required=True)
    role.add_argument("--owner", action="store_true", help="sees and does everything")
    role.add_argument("--site", metavar="sk_...", help="works for this site")
    operator.add_argument("--api-key", action="store_true", help="make an API key; it is shown once")
    operator.add_argument("--json", action="store_true")
    operator.set_defaults(run=run_add_operator)


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


def run_add_operator(args: Namespace, house: House) -> int:
    """Store the person; print the API key once. Signing in by link comes with the console."""
    if not EMAIL.fullmatch(args.email):
        raise CommandError("--email must be an email address")
    site = house.site(args.site) if args.site else None
    api_key = secrets.token_hex(32) if args.api_key else None
    try:
        operator_id = house.store.write(
            _add_operator, email=args.email.lower(), name=args.name or args.email.split("@")[0],
            is_owner=int(args.owner), key_hash=hashlib.sha256(api_key.encode()).hexdigest() if api_key else None,
            site_id=site.id if site else None,
        )
    except Duplicate:
        raise CommandError(f"{args.email} exists already") from None
    answer = {"id": operator_id, "email": args.email.lower(), "link": None, "api_key": api_key}
    words = f"added {answer['email']}" + (f"\nAPI key: {api_key}" if api_key else "")
    print(json.dumps(answer) if args.json else words)
    return 0


def _checked(option: str, check: Callable[[str], Any], text: str) -> Any:
    try:
        return check(text)
    except ValueError as problem:
        raise CommandError(f"{option} {problem}, not {text}") from None


def _add_operator(
    tx: Transaction, *, email: str, name: str, is_owner: int, key_hash: str | None, site_id: int | None
) -> int:
    operator_id = tx.insert(
        _ADD_OPERATOR, email=email, name=name, is_owner=is_owner, key_hash=key_hash, now_ms=tx.now_ms()
    )
    if site_id:
        tx.run(_ASSIGN, operator_id=operator_id, site_id=site_id)
    return operator_id
