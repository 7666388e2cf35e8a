"""Links that work once: for the first owner, for an invitation, for a new password. Only a hash of one is stored.

Who opens one and what follows is in accounts.py; what is wrong, used, expired or void looks the same from outside.
"""

from __future__ import annotations

import secrets
from typing import Any

from config import Config
from vexar.models import OneTimeLink
from vexar.people.auth import hash_token
from vexar.store import P, Statement, Transaction

OWNER, INVITE, PASSWORD = "owner", "invite", "password"
VALID_MS = {OWNER: 24 * 3_600_000, INVITE: 7 * 24 * 3_600_000, PASSWORD: 3_600_000}
PAGES = {OWNER: "setup", INVITE: "join", PASSWORD: "password"}
SWEPT_ROWS = 50

_ADD = Statement(
    OneTimeLink.insert(
        token_hash=P.token_hash, purpose=P.purpose, operator_id=P.operator_id, until_ms=P.until_ms,
        created_ms=P.now_ms,
    )
)
_FIND = Statement(
    OneTimeLink.select(OneTimeLink)
    .where((OneTimeLink.token_hash == P.token_hash) & (OneTimeLink.until_ms > P.now_ms))
)
# Locked as a whole: of two people with two links, only one becomes the first owner.
_OWNERS = Statement(OneTimeLink.select(OneTimeLink).where(OneTimeLink.purpose == OWNER), lock=True)
_VOID = Statement(OneTimeLink.delete().where(OneTimeLink.operator_id == P.operator_id))
_VOID_OWNERS = Statement(OneTimeLink.delete().where(OneTimeLink.purpose == OWNER))
_SPEND = Statement(OneTimeLink.delete().where(OneTimeLink.token_hash == P.token_hash))
_EXPIRED = Statement(
    OneTimeLink.select(OneTimeLink.token_hash).where(OneTimeLink.until_ms <= P.now_ms).limit(SWEPT_ROWS)
)


def base_url(config: Config) -> str:
    """The address the server is reached at, as far as the settings tell."""
    if config.public_url:
        return config.public_url
    if config.bind.startswith("unix:"):
        # A socket has a proxy in front, of which nothing is known.
        return "http://127.0.0.1"
    host, _, port = config.bind.rpartition(":")
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}"


def new_token() -> str:
    """A token nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


def url(config: Config, purpose: str, token: str) -> str:
    """The link as a person gets it."""
    return f"{base_url(config)}/console/{PAGES[purpose]}?token={token}"


def add(tx: Transaction, *, token: str, purpose: str, operator_id: int | None) -> int:
    """Store a link made with `new_token`; the person's earlier ones are void. Until when it is valid (ms)."""
    now_ms = tx.now_ms()
    for row in tx.all(_EXPIRED, now_ms=now_ms):
        tx.run(_SPEND, token_hash=row.token_hash)
    if operator_id is not None:
        tx.run(_VOID, operator_id=operator_id)
    until_ms = now_ms + VALID_MS[purpose]
    tx.run(
        _ADD, token_hash=hash_token(token), purpose=purpose, operator_id=operator_id, until_ms=until_ms, now_ms=now_ms
    )
    return until_ms


def find(tx: Transaction, *, token: str, purposes: tuple[str, ...]) -> Any:
    """The row of a link that is still valid for one of these purposes, or None."""
    row = tx.one(_FIND, token_hash=hash_token(token), now_ms=tx.now_ms())
    return row if row and row.purpose in purposes else None


def spend(tx: Transaction, *, token: str, purposes: tuple[str, ...]) -> Any:
    """The same, and it does not work again: of two at once only one gets the row."""
    row = find(tx, token=token, purposes=purposes)
    return row if row and tx.run(_SPEND, token_hash=row.token_hash) else None


def spend_owner(tx: Transaction, *, token: str) -> bool:
    """Take the first owner's link, and make all others void."""
    tx.all(_OWNERS)
    if not spend(tx, token=token, purposes=(OWNER,)):
        return False
    tx.run(_VOID_OWNERS)
    return True


def void(tx: Transaction, *, operator_id: int) -> None:
    """No link of this person works any more."""
    tx.run(_VOID, operator_id=operator_id)
