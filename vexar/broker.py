"""Doorbells: `ring(channel)` wakes whoever waits for that channel, in this process and in the others.

The database is the history; a ring only says "look again". A lost ring costs one safety tick, never a message,
so nothing here is stored or repeated. A ring may carry a small note for what is never stored (typing).
Between processes of one machine rings travel as unix datagrams, between machines through Redis.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("vexar.broker")

MAX_NOTE_BYTES = 4096
# A bell keeps this many notes for a reader that does not come; state is never in notes.
MAX_NOTES = 32
REDIS_RETRY_S = 2.0
MTIME_GRAIN_NS = 50_000_000


class Bell:
    """One listener of some channels. `wait` returns at once if it was rung since the last wait."""

    __slots__ = ("_broker", "_channels", "_event", "_notes")

    def __init__(self, broker: Broker, channels: tuple[str, ...]) -> None:
        self._broker = broker
        self._channels = channels
        self._event = threading.Event()
        self._notes: list[dict] | None = None

    def wait(self, timeout_s: float) -> bool:
        """Whether it was rung, now or within `timeout_s`."""
        rung = self._event.wait(timeout_s)
        if rung:
            # Not after a time-out: a ring of this very moment would be lost.
            self._event.clear()
        return rung

    def notes(self) -> list[dict]:
        """The notes that came with rings since the last call."""
        notes, self._notes = self._notes, None
        return notes or []

    def ring(self, note: dict | None = None) -> None:
        """Wake the listener."""
        if note is not None:
            self._notes = [*(self._notes or ()), note][-MAX_NOTES:]
        self._event.set()

    def close(self) -> None:
        """Stop listening."""
        self._broker._forget(self, self._channels)


class Broker:
    """The doorbells of one process, joined with those of the others through its links."""

    def __init__(self, *, folder: Path | None = None, redis_url: str = "") -> None:
        self._bells: dict[str, set[Bell]] = {}
        self._lock = threading.Lock()
        self._links: list[Any] = []
        self._watchers: list[Callable[[str, dict], None]] = []
        if folder is not None:
            self._links.append(DatagramLink(folder, self._ring_here))
        if redis_url:
            self._links.append(RedisLink(redis_url, self._ring_here))

    @property
    def degraded(self) -> bool:
        """Whether rings do not reach every other process at the moment."""
        return any(link.degraded for link in self._links)

    def listen(self, *channels: str) -> Bell:
        """A new bell on these channels; close it."""
        bell = Bell(self, channels)
        with self._lock:
            for channel in channels:
                self._bells.setdefault(channel, set()).add(bell)
        return bell

    def ring(self, channel: str, note: dict | None = None) -> None:
        """Wake every listener of the channel, everywhere. Never blocks, never fails."""
        self._ring_here(channel, note)
        if self._links:
            data = json.dumps([channel, note], separators=(",", ":")).encode()
            if len(data) > MAX_NOTE_BYTES:
                data = json.dumps([channel, None]).encode()
            for link in self._links:
                link.send(data)

    def ring_all(self) -> None:
        """Wake every listener of this process: it is ending."""
        for channel in tuple(self._bells):
            self._ring_here(channel, None)

    def watch_notes(self, watcher: Callable[[str, dict], None]) -> None:
        """Call `watcher(channel, note)` for every note, wherever it was rung."""
        self._watchers.append(watcher)

    def ring_here(self, channel: str) -> None:
        """Wake the listeners of this process only."""
        self._ring_here(channel, None)

    def listeners(self) -> int:
        """Open bells, for the leak detector and metrics."""
        return sum(len(bells) for bells in self._bells.values())

    def close(self) -> None:
        """Release sockets and threads."""
        for link in self._links:
            link.close()

    def _ring_here(self, channel: str, note: dict | None) -> None:
        if note is not None:
            for watcher in self._watchers:
                watcher(channel, note)
        for bell in tuple(self._bells.get(channel, ())):
            bell.ring(note)

    def _forget(self, bell: Bell, channels: tuple[str, ...]) -> None:
        with self._lock:
            for channel in channels:
                bells = self._bells.get(channel, set())
                bells.discard(bell)
                if not bells:
                    self._bells.pop(channel, None)


class DatagramLink:
    """Rings to the other processes of this machine: a datagram to every socket in a folder they share."""

    degraded = False

    def __init__(self, folder: Path, deliver: Any) -> None:
        self._folder = _short_folder(folder)
        self._deliver = deliver
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._path = self._folder / f"{os.getpid()}-{os.urandom(4).hex()}"
        self._socket.bind(str(self._path))
        self._peers: list[str] = []
        self._listed_ns = -1
        self._thread = threading.Thread(target=self._receive, name="vexar-doorbell", daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        for path in self._others():
            try:
                self._sender.sendto(data, path)
            except ConnectionRefusedError:
                # Killed processes leave their socket behind.
                with contextlib.suppress(OSError):
                    os.unlink(path)
            except OSError:
                # Gone by itself, or busy and its queue full: its safety tick will look.
                continue

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            self._sender.sendto(b"", str(self._path))
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        self._socket.close()
        self._sender.close()

    def _others(self) -> list[str]:
        """The other sockets; the folder is listed again only when it changed."""
        with contextlib.suppress(OSError):
            changed_ns = os.stat(self._folder).st_mtime_ns
            if changed_ns != self._listed_ns:
                # A folder changed a moment ago may change again without a newer time stamp: list it again then.
                self._listed_ns = changed_ns if time.time_ns() - changed_ns > MTIME_GRAIN_NS else -1
                self._peers = [entry.path for entry in os.scandir(self._folder) if entry.name != self._path.name]
        return self._peers

    def _receive(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            try:
                channel, note = json.loads(data)
                self._deliver(channel, note)
            except Exception:
                log.exception("a doorbell could not be read")


def _short_folder(folder: Path) -> Path:
    """The folder, made; a link of a short name where it is too long for a socket's address (108 bytes)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if len(os.fsencode(folder)) < 80:
        return folder
    status = os.stat(folder)
    short = Path(tempfile.gettempdir()) / f"vexar-{os.geteuid()}-{status.st_dev:x}-{status.st_ino:x}"
    if not _is_own_link(short, folder):
        # A folder that is gone may have left it, and its number was given out again.
        fresh = short.with_name(f"{short.name}-{os.urandom(4).hex()}")
        fresh.symlink_to(folder.resolve())
        fresh.replace(short)
    return short


