"""A site's endpoint that misbehaves: each fault is told, bounded in time and size, and the key goes nowhere else."""

from __future__ import annotations

import ipaddress
import json
import random
import threading
import time
import tracemalloc
from typing import Any

import pytest

from tests.cast import add_site, open_app
from tests.desk import Desk
from tests.shop_data import ShopData, bomb, bombs, breaks, drips, drips_headers, hangs, says, writes
from tests.upstream import refused_url
from vexar.answers.data_api import MAX_BYTES, DataApi, DataEndpoint
from vexar.answers.excerpt import MAX_DEPTH, excerpt
from vexar.answers.pauses import FAILURES, Pauses
from vexar.models import Site
from vexar.outbound.outside import Outside

KEY = "k-5eCr3t"
GOOD = {"success": True, "data": 1}
HTML = b"<!doctype html><title>Not here</title>"

# What the endpoint does, the outcome, and a word of the sentence that the "test connection" button shows.
FAULTS = [
    (hangs, "timeout", "No whole answer came within 1"), (drips, "timeout", "within 1"),
    (drips_headers, "timeout", "within 1"), (breaks, "unreachable", "could not be reached"),
    (bombs, "too_large", "larger than 64 KB"), (writes(b"x" * (MAX_BYTES + 1)), "too_large", "larger"),
    (says({"success": True, "data": "x" * MAX_BYTES}), "too_large", "larger"),
    (writes(HTML, Content_Type="text/html"), "bad_answer", "not JSON"), (writes(b""), "bad_answer", "not JSON"),
    (says([GOOD]), "bad_answer", "not JSON"), (says({"data": 1}), "bad_answer", "not JSON"),
    (says({"success": "yes", "data": 1}), "bad_answer", "not JSON"),
    (writes(b'{"success": NaN}'), "bad_answer", "not JSON"),
    (writes(b'{"success": true, "data": "\xff"}'), "bad_answer", "JSON"),
    (writes(b'{"success": true, "data": ' + b"[" * 30_000), "bad_answer", "JSON"),
    (says({}, 500), "bad_status", "status 500"), (says(GOOD, 503), "bad_status", "status 503"),
    (says({"success": False, "error": "x"}, 500), "bad_status", "status 500"), (says(GOOD, 404), "bad_status", "404"),
    (writes(HTML, 404), "bad_status", "status 404"), (writes(b"", 204), "bad_answer", "not JSON"),
    (says({}, 401), "bad_key", "refused the key"), (writes(HTML, 403), "bad_key", "refused the key"),
    (writes(HTML * 5_000, 401), "bad_key", "refused the key"),
    (says({"success": False, "error": "closed {on} Mondays"}), "declined", "closed {on} Mondays"),
    (says({"success": False}), "declined", "it gave no reason"),
    (says({"success": False, "error": ["x"]}, 400), "declined", "it gave no reason"),
    (says({"success": False, "error": "?", "code": "unknown_action"}), "unsupported", "does not know the action ping"),
]  # fmt: skip
WORKS = [
    says(GOOD), says(GOOD, 201), writes(b"\xef\xbb\xbf" + b'{"success": true, "data": {}}\n'),
    says({"success": True}), says({"success": True, "data": None, "more": 1}),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with open_app(tmp_path_factory.mktemp("faults"), fetch_allow="127.0.0.1/32") as app:
        app.extensions["vexar"].data_api.outside.session.resolver.find("127.0.0.1", 80, 5)
        # Made now: the endpoint that sends it would be late.
        bomb()
        yield app


@pytest.fixture
def shop():
    with ShopData() as shop:
        yield shop


@pytest.fixture
def trial(app, shop, monkeypatch):
    """`trial(**body)`: what the button answers, for a site with this endpoint and a time-out of a second."""
    store = app.extensions["vexar"].store
    site = add_site(store, data_api_url=shop.url, data_api_key=KEY, data_api_timeout=1)
    edda = Desk(app.test_client(), store, site.id, can_chat=0, can_view_conversations=0, can_edit=1)
    return lambda **body: edda.post(f"sites/{site.id}/data-api/test", **body)


@pytest.mark.parametrize(("script", "outcome", "sentence"), FAULTS)
def test_each_fault_is_told_in_a_sentence_and_in_time(trial, shop, script, outcome, sentence):
    shop.always = script
    tracemalloc.start()
    began = time.monotonic()
    answer = trial()
    took_s = time.monotonic() - began
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 200, answer.text
    assert (answer.json["ok"], answer.json["detail"]["outcome"]) == (False, outcome)
    assert sentence in answer.json["error"]
    assert len(shop.calls) == 1
    # Not how long it takes, but that it ends: each of these would go on for ever.
    assert took_s < 10
    assert script is not bombs or peak_bytes < 20_000_000


@pytest.mark.parametrize("script", WORKS)
def test_a_ping_that_is_answered_works(trial, shop, script):
    shop.always = script
    answer = trial().json
    assert (answer["ok"], answer["error"], answer["detail"]["outcome"]) == (True, None, "ok")
    assert type(answer["took_ms"]) is int


def test_the_ping_is_asked_as_every_action_is(trial, shop):
    answer = trial().json
    assert {**shop.calls[0], "site_key": "sk"} == {"action": "ping", "params": {}, "site_key": "sk"}
    assert shop.heads[0]["authorization"] == f"Bearer {KEY}"
    assert answer["detail"] == {
        "outcome": "ok", "status": 200, "actions": ["search_products", "get_product"], "warnings": [],
    }  # fmt: skip


def test_a_test_that_works_ends_a_pause_and_one_that_fails_begins_none(app, trial, shop):
    pauses = app.extensions["vexar"].data_api.pauses
    shop.always = says({}, 500)
    for _ in range(FAILURES + 1):
        trial()
    assert pauses._failures == {}
    site_key = shop.calls[0]["site_key"]
    (site,) = app.extensions["vexar"].store.read(lambda tx: tx.all(Site.select(Site).where(Site.site_key == site_key)))
    endpoint = DataEndpoint(site.id, site_key, shop.url, KEY, 1)
    for _ in range(FAILURES):
        pauses.note(endpoint, is_good=False)
    assert not pauses.may_ask(endpoint)
    shop.always = None
    assert trial().json["ok"]
    assert pauses.may_ask(endpoint)


def test_only_actions_of_ours_are_shown_and_no_other_data(trial, shop):
    shop.data["ping"] = {"actions": ["get_product", "internal secret"], "password": "hunter2"}
    answer = trial()
    assert answer.json["detail"]["actions"] == ["get_product"]
    assert "hunter2" not in answer.text + trial(url=shop.url).text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_nowhere(trial, shop, status):
    with ShopData() as elsewhere:
        for location in (f"{elsewhere.url}?token=abc", "/other", f"{shop.url}/"):
            shop.always = writes(b"", status, Location=location)
            answer = trial().json
            assert answer["detail"]["outcome"] == "redirected"
            assert "token" not in answer["error"]
        assert elsewhere.connections == 0
    assert "http://127.0.0.1/vexar-data" in answer["error"]
    assert len(shop.calls) == 3


def test_a_closed_port_and_an_unknown_name_are_unreachable(trial):
    for url in (refused_url(), "http://no-such-host.invalid/"):
        answer = trial(url=url).json
        assert (answer["detail"]["outcome"], answer["detail"]["status"]) == ("unreachable", None)


@pytest.mark.parametrize("host", ["127.0.0.2", "0.0.0.0", "[::1]", "169.254.169.254", "2130706434", "localhost."])
def test_an_address_of_this_machine_is_not_asked(trial, shop, host):
    answer = trial(url=f"http://{host}:{shop.port}/").json
    assert answer["detail"]["outcome"] in ("forbidden", "unreachable")
    assert answer["detail"]["outcome"] == "forbidden" or host == "localhost."
    assert shop.connections == 0


# What may be tried, and with which key.


def test_what_is_not_saved_yet_can_be_tried(trial, shop):
    with ShopData() as other:
        assert trial(url=other.url, key="new-key", timeout=3).json["ok"]
        assert other.heads[0]["authorization"] == "Bearer new-key"
    assert trial(key="").json["ok"]
    assert "authorization" not in shop.heads[0]


def test_the_saved_key_goes_to_its_own_address_alone(trial, shop):
    with ShopData() as other:
        answer = trial(url=other.url).json
        assert "authorization" not in other.heads[0]
    assert "saved key was not sent" in answer["detail"]["warnings"][0]
    trial(url=shop.url.replace("vexar-data", "v2"))
    assert shop.heads[0]["authorization"] == f"Bearer {KEY}"


def test_a_key_on_an_open_line_is_warned_of(trial):
    warnings = trial(url="http://shop.invalid/", key="k").json["detail"]["warnings"]
    assert len(warnings) == 1
    assert "not https" in warnings[0]


@pytest.mark.parametrize(("body", "wrong"), [
    ({"url": "ftp://shop.example"}, "url"), ({"url": "https://a:b@shop.example"}, "url"), ({"url": ""}, "url"),
    ({"key": "with space"}, "key"), ({"timeout": 2}, "timeout"), ({"timeout": 31}, "timeout"), ({"who": 1}, "who"),
])
def test_what_cannot_be_tried_is_told_by_field(trial, shop, body, wrong):
    answer = trial(**body)
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [wrong]
    assert shop.connections == 0


def test_a_site_without_an_address_says_so(app):
    store = app.extensions["vexar"].store
    site = add_site(store)
    edda = Desk(app.test_client(), store, site.id, can_edit=1, can_chat=0, can_view_conversations=0)
    assert edda.post(f"sites/{site.id}/data-api/test").json["errors"] == {"url": "is required"}


def test_a_saved_key_stays_only_with_its_origin(app):
    store = app.extensions["vexar"].store
    site = add_site(store, data_api_url="https://shop.example/a", data_api_key=KEY)
    edda = Desk(app.test_client(), store, site.id, can_edit=1, can_chat=0, can_view_conversations=0)
    path = f"sites/{site.id}/chatbot"
    for change, is_set in (
        ({"data_api_url": "https://SHOP.example:443/b"}, True), ({"bot_name": "June"}, True),
        ({"data_api_url": "https://evil.example/b", "data_api_key": "of-evil"}, True),
        ({"data_api_url": "http://evil.example/b"}, False),
        ({"data_api_url": "https://shop.example", "data_api_key": KEY}, True), ({"data_api_url": ""}, False),
    ):  # fmt: skip
        assert edda.put(path, **change).json["secrets"]["data_api_key"] is is_set, change


# The parts by themselves.


def test_a_cancelled_call_is_cut_and_counts_for_nothing(shop):
    api = DataApi(Outside((ipaddress.ip_network("127.0.0.1/32"),)))
    endpoint = DataEndpoint(1, "sk", shop.url, "", 5)
    shop.always = hangs
    try:
        for _ in range(FAILURES + 1):
            found = []
            calling = threading.Thread(
                target=lambda found=found: found.append(api.call(endpoint, "ping", {}, watch=found.append))
            )
            before = len(shop.calls)
            calling.start()
            shop.wait_for(before + 1)
            found[0].cancel()
            calling.join(10)
            assert found[1].outcome == "cut"
        # Nor does an answer whose own time is up.
        assert api.call(endpoint, "ping", {}, deadline=time.monotonic() + 0.05).outcome == "cut"
        assert api.pauses.may_ask(endpoint)
        assert KEY not in repr(DataEndpoint(1, "sk", shop.url, KEY, 5))
    finally:
        api.close()


def test_a_pause_begins_with_failures_in_a_row_and_lets_one_through(monkeypatch):
    known = Pauses()
    for is_good in (False, False, True, False, False):
        known.note("a", is_good=is_good)
        assert known.may_ask("a")
    known.note("a", is_good=False)
    assert [known.may_ask("a"), known.may_ask("b")] == [False, True]
    known._until["a"] = 0
    assert [known.may_ask("a") for _ in range(3)] == [True, False, False]
    known.note("a", is_good=True)
    assert all(known.may_ask("a") for _ in range(3))


@pytest.mark.parametrize(("data", "max_chars", "expected"), [
    ([1, 2, 3], 100, [1, 2, 3]), ([], 10, []), (None, 10, None), ("x" * 50, 100, "x" * 50),
    ([{"id": number} for number in range(10)], 31, [{"id": 0}, {"id": 1}, {"id": 2}]),
    ({"items": list(range(100)), "total": 100}, 40, {"items": [0, 1, 2, 3, 4, 5, 6], "total": 100}),
    ("é" * 50, 20, "é" * 14 + "…"), ("\n" * 50, 20, "\n" * 7 + "…"),
    ([{"name": "a" * 90, "id": 1}], 40, [{"name": "a" * 15 + "…", "id": 1}]),
    ({"a": [1] * 40, "b": {"c": [2] * 40}}, 30, {"a": [1, 1, 1], "b": {"c": [2]}}),
])  # fmt: skip
def test_an_excerpt_keeps_whole_items_from_the_start(data, max_chars, expected):
    assert excerpt(data, max_chars) == (expected, expected != data)


def test_an_excerpt_is_not_deeper_than_anybody_needs():
    deep = "x" * 5_000
    for _ in range(500):
        deep = [deep, 1]
    cut, is_cut = excerpt(deep, 4_000)
    assert (is_cut, json.dumps(cut).count("[")) == (True, MAX_DEPTH + 1)


@pytest.mark.parametrize("seed", range(5))
def test_an_excerpt_is_never_longer_than_allowed(seed):
    draw = random.Random(seed)

    def anything(depth: int) -> Any:
        kind = draw.choice("isldn" if depth else "is")
        if kind == "l":
            return [anything(depth - 1) for _ in range(draw.randrange(12))]
        if kind == "d":
            return {"k" * draw.randrange(1, 40) + str(at): anything(depth - 1) for at in range(draw.randrange(12))}
        return {"i": draw.randrange(10**9), "n": None}.get(kind, draw.choice('aé"\n') * draw.randrange(1_500))

    made = [[anything(4), anything(4)] for _ in range(40)]
    cut = [(data, *excerpt(data, max_chars)) for data in made for max_chars in (60, 400, 6_000)]
    assert any(is_cut for _, _, is_cut in cut)
    for at, (data, shown, is_cut) in enumerate(cut):
        assert len(json.dumps(shown, ensure_ascii=False, separators=(",", ":"))) <= (60, 400, 6_000)[at % 3]
        assert is_cut is (shown != data)
