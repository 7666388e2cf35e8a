"""The documentation tells the truth: everything that exists is documented, nothing documented is gone, examples run."""

from __future__ import annotations

import json
import re
import shlex
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import vexar
from app import create_app
from config import SETTINGS
from tests.cast import Visitor
from tests.conftest import config_for
from tests.services import ROOT
from tests.wire import parse_events
from vexar.cli import main
from vexar.cli.commands import COMMANDS, build_parser
from vexar.errors import CODES

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
EXPECTED = (
    "README.md", "CHANGELOG.md", "SECURITY.md", "docs/api.md", "docs/decisions.md", "docs/events.md",
    "docs/glossary.md", "docs/operating.md", "docs/runs.md", "docs/security.md", "docs/settings.md",
)  # fmt: skip
# What is not ours: Python's own, the proxies' and the shell's.
FOREIGN_WORDS = {"VEXAR_"}
RUN_COMMAND = ".venv/bin/python app.py"


@cache
def text_of(name: str) -> str:
    """One page."""
    return (ROOT / name).read_text(encoding="utf-8")


def everything() -> str:
    """All pages."""
    return "\n".join(text_of(name) for name in NAMES)


def blocks(name: str, language: str = "sh") -> list[str]:
    """The examples of a page in one language, with lines that go on joined."""
    found = re.findall(rf"(?ms)^```{language}\n(.*?)^```", text_of(name))
    return [block.replace("\\\n", " ") for block in found]


def shell_lines() -> list[tuple[str, str]]:
    """(page, line) of every example for the shell."""
    return [(name, line.strip()) for name in NAMES for block in blocks(name) for line in block.splitlines() if line]


