"""Finds the messages that a site's knowledge did not answer, off the hot path: each message is reviewed exactly once.

What a reply rested on was noted by its run (`run.knowledge`): `missing` and `rejected` are listed. Of several
questions in a message each is asked again by itself, and so is what was answered by an older release. A visitor's
messages behind `visitor.reviewed_seq` are not yet reviewed.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vexar.knowledge.questions import questions
from vexar.knowledge.search import search
from vexar.knowledge.unanswered import asks, grouping
from vexar.knowledge.unanswered.grouping import Ask
from vexar.knowledge.unanswered.worth import question_of
from vexar.models import Message, Run, Site, Visitor
from vexar.sites.settings import read_settings
from vexar.store import P, Statement, Store, Transaction

# Visitors one write job may lock, and messages looked at in one go.
MAX_VISITORS, MESSAGES_A_READ = 20, 40
# Found by one look through all visitors; the next look finds the others.
MAX_FULL = 2_000
# A transaction takes its time before it commits; whoever looked in between has to look again that far back.
OVERLAP_MS = 60_000
# After a clock was set back, what was missed is found that late at the latest.
FULL_LOOK_S = 900
# What is older is not asked again: after an upgrade years of messages would keep the server busy for days.
LOOK_BACK_MS = 30 * 86_400_000
# Visitors come first: after each question that was asked again it rests as long as that took.
MAX_REST_S = 0.2
UNKNOWN_VERSION = -1

_BEHIND = Visitor.select(Visitor.id).where(Visitor.last_seq > Visitor.reviewed_seq)
_BEHIND_SINCE = Statement(_BEHIND.where(Visitor.changed_ms >= P.since_ms).order_by(Visitor.id))
_BEHIND_ANYWHERE = Statement(_BEHIND.order_by(Visitor.id).limit(MAX_FULL))
_VISITOR = Visitor.select(Visitor.id, Visitor.site_id, Visitor.lang, Visitor.last_seq, Visitor.reviewed_seq).where(
    Visitor.id == P.id
)
_LOOK = Statement(_VISITOR)
_LOCK = Statement(_VISITOR, lock=True)
_SITE = Statement(Site.select(Site.settings, Site.knowledge_version).where(Site.id == P.id))
_NEXT = Statement(
    Message.select(Message.seq, Message.role, Message.reply_to, Message.sources)
    .where((Message.visitor_id == P.visitor_id) & (Message.seq > P.since)).order_by(Message.seq).limit(P.limit)
)
_MESSAGE = Statement(
    Message.select(Message.seq, Message.conversation_id, Message.content, Message.created_ms)
    .where((Message.visitor_id == P.visitor_id) & (Message.seq == P.seq) & (Message.role == "visitor"))
)
_RUN = Statement(Run.select(Run.knowledge).where((Run.visitor_id == P.visitor_id) & (Run.seq == P.seq)))
_REVIEWED = Statement(Visitor.update(reviewed_seq=P.until).where(Visitor.id == P.id))


@dataclass
class Part:
    """A visitor's messages behind `since`, up to `until`, and what was not answered among them."""

    visitor_id: int
    site_id: int
    since: int
    until: int
    asks: list[Ask] = field(default_factory=list)


@dataclass(frozen=True)
class _Asked:
    """A message that was replied to, and what the reply rested on (run.knowledge)."""

    message: Any
    reply_seq: int
    knowledge: str


class _Marks:
    """Until when everything is known to be reviewed."""

    def __init__(self) -> None:
        self.until_ms = 0
        self.full_at_s = time.monotonic() + FULL_LOOK_S

    def since_ms(self) -> int:
        if time.monotonic() > self.full_at_s:
            self.__init__()
        return self.until_ms


_marks: weakref.WeakKeyDictionary[Store, _Marks] = weakref.WeakKeyDictionary()


def catch_up(store: Store, *, timeout_s: float = 2.0) -> bool:
    """Review what is not yet; False when time ran out before the end. Any number of workers may do it at once: what
    one has written down, the others leave out."""
    marks = _marks.setdefault(store, _Marks())
    give_up = time.monotonic() + timeout_s
    now_ms, found = store.read_heavy(_behind, since_ms=marks.since_ms())
    for start in range(0, len(found), MAX_VISITORS):
        if not _review(store, found[start:start + MAX_VISITORS], now_ms, give_up):
            return False
    if len(found) == MAX_FULL:
        return False
    marks.until_ms = now_ms - OVERLAP_MS
    return True


def is_answered(store: Store, site_id: int, site: Any, question: str, lang: str) -> bool:
    """Whether the knowledge answers a question now; see `answering`."""
    return answering(store, site_id, site, question, lang) is not None


def answering(store: Store, site_id: int, site: Any, question: str, lang: str) -> int | None:
    """The number of the entry that answers a question now, by the site's threshold (`site`: its row). Rests
    afterwards."""
    began = time.monotonic()
    found = search(store, site_id, question, lang=lang, limit=1)
    time.sleep(min(MAX_REST_S, time.monotonic() - began))
    threshold = read_settings(site.settings).answer_threshold or found.threshold
    return found.passages[0].entry_id if found.passages and found.confidence >= threshold else None


