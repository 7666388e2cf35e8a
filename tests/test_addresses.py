"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

import logging
from ipaddress import ip_network

import pytest
from werkzeug.datastructures import Headers

from vexar import addresses
from vexar.addresses import client_address, matches

PROXIES = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1"), ip_network("2001:db8:ffff::/48"))
PUBLIC = "8.8.8.8"


def ask(peer, forwarded=None, proto=None, trusted=PROXIES, **more):
    headers = Headers({name.replace("_", "-"): value for name, value in more.items()})
    if forwarded is not None:
        headers["x-forwarded-for"] = forwarded
    if proto is not None:
        headers["x-forwarded-proto"] = proto
    return client_address(peer, headers, trusted)


def test_without_a_proxy_the_peer_is_the_visitor():
    address = ask(PUBLIC)
    assert address == (PUBLIC, PUBLIC, "http", True)
    assert not address.is_local


def test_a_visitor_on_the_internet_cannot_choose_an_address_or_a_scheme():
    assert ask(PUBLIC, "1.2.3.4", "https") == (PUBLIC, PUBLIC, "http", True)


def test_a_trusted_proxy_is_believed():
    assert ask("10.0.0.1", "1.2.3.4", "https") == ("1.2.3.4", "1.2.3.4", "https", False)


def test_what_the_visitor_wrote_left_of_the_proxies_does_not_count():
    assert ask("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2").text == "1.2.3.4"


def test_a_chain_of_trusted_proxies_only_ends_at_its_first():
    assert ask("10.0.0.1", "10.9.9.9, 10.0.0.2").text == "10.9.9.9"


def test_the_scheme_is_the_one_the_outermost_trusted_proxy_saw():
    assert ask("10.0.0.1", "1.2.3.4, 10.0.0.2", "https, http").scheme == "https"
    assert ask("10.0.0.1", "1.2.3.4", "https, http").scheme == "http"
    assert ask("10.0.0.1", "1.2.3.4", "HTTPS").scheme == "https"
    assert ask("10.0.0.1", "1.2.3.4", "gopher").scheme == "http"
    assert ask("10.0.0.1", proto="https").scheme == "https"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.2", "100.64.0.3", "fd00::1", "", None])
def test_behind_an_unknown_proxy_the_address_is_unknown(peer):
    assert ask(peer, "1.2.3.4", "https", trusted=()) == (None, None, "http", False)


@pytest.mark.parametrize("name", ["X-Real-IP", "Forwarded", "X-Forwarded-Host", "Via"])
def test_any_forwarding_header_shows_a_proxy(name):
    address = ask("127.0.0.1", trusted=(), **{name: "1.2.3.4"})
    assert address.text is None
    assert not address.is_direct


def test_an_unknown_proxy_is_logged_once(caplog):
    addresses._warn_of_unknown_proxy.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            ask("127.0.0.1", "1.2.3.4", trusted=())
    assert len(caplog.records) == 1
    assert "VEXAR_TRUSTED_PROXIES" in caplog.text
    assert "1.2.3.4" not in caplog.text


def test_a_unix_socket_counts_as_a_proxy_on_this_machine():
    assert ask("", "1.2.3.4", "https") == ("1.2.3.4", "1.2.3.4", "https", False)
    assert ask("") == (None, None, "http", False)
    assert not ask(None).is_local


def test_only_a_direct_request_of_this_machine_is_local():
    assert ask("127.0.0.1").is_local
    assert ask("::1").is_local
    assert not ask("127.0.0.1", "127.0.0.1").is_local
    assert not ask("10.0.0.1").is_local


def test_ipv6_visitors_share_a_bucket_by_their_64():
    one, two = ask("2001:db8:1:2::3"), ask("2001:db8:1:2:ffff::9")
    assert one.text == "2001:db8:1:2::3"
    assert one.bucket == two.bucket == "2001:db8:1:2::/64"
    assert ask("2001:db8:1:3::3").bucket != one.bucket


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_addresses_are_normalised(written, read):
    assert ask("10.0.0.1", written).text == read
    assert ask("::ffff:10.0.0.1", written).text == read


@pytest.mark.parametrize(
    "nonsense",
    ["unknown", "_hidden", "", ",,,", "1.2.3", "1.2.3.4.5", "999.1.1.1", "1.2.3.4:port", "[::1", "\x00", "a" * 9000,
     "01.2.3.4", "1.2.3.4/8", "::ffff:999.1.1.1", "٣.٣.٣.٣", "🦊"],
)
def test_nonsense_counts_as_the_last_proxy_that_is_known(nonsense):
    assert ask("10.0.0.1", nonsense).text == "10.0.0.1"
    assert ask("10.0.0.1", f"{nonsense}, 1.2.3.4").text == "1.2.3.4"
    assert ask("10.0.0.1", f"{nonsense}, 10.0.0.2").text == "10.0.0.2"


def test_blocks_match_networks_and_single_addresses():
    assert matches("1.2.3.4", "1.2.3.0/24")
    assert matches("1.2.3.4", "1.2.3.4")
    assert matches("1.2.3.4", "1.2.3.9/24")
    assert matches("::ffff:1.2.3.4", "1.2.3.4/32")
    assert matches("2001:db8::7", "2001:db8::/32")
    assert not matches("1.2.4.4", "1.2.3.0/24")
    assert not matches("2001:db8::7", "1.2.3.0/24")


@pytest.mark.parametrize(("address", "cidr"), [(None, "0.0.0.0/0"), ("", "0.0.0.0/0"), ("x", "::/0"), ("1.2.3.4", "x"),
                                               ("1.2.3.4", ""), ("1.2.3.4", "1.2.3.4/33")])
def test_what_cannot_be_read_matches_nothing(address, cidr):
    assert not matches(address, cidr)
