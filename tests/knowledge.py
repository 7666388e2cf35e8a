"""What the knowledge tests share: sites and entries."""

from __future__ import annotations

from types import SimpleNamespace

from vexar.knowledge.entries import Entry
from vexar.models import Site
from vexar.sites.settings import SiteSettings, write_settings
from vexar.store import Store


def make_site(store: Store, site_key: str = "sk_test", *, is_active: int = 1, **settings: object) -> SimpleNamespace:
    """A new site's row: id, name, settings."""
    written = write_settings(SiteSettings(**settings))

    def insert(tx):
        return tx.insert(Site.insert(
            site_key=site_key, name="Test shop", url="https://shop.test/", is_active=is_active, settings=written,
            identity_secret="", upload_bytes=0, knowledge_version=0, created_ms=0, changed_ms=0))

    return SimpleNamespace(id=store.write(insert), name="Test shop", settings=written, site_key=site_key)


def faq(question: str, content: str, url: str | None = None) -> Entry:
    """A faq entry titled by its question."""
    return Entry("faq", question, question, content, url)


SHOP = [
    faq("Do you ship to Canada?", "Yes, we ship to Canada for 12 dollars.", "/canada"),
    faq("How do I return an item?", "Send it back within 45 days.", "/returns"),
    faq("Which payment methods do you accept?", "Cards and PayPal.", "/payment"),
    faq("How long is the warranty?", "Two years on everything.", "/warranty"),
    Entry("page", "About our workshop", "", "We knit sweaters in a harbour town. The kettle is always on.", "/about"),
]
