"""The demo shop: the site `sk_demo` with the knowledge of an invented shop, so that a first question gets an answer."""

from __future__ import annotations

from pathlib import Path

from vexar.knowledge.files import import_files
from vexar.models import Site
from vexar.settings import SiteSettings, write_settings
from vexar.store import Duplicate, P, Statement, Store, Transaction

SITE_KEY = "sk_demo"
SHOP_NAME = "Juniper Lane"
KNOWLEDGE = Path(__file__).with_name("demo_shop.jsonl")
SETTINGS = SiteSettings(
    bot_name="June from Juniper Lane",
    welcome_message="Hello, and welcome to Juniper Lane! Ask me about delivery, returns, sizes or anything else.",
    primary_color="#2f6f4f",
    starters=["Do you ship to Canada?", "How can I return something?", "How do I wash a wool sweater?"],
    collect_data="email",
    allowed_origins=["*"],
)
FIND_SITE = Statement(Site.select(Site.id).where(Site.site_key == SITE_KEY))
INSERT_SITE = Statement(Site.insert({
    Site.site_key: SITE_KEY, Site.name: SHOP_NAME, Site.url: "http://127.0.0.1:8000/", Site.is_active: 1,
    Site.settings: P.settings, Site.identity_secret: "", Site.upload_bytes: 0, Site.knowledge_version: 0,
    Site.created_ms: P.now_ms, Site.changed_ms: P.now_ms,
}))


def load(store: Store) -> int:
    """Make the demo site and its knowledge where they are missing; the site's id.

    May be repeated, and by several servers at once. What its owner changed in the site's settings stays.
    """
    site_id = add_site(store)
    import_files(store, site_id, [KNOWLEDGE], lang="en")
    return site_id


def add_site(store: Store) -> int:
    """Make the demo site alone, without its knowledge, where it is missing; its id."""
    return store.write(_site)


def _site(tx: Transaction) -> int:
    found = tx.one(FIND_SITE)
    if found:
        return found.id
    try:
        return tx.insert(INSERT_SITE, settings=write_settings(SETTINGS), now_ms=tx.now_ms())
    except Duplicate:
        return tx.one(FIND_SITE).id
