"""The people of the tests of the public endpoints, and what they do, in this process.

ann and ben are visitors of one site, olga its operator; oscar is the operator of another site, where somebody has
the same session id as ann. One app serves a whole module; every test gets sites of its own.
"""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from PIL import Image

from tests.conftest import config_for
from tests.upstream import Upstream
from tests.wire import Received, parse_events
from vexar import models
from vexar.conversing.visitors import LockedVisitor, find
from vexar.models import Operator, Site
from vexar.sites.settings import SiteSettings, write_settings
from vexar.store import Store, Transaction

API = "/api/v1"
ORIGIN = "https://shop.example"


@contextmanager
def open_app(folder: Path, **settings: object) -> Iterator[Any]:
    """An app with a model that answers at once; `app.upstream` is the model."""
    from app import create_app

    with Upstream() as upstream:
        app = create_app(config_for(folder, **{"ai_base_url": upstream.url, **settings}))
        app.upstream = upstream
        # It would write between two looks at the rows.
        app.extensions["vexar"].scheduler.close()
        try:
            _warm_up(app)
            yield app
        finally:
            app.extensions["vexar"].close()


def _warm_up(app: Any) -> None:
    # The native threads begin with the first work; the leak detector would count them against the first test.
    ann = Visitor(app.test_client(), add_site(app.extensions["vexar"].store).site_key)
    ann.ask("Hello", image_url=ann.upload(picture()).json["url"])


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), **options: Any) -> bytes:
    """The file of a small image."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, kind, **options)
    return file.getvalue()


class Visitor:
    """One session on one site."""

    def __init__(self, client: Any, site_key: str, session_id: str | None = None) -> None:
        self.client = client
        self.session_id = session_id or f"sess_{secrets.token_hex(16)}"
        self.scope = {"site_key": site_key, "session_id": self.session_id}

    def get(self, path: str, /, headers: dict | None = None, **query: Any) -> Any:
        """GET an endpoint with the session in the query."""
        return self.client.get(f"{API}/{path}", query_string={**self.scope, **query}, headers=headers)

    def post(self, path: str, /, headers: dict | None = None, **fields: Any) -> Any:
        """POST to an endpoint with the session in the body."""
        return self.client.post(f"{API}/{path}", json={**self.scope, **fields}, headers=headers)

    def upload(self, data: bytes, name: str = "image.png") -> Any:
        """POST an image with the session in the form."""
        form = {**self.scope, "image": (io.BytesIO(data), name)}
        return self.client.post(f"{API}/chat/upload-image", data=form, content_type="multipart/form-data")

    def ask(self, message: str = "Do you ship to Canada?", **fields: Any) -> list[Received]:
        """Send a message and read its stream to the end."""
        answer = self.post("chat/stream", message=message, **fields)
        assert answer.status_code == 200, answer.text
        return list(parse_events(answer.get_data()))

    def history(self, **query: Any) -> list[dict]:
        """The messages of one page of the history."""
        return self.get("chat/history", **query).json["messages"]

    def people(self, **query: Any) -> dict:
        """What operator-messages answers."""
        return self.get("chat/operator-messages", **query).json


class Cast:
    """Two sites, their people and ann and ben."""

    def __init__(self, app: Any, **settings: Any) -> None:
        self.parts = app.extensions["vexar"]
        self.store, self.verbs = self.parts.store, self.parts.conversations
        self.client = app.test_client()
        # One transaction for all of them: every test waits for its commit.
        self.site, self.elsewhere, self.olga, self.oscar = add(
            self.store, site_row(**settings), site_row(), operator_row("Olga"), operator_row("Oscar")
        )
        self.ann, self.ben = self.visitor(), self.visitor()
        self.stranger = Visitor(self.client, self.elsewhere.site_key, self.ann.session_id)

    def visitor(self) -> Visitor:
        """A new session on the site."""
        return Visitor(self.client, self.site.site_key)

    def olga_says(self, visitor: Visitor, content: str) -> int:
        """A message of olga's; she takes the conversation first."""
        return self.verbs.say(self.site.id, visitor.session_id, self.olga, content=content)

    def oscar_says(self, content: str) -> int:
        """A message of oscar's to the visitor of his site who has ann's session id."""
        return self.verbs.say(self.elsewhere.id, self.stranger.session_id, self.oscar, content=content)

    def olga_proposes(self, visitor: Visitor, content: str) -> int:
        """A proactive message of olga's."""
        return self.verbs.propose(self.site.id, visitor.session_id, self.olga, content=content)

    def fill(self, visitor: Visitor, *roles: str) -> None:
        """Give a visitor one message of each role, in one transaction."""
        self.store.write(_fill, site_id=self.site.id, session_id=visitor.session_id, roles=roles)

    def block(self, visitor: Visitor, reason: str | None = None, until_ms: int | None = None) -> None:
        """Block a session."""
        self.verbs.block(self.site.id, "session", visitor.session_id, reason=reason, until_ms=until_ms)

    def row(self, visitor: Visitor) -> Any:
        """The visitor's row, or None."""
        site = self.elsewhere if visitor is self.stranger else self.site
        return self.store.read(find, site_id=site.id, session_id=visitor.session_id)

    def rows(self, *tables: str) -> dict[str, list[str]]:
        """Every row of these tables (none named: of all)."""
        return self.store.read(_rows, tables=tables)


