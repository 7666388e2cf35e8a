"""What the server fetches for a site reaches public addresses only: a real listener counts who came in."""

from __future__ import annotations

import _socket
import contextlib
import gzip
import ipaddress
import socket
import threading
import time

import pytest

from vexar.outbound.dialing import FetchError, Refused, Unreachable
from vexar.outbound.fetch import Ended, Late
from vexar.outbound.outside import Outside, may_be_asked

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
# {p}: the port of the listener.
FORBIDDEN_URLS = (
    # This machine, in every spelling that leads there.
    "http://127.0.0.1:{p}/", "http://127.0.0.2:{p}/", "http://127.255.255.254:{p}/", "http://127.1:{p}/",
    "http://127.0.1:{p}/", "http://2130706433:{p}/", "http://0x7f000001:{p}/", "http://0x7f.0.0.1:{p}/",
    "http://0x7f.1:{p}/", "http://0177.0.0.1:{p}/", "http://017700000001:{p}/", "http://127.0.0.01:{p}/",
    "http://127.0x0.0.1:{p}/", "http://0:{p}/", "http://0.0.0.0:{p}/", "http://0x0:{p}/", "http://0.0.0.1:{p}/",
    "http://localhost:{p}/", "http://LOCALHOST:{p}/", "http://localhost.:{p}/", "http://%6cocalhost:{p}/",
    "http://127.0.0.1.:{p}/", "http://１２７.０.０.１:{p}/", "http://①②⑦.⓪.⓪.①:{p}/", "http://127。0。0。1:{p}/",
    "http://ⓛocalhost:{p}/", "http://%31%32%37.0.0.1:{p}/", "http://127.0.0.1%00.example:{p}/",
    "http://[::1]:{p}/", "http://[0:0:0:0:0:0:0:1]:{p}/", "http://[::]:{p}/", "http://[::127.0.0.1]:{p}/",
    "http://[::ffff:127.0.0.1]:{p}/", "http://[::ffff:7f00:1]:{p}/", "http://[0:0:0:0:0:ffff:127.0.0.1]:{p}/",
    "http://[::ffff:0:127.0.0.1]:{p}/", "http://[64:ff9b::7f00:1]:{p}/", "http://[64:ff9b::127.0.0.1]:{p}/",
    "http://[64:ff9b:1::7f00:1]:{p}/", "http://[2002:7f00:1::]:{p}/", "http://[2002:7f00:1::1]:{p}/",
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]:{p}/", "http://[fe80::5efe:7f00:1]:{p}/",
    "http://[2a00:1450::5efe:7f00:1]:{p}/", "http://[::1%25lo]:{p}/", "http://[fe80::1%25lo]:{p}/",
    # Networks of somebody's own, and the services of clouds.
    "http://10.0.0.1:{p}/", "http://10.255.255.255:{p}/", "http://172.16.0.1:{p}/", "http://172.31.255.255:{p}/",
    "http://192.168.0.1:{p}/", "http://192.168.255.255:{p}/", "http://100.64.0.1:{p}/", "http://100.100.100.200:{p}/",
    "http://100.127.255.255:{p}/", "http://169.254.169.254:{p}/latest/meta-data/", "http://169.254.0.1:{p}/",
    "http://0xa9fea9fe:{p}/", "http://2852039166:{p}/", "http://[::ffff:169.254.169.254]:{p}/",
    "http://[fd00:ec2::254]:{p}/", "http://168.63.129.16:{p}/", "http://192.0.0.192:{p}/", "http://192.0.0.1:{p}/",
    "http://192.0.2.1:{p}/", "http://192.88.99.1:{p}/", "http://198.18.0.1:{p}/", "http://198.51.100.7:{p}/",
    "http://203.0.113.7:{p}/", "http://224.0.0.1:{p}/", "http://239.255.255.250:{p}/", "http://240.0.0.1:{p}/",
    "http://255.255.255.255:{p}/", "http://[fc00::1]:{p}/", "http://[fd12:3456::1]:{p}/", "http://[fe80::1]:{p}/",
    "http://[fec0::1]:{p}/", "http://[ff02::1]:{p}/", "http://[2001:db8::1]:{p}/", "http://[3fff::1]:{p}/",
    "http://[100::1]:{p}/", "http://[5f00::1]:{p}/",
    # The same in other digits, dots and mixtures; shared and test networks; a machine of this one's network.
    "http://١٢٧.٠.٠.١:{p}/", "http://१२७.०.०.१:{p}/", "http://127．0．0．1:{p}/", "http://127｡0｡0｡1:{p}/",
    "http://0x7F.0.0.0x1:{p}/", "http://0300.0250.0.1:{p}/", "http://3232235521:{p}/", "http://[::a00:1]:{p}/",
    "http://[0:0:0:0:0:ffff:c0a8:1]:{p}/", "http://[::ffff:0a00:0001]:{p}/", "http://[2002:a9fe:a9fe::]:{p}/",
    "http://[64:ff9b::169.254.169.254]:{p}/", "http://[2001:0:7f00:1::]:{p}/", "http://[::ffff:100.64.0.1]:{p}/",
    "http://255.255.255.255.:{p}/", "http://[ff01::1]:{p}/", "http://[ff05::1:3]:{p}/", "http://[2001:10::1]:{p}/",
    # No plain addresses at all.
    "http://public.example@127.0.0.1:{p}/", "http://127.0.0.1:{p}@127.0.0.1:{p}/", "http://a:b@127.0.0.1:{p}/",
    "http://127.0.0.1:{p}\\@public.example/", "http:\\\\127.0.0.1:{p}/", "http:///127.0.0.1:{p}/",
    "http:127.0.0.1:{p}", "//127.0.0.1:{p}/", "ftp://127.0.0.1:{p}/", "file:///etc/hostname",
    "gopher://127.0.0.1:{p}/_GET", "unix://127.0.0.1:{p}/", "HTTP+UNIX://127.0.0.1:{p}/", "http://127.0.0.1 :{p}/",
    "http://127.0.0.1:{p}\r\nHost: x/", "http://\t127.0.0.1:{p}/", "http://[::1:{p}/", "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/", "http://", "",
)  # fmt: skip


