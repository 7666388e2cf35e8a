"""The console's other pages in a real browser: every verb is asserted in the store, errors are beside their fields."""

from __future__ import annotations

import csv
import json
import secrets
from pathlib import Path

import httpx
import pytest

from tests.browser.desk import DESKTOP, PASSWORD, PHONE
from vexar import models

pytestmark = [pytest.mark.browser, pytest.mark.servers]
NEW_PASSWORD = "a few words in a row"


@pytest.fixture
def owner(shop):
    """`owner(path)`: an owner's console on that page."""
    return lambda path: shop.operator(is_owner=True, path=path)


def visitor(shop, question="hi", **contact):
    """A visitor without a browser who asked something: the session."""
    session = f"sess_{secrets.token_hex(6)}"
    shop.upstream.script(["hello"])
    call(shop, "stream", session, message=question, lang="fr")
    if contact:
        call(shop, "contact", session, **contact)
    return session


def call(shop, path, session, **fields):
    body = {"site_key": "sk_demo", "session_id": session, **fields}
    answer = httpx.post(f"{shop.url}/api/v1/chat/{path}", json=body, timeout=20)
    assert answer.status_code == 200, answer.text


def site_row(shop, **where):
    """The stored site, the demo shop's unless told."""
    key = where.get("site_key", "sk_demo")
    return shop.rows(models.Site.select(models.Site).where(models.Site.site_key == key))[0]


def settings(shop):
    return json.loads(site_row(shop).settings)


def field(console, label):
    return console.page.get_by_label(label, exact=True)


def error_of(console, label):
    """The sentence that a field is described by when it is wrong."""
    place = field(console, label)
    console.until(lambda: place.get_attribute("aria-invalid") == "true", f"{label} to be wrong")
    return console.find(f"#{place.get_attribute('aria-describedby').split()[0]}").inner_text()


def sent(console, press):
    """The body of the one PUT that pressing this button sends."""
    # The answer, not the word for it: that of an earlier save may still be on the screen.
    with console.page.expect_response(lambda answer: answer.request.method == "PUT") as found:
        console.press(press)
    console.find(".toast", has_text="Saved.").first.wait_for()
    return found.value.request.post_data_json


def confirm(console, words):
    console.find("dialog[open]").get_by_role("button", name=words, exact=True).click()


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def download(console):
    with console.page.expect_download() as found:
        console.page.get_by_role("link", name="CSV").click()
    return rows_of(Path(found.value.path()))


def test_leads_are_found_opened_and_downloaded(shop, owner):
    name = f"Jane{secrets.token_hex(3)}"
    visitor(shop, email=f"{name}@example.org".lower(), name=name)
    visitor(shop, phone="+15550123")
    olga = owner("leads")
    olga.page.get_by_role("button", name="+15550123").wait_for()
    field(olga, "Search name, email or phone").fill(name)
    olga.until(lambda: olga.find("tbody tr").count() == 1, "one lead")
    assert [row["name"] for row in download(olga)] == [name]
    olga.page.get_by_role("button", name=name).click()
    olga.page.wait_for_url("**/console/inbox/*")
    olga.find(".view-head", has_text=name).wait_for()


def test_ratings_and_figures_are_those_of_the_store(shop, owner):
    session = visitor(shop)
    call(shop, "rate", session, score=4)
    call(shop, "rate/comment", session, comment="=quick")
    olga = owner("ratings")
    olga.find("tbody tr", has_text="=quick").get_by_text("4 of 5").wait_for()
    assert download(olga)[0]["comment"] == "'=quick"
    count = len(shop.rows(models.Conversation.select(models.Conversation.id)))
    olga.go("analytics")
    assert olga.find(".figure", has_text="Conversations").locator("dd").inner_text() == str(count)
    funnel = olga.find(".bars").first.inner_text()
    assert "Opened the chat" in funnel
    assert "left_contact" not in funnel
    assert "French" in olga.find(".bars").nth(1).inner_text()
    assert olga.find(".chart svg[role=img]").count() == 2
    olga.find("summary").first.click()
    assert olga.find(".chart").first.locator("tbody tr").count() == 30
    field(olga, "Period").select_option("7 days")
    olga.until(lambda: olga.find(".chart").first.locator("tbody tr").count() == 7, "seven days")
    assert sum(int(row["conversations"]) for row in download(olga)) == count


