"""The crash audit: `kill -9` of every process at random moments under busy visitors, and nothing told may be untrue.

    python -m tests.crash_audit --engine sqlite --rounds 30 --visitors 8 --seed 1

Visitors behave like good clients: they send the same message with the last event id until `done`. The model's
server survives, the database server too unless `--kill-database`. Exits with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import add_site
from tests.crash_checks import Stored, Told, read_stored, unended, violations
from tests.crash_visitors import TURN_TIMEOUT_S, Plan, Visitor
from tests.services import ROOT, MariaDB, Server, end, start
from vexar.store import open_store

WORKERS = 2
# Nobody comes back for it: the lease, the minute until it is given up, and the sweep.
LEFT_TIMEOUT_S = 90.0
# How long the server stays away after a kill: mostly not at all, sometimes until every lease has run out.
AWAY_S = (0, 0, 0, 7)


@dataclass(frozen=True)
class Verdict:
    """What came of it."""

    acknowledged: int
    answered: int
    reconnections: int
    violations: list[str]


class Audit:
    """One run of the audit over one database."""

    def __init__(self, plan: Plan, folder: Path, database_url: str, mariadb: MariaDB | None = None) -> None:
        self._plan, self._url, self._mariadb = plan, database_url, mariadb
        self._random = random.Random(plan.seed)
        with contextlib.closing(open_store(database_url)) as store:
            add_site(store)
        self._upstream, upstream_url = _start_upstream()
        env = {"VEXAR_AI_BASE_URL": upstream_url, "VEXAR_AI_MODEL": "m", "VEXAR_AI_FALLBACK": "off"}
        self.server = Server(folder / "server", workers=WORKERS, env=env, database_url=database_url)
        self._is_over = threading.Event()
        self._visitors = [Visitor(n + 1, self.server.port, plan, self._is_over) for n in range(plan.visitors)]
        self._before: Stored | None = None
        self._violations: list[str] = []

    def run(self) -> Verdict:
        """All rounds, and the wait until everything has ended; prints a table."""
        print(f"{'round':>5} {'kill after':>10} {'acknowledged':>12} {'answered':>8} {'reconnected':>11} "
              f"{'unended':>7} {'stored':>6} {'violations':>10}", flush=True)  # fmt: skip
        for visitor in self._visitors:
            visitor.thread.start()
        for number in range(1, self._plan.rounds + 1):
            self._round(str(number))
        self._finish()
        told = self._told()
        return Verdict(
            sum(one.is_acknowledged for one in told), sum(one.is_answered for one in told), _reconnections(told),
            self._violations,
        )

    def close(self) -> None:
        """End everything that was started."""
        self._is_over.set()
        self.server.kill()
        end(self._upstream)

    def _round(self, number: str) -> None:
        started = time.monotonic()
        self._wait_for_a_moment()
        waited_s = time.monotonic() - started
        self._kill()
        # The database first: whatever visitors were told until then has to be in it.
        stored = self._stored_at_the_crash()
        self._check(number, f"{waited_s:.2f} s", stored)
        time.sleep(self._random.choice(AWAY_S))
        self.server.start()

    def _wait_for_a_moment(self) -> None:
        """Any moment: soon after everybody was answered again, or while dead runs still hold their leases."""
        if self._random.random() < 0.7:
            marks = [visitor.answered for visitor in self._visitors]
            give_up = time.monotonic() + TURN_TIMEOUT_S
            while any(visitor.answered <= mark for visitor, mark in zip(self._visitors, marks, strict=True)):
                if time.monotonic() > give_up:
                    self._violations.append("unended: some visitor was not answered between two kills")
                    return
                time.sleep(0.02)
            time.sleep(self._random.uniform(0, 2))
        else:
            time.sleep(self._random.uniform(0, 8))

    def _kill(self) -> None:
        if not self._plan.kill_database:
            self.server.kill()
            return
        kills = [self.server.kill, self._mariadb.kill]
        self._random.shuffle(kills)
        kills[0]()
        time.sleep(self._random.choice([0, 0, 0.05, 0.5]))
        kills[1]()
        self._mariadb.start()

    def _check(self, name: str, moment: str, stored: Stored) -> None:
        told = self._told()
        found = violations(told, stored, self._before)
        self._violations += found
        self._before = stored
        print(f"{name:>5} {moment:>10} {sum(one.is_acknowledged for one in told):>12} "
              f"{sum(one.is_answered for one in told):>8} {_reconnections(told):>11} {len(stored.unended):>7} "
              f"{len(stored.messages):>6} {len(found):>10}", flush=True)  # fmt: skip
        _print_each(found)

    def _finish(self) -> None:
        self._is_over.set()
        for visitor in self._visitors:
            visitor.thread.join(2 * TURN_TIMEOUT_S)
        give_up = time.monotonic() + LEFT_TIMEOUT_S
        while self._stored().unended and time.monotonic() < give_up:
            time.sleep(0.5)
        self._check("end", "-", self._stored())
        left = unended(self._told(), self._before)
        _print_each(left)
        self._violations += left

    def _told(self) -> list[Told]:
        return [one for visitor in self._visitors for one in list(visitor.told)]

    def _stored(self) -> Stored:
        if self._mariadb is None:
            with contextlib.closing(sqlite3.connect(_path_of(self._url))) as link:
                return read_stored(lambda sql: link.execute(sql).fetchall())
        name = self._url.partition("@/")[2].partition("?")[0]
        with contextlib.closing(self._mariadb.connect(database=name)) as link, link.cursor() as cursor:
            return read_stored(lambda sql: [cursor.execute(sql), cursor.fetchall()][1])

    def _stored_at_the_crash(self) -> Stored:
        """The same while no process has the database; SQLite's files are left as they are for Vexar to recover."""
        if self._mariadb is not None:
            return self._stored()
        path = _path_of(self._url)
        with tempfile.TemporaryDirectory() as folder:
            for name in (path.name, f"{path.name}-wal"):
                if path.with_name(name).exists():
                    shutil.copy(path.with_name(name), folder)
            with contextlib.closing(sqlite3.connect(Path(folder) / path.name)) as link:
                return read_stored(lambda sql: link.execute(sql).fetchall())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "mysql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time; it is printed")
    parser.add_argument("--kill-database", action="store_true", help="kill the database server too (mysql)")
    options = parser.parse_args()
    if options.kill_database and options.engine != "mysql":
        parser.error("--kill-database needs --engine mysql")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    plan = Plan(options.rounds, options.visitors, seed, kill_database=options.kill_database)
    killed = "every process and the database" if plan.kill_database else "every process"
    print(f"crash audit: kill -9 of {killed}, {options.engine}, {plan.rounds} rounds, {plan.visitors} visitors, "
          f"{WORKERS} workers, seed {seed}", flush=True)  # fmt: skip
    started = time.monotonic()
    with database(options.engine) as (folder, url, mariadb):
        verdict = audit(plan, folder, url, mariadb)
    print(f"{'BROKEN' if verdict.violations else 'kept'}: {len(verdict.violations)} violations; "
          f"{verdict.acknowledged} acknowledged messages, {verdict.answered} answers with done, "
          f"{verdict.reconnections} reconnections, seed {seed}, {time.monotonic() - started:.0f} s")  # fmt: skip
    sys.exit(1 if verdict.violations else 0)


