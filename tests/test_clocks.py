"""The four clocks: which one runs, what it does when it rings, and that it rings once, whoever holds the lease."""

from __future__ import annotations

import contextlib
import os
import signal
from types import SimpleNamespace

import pytest

from tests.conftest import add_site
from tests.desk import add_operator, all_rows, far_away
from tests.services import wait_until
from tests.wire import ask, history, post, rows
from vexar import scheduler
from vexar.conversing import clocks
from vexar.models import Lease, Site
from vexar.people import presence
from vexar.sites.settings import SiteSettings, WorkingHours, write_settings
from vexar.store import open_store

OLGA_CAME = "Olga joined the conversation."
GIVEN_UP = "Olga cannot answer at the moment. You are talking to the assistant again."
NEVER = WorkingHours(timezone="Europe/Berlin", days={})


@pytest.fixture
def parts(app):
    """The app's live objects."""
    return app.extensions["vexar"]


@pytest.fixture
def verbs(parts):
    """What operators do."""
    return parts.conversations


@pytest.fixture
def olga(parts):
    """An operator of the site."""
    return add_operator(parts.store)


def decide(store, **values) -> None:
    """What the owner decides about the site."""
    text = write_settings(SiteSettings(**{"allowed_origins": ["*"], **values}))
    store.write(lambda tx: tx.run(Site.update(settings=text).where(Site.id == 1)))


def conversation(parts) -> SimpleNamespace:
    """The row of the newest conversation."""
    return all_rows(parts.store)["Conversation"][-1]


def pass_by(parts, seconds: int) -> None:
    """Make everything that happened so far so much older."""
    columns = ("waiting_ms", "accepted_ms", "visitor_said_ms", "operator_said_ms", "clock_ms")
    moved = ", ".join(f"{name} = {name} - {seconds * 1000}" for name in columns)
    rows(parts.config.database_url, f"UPDATE conversation SET {moved}")


def ring(parts) -> str | None:
    """Do what the scheduler does once; which clock rang."""
    rung = [
        parts.conversations.ring_clock(visitor_id=row.visitor_id, conversation_id=row.id)
        for row in parts.store.read(clocks.due)
    ]
    return next((found.clock for found in rung if found), None)


def waits(client, verbs, olga) -> None:
    post(client, "chat/request-operator")


def taken(client, verbs, olga) -> None:
    verbs.accept(1, "ann", olga)


def asked(client, verbs, olga) -> None:
    verbs.say(1, "ann", olga, content="Good morning")
    ask(client, "And?")


def spoken(client, verbs, olga) -> None:
    verbs.say(1, "ann", olga, content="Good morning")


CLOCKS = {
    "accept": (waits, "operator_timeout", "Unfortunately nobody is free at the moment. The assistant goes on helping "
               "you. Leave your email address and we will write to you."),
    "first_reply": (taken, "first_reply_timeout", GIVEN_UP),
    "reply": (asked, "reply_timeout", GIVEN_UP),
    "visitor": (spoken, "visitor_timeout", "The conversation was closed because it had been quiet for a while. "
                "Write again at any time."),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOCKS)
def test_each_clock_rings_once_when_its_time_has_come_and_says_so(client, parts, verbs, olga, name):
    prepare, setting, line = CLOCKS[name]
    ask(client, "Hello")
    prepare(client, verbs, olga)
    clock = clocks.running(conversation(parts), SiteSettings())
    assert (clock.name, clock.due_ms) == (name, conversation(parts).clock_ms)
    timeout_s = getattr(SiteSettings(), setting)
    pass_by(parts, timeout_s - 10)
    assert ring(parts) is None
    pass_by(parts, 10)
    assert ring(parts) == name
    assert ring(parts) is None
    told = history(client)
    assert (told[-1]["role"], told[-1]["content"]) == ("system", line)
    row = conversation(parts)
    assert (row.mode == "ai" or row.closed_ms is not None, row.is_waiting, row.clock_ms) == (True, 0, None)
    # Somebody answers again.
    assert ask(client, "Hello again").done["mode"] == "ai"
    assert conversation(parts).id == (2 if name == "visitor" else 1)


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_that_is_switched_off_never_rings(client, parts, verbs, olga, name):
    prepare, setting, _ = CLOCKS[name]
    decide(parts.store, **{setting: 0})
    ask(client, "Hello")
    prepare(client, verbs, olga)
    assert conversation(parts).clock_ms is None
    pass_by(parts, 10**6)
    assert ring(parts) is None


