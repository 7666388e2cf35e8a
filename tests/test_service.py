"""The service endpoints: health, readiness, version, numbers over all workers, the offline docs page."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from tests import services
from vexar import __version__, metrics

ROOT = Path(__file__).parent.parent
COUNTING = """
import os, sys, time
from pathlib import Path
from vexar import metrics

def worker(requests, is_killed):
    metrics.start(Path(sys.argv[1]))
    for _ in range(requests):
        metrics.request_answered("widget.email", 200)
    metrics.message_stored()
    metrics.run_ended("stop")
    metrics.first_token(0.3)
    metrics.stream_opened()
    metrics.store_counted(jobs=5, commits=2)
    metrics.store_counted(jobs=8, commits=4)
    if is_killed:
        os.kill(os.getpid(), 9)

for requests, is_killed in ((3, False), (4, True)):
    pid = os.fork()
    if not pid:
        worker(requests, is_killed)
        os._exit(0)
    os.waitpid(pid, 0)
pid = os.fork()
if not pid:
    worker(1, False)
    sys.stdout.buffer.write(metrics.exposition())
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
"""


def samples(text):
    """The numbers of an exposition by name and labels, without the comments."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def code_of(answer):
    assert answer.is_json
    return answer.status_code, answer.json["code"]


# Health.


def test_the_process_and_its_version_answer(client):
    assert client.get("/healthz").json == {"success": True, "status": "ok"}
    assert client.get("/version").json == {"success": True, "version": __version__}
    for path in ("/healthz", "/readyz", "/version"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_a_server_with_its_database_is_ready(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"success": True, "status": "ok"})


@pytest.mark.parametrize("damage", ["DELETE FROM schema_migration", "DROP TABLE schema_migration"])
def test_a_server_whose_schema_is_not_current_is_not_ready_but_healthy(client, tmp_path, damage):
    assert client.get("/readyz").status_code == 200
    database = sqlite3.connect(tmp_path / "vexar.db")
    with database:
        database.execute(damage)
    database.close()
    answer = client.get("/readyz")
    assert code_of(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert client.get("/healthz").status_code == 200


def test_without_its_redis_a_server_is_degraded_and_still_ready(make_app):
    client = make_app(redis_url=f"redis://127.0.0.1:{services.free_port()}/0").test_client()
    services.wait_until(lambda: client.get("/readyz").json["status"] == "degraded", "the server to notice")
    assert client.get("/readyz").status_code == 200


@pytest.mark.servers
def test_without_its_database_server_it_is_not_ready_but_healthy(make_app, mariadb, make_database):
    client = make_app(database_url=make_database("mysql")).test_client()
    assert client.get("/readyz").status_code == 200
    mariadb.kill()
    try:
        assert code_of(client.get("/readyz")) == (503, "unavailable")
        assert client.get("/healthz").status_code == 200
    finally:
        mariadb.start()
    assert client.get("/readyz").status_code == 200


# Who may read the numbers.


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_a_direct_request_from_the_machine_itself_may_read_the_numbers(client, address):
    answer = client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", ["10.0.0.7", "203.0.113.9", "2001:db8::1", "", "localhost"])
def test_others_may_not(client, address):
    assert code_of(client.get("/metrics", environ_overrides={"REMOTE_ADDR": address})) == (403, "forbidden")


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "Via"])
def test_what_a_proxy_on_the_machine_passes_on_may_not(client, name):
    assert code_of(client.get("/metrics", headers={name: "127.0.0.1"})) == (403, "forbidden")


def test_even_a_trusted_proxy_cannot_vouch_for_the_machine_itself(make_app):
    client = make_app(trusted_proxies="127.0.0.0/8").test_client()
    answer = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code == 403