def first_column(name: str, heading: str = "") -> set[str]:
    """The words in code in the first column of a page's tables, or of those below one heading."""
    text = text_of(name).partition(f"\n{heading}\n")[2] if heading else text_of(name)
    rows = re.findall(r"(?m)^\| ([^|]+) \|", text.split("\n## ")[0] if heading else text)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The demo in this process."""
    app = create_app(config_for(tmp_path_factory.mktemp("docs"), demo=True))
    # The native threads begin with the first work; the leak detector would count them against the first test.
    Visitor(app.test_client(), "sk_demo", "sess_warm").ask("hello")
    yield app
    app.extensions["vexar"].close()


def test_every_page_of_the_documentation_is_there_and_linked():
    assert set(NAMES) >= set(EXPECTED)
    linked = everything()
    for name in NAMES:
        assert name == "README.md" or f"({name})" in linked or f"({name.removeprefix('docs/')})" in linked, name


def test_every_setting_is_documented_and_none_is_stale():
    assert first_column("docs/settings.md") >= {setting.variable for setting in SETTINGS}
    known = {setting.variable for setting in SETTINGS} | FOREIGN_WORDS
    assert set(re.findall(r"VEXAR_[A-Z_]*", everything())) <= known


def test_readme_shows_the_default_of_each_setting():
    defaults = {setting.variable: setting.default for setting in SETTINGS}
    rows = re.findall(r"(?m)^\| `(VEXAR_\w+)` \| (?:`([^`]*)`)? ?\|", text_of("README.md"))
    assert len(rows) == 10
    for name, default in rows:
        assert default == defaults[name], name


def test_every_error_code_is_documented_with_its_status_and_sentence():
    rows = re.findall(r"(?m)^\| `(\w+)` \| (\d+|in a stream) \| (.*) \|$", text_of("docs/api.md"))
    assert rows == [(code, str(status or "in a stream"), said) for code, (status, said) in CODES.items()]


def test_every_event_is_documented_and_none_is_stale():
    module = (ROOT / "vexar" / "events.py").read_text(encoding="utf-8")
    types = set(re.findall(r"(?m)^\| (\w+) +\| (?:chat|all|events|operator)", module))
    assert len(types) >= 10
    documented = set(re.findall(r"(?m)^\| `(\w+)` \| (?:chat|all|operator)", text_of("docs/events.md")))
    assert documented == types


def test_every_event_the_code_sends_is_in_the_table():
    sent = set()
    for path in (ROOT / "vexar").rglob("*.py"):
        sent |= set(re.findall(r'\bevent\("(\w+)"', path.read_text(encoding="utf-8")))
    documented = set(re.findall(r"(?m)^\| `(\w+)` \| (?:chat|all|operator)", text_of("docs/events.md")))
    assert sent <= documented


def test_every_finish_reason_is_documented(shop):
    assert first_column("docs/events.md", "| `finish_reason` | the answer |") == {
        "stop", "length", "stopped", "operator", "blocked", "error",
    }  # fmt: skip


def test_every_endpoint_is_documented_and_none_is_stale(shop):
    ours = {
        f"{method} {rule.rule}"
        for rule in shop.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not re.match(r"/$|/demo|/docs/|/widget/|/uploads/|/console", rule.rule)
    }
    documented = {word for word in first_column("docs/api.md", "## Endpoints") if " " in word}
    served = {word for word in documented if not re.search(r"/(widget|uploads)/", word)}
    assert served == ours


def test_every_metric_is_documented_and_none_is_stale(shop):
    told = shop.test_client().get("/metrics").text
    exported = set(re.findall(r"(?m)^# TYPE (vexar_\w+)", told))
    documented = set(re.findall(r"`?(vexar_[a-z_]+)", text_of("docs/operating.md")))
    assert exported
    assert exported <= documented
    assert {name for name in documented if f" {name} " not in told} <= documented - exported


def test_every_command_is_shown_and_none_is_stale():
    commands = {command for names in COMMANDS.values() for command in names}
    shown = set(re.findall(r"app\.py ([a-z][a-z-]+)", everything()))
    assert shown <= commands
    assert first_column("docs/operating.md", "| command | does |") == commands


@pytest.mark.parametrize(("name", "line"), [row for row in shell_lines() if row[1].startswith(RUN_COMMAND)])
def test_every_command_line_can_be_parsed(name, line):
    arguments = shlex.split(line.replace("...", "x"), comments=True)[2:]
    if arguments == ["--help"]:
        return
    build_parser(arguments[0]).parse_args(arguments)


def test_every_make_target_is_there():
    targets = set(re.findall(r"(?m)^([a-z]+):.*##", text_of_makefile()))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=`|\s+#|\n)", everything())) <= targets
    assert targets >= {"help", "run", "test", "check", "bench", "clean"}


def text_of_makefile() -> str:
    """The Makefile."""
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_and_file_of_a_page_is_there(name):
    page = ROOT / name
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text_of(name))
    for link in links:
        if not urlsplit(link).scheme:
            assert (page.parent / link).exists(), f"{name} links to {link}"
    named = re.findall(r"`((?:vexar|docs|deploy|static|tests|bench)/[\w./-]+)`", text_of(name))
    for path in named:
        assert (ROOT / path).exists(), f"{name} names {path}"


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_short_and_headings_are_in_order(name):
    text = re.sub(r"(?ms)^```.*?^```", "", text_of(name))
    assert re.findall(r"(?m)^# .+", text)[:1] == re.findall(r"(?m)^#+ .+", text)[:1]
    for line in text.splitlines():
        assert len(line) <= 120 or line.startswith(("|", "    ", "![")), f"{name}: {line[:60]}"


def test_the_changelog_names_this_version():
    titles = re.findall(r"(?m)^## (\S+)", text_of("CHANGELOG.md"))
    assert next(title for title in titles if title != "Unreleased") == vexar.__version__


def test_the_picture_of_the_readme_is_there_and_small():
    (picture,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", text_of("README.md"))
    assert (ROOT / picture).stat().st_size < 60_000


def test_the_tag_of_the_readme_is_the_one_the_command_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VEXAR_DATABASE_URL", f"sqlite:///{tmp_path}/vexar.db")
    monkeypatch.setenv("VEXAR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VEXAR_BIND", "127.0.0.1:8000")
    monkeypatch.setenv("VEXAR_PUBLIC_URL", "")
    key = "sk_" + "a" * 24
    assert main(["add-site", "--url", "https://shop.example", "--key", key, "--json"]) == 0
    snippet = json.loads(capsys.readouterr().out)["snippet"]
    assert blocks("README.md", "html") == [f"{snippet.replace(key, 'sk_demo')}\n"]


def test_the_readmes_examples_run_in_their_order(shop, monkeypatch, capsys):
    config = shop.extensions["vexar"].config
    monkeypatch.setenv("VEXAR_DATABASE_URL", config.database_url)
    monkeypatch.setenv("VEXAR_DATA_DIR", str(config.data_dir))
    client = shop.test_client()
    lines = [line for name, line in shell_lines() if name == "README.md"]
    calls = [curl(client, line) for line in lines if line.startswith("curl") and "/events" not in line]
    send, resume, history, stop = calls
    answer = text_shown(send)
    assert answer.startswith("".join(re.findall(r'"type":"chunk","content":"([^"]*)"', text_of("README.md"))))
    assert text_shown(resume) == answer[20:]
    assert [message["role"] for message in history.json["messages"]] == ["visitor", "assistant"]
    assert stop.json == {"success": True, "stopped": False}
    for line in lines:
        if line.startswith(RUN_COMMAND) and "--session" in line:
            assert main(shlex.split(line)[2:]) == 0, line
    roles = [message["role"] for message in curl(client, lines_with("chat/history")).json["messages"]]
    assert roles == ["visitor", "assistant", "system", "operator", "system"]


def test_the_examples_of_the_api_page_run(shop):
    client = shop.test_client()
    calls = [curl(client, line) for name, line in shell_lines() if name == "docs/api.md" and line.startswith("curl")]
    assert len(calls) >= 6
    answer = text_shown(calls[0])
    assert text_shown(calls[1]) == answer[12:]
    for call in calls[2:]:
        assert call.json["success"] is True


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "lorem"])
def test_no_page_is_unfinished(word):
    assert word not in everything()


def test_nothing_names_a_folder_of_its_makers():
    pattern = re.compile(rf"{re.escape(str(ROOT))}\b|/(?:home|Users|root)/[a-z]")
    for path in sources():
        found = pattern.search(path.read_text(encoding="utf-8"))
        assert found is None or path.name == "test_docs.py", f"{path.relative_to(ROOT)}: {found[0]}"


def sources() -> list[Path]:
    """Every text of the product, its tests and its documentation."""
    folders = ("vexar", "static", "tests", "docs", "deploy", "bench", "bin", ".ci")
    inside = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    texts = {".py", ".md", ".js", ".css", ".html", ".toml", ".txt", ".sql", ".yml", ".conf", ".service", ""}
    return [path for path in [*ROOT.glob("*"), *inside] if path.is_file() and path.suffix in texts]


def lines_with(part: str) -> str:
    """The README's example that holds this."""
    return next(line for name, line in shell_lines() if name == "README.md" and part in line)


def curl(client, line: str) -> SimpleNamespace:
    """Do what a curl command does, in this process: status, text, json."""
    url, headers, data = "", {}, None
    words = iter(shlex.split(line)[1:])
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words)
        elif word != "-N":
            assert not url, f"{word} is not understood here"
            url = word
    parts = urlsplit(url)
    assert parts.netloc == "127.0.0.1:8000"
    answer = client.open(
        f"{parts.path}?{parts.query}", method="GET" if data is None else "POST", data=data, headers=headers
    )
    assert answer.status_code == 200, answer.text
    return SimpleNamespace(text=answer.text, json=answer.get_json(silent=True))


def text_shown(answer: SimpleNamespace) -> str:
    """What a reader of this stream shows."""
    events = list(parse_events(answer.text.encode()))
    assert events[-1].type == "done"
    assert "reset" not in {event.type for event in events}
    return "".join(event.data.get("content", "") for event in events)
