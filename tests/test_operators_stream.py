"""The operators' live stream: snapshot plus events is a fresh snapshot, who is told what, and when it ends."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import socket
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.conftest import add_site
from tests.desk import Desk, all_rows, far_away
from tests.services import wait_until
from tests.wire import Live, ask, post
from vexar import models
from vexar.desk import desk_news
from vexar.events import Event
from vexar.people.auth import hash_token
from vexar.store import open_store

STREAM = "/api/v1/operator/stream"


@pytest.fixture
def quick(monkeypatch) -> None:
    """Ticks come so often that a test need not wait for them."""
    monkeypatch.setattr("vexar.live.push_operators.TICK_S", 0.02)
    monkeypatch.setattr("vexar.live.push_operators.GATHER_S", 0.0)


@pytest.fixture
def app(quick, make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url)


@pytest.fixture
def cast(app) -> SimpleNamespace:
    """olga and otto work on the first site, oscar on another."""
    parts, client = app.extensions["vexar"], app.test_client()
    other = add_site(parts.store, "sk_other")
    return SimpleNamespace(
        parts=parts, client=client, verbs=parts.conversations, other=other, olga=Desk(client, parts.store, 1),
        otto=Desk(client, parts.store, 1, name="Otto"), oscar=Desk(client, parts.store, other, name="Oscar"),
    )


class Reader:
    """An open stream without HTTP. `last`: the id of the newest event."""

    def __init__(self, cast, desk: Desk | None = None, since_ms: int | None = None, site_ids=(1,)) -> None:
        desk = desk or cast.olga
        self.stream = cast.parts.operator_streams.open(
            desk.token, site_id=None, site_ids=site_ids, since_ms=since_ms
        )
        self.last = since_ms

    def news(self, timeout_s: float = 0.1) -> list[dict]:
        """Every event until none comes for a while."""
        found: list[dict] = []
        while events := self.stream.next(timeout_s):
            found += [self._read(event) for event in events]
        return found

    def until(self, is_there, what: str) -> list[dict]:
        """Every event until one fits."""
        found: list[dict] = []

        def has_come() -> bool:
            found.extend(self.news(0.01))
            return any(is_there(event) for event in found)

        wait_until(has_come, what, 10)
        return found

    def _read(self, event: Event) -> dict:
        told = json.loads(event.data)
        self.last = int(event.id) if event.id is not None else self.last
        return {**told, "id": self.last}

    def close(self) -> None:
        """The reader leaves."""
        self.stream.close()


class Page:
    """What a console knows: a snapshot over HTTP, kept true by events alone."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.read()

    def read(self) -> None:
        """Read the snapshot."""
        rows = self._desk.get("operator/active-chats", per_page=100).json["data"]
        self.rows = {row["id"]: row for row in rows}
        self.messages, self.notes = {}, {}
        for number in self.rows:
            whole = self._desk.get(f"conversations/{number}/messages", limit=200).json
            self.messages[number] = {message["id"]: message for message in whole["messages"]}
            self.notes[number] = {note["id"]: note for note in whole["notes"]}
        sites = self._desk.get("operator/status").json["sites"]
        self.online = {
            (site["site_id"], operator["id"]) for site in sites for operator in site["operators"] if operator["online"]
        }

    @property
    def known(self) -> tuple:
        """All of it."""
        return self.rows, self.messages, self.notes, self.online

    def take(self, events: list[dict]) -> None:
        """Apply some events."""
        for event in events:
            getattr(self, f"_{event['type']}")(event)

    def _ready(self, event: dict) -> None:
        assert event["id"]

    def _reset(self, event: dict) -> None:
        self.read()

    def _conversation(self, event: dict) -> None:
        row = event["conversation"]
        if row["closed_at"]:
            for known in (self.rows, self.messages, self.notes):
                known.pop(row["id"], None)
        else:
            self.rows[row["id"]] = row
            self.messages.setdefault(row["id"], {})
            self.notes.setdefault(row["id"], {})

    def _message(self, event: dict) -> None:
        message = event["message"]
        if event["conversation_id"] in self.messages:
            self.messages[event["conversation_id"]][message["id"]] = message

    def _note(self, event: dict) -> None:
        if event["conversation_id"] in self.notes:
            self.notes[event["conversation_id"]][event["note"]["id"]] = event["note"]

    def _presence(self, event: dict) -> None:
        change = self.online.add if event["online"] else self.online.discard
        change((event["site_id"], event["operator"]["id"]))

    def _typing(self, event: dict) -> None:
        assert event["conversation_id"]


