"""The delay that Vexar adds to a token on its way from the upstream to the visitor.

The upstream writes the time into every token; a reader notes when it sees it. The same reader on the upstream
itself is the baseline, in turns; with a chunked upstream and one that frames by closing. Aim: p50 at most 2 ms more.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import socket
import statistics
import sys
import time

from _serve import Served, add_demo_site

TOKENS = 60
PAUSE_S = 0.02
ROUNDS = 5
AIM_MS = 2.0
STAMP = re.compile(rb"t(\d{10,})")


def main() -> int:
    """Measure both framings; 0 when both are within the aim."""
    listener = socket.create_server(("127.0.0.1", 0))
    upstream = multiprocessing.Process(target=_serve_upstream, args=(listener,), daemon=True)
    upstream.start()
    port = listener.getsockname()[1]
    print(f"{'framing':10} {'direct p50 ms':>14} {'vexar p50 ms':>14} {'added p50 ms':>14} {'added p99 ms':>14}")
    is_reached = True
    try:
        for framing in ("chunked", "close"):
            is_reached &= _measure(framing, port)
    finally:
        upstream.terminate()
        upstream.join()
    print(f"aim: added p50 at most {AIM_MS} ms")
    return 0 if is_reached else 1


def _measure(framing: str, port: int) -> bool:
    direct: list[float] = []
    relayed: list[float] = []
    with Served("wsgi:app", VEXAR_AI_BASE_URL=f"http://127.0.0.1:{port}/{framing}/v1", VEXAR_AI_MODEL="bench") as vexar:
        add_demo_site(vexar)
        for number in range(ROUNDS):
            direct += _read(port, f"/{framing}/v1/chat/completions", {"stream": True})
            relayed += _read(vexar.port, "/api/v1/chat/stream", {
                "site_key": "sk_demo", "session_id": f"bench-{framing}", "message": "question",
                "message_id": f"m{number}",
            })
    p50 = [statistics.median(values) for values in (direct, relayed)]
    p99 = [statistics.quantiles(values, n=100)[98] for values in (direct, relayed)]
    print(f"{framing:10} {p50[0]:14.2f} {p50[1]:14.2f} {p50[1] - p50[0]:14.2f} {p99[1] - p99[0]:14.2f}")
    return p50[1] - p50[0] <= AIM_MS and len(relayed) == ROUNDS * TOKENS


def _read(port: int, path: str, body: dict) -> list[float]:
    """Milliseconds from writing each token to seeing it."""
    data = json.dumps(body).encode()
    delays = []
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 30)) as sock:
        sock.sendall(
            b"POST %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (path.encode(), len(data), data)
        )
        while part := sock.recv(65536):
            now_ns = time.monotonic_ns()
            delays += [(now_ns - int(stamp)) / 1e6 for stamp in STAMP.findall(part)]
    return delays


def _serve_upstream(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            with contextlib.suppress(OSError):
                while _answer(sock):
                    pass
            os._exit(0)
        sock.close()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(sock: socket.socket) -> bool:
    """Read one request and stream the tokens; whether the connection can take another one."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = sock.recv(65536)
        if not part:
            return False
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
    while len(body) < length:
        body += sock.recv(65536)
    is_chunked = b" /chunked/" in head
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Connection: close"
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + framing + b"\r\n\r\n")
    for _ in range(TOKENS):
        time.sleep(PAUSE_S)
        delta = {"choices": [{"index": 0, "delta": {"content": f"t{time.monotonic_ns()} "}, "finish_reason": None}]}
        _send(sock, b"data: " + json.dumps(delta).encode() + b"\n\n", is_chunked)
    _send(sock, b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n', is_chunked)
    if is_chunked:
        sock.sendall(b"0\r\n\r\n")
    else:
        sock.close()
    return is_chunked and b"connection: close" not in head.lower()


def _send(sock: socket.socket, data: bytes, is_chunked: bool) -> None:
    sock.sendall(b"%x\r\n%s\r\n" % (len(data), data) if is_chunked else data)


if __name__ == "__main__":
    sys.exit(main())
