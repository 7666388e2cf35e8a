"""What the server did, in numbers for Prometheus, summed over all its workers: `start(folder)`, verbs, `exposition()`.

Each worker keeps its numbers in mapped files of its own, in one folder per server process (the parent that forked
the workers): what a killed worker counted stays counted, and a restarted server begins anew. Before `start` the
verbs do nothing. Call them from the event loop only, never from a native thread.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector

log = logging.getLogger("vexar.metrics")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FIRST_TOKEN_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
STALE_AFTER_S = 7 * 86_400
# Over a thousand numbers; endpoints times statuses are a few hundred.
FILE_BYTES = 2**18
_active: _Numbers | None = None


def start(data_dir: Path) -> None:
    """Begin to count for the server this process belongs to; its folder is made below `data_dir`/metrics."""
    global _active
    try:
        folder = _server_folder(Path(data_dir) / "metrics")
        _reserve(folder)
        _active = _Numbers(folder)
    except OSError as problem:
        _active = None
        log.warning("nothing is counted: %s", problem.strerror)


def exposition() -> bytes:
    """The numbers of all workers in the Prometheus text format, CONTENT_TYPE."""
    registry = CollectorRegistry()
    if _active:
        registry.register(_AllWorkers(_active.folder))
    return generate_latest(registry)


def request_answered(endpoint: str, status: int) -> None:
    """A request got its status; `endpoint` is a name from a short list, never a path."""
    if _active:
        _active.request(endpoint, status).inc()


def message_stored() -> None:
    """A visitor's message was stored for the first time."""
    if _active:
        _active.messages.inc()


def run_ended(finish_reason: str) -> None:
    """A run ended."""
    if _active:
        _active.runs.labels(finish_reason).inc()


def first_token(seconds: float) -> None:
    """The first text of an answer came this long after its run had started."""
    if _active:
        _active.first_token.observe(seconds)


def question_embedded(outcome: str) -> None:
    """A question was to get an embedding: embedded, failed, late, or skipped after an earlier failure."""
    if _active:
        _active.questions.labels(outcome).inc()


def stream_opened() -> None:
    """A text/event-stream began; `stream_closed` must follow."""
    if _active:
        _active.streams.inc()


def stream_closed() -> None:
    """A text/event-stream ended."""
    if _active:
        _active.streams.dec()


def data_api_called(action: str, outcome: str) -> None:
    """A model called for a site's own data; `outcome`: one of answers/data_api.py, or bad_arguments."""
    if _active:
        _active.data_api.labels(action, outcome).inc()


def store_counted(jobs: int, commits: int) -> None:
    """What the store of this process counted since it was opened."""
    if _active:
        _active.count_store(jobs, commits)


class _Numbers:
    """The metrics of one process, kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # prometheus_client takes both from the process when a metric is made.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue()
        own: dict[str, Any] = {"namespace": "vexar", "registry": CollectorRegistry()}
        self.requests = Counter("requests", "Requests answered.", ["endpoint", "status"], **own)
        self.messages = Counter("messages", "Messages of visitors stored.", **own)
        self.runs = Counter("runs", "Runs ended.", ["finish_reason"], **own)
        self.questions = Counter("question_embeddings", "Questions to be embedded.", ["outcome"], **own)
        self.streams = Gauge("open_streams", "Open event streams.", multiprocess_mode="livesum", **own)
        self.first_token = Histogram(
            "first_token_seconds", "From the start of a run to its first text.", buckets=FIRST_TOKEN_BUCKETS_S, **own
        )
        self.data_api = Counter("data_api_calls", "Calls of sites' Data APIs.", ["action", "outcome"], **own)
        self.store_jobs = Counter("store_jobs", "Write jobs stored.", **own)
        self.store_commits = Counter("store_commits", "Transactions that stored them.", **own)
        self._counted = (0, 0)
        self._requests: dict[tuple[str, int], Any] = {}

    def request(self, endpoint: str, status: int) -> Any:
        """The counter of one endpoint and status; looked up here because `labels()` costs more than `inc()`."""
        key = (endpoint, status)
        child = self._requests.get(key)
        if child is None:
            child = self._requests[key] = self.requests.labels(endpoint, str(status))
        return child

    def count_store(self, jobs: int, commits: int) -> None:
        """Add what is new since the last call; a store that was opened anew counts from 0."""
        old_jobs, old_commits = self._counted if jobs >= self._counted[0] else (0, 0)
        if jobs > old_jobs:
            self.store_jobs.inc(jobs - old_jobs)
            self.store_commits.inc(max(commits - old_commits, 0))
        self._counted = (jobs, commits)


class _AllWorkers:
    """Reads the files of every worker of one server; gauges only of those alive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Any]:
        """See prometheus_client's Collector."""
        return MultiProcessCollector.merge(list(self._files()), accumulate=True)

    def _files(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("*.db")):
            # A worker that is just starting has made its file and not written it yet.
            is_empty = path.stat().st_size == 0
            is_left = path.name.startswith("gauge_live") and not _is_alive(int(path.stem.rpartition("_")[2]))
            if not is_empty and not is_left:
                yield str(path)


def _server_folder(root: Path) -> Path:
    """The folder of the process that forked this one; those of servers that are gone are removed."""
    parent = os.getppid()
    own = f"{socket.gethostname()}-{parent}-{_birth(parent)}"
    for folder in root.glob("*-*-*"):
        if folder.name != own and _is_stale(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return root / own


def _reserve(folder: Path) -> None:
    """Make the files of this process with all the room they will ever need. Raises OSError.

    prometheus_client makes files with holes, and a full disk answers whoever fills a hole through a mapping with
    SIGBUS: the worker would be killed for a number, and every worker after it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # An earlier process with the same number may have left its gauges; counters go on from where it stopped.
    (folder / f"gauge_livesum_{os.getpid()}.db").unlink(missing_ok=True)
    for kind in ("counter", "gauge_livesum", "histogram"):
        path = folder / f"{kind}_{os.getpid()}.db"
        if not path.exists() or not path.stat().st_size:
            path.write_bytes(bytes(FILE_BYTES))


def _is_stale(folder: Path) -> bool:
    host, pid, birth = folder.name.rsplit("-", 2)
    if host == socket.gethostname():
        return not pid.isdigit() or _birth(int(pid)) != birth
    # Another machine or container may share the folder; whether it lives cannot be asked from here.
    return time.time() - folder.stat().st_mtime > STALE_AFTER_S


def _birth(pid: int) -> str:
    """When a process started, in clock ticks since boot; "0" where it is gone or the system does not say."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "0"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
