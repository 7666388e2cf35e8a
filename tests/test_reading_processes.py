"""The processes that take pages apart: hostile pages, an end in the middle, a kill."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cast import wait_until
from vexar.knowledge.reading.extract import ExtractError
from vexar.knowledge.reading.reader import Reader

HOSTILE = {
    "nested divs": b"<div>x" * 200_000, "nested tables": b"<table><tr><td>" * 60_000,
    "open anchors": b"<a href=x>y" * 90_000,
    "nested menus": b"<div class=menu>" * 1_900 + b"word " * 180_000, "headers": b"<header>" * 1_900 + b"x " * 400_000,
    "articles": b"<article>" * 1_900 + b"x " * 400_000, "cells": b"<table><tr>" + b"<td>x" * 180_000,
    "a class": b"<p class='" + b"menu- " * 160_000 + b"'>x", "a style": b"<p style='" + b"display " * 120_000 + b"'>x",
    "spaces": b"<h1>x" + b" " * 900_000 + b"y",
    "refresh": b"<meta http-equiv=refresh content='" + b"1" * 900_000 + b"'>",
    "entities": b"&lt" * 300_000, "comments": b"<!--" * 200_000, "ends": b"</div>" * 160_000,
    "faq": b"<script type='application/ld+json'>" + b"[" * 400_000 + b"</script>",
}  # fmt: skip


@pytest.fixture(scope="module")
def reader():
    made = Reader()
    yield made
    made.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_is_built_to_be_slow_is_read_in_time(reader, name):
    reader.page(HOSTILE[name], "http://a.example/", "")


def test_a_page_that_no_parser_gets_through_costs_that_page_only(reader, monkeypatch):
    monkeypatch.setattr("vexar.knowledge.reading.reader.PAGE_TIMEOUT_S", 0.5)
    attributes = b" ".join(b"a%d=1" % number for number in range(60_000))
    with pytest.raises(Exception, match="takes too long"):
        reader.page(b"<div " + attributes + b">x", "", "")
    assert reader.page(b"<p>The next one is fine.", "", "").text == "The next one is fine."


def test_who_waits_for_a_page_when_the_server_goes_down_is_told_and_nothing_stays_behind():
    closing = Reader()
    hostile = b"<div " + b" ".join(b"a%d=1" % number for number in range(60_000)) + b">x"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(closing.page, hostile, "", "")
        wait_until(lambda: any(child._process for child in closing._children), "the page to be read")
        (process,) = (child._process for child in closing._children if child._process)
        closing.close()
        with pytest.raises(ExtractError):
            waiting.result(5)
    assert process.poll() is not None
    with pytest.raises(ExtractError, match="going down"):
        closing.page(b"<p>x", "", "")


def test_a_reading_process_that_was_killed_is_replaced(reader):
    reader.page(b"<p>x", "", "")
    for child in list(reader._free.queue):
        if child._process:
            child._process.kill()
            child._process.wait()
    assert re.match("again", reader.page(b"<p>again and again", "", "").text)
