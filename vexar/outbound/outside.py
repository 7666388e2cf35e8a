"""Every address the server fetches for a site: pages, webhooks, its own data. Only what is public on the internet.

An address is judged as numbers before anything is connected, and again on the connected socket; a redirect is a new
address. VEXAR_FETCH_ALLOW opens networks. It refuses to follow by itself: who asks says what a redirect may lead to.
"""

from __future__ import annotations

import _socket
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from vexar.addresses import IpAddress, IpNetwork
from vexar.native import NativePool
from vexar.outbound.dialing import Refused, Resolver, Unreachable
from vexar.outbound.fetch import Call, Session

CONNECT_TIMEOUT_S = 5.0
# Dead names wait here for seconds, each in a thread; the answers' upstream is looked up elsewhere.
RESOLVER_THREADS = 4
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
# What a site's robots.txt and its logs know it by.
USER_AGENT = "Vexar"

# What Python's own table lets through, or did in some release: addresses of somebody's own network.
_CLOSED = tuple(map(ipaddress.ip_network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/3",
    # A cloud's service for its own machines, on an address that looks public.
    "168.63.129.16/32",
    # An IPv4 address inside of 6to4, Teredo and the rest of 2001::/23: it would leave by another door.
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)))  # fmt: skip
_OPEN6 = ipaddress.ip_network("2000::/3")
# The public translator of IPv6-only networks, whose names all resolve to it: what counts is what lies behind.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# ISATAP writes an IPv4 address into the lower half of any network.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` ignore case; `is_cut`: the body had more than was wanted."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_cut: bool = False

    @property
    def location(self) -> str:
        """Where a redirect leads, whole and without a fragment; empty when it is none."""
        target = self.headers.get("Location", "") if self.status in REDIRECTS else ""
        with suppress(ValueError):
            # Servers send UTF-8 there, which arrives as Latin-1.
            with suppress(UnicodeError):
                target = target.encode("latin-1").decode("utf-8")
            return urljoin(self.url, target.strip()).partition("#")[0] if target else ""
        return ""


class GuardedResolver(Resolver):
    """Gives only addresses that may be asked, from look-ups in threads of its own."""

    def __init__(self, allowed: Sequence[IpNetwork] = ()) -> None:
        self._allowed = tuple(allowed)
        self._pool: NativePool | None = None
        self._lock = threading.Lock()

    def find(self, host: str, port: int, timeout_s: float) -> list[tuple[int, tuple]]:
        """As the interface says; a name with one forbidden address is refused as a whole."""
        found = super().find(host, port, timeout_s)
        for _, place in found:
            self.check(place)
        return found

    def look_up(self, host: str, port: int) -> list[tuple]:
        """In a native thread, past the pool that gevent keeps for everybody."""
        with self._lock:
            self._pool = self._pool or NativePool(RESOLVER_THREADS)
        return self._pool.run(_look_up, host, port)

    def check(self, place: tuple) -> None:
        """Raises Refused."""
        if not may_be_asked(place[0], self._allowed):
            raise Refused("this address may not be asked")

    def close(self) -> None:
        """End the threads."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool:
            pool.close()


class Outside:
    """Fetches for a site. One per process and purpose; any number of threads may use it."""

    def __init__(self, allowed: Sequence[IpNetwork] = (), connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self.session = Session(connect_timeout_s, GuardedResolver(allowed))

    def fetch(
        self, url: str, *, timeout_s: float, max_bytes: int, method: str = "GET", body: bytes | None = None,
        headers: Mapping[str, str] | None = None, watch: Callable[[Call], object] | None = None,
    ) -> Answer:
        """One request and its answer, whatever its status; `timeout_s` holds for all of it. `watch` is given the call
        before it begins, to end it from another thread. Raises FetchError."""
        check_url(url)
        call = self.session.call(time.monotonic() + timeout_s)
        if watch is not None:
            watch(call)
        sent = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate", **(headers or {})}
        try:
            call.send(method, url, headers=sent, body=body)
            data = bytearray()
            # A redirect's text is for nobody.
            while call.status not in REDIRECTS and len(data) <= max_bytes and (piece := call.read()):
                data += piece
            return Answer(url, call.status, call.headers, bytes(data[:max_bytes]), is_cut=len(data) > max_bytes)
        finally:
            call.close()

    def follow(self, url: str, *, may_go: Callable[[str], bool], **options: object) -> Answer:
        """The same through at most 5 redirects, each judged by `may_go` and as an address. Raises FetchError."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self.fetch(url, **options)
            url = answer.location
            if not url:
                return answer
            if not may_go(url):
                raise Refused("redirected to where it may not go")
        raise Unreachable("redirected too often")

    def close(self) -> None:
        """Close kept connections and threads."""
        self.session.close()


def check_url(url: str) -> None:
    """Whether an address is a plain http or https one, without a name or password in it. Raises Refused."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_plain = False
    if not is_plain or "@" in parts.netloc or "\\" in url or any(sign <= " " for sign in url):
        raise Refused("no plain http or https address")


def may_be_asked(text: str, allowed: Sequence[IpNetwork] = ()) -> bool:
    """Whether an address, as numbers, is public or in one of these networks."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in allowed) or is_public(address)


def is_public(address: IpAddress) -> bool:
    """Whether anybody on the internet could be meant by it, and only so."""
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if any(address in network for network in _CLOSED) or not address.is_global:
        return False
    if address.version == 4:
        return True
    return address in _OPEN6 and (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP


def _look_up(host: str, port: int) -> list[tuple]:
    # The system's own, which no patch replaces: it runs in a native thread.
    return _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)
