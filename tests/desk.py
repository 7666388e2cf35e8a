"""The desk of the tests: people of a site, verbs without a server's doorbell, every row there is."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from types import SimpleNamespace

from config import Config
from vexar import models
from vexar.broker import Broker
from vexar.conversations import Conversations
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
