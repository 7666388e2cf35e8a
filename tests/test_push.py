"""Live push: what an open chat/events tells, from where it goes on, and what a lost ring costs."""

from __future__ import annotations

import contextlib
import copy
import json
import threading
import time
from contextlib import closing
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from tests.conftest import add_site, config_for
from tests.desk import add_operator, all_rows, far_away
from tests.services import wait_until
from tests.wire import Live, ask, history, post, scope
from vexar import models
from vexar.broker import Broker
from vexar.conversing import messages
from vexar.conversing.conversations import Conversations
from vexar.conversing.visitors import LockedVisitor, block_channel, channel, site_channel
from vexar.events import Event
from vexar.live.push import Streams, Tick
from vexar.live.visitor_stream import MAX_MISSED
from vexar.parts import Parts
from vexar.store import Store, StoreError, Transaction, open_store

EVENTS = "/api/v1/chat/events"


@pytest.fixture
def app(make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url)


@pytest.fixture
def parts(app) -> Parts:
    """Its live objects."""
    return app.extensions["vexar"]


@pytest.fixture
def olga(parts) -> SimpleNamespace:
    """An operator of the site."""
    return add_operator(parts.store, "Olga", "https://shop.example/olga.png")


@pytest.fixture
def verbs(parts) -> Conversations:
    """What operators do, until they have endpoints."""
    return parts.conversations


def watch(client, session="ann", *, last=None, **query) -> Live:
    """An open chat/events."""
    return Live(client, "GET", f"{EVENTS}?{urlencode(scope(session, **query))}", None, last, "text/event-stream")


def begin(client, session="ann", *, last=None, **query) -> list[dict]:
    """What a new stream says at once."""
    with watch(client, session, last=last, **query) as live:
        return live.when(lambda: len(live.events) >= 2, "mode and block").events


class Reader:
    """An open stream without HTTP: it sees an event as soon as it is there, and knows when there is none."""

    def __init__(self, parts: Parts, session: str = "ann", since: int | None = None, address: str = "10.0.0.7") -> None:
        self._stream = parts.streams.open(1, session, address=address, since=since, on_close=lambda: None)
        self.last = since

    def news(self, timeout_s: float = 0.01) -> list[dict]:
        """Every event until none comes for `timeout_s`."""
        found: list[dict] = []
        while events := self._stream.next(timeout_s):
            found += [self._read(event) for event in events]
        return found

    def wait_for(self, count: int) -> list[dict]:
        """Every event until there are so many."""
        found: list[dict] = []
        give_up = time.monotonic() + 10
        while len(found) < count:
            assert time.monotonic() < give_up, f"waited in vain for {count} events: {found}"
            found += self.news(0.05)
        return found

    def _read(self, event: Event) -> dict:
        told = json.loads(event.data)
        self.last = int(event.id) if event.id is not None else self.last
        return {**told, "id": event.id}

    def close(self) -> None:
        """The reader leaves."""
        self._stream.close()


class Widget:
    """What a page knows: a snapshot, kept true by events alone."""

    def __init__(self, client, session: str = "ann") -> None:
        answer = client.get(f"/api/v1/chat/history?{urlencode(scope(session, limit=200))}").json
        block = client.get(f"/api/v1/chat/block-status?{urlencode(scope(session))}").json
        polled = client.get(f"/api/v1/chat/operator-messages?{urlencode(scope(session, since=0))}").json
        self.messages = answer["messages"]
        self.cursor = answer["cursor"]
        self.mode = polled["mode"]
        self.block = (block["blocked"], block["reason"], block["until"])
        self.is_open = answer["conversation_id"] is not None

    def take(self, events: list[dict]) -> None:
        """Apply some events; a message that comes twice or too early is a broken promise."""
        for event in events:
            getattr(self, f"_{event['type']}")(event)
            # An id is never ahead of what was delivered.
            assert event["id"] is None or int(event["id"]) == self.cursor

    def _message(self, event: dict) -> None:
        assert event["message"]["id"] == self.cursor + 1
        self.messages.append(event["message"])
        self.cursor += 1
        self.is_open = True

    def _mode(self, event: dict) -> None:
        self.mode = event["mode"]

    def _blocked(self, event: dict) -> None:
        self.block = (event["blocked"], event["reason"], event["until"])

    def _closed(self, event: dict) -> None:
        self.is_open = False

    def _typing(self, event: dict) -> None:
        assert event["who"] == "operator"


