"""A site of 300 pages with traps: the right pages and nothing else, again and again, and after a kill."""

from __future__ import annotations

import ipaddress
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from tests.conftest import add_site
from tests.services import ROOT
from tests.shop_site import HTML, ShopSite, html
from tests.test_outside import Listener
from vexar.knowledge import stored
from vexar.knowledge.crawling import rows as crawl_rows
from vexar.knowledge.crawling import visit
from vexar.knowledge.crawling.asking import CrawlFailed
from vexar.knowledge.crawling.crawler import Crawler
from vexar.knowledge.crawling.urls import Domain, is_trap
from vexar.knowledge.reading.reader import Reader
from vexar.knowledge.search import search
from vexar.models import Site
from vexar.outbound.outside import Outside
from vexar.store import open_store

LOOPBACK = (ipaddress.ip_network("127.0.0.1/32"),)
# Read for what they say, beside those in `pages`.
MORE = {"/latin", "/liar"}
WORKER = """
import ipaddress, sys, time
from vexar.knowledge.crawling import rows as crawl_rows
from vexar.knowledge.crawling.crawler import Crawler
from vexar.knowledge.reading.reader import Reader
from vexar.outbound.outside import Outside
from vexar.store import open_store
crawl_rows.LEASE_MS = 1000
outside = Outside((ipaddress.ip_network("127.0.0.1/32"),))
crawler = Crawler(open_store(sys.argv[1]), outside, Reader(), owner=sys.argv[2], delay_s=0)
deadline = time.monotonic() + 60
while not crawler.work() and time.monotonic() < deadline:
    time.sleep(0.05)
"""


@pytest.fixture
def make_world(tmp_path, make_database):
    """`make_world(products=5)`: site, store, crawler."""
    made = []

    def make(url=f"sqlite:///{tmp_path}/crawl.db", **options):
        site = ShopSite(**options)
        store = open_store(url)
        reader = Reader()
        crawler = Crawler(store, Outside(LOOPBACK), reader, owner="one", delay_s=0)
        number = add_site(store, "sk_crawl")
        store.write(lambda tx: tx.run(Site.update(url=site.url).where(Site.id == number)))
        made.append(SimpleNamespace(site=site, store=store, crawler=crawler, id=number, url=url, reader=reader))
        return made[-1]

    yield make
    for world in made:
        world.crawler.close()
        world.reader.close()
        world.store.close()
        world.site.close()


def run(world):
    """One whole crawl: its state and pages by outcome."""
    assert world.crawler.order(world.id)
    assert world.crawler.work()
    row, counts, _ = world.store.read(crawl_rows.status, site_id=world.id)
    return row.outcome, counts


def entries(world):
    """{path: (id, text)} of what is known."""
    rows, _ = world.store.read(stored.page, site_id=world.id, kind="page", search="", limit=5000, offset=0)
    assert len({row.url for row in rows}) == len(rows)
    return {row.url.removeprefix(world.site.url): (row.id, row.content) for row in rows}


@pytest.mark.slow
def test_300_pages_with_all_traps_give_the_right_pages_and_nothing_else(make_world):
    listener = Listener()
    world = make_world(products=295, forbidden_port=listener.port)
    state, counts = run(world)
    known = entries(world)
    loops = {path for path in known if path.startswith("/loop")}
    assert set(known) - loops == set(world.site.pages) | MORE
    # Its pages differ in nothing but their addresses: one of them is a page like any other.
    assert len(loops) <= 1
    assert (state, counts["kept"], listener.count) == ("complete", len(known), 0)
    assert len(world.site.asked) < 400
    assert not [path for path in world.site.asked if path.startswith("/admin")]
    assert known["/latin"][1] == "Schöne Grüße aus dem Café an der Straße."
    assert known["/liar"][1] == "Größen von Süß bis Öl."
    assert not [text for _, text in known.values() if "Imprint" in text or "Calendar" in text]
    assert search(world.store, world.id, "word123").passages[0].url == f"{world.site.url}/product/123"
    listener.close()


def test_a_second_crawl_updates_what_changed_and_removes_what_is_gone(make_world, database_url):
    world = make_world(database_url, products=8)
    run(world)
    first = entries(world)
    world.site.extra["/product/1"] = (200, HTML, html("Product 1", "<p>The walrus is now the thing here.</p>"))
    world.site.extra["/product/2"] = (404, HTML, b"gone for good")
    world.site.extra["/product/3"] = (500, HTML, b"not well today")
    world.site.extra["/product/4"] = (301, {"Location": "/product/44"}, b"")
    world.site.extra["/product/44"] = (200, HTML, world.site.pages["/product/4"])
    assert run(world)[0] == "complete"
    second = entries(world)
    assert set(first) - set(second) == {"/product/2", "/product/4"}
    assert set(second) - set(first) == {"/product/44"}
    assert (second["/product/1"][0], "walrus" in second["/product/1"][1]) == (first["/product/1"][0], True)
    assert second["/product/3"] == first["/product/3"]
    assert {path: second[path] for path in ("/product/5", "/")} == {path: first[path] for path in ("/product/5", "/")}
    assert search(world.store, world.id, "word2").passages == ()
    # No longer linked, no longer listed.
    world.site.extra["/"] = (200, HTML, html("Our shop", "<p>Nothing is for sale here any more.</p>"))
    world.site.extra["/maps.xml"] = (404, {}, b"")
    run(world)
    assert {path for path in entries(world) if not path.startswith("/loop")} == {"/"}


