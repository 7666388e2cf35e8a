"""The Data API on a real server with two workers: calls wait without holding anybody up, and a person ends them."""

from __future__ import annotations

import contextlib
import threading

import pytest

from tests.cast import wait_until
from tests.desk import add_operator
from tests.shop_data import ShopData, calls, hangs, results
from tests.test_clocks import decide
from tests.wire import ask, listen
from vexar.broker import Broker
from vexar.conversing.conversations import Conversations
from vexar.store import open_store

pytestmark = pytest.mark.servers
SEARCH = ("search_products", {"query": "scarf"})
PRODUCTS = [("get_product", {"product_id": str(number)}) for number in range(3)]


@pytest.fixture
def shop():
    with ShopData() as shop:
        yield shop


@pytest.fixture
def served(boot, upstream, shop):
    """The base url of the server, whose site has this endpoint; and its store."""
    server = boot(workers=2, env={"VEXAR_AI_BASE_URL": upstream.url, "VEXAR_FETCH_ALLOW": "127.0.0.1/32"})
    with contextlib.closing(open_store(server.database_url)) as store:
        decide(store, data_api_enabled=True, data_api_url=shop.url, data_api_timeout=20)
        yield server.url, store


def test_a_slow_endpoint_holds_nobody_up_and_calls_of_a_round_wait_together(served, upstream, shop):
    url, _ = served
    three, is_open = threading.Barrier(4, timeout=20), threading.Event()

    def slow(wire, body):
        three.wait()
        assert is_open.wait(20)
        wire.json({"success": True, "data": body["params"]["product_id"]})

    shop.always = slow
    upstream.script(calls(*PRODUCTS), *([f"Hello {number}."] for number in range(6)), ["All three."])
    with listen(url, "Compare", session="ann") as waiting:
        # Only together do they get here.
        three.wait()
        waiting.when(lambda: "status" in waiting.types, "the visitor to read what is done")
        assert sorted(ask(url, "Hi", session=f"ben{number}").text for number in range(6)) == [
            f"Hello {number}." for number in range(6)
        ]
        is_open.set()
        assert waiting.finish().text == "All three."
    told = results(upstream.requests[-1])
    assert [f'"{number}"' in told[number] for number in range(3)] == [True] * 3


def test_a_person_who_takes_the_conversation_ends_its_calls(served, upstream, shop):
    url, store = served
    shop.always = hangs
    upstream.script(calls(SEARCH))
    verbs, olga = Conversations(store, Broker(), None, owner="far"), add_operator(store)
    with listen(url, "Scarves?", session="ann") as waiting:
        shop.wait_for(1)
        verbs.say(1, "ann", olga, content="I am here")
        assert waiting.finish().done["finish_reason"] == "operator"
    wait_until(lambda: not shop._open, "the endpoint to be hung up on", timeout_s=5)
    assert (len(shop.calls), upstream.count) == (1, 1)
