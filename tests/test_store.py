"""What the store promises, on SQLite and on MariaDB: one contract for both, then what each engine adds."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.services import ROOT, start, wait_until
from vexar.models import Budget, KnowledgeTerm, Message, Site
from vexar.store import Duplicate, P, Statement, StoreError, open_store

ADD = Statement(Budget.insert(site_id=P.site, period="2026-11", messages=0, tokens=0))
COUNT = Statement(Budget.select(Budget.messages, Budget.tokens).where(Budget.site_id == P.site))
COUNT_LOCKED = Statement(Budget.select(Budget.messages).where(Budget.site_id == P.site), lock=True)
INCREASE = Statement(Budget.update(messages=Budget.messages + 1).where(Budget.site_id == P.site))
SET = Statement(Budget.update(messages=P.messages).where(Budget.site_id == P.site))
SITES = Statement(Budget.select(Budget.site_id).order_by(Budget.site_id))

TEXTS = [
    "plain", "", " leading and trailing ", "trailing tab\t", "line\nline\r\nline", "quote ' \" ` \\ % %s ? ;--",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇨🇦", "שלום עולם", "مرحبا بالعالم", "e\u0301 is not é", "ß ẞ ss",
    "漢字かな交じり", "\u2028 line \u2029 paragraph",
    "\ufeffmark", "\u200bzero\u200dwidth", "\U0010ffff", "x" * 70_000,
]  # fmt: skip
SENDER_IDS = ["m1", "M1", "m1 ", " m1", "m1\t", "mı", "m1\u0301", "é", "e\u0301", "É", "ꙮ", "😀", "m" * 64]


def add(tx, site: int = 1) -> int:
    return tx.run(ADD, site=site)


def count(tx, site: int = 1) -> int:
    return tx.one(COUNT, site=site).messages


def increase(tx, site: int = 1) -> int:
    return tx.run(INCREASE, site=site)


def sites(tx) -> list[int]:
    return [row.site_id for row in tx.all(SITES)]


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run these in threads of their own, started together; what each returned or raised."""
    barrier = threading.Barrier(len(works))
    outcomes: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            outcomes[place] = work()
        except Exception as problem:
            outcomes[place] = problem

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def new_message(seq: int, content: str = "", message_id: str | None = None) -> Message:
    return Message.insert(
        visitor_id=1, seq=seq, conversation_id=1, role="visitor", message_id=message_id, content=content,
        image_url=None, status="complete", sources="", operator_id=None, reply_to=None, created_ms=1,
    )  # fmt: skip


def new_site(key: str) -> Site:
    return Site.insert(
        site_key=key, name="", url="", is_active=1, settings="", identity_secret="", upload_bytes=0,
        knowledge_version=0, created_ms=1, changed_ms=1,
    )  # fmt: skip


