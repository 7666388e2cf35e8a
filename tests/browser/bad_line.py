"""A bad line to a server: connections answer late and are cut anywhere, in an order that a seed decides."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time

MAX_DELAY_S = 2.0
MAX_WHOLE_BYTES = 1_500


class BadLine:
    """Passes bytes on to a port of this machine. `is_bad`: from now on, and for connections that are open too.

    `cuts` and `delays` count what was done; every second connection is cut, every third one answers late.
    """

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.is_bad = False
        self.cuts = self.delays = self._count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def worsen(self) -> None:
        """Cut every open connection, and treat the next ones badly."""
        self.is_bad = True
        for link in list(self._open):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Pass on everything at once from now on."""
        self.is_bad = False

    def close(self) -> None:
        """Accept nothing any more, cut what is open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.worsen()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._run, args=(client,), daemon=True).start()

    def _run(self, client: socket.socket) -> None:
        self._count += self.is_bad
        left = self._random.randrange(MAX_WHOLE_BYTES) if self.is_bad and self._count % 2 else None
        delay_s = self._random.random() * MAX_DELAY_S if self.is_bad and self._count % 3 == 0 else 0.0
        self.cuts += left is not None
        self.delays += delay_s > 0
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._port)) as server:
            self._open |= {client, server}
            try:
                self._pass(client, server, left, delay_s)
            finally:
                self._open -= {client, server}

    def _pass(self, client: socket.socket, server: socket.socket, left: int | None, delay_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    if key.fileobj is server:
                        time.sleep(delay_s)
                        delay_s = 0.0
                        data, left = (data, left) if left is None else (data[:left], left - len(data))
                    key.data.sendall(data)
                    if not data or (left is not None and left <= 0):
                        return
