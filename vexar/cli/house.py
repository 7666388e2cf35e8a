"""What commands work with: settings, the store, and the verbs of conversations, each opened when first used."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from config import Config
from vexar.broker import Broker
from vexar.cli import CommandError
from vexar.conversations import Conversations
from vexar.models import Operator, Site
from vexar.store import P, Statement, Store, Transaction, open_store

FIND_SITE = Statement(Site.select(Site).where((Site.site_key == P.site_key) & (Site.is_active == 1)))
FIND_OPERATOR = Statement(Operator.select(Operator).where(Operator.email == P.email))


class House:
    """One run of the command line. Close it."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def store(self) -> Store:
        """The database, migrated. Raises StoreError."""
        return open_store(self.config.database_url)

    @cached_property
    def broker(self) -> Broker:
        """Rings the running server, so that open widgets see at once what a command did."""
        return Broker(folder=self.config.data_dir / "doorbells", redis_url=self.config.redis_url)

    @cached_property
    def conversations(self) -> Conversations:
        """The verbs of conversations."""
        return Conversations(self.store, self.broker, self.config, owner="command")

    def site(self, site_key: str) -> Any:
        """The row of an active site. Raises CommandError."""
        site = self.store.read(_one, statement=FIND_SITE, site_key=site_key)
        if site is None:
            raise CommandError(f"no active site has the key {site_key}")
        return site

    def operator(self, email: str) -> Any:
        """The row of an operator. Raises CommandError."""
        operator = self.store.read(_one, statement=FIND_OPERATOR, email=email.lower())
        if operator is None:
            raise CommandError(f"there is no operator {email}; add one with add-operator")
        return operator

    def close(self) -> None:
        """Release what was opened."""
        if "broker" in self.__dict__:
            self.broker.close()
        if "store" in self.__dict__:
            self.store.close()


def _one(tx: Transaction, *, statement: Statement, **params: Any) -> Any:
    return tx.one(statement, **params)
