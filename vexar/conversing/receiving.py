"""Taking in a visitor's message: stored exactly once, its run claimed in the same transaction.

Decides new or repeat; everything that can refuse a message without an answer is checked here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from vexar.answers import budgets, leases, ledger
from vexar.conversing import blocks, clocks, messages
from vexar.conversing.visitors import LockedVisitor, find
from vexar.errors import ApiError, invalid
from vexar.events import LastEventId
from vexar.sites.settings import SiteSettings
from vexar.store import Transaction


@dataclass(frozen=True)
class Incoming:
    """One message as the visitor sent it. `image_path`: stored path of an upload; `address`: None if unknown."""

    site_id: int
    session_id: str
    message_id: str
    content: str
    image_path: str | None = None
    lang: str | None = None
    page_url: str | None = None
    user_id: str | None = None
    address: str | None = None
    # A Last-Event-ID of this message was given: an ended run is told again, never started anew.
    is_resumed: bool = False


@dataclass(frozen=True)
class Receipt:
    """Where a message went. `is_mine`: this call claimed the run, so this process has to make the answer."""

    visitor_id: int
    run: Any
    is_new: bool
    is_mine: bool


@dataclass(frozen=True)
class Known:
    """What is known of a message before it is received. `needs_model`: receiving it would ask the model."""

    incoming: Incoming
    is_visitor_known: bool
    needs_model: bool


def look_up(tx: Transaction, *, incoming: Incoming, last: LastEventId | None) -> Known:
    """Whether this message was sent before; a read, so that limits can tell messages from polls.

    A Last-Event-ID of this very message means "tell me how it ended": its run is never started anew.
    """
    visitor = find(tx, incoming.site_id, incoming.session_id)
    run = ledger.find_by_message(tx, visitor.id, incoming.message_id) if visitor else None
    if run is None:
        return Known(incoming, visitor is not None, needs_model=True)
    if last is not None and last.run.seq == run.seq:
        incoming = replace(incoming, is_resumed=True)
    return Known(incoming, True, needs_model=_is_failed(run) and not incoming.is_resumed)


def receive(
    tx: Transaction, *, incoming: Incoming, settings: SiteSettings, owner: str, max_session_runs: int,
    max_site_runs: int, claim_image: Callable[[Transaction, int, str], bool],
) -> Receipt:
    """Store the message and claim its run, or find what is there. Raises ApiError: blocked, message_id_conflict,
    too_many_runs, budget_exhausted, invalid (image_url)."""
    visitor = LockedVisitor.find_or_create(tx, incoming.site_id, incoming.session_id)
    # Before the repeat is looked for: the blocked do not even learn what is stored.
    blocks.refuse(visitor, address=incoming.address)
    run = ledger.find_by_message(tx, visitor.id, incoming.message_id)
    if run is not None:
        _refuse_other_message(tx, run, incoming)
        if not _needs_restart(run, incoming, visitor.now_ms):
            is_mine = leases.is_own_claim(tx, run, owner)
            return Receipt(visitor.id, run, is_new=is_mine and run.attempt == 1, is_mine=is_mine)
    conversation = _conversation_for(visitor, run)
    tokens = 0
    if conversation.mode == "ai":
        _refuse_too_many_runs(visitor, max_session_runs=max_session_runs, max_site_runs=max_site_runs)
    # A person's conversation counts its messages, too, but asks no model; a repeat there counts nothing.
    if run is None or conversation.mode == "ai":
        tokens = budgets.take(
            tx, incoming.site_id, settings, chars=len(incoming.content), now_ms=visitor.now_ms, is_new=run is None,
            asks_model=conversation.mode == "ai",
        )
    if run is not None:
        run = ledger.restart(visitor, conversation, run, owner=owner, tokens=tokens)
        return Receipt(visitor.id, run, is_new=False, is_mine=run.state != "ended")
    if incoming.image_path and not claim_image(tx, visitor.id, incoming.image_path):
        raise invalid(image_url="is not an image this visitor uploaded")
    return _store(visitor, conversation, incoming, owner=owner, tokens=tokens)


def meet(tx: Transaction, *, site_id: int, session_id: str, address: str | None) -> int:
    """The id of a visitor who may write, made on the first visit. Raises ApiError blocked."""
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    blocks.refuse(visitor, address=address)
    return visitor.id


def _store(
    visitor: LockedVisitor, conversation: Any, incoming: Incoming, *, owner: str, tokens: int
) -> Receipt:
    visitor.note(
        lang=incoming.lang, page_url=incoming.page_url, user_id=incoming.user_id, address=incoming.address
    )
    seq = visitor.append(
        "visitor", incoming.content, conversation_id=conversation.id, message_id=incoming.message_id,
        image_url=incoming.image_path,
    )
    if conversation.mode == "operator":
        clocks.wind(visitor.tx, conversation.id)
    visitor.save()
    run = ledger.add(
        visitor, conversation, seq, message_id=incoming.message_id, owner=owner, tokens=tokens
    )
    return Receipt(visitor.id, run, is_new=True, is_mine=run.state != "ended")


def _conversation_for(visitor: LockedVisitor, run: Any) -> Any:
    """The open conversation; for a repeat after the conversation was closed, a new one."""
    conversation = visitor.open_conversation()
    if run is not None and run.conversation_id != conversation.id:
        # It may have been begun for this run, and nothing else of the visitor will be written.
        visitor.save()
    return conversation


def _is_failed(run: Any) -> bool:
    return run.state == "ended" and run.finish_reason == "error"


def _needs_restart(run: Any, incoming: Incoming, now_ms: int) -> bool:
    if run.state == "ended":
        return run.finish_reason == "error" and not incoming.is_resumed
    return not leases.is_alive(run, now_ms)


def _refuse_other_message(tx: Transaction, run: Any, incoming: Incoming) -> None:
    stored = messages.one(tx, run.visitor_id, run.seq)
    if stored.content != incoming.content or stored.image_url != incoming.image_path:
        raise ApiError("message_id_conflict")


def _refuse_too_many_runs(visitor: LockedVisitor, *, max_session_runs: int, max_site_runs: int) -> None:
    # The dead do not count, or a worker that died would shut its visitors out for a minute.
    alive = [run for run in ledger.unended(visitor.tx, visitor.id) if leases.is_alive(run, visitor.now_ms)]
    if max_session_runs and len(alive) >= max_session_runs:
        raise ApiError("too_many_runs", retry_after=2)
    if max_site_runs and ledger.site_load(visitor.tx, visitor.site_id, visitor.now_ms)[0] >= max_site_runs:
        raise ApiError("too_many_runs", retry_after=2)