def _is_own_link(link: Path, folder: Path) -> bool:
    """Whether it leads there and will go on doing so: somebody else's could be turned elsewhere at any time."""
    try:
        return os.lstat(link).st_uid == os.geteuid() and link.resolve() == folder.resolve()
    except OSError:
        return False


class RedisLink:
    """Rings to other machines. While Redis is away rings are lost, one line is logged, ticks carry on."""

    CHANNEL = "vexar:doorbell"

    def __init__(self, url: str, deliver: Any) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self._error = redis.RedisError
        # A ring must never hold up a message; the client's default tries three times more, each with the time-out.
        self._client = redis.Redis.from_url(
            url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        self._reader = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
        self._deliver = deliver
        self._me = os.urandom(6).hex().encode()
        self._is_closed = threading.Event()
        self._retry_at = 0.0
        self.degraded = False
        self._thread = threading.Thread(target=self._receive, name="vexar-doorbell-redis", daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            self._client.publish(self.CHANNEL, self._me + data)
        except self._error as problem:
            self._retry_at = time.monotonic() + REDIS_RETRY_S
            self._lost(problem)

    def close(self) -> None:
        self._is_closed.set()
        self._reader.close()
        self._client.close()
        self._thread.join(6)

    def _receive(self) -> None:
        while not self._is_closed.is_set():
            try:
                self._listen()
            except (self._error, OSError, ValueError) as problem:
                if not self._is_closed.is_set():
                    self._lost(problem)
                    self._is_closed.wait(REDIS_RETRY_S)

    def _listen(self) -> None:
        with self._reader.pubsub(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(self.CHANNEL)
            while not self._is_closed.is_set():
                message = subscription.get_message(timeout=1.0)
                self._found()
                data = message and message["data"]
                if data and not data.startswith(self._me):
                    channel, note = json.loads(data[len(self._me):])
                    self._deliver(channel, note)

    def _lost(self, problem: Exception) -> None:
        if not self.degraded:
            self.degraded = True
            log.warning("Redis is away, live push falls back to its tick: %s", type(problem).__name__)

    def _found(self) -> None:
        if self.degraded:
            self.degraded = False
            log.info("Redis is back")