# What a stream begins with.


def test_the_bytes_of_the_first_events(client, verbs, olga):
    ask(client, "Hello")
    verbs.say(1, "ann", olga, content="Good morning", message_id="o1")
    with watch(client, since=3) as live:
        live.when(lambda: len(live.events) == 3, "three events")
        assert live.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert live.headers["Cache-Control"] == "no-store"
        assert live.headers["X-Accel-Buffering"] == "no"
    comment, events = live.raw[:2], live.raw[2:]
    assert comment == b":\n"
    mode, block, message, rest = events.split(b"\n\n")
    assert mode == (
        b'data: {"type":"mode","mode":"operator","operator":{"name":"Olga","avatar_url":"https://shop.example/olga.png"}}'
        b"\nid: 3"
    )
    assert block == b'data: {"type":"blocked","blocked":false,"reason":null,"until":null}\nid: 3'
    assert message.startswith(b'data: {"type":"message","message":{"id":4,"message_id":"o1","role":"operator",')
    assert message.endswith(b"}}\nid: 4")
    assert rest == b""


def test_the_current_mode_and_block_come_first_and_without_a_cursor_the_stream_starts_now(client, parts, verbs):
    ask(client, "Hello")
    with closing(Reader(parts)) as reader:
        first = reader.news()
        assert [(event["type"], event["id"]) for event in first] == [("mode", "2"), ("blocked", "2")]
        ask(client, "More")
        assert [event["message"]["id"] for event in reader.news()] == [3, 4]


def test_a_message_event_is_the_json_of_the_history(client, parts, verbs, olga):
    ask(client, "Hello", "m1")
    verbs.accept(1, "ann", olga)
    verbs.say(1, "ann", olga, content="Good morning", message_id="o1")
    verbs.propose(1, "ann", None, content="Look at this")
    stored = history(client)
    assert [message["role"] for message in stored] == ["visitor", "assistant", "system", "operator", "proactive"]
    told = begin(client, since=0)
    assert [event["message"] for event in told if event["type"] == "message"] == stored
    assert [event["id"] for event in told[2:]] == ["1", "2", "3", "4", "5"]


def test_last_event_id_wins_over_since_and_nonsense_is_no_cursor(client):
    ask(client, "Hello")
    ask(client, "More")
    assert [event["id"] for event in begin(client, since=0, last="3")] == ["3", "3", "4"]
    assert [event["id"] for event in begin(client, since=3, last="r1-end")] == ["3", "3", "4"]
    assert [event["id"] for event in begin(client, last="-1")] == ["4", "4"]


@pytest.mark.parametrize("since", [3, 2**53 - 1])
def test_a_cursor_beyond_the_end_is_reset(client, parts, since):
    ask(client, "Hello")
    told = begin(client, since=since)
    assert [event["type"] for event in told] == ["mode", "blocked", "reset"]
    # Cut off before the reset, the reader comes back with a cursor that is reset again.
    assert [event["id"] for event in told] == [str(since), str(since), "2"]


def test_a_cursor_of_a_session_nobody_has_seen_is_reset(client):
    assert [event["type"] for event in begin(client, "nobody", since=1)] == ["mode", "blocked", "reset"]
    assert [event["type"] for event in begin(client, "nobody", since=0)] == ["mode", "blocked"]


def test_a_cursor_too_old_is_reset_and_the_stream_goes_on_behind_it(client, parts):
    ask(client, "Hello")
    parts.store.write(append_many, session_id="ann", count=MAX_MISSED)
    with closing(Reader(parts, since=1)) as reader:
        first = reader.news()
        assert [(event["type"], event["id"]) for event in first] == [
            ("mode", "1"), ("blocked", "1"), ("reset", str(MAX_MISSED + 2)),
        ]
        ask(client, "More")
        assert [event["message"]["id"] for event in reader.news()] == [MAX_MISSED + 3, MAX_MISSED + 4]
    assert len(begin(client, since=4)) == 2 + MAX_MISSED


