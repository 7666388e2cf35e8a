"""A proxy on 127.0.0.1 that cuts a connection after an exact number of bytes of the answer.

Each cut has a door (a port) of its own, so that any client needs nothing but another address:

    with CuttingProxy(server.port) as proxy:
        url = proxy.cut_after(120)      the first connection to it is cut after 120 bytes of the answer, headers and
                                        framing counted; every later one is passed on whole
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

# Linger for no time: closing sends a reset.
AT_ONCE = b"\1\0\0\0\0\0\0\0"


class CuttingProxy:
    """Passes bytes on to a port of this machine, both ways, until a cut.

    `is_reset`: the cut is a reset, after which a client may lose bytes that had arrived; else it is an early end.
    """

    def __init__(self, port: int, *, is_reset: bool = False) -> None:
        self._port = port
        self._is_reset = is_reset
        self._doors: dict[socket.socket, int | None] = {}
        self._selector = selectors.DefaultSelector()
        self._stop, stopped = socket.socketpair()
        self._selector.register(stopped, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, args=(stopped,), name="cutting-proxy", daemon=True)
        self._thread.start()

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def cut_after(self, count: int) -> str:
        """A new base url, whose first connection ends after `count` bytes."""
        door = socket.create_server(("127.0.0.1", 0))
        self._doors[door] = count
        self._selector.register(door, selectors.EVENT_READ)
        return f"http://127.0.0.1:{door.getsockname()[1]}"

    def shut(self, url: str) -> None:
        """Close a door that is not needed any more."""
        for door in [door for door in self._doors if url.endswith(f":{door.getsockname()[1]}")]:
            self._selector.unregister(door)
            del self._doors[door]
            door.close()

    def close(self) -> None:
        """Close every door; connections that are open end with their clients."""
        self._stop.close()
        self._thread.join()
        for door in self._doors:
            door.close()

    def _accept(self, stopped: socket.socket) -> None:
        with stopped, self._selector:
            while True:
                doors = [key.fileobj for key, _ in self._selector.select()]
                if stopped in doors:
                    return
                for door in doors:
                    with contextlib.suppress(OSError):
                        self._open(door)

    def _open(self, door: socket.socket) -> None:
        client, _ = door.accept()
        cut = self._doors.get(door)
        self._doors[door] = None
        link = _Link(client, socket.create_connection(("127.0.0.1", self._port)), cut, self._is_reset)
        threading.Thread(target=link.run, name="cutting-proxy-link", daemon=True).start()


class _Link:
    """One connection of a client, and the one it is passed on to. `left`: bytes until the cut, None for no cut."""

    def __init__(self, client: socket.socket, server: socket.socket, left: int | None, is_reset: bool) -> None:
        self._client, self._server, self._left, self._is_reset = client, server, left, is_reset

    def run(self) -> None:
        with self._client, self._server, selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
            selector.register(self._client, selectors.EVENT_READ, self._ask)
            selector.register(self._server, selectors.EVENT_READ, self._answer)
            while all(key.data() for key, _ in selector.select()):
                pass

    def _ask(self) -> bool:
        data = self._client.recv(65536)
        self._server.sendall(data)
        return bool(data)

    def _answer(self) -> bool:
        data = self._server.recv(65536)
        if self._left is None:
            self._client.sendall(data)
            return bool(data)
        part, self._left = data[:self._left], self._left - len(data)
        self._client.sendall(part)
        if self._left <= 0 and self._is_reset:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        return bool(data) and self._left > 0
