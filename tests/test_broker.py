"""Doorbells: what every broker promises, in one process, between two processes of a machine, and through Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing

import pytest

from tests.services import ROOT, wait_until
from tests.wire import all_at_once
from vexar.broker import MAX_NOTES, Broker

# The other process: rings what stdin says, and tells on stdout what it heard on "there".
OTHER = """
import json, sys, threading
from pathlib import Path
from vexar.broker import Broker

folder, redis_url = sys.argv[1], sys.argv[2]
broker = Broker(folder=Path(folder) if folder else None, redis_url=redis_url)
bell = broker.listen("there")
def tell():
    while bell.wait(60):
        print(json.dumps(["rung", bell.notes()]), flush=True)
threading.Thread(target=tell, daemon=True).start()
print(json.dumps(["ready", []]), flush=True)
for line in sys.stdin:
    channel, note = json.loads(line)
    broker.ring(channel, note)
broker.close()
"""


class Other:
    """Another process with a broker of its own."""

    def __init__(self, folder: str, redis_url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER, folder, redis_url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )
        assert self.heard() == ["ready", []]

    def ring(self, channel: str, note: dict | None = None) -> None:
        self.process.stdin.write(json.dumps([channel, note]) + "\n")
        self.process.stdin.flush()

    def heard(self) -> list:
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


class Same:
    """The same process, with the same words."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.bell = broker.listen("there")

    def ring(self, channel: str, note: dict | None = None) -> None:
        self.broker.ring(channel, note)

    def heard(self) -> list:
        assert self.bell.wait(10)
        return ["rung", self.bell.notes()]

    def close(self) -> None:
        self.bell.close()


@pytest.fixture(params=["in-process", "datagram", pytest.param("redis", marks=pytest.mark.servers)])
def pair(request, tmp_path):
    """A broker, and who rings and listens at the other end."""
    kind = request.param
    folder = tmp_path / "doorbells" if kind == "datagram" else None
    redis_url = request.getfixturevalue("redis_url") if kind == "redis" else ""
    with closing(Broker(folder=folder, redis_url=redis_url)) as broker:
        other = Same(broker) if kind == "in-process" else Other(str(folder or ""), redis_url)
        if kind == "redis":
            meet(broker, other)
        with closing(other):
            yield broker, other


def meet(broker: Broker, other: Other) -> None:
    """Redis subscribes in the background: ring until the first one is heard at both ends."""
    with closing(broker.listen("hello")) as bell:
        wait_until(lambda: other.ring("hello") or bell.wait(0.1), "the first ring from there")
    heard = threading.Thread(target=other.heard)
    heard.start()
    wait_until(lambda: broker.ring("there", {"n": 0}) or not heard.is_alive(), "the first ring from here")
    time.sleep(0.2)
    # What was rung more than once arrives in one or several pieces; an end mark closes them.
    broker.ring("there", {"n": "met"})
    while {"n": "met"} not in other.heard()[1]:
        pass


