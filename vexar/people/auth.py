"""Who an operator is and what it may do: keys, sessions, rights per site. Passwords and links are in accounts.py.

Tokens are random, so a plain SHA-256 of them is safe to store; only passwords need a slow hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from vexar.models import Operator, OperatorSession, OperatorSite, Site
from vexar.store import P, Statement, Transaction

PERMISSIONS = ("can_chat", "can_view_conversations", "can_edit")

_BY_KEY = Statement(
    Operator.select(Operator).where((Operator.key_hash == P.token_hash) & (Operator.is_active == 1))
)
_BY_SESSION = Statement(
    Operator.select(Operator).join(OperatorSession, on=(OperatorSession.operator_id == Operator.id))
    .where(
        (OperatorSession.token_hash == P.token_hash) & (OperatorSession.until_ms > P.now_ms)
        & (Operator.is_active == 1)
    )
)
_RIGHTS = Statement(
    OperatorSite.select(OperatorSite)
    .where((OperatorSite.operator_id == P.operator_id) & (OperatorSite.site_id == P.site_id))
)
_SITE = Statement(Site.select(Site).where(Site.id == P.id))
_SITES_OF = Statement(
    OperatorSite.select(OperatorSite.site_id, OperatorSite.can_chat, OperatorSite.can_view_conversations,
                        OperatorSite.can_edit)
    .where(OperatorSite.operator_id == P.operator_id).order_by(OperatorSite.site_id)
)
_ALL_SITES = Statement(Site.select(Site.id).order_by(Site.id))


@dataclass(frozen=True)
class Access:
    """What one operator may do on one site; `site` is its row."""

    site: Any
    can_chat: bool
    can_view_conversations: bool
    can_edit: bool


def hash_token(token: str) -> str:
    """How keys, session tokens and the tokens of one-time links are stored: SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_operator(tx: Transaction, *, token: str) -> Any:
    """The active operator with this API key or session token, or None."""
    token_hash = hash_token(token)
    return tx.one(_BY_KEY, token_hash=token_hash) or tx.one(_BY_SESSION, token_hash=token_hash, now_ms=tx.now_ms())


def find_by_session(tx: Transaction, *, token: str) -> Any:
    """The active operator with this session token, or None."""
    return tx.one(_BY_SESSION, token_hash=hash_token(token), now_ms=tx.now_ms())


def find_access(tx: Transaction, *, operator: Any, site_id: int) -> Access | None:
    """What the operator may do on a site; None when the site is not the operator's, or there is none."""
    site = tx.one(_SITE, id=site_id)
    if site is None:
        return None
    if operator.is_owner:
        return Access(site, can_chat=True, can_view_conversations=True, can_edit=True)
    rights = tx.one(_RIGHTS, operator_id=operator.id, site_id=site_id)
    return rights and Access(site, *(bool(getattr(rights, name)) for name in PERMISSIONS))


def site_ids(tx: Transaction, *, operator: Any, permission: str | None = None) -> list[int]:
    """The sites an operator may enter (with this permission), ascending."""
    if operator.is_owner:
        return [row.id for row in tx.all(_ALL_SITES)]
    rows = tx.all(_SITES_OF, operator_id=operator.id)
    return [row.site_id for row in rows if permission is None or getattr(row, permission)]
