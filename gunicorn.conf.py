"""How gunicorn serves Vexar: `gunicorn -c gunicorn.conf.py wsgi:app`.

Everything that may differ between installations comes from config.py; what stands here is what Vexar needs to
keep its promises, above all that a planned restart loses nothing.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import signal
import socket
import sys
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path

import gevent
from gevent.monkey import get_original
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName, ParseException
from gunicorn.workers.ggevent import GeventWorker

# Not `import config`: gunicorn would take a global of that name for its own setting.
from config import ConfigError, keep_private, load, make_folders
from vexar.errors import ApiError

MIN_OPEN_FILES = 4096
# Files that are not connections: the database, its pool, doorbells, upstream connections, logs.
RESERVED_FILES = 256
# 19,000 idle streams were measured on one worker; memory, not this number, is the limit.
MAX_CONNECTIONS = 20_000
# What running answers get; with the time to end their streams it stays below graceful_timeout.
DRAIN_S = 10.0
# After Ctrl-C, or when the master is told to hurry (it kills the workers 2 s later).
HURRIED_DRAIN_S = 1.0
# What may still be on its way when the answers have ended: short requests, the last bytes of a stream.
LAST_BYTES_S = 2.0
# What is still sent with a request that was refused already; closing before would take the answer back.
MAX_UNREAD_BYTES = 64 * 2**20
# A visitor who does not read, or vanished without a word, holds a connection for that long.
UNREAD_TIMEOUT_S = 60
LOOP_S = 0.2


class Worker(GeventWorker):
    """The gevent worker, with an end of its own: drain, close idle connections, go."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._open: set = set()
        self._busy: set = set()
        self._drain_s: float | None = None

    def run(self) -> None:
        """Serve until a signal comes, then leave."""
        # What top and ps show; Linux only.
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text("vexar worker")
        servers = [self._listen(sock) for sock in self.sockets]
        try:
            while self._drain_s is None:
                self.notify()
                gevent.sleep(LOOP_S)
            self._leave(servers)
        finally:
            _close_parts(self.wsgi)

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM: a planned restart."""
        self._begin_to_leave(DRAIN_S)

    def handle_quit(self, sig: int, frame: object) -> None:
        """SIGINT and SIGQUIT: somebody is waiting for the prompt."""
        self._begin_to_leave(HURRIED_DRAIN_S)

    def handle(self, listener: socket.socket, client: socket.socket, addr: object) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_TIMEOUT_S * 1000)
        self._open.add(client)
        try:
            super().handle(listener, client, addr)
        finally:
            self._open.discard(client)

    def handle_request(self, listener_name: object, req: object, sock: socket.socket, addr: object) -> None:
        """Serve one request of a connection."""
        self._busy.add(sock)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except OSError as problem:
            if problem.errno not in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
                raise
            # Gunicorn logs a traceback for these; a visitor without a network is no error of ours.
            raise BrokenPipeError(errno.EPIPE, "the visitor is gone") from problem
        finally:
            _read_to_the_end(req)
            self._busy.discard(sock)

    def handle_error(self, req: object, client: socket.socket, addr: object, exc: BaseException) -> None:
        """Answer in JSON what never reached the app. Gunicorn would log the request's line, session ids included."""
        is_ours = isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName)
        if isinstance(exc, ParseException) and not is_ours:
            self.log.warning("refused what is no HTTP: %s", type(exc).__name__)
            _refuse(client, ApiError("bad_request"))
        else:
            self.log.error("a request crashed the server", exc_info=exc)
            _refuse(client, ApiError("internal"))

    def _listen(self, sock: socket.socket) -> StreamServer:
        sock.setblocking(True)
        server = StreamServer(sock, handle=partial(self.handle, sock), spawn=Pool(self.worker_connections))
        if self.cfg.workers > 1:
            # One connection a turn, so that a burst spreads over the workers.
            server.max_accept = 1
        server.start()
        return server

    def _begin_to_leave(self, drain_s: float) -> None:
        # From here on gunicorn answers with `Connection: close`.
        self.alive = False
        self._drain_s = drain_s if self._drain_s is None else min(drain_s, self._drain_s)

    def _leave(self, servers: list[StreamServer]) -> None:
        if _is_replaced(self.ppid, self.sockets):
            # A reload: new workers hear the same sockets, and nobody needs to be refused.
            _close_servers(servers)
        parts = _parts(self.wsgi)
        drain = gevent.spawn(parts.drain, self._drain_s) if parts else None
        started = time.monotonic()
        while drain and not drain.ready() and time.monotonic() < started + self._drain_s + 1:
            self.notify()
            drain.join(LOOP_S)
        _close_servers(servers)
        self._close_connections(time.monotonic() + min(LAST_BYTES_S, self._drain_s))

    def _close_connections(self, deadline: float) -> None:
        told: set = set()
        while self._open and time.monotonic() < deadline:
            for client in self._open - self._busy - told:
                _end_reading(client)
                told.add(client)
            self.notify()
            gevent.sleep(0.02)


