"""Connections to other servers: where a host is, and the socket that leads there. Who it is for is fetch.py's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress


class FetchError(Exception):
    """A call went wrong; the text names a kind of failure and never holds an address, header or body."""


class Unreachable(FetchError):
    """No connection could be made, so nothing was asked."""


class Refused(Unreachable):
    """The address is none that may be asked; nothing was connected."""


class Resolver:
    """Tells where a host is; the one place where a rule about addresses can hold."""

    def find(self, host: str, port: int, timeout_s: float) -> list[tuple[int, tuple]]:
        """What to connect to, in order, as (family, socket address); none: unknown host. Raises Refused."""
        found: list[tuple[int, tuple]] = []
        is_done = threading.Event()

        def look_up() -> None:
            with suppress(OSError, UnicodeError):
                found.extend((family, place) for family, _, _, _, place in self.look_up(host, port))
            is_done.set()

        # getaddrinfo knows no timeout; one that hangs is left behind.
        threading.Thread(target=look_up, daemon=True).start()
        is_done.wait(timeout_s)
        return list(dict.fromkeys(found))

    def look_up(self, host: str, port: int) -> list[tuple]:
        """What getaddrinfo says; it may take its time. Raises OSError, UnicodeError."""
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    def check(self, place: tuple) -> None:
        """Whether a connected socket's other end may be asked. Raises Refused."""

    def close(self) -> None:
        """Release what look-ups need."""


def connect(family: int, place: tuple, timeout_s: float, options: Iterable | None,
            check: Callable[[tuple], None]) -> socket.socket:
    """A connection to numbers only: a name would be looked up again, and could be somewhere else by now."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.settimeout(timeout_s)
        sock.connect(place)
        check(sock.getpeername())
    except BaseException:
        sock.close()
        raise
    return sock