def test_figures_that_are_not_complete_say_so(shop, owner):
    olga = owner("account")

    def still_indexing(route):
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "is_complete": False})

    olga.page.route("**/analytics?period=30", still_indexing)
    olga.go("analytics").find(".notice", has_text="Still indexing").wait_for()
    olga.page.unroute("**/analytics?period=30")
    olga.find(".notice").wait_for(state="detached")


def test_nudges_are_saved_and_each_error_stands_beside_its_field(shop, owner):
    olga = owner("nudges")
    olga.press("Add a rule")
    olga.press("Save the rules")
    assert error_of(olga, "Text") == "Please fill this in."
    assert olga.page.evaluate("document.activeElement.dataset.field") == "message"
    field(olga, "Text").fill("May I help?")
    field(olga, "Page").fill("cart")
    olga.press("Save the rules")
    olga.until(lambda: field(olga, "Page").get_attribute("aria-invalid"), "the path to be refused")
    assert field(olga, "Text").get_attribute("aria-invalid") is None
    field(olga, "Page").fill("/cart")
    olga.press("Another wording")
    olga.find(".variant").nth(1).get_by_label("Text").fill("Hello!")
    olga.find(".variant").nth(1).get_by_label("Weight").fill("0")
    olga.press("Save the rules")
    wrong = olga.find(".variant").nth(1).get_by_label("Weight")
    olga.until(lambda: wrong.get_attribute("aria-invalid"), "the weight to be refused")
    wrong.fill("3")
    sent(olga, "Save the rules")
    rule = shop.rows(models.NudgeRule.select(models.NudgeRule).where(models.NudgeRule.path == "/cart"))[0]
    assert [(one["message"], one["weight"]) for one in json.loads(rule.variants)] == [("May I help?", 1), ("Hello!", 3)]

    number = json.loads(rule.variants)[0]["id"]
    olga.find(".variant").first.get_by_label("Text").fill("Shall I help?")
    sent(olga, "Save the rules")
    rule = shop.rows(models.NudgeRule.select(models.NudgeRule).where(models.NudgeRule.path == "/cart"))[0]
    assert json.loads(rule.variants)[0] == {"message": "Shall I help?", "weight": 1, "id": number}
    olga.page.get_by_role("button", name="Remove this wording").first.click()
    olga.press("Remove the rule")
    sent(olga, "Save the rules")
    assert shop.rows(models.NudgeRule.select(models.NudgeRule)) == []


def test_replies_are_made_changed_and_deleted(shop, owner):
    def stored():
        return [(row.shortcut, row.content) for row in shop.rows(models.CannedReply.select(models.CannedReply))]

    olga = owner("replies")
    olga.press("New reply")
    field(olga, "Shortcut").fill("two words")
    field(olga, "Text").fill("Dear {name}")
    olga.press("Save")
    assert error_of(olga, "Shortcut")
    field(olga, "Shortcut").fill("dear")
    olga.press("Save")
    olga.find(".cards", has_text="/dear").wait_for()
    assert stored() == [("dear", "Dear {name}")]
    olga.page.get_by_role("button", name="Edit dear").click()
    field(olga, "Text").fill("")
    olga.press("Save")
    assert error_of(olga, "Text").endswith("Please fill this in.")
    field(olga, "Text").fill("Hello {name}")
    olga.press("Save")
    olga.find(".cards", has_text="Hello {name}").wait_for()
    assert stored() == [("dear", "Hello {name}")]
    olga.page.get_by_role("button", name="Delete dear").click()
    confirm(olga, "Delete")
    olga.find(".empty").wait_for()
    assert stored() == []


