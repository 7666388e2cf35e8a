"""What the browser tests share: a real server with a scripted AI, a site that embeds the widget, a hand on both."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.browser.host import Host
from tests.services import Server
from tests.upstream import Upstream
from vexar.store import open_store


@pytest.fixture(scope="session", autouse=True)
def started(browser: object) -> None:
    """The browser's threads are there before a test counts them."""


@pytest.fixture(scope="module")
def backstage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """One server of its own for a module of tests (with its SERVER_SETTINGS), its AI, and a second set of parts on the
    same database, through which operators act: `server`, `upstream`, `parts`, `site_id`."""
    from app import create_parts
    from tests.conftest import add_site, config_for

    folder = tmp_path_factory.mktemp("browser")
    url = f"sqlite:///{folder}/vexar.db"
    with Upstream() as upstream:
        with contextlib.closing(open_store(url)) as store:
            site_id = add_site(store, bot_name="June", welcome_message="Hello!", starters=["Do you ship?"],
                               collect_data="both", lead_when="never")
        own = getattr(request.module, "SERVER_SETTINGS", {})
        ai = {"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m"}
        server = Server(folder, database_url=url, env={**ai, **own})
        parts = create_parts(config_for(folder, database_url=url, data_dir=folder))
        # Its threads start with the first write: before a test counts them.
        parts.store.write(lambda tx: tx.now_ms())
        yield SimpleNamespace(server=server, upstream=upstream, parts=parts, site_id=site_id)
        parts.close()
        server.kill()


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """The demo shop with its console for a module of tests (with its SERVER_SETTINGS): server, AI and store."""
    from tests.browser.desk import open_server

    own = getattr(request.module, "SERVER_SETTINGS", {})
    with open_server(tmp_path_factory.mktemp("desk"), **own) as parts:
        yield parts


@pytest.fixture
def shop(browser: object, running: tuple) -> Iterator[Any]:
    """The shop; whatever a page's console or a policy says against it fails the test."""
    from tests.browser.desk import Shop

    _, ai, _ = running
    ai.requests.clear()
    opened = Shop(browser, *running)
    yield opened
    opened.close()
    assert opened.said == []


@pytest.fixture
def host(backstage: SimpleNamespace) -> Iterator[Host]:
    """A site that embeds the widget."""
    site = Host(backstage.server.url)
    yield site
    site.close()


@pytest.fixture
def upstream(backstage: SimpleNamespace) -> Iterator[Upstream]:
    """The server's AI, without what an earlier test told it."""
    backstage.upstream.always = None
    backstage.upstream.requests.clear()
    yield backstage.upstream
    backstage.upstream.always = None


@pytest.fixture
def settings(backstage: SimpleNamespace) -> Iterator[Callable[..., None]]:
    """`settings(bot_name="x")`: change the site's settings for this test."""
    from vexar.models import Site
    from vexar.sites.settings import SiteSettings, write_settings

    def row(tx: Any) -> str:
        return tx.one(Site.select(Site.settings).where(Site.id == backstage.site_id)).settings

    def write(text: str) -> None:
        def job(tx: Any) -> None:
            tx.run(Site.update(settings=text).where(Site.id == backstage.site_id))

        backstage.parts.store.write(job)

    before = backstage.parts.store.read(row)

    def change(**values: Any) -> None:
        import msgspec

        old = msgspec.json.decode(before)
        write(write_settings(SiteSettings(**{**old, **values})))

    yield change
    write(before)


@pytest.fixture
def olga(backstage: SimpleNamespace) -> Any:
    """An operator of the site."""
    from tests.cast import add, operator_row

    return add(backstage.parts.store, operator_row("Olga"))[0]


@pytest.fixture
def acting(backstage: SimpleNamespace) -> Any:
    """`acting.say(chat, ...)`: the verbs of the server's conversations, for a visitor in the browser."""

    class Acting:
        def __getattr__(self, verb):
            verb = getattr(backstage.parts.conversations, verb)
            return lambda chat, *args, **more: verb(backstage.site_id, chat.session_id, *args, **more)

    return Acting()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a slow script waits for; opened at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def open_page(browser: object, host: Host) -> Iterator[Callable[..., Chat]]:
    """`open_page(name="plain", **context options)`: a page of the site in a browser of its own, as a Chat."""
    contexts = []

    def load(name: str = "plain", **options: Any) -> Chat:
        contexts.append(browser.new_context(**{"reduced_motion": "reduce", **options}))
        contexts[-1].set_default_timeout(10_000)
        return Chat.visit(contexts[-1].new_page(), host, name)

    yield load
    for context in contexts:
        context.close()


class Chat:
    """A page with the widget, and the hands of a visitor on it. `problems`: what went wrong on the page."""

    def __init__(self, page: Any, host: Host) -> None:
        self.page, self.host = page, host
        self.problems: list[str] = []
        self.requests: list[Any] = []
        page.on("pageerror", lambda error: self.problems.append(f"threw {error}"))
        page.on("request", lambda request: self.requests.append(request))

    @classmethod
    def visit(cls, page: Any, host: Host, name: str = "plain") -> Chat:
        """Load a page and wait for its button."""
        chat = cls(page, host)
        page.goto(f"{host.url}/{name}")
        chat.button.wait_for(state="attached")
        chat.find("div[class]").first.wait_for(state="attached")
        return chat

    @property
    def widget(self) -> Any:
        return self.page.locator("vexar-chat")

    @property
    def button(self) -> Any:
        return self.widget.locator(".button")

    @property
    def panel(self) -> Any:
        return self.widget.locator(".panel")

    @property
    def text(self) -> Any:
        return self.widget.locator(".composer textarea")

    def find(self, selector: str) -> Any:
        """Something inside the panel."""
        return self.widget.locator(selector)

    def open(self) -> Chat:
        """Open the panel with a click, and wait until it can be used."""
        self.button.click()
        self.text.wait_for()
        return self

    def ask(self, text: str) -> None:
        """Type a message and send it."""
        self.text.fill(text)
        self.text.press("Enter")

    def bubbles(self, role: str = "assistant") -> list[str]:
        """What stands in the bubbles of one role, without empty lines."""
        texts = self.find(f".row.{role} .bubble:not([hidden])").all_inner_texts()
        return [re.sub(r"\n+", "\n", text.strip()) for text in texts]

    def wait(self, role: str, text: str, count: int = 1) -> None:
        """Wait until so many bubbles of a role say exactly this."""
        self.until(lambda: self.bubbles(role).count(text) == count, f"{count} x {text!r} of {role}")

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = 20.0) -> Any:
        """Wait for a condition while the page goes on: what it gives."""
        give_up = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < give_up, f"waited in vain for {what}"
            self.page.wait_for_timeout(20)
        return found

    def settled(self) -> None:
        """Wait until everything that was sent is over."""
        over = "!Object.keys(localStorage).some((name) => name.includes(':letter:'))"
        self.until(lambda: self.page.evaluate(over), "everything to be over")

    @property
    def session_id(self) -> str:
        return self.page.evaluate("JSON.parse(localStorage['vexar:sk_demo']).session")

    def kept(self) -> dict:
        """Everything the page's storage holds."""
        return self.page.evaluate(
            "async () => ({local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie, "
            "databases: (await indexedDB.databases()).length})"
        )
