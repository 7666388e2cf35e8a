"""What changed for the operators of some sites: one read for all their streams, and what one of them missed.

Rows are found by their changed time with an overlap, and told apart by what is known of them already. It knows
nothing of streams or rings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vexar.conversing import messages
from vexar.desk import inbox, listing
from vexar.models import Conversation, Note, Site, Visitor
from vexar.people import presence
from vexar.store import P, Statement, Transaction

# A transaction carries the time it began, and may wait for a lock meanwhile.
OVERLAP_MS = 10_000
# More news than that at once, and reading the snapshot again is cheaper for everybody.
MAX_CONVERSATIONS = 200
# The overlap brings most rows again and again, which is cheap: a row is only compared.
MAX_ROWS = 5_000
MAX_MESSAGES = 500

_ROWS = Conversation.select(Conversation)
_VISITORS = Visitor.select(Visitor.id, Visitor.last_seq)
_NOTES = Note.select(Note)


class Watched:
    """Some sites, with the statements that look at them; made again only when the sites change."""

    def __init__(self, site_ids: Iterable[int]) -> None:
        self.site_ids = tuple(sorted(site_ids))
        self.changed = Statement(
            _ROWS.where(Conversation.site_id.in_(self.site_ids) & (Conversation.changed_ms >= P.since_ms))
            .order_by(Conversation.changed_ms).limit(MAX_ROWS)
        )
        self.sites = Statement(Site.select(Site.id, Site.changed_ms).where(Site.id.in_(self.site_ids)))


@dataclass
class Known:
    """What was found so far. `rows`: conversation id -> (its row, its visitor's newest number then); `sites`: when
    each changed; `presence`: (site, operator) -> as on the wire; `since_ms`: when that was."""

    since_ms: int
    rows: dict[int, tuple[Any, int]] = field(default_factory=dict)
    sites: dict[int, int] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=dict)
    presence: dict[tuple[int, int], dict] = field(default_factory=dict)


class Told(NamedTuple):
    """One thing to tell the operators of a site: a type of events.py and its payload."""

    site_id: int
    type: str
    payload: dict


def begin(tx: Transaction, *, watched: Watched) -> Known:
    """What is known when nobody was told anything yet: whatever is committed from here on is news."""
    now_ms = tx.now_ms()
    rows = tx.all(watched.changed, since_ms=now_ms - OVERLAP_MS)
    numbers = _newest_numbers(tx, rows)
    return Known(
        now_ms,
        rows={row.id: (row, numbers[row.visitor_id]) for row in rows if row.visitor_id in numbers},
        sites={row.id: row.changed_ms for row in tx.all(watched.sites)},
        notes={row.id: row.created_ms for row in _notes(tx, rows, now_ms - OVERLAP_MS)},
        presence=_presence(tx, watched),
    )


def look(
    tx: Transaction, *, watched: Watched, known: Known, image_base: str, also: tuple[int, ...] = (),
    with_presence: bool = True,
) -> tuple[list[Told], Known]:
    """What is news since `known`, and what is known now. `also`: conversations that changed without a time."""
    now_ms = tx.now_ms()
    start_ms = known.since_ms - OVERLAP_MS
    sites = {row.id: row.changed_ms for row in tx.all(watched.sites)}
    found = [
        Told(site_id, "reset", {}) for site_id in watched.site_ids
        if site_id in known.sites and sites.get(site_id) != known.sites[site_id]
    ]
    rows = tx.all(watched.changed, since_ms=start_ms)
    if also:
        ids = {row.id for row in rows}
        rows += [row for row in tx.all(_ROWS.where(Conversation.id.in_(also))) if row.id not in ids]
    news = [row for row in rows if row.id not in known.rows or known.rows[row.id][0] != row]
    numbers = _newest_numbers(tx, news)
    is_too_much = len(news) > MAX_CONVERSATIONS or len(rows) >= MAX_ROWS
    if is_too_much:
        found = [Told(site_id, "reset", {}) for site_id in watched.site_ids]
    told = [] if is_too_much else news
    notes = _notes(tx, told, start_ms)
    found += _tell(tx, told, known, start_ms=start_ms, image_base=image_base)
    found += _tell_notes(tx, [row for row in notes if row.id not in known.notes], told)
    now_there = _presence(tx, watched) if with_presence else known.presence
    found += _presence_told(known.presence, now_there)
    kept = {row.id: known.rows[row.id] for row in rows if row.id in known.rows}
    kept.update({row.id: (row, numbers[row.visitor_id]) for row in news if row.visitor_id in numbers})
    told_notes = {**known.notes, **{row.id: row.created_ms for row in notes}}
    return found, Known(
        now_ms, rows=kept, sites=sites, presence=now_there,
        notes={note_id: ms for note_id, ms in told_notes.items() if ms >= start_ms},
    )


def missed(tx: Transaction, *, watched: Watched, since_ms: int, image_base: str) -> tuple[list[Told] | None, int]:
    """What somebody who stopped listening at `since_ms` has to hear, some of it perhaps again, and the time now;
    None instead when only the snapshot helps."""
    now_ms = tx.now_ms()
    start_ms = since_ms - OVERLAP_MS
    if since_ms > now_ms or any(row.changed_ms >= start_ms for row in tx.all(watched.sites)):
        return None, now_ms
    rows = tx.all(watched.changed, since_ms=start_ms)
    if len(rows) > MAX_CONVERSATIONS:
        return None, now_ms
    found = _tell(tx, rows, Known(0), start_ms=start_ms, image_base=image_base)
    if any(told.type == "reset" for told in found) or len(found) > MAX_MESSAGES:
        return None, now_ms
    found += _tell_notes(tx, _notes(tx, rows, start_ms), rows)
    found += _presence_told({}, _presence(tx, watched))
    return found, now_ms


def _tell(tx: Transaction, rows: list, known: Known, *, start_ms: int, image_base: str) -> list[Told]:
    """The conversations as they are now, each followed by its new messages."""
    found = []
    shown = {row["id"]: row for row in inbox.rows_to_wire(tx, rows)}
    for row in rows:
        if row.id not in shown:
            continue
        found.append(Told(row.site_id, "conversation", {"conversation": shown[row.id]}))
        spoken = _new_messages(tx, row, known.rows.get(row.id), start_ms)
        if spoken is None:
            found.append(Told(row.site_id, "reset", {}))
            continue
        for message in listing.messages_to_wire(tx, spoken, image_base):
            found.append(Told(row.site_id, "message", {"conversation_id": row.id, "message": message}))
    return found


def _new_messages(tx: Transaction, row: Any, known: tuple[Any, int] | None, start_ms: int) -> list | None:
    """Rows of the messages nobody was told of; None when they are too many."""
    if known is None:
        # Not in the window before: what was told of it was said before the window began.
        spoken = [one for one in messages.newest(tx, row.visitor_id, limit=MAX_CONVERSATIONS)
                  if one.created_ms >= start_ms]
    else:
        spoken = messages.since(tx, row.visitor_id, known[1], limit=MAX_CONVERSATIONS)
    return None if len(spoken) == MAX_CONVERSATIONS else [one for one in spoken if one.conversation_id == row.id]


def _newest_numbers(tx: Transaction, rows: list) -> dict[int, int]:
    if not rows:
        return {}
    found = tx.all(_VISITORS.where(Visitor.id.in_(sorted({row.visitor_id for row in rows}))))
    return {row.id: row.last_seq for row in found}


def _notes(tx: Transaction, rows: list, start_ms: int) -> list:
    if not rows:
        return []
    ids = [row.id for row in rows]
    return tx.all(_NOTES.where(Note.conversation_id.in_(ids) & (Note.created_ms >= start_ms)).order_by(Note.id))


def _tell_notes(tx: Transaction, notes: list, rows: list) -> list[Told]:
    sites = {row.id: row.site_id for row in rows}
    return [
        Told(sites[row.conversation_id], "note", {"conversation_id": row.conversation_id, "note": shown})
        for row, shown in zip(notes, listing.notes_to_wire(tx, notes), strict=True)
    ]


def _presence(tx: Transaction, watched: Watched) -> dict[tuple[int, int], dict]:
    rows = presence.everyone(tx, watched.site_ids)
    return {
        (row.site_id, row.id): {"id": row.id, "name": row.name, "avatar_url": row.avatar_url}
        for row in rows if row.is_online
    }


def _presence_told(before: dict, now: dict) -> list[Told]:
    changes = [(key, now[key], True) for key in now if before.get(key) != now[key]]
    changes += [(key, before[key], False) for key in before if key not in now]
    return [
        Told(key[0], "presence", {"operator": operator, "site_id": key[0], "online": is_online})
        for key, operator, is_online in changes
    ]
