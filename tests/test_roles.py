"""Every endpoint for operators, times every role: who may not gets 401, 403 or 404, and nothing that is stored changes.

A new endpoint with `caller=signed_in` needs a row in ROWS; without one the first test fails. A row names the right
it takes and the least request that works:

    "POST /sites/<int:site_id>/things": Row(EDIT, lambda w: {"name": "one"})

`<int:..._id>` is filled in from the attribute of World of that name.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from tests.cast import Visitor, add_site, picture
from tests.people import PASSWORD, Person, open_house
from tests.shop_site import ShopSite
from vexar import models
from vexar.models import Block, CannedReply, KnowledgeEntry, UnansweredAsk, UnansweredGroup
from vexar.people.auth import PERMISSIONS
from vexar.routes.signed import signed_in

API = "/api/v1"
SECRET = "what only people of this site may read"
# Whoever is signed in; whoever has the site at all; a permission on it; owners, of a site or of the installation.
ANYBODY, ANY_OF_SITE, CHAT, VIEW, EDIT, OWNER_OF_SITE, OWNER = (
    "anybody", "any of site", *PERMISSIONS, "owner of site", "owner",
)  # fmt: skip
NOBODY = ({}, {"Authorization": "Basic b2xnYTp4"}, {"Cookie": "vexar_session=x"})
# What other threads write on their own.
BACKGROUND = (models.Lease, models.OnlineSession)


@dataclass(frozen=True)
class Row:
    """What one endpoint takes. `prepare` is done by who may, before the request that shall work."""

    needs: str
    body: Callable[[World], dict] | None = None
    query: Callable[[World], dict] | None = None
    prepare: Callable[[World, Person], object] | None = None
    file: bool = False
    # A list over all of one's own sites: the operator of another site gets 200 without anything of this one.
    is_own_list: bool = False


def take(world: World, person: Person) -> object:
    """The conversation is this person's."""
    return person.post(f"operator/accept/{world.conversation_id}")


def about(**more: Any) -> Callable[[World], dict]:
    """A body about the conversation."""
    return lambda world: {"conversation_id": world.conversation_id, **more}


