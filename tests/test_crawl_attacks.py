"""What owners do to a crawl: pages no database takes, texts that move, long lists of maps, a stop in the middle."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.shop_site import HTML
from tests.test_crawl import entries, make_world, run  # noqa: F401
from tests.test_crawl_manners import lay_out, links, say
from vexar.knowledge.crawling import rows, visit
from vexar.knowledge.crawling.crawler import CrawlFailed
from vexar.knowledge.crawling.rules import MAX_SITEMAPS, sitemap_urls
from vexar.knowledge.index import remove_entries


def news(world):
    """(added, updated, removed) of the last crawl."""
    return world.store.read(rows.news, site_id=world.id)


@pytest.mark.parametrize("sign", ["\\ud800", "\\u0000"])
def test_a_sign_that_cannot_be_stored_does_not_stop_a_crawl(make_world, sign):  # noqa: F811
    world = make_world()
    script = (
        "<script type='application/ld+json'>{\"@type\": \"FAQPage\", \"mainEntity\": {\"@type\": \"Question\", "
        f"\"name\": \"Is it {sign} wool?\", \"acceptedAnswer\": {{\"@type\": \"Answer\", \"text\": \"{sign}Yes.\"}}}}}}"
        "</script>"
    )
    lay_out(world, {"/": say("Home", body=links("/faq")), "/faq": say("Answers", script)})
    assert run(world)[0] == "complete"
    assert "Yes." in entries(world)["/faq"][1]
    assert world.crawler.read_one(SimpleNamespace(id=world.id, url=world.site.url), "/faq") == entries(world)["/faq"][0]


def test_a_page_that_is_read_alone_again_and_again_stays_one_entry(make_world):  # noqa: F811
    world = make_world()
    site = SimpleNamespace(id=world.id, url=world.site.url)
    numbers = set()
    for price in ("five", "six"):
        lay_out(world, {"/": say("Home", body=links("/price")), "/price": say("Price", body=f"It is {price} euros.")})
        numbers.add(world.crawler.read_one(site, "/price"))
    lay_out(world, {"/": say("Home", body=links("/price")), "/price": say("Price", body="It is seven euros.")})
    run(world)
    assert numbers == {entries(world)["/price"][0]}
    assert "seven" in entries(world)["/price"][1]


def test_an_address_that_is_none_is_no_page_of_the_site(make_world):  # noqa: F811
    world = make_world()
    for url in ("http://[x", "//[", "http://a:b/"):
        with pytest.raises(CrawlFailed, match="no page"):
            world.crawler.read_one(SimpleNamespace(id=world.id, url=world.site.url), url)


def test_a_text_that_moved_is_kept_when_its_old_address_says_something_else(make_world):  # noqa: F811
    world = make_world()
    lay_out(world, {"/": say("Home", body=links("/news")), "/news": say("Sale of March")})
    run(world)
    lay_out(world, {
        "/": say("Home", body=links("/archive", "/more")), "/archive": say("Sale of March"),
        "/more": say("More", body=links("/news")), "/news": say("Sale of April"),
    })  # fmt: skip
    run(world)
    assert {path for path, (_, text) in entries(world).items() if "March" in text} == {"/archive"}
    assert {path for path, (_, text) in entries(world).items() if "April" in text} == {"/news"}


def test_what_was_removed_is_counted_whichever_way_it_went(make_world):  # noqa: F811
    world = make_world()
    pages = {f"/{name}": say(f"Page {name}") for name in ("stays", "missing", "forgotten", "moves")}
    lay_out(world, {"/": say("Home", body=links(*pages)), **pages})
    run(world)
    assert news(world) == (5, 0, 0)
    lay_out(world, {
        "/": say("Home", body=links("/stays", "/missing", "/moves")), "/stays": pages["/stays"],
        "/moves": (301, {**HTML, "Location": "/moved"}, b""), "/moved": pages["/moves"],
    })  # fmt: skip
    run(world)
    assert set(entries(world)) == {"/", "/stays", "/moved"}
    # The entry of the page that moved went before its new address was read.
    assert news(world) == (1, 1, 3)
    # What fails later was not removed a second time.
    world.site.extra["/missing"] = (500, HTML, b"")
    run(world)
    assert news(world)[2] == 0


def test_two_addresses_of_one_text_that_are_gone_leave_nothing_behind(make_world, monkeypatch):  # noqa: F811
    world = make_world()
    lay_out(world, {"/": say("Home", body=links("/old")), "/old": say("A text that moves")})
    run(world)
    # Cut before the old address is looked at again: both lead to the one entry.
    sitemap = (200, {}, f"<urlset><loc>{world.site.url}/new</loc></urlset>".encode())
    lay_out(world, {"/": say("Home"), "/new": say("A text that moves"), "/sitemap.xml": sitemap})
    monkeypatch.setattr(visit, "MAX_PAGES", 2)
    assert run(world)[0] == "capped"
    assert set(entries(world)) == {"/", "/new"}
    monkeypatch.undo()
    lay_out(world, {"/": say("Home")})
    run(world)
    assert set(entries(world)) == {"/"}


def test_a_long_list_of_sitemaps_is_read_up_to_its_cap():
    maps = [f"http://a/{number}.xml" for number in range(80)]
    found = list(sitemap_urls(["http://a/map"], lambda url: (True, maps) if url.endswith("map") else (False, [url])))
    assert found == maps[:MAX_SITEMAPS - 1]


def test_maps_count_for_the_cap_of_bytes(make_world, monkeypatch):  # noqa: F811
    world = make_world()
    maps = {f"/{number}.xml": (200, {}, b"<urlset>" + b" " * 2000) for number in range(20)}
    index = "".join(f"<loc>{world.site.url}{path}</loc>" for path in maps)
    lay_out(world, {"/": say("Home"), **maps, "/sitemap.xml": (200, {}, f"<sitemapindex>{index}".encode())})
    monkeypatch.setattr(visit, "MAX_BYTES", 6000)
    assert run(world)[0] == "capped"
    assert len([path for path in world.site.asked if path.endswith(".xml")]) < 6


def test_a_stopped_crawl_ends_at_its_page_removes_nothing_and_makes_room_for_the_next(make_world):  # noqa: F811
    world = make_world()
    pages = {f"/{number}": say(f"Page {number}") for number in range(6)}
    lay_out(world, {"/": say("Home", body=links(*pages)), **pages})
    run(world)
    before = set(entries(world))
    pages.pop("/5")
    lay_out(world, {"/": say("Home", body=links(*pages)), **pages})
    real = world.site.answer

    def answer(path):
        # Also at the page that is gone: whichever is asked for first.
        if path[1:].isdigit():
            world.store.write(rows.stop, site_id=world.id)
        return real(path)

    world.site.answer = answer
    assert world.crawler.order(world.id)
    assert world.crawler.work()
    row, counts, _ = world.store.read(rows.status, site_id=world.id)
    assert (row.is_running, row.outcome, bool(row.ended_ms)) == (0, "stopped", True)
    assert sum(counts.values()) == 1
    assert (set(entries(world)), world.crawler.work()) == (before, False)
    world.site.answer = real
    assert run(world)[0] == "complete"
    assert before - set(entries(world)) == {"/5"}


def test_who_lost_a_crawl_writes_nothing_into_the_next_one(make_world):  # noqa: F811
    world = make_world()
    lay_out(world, {"/": say("Home")})
    run(world)
    run(world)
    url = f"{world.site.url}/"
    world.store.write(rows.done, site_id=world.id, url=url, number=1, outcome="gone")
    assert world.store.read(rows.page, site_id=world.id, url=url).outcome == "kept"
    # The entry of a page may be taken away by hand; the next crawl brings it back.
    remove_entries(world.store, world.id)
    run(world)
    assert set(entries(world)) == {"/"}
