"""Everything that operators, visitors, clocks and an eraser may do, at once on two workers: nothing crashes, nothing
is lost, doubled or left behind, and the AI stays silent while a person has the conversation; on both engines."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from tests.desk import Desk
from tests.test_clocks import SHORT, decide
from vexar import models
from vexar.conversing import clocks
from vexar.models import Conversation, Message, Site, Visitor
from vexar.sites.settings import read_settings
from vexar.store import Store, open_store

pytestmark = pytest.mark.servers

SESSIONS = 6
LASTS_S = 10.0
# Longer than a clock of one second, an answer and the digest need.
ENDS_S = 20.0
# What may be refused where others were faster.
FINE = {200, 403, 404, 409, 429}
CAME = ("joined the conversation", "now takes care of you")


class Link:
    """The client of a Desk, over the network."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, query_string: dict, headers: dict) -> requests.Response:
        return requests.get(self._url + path, params=query_string, headers=headers, timeout=60)

    def post(self, path: str, json: dict, headers: dict | None = None) -> requests.Response:
        return requests.post(self._url + path, json=json, headers=headers, timeout=60)

    def delete(self, path: str, headers: dict) -> requests.Response:
        return requests.delete(self._url + path, headers=headers, timeout=60)


def speak(wire, body) -> None:
    wire.head()
    for word in ("one ", "two ", "three"):
        time.sleep(random.uniform(0.01, 0.08))
        wire.token(word)
    wire.done()


# What a person does with a conversation: verb -> call(person, its number, its row, everybody).
ACTS = {
    "accept": lambda olga, number, row, team: olga.post(f"operator/accept/{number}"),
    "message": lambda olga, number, row, team: olga.post("operator/message", conversation_id=number, content="Hi"),
    "transfer": lambda olga, number, row, team: olga.post(
        f"operator/transfer/{number}", operator_id=random.choice(team).id
    ),
    "return": lambda olga, number, row, team: olga.post(f"operator/return-to-ai/{number}"),
    "close": lambda olga, number, row, team: olga.post(f"operator/close/{number}"),
    "note": lambda olga, number, row, team: olga.post("operator/note", conversation_id=number, content="a note"),
    "seen": lambda olga, number, row, team: olga.post(f"operator/read/{number}"),
    "propose": lambda olga, number, row, team: olga.post(
        "operator/proactive-message", site_id=1, session_id=f"s{random.randrange(SESSIONS)}", content="Hello"
    ),
    "block": lambda olga, number, row, team: olga.post("operator/block", conversation_id=number, by="session"),
    "unblock": lambda olga, number, row, team: olga.post(f"operator/unblock/{number}"),
    "erase": lambda olga, number, row, team: team[0].delete(f"conversations/{number}"),
    "forget": lambda olga, number, row, team: team[0].delete(f"visitors/{row.visitor_id}"),
    "list": lambda olga, number, row, team: olga.get("operator/active-chats"),
    "look": lambda olga, number, row, team: olga.get(f"conversations/{number}/messages"),
    "search": lambda olga, number, row, team: olga.get("sites/1/conversations", search="hello"),
}
OFTEN = {"accept": 4, "message": 4, "unblock": 3}
# What a visitor does: path below chat/, fields by how many messages it has sent.
WISHES = (
    *[("stream", lambda said: {"message": f"hello {said}", "message_id": f"m{said}"})] * 3,
    ("stream", lambda said: {"message": f"hello {said - 1}", "message_id": f"m{said - 1}"}),
    ("request-operator", lambda said: {}), ("close", lambda said: {}), ("rate", lambda said: {"score": 3}),
    ("contact", lambda said: {"email": "ann@shop.example"}), ("read", lambda said: {"cursor": said}),
)  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlite", "mysql"])
def test_everything_at_once_leaves_every_row_in_order(boot, make_database, upstream, engine):
    upstream.always = speak
    url = make_database(engine)
    server = boot(workers=2, database_url=url, env={"VEXAR_AI_BASE_URL": upstream.url})
    seen: Counter = Counter()
    until = time.monotonic() + LASTS_S
    with contextlib.closing(open_store(url)) as store:
        decide(store, **SHORT)
        team = [Desk(Link(server.url), store, 1, name=name, is_owner=name == "Ona") for name in ("Ona", "Olga", "Otto")]

        def visit(session: str) -> None:
            for said in range(1, 10_000):
                path, fields = random.choice(WISHES)
                body = {"site_key": "sk_demo", "session_id": session, **fields(said)}
                seen[path, Link(server.url).post(f"/api/v1/chat/{path}", json=body).status_code] += 1
                if time.monotonic() > until:
                    return

        def work(person: Desk) -> None:
            weights = [OFTEN.get(verb, 1) for verb in ACTS]
            while time.monotonic() < until:
                row = random.choice(rows(store, Conversation)[-8:] or [None])
                (verb,) = random.choices(list(ACTS), weights)
                if row:
                    seen[verb, ACTS[verb](person, row.id, row, team).status_code] += 1

        jobs = [threading.Thread(target=visit, args=(f"s{number}",)) for number in range(SESSIONS)]
        seed(server.url)
        jobs += [threading.Thread(target=work, args=(person,)) for person in team]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
        assert "Traceback" not in server.log(), server.log()[server.log().index("Traceback"):][:4000]
        assert {status for _, status in seen} <= FINE, seen
        # Both sides came to their turn.
        assert all(seen[verb, 200] for verb in ("stream", "accept", "message", "erase", "forget")), seen
        check(store)