def post_worker_init(worker: Worker) -> None:
    """Print the first owner's link where there is no owner yet; once, however many workers there are."""
    parts = _parts(worker.wsgi)
    link = parts.accounts.owner_link() if parts and worker.age == 1 else None
    if link:
        # Not in the log, which more people may read than may own this.
        sys.stdout.write(f"Open this to become the owner (works once, for 24 hours):\n{link}\n")
        sys.stdout.flush()


def post_fork(server: object, worker: Worker) -> None:
    """Listen to signals from the first moment: gunicorn does so only after patching, and loses those before."""
    signal.signal(signal.SIGTERM, worker.handle_exit)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, worker.handle_quit)


def _read_to_the_end(req: object) -> None:
    """Take what is left of a request's body: a socket closed with bytes unread resets the connection."""
    taken = 0
    with contextlib.suppress(Exception), gevent.Timeout(LAST_BYTES_S, False):
        while taken < MAX_UNREAD_BYTES and (piece := req.body.read(65_536)):
            taken += len(piece)


def _refuse(client: socket.socket, problem: ApiError) -> None:
    body = json.dumps(problem.envelope())
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}", "Connection: close",
        "Content-Type: application/json", "Cache-Control: no-store", f"Content-Length: {len(body)}",
    )
    with contextlib.suppress(OSError):
        client.sendall("\r\n".join((*head, "", body)).encode())


def _is_replaced(master_pid: int, sockets: list[socket.socket]) -> bool:
    """Whether the master goes on listening: it closes its sockets before it stops its workers for good."""
    ours = {os.fstat(sock.fileno()).st_ino for sock in sockets}
    theirs = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{master_pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                theirs.add(entry.stat().st_ino)
    return ours <= theirs


def _end_reading(client: socket.socket) -> None:
    """Let the reader meet the end after what has arrived already: such a request is still read, and answered."""
    # gevent's own shutdown would throw an error into the greenlet that reads.
    with contextlib.suppress(OSError), get_original("socket", "socket")(fileno=os.dup(client.fileno())) as side:
        side.shutdown(socket.SHUT_RD)


def _close_servers(servers: list[StreamServer]) -> None:
    for server in servers:
        server.close()


def _parts(app: object) -> object | None:
    return getattr(app, "extensions", {}).get("vexar")


def _close_parts(app: object) -> None:
    parts = _parts(app)
    if parts:
        with gevent.Timeout(LAST_BYTES_S, False):
            parts.close()


def _raise_open_files() -> int:
    """Lift the soft limit of open files to the hard one; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**20 if soft == resource.RLIM_INFINITY else soft


keep_private()
try:
    _settings = load()
    make_folders(_settings)
except ConfigError as _problem:
    sys.exit(f"vexar: {_problem}")

_open_files = _raise_open_files()
if _open_files < MIN_OPEN_FILES:
    sys.stderr.write(
        f"vexar: only {_open_files} open files are allowed, so at most about {max(0, _open_files - RESERVED_FILES)} "
        f"open streams a worker; raise the limit to {MIN_OPEN_FILES} or more (ulimit -n, LimitNOFILE=)\n"
    )

bind = _settings.bind
workers = _settings.workers
worker_class = Worker
worker_connections = max(64, min(MAX_CONNECTIONS, _open_files - RESERVED_FILES))
# Longer than the 60 s after which nginx drops an idle connection, so that nginx is the one who ends it.
keepalive = 75
graceful_timeout = 15
# The most that gunicorn knows: the path of a page, in any script, is asked for in a query.
limit_request_line = 8190
# A unix socket is for the proxy's group.
umask = 0o007
proc_name = "vexar"
accesslog = None
errorlog = "-"
loglevel = "warning"
preload_app = False
control_socket_disable = True
# Vexar reads forwarding headers itself, and only from VEXAR_TRUSTED_PROXIES.
forwarded_allow_ips = ""
secure_scheme_headers = {}
