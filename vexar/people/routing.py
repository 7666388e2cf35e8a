"""Whom a waiting visitor is offered to, and whether anybody is there at all.

| operator_routing | offered to                                                                                |
|------------------|-------------------------------------------------------------------------------------------|
| all              | everybody who may chat                                                                    |
| least_busy       | who is online and has the fewest conversations; the next one after a while; then everybody |
| one              | operator_id of the settings; everybody when that person may not chat here (any more)      |

An offer says who is called first. Whoever may chat on the site may accept: nobody waits for one person's lunch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import fn

from vexar.models import Conversation, Operator
from vexar.people import auth, presence
from vexar.sites import hours
from vexar.sites.settings import SiteSettings
from vexar.store import P, Statement, Transaction

# Also the width of the column: nobody asks more people than that one after the other.
MAX_OFFERS = 50
# Older ones keep nobody busy, and an index leads to the younger.
BUSY_MS = 86_400_000

_OPERATOR = Statement(Operator.select(Operator).where((Operator.id == P.id) & (Operator.is_active == 1)))
_BUSY = Statement(
    Conversation.select(Conversation.operator_id, fn.COUNT(Conversation.id).alias("conversations"))
    .where((Conversation.site_id == P.site_id) & (Conversation.changed_ms > P.since_ms)
           & (Conversation.mode == "operator") & Conversation.closed_ms.is_null())
    .group_by(Conversation.operator_id)
)


def find_who_may_chat(tx: Transaction, site_id: int, operator_id: int) -> tuple[Any, bool]:
    """The row of an active operator of this site (None: there is none) and whether it may chat there."""
    operator = tx.one(_OPERATOR, id=operator_id)
    access = auth.find_access(tx, operator=operator, site_id=site_id) if operator else None
    # Who works elsewhere is nobody here: numbers must not tell who there is.
    return (operator, access.can_chat) if access else (None, False)


def is_available(tx: Transaction, site_id: int, settings: SiteSettings, now_ms: int) -> bool:
    """Whether a person can be expected: somebody is online, or it is within the working hours."""
    if not settings.operator_enabled:
        return False
    return hours.is_open(settings.working_hours, now_ms) or bool(presence.online(tx, site_id=site_id))


def next_offer(tx: Transaction, site_id: int, settings: SiteSettings, offered: str = "") -> str:
    """Who is offered a waiting visitor next, added to those who were already; empty: from now on everybody."""
    if settings.operator_routing == "one" and settings.operator_id and not offered:
        return str(settings.operator_id) if find_who_may_chat(tx, site_id, settings.operator_id)[1] else ""
    if settings.operator_routing != "least_busy":
        return ""
    asked = offered.split(",") if offered else []
    found = _least_busy(tx, site_id, besides={int(operator_id) for operator_id in asked})
    return ",".join([*asked, str(found)]) if found and len(asked) < MAX_OFFERS else ""


def _least_busy(tx: Transaction, site_id: int, besides: Iterable[int]) -> int | None:
    rows = tx.all(_BUSY, site_id=site_id, since_ms=tx.now_ms() - BUSY_MS)
    busy = {row.operator_id: row.conversations for row in rows}
    free = [row.id for row in presence.online(tx, site_id=site_id) if row.id not in besides]
    # Of equals the one who came first to the team: a fixed rule beats a fair one that nobody can foresee.
    return min(free, key=lambda operator_id: (busy.get(operator_id, 0), operator_id), default=None)
