"""The demo shop: the site `sk_demo` with the knowledge of an invented shop, so that a first question gets an answer;
and its small Arabic sister `sk_demo_ar`, for the page that is written from right to left."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from vexar.knowledge.reading.files import import_files
from vexar.models import Site
from vexar.sites.settings import SiteSettings, write_settings
from vexar.store import Duplicate, P, Statement, Store, Transaction

SITE_KEY = "sk_demo"
SHOP_NAME = "Juniper Lane"
KNOWLEDGE = Path(__file__).with_name("demo_shop.jsonl")
ADDRESS = "http://127.0.0.1:8000/"
# What an earlier start on another port wrote. Every other address is its owner's.
_OUR_ADDRESS = re.compile(r"http://127\.0\.0\.1(:\d{1,5})?/?")
SETTINGS = SiteSettings(
    bot_name="June from Juniper Lane",
    welcome_message="Hello, and welcome to Juniper Lane! Ask me about delivery, returns, sizes or anything else.",
    primary_color="#2f6f4f",
    starters=["Do you ship to Canada?", "How can I return something?", "How do I wash a wool sweater?"],
    collect_data="email",
    allowed_origins=["*"],
)


class Shop(NamedTuple):
    """One shop: its site, and the file of its knowledge in its language."""

    site_key: str
    name: str
    lang: str
    knowledge: Path
    settings: SiteSettings


SHOPS = (
    Shop(SITE_KEY, SHOP_NAME, "en", KNOWLEDGE, SETTINGS),
    Shop(
        "sk_demo_ar", "جونيبر لين", "ar", KNOWLEDGE.with_name("demo_shop_ar.jsonl"),
        SiteSettings(
            bot_name="جون من جونيبر لين",
            welcome_message="أهلًا بك في جونيبر لين! اسألني عن الشحن أو الإرجاع أو المقاسات أو أي شيء آخر.",
            primary_color=SETTINGS.primary_color,
            position="left",
            starters=["كم تكلفة الشحن إلى السعودية؟", "كيف أغسل كنزة الصوف؟", "أين يقع المحل؟"],
            allowed_origins=["*"],
        ),
    ),
)
FIND_SITE = Statement(Site.select(Site.id, Site.url).where(Site.site_key == P.site_key))
INSERT_SITE = Statement(Site.insert({
    Site.site_key: P.site_key, Site.name: P.name, Site.url: P.url, Site.is_active: 1,
    Site.settings: P.settings, Site.identity_secret: "", Site.upload_bytes: 0, Site.knowledge_version: 0,
    Site.created_ms: P.now_ms, Site.changed_ms: P.now_ms,
}))
MOVE_SITE = Statement(Site.update(url=P.url, changed_ms=P.now_ms).where(Site.id == P.id))


def load(store: Store, url: str = ADDRESS) -> int:
    """Make the demo's sites and their knowledge where they are missing; the id of `sk_demo`.

    `url`: where the server is reached, which the sites' addresses follow. May be repeated, and by several servers at
    once. What its owner changed in a site's settings stays.
    """
    ids = []
    for shop in SHOPS:
        ids.append(add_site(store, shop, url))
        import_files(store, ids[-1], [shop.knowledge], lang=shop.lang)
    return ids[0]


def add_site(store: Store, shop: Shop = SHOPS[0], url: str = ADDRESS) -> int:
    """Make a shop's site alone, without its knowledge, where it is missing; its id."""
    return store.write(
        _site, site_key=shop.site_key, name=shop.name, url=url, settings=write_settings(shop.settings)
    )


def _site(tx: Transaction, *, site_key: str, name: str, url: str, settings: str) -> int:
    found = tx.one(FIND_SITE, site_key=site_key)
    if found:
        if found.url != url and _OUR_ADDRESS.fullmatch(found.url):
            tx.run(MOVE_SITE, id=found.id, url=url, now_ms=tx.now_ms())
        return found.id
    try:
        return tx.insert(INSERT_SITE, site_key=site_key, name=name, url=url, settings=settings, now_ms=tx.now_ms())
    except Duplicate:
        return tx.one(FIND_SITE, site_key=site_key).id
