"""A site of its own for each test of the console's knowledge page, and the visitors who ask it."""

from __future__ import annotations

import secrets
from typing import Any

import httpx

from tests.browser.desk import Console, Shop
from tests.conftest import add_site
from tests.shop_site import ShopSite
from vexar import models
from vexar.knowledge.index import add_entries


class Desk:
    """A new site that knows `entries`, and somebody who may edit it at the console: `olga`, `site_id`, `name`."""

    def __init__(self, shop: Shop, path: str = "knowledge", *, entries: Any = (), url: str = "", may_edit: bool = True):
        self.shop, self.key = shop, f"sk_{secrets.token_hex(4)}"
        self.name = self.key
        self.site_id = add_site(shop.store, self.key)
        if url:
            shop.store.write(lambda tx: tx.run(models.Site.update(url=url).where(models.Site.id == self.site_id)))
        self.ids = add_entries(shop.store, self.site_id, entries, "en") if entries else []
        person = shop.person("Olga", is_owner=may_edit)
        if not may_edit:
            shop.store.write(self._let_in, person_id=person.id)
        self.olga: Console = shop.console(person, path, site_id=self.site_id)

    def go(self, path: str) -> Console:
        """Load a page of the console."""
        return self.olga.go(path)

    def entries(self, **where: Any) -> list:
        """The stored entries of the site, the oldest first."""
        entry = models.KnowledgeEntry
        query = entry.select(entry).where(entry.site_id == self.site_id)
        for name, value in where.items():
            query = query.where(getattr(entry, name) == value)
        return self.shop.rows(query.order_by(entry.id))

    def asked(self, *questions: str) -> None:
        """Visitors, each of whom asks one question in vain, until the site has listed all of them."""
        for question in questions:
            self.shop.upstream.script(["I do not know."])
            body = {"site_key": self.key, "session_id": f"sess_{secrets.token_hex(6)}", "message": question}
            answer = httpx.post(f"{self.shop.url}/api/v1/chat/stream", json=body, timeout=20)
            assert answer.status_code == 200, answer.text
        ask = models.UnansweredAsk
        mine = ask.select(ask.id).where(ask.site_id == self.site_id)
        self.olga.until(lambda: len(self.shop.rows(mine)) >= len(questions), "the questions to be listed", 30)

    def field(self, label: str) -> Any:
        """An input by its label."""
        return self.olga.page.get_by_label(label, exact=True)

    def confirm(self, words: str) -> None:
        """Press a button of the open dialog."""
        self.olga.find("dialog[open]").get_by_role("button", name=words, exact=True).click()

    def tab(self, words: str) -> None:
        """Follow a tab by its name."""
        self.olga.find(".tabs").get_by_role("link", name=words).click()

    def ask(self, question: str) -> None:
        """Ask, and wait for what is answered."""
        box = self.field("Ask as a visitor would")
        box.fill(question)
        # That of an earlier question would pass for the one that is waited for.
        self.olga.page.evaluate("document.querySelector('.verdict')?.remove()")
        with self.olga.page.expect_response("**/knowledge/ask"):
            box.press("Enter")
        self.olga.find(".verdict").wait_for()

    def _let_in(self, tx: Any, person_id: int) -> None:
        tx.run(models.OperatorSite.insert(
            operator_id=person_id, site_id=self.site_id, can_chat=1, can_view_conversations=1, can_edit=0
        ))  # fmt: skip


def small_site(*, delay_s: float = 0.0) -> ShopSite:
    """A website of two pages and three addresses that are none."""
    site = ShopSite(products=0, delay_s=delay_s)
    links = "".join(f"<a href='{path}'>more</a> " for path in ("/shipping", "/moved-away", "/noindex", "/picture"))
    texts = {
        "/": ("Our shop", f"Welcome to the shop of many things for your kitchen. {links}"),
        "/shipping": ("Shipping", "We ship to Canada. Delivery to Canada costs 12 dollars and takes 6 days."),
    }
    # Without the menu of that site, which leads into its traps.
    site.pages = {
        path: f"<!doctype html><title>{title}</title><main><h1>{title}</h1><p>{text}</p></main>".encode()
        for path, (title, text) in texts.items()
    }
    site.extra["/noindex"] = (200, {"Content-Type": "text/html"},
                              b"<meta name=robots content=noindex><p>Not for any index at all.")
    site.extra["/moved-away"] = (301, {"Location": "http://elsewhere.example/"}, b"")
    site.extra["/picture"] = (200, {"Content-Type": "image/png"}, b"\x89PNG")
    return site