ROWS = {
    "POST /auth/logout": Row(ANYBODY),
    "GET /auth/me": Row(ANYBODY),
    "PUT /auth/me": Row(ANYBODY, lambda w: {"name": "Another"}),
    "POST /auth/change-password": Row(
        ANYBODY, lambda w: {"current_password": PASSWORD, "new_password": "another battery staple"}
    ),
    "POST /auth/api-key": Row(ANYBODY),
    "GET /team": Row(OWNER),
    "POST /team": Row(OWNER, lambda w: {"email": f"n{w.site_id}@shop.example", "name": "Nina"}),
    "PUT /team/<int:operator_id>": Row(OWNER, lambda w: {"name": "Nina"}),
    "DELETE /team/<int:operator_id>": Row(OWNER),
    "POST /team/<int:operator_id>/link": Row(OWNER),
    "GET /sites/<int:site_id>/team": Row(ANY_OF_SITE),
    "GET /sites/<int:site_id>/my-access": Row(ANY_OF_SITE),
    "GET /sites": Row(ANYBODY, is_own_list=True),
    "POST /sites": Row(OWNER, lambda w: {"url": "https://new.example"}),
    "GET /sites/<int:site_id>": Row(ANY_OF_SITE),
    "PUT /sites/<int:site_id>": Row(EDIT, lambda w: {"name": "Another"}),
    "DELETE /sites/<int:site_id>": Row(OWNER_OF_SITE),
    "GET /sites/<int:site_id>/widget-code": Row(ANY_OF_SITE),
    "POST /sites/<int:site_id>/rotate-key": Row(OWNER_OF_SITE),
    "GET /ai-providers": Row(ANYBODY),
    "GET /sites/<int:site_id>/chatbot": Row(EDIT),
    "PUT /sites/<int:site_id>/chatbot": Row(EDIT, lambda w: {"bot_name": "Another"}),
    "POST /sites/<int:site_id>/data-api/test": Row(EDIT, lambda w: {"url": "http://127.0.0.1:9/"}),
    # For who writes with them and for who writes them: a member without the one still has the other.
    "GET /sites/<int:site_id>/canned-replies": Row(ANY_OF_SITE),
    "POST /sites/<int:site_id>/canned-replies": Row(EDIT, lambda w: {"shortcut": "hi", "content": "Hello"}),
    "PUT /sites/<int:site_id>/canned-replies/<int:reply_id>": Row(EDIT, lambda w: {"content": "Hi"}),
    "DELETE /sites/<int:site_id>/canned-replies/<int:reply_id>": Row(EDIT),
    "GET /sites/<int:site_id>/nudge/rules": Row(EDIT),
    "PUT /sites/<int:site_id>/nudge/rules": Row(
        EDIT, lambda w: {"rules": [{"path": "/", "delay_seconds": 1, "variants": [{"message": "Hi"}]}]}
    ),
    "GET /sites/<int:site_id>/nudge/analytics": Row(VIEW),
    "DELETE /sites/<int:site_id>/nudge/analytics": Row(EDIT),
    "GET /sites/<int:site_id>/knowledge": Row(ANY_OF_SITE),
    "POST /sites/<int:site_id>/knowledge": Row(EDIT, lambda w: {"content": "We knit."}),
    "GET /knowledge/<int:entry_id>": Row(ANY_OF_SITE),
    "PUT /knowledge/<int:entry_id>": Row(EDIT, lambda w: {"title": "Another"}),
    "DELETE /knowledge/<int:entry_id>": Row(EDIT),
    "DELETE /sites/<int:site_id>/knowledge/all": Row(EDIT),
    "POST /sites/<int:site_id>/knowledge/import": Row(EDIT, file=True),
    "POST /sites/<int:site_id>/knowledge/batch": Row(EDIT, lambda w: {"entries": [{"content": "We knit."}]}),
    "POST /sites/<int:site_id>/knowledge/rebuild": Row(EDIT),
    "POST /sites/<int:site_id>/knowledge/ask": Row(ANY_OF_SITE, lambda w: {"question": "Do you ship?"}),
    "GET /sites/<int:site_id>/knowledge/unanswered": Row(EDIT),
    "POST /sites/<int:site_id>/knowledge/unanswered/<int:group_id>/answer": Row(
        EDIT, lambda w: {"question": "Do you knit?", "content": "We knit."}
    ),
    "DELETE /sites/<int:site_id>/knowledge/unanswered/<int:group_id>": Row(EDIT),
    "POST /sites/<int:site_id>/crawl": Row(EDIT),
    "DELETE /sites/<int:site_id>/crawl": Row(EDIT),
    "POST /sites/<int:site_id>/crawl-url": Row(EDIT, lambda w: {"url": "/"}),
    "GET /sites/<int:site_id>/crawl-status": Row(ANY_OF_SITE),
    "GET /sites/<int:site_id>/conversations": Row(VIEW),
    "GET /conversations": Row(VIEW, is_own_list=True),
    "GET /conversations/<int:conversation_id>/messages": Row(VIEW),
    "GET /conversations/<int:conversation_id>/export": Row(VIEW),
    "DELETE /conversations/<int:conversation_id>": Row(OWNER_OF_SITE),
    "GET /visitors/<int:visitor_id>/export": Row(VIEW),
    "DELETE /visitors/<int:visitor_id>": Row(OWNER_OF_SITE),
    "GET /sites/<int:site_id>/leads": Row(VIEW),
    "GET /sites/<int:site_id>/ratings": Row(VIEW),
    "GET /sites/<int:site_id>/ratings/stats": Row(VIEW),
    "GET /sites/<int:site_id>/analytics": Row(VIEW),
    "POST /operator/accept/<int:conversation_id>": Row(CHAT),
    "POST /operator/message": Row(CHAT, about(content="Good morning")),
    "POST /operator/close/<int:conversation_id>": Row(CHAT, prepare=take),
    "POST /operator/transfer/<int:conversation_id>": Row(CHAT, lambda w: {"operator_id": w.operator_id}, prepare=take),
    "POST /operator/return-to-ai/<int:conversation_id>": Row(CHAT, prepare=take),
    "POST /operator/typing": Row(CHAT, about(on=True)),
    "POST /operator/note": Row(CHAT, about(content="Be kind")),
    "POST /operator/upload-image": Row(CHAT, about(), file=True),
    "POST /operator/read/<int:conversation_id>": Row(CHAT),
    "POST /operator/proactive-message": Row(
        CHAT, lambda w: {"site_id": w.site_id, "session_id": w.ann.session_id, "content": "Hello"}
    ),
    "GET /operator/active-chats": Row(CHAT, is_own_list=True),
    "GET /operator/visitors": Row(CHAT, is_own_list=True),
    "POST /operator/heartbeat": Row(CHAT, lambda w: {"site_ids": [w.site_id]}),
    "GET /operator/status": Row(CHAT, is_own_list=True),
    "POST /operator/set-status": Row(CHAT, lambda w: {"site_id": w.site_id, "online": True}),
    "GET /operator/stream": Row(VIEW, query=lambda w: {"site_id": w.site_id}),
    "POST /operator/block": Row(CHAT, about(by="session")),
    "POST /operator/unblock/<int:conversation_id>": Row(CHAT),
    "GET /operator/blocked": Row(CHAT, is_own_list=True),
    "DELETE /operator/blocked/<int:block_id>": Row(CHAT),
}


