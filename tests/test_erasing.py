"""Erasing and handing out what is stored: conversations, visitors, sites, and what has become too old; on both
engines, also in the middle of an answer and after a kill."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cast import Visitor, add_site, picture
from tests.desk import Desk
from tests.services import wait_until
from tests.wire import Live, Spoken, ask, follow, history, listen, post, scope
from vexar import models
from vexar.answers import budgets, ledger
from vexar.answers.following import Follower
from vexar.desk import digest
from vexar.erasing import erasing, erasure
from vexar.knowledge.unanswered import finding
from vexar.models import Conversation, Site
from vexar.models import Visitor as VisitorRow
from vexar.nudges.nudge_rules import replace
from vexar.sites.settings import SiteSettings, write_settings

DAY_MS = 86_400_000
RULE = {"path": "/cart", "variants": [{"message": "Questions?"}], "frequency": "always"}
# Names nobody: counts, and what Vexar has of its own.
ANONYMOUS = {"site_day", "budget", "lease", "operator", "operator_site", "presence", "nudge_rule", "login_failure"}


@pytest.fixture
def app(make_app, upstream, engine, make_database, monkeypatch):
    """The app on each engine in turn, with a model that answers, and cuts that are noticed soon."""
    monkeypatch.setattr("vexar.answers.keeping.KEEP_TICK_S", 0.02)
    return make_app(ai_base_url=upstream.url, database_url=make_database(engine))


@pytest.fixture
def store(app):
    return app.extensions["vexar"].store


@pytest.fixture
def eraser(app):
    return app.extensions["vexar"].eraser


@pytest.fixture
def owner(app, client, store):
    return Desk(client, store, name="Olga", is_owner=True)


def stored(store, table: type, **which) -> list:
    """The rows of a table with these values."""
    query = table.select(table)
    for name, value in which.items():
        query = query.where(getattr(table, name) == value)
    return store.read(lambda tx: tx.all(query))


def visitor_of(store, session: str = "ann"):
    """The row of a session."""
    return next(iter(stored(store, VisitorRow, session_id=session)), None)


def everything(store) -> dict[str, str]:
    """What each table holds, as one text, but for tables that name nobody."""
    tables = [table for table in models.TABLES if table._meta.table_name not in ANONYMOUS]
    return {table.__name__: repr(stored(store, table)) for table in tables}


def live_with(client, app, session: str = "ann") -> Visitor:
    """A visitor who leaves every kind of trace: contact, image, message, run, nudge, block, rating, search words, a
    question that was not answered."""
    visitor = Visitor(client, "sk_demo", session)
    url = visitor.upload(picture()).json["url"]
    visitor.upload(picture(size=(3, 3)))
    visitor.ask(f"quokka {session}", image_url=url, page_url=f"https://shop.example/{session}")
    visitor.post("chat/contact", email=f"{session}@shop.example", name=f"Name {session}")
    visitor.post("chat/rate", score=5)
    visitor.post("proactive/event", event="shown", rule_path="/cart")
    store = app.extensions["vexar"].store
    digest.catch_up(store)
    finding.catch_up(store)
    return visitor


def files(app) -> list[Path]:
    """The stored images."""
    return [path for path in Path(app.extensions["vexar"].config.upload_dir).rglob("*") if path.is_file()]


def test_a_visitor_is_erased_with_every_trace_and_nobody_else(app, client, store, owner, eraser):
    store.write(replace, site_id=1, rules=[RULE])
    live_with(client, app, "ann")
    live_with(client, app, "ben")
    ann = visitor_of(store)
    conversation = stored(store, Conversation, visitor_id=ann.id)[0]
    owner.post("operator/note", conversation_id=conversation.id, content="a note about ann")
    owner.post("operator/block", conversation_id=conversation.id, by="session", reason="ann is rude")
    before = everything(store)
    assert all("ann" in before[name] for name in ("Visitor", "Message", "Block", "Note", "UnansweredAsk"))
    assert len(files(app)) == 4
    assert f"'{ann.id}'" not in before
    ben_before = client.get("/api/v1/chat/history", query_string=scope("ben")).json

    assert owner.delete(f"visitors/{ann.id}").json == {"success": True}

    left = everything(store)
    assert "ann" not in "".join(left.values()).replace("channel", "")
    of_visitor = (models.Message, models.Run, models.Conversation, models.NudgeEvent, models.Upload,
                  models.UnansweredAsk)
    for table in of_visitor:
        column = "visitor_id"
        assert stored(store, table, **{column: ann.id}) == []
    assert stored(store, models.ConversationTerm, conversation_id=conversation.id) == []
    assert len(files(app)) == 2
    assert client.get("/api/v1/chat/history", query_string=scope("ben")).json == ben_before
    assert stored(store, models.SiteDay) != []
    # Again is the same, and the same session may come as somebody new.
    assert owner.delete(f"visitors/{ann.id}").status_code == 404
    ask(client, "Hello again")
    assert [message["id"] for message in history(client)] == [1, 2]
    assert visitor_of(store).id != ann.id


def test_the_quota_is_given_back_with_the_images(app, client, store, owner):
    live_with(client, app)
    assert stored(store, Site)[0].upload_bytes > 0
    owner.delete(f"visitors/{visitor_of(store).id}")
    assert stored(store, Site)[0].upload_bytes == 0


def test_one_conversation_goes_and_the_others_stay(app, client, store, owner):
    live_with(client, app)
    post(client, "chat/close")
    ask(client, "a wombat")
    first, second = stored(store, Conversation)
    assert owner.delete(f"conversations/{first.id}").json == {"success": True}
    assert [row.id for row in stored(store, Conversation)] == [second.id]
    assert {message["content"] for message in history(client)} & {"quokka ann"} == set()
    assert "a wombat" in {message["content"] for message in history(client)}
    assert stored(store, models.ConversationTerm, conversation_id=first.id) == []
    # The one that was never sent is not a conversation's.
    assert len(files(app)) == 1
    ask(client, "more")
    ids = [message["id"] for message in history(client)]
    assert ids == sorted(set(ids))
    assert ids[0] > 1


def test_an_open_conversation_is_closed_by_its_erasing_and_the_widget_reads_anew(app, client, store, owner):
    ask(client, "Hello")
    visitor = Visitor(client, "sk_demo", "ann")
    with Live(client, "GET", f"/api/v1/chat/events?site_key=sk_demo&session_id={visitor.session_id}", None, None,
              "text/event-stream") as events:  # fmt: skip
        events.when(lambda: '"blocked"' in events.raw.decode(), "the beginning")
        owner.delete(f"conversations/{stored(store, Conversation)[0].id}")
        events.when(lambda: '"closed"' in events.raw.decode() and '"reset"' in events.raw.decode(), "reset")
    assert history(client) == []
    assert ask(client, "Hello").done["conversation_id"] > 1


def test_a_live_stream_of_an_erased_visitor_is_reset(app, client, store, owner):
    ask(client, "Hello")
    with Live(client, "GET", "/api/v1/chat/events?site_key=sk_demo&session_id=ann", None, None,
              "text/event-stream") as events:  # fmt: skip
        events.when(lambda: '"blocked"' in events.raw.decode(), "the beginning")
        owner.delete(f"visitors/{visitor_of(store).id}")
        events.when(lambda: '"reset"' in events.raw.decode(), "reset")
        assert "id: 0" in events.raw.decode()


@pytest.mark.parametrize("what", ["visitors", "conversations", "sites"])
def test_a_running_answer_is_cut_by_erasing_and_leaves_nothing(app, client, store, owner, upstream, what):
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m_1") as live:
        spoken.say("One ", "two ")
        live.until("One two ")
        number = {"visitors": visitor_of(store).id, "conversations": stored(store, Conversation)[0].id, "sites": 1}
        assert owner.delete(f"{what}/{number[what]}").status_code == 200
        told = live.finish()
    spoken.end("three")
    assert told.done["finish_reason"] == "stopped"
    assert told.done["reply_id"] is None
    assert "reset" in told.types
    runs = app.extensions["vexar"].runs
    wait_until(lambda: not runs._live and not runs._workers, "the worker of the run to end")
    assert stored(store, models.Message) == stored(store, models.Run) == stored(store, Conversation) == []


def test_a_follower_elsewhere_hears_that_it_is_over(app, client, store, eraser, upstream):
    """Its run is made in another process, of which it knows only the row."""
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m_1") as live:
        spoken.say("One ")
        live.until("One ")
        row = stored(store, models.Run)[0]
        runs = app.extensions["vexar"].runs
        follower = Follower(runs, row, None)
        follower._find_live = lambda: None
        eraser.visitor(row.visitor_id)
        events = wait_until(lambda: follower.next(0.1), "an event")
        follower.close()
    spoken.end()
    assert b'"type":"done"' in events[-1].data


def test_a_run_that_waits_for_its_turn_ends_with_its_visitor(app, client, store, eraser, upstream):
    spoken = Spoken(upstream)
    with listen(client, "Hello", "m_1") as first, listen(client, "And?", "m_2") as second:
        spoken.say("One ")
        first.until("One ")
        wait_until(lambda: len(stored(store, models.Run)) == 2, "the second run")
        eraser.visitor(visitor_of(store).id)
        reasons = [live.finish().done["finish_reason"] for live in (first, second)]
    assert reasons == ["stopped", "stopped"]
    spoken.end()
    assert upstream.count == 1



def test_every_job_about_a_run_takes_it_that_the_run_and_its_visitor_are_gone(app, store):
    live = app.extensions["vexar"]
    which = {"visitor_id": 99, "seq": 1}
    assert store.write(ledger.begin, attempt=1, owner="o", **which) == "lost"
    finish = {"finish_reason": "stop", "text": "x", "status": "complete"}
    assert store.write(ledger.finish, attempt=1, owner="o", **which, **finish) is None
    assert store.write(ledger.stop, **which) is False
    assert store.write(ledger.bury, **which) is False
    assert live.runs.stop(99, 1) is False
    assert live.runs.revive(99, 1) is False


def test_an_answer_begun_for_a_visitor_that_goes_before_the_prompt_is_built_is_given_up(
    app, client, store, eraser, upstream, monkeypatch, caplog
):
    from vexar.answers import runs as module

    build = module.build_prompt

    def erase_first(store, config, live, **how):
        eraser.visitor(live.row.visitor_id)
        return build(store, config, live, **how)

    monkeypatch.setattr(module, "build_prompt", erase_first)
    told = ask(client, "Hello", "m_1")
    assert told.done["finish_reason"] == "stopped"
    # The one who erases is the run's own worker here.
    runs = app.extensions["vexar"].runs
    wait_until(lambda: not runs._workers, "the worker of the run to end")
    assert (upstream.count, stored(store, VisitorRow)) == (0, [])
    assert "crashed" not in caplog.text


def test_an_erased_message_sent_again_is_a_new_one(app, client, store, eraser):
    ask(client, "Hello", "m_1")
    eraser.visitor(visitor_of(store).id)
    assert follow(client, "m_1").status == 404
    assert ask(client, "Other words", "m_1").done["message_id"] == "m_1"
    assert len(history(client)) == 2


@pytest.mark.parametrize("erased", [0, 1])
def test_a_message_answered_in_the_next_conversation_can_be_sent_again_after_either_is_erased(
    client, store, eraser, erased
):
    ask(client, "Hello", "m_1")
    post(client, "chat/close")
    store.write(lambda tx: tx.run(models.Run.update(finish_reason="error", error_code="upstream_broken")))
    ask(client, "Hello", "m_1")
    conversations = stored(store, Conversation)
    assert [run.conversation_id for run in stored(store, models.Run)] == [conversations[1].id]
    eraser.conversation(conversations[erased].id)
    again = ask(client, "Hello", "m_1")
    assert (again.status, again.types.count("done")) == (200, 1)
    assert [message["content"] for message in history(client)].count("Hello") == 1


# Sites.


def test_a_site_goes_with_everything_and_answers_404_at_once(app, client, store, owner, eraser, monkeypatch):
    monkeypatch.setattr(erasure, "GRACE_MS", -1_000)
    store.write(replace, site_id=1, rules=[RULE])
    live_with(client, app)
    conversation = stored(store, Conversation)[0]
    owner.post("operator/note", conversation_id=conversation.id, content="a note")
    owner.post("sites/1/canned-replies", shortcut="hi", content="Hello")
    from vexar.knowledge.index import Entry, add_entries

    add_entries(store, 1, [Entry("faq", "", f"What is {word}?", f"{word} is a word") for word in ("ab", "cd", "ef")])
    other = add_site(store)
    Visitor(client, other.site_key, "ann").ask("Hello")
    colleague = Desk(client, store, 1, name="Carl", can_edit=1)

    assert owner.delete("sites/1").json == {"success": True, "is_done": True}

    assert client.get("/api/v1/chat/config?site_key=sk_demo").json["code"] == "site_not_found"
    assert owner.get("sites/1").status_code == colleague.get("sites/1").status_code == 404
    assert owner.get(f"conversations/{conversation.id}/export").status_code == 404
    assert files(app) == []
    for table in models.TABLES:
        if "site_id" in table._meta.fields:
            assert stored(store, table, site_id=1) == [], table
    assert stored(store, models.Note) == []
    assert len(Visitor(client, other.site_key, "ann").history()) == 2
    # What there was to remember is forgotten once nothing can come any more.
    eraser.finish()
    assert [row for row in stored(store, models.Lease) if row.name.startswith(erasure.REMOVED)] == []


def test_an_open_stream_of_a_removed_site_ends(app, client, store, owner):
    with Live(client, "GET", "/api/v1/chat/events?site_key=sk_demo&session_id=new", None, None,
              "text/event-stream") as events:  # fmt: skip
        events.when(lambda: '"blocked"' in events.raw.decode(), "the beginning")
        owner.delete("sites/1")
        events.finish()


def test_no_job_deletes_more_than_a_slice_and_what_a_kill_left_is_finished_later(
    app, client, store, owner, eraser, monkeypatch
):
    monkeypatch.setattr(erasure, "SLICE_ROWS", 3)
    for session in ("ann", "ben"):
        for text in ("one", "two", "three"):
            ask(client, text, session=session)
    post(client, "chat/contact", email="ann@shop.example", name="Ann")
    ann = visitor_of(store)
    counts = []

    def killed(job, **arguments):
        if job in (erasure.wipe_visitors, erasure.wipe_site):
            before = sum(len(stored(store, table)) for table in models.TABLES)
            result = write(job, **arguments)
            counts.append(before - sum(len(stored(store, table)) for table in models.TABLES))
            if len(counts) == 2:
                raise SystemExit
            return result
        return write(job, **arguments)

    write = store.write
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", killed)
        with pytest.raises(SystemExit):
            eraser.visitor(ann.id)
    assert counts == [3, 3]
    # Nobody meets what is left: the session is new, and the operators see no contact.
    assert history(client) == []
    left = visitor_of(store, f"~{ann.id}")
    assert {getattr(left, name) for name in ("email", "name", "phone", "page_url", "contact_words")} == {""}
    eraser.finish()
    assert stored(store, models.Message, visitor_id=ann.id) == stored(store, VisitorRow, id=ann.id) == []
    assert len(history(client, "ben")) == 6


def test_a_site_whose_erasing_was_cut_short_is_erased_by_whoever_comes_next(app, client, store, eraser, monkeypatch):
    ask(client, "Hello")
    monkeypatch.setattr(eraser, "_wipe_site", lambda *args, **kwargs: True)
    eraser.site(1)
    assert client.get("/api/v1/chat/config?site_key=sk_demo").status_code == 404
    assert stored(store, models.Message) != []
    monkeypatch.undo()
    eraser.finish()
    assert stored(store, models.Message) == stored(store, VisitorRow) == []


def test_what_takes_too_long_goes_on_behind_the_answer(app, client, store, eraser, monkeypatch):
    monkeypatch.setattr(erasure, "SLICE_ROWS", 1)
    for text in ("one", "two"):
        ask(client, text)
    assert eraser.site(1, wait_s=-1) is False
    wait_until(lambda: not stored(store, models.Message) and not eraser._workers, "the rest to go")


def test_an_operators_page_reads_anew_when_something_is_erased(app, client, store, owner):
    ask(client, "Hello")
    streams = app.extensions["vexar"].operator_streams
    with Live(client, "GET", "/api/v1/operator/stream", None, None, "text/event-stream") as refused:
        assert refused.status == 401
    stream = client.get("/api/v1/operator/stream", headers=owner.headers, buffered=False)
    told = iter(stream.response)
    next(told)
    wait_until(lambda: streams.readers, "the stream to be open")
    owner.delete(f"visitors/{visitor_of(store).id}")
    assert any(b'"reset"' in next(told) for _ in range(10))
    assert owner.get("operator/active-chats").json["data"] == []
    stream.close()


def test_tokens_of_an_answer_are_counted_nowhere_once_its_site_is_gone(app, store, eraser):
    eraser.site(1)
    store.write(budgets.settle, site_id=1, tokens=5)
    assert stored(store, models.Budget) == []


# Too old.


def keep_days(store, days: int) -> None:
    """Set the site's retention."""
    settings = write_settings(SiteSettings(allowed_origins=["*"], retention_days=days))
    store.write(lambda tx: tx.run(Site.update(settings=settings).where(Site.id == 1)))


