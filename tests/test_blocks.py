"""Blocks: whom they meet, what they refuse, that a running answer is cut, how they end and are lifted."""

from __future__ import annotations

import io
import random
import threading
import time
from contextlib import closing

import pytest

from tests.conftest import add_site, config_for
from tests.desk import Desk, add_operator, all_rows
from tests.services import wait_until
from tests.wire import STREAM, Spoken, all_at_once, ask, body, follow, history, listen, post, rows, scope
from vexar.answers import leases
from vexar.broker import Broker
from vexar.conversing import blocking, blocks
from vexar.conversing.conversations import Conversations
from vexar.conversing.messages import to_time
from vexar.conversing.receiving import Incoming
from vexar.errors import ApiError
from vexar.parts import Parts
from vexar.sites.settings import SiteSettings
from vexar.store import open_store

HERE = "127.0.0.1"
EMAIL = "ann@shop.example"


@pytest.fixture
def quick_keeper(monkeypatch) -> None:
    """Cuts are noticed so soon that a test need not wait for them."""
    monkeypatch.setattr("vexar.answers.keeping.KEEP_TICK_S", 0.02)


@pytest.fixture
def app(quick_keeper, make_app, upstream) -> object:
    """The app in front of the scripted upstream."""
    return make_app(ai_base_url=upstream.url)


@pytest.fixture
def parts(app) -> Parts:
    """Its live objects."""
    return app.extensions["vexar"]


@pytest.fixture
def verbs(parts) -> Conversations:
    """What operators do, until they have endpoints."""
    return parts.conversations


def now_ms() -> int:
    return int(time.time() * 1000)


def status(client, session="ann") -> dict:
    return client.get("/api/v1/chat/block-status", query_string=scope(session)).json


TARGETS = [("session", "ann"), ("ip", HERE), ("ip", "127.0.0.0/8"), ("email", EMAIL), ("email", " Ann@Shop.Example ")]


@pytest.mark.parametrize(("kind", "value"), TARGETS)
def test_a_block_meets_by_session_address_range_or_email(client, verbs, kind, value):
    post(client, "chat/contact", email=EMAIL)
    verbs.block(1, kind, value, reason="spam")
    assert status(client) == {"success": True, "blocked": True, "reason": "spam", "until": None}
    refused = ask(client)
    assert (refused.status, refused.json["code"], refused.json["error"]) == (403, "blocked", "spam")
    verbs.unblock(1, "ann")
    assert status(client)["blocked"] is False
    assert ask(client).status == 200


def test_it_meets_nobody_else(client, verbs):
    post(client, "chat/contact", email=EMAIL)
    for kind, value in [
        ("session", "ben"), ("session", "Ann"), ("ip", "10.0.0.0/8"), ("ip", "::/0"), ("email", "ben@shop.example"),
    ]:
        verbs.block(1, kind, value)
        assert status(client)["blocked"] is False, (kind, value)
    assert ask(client).status == 200


def test_it_holds_on_its_own_site_only(client, parts, verbs):
    other = add_site(parts.store, "sk_other")
    verbs.block(other, "session", "ann")
    verbs.block(other, "ip", HERE)
    assert ask(client).status == 200
    assert post(client, "chat/stream", message="Hi", site_key="sk_other").json["code"] == "blocked"


