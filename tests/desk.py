"""The desk of the tests: people of a site, verbs without a server's doorbell, every row there is."""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from config import Config
from vexar import models
from vexar.broker import Broker
from vexar.conversing.conversations import Conversations
from vexar.people.auth import hash_token
from vexar.store import Store, Transaction, open_store


def add_operator(store: Store, name: str = "Olga", avatar_url: str | None = None, site_id: int = 1) -> SimpleNamespace:
    """A new person who may chat on a site: `id`, `name`."""
    row = models.Operator.insert(
        email=f"{secrets.token_hex(4)}@shop.example", name=name, avatar_url=avatar_url, is_owner=0, key_hash=None,
        created_ms=1,
    )

    def job(tx: Transaction) -> int:
        operator_id = tx.insert(row)
        tx.run(models.OperatorSite.insert(
            operator_id=operator_id, site_id=site_id, can_chat=1, can_view_conversations=1, can_edit=0
        ))
        return operator_id

    return SimpleNamespace(id=store.write(job), name=name)


@contextlib.contextmanager
def far_away(config: Config) -> Iterator[Conversations]:
    """The verbs in another process: a connection of its own, and rings that never arrive."""
    with contextlib.closing(open_store(config.database_url)) as store:
        yield Conversations(store, Broker(), config, owner="far")


def all_rows(store: Store) -> dict[str, list]:
    """What is stored in every table, but for who is online at the moment: open streams write that as time goes by."""
    tables = [model for model in vars(models).values() if isinstance(model, type) and hasattr(model, "_meta")]

    def job(tx: Transaction) -> dict[str, list]:
        return {
            table.__name__: tx.all(table.select(table))
            for table in tables if table._meta.sorted_fields[1:] and table is not models.OnlineSession
        }

    return store.read(job)


class Desk:
    """A person of some sites over HTTP: `get("operator/status")`, `post("operator/accept/1")`, with its API key."""

    def __init__(self, client: Any, store: Store, *site_ids: int, name: str = "Olga", is_owner: bool = False,
                 **rights: int) -> None:  # fmt: skip
        self.client = client
        self.name = name
        self.token = secrets.token_hex(32)
        self.email = f"{secrets.token_hex(4)}@shop.example"
        row = models.Operator.insert(
            email=self.email, name=name, avatar_url=None, is_owner=int(is_owner), key_hash=hash_token(self.token),
            created_ms=1,
        )
        self.id = store.write(lambda tx: tx.insert(row))
        for site_id in site_ids:
            right = models.OperatorSite.insert(operator_id=self.id, site_id=site_id, **rights)
            store.write(lambda tx, right=right: tx.run(right))

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **query: Any) -> Any:
        """GET an endpoint below /api/v1/."""
        return self.client.get(f"/api/v1/{path}", query_string=query, headers=self.headers)

    def post(self, path: str, **fields: Any) -> Any:
        """POST a JSON body."""
        return self.client.post(f"/api/v1/{path}", json=fields, headers=self.headers)

    def put(self, path: str, **fields: Any) -> Any:
        """PUT a JSON body."""
        return self.client.put(f"/api/v1/{path}", json=fields, headers=self.headers)

    def delete(self, path: str) -> Any:
        """DELETE a thing."""
        return self.client.delete(f"/api/v1/{path}", headers=self.headers)

    def upload(self, data: bytes, **fields: Any) -> Any:
        """POST an image with some fields."""
        form = {**fields, "image": (io.BytesIO(data), "image.png")}
        return self.client.post(
            "/api/v1/operator/upload-image", data=form, content_type="multipart/form-data", headers=self.headers
        )