def test_a_section_of_the_settings_saves_its_own_fields_only(shop, owner):
    olga = owner("settings/looks")
    field(olga, "Name").fill("Juno")
    assert set(sent(olga, "Save")) == {
        "bot_name", "bot_avatar_url", "primary_color", "header_color", "position", "button_style", "welcome_message",
        "starters", "photo_upload_enabled",
    }  # fmt: skip
    assert settings(shop)["bot_name"] == "Juno"
    olga.go("settings/contact")
    field(olga, "Ask for").select_option("Email and phone")
    assert set(sent(olga, "Save")) == {"collect_data", "lead_when", "lead_strategy", "collect_email"}
    assert settings(shop)["collect_data"] == "both"
    olga.go("settings/answers")
    field(olga, "Who answers").select_option("builtin")
    field(olga, "Goals").fill("Sell\n\nSmile ")
    sent(olga, "Save")
    found = settings(shop)
    assert (found["ai_provider"], found["behavior_goals"], found["bot_name"]) == ("builtin", ["Sell", "Smile"], "Juno")
    field(olga, "Who answers").select_option("")
    sent(olga, "Save")
    assert settings(shop)["ai_provider"] == ""


def test_routing_to_one_person_asks_for_the_person(shop, owner):
    olga = owner("settings/people")
    field(olga, "Who").wait_for(state="hidden")
    field(olga, "A waiting visitor is shown to").select_option("One person")
    olga.press("Save")
    assert "must be somebody" in error_of(olga, "Who").lower()
    field(olga, "Who").select_option(str(olga.person.id))
    field(olga, "Nobody accepts").fill("")
    olga.press("Save")
    assert error_of(olga, "Nobody accepts").endswith("Must be a number.")
    field(olga, "Nobody accepts").fill("90")
    sent(olga, "Save")
    found = settings(shop)
    assert (found["operator_routing"], found["operator_id"]) == ("one", olga.person.id)
    assert found["operator_timeout"] == 90
    field(olga, "A waiting visitor is shown to").select_option("Everybody")
    sent(olga, "Save")
    assert settings(shop)["operator_routing"] == "all"


def test_working_hours_are_saved_and_what_overlaps_is_refused_there(shop, owner):
    olga = owner("settings/people")
    field(olga, "Only at certain hours").check()
    field(olga, "Time zone").select_option("Europe/Berlin")
    olga.page.get_by_role("button", name="Add hours on Monday").click()
    olga.press("Save")
    place = olga.find("fieldset[data-name=working_hours] .field-error")
    assert "overlap" in place.inner_text()
    field(olga, "Monday from").nth(1).fill("18:00")
    field(olga, "Monday to").nth(1).fill("20:30")
    for day in ("Wednesday", "Thursday", "Friday"):
        olga.page.get_by_role("button", name=f"Remove these hours on {day}").click()
    sent(olga, "Save")
    hours = settings(shop)["working_hours"]
    usual = [["09:00", "17:00"]]
    assert hours == {"timezone": "Europe/Berlin", "days": {"mon": [*usual, ["18:00", "20:30"]], "tue": usual}}
    field(olga, "Only at certain hours").uncheck()
    sent(olga, "Save")
    assert settings(shop)["working_hours"] is None


def test_secrets_go_in_and_never_come_out(shop, owner):
    olga = owner("settings/limits")
    before = site_row(shop).identity_secret
    field(olga, "Websites that may use the widget").fill("shop example")
    olga.press("Save")
    assert error_of(olga, "Websites that may use the widget")
    field(olga, "Websites that may use the widget").fill("*")
    olga.press("Make one")
    made = olga.find("[name=identity_secret]").input_value()
    sent(olga, "Save")
    assert site_row(shop).identity_secret == made != before
    olga.until(lambda: olga.find("[name=identity_secret]").input_value() == "", "the field to be empty")
    assert olga.find(".secret-state").inner_text() == "Set"
    assert "identity_secret" not in sent(olga, "Save")
    olga.go("settings/limits")
    assert made not in olga.page.content()
    assert site_row(shop).identity_secret == made


