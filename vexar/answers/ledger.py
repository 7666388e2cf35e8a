"""The rows of runs: every change of state that docs/runs.md allows, as jobs inside a transaction.

It knows leases and attempts, nothing of buffers, followers or models. Each change by an owner names owner and
attempt, so that a late one changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from peewee import fn

from vexar.answers.leases import ABANDONED_MS, LEASE_MS, LIVE_STATES, is_alive, is_owned
from vexar.conversing.visitors import FIND_CONVERSATION, LockedVisitor
from vexar.models import Message, Run, Visitor
from vexar.store import P, Statement, Transaction

_KEY = (Run.visitor_id == P.visitor_id) & (Run.seq == P.seq)
_IS_LIVE = Run.state.in_(LIVE_STATES) & (Run.lease_until_ms > P.now_ms)

FIND = Statement(Run.select(Run).where(_KEY))
FIND_BY_MESSAGE = Statement(
    Run.select(Run).where((Run.visitor_id == P.visitor_id) & (Run.message_id == P.message_id))
)
_UNENDED = Statement(
    Run.select(Run).where((Run.visitor_id == P.visitor_id) & Run.state.in_(LIVE_STATES) & (Run.seq > P.after_seq))
    .order_by(Run.seq)
)
_SITE_LIVE = Statement(
    Run.select(fn.COUNT(Run.seq).alias("runs"), fn.SUM(Run.tokens_reserved).alias("tokens"))
    .where((Run.site_id == P.site_id) & _IS_LIVE)
)
_ADD = Statement(
    Run.insert(
        visitor_id=P.visitor_id, seq=P.seq, message_id=P.message_id, site_id=P.site_id,
        conversation_id=P.conversation_id, attempt=1, state=P.state, owner=P.owner, lease_until_ms=P.lease_until_ms,
        epoch=P.epoch, is_stop_asked=0, checkpoint="", finish_reason=P.finish_reason, error_code="",
        reply_seq=None, tokens_reserved=P.tokens_reserved, created_ms=P.now_ms, changed_ms=P.now_ms,
    )
)
_RESTART = Statement(
    Run.update(
        attempt=Run.attempt + 1, state=P.state, owner=P.owner, lease_until_ms=P.lease_until_ms, epoch=P.epoch,
        is_stop_asked=0, checkpoint="", finish_reason="", error_code="", reply_seq=None,
        conversation_id=P.conversation_id, tokens_reserved=P.tokens_reserved, changed_ms=P.now_ms,
    ).where(_KEY)
)
# With the epoch of this moment: a person who came and went while it waited is no reason to keep silent now.
_BEGIN = Statement(
    Run.update(state="running", epoch=P.epoch, lease_until_ms=P.lease_until_ms, changed_ms=P.now_ms)
    .where(_KEY & (Run.attempt == P.attempt) & (Run.state == "waiting"))
)
# Without the owner: cuts, stops and burials end runs of other processes, too. Once ended, nobody ends it again.
_END = Statement(
    Run.update(
        state="ended", finish_reason=P.finish_reason, error_code=P.error_code, reply_seq=P.reply_seq,
        checkpoint="", lease_until_ms=0, tokens_reserved=0, changed_ms=P.now_ms, knowledge=P.knowledge,
    ).where(_KEY & (Run.attempt == P.attempt) & Run.state.in_(LIVE_STATES))
)
_REPLY = Statement(Message.select(Message).where((Message.visitor_id == P.visitor_id) & (Message.seq == P.seq)))
VISITOR_SESSION = Statement(Visitor.select(Visitor.session_id).where(Visitor.id == P.id))
_SITE_RUNNING = Statement(
    Run.select(Run.visitor_id).where((Run.site_id == P.site_id) & Run.state.in_(LIVE_STATES))
    .distinct().order_by(Run.visitor_id)
)


@dataclass(frozen=True)
class Ending:
    """How a run ended: what is stored of its answer, and what `done` says. `reply_seq` None: nothing was said."""

    finish_reason: str
    conversation_id: int
    mode: str
    text: str = ""
    reply_seq: int | None = None
    error_code: str = ""
    sources: tuple[dict, ...] = ()
    # A planned restart: told to followers, stored nowhere.
    is_restart: bool = False


def find(tx: Transaction, visitor_id: int, seq: int) -> Any:
    """The run of a visitor's message, or None."""
    return tx.one(FIND, visitor_id=visitor_id, seq=seq)


