"""Where a request comes from: the visitor's address, believed only as far as the proxies in between are trusted.

Refuses to guess: behind a proxy nobody named in VEXAR_TRUSTED_PROXIES the address is unknown, not the proxy's.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

log = logging.getLogger(__name__)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDING_HEADERS = (
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via", "CF-Connecting-IP",
)
# One end of an IPv6 line holds a whole /64.
IPV6_BUCKET_BITS = 64
# 10.0.0.1:4711 and [2001:db8::1]:4711, as some proxies write them.
_WITH_PORT = re.compile(r"(?:\[([^\]]+)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?")


class Address(NamedTuple):
    """The sender of a request.

    `text` is None when it is unknown; `bucket` is what limits count by (IPv4 address, IPv6 /64), None with it;
    `scheme` http or https, as the visitor used it; `is_direct`: no proxy in between.
    """

    text: str | None
    bucket: str | None
    scheme: str
    is_direct: bool

    @property
    def is_local(self) -> bool:
        """Whether it came from a program on this machine, and through no proxy."""
        return self.is_direct and self.text is not None and ipaddress.ip_address(self.text).is_loopback


def client_address(
    remote_addr: str | None, headers: Mapping[str, str], trusted_networks: Sequence[IpNetwork]
) -> Address:
    """Who sent a request. `remote_addr` is the peer of the connection; empty for a unix socket, where the peer is
    a proxy on this machine and counts as 127.0.0.1. `headers` must not care about case."""
    peer = parse(remote_addr or "")
    is_forwarded = any(name in headers for name in FORWARDING_HEADERS)
    if peer is None and not is_forwarded:
        return Address(None, None, "http", is_direct=False)
    peer = peer or ipaddress.IPv4Address("127.0.0.1")
    if not is_forwarded:
        return _address(peer, "http", is_direct=True)
    if _is_in(peer, trusted_networks):
        visitor, hops = _walk(peer, _parts(headers, "X-Forwarded-For"), trusted_networks)
        return _address(visitor, _scheme(_parts(headers, "X-Forwarded-Proto"), hops), is_direct=False)
    if not peer.is_global:
        _warn_of_unknown_proxy()
        return Address(None, None, "http", is_direct=False)
    # Anybody on the internet may send such a header about himself.
    return _address(peer, "http", is_direct=True)


def matches(address_text: str | None, cidr: str) -> bool:
    """Whether an address (Address.text) lies in a network or is that address; False when either is unreadable."""
    address = parse(address_text or "")
    try:
        return address is not None and address in ipaddress.ip_network(cidr.strip(), strict=False)
    except ValueError:
        return False


def parse_network(text: str) -> str | None:
    """A network (or one address) in its usual spelling, as `matches` takes it; None if unreadable."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> IpAddress | None:
    """An address as IPv4 where it is one (also ::ffff:192.0.2.1), without port and zone; None if unreadable."""
    text = text.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _walk(peer: IpAddress, chain: list[str], trusted: Sequence[IpNetwork]) -> tuple[IpAddress, int]:
    """From the nearest proxy outwards to the first address no trusted proxy has; and the trusted hops until there.

    A value that is no address ends the walk at the last one that is: a visitor who can send nonsense through a
    careless proxy is then counted with that proxy, and cannot hide.
    """
    visitor, hops = peer, 0
    for text in reversed(chain):
        if not _is_in(visitor, trusted):
            break
        farther = parse(text)
        if farther is None:
            break
        visitor, hops = farther, hops + 1
    return visitor, hops


def _scheme(values: list[str], hops: int) -> str:
    # Each trusted proxy may have added its own; what stands farther left was sent by the visitor.
    if not values:
        return "http"
    return "https" if values[-min(max(hops, 1), len(values))].lower() == "https" else "http"


def _parts(headers: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in headers.get(name, "").split(",") if part.strip()]


def _is_in(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(address in network for network in networks)


def _address(address: IpAddress, scheme: str, *, is_direct: bool) -> Address:
    return Address(str(address), _bucket(address), scheme, is_direct)


@functools.lru_cache(maxsize=4096)
def _bucket(address: IpAddress) -> str:
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_BUCKET_BITS), strict=False))


@functools.cache
def _warn_of_unknown_proxy() -> None:
    log.warning(
        "requests come through a proxy that VEXAR_TRUSTED_PROXIES does not name: "
        "limits and blocks by address are off"
    )