def append_many(tx: Transaction, *, session_id: str, count: int) -> None:
    visitor = LockedVisitor.find(tx, 1, session_id)
    for number in range(count):
        visitor.append("system", f"line {number}", conversation_id=visitor.conversation_id)
    visitor.save()


def test_a_stream_opened_before_the_visitor_exists_sees_the_first_message(client, parts):
    with closing(Reader(parts)) as reader:
        assert [event["id"] for event in reader.news()] == ["0", "0"]
        ask(client, "Hello")
        assert [event["message"]["role"] for event in reader.news()] == ["visitor", "assistant"]


def test_what_was_closed_meanwhile_is_told(client, parts, verbs):
    ask(client, "Hello")
    number = verbs.close(1, "ann")
    told = begin(client, since=1)
    assert [event["type"] for event in told] == ["mode", "blocked", "message", "closed"]
    assert told[-1] == {"type": "closed", "conversation_id": number, "id": "2"}


def test_a_widget_told_of_a_block_hears_its_reason_and_end(client, parts, verbs):
    until_ms = int(time.time() * 1000) + 60_000
    verbs.block(1, "session", "ann", reason="spam", until_ms=until_ms)
    blocked = begin(client)[1]
    assert blocked == {
        "type": "blocked", "blocked": True, "reason": "spam", "until": messages.to_time(until_ms), "id": "0",
    }
    assert begin(client, "ben")[1]["blocked"] is False


# Whatever is published: snapshot + events == fresh snapshot.

ACTIONS = {
    "message": lambda cast: ask(cast.client, "Hello again"),
    "accept": lambda cast: cast.verbs.accept(1, "ann", cast.olga),
    "say": lambda cast: cast.verbs.say(1, "ann", cast.olga, content="Good morning"),
    "transfer": lambda cast: cast.verbs.transfer(1, "ann", operator=cast.olga, to=cast.otto.id),
    "another operator": lambda cast: cast.verbs.say(1, "ann", cast.otto, content="Me too"),
    "a message to a person": lambda cast: ask(cast.client, "Are you real?"),
    "return": lambda cast: cast.verbs.return_to_ai(1, "ann"),
    "request-operator": lambda cast: post(cast.client, "chat/request-operator"),
    "accept what waits": lambda cast: cast.verbs.accept(1, "ann", cast.olga),
    "block by session": lambda cast: cast.verbs.block(1, "session", "ann", reason="spam"),
    "replace the block": lambda cast: cast.verbs.block(1, "session", "ann", reason="still", until_ms=2**42),
    "say to a blocked visitor": lambda cast: cast.verbs.say(1, "ann", cast.olga, content="Please do not"),
    "unblock": lambda cast: cast.verbs.unblock(1, "ann"),
    "close": lambda cast: cast.verbs.close(1, "ann"),
    "propose": lambda cast: cast.verbs.propose(1, "ann", cast.olga, content="Look at this"),
    "close over HTTP": lambda cast: post(cast.client, "chat/close"),
    "begin anew": lambda cast: ask(cast.client, "New"),
    "accept anew": lambda cast: cast.verbs.accept(1, "ann", cast.otto),
    "close by an operator": lambda cast: cast.verbs.close_by_operator(1, "ann", operator=cast.otto),
    "begin once more": lambda cast: ask(cast.client, "Once more"),
    "accept once more": lambda cast: cast.verbs.accept(1, "ann", cast.otto),
    "a clock": lambda cast: ring_the_clock(cast),
    "note": lambda cast: add_note(cast),
    "rate": lambda cast: post(cast.client, "chat/rate", score=5),
    "contact": lambda cast: post(cast.client, "chat/contact", email="ann@shop.example"),
    "read": lambda cast: post(cast.client, "chat/read", cursor=1),
    "operator types": lambda cast: cast.verbs.operator_types(1, "ann", True),
    "block by address": lambda cast: cast.verbs.block(1, "ip", "127.0.0.0/8", until_ms=2**42),
    "unblock the address": lambda cast: cast.verbs.unblock(1, "ann"),
    "block by email": lambda cast: cast.verbs.block(1, "email", "Ann@Shop.Example"),
    "unblock the email": lambda cast: cast.verbs.unblock(1, "ann"),
}


