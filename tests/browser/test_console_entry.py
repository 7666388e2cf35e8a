"""The pages to get into the console, in a real browser: by keyboard alone, and axe objects to nothing."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

PASSWORD = "correct horse"
OWNER = "olga@shop.example"

pytestmark = [pytest.mark.browser, pytest.mark.servers]


@pytest.fixture
def server(boot):
    return boot()


def first_link(server):
    """What the server printed."""
    return re.search(r"http\S+/console/setup\?token=\S+", server.log())[0]


def test_the_first_owner_comes_in_by_the_link_and_back_by_the_login_with_the_keyboard(server, page):
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(first_link(server))
    for text in ("Olga", OWNER, "short"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    # From the button behind the field back into it, and off with the form.
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Must have at least 10 characters").wait_for()
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.press("Control+A")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/console/**")
    page.locator("nav").get_by_role("link", name="Inbox").wait_for()

    page.context.clear_cookies()
    page.goto(f"{server.url}/console/account")
    assert page.url == f"{server.url}/console/login?next=/console/account"
    page.keyboard.type(OWNER)
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Email or password is wrong.").wait_for()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/console/account")
    assert troubles == []


def test_the_login_leads_nowhere_else(server, page):
    page.goto(first_link(server))
    for name, text in (("name", "Olga"), ("email", OWNER), ("password", PASSWORD)):
        page.fill(f"#{name}", text)
    page.keyboard.press("Enter")
    page.locator("nav").get_by_role("link", name="Inbox").wait_for()
    for place in ("https://evil.example/console/", "//evil.example/console/", "/console/../demo", "javascript:x"):
        page.context.clear_cookies()
        page.goto(f"{server.url}/console/login?next={place}")
        page.fill("#email", OWNER)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.locator("nav").get_by_role("link", name="Inbox").wait_for()
        assert page.url.startswith(f"{server.url}/console/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_objects_to_nothing(server, browser, scheme):
    pages = (first_link(server), *(f"{server.url}/console/{name}" for name in ("login", "password", "join?token=x")))
    for width in (390, 1280):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
        page = context.new_page()
        for place in pages:
            page.goto(place)
            if page.locator("form").count():
                # As it looks when something is wrong.
                page.keyboard.press("Enter")
                page.locator(".wrong:visible").first.wait_for()
            found = Axe().run(page).response
            assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], (place, width)
            assert len(found["passes"]) > 10, "axe looked at nothing"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        context.close()
