"""What operators read at 10,000 conversations and 200,000 messages of one site: how long each list, search and figure
takes through HTTP on one worker, and what that costs the streams that run meanwhile.

Aims: p50 at most 50 ms for each; the p99 gap between two tokens of a stream grows by at most 20 ms while two
operators read one after the other without a pause (median of five pairs, with and without them, in turns).
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _serve import Served
from _shop import fill

from vexar.demo import add_site
from vexar.desk import digest
from vexar.desk.listing import FILTERS
from vexar.models import Operator
from vexar.people.auth import hash_token
from vexar.store import open_store

CONVERSATIONS = 10_000
KEY = "b" * 64
REPEATS = 21
AIM_P50_MS, AIM_GAP_MS = 50.0, 20.0
STREAMS, PIECES, PAUSE_S = 8, 150, 0.02
PAIRS, OPERATORS = 5, 2


def main() -> int:
    """Fill a database, measure; 0 when both aims are reached."""
    with tempfile.TemporaryDirectory(prefix="vexar-bench-") as folder:
        url = f"sqlite:///{folder}/vexar.db"
        paths = _paths(_fill(url))
        options = {"BENCH_KIND": "canned", "BENCH_PIECES": str(PIECES), "BENCH_PAUSE_S": str(PAUSE_S)}
        with Served("bench._hollow:app", VEXAR_DATABASE_URL=url, **options) as served:
            is_fast = _measure_paths(served.port, paths)
            is_smooth = _measure_streams(served.port, list(paths.values()))
    return 0 if is_fast and is_smooth else 1


def _fill(url: str) -> list[str]:
    """Make the site; the words of its texts, the most frequent first."""
    store = open_store(url)
    add_site(store)
    owner = Operator.insert(email="owner@shop.example", name="Owner", avatar_url=None, is_owner=1,
                            key_hash=hash_token(KEY), created_ms=1)
    store.write(lambda tx: tx.insert(owner))
    words = fill(store, 1, conversations=CONVERSATIONS)
    started = time.monotonic()
    while not digest.catch_up(store, site_id=1):
        pass
    took_s = time.monotonic() - started
    store.close()
    print(f"digested {CONVERSATIONS} conversations of 20 messages in {took_s:.0f} s")
    return words


def _paths(words: list[str]) -> dict[str, str]:
    """What is measured, by name."""
    lists = {f"filter {name}": f"conversations?filter={name}" for name in FILTERS}
    lists |= {f"period {name}": f"conversations?period={name}" for name in ("today", "month")}
    asked = {
        "name": "anna", "email": "visitor1234@shop", "phone": "+38067 0000125", "frequent word": words[2],
        "rare word": words[-1], "two words": f"{words[40]} {words[300]}", "beginning": words[5][:3],
    }  # fmt: skip
    searches = {f"search {name}": f"conversations?search={quote(text)}" for name, text in asked.items()}
    figures = {name: name for name in ("leads", "ratings", "ratings/stats")}
    figures |= {f"analytics, {days} days": f"analytics?period={days}" for days in (30, 90)}
    return {name: f"/api/v1/sites/1/{path}" for name, path in {**lists, **searches, **figures}.items()}


def _measure_paths(port: int, paths: dict[str, str]) -> bool:
    print(f"{'endpoint':24} {'p50 ms':>8} {'p90 ms':>8} {'found':>8}")
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    worst = 0.0
    for name, path in paths.items():
        answer = _get(link, path)
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            _get(link, path)
            times.append((time.perf_counter() - started) * 1000)
        p50, p90 = statistics.median(times), statistics.quantiles(times, n=10)[8]
        worst = max(worst, p50)
        print(f"{name:24} {p50:8.1f} {p90:8.1f} {answer.get('pagination', {}).get('total', ''):>8}")
    link.close()
    print(f"aim: p50 at most {AIM_P50_MS} ms")
    return worst <= AIM_P50_MS


def _get(link: http.client.HTTPConnection, path: str) -> dict:
    link.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
    answer = link.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise SystemExit(f"{path}: {body}")
    return body


def _measure_streams(port: int, paths: list[str]) -> bool:
    print(f"{'pair':>4} {'alone p99 ms':>13} {'read p99 ms':>12} {'added ms':>9} {'reads/s':>8}")
    _p99_gap(port, "warm")
    added = []
    for number in range(PAIRS):
        alone = _p99_gap(port, f"alone{number}")
        with _Readers(port, paths) as readers:
            busy = _p99_gap(port, f"busy{number}")
        added.append(busy - alone)
        print(f"{number + 1:4} {alone:13.1f} {busy:12.1f} {busy - alone:9.1f} {readers.rate():8.0f}")
    print(f"median added: {statistics.median(added):.1f} ms; aim: at most {AIM_GAP_MS} ms")
    return statistics.median(added) <= AIM_GAP_MS


class _Readers:
    """OPERATORS processes that read the paths in turns, each without a pause, while the block lasts."""

    def __init__(self, port: int, paths: list[str]) -> None:
        self._reads = multiprocessing.Value("i", 0)
        self._end = multiprocessing.Event()
        self._workers = [
            multiprocessing.Process(target=_read_on, args=(port, paths[n:] + paths[:n], self._reads, self._end))
            for n in range(OPERATORS)
        ]

    def __enter__(self) -> _Readers:
        self._started = time.monotonic()
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._seconds = time.monotonic() - self._started
        self._end.set()
        for worker in self._workers:
            worker.join()

    def rate(self) -> float:
        """Answers a second."""
        return self._reads.value / self._seconds


def _read_on(port, paths, reads, end):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not end.is_set():
        for path in paths:
            _get(link, path)
            with reads.get_lock():
                reads.value += 1
            if end.is_set():
                break


def _p99_gap(port: int, name: str) -> float:
    """The p99 of the milliseconds between two arrivals in STREAMS streams that run at the same time."""
    gaps: list[float] = []
    threads = [threading.Thread(target=_follow, args=(port, f"{name}-{n}", gaps)) for n in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(gaps) < STREAMS * PIECES / 2:
        raise SystemExit(f"only {len(gaps)} tokens came")
    return statistics.quantiles(gaps, n=100)[98]


def _follow(port, name, gaps):
    body = json.dumps({
        "site_key": "sk_demo", "session_id": f"bench-{name}", "message": "question", "message_id": "m1"
    }).encode()  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), 60) as sock:
        sock.sendall(
            b"POST /api/v1/chat/stream HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        last = None
        while part := sock.recv(65536):
            now = time.monotonic()
            if b'"chunk"' in part:
                if last is not None:
                    gaps.append((now - last) * 1000)
                last = now


if __name__ == "__main__":
    sys.exit(main())