def number_of(cast) -> int:
    """The conversation ann has open."""
    return cast.olga.get("operator/active-chats").json["data"][0]["id"]


def act(path: str, who: str = "olga", **fields):
    """A POST of an operator about ann's conversation."""
    def do(cast) -> None:
        answer = getattr(cast, who).post(f"operator/{path}", **{
            name: value(cast) if callable(value) else value for name, value in fields.items()
        })
        assert answer.status_code == 200, (path, answer.json)
    return do


def on_conversation(verb: str, who: str = "olga", **fields):
    return lambda cast: act(f"{verb}/{number_of(cast)}", who, **fields)(cast)


def tick_the_clock(cast) -> None:
    """The visitor's silence ends the conversation."""
    row = next(row for row in all_rows(cast.parts.store)["Conversation"] if row.closed_ms is None)
    late = models.Conversation.update(
        clock_ms=1, operator_said_ms=1, visitor_said_ms=1, accepted_ms=1
    ).where(models.Conversation.id == row.id)
    cast.parts.store.write(lambda tx: tx.run(late))
    assert cast.verbs.ring_clock(visitor_id=row.visitor_id, conversation_id=row.id)


def erase(cast) -> None:
    visitor_id = cast.olga.get("operator/active-chats").json["data"][0]["visitor_id"]
    owner = Desk(cast.client, cast.parts.store, name="Owen", is_owner=True)
    assert owner.delete(f"visitors/{visitor_id}").status_code == 200


ACTIONS = {
    "message": lambda cast: ask(cast.client, "Hello again"),
    "another visitor": lambda cast: ask(cast.client, "Me too", session="ben"),
    "ben closes": lambda cast: post(cast.client, "chat/close", session="ben"),
    "request operator": lambda cast: post(cast.client, "chat/request-operator"),
    "accept": on_conversation("accept"),
    "say": act("message", conversation_id=number_of, content="Good morning"),
    "a message to a person": lambda cast: ask(cast.client, "Are you real?"),
    "read": on_conversation("read"),
    "transfer": on_conversation("transfer", operator_id=lambda cast: cast.otto.id),
    "note": act("note", conversation_id=number_of, content="Be kind"),
    "return": on_conversation("return-to-ai", "otto"),
    "contact": lambda cast: post(cast.client, "chat/contact", email="ann@shop.example", name="Ann"),
    "rate": lambda cast: post(cast.client, "chat/rate", score=5),
    "comment": lambda cast: post(cast.client, "chat/rate/comment", comment="Nice"),
    "block": act("block", conversation_id=number_of, by="session", reason="spam"),
    "unblock": on_conversation("unblock"),
    "block by address": act("block", conversation_id=number_of, by="ip", until="2100-01-01T00:00:00Z"),
    "lift": lambda cast: cast.olga.delete(
        f"operator/blocked/{cast.olga.get('operator/blocked').json['data'][0]['id']}"
    ),
    "propose": act("proactive-message", site_id=1, session_id="ann", content="Look"),
    "propose to somebody new": act("proactive-message", site_id=1, session_id="cleo", content="Look"),
    "cleo closes": lambda cast: post(cast.client, "chat/close", session="cleo"),
    "heartbeat": act("heartbeat", site_ids=[1]),
    "another heartbeat": act("heartbeat", "otto", site_ids=[1]),
    "go away": act("set-status", site_id=1, online=False),
    "typing": act("typing", conversation_id=number_of),
    "accept again": on_conversation("accept"),
    "clock": tick_the_clock,
    "begin anew": lambda cast: ask(cast.client, "New"),
    "close by an operator": on_conversation("close"),
    "once more": lambda cast: ask(cast.client, "Once more"),
    "close by the visitor": lambda cast: post(cast.client, "chat/close"),
    "and again": lambda cast: ask(cast.client, "Again"),
    "erase": erase,
}