def find_by_message(tx: Transaction, visitor_id: int, message_id: str) -> Any:
    """The run of the message with this id of the client, or None."""
    return tx.one(FIND_BY_MESSAGE, visitor_id=visitor_id, message_id=message_id)


def unended(tx: Transaction, visitor_id: int, after_seq: int = 0) -> list:
    """The visitor's runs that wait or run, dead ones too, by number."""
    return tx.all(_UNENDED, visitor_id=visitor_id, after_seq=after_seq)


def site_load(tx: Transaction, site_id: int, now_ms: int) -> tuple[int, int]:
    """Live runs of a site, and the tokens they have reserved."""
    row = tx.one(_SITE_LIVE, site_id=site_id, now_ms=now_ms)
    return row.runs, int(row.tokens or 0)


def visitors_with_runs(tx: Transaction, site_id: int) -> list[int]:
    """Ids of the visitors of a site who have a run that waits or runs, ascending (the order of locking)."""
    return [row.visitor_id for row in tx.all(_SITE_RUNNING, site_id=site_id)]


def add(
    visitor: LockedVisitor, conversation: Any, seq: int, *, message_id: str, owner: str, tokens: int
) -> Any:
    """The row of a new message's run. It ends at once when a person has the conversation."""
    values = {
        "visitor_id": visitor.id, "seq": seq, "message_id": message_id, "site_id": visitor.site_id,
        "conversation_id": conversation.id, "owner": owner, "epoch": conversation.epoch, "now_ms": visitor.now_ms,
    }
    if conversation.mode == "operator":
        visitor.tx.run(
            _ADD, **values, state="ended", finish_reason="operator", lease_until_ms=0, tokens_reserved=0
        )
    else:
        visitor.tx.run(
            _ADD, **values, state=_first_state(visitor, conversation.id, seq), finish_reason="",
            lease_until_ms=visitor.now_ms + LEASE_MS, tokens_reserved=tokens,
        )
    return find(visitor.tx, visitor.id, seq)


def restart(visitor: LockedVisitor, conversation: Any, run: Any, *, owner: str, tokens: int) -> Any:
    """A new attempt for a dead run or one that ended in error, in the conversation that is open now."""
    is_operator = conversation.mode == "operator"
    visitor.tx.run(
        _RESTART, visitor_id=visitor.id, seq=run.seq, owner=owner, epoch=conversation.epoch,
        conversation_id=conversation.id, now_ms=visitor.now_ms, tokens_reserved=tokens,
        state=_first_state(visitor, conversation.id, run.seq), lease_until_ms=visitor.now_ms + LEASE_MS,
    )
    if is_operator:
        end(visitor, run.seq, run.attempt + 1, finish_reason="operator")
    return find(visitor.tx, visitor.id, run.seq)


def begin(tx: Transaction, *, visitor_id: int, seq: int, attempt: int, owner: str) -> str:
    """Take the turn of a waiting run: running, waiting (not its turn yet) or lost."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    run = find(tx, visitor_id, seq)
    if not is_owned(run, owner, attempt):
        return "lost"
    # This job again, after a COMMIT whose answer was lost.
    if run.state == "running":
        return "running"
    if _first_state(visitor, run.conversation_id, seq) == "waiting":
        return "waiting"
    conversation = tx.one(FIND_CONVERSATION, id=run.conversation_id)
    tx.run(
        _BEGIN, visitor_id=visitor_id, seq=seq, attempt=attempt, owner=owner, epoch=conversation.epoch,
        lease_until_ms=visitor.now_ms + LEASE_MS, now_ms=visitor.now_ms,
    )
    return "running"


def finish(
    tx: Transaction, *, visitor_id: int, seq: int, attempt: int, owner: str, finish_reason: str, text: str,
    status: str, sources: tuple[dict, ...] = (), error_code: str = "", knowledge: str = "",
) -> Ending | None:
    """Store the owner's answer and say how the run ended; None when the run is not the owner's any more."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    run = find(tx, visitor_id, seq)
    if not is_owned(run, owner, attempt) or run.state != "running":
        return None
    conversation = tx.one(FIND_CONVERSATION, id=run.conversation_id)
    if run.epoch == conversation.epoch:
        _store_reply(
            visitor, run, text=text, status=status, finish_reason=finish_reason, sources=sources,
            error_code=error_code, knowledge=knowledge,
        )
    else:
        # Whoever raises the epoch cuts the runs himself; should one ever be missed, it still cannot talk over.
        cut(visitor, run, "operator")
    visitor.save()
    return ending_of(tx, find(tx, visitor_id, seq))


