"""The command line: every command, its JSON, its exit codes, and its one line on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile

import pytest

from app import create_app
from tests import services
from tests.cast import Visitor
from tests.conftest import add_site, config_for
from tests.services import ROOT, free_port
from vexar.cli import main
from vexar.cli.commands import COMMANDS, build_parser
from vexar.models import Message
from vexar.people.auth import hash_token
from vexar.store import open_store

KEY = "sk_demo"
ANN = "sess_ann"
ALL = [command for names in COMMANDS.values() for command in names]
TO_ANN = ("--site", KEY, "--session", ANN)


class Shell:
    """Runs commands in this process, with settings of their own, in a folder of their own."""

    def __init__(self, folder, capsys) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder}/vexar.db"
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        self._capsys.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as problem:
            code = problem.code or 0
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def do(self, *arguments: str):
        """The JSON of a command that succeeds."""
        code, out, err = self.run(*arguments, "--json")
        assert (code, err) == (0, ""), err
        assert out.count("\n") == 1
        return json.loads(out)

    def fails(self, *arguments: str) -> str:
        """The one line of a command that fails."""
        code, out, err = self.run(*arguments)
        assert code == 1, (out, err)
        assert err.startswith("vexar: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    def misused(self, *arguments: str) -> str:
        """What is said about arguments that cannot be understood."""
        code, _, err = self.run(*arguments)
        assert code == 2, err
        assert "usage: app.py" in err
        return err


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """Commands on an empty database."""
    for name in list(os.environ):
        if name.startswith("VEXAR_"):
            monkeypatch.delenv(name)
    made = Shell(tmp_path, capsys)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEXAR_DATABASE_URL", made.database)
    monkeypatch.setenv("VEXAR_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("VEXAR_UPLOAD_DIR", str(tmp_path / "uploads"))
    return made


@pytest.fixture
def site(shell):
    """The same with the site `sk_demo`."""
    with contextlib.closing(open_store(shell.database)) as store:
        add_site(store)
    return shell


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An app in this process, with the site `sk_demo`."""
    app = create_app(config_for(tmp_path_factory.mktemp("served")))
    add_site(app.extensions["vexar"].store)
    # The native threads begin with the first work; the leak detector would count them against the first test.
    Visitor(app.test_client(), KEY).ask("hello")
    yield app
    app.extensions["vexar"].close()


@pytest.fixture
def ann(served, shell, monkeypatch):
    """ann, who has asked something; the commands work on the database of the app she talks to."""
    config = served.extensions["vexar"].config
    monkeypatch.setenv("VEXAR_DATABASE_URL", config.database_url)
    monkeypatch.setenv("VEXAR_DATA_DIR", str(config.data_dir))
    visitor = Visitor(served.test_client(), KEY)
    visitor.ask("hello")
    return visitor


def to(visitor: Visitor) -> tuple[str, ...]:
    """The options that name a visitor."""
    return ("--site", KEY, "--session", visitor.scope["session_id"])


def test_the_list_of_commands_is_whole():
    assert set(ALL) == {
        "run", "init-db", "check", "add-site", "list-sites", "add-operator", "learn", "ask", "unanswered", "accept",
        "say", "return", "typing", "block", "unblock", "nudge", "backup", "forget", "remove-site", "export", "prune",
    }  # fmt: skip


@pytest.mark.parametrize("command", ALL)
def test_every_command_explains_itself(shell, command):
    code, out, err = shell.run(command, "--help")
    assert (code, err) == (0, "")
    assert f"usage: app.py {command}" in out


@pytest.mark.parametrize("command", [command for command in ALL if command != "run"])
def test_every_command_but_run_knows_json(shell, command):
    assert "--json" in shell.run(command, "--help")[1]


def test_help_lists_every_command_with_a_sentence(shell):
    code, out, _ = shell.run("--help")
    assert code == 0
    for command in ALL:
        assert re.search(rf"^    {command}\s+\w+ \w+", out, re.MULTILINE), command


