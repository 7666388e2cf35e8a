"""Servers and load for benches: gunicorn with one worker in a temporary folder, and a client that only counts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEALTH_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TICKS = os.sysconf("SC_CLK_TCK")


class Served:
    """One gunicorn with one worker; `env` on top of settings with every limit off."""

    def __init__(self, target: str, **env: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="vexar-bench-")
        self.port = _free_port()
        limits = dict.fromkeys(_limit_names(), "0")
        self.env = {
            **os.environ, **limits, "PYTHONPATH": str(ROOT),
            "VEXAR_DATABASE_URL": f"sqlite:///{self.folder.name}/vexar.db", "VEXAR_DATA_DIR": self.folder.name,
            "VEXAR_UPLOAD_DIR": f"{self.folder.name}/uploads", "VEXAR_BIND": f"127.0.0.1:{self.port}", **env,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), target]
        with Path(self.folder.name, "log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        self._await()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            self.folder.cleanup()

    def worker(self) -> int:
        """The worker's process id."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return int(Path(path).read_text().split()[0])

    def cpu_s(self) -> float:
        """CPU seconds the worker has used, all its threads."""
        fields = Path(f"/proc/{self.worker()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_bytes(self) -> int:
        """Resident memory of the worker."""
        fields = Path(f"/proc/{self.worker()}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def commits(self) -> int:
        """Commits of the store since the start, as /metrics tells."""
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), 5)) as sock:
            sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            text = b"".join(iter(lambda: sock.recv(65536), b"")).decode()
        return int(float(re.search(r"^vexar_store_commits_total ([0-9.e+]+)", text, re.M)[1]))

    def _await(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), 1)) as sock:
                    sock.sendall(HEALTH_REQUEST)
                    if sock.recv(16):
                        return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"the server did not start:\n{Path(self.folder.name, 'log').read_text()}")


class Load:
    """`visitors` threads that send one message after the other on kept connections for `seconds`. Counts replies
    (`turns`), the events in them, and replies without `done`."""

    def __init__(self, served: Served, *, visitors: int, seconds: float) -> None:
        self.served = served
        self.turns = self.events = self.failures = 0
        self._lock = threading.Lock()
        self._until = time.monotonic() + seconds
        self._salt = os.urandom(4).hex()
        threads = [threading.Thread(target=self._visit, args=(number,)) for number in range(visitors)]
        self.started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = time.monotonic() - self.started

    def _visit(self, number: int) -> None:
        sock = socket.create_connection(("127.0.0.1", self.served.port), 30)
        turns = events = failures = 0
        while time.monotonic() < self._until and not failures:
            body = json.dumps({
                "site_key": "sk_demo", "session_id": f"s-{self._salt}-{number}", "message": "question",
                "message_id": f"m{turns}",
            }).encode()
            sock.sendall(
                b"POST /api/v1/chat/stream HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            answer = read_chunked(sock)
            turns += 1
            events += answer.count(b"data: {")
            if b'"type":"done"' not in answer:
                failures += 1
                print(f"a reply has no done: {answer[-300:]!r}")
        sock.close()
        with self._lock:
            self.turns += turns
            self.events += events
            self.failures += failures


def read_chunked(sock: socket.socket) -> bytes:
    """The raw bytes of one chunked answer."""
    data = bytearray()
    while not data.endswith(b"\r\n0\r\n\r\n"):
        if b"\r\nContent-Length: " in data:
            break
        part = sock.recv(65536)
        if not part:
            return bytes(data)
        data += part
    return bytes(data)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _limit_names() -> list[str]:
    sys.path.insert(0, str(ROOT))
    from config import SETTINGS

    return [setting.variable for setting in SETTINGS if setting.name.startswith("LIMIT_")]


def add_demo_site(served: Served) -> None:
    """Make `sk_demo` in the server's database, without knowledge."""
    sys.path.insert(0, str(ROOT))
    from vexar.demo import add_site
    from vexar.store import open_store

    store = open_store(served.env["VEXAR_DATABASE_URL"])
    add_site(store)
    store.close()
