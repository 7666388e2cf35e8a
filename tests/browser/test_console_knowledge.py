"""The console's knowledge page in a real browser: what it does is asserted in the store as well."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.browser.knowing import Desk, small_site
from tests.knowledge import SHOP
from vexar import models

pytestmark = [pytest.mark.browser, pytest.mark.servers]
SERVER_SETTINGS = {"VEXAR_FETCH_ALLOW": "127.0.0.0/8"}

ROWS = b"type,title,question,content,url\nfaq,,Is the tea vegan?,Yes.,/tea\ncustom,Empty,,,\nnews,What,,is this,\n"


@pytest.fixture
def desk(shop):
    """`desk(path, ...)`: a site of its own at the console."""
    return lambda *args, **options: Desk(shop, *args, **options)


@pytest.fixture
def website():
    site = small_site()
    yield site
    site.close()


def file(name, content):
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def figures(at):
    pairs = at.olga.find(".crawl-figures > div").all()
    return {pair.locator("dt").inner_text(): pair.locator("dd").inner_text() for pair in pairs}


def choose(at, *files):
    at.olga.find("input[type=file]").set_input_files(list(files))


def test_who_knows_nothing_gets_to_a_right_answer_by_reading_the_website(desk, website):
    website.delay_s = 0.2
    at = desk(url=website.url)
    at.olga.find("h2", has_text="Nothing is known yet").wait_for()
    at.olga.press("Read my website")
    at.olga.page.wait_for_url("**/console/knowledge/website")
    at.olga.find("progress").wait_for()
    at.go("knowledge/website")
    at.olga.find("progress").wait_for()
    assert at.olga.page.get_by_role("button", name="Reading …").get_attribute("aria-disabled") == "true"
    at.olga.find(".result", has_text="Everything was read: 2 pages.").wait_for(timeout=30_000)
    at.go("knowledge/website")
    at.olga.find(".result", has_text="Everything was read: 2 pages.").wait_for()
    at.olga.find("summary").click()
    assert sorted(at.olga.find(".reasons li").all_inner_texts()) == [
        "1\nare closed by the site's robots.txt", "1\nare pictures or documents", "1\nask not to be indexed",
        "1\nlead to another website",
    ]  # fmt: skip
    assert figures(at) == {"Pages kept": "2", "New": "2", "Changed": "0", "Removed": "0", "Skipped": "4",
                           "Errors": "0"}
    assert {row.url for row in at.entries(type="page")} == {f"{website.url}/", f"{website.url}/shipping"}

    at.olga.page.get_by_role("link", name="Ask something").click()
    at.ask("How much is delivery to Canada?")
    assert at.olga.find(".verdict .tag").inner_text() == "Answered"
    assert "12 dollars" in at.olga.find(".as-visitor").inner_text()
    source = at.olga.find(".source").first
    assert {"delivery", "canada"} <= set(source.locator(".word").all_inner_texts())
    assert source.get_by_role("link", name="/shipping").get_attribute("href") == f"{website.url}/shipping"
    source.get_by_role("link", name="Shipping", exact=True).click()
    at.olga.find(".notice", has_text="read from your website").wait_for()
    assert "Delivery to Canada" in at.field("Text").input_value()
    at.olga.page.go_back()
    assert at.field("Ask as a visitor would").input_value() == "How much is delivery to Canada?"


def test_the_website_is_read_again_for_what_changed_and_what_is_gone(desk, website):
    at = desk("knowledge/website", url=website.url)
    at.olga.press("Read my website")
    at.olga.find(".result", has_text="2 pages").wait_for(timeout=30_000)
    website.pages["/"] = website.pages["/"].replace(b"/shipping", b"/care")
    website.pages["/care"] = website.pages.pop("/shipping").replace(b"Shipping", b"Caring for wool")
    at.olga.press("Read it again")
    at.olga.find("progress").wait_for()
    at.olga.find(".result", has_text="2 pages").wait_for(timeout=30_000)
    shown = figures(at)
    assert (shown["New"], shown["Pages kept"], shown["Removed"]) == ("1", "2", "1")
    assert {row.url for row in at.entries()} == {f"{website.url}/", f"{website.url}/care"}


def test_one_page_is_read_by_its_address_and_another_website_is_refused_there(desk, website):
    at = desk("knowledge/website", url=website.url)
    box = at.field("Address")
    box.fill("https://elsewhere.example/")
    box.press("Enter")
    at.olga.find(".field-error", has_text="no page of the site's own address").wait_for()
    assert box.get_attribute("aria-invalid") == "true"
    box.fill("/shipping")
    box.press("Enter")
    at.olga.page.get_by_role("link", name="Shipping", exact=True).click()
    at.olga.find("h2", has_text="Shipping").wait_for()
    assert [(row.type, row.url) for row in at.entries()] == [("page", f"{website.url}/shipping")]


def test_reading_that_is_stopped_says_so_and_can_be_begun_again(desk, website):
    website.delay_s = 2
    at = desk("knowledge/website", url=website.url)
    stop = at.olga.page.get_by_role("button", name="Stop")
    at.olga.press("Read my website")
    at.olga.find("progress").wait_for()
    stop.click()
    at.olga.find(".notice", has_text="Stopped").wait_for()
    assert stop.is_hidden()
    website.delay_s = 0
    at.olga.press("Read it again")
    at.olga.find(".result", has_text="Everything was read: 2 pages.").wait_for(timeout=30_000)
    assert figures(at)["Removed"] == "0"


def test_who_comes_second_watches_the_reading_that_runs(desk, website):
    website.delay_s = 0.3
    at = desk("knowledge/website", url=website.url)
    second = at.olga.tab("knowledge/website")
    at.olga.press("Read my website")
    at.olga.find("progress").wait_for()
    with second.page.expect_response("**/crawl") as answer:
        second.press("Read my website")
    assert answer.value.status == 409
    second.find("progress").wait_for()
    second.find(".result", has_text="2 pages").wait_for(timeout=30_000)


def test_an_entry_is_written_found_changed_and_deleted(desk):
    at = desk("knowledge", entries=SHOP)
    at.olga.page.get_by_role("link", name="New entry").click()
    at.olga.press("Save")
    at.olga.until(lambda: at.olga.find(".field-error").count() == 2, "two fields to be asked for")
    assert at.olga.page.evaluate("document.activeElement.name") == "question"
    at.field("Question").fill("Do you wrap presents")
    at.field("Other wordings").fill("gift wrapping?\n\npackaging for a birthday ")
    at.field("Answer").fill("Yes, for 3 dollars.")
    at.olga.press("Save")
    at.olga.find("tbody tr").nth(len(SHOP)).wait_for()
    made = at.entries()[-1]
    assert (made.type, made.title, made.url) == ("faq", "Do you wrap presents", None)
    assert made.content == "Yes, for 3 dollars."
    assert made.question == "Do you wrap presents? gift wrapping? packaging for a birthday?"

    at.field("Kind").select_option("Pages")
    at.olga.until(lambda: at.olga.find("tbody tr").count() == 1, "the page alone")
    at.field("Kind").select_option("Every kind")
    at.field("Search entries").fill("birthday presents")
    at.olga.until(lambda: at.olga.find("tbody tr").count() == 1, "the new one alone")
    at.olga.page.get_by_role("button", name="Do you wrap presents?").click()
    at.olga.until(lambda: "Do you wrap presents? · Knowledge" in at.olga.page.title(), "the title of the page")
    assert at.field("Other wordings").input_value() == "gift wrapping?\npackaging for a birthday?"
    at.field("Answer").fill("Yes, for 4 dollars.")
    at.olga.page.get_by_role("link", name="All entries").click()
    at.confirm("Stay")
    with at.olga.page.expect_response(lambda answer: answer.request.method == "PUT"):
        at.olga.press("Save")
    assert at.entries()[-1].content == "Yes, for 4 dollars."
    assert at.entries()[-1].question == made.question

    at.olga.press("Delete")
    at.confirm("Delete")
    at.olga.page.wait_for_url("**/console/knowledge/entries")
    assert [row.id for row in at.entries()] == at.ids


def test_a_text_needs_a_title_and_no_question(desk):
    at = desk("knowledge/entries/new")
    at.field("Question").fill("Forgotten")
    at.field("Kind").select_option("A text")
    assert at.field("Question").is_hidden()
    at.field("Text").fill("We knit in a harbour town.")
    at.olga.press("Save")
    at.olga.find(".field-error", has_text="Please fill this in.").wait_for()
    at.field("Title").fill("About us")
    at.field("Link").fill("/about")
    at.olga.press("Save")
    at.olga.find("tbody tr", has_text="/about").wait_for()
    row = at.entries()[0]
    assert (row.type, row.title, row.question, row.url) == ("custom", "About us", "", "/about")


def test_an_address_that_no_browser_may_follow_is_no_link(desk):
    at = desk("knowledge", entries=SHOP[:1])
    # It is refused today; a database may hold one from before.
    entry = models.KnowledgeEntry
    at.shop.store.write(lambda tx: tx.run(entry.update(url="javascript:alert(1)").where(entry.id == at.ids[0])))
    at.go("knowledge")
    at.olga.find("td", has_text="javascript:alert(1)").wait_for()
    assert at.olga.find("a[href^='javascript']").count() == 0


def test_everything_is_deleted_only_for_the_typed_name_and_the_index_made_anew(desk):
    at = desk("knowledge", entries=SHOP)
    at.olga.find("summary").click()
    at.olga.press("Make it anew")
    at.olga.find(".toast", has_text=f"{len(SHOP)} entries indexed anew.").wait_for()
    at.olga.press("Delete all entries")
    at.confirm("Delete all entries")
    at.olga.find("dialog .field-error", has_text=at.name).wait_for()
    assert len(at.entries()) == len(SHOP)
    at.olga.find("dialog input").fill(at.name)
    at.confirm("Delete all entries")
    at.olga.find("h2", has_text="Nothing is known yet").wait_for()
    assert at.entries() == []


def test_files_are_imported_with_the_rows_that_were_skipped(desk):
    at = desk("knowledge/files")
    notes = file("notes.md", b"# Visit us\nOpen from nine to five.\n")
    choose(at, file("tea.csv", ROWS), file("photo.png", b"x"), notes)
    at.olga.find(".upload", has_text="notes.md").locator(".result", has_text="1 imported.").wait_for()
    tea = at.olga.find(".upload", has_text="tea.csv")
    assert tea.locator(".result").inner_text() == "1 imported, 2 rows skipped."
    assert [line.split("\n")[0] for line in tea.locator(".reasons li").all_inner_texts()] == ["Row 3", "Row 4"]
    assert "cannot be read" in at.olga.find(".upload", has_text="photo.png").locator(".form-error").inner_text()
    assert [(row.type, row.question, row.title) for row in at.entries()] == [
        ("faq", "Is the tea vegan?", "Is the tea vegan?"), ("custom", "", "Visit us"),
    ]  # fmt: skip
    tea.get_by_role("link", name="See the entries").click()
    with at.olga.page.expect_download() as found:
        at.olga.page.get_by_role("link", name="CSV").click()
    with Path(found.value.path()).open(encoding="utf-8-sig", newline="") as lines:
        assert [row["title"] for row in csv.DictReader(lines)] == ["Visit us", "Is the tea vegan?"]


def test_a_dropped_file_waits_for_the_line_and_is_sent_again(desk):
    at = desk("knowledge/files")
    at.olga.page.route("**/knowledge/import", lambda route: route.abort())
    at.olga.find(".drop").evaluate("""(zone) => {
      const data = new DataTransfer();
      data.items.add(new File(["Open from nine to five."], "hours.txt"));
      zone.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }""")
    at.olga.find(".upload .form-error", has_text="Check your connection").wait_for()
    at.olga.page.unroute("**/knowledge/import")
    at.olga.page.get_by_role("button", name="Try again").click()
    at.olga.find(".upload .result", has_text="1 imported.").wait_for()
    assert [row.content for row in at.entries()] == ["Open from nine to five."]


@pytest.mark.parametrize(("status", "answer", "sentence"), [
    (413, {"error": "The body is larger than allowed.", "code": "body_too_large"}, "Cut it into parts."),
    (415, {"error": "Send application/json.", "code": "unsupported_media_type"}, "cannot read files of this kind"),
    (422, {"error": "Some fields are wrong.", "code": "invalid",
           "errors": {"file": "reading pdf needs one more package: pip install pypdf"}}, "cannot read PDF yet"),
])  # fmt: skip
def test_what_the_server_says_against_a_file_is_told_to_a_person(desk, status, answer, sentence):
    at = desk("knowledge/files")
    at.olga.page.route("**/knowledge/import", lambda route: route.fulfill(status=status, json=answer))
    choose(at, file("manual.pdf", b"%PDF-1.4"))
    at.olga.find(".upload .form-error", has_text=sentence).wait_for()
    assert at.olga.find(".upload button").count() == 0


def test_what_is_not_answered_is_written_down_from_there(desk):
    at = desk("knowledge/ask", entries=SHOP)
    at.ask("Do you polish antique submarines?")
    assert at.olga.find(".verdict .tag").inner_text() == "Not answered"
    meter = at.olga.page.get_by_role("meter", name="Confidence")
    assert meter.get_attribute("aria-valuetext").startswith("Only ")
    at.olga.press("Write the answer")
    assert at.field("Question").input_value() == "Do you polish antique submarines?"
    at.field("Answer").fill("Yes, on Sundays, by hand.")
    at.olga.press("Save")
    at.olga.find("tbody tr", has_text="submarines").wait_for()
    at.tab("Ask")
    at.ask("Do you polish antique submarines?")
    assert at.olga.find(".verdict .tag").inner_text() == "Answered"
    assert at.olga.find(".source").first.get_by_role("link").first.get_attribute("href").endswith(
        f"/{at.entries()[-1].id}"
    )


def test_a_question_is_asked_and_an_unanswered_one_answered_with_the_keyboard_alone(desk):
    at = desk("knowledge", entries=SHOP)
    at.asked("Do you polish antique submarines?", "Can you polish an antique submarine?")
    at.go("knowledge")
    at.olga.find(".tab-count", has_text="1").wait_for()
    keys = at.olga.page.keyboard

    def tab_to(words):
        for _ in range(60):
            if at.olga.focus.startswith(words):
                return
            keys.press("Tab")
        raise AssertionError(f"no way to {words}")

    tab_to("Unanswered")
    keys.press("Enter")
    at.olga.find("tbody tr", has_text="2 times by 2 visitors").wait_for()
    tab_to("Answer")
    keys.press("Enter")
    at.olga.until(lambda: at.olga.page.evaluate("document.activeElement.name") == "question", "the question's focus")
    keys.press("Tab")
    keys.press("Tab")
    keys.type("Yes, on Sundays.")
    tab_to("Save the answer")
    keys.press("Enter")
    at.olga.find(".empty", has_text="Every question was answered").wait_for()
    assert at.olga.find(".tabs [aria-current] .tab-count").inner_text() == ""
    made = at.entries()[-1]
    assert (made.type, made.content) == ("faq", "Yes, on Sundays.")
    assert {"Do you polish antique submarines?", "Can you polish an antique submarine?"} == {
        f"{one.strip()}?" for one in made.question.split("?") if one.strip()
    }
    keys.press("Shift+Tab")
    tab_to("Ask")
    keys.press("Enter")
    at.olga.until(lambda: at.olga.page.url.endswith("/ask"), "the tab")
    for _ in range(5):
        if at.olga.page.evaluate("document.activeElement.name") == "question":
            break
        keys.press("Tab")
    keys.type("do you polish submarines")
    keys.press("Enter")
    at.olga.find(".verdict .tag", has_text="Answered").wait_for()
    assert at.olga.page.evaluate("document.activeElement.name") == "question"


def test_an_unanswered_question_leads_to_its_conversation_and_is_dismissed(desk):
    at = desk("knowledge", entries=SHOP)
    at.asked("Do you polish antique submarines?")
    at.go("knowledge/unanswered")
    asked = at.shop.rows(models.UnansweredAsk.select(models.UnansweredAsk)
                         .where(models.UnansweredAsk.site_id == at.site_id))[0]
    link = at.olga.page.get_by_role("link", name="Conversation")
    assert link.get_attribute("href") == f"/console/inbox/{asked.conversation_id}"
    at.olga.page.get_by_role("button", name="Dismiss: Do you polish").click()
    at.confirm("Dismiss")
    at.olga.find(".empty", has_text="Every question was answered").wait_for()
    group = at.shop.rows(models.UnansweredGroup.select(models.UnansweredGroup)
                         .where(models.UnansweredGroup.id == asked.group_id))[0]
    assert group.dismissed_ms


def test_who_may_not_edit_reads_and_asks(desk):
    at = desk("knowledge", entries=SHOP, may_edit=False)
    at.olga.find(".page > p", has_text="You may read this.").wait_for()
    assert at.olga.find(".tabs a").all_inner_texts() == ["Entries", "Website", "Ask"]
    assert at.olga.page.get_by_role("link", name="New entry").count() == 0
    at.olga.page.get_by_role("button", name="Do you ship to Canada?").click()
    at.olga.find(".card .pre", has_text="12 dollars").wait_for()
    assert at.olga.find("main :is(input, textarea, button)").count() == 0
    at.tab("Website")
    at.olga.find(".crawl", has_text="It was not read yet.").wait_for()
    assert at.olga.find("main :is(input, textarea, button)").count() == 0
    at.tab("Ask")
    at.ask("Do you ship to Canada?")
    assert at.olga.find(".verdict .tag").inner_text() == "Answered"


def test_what_could_not_be_read_comes_by_itself_when_the_line_is_back(desk):
    at = desk("knowledge/ask", entries=SHOP)
    at.olga.context.set_offline(True)
    at.tab("Entries")
    at.olga.find(".empty", has_text="Check your connection").wait_for()
    at.field("Ask as a visitor would").wait_for(state="hidden")
    at.olga.context.set_offline(False)
    at.olga.find("tbody tr").first.wait_for(timeout=20_000)
    assert at.olga.is_same_page
