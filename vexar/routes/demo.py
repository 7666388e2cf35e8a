"""The demo shop's pages, where the demo is on: the shop at `/`, and a page for each entry of its knowledge.

The entries are those that ship with Vexar, so that every source of an answer leads somewhere.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Blueprint, Response, render_template_string

from vexar.demo import KNOWLEDGE
from vexar.errors import ApiError
from vexar.parts import parts
from vexar.routes.files import PAGE_HEADERS, STATIC, static_file

blueprint = Blueprint("demo", __name__)

FOLDER = STATIC / "demo"
HELP = "/demo/help"
NEIGHBOURS = 4


@blueprint.before_request
def only_where_it_is_on() -> None:
    """Nothing of the shop exists on a server that is not a demo."""
    if not parts().config.demo:
        raise ApiError("not_found")


@blueprint.get("/")
def shop() -> Response:
    """The shop."""
    return static_file("demo", "index.html")


@blueprint.get("/demo/<any('demo.css', 'demo.js'):name>")
def shop_file(name: str) -> Response:
    """What its pages are made of."""
    return static_file("demo", name)


@blueprint.get(HELP)
def help_index() -> Response:
    """All questions."""
    return _page("Help", "", entries())


@blueprint.get(f"{HELP}/<name>")
def help_page(name: str) -> Response:
    """One answer, and its neighbours. Raises ApiError not_found."""
    found = entries()
    urls = [entry["url"] for entry in found]
    url = f"{HELP}/{name}"
    if url not in urls:
        raise ApiError("not_found")
    place = urls.index(url)
    entry = found[place]
    around = [found[(place + step) % len(found)] for step in range(1, NEIGHBOURS + 1)]
    return _page(entry["title"], entry["content"], around)


@cache
def entries() -> list[dict[str, Any]]:
    """The shop's knowledge, in the order of its file: title, question, content, url."""
    return [json.loads(line) for line in KNOWLEDGE.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def _template() -> str:
    return (FOLDER / "help.html").read_text(encoding="utf-8")


def _page(title: str, content: str, links: list[dict[str, Any]]) -> Response:
    # Flask escapes every value of a template that comes as a string.
    text = render_template_string(_template(), title=title, content=content, entries=links)
    return Response(text, content_type="text/html; charset=utf-8", headers=PAGE_HEADERS)
