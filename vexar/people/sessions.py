"""Who is signed in: one row per console or API session, for 30 days. How a token finds its operator is in auth.py."""

from __future__ import annotations

from vexar.models import OperatorSession
from vexar.people.auth import hash_token
from vexar.store import Duplicate, P, Statement, Transaction

SESSION_MS = 30 * 24 * 3_600_000
# A script that signs in for every call would otherwise leave a row each for a month.
MAX_SESSIONS = 100
SWEPT_SESSIONS = 100

_SESSIONS = Statement(
    OperatorSession.select(OperatorSession).where(OperatorSession.operator_id == P.operator_id)
    .order_by(OperatorSession.created_ms.desc()).limit(MAX_SESSIONS + SWEPT_SESSIONS)
)
_OPEN = Statement(
    OperatorSession.insert(
        token_hash=P.token_hash, operator_id=P.operator_id, created_ms=P.now_ms, until_ms=P.until_ms
    )
)
_END = Statement(OperatorSession.delete().where(OperatorSession.token_hash == P.token_hash))
_END_OTHERS = Statement(
    OperatorSession.delete()
    .where((OperatorSession.operator_id == P.operator_id) & (OperatorSession.token_hash != P.kept_hash))
)


def add(tx: Transaction, operator_id: int, token: str) -> None:
    """Begin a session; what expired, and the oldest beyond MAX_SESSIONS, goes."""
    now_ms = tx.now_ms()
    for place, session in enumerate(tx.all(_SESSIONS, operator_id=operator_id)):
        if session.until_ms <= now_ms or place >= MAX_SESSIONS - 1:
            tx.run(_END, token_hash=session.token_hash)
    try:
        tx.run(
            _OPEN, token_hash=hash_token(token), operator_id=operator_id, now_ms=now_ms, until_ms=now_ms + SESSION_MS
        )
    except Duplicate:
        # A COMMIT whose answer was lost: this very job did it.
        pass


def end(tx: Transaction, *, token: str) -> None:
    """End the session of this token; an API key is none."""
    tx.run(_END, token_hash=hash_token(token))


def end_all(tx: Transaction, *, operator_id: int, kept_token: str | None = None) -> None:
    """End every session of an operator but one."""
    tx.run(_END_OTHERS, operator_id=operator_id, kept_hash=hash_token(kept_token) if kept_token else "")
