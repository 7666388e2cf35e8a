"""The "test connection" of a site's Data API: asks it once, with what is saved or what is about to be.

What it answers is told in a sentence and never shown itself, so that nobody reads other servers through this one.
"""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
from flask import Blueprint
from msgspec import UNSET, UnsetType

from vexar.answers.data_actions import ACTIONS, PING
from vexar.answers.data_api import MAX_BYTES, DataEndpoint, Reply
from vexar.errors import ApiError, invalid
from vexar.routes.api import endpoint
from vexar.routes.chatbot import Secret, WebAddress
from vexar.routes.fields import Whole
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED
from vexar.sites import site_settings
from vexar.sites.settings import SiteSettings, read_settings

blueprint = Blueprint("data-api", __name__)

SENTENCES = {
    "declined": "The endpoint answered the ping with an error: {error}",
    "unsupported": "The endpoint does not know the action ping: {error}",
    "timeout": "No whole answer came within {timeout_s} seconds.",
    "unreachable": "The endpoint could not be reached: {reason}.",
    "forbidden": "This address leads into a private network; the server may ask it only if VEXAR_FETCH_ALLOW says so.",
    "redirected": "The endpoint redirects to {location}. Enter the address that answers by itself.",
    "bad_key": "The endpoint refused the key, or the address is wrong (status {status}).",
    "bad_status": "The endpoint answered with status {status}.",
    "too_large": "The answer is larger than {max_kb} KB.",
    "bad_answer": 'The answer is not JSON such as {{"success": true, "data": ...}}.',
    "cut": "The test was ended.",
}
OPEN_KEY = "The address is not https: whoever is on the way can read the key and the data."
NO_KEY = "The saved key was not sent: it belongs to another address. Enter it again to try it here."


class Trial(msgspec.Struct, kw_only=True):
    """What to try instead of what is saved. A saved key goes to the saved address (or its origin) only."""

    url: WebAddress | UnsetType = UNSET
    key: Secret | UnsetType = UNSET
    timeout: Whole(3, 30) | UnsetType = UNSET


class TrialResult(msgspec.Struct, kw_only=True):
    """Whether it works: `error` says why not. `detail`: {outcome, status, actions: those the endpoint says it has
    (null: it does not say), warnings: sentences}."""

    ok: bool
    took_ms: int
    error: str | None
    detail: dict


@endpoint(blueprint, "POST", "/sites/<int:site_id>/data-api/test", caller=signed_in, strict=True, body=Trial,
          answer=TrialResult, errors=EDITED, summary="Ask a site's own data once: does it work?")
def try_endpoint(member: Member, site_id: int, body: Trial) -> dict:
    site = member.site(site_id, "can_edit")
    settings = read_settings(site.settings)
    asked = _asked(DataEndpoint(
        site.id, site.site_key, settings.data_api_url, settings.data_api_key, settings.data_api_timeout
    ), settings, body)
    started = time.monotonic()
    reply = member.parts.data_api.probe(asked, PING, {})
    return {
        "ok": reply.outcome == "ok",
        "took_ms": round((time.monotonic() - started) * 1000),
        "error": None if reply.outcome == "ok" else _sentence(reply, asked),
        "detail": {
            "outcome": reply.outcome, "status": reply.status or None, "actions": _actions(reply.data),
            "warnings": _warnings(asked, settings, body),
        },
    }


def _asked(saved: DataEndpoint, settings: SiteSettings, body: Trial) -> DataEndpoint:
    """The endpoint to try. Raises ApiError invalid."""
    given = {"data_api_url": body.url, "data_api_key": body.key}
    try:
        good = site_settings.checked({name: value for name, value in given.items() if value is not UNSET})
    except ApiError as problem:
        errors = {name.removeprefix("data_api_"): sentence for name, sentence in problem.errors.items()}
        raise invalid(**errors) from None
    url = good.get("data_api_url", saved.url)
    if not url:
        raise invalid(url="is required")
    own_key = saved.key if site_settings.is_key_of(settings, url) else ""
    timeout_s = saved.timeout_s if body.timeout is UNSET else body.timeout
    return replace(saved, url=url, key=good.get("data_api_key", own_key), timeout_s=timeout_s)


def _warnings(asked: DataEndpoint, settings: SiteSettings, body: Trial) -> list[str]:
    parts = urlsplit(asked.url)
    is_open = parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
    is_left_out = body.key is UNSET and bool(settings.data_api_key) and not asked.key
    return [sentence for sentence, is_true in ((OPEN_KEY, is_open), (NO_KEY, is_left_out)) if is_true]


def _sentence(reply: Reply, asked: DataEndpoint) -> str:
    return SENTENCES[reply.outcome].format(
        error=reply.error or "it gave no reason", reason=reply.reason, status=reply.status,
        location=_plain(reply.location), timeout_s=asked.timeout_s, max_kb=MAX_BYTES // 1024,
    )


def _plain(location: str) -> str:
    """Where a redirect leads, without what may be secret in it."""
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"[:300] if parts.hostname else "another address"


def _actions(data: object) -> list[str] | None:
    """Those of ours that a ping's data names."""
    named = data.get("actions") if isinstance(data, dict) else None
    return [name for name in ACTIONS if name in named] if isinstance(named, list) else None