@pytest.mark.parametrize("name", ["accept", "first_reply", "reply"])
def test_outside_working_hours_a_clock_asks_for_an_email_or_names_the_one_that_is_known(
    client, parts, verbs, olga, name
):
    decide(parts.store, working_hours=NEVER)
    for email, asks in (("", "Leave your email address and we will write to you."),
                        ("ann@shop.example", "We will write to ann@shop.example.")):  # fmt: skip
        ask(client, "Hello")
        if email:
            post(client, "chat/email", email=email)
        CLOCKS[name][0](client, verbs, olga)
        pass_by(parts, 10**4)
        assert ring(parts) == name
        assert history(client)[-1]["content"].endswith(f"Nobody is here at the moment. {asks}")


def test_a_word_of_either_side_puts_off_the_clock_and_the_ai_has_none(client, parts, verbs, olga):
    ask(client, "Hello")
    assert conversation(parts).clock_ms is None
    verbs.say(1, "ann", olga, content="Good morning")
    pass_by(parts, 1_000)
    ask(client, "And?")
    pass_by(parts, 500)
    verbs.say(1, "ann", olga, content="Yes")
    pass_by(parts, 1_000)
    assert ring(parts) is None
    verbs.return_to_ai(1, "ann")
    assert conversation(parts).clock_ms is None


def test_a_shortened_timeout_counts_at_once_and_a_lengthened_one_when_the_clock_would_ring(client, parts, verbs, olga):
    ask(client, "Hello")
    verbs.accept(1, "ann", olga)
    pass_by(parts, 100)
    assert ring(parts) is None
    decide(parts.store, first_reply_timeout=50)
    verbs.rewind_clocks(1)
    assert ring(parts) == "first_reply"
    verbs.accept(1, "ann", olga)
    pass_by(parts, 100)
    decide(parts.store, first_reply_timeout=5_000)
    assert ring(parts) is None
    assert conversation(parts).clock_ms == conversation(parts).accepted_ms + 5_000_000


def test_the_figures_of_a_conversation_say_how_long_a_visitor_waited(client, parts, verbs, olga):
    ask(client, "Hello")
    ask(client, "And?")
    assert conversation(parts).unread_count == 2
    post(client, "chat/request-operator")
    pass_by(parts, 60)
    verbs.accept(1, "ann", olga)
    assert (conversation(parts).unread_count, conversation(parts).first_reply_ms) == (0, None)
    pass_by(parts, 40)
    verbs.say(1, "ann", olga, content="Good morning")
    first = conversation(parts).first_reply_ms
    assert 100_000 <= first < 160_000
    assert conversation(parts).waiting_ms is None
    verbs.return_to_ai(1, "ann")
    verbs.say(1, "ann", olga, content="Me again")
    assert conversation(parts).first_reply_ms == first


# Whom a waiting visitor is offered to.


def test_the_least_busy_one_is_called_first_then_the_next_then_everybody(client, parts, verbs, olga):
    decide(parts.store, operator_routing="least_busy")
    otto = add_operator(parts.store, "Otto")
    for operator in (olga, otto):
        parts.store.write(presence.beat, operator_id=operator.id, site_ids=[1])
    verbs.propose(1, "busy", None, content="Hello")
    verbs.accept(1, "busy", olga)
    ask(client, "Hello")
    post(client, "chat/request-operator")
    offers = [conversation(parts).offered]
    for _ in range(2):
        pass_by(parts, 31)
        assert ring(parts) == "offer"
        offers.append(conversation(parts).offered)
    assert offers == [f"{otto.id}", f"{otto.id},{olga.id}", ""]
    assert conversation(parts).is_waiting == 1
    pass_by(parts, 120)
    assert ring(parts) == "accept"


