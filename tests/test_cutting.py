"""Connections cut at every byte: ordinary clients of a stream end with the exact text, one message, one model call."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import httpx_sse
import pytest
import requests
import sseclient

from tests.cutting_proxy import CuttingProxy
from tests.services import Server
from vexar.events import Event, chunk
from vexar.sse import HEADERS as HEADERS_OF_A_STREAM
from vexar.sse import Relay

TOKENS = ["Grü", "ße \U0001f600", "e\u0301 日", "本."]
ANSWER = "".join(TOKENS)
BROKEN = (httpx.TransportError, requests.RequestException)
HEADERS = {"Accept": "text/event-stream"}
# Each reads one connection: (client, url, body, last event id) -> (data, id or None) of each event.
Reader = Callable[[httpx.Client, str, dict, str], Iterator[tuple[str, str | None]]]


def read_with_httpx_sse(client: httpx.Client, url: str, body: dict, last: str) -> Iterator[tuple[str, str | None]]:
    headers = {"Last-Event-ID": last} if last else {}
    with httpx_sse.connect_sse(client, "POST", url, json=body, headers=headers) as source:
        for event in source.iter_sse():
            yield event.data, event.id


def read_with_sseclient(client: httpx.Client, url: str, body: dict, last: str) -> Iterator[tuple[str, str | None]]:
    headers = {**HEADERS, "Last-Event-ID": last} if last else HEADERS
    with requests.post(url, json=body, headers=headers, stream=True, timeout=30) as response:
        assert response.status_code == 200
        for event in sseclient.SSEClient(response).events():
            yield event.data, event.id


def read_blank_lines(client: httpx.Client, url: str, body: dict, last: str) -> Iterator[tuple[str, str | None]]:
    """Knows nothing of ids, comments and fields, and so of resuming."""
    with client.stream("POST", url, json=body) as response:
        assert response.status_code == 200
        buffer = ""
        for text in response.iter_text():
            *blocks, buffer = (buffer + text).split("\n\n")
            for block in blocks:
                yield block[len("data: "):], None


READERS = [read_with_httpx_sse, read_with_sseclient, read_blank_lines]


@dataclass
class Seen:
    """What a client ended with, and on which connection."""

    text: str
    meta: dict
    connections: int


def ask(read: Reader, url: str, body: dict, client: httpx.Client) -> Seen:
    """Send a message, again after every broken connection, until `done`."""
    text = last = ""
    for connection in itertools.count(1):
        assert connection < 5, "the proxy cuts only once"
        if not last:
            text = ""
        try:
            for data, event_id in read(client, f"{url}/api/v1/chat/stream", body, last):
                last = event_id or last
                event = json.loads(data)
                text = "" if event["type"] == "reset" else text + event.get("content", "")
                if event["type"] == "done":
                    return Seen(text, event["meta"], connection)
        except BROKEN:
            pass
    raise AssertionError("unreachable")


def message(session_id: str) -> dict:
    return {"site_key": "sk_demo", "session_id": session_id, "message": "Schöne Grüße?", "message_id": "m1"}


def history(server: Server, session_id: str) -> list[dict]:
    return json.loads(server.get(f"/api/v1/chat/history?site_key=sk_demo&session_id={session_id}")[1])["messages"]


def answer_bytes(server: Server, body: dict) -> bytes:
    """The whole answer on the wire: headers, framing and events."""
    data = json.dumps(body).encode()
    head = (
        "POST /api/v1/chat/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as link, link.makefile("rb") as reader:
        link.sendall(head.encode() + data)
        return reader.read()


@pytest.fixture
def server(boot, upstream) -> Server:
    """One worker in front of an upstream that pauses between its tokens."""
    upstream.always, upstream.delay_s = TOKENS, 0.003
    return boot(env={"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"})


@pytest.fixture(params=READERS, ids=lambda read: read.__name__)
def read(request) -> Reader:
    """Each client in turn."""
    return request.param


@pytest.mark.servers
def test_a_stored_answer_cut_at_every_byte_ends_with_the_exact_text_one_message_and_one_model_call(
    server, upstream, read
):
    whole = answer_bytes(server, message("ann"))
    connections = set()
    with CuttingProxy(server.port) as proxy, httpx.Client(timeout=30) as client:
        for count in range(len(whole) + 1):
            url = proxy.cut_after(count)
            seen = ask(read, url, message("ann"), client)
            proxy.shut(url)
            assert (seen.text, seen.meta["reply_id"]) == (ANSWER, 2), f"cut after {count} bytes"
            connections.add(seen.connections)
    assert connections == {1, 2}
    assert [row["content"] for row in history(server, "ann")] == ["Schöne Grüße?", ANSWER]
    assert upstream.count == 1


@pytest.mark.servers
def test_a_running_answer_cut_at_every_byte_ends_with_the_exact_text_one_message_and_one_model_call(
    server, upstream, read
):
    whole = answer_bytes(server, message("ann"))
    # The last one is not cut: later answers are longer, by the digits of their ids.
    counts = [*range(whole.index(b"\r\n\r\n") + 2, len(whole) + 1), 2 * len(whole)]
    with CuttingProxy(server.port, is_reset=True) as proxy, httpx.Client(timeout=30) as client:
        def cut(count: int) -> Seen:
            return ask(read, proxy.cut_after(count), message(f"s{count}"), client)

        with ThreadPoolExecutor(8) as pool:
            answers = dict(zip(counts, pool.map(cut, counts), strict=True))
    assert {count: seen.text for count, seen in answers.items() if seen.text != ANSWER} == {}
    assert {seen.connections for seen in answers.values()} == {1, 2}
    assert upstream.count == 1 + len(counts)
    for count in counts:
        assert [row["content"] for row in history(server, f"s{count}")] == ["Schöne Grüße?", ANSWER]


class Scripted:
    """A source with these batches of events, one a call."""

    def __init__(self, *batches: list[Event]) -> None:
        self.batches = list(batches)

    def next(self, timeout_s: float) -> list[Event] | None:
        return self.batches.pop(0) if self.batches else None

    def close(self) -> None:
        pass


def test_no_comment_looks_like_an_event_to_a_client_that_takes_every_blank_line_for_one():
    """httpx-sse does once it holds an id, @microsoft/fetch-event-source always."""
    relay = Relay(Scripted([chunk("a", "r1-1")], [], [chunk("b", "r1-2")]), with_ids=True, heartbeat_s=0)
    response = httpx.Response(200, headers=HEADERS_OF_A_STREAM, content=b"".join(relay))
    assert [json.loads(event.data)["content"] for event in httpx_sse.EventSource(response).iter_sse()] == ["a", "b"]
    assert response.content.count(b"\n\n") == 2
    assert response.content.count(b":\n") == 2, "one at once, one in the silence"
