"""The jobs of erasing: shutting the door behind a visitor or site, and deleting rows, at most 200 a job.

Each may be repeated and broken off: what is left is found by the row that goes last. A visitor that is being erased
has a session id that no session can have; a site that is, a row in `lease`.
"""

from __future__ import annotations

from dataclasses import dataclass

from peewee import Expression, Field, Model

from vexar import models
from vexar.answers import ledger
from vexar.conversing.visitors import FIND_CONVERSATION, LockedVisitor
from vexar.erasing import retention
from vexar.models import (
    Block,
    Conversation,
    ConversationTerm,
    KnowledgeTerm,
    Lease,
    Message,
    Note,
    NudgeEvent,
    OnlineSession,
    Run,
    Site,
    UnansweredAsk,
    Upload,
    Visitor,
)
from vexar.store import P, Statement, Transaction

SLICE_ROWS = 200
# A locked visitor takes about ten statements.
SLICE_VISITORS = 20
# Above every character of a session id, so that one range of the index finds them all.
ERASED = "~"
REMOVED = "remove-site-"
# No transaction and no upload that began before the site was unknown is still under way after that.
GRACE_MS = 120_000
# Everything else that belongs to a site alone, with what tells its rows apart.
_OF_SITE = (
    (models.Block, "id"), (models.NudgeRule, "id"), (models.NudgeEvent, "id"), (models.Budget, "period"),
    (models.SiteDay, "day"), (models.Presence, "operator_id"), (models.OperatorSite, "operator_id"),
    (models.OnlineSession, "session_id"), (models.CannedReply, "id"), (models.KnowledgeChunk, "id"),
    (models.KnowledgeVector, "id"), (models.KnowledgeEntry, "id"), (models.Crawl, "site_id"),
    (models.CrawlPage, "url_hash"), (models.UnansweredAsk, "id"), (models.UnansweredGroup, "id"),
)  # fmt: skip

_ANONYMOUS = Statement(
    Visitor.update(
        session_id=P.session_id, conversation_id=None, user_id="", name="", email="", phone="", lang="", page_url="",
        address="", contact_words="", digested_seq=Visitor.last_seq, reviewed_seq=Visitor.last_seq,
        changed_ms=P.now_ms,
    ).where(Visitor.id == P.id)
)
_CLOSE = Statement(
    Conversation.update(closed_ms=P.now_ms, is_waiting=0, clock_ms=None, changed_ms=P.now_ms)
    .where((Conversation.id == P.id) & Conversation.closed_ms.is_null())
)
_UNBLOCK = Statement(
    Block.delete().where((Block.site_id == P.site_id) & (Block.kind == "session") & (Block.value == P.session_id))
)
_OFFLINE = Statement(
    OnlineSession.delete().where((OnlineSession.site_id == P.site_id) & (OnlineSession.session_id == P.session_id))
)
_TOUCH_SITE = Statement(Site.update(changed_ms=P.now_ms).where(Site.id == P.id))
_DELETE_SITE = Statement(Site.delete().where(Site.id == P.id))
_REMEMBER = Statement(Lease.insert(name=P.name, owner="", until_ms=P.now_ms))
_FORGET = Statement(Lease.delete().where((Lease.name == P.name) & (Lease.until_ms < P.before_ms)))
_REMOVED = Statement(Lease.select(Lease.name).where(Lease.name.startswith(REMOVED)))
_SITES = Statement(Site.select(Site.id).order_by(Site.id))
_HALF_ERASED = Statement(
    Visitor.select(Visitor.id).where((Visitor.site_id == P.site_id) & (Visitor.session_id >= ERASED))
)
_VISITORS_OF = Statement(
    Visitor.select(Visitor.id).where(Visitor.site_id == P.site_id).order_by(Visitor.id).limit(SLICE_VISITORS)
)
_CONVERSATIONS = Statement(
    Conversation.select(Conversation.id).where(Conversation.visitor_id == P.visitor_id).order_by(Conversation.id)
)
_IMAGES = Message.select(Message.image_url.alias("path")).where(
    (Message.visitor_id == P.visitor_id) & Message.image_url.is_null(False)
)
_OWN_IMAGES = Statement(Upload.select(Upload.path).where(Upload.visitor_id == P.visitor_id))
_ALL_IMAGES = Statement(_IMAGES)
_SOME_IMAGES = Statement(_IMAGES.where(Message.conversation_id == P.conversation_id))
_SITE_IMAGES = Statement(Upload.select(Upload.path).where(Upload.site_id == P.site_id).limit(SLICE_ROWS))


@dataclass(frozen=True)
class Cut:
    """Whom a door was shut on. `session_id`: None when that had happened before; `seqs`: answers that were cut."""

    visitor_id: int
    site_id: int
    session_id: str | None
    seqs: tuple[int, ...]


