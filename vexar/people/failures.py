"""Failed sign-ins of an account or an address, which block longer and longer; kept in the database, so that it
holds across workers and restarts.

An attempt is counted before its password is looked at and forgiven when that was right: twenty sent at the same
moment are twenty, on any number of workers. What is refused is not counted. Unknown accounts count like known ones.
"""

from __future__ import annotations

import hashlib
from typing import Any

from vexar.models import LoginFailure
from vexar.store import Duplicate, P, Statement, Transaction

# So many may fail before the next one has to wait; an address may have a whole office behind it.
FREE_OF_ACCOUNT = 5
FREE_OF_ADDRESS = 20
FIRST_BLOCK_MS = 30_000
# Long enough that guessing is hopeless, short enough that nobody is locked out for a day by somebody else.
LONGEST_BLOCK_MS = 15 * 60_000
FORGET_AFTER_MS = 24 * 3_600_000
SWEPT_ROWS = 50

_FIND = Statement(LoginFailure.select(LoginFailure).where(LoginFailure.name == P.name), lock=True)
_ADD = Statement(LoginFailure.insert(name=P.name, failures=0, failed_ms=P.now_ms, blocked_until_ms=0))
_SET = Statement(
    LoginFailure.update(failures=P.failures, failed_ms=P.failed_ms, blocked_until_ms=P.blocked_until_ms)
    .where(LoginFailure.name == P.name)
)
_DELETE = Statement(LoginFailure.delete().where(LoginFailure.name == P.name))
_OLD = Statement(
    LoginFailure.select(LoginFailure.name)
    .where((LoginFailure.failed_ms < P.before_ms) & (LoginFailure.blocked_until_ms < P.before_ms))
    .limit(SWEPT_ROWS)
)


def account_name(email: str) -> str:
    """What the failures of an account are counted under, known or not."""
    return _name(f"account:{email}")


def address_name(bucket: str | None) -> str | None:
    """What those of an address (Address.bucket) are counted under; None where it is unknown."""
    return bucket and _name(f"address:{bucket}")


def admit(tx: Transaction, *, account: str, address: str | None) -> int:
    """Count an attempt as failed until `forgive` takes it back; 0, or when the next one is allowed (ms), and then
    nothing is counted."""
    now_ms = tx.now_ms()
    _sweep(tx, now_ms)
    # In one order, or two attempts could wait for each other.
    rows = [_row(tx, name, now_ms) for name in sorted(filter(None, (account, address)))]
    blocked_until_ms = max(row.blocked_until_ms for row in rows)
    if blocked_until_ms > now_ms:
        return blocked_until_ms
    for row in rows:
        failures = row.failures + 1 if now_ms - row.failed_ms < FORGET_AFTER_MS else 1
        block_ms = _block_ms(failures, FREE_OF_ACCOUNT if row.name == account else FREE_OF_ADDRESS)
        _set(tx, row.name, failures, now_ms, now_ms + block_ms if block_ms else 0)
    return 0


def forgive(tx: Transaction, *, account: str, address: str | None) -> None:
    """The attempt was right: the account begins anew; of its address only this attempt is taken back, or a guesser
    with an account of his own could wipe the slate."""
    tx.run(_DELETE, name=account)
    row = address and tx.one(_FIND, name=address)
    if row:
        _set(tx, address, max(0, row.failures - 1), row.failed_ms, 0)


def forget(tx: Transaction, *, account: str) -> None:
    """A new password was set by a link: what was guessed at the old one does not count."""
    tx.run(_DELETE, name=account)


def _row(tx: Transaction, name: str, now_ms: int) -> Any:
    row = tx.one(_FIND, name=name)
    if row is None:
        try:
            tx.run(_ADD, name=name, now_ms=now_ms)
        except Duplicate:
            # Another worker's attempt came first (MySQL only); its row is the one to count in.
            pass
        row = tx.one(_FIND, name=name)
    return row


def _set(tx: Transaction, name: str, failures: int, failed_ms: int, blocked_until_ms: int) -> None:
    tx.run(_SET, name=name, failures=failures, failed_ms=failed_ms, blocked_until_ms=blocked_until_ms)


def _block_ms(failures: int, free: int) -> int:
    """How long the next attempt waits after so many failures: twice as long each time."""
    over = failures - free
    return 0 if over < 0 else min(LONGEST_BLOCK_MS, FIRST_BLOCK_MS * 2 ** min(over, 16))


def _sweep(tx: Transaction, now_ms: int) -> None:
    for row in tx.all(_OLD, before_ms=now_ms - FORGET_AFTER_MS):
        tx.run(_DELETE, name=row.name)


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
