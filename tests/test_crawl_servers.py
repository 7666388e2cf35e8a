"""A crawl on real servers: who is killed is followed by another worker, page for page."""

from __future__ import annotations

import os
import signal

import pytest

from tests.conftest import add_site
from tests.services import wait_until
from tests.shop_site import ShopSite
from tests.test_crawl import MORE
from vexar.knowledge import stored
from vexar.knowledge.crawling import rows
from vexar.models import Site
from vexar.store import open_store

pytestmark = pytest.mark.servers
# With its traps the site has four times as many addresses, one every 0.2 s.
PRODUCTS = 8


@pytest.fixture
def site():
    made = ShopSite(products=PRODUCTS, delay_s=0.02)
    yield made
    made.close()


def test_kill_9_of_the_worker_that_crawls_is_followed_by_another_that_goes_on(boot, make_database, site):
    database_url = make_database("sqlite")
    store = open_store(database_url)
    number = add_site(store, "sk_crawl")
    store.write(lambda tx: tx.run(Site.update(url=site.url).where(Site.id == number)))
    server = boot(workers=2, database_url=database_url, env={"VEXAR_FETCH_ALLOW": "127.0.0.1/32"})
    assert store.write(rows.begin, site_id=number)

    def status():
        return store.read(rows.status, site_id=number)

    wait_until(lambda: sum(status()[1].values()) >= 8, "the first pages")
    killed = int(status()[0].owner.partition("-")[0])
    assert killed in server.worker_pids()
    os.kill(killed, signal.SIGKILL)
    at_kill = len(site.asked)
    wait_until(lambda: not status()[0].is_running, "the end of the crawl")
    row, counts, _ = status()
    assert (row.outcome, counts.get("failed", 0)) == ("complete", 0)
    assert int(row.owner.partition("-")[0]) != killed
    known, _ = store.read(stored.page, site_id=number, kind="page", search="", limit=500, offset=0)
    paths = {entry.url.removeprefix(site.url) for entry in known}
    assert {path for path in paths if not path.startswith("/loop")} - {"/copy", "/product/7"} == (
        set(site.pages) | MORE) - {"/product/7"}  # fmt: skip
    assert len(paths) == len(known)
    twice = {path for path in site.asked if path.startswith("/product") and site.asked.count(path) > 1}
    assert len(twice) <= 1, "at most the page it was at is read twice"
    assert len(site.asked) > at_kill
    assert server.get("/healthz")[0] == 200
    store.close()
