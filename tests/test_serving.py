"""The real server: how it ends, is reloaded and started again, and what it tells about the machine."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.services import ROOT, Server, end, free_port, start, wait_until

pytestmark = pytest.mark.servers
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]


@pytest.fixture
def gate(upstream) -> threading.Event:
    """Every answer of the upstream stops after its first word until this is set."""
    opened = threading.Event()

    def answer(wire, body) -> None:
        wire.head()
        wire.token("one")
        opened.wait(30)
        wire.token(" two")
        wire.done()

    upstream.always = answer
    yield opened
    opened.set()


@pytest.fixture
def server(boot, upstream, gate) -> Server:
    """One worker in front of the upstream."""
    return boot(env={"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"})


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)


def ask(link: http.client.HTTPConnection, message_id: str = "m1") -> http.client.HTTPResponse:
    """Send a message; the open stream."""
    body = {"site_key": "sk_demo", "session_id": "ann", "message": "Do you ship?", "message_id": message_id}
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    link.request("POST", "/api/v1/chat/stream", json.dumps(body), headers)
    answer = link.getresponse()
    assert answer.status == 200
    return answer


def read_until(answer: http.client.HTTPResponse, word: bytes) -> bytes:
    """Read whole lines until one holds the word."""
    seen = b""
    while word not in seen:
        line = answer.readline()
        assert line, f"the stream ended without {word!r}: {seen!r}"
        seen += line
    return seen


def events(text: bytes) -> list[dict]:
    """The events of a stream, each with its id (None without)."""
    found = []
    for block in text.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in lines:
            found.append({**json.loads(lines["data"]), "id": lines.get("id")})
    return found


def test_idle_connections_do_not_delay_the_end(boot):
    server = boot()
    links = [connect(server) for _ in range(3)]
    for link in links[:2]:
        link.request("GET", "/healthz")
        link.getresponse().read()
    links[2].connect()
    # Far below graceful_timeout, after which gunicorn would have cut them.
    assert server.terminate(timeout_s=8) == 0
    for link in links:
        link.close()


def test_idle_connections_are_closed_before_a_request_that_is_still_on_its_way(boot):
    server = boot()
    with closing(connect(server)) as idle, closing(connect(server)) as slow:
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        body = json.dumps({"site_key": "sk_demo", "session_id": "ann", "score": 5}).encode()
        slow.putrequest("POST", "/api/v1/chat/rate")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders(body[:10])
        server.process.terminate()
        assert idle.sock.recv(1) == b""
        slow.send(body[10:])
        assert json.loads(slow.getresponse().read())["success"] is False
    assert server.process.wait(10) == 0


def test_a_running_answer_is_finished_before_the_end(server, gate):
    with closing(connect(server)) as link:
        stream = ask(link)
        seen = read_until(stream, b"one")
        server.process.terminate()
        wait_until(lambda: server.get("/api/v1/chat/config?site_key=sk_demo")[0] == 503, "the draining to begin", 10)
        gate.set()
        seen += stream.read()
    done = events(seen)[-1]
    assert (done["type"], done["meta"]["finish_reason"]) == ("done", "stop")
    assert done["id"].endswith("-end")
    assert server.process.wait(10) == 0


def test_new_work_is_refused_while_answers_end(server, gate):
    with closing(connect(server)) as running, closing(connect(server)) as kept:
        kept.request("GET", "/healthz")
        kept.getresponse().read()
        read_until(ask(running), b"one")
        server.process.terminate()
        wait_until(lambda: server.get("/api/v1/chat/config?site_key=sk_demo")[0] == 503, "the draining to begin", 10)
        kept.request("GET", "/api/v1/chat/config?site_key=sk_demo")
        refused = kept.getresponse()
        body = json.loads(refused.read())
        gate.set()
    assert (refused.status, refused.getheader("Connection")) == (503, "close")
    assert (body["success"], body["code"]) == (False, "restarting")
    assert int(refused.getheader("Retry-After")) == body["retry_after"]
    assert server.process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_an_answer_that_takes_too_long_is_given_back_and_made_anew(server, gate, upstream, number):
    """The interrupt gives answers one second instead of ten; what happens then is the same."""
    with closing(connect(server)) as link:
        stream = ask(link)
        seen = read_until(stream, b"one")
        os.kill(server.pid, number)
        seen += stream.read()
    error, done = events(seen)[-2:]
    assert (error["type"], error["code"]) == ("error", "restarting")
    assert (done["type"], done["id"]) == ("done", None)
    assert server.process.wait(10) == 0

    gate.set()
    server.restart()
    with closing(connect(server)) as link:
        text = "".join(event["content"] for event in events(ask(link).read()) if event["type"] == "chunk")
    assert text == "one two"
    assert upstream.count == 2


def test_a_reload_refuses_nobody_and_cuts_nothing(server, gate):
    path = "/api/v1/chat/config?site_key=sk_demo"
    before = set(server.worker_pids())
    # The old worker answers each once more, and closes it.
    kept = [connect(server) for _ in range(100)]
    for link in kept:
        link.connect()
    with closing(connect(server)) as running:
        stream = ask(running)
        seen = read_until(stream, b"one")
        os.kill(server.pid, signal.SIGHUP)
        wait_until(lambda: _status(kept.pop(), path) == 503, "the old worker to drain", 20)
        assert {server.get(path)[0] for _ in range(50)} == {200}
        assert before & set(server.worker_pids()), "the old worker is gone already; this test shows nothing"
        gate.set()
        seen += stream.read()
    assert events(seen)[-1]["meta"]["finish_reason"] == "stop"
    for link in kept:
        link.close()
    wait_until(lambda: not before & set(server.worker_pids()), "the old worker to leave", 20)


def _status(link: http.client.HTTPConnection, path: str) -> int:
    link.request("GET", path)
    status = link.getresponse().status
    link.close()
    return status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_heard_while_it_starts(tmp_path, number):
    """Gunicorn's workers listen to signals only some time after the fork, and would serve on until they are killed."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "VEXAR_BIND": f"127.0.0.1:{free_port()}"}
    with (tmp_path / "log").open("wb") as log:
        process = start(GUNICORN, cwd=tmp_path, env=environ, stdout=log, stderr=log)
    try:
        while not (children := Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()):
            assert process.poll() is None
        assert children
        process.send_signal(number)
        assert process.wait(8) == 0
    finally:
        end(process)