def the_open(parts: Parts) -> object:
    """The row of the conversation that is open."""
    return next(row for row in all_rows(parts.store)["Conversation"] if row.closed_ms is None)


def ring_the_clock(cast) -> None:
    """Nobody said a first word in time."""
    row = the_open(cast.parts)
    late = models.Conversation.update(clock_ms=1, accepted_ms=1, visitor_said_ms=1)
    late = late.where(models.Conversation.id == row.id)
    cast.parts.store.write(lambda tx: tx.run(late))
    assert cast.verbs.ring_clock(visitor_id=row.visitor_id, conversation_id=row.id)


def add_note(cast) -> None:
    """Something that visitors never get."""
    ask(cast.client, "And now?")
    row = the_open(cast.parts)
    cast.verbs.add_note(
        1, visitor_id=row.visitor_id, conversation_id=row.id, operator_id=cast.otto.id, content="Be kind"
    )


@pytest.fixture
def cast(client, verbs, olga, parts) -> SimpleNamespace:
    """Who takes part in the actions."""
    otto = add_operator(parts.store, "Otto")
    return SimpleNamespace(client=client, verbs=verbs, parts=parts, olga=olga, otto=otto)


def local(parts: Parts, since: int | None = None) -> Reader:
    """A stream from the address of Flask's test client."""
    return Reader(parts, since=since, address="127.0.0.1")


def test_snapshot_and_events_make_a_fresh_snapshot_after_everything_that_is_published(cast, parts):
    """For a stream without a cursor, for one with a cursor that was slow to read, and for who reconnects with the
    Last-Event-ID of any event: no gap and no repeat."""
    ask(cast.client, "Hello")
    told, slow = Widget(cast.client), Widget(cast.client)
    with closing(local(parts)) as reader:
        told.take(reader.news())
        for name, action in ACTIONS.items():
            with closing(local(parts, slow.cursor)) as open_before:
                action(cast)
                slow.take(open_before.news())
            events = reader.news()
            fresh = vars(Widget(cast.client))
            assert vars(slow) == fresh, name
            for place in range(len(events)):
                shown = copy.deepcopy(told)
                shown.take(events[:place])
                with closing(local(parts, shown.cursor)) as again:
                    shown.take(again.news(0.001))
                assert vars(shown) == fresh, (name, place)
            told.take(events)
            assert vars(told) == fresh, name
    assert [message["id"] for message in told.messages] == list(range(1, len(told.messages) + 1))
    assert [message["role"] for message in told.messages].count("operator") == 3


# Nobody else's.


def test_ben_gets_nothing_of_ann_nor_does_ann_of_another_site(client, parts, verbs, olga):
    other = add_site(parts.store, "sk_other")
    with closing(Reader(parts, "ben", since=0)) as ben, \
            closing(parts.streams.open(other, "ann", address=None, since=0, on_close=lambda: None)) as elsewhere:
        ben.news()
        elsewhere.next(0.01)
        ask(client, "Hello")
        verbs.say(1, "ann", olga, content="Good morning")
        verbs.operator_types(1, "ann", True)
        verbs.close(1, "ann")
        assert ben.news() == []
        assert elsewhere.next(0.01) == []
        verbs.block(1, "session", "ann")
        assert ben.news() == []
        assert elsewhere.next(0.01) == []
    assert len(begin(client, "ben", since=0)) == 2