class _Slice:
    """One job's worth of deleting."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._left = SLICE_ROWS

    def clear(self, model: type[Model], key: Field, which: Expression) -> bool:
        """Delete what `which` finds, as far as it fits; whether nothing is left. `key` tells its rows apart."""
        if not self._left:
            return False
        rows = self._tx.all(model.select(key).where(which).limit(self._left))
        if rows:
            self._tx.run(model.delete().where(which & key.in_([row[0] for row in rows])))
        self._left -= len(rows)
        return self._left > 0

    def clear_grouped(self, model: type[Model], key: Field, group: Field, which: Expression) -> bool:
        """The same for rows that only two columns tell apart: one value of `group` after the other."""
        while row := self._tx.one(model.select(group).where(which).limit(1)):
            if not self.clear(model, key, which & (group == row[0])):
                return False
        return True


def shut_visitor(tx: Transaction, *, visitor_id: int, days: int | None = None) -> Cut | None:
    """Cut what runs, take the session and all that names a person from the row; None when the visitor is gone. `days`:
    also None when there is anything younger than that."""
    visitor = LockedVisitor.by_id(tx, visitor_id)
    # Asked again under the lock: the visitor may have come back since it was found.
    if visitor is None or (days is not None and not retention.is_forgotten(tx, visitor_id=visitor_id, days=days)):
        return None
    return _shut(visitor)


def shut_visitors(tx: Transaction, *, site_id: int) -> list[Cut]:
    """The same for some visitors of a site who have an answer running; none when there are no more."""
    found = []
    # Ascending, as everybody locks them.
    for visitor_id in ledger.visitors_with_runs(tx, site_id)[:SLICE_VISITORS]:
        visitor = LockedVisitor.by_id(tx, visitor_id)
        if visitor is None:
            # A run without its visitor: nothing else would ever find it.
            tx.run(Run.delete().where(Run.visitor_id == visitor_id))
        else:
            found.append(_shut(visitor))
    return found


def shut_conversation(tx: Transaction, *, conversation_id: int, days: int | None = None) -> Cut | None:
    """Cut what runs in a conversation and close it, without a word to the visitor; None when it is gone. `days`: also
    None when it is younger than that."""
    conversation = tx.one(FIND_CONVERSATION, id=conversation_id)
    visitor = LockedVisitor.by_id(tx, conversation.visitor_id) if conversation else None
    if visitor is None:
        return None
    if days is not None and not retention.is_expired(tx, conversation_id=conversation_id, days=days):
        return None
    seqs = _cut(visitor, conversation_id)
    tx.run(_CLOSE, id=conversation_id, now_ms=visitor.now_ms)
    if visitor.conversation_id == conversation_id:
        visitor.conversation_id = None
    visitor.save()
    return Cut(visitor.id, visitor.site_id, visitor.row.session_id, seqs)


def shut_site(tx: Transaction, *, site_id: int) -> None:
    """From now on nobody knows the site, and what is left of it is remembered until it is gone."""
    if tx.run(_DELETE_SITE, id=site_id):
        tx.run(_REMEMBER, name=f"{REMOVED}{site_id}", now_ms=tx.now_ms())


def wipe_visitors(tx: Transaction, *, visitor_ids: list[int]) -> bool:
    """Delete what fits into a slice of these visitors, ascending; whether they are gone."""
    part = _Slice(tx)
    for visitor_id in sorted(visitor_ids):
        visitor = LockedVisitor.by_id(tx, visitor_id)
        if visitor is not None:
            if visitor.row.session_id < ERASED:
                _shut(visitor)
            if not _wipe_visitor(tx, part, visitor_id):
                return False
    return True


def wipe_conversation(tx: Transaction, *, visitor_id: int, conversation_id: int) -> bool:
    """Delete what fits into a slice of a conversation that is shut; whether it is gone."""
    if LockedVisitor.by_id(tx, visitor_id) is None:
        return True
    mine = Message.visitor_id == visitor_id
    query = Message.select(Message.seq).where(mine & (Message.conversation_id == conversation_id))
    numbers = [row.seq for row in tx.all(query.order_by(Message.seq).limit(SLICE_ROWS))]
    part = _Slice(tx)
    # A run goes with its message, wherever its answer was given (a message that is sent again after its conversation
    # was closed is answered in the next one): one without the other could never be sent again.
    is_done = part.clear(Run, Run.seq, (Run.visitor_id == visitor_id) & Run.seq.in_(numbers or [0]))
    is_done = is_done and part.clear(Message, Message.seq, mine & Message.seq.in_(numbers or [0]))
    return is_done and len(numbers) < SLICE_ROWS and _wipe_conversation(part, conversation_id)


def wipe_site(tx: Transaction, *, site_id: int) -> bool:
    """Delete what fits into a slice of whatever else belongs to a site; whether it is gone."""
    part = _Slice(tx)
    is_done = part.clear_grouped(
        KnowledgeTerm, KnowledgeTerm.term, KnowledgeTerm.chunk_id, KnowledgeTerm.site_id == site_id
    ) and part.clear_grouped(
        ConversationTerm, ConversationTerm.term, ConversationTerm.conversation_id, ConversationTerm.site_id == site_id
    )
    for model, key in _OF_SITE:
        is_done = is_done and part.clear(model, getattr(model, key), model.site_id == site_id)
    return is_done


def touch_site(tx: Transaction, *, site_id: int) -> None:
    """Say that something is gone: operators read their inbox anew, and visitors whose ring was lost look again."""
    tx.run(_TOUCH_SITE, id=site_id, now_ms=tx.now_ms())


def forget_site(tx: Transaction, *, site_id: int) -> None:
    """Nothing is left to do, once nothing can come any more."""
    tx.run(_FORGET, name=f"{REMOVED}{site_id}", before_ms=tx.now_ms() - GRACE_MS)


def images(tx: Transaction, *, visitor_id: int, conversation_id: int | None = None) -> list[str]:
    """The uploads in a conversation; of a visitor, those that were never sent, too. A heavy read."""
    if conversation_id is not None:
        rows = tx.all(_SOME_IMAGES, visitor_id=visitor_id, conversation_id=conversation_id)
    else:
        rows = tx.all(_ALL_IMAGES, visitor_id=visitor_id) + tx.all(_OWN_IMAGES, visitor_id=visitor_id)
    return sorted({row.path for row in rows})


def site_images(tx: Transaction, *, site_id: int) -> list[str]:
    """Some uploads of a site. A heavy read."""
    return [row.path for row in tx.all(_SITE_IMAGES, site_id=site_id)]


def visitors_of(tx: Transaction, *, site_id: int) -> list[int]:
    """The numbers of some visitors of a site."""
    return [row.id for row in tx.all(_VISITORS_OF, site_id=site_id)]


def half_erased(tx: Transaction) -> list[int]:
    """Visitors whose erasing was broken off, or goes on at the moment."""
    return [row.id for site in tx.all(_SITES) for row in tx.all(_HALF_ERASED, site_id=site.id)]


def removed_sites(tx: Transaction) -> list[int]:
    """Sites of which something may be left."""
    return [int(row.name.removeprefix(REMOVED)) for row in tx.all(_REMOVED)]


def _shut(visitor: LockedVisitor) -> Cut:
    tx, row = visitor.tx, visitor.row
    seqs = _cut(visitor, None)
    if visitor.conversation_id:
        tx.run(_CLOSE, id=visitor.conversation_id, now_ms=visitor.now_ms)
    is_first = row.session_id < ERASED
    if is_first:
        tx.run(_UNBLOCK, site_id=row.site_id, session_id=row.session_id)
        tx.run(_OFFLINE, site_id=row.site_id, session_id=row.session_id)
        tx.run(_ANONYMOUS, id=row.id, session_id=f"{ERASED}{row.id}", now_ms=visitor.now_ms)
    return Cut(row.id, row.site_id, row.session_id if is_first else None, seqs)


def _cut(visitor: LockedVisitor, conversation_id: int | None) -> tuple[int, ...]:
    """End what runs without a reply: it would only be deleted."""
    runs = [
        run for run in ledger.unended(visitor.tx, visitor.id)
        if conversation_id in (None, run.conversation_id)
    ]
    for run in runs:
        ledger.end(visitor, run.seq, run.attempt, finish_reason="stopped")
    return tuple(run.seq for run in runs)


def _wipe_visitor(tx: Transaction, part: _Slice, visitor_id: int) -> bool:
    # Messages before what was found in them: who reads them meanwhile finds nothing any more, and writes nothing down.
    return (
        part.clear(Message, Message.seq, Message.visitor_id == visitor_id)
        and part.clear(Run, Run.seq, Run.visitor_id == visitor_id)
        and part.clear(NudgeEvent, NudgeEvent.id, NudgeEvent.visitor_id == visitor_id)
        and all(_wipe_conversation(part, row.id) for row in tx.all(_CONVERSATIONS, visitor_id=visitor_id))
        and part.clear(Visitor, Visitor.id, Visitor.id == visitor_id)
    )


def _wipe_conversation(part: _Slice, conversation_id: int) -> bool:
    return (
        part.clear(Note, Note.id, Note.conversation_id == conversation_id)
        and part.clear(ConversationTerm, ConversationTerm.term, ConversationTerm.conversation_id == conversation_id)
        and part.clear(UnansweredAsk, UnansweredAsk.id, UnansweredAsk.conversation_id == conversation_id)
        and part.clear(Conversation, Conversation.id, Conversation.id == conversation_id)
    )
