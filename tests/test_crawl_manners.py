"""How a crawl behaves towards a site, and what it makes of what sites say to programs."""

from __future__ import annotations

import gzip
import json
import re
from email.utils import formatdate

import pytest

from tests.shop_site import HTML, html
from tests.test_crawl import entries, make_world, run  # noqa: F401
from vexar.knowledge.crawling import asking, rows, visit
from vexar.knowledge.crawling.asking import retry_after_s
from vexar.knowledge.crawling.urls import Domain
from vexar.knowledge.reading.html import directives, read_page
from vexar.knowledge.reading.sitemaps import read_sitemap
from vexar.knowledge.search import search
from vexar.outbound.outside import Answer


def say(title, head="", body=""):
    """A page with a text of its own."""
    return html(title, f"<p>All about {title} is written on this page.</p>{body}", head)


def lay_out(world, pages):
    """A site of these pages only: {path: body or (status, headers, body)}; the others are 404."""
    site = world.site
    site.pages.clear()
    site.extra = {path: (200, HTML, page) if isinstance(page, bytes) else page for path, page in pages.items()}
    site.answer = lambda target: site.extra.get(target) or site.extra.get(target.partition("?")[0]) or (404, HTML, b"")


def links(*paths):
    return "".join(f"<a href='{path}'>{path}</a> " for path in paths)


FAQ = {"@context": "https://schema.org", "@graph": [{"@type": "FAQPage", "mainEntity": [
    {"@type": "Question", "name": "Do you gift wrap?",
     "acceptedAnswer": {"@type": "Answer", "text": "<p>Yes &amp; for free.</p>"}},
    {"@type": ["Question"], "name": "Is it on the page?",
     "acceptedAnswer": {"@type": "Answer", "text": "It is there already."}}]}]}  # fmt: skip


def test_each_rule_of_a_site_and_each_kind_of_twin_is_minded(make_world):  # noqa: F811
    world = make_world(products=0)
    home = links(
        "/slash", "/slash/", "/meta-noindex", "/head-noindex", "/other-bot", "/nofollow", "/none",
        "/session?PHPSESSID=1", "/session?PHPSESSID=2", "/refresh", "/canonical-gone", "/canonical-home", "/manual.pdf",
        "/peugeot-404", "/slow", "/en", "/secret/x", "/secret/open", "/canon-a", "/canon-b",
    )
    lay_out(world, {
        "/robots.txt": (200, {}, b"User-agent: *\nDisallow: /secret/\nAllow: /secret/open\nDisallow: /*.php$\n"),
        "/": say("home", body=home),
        "/slash": say("slash"), "/slash/": say("slash"),
        "/meta-noindex": say("unseen", "<meta name=robots content='NOINDEX, follow'>", links("/behind-noindex")),
        "/behind-noindex": say("behind noindex"),
        "/head-noindex": (200, {**HTML, "X-Robots-Tag": "noindex"}, say("unseen too")),
        "/other-bot": (200, {**HTML, "X-Robots-Tag": "googlebot: noindex, nofollow"}, say("other bot")),
        "/nofollow": say("nofollow", "<meta name=robots content=nofollow>", links("/behind-nofollow")),
        "/behind-nofollow": say("behind nofollow"),
        "/none": say("unseen three", "<meta name=robots content='noarchive, none'>", links("/behind-nofollow")),
        "/session": say("session"),
        "/refresh": say("gone on", "<meta http-equiv=refresh content='0; url=/refreshed'>"),
        "/refreshed": say("refreshed"),
        "/canonical-gone": say("canonical gone", "<link rel=canonical href=/nowhere>"),
        "/canonical-home": say("canonical home", "<link rel=canonical href=/>"),
        "/manual.pdf": (200, {"Content-Type": "application/pdf"}, b"%PDF-1.4"),
        "/peugeot-404": say("Brake pads of the Peugeot 404"),
        "/slow": (200, HTML, say("slow", body=links("/max-image"))),
        "/max-image": (200, {**HTML, "X-Robots-Tag": "max-image-preview:none, all"}, say("max image")),
        "/en": say("english", "<link rel=alternate hreflang=de href=/de><link rel=alternate hreflang=en href=/en>"),
        "/de": say("deutsch"), "/secret/x": say("unseen four"), "/secret/open": say("open"),
        "/canon-a": say("canon a", "<link rel=canonical href=/canon-b>"),
        "/canon-b": say("canon b", "<link rel=canonical href=/canon-a>"),
    })  # fmt: skip
    state, counts = run(world)
    known = set(entries(world))
    slashes = known & {"/slash", "/slash/"}
    canons = known & {"/canon-a", "/canon-b"}
    assert (len(slashes), len(canons), state) == (1, 1, "complete")
    assert known - slashes - canons == {
        "/", "/other-bot", "/nofollow", "/session", "/refreshed", "/canonical-gone", "/canonical-home", "/peugeot-404",
        "/slow", "/max-image", "/en", "/de", "/secret/open", "/behind-noindex",
    }  # fmt: skip
    asked = world.site.asked
    assert not {"/secret/x", "/manual.pdf", "/behind-nofollow"} & set(asked)
    assert [path for path in asked if path.startswith("/session")] == ["/session"]
    assert (counts["noindex"], counts["duplicate"]) == (3, 1)