def test_the_preview_shows_unsaved_looks_and_makes_nothing(shop, owner):
    olga = owner("settings/looks")
    asked = []
    main = olga.page.main_frame
    olga.page.on("request", lambda request: request.frame == main or asked.append(request.url))
    before = len(shop.rows(models.Visitor.select(models.Visitor.id)))
    name = field(olga, "Name")
    name.fill("")
    name.press_sequentially("Unsaved", delay=30)
    frame = olga.page.frame_locator(".preview-frame").last
    frame.locator("vexar-chat").get_by_text("Unsaved").first.wait_for()
    name.press_sequentially(" words")
    olga.until(lambda: olga.find(".preview-frame").count() == 1, "the old picture to go")
    frame.locator("vexar-chat").get_by_text("Unsaved words").first.wait_for()
    assert name.input_value() == "Unsaved words"
    assert olga.page.evaluate("document.activeElement.name") == "bot_name"
    box = frame.locator("textarea").first
    box.fill("Do you read this?")
    box.press("Enter")
    frame.get_by_text("This is only a preview").first.wait_for()
    assert {url.split("/api/v1/")[1].split("?")[0] for url in asked if "/api/" in url} == {"chat/config"}
    assert len(shop.rows(models.Visitor.select(models.Visitor.id))) == before
    assert settings(shop)["bot_name"] != "Unsaved words"


def test_a_site_is_added_renamed_given_a_new_key_and_deleted(shop, owner):
    olga = owner("settings/site")
    olga.press("Add a site")
    field(olga, "Name").last.fill("Second")
    field(olga, "Address").last.fill("not an address")
    olga.press("Add")
    olga.find("dialog .field-error").wait_for()
    field(olga, "Address").last.fill("https://second.example")
    olga.press("Add")
    olga.page.wait_for_url("**/console/settings/tag")
    tag = olga.find("pre.code")
    key = tag.inner_text().split('data-key="')[1].split('"')[0]
    assert site_row(shop, site_key=key).name == "Second"

    olga.page.get_by_role("link", name="Site", exact=True).click()
    field(olga, "Name").fill("Second shop")
    field(olga, "The chat is on").uncheck()
    sent(olga, "Save")
    row = site_row(shop, site_key=key)
    assert (row.name, row.is_active) == ("Second shop", 0)
    olga.press("New site key")
    confirm(olga, "Make a new key")
    olga.until(lambda: tag.count() and key not in tag.inner_text(), "another key")
    new = tag.inner_text().split('data-key="')[1].split('"')[0]
    assert site_row(shop, site_key=new).id == row.id
    olga.page.get_by_role("link", name="Site", exact=True).click()
    olga.press("Delete this site")
    confirm(olga, "Delete for good")
    olga.find(".toast", has_text="was deleted").wait_for()
    assert shop.rows(models.Site.select(models.Site).where(models.Site.id == row.id)) == []
    assert olga.find(".site-box option", has_text="Second shop").count() == 0