def test_snapshot_and_events_make_a_fresh_snapshot_after_everything_that_is_published(cast):
    """For who stays, and for who is cut off behind any event and comes back with its id."""
    ask(cast.client, "Hello")
    with closing(Reader(cast)) as reader:
        assert [event["type"] for event in reader.news()] == ["ready"]
        page = Page(cast.olga)
        for name, action in ACTIONS.items():
            before = reader.last
            action(cast)
            fresh = Page(cast.olga)
            events = reader.news()
            assert events, name
            for place in range(len(events) + 1):
                shown = copy.copy(page)
                shown.rows, shown.messages, shown.notes, shown.online = copy.deepcopy(page.known)
                shown.take(events[:place])
                with closing(Reader(cast, since_ms=events[place - 1]["id"] if place else before)) as again:
                    shown.take(again.news(0.01))
                assert shown.known == fresh.known, (name, place)
            page.take(events)
            assert page.known == fresh.known, name
    assert cast.parts.operator_streams.readers == 0


def test_who_only_listens_reads_the_snapshot_once_unless_blocks_or_rows_vanish(cast):
    """The guard of the test above: a stream that always said reset would pass it."""
    ask(cast.client, "Hello")
    harmless = [name for name in ACTIONS if "block" not in name and name not in ("lift", "erase")]
    with closing(Reader(cast)) as reader:
        for name in harmless:
            ACTIONS[name](cast)
            assert "reset" not in [event["type"] for event in reader.news(0.05)], name


# Who is told.


def test_an_operator_of_another_site_hears_nothing(cast):
    with closing(Reader(cast, cast.oscar, site_ids=(cast.other,))) as oscar, closing(Reader(cast)) as olga:
        ask(cast.client, "Hello")
        post(cast.client, "chat/typing")
        cast.olga.post("operator/heartbeat", site_ids=[1])
        cast.olga.post("operator/block", conversation_id=number_of(cast), by="session")
        olga.until(lambda event: event["type"] == "reset", "olga's news")
        assert [event["type"] for event in oscar.news()] == ["ready"]


def test_over_http_the_sites_are_the_members_own(cast):
    ask(cast.client, "Hello")
    post(cast.client, "chat/stream", session="zoe", site_key="sk_other", message="Secret")
    with watch(cast.olga, last=str(int(time.time() * 1000) - 1_000)) as live:
        live.when(lambda: "conversation" in live.types, "the conversation")
        assert live.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert b"Secret" not in live.raw
    viewer = Desk(cast.client, cast.parts.store, 1, can_view_conversations=0)
    assert [desk.get("operator/stream").status_code for desk in (viewer, Desk(cast.client, cast.parts.store))] == [
        403, 403]  # fmt: skip
    assert cast.olga.get("operator/stream", site_id=cast.other).status_code == 404
    assert cast.client.get(STREAM).status_code == 401


