"""Settings, "Your shop's data": what is saved, what the test says, and that the key never comes back to a browser."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.browser.desk import Shop
from tests.services import Server
from tests.shop_data import ShopData, calls
from tests.upstream import Upstream, refused_url
from vexar import models
from vexar.store import open_store

pytestmark = [pytest.mark.browser, pytest.mark.servers]
KEY = "k-5eCr3t-of-the-shop"
TEST = "Test the connection"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Upstream() as upstream, ShopData() as data:
        env = {
            "VEXAR_DEMO": "on", "VEXAR_AI_BASE_URL": upstream.url, "VEXAR_AI_MODEL": "m",
            "VEXAR_FETCH_ALLOW": "127.0.0.1/32",
        }  # fmt: skip
        server = Server(tmp_path_factory.mktemp("data"), env=env)
        with contextlib.closing(open_store(server.database_url)) as store:
            # Its threads start with the first write: before a test counts them.
            store.write(lambda tx: tx.now_ms())
            yield (server, upstream, store), data
        server.kill()


@pytest.fixture
def shop(browser, running):
    opened = Shop(browser, *running[0])
    yield opened
    opened.close()
    assert opened.said == []


@pytest.fixture
def data(running):
    yield running[1]
    running[1].always = None


@pytest.fixture
def console(shop):
    return shop.operator(is_owner=True, path="settings/data")


def field(console, label):
    return console.page.get_by_label(label)


def settings(shop):
    (site,) = shop.rows(models.Site.select(models.Site).where(models.Site.site_key == "sk_demo"))
    return json.loads(site.settings)


def said(console, words):
    console.find(".trial-said", has_text=words).wait_for()
    return console.find(".trial-said").inner_text()


def test_it_is_tried_before_it_is_saved_and_then_works_for_a_visitor(shop, console, data):
    assert settings(shop)["data_api_url"] == ""
    field(console, "Address").fill(data.url)
    field(console, "Key").fill(KEY)
    console.press(TEST)
    assert "It can search products, show a product." in said(console, "It works: answered in ")
    assert data.heads[-1]["authorization"] == f"Bearer {KEY}"
    assert "Tick the box above" in said(console, "It works: answered in ")
    assert settings(shop)["data_api_url"] == ""
    field(console, "Look things up in my shop").check()
    console.press("Save")
    console.until(lambda: settings(shop)["data_api_enabled"], "it to be saved")
    assert (settings(shop)["data_api_url"], settings(shop)["data_api_key"]) == (data.url, KEY)
    console.find(".secret-state", has_text="Set").wait_for()
    assert "Tick the box above" not in said(console, "It works: answered in ")
    assert field(console, "Key").input_value() == ""
    # It never comes back, and goes to its own address without being entered again.
    console.go("settings/data")
    assert KEY not in console.page.content()
    console.press(TEST)
    said(console, "It works")
    assert data.heads[-1]["authorization"] == f"Bearer {KEY}"
    chat = shop.visitor()
    shop.upstream.script(calls(("search_products", {"query": "scarf"})), ["A wool scarf."])
    chat.ask("Do you have scarves?")
    chat.wait("assistant", "A wool scarf.")
    assert data.calls[-1]["params"] == {"query": "scarf"}


def test_what_is_wrong_is_said_where_it_can_be_mended(console, data):
    console.press(TEST)
    field(console, "Address").fill("shop.example")
    console.press(TEST)
    wrong = console.find(".field[data-name='data_api_url'] .field-error")
    wrong.wait_for()
    assert wrong.inner_text() == "Must be an http or https address"
    field(console, "Address").fill(refused_url())
    console.press(TEST)
    said(console, "The endpoint could not be reached: no connection.")
    assert console.find(".field-error").count() == 0
    data.always = lambda wire, body: wire.json({}, 401)
    field(console, "Address").fill(data.url)
    field(console, "Key").fill("wrong")
    console.press(TEST)
    said(console, "The endpoint refused the key, or the address is wrong (status 401).")
    field(console, "Address").fill("http://10.0.0.1/")
    console.press(TEST)
    assert "not https" in said(console, "private network")


@pytest.mark.slow
def test_axe_objects_to_nothing(console):
    console.press(TEST)
    console.find(".trial-said p:not(.soft), .field-error").first.wait_for()
    assert console.objections() == {}
