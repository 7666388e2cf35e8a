"""The command `add-operator`: somebody new, or a new link for somebody known who lost the password."""

from __future__ import annotations

import json
import secrets
from argparse import Namespace
from typing import Any

from vexar.cli import EMAIL, CommandError
from vexar.cli.house import House
from vexar.conversing.messages import to_time
from vexar.people import accounts, links, team
from vexar.store import Transaction


def add_commands(subparsers: Any) -> None:
    """Register the command."""
    adding = subparsers.add_parser(
        "add-operator", help="add a person who answers visitors, or make a new link for one",
        description="Add a person who answers visitors and print the link to join with. Of somebody known: make a new "
        "link, as after a lost password; the earlier one is void. Links work once.",
    )
    adding.add_argument("--email", required=True)
    adding.add_argument("--name", help="shown to visitors; the part before the @ when left out")
    role = adding.add_mutually_exclusive_group()
    role.add_argument("--owner", action="store_true", help="sees and does everything")
    role.add_argument("--site", metavar="sk_...", help="works for this site, beside those it works for already")
    adding.add_argument("--api-key", action="store_true", help="make an API key; it is shown once, an earlier one ends")
    adding.add_argument("--json", action="store_true")
    adding.set_defaults(run=run_add_operator, misuse=adding.error)


def run_add_operator(args: Namespace, house: House) -> int:
    """Store the person; print the link, and the API key once."""
    if not EMAIL.fullmatch(args.email):
        raise CommandError("--email must be an email address")
    email = accounts.plain_email(args.email)
    known = house.store.read(accounts.find_by_email, email=email)
    if known is None and not (args.owner or args.site):
        args.misuse("one of --owner and --site is required for somebody new")
    token, key = links.new_token(), secrets.token_hex(32) if args.api_key else None
    operator_id, (purpose, until_ms) = house.store.write(
        _add, email=email, name=args.name, is_owner=args.owner, token=token, key=key,
        site_id=house.site(args.site).id if args.site else None,
    )
    link = links.url(house.config, purpose, token)
    if args.json:
        print(json.dumps({"id": operator_id, "email": email, "link": link, "api_key": key}))
        return 0
    print(f"{'known: ' if known else 'added '}{email}")
    print(f"{'New password' if purpose == links.PASSWORD else 'Join'} (works once, until {to_time(until_ms)}):\n{link}")
    if key:
        print(f"API key: {key}")
    return 0


def _add(
    tx: Transaction, *, email: str, name: str | None, is_owner: bool, site_id: int | None, token: str, key: str | None
) -> tuple[int, tuple[str, int]]:
    known = accounts.find_by_email(tx, email=email)
    if known is None:
        operator_id = team.invite(
            tx, email=email, name=name or email.partition("@")[0], is_owner=is_owner, rights={}, token=token,
            site_ids=[site_id] if site_id else [],
        )
    else:
        operator_id = known.id
        changes = {**({"name": name} if name else {}), **({"is_owner": True} if is_owner else {})}
        site_ids = [*team.site_ids_of(tx, operator_id=known.id), site_id] if site_id else None
        team.change(tx, operator_id=known.id, site_ids=site_ids, rights=None, **changes)
    if key:
        accounts.set_key(tx, operator_id=operator_id, key=key)
    return operator_id, accounts.add_personal_link(tx, token=token, operator_id=operator_id)
