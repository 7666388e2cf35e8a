"""Canned replies: texts that a site's operators have ready, each behind a short word."""

from __future__ import annotations

from typing import Any

from peewee import fn

from vexar.conversing.messages import to_time
from vexar.errors import invalid
from vexar.models import CannedReply
from vexar.sites import sites
from vexar.store import Duplicate, P, Statement, Transaction

MAX_REPLIES = 200

_OF_SITE = Statement(
    CannedReply.select(CannedReply).where(CannedReply.site_id == P.site_id)
    .order_by(CannedReply.shortcut, CannedReply.id)
)
_COUNT = Statement(CannedReply.select(fn.COUNT(CannedReply.id).alias("number")).where(CannedReply.site_id == P.site_id))
_MINE = (CannedReply.id == P.id) & (CannedReply.site_id == P.site_id)
_ONE = Statement(CannedReply.select(CannedReply).where(_MINE))
_SAME = Statement(
    CannedReply.select(CannedReply).where((CannedReply.site_id == P.site_id) & (CannedReply.shortcut == P.shortcut))
)
_ADD = Statement(
    CannedReply.insert(site_id=P.site_id, shortcut=P.shortcut, content=P.content, created_ms=P.now_ms)
)
_CHANGE = Statement(CannedReply.update(shortcut=P.shortcut, content=P.content).where(_MINE))
_REMOVE = Statement(CannedReply.delete().where(_MINE))


def of_site(tx: Transaction, *, site_id: int) -> list[dict]:
    """All of a site's replies as JSON shows them, by shortcut."""
    return [to_wire(row) for row in tx.all(_OF_SITE, site_id=site_id)]


def add(tx: Transaction, *, site_id: int, shortcut: str, content: str) -> Any:
    """A new reply: its row. Raises ApiError invalid (shortcut)."""
    # Locked, so that two at once cannot both be the last one that fits.
    sites.lock(tx, site_id)
    if tx.may_be_done and (known := tx.one(_SAME, site_id=site_id, shortcut=shortcut)) and known.content == content:
        return known
    if tx.one(_COUNT, site_id=site_id).number >= MAX_REPLIES:
        raise invalid(shortcut=f"a site has at most {MAX_REPLIES} replies")
    try:
        number = tx.insert(_ADD, site_id=site_id, shortcut=shortcut, content=content, now_ms=tx.now_ms())
    except Duplicate:
        raise _taken() from None
    return tx.one(_ONE, id=number, site_id=site_id)


def change(tx: Transaction, *, site_id: int, reply_id: int, shortcut: str | None, content: str | None) -> Any:
    """Change what is not None: the row; None when there is no such reply. Raises ApiError invalid (shortcut)."""
    sites.lock(tx, site_id)
    row = tx.one(_ONE, id=reply_id, site_id=site_id)
    if row is None:
        return None
    try:
        tx.run(_CHANGE, id=reply_id, site_id=site_id, shortcut=shortcut or row.shortcut, content=content or row.content)
    except Duplicate:
        raise _taken() from None
    return tx.one(_ONE, id=reply_id, site_id=site_id)


def remove(tx: Transaction, *, site_id: int, reply_id: int) -> bool:
    """Take a reply away; whether it was there."""
    return tx.run(_REMOVE, id=reply_id, site_id=site_id) == 1


def to_wire(row: Any) -> dict:
    """A reply as JSON shows it."""
    return {"id": row.id, "shortcut": row.shortcut, "content": row.content, "created_at": to_time(row.created_ms)}


def _taken() -> Exception:
    return invalid(shortcut="is used by another reply")