def grow_old(store, days: float, **which) -> None:
    """Move everything of a visitor or conversation into the past."""
    by = int(days * DAY_MS)

    def job(tx):
        for table, columns in ((Conversation, ("closed_ms", "changed_ms")), (VisitorRow, ("changed_ms",))):
            query = table.update({getattr(table, name): getattr(table, name) - by for name in columns})
            for name, value in which.items():
                if name in table._meta.fields:
                    query = query.where(getattr(table, name) == value)
            tx.run(query)

    store.write(job)


def test_closed_conversations_expire_with_their_visitor_when_nothing_younger_is_left(app, client, store, eraser):
    for session in ("ann", "ben", "cem", "dan"):
        ask(client, "Hello", session=session)
        if session != "dan":
            post(client, "chat/close", session=session)
    grow_old(store, 31)
    # ben wrote again since, and a person has dan's.
    ask(client, "Again", session="ben")
    (dans,) = stored(store, Conversation, visitor_id=visitor_of(store, "dan").id)
    store.write(lambda tx: tx.run(Conversation.update(mode="operator").where(Conversation.id == dans.id)))
    assert eraser.expire() == 0
    keep_days(store, 40)
    assert eraser.expire() == 0
    keep_days(store, 30)
    assert eraser.expire() == 3
    assert {row.session_id for row in stored(store, VisitorRow)} == {"ben", "dan"}
    assert [message["content"] for message in history(client, "ben")][:1] == ["Again"]
    assert eraser.expire() == 0


