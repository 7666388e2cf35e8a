"""What happens when a clock of a conversation rings. Safe to call at any time and twice: it looks again, under the
visitor's lock, whether anything is due.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from vexar.conversing import clocks, handover, messages
from vexar.conversing.lines import line
from vexar.conversing.visitors import LockedVisitor
from vexar.models import Conversation
from vexar.people import routing
from vexar.sites import hours
from vexar.sites.settings import SiteSettings
from vexar.store import P, Statement, Transaction

_OFFER = Statement(Conversation.update(offered=P.offered, changed_ms=P.now_ms).where(Conversation.id == P.id))
SLICE = 50


class Rung(NamedTuple):
    """A clock that rang, and where."""

    clock: str
    site_id: int
    session_id: str


def ring(tx: Transaction, *, visitor_id: int, conversation_id: int) -> Rung | None:
    """Do what is due in a conversation; None when nothing was, and its clock is set right."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    # Closed or erased meanwhile: nothing of it has a clock.
    if visitor is None or visitor.conversation_id != conversation_id:
        return None
    conversation = visitor.conversation()
    # The settings of now: a timeout that the owner changed counts for open conversations, too.
    settings = clocks.settings_of(tx, visitor.site_id)
    clock = clocks.running(conversation, settings)
    if clock is None or clock.due_ms > visitor.now_ms:
        clocks.wind(tx, conversation_id)
        return None
    _act(visitor, conversation, settings, clock.name)
    return Rung(clock.name, visitor.site_id, visitor.row.session_id)


def rewind(tx: Transaction, *, site_id: int, after: int) -> int | None:
    """Set the clocks of a slice of a site's conversations by its settings; where to go on, None at the end."""
    # In the order of visitors, as every job that locks several of them.
    found = clocks.wound(tx, site_id=site_id, after=after, limit=SLICE)
    for row in sorted(found, key=lambda row: row.visitor_id):
        if LockedVisitor.by_id(tx, row.visitor_id):
            clocks.wind(tx, row.id)
    return found[-1].id if len(found) == SLICE else None


def _act(visitor: LockedVisitor, conversation: Any, settings: SiteSettings, clock: str) -> None:
    lang = visitor.row.lang
    if clock == "offer":
        offered = routing.next_offer(visitor.tx, visitor.site_id, settings, conversation.offered)
        visitor.tx.run(_OFFER, id=conversation.id, offered=offered, now_ms=visitor.now_ms)
        clocks.wind(visitor.tx, conversation.id)
    elif clock == "visitor":
        handover.end(visitor, conversation, line("silent", lang))
    else:
        handover.give_back(visitor, conversation, _nobody_text(visitor, conversation, settings, clock))


def _nobody_text(visitor: LockedVisitor, conversation: Any, settings: SiteSettings, clock: str) -> str:
    """That no person answers any more, and what the visitor can do; outside working hours: leave an email."""
    lang = visitor.row.lang
    said = []
    if clock != "accept":
        operator = messages.operators_of(visitor.tx, [conversation]).get(conversation.operator_id)
        said = [line("not_answered", lang, name=operator["name"])] if operator else [line("returned", lang)]
    if not hours.is_open(settings.working_hours, visitor.now_ms):
        return " ".join([*said, handover.away_text(visitor, settings, lang)])
    if said:
        return said[0]
    return " ".join([line("not_taken", lang), *([] if visitor.row.email else [line("ask_email", lang)])])