def test_a_burst_of_messages_does_not_wake_the_streams_of_others(client, parts, verbs):
    """A woken stream reads the database: a busy site must not cost every open widget a read per message."""
    tick = Tick(parts.store, parts.broker)
    verbs.propose(1, "ann", None, content="Hello")
    tick.ring_changed()
    with closing(parts.broker.listen(channel(1, "ann"), block_channel(1))) as bell:
        for number in range(20):
            verbs.propose(1, f"other{number}", None, content="Look at this")
            tick.ring_changed()
        assert not bell.wait(0)


# Typing is never stored.


def test_an_operator_who_types_is_told_and_never_stored(client, parts, verbs):
    ask(client, "Hello")
    with closing(Reader(parts)) as reader:
        reader.news()
        before = all_rows(parts.store)
        verbs.operator_types(1, "ann", True)
        assert reader.news() == [{"type": "typing", "who": "operator", "on": True, "id": None}]
        assert polled(client)["typing"] is True
        assert polled(client, "ben")["typing"] is False
        verbs.operator_types(1, "ann", False)
        assert reader.news() == [{"type": "typing", "who": "operator", "on": False, "id": None}]
        assert polled(client)["typing"] is False
        assert all_rows(parts.store) == before


def test_who_stops_typing_without_saying_so_is_forgotten(client, verbs, monkeypatch):
    monkeypatch.setattr("vexar.live.visitor_stream.TYPING_S", 0.05)
    verbs.operator_types(1, "ann", True)
    wait_until(lambda: not polled(client)["typing"], "the end of typing", 5)


def test_an_open_stream_hears_that_somebody_stopped_typing_without_saying_so(client, parts, verbs, monkeypatch):
    monkeypatch.setattr("vexar.live.visitor_stream.TYPING_S", 0.05)
    with closing(Reader(parts)) as reader:
        reader.news()
        verbs.operator_types(1, "ann", True)
        assert [event["on"] for event in reader.wait_for(2)] == [True, False]
        assert reader.news(0.1) == []


def test_a_visitor_who_types_is_told_to_the_operators_and_never_stored(client, parts):
    ask(client, "Hello")
    before = all_rows(parts.store)
    with closing(parts.broker.listen(site_channel(1))) as bell:
        assert post(client, "chat/typing").status == 200
        assert post(client, "chat/typing", on=False).status == 200
        assert bell.notes() == [{"typing": True, "session_id": "ann"}, {"typing": False, "session_id": "ann"}]
    assert all_rows(parts.store) == before


def polled(client, session="ann", **query) -> dict:
    return client.get(f"/api/v1/chat/operator-messages?{urlencode(scope(session, **query))}").json


def test_polling_gives_the_same_facts(client, verbs, olga):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    verbs.say(1, "ann", olga, content="Good morning")
    told = begin(client, since=2)
    answer = polled(client, since=2)
    assert answer["messages"] == [event["message"] for event in told if event["type"] == "message"]
    assert answer["mode"] == told[0]["mode"] == "operator"
    assert str(answer["cursor"]) == told[-1]["id"]


# A lost ring.


@pytest.fixture
def quick_tick(monkeypatch) -> None:
    """The safety tick comes so often that a test need not wait for it."""
    monkeypatch.setattr("vexar.live.push.TICK_S", 0.02)


@pytest.fixture
def quick_app(quick_tick, make_app) -> object:
    """An app with a quick tick."""
    return make_app()


def test_a_lost_ring_costs_one_tick(quick_app):
    parts = quick_app.extensions["vexar"]
    client = quick_app.test_client()
    ask(client, "Hello")
    olga = add_operator(parts.store)
    with far_away(parts.config) as far, closing(Reader(parts)) as reader:
        reader.news()
        far.say(1, "ann", olga, content="Good morning")
        assert [event["type"] for event in reader.wait_for(3)] == ["message", "message", "mode"]