def test_who_just_left_and_who_never_wrote_expire_too(client, store, eraser):
    ask(client, "Hello", session="ann")
    ask(client, "Hello", session="ben")
    post(client, "chat/request-operator", session="ben")
    post(client, "chat/email", session="cem", email="cem@shop.example")
    keep_days(store, 30)
    assert eraser.expire() == 0
    grow_old(store, 31)
    assert eraser.expire() == 2
    # ben still waits for a person.
    assert [row.session_id for row in stored(store, VisitorRow)] == ["ben"]


def test_who_comes_back_while_expiring_keeps_everything(client, store, eraser):
    """The moment between finding what is old and shutting its door."""
    ask(client, "Hello")
    post(client, "chat/close")
    grow_old(store, 31)
    ask(client, "I am back")
    visitor, (old, new) = visitor_of(store), stored(store, Conversation)
    assert store.write(erasure.shut_visitor, visitor_id=visitor.id, days=30) is None
    assert store.write(erasure.shut_conversation, conversation_id=new.id, days=30) is None
    assert visitor_of(store) == visitor
    assert store.write(erasure.shut_conversation, conversation_id=old.id, days=30) is not None


def test_expiring_goes_in_slices(app, client, store, eraser, monkeypatch):
    monkeypatch.setattr(erasing, "MAX_EXPIRED", 2)
    for session in ("ann", "ben", "cem"):
        ask(client, "Hello", session=session)
        post(client, "chat/close", session=session)
    grow_old(store, 31)
    keep_days(store, 30)
    assert [eraser.expire(), eraser.expire(), eraser.expire()] == [2, 1, 0]