def find_site(tx: Transaction, *, site_id: int) -> Any:
    """Settings and knowledge version of a site, or None."""
    return tx.one(_SITE, id=site_id)


def _behind(tx: Transaction, *, since_ms: int) -> tuple[int, list[int]]:
    """The time before the look, and the visitors with something to review, ascending."""
    now_ms = tx.now_ms()
    rows = tx.all(_BEHIND_SINCE, since_ms=since_ms) if since_ms > 0 else tx.all(_BEHIND_ANYWHERE)
    return now_ms, [row.id for row in rows]


def _review(store: Store, waiting: Sequence[int], now_ms: int, give_up: float) -> bool:
    """Whether nothing is left of these visitors before time ran out."""
    while waiting:
        parts, plain = [], []
        for visitor_id in waiting:
            if time.monotonic() > give_up:
                break
            part = _next_part(store, visitor_id, now_ms - LOOK_BACK_MS, give_up)
            if part is not None:
                parts.append(part)
                plain += [] if _keep_asks(store, part) else [part]
        if plain:
            store.write(_write, parts=plain)
        if time.monotonic() > give_up:
            return False
        # Also those that seem to be done: another worker may have been faster, but not as far.
        waiting = [part.visitor_id for part in parts]
    return True


def _keep_asks(store: Store, part: Part) -> bool:
    """Write down a part with questions, by itself: the next one may belong to a group that it begins."""
    if not part.asks:
        return False
    terms = grouping.read_asks(part.asks)
    grouping.group(part.asks, *store.read_heavy(asks.compared, site_id=part.site_id, terms=terms))
    store.write(_write, parts=[part])
    return True


def _next_part(store: Store, visitor_id: int, oldest_ms: int, give_up: float) -> Part | None:
    visitor, site, rows, asked = store.read(_read_next, visitor_id=visitor_id)
    if visitor is None or visitor.last_seq <= visitor.reviewed_seq:
        return None
    part = Part(visitor.id, visitor.site_id, visitor.reviewed_seq, visitor.last_seq)
    # Numbers without a message were erased: there is nothing more up to the last one.
    if len(rows) == MESSAGES_A_READ:
        part.until = rows[-1].seq
    for each in asked if site else ():
        if time.monotonic() > give_up:
            part.until = each.reply_seq - 1
            break
        if each.message.created_ms >= oldest_ms:
            part.asks += _unanswered(store, visitor, site, each)
    return part


def _read_next(tx: Transaction, *, visitor_id: int) -> tuple[Any, Any, list, list[_Asked]]:
    """The visitor, its site, its next messages, and what the replies among them were given to."""
    visitor = tx.one(_LOOK, id=visitor_id)
    if visitor is None or visitor.last_seq <= visitor.reviewed_seq:
        return visitor, None, [], []
    rows = tx.all(_NEXT, visitor_id=visitor_id, since=visitor.reviewed_seq, limit=MESSAGES_A_READ)
    asked = []
    for row in rows:
        if row.role == "assistant" and row.reply_to:
            message = tx.one(_MESSAGE, visitor_id=visitor_id, seq=row.reply_to)
            run = tx.one(_RUN, visitor_id=visitor_id, seq=row.reply_to)
            if message is not None:
                asked.append(_Asked(message, row.seq, _rested_on(run, row)))
    return visitor, find_site(tx, site_id=visitor.site_id), rows, asked


def _rested_on(run: Any, reply: Any) -> str:
    """As the run says; of an older release only that the reply named a source."""
    return (run.knowledge if run else "") or ("known" if len(reply.sources) > len("[]") else "")


def _unanswered(store: Store, visitor: Any, site: Any, asked: _Asked) -> Iterator[Ask]:
    """The questions of a message that the knowledge does not answer; of several, one may have been."""
    several = questions(asked.message.content)
    if asked.knowledge == "known" and len(several) < 2:
        return
    is_clear = len(several) < 2 and bool(asked.knowledge)
    for place, one in enumerate(several):
        question = question_of(one)
        if question and (is_clear or not is_answered(store, visitor.site_id, site, one, visitor.lang)):
            # The run asked an earlier version, nobody knows which: the next start or change asks again.
            version = UNKNOWN_VERSION if is_clear else site.knowledge_version
            yield Ask(visitor.site_id, visitor.id, asked.message.seq, place, asked.message.conversation_id, question,
                      visitor.lang, version, asked.message.created_ms,
                      is_rejected=asked.knowledge == "rejected" and is_clear)


def _write(tx: Transaction, *, parts: list[Part]) -> None:
    """Store parts; one that another worker or an eraser was faster with is left out."""
    # All locks first and in order, as everybody takes them.
    rows = [(part, tx.one(_LOCK, id=part.visitor_id)) for part in sorted(parts, key=lambda part: part.visitor_id)]
    for part, row in rows:
        if row is None or row.reviewed_seq != part.since:
            continue
        # Messages never change, but one may have been erased since it was read.
        still = [ask for ask in part.asks if tx.one(_MESSAGE, visitor_id=ask.visitor_id, seq=ask.seq)]
        asks.add(tx, still)
        tx.run(_REVIEWED, id=part.visitor_id, until=part.until)