@pytest.mark.parametrize(("verb", "types"), [
    ("return_to_ai", ["message", "mode"]), ("close", ["closed", "mode"]), ("block", ["blocked"]),
])
def test_whatever_changed_without_a_ring_is_found(quick_app, verb, types):
    parts = quick_app.extensions["vexar"]
    ask(quick_app.test_client(), "Hello")
    parts.conversations.accept(1, "ann", add_operator(parts.store))
    with far_away(parts.config) as far, closing(Reader(parts)) as reader:
        reader.news()
        far.block(1, "ip", "10.0.0.0/8") if verb == "block" else getattr(far, verb)(1, "ann")
        assert [event["type"] for event in reader.wait_for(len(types))] == types


def test_a_long_poll_hears_of_it_too(quick_app):
    parts = quick_app.extensions["vexar"]
    client = quick_app.test_client()
    ask(client, "Hello")
    olga = add_operator(parts.store)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(polled(client, since=2, wait=20)))
    waiting.start()
    wait_until(lambda: parts.streams.readers, "the poll", 5)
    with far_away(parts.config) as far:
        far.accept(1, "ann", olga)
    waiting.join(10)
    assert [message["role"] for message in answers[0]["messages"]] == ["system"]
    assert parts.streams.readers == 0


def test_the_tick_rings_what_changed_once_on_both_engines(store, tmp_path):
    add_site(store)
    far = Conversations(store, Broker(), config_for(tmp_path), owner="far")
    broker = Broker()
    tick = Tick(store, broker)
    with closing(broker.listen(channel(1, "ann"))) as ann, closing(broker.listen(block_channel(1))) as blocks:
        for _ in range(2):
            far.propose(1, "ann", None, content="Look at this")
            tick.ring_changed()
            assert ann.wait(0)
            tick.ring_changed()
            assert not ann.wait(0)
        blocks.wait(0)
        far.block(1, "ip", "10.0.0.0/8")
        tick.ring_changed()
        assert blocks.wait(0)
        assert not ann.wait(0)
        tick.ring_changed()
        assert not blocks.wait(0)


@pytest.mark.servers
def test_the_tick_finds_what_began_before_it_and_was_committed_behind_it(make_database):
    """Times are those of the beginning; the tick has to look back far enough."""
    with closing(open_store(make_database("mysql"))) as store:
        add_site(store)
        broker = Broker()
        tick = Tick(store, broker)
        begun, may_end = threading.Event(), threading.Event()

        def slow(tx: Transaction) -> None:
            visitor = LockedVisitor.find_or_create(tx, 1, "ann")
            begun.set()
            may_end.wait(10)
            visitor.save()

        writing = threading.Thread(target=store.write, args=(slow,))
        writing.start()
        begun.wait(10)
        time.sleep(0.05)
        with closing(broker.listen(channel(1, "ann"))) as bell:
            tick.ring_changed()
            assert not bell.wait(0)
            may_end.set()
            writing.join()
            tick.ring_changed()
            assert bell.wait(0)


# A database that is away, a reader that leaves, a server that ends.


