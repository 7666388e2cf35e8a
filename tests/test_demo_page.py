"""The demo shop's pages over HTTP: what they are made of, their headers, where their links lead. How the chat behaves
on them is in tests/browser/test_demo_page.py."""

from __future__ import annotations

import re

import pytest

from app import create_app
from tests.conftest import config_for
from tests.services import ROOT
from vexar.demo import SHOPS
from vexar.knowledge.ask import ask
from vexar.models import Site
from vexar.routes.demo import entries

FOLDER = ROOT / "static" / "demo"
LOOKS = ("/", "/demo/strict", "/demo/rtl", "/demo/dark", "/demo/inline")
PAGES = (*LOOKS, "/demo/help", "/demo/help/shipping-canada", "/demo/rtl/help/shipping")
FILES = ("/demo/demo.css", "/demo/shop.js", "/demo/icon.svg")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The demo in this process."""
    app = create_app(config_for(tmp_path_factory.mktemp("shop"), demo=True))
    # Its threads start with the first search: before a test counts them.
    ask(app.extensions["vexar"].store, site_of(app, SHOPS[0].site_key), "hello")
    yield app
    app.extensions["vexar"].close()


@pytest.fixture(scope="module")
def shop(app):
    """A visitor's client of the demo."""
    return app.test_client()


@pytest.fixture
def without_demo(make_app):
    """A visitor's client of a server that is no demo."""
    return make_app().test_client()


def site_of(app, site_key):
    """The row of a site."""
    return app.extensions["vexar"].store.read(lambda tx: tx.one(Site.select().where(Site.site_key == site_key)))


def test_the_sites_of_the_demo_are_where_the_server_is(make_app):
    app = make_app(demo=True, bind="0.0.0.0:8123")
    assert {site_of(app, shop.site_key).url for shop in SHOPS} == {"http://127.0.0.1:8123/"}


def test_nothing_of_the_shop_exists_where_the_demo_is_off(without_demo):
    for path in (*PAGES, *FILES):
        answer = without_demo.get(path)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), path


@pytest.mark.parametrize("path", PAGES)
def test_its_pages_allow_only_scripts_and_styles_of_their_own(shop, path):
    answer = shop.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:", answer.text)


@pytest.mark.parametrize("path", ["/", "/demo/help", "/demo/help/shipping-canada"])
def test_it_pastes_the_tag_as_every_site_does_and_has_no_other_chat(shop, path):
    text = shop.get(path).text
    assert '<script src="/widget/chatbot.js" data-key="sk_demo" async></script>\n</body>' in text
    assert re.findall(r'<script[^>]* src="([^"]*)"', text) == ["/demo/shop.js", "/widget/chatbot.js"]


@pytest.mark.parametrize(("path", "attributes"), [
    ("/demo/dark", 'data-key="sk_demo" data-theme="dark"'),
    ("/demo/inline", 'data-key="sk_demo" data-inline="#ask"'),
    ("/demo/rtl", 'data-key="sk_demo_ar"'),
])
def test_elsewhere_only_the_attributes_of_the_tag_differ(shop, path, attributes):
    assert f'<script src="/widget/chatbot.js" {attributes} async></script>' in shop.get(path).text


def test_the_strict_page_sends_the_strictest_policies_with_a_nonce_of_its_own(shop):
    nonces = set()
    for _ in range(2):
        answer = shop.get("/demo/strict")
        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        nonce = policy["script-src"]
        nonces.add(nonce)
        assert re.fullmatch(r"'nonce-[\w-]{22}'", nonce)
        assert policy == {
            "default-src": "'none'", "script-src": nonce, "style-src": nonce, "img-src": "'self'",
            "connect-src": "'self'", "require-trusted-types-for": "'script'", "trusted-types": "'none'",
            "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'self'",
        }  # fmt: skip
        assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        tags = re.findall(r"<(?:script|link rel=.stylesheet)[^>]*>", answer.text)
        assert len(tags) == 3
        assert all(f'nonce="{nonce[7:-1]}"' in tag for tag in tags)
    assert len(nonces) == 2


def test_the_arabic_shop_is_written_from_right_to_left(shop):
    for path in ("/demo/rtl", "/demo/rtl/help/shipping"):
        assert '<html lang="ar" dir="rtl">' in shop.get(path).text


