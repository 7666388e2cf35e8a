"""What the widget does to a page before anybody uses it: nothing. How long opening takes is measured by
bench/widget_open.py; here is only counted, since a time would depend on the machine."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

# Counts what the page's scripts ask to be called back for, after `window.counting` was set.
COUNT = """
  window.asked = "";
  for (const name of ["setTimeout", "setInterval", "requestAnimationFrame", "requestIdleCallback", "queueMicrotask",
                      "fetch"]) {
    const own = window[name];
    window[name] = (...values) => {
      if (window.counting) window.asked += name + " ";
      return own.apply(window, values);
    };
  }"""
REST_MS = 1_500


def counted(chat):
    """What the scripts of a page asked for while it was left alone."""
    chat.page.evaluate("window.counting = true")
    seen = len(chat.requests)
    chat.page.wait_for_timeout(REST_MS)
    return chat.page.evaluate("asked"), [request.url for request in chat.requests[seen:]]


@pytest.fixture
def watched(open_page):
    """A page whose timers, frames and requests are counted."""
    chat = open_page()
    chat.page.add_init_script(COUNT)
    chat.page.reload()
    chat.button.wait_for()
    chat.page.wait_for_load_state("networkidle")
    return chat


def test_while_closed_it_has_no_timer_no_frame_and_no_request(watched):
    assert counted(watched) == ("", [])


def test_with_the_pointer_over_it_and_away_again_it_rests(watched):
    watched.button.hover()
    watched.until(lambda: any("widget.css" in request.url for request in watched.requests), "the panel to be fetched")
    watched.page.mouse.move(5, 5)
    watched.page.wait_for_load_state("networkidle")
    assert counted(watched) == ("", [])


def test_what_counts_does_count(watched):
    watched.page.evaluate("setInterval(() => fetch('/plain'), 300)")
    asked, requests = counted(watched)
    assert "fetch" in asked
    assert requests


def test_a_slow_line_waits_for_two_rounds_of_files_and_the_button_says_so(watched):
    held = []
    watched.page.route("**/widget/**", lambda route: held.append(route))
    watched.button.click()
    rounds = 0
    while not watched.text.is_visible():
        watched.until(lambda: held, "the next round")
        # What is asked for at once, and nothing that waits for an answer.
        watched.page.wait_for_timeout(300)
        assert watched.button.get_attribute("aria-busy") == "true"
        rounds += 1
        now, held[:] = list(held), []
        for route in now:
            route.continue_()
        watched.page.wait_for_timeout(300)
    assert rounds == 2
    assert watched.button.get_attribute("aria-busy") is None


def test_after_the_pointer_was_over_it_opening_fetches_no_script_and_no_style(watched):
    watched.button.hover()
    watched.until(lambda: any("widget.css" in request.url for request in watched.requests), "the panel to be fetched")
    watched.page.wait_for_load_state("networkidle")
    seen = len(watched.requests)
    watched.open()
    assert [request.url for request in watched.requests[seen:] if "/widget/" in request.url] == []
