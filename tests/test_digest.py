"""The digest: each message is counted once whatever happens, erased ones leave no words, old databases are read."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from peewee import MySQLDatabase, SqliteDatabase
from playhouse.migrations import Runner

from tests.conftest import add_site
from tests.stories import tell
from vexar.desk import digest, listing
from vexar.desk.digest import catch_up
from vexar.desk.finding import read_search
from vexar.desk.listing import Wanted
from vexar.models import TABLES, Conversation, ConversationTerm, Message, SiteDay, Visitor
from vexar.store import open_store, schema
from vexar.store.db import is_mysql, sqlite_path
from vexar.store.mysql import connection_options

AT_MS = 1_700_000_000_000  # 2023-11-14
DAY = "2023-11-14"


@pytest.fixture
def site_id(store):
    return add_site(store)


def counts(store) -> dict[str, tuple]:
    """The counts of every day: conversations, then messages of visitors, assistants, operators."""
    rows = store.read(lambda tx: tx.all(SiteDay.select(SiteDay)))
    return {row.day: tuple(row[2:]) for row in rows}


def words(store) -> set[str]:
    """Every term there is."""
    return {row.term for row in store.read(lambda tx: tx.all(ConversationTerm.select(ConversationTerm.term)))}


def found(store, site_id, text) -> list[int]:
    """The conversations that a search finds."""
    wanted = Wanted((site_id,), search=read_search(text))
    rows, total = store.read_heavy(listing.page, wanted=wanted, limit=100, offset=0)
    assert total == len(rows)
    return sorted(row["id"] for row in rows)


def test_each_message_is_counted_once_by_any_number_of_digests_at_a_time(store, site_id):
    for number in range(30):
        tell(store, site_id, *(("visitor", f"word{number}"), ("assistant", "yes")) * 3, at_ms=AT_MS)
    digests = [threading.Thread(target=catch_up, args=(store,), kwargs={"timeout_s": 60}) for _ in range(4)]
    for thread in digests:
        thread.start()
    for thread in digests:
        thread.join()
    assert catch_up(store)
    assert counts(store) == {DAY: (30, 90, 90, 0)}
    assert len(words(store)) == 31


def test_a_digest_that_is_late_with_what_another_has_written_changes_nothing(store, site_id):
    told = tell(store, site_id, ("visitor", "apples"), at_ms=AT_MS)
    late = digest._next_part(store, told.visitor_id)
    assert catch_up(store)
    store.write(digest._write, parts=[late])
    assert counts(store) == {DAY: (1, 1, 0, 0)}


def test_what_was_erased_while_it_was_read_leaves_no_words(store, site_id):
    told = tell(store, site_id, ("visitor", "apples"), ("visitor", "pears"), at_ms=AT_MS)
    read = digest._next_part(store, told.visitor_id)
    assert read.terms
    for query in (Message.delete(), Conversation.delete()):
        store.write(lambda tx, query=query: tx.run(query))
    store.write(digest._write, parts=[read])
    assert catch_up(store)
    assert words(store) == set()
    assert counts(store) == {}


def test_a_message_of_thousands_of_words_is_written_down_in_small_jobs(store, site_id, monkeypatch):
    sizes = []
    add_terms = digest._add_terms
    monkeypatch.setattr(digest, "_add_terms", lambda tx, rows: sizes.append(len(rows)) or add_terms(tx, rows))
    text = " ".join(f"word{number}x" for number in range(1_500))
    told = tell(store, site_id, ("visitor", "before"), ("assistant", text), ("visitor", "after"), at_ms=AT_MS)
    assert catch_up(store, site_id=site_id, timeout_s=60)
    assert max(sizes) <= digest.MAX_TERMS
    assert len(words(store)) == 1_502
    assert counts(store) == {DAY: (1, 2, 1, 0)}
    assert found(store, site_id, "word1499x word0x after") == [told.id]


def test_more_messages_than_one_look_takes_are_all_digested(store, site_id):
    many = digest.MESSAGES_A_READ * 2 + 1
    told = tell(store, site_id, *(("visitor", f"w{number}") for number in range(many)), at_ms=AT_MS)
    assert catch_up(store)
    assert counts(store) == {DAY: (1, many, 0, 0)}
    assert found(store, site_id, f"w{many - 1}") == [told.id]


def test_messages_after_the_first_look_are_digested_by_the_next(store, site_id):
    assert catch_up(store)
    now_ms = store.read(lambda tx: tx.now_ms())
    told = tell(store, site_id, ("visitor", "apples"), at_ms=now_ms)
    assert catch_up(store)
    tell(store, site_id, ("visitor", "pears"), at_ms=now_ms + 5_000, session_id=told.session_id)
    assert catch_up(store, site_id=site_id)
    assert len(found(store, site_id, "pears")) == 1


def test_without_time_it_says_that_it_did_not_come_to_the_end(store, site_id):
    tell(store, site_id, ("visitor", "apples"), at_ms=AT_MS)
    assert catch_up(store, timeout_s=-1) is False
    assert words(store) == set()
    assert catch_up(store) is True


def test_days_begin_at_midnight_utc(store, site_id):
    midnight_ms = 1_700_006_400_000
    tell(store, site_id, ("visitor", "before"), at_ms=midnight_ms - 1)
    tell(store, site_id, ("visitor", "after"), at_ms=midnight_ms)
    assert catch_up(store)
    assert counts(store) == {"2023-11-14": (1, 1, 0, 0), "2023-11-15": (1, 1, 0, 0)}


@pytest.fixture
def first_release(database_url):
    """The URL of a database as 0.1.0 left it, with a row in every table of then."""
    if is_mysql(database_url):
        options = connection_options(database_url)
        options.pop("autocommit")
        database = MySQLDatabase(options.pop("database"), **options)
    else:
        database = SqliteDatabase(str(sqlite_path(database_url)))
    with database.connection_context():
        Runner(database, directory=str(schema.MIGRATIONS), table_name="schema_migration").up(target="0001_first")
        for statement in FIRST_ROWS:
            database.execute_sql(statement)
    return database_url


def _insert(table: str, **values: object) -> str:
    texts = ("NULL" if value is None else repr(value) for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(texts)})"


def _message(seq: int, role: str, content: str) -> str:
    return _insert(
        "message", visitor_id=1, seq=seq, conversation_id=1 if seq < 3 else 2, role=role, message_id=f"m{seq}",
        content=content, image_url=None, status="complete", sources="", operator_id=None, reply_to=None,
        created_ms=AT_MS + seq * 1000,
    )


def _conversation(number: int, **values: object) -> str:
    return _insert("conversation", **{
        "id": number, "site_id": 1, "visitor_id": 1, "mode": "ai", "epoch": 1, "is_waiting": 0, "operator_id": None,
        "first_seq": 1, "boundary_seq": 0, "messages_count": 2, "last_message": "x", "rating_score": None,
        "rating_comment": "", "rated_ms": None, "created_ms": AT_MS, "changed_ms": AT_MS + 9, "closed_ms": None,
        **values,
    })  # fmt: skip


def _visitor(number: int, **values: object) -> str:
    return _insert("visitor", **{
        "id": number, "site_id": 1, "session_id": f"s{number}", "conversation_id": None, "last_seq": 0,
        "handed_seq": 0, "nudged_seq": 0, "read_seq": 0, "user_id": "", "name": "", "email": "", "phone": "",
        "lang": "uk", "page_url": "", "address": "", "created_ms": AT_MS, "changed_ms": AT_MS, **values,
    })  # fmt: skip


FIRST_ROWS = (
    _insert("site", id=1, site_key="sk_first", name="Shop", url="https://shop.example", is_active=1, settings="{}",
            identity_secret="", upload_bytes=0, knowledge_version=0, created_ms=1, changed_ms=1),
    _visitor(1, conversation_id=2, last_seq=4, name="Олена Їжак"),
    _visitor(2, email="silent@shop.example"),
    _conversation(1, closed_ms=AT_MS + 3000, rating_score=5, rated_ms=AT_MS),
    _conversation(2, is_waiting=1, first_seq=3, changed_ms=AT_MS + 4000),
    _message(1, "visitor", "Скільки коштує доставка?"),
    _message(2, "assistant", "Größe und Preis"),
    _message(3, "visitor", "我要退货"),
    _message(4, "operator", "Good day"),
    _insert("run", visitor_id=1, seq=1, message_id="m1", site_id=1, conversation_id=1, attempt=1, state="ended",
            owner="a", lease_until_ms=0, epoch=1, is_stop_asked=0, checkpoint="", finish_reason="stop", error_code="",
            reply_seq=2, tokens_reserved=0, created_ms=1, changed_ms=1),
    _insert("budget", site_id=1, period="2023-11", messages=2, tokens=0),
    _insert("upload", path="ab/cd.png", site_id=1, visitor_id=1, bytes=10, width=1, height=1, is_used=1, created_ms=1),
    _insert("block", id=1, site_id=1, kind="email", value="x@shop.example", reason=None, until_ms=None, created_ms=1),
    _insert("nudge_rule", id=1, site_id=1, path="/", delay_seconds=1, variants="[]", frequency="once", created_ms=1),
    _insert("nudge_event", id=1, site_id=1, visitor_id=1, event="shown", rule_path="/", variant=0, message_seq=None,
            created_ms=1),
    _insert("operator", id=1, email="olga@shop.example", name="Olga", avatar_url=None, is_owner=0, key_hash=None,
            created_ms=1),
    _insert("operator_site", operator_id=1, site_id=1),
    _insert("knowledge_entry", id=1, site_id=1, type="faq", title="", question="q", content="c", url=None, lang="en",
            length=1, created_ms=1, changed_ms=1),
    _insert("knowledge_term", site_id=1, term="q", entry_id=1, in_question=1, in_title=0, in_content=0),
)  # fmt: skip


def test_a_database_of_the_first_release_keeps_every_row_and_old_messages_are_found(first_release):
    with closing(open_store(first_release)) as store:
        rows = {table.__name__: store.read(lambda tx, table=table: tx.all(table.select(table))) for table in TABLES}
        told = {name: len(found) for name, found in rows.items() if found}
        old = {statement.split()[2] for statement in FIRST_ROWS}
        # What was found by whole entries is cut anew by their parts.
        assert {table._meta.table_name for table in TABLES if table.__name__ in told} == old - {"knowledge_term"}
        assert sum(told.values()) == len(FIRST_ROWS) - 1
        first, second = rows["Conversation"]
        assert (first.waiting_ms, second.waiting_ms) == (None, AT_MS + 4000)
        assert (first.visitor_said_ms, first.operator_said_ms) == (AT_MS + 1000, None)
        assert (second.visitor_said_ms, second.operator_said_ms) == (AT_MS + 3000, AT_MS + 4000)
        (rights,) = rows["OperatorSite"]
        assert (rights.can_chat, rights.can_view_conversations, rights.can_edit) == (1, 1, 0)
        assert rows["Operator"][0].is_active == 1
        assert catch_up(store)
        for text, numbers in (("доставка", [1]), ("grosse", [1]), ("退货", [2]), ("їжак", [1, 2]), ("nothing", [])):
            assert found(store, 1, text) == numbers, text
        assert counts(store) == {DAY: (2, 2, 1, 1)}
        silent = store.read(lambda tx: tx.one(Visitor.select(Visitor).where(Visitor.id == 2)))
        assert (silent.contact_words, silent.digested_seq) == ("silent@shop.example", 0)