def audit(plan: Plan, folder: Path, database_url: str, mariadb: MariaDB | None = None) -> Verdict:
    """Run the audit on a fresh database. `mariadb`: the server of a mysql URL."""
    running = Audit(plan, folder, database_url, mariadb)
    try:
        return running.run()
    finally:
        running.close()


@contextlib.contextmanager
def database(engine: str) -> Iterator[tuple[Path, str, MariaDB | None]]:
    """A fresh database: a folder for everything, its URL, and its server on mysql."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vexar-crash-")))
        if engine == "sqlite":
            yield folder, f"sqlite:///{folder}/vexar.db", None
        else:
            server = stack.enter_context(contextlib.closing(MariaDB()))
            yield folder, server.create(), server


def _start_upstream() -> tuple[subprocess.Popen, str]:
    # No answer is like another: two attempts mixed up would show.
    command = [sys.executable, str(ROOT / "tests" / "upstream.py"), "--varied"]
    # Its complaints about requests that break off are of no use here.
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, process.stdout.readline().strip()


def _path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _reconnections(told: list[Told]) -> int:
    return sum(max(0, one.connections - 1) for one in told)


def _print_each(sentences: list[str]) -> None:
    for sentence in sentences:
        print(f"      {sentence}", flush=True)


if __name__ == "__main__":
    main()
