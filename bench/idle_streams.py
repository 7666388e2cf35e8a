"""Memory of an idle `chat/events` stream at 2,000 open streams, next to the smallest gevent stream of gunicorn.

Aim: at most 25 KB a stream.
"""

from __future__ import annotations

import resource
import socket
import sys
import time

from _serve import Served, add_demo_site

STREAMS = 2_000
SETTLE_S = 2.0
AIM_KB = 25.0


def main() -> int:
    """Open the streams on both servers; 0 when the aim is reached."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Served("bench._idle:app") as bare:
        least = _per_stream(bare, "/")
    with Served("wsgi:app") as vexar:
        add_demo_site(vexar)
        ours = _per_stream(vexar, "/api/v1/chat/events?site_key=sk_demo&session_id=bench-{number}")
    print(f"{'server':10} {'KB per idle stream at ' + str(STREAMS):>32}")
    print(f"{'bare':10} {least:32.1f}")
    print(f"{'vexar':10} {ours:32.1f}")
    print(f"ratio {ours / least:.2f}; aim: at most {AIM_KB:.0f} KB")
    return 0 if ours <= AIM_KB else 1


def _per_stream(served: Served, path: str) -> float:
    warm = [_open(served, path.format(number=-number)) for number in range(1, 101)]
    time.sleep(SETTLE_S)
    before = served.rss_bytes()
    streams = [_open(served, path.format(number=number)) for number in range(STREAMS)]
    time.sleep(SETTLE_S)
    used = served.rss_bytes() - before
    for sock in warm + streams:
        sock.close()
    return used / STREAMS / 1024


def _open(served: Served, path: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", served.port), 30)
    sock.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n" % path.encode())
    if b" 200 " not in sock.recv(4096):
        raise SystemExit(f"{path} was refused")
    return sock


if __name__ == "__main__":
    sys.exit(main())