def cut(visitor: LockedVisitor, run: Any, finish_reason: str) -> None:
    """End a run from outside: its last checkpoint becomes the reply. The caller saves the visitor."""
    _store_reply(
        visitor, run, text=run.checkpoint, finish_reason=finish_reason,
        status="stopped" if finish_reason == "stopped" else "interrupted",
        error_code="upstream_broken" if finish_reason == "error" else "",
    )


def cut_all(visitor: LockedVisitor, conversation_id: int | None, finish_reason: str) -> None:
    """Cut what waits or runs in a conversation, or wherever the visitor is. The caller saves the visitor."""
    for run in unended(visitor.tx, visitor.id):
        if conversation_id is None or run.conversation_id == conversation_id:
            cut(visitor, run, finish_reason)


def end(
    visitor: LockedVisitor, seq: int, attempt: int, *, finish_reason: str, reply_seq: int | None = None,
    error_code: str = "", knowledge: str = "",
) -> None:
    """Mark a run as ended."""
    visitor.tx.run(
        _END, visitor_id=visitor.id, seq=seq, attempt=attempt, finish_reason=finish_reason, reply_seq=reply_seq,
        error_code=error_code, knowledge=knowledge, now_ms=visitor.now_ms,
    )


def stop(tx: Transaction, *, visitor_id: int, seq: int) -> bool:
    """Store what a silent owner had said, as stopped; whether the run was still going."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    run = find(tx, visitor_id, seq)
    if run is None or run.state not in LIVE_STATES:
        return False
    cut(visitor, run, "stopped")
    visitor.save()
    return True


def bury(tx: Transaction, *, visitor_id: int, seq: int) -> bool:
    """End an abandoned run; its checkpoint becomes an interrupted reply. Whether this call did it."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    run = find(tx, visitor_id, seq)
    if run is None or run.state not in LIVE_STATES or run.lease_until_ms > visitor.now_ms - ABANDONED_MS:
        return False
    cut(visitor, run, "error")
    visitor.save()
    return True


def erased(conversation_id: int) -> Ending:
    """The ending of a run whose rows were erased: nothing of it is left to show."""
    return Ending("stopped", conversation_id, "ai")


def ending_of(tx: Transaction, run: Any) -> Ending:
    """How a run ended, as its row and its reply say."""
    conversation = tx.one(FIND_CONVERSATION, id=run.conversation_id)
    reply = tx.one(_REPLY, visitor_id=run.visitor_id, seq=run.reply_seq) if run.reply_seq else None
    return Ending(
        finish_reason=run.finish_reason,
        conversation_id=run.conversation_id,
        mode=conversation.mode if conversation else "ai",
        text=reply.content if reply else "",
        reply_seq=run.reply_seq,
        error_code=run.error_code,
        sources=tuple(json.loads(reply.sources)) if reply and reply.sources else (),
    )


def _first_state(visitor: LockedVisitor, conversation_id: int, seq: int) -> str:
    """running when nobody of the conversation is before it: one that runs, or an earlier one that waits."""
    for other in unended(visitor.tx, visitor.id):
        if other.seq == seq or other.conversation_id != conversation_id or not is_alive(other, visitor.now_ms):
            continue
        # A later one that runs already is not interrupted by an earlier message that was sent again.
        if other.state == "running" or other.seq < seq:
            return "waiting"
    return "running"


def _store_reply(
    visitor: LockedVisitor, run: Any, *, text: str, status: str, finish_reason: str, error_code: str,
    sources: tuple[dict, ...] = (), knowledge: str = "",
) -> None:
    reply_seq = None
    if text:
        reply_seq = visitor.append(
            "assistant", text, conversation_id=run.conversation_id, status=status, sources=sources,
            reply_to=run.seq,
        )
    end(visitor, run.seq, run.attempt, finish_reason=finish_reason, reply_seq=reply_seq, error_code=error_code,
        knowledge=knowledge)