class TestEveryEngine:
    """Runs on each engine; what callers may rely on wherever the data lies."""

    def test_what_a_job_stored_is_read_back(self, store):
        assert store.write(add) == 1
        assert store.read(lambda tx: tx.one(COUNT, site=1)) == (0, 0)
        assert store.read(lambda tx: tx.one(COUNT, site=2)) is None
        assert store.read(lambda tx: tx.all(COUNT, site=2)) == []

    def test_what_was_stored_is_there_after_opening_it_again(self, store, database_url):
        store.write(add)
        other = open_store(database_url)
        assert other.read(sites) == [1]
        other.close()

    def test_rows_have_names_also_from_queries_written_on_the_spot(self, store):
        store.write(add)
        row = store.read(lambda tx: tx.one(Budget.select().where(Budget.period == "2026-11")))
        assert (row.site_id, row.period, row.tokens) == (1, "2026-11", 0)

    def test_a_heavy_read_sees_the_same_as_a_light_one(self, store):
        store.write(add)
        assert store.read_heavy(sites) == store.read(sites) == [1]

    def test_insert_gives_the_number_of_the_new_row(self, store):
        first, second = (store.write(lambda tx, key=key: tx.insert(new_site(key))) for key in ("sk_a", "sk_b"))
        assert second > first
        assert store.read(lambda tx: tx.one(Site.select(Site.site_key).where(Site.id == second))).site_key == "sk_b"

    def test_run_counts_the_rows_it_met_also_when_they_did_not_change(self, store):
        store.write(add)
        assert store.write(lambda tx: tx.run(SET, messages=0, site=1)) == 1
        assert store.write(lambda tx: tx.run(SET, messages=0, site=2)) == 0

    def test_a_duplicate_leaves_the_transaction_usable(self, store):
        def twice(tx) -> str:
            add(tx)
            try:
                add(tx)
            except Duplicate:
                add(tx, site=2)
                return "met the first"
            return "stored twice"

        assert store.write(twice) == "met the first"
        assert store.read(sites) == [1, 2]

    def test_a_duplicate_that_nobody_catches_takes_the_job_back(self, store):
        def add_two_and_one_again(tx) -> None:
            add(tx, site=2)
            add(tx, site=1)

        store.write(add)
        with pytest.raises(Duplicate):
            store.write(add_two_and_one_again)
        assert store.read(sites) == [1]

    def test_a_failing_job_takes_only_itself_back(self, store):
        def fail(tx) -> None:
            add(tx, site=99)
            raise LookupError("not found")

        works = [lambda n=n: store.write(add, site=n) for n in range(1, 6)]
        outcomes = at_once(*works, lambda: store.write(fail), *[lambda n=n: store.write(add, site=n) for n in (6, 7)])
        assert [type(outcome) for outcome in outcomes] == [int] * 5 + [LookupError] + [int] * 2
        assert store.read(sites) == [1, 2, 3, 4, 5, 6, 7]

    def test_a_failing_read_leaves_the_store_usable(self, store):
        store.write(add)
        with pytest.raises(ZeroDivisionError):
            store.read(lambda tx: count(tx) and None or 1 / 0)
        assert store.read(sites) == [1]
        assert store.write(add, site=2) == 1

    def test_increments_at_the_same_time_lose_nothing(self, store):
        store.write(add)
        at_once(*[lambda: [store.write(increase) for _ in range(25)]] * 8)
        assert store.read(count) == 200

    def test_read_and_write_in_one_job_lose_nothing_with_a_lock(self, store):
        def read_and_write(tx) -> None:
            seen = tx.one(COUNT_LOCKED, site=1).messages
            tx.run(SET, messages=seen + 1, site=1)

        store.write(add)
        outcomes = at_once(*[lambda: [store.write(read_and_write) for _ in range(10)]] * 6)
        assert outcomes == [[None] * 10] * 6
        assert store.read(count) == 60

    def test_text_comes_back_exactly(self, store):
        def write_all(tx) -> None:
            for seq, text in enumerate(TEXTS, 1):
                tx.insert(new_message(seq, content=text))

        store.write(write_all)
        rows = store.read(lambda tx: tx.all(Message.select(Message.content).order_by(Message.seq)))
        assert [row.content for row in rows] == TEXTS

    def test_ids_that_differ_in_anything_are_different_ids(self, store):
        for seq, sender_id in enumerate(SENDER_IDS, 1):
            store.write(lambda tx, seq=seq, sender_id=sender_id: tx.insert(new_message(seq, message_id=sender_id)))
        find = Statement(Message.select(Message.seq, Message.message_id).where(Message.message_id == P.wanted))
        for seq, sender_id in enumerate(SENDER_IDS, 1):
            assert store.read(lambda tx, wanted=sender_id: tx.all(find, wanted=wanted)) == [(seq, sender_id)]

    def test_an_id_used_twice_is_a_duplicate(self, store):
        store.write(lambda tx: tx.insert(new_message(1, message_id="m1 ")))
        with pytest.raises(Duplicate):
            store.write(lambda tx: tx.insert(new_message(2, message_id="m1 ")))

    def test_replies_without_an_id_are_no_duplicates(self, store):
        for seq in (1, 2):
            store.write(lambda tx, seq=seq: tx.insert(new_message(seq, message_id=None)))
        assert len(store.read(lambda tx: tx.all(Message.select(Message.seq)))) == 2

    def test_keys_differ_by_case(self, store):
        for key in ("sk_Abc", "sk_abc", "sk_ABC"):
            store.write(lambda tx, key=key: tx.insert(new_site(key)))
        rows = store.read(lambda tx: tx.all(Site.select(Site.site_key).where(Site.site_key == "sk_abc")))
        assert rows == [("sk_abc",)]

    def test_binary_text_columns_come_back_as_text(self, store):
        term = KnowledgeTerm.insert(
            site_id=1, term="größe", chunk_id=1, in_question=0, in_title=0, in_content=1
        )  # fmt: skip
        store.write(lambda tx: tx.insert(term))
        compiled = Statement(KnowledgeTerm.select(KnowledgeTerm.term))
        assert store.read(lambda tx: tx.one(compiled)) == ("größe",)
        assert store.read_heavy(lambda tx: tx.all(KnowledgeTerm.select(KnowledgeTerm.term))) == [("größe",)]

    def test_the_clock_is_in_milliseconds_and_never_runs_back(self, store):
        assert abs(store.read(lambda tx: tx.now_ms()) - time.time() * 1000) < 60_000
        seen = [store.write(lambda tx: tx.now_ms()) for _ in range(5)]
        assert seen == sorted(seen)

    def test_the_text_of_a_wrong_statement_is_not_lost_in_the_next_one(self, store):
        with pytest.raises(Exception, match="nowhere"):
            store.write(lambda tx: tx._run("UPDATE nowhere SET x = 1", ()))
        assert store.write(add) == 1

    @pytest.mark.parametrize("verb", ["read", "read_heavy", "write"])
    def test_a_closed_store_refuses_and_keeps_nobody_waiting(self, store, verb):
        store.close()
        refused: list[StoreError] = []

        def ask() -> None:
            with pytest.raises(StoreError) as problem:
                getattr(store, verb)(sites)
            refused.append(problem.value)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(5)
        assert refused

    def test_jobs_and_commits_are_counted(self, store):
        before = store.counts()
        for site in (1, 2, 3):
            store.write(add, site=site)
        assert store.counts() == {"jobs": before["jobs"] + 3, "commits": before["commits"] + 3}


