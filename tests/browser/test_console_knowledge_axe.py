"""axe-core finds nothing to object to on the knowledge page, in any state, wide, narrow, light, dark; none is wider
than its window."""

from __future__ import annotations

import re

import pytest

from tests.browser.desk import DESKTOP, PHONE
from tests.browser.knowing import Desk, small_site
from tests.knowledge import SHOP

pytestmark = [pytest.mark.browser, pytest.mark.servers]
SERVER_SETTINGS = {"VEXAR_FETCH_ALLOW": "127.0.0.0/8"}


@pytest.fixture(scope="module")
def website():
    site = small_site()
    yield site
    site.close()


def nothing(at):
    at.olga.find("h2", has_text="Nothing is known yet").wait_for()


def entries(at):
    at.olga.find("tbody tr").first.wait_for()
    at.olga.find("summary").click()


def delete_all(at):
    entries(at)
    at.olga.press("Delete all entries")
    at.confirm("Delete all entries")
    at.olga.find("dialog .field-error").wait_for()


def one_entry(at):
    at.go(f"knowledge/entries/{at.ids[-1]}").find(".notice").wait_for()


def new_entry(at):
    at.go("knowledge/entries/new").press("Save")
    at.olga.find(".field-error").first.wait_for()


def crawled(at):
    at.tab("Website")
    at.olga.press("Read my website")
    at.olga.find(".result", has_text="Everything was read").wait_for(timeout=30_000)
    at.olga.find("summary").click()
    at.field("Address").fill("https://elsewhere.example/")
    at.field("Address").press("Enter")
    at.olga.find(".field-error").wait_for()


def reading(at):
    crawl = {"state": "running", "detail": "", "started_at": "2026-11-22T20:00:00Z", "ended_at": None, "bytes": 9,
             "pages_found": 90, "pages_done": 30, "entries": 20, "added": 15, "updated": 5, "removed": 2,
             "outcomes": {"kept": 20, "failed": 4, "empty": 6}}
    at.olga.page.route("**/crawl-status", lambda route: route.fulfill(json={"crawl": crawl}))
    at.go("knowledge/website").find("progress").wait_for()


def files(at):
    at.go("knowledge/files")
    rows = b"type,content\nfaq,No question.\ncustom,Words that are good.\n"
    found = [("rows.csv", rows), ("photo.png", b"x")]
    at.olga.find("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in found]
    )
    at.olga.find(".upload .form-error").wait_for()
    at.olga.find("summary", has_text="What files look like").click()


def answered(at):
    at.tab("Ask")
    at.ask("Do you ship to Canada?")


def not_answered(at):
    at.tab("Ask")
    at.ask("Do you polish antique submarines?")


def unanswered(at):
    at.asked("Do you polish antique submarines?", "Can you polish an antique submarine?")
    at.go("knowledge/unanswered").find("tbody tr").wait_for()


def answering(at):
    unanswered(at)
    at.olga.page.get_by_role("link", name=re.compile("^Answer")).click()
    at.field("Answer").wait_for()


STATES = {
    "nothing": nothing, "entries": entries, "delete all": delete_all, "one entry": one_entry, "new entry": new_entry,
    "crawled": crawled, "reading": reading, "files": files, "answered": answered, "not answered": not_answered,
    "unanswered": unanswered, "answering": answering,
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_knowledge_page_is_objected_to_by_axe_or_wider_than_its_window(shop, website, state):
    at = Desk(shop, entries=() if state == "nothing" else SHOP, url=website.url)
    STATES[state](at)
    for size in (PHONE, DESKTOP):
        at.olga.page.set_viewport_size(size)
        for part in ("html", "main"):
            assert at.olga.find(part).first.evaluate("(e) => e.scrollWidth <= e.clientWidth"), f"{part} at {size}"
    assert at.olga.objections() == {}
