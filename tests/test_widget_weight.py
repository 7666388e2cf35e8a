"""How heavy the widget is on the wire, and how it is served: measured on the answers themselves."""

from __future__ import annotations

import re

import pytest

from tests.services import ROOT

WIDGET = ROOT / "static" / "widget"
MAX_LOADER_BYTES = 2_500
MAX_OPEN_BYTES = 18_000
PEERS_KB = {"Isso": 22, "Remark42": 71, "Crisp": 130, "Typebot": 196, "Flowise": 284, "Chatwoot's own limit": 300}
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


def fetch(client, name, **headers):
    return client.get(f"/widget/{name}", headers={"Accept-Encoding": "gzip", **headers})


def weigh(client, name):
    answer = fetch(client, name)
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), name
    return len(answer.data)


def imports_of(name):
    """The modules that come with a module: what it imports outright, and what those do."""
    found = {name}
    for other in re.findall(r'^import .* from "\./([\w/]+\.js)"', (WIDGET / name).read_text("utf-8"), re.MULTILINE):
        found |= imports_of(other)
    return found


def test_the_loader_weighs_at_most_two_and_a_half_kilobytes(client):
    assert weigh(client, "chatbot.js") <= MAX_LOADER_BYTES


def test_a_first_open_weighs_at_most_eighteen_kilobytes_and_less_than_the_peers(client, capsys):
    opened = {name: weigh(client, name) for name in [*imports_of("panel.js"), "widget.css"]}
    languages = {path.name: weigh(client, f"lang/{path.name}") for path in (WIDGET / "lang").glob("*.js")}
    asked = {
        name: weigh(client, name)
        for module in ("letters.js", "markdown.js", "message.js", "news.js") for name in imports_of(module)
    }
    first = sum(opened.values()) + max(languages.values())
    later = sum(size for name, size in asked.items() if name not in opened)
    with capsys.disabled():
        print(f"\n  on the wire (gzip): loader {weigh(client, 'chatbot.js')} bytes; first open {first} bytes with the")
        print(f"  largest language ({max(languages, key=languages.get)}); the first message {later} bytes more")
        print("  peers: " + ", ".join(f"{name} {size} kB" for name, size in PEERS_KB.items()))
    assert first <= MAX_OPEN_BYTES
    assert first + weigh(client, "chatbot.js") < min(PEERS_KB.values()) * 1_000


@pytest.mark.parametrize("name", ["chatbot.js", "panel.js", "widget.css", "lang/ar.js"])
def test_any_page_may_load_a_file_also_under_coep(client, name):
    answer = fetch(client, name)
    assert answer.headers["Content-Type"] == TYPES[name[name.rindex("."):]]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_the_loader_is_asked_for_again_soon_and_not_sent_again_when_it_is_the_same(client):
    answer = fetch(client, "chatbot.js")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = fetch(client, "chatbot.js", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_what_the_loader_fetches_may_be_kept_for_good(client):
    loader = client.get("/widget/chatbot.js", headers={"Accept-Encoding": "identity"}).text
    version = re.search(r'VERSION = "([0-9a-f]{12})"', loader)[1]
    kept = fetch(client, f"{version}/panel.js")
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    # A page from before an upgrade still finds everything, for a while.
    old = fetch(client, "0123456789ab/panel.js")
    assert (old.data, old.headers["Cache-Control"]) == (kept.data, "public, max-age=300")


def test_without_gzip_the_same_text_comes_plain(client):
    plain = client.get("/widget/panel.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["ETag"] != fetch(client, "panel.js").headers["ETag"]
    assert b"export async function start" in plain.data


@pytest.mark.parametrize("name", ["", "missing.js", "../../app.py", "lang/xx.js", "a/b/panel.js", "%2e%2e/console.css"])
def test_nothing_else_is_served(client, name):
    assert fetch(client, name).status_code == 404


def test_no_file_of_the_widget_names_another_host():
    for path in WIDGET.rglob("*.*"):
        hosts = set(re.findall(r"https?://([^/\"'`\s)]+)", path.read_text("utf-8")))
        assert hosts <= {"www.w3.org"}, path.name