def site_row(*, identity_secret: str = "", is_active: int = 1, **settings: Any) -> tuple:
    """A new site, every origin allowed unless told."""
    text = write_settings(SiteSettings(**{"allowed_origins": ["*"], **settings}))
    return Site, {
        "site_key": f"sk_{secrets.token_hex(12)}", "name": "Shop", "url": ORIGIN, "is_active": is_active,
        "settings": text, "identity_secret": identity_secret, "upload_bytes": 0, "knowledge_version": 0,
        "created_ms": 1, "changed_ms": 1,
    }  # fmt: skip


def operator_row(name: str) -> tuple:
    """A new person."""
    return Operator, {
        "email": f"{secrets.token_hex(4)}@shop.example", "name": name, "avatar_url": None, "is_owner": 0,
        "key_hash": None, "created_ms": 1,
    }  # fmt: skip


def add(store: Store, *rows: tuple) -> list[Any]:
    """Store sites and persons: each with its columns and its `id`."""
    numbers = store.write(_insert, rows=rows)
    return [SimpleNamespace(id=number, **values) for number, (_, values) in zip(numbers, rows, strict=True)]


def add_site(store: Store, **settings: Any) -> Any:
    """One more site: `id`, `site_key`."""
    return add(store, site_row(**settings))[0]


def wait_until(condition: Callable[[], Any], what: str, timeout_s: float = 10.0) -> Any:
    """What `condition` gives once it is true."""
    give_up = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < give_up, f"waited in vain for {what}"
        time.sleep(0.005)
    return found


def _fill(tx: Transaction, *, site_id: int, session_id: str, roles: tuple[str, ...]) -> None:
    visitor = LockedVisitor.find_or_create(tx, site_id, session_id)
    conversation = visitor.open_conversation()
    for role in roles:
        visitor.append(role, f"{role} {visitor.last_seq + 1}", conversation_id=conversation.id)
    visitor.save()


def _insert(tx: Transaction, *, rows: tuple) -> list[int]:
    return [tx.insert(model.insert(**values)) for model, values in rows]


def _rows(tx: Transaction, *, tables: tuple[str, ...]) -> dict[str, list[str]]:
    every = [model for model in vars(models).values() if isinstance(model, type) and hasattr(model, "_meta")]
    named = {model._meta.table_name: model for model in every if model._meta.sorted_fields}
    return {
        name: sorted(map(repr, tx.all(model.select(model))))
        for name, model in named.items()
        # Open streams write who is online as time goes by.
        if (name in tables if tables else name != "online_session")
    }  # fmt: skip


# Every public endpoint with the least it takes beside site_key and session_id.
GETS = {
    "chat/history": {},
    "chat/operator-messages": {},
    "chat/block-status": {},
    "chat/pending-proactive": {},
    "chat/config": {},
    "chat/stream": {"message_id": "m_1"},
    "chat/events": {},
}
POSTS = {
    "chat/stream": {"message": "Hello"},
    "chat/stop": {"message_id": "m_1"},
    "chat/email": {"email": "ann@shop.example"},
    "chat/contact": {"phone": "+15550100"},
    "chat/rate": {"score": 4},
    "chat/rate/comment": {"comment": "Thanks"},
    "chat/close": {},
    "chat/request-operator": {},
    "chat/typing": {},
    "chat/read": {"cursor": 1},
    "proactive/event": {"event": "shown", "rule_path": "/"},
}
READS = ("chat/history", "chat/operator-messages", "chat/block-status", "chat/pending-proactive", "chat/config")