def test_who_is_invited_joins_with_exactly_the_rights_given(shop, owner, browser):
    olga = owner("team")
    email = f"{secrets.token_hex(4)}@shop.example"
    olga.press("Invite somebody")
    field(olga, "Email").fill(olga.person.email)
    field(olga, "Name").fill("Pia")
    olga.press("Make the invitation")
    assert error_of(olga, "Email")
    field(olga, "Email").fill(email)
    for site in olga.find("[data-name=site_ids] input").all():
        site.uncheck()
    field(olga, "Juniper Lane").check()
    field(olga, "Read conversations, leads and figures").uncheck()
    olga.press("Make the invitation")
    link = olga.find("dialog pre").inner_text()
    pia = shop._context(viewport={"width": 1280, "height": 800}).new_page()
    pia.goto(link)
    pia.fill("#password", NEW_PASSWORD)
    pia.keyboard.press("Enter")
    pia.locator("nav").get_by_role("link", name="Replies").wait_for()
    assert pia.locator("nav [data-page]").all_inner_texts() == ["Knowledge", "Replies", "Blocks", "My account"]
    person = shop.rows(models.Operator.select(models.Operator).where(models.Operator.email == email))[0]
    right = models.OperatorSite
    rights = shop.rows(right.select(right).where(right.operator_id == person.id))
    assert [(one.can_chat, one.can_view_conversations, one.can_edit) for one in rights] == [(1, 0, 0)]

    olga.go("team").page.get_by_role("listitem").filter(has_text=email).get_by_role("button", name="Rights").click()
    field(olga, "Change settings, knowledge, nudges and replies").check()
    olga.press("Save")
    olga.find(".toast", has_text="Saved.").wait_for()
    pia.goto(f"{shop.url}/console/nudges")
    pia.get_by_role("heading", name="Nudges").wait_for()
    assert pia.get_by_text("What came of it").count() == 0
    member = olga.page.get_by_role("listitem").filter(has_text=email)
    member.get_by_role("button", name="New password").click()
    confirm(olga, "Make the link")
    assert "/console/password?token=" in olga.find("dialog pre").inner_text()
    confirm(olga, "Close")
    member.get_by_role("button", name="Remove").click()
    confirm(olga, "Remove")
    member.wait_for(state="detached")
    pia.goto(f"{shop.url}/console/replies")
    pia.wait_for_url("**/console/login**")


def test_the_account_is_changed_and_left(shop):
    olga = shop.operator("Olga", path="account")
    field(olga, "Name").fill("Olga B")
    field(olga, "Picture (web address)").fill("nowhere")
    olga.press("Save")
    assert error_of(olga, "Picture (web address)")
    field(olga, "Picture (web address)").fill("https://shop.example/olga.png")
    sent(olga, "Save")

    def row():
        return shop.rows(models.Operator.select(models.Operator).where(models.Operator.id == olga.person.id))[0]

    assert (row().name, row().avatar_url) == ("Olga B", "https://shop.example/olga.png")
    before = row().password_hash
    field(olga, "Current password").fill("wrong password")
    field(olga, "New password").fill(NEW_PASSWORD)
    olga.press("Change the password")
    assert error_of(olga, "Current password")
    field(olga, "Current password").fill(PASSWORD)
    olga.press("Change the password")
    olga.find(".toast", has_text="Changed.").wait_for()
    assert row().password_hash != before
    olga.press("Make a key")
    key = olga.find("dialog pre").inner_text()
    me = httpx.get(f"{shop.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {key}"})
    assert me.json()["user"]["id"] == olga.person.id
    confirm(olga, "Close")
    olga.find("dialog").wait_for(state="detached")
    assert key not in olga.page.content()
    box = olga.find("[aria-label=Presence] input")
    box.uncheck()
    wish = models.Presence
    olga.until(lambda: [one.is_online for one in shop.rows(
        wish.select(wish).where(wish.operator_id == olga.person.id))] == [0], "the wish to be stored")
    olga.press("Sign out")
    olga.page.wait_for_url("**/console/login")
    olga.page.goto(f"{shop.url}/console/account")
    olga.page.wait_for_url("**/console/login?next=/console/account")


def test_a_block_is_lifted_where_blocks_are_listed(shop, owner):
    session = visitor(shop, "let me in")
    olga = owner("inbox")
    conversation = shop.rows(models.Conversation.select(models.Conversation).order_by(models.Conversation.id.desc()))[0]
    olga.page.evaluate("""async (id) => {
      const { api } = await import(document.querySelector("script[type=module]").src.replace("app.js", "lib/api.js"));
      await api.post("operator/block", { conversation_id: id, by: "session", reason: "Spam" });
    }""", conversation.id)
    olga.go("blocks")
    olga.find("tr", has_text="Spam").get_by_role("button", name="Lift").click()
    confirm(olga, "Lift it")
    olga.find(".empty", has_text="Nobody is blocked").wait_for()
    assert shop.rows(models.Block.select(models.Block)) == []
    call(shop, "contact", session, name="Bo", email="b@example.org")