class Listener:
    """A server on every address of this machine that counts connections and answers what it is told."""

    def __init__(self) -> None:
        self.count = 0
        self.say = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
        self._socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._socket.accept()
                self.count += 1
                with link, contextlib.suppress(OSError):
                    link.recv(65536)
                    link.sendall(self.say)

    def close(self) -> None:
        # A wait in accept() ends by this, not by close().
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


@pytest.fixture
def outside():
    """With the rules as they are without any setting."""
    made = Outside(connect_timeout_s=2)
    yield made
    made.close()


@pytest.fixture
def at_home():
    """May ask 127.0.0.1 too."""
    made = Outside(LOOPBACK, connect_timeout_s=2)
    yield made
    made.close()


@pytest.fixture
def names(monkeypatch):
    """`names["shop.example"] = ["127.0.0.1", ...]`: what each look-up of a name gives, the last one again and again."""
    known: dict[str, list] = {}
    real = _socket.getaddrinfo

    def look_up(host, port, *rest):
        if host not in known:
            return real(host, port, *rest)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [entry for address in found.split() for entry in real(address, port, *rest)]

    monkeypatch.setattr(_socket, "getaddrinfo", look_up)
    return known


def fetch(outside, url, **options):
    return outside.fetch(url, **{"timeout_s": 5, "max_bytes": 1000, **options})


def test_nothing_that_is_not_public_is_ever_connected(outside, listener):
    reached = []
    for template in FORBIDDEN_URLS:
        with pytest.raises(FetchError):
            fetch(outside, template.format(p=listener.port))
        if listener.count:
            reached.append(template)
            listener.count = 0
    assert (reached, len(FORBIDDEN_URLS) > 100) == ([], True)
    link = socket.create_connection(("127.0.0.1", listener.port))
    link.close()
    deadline = time.monotonic() + 5
    while not listener.count and time.monotonic() < deadline:
        time.sleep(0.005)
    assert listener.count == 1, "the listener counts"


def test_numbers_are_refused_before_a_connection_is_tried(outside):
    plain = [url for url in FORBIDDEN_URLS if url.startswith(("http://1", "http://2"))]
    odd = ("@", "。", "．", "｡", "%", ".:", " ", "\n", "99999", "\\", ":0/")
    for url in [url for url in plain if not any(sign in url for sign in odd)]:
        with pytest.raises(Refused):
            fetch(outside, url.format(p=9))


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("1.1.1.1", True), ("8.8.8.8", True), ("11.0.0.0", True), ("172.15.255.255", True), ("172.32.0.0", True),
        ("192.167.255.255", True), ("192.169.0.0", True), ("100.63.255.255", True), ("100.128.0.0", True),
        ("169.253.255.255", True), ("223.255.255.255", True), ("168.63.129.17", True), ("126.255.255.255", True),
        ("2606:4700::1111", True), ("2a00:1450:4001::1", True), ("2003::1", True), ("64:ff9b::808:808", True),
        ("64:ff9b::a00:1", False), ("64:ff9b::a9fe:a9fe", False), ("::ffff:8.8.8.8", False), ("::8.8.8.8", False),
        ("2002:808:808::1", False), ("4000::1", False), ("1::1", False), ("ff0e::1", False), ("name", False),
    ],
)  # fmt: skip
def test_the_edges_of_what_is_public(address, is_public):
    assert may_be_asked(address) is is_public


def test_the_setting_opens_networks_and_only_those(at_home, listener):
    assert fetch(at_home, f"http://127.0.0.1:{listener.port}/").body == b"ok"
    for host in ("127.0.0.2", "[::1]", "[::ffff:127.0.0.1]"):
        with pytest.raises(Refused):
            fetch(at_home, f"http://{host}:{listener.port}/")
    assert listener.count == 1


def test_a_name_is_looked_up_once_so_it_cannot_change_between_check_and_connect(at_home, listener, names):
    names["rebind.example"] = ["127.0.0.1", "127.0.0.3"]
    with contextlib.suppress(FetchError):
        fetch(at_home, f"http://rebind.example:{listener.port}/")
    assert (listener.count, names["rebind.example"]) == (1, ["127.0.0.3"])
    listener.say = b""
    with pytest.raises(Refused):
        fetch(at_home, f"http://rebind.example:{listener.port}/again")
    assert listener.count == 1