def test_a_site_is_asked_one_page_at_a_time_with_the_pause_it_wants(make_world):  # noqa: F811
    world = make_world(products=3, delay_s=0.02)
    world.crawler.delay_s = 0.05
    paths = ("/a", "/b", "/c")
    robots = (200, {}, b"User-agent: *\nCrawl-delay: 0.25\n")
    pages = {path: say(path) for path in paths}
    lay_out(world, {"/robots.txt": robots, "/": say("home", body=links(*paths)), **pages})
    run(world)
    assert len(entries(world)) == 4
    times = world.site.times
    # The first pause begins with the rules, which have to be read to be known.
    gaps = [began - ended for (_, ended), (began, _) in zip(times[1:], times[2:], strict=False)]
    assert len(gaps) >= 5
    assert min(gaps) >= 0.25


def test_a_busy_site_is_given_the_time_it_asks_for(make_world):  # noqa: F811
    world = make_world(products=0)
    lay_out(world, {"/": say("home", body=links("/busy", "/closed"))})
    answers = {"/busy": [(429, {"Retry-After": "1"}, b""), (200, HTML, say("busy"))]}
    plain = world.site.answer
    world.site.answer = lambda target: answers[target].pop(0) if answers.get(target) else plain(target)
    assert run(world)[0] == "complete"
    assert "/busy" in entries(world)
    at = [place for place, path in enumerate(world.site.asked) if path == "/busy"]
    assert world.site.times[at[1]][0] - world.site.times[at[0]][1] >= 1.0


def test_a_site_that_wants_to_be_left_alone_is_and_keeps_what_it_had(make_world):  # noqa: F811
    world = make_world(products=4)
    run(world)
    before, count = entries(world), len(world.site.asked)
    world.site.extra["/"] = (429, {"Retry-After": "3600"}, b"")
    assert run(world)[0] == "failed"
    assert "left alone" in world.store.read(rows.status, site_id=world.id)[0].detail
    assert entries(world) == before
    # The rules, a page that cannot be, the sitemaps; nothing after the refusal.
    assert world.site.asked[count:][-1] == "/"


def products(world):
    # By their words: a copy elsewhere may take the place of one.
    return {word for _, text in entries(world).values() for word in re.findall(r"word\d+", text)}


def down(status):
    return lambda site: setattr(site, "answer", lambda target: (status, HTML, b""))


def robots_only(site):
    real = site.answer
    site.answer = lambda target: real(target) if target == "/robots.txt" else (503, HTML, b"")


def parked(site):
    site.extra.update({"/": (302, {"Location": "http://elsewhere.example/"}, b""), "/maps.xml": (404, {}, b"")})


def no_sitemap(site):
    site.extra["/one.xml.gz"] = (500, {}, b"")


def no_hub(site):
    site.extra.update({"/": (200, HTML, html("Our shop", "<p>Welcome to the shop of many things.</p>" + links("/hub"))),
                       "/hub": (500, HTML, b"")})  # fmt: skip


@pytest.mark.parametrize("went_wrong", [down(500), down(404), down(429), robots_only, parked, no_sitemap, no_hub],
                         ids=["500", "404", "429", "robots only", "parked", "no sitemap", "no hub"])
def test_a_site_that_is_down_keeps_what_is_known_of_it(make_world, monkeypatch, went_wrong):  # noqa: F811
    monkeypatch.setattr(asking, "retry_after_s", lambda answer, now_s: 0.0)
    world = make_world(products=14)
    run(world)
    before = products(world)
    went_wrong(world.site)
    count = len(world.site.asked)
    run(world)
    assert products(world) == before
    assert len(world.site.asked) - count < 80


def test_a_connection_that_breaks_in_the_middle_of_a_crawl_costs_nothing(make_world):  # noqa: F811
    world = make_world(products=30)
    run(world)
    before = entries(world)
    world.site.pages = {path: page + b"<p>more" for path, page in world.site.pages.items()}
    plain, count = world.site.answer, len(world.site.asked)
    world.site.answer = lambda target: plain(target) if len(world.site.asked) - count < 15 else 1 / 0
    assert run(world)[0] == "failed"
    assert "in a row" in world.store.read(rows.status, site_id=world.id)[0].detail
    assert set(entries(world)) == set(before)


