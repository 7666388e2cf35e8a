"""The demo shop in the app and in a browser: its pages, its answers, people joining, cuts and reloads."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading

import pytest

from app import create_app
from tests.conftest import config_for
from tests.services import ROOT
from vexar.routes.demo import entries

FILES = sorted((ROOT / "static" / "demo").iterdir())
PAGES = ("/", "/demo/help", "/demo/help/shipping-canada")


def in_chromium(test):
    """Marks a test that needs a browser and a real server."""
    return pytest.mark.browser(pytest.mark.servers(test))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A visitor's client of the demo."""
    app = create_app(config_for(tmp_path_factory.mktemp("shop"), demo=True))
    yield app.test_client()
    app.extensions["vexar"].close()


@pytest.mark.parametrize("path", [*PAGES, "/demo/demo.css", "/demo/demo.js"])
def test_nothing_of_the_shop_exists_where_the_demo_is_off(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json["code"] == "not_found"


@pytest.mark.parametrize("path", PAGES)
def test_its_pages_allow_only_scripts_and_styles_of_their_own(shop, path):
    answer = shop.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", answer.text)


def test_nothing_comes_from_another_server():
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    assert re.findall(r"""(?:https?:)?//\w[^"'\s]*|url\(|@import""", text) == []


def test_every_link_of_its_pages_leads_somewhere(shop):
    for page in PAGES:
        for link in set(re.findall(r'(?:href|src)="(/[^"#]*)', shop.get(page).text)):
            assert shop.get(link).status_code == 200, f"{page} links to {link}"


def test_every_source_of_an_answer_has_its_page(shop):
    for entry in entries():
        page = shop.get(entry["url"])
        assert page.status_code == 200
        assert entry["title"] in page.text.replace("&#39;", "'")


def test_a_help_page_writes_what_it_shows_as_text(shop, monkeypatch):
    evil = {"title": "<b>x</b>", "content": "</p><script>alert(1)</script>", "url": '/demo/help/x"y', "question": ""}
    monkeypatch.setattr("vexar.routes.demo.entries", lambda: [evil])
    text = shop.get('/demo/help/x"y').text
    assert "<b>" not in text
    assert "<script>" not in text
    assert 'x"y' not in text


@pytest.mark.parametrize("path", ["/demo/help/nothing", "/demo/help.html", "/demo/../config.py", "/demo/index.html/"])
def test_other_paths_are_not_found_as_json(shop, path):
    answer = shop.get(path)
    assert answer.status_code == 404
    assert answer.json["success"] is False


def test_its_script_stays_small():
    assert len((ROOT / "static" / "demo" / "demo.js").read_text().splitlines()) < 200


class Gate:
    """An upstream's answer that stops in the middle until it is opened."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = tokens
        self._opened = threading.Event()

    def open(self) -> None:
        """Let the rest come."""
        self._opened.set()

    def __call__(self, wire, body) -> None:
        """See tests/upstream.py."""
        wire.head()
        for number, token in enumerate(self.tokens):
            if number == len(self.tokens) // 2:
                self._opened.wait(20)
            wire.token(token)
        wire.delta("stop")
        wire.done()


class Shop:
    """A page of the shop in Chromium, its server, and what went wrong on the page."""

    def __init__(self, page, server) -> None:
        self.page = page
        self.server = server
        self.problems: list[str] = []
        page.on("pageerror", lambda problem: self.problems.append(str(problem)))
        page.on("console", lambda line: self.problems.append(line.text) if "Content Security" in line.text else None)
        page.set_viewport_size({"width": 1280, "height": 800})

    def visit(self) -> None:
        """Open the shop and wait for its chat."""
        self.page.goto(f"{self.server.url}/")
        self.page.wait_for_selector("#log .message")

    def ask(self, text: str) -> None:
        """Write a message and send it."""
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def said(self, role: str) -> list[str]:
        """What messages of this role say."""
        return self.page.locator(f".message.{role} > p").all_inner_texts()

    def wait_for(self, role: str, text: str) -> None:
        """Wait until a message of this role holds the text, and is whole."""
        self.page.wait_for_selector(f".message.{role}:not(.writing) > p:has-text({json.dumps(text)})")

    @property
    def session_id(self) -> str:
        """The visitor's session."""
        return self.page.evaluate("localStorage['juniper.session']")

    def command(self, name: str, *arguments: str) -> None:
        """What a person at a terminal does to this visitor."""
        command = [sys.executable, str(ROOT / "app.py"), name, "--site", "sk_demo", "--session", self.session_id]
        done = subprocess.run(
            [*command, *arguments], env=self.server.env, cwd=self.server.data_dir, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.fixture
def visited(page, boot, upstream):
    """The shop, open in a browser, answered by `upstream`."""
    server = boot(env={"VEXAR_DEMO": "on", "VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"})
    open_shop = Shop(page, server)
    open_shop.visit()
    yield open_shop
    assert open_shop.problems == []


@in_chromium
def test_a_question_is_answered_word_by_word_with_its_sources(page, boot):
    shop = Shop(page, boot(env={"VEXAR_DEMO": "on"}))
    shop.visit()
    shop.ask("Do you ship to Canada?")
    shop.wait_for("assistant", "Yes, we ship to Canada.")
    page.click(".sources a >> nth=0")
    page.wait_for_selector("h1:has-text('Shipping to Canada')")
    assert shop.problems == []


@in_chromium
def test_history_is_there_after_a_reload(visited):
    visited.ask("first")
    visited.wait_for("assistant", "Answer to first: one two three four five.")
    visited.visit()
    visited.wait_for("assistant", "Answer to first: one two three four five.")
    assert visited.said("visitor") == ["first"]


@in_chromium
def test_a_reload_in_the_middle_of_an_answer_goes_on_from_there(visited, upstream):
    gate = Gate("The ", "first half", " and the ", "second.")
    upstream.script(gate)
    visited.ask("tell me")
    visited.page.wait_for_selector(".message.writing:has-text('first half')")
    resumed = []
    visited.page.on("request", lambda request: resumed.append(request.headers.get("last-event-id")))
    visited.visit()
    visited.page.wait_for_selector(".message.writing:has-text('first half')")
    gate.open()
    visited.wait_for("assistant", "The first half and the second.")
    assert visited.said("visitor") == ["tell me"]
    assert len(visited.said("assistant")) == 2, "the welcome and one answer"
    assert upstream.count == 1
    assert any(resumed), "the answer was asked from the start again"


@in_chromium
def test_a_killed_server_does_not_lose_the_question(visited, upstream):
    upstream.script(Gate("Half ", "an answer", " and ", "more."))
    visited.ask("are you there?")
    visited.page.wait_for_selector(".message.writing:has-text('Half')")
    visited.server.restart()
    visited.wait_for("assistant", "Answer to are you there?: one two three four five.")
    assert visited.said("visitor") == ["are you there?"]


@in_chromium
def test_stop_keeps_what_was_said(visited, upstream):
    gate = Gate("Half", " an", " answer", " more")
    upstream.script(gate)
    visited.ask("tell me")
    visited.page.wait_for_selector(".message.writing:has-text('Half an')")
    visited.page.click("#stop")
    visited.wait_for("assistant", "Half an")
    gate.open()
    assert visited.page.is_visible("#send")


@in_chromium
def test_a_person_joins_speaks_and_leaves(visited):
    visited.ask("hello")
    visited.wait_for("assistant", "Answer to hello")
    visited.command("accept")
    visited.page.wait_for_selector("#who:has-text('Support')")
    visited.command("say", "Hello, this is a person.")
    visited.wait_for("operator", "Hello, this is a person.")
    visited.ask("thank you")
    visited.page.wait_for_selector("#send:visible")
    visited.command("return")
    visited.page.wait_for_selector("#who:has-text('Answers at once')")
    assert visited.said("visitor") == ["hello", "thank you"]
    assert len(visited.said("system")) == 2, "one joined, one left"


@in_chromium
def test_a_blocked_visitor_is_told_and_cannot_write(visited):
    visited.ask("hello")
    visited.wait_for("assistant", "Answer to hello")
    visited.command("block", "--reason", "Please call us.")
    visited.page.wait_for_selector("#text:disabled")
    visited.page.wait_for_selector(".problem:has-text('Please call us.')")
    visited.command("unblock")
    visited.page.wait_for_selector("#text:enabled")


@in_chromium
def test_an_answer_is_text_and_never_markup(visited, upstream):
    upstream.script(["<img src=x onerror=alert(1)>", "\u2028<b>bold</b>"])
    visited.ask("<i>hi</i>")
    visited.wait_for("assistant", "<b>bold</b>")
    assert visited.said("visitor") == ["<i>hi</i>"]
    assert visited.page.locator("#log img, #log b, #log i").count() == 0


@in_chromium
def test_nothing_is_wider_than_the_window(visited):
    for width in (320, 390, 1280):
        visited.page.set_viewport_size({"width": width, "height": 700})
        for path in PAGES:
            visited.page.goto(visited.server.url + path)
            assert visited.page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width}"