def test_a_token_opens_the_numbers_from_anywhere(make_app):
    client = make_app(metrics_token="open sesame").test_client()
    far = {"REMOTE_ADDR": "203.0.113.9"}
    for given in ("Bearer open sesame", "bearer open sesame"):
        assert client.get("/metrics", headers={"Authorization": given}, environ_overrides=far).status_code == 200
    for given in ("", "Bearer", "Bearer open", "Basic open sesame", "Bearer é", "open sesame"):
        answer = client.get("/metrics", headers={"Authorization": given}, environ_overrides=far)
        assert code_of(answer) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/metrics").status_code == 200


# The numbers.


def test_every_answer_is_counted_by_endpoint_and_status(client):
    before = samples(client.get("/metrics").text)
    client.get("/healthz")
    client.get("/healthz")
    client.post("/healthz")
    client.get("/no/such/secret-path")
    text = client.get("/metrics").text
    after = samples(text)
    names = {
        'vexar_requests_total{endpoint="service.healthz",status="200"}': 2,
        'vexar_requests_total{endpoint="none",status="404"}': 1,
        'vexar_requests_total{endpoint="none",status="405"}': 1,
        'vexar_requests_total{endpoint="service.metrics_page",status="200"}': 1,
    }
    assert {name: after[name] - before.get(name, 0) for name in names} == names
    assert "secret-path" not in text


def test_the_numbers_of_the_store_are_there(app, client):
    before = samples(client.get("/metrics").text)
    for _ in range(3):
        app.extensions["vexar"].store.write(lambda tx: tx.now_ms())
    after = samples(client.get("/metrics").text)
    assert after["vexar_store_jobs_total"] - before["vexar_store_jobs_total"] == 3
    assert 1 <= after["vexar_store_commits_total"] - before["vexar_store_commits_total"] <= 3


def test_numbers_are_summed_over_workers_and_survive_a_killed_one(tmp_path):
    found = count_in_workers(tmp_path)
    assert found['vexar_requests_total{endpoint="widget.email",status="200"}'] == 3 + 4 + 1
    assert found["vexar_messages_total"] == 3
    assert found['vexar_runs_total{finish_reason="stop"}'] == 3
    assert found['vexar_first_token_seconds_bucket{le="0.25"}'] == 0
    assert found['vexar_first_token_seconds_bucket{le="0.5"}'] == found["vexar_first_token_seconds_count"] == 3
    assert found["vexar_store_jobs_total"] == 3 * 8
    assert found["vexar_store_commits_total"] == 3 * 4


def test_open_streams_of_workers_that_are_gone_do_not_count(tmp_path):
    assert count_in_workers(tmp_path)["vexar_open_streams"] == 1


def test_a_restarted_server_counts_anew_and_clears_up_after_the_one_before(tmp_path):
    assert count_in_workers(tmp_path) == count_in_workers(tmp_path)
    assert len(list((tmp_path / "metrics").iterdir())) == 1


def test_folders_of_other_machines_are_left_alone_until_they_are_old(tmp_path):
    other = tmp_path / "metrics" / "elsewhere-1-100"
    other.mkdir(parents=True)
    count_in_workers(tmp_path)
    assert other.exists()


def test_counting_needs_no_start_and_then_says_nothing(tmp_path):
    script = "from vexar import metrics as m; m.stream_opened(); m.run_ended('stop'); print(m.exposition())"
    assert run_python(script, tmp_path) == b"b''\n"


def count_in_workers(data_dir):
    return samples(run_python(COUNTING, data_dir).decode())


def run_python(script, data_dir):
    command = [sys.executable, "-c", script, str(data_dir)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60).stdout


def test_a_worker_that_is_just_starting_does_not_spoil_the_numbers(client):
    assert metrics._active
    empty = metrics._active.folder / "counter_999999.db"
    empty.touch()
    try:
        assert client.get("/metrics").status_code == 200
    finally:
        empty.unlink()