def test_a_command_loads_only_its_own_module():
    names = set(build_parser("run")._subparsers._group_actions[0].choices)
    assert names == set(COMMANDS["serving"])


@pytest.mark.parametrize("arguments", [
    (), ("fly",), ("add-site",), ("add-site", "--url"), ("ask", "--site", KEY), ("learn", "--site", KEY),
    ("add-operator", "--email", "olga@shop.example"), ("init-db", "--jso"),
    ("add-operator", "--email", "olga@shop.example", "--owner", "--site", KEY),
    ("accept", "--site", KEY), ("accept", "--site", KEY, "--session", "two words"),
    ("say", *TO_ANN), ("say", *TO_ANN, "  "), ("say", *TO_ANN, "hi", "--message-id", ""),
    ("block", *TO_ANN, "--minutes", "0"), ("block", *TO_ANN, "--minutes", "soon"),
    ("block", "--site", KEY, "--ip", "999.1.1.1"), ("block", "--site", KEY, "--email", "olga"),
    ("nudge", "--site", KEY, "--rules", "[{}]"), ("nudge", "--site", KEY, "--rules", "{"),
])  # fmt: skip
def test_what_cannot_be_understood_is_exit_code_2(shell, arguments):
    shell.misused(*arguments)


@pytest.mark.parametrize(("name", "value"), [
    ("VEXAR_WORKERS", "many"), ("VEXAR_BIND", "here"), ("VEXAR_DATABASE_URL", "postgres://x/y"),
    ("VEXAR_TRUSTED_PROXIES", "proxy"), ("VEXAR_DEMO", "perhaps"),
])  # fmt: skip
def test_a_wrong_setting_is_one_line_that_names_it(shell, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert f"vexar: {name}: " in shell.fails("check")
    assert f"vexar: {name}: " in shell.fails("run")


@pytest.mark.parametrize("url", [
    "mysql://nobody@127.0.0.1:1/nothing", "sqlite:////proc/nothing/vexar.db", "sqlite:////dev/null/vexar.db",
])  # fmt: skip
def test_a_database_that_cannot_be_opened_is_one_line(shell, monkeypatch, url):
    monkeypatch.setenv("VEXAR_DATABASE_URL", url)
    for command in ("list-sites", "init-db"):
        shell.fails(command)
    assert shell.fails("run").startswith("vexar: VEXAR_DATABASE_URL: ")


@pytest.mark.parametrize("name", ["VEXAR_DATA_DIR", "VEXAR_UPLOAD_DIR"])
def test_a_folder_that_cannot_be_made_is_one_line_before_anything_is_served(shell, monkeypatch, name):
    monkeypatch.setenv(name, "/dev/null/folder")
    assert shell.fails("run").startswith(f"vexar: {name}: ")


def test_a_file_that_is_no_database_is_one_line(shell):
    (shell.folder / "vexar.db").write_text("This is a text, and a rather long one, but it is no database. " * 20)
    shell.fails("list-sites")


def test_bytes_that_are_no_text_are_one_line(site):
    site.fails("nudge", *TO_ANN, "\udce9t\udce9")
    site.fails("add-site", "--url", "https://shop.example", "--name", "\udce9")


def test_python_app_py_is_the_command_line(shell):
    for command in ([str(ROOT / "app.py")], ["-m", "vexar.cli"]):
        done = subprocess.run(
            [sys.executable, *command, "list-sites", "--json"], capture_output=True, text=True, check=False,
            cwd=shell.folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_init_db_tells_what_it_applied_and_is_never_required(shell):
    assert shell.do("init-db")["applied"]
    assert shell.do("init-db") == {"applied": []}
    os.unlink(shell.folder / "vexar.db")
    assert shell.do("list-sites") == []


def test_add_site_prints_the_key_the_origins_and_the_tag(shell):
    made = shell.do("add-site", "--url", "https://www.shop.example/start")
    assert made.keys() == {"id", "name", "site_key", "allowed_origins", "snippet"}
    assert made["name"] == "www.shop.example"
    assert made["site_key"].startswith("sk_")
    assert len(made["site_key"]) >= 27
    assert made["snippet"] == (
        f'<script src="http://127.0.0.1:8000/widget/chatbot.js" data-key="{made["site_key"]}" async></script>'
    )


@pytest.mark.parametrize(("url", "origins"), [
    ("https://shop.example", ["https://shop.example", "https://www.shop.example"]),
    ("https://WWW.Shop.example:443/a?b", ["https://shop.example", "https://www.shop.example"]),
    ("http://shop.example:8080", ["http://shop.example:8080", "http://www.shop.example:8080"]),
    ("http://localhost:3000", ["http://localhost:3000"]),
    ("http://127.0.0.1:3000", ["http://127.0.0.1:3000"]),
    ("http://[::1]:3000", ["http://[::1]:3000"]),
    ("https://bücher.example", ["https://xn--bcher-kva.example", "https://www.xn--bcher-kva.example"]),
])  # fmt: skip
def test_a_site_allows_its_own_origin_and_the_twin_with_www(shell, url, origins):
    assert shell.do("add-site", "--url", url)["allowed_origins"] == origins


def test_add_site_takes_a_key_a_name_and_origins(shell, monkeypatch):
    monkeypatch.setenv("VEXAR_PUBLIC_URL", "https://chat.example.com/")
    key = "sk_" + "a" * 24
    made = shell.do(
        "add-site", "--url", "https://shop.example", "--name", "Café Ö", "--key", key, "--origin", "*", "--origin",
        "https://Shop.example/",
    )  # fmt: skip
    assert (made["name"], made["site_key"]) == ("Café Ö", key)
    assert made["allowed_origins"] == ["*", "https://shop.example"]
    assert 'src="https://chat.example.com/widget/chatbot.js"' in made["snippet"]
    (listed,) = shell.do("list-sites")
    assert listed == {
        "id": made["id"], "name": "Café Ö", "url": "https://shop.example", "site_key": key, "active": True,
        "allowed_origins": made["allowed_origins"],
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [
    ("--url", "shop.example"), ("--url", "ftp://shop.example"), ("--url", "https://"), ("--url", "https://a:b"),
    ("--url", "https://shop.example", "--key", "sk_short"), ("--url", "https://shop.example", "--key", "k" * 40),
    ("--url", "https://shop.example", "--origin", "shop.example"),
    ("--url", "https://shop.example", "--origin", "https://shop.example/page"),
    ("--url", "https://shop.example", "--origin", "null"),
])  # fmt: skip
def test_add_site_refuses_what_could_never_work(shell, arguments):
    shell.fails("add-site", *arguments)
    assert shell.do("list-sites") == []


def test_a_key_belongs_to_one_site(shell):
    key = "sk_" + "a" * 24
    shell.do("add-site", "--url", "https://shop.example", "--key", key)
    assert "exists already" in shell.fails("add-site", "--url", "https://other.example", "--key", key)


def test_forget_erases_a_visitor_and_nobody_else(site):
    for session in ("sess_ann", "sess_ben"):
        site.do("nudge", "--site", KEY, "--session", session, f"Hello {session}")
    assert list(site.do("forget", *TO_ANN)) == ["erased"]
    assert "nobody is known" in site.fails("forget", *TO_ANN)
    with contextlib.closing(open_store(site.database)) as store:
        rows = store.read(lambda tx: tx.all(Message.select(Message.content)))
    assert [row.content for row in rows] == ["Hello sess_ben"]


def test_remove_site_asks_whether_it_is_meant_and_leaves_nothing(site):
    site.do("nudge", *TO_ANN, "Hello")
    assert "--yes" in site.fails("remove-site", "--site", KEY)
    assert len(site.do("list-sites")) == 1
    site.do("remove-site", "--site", KEY, "--yes")
    assert site.do("list-sites") == []
    with contextlib.closing(open_store(site.database)) as store:
        assert store.read(lambda tx: tx.all(Message.select(Message.content))) == []


def test_add_operator_shows_the_api_key_once_and_keeps_a_hash(site):
    made = site.do("add-operator", "--email", "Olga@Shop.example", "--name", "Olga", "--site", KEY, "--api-key")
    assert made.keys() == {"id", "email", "link", "api_key"}
    assert made["email"] == "olga@shop.example"
    assert len(bytes.fromhex(made["api_key"])) == 32
    assert made["api_key"].encode() not in (site.folder / "vexar.db").read_bytes()
    assert site.do("add-operator", "--email", "owner@shop.example", "--owner")["api_key"] is None


def test_add_operator_refuses_a_wrong_email_and_an_unknown_site(site):
    site.fails("add-operator", "--email", "olga", "--owner")
    site.fails("add-operator", "--email", "olga@shop.example", "--site", "sk_nobody")


def test_add_operator_makes_a_new_link_for_somebody_known_and_the_earlier_one_is_void(site):
    first = site.do("add-operator", "--email", "olga@shop.example", "--owner")
    second = site.do("add-operator", "--email", "OLGA@shop.example")
    assert (second["id"], second["email"]) == (first["id"], first["email"])
    assert second["link"] != first["link"]
    hashes = [hash_token(made["link"].partition("=")[2]) for made in (first, second)]
    with contextlib.closing(sqlite3.connect(site.folder / "vexar.db")) as database:
        assert database.execute("SELECT token_hash FROM one_time_link").fetchall() == [(hashes[1],)]


def test_learn_and_ask_answer_as_import_and_ask_do(site):
    (site.folder / "help.csv").write_text(
        "type,title,question,content,url\n"
        "faq,Shipping,Do you ship to Canada?,Yes for 12 dollars.,/shipping\n"
        "faq,Empty,,,\n"
    )
    learned = site.do("learn", "--site", KEY, "help.csv")
    assert learned["imported"] == len(learned["ids"]) == 1
    assert learned["skipped"][0]["row"]
    found = site.do("ask", "--site", KEY, "Do you ship to Canada?")
    assert found.keys() >= {"success", "question", "answered", "confidence", "threshold", "answer", "sources"}
    assert found["answered"] is True
    assert found["sources"][0]["url"] == "/shipping"


@pytest.mark.parametrize("arguments", [
    ("accept", *TO_ANN), ("say", *TO_ANN, "hi"), ("return", *TO_ANN),
])  # fmt: skip
def test_who_never_wrote_cannot_be_talked_to(site, arguments):
    assert "no such conversation" in site.fails(*arguments)


@pytest.mark.parametrize("command", ["accept", "return", "typing", "unblock", "block"])
def test_an_unknown_site_is_one_line(site, command):
    assert "sk_nobody" in site.fails(command, "--site", "sk_nobody", "--session", ANN)


def test_a_handover_from_the_command_line_reaches_the_visitor(ann, shell):
    number = shell.do("accept", *to(ann))
    assert number["mode"] == "operator"
    assert ann.get("chat/operator-messages").json["mode"] == "operator"
    said = shell.do("say", *to(ann), "Hello, this is a person.", "--message-id", "m_1")
    assert shell.do("say", *to(ann), "Hello, this is a person.", "--message-id", "m_1") == said
    assert "message_id" in shell.fails("say", *to(ann), "Something else", "--message-id", "m_1")
    (message,) = ann.get("chat/operator-messages").json["messages"]
    assert (message["id"], message["content"]) == (said["id"], "Hello, this is a person.")
    assert message["operator"]["name"] == "Support"
    assert shell.do("return", *to(ann))["mode"] == "ai"
    assert ann.get("chat/operator-messages").json["mode"] == "ai"


def test_a_person_with_a_name_speaks_under_it(ann, shell):
    assert "add-operator" in shell.fails("say", *to(ann), "hi", "--operator", "olga@shop.example")
    shell.do("add-operator", "--email", "olga@shop.example", "--name", "Olga", "--owner")
    shell.do("say", *to(ann), "hi", "--operator", "Olga@shop.example")
    assert ann.history()[-1]["operator"]["name"] == "Olga"


def test_typing_is_told_and_never_stored(ann, shell):
    before = ann.history()
    assert shell.do("typing", *to(ann)) == {"typing": True}
    assert shell.do("typing", *to(ann), "--off") == {"typing": False}
    assert ann.history() == before


@pytest.mark.parametrize("kind", ["session", "ip", "email"])
def test_a_block_of_each_kind_holds_until_it_is_lifted(ann, shell, kind):
    ann.post("chat/email", email="ann@shop.example")
    value = {"session": ann.scope["session_id"], "ip": "127.0.0.0/8", "email": "Ann@Shop.example"}[kind]
    blocked = shell.do("block", "--site", KEY, f"--{kind}", value, "--reason", "Call us.", "--minutes", "5")
    assert blocked == {"blocked": value.lower(), "by": kind}
    status = ann.get("chat/block-status").json
    assert (status["blocked"], status["reason"]) == (True, "Call us.")
    assert status["until"]
    assert ann.post("chat/stream", message="hello?").json["code"] == "blocked"
    assert shell.do("unblock", *to(ann)) == {"lifted": 1}
    assert ann.get("chat/block-status").json["blocked"] is False


def test_a_block_needs_one_target(site):
    site.fails("block", "--site", KEY)
    site.fails("block", *TO_ANN, "--email", "ann@shop.example")


def test_a_nudge_reaches_a_visitor_who_never_wrote(ann, shell):
    assert shell.do("nudge", "--site", KEY, "--session", "sess_ben", "May I help?")["id"] == 1
    (message,) = Visitor(ann.client, KEY, "sess_ben").get("chat/pending-proactive").json["messages"]
    assert message["content"] == "May I help?"


def test_nudge_sets_a_sites_rules(ann, shell):
    rules = [{"path": "/cart*", "delay_seconds": 5, "variants": [{"message": "Need help?"}], "frequency": "daily"}]
    assert shell.do("nudge", "--site", KEY, "--rules", json.dumps(rules)) == {"rules": 1}
    (message,) = ann.get("chat/pending-proactive", path="/cart/1").json["messages"]
    assert (message["content"], message["delay_seconds"]) == ("Need help?", 5)
    assert shell.do("nudge", "--site", KEY, "--rules", "[]") == {"rules": 0}
    assert ann.get("chat/pending-proactive", path="/cart/1").json["messages"] == []


def test_nudge_takes_either_words_or_rules(site):
    for arguments in ((), ("hello",), ("--session", ANN), ("--rules", "[]", "--session", ANN, "hello")):
        site.fails("nudge", "--site", KEY, *arguments)


@pytest.mark.parametrize("rule", [
    {"path": "cart", "variants": [{"message": "x"}]}, {"path": "/", "variants": []},
    {"path": "/", "variants": [{"message": " "}]}, {"path": "/", "variants": [{"message": "x", "weight": -1}]},
    {"path": "/", "variants": [{"message": "x"}], "frequency": "hourly"}, {"path": "/", "variants": "x"},
    {"path": "/", "variants": [{"message": "x"}], "delay_seconds": -1},
    {"path": "/", "variants": [{"message": "x"}], "colour": "red"},
])  # fmt: skip
def test_a_rule_that_could_not_be_shown_is_refused(site, rule):
    assert "--rules" in site.misused("nudge", "--site", KEY, "--rules", json.dumps([rule]))


def test_a_backup_holds_what_the_running_server_acknowledged(ann, shell):
    made = shell.do("backup", "copy.db")
    copy = shell.folder / "copy.db"
    assert made == {"file": str(copy), "bytes": copy.stat().st_size}
    with contextlib.closing(sqlite3.connect(copy)) as database:
        kept = database.execute("SELECT content FROM message ORDER BY visitor_id, seq").fetchall()
    assert [(message["content"],) for message in ann.history()] == kept[-len(ann.history()):]
    assert "exists already" in shell.fails("backup", "copy.db")
    shell.fails("backup", "nowhere/copy.db")
    assert sorted(path.name for path in shell.folder.glob("*.part")) == []


def test_export_writes_everything_of_a_site_and_nothing_of_another(ann, shell):
    shell.do("add-site", "--url", "https://other.example", "--key", "sk_" + "o" * 24, "--origin", "*")
    Visitor(ann.client, "sk_" + "o" * 24, "sess_oscar").ask("other secret")
    counts = shell.do("export", "--site", KEY, "out")
    assert counts.keys() == {"visitors", "conversations", "knowledge", "messages", "images"}
    lines = [json.loads(line) for line in (shell.folder / "out" / "messages.jsonl").read_text().splitlines()]
    assert counts["messages"] == len(lines)
    own = [line["content"] for line in lines if line["session_id"] == ann.scope["session_id"]]
    assert own == [message["content"] for message in ann.history()]
    assert "other secret" not in "".join(p.read_text() for p in (shell.folder / "out").iterdir() if p.is_file())
    assert "not empty" in shell.fails("export", "--site", KEY, "out")


def test_prune_tells_what_it_removed(site):
    assert site.do("prune") == {"images": 0, "runs": 0}


def test_check_looks_at_everything_and_says_what_is_wrong(site, monkeypatch):
    found = site.do("check")
    assert found["ok"] is True
    assert {check["name"] for check in found["checks"]} >= {
        "settings", "database", "data folder", "upload folder", "upstream", "open files", "visitors' addresses",
    }  # fmt: skip
    monkeypatch.setenv("VEXAR_AI_BASE_URL", f"http://127.0.0.1:{free_port()}/v1")
    code, out, err = site.run("check", "--json")
    assert (code, err) == (1, "")
    wrong = [check["name"] for check in json.loads(out)["checks"] if not check["ok"]]
    assert wrong == ["upstream"]


def test_check_asks_the_upstream_once(site, monkeypatch, upstream):
    monkeypatch.setenv("VEXAR_AI_BASE_URL", upstream.url)
    assert site.do("check")["ok"] is True
    assert upstream.count == 1


def test_run_says_so_when_somebody_listens_there_already(shell):
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        assert bind in shell.fails("run", "--bind", bind)


@pytest.mark.servers
def test_run_greets_and_serves_with_the_settings_of_its_folder(tmp_path):
    (tmp_path / ".env").write_text(f"VEXAR_BIND=127.0.0.1:{free_port()}\nVEXAR_DEMO=on\n")
    bind = (tmp_path / ".env").read_text().split("=")[1].split()[0]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("VEXAR_")}
    environ["TMPDIR"] = tempfile.gettempdir()
    with (tmp_path / "log").open("wb") as log:
        process = services.start([sys.executable, str(ROOT / "app.py"), "run"], cwd=tmp_path, env=environ, stdout=log)
    try:
        services.wait_until(lambda: _answers(bind), "the server to answer")
        told = (tmp_path / "log").read_text()
    finally:
        services.end(process)
    assert f"http://{bind}/" in told
    assert f"curl -N http://{bind}/api/v1/chat/stream" in told
    assert f'<script src="http://{bind}/widget/chatbot.js" data-key="sk_demo" async></script>' in told
    assert f"http://{bind}/docs" in told
    assert len(re.findall(rf"http://{bind}/console/setup\?token=[\w-]{{43}}\n", told)) == 1
    assert (tmp_path / "var" / "vexar.db").exists()


@pytest.mark.servers
def test_a_backup_of_mysql_can_be_read_back(shell, monkeypatch, make_database):
    monkeypatch.setenv("VEXAR_DATABASE_URL", make_database("mysql"))
    shell.do("add-site", "--url", "https://shop.example", "--name", "Ünïcode 🧶")
    shell.do("backup", "dump.sql")
    assert "Ünïcode 🧶" in (shell.folder / "dump.sql").read_text()


def _answers(bind: str) -> bool:
    host, _, port = bind.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1) as link:
        link.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return link.recv(20).split()[1:2] == [b"200"]
    return False
