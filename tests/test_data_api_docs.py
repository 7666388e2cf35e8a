"""docs/data-api.md tells the truth: its example runs and answers every action, its tables are those of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.cast import Cast, open_app
from tests.desk import Desk
from tests.services import ROOT
from tests.shop_data import calls, results
from tests.test_data_api import SECRET, proof, text
from vexar.answers import data_api, excerpt, pauses, tools
from vexar.answers.data_actions import ACTIONS, PING
from vexar.providers import calling, openai

PAGE = (ROOT / "docs" / "data-api.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The address of the example of the page, running."""
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE)
    path = tmp_path_factory.mktemp("example") / "shop_data.py"
    path.write_text(code, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "DATA_KEY": "secret", "PORT": "0"},
    )
    yield process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def cast(tmp_path_factory, example):
    with open_app(tmp_path_factory.mktemp("data"), fetch_allow="127.0.0.1/32") as app:
        app.extensions["vexar"].data_api.outside.session.resolver.find("127.0.0.1", 80, 5)
        cast = Cast(
            app, identity_secret=SECRET, data_api_enabled=True, data_api_url=example, data_api_key="secret"
        )
        cast.model, cast.app = app.upstream, app
        yield cast


def test_the_example_passes_the_test_of_the_console(cast, example):
    edda = Desk(cast.client, cast.store, cast.site.id, can_edit=1, can_chat=0, can_view_conversations=0)
    path = f"sites/{cast.site.id}/data-api/test"
    answer = edda.post(path).json
    assert (answer["ok"], answer["error"]) == (True, None)
    assert answer["detail"]["actions"] == [
        "search_products", "get_product", "check_order_status", "lookup_account",
    ]  # fmt: skip
    refused = "The endpoint refused the key, or the address is wrong (status 401)."
    assert edda.post(path, key="wrong").json["error"] == refused


@pytest.mark.parametrize(("action", "params", "told"), [
    ("search_products", {"query": "scarf"}, '"name":"Wool scarf"'), ("get_product", {"product_id": "8"}, "Linen shirt"),
    ("get_product", {"product_id": "9"}, "There is no such product."),
    ("check_order_status", {"order_number": "a-1023", "email": "ann@shop.example"}, "shipped"),
    ("check_order_status", {"order_number": "7", "email": "ann@shop.example"}, "There is no order with this number"),
    ("lookup_account", {}, '"points":120'), ("get_categories", {}, "cannot look this up"),
])
def test_the_example_answers_every_action(cast, action, params, told):
    cast.model.script(calls((action, params)), ["Here."])
    assert text(cast.visitor().ask("Order A-1023 or 7 of ann@shop.example", **proof("u-7"))) == "Here."
    assert told in results(cast.model.requests[-1])[0]


def test_the_page_names_every_action_outcome_and_number():
    actions = PAGE.partition("## The actions")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| ([^|]*)\|", actions))
    assert set(rows) == {PING, *ACTIONS}
    for name, action in ACTIONS.items():
        if not action.needs_user:
            assert set(re.findall(r"`(\w+)`", rows[name])) == set(action.schema()["properties"])
    known = set(re.findall(r"(?m)^\| (\w+) +\| ", data_api.__doc__)) - {"outcome"}
    assert set(re.findall(r"`(\w+)`", PAGE.partition("`outcome` is one of")[2].partition(".")[0])) == known - {
        "cut", "paused",
    }  # fmt: skip
    assert f"| {data_api.MAX_BYTES // 1024} KB, unpacked" in PAGE
    assert f"about {tools.MAX_DATA_CHARS:,} characters" in PAGE
    assert f"after {pauses.FAILURES} in a row your endpoint is left alone for {pauses.PAUSE_S:.0f} s" in PAGE
    at_once, per_answer = calling.MAX_AT_ONCE, calling.MAX_PER_ANSWER
    assert f"| {at_once} at once, {per_answer} in one answer, {openai.MAX_ROUNDS} rounds" in PAGE
    assert excerpt.MAX_STRING_CHARS < tools.MAX_DATA_CHARS
    assert pauses.LACK_S == 600


def test_without_a_model_nothing_is_asked(cast, example):
    cast.model.requests.clear()
    site = Cast(cast.app, ai_provider="builtin", data_api_enabled=True, data_api_url="http://127.0.0.1:9/")
    assert site.ann.ask("Do you have scarves?")[-1].data["meta"]["finish_reason"] == "stop"
    assert cast.model.requests == []
    assert site.parts.data_api.pauses._failures == {}
