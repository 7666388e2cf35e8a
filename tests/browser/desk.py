"""Operators at the console, each in a browser of its own, beside visitors of the demo shop; two real workers."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Chat
from tests.people import PASSWORD, hash_of
from tests.services import Server
from tests.upstream import Upstream
from vexar import models
from vexar.store import Store, Transaction, open_store

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WATCH = """
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`refused: ${violatedDirective} ${blockedURI}`));
"""
# What the browser itself says about a request that failed on purpose.
FAILED_REQUEST = "Failed to load resource"


class Shop:
    """The demo shop on a server with two workers, its AI, and what is stored. `url`, `server`, `upstream`, `store`."""

    def __init__(self, browser: Any, server: Server, upstream: Upstream, store: Store) -> None:
        self.server, self.upstream, self.store, self.url = server, upstream, store, server.url
        self.said: list[str] = []
        self._browser = browser
        self._contexts: list[Any] = []

    def visitor(self, **options: Any) -> Chat:
        """A visitor in the shop, with the chat open."""
        chat = Chat(self._context(**options).new_page(), SimpleNamespace(url=self.url))
        chat.page.goto(f"{self.url}/")
        return chat.open()

    def operator(self, name: str = "Olga", *, is_owner: bool = False, path: str = "inbox", **options: Any) -> Console:
        """A person of the shop, signed in at the console in a browser of its own."""
        return self.console(self.person(name, is_owner=is_owner), path, **options)

    def console(self, person: SimpleNamespace, path: str, *, site_id: int | None = None, **options: Any) -> Console:
        """Somebody of `person()` at the console, on their first site unless told."""
        context = self._context(viewport=DESKTOP, **options)
        context.add_cookies([{"name": "vexar_session", "value": person.token, "url": self.url}])
        if site_id:
            # An empty page has no storage.
            keep = f"location.protocol === 'http:' && localStorage.setItem('vexar-console-site', '{site_id}')"
            context.add_init_script(keep)
        return Console(self, person, context, path)

    def person(self, name: str, *, is_owner: bool = False) -> SimpleNamespace:
        """Somebody who may do everything in the shop: id, name, email, token (of a session made by signing in)."""
        email = f"{secrets.token_hex(4)}@shop.example"
        person_id = self.store.write(_add_person, email=email, name=name, is_owner=is_owner)
        answer = httpx.post(f"{self.url}/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        return SimpleNamespace(id=person_id, name=name, email=email, token=answer.json()["token"])

    def conversation(self, chat: Chat) -> Any:
        """The newest stored conversation of a visitor."""
        return self.rows(
            models.Conversation.select(models.Conversation).join(
                models.Visitor, on=(models.Visitor.id == models.Conversation.visitor_id)
            ).where(models.Visitor.session_id == chat.session_id).order_by(models.Conversation.id.desc())
        )[0]

    def checkpoint(self, chat: Chat) -> str:
        """What is kept so far of the answer in the making."""
        run = models.Run
        query = run.select(run).where(run.conversation_id == self.conversation(chat).id, run.state == "running")
        return self.rows(query)[0].checkpoint

    def messages(self, chat: Chat) -> list[tuple[str, str]]:
        """Role and text of everything that is stored of a visitor, in order."""
        message, visitor = models.Message, models.Visitor
        rows = self.rows(
            message.select(message).join(visitor, on=(visitor.id == message.visitor_id))
            .where(visitor.session_id == chat.session_id).order_by(message.seq)
        )
        return [(row.role, row.content) for row in rows]

    def rows(self, query: Any) -> list:
        """What a query finds now."""
        return self.store.read(lambda tx: tx.all(query))

    def close(self) -> None:
        """End the browsers."""
        for context in self._contexts:
            context.close()

    def _context(self, **options: Any) -> Any:
        context = self._browser.new_context(**{"reduced_motion": "reduce", "locale": "en-US", **options})
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        context.add_init_script(WATCH)
        context.on("console", self._hear)
        context.on("weberror", lambda problem: self.said.append(str(problem.error)))
        return context

    def _hear(self, line: Any) -> None:
        if line.type in ("error", "warning") and not line.text.startswith(FAILED_REQUEST):
            self.said.append(line.text)


class Console:
    """An operator and the console: `page`, `person`, `context`."""

    def __init__(self, shop: Shop, person: SimpleNamespace, context: Any, path: str = "inbox") -> None:
        self.shop, self.person, self.context = shop, person, context
        self.page = context.new_page()
        self.go(path)

    def go(self, path: str) -> Console:
        """Load a page of the console, and wait until it hears the live stream."""
        with self.page.expect_response("**/api/v1/conversations?filter=open**"):
            self.page.goto(f"{self.shop.url}/console/{path}")
        self.page.locator("main:not([aria-busy])").wait_for()
        # Gone when the page is loaded again.
        self.page.evaluate("window.isSamePage = true")
        return self

    def tab(self, path: str = "inbox") -> Console:
        """Another tab of the same browser."""
        return Console(self.shop, self.person, self.context, path)

    def find(self, selector: str, **options: Any) -> Any:
        """Something on the page."""
        return self.page.locator(selector, **options)

    def row(self, chat: Chat) -> Any:
        """The visitor's conversation in the list."""
        return self.find(f".row[href='/console/inbox/{self.shop.conversation(chat).id}']")

    def look_at(self, chat: Chat) -> Console:
        """Open a visitor's conversation with a click."""
        self.row(chat).click()
        self.find(".view-main:not(.is-empty)").wait_for()
        return self

    def press(self, words: str) -> None:
        """Click a button by its name."""
        self.page.get_by_role("button", name=words, exact=True).click()

    def answer(self, chat: Chat) -> Console:
        """Open and accept."""
        self.look_at(chat).press("Accept")
        return self.state("You answer")

    def state(self, words: str) -> Console:
        """Wait until the conversation stands like this."""
        self.find(".view-head .small", has_text=words).wait_for()
        return self

    def write(self, text: str) -> None:
        """Type a reply and send it."""
        self.box.fill(text)
        self.box.press("Enter")

    @property
    def box(self) -> Any:
        """Where one writes."""
        return self.find(".composer textarea")

    def wait(self, role: str, text: str, count: int = 1) -> None:
        """Wait until so many messages of a role say exactly this."""
        self.until(lambda: self.texts(role).count(text) == count, f"{count} x {text!r} of {role}: {self.texts(role)}")

    def texts(self, role: str) -> list[str]:
        """What the messages of one role say."""
        found = ".log .system" if role == "system" else f".said.{role} .said-text"
        return [text.strip() for text in self.find(found).all_inner_texts()]

    def until(self, condition: Callable[[], Any], what: str, timeout_s: float = 15.0) -> Any:
        """Wait for a condition while the page goes on: what it gives."""
        give_up = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < give_up, f"waited in vain for {what}"
            self.page.wait_for_timeout(20)
        return found

    @property
    def is_same_page(self) -> bool:
        """Whether the page was never loaded again."""
        return self.page.evaluate("window.isSamePage === true")

    @property
    def focus(self) -> str:
        """What has the focus: its text, or its label."""
        return self.page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || '').trim()"
        )

    def objections(self) -> dict:
        """What axe objects to, wide and narrow, light and dark."""
        found = {}
        for size in (DESKTOP, PHONE):
            for scheme in ("light", "dark"):
                self.page.set_viewport_size(size)
                self.page.emulate_media(color_scheme=scheme)
                answer = Axe().run(self.page, options={"resultTypes": ["violations"]}).response
                said = {f"{rule['id']}: {node['target']}" for rule in answer["violations"] for node in rule["nodes"]}
                if said:
                    found[scheme, size["width"]] = said
        self.page.set_viewport_size(DESKTOP)
        return found


