"""A visitor's row: numbers in commit order, one visitor per session, one open conversation, true counters."""

from __future__ import annotations

import itertools
from contextlib import closing

import pytest

from tests.conftest import add_site
from tests.desk import add_operator, all_rows
from tests.wire import all_at_once
from vexar.conversing import handover, messages, visitors
from vexar.conversing.visitors import LockedVisitor
from vexar.store import Store, Transaction, open_store


@pytest.fixture
def stores(store, database_url) -> list[Store]:
    """Four processes' worth of stores on one database."""
    add_site(store)
    with closing(open_store(database_url)) as second, closing(open_store(database_url)) as third:
        yield [store, second, third, store]


def append(tx: Transaction, *, role: str, content: str, session_id: str = "ann", message_id: str | None = None) -> int:
    """Store one message."""
    visitor = LockedVisitor.find_or_create(tx, 1, session_id)
    conversation = visitor.open_conversation()
    seq = visitor.append(role, content, conversation_id=conversation.id, message_id=message_id)
    visitor.save()
    return seq


def stored(store: Store, session_id: str = "ann") -> list:
    """The rows of a visitor's messages."""
    return store.read(_stored, session_id=session_id)


def _stored(tx: Transaction, *, session_id: str) -> list:
    visitor = visitors.find(tx, 1, session_id)
    return messages.newest(tx, visitor.id, limit=1_000) if visitor else []


def test_numbers_have_no_gaps_however_many_write_at_once(stores):
    """Visitors, operators and failing jobs, from several processes; the first visit is part of the race."""
    olga = add_operator(stores[0])

    def write(place: int) -> list[int]:
        store = stores[place % len(stores)]
        seqs = []
        for number in range(10):
            seqs.append(store.write(append, role="visitor", content=f"{place}-{number}"))
            seqs.append(store.write(handover.say, site_id=1, session_id="ann", operator=olga, content="yes"))
            with pytest.raises(ZeroDivisionError):
                store.write(append_and_fail)
        return seqs

    told = all_at_once([lambda place=place: write(place) for place in range(8)])
    rows = stored(stores[0])
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    # 160 messages, and one line that says that a person came.
    assert len(rows) == 161
    assert sorted(itertools.chain(*told)) == sorted(row.seq for row in rows if row.role != "system")
    # Everybody's own messages stand in the order of sending, under the numbers that were returned.
    for place, seqs in enumerate(told):
        assert seqs == sorted(seqs)
        own = [row.seq for row in rows if row.content.startswith(f"{place}-")]
        assert own == seqs[::2]


def append_and_fail(tx: Transaction) -> None:
    append(tx, role="visitor", content="never")
    raise ZeroDivisionError


def test_a_reader_never_sees_a_number_before_all_smaller_ones(stores):
    """Else a cursor would skip the one that comes late."""
    gaps = []

    def read() -> None:
        for _ in range(100):
            seqs = [row.seq for row in stored(stores[1])]
            if seqs != list(range(1, len(seqs) + 1)):
                gaps.append(seqs)

    def write() -> None:
        for _ in range(20):
            stores[0].write(append, role="visitor", content="x")

    all_at_once([write, write, write, read])
    assert gaps == []
    assert len(stored(stores[0])) == 60


def test_a_session_is_one_visitor_with_one_open_conversation_however_it_comes_first(stores):
    for session in ("first", "second", "third"):
        seqs = all_at_once([
            lambda place=place, session=session: stores[place % len(stores)].write(
                append, role="visitor", content=str(place), session_id=session
            )
            for place in range(12)
        ])
        assert sorted(seqs) == list(range(1, 13))
    rows = all_rows(stores[0])
    assert len(rows["Visitor"]) == 3
    assert len(rows["Conversation"]) == 3


def test_the_same_session_on_another_site_is_another_visitor(store):
    for site_id in (add_site(store), add_site(store, "sk_other")):
        store.write(lambda tx, site_id=site_id: LockedVisitor.find_or_create(tx, site_id, "ann").id)
    assert len(all_rows(store)["Visitor"]) == 2


def test_session_ids_differ_by_case(store):
    add_site(store)
    for session in ("Ann", "ann", "ANN"):
        store.write(append, role="visitor", content=session, session_id=session)
    assert [row.content for row in stored(store, "ann")] == ["ann"]
    assert len(all_rows(store)["Visitor"]) == 3


def test_the_counters_of_a_conversation_are_true(store):
    add_site(store)
    olga = add_operator(store)
    scope = {"site_id": 1, "session_id": "ann"}
    store.write(append, role="visitor", content="Hello")
    store.write(handover.say, **scope, operator=olga, content="x" * 500 + "\U0001f600")
    store.write(handover.return_to_ai, **scope)
    store.write(handover.close, **scope)
    store.write(handover.propose, **scope, operator=olga, content="\U0001f600" * 300)
    rows = all_rows(store)
    for conversation in rows["Conversation"]:
        own = [row for row in rows["Message"] if row.conversation_id == conversation.id]
        assert conversation.messages_count == len(own)
        assert conversation.last_message == max(own, key=lambda row: row.seq).content[:200]
        assert conversation.first_seq == min(row.seq for row in own)
    assert [row.messages_count for row in rows["Conversation"]] == [4, 1]
    (visitor,) = rows["Visitor"]
    assert visitor.last_seq == len(rows["Message"]) == 5


def test_text_is_stored_exactly_on_both_engines(store):
    add_site(store)
    texts = [
        "größer", " spaces ", "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301", "שלום مرحبا", "\u2028\x7f\r\n\t",
        "x" * 4_000,
    ]
    for text in texts:
        store.write(append, role="visitor", content=text, message_id=text[:64])
    assert [(row.content, row.message_id) for row in stored(store)] == [(text, text[:64]) for text in texts]


def test_ids_of_senders_are_told_apart_byte_by_byte(store):
    add_site(store)
    for message_id in ("m", "M", "m ", "ḿ"):
        store.write(append, role="visitor", content=message_id, message_id=message_id)
    assert [row.message_id for row in stored(store)] == ["m", "M", "m ", "ḿ"]


def test_pages_of_messages(store):
    add_site(store)
    for number in range(1, 6):
        store.write(append, role="visitor", content=str(number))
    visitor_id = all_rows(store)["Visitor"][0].id

    def seqs(job, *arguments, **named) -> list[int]:
        return [row.seq for row in store.read(lambda tx: job(tx, visitor_id, *arguments, **named))]

    assert seqs(messages.newest, limit=2) == [4, 5]
    assert seqs(messages.newest, before=4, limit=2) == [2, 3]
    assert seqs(messages.newest, before=0) == []
    assert seqs(messages.since, 3) == [4, 5]
    assert seqs(messages.since, 0, limit=2) == [1, 2]
    assert store.read(lambda tx: messages.one(tx, visitor_id, 3)).content == "3"
    assert store.read(lambda tx: messages.one(tx, visitor_id, 6)) is None


@pytest.mark.parametrize(("ms", "text"), [
    (None, None), (0, "1970-01-01T00:00:00.000Z"), (1_763_000_000_007, "2025-11-13T02:13:20.007Z"),
    (1_763_000_000_999, "2025-11-13T02:13:20.999Z"),
])
def test_times_on_the_wire(ms, text):
    assert messages.to_time(ms) == text
