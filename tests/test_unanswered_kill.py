"""kill -9 in the middle of reviewing messages and of asking again: nothing is listed twice, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.knowledge import faq, make_site
from tests.services import ROOT
from tests.stories import tell
from vexar.knowledge.index import add_entries
from vexar.knowledge.unanswered import finding, rechecking
from vexar.models import Message, UnansweredAsk, UnansweredGroup, Visitor
from vexar.store import open_store

WORK = """
import sys
from vexar.knowledge.unanswered import finding, rechecking
from vexar.store import open_store
store = open_store(sys.argv[1])
print("begun", flush=True)
while not (finding.catch_up(store) and rechecking.catch_up(store)):
    pass
"""
QUESTIONS = 120

pytestmark = pytest.mark.servers


def killed(url: str, after_s: float) -> None:
    """Let a process work for a while, then kill it."""
    worker = subprocess.Popen([sys.executable, "-c", WORK, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline() == "begun\n"
    time.sleep(after_s)
    worker.kill()
    worker.wait()
    worker.stdout.close()


def rows(store, table):
    return store.read(lambda tx: tx.all(table.select(table)))


def test_each_question_is_listed_once_and_asked_again_whenever_the_work_is_killed(engine, make_database):
    url = make_database(engine)
    with closing(open_store(url)) as store:
        site = make_site(store)
        add_entries(store, site.id, [faq("Do you ship to Canada?", "Yes.")], "en")
        now_ms = store.read(lambda tx: tx.now_ms())
        for number in range(QUESTIONS):
            tell(store, site.id, ("visitor", f"Where is the museum number {number % 60}?"), ("assistant", "?"),
                 at_ms=now_ms)  # fmt: skip
        store.write(lambda tx: tx.run(Message.update(reply_to=1).where(Message.role == "assistant")))
        seen = []
        while any(row.reviewed_seq < row.last_seq for row in rows(store, Visitor)):
            killed(url, 0.25)
            seen.append(len(rows(store, UnansweredAsk)))
        assert len(set(seen)) > 1, "it was never killed in the middle"
        said = [(row.visitor_id, row.seq, row.place) for row in rows(store, UnansweredAsk)]
        assert len(said) == len(set(said)) == QUESTIONS
        assert len(rows(store, UnansweredGroup)) == 60
        add_entries(store, site.id, [faq("Where is the museum, number 7?", "In the harbour.")], "en")
        killed(url, 0.2)
        assert finding.catch_up(store, timeout_s=60)
        while not rechecking.catch_up(store, timeout_s=60):
            pass
        left = {row.question for row in rows(store, UnansweredAsk)}
        assert "Where is the museum number 7?" not in left
        assert {row.group_id for row in rows(store, UnansweredAsk)} == {row.id for row in rows(store, UnansweredGroup)}
