"""Log lines: one per request, with an id and without anything that is a secret or somebody's words."""

from __future__ import annotations

import json
import logging
import re
from contextvars import Context

import pytest
from flask import Flask, Response, request

from tests.conftest import config_for
from vexar import logs
from vexar.routes.api import install_errors


@pytest.fixture
def lines(tmp_path, capsys):
    """`lines(log_format)`: begin to log; then `lines()` gives what was written since."""
    root, known = logging.getLogger(), {"vexar": logging.INFO, "werkzeug": logging.WARNING}
    before = root.handlers[:]

    def read(log_format=None):
        if log_format:
            logs.configure(config_for(tmp_path, log_format=log_format))
        return capsys.readouterr().err.splitlines()

    yield read
    root.handlers[:] = before
    for name, level in known.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def app():
    app = Flask(__name__, static_folder=None)
    install_errors(app)
    logs.install_logging(app)

    @app.post("/api/v1/chat/stream")
    def stream():
        logging.getLogger("vexar.runs").info("a run began")
        return Response(iter([b"data: 1\n\n", b"data: 2\n\n"]), mimetype="text/event-stream")

    @app.get("/id")
    def own_id():
        return {"id": logs.current_request_id(), "header": request.headers.get("X-Request-Id", "")}

    @app.get("/crash")
    def crash():
        raise RuntimeError("a reason")

    return app


def test_a_request_is_one_line_of_text(client, lines):
    lines("text")
    client.get("/id", headers={"X-Request-Id": "abc-1"})
    (line,) = lines()
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO vexar\.request GET /id 200 \d+\.\d+ms \[abc-1\]"
    assert re.fullmatch(pattern, line)


def test_a_request_is_one_json_object(client, lines):
    lines("json")
    client.get("/nothing", headers={"X-Request-Id": "abc-1"})
    (line,) = lines()
    facts = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", facts.pop("time"))
    assert facts.pop("ms") >= 0
    assert facts == {
        "level": "info", "logger": "vexar.request", "message": "request", "request_id": "abc-1", "method": "GET",
        "path": "/nothing", "status": 404,
    }


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_query_strings_headers_and_bodies_are_never_written(client, lines, log_format):
    lines(log_format)
    client.post(
        "/api/v1/chat/stream?session_id=secret1&site_key=secret2",
        json={"message": "secret3"},
        headers={"Authorization": "Bearer secret4", "Cookie": "secret5", "Referer": "/secret6", "X-Key": "secret7"},
    )
    written = lines()
    assert len(written) == 2
    assert "/api/v1/chat/stream" in written[1]
    assert "secret" not in "".join(written)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_path_cannot_make_lines_of_its_own_and_is_cut(client, lines, log_format):
    lines(log_format)
    client.get("/a%0AINFO forged%1B[31m%E2%80%A8%E2%80%AEx" + "y" * 500)
    (line,) = lines()
    assert "/a?INFO forged?[31m??xyyy" in line
    assert len(line) < 400


def test_a_path_in_any_script_stays_readable(client, lines):
    lines("text")
    client.get("/caf%C3%A9/%FF")
    assert "GET /café/\ufffd 404" in lines()[0]


def test_the_answer_tells_the_id_it_was_given(client):
    answer = client.get("/id", headers={"X-Request-Id": "from.proxy:1_2-3"})
    assert answer.headers["X-Request-Id"] == answer.json["id"] == "from.proxy:1_2-3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", 'a"b', "<b>"])
def test_an_unsound_id_is_replaced(client, given):
    answer = client.get("/id", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert answer.headers.getlist("X-Request-Id") == [answer.json["id"]]


def test_each_request_has_an_id_of_its_own(client):
    made = {client.get("/id").headers["X-Request-Id"] for _ in range(20)}
    assert len(made) == 20


def test_what_a_request_logs_carries_its_id(client, lines):
    lines("json")
    client.post("/api/v1/chat/stream", headers={"X-Request-Id": "run-1"})
    written = [json.loads(line) for line in lines()]
    assert [(one["message"], one["request_id"]) for one in written] == [("a run began", "run-1"), ("request", "run-1")]


def test_a_stream_is_logged_when_it_starts(client, lines):
    lines("text")
    answer = client.post("/api/v1/chat/stream", buffered=False)
    assert "POST /api/v1/chat/stream 200" in lines()[1]
    assert answer.data == b"data: 1\n\ndata: 2\n\n"
    assert lines() == []


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_crash_is_written_with_its_traceback_and_the_id_the_answer_tells(client, lines, log_format):
    lines(log_format)
    request_id = client.get("/crash").headers["X-Request-Id"]
    written = "\n".join(lines())
    assert "RuntimeError: a reason" in written
    assert "Traceback" in written
    assert written.count(request_id) == 2
    if log_format == "json":
        assert [json.loads(line)["level"] for line in written.splitlines()] == ["error", "info"]


def test_configuring_again_does_not_double_lines(client, lines):
    lines("text")
    lines("json")
    lines("text")
    client.get("/id")
    assert len(lines()) == 1


def test_the_development_server_does_not_write_whole_addresses(lines):
    lines("text")
    logging.getLogger("werkzeug").info("GET /?session_id=secret")
    assert lines() == []


def test_a_line_outside_a_request_has_no_id(lines):
    lines("json")
    # Earlier requests of these tests ran in this very context; a thread of its own has none.
    Context().run(logging.getLogger("vexar.store").warning, "the disk is %s", "full")
    facts = json.loads(lines()[0])
    assert (facts["message"], facts["request_id"], facts["level"]) == ("the disk is full", None, "warning")