class World:
    """A site where ann has written, its people, and a site of somebody else."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.live = app.extensions["vexar"]
        self.store = self.live.store
        self.site, self.elsewhere = add_site(self.store), add_site(self.store)
        self.site_id = self.site.id
        site = models.Site.update(url=app.shop.url).where(models.Site.id == self.site_id)
        self.store.write(lambda tx: tx.run(site))
        self.ann = Visitor(app.test_client(), self.site.site_key)
        self.ann.ask(SECRET)
        row = self.store.read(lambda tx: tx.one(models.Visitor.select(models.Visitor).where(
            models.Visitor.site_id == self.site_id
        )))
        self.visitor_id, self.conversation_id = row.id, row.conversation_id
        self.operator_id = Person(app, site_ids=(self.site_id,), name="Otto").id
        self.reply_id, self.block_id, self.entry_id, self.group_id = self.store.write(_furnish, site_id=self.site_id)
        self._people: dict[tuple[str, ...], Person] = {}

    def person(self, *rights: str) -> Person:
        """The operator of the site with only these permissions."""
        if rights not in self._people:
            numbers = {name: int(name in rights) for name in PERMISSIONS}
            self._people[rights] = Person(self.app, site_ids=(self.site_id,), **numbers)
        return self._people[rights]

    @cached_property
    def owner(self) -> Person:
        """One more owner."""
        return Person(self.app, is_owner=True)

    @cached_property
    def oscar(self) -> Person:
        """Somebody who may do everything, on another site."""
        return Person(self.app, site_ids=(self.elsewhere.id,), name="Oscar", **dict.fromkeys(PERMISSIONS, 1))

    def rows(self) -> dict[str, list]:
        """Everything that is stored."""
        tables = [table for table in vars(models).values() if isinstance(table, type) and hasattr(table, "_meta")]

        def job(tx: Any) -> dict[str, list]:
            return {
                table.__name__: tx.all(table.select(table))
                for table in tables if table._meta.sorted_fields[1:] and table not in BACKGROUND
            }  # fmt: skip

        return self.store.read(job)


def _furnish(tx: Any, *, site_id: int) -> tuple[int, ...]:
    reply = CannedReply.insert(site_id=site_id, shortcut="bye", content=SECRET, created_ms=1)
    block = Block.insert(
        site_id=site_id, kind="session", value="somebody", reason=SECRET, until_ms=None, created_ms=1, operator_id=None
    )
    entry = KnowledgeEntry.insert(
        site_id=site_id, type="custom", title="", question="", content=SECRET, url=None, lang="en", length=0,
        created_ms=1, changed_ms=1, index_version=0
    )
    group = UnansweredGroup.insert(site_id=site_id, dismissed_ms=None, claimed_until_ms=0, created_ms=1)
    numbers = tx.insert(reply), tx.insert(block), tx.insert(entry), tx.insert(group)
    tx.insert(UnansweredAsk.insert(
        site_id=site_id, group_id=numbers[-1], visitor_id=0, seq=numbers[-1], place=0, conversation_id=0,
        question=SECRET, lang="en", terms="{}", checked_version=0, is_rejected=0, created_ms=1
    ))
    return numbers


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("roles"), fetch_allow="127.0.0.1/32") as app:
        live = app.extensions["vexar"]
        app.shop = ShopSite(products=1)
        # It shall not begin what is ordered; and its native threads are here from the start.
        live.crawler.closing.set()
        live.crawler._thread.join(10)
        for _ in range(16):
            live.crawler.outside.session.resolver.find("127.0.0.1", 80, 5)
            live.data_api.outside.session.resolver.find("127.0.0.1", 80, 5)
        # Counting and tidying write when they like; here only requests shall.
        live.scheduler.close()
        app.world = World(app)
        app.world.ann.upload(picture())
        yield app
        app.shop.close()


@pytest.fixture(scope="module")
def world(app):
    """For tests that change nothing."""
    return app.world


def endpoints(app: Any) -> set[str]:
    """Every endpoint for who is signed in, as `METHOD /path` below /api/v1."""
    found = set()
    for rule in app.url_map.iter_rules():
        spec = getattr(app.view_functions[rule.endpoint], "spec", None)
        if spec is not None and spec.caller is signed_in:
            found.add(f"{spec.method} {rule.rule.removeprefix(API)}")
    return found


def call(world: World, name: str, client: Any, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of the request of a row; of a stream the beginning."""
    row, (method, path) = ROWS[name], name.split(" ", 1)
    path = re.sub(r"<int:(\w+)>", lambda found: str(getattr(world, found[1])), path)
    fields = row.body(world) if row.body else {}
    sent: dict[str, Any] = {"json": fields} if method != "GET" and fields else {}
    if row.file:
        is_text = path.endswith("/import")
        file = {"file": (io.BytesIO(b"We knit."), "a.txt")} if is_text else {
            "image": (io.BytesIO(picture()), "image.png")}
        form = {**fields, **file}
        sent = {"data": form, "content_type": "multipart/form-data"}
    query = row.query(world) if row.query else None
    answer = client.open(f"{API}{path}", method=method, headers=headers, query_string=query, **sent)
    body = next(iter(answer.response), b"") if answer.mimetype == "text/event-stream" else answer.data
    answer.close()
    return answer.status_code, body


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def test_every_endpoint_for_operators_has_a_row_and_no_row_is_stale(app):
    assert len(ROWS) > 50
    assert endpoints(app) == set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_who_may_not_is_refused_and_nothing_changes(app, world, name):
    needs, oscar, wrong = ROWS[name].needs, world.oscar, []
    for headers in (*NOBODY, bearer("wrong"), bearer("")):
        wrong.append((headers, {401}))
    if needs in (*PERMISSIONS, ANY_OF_SITE, OWNER_OF_SITE) and not ROWS[name].is_own_list:
        wrong.append((bearer(oscar.token), {404}))
    if needs in PERMISSIONS:
        others = [right for right in PERMISSIONS if right != needs]
        wrong.append((bearer(world.person(*others).token), {403}))
    if needs in (OWNER, OWNER_OF_SITE):
        wrong.append((bearer(world.person(*PERMISSIONS).token), {403}))
    if needs == OWNER:
        wrong.append((bearer(oscar.token), {403}))
    if ROWS[name].is_own_list:
        wrong.append((bearer(oscar.token), {200}))
    before, client = world.rows(), app.test_client(use_cookies=False)
    for headers, allowed in wrong:
        status, body = call(world, name, client, headers)
        assert status in allowed, (headers, status, body)
        assert SECRET.encode() not in body
        assert world.site.site_key.encode() not in body
        assert world.rows() == before, headers


@pytest.mark.parametrize("name", ROWS)
def test_who_may_is_answered(app, world, name):
    row, is_read = ROWS[name], name.startswith("GET ")
    for role in ("operator", "owner"):
        if role == "operator" and row.needs in (OWNER, OWNER_OF_SITE):
            continue
        world = world if is_read else World(app)
        right = row.needs if row.needs in PERMISSIONS else CHAT
        person = world.owner if role == "owner" else world.person(right)
        if row.prepare:
            row.prepare(world, person)
        status, body = call(world, name, app.test_client(), bearer(person.token))
        assert status in (200, 201), (role, status, body)


def test_every_write_with_the_cookie_needs_the_csrf_token(app, world):
    client = app.test_client()
    client.set_cookie("vexar_session", world.owner.token)
    before = world.rows()
    writes = [name for name in ROWS if not name.startswith("GET ")]
    assert len(writes) > 30
    for name in writes:
        for headers in ({}, {"X-CSRF-Token": "0" * 64}):
            status, body = call(world, name, client, headers)
            assert (status, b'"forbidden"' in body) == (403, True), (name, status, body)
    assert world.rows() == before
    assert client.get(f"{API}/auth/me").status_code == 200, "the cookie was good"