def test_a_crawl_that_died_among_the_sitemaps_reads_them_again(make_world, monkeypatch):  # noqa: F811
    world = make_world(products=10)
    run(world)
    before = set(entries(world))
    real = visit.Visit._meet

    def dies(self, urls, depth, *, is_listed=False):
        real(self, urls[:1], depth, is_listed=is_listed)
        if is_listed:
            raise KeyboardInterrupt

    monkeypatch.setattr(visit.Visit, "_meet", dies)
    assert world.crawler.order(world.id)
    with pytest.raises(KeyboardInterrupt):
        world.crawler.work()
    monkeypatch.setattr(visit.Visit, "_meet", real)
    world.store.write(rows.release, site_id=world.id, owner="one")
    assert world.crawler.work()
    assert set(entries(world)) == before


def test_a_long_page_is_cited_by_the_heading_and_its_fragment(make_world):  # noqa: F811
    world = make_world(products=0)
    filler = "<p>" + "Nothing of interest is said in this sentence. " * 30 + "</p>"
    body = (f"{filler}<h2 id='customs duty'>Bad mark</h2>{filler}<h2 id=\"zoll\">Customs <b>duty</b></h2>{filler}"
            f"<p>Parcels to Norway pay at the door.</p><h2><a name='größe'></a>Sizes</h2>{filler}"
            "<p>The walrus suit comes in three widths.</p>")  # fmt: skip
    lay_out(world, {"/": say("home", body=links("/help")), "/help": html("Help", body)})
    for _ in range(2):
        run(world)
        for asked, heading, fragment in (("parcels to norway pay", "Customs duty", "zoll"),
                                         ("walrus suit widths", "Sizes", "gr%C3%B6%C3%9Fe")):
            passage = search(world.store, world.id, asked).passages[0]
            assert (passage.cited_as, passage.url) == (f"Help - {heading}", f"{world.site.url}/help#{fragment}")
    assert search(world.store, world.id, "nothing of interest is said").passages[0].url == f"{world.site.url}/help"


def test_a_page_tells_its_questions_and_answers_to_search_engines_and_to_us():
    script = f"<script type='application/ld+json'>{json.dumps(FAQ)}</script>"
    broken = "<script type='application/ld+json'>{\"@type\": \"FAQPage\", </script>"
    page = read_page(html("Help", "<div>Is it on the page?</div><p>It is there already.</p>", script + broken))
    assert page.text == (
        "### Is it on the page?\n\n\nIt is there already.\n\n### Do you gift wrap?\n\nYes & for free.")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set()), ("NOINDEX", {"noindex"}), ("noarchive, none", {"noarchive", "none", "noindex", "nofollow"}),
        ("googlebot: noindex", set()), ("vexar: noindex, nofollow", {"noindex", "nofollow"}),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST", {"unavailable_after: 25 jun 2030 15:00:00 pst"}),
        ("max-image-preview:none", {"max-image-preview:none"}), ("noindex, otherbot: nofollow", {"noindex"}),
    ],
)  # fmt: skip
def test_orders_for_other_robots_are_not_ours(text, found):
    assert directives(text) - {""} == found


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [("7", 7.0), ("", 2.0), ("soon", 2.0), ("-1", 2.0), (formatdate(1_000_090, usegmt=True), 90.0),
     (formatdate(999_000, usegmt=True), 0.0), ("9" * 400, 999_999_999.0)],
)  # fmt: skip
def test_a_time_to_wait_is_a_number_or_a_date(said, wait_s):
    assert retry_after_s(Answer("", 503, {"Retry-After": said}, b""), 1_000_000.0) == wait_s


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<urlset><url><loc> http://a/1 </loc></url><url><loc><![CDATA[http://a/2?x&y]]></loc></url></urlset>",
         (False, ["http://a/1", "http://a/2?x&y"])),
        (b"<?xml?><SitemapIndex><sitemap><loc>http://a/m&amp;n.xml</loc>", (True, ["http://a/m&n.xml"])),
        (b"<url><loc>http://a/en</loc><xhtml:link rel='alternate' hreflang='de' href='http://a/de'/></url>",
         (False, ["http://a/en", "http://a/de"])),
        (b"http://a/1\nhttp://a/2\nnonsense\n", (False, ["http://a/1", "http://a/2"])),
        (gzip.compress(b"<loc>http://a/1</loc>")[:-4], (False, [])), (b"", (False, [])), (b"<loc>", (False, [])),
    ],
)  # fmt: skip
def test_a_sitemap_is_read_however_it_is_written(data, found):
    assert read_sitemap(data) == found


@pytest.mark.parametrize("twin", ["http://www.shop.example/a?b=1", "https://shop.example/a?b=1&utm_medium=x",
                                  "http://shop.example:80/a?b=1", "https://SHOP.example./a?b=1"])
def test_the_names_of_a_site_become_the_one_it_lives_at(twin):
    domain = Domain("http://shop.example/")
    domain.settle("https://www.shop.example/vexar-123")
    assert domain.page(twin) == "https://www.shop.example/a?b=1"
    assert domain.start == "https://www.shop.example/"
    domain.settle("https://elsewhere.example/")
    assert domain.start == "https://www.shop.example/"
    assert Domain("https://müller.example").plain("https://xn--mller-kva.example/x")
