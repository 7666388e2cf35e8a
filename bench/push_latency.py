"""How long an operator's message takes to the visitor's open page, and how long a bare ring takes, on two workers.

Each message is a POST operator/message; the time ends when the visitor's chat/events shows it, on streams spread over
both workers. The baseline in the same run: a ring with a note between two processes, with neither HTTP nor store.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import secrets
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from _serve import ROOT, Served, add_demo_site

STREAMS = 8
MESSAGES = 200
PAUSE_S = 0.02
AIM_P99_MS = 1_000.0


def main() -> int:
    """Measure both in turns of ten; 0 when the p99 is within the aim."""
    sys.path.insert(0, str(ROOT))
    delays: list[float] = []
    rings: list[float] = []
    with Served("wsgi:app", VEXAR_WORKERS="2") as served, bare_rings() as ring_ms:
        add_demo_site(served)
        key = add_operator(served)
        visit(served, "bench")
        readers = [Reader(served.port) for _ in range(STREAMS)]
        conversation_id = chats(served, key)[0]["id"]
        for number in range(MESSAGES):
            delays += send(served, key, conversation_id, f"mark-{number}-", readers)
            rings += [ring_ms() for _ in range(STREAMS)]
            time.sleep(PAUSE_S)
        for reader in readers:
            reader.close()
    print(f"{'':34} {'p50 ms':>8} {'p99 ms':>8} {'worst ms':>9} {'count':>7}")
    for name, values in (("operator/message to chat/events", delays), ("bare ring between processes", rings)):
        p99 = statistics.quantiles(values, n=100)[98]
        print(f"{name:34} {statistics.median(values):8.2f} {p99:8.2f} {max(values):9.2f} {len(values):7}")
    print(f"ratio of the p50s: {statistics.median(delays) / statistics.median(rings):.0f}")
    print(f"aim: p99 below {AIM_P99_MS:.0f} ms")
    is_complete = len(delays) == MESSAGES * STREAMS
    return 0 if is_complete and statistics.quantiles(delays, n=100)[98] < AIM_P99_MS else 1


class Reader:
    """An open chat/events of the visitor, read in a thread: `seen[text]` is when a text came (monotonic ns)."""

    def __init__(self, port: int) -> None:
        self.seen: dict[str, int] = {}
        self.came = threading.Condition()
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._link.request("GET", "/api/v1/chat/events?site_key=sk_demo&session_id=bench")
        self._answer = self._link.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._link.sock and self._link.sock.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException, AttributeError):
            for line in iter(self._answer.readline, b""):
                now_ns = time.monotonic_ns()
                if line.startswith(b"data: ") and b'"mark-' in line:
                    with self.came:
                        self.seen[json.loads(line[6:])["message"]["content"]] = now_ns
                        self.came.notify_all()


def send(served: Served, key: str, conversation_id: int, text: str, readers: list[Reader]) -> list[float]:
    """Say one thing: milliseconds until each reader saw it, of those who did within 5 s."""
    began_ns = time.monotonic_ns()
    call(served, "POST", "operator/message", {"conversation_id": conversation_id, "content": text}, key)
    found = []
    for reader in readers:
        with reader.came:
            if reader.came.wait_for(lambda reader=reader: text in reader.seen, 5):
                found.append((reader.seen[text] - began_ns) / 1e6)
    return found


def call(served: Served, method: str, path: str, body: dict | None = None, key: str = "") -> dict:
    """One request; its JSON, or {} for a stream."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as link:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        link.request(method, f"/api/v1/{path}", json.dumps(body) if body is not None else None, headers)
        answer = link.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {data[:300]!r}")
        return json.loads(data) if data.startswith(b"{") else {}


def visit(served: Served, session_id: str) -> None:
    """The visitor says hello, so that there is a conversation."""
    call(served, "POST", "chat/stream", {"site_key": "sk_demo", "session_id": session_id, "message": "Hello"})


def chats(served: Served, key: str) -> list[dict]:
    """The open conversations."""
    return call(served, "GET", "operator/active-chats", key=key)["data"]


def add_operator(served: Served) -> str:
    """An owner with an API key; the key."""
    from vexar.models import Operator
    from vexar.people.auth import hash_token
    from vexar.store import open_store

    key = secrets.token_hex(32)
    row = Operator.insert(
        email="bench@shop.example", name="Olga", avatar_url=None, is_owner=1, key_hash=hash_token(key), created_ms=1
    )
    with contextlib.closing(open_store(served.env["VEXAR_DATABASE_URL"])) as store:
        store.write(lambda tx: tx.run(row))
    return key


@contextlib.contextmanager
def bare_rings():
    """`ring_ms()`: milliseconds from ringing in another process to a waiting bell in this one."""
    from vexar.broker import Broker

    with tempfile.TemporaryDirectory(prefix="vexar-bench-") as folder:
        mine, theirs = multiprocessing.Pipe()
        other = multiprocessing.Process(target=_ring_on_demand, args=(folder, theirs), daemon=True)
        other.start()
        broker = Broker(folder=Path(folder))
        bell = broker.listen("bench")
        mine.recv()

        def ring_ms() -> float:
            mine.send("ring")
            bell.wait(5)
            now_ns = time.monotonic_ns()
            bell.notes()
            return (now_ns - mine.recv()) / 1e6

        try:
            yield ring_ms
        finally:
            mine.send("end")
            other.join(5)
            bell.close()
            broker.close()


def _ring_on_demand(folder: str, pipe) -> None:
    from vexar.broker import Broker

    broker = Broker(folder=Path(folder))
    pipe.send("ready")
    while pipe.recv() == "ring":
        began_ns = time.monotonic_ns()
        broker.ring("bench", {"typing": True})
        pipe.send(began_ns)
    broker.close()


if __name__ == "__main__":
    sys.exit(main())
