"""The four clocks of a conversation: which one runs, and when it is due. What happens then is in alarms.py.

| mode     | waiting | who spoke since the person came | clock       | counts from            | setting             |
|----------|---------|---------------------------------|-------------|------------------------|---------------------|
| ai       | no      |                                 | none        |                        |                     |
| ai       | yes     |                                 | accept      | the wish for a person  | operator_timeout    |
| operator | no      | not the person                  | first_reply | the taking             | first_reply_timeout |
| operator | no      | the visitor last                | reply       | the visitor's message  | reply_timeout       |
| operator | no      | the person last                 | visitor     | the person's message   | visitor_timeout     |
| closed   |         |                                 | none        |                        |                     |

So at most one runs. A waiting visitor who is offered to one person after the other has an inner clock beside it
(`offer`), which nobody sees.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from vexar.conversing.visitors import FIND_CONVERSATION
from vexar.models import Conversation, Site
from vexar.sites.settings import SiteSettings, read_settings
from vexar.store import P, Statement, Transaction

# Long enough to look up from other work, short enough for three people within the default operator_timeout.
OFFER_MS = 30_000

_SETTINGS = Statement(Site.select(Site.settings).where(Site.id == P.id))
_WIND = Statement(Conversation.update(clock_ms=P.clock_ms).where(Conversation.id == P.id))
_DUE = Statement(
    Conversation.select(Conversation.id, Conversation.visitor_id).where(Conversation.clock_ms <= P.now_ms)
    .order_by(Conversation.clock_ms).limit(P.limit)
)
_WOUND = Statement(
    Conversation.select(Conversation.id, Conversation.visitor_id)
    .where((Conversation.site_id == P.site_id) & Conversation.closed_ms.is_null()
           & ((Conversation.is_waiting == 1) | (Conversation.mode == "operator")) & (Conversation.id > P.after))
    .order_by(Conversation.id).limit(P.limit)
)


class Clock(NamedTuple):
    """A running clock: offer, accept, first_reply, reply or visitor, and when it is due."""

    name: str
    due_ms: int


def running(conversation: Any, settings: SiteSettings) -> Clock | None:
    """The clock that rings next in this conversation; None when none runs."""
    if conversation.closed_ms is not None:
        return None
    if conversation.mode == "ai":
        return _while_waiting(conversation, settings) if conversation.is_waiting else None
    came_ms = conversation.accepted_ms or 0
    person_ms, visitor_ms = conversation.operator_said_ms or 0, conversation.visitor_said_ms or 0
    if person_ms < came_ms:
        return _clock("first_reply", came_ms, settings.first_reply_timeout)
    if visitor_ms > person_ms:
        return _clock("reply", visitor_ms, settings.reply_timeout)
    return _clock("visitor", person_ms, settings.visitor_timeout)


def settings_of(tx: Transaction, site_id: int) -> SiteSettings:
    """The site's settings as they are now; the defaults for a site that is being erased."""
    site = tx.one(_SETTINGS, id=site_id)
    return read_settings(site.settings) if site else SiteSettings()


def wind(tx: Transaction, conversation_id: int) -> None:
    """Note when the next clock of a conversation is due; the caller has locked its visitor and changed something."""
    conversation = tx.one(FIND_CONVERSATION, id=conversation_id)
    if conversation is None:
        # Erased.
        return
    is_quiet = conversation.closed_ms is not None or (conversation.mode == "ai" and not conversation.is_waiting)
    clock = None if is_quiet else running(conversation, settings_of(tx, conversation.site_id))
    due_ms = clock.due_ms if clock else None
    if due_ms != conversation.clock_ms:
        tx.run(_WIND, id=conversation_id, clock_ms=due_ms)


def due(tx: Transaction, *, limit: int = 100) -> list:
    """Conversations (id, visitor_id) whose clock has to be looked at now, the latest first in line."""
    return tx.all(_DUE, now_ms=tx.now_ms(), limit=limit)


def wound(tx: Transaction, *, site_id: int, after: int = 0, limit: int = 50) -> list:
    """A slice of a site's conversations (id, visitor_id) that may have a running clock, behind `after`."""
    return tx.all(_WOUND, site_id=site_id, after=after, limit=limit)


def _while_waiting(conversation: Any, settings: SiteSettings) -> Clock | None:
    since_ms = conversation.waiting_ms or 0
    accept = _clock("accept", since_ms, settings.operator_timeout)
    if not conversation.offered or settings.operator_routing != "least_busy":
        return accept
    each_ms = min(OFFER_MS, settings.operator_timeout * 1_000 // 3) if accept else OFFER_MS
    offer = Clock("offer", since_ms + each_ms * len(conversation.offered.split(",")))
    return min(offer, accept or offer, key=lambda clock: clock.due_ms)


def _clock(name: str, since_ms: int, timeout_s: int) -> Clock | None:
    return Clock(name, since_ms + timeout_s * 1_000) if timeout_s else None
