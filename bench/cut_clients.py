"""npm's SSE clients in front of connections that are cut at every byte: exact text, one message, one model call.

Needs node and npm (`npm ci` into a temporary folder, versions pinned in bench/clients). Prints a table and exits
with 1 when a client ended with anything else; 0 with a sentence where npm is missing.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest import add_site  # noqa: E402
from tests.cutting_proxy import CuttingProxy  # noqa: E402
from tests.services import Server  # noqa: E402
from tests.upstream import Upstream  # noqa: E402
from vexar.store import open_store  # noqa: E402

CLIENTS = Path(__file__).resolve().parent / "clients"
FILES = ("package.json", "package-lock.json", "cut.mjs")
TOKENS = ["Grü", "ße \U0001f600", "e\u0301 日", "本."]
TEXTS = ["Schöne Grüße?", "".join(TOKENS)]
# A reconnecting client waits 1 to 3 s; more than a handful of waits means that it will never end.
TIMEOUT_MS = 20_000
# It takes an id over at the end of its line, a byte before it hands the event out: no server can mend a cut there.
# Told, not judged; a page that names the last event it was handed itself has to be exact.
FORGETFUL = "fetch-event-source"
NAMES = ("eventsource after POST", "eventsource", "eventsource-client", "fetch-event-source, own id", FORGETFUL)


class Bench:
    """A server, its upstream and a proxy, and the clients in a folder of their own."""

    def __init__(self, folder: Path, server: Server, upstream: Upstream, proxy: CuttingProxy) -> None:
        self._folder, self._server, self._upstream, self._proxy = folder, server, upstream, proxy
        self._sessions = 0

    def run(self, client: str, *, is_running: bool) -> bool:
        """Every cut with one client; prints its line. `is_running`: each cut meets an answer in the making."""
        self._upstream.delay_s = 0.003 if is_running else 0
        first = self._new_body()
        whole = self._ask(first)
        asked = self._upstream.count
        cuts = []
        for count in range(len(whole) + 1):
            body = self._new_body() if is_running else first
            url = self._proxy.cut_after(count)
            cuts.append({"count": count, "url": url, "whole": self._server.url, "body": body})
        results = self._read(client, cuts)
        for cut in cuts:
            self._proxy.shut(cut["url"])
        return self._judge(client, cuts, results, calls=self._upstream.count - asked, is_running=is_running)

    def _judge(self, client: str, cuts: list[dict], results: list[dict], *, calls: int, is_running: bool) -> bool:
        wrong = sorted(one["count"] for one in results if one["text"] != TEXTS[1] or not one["meta"])
        sessions = {cut["body"]["session_id"] for cut in cuts}
        doubled = sum(self._texts(session_id) != TEXTS for session_id in sessions)
        again = sum(one["connections"] > 1 for one in results)
        print(f"{client:<27} {'running' if is_running else 'stored':<8} {len(cuts):>5} {again:>10} "
              f"{len(results) - len(wrong):>5} {doubled:>7} {calls:>5}", flush=True)  # fmt: skip
        if wrong:
            print(f"    not exact after {', '.join(map(str, wrong))} bytes", flush=True)
        is_exact = not wrong or client == FORGETFUL
        return is_exact and not doubled and calls == (len(cuts) if is_running else 0)

    def _new_body(self) -> dict:
        self._sessions += 1
        return {
            "site_key": "sk_demo", "session_id": f"s{self._sessions}", "message": TEXTS[0], "message_id": "m1",
        }  # fmt: skip

    def _ask(self, body: dict) -> bytes:
        data = json.dumps(body).encode()
        head = (
            "POST /api/v1/chat/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self._server.port)) as link, link.makefile("rb") as reader:
            link.sendall(head.encode() + data)
            # Not `Connection: close`, which would change the headers; the server ends after this request all the same.
            link.shutdown(socket.SHUT_WR)
            return reader.read()

    def _texts(self, session_id: str) -> list[str]:
        answer = self._server.get(f"/api/v1/chat/history?site_key=sk_demo&session_id={session_id}")[1]
        return [row["content"] for row in json.loads(answer)["messages"]]

    def _read(self, client: str, cuts: list[dict]) -> list[dict]:
        order = json.dumps({"client": client, "timeout_ms": TIMEOUT_MS, "cuts": cuts})
        done = subprocess.run(
            ["node", "cut.mjs"], cwd=self._folder, input=order, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def bench() -> Iterator[Bench]:
    """Everything that is needed, in temporary folders."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vexar-clients-")))
        for name in FILES:
            shutil.copy(CLIENTS / name, folder)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(npm, cwd=folder, check=True, stdin=subprocess.DEVNULL)
        upstream = stack.enter_context(Upstream())
        upstream.always = TOKENS
        url = f"sqlite:///{folder}/vexar.db"
        with closing(open_store(url)) as store:
            add_site(store)
        env = {"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"}
        server = Server(folder / "server", env=env, database_url=url)
        stack.callback(server.kill)
        yield Bench(folder, server, upstream, stack.enter_context(CuttingProxy(server.port)))


def main() -> None:
    """The command."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("skipped: needs node and npm")
        return
    with bench() as running:
        print(f"{'client':<27} {'answer':<8} {'cuts':>5} {'asked again':>10} {'exact':>5} {'doubled':>7} {'calls':>5}")
        kept = [running.run(client, is_running=is_running) for client in NAMES for is_running in (False, True)]
    print("kept" if all(kept) else "BROKEN")
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