# Handing out.


def test_a_visitors_export_holds_everything_and_reads_as_a_table_too(app, client, store, owner):
    store.write(replace, site_id=1, rules=[RULE])
    live_with(client, app)
    ann = visitor_of(store)
    conversation = stored(store, Conversation)[0]
    owner.post("operator/note", conversation_id=conversation.id, content="a note")
    owner.post("operator/block", conversation_id=conversation.id, by="session", reason="rude")
    exported = owner.get(f"visitors/{ann.id}/export").json
    assert exported["visitor"]["email"] == "ann@shop.example"
    assert exported["visitor"]["session_id"] == "ann"
    assert [message["content"] for message in exported["conversations"][0]["messages"]][0] == "quokka ann"
    assert exported["conversations"][0]["notes"][0]["content"] == "a note"
    assert exported["conversations"][0]["conversation"]["rating_score"] == 5
    assert (len(exported["uploads"]), exported["blocks"][0]["reason"]) == (2, "rude")
    assert exported["nudge_events"][0]["event"] == "shown"
    assert exported["unanswered"][0]["question"] == "quokka ann"
    answer = owner.get(f"conversations/{conversation.id}/export", format="csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["content"] for row in rows][0] == "quokka ann"
    assert rows[0]["role"] == "visitor"
    assert owner.get(f"conversations/{conversation.id}/export").json["messages"][0]["content"] == "quokka ann"


@pytest.mark.parametrize("path", ["visitors/{visitor}", "conversations/{conversation}", "sites/1"])
def test_only_the_owner_erases_and_only_who_may_read_gets_an_export(app, client, store, owner, path):
    ask(client, "Hello")
    path = path.format(visitor=visitor_of(store).id, conversation=stored(store, Conversation)[0].id)
    reader = Desk(client, store, 1, name="Carl", can_view_conversations=1)
    chatter = Desk(client, store, 1, name="Dora", can_view_conversations=0, can_edit=1)
    oscar = Desk(client, store, add_site(store).id, name="Oscar")
    before = everything(store)
    assert reader.delete(path).status_code == 403
    assert oscar.delete(path).status_code == 404
    assert client.delete(f"/api/v1/{path}").status_code == 401
    assert everything(store) == before
    if path != "sites/1":
        assert [one.get(f"{path}/export").status_code for one in (reader, chatter, oscar)] == [200, 403, 404]