def test_only_one_crawl_of_a_site_runs_and_its_caps_hold(make_world, monkeypatch):
    world = make_world(products=30)
    assert world.crawler.order(world.id)
    assert not world.crawler.order(world.id)
    monkeypatch.setattr(visit, "MAX_PAGES", 10)
    assert world.crawler.work()
    row, counts, _ = world.store.read(crawl_rows.status, site_id=world.id)
    assert (row.outcome, row.detail, sum(counts.values())) == ("capped", "stopped after 10 pages", 10)
    before = entries(world)
    monkeypatch.setattr(visit, "MAX_PAGES", 2000)
    monkeypatch.setattr(visit, "MAX_BYTES", 3000)
    assert run(world)[0] == "capped"
    assert before.keys() <= entries(world).keys(), "who was cut removes nothing it did not see"


@pytest.mark.parametrize(
    ("robots", "state"),
    [((500, {}, b""), "failed"), ((404, {}, b""), "complete"), ((200, {}, b"<html>no rules"), "complete")],
)
def test_robots_that_cannot_be_read_forbid_everything_and_missing_ones_nothing(make_world, robots, state):
    world = make_world(products=2)
    world.site.extra["/robots.txt"] = robots
    world.site.extra["/maps.xml"] = (404, {}, b"")
    assert run(world)[0] == state
    assert bool(entries(world)) == (state == "complete")


def test_a_site_on_a_private_address_is_never_asked(make_world):
    world = make_world(products=2)
    world.crawler.outside.close()
    world.crawler.outside = Outside()
    assert run(world)[0] == "failed"
    assert world.site.asked == []


def test_one_page_is_read_at_once_and_only_of_the_site_itself(make_world):
    world = make_world(products=2)
    site = SimpleNamespace(id=world.id, url=world.site.url)
    number = world.crawler.read_one(site, "/moved")
    assert entries(world)["/moved-here"][0] == number
    for url in ("http://elsewhere.example/", "/private-redirect", "/huge", "/data", "file:///etc/hostname"):
        with pytest.raises(CrawlFailed):
            world.crawler.read_one(site, url)


@pytest.mark.servers
def test_kill_9_in_the_middle_is_followed_by_another_worker_that_goes_on(make_world):
    world = make_world(products=150, delay_s=0.01)
    assert world.crawler.order(world.id)
    workers = []

    def start(name):
        workers.append(subprocess.Popen([sys.executable, "-c", WORKER, world.url, name], cwd=ROOT))
        return workers[-1]

    for name, count in (("a", 40), ("b", 90)):
        worker = start(name)
        wait_for(lambda count=count: len(world.site.asked) > count)
        worker.send_signal(signal.SIGKILL)
        worker.wait(10)
    assert start("c").wait(120) == 0
    row, counts, _ = world.store.read(crawl_rows.status, site_id=world.id)
    assert (row.outcome, row.owner) == ("complete", "c")
    known = {path for path in entries(world) if not path.startswith("/loop")}
    assert known == set(world.site.pages) | MORE
    again = [path for path in world.site.asked if path.startswith("/product") and world.site.asked.count(path) > 1]
    assert len(again) <= 4, "at most the page it was at is read twice, for each kill"


def wait_for(is_there, patience_s=60.0):
    deadline = time.monotonic() + patience_s
    while not is_there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("HTTPS://WWW.Shop.example:443/a/./b/../c/?b=2&a=1&utm_source=x#frag", "https://www.shop.example/a/c/?a=1&b=2"),
        ("https://shop.example", "https://shop.example/"), ("http://shop.example/x", "http://shop.example/x"),
        ("https://shop.example/%7Ea/%C3%BC/ü", "https://shop.example/~a/%C3%BC/%C3%BC"),
        ("https://shop.example/p;jsessionid=1?sid=2", "https://shop.example/p"),
        ("https://shop.example:8443/", ""), ("https://other.example/", ""), ("https://shop.example.evil.example/", ""),
        ("https://u@shop.example/", ""), ("ftp://shop.example/", ""), ("https://shop.example/a.PDF", ""),
        ("https://shop.example:x/", ""), ("mailto:a@shop.example", ""), ("https://shop.example/" + "a" * 1000, ""),
    ],
)  # fmt: skip
def test_an_address_has_one_spelling(url, plain):
    assert Domain("https://shop.example").plain(url) == plain


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/a/b/a/b/a/b", True), ("/calendar/2026/01", True), ("/2026/11/22/", True), ("/list?sort=x", True),
        ("/x?a=1&b=2&c=3&d=4&e=5", True), ("/" + "a/b/c/d/" * 4, True), ("/cart", True), ("/x?date=2026-01-01", True),
        ("/2026/11/a-post", False), ("/product/2026", False), ("/p?id=7", False), ("/list?page=3", False),
        ("/cartoons", False), ("/en/help/returns", False),
    ],
)  # fmt: skip
def test_traps_are_known_by_their_addresses(path, is_one):
    assert is_trap(f"https://shop.example{path}") is is_one