def test_a_page_behind_more_is_marked_there_on_a_phone(owner):
    olga = owner("settings")
    more = olga.page.get_by_role("button", name="More")
    olga.page.set_viewport_size(PHONE)
    olga.find(".more-item [aria-current=true]").wait_for()
    olga.find(".side [data-page=leads]").click()
    olga.find(".side [data-page=leads][aria-current=page]").wait_for()
    assert more.get_attribute("aria-current") is None
    more.click()
    olga.find("dialog [data-page=team]").click()
    olga.find(".more-item [aria-current]").wait_for()
    olga.page.set_viewport_size(DESKTOP)
    assert olga.find(".side [aria-current]:visible").all_inner_texts() == ["Team"]


def test_leaving_what_is_not_saved_asks(shop, owner):
    olga = owner("leads")
    olga.page.locator("nav.side").get_by_role("link", name="Settings").click()
    field(olga, "Name").fill("Half a na")
    inbox = olga.page.locator("nav.side").get_by_role("link", name="Inbox")
    for leave in (inbox.click, olga.page.go_back):
        leave()
        confirm(olga, "Stay")
        olga.page.wait_for_url("**/console/settings")
        assert field(olga, "Name").input_value() == "Half a na"
    asked = []
    olga.page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    olga.page.evaluate("location.reload()")
    olga.until(lambda: asked == ["beforeunload"], "the browser to ask")
    inbox.click()
    confirm(olga, "Leave")
    olga.page.wait_for_url("**/console/inbox")
    assert settings(shop)["bot_name"] != "Half a na"
    olga.go("replies").press("New reply")
    field(olga, "Shortcut").fill("thanks")
    olga.page.keyboard.press("Escape")
    olga.press("Stay")
    assert field(olga, "Shortcut").input_value() == "thanks"
    olga.page.keyboard.press("Escape")
    olga.press("Leave")
    olga.find("dialog").first.wait_for(state="detached")


def test_nudge_rules_are_written_with_the_keyboard_alone(shop, owner):
    olga = owner("nudges")
    keys = olga.page.keyboard
    olga.find("button", has_text="Add a rule").focus()
    keys.press("Enter")
    for text in ("/kb", "5"):
        keys.press("Control+A")
        keys.type(text)
        keys.press("Tab")
    keys.press("Tab")
    keys.type("By hand")
    keys.press("Enter")
    olga.find(".toast", has_text="Saved.").wait_for()
    rule = shop.rows(models.NudgeRule.select(models.NudgeRule).where(models.NudgeRule.path == "/kb"))[0]
    assert (rule.delay_seconds, json.loads(rule.variants)[0]["message"]) == (5, "By hand")


PLACES = (
    "leads", "ratings", "analytics", "nudges", "replies", "blocks", "team", "account",
    *(f"settings/{name}" for name in ("looks", "answers", "contact", "people", "limits", "tag", "site")),
)  # fmt: skip
DIALOGS = {
    "replies": "New reply", "team": "Invite somebody", "settings/site": "Add a site", "account": "Make a key",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_axe_objects_to_no_page_and_no_dialog(shop, owner, place):
    call(shop, "rate", visitor(shop, email="a@example.org"), score=5)
    olga = owner(place)
    if place == "settings/people":
        field(olga, "Only at certain hours").check()
    if place == "nudges":
        olga.press("Add a rule")
        olga.press("Save the rules")
        olga.find(".field-error").first.wait_for()
    for summary in olga.find("summary").all():
        summary.click()
    assert olga.objections() == {}
    if place in DIALOGS:
        olga.press(DIALOGS[place])
        olga.find("dialog[open]").wait_for()
        assert olga.objections() == {}
