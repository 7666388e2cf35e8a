"""The commands `say`, `accept`, `return`, `block`, `unblock`, `typing` and `nudge`: a person's side, no console."""

from __future__ import annotations

import json
import math
import re
import time
from argparse import ArgumentTypeError, Namespace
from typing import Any

import msgspec

from vexar.addresses import parse_network
from vexar.cli import EMAIL, CommandError
from vexar.cli.house import House
from vexar.errors import ApiError
from vexar.models import Operator
from vexar.nudges import nudge_rules
from vexar.store import Duplicate, P, Statement, Transaction

DESK_EMAIL = "desk@localhost"
DESK_NAME = "Support"
_FIND_DESK = Statement(Operator.select(Operator).where(Operator.email == DESK_EMAIL))
_ADD_DESK = Statement(
    Operator.insert(
        email=DESK_EMAIL, name=DESK_NAME, avatar_url=None, is_owner=0, key_hash=None, created_ms=P.now_ms
    )
)


def add_commands(subparsers: Any) -> None:
    """Register the commands."""
    accepting = _command(subparsers, "accept", run_accept, "take a visitor's conversation from the AI")
    saying = _command(subparsers, "say", run_say, "say something to a visitor as a person")
    for parser in (accepting, saying):
        parser.add_argument("--operator", metavar="EMAIL", help=f"who; the shared desk ({DESK_NAME}) when left out")
    saying.add_argument("text", metavar="TEXT", type=_words)
    saying.add_argument("--message-id", type=_message_id, help="your own id; the same again is the same message")
    _command(subparsers, "return", run_return, "give a conversation back to the AI")
    typing = _command(subparsers, "typing", run_typing, "show a visitor that a person is typing")
    typing.add_argument("--off", action="store_true", help="not any more")
    blocking = _command(subparsers, "block", run_block, "block a visitor, who may still read", needs_session=False)
    blocking.add_argument("--ip", metavar="CIDR", type=_network, help="block an address or range instead")
    blocking.add_argument("--email", type=_email, help="block an email address instead")
    blocking.add_argument("--reason", help="shown to the visitor")
    blocking.add_argument("--minutes", type=_minutes, help="for so long; for good when left out")
    _command(subparsers, "unblock", run_unblock, "lift every block that meets a visitor")
    nudging = _command(
        subparsers, "nudge", run_nudge, "send a proactive message, or set a site's rules", needs_session=False
    )
    nudging.add_argument("text", nargs="?", metavar="TEXT", type=_words, help="the message to the visitor of --session")
    rules_help = "the site's rules: [{path, delay_seconds, variants, frequency}]"
    nudging.add_argument("--rules", metavar="JSON", type=_rules, help=rules_help)


def run_accept(args: Namespace, house: House) -> int:
    """Take the conversation."""
    site = house.site(args.site)
    number = house.conversations.accept(site.id, args.session, _operator(house, args))
    return _tell(args, {"conversation_id": number, "mode": "operator"})


def run_say(args: Namespace, house: House) -> int:
    """Store an operator's message; takes the conversation first."""
    site = house.site(args.site)
    number = house.conversations.say(
        site.id, args.session, _operator(house, args), content=args.text, message_id=args.message_id
    )
    return _tell(args, {"id": number})


def run_return(args: Namespace, house: House) -> int:
    """The AI answers again."""
    number = house.conversations.return_to_ai(house.site(args.site).id, args.session)
    return _tell(args, {"conversation_id": number, "mode": "ai"})


def run_typing(args: Namespace, house: House) -> int:
    """Ring the visitor; nothing is stored."""
    house.conversations.operator_types(house.site(args.site).id, args.session, not args.off)
    return _tell(args, {"typing": not args.off})


def run_block(args: Namespace, house: House) -> int:
    """Block by session, address range or email."""
    given = [(kind, getattr(args, kind)) for kind in ("session", "ip", "email") if getattr(args, kind)]
    if len(given) != 1:
        raise CommandError("give exactly one of --session, --ip and --email")
    kind, value = given[0]
    until_ms = int((time.time() + args.minutes * 60) * 1000) if args.minutes else None
    house.conversations.block(house.site(args.site).id, kind, value, reason=args.reason, until_ms=until_ms)
    return _tell(args, {"blocked": value, "by": kind})


def run_unblock(args: Namespace, house: House) -> int:
    """Lift what meets this visitor."""
    return _tell(args, {"lifted": house.conversations.unblock(house.site(args.site).id, args.session)})


def run_nudge(args: Namespace, house: House) -> int:
    """A message to one visitor, or the rules of the site."""
    site = house.site(args.site)
    if (args.rules is None) == (args.text is None) or (args.text and not args.session):
        raise CommandError("give --session and TEXT, or --rules")
    if args.rules is not None:
        used = house.store.read_heavy(nudge_rules.highest, site_id=site.id)
        house.store.write(nudge_rules.replace, site_id=site.id, rules=args.rules, used=used)
        return _tell(args, {"rules": len(args.rules)})
    number = house.conversations.propose(site.id, args.session, None, content=args.text)
    return _tell(args, {"id": number})


def _command(subparsers: Any, name: str, run: Any, help: str, *, needs_session: bool = True) -> Any:
    parser = subparsers.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("--site", required=True, metavar="sk_...")
    parser.add_argument("--session", required=needs_session, metavar="ID", type=_session, help="the visitor's")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)
    return parser


def _operator(house: House, args: Namespace) -> Any:
    return house.operator(args.operator) if args.operator else house.store.write(_desk)


def _desk(tx: Transaction) -> Any:
    """The shared desk: who speaks when the command line names nobody."""
    found = tx.one(_FIND_DESK)
    if found is None:
        try:
            tx.insert(_ADD_DESK, now_ms=tx.now_ms())
        except Duplicate:
            # Another process made it a moment ago (MySQL only).
            pass
        found = tx.one(_FIND_DESK)
    return found


def _session(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", text):
        raise ArgumentTypeError("must be 1 to 128 characters of A-Z a-z 0-9 . _ : -")
    return text


def _network(text: str) -> str:
    network = parse_network(text)
    if network is None:
        raise ArgumentTypeError("must be an address or a CIDR range")
    return network


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise ArgumentTypeError("must be an email address")
    return text.lower()


def _words(text: str) -> str:
    if not text.strip():
        raise ArgumentTypeError("must not be empty")
    return text


def _message_id(text: str) -> str:
    if not 1 <= len(text) <= 64:
        raise ArgumentTypeError("must be 1 to 64 characters")
    return text


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < 1e8:
        raise ArgumentTypeError("must be a number of minutes above 0")
    return minutes


def _rules(text: str) -> list[dict]:
    try:
        return nudge_rules.checked(msgspec.json.decode(text, type=nudge_rules.Rules))
    except (msgspec.MsgspecError, UnicodeEncodeError) as problem:
        raise ArgumentTypeError(f"cannot be read: {problem}") from None
    except ApiError as problem:
        raise ArgumentTypeError(problem.errors["rules"]) from None


def _tell(args: Namespace, answer: dict) -> int:
    print(json.dumps(answer) if args.json else ", ".join(f"{name} {value}" for name, value in answer.items()))
    return 0