def test_no_number_ever_needs_room_on_the_disk_that_was_not_there_at_the_start(tmp_path):
    """A hole in a mapped file costs the process its life when the disk is full."""
    script = """
import sys
from pathlib import Path
from vexar import metrics
metrics.start(Path(sys.argv[1]))
files = sorted(metrics._active.folder.iterdir())
before = [(file.name, file.stat().st_size) for file in files]
holes = [file.name for file in files if file.stat().st_blocks * 512 < file.stat().st_size]
for status in range(200, 600):
    metrics.request_answered("stream.endpoint_with_a_long_name", status)
metrics.run_ended("stop"), metrics.first_token(1), metrics.stream_opened(), metrics.store_counted(1, 1)
after = [(file.name, file.stat().st_size) for file in sorted(metrics._active.folder.iterdir())]
print(len(files), holes, after == before)
"""
    assert run_python(script, tmp_path) == b"3 [] True\n"


def test_a_disk_that_is_full_at_the_start_costs_the_numbers_and_nothing_else(tmp_path):
    script = """
import resource, signal, sys
from pathlib import Path
from vexar import metrics
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
metrics.start(Path(sys.argv[1]))
metrics.request_answered("stream.send", 200)
print(metrics.exposition())
"""
    assert run_python(script, tmp_path) == b"b''\n"


@pytest.mark.servers
def test_two_workers_of_a_real_server_give_one_sum_also_after_one_was_killed(boot):
    server = boot(workers=2)
    name = 'vexar_requests_total{endpoint="service.version",status="200"}'

    def counted():
        return samples(server.get("/metrics")[1].decode()).get(name, 0)

    for _ in range(40):
        assert server.get("/version")[0] == 200
    assert counted() == 40
    before = server.worker_pids()
    server.kill_worker(before[0])
    services.wait_until(lambda: len(set(server.worker_pids()) - set(before)) == 1, "a new worker")
    services.wait_until(lambda: server.get("/version")[0] == 200, "the server to answer")
    assert counted() > 40


# The docs page.


def test_the_docs_page_comes_with_everything_it_needs_and_a_strict_policy(client):
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    files = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text)
    assert files == ["/docs/docs.css", "/docs/docs.js"]
    for path in ["/docs", *files, "/docs/example.js"]:
        answer = client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer.headers["Cache-Control"]


def test_nothing_on_the_docs_page_comes_from_elsewhere_or_is_parsed_as_html(client):
    for path in ("/docs", "/docs/docs.css", "/docs/docs.js", "/docs/example.js"):
        text = client.get(path).text
        assert not re.search(r"https?:|//[a-z]+\.", text)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", text)


@pytest.mark.parametrize("path", ["/docs/nothing.js", "/docs/..%2fdemo%2findex.html", "/docs/../../config.py"])
def test_the_docs_page_serves_nothing_else(client, path):
    assert code_of(client.get(path)) == (404, "not_found")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_docs_page_shows_every_endpoint_without_an_error(app, page, width):
    problems = []
    page.on("pageerror", lambda problem: problems.append(problem))
    page.on("console", lambda line: problems.append(line.text) if line.type in ("error", "warning") else None)
    page.set_viewport_size({"width": width, "height": 800})
    with Serving(app) as url:
        page.goto(f"{url}/docs")
        page.wait_for_selector("section")
        shown = page.locator("main section h3 .path").all_inner_texts()
        width_of_page = page.evaluate("document.documentElement.scrollWidth")
        page.fill("#filter", "history")
        visible = page.locator("#list li:visible").all_inner_texts()
    paths = app.test_client().get("/openapi.json").json["paths"]
    assert sorted(shown) == sorted(path for path, item in paths.items() for _ in item)
    assert width_of_page == width
    assert [text for text in visible if "history" not in text] == []
    assert visible
    assert problems == []


class Serving:
    """An app on a port of its own, for the browser."""

    def __init__(self, app):
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return f"http://127.0.0.1:{self.server.port}"

    def __exit__(self, *problem):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