@contextlib.contextmanager
def open_server(folder: Path, **settings: str) -> Iterator[tuple[Server, Upstream, Store]]:
    """The demo shop with a scripted AI, on two workers; `settings` by their names (`VEXAR_FETCH_ALLOW="..."`)."""
    with Upstream() as upstream:
        env = {"VEXAR_DEMO": "on", "VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m", **settings}
        server = Server(folder, workers=2, env=env)
        with contextlib.closing(open_store(server.database_url)) as store:
            # Its threads start with the first write: before a test counts them.
            store.write(lambda tx: tx.now_ms())
            yield server, upstream, store
        server.kill()


def asking(shop: Shop, question: str = "hi", answer: str = "hello") -> Chat:
    """A visitor whose first question the AI has answered."""
    chat = shop.visitor()
    shop.upstream.script([answer])
    chat.ask(question)
    chat.wait("assistant", answer)
    chat.settled()
    return chat


def slowly(gate: Any, *tokens: str) -> Callable[[Any, dict], None]:
    """A script of the AI: the first token at once, the others when the gate opens."""

    def script(wire: Any, body: dict) -> None:
        wire.head()
        wire.token(tokens[0])
        gate.wait(20)
        for token in tokens[1:]:
            wire.token(token)
        wire.done()

    return script


def _add_person(tx: Transaction, *, email: str, name: str, is_owner: bool) -> int:
    operator_id = tx.insert(models.Operator.insert(
        email=email, name=name, avatar_url=None, is_owner=int(is_owner), key_hash=None, created_ms=1,
        password_hash=hash_of(PASSWORD), is_active=1,
    ))
    site_id = tx.one(models.Site.select(models.Site.id).where(models.Site.site_key == "sk_demo")).id
    tx.run(models.OperatorSite.insert(
        operator_id=operator_id, site_id=site_id, can_chat=1, can_view_conversations=1, can_edit=1
    ))
    return operator_id