def test_it_shows_the_tag_with_the_address_visitors_reach_it_at(shop, tmp_path):
    assert '&lt;script src="http://shop.test/widget/chatbot.js" data-key="sk_demo" async&gt;' in shop.get(
        "/", base_url="http://shop.test").text
    public = create_app(config_for(tmp_path, demo=True, public_url="https://chat.example"))
    try:
        assert '&lt;script src="https://chat.example/widget/chatbot.js"' in public.test_client().get("/").text
    finally:
        public.extensions["vexar"].close()


def test_a_host_that_is_markup_stays_text(shop):
    text = shop.get("/", headers={"Host": 'x"><b>'}).text
    assert "<b>" not in text


def test_nothing_comes_from_another_server():
    for path in FOLDER.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"(?:https?:)?//(\w[^\"'\s/]*)|url\(|@import", text)) <= {"www.w3.org", "shop.example"}


def test_every_link_of_its_pages_leads_somewhere(shop):
    links = {link for page in PAGES for link in re.findall(r'(?:href|src)="(/[^"#]*)', shop.get(page).text)}
    assert len(links) > 40
    for link in links:
        # Whoever is not signed in goes on to the login.
        assert shop.get(link, follow_redirects=True).status_code == 200, link


def test_every_link_within_a_page_has_its_place(shop):
    for page in PAGES:
        text = shop.get(page).text
        for place in re.findall(r'href="#([^"]+)"|data-copy="([^"]+)"|data-inline="#([^"]+)"', text):
            assert f'id="{"".join(place)}"' in text, f"{page} names {place}"


@pytest.mark.parametrize("known", SHOPS, ids=lambda known: known.lang)
def test_every_source_of_an_answer_has_its_page(shop, known):
    assert len(entries(known.knowledge)) >= 10
    for entry in entries(known.knowledge):
        text = shop.get(entry["url"]).text.replace("&#39;", "'")
        assert f"<h1>{entry['title']}</h1>" in text
        assert entry["content"] in text


@pytest.mark.parametrize(("page", "known"), [("/", SHOPS[0]), ("/demo/rtl", SHOPS[1])], ids=["en", "ar"])
def test_of_the_questions_to_try_only_the_last_has_no_answer(app, shop, page, known):
    questions = re.findall(r'data-ask="([^"]+)"', shop.get(page).text)
    store, site = app.extensions["vexar"].store, site_of(app, known.site_key)
    answered = [ask(store, site, question)["answered"] for question in questions]
    assert answered == [True] * (len(questions) - 1) + [False]
    assert all(ask(store, site, question)["answered"] for question in known.settings.starters)


def test_its_prices_are_those_of_the_answers(shop):
    known = " ".join(entry["content"] for entry in entries())
    prices = re.findall(r"<h3><a[^>]*>([^<]+)</a>.*?<span>(\$\d+)</span>", shop.get("/").text, re.DOTALL)
    assert len(prices) == 8
    for name, price in prices:
        noun = name.split()[0]
        assert re.search(rf"{noun}[^.;]*{re.escape(price)}\b|{noun.lower()}[^.;]*{re.escape(price)}\b", known), name


def test_a_help_page_writes_what_it_shows_as_text(shop, monkeypatch):
    evil = {"title": "<b>x</b>", "content": "</p><script>alert(1)</script>", "url": '/demo/help/x"y', "question": ""}
    monkeypatch.setattr("vexar.routes.demo.entries", lambda: [evil])
    text = shop.get('/demo/help/x"y').text
    assert "&lt;b&gt;x" in text
    assert "<b>" not in text
    assert "<script>" not in text
    assert 'x"y' not in text


@pytest.mark.parametrize(
    "path",
    ["/demo/help/nothing", "/demo/rtl/help/nothing", "/demo/shop.html", "/demo/layout.html", "/demo/../config.py",
     "/demo/goods/mug.svg", "/demo/plain"],
)  # fmt: skip
def test_other_paths_are_not_found_as_json(shop, path):
    answer = shop.get(path)
    assert answer.status_code == 404
    assert answer.json["success"] is False


def test_its_script_stays_small():
    assert len((FOLDER / "shop.js").read_text(encoding="utf-8").splitlines()) < 60
