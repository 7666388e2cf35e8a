"""History, operator messages and the look-up of a repeated message at 1,000,000 messages against 10,000.

The same reads on the same engine, as the routes make them, each on many visitors in turns between both databases.
Aim: p50 at most 5 times that of the small one. `--mysql` measures MariaDB instead of SQLite.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vexar.conversing import receiving, views  # noqa: E402
from vexar.conversing.receiving import Incoming  # noqa: E402
from vexar.demo import add_site  # noqa: E402
from vexar.models import Conversation, Message, Run, Visitor  # noqa: E402
from vexar.store import open_store  # noqa: E402

SIZES = {"small": 10_000, "large": 1_000_000}
MESSAGES_PER_VISITOR = 50
READS = 2_000
SLICE = 200
AIM = 5.0


def main() -> int:
    """Fill both databases, read in turns; 0 when the aim is reached."""
    with tempfile.TemporaryDirectory(prefix="vexar-bench-") as folder:
        urls, end = _urls(folder)
        try:
            stores = {name: open_store(url) for name, url in urls.items()}
            for name, size in SIZES.items():
                _fill(stores[name], size)
            return _compare(stores)
        finally:
            end()


def _urls(folder: str) -> tuple[dict[str, str], object]:
    if "--mysql" not in sys.argv:
        return {name: f"sqlite:///{folder}/{name}.db" for name in SIZES}, lambda: None
    from tests.services import MariaDB

    server = MariaDB()
    return {name: server.create() for name in SIZES}, server.close


def _compare(stores: dict) -> int:
    print(f"{'read':20} {'10k p50 us':>12} {'1M p50 us':>12} {'ratio':>8}")
    worst = 0.0
    for what, read in (("history", _history), ("operator-messages", _operator_messages), ("repeated message", _dedupe)):
        times: dict[str, list[float]] = {name: [] for name in stores}
        pick = random.Random(7)
        for _ in range(READS):
            for name, store in stores.items():
                visitor = pick.randrange(SIZES[name] // MESSAGES_PER_VISITOR)
                started = time.perf_counter_ns()
                read(store, visitor)
                times[name].append((time.perf_counter_ns() - started) / 1000)
        small, large = (statistics.median(times[name]) for name in ("small", "large"))
        worst = max(worst, large / small)
        print(f"{what:20} {small:12.0f} {large:12.0f} {large / small:8.2f}")
    for store in stores.values():
        store.close()
    print(f"aim: ratio at most {AIM}")
    return 0 if worst <= AIM else 1


def _history(store, visitor):
    found = store.read(views.history, site_id=1, session_id=f"s{visitor}", limit=50, before=None, image_base="/")
    assert len(found[0]) == MESSAGES_PER_VISITOR


def _operator_messages(store, visitor):
    state = store.read(views.state, site_id=1, session_id=f"s{visitor}", address=None)
    since = state.cursor - 10
    store.read(views.from_people, visitor_id=state.visitor_id, since=since, image_base="/", with_system=True)


def _dedupe(store, visitor):
    incoming = Incoming(site_id=1, session_id=f"s{visitor}", message_id="m10", content="question")
    assert store.read(receiving.look_up, incoming=incoming, last=None).needs_model is False


def _fill(store, size):
    """Visitors with MESSAGES_PER_VISITOR messages each, spread as if they had written in turns."""
    add_site(store)
    visitors = size // MESSAGES_PER_VISITOR
    for start in range(0, visitors, SLICE):
        store.write(_add_visitors, numbers=range(start, min(start + SLICE, visitors)))
    for seq in range(1, MESSAGES_PER_VISITOR + 1):
        for start in range(0, visitors, 10 * SLICE):
            store.write(_add_messages, numbers=range(start, min(start + 10 * SLICE, visitors)), seq=seq)


def _add_visitors(tx, numbers):
    common = {"site_id": 1, "created_ms": 1, "changed_ms": 1}
    _insert(tx, Visitor, [
        {**common, "id": number + 1, "session_id": f"s{number}", "conversation_id": number + 1,
         "last_seq": MESSAGES_PER_VISITOR, "handed_seq": 0, "nudged_seq": 0, "read_seq": MESSAGES_PER_VISITOR,
         "user_id": "", "name": "", "email": "", "phone": "", "lang": "en", "page_url": "", "address": ""}
        for number in numbers
    ])
    _insert(tx, Conversation, [
        {**common, "id": number + 1, "visitor_id": number + 1, "mode": "ai", "epoch": 1, "is_waiting": 0,
         "operator_id": None, "first_seq": 1, "boundary_seq": 0, "messages_count": MESSAGES_PER_VISITOR,
         "last_message": "", "rating_score": None, "rating_comment": "", "rated_ms": None, "closed_ms": None}
        for number in numbers
    ])


def _add_messages(tx, numbers, seq):
    is_visitor = seq % 2 == 1
    role = "visitor" if is_visitor else ("operator" if seq % 10 == 0 else "assistant")
    _insert(tx, Message, [
        {"visitor_id": number + 1, "seq": seq, "conversation_id": number + 1, "role": role,
         "message_id": f"m{seq // 2}" if is_visitor else None, "content": f"message {seq} of visitor {number} " * 4,
         "image_url": None, "status": "complete", "sources": "", "operator_id": None,
         "reply_to": None if is_visitor else seq - 1, "created_ms": seq}
        for number in numbers
    ])
    if is_visitor:
        _insert(tx, Run, [
            {"visitor_id": number + 1, "seq": seq, "message_id": f"m{seq // 2}", "site_id": 1,
             "conversation_id": number + 1, "attempt": 1, "state": "ended", "owner": "bench", "lease_until_ms": 0,
             "epoch": 1, "is_stop_asked": 0, "checkpoint": "", "finish_reason": "stop", "error_code": "",
             "reply_seq": seq + 1, "tokens_reserved": 0, "created_ms": seq, "changed_ms": seq}
            for number in numbers
        ])


def _insert(tx, model, rows):
    for start in range(0, len(rows), 40):
        tx.run(model.insert_many(rows[start:start + 40]))


if __name__ == "__main__":
    sys.exit(main())