class Away:
    """A store whose database may be away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_away = False
        self.failed = 0

    def read(self, job, **arguments):
        """See Store.read."""
        if self.is_away:
            self.failed += 1
            raise StoreError("away")
        return self._store.read(job, **arguments)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_stream_outlives_a_database_that_is_away_for_a_moment(quick_app, is_first):
    parts = quick_app.extensions["vexar"]
    store = Away(parts.store)
    streams = Streams(store, parts.broker, image_base="")
    with closing(streams), closing(Reader(SimpleNamespace(streams=streams), since=0)) as reader:
        if not is_first:
            assert len(reader.news()) == 2
        store.is_away = True
        ask(quick_app.test_client(), "Hello")
        assert reader.news(0.2) == []
        # It asked again, and not in a frenzy.
        assert 2 <= store.failed < 100
        store.is_away = False
        found = reader.wait_for(4 if is_first else 2)
        assert [event["id"] for event in found if event["type"] == "message"] == ["1", "2"]


def test_a_reader_that_leaves_gives_back_its_slot_and_its_bells(make_app):
    app = make_app(limit_streams_per_address=2)
    client, parts = app.test_client(), app.extensions["vexar"]
    bells = parts.broker.listeners()

    def open_one():
        return client.get(f"{EVENTS}?{urlencode(scope())}", buffered=False)

    first, second, third = open_one(), open_one(), open_one()
    assert third.status_code == 429
    assert third.json["code"] == "too_many_streams"
    assert third.headers["Retry-After"] == str(third.json["retry_after"])
    assert parts.streams.readers == 2
    # One was read, the other never: both have to be given back.
    next(iter(first.response))
    first.close()
    second.close()
    assert parts.streams.readers == 0
    assert parts.broker.listeners() == bells
    again = open_one()
    assert again.status_code == 200
    again.close()


def test_the_limit_of_streams_is_per_address_and_site(make_app):
    app = make_app(limit_streams_per_address=1)
    client = app.test_client()
    add_site(app.extensions["vexar"].store, "sk_other")
    answers = [
        client.get(
            EVENTS, query_string={"site_key": key, "session_id": "ben"}, environ_base={"REMOTE_ADDR": address},
            buffered=False,
        )
        for key, address in [
            ("sk_demo", "10.0.0.1"), ("sk_demo", "10.0.0.1"), ("sk_other", "10.0.0.1"), ("sk_demo", "10.0.0.2"),
        ]
    ]
    assert [answer.status_code for answer in answers] == [200, 429, 200, 200]
    for answer in answers:
        answer.close()


def test_asking_for_the_headers_only_holds_nothing(client, parts):
    bells = parts.broker.listeners()
    assert client.head(f"{EVENTS}?{urlencode(scope())}").status_code == 200
    assert parts.broker.listeners() == bells
    assert parts.streams.readers == 0


def test_a_server_that_ends_ends_its_streams_cleanly(client, parts):
    with watch(client) as live:
        live.when(lambda: len(live.events) == 2, "mode and block")
        parts.streams.close()
        assert live.finish().types == ["mode", "blocked"]


def test_a_block_that_runs_out_by_itself_is_told(quick_app):
    """Nobody rings then, and the tick, which came several times meanwhile, has nothing to tell."""
    parts = quick_app.extensions["vexar"]
    with closing(Reader(parts)) as reader:
        reader.news()
        parts.conversations.block(1, "ip", "10.0.0.0/8", until_ms=int(time.time() * 1000) + 250)
        assert [event["blocked"] for event in reader.news(0.15)] == [True]
        assert [event["blocked"] for event in reader.wait_for(1)] == [False]


def test_the_block_that_lasts_longest_counts(client, parts, verbs):
    now_ms = int(time.time() * 1000)
    with closing(Reader(parts)) as reader:
        reader.news()
        verbs.block(1, "session", "ann", reason="short", until_ms=now_ms + 100)
        verbs.block(1, "ip", "10.0.0.0/8", reason="long", until_ms=now_ms + 60_000)
        assert [event["reason"] for event in reader.news()] == ["long"]
        assert reader.news(0.15) == []


# On real workers.


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_streams_in_every_worker_tell_what_happens_in_any(boot, engine, make_database):
    server = boot(workers=2, database_url=make_database(engine))
    with contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(watch(server.url)) for _ in range(8)]
        for live in open_ones:
            live.when(lambda live=live: len(live.events) == 2, "mode and block")
        for number in range(3):
            ask(server.url, f"Hello {number}")
        stored = history(server.url)
        assert len(stored) == 6
        for live in open_ones:
            live.when(lambda live=live: len(live.events) == 8, "six messages")
            assert [event["message"] for event in live.events[2:]] == stored


@pytest.mark.servers
def test_a_reader_that_vanished_gives_back_its_slot_with_the_next_event(boot):
    server = boot(env={"VEXAR_LIMIT_STREAMS_PER_ADDRESS": "1"})
    with watch(server.url) as live:
        live.when(lambda: len(live.events) == 2, "mode and block")
        assert watch(server.url).status == 429
    number = iter(range(1_000))

    def is_free() -> bool:
        ask(server.url, f"Hello {next(number)}")
        with watch(server.url) as again:
            return again.status == 200

    wait_until(is_free, "the slot", 20)