class Seat:
    """A client whose requests carry an operator's key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, path: str, *, headers: dict, **options):
        return self._desk.client.open(path, headers={**headers, **self._desk.headers}, **options)


def watch(desk: Desk, *, last: str | None = None) -> Live:
    """An open stream over HTTP."""
    return Live(Seat(desk), "GET", STREAM, None, last, "text/event-stream")


# Typing.


def test_a_visitor_who_types_is_told_and_stops_by_itself(cast, monkeypatch):
    monkeypatch.setattr("vexar.live.typists.TYPING_S", 0.1)
    ask(cast.client, "Hello")
    with closing(Reader(cast)) as reader:
        reader.news()
        before = all_rows(cast.parts.store)
        for _ in range(3):
            post(cast.client, "chat/typing")
        told = reader.until(lambda event: event.get("on") is False, "the end")
        assert [(event["who"], event["on"], event["conversation_id"]) for event in told] == [
            ("visitor", True, number_of(cast)), ("visitor", False, number_of(cast))]  # fmt: skip
        assert all_rows(cast.parts.store) == before


def test_what_was_typed_and_sent_is_not_typed_any_more(cast, monkeypatch):
    monkeypatch.setattr("vexar.live.typists.TYPING_S", 600.0)
    ask(cast.client, "Hello")
    with closing(Reader(cast)) as reader:
        post(cast.client, "chat/typing")
        reader.until(lambda event: event.get("on") is True, "typing")
        ask(cast.client, "What I typed")
        reader.until(lambda event: event.get("on") is False, "the end")


def test_colleagues_see_who_types(cast):
    ask(cast.client, "Hello")
    with closing(Reader(cast, cast.otto)) as otto:
        cast.olga.post("operator/typing", conversation_id=number_of(cast))
        told = otto.until(lambda event: event["type"] == "typing", "typing")[-1]
        assert (told["who"], told["operator"]) == ("operator", {"id": cast.olga.id, "name": "Olga"})
        cast.olga.post("operator/typing", conversation_id=number_of(cast), on=False)
        otto.until(lambda event: event.get("on") is False, "the end")


def test_somebody_with_the_same_session_on_another_site_types_there(cast):
    ask(cast.client, "Hello")
    with closing(Reader(cast)) as olga:
        post(cast.client, "chat/typing", site_key="sk_other")
        assert [event["type"] for event in olga.news()] == ["ready"]


def test_what_a_colleague_has_read_is_told_although_it_moves_no_time(cast, monkeypatch):
    ask(cast.client, "Hello")
    number = number_of(cast)
    monkeypatch.setattr(desk_news, "OVERLAP_MS", 0)
    with closing(Reader(cast)) as otto:
        otto.news()
        cast.olga.post(f"operator/read/{number}")
        told = otto.until(lambda event: event["type"] == "conversation", "the row")
        assert told[-1]["conversation"]["unread_count"] == 0


# Cuts, bounds, ends.


def test_a_lost_ring_costs_one_tick(cast):
    ask(cast.client, "Hello")
    with far_away(cast.parts.config) as far, closing(Reader(cast)) as reader:
        far.accept(1, "ann", cast.olga)
        told = reader.until(lambda event: event["type"] == "message", "the line")
        assert told[1]["conversation"]["status"] == "operator"


def test_who_missed_too_much_reads_the_snapshot_again(cast, monkeypatch):
    monkeypatch.setattr(desk_news, "MAX_CONVERSATIONS", 3)
    with closing(Reader(cast)) as reader:
        reader.news()
        since_ms = reader.last
    for number in range(5):
        cast.verbs.propose(1, f"visitor{number}", None, content="Look")
    for cursor in (since_ms, 2**50):
        with closing(Reader(cast, since_ms=cursor)) as reader:
            assert [event["type"] for event in reader.news()] == ["ready", "reset"], cursor


def test_who_does_not_read_is_told_to_begin_anew_and_holds_little(cast, monkeypatch):
    monkeypatch.setattr("vexar.live.push_operators.MAX_WAITING", 10)
    with closing(Reader(cast)) as slow, closing(Reader(cast, cast.otto)) as quick:
        slow.news()
        for number in range(8):
            ask(cast.client, f"Hello {number}")
            quick.until(lambda event, number=number: event.get("message", {}).get("id") == 2 * number + 2, "the reply")
        events = slow.stream.next(0.1)
        assert len(events) <= 10
        assert json.loads(events[0].data)["type"] == "reset"


@pytest.mark.parametrize("how", ["logout", "removed", "key", "right"])
def test_a_stream_ends_when_the_right_to_it_is_gone(cast, how):
    store, olga = cast.parts.store, cast.olga
    if how == "logout":
        session = models.OperatorSession.insert(
            token_hash=hash_token("a session"), operator_id=olga.id, created_ms=1,
            until_ms=int(time.time() * 1000) + 60_000,
        )
        store.write(lambda tx: tx.run(session))
        olga.token = "a session"
    change = {
        "logout": models.OperatorSession.delete(),
        "removed": models.Operator.update(is_active=0).where(models.Operator.id == olga.id),
        "key": models.Operator.update(key_hash="0" * 64).where(models.Operator.id == olga.id),
        "right": models.OperatorSite.update(can_view_conversations=0).where(models.OperatorSite.operator_id == olga.id),
    }[how]
    with watch(olga) as live, watch(cast.otto) as other:
        for one in (live, other):
            one.when(lambda one=one: one.types == ["ready"], "ready")
        store.write(lambda tx: tx.run(change))
        assert live.finish().types == ["ready"]
        ask(cast.client, "Hello")
        other.when(lambda: "message" in other.types, "otto's news")
        assert b"Hello" not in live.raw


def test_who_gets_another_site_begins_anew(cast):
    with watch(cast.olga) as live:
        live.when(lambda: live.types == ["ready"], "ready")
        right = models.OperatorSite.insert(operator_id=cast.olga.id, site_id=cast.other)
        cast.parts.store.write(lambda tx: tx.run(right))
        assert live.finish().types == ["ready", "reset"]


def test_a_server_that_ends_ends_its_streams_and_leaves_nothing(cast):
    bells = cast.parts.broker.listeners()
    with watch(cast.olga) as live:
        live.when(lambda: live.types == ["ready"], "ready")
        cast.parts.operator_streams.close()
        assert live.finish().types == ["ready"]
    wait_until(lambda: cast.parts.operator_streams.readers == 0, "the end")
    assert cast.parts.broker.listeners() <= bells


def test_open_streams_are_counted_and_limited(make_app):
    app = make_app(limit_streams_per_address=1)
    client, parts = app.test_client(), app.extensions["vexar"]
    olga = Desk(client, parts.store, 1)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(closing(client.get(STREAM, headers=olga.headers, buffered=False)))
        assert first.status_code == 200
        assert "vexar_open_streams 1.0" in client.get("/metrics").text
        assert olga.get("operator/stream").json["code"] == "too_many_streams"
    assert "vexar_open_streams 0.0" in client.get("/metrics").text
    assert parts.operator_streams.readers == 0


def test_many_streams_of_a_worker_cost_one_look(cast, monkeypatch):
    looks = []
    look = desk_news.look
    monkeypatch.setattr(desk_news, "look", lambda tx, **given: looks.append(1) or look(tx, **given))
    ask(cast.client, "Hello")
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(closing(Reader(cast))) for _ in range(20)]
        looks.clear()
        cast.verbs.propose(1, "ann", None, content="Look")
        for reader in readers:
            reader.until(lambda event: event["type"] == "message", "the message")
        assert len(looks) < 10


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_operators_on_every_worker_hear_what_happens_in_any(boot, engine, make_database):
    url = make_database(engine)
    server = boot(workers=2, database_url=url)
    with closing(open_store(url)) as store:
        olga = Desk(None, store, 1)
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(watch_remote(server.url, olga)) for _ in range(6)]
        for live in streams:
            live.when(lambda live=live: "ready" in live.types, "ready")
        ask(server.url, "Hello")
        for live in streams:
            live.when(lambda live=live: live.types.count("message") == 2, "both messages")


def watch_remote(url: str, desk: Desk) -> Live:
    """An open stream of a real server."""
    live = Live(RemoteSeat(url, desk), "GET", STREAM, None, None, "text/event-stream")
    # Only then does leaving hang up.
    live._is_remote = True
    return live


class RemoteSeat:
    """The same over a socket."""

    def __init__(self, url: str, desk: Desk) -> None:
        self._host = url.removeprefix("http://")
        self._desk = desk

    def open(self, path: str, *, method: str, headers: dict, **_: object) -> SimpleNamespace:
        """What Flask's client gives."""
        link = http.client.HTTPConnection(self._host, timeout=30)
        link.request(method, path, None, {**headers, **self._desk.headers})
        sock, answer = link.sock, link.getresponse()

        def close() -> None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            link.close()

        parts = iter(lambda: answer.read1(65536), b"")
        return SimpleNamespace(status_code=answer.status, headers=answer.headers, response=parts, close=close)
