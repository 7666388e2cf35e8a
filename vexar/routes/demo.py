"""The demo shop's pages, where the demo is on: the shop at `/`, the same shop in other places below `/demo`, and a page
for each entry of its knowledge.

The entries are those that ship with Vexar, so that every source of an answer leads somewhere.
"""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request

from vexar.demo import SHOPS
from vexar.errors import ApiError
from vexar.parts import parts
from vexar.routes.files import PAGE_HEADERS, STATIC, static_file

blueprint = Blueprint("demo", __name__, template_folder=str(STATIC))

ENGLISH, ARABIC = SHOPS
HELP = "/demo/help"
ARABIC_HELP = "/demo/rtl/help"
NEIGHBOURS = 4
# What a page is called by its route, where it is, and what it says of itself.
LOOKS = (
    ("plain", "/", "A plain page", "the tag as it is pasted"),
    ("strict", "/demo/strict", "A strict page", "scripts by nonce only, Trusted Types, COEP"),
    ("rtl", "/demo/rtl", "From right to left", "an Arabic shop that answers in Arabic"),
    ("dark", "/demo/dark", "In the dark", 'data-theme="dark", whatever the system prefers'),
    ("inline", "/demo/inline", "Inside the page", 'data-inline="#ask", without a button'),
)
# The strictest policy under which the tag works (docs/widget.md); the style sheet is the shop's, not the widget's.
STRICT = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
@blueprint.before_request
def only_where_it_is_on() -> None:
    """Nothing of the shop exists on a server that is not a demo."""
    if not parts().config.demo:
        raise ApiError("not_found")


@blueprint.get("/")
def shop() -> Response:
    """The shop, with the tag as every site pastes it."""
    return _shop("plain")


@blueprint.get("/demo/<any('dark', 'inline'):look>")
def shop_elsewhere(look: str) -> Response:
    """The shop with another attribute on its tag."""
    return _shop(look)


@blueprint.get("/demo/strict")
def strict_shop() -> Response:
    """The shop under policies that forbid all but its own scripts, by nonce."""
    nonce = secrets.token_urlsafe(16)
    answer = _shop("strict", nonce=nonce)
    answer.headers["Content-Security-Policy"] = STRICT.format(nonce=nonce)
    answer.headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    # A nonce that is kept and shown again protects nobody.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/demo/rtl")
def arabic_shop() -> Response:
    """The Arabic shop, written from right to left."""
    return _page("arabic.html", look="rtl", looks=LOOKS, lang="ar", key=ARABIC.site_key)


@blueprint.get("/demo/<any('demo.css', 'shop.js', 'icon.svg'):name>")
def shop_file(name: str) -> Response:
    """What the pages are made of."""
    return static_file("demo", name)


@blueprint.get(HELP)
def help_index() -> Response:
    """All questions."""
    return _page("help.html", title="Help", entries=entries())


@blueprint.get(f"{HELP}/<name>")
def help_page(name: str) -> Response:
    """One answer, and its neighbours. Raises ApiError not_found."""
    return _page("help.html", **_answer(entries(), f"{HELP}/{name}"))


@blueprint.get(f"{ARABIC_HELP}/<name>")
def arabic_help_page(name: str) -> Response:
    """One answer in Arabic. Raises ApiError not_found."""
    found = _answer(entries(ARABIC.knowledge), f"{ARABIC_HELP}/{name}")
    return _page("arabic.html", look="rtl", lang="ar", key=ARABIC.site_key, **found)


@cache
def entries(file: Path = ENGLISH.knowledge) -> list[dict[str, Any]]:
    """A shop's knowledge, in the order of its file: title, question, content, url."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _answer(found: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """What the page of the entry at `url` shows. Raises ApiError not_found."""
    urls = [entry["url"] for entry in found]
    if url not in urls:
        raise ApiError("not_found")
    place = urls.index(url)
    around = [found[(place + step) % len(found)] for step in range(1, NEIGHBOURS + 1)]
    return {"title": found[place]["title"], "content": found[place]["content"], "entries": around}


def _shop(look: str, **values: Any) -> Response:
    base = parts().config.public_url or request.host_url.rstrip("/")
    return _page("shop.html", look=look, looks=LOOKS, base=base, **values)


def _page(template: str, **values: Any) -> Response:
    # Flask escapes every value in a template whose name ends in .html.
    text = render_template(f"demo/{template}", **values)
    return Response(text, content_type="text/html; charset=utf-8", headers=PAGE_HEADERS)