def test_the_workers_leave_with_a_killed_master(boot):
    server = boot(workers=2)
    assert len(server.worker_pids()) == 2
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    wait_until(lambda: not server.worker_pids(), "the workers to leave", 10)


def test_a_killed_worker_is_replaced(boot):
    server = boot()
    (old,) = server.worker_pids()
    server.kill_worker(old)
    wait_until(lambda: server.worker_pids() not in ([], [old]), "another worker", 20)
    wait_until(lambda: server.get("/healthz")[0] == 200, "it to answer", 20)


def test_it_makes_only_files_of_its_own_and_not_for_everybody(tmp_path):
    """Not gunicorn's control socket in the home folder, above all."""
    server = Server(tmp_path / "server")
    server.terminate()
    made = [path for path in server.data_dir.rglob("*") if path.name != "server.log"]
    assert made
    assert not [path for path in made if "gunicorn" in path.name]
    assert not [path for path in made if path.lstat().st_mode & 0o007]


def test_what_is_no_http_is_refused_in_json_and_nothing_of_it_is_logged(boot):
    server = boot()
    for line in (
        b"GET /api/v1/chat/history?site_key=sk_demo&session_id=sess_secret\xc3\xa4 HTTP/1.1",
        b"GET /api/v1/chat/history?session_id=sess_secret&pad=" + b"x" * 9_000 + b" HTTP/1.1",
        b"GET /sess_secret HTTP/9.9", b"G\x01T /?session_id=sess_secret HTTP/1.1", b"sess_secret",
        b"GET / HTTP/1.1\r\nContent-Length: sess_secret", b"GET / HTTP/1.1\r\nsess_secret",
    ):  # fmt: skip
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            link.sendall(line + b"\r\nHost: x\r\n\r\n")
            answer = http.client.HTTPResponse(link)
            answer.begin()
            body = json.loads(answer.read())
        assert (answer.status, body["code"], body["success"]) == (400, "bad_request", False), line
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
    assert server.log().count("what is no HTTP") == 7
    assert "secret" not in server.log()


def test_a_long_page_path_can_be_asked_for(boot):
    server = boot()
    path = quote("/" + "ä" * 1_000)
    assert server.get(f"/api/v1/chat/pending-proactive?site_key=sk_demo&session_id=a&path={path}")[0] == 200


def test_a_sender_of_too_much_gets_to_read_the_refusal_although_the_connection_ends(boot):
    """Closing with bytes unread would reset the connection, and the answer would be lost on its way."""
    server = boot()
    body = b"x" * 5_000_000
    with closing(connect(server)) as link:
        link.request("POST", "/api/v1/chat/typing", body, {"Content-Type": "application/json", "Connection": "close"})
        answer = link.getresponse()
        assert (answer.status, json.loads(answer.read())["code"]) == (413, "body_too_large")


def test_a_chunk_that_is_none_is_a_bad_request(boot):
    server = boot()
    head = b"POST /api/v1/chat/typing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
        link.sendall(head + b"Transfer-Encoding: chunked\r\n\r\nsess_secret\r\nGET /version HTTP/1.1\r\n\r\n")
        answer = b"".join(iter(lambda: link.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"0.1" not in answer, "what follows a broken body is no request"
    assert "Traceback" not in server.log()
    assert "secret" not in server.log()


def test_a_socket_file_serves_too(boot, tmp_path):
    path = tmp_path / "vexar.sock"
    environ = {**boot().env, "VEXAR_BIND": f"unix:{path}"}
    process = start(GUNICORN, cwd=tmp_path, env=environ)
    try:
        wait_until(path.exists, "the socket file", 20)
        assert path.stat().st_mode & 0o007 == 0
    finally:
        process.terminate()
        assert process.wait(20) == 0
        end(process)
    assert not path.exists()


def test_few_open_files_are_told_at_the_start(tmp_path):
    script = "import runpy; print(runpy.run_path('gunicorn.conf.py')['worker_connections'])"

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, preexec_fn=lower
    )
    assert "only 1024 open files" in done.stderr
    assert int(done.stdout) < 1024
