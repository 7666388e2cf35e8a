"""What commands work with: settings, the store, and the verbs of conversations, each opened when first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from config import Config
from vexar.cli import CommandError
from vexar.models import Operator, Site
from vexar.people.links import base_url
from vexar.sites.sites import widget_code
from vexar.store import Store, Transaction, open_store

if TYPE_CHECKING:
    from vexar.broker import Broker
    from vexar.conversing.conversations import Conversations
    from vexar.erasing.erasing import Eraser


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
        from vexar.broker import Broker

        return Broker(folder=self.config.data_dir / "doorbells", redis_url=self.config.redis_url)

    @cached_property
    def conversations(self) -> Conversations:
        """The verbs of conversations."""
        from vexar.conversing.conversations import Conversations

        return Conversations(self.store, self.broker, self.config, owner="command")

    @cached_property
    def eraser(self) -> Eraser:
        """What erases for good."""
        from vexar.erasing.erasing import Eraser
        from vexar.media.uploads import Uploads

        return Eraser(self.store, self.broker, Uploads(self.config, self.store))

    def site(self, site_key: str) -> Any:
        """The row of an active site. Raises CommandError."""
        site = self.store.read(_find_site, site_key=site_key)
        if site is None:
            raise CommandError(f"no active site has the key {site_key}")
        return site

    def operator(self, email: str) -> Any:
        """The row of an operator. Raises CommandError."""
        operator = self.store.read(_find_operator, email=email.lower())
        if operator is None:
            raise CommandError(f"there is no operator {email}; add one with add-operator")
        return operator

    @property
    def base(self) -> str:
        """The address the server is reached at, as far as the settings tell."""
        return base_url(self.config)

    def tag(self, site_key: str) -> str:
        """What a site pastes into its pages."""
        return widget_code(self.base, site_key)

    def close(self) -> None:
        """Release what was opened."""
        if "broker" in self.__dict__:
            self.broker.close()
        if "store" in self.__dict__:
            self.store.close()


def _find_site(tx: Transaction, *, site_key: str) -> Any:
    return tx.one(Site.select(Site).where((Site.site_key == site_key) & (Site.is_active == 1)))


def _find_operator(tx: Transaction, *, email: str) -> Any:
    return tx.one(Operator.select(Operator).where((Operator.email == email) & (Operator.is_active == 1)))