def test_a_public_name_that_turns_private_is_never_connected(outside, listener, names):
    names["rebind.example"] = ["192.0.2.1", "127.0.0.1"]
    names["flips.example"] = ["127.0.0.1", "8.8.8.8"]
    names["both.example"] = ["8.8.8.8 127.0.0.1"]
    for name in ("rebind.example", "rebind.example", "flips.example", "both.example"):
        with pytest.raises(Refused):
            fetch(outside, f"http://{name}:{listener.port}/")
    assert listener.count == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_judged_as_a_new_address(at_home, listener, status):
    forbidden = Listener()
    head = f"HTTP/1.1 {status} Go\r\nLocation: http://127.0.0.2:{forbidden.port}/\r\n"
    listener.say = f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    with pytest.raises(Refused):
        at_home.follow(f"http://127.0.0.1:{listener.port}/", may_go=lambda url: True, timeout_s=5, max_bytes=100)
    assert (listener.count, forbidden.count) == (1, 0)
    forbidden.close()


def test_a_chain_of_redirects_is_judged_at_every_link(at_home, listener):
    """Public in name, allowed at first, forbidden at last: the last one is never connected."""
    forbidden = Listener()
    head = "HTTP/1.1 302 Go\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    targets = [f"http://127.0.0.1:{listener.port}/{hop}" for hop in range(3)]
    for host in ("127.0.0.2", "[::1]", "0.0.0.0", "0x7f000002", "[::ffff:127.0.0.2]", "169.254.169.254", "10.0.0.1"):
        chain = [*targets, f"http://{host}:{forbidden.port}/"]
        says = iter([head.format(target).encode() for target in chain[1:]])
        listener.say = next(says)
        asked: list[str] = []

        def may_go(url, asked=asked, says=says):
            # What the listener says next, before it is asked.
            listener.say = next(says, b"")
            asked.append(url)
            return True

        with pytest.raises(Refused):
            at_home.follow(targets[0], may_go=may_go, timeout_s=5, max_bytes=100)
        assert asked == chain[1:]
    assert forbidden.count == 0
    forbidden.close()


def test_no_proxy_of_the_environment_is_asked(at_home, outside, listener, monkeypatch):
    proxy = Listener()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert fetch(at_home, f"http://127.0.0.1:{listener.port}/").body == b"ok"
    for url in ("http://169.254.169.254/latest/", "https://10.0.0.1/", "http://rebind.invalid/"):
        with pytest.raises(FetchError):
            fetch(outside, url)
    assert (listener.count, proxy.count) == (1, 0)
    proxy.close()


def test_a_redirect_goes_only_where_the_caller_lets_it(at_home, listener):
    listener.say = b"HTTP/1.1 302 Go\r\nLocation: /elsewhere#x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    asked = []
    with pytest.raises(Refused):
        at_home.follow(f"http://127.0.0.1:{listener.port}/", may_go=asked.append, timeout_s=5, max_bytes=100)
    assert asked == [f"http://127.0.0.1:{listener.port}/elsewhere"]
    with pytest.raises(Unreachable, match="too often"):
        at_home.follow(f"http://127.0.0.1:{listener.port}/", may_go=lambda url: True, timeout_s=5, max_bytes=100)
    assert listener.count == 7


def test_a_long_answer_is_cut_and_a_packed_one_counts_unpacked(at_home, listener):
    packed = gzip.compress(b"a" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    listener.say = head % len(packed) + packed
    answer = fetch(at_home, f"http://127.0.0.1:{listener.port}/", max_bytes=1000)
    assert (answer.body, answer.is_cut) == (b"a" * 1000, True)


def test_a_server_that_says_nothing_is_given_up_at_the_deadline(at_home):
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Late):
        fetch(at_home, f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=0.1)


def test_a_call_can_be_ended_from_another_thread(at_home):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(Ended):
            fetch(at_home, url, timeout_s=30, watch=lambda call: threading.Timer(0.1, call.cancel).start())


def test_dead_names_do_not_hold_up_who_looks_elsewhere(outside, monkeypatch):
    """More of them than there are threads: the deadline is kept, and other sessions have threads of their own."""
    real, gate = _socket.getaddrinfo, threading.Event()

    def look_up(host, *rest):
        if host == "dead.example":
            gate.wait(20)
        return real(host, *rest)

    monkeypatch.setattr(_socket, "getaddrinfo", look_up)
    failures = []

    def ask() -> None:
        with pytest.raises(FetchError):
            fetch(outside, "http://dead.example/", timeout_s=0.3)
        failures.append(1)

    waiting = [threading.Thread(target=ask) for _ in range(12)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(10)
    other = Outside((*LOOPBACK, ipaddress.ip_network("::1")))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Late):
        fetch(other, f"http://localhost:{silent.getsockname()[1]}/", timeout_s=1)
    gate.set()
    other.close()
    assert len(failures) == 12