HOLD_THE_LOCK = """
import sqlite3, sys
link = sqlite3.connect(sys.argv[1], isolation_level=None)
link.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
link.execute("ROLLBACK")
"""

# In a process of its own, because patching is for good. Prints how many reads went through while the write waited.
READ_WHILE_A_WRITE_WAITS = """
from gevent import monkey
monkey.patch_all()
import subprocess, sys, threading
from tests.test_store import HOLD_THE_LOCK, add, sites
from vexar.store import open_store
store = open_store(sys.argv[1])
holder = subprocess.Popen([sys.executable, "-c", HOLD_THE_LOCK, store.path], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True)
holder.stdout.readline()
writer = threading.Thread(target=store.write, args=(add,))
writer.start()
reads = 0
while reads < 50:
    writer.join(0.002)
    assert writer.is_alive()
    assert store.read(sites) == []
    reads += 1
holder.communicate("\\n")
writer.join()
print(reads, store.read(sites))
store.close()
"""

INCREASE_MANY_TIMES = """
import sys
from tests.test_store import at_once, increase
from vexar.store import open_store
store = open_store(sys.argv[1])
at_once(*[lambda: [store.write(increase) for _ in range(25)]] * 4)
store.close()
"""


def python(script: str, *arguments: str) -> subprocess.Popen:
    """A Python process of its own that knows the project."""
    return start(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


class TestSqlite:
    """What the SQLite engine adds: group commit, snapshots, and peace between processes."""

    @pytest.fixture
    def engine(self) -> str:
        return "sqlite"

    @pytest.fixture
    def held(self, store) -> Callable[[], None]:
        """The writer is busy with a job until this is called."""
        begun, go = threading.Event(), threading.Event()

        def wait(tx) -> None:
            begun.set()
            go.wait(10)

        thread = threading.Thread(target=store.write, args=(wait,))
        thread.start()
        begun.wait(10)
        yield go.set
        go.set()
        thread.join()

    def test_jobs_that_queue_during_a_commit_share_the_next_one(self, store, held):
        threads = [threading.Thread(target=store.write, args=(add,), kwargs={"site": site}) for site in range(40)]
        for thread in threads:
            thread.start()
        wait_until(lambda: store._writer._queue.qsize() == 40, "forty jobs to queue", 10)
        before = store.counts()
        held()
        for thread in threads:
            thread.join()
        after = store.counts()
        assert store.read(sites) == list(range(40))
        assert after["jobs"] - before["jobs"] == 41
        assert after["commits"] - before["commits"] == 2

    def test_jobs_of_one_commit_fail_and_succeed_each_for_itself(self, store, held):
        def fail(tx) -> None:
            add(tx, site=50)
            raise LookupError

        works = [lambda: store.write(add, site=1), lambda: store.write(fail), lambda: store.write(add, site=1)]
        outcomes: list = []
        collector = threading.Thread(target=lambda: outcomes.extend(at_once(*works)))
        collector.start()
        wait_until(lambda: store._writer._queue.qsize() == 3, "three jobs to queue", 10)
        held()
        collector.join()
        assert isinstance(outcomes[1], LookupError)
        assert sorted(type(outcome).__name__ for outcome in (outcomes[0], outcomes[2])) == ["Duplicate", "int"]
        assert store.read(sites) == [1]

    def test_one_read_job_sees_one_moment(self, store):
        def look_twice(tx) -> list:
            first = count(tx)
            store.write(increase)
            return [first, count(tx)]

        store.write(add)
        assert store.read(look_twice) == [0, 0]
        assert store.read(count) == 1

    def test_a_commit_is_on_the_disk(self, store):
        pragma = lambda tx, name: tx._run(f"PRAGMA {name}", ()).fetchone()[0]  # noqa: E731
        assert store.write(pragma, name="synchronous") == 2
        assert store.write(pragma, name="journal_mode") == "wal"

    def test_a_reader_leaves_no_transaction_open(self, store):
        """An open one would let the write-ahead log grow without bound."""
        store.write(add)
        store.read(count)
        store.read_heavy(count)
        with closing(sqlite3.connect(store.path)) as link:
            is_blocked, *_ = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert is_blocked == 0

    def test_the_data_version_tells_that_somebody_else_wrote(self, store, database_url):
        before = store.data_version()
        assert store.data_version() == before
        other = open_store(database_url)
        other.write(add)
        other.close()
        assert store.data_version() != before

    def test_two_processes_write_to_one_file_at_once(self, store, database_url):
        store.write(add)
        others = [python(INCREASE_MANY_TIMES, database_url) for _ in range(2)]
        outcomes = at_once(*[lambda: [store.write(increase) for _ in range(25)]] * 4)
        for other in others:
            _, errors = other.communicate(timeout=60)
            assert other.returncode == 0, errors
        assert outcomes == [[1] * 25] * 4
        assert store.read(count) == 300

    def test_a_lock_held_by_another_process_does_not_freeze_the_reads(self, store, database_url):
        process = python(READ_WHILE_A_WRITE_WAITS, database_url)
        output, errors = process.communicate(timeout=60)
        assert output == "50 [1]\n", errors

    def test_a_file_that_is_away_is_a_store_error_and_heals(self, store, tmp_path):
        """The disk or the file: nothing was stored, and the next write opens the file again."""
        def fail(tx) -> None:
            add(tx)
            raise sqlite3.OperationalError("disk I/O error")

        with pytest.raises(StoreError, match="refused the write"):
            store.write(fail)
        assert store.read(sites) == []
        assert store.write(add) == 1


@pytest.mark.servers
class TestMysql:
    """What the MySQL engine adds: repeats, lost connections and strict sessions."""

    @pytest.fixture
    def engine(self) -> str:
        return "mysql"

    def test_two_jobs_that_deadlock_both_succeed(self, store):
        meeting = threading.Barrier(2)
        attempts = itertools.count(1)
        made: list[int] = []

        def cross(tx, first: int, second: int) -> None:
            made.append(next(attempts))
            increase(tx, site=first)
            if len(made) <= 2:
                meeting.wait(10)
            increase(tx, site=second)

        for site in (1, 2):
            store.write(add, site=site)
        outcomes = at_once(lambda: store.write(cross, first=1, second=2), lambda: store.write(cross, first=2, second=1))
        assert outcomes == [None, None]
        assert len(made) == 3, "the server did not see a deadlock"
        assert [store.read(count, site=site) for site in (1, 2)] == [2, 2]

    def test_a_lock_timeout_repeats_the_whole_job(self, store, mariadb, database_url):
        """1205 undoes only a statement; what came before it must not count twice."""
        name = database_url.partition("@/")[2].partition("?")[0]
        for site in (1, 2):
            store.write(add, site=site)
        holder = mariadb.connect(database=name)
        holder.begin()
        holder.query("UPDATE budget SET tokens = 1 WHERE site_id = 2")
        attempts: list[int] = []

        def both(tx) -> None:
            attempts.append(1)
            tx._run("SET SESSION innodb_lock_wait_timeout = 1", ())
            if len(attempts) == 2:
                holder.rollback()
            increase(tx, site=1)
            increase(tx, site=2)

        with closing(holder):
            store.write(both)
        assert len(attempts) == 2
        assert [store.read(count, site=site) for site in (1, 2)] == [1, 1]

    def test_a_process_that_stops_in_the_middle_of_a_job_gives_its_locks_back(self, store, monkeypatch):
        monkeypatch.setattr("vexar.store.mysql.IDLE_TRANSACTION_TIMEOUT_S", 1)
        is_locked, is_free = threading.Event(), threading.Event()
        attempts: list[bool] = []

        def stop_in_the_middle(tx) -> None:
            increase(tx)
            is_locked.set()
            attempts.append(is_free.wait(8))
            increase(tx)

        store.write(add)
        stopped = threading.Thread(target=store.write, args=(stop_in_the_middle,))
        stopped.start()
        is_locked.wait(10)
        store.write(increase)
        is_free.set()
        stopped.join()
        assert attempts == [True, True]
        assert store.read(count) == 3

    def test_a_connection_lost_in_the_middle_repeats_the_whole_job(self, store, mariadb):
        attempts: list[int] = []

        def lose_it_once(tx) -> None:
            attempts.append(1)
            increase(tx)
            if len(attempts) == 1:
                mariadb.execute(f"KILL CONNECTION {tx._run('SELECT CONNECTION_ID()', ()).fetchone()[0]}")
            increase(tx)

        store.write(add)
        store.write(lose_it_once)
        assert len(attempts) == 2
        assert store.read(count) == 2

    def test_connections_that_died_while_idle_are_replaced(self, store, mariadb, database_url):
        name = database_url.partition("@/")[2].partition("?")[0]
        store.write(add)
        at_once(*[lambda: [store.read(count) for _ in range(5)]] * 8)
        idle = mariadb.execute(f"SELECT id FROM information_schema.processlist WHERE db = '{name}'")
        assert len(idle) > 1
        for (number,) in idle:
            mariadb.execute(f"KILL CONNECTION {number}")
        assert at_once(*[lambda: store.read(sites)] * 32) == [[1]] * 32

    def test_what_was_acknowledged_survives_a_crash_of_the_server(self, store, mariadb):
        for site in range(20):
            store.write(add, site=site)
        mariadb.kill()
        with pytest.raises(StoreError):
            store.read(sites)
        mariadb.start()
        assert store.read(sites) == list(range(20))
        assert store.write(add, site=20) == 1

    def test_a_server_that_is_away_is_a_store_error(self, tmp_path):
        with pytest.raises(StoreError):
            open_store(f"mysql://root@/vexar?unix_socket={tmp_path}/nothing")

    def test_text_that_is_too_long_is_refused_and_never_cut(self, store):
        with pytest.raises(StoreError, match="too long"):
            store.write(lambda tx: tx.insert(new_site("sk_" + "x" * 200)))
        assert store.read(lambda tx: tx.all(Site.select(Site.id))) == []

    def test_a_transaction_sees_what_others_committed_meanwhile(self, store):
        """READ COMMITTED: fewer deadlocks, and a claim sees the claim that came first."""

        def look_twice(tx) -> list:
            first = count(tx)
            store.write(increase)
            return [first, count(tx)]

        store.write(add)
        assert store.write(look_twice) == [0, 1]

    def test_more_jobs_than_connections_wait_for_their_turn(self, store):
        store.write(add)
        assert at_once(*[lambda: store.write(increase)] * 40) == [1] * 40
        assert store.read(count) == 40