def seed(url: str) -> None:
    """A conversation to begin with, of somebody whom nobody erases before the first look."""
    Link(url).post("/api/v1/chat/stream", json={"site_key": "sk_demo", "session_id": "s0", "message": "hello"})


def rows(store: Store, table: Any) -> list:
    return store.read(lambda tx: tx.all(table.select(table)))


def check(store: Store) -> None:
    give_up = time.monotonic() + ENDS_S
    while any(run.state != "ended" for run in rows(store, models.Run)) or any(
        row.clock_ms for row in rows(store, Conversation)
    ):
        assert time.monotonic() < give_up, "a run or a clock never comes to its end"
        time.sleep(0.2)
    visitors = {row.id: row for row in rows(store, Visitor)}
    conversations = {row.id: row for row in rows(store, Conversation)}
    said = sorted(rows(store, Message), key=lambda row: (row.visitor_id, row.seq))
    check_owners(store, visitors, conversations)
    check_conversations(SimpleNamespace(store=store, visitors=visitors, conversations=conversations, said=said))
    check_silence(said)


def check_owners(store: Store, visitors: dict, conversations: dict) -> None:
    """Nothing is left of what was erased."""
    for table in (Message, Conversation, models.Run):
        assert {row.visitor_id for row in rows(store, table)} <= visitors.keys(), table
    for table in (Message, models.Note, models.ConversationTerm):
        assert {row.conversation_id for row in rows(store, table)} <= conversations.keys(), table


def check_conversations(all_of: SimpleNamespace) -> None:
    settings = read_settings(rows(all_of.store, Site)[0].settings)
    counts = Counter(message.conversation_id for message in all_of.said)
    for row in all_of.conversations.values():
        assert row.messages_count == counts[row.id]
        assert (row.closed_ms is None) == (all_of.visitors[row.visitor_id].conversation_id == row.id)
        clock = clocks.running(row, settings)
        assert row.clock_ms == (clock.due_ms if clock else None)


def check_silence(said: list) -> None:
    """Between the line that a person came and the next line, the AI says nothing."""
    held: dict[int, bool] = {}
    for message in said:
        if message.role == "system":
            held[message.conversation_id] = message.content.endswith(tuple(f"{line}." for line in CAME))
        assert not (message.role == "assistant" and held.get(message.conversation_id)), message
