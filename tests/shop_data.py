"""A site's own endpoint on a real local socket, its Data API, and a model that calls for it.

    with ShopData() as shop:                        answers every action from `shop.data` (an action it lacks: declined)
        shop.script(lambda wire, body: ...)         what the next call gets; `shop.always`: every call
        shop.calls, shop.heads                      the bodies and headers that came, in order
    model.script(calls(("get_product", {"product_id": "7"})), ["It is red."])
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.upstream import Upstream, Wire

PRODUCTS = [{"id": "7", "name": "Wool scarf", "price": 39, "url": "https://shop.example/p/7"}]


class ShopData(Upstream):
    """The endpoint; `url` is its address."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {
            "ping": {"actions": ["search_products", "get_product"]}, "search_products": {"products": PRODUCTS},
            "get_product": PRODUCTS[0], "get_categories": [], "check_availability": {"in_stock": True},
            "check_order_status": {"status": "shipped"}, "lookup_account": {"name": "Ann", "points": 12},
        }  # fmt: skip
        super().__init__()
        self.url = self.url.removesuffix("/v1") + "/vexar-data"

    @property
    def calls(self) -> list[dict]:
        """The bodies that came."""
        return self.requests

    @property
    def heads(self) -> list[dict[str, str]]:
        """The headers that came."""
        return self.headers

    def _complete(self, wire: Wire, body: dict, headers: dict[str, str]) -> None:
        with self._changed:
            self.requests.append(body)
            self.headers.append(headers)
            script = self._scripts.popleft() if self._scripts else self.always
            self._changed.notify_all()
        if script:
            script(wire, body)
        elif body["action"] in self.data:
            wire.json({"success": True, "data": self.data[body["action"]]})
        else:
            wire.json({"success": False, "error": "no such thing"})


def calls(*wanted: tuple[str, Any], says: str = "", pieces: bool = True) -> Callable[[Wire, dict], None]:
    """A model that says something and calls these tools: (name, arguments as an object or as the text it writes)."""
    def script(wire: Wire, body: dict) -> None:
        wire.head()
        if says:
            wire.token(says)
        for index, (name, arguments) in enumerate(wanted):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            half = len(text) // 2 if pieces else 0
            function = {"name": name, "arguments": text[:half]}
            wire.delta(tool_calls=[{"index": index, "id": f"c{index}", "type": "function", "function": function}])
            wire.delta(tool_calls=[{"index": index, "function": {"arguments": text[half:]}}])
        wire.delta("tool_calls")
        wire.done()

    return script


def results(request: dict) -> list[str]:
    """What the model was told of its last calls."""
    found = []
    for message in reversed(request["messages"]):
        if message["role"] != "tool":
            break
        found.insert(0, message["content"])
    return found


def says(value: Any, status: int = 200, **headers: Any) -> Callable:
    """An endpoint that answers this JSON."""
    return lambda wire, body: wire.json(value, status, **headers)


def writes(data: bytes, status: int = 200, **headers: Any) -> Callable:
    """An endpoint that answers these bytes."""
    def script(wire: Wire, body: dict) -> None:
        wire.head(status, str(len(data)), **headers)
        wire.raw(data)
        wire.is_whole = True

    return script


def hangs(wire: Wire, body: dict) -> None:
    """An endpoint that says nothing."""
    wire.hang()


def drips(wire: Wire, body: dict) -> None:
    """A body that comes a byte at a time, and never ends."""
    wire.head(Content_Type="application/json")
    while True:
        wire.raw(b" ")
        time.sleep(0.02)


def drips_headers(wire: Wire, body: dict) -> None:
    """Headers that never end."""
    wire.sock.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        wire.sock.sendall(b"X-A: b\r\n")
        time.sleep(0.02)


def breaks(wire: Wire, body: dict) -> None:
    """Half an answer, then the connection is reset."""
    wire.head(framing="1000", Content_Type="application/json")
    wire.raw(b'{"success": true, "da')
    wire.cut()


@cache
def bomb() -> bytes:
    """A small answer that unpacks to a hundred megabytes; made in pieces, for a test that counts memory."""
    packer = zlib.compressobj(wbits=31)
    begin = packer.compress(b'{"success": true, "data": "')
    return begin + b"".join(packer.compress(b"x" * 1_000_000) for _ in range(100)) + packer.flush()


def bombs(wire: Wire, body: dict) -> None:
    """An endpoint that answers it."""
    writes(bomb(), Content_Type="application/json", Content_Encoding="gzip")(wire, body)