def test_one_is_called_when_the_site_has_one_and_everybody_when_that_one_may_not_chat(client, parts, verbs, olga):
    for operator_id, offered in ((olga.id, str(olga.id)), (99, "")):
        decide(parts.store, operator_routing="one", operator_id=operator_id)
        ask(client, "Hello")
        post(client, "chat/request-operator")
        assert conversation(parts).offered == offered
        verbs.return_to_ai(1, "ann")


# One worker only.


def test_only_one_holds_the_lease_until_it_gives_it_back_or_is_gone(store):
    assert store.write(scheduler.take, owner="one")
    assert not store.write(scheduler.take, owner="two")
    assert not store.read(scheduler.may_take, owner="two")
    assert store.write(scheduler.take, owner="one")
    store.write(scheduler.give_back, owner="two")
    assert not store.write(scheduler.take, owner="two")
    store.write(scheduler.give_back, owner="one")
    assert store.write(scheduler.take, owner="two")


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(store):
    assert store.write(scheduler.take, owner="dead")
    store.write(lambda tx: tx.run(Lease.update(until_ms=tx.now_ms() + 3_600_000)))
    assert store.read(scheduler.may_take, owner="two")
    assert store.write(scheduler.take, owner="two")
    assert not store.write(scheduler.take, owner="dead")


SHORT = {"operator_timeout": 1, "first_reply_timeout": 1, "reply_timeout": 1, "visitor_timeout": 1}


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_clocks_ring_once_on_two_workers_also_after_the_one_that_held_the_lease_was_killed(boot, make_database, engine):
    url = make_database(engine)
    with contextlib.closing(open_store(url)) as store:
        add_site(store, **SHORT)
    server = boot(workers=2, database_url=url)
    with far_away(SimpleNamespace(database_url=url)) as verbs:
        olga = add_operator(verbs._store)
        begin_all(server.url, verbs, olga, "before")
        wait_until(lambda: all_rang(url), "the clocks to ring")
        (owner,) = rows(url, "SELECT owner FROM lease")[0]
        holder = int(owner.split("-")[0])
        assert holder in server.worker_pids()
        os.kill(holder, signal.SIGKILL)
        begin_all(server.url, verbs, olga, "after")
        wait_until(lambda: all_rang(url), "the clocks to ring for the next holder", 30)
    assert rows(url, "SELECT owner FROM lease")[0][0] != owner
    told = rows(url, "SELECT session_id, content FROM message JOIN visitor ON visitor.id = visitor_id WHERE role = "
                "'system' ORDER BY session_id")  # fmt: skip
    for when in ("before", "after"):
        for name, (_, _, line) in CLOCKS.items():
            for number in range(3):
                said = [text for session, text in told if session == f"{when}-{name}-{number}"]
                assert said.count(line) == 1, (when, name, said)
                assert len(said) == 2


def begin_all(client, verbs, olga, when: str) -> None:
    """Three conversations for each clock; each with one line so far."""
    for number in range(3):
        for name in CLOCKS:
            session = f"{when}-{name}-{number}"
            verbs.propose(1, session, None, content="Hello")
            if name == "accept":
                verbs.request_operator(1, session)
            elif name == "first_reply":
                verbs.accept(1, session, olga)
            else:
                verbs.say(1, session, olga, content="Good morning")
            if name == "reply":
                ask(client, "And?", session=session)


def all_rang(url: str) -> bool:
    return rows(url, "SELECT count(*) FROM conversation WHERE clock_ms IS NOT NULL") == [(0,)]