class TestEveryBroker:
    """The contract."""

    def test_a_ring_wakes_who_listens(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell:
            other.ring("here")
            assert bell.wait(10)
        broker.ring("there")
        assert other.heard() == ["rung", []]

    def test_a_ring_is_heard_once(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell:
            other.ring("here")
            assert bell.wait(10)
            assert not bell.wait(0.02)

    def test_a_ring_before_the_wait_counts(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell, closing(broker.listen("last")) as last:
            other.ring("here")
            other.ring("last")
            assert last.wait(10)
            assert bell.wait(0)

    def test_nobody_hears_other_channels(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell, closing(broker.listen("elsewhere", "somewhere")) as deaf:
            other.ring("here")
            assert bell.wait(10)
            assert not deaf.wait(0)

    def test_one_bell_hears_several_channels_and_several_bells_one(self, pair):
        broker, other = pair
        with closing(broker.listen("a", "b")) as both, closing(broker.listen("b")) as second:
            other.ring("a")
            assert both.wait(10)
            other.ring("b")
            assert both.wait(10)
            assert second.wait(10)

    def test_notes_come_with_the_ring_in_order(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell, closing(broker.listen("last")) as last:
            for number in range(3):
                other.ring("here", {"n": number, "text": "größer"})
            other.ring("last")
            assert last.wait(10)
            assert bell.notes() == [{"n": number, "text": "größer"} for number in range(3)]
            assert bell.notes() == []

    def test_watchers_see_every_note(self, pair):
        broker, other = pair
        seen = []
        broker.watch_notes(lambda channel, note: seen.append((channel, note)))
        other.ring("here")
        other.ring("here", {"typing": True})
        assert wait_until(lambda: seen, "the note") == [("here", {"typing": True})]

    def test_a_reader_that_does_not_come_costs_little(self, pair):
        broker, other = pair
        with closing(broker.listen("here")) as bell, closing(broker.listen("last")) as last:
            for number in range(100):
                broker.ring("here", {"n": number})
            other.ring("last")
            assert last.wait(10)
            assert len(bell.notes()) == MAX_NOTES

    def test_a_closed_bell_is_forgotten(self, pair):
        broker, _ = pair
        before = broker.listeners()
        bells = [broker.listen("here", "there") for _ in range(10)]
        assert broker.listeners() == before + 20
        for bell in bells:
            bell.close()
        assert broker.listeners() == before

    def test_a_note_that_is_too_long_still_rings(self, pair):
        broker, _ = pair
        with closing(broker.listen("here")) as bell:
            broker.ring("here", {"text": "x" * 100_000})
            assert bell.wait(10)

    def test_a_ring_of_the_moment_a_wait_ends_is_not_lost(self, pair):
        broker, _ = pair
        with closing(broker.listen("here")) as bell:
            stop = threading.Event()
            ringing = threading.Thread(target=lambda: [broker.ring("here") for _ in iter(stop.is_set, True)])
            ringing.start()
            for _ in range(50):
                bell.wait(0.0001)
            stop.set()
            ringing.join()
            broker.ring("here")
            assert bell.wait(0)


def test_bells_come_and_go_while_others_ring():
    broker = Broker()

    def come_and_go() -> None:
        for _ in range(300):
            with closing(broker.listen("here")) as bell:
                broker.ring("here")
                assert bell.wait(0)

    all_at_once([come_and_go] * 4)
    assert broker.listeners() == 0


def test_who_was_killed_is_forgotten_and_who_is_busy_is_not(tmp_path):
    with closing(Broker(folder=tmp_path)) as broker:
        killed = Other(str(tmp_path), "")
        assert len(list(tmp_path.iterdir())) == 2
        killed.process.kill()
        killed.process.wait()
        broker.ring("here")
        assert len(list(tmp_path.iterdir())) == 1
        killed.process.stdin.close()
        killed.process.stdout.close()


def test_a_full_queue_neither_blocks_nor_cuts_off_the_other_process(tmp_path):
    with closing(Broker(folder=tmp_path)) as broker, closing(Other(str(tmp_path), "")) as other:
        os.kill(other.process.pid, 19)
        try:
            for number in range(5_000):
                broker.ring("there", {"n": number})
        finally:
            os.kill(other.process.pid, 18)
        broker.ring("there", {"n": "last"})
        heard = []
        while {"n": "last"} not in heard:
            heard += other.heard()[1]
            broker.ring("there", {"n": "last"})
        assert len(list(tmp_path.iterdir())) == 2


def test_nonsense_on_the_doorbell_does_not_silence_it(tmp_path, caplog):
    import socket

    with closing(Broker(folder=tmp_path)) as broker, closing(broker.listen("here")) as bell:
        (path,) = tmp_path.iterdir()
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender:
            for data in (b"[", b"7", b"[1]", b'["here", null, 3]', b'["here", null]'):
                sender.sendto(data, str(path))
        assert bell.wait(10)
    assert "could not be read" in caplog.text


def test_a_data_folder_with_a_long_name_works(tmp_path):
    folder = tmp_path / ("x" * 120) / "doorbells"
    with closing(Broker(folder=folder)) as broker, closing(Other(str(folder), "")) as other, \
            closing(broker.listen("here")) as bell:  # fmt: skip
        other.ring("here")
        assert bell.wait(10)


def test_a_link_that_a_folder_with_a_long_name_left_behind_is_no_hindrance(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / ("x" * 100)
    Broker(folder=folder).close()
    (link,) = [entry for entry in tmp_path.iterdir() if entry.is_symlink()]
    link.unlink()
    link.symlink_to(tmp_path / "gone")
    with closing(Broker(folder=folder)) as one, closing(Broker(folder=folder)) as two:
        bell = two.listen("there")
        one.ring("there")
        assert bell.wait(10)
    assert [entry for entry in tmp_path.iterdir() if entry.is_symlink()] == [link]


def test_a_closed_broker_leaves_no_socket_behind(tmp_path):
    Broker(folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.servers
def test_redis_may_go_and_come_back(redis_server, caplog):
    redis_server.flush()
    with closing(Broker(redis_url=redis_server.url)) as broker, closing(Other("", redis_server.url)) as other:
        meet(broker, other)
        assert not broker.degraded
        redis_server.kill()
        try:
            wait_until(lambda: broker.degraded, "the broker to notice")
            with closing(broker.listen("here")) as bell:
                begun = time.monotonic()
                for _ in range(100):
                    broker.ring("here")
                assert bell.wait(0)
                assert time.monotonic() - begun < 5
        finally:
            redis_server.start()
        wait_until(lambda: not broker.degraded, "the broker to come back")
        meet(broker, other)
    assert caplog.text.count("Redis is away") == 1