def test_addresses_and_ranges(client, verbs):
    for address, network, is_met in [
        ("10.1.2.3", "10.0.0.0/8", True), ("11.1.2.3", "10.0.0.0/8", False), ("10.1.2.3", "10.1.2.3", True),
        ("2001:db8::1", "2001:db8::/32", True), ("2001:db8::1", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.9/24", True), ("::ffff:10.1.2.3", "10.0.0.0/8", True),
    ]:
        verbs.block(1, "ip", network, until_ms=2**42)
        query = {"query_string": scope(), "environ_base": {"REMOTE_ADDR": address}}
        assert client.get("/api/v1/chat/block-status", **query).json["blocked"] is is_met, (address, network)
        refused = client.open(STREAM, method="POST", json=body(), environ_base={"REMOTE_ADDR": address})
        assert refused.status_code == (403 if is_met else 200)
        verbs.block(1, "ip", network, until_ms=1)


def test_what_is_no_target_is_refused(parts, verbs):
    for kind, value in [("ip", "300.1.1.1"), ("ip", ""), ("ip", "x/8"), ("email", " "), ("name", "Ann")]:
        with pytest.raises(ApiError) as refused:
            verbs.block(1, kind, value)
        assert refused.value.code == "invalid"
    assert all_rows(parts.store)["Block"] == []


def test_blocking_again_replaces_reason_and_end(client, parts, verbs):
    verbs.block(1, "email", EMAIL, reason="first", until_ms=now_ms() + 60_000)
    verbs.block(1, "email", EMAIL.upper(), reason="second")
    (block,) = all_rows(parts.store)["Block"]
    assert (block.value, block.reason, block.until_ms) == (EMAIL, "second", None)


def test_unblocking_lifts_every_block_that_meets_the_visitor_and_no_other(client, parts, verbs):
    ask(client)
    post(client, "chat/contact", email=EMAIL)
    for kind, value in TARGETS:
        verbs.block(1, kind, value)
    verbs.block(1, "session", "ben")
    verbs.block(1, "ip", "10.0.0.0/8")
    assert verbs.unblock(1, "ann") == 4
    assert status(client)["blocked"] is False
    assert [block.value for block in all_rows(parts.store)["Block"]] == ["ben", "10.0.0.0/8"]
    assert verbs.unblock(1, "nobody") == 0


def test_a_block_ends_by_itself(client, verbs):
    until_ms = now_ms() + 200
    verbs.block(1, "session", "ann", until_ms=until_ms)
    assert status(client)["until"].endswith("Z")
    assert ask(client).status == 403
    wait_until(lambda: now_ms() > until_ms, "the end of the block", 5)
    assert status(client) == {"success": True, "blocked": False, "reason": None, "until": None}
    assert ask(client).status == 200


# Refused before anything is stored, uploaded or asked; reading goes on.


WRITES = {
    "chat/stream": {"message": "Hello"},
    "chat/email": {"email": "new@shop.example"},
    "chat/contact": {"phone": "+15550100"},
    "chat/rate": {"score": 1},
    "chat/rate/comment": {"comment": "bad"},
    "chat/request-operator": {},
    "chat/typing": {},
    "chat/close": {},
    "proactive/event": {"event": "shown", "rule_path": "/"},
}


@pytest.fixture
def blocked(client, parts, verbs) -> dict:
    """ann has written, rated and is blocked; every row there is."""
    ask(client)
    post(client, "chat/rate", score=5)
    verbs.block(1, "session", "ann", reason="spam")
    return all_rows(parts.store)


def test_a_blocked_visitor_never_writes(client, parts, upstream, blocked):
    for path, fields in WRITES.items():
        refused = post(client, path, **fields)
        assert (refused.status, refused.json["code"]) == (403, "blocked"), path
    image = {**scope(), "image": (io.BytesIO(b"x"), "x.png")}
    upload = client.post("/api/v1/chat/upload-image", data=image, content_type="multipart/form-data")
    assert (upload.status_code, upload.json["code"]) == (403, "blocked")
    assert all_rows(parts.store) == blocked
    assert upstream.count == 1


def test_asking_for_a_person_is_refused_in_the_transaction_too(parts, verbs, blocked):
    """The block may come between the request's own look and the change."""
    with pytest.raises(ApiError) as refused:
        verbs.request_operator(1, "ann", address=None)
    assert refused.value.code == "blocked"
    assert all_rows(parts.store) == blocked


def test_a_blocked_visitor_still_reads(client, blocked):
    assert len(history(client)) == 2
    for path in ("chat/operator-messages", "chat/block-status", "chat/pending-proactive", "chat/config"):
        assert client.get(f"/api/v1/{path}", query_string=scope()).status_code == 200
    stored = history(client)[0]["message_id"]
    assert follow(client, stored).done["finish_reason"] == "stop"


def test_a_session_nobody_has_seen_is_refused_without_a_trace(client, parts, verbs):
    verbs.block(1, "session", "new")
    before = all_rows(parts.store)
    assert ask(client, session="new").status == 403
    assert all_rows(parts.store) == before


# A running answer is cut.


@pytest.mark.parametrize(("kind", "value"), TARGETS[1:])
def test_a_block_cuts_what_runs_and_keeps_what_was_said(client, parts, verbs, upstream, kind, value):
    post(client, "chat/contact", email=EMAIL)
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m1") as live, listen(client, "And?") as waiting:
        spoken.say("One ")
        live.until("One ")
        wait_until(lambda: rows(parts.config.database_url, "SELECT checkpoint FROM run")[0][0], "the checkpoint")
        verbs.block(1, kind, value)
        told, never = live.finish(), waiting.finish()
    spoken.end()
    assert (told.types, told.text, told.done["finish_reason"]) == (["chunk", "done"], "One ", "blocked")
    assert (never.types, never.done["finish_reason"]) == (["done"], "blocked")
    assert told.done["reply_id"] == 3
    reply = history(client)[2]
    assert (reply["role"], reply["content"], reply["status"]) == ("assistant", "One ", "interrupted")
    assert follow(client, "m1").done["finish_reason"] == "blocked"
    assert upstream.count == 1


def test_others_of_the_site_are_answered_on(client, verbs, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello", session="ben") as live:
        spoken.say("One ")
        live.until("One ")
        verbs.block(1, "session", "ann")
        verbs.block(1, "email", EMAIL)
        verbs.block(1, "ip", "10.0.0.0/8")
        spoken.end("two")
        assert live.finish().done["finish_reason"] == "stop"


@pytest.mark.parametrize("kind", ["session", "ip", "email"])
def test_no_answer_is_finished_for_a_blocked_visitor_however_close_they_come(client, verbs, upstream, kind):
    """A block against an answer that is just being finished: one of the two, and the row says which."""
    upstream.always = speak_quickly

    def one(number: int) -> str:
        session, address = f"{kind}{number}", f"10.9.8.{number}"
        post(client, "chat/contact", session=session, email=f"{session}@shop.example")
        value = {"session": session, "ip": address, "email": f"{session}@shop.example"}[kind]
        coming = threading.Timer(random.uniform(0, 0.02), verbs.block, (1, kind, value))
        coming.start()
        answer = client.application.test_client().post(
            STREAM, json=body(session=session), environ_base={"REMOTE_ADDR": address}
        )
        raw = answer.get_data()
        coming.join()
        stored = history(client, session)
        if answer.status_code == 403:
            assert stored == []
            return "refused"
        reason = raw.split(b'"finish_reason":"')[1].split(b'"')[0].decode()
        replies = [message["status"] for message in stored if message["role"] == "assistant"]
        assert replies == ["complete"] if reason == "stop" else replies in ([], ["interrupted"])
        return reason

    endings = all_at_once([lambda number=number: one(number) for number in range(12)])
    assert set(endings) <= {"stop", "blocked", "refused"}


def speak_quickly(wire, body) -> None:
    wire.head()
    for word in ("One ", "two ", "three."):
        time.sleep(random.uniform(0, 0.003))
        wire.token(word)
    wire.done()


# Through the operators' endpoints.


WAYS = {
    "session": {"by": "session"}, "address": {"by": "ip"}, "range": {"by": "ip", "network": "127.0.0.0/8"},
    "email": {"by": "email"},
}


@pytest.fixture
def olga(client, parts) -> Desk:
    """Somebody who may chat on the site."""
    return Desk(client, parts.store, 1)


@pytest.fixture
def known(client) -> None:
    """ann has told her address; the upstream was asked once."""
    ask(client)
    post(client, "chat/contact", email=EMAIL)
    post(client, "chat/rate", score=5)


def block(olga: Desk, **fields) -> dict:
    number = olga.get("operator/active-chats").json["data"][0]["id"]
    answer = olga.post("operator/block", conversation_id=number, **fields)
    assert answer.status_code == 200, answer.json
    return answer.json["block"]


def refusals(client) -> dict[str, tuple]:
    """How every endpoint that writes answers ann."""
    found = {path: post(client, path, **fields) for path, fields in WRITES.items()}
    image = {**scope(), "image": (io.BytesIO(b"x"), "x.png")}
    upload = client.post("/api/v1/chat/upload-image", data=image, content_type="multipart/form-data")
    answers = {path: (answer.status, answer.json["code"]) for path, answer in found.items() if answer.status != 200}
    return {**answers, "chat/upload-image": (upload.status_code, upload.json["code"])}


@pytest.mark.parametrize("way", WAYS)
def test_whom_an_operator_blocks_is_refused_everywhere_and_leaves_nothing(client, parts, upstream, olga, known, way):
    told = block(olga, **WAYS[way], reason="spam")
    assert (told["by"], told["reason"], told["until"]) == (WAYS[way]["by"], "spam", None)
    assert told["operator"]["name"] == "Olga"
    before = all_rows(parts.store)
    expected = dict.fromkeys([*WRITES, "chat/upload-image"], (403, "blocked"))
    assert refusals(client) == expected
    assert all_rows(parts.store) == before
    assert upstream.count == 1


@pytest.mark.parametrize("way", WAYS)
def test_an_operators_block_cuts_what_runs(client, parts, upstream, olga, known, way):
    spoken = Spoken(upstream)
    with listen(client, "Tell me", "m1") as live:
        spoken.say("One ")
        live.until("One ")
        block(olga, **WAYS[way])
        assert live.finish().done["finish_reason"] == "blocked"
    spoken.end()
    assert [message["status"] for message in history(client) if message["role"] == "assistant"] in (
        ["complete"], ["complete", "interrupted"])  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_an_operators_block_ends_by_itself(client, olga, known, way):
    end_ms = now_ms() + 400
    block(olga, **WAYS[way], until=to_time(end_ms))
    assert ask(client).status == 403
    wait_until(lambda: now_ms() > end_ms, "the end of the block", 5)
    assert ask(client).status == 200
    assert olga.get("operator/blocked").json["data"] == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["unblock", "delete"])
def test_an_operator_lifts_a_block(client, olga, known, way, how):
    told = block(olga, **WAYS[way])
    assert olga.get("operator/blocked").json["data"] == [told]
    if how == "delete":
        assert olga.delete(f"operator/blocked/{told['id']}").status_code == 200
        assert olga.delete(f"operator/blocked/{told['id']}").status_code == 404
    else:
        number = olga.get("operator/active-chats").json["data"][0]["id"]
        assert olga.post(f"operator/unblock/{number}").json["lifted"] == 1
    assert ask(client).status == 200


def test_an_ipv6_address_is_blocked_with_its_network(client, parts, olga):
    here = {"REMOTE_ADDR": "2001:db8:1:2::77"}
    client.open(STREAM, method="POST", json=body(), environ_base=here).get_data()
    assert block(olga, by="ip")["value"] == "2001:db8:1:2::/64"
    for address, expected in (("2001:db8:1:2::9", 403), ("2001:db8:1:3::9", 200)):
        answer = client.open(STREAM, method="POST", json=body(), environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == expected, address


# Several processes at once.


def incoming(session: str, number: int) -> Incoming:
    return Incoming(
        site_id=1, session_id=session, message_id=f"m{number}", content="Hello", address=f"10.9.8.{number % 200}"
    )


@pytest.mark.parametrize("kind", ["session", "ip"])
def test_no_run_is_left_for_a_blocked_visitor_when_block_and_message_cross(store, database_url, tmp_path, kind):
    """Each commits without having seen the other: one of the two has to look again."""
    add_site(store)
    with closing(open_store(database_url)) as second:
        here = Conversations(store, Broker(), config_for(tmp_path), owner="here")
        there = Conversations(second, Broker(), config_for(tmp_path), owner="there")
        outcomes = []

        def receive(session: str, number: int) -> None:
            try:
                outcomes.append(here.receive(incoming(session, number), SiteSettings()).is_mine)
            except ApiError as problem:
                outcomes.append(problem.code)

        for number in range(40):
            session = f"visitor{number}"
            value = session if kind == "session" else f"10.9.8.{number}"
            all_at_once([
                lambda session=session, number=number: receive(session, number),
                lambda value=value: there.block(1, kind, value),
            ])
        assert len(outcomes) == 40
        assert set(outcomes) <= {True, False, "blocked"}
        assert [run.state for run in all_rows(store)["Run"] if run.state != "ended"] == []


@pytest.mark.servers
def test_a_message_stored_while_a_block_waits_for_its_commit_is_cut_too(make_database, tmp_path, monkeypatch):
    begun, may_commit = threading.Event(), threading.Event()
    block = blocking.block

    def slow_block(tx, **target) -> list[str]:
        met = block(tx, **target)
        begun.set()
        may_commit.wait(10)
        return met

    monkeypatch.setattr(blocking, "block", slow_block)
    with closing(open_store(make_database("mysql"))) as store:
        add_site(store)
        verbs = Conversations(store, Broker(), config_for(tmp_path), owner="me")
        blocker = threading.Thread(target=verbs.block, args=(1, "ip", "10.0.0.0/8"))
        blocker.start()
        begun.wait(10)
        receipt = verbs.receive(incoming("ann", 1), SiteSettings())
        assert receipt.is_mine
        may_commit.set()
        blocker.join()
        (run,) = all_rows(store)["Run"]
        assert (run.state, run.finish_reason) == ("ended", "blocked")


def test_the_same_target_blocked_many_times_at_once_is_one_row(store, database_url, tmp_path):
    add_site(store)
    with closing(open_store(database_url)) as second:
        verbs = [Conversations(one, Broker(), config_for(tmp_path), owner="x") for one in (store, second)]
        for target in range(10):
            all_at_once([
                lambda number=number, target=target: verbs[number % 2].block(1, "ip", f"10.{target}.0.0/16")
                for number in range(6)
            ])
    assert len(all_rows(store)["Block"]) == 10


@pytest.mark.servers
def test_blocks_of_many_checkpoints_budgets_and_messages_do_not_lock_each_other_out(make_database, tmp_path):
    """Locks are taken in one order: what still deadlocks is repeated, and nothing fails."""
    url = make_database("mysql")
    with closing(open_store(url)) as store, closing(open_store(url)) as second:
        add_site(store)
        settings = SiteSettings(messages_per_month=10**6, tokens_per_day=10**9)
        verbs = [Conversations(one, Broker(), config_for(tmp_path), owner="me") for one in (store, second)]
        olga = add_operator(store)
        refusals = set()
        runs = [verbs[0].receive(incoming(f"visitor{number}", number), settings).run for number in range(20)]
        checkpoints = [(run.visitor_id, run.seq, 1, "One ") for run in runs]

        def keep() -> None:
            for _ in range(40):
                store.write(leases.keep, owner="me", checkpoints=checkpoints)

        def block() -> None:
            for number in range(10):
                second.write(blocking.block, site_id=1, kind="ip", value=f"10.9.8.{number}/31")
                second.write(blocking.unblock, site_id=1, session_id=f"visitor{number}")

        def write(offset: int) -> None:
            for number in range(20):
                who = f"visitor{(number + offset) % 20}"
                try:
                    verbs[1].receive(incoming(who, 1000 * (offset + 1) + number), settings)
                except ApiError as problem:
                    refusals.add(problem.code)
                verbs[0].accept(1, who, olga)
                verbs[0].return_to_ai(1, who)

        all_at_once([keep, keep, block, block, lambda: write(0), lambda: write(10)])
        assert refusals <= {"blocked", "too_many_runs"}
        found = all_rows(store)
        for visitor in found["Visitor"]:
            seqs = [row.seq for row in found["Message"] if row.visitor_id == visitor.id]
            assert sorted(seqs) == list(range(1, visitor.last_seq + 1))


def test_thousands_of_blocked_networks_cost_a_message_little(store):
    """Every message asks for all of them: parsing each network again would take tens of milliseconds."""
    add_site(store)

    def fill(tx) -> None:
        for number in range(2_000):
            blocks.add(tx, 1, "ip", f"10.{number >> 8}.{number & 255}.0/24", reason=None, until_ms=None, now_ms=1)

    store.write(fill)
    blocks.meets.cache_clear()
    for _ in range(3):
        store.read(blocks.find, site_id=1, session_id="ann", email="", address="192.0.2.1")
    assert (blocks.meets.cache_info().misses, blocks.meets.cache_info().hits) == (2_000, 4_000)
