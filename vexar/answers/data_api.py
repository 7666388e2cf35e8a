"""A site's own endpoint, its Data API: one call and what came of it, whatever the other side does.

Everything that can go wrong is an outcome and none is an exception. It follows no redirect, since the key belongs to
one address only, asks nothing twice, and knows nothing of models. The wire is described in docs/data-api.md.

| outcome     | what happened                                                   |
|-------------|-----------------------------------------------------------------|
| ok          | data came                                                       |
| declined    | the endpoint said no, in words: no such order                   |
| unsupported | it does not know this action                                    |
| timeout     | the answer was not whole in time                                |
| unreachable | no connection, or it broke                                      |
| forbidden   | the address is none that this server may ask                    |
| redirected  | it sent us elsewhere                                            |
| bad_key     | 401 or 403                                                      |
| bad_status  | another status that is none of an answer                        |
| too_large   | more than MAX_BYTES                                             |
| bad_answer  | no JSON of the agreed shape                                     |
| paused      | not asked: its last calls failed                                |
| cut         | not asked or given up: the answer it was for is not wanted now  |
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from vexar import metrics
from vexar.answers.pauses import Pauses
from vexar.outbound.dialing import FetchError, Refused
from vexar.outbound.fetch import Ended, Late
from vexar.outbound.outside import REDIRECTS, Answer, Outside
from vexar.sites.settings import SiteSettings

log = logging.getLogger("vexar.data_api")

MAX_BYTES = 64 * 1024
MAX_ERROR_CHARS = 300
# What an endpoint says of an action it does not have.
UNKNOWN_ACTION = "unknown_action"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Neither tells anything about the endpoint's health.
_NO_WORD = ("cut", "paused")
_GOOD = ("ok", "declined", "unsupported")


@dataclass(frozen=True)
class DataEndpoint:
    """Where a site's data is, and how it is asked."""

    site_id: int
    site_key: str
    url: str
    key: str = field(repr=False)
    timeout_s: float


@dataclass(frozen=True)
class Reply:
    """What came of a call. `outcome`: one of the table above; `data` with ok; `error`: the endpoint's own words, cut;
    `status`: of HTTP, 0 without an answer; `location`: where a redirect leads; `reason`: why nothing came."""

    outcome: str
    data: Any = field(default=None, repr=False)
    error: str = field(default="", repr=False)
    status: int = 0
    location: str = ""
    reason: str = ""


def endpoint_of(site: Any, settings: SiteSettings) -> DataEndpoint | None:
    """The endpoint of a site's row; None where it is switched off."""
    if not settings.data_api_enabled or not settings.data_api_url:
        return None
    return DataEndpoint(
        site.id, site.site_key, settings.data_api_url, settings.data_api_key, settings.data_api_timeout
    )


class DataApi:
    """Asks the endpoints of all sites; one per process, for any number of threads."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.pauses = Pauses()

    def call(
        self, endpoint: DataEndpoint, action: str, params: dict, *, lang: str = "", user_id: str = "",
        deadline: float | None = None, watch: Callable[[Any], object] | None = None,
    ) -> Reply:
        """Ask once. `user_id`: of a verified visitor; `deadline`, as in `time.monotonic()`: may shorten the time-out;
        `watch` is given what `cancel()` ends."""
        if not self.pauses.may_ask(endpoint):
            reply = Reply("paused")
        else:
            reply = self.probe(endpoint, action, params, lang=lang, user_id=user_id, deadline=deadline, watch=watch)
            self._note(endpoint, action, reply)
        metrics.data_api_called(action, reply.outcome)
        return reply

    def probe(
        self, endpoint: DataEndpoint, action: str, params: dict, *, lang: str = "", user_id: str = "",
        deadline: float | None = None, watch: Callable[[Any], object] | None = None,
    ) -> Reply:
        """The same for who wants to know how it is: asked in a pause too, and a failure counts for nothing."""
        started = time.monotonic()
        left_s = endpoint.timeout_s if deadline is None else min(endpoint.timeout_s, deadline - started)
        try:
            answer = self.outside.fetch(
                endpoint.url, timeout_s=left_s, max_bytes=MAX_BYTES, method="POST", headers=_headers(endpoint),
                body=_body(endpoint, action, params, lang=lang, user_id=user_id), watch=watch,
            )
        except FetchError as problem:
            reply = Reply(_failure(problem, is_hurried=left_s < endpoint.timeout_s), reason=str(problem))
        else:
            reply = _read(answer)
        if reply.outcome == "ok":
            self.pauses.note(endpoint, is_good=True)
        level = logging.INFO if reply.outcome in _GOOD else logging.WARNING
        took_ms = (time.monotonic() - started) * 1000
        told = (endpoint.site_id, action, reply.outcome, reply.status, took_ms)
        log.log(level, "data api of site %d: %s %s (status %d, %d ms)", *told)
        return reply

    def close(self) -> None:
        """Close kept connections and threads."""
        self.outside.close()

    def _note(self, endpoint: DataEndpoint, action: str, reply: Reply) -> None:
        if reply.outcome not in _NO_WORD:
            self.pauses.note(endpoint, is_good=reply.outcome in _GOOD)
        if reply.outcome == "unsupported":
            self.pauses.lack(endpoint, action)


def _headers(endpoint: DataEndpoint) -> dict[str, str]:
    own = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    return {"Content-Type": "application/json", "Accept": "application/json", **own}


def _body(endpoint: DataEndpoint, action: str, params: dict, *, lang: str, user_id: str) -> bytes:
    known = {"lang": lang, "user_id": user_id}
    told = {name: value for name, value in known.items() if value}
    return msgspec.json.encode({"action": action, "params": params, "site_key": endpoint.site_key, **told})


def _failure(problem: FetchError, *, is_hurried: bool) -> str:
    # That the answer's own time ran out says nothing of the endpoint.
    kinds = ((Ended, "cut"), (Late, "cut" if is_hurried else "timeout"), (Refused, "forbidden"))
    return next((outcome for kind, outcome in kinds if isinstance(problem, kind)), "unreachable")


def _read(answer: Answer) -> Reply:
    status = answer.status
    if status in REDIRECTS:
        return Reply("redirected", status=status, location=answer.location)
    if status in (401, 403):
        return Reply("bad_key", status=status)
    if answer.is_cut:
        return Reply("too_large", status=status)
    found = _object(answer.body)
    is_answer = type(found.get("success")) is bool
    # Many frameworks say "no such order" with a 404; what a gateway says has no `success` in it.
    if status >= 500 or (status >= 300 and (not is_answer or found["success"])):
        return Reply("bad_status", status=status)
    if not is_answer:
        return Reply("bad_answer", status=status)
    if found["success"]:
        return Reply("ok", found.get("data"), status=status)
    outcome = "unsupported" if found.get("code") == UNKNOWN_ACTION else "declined"
    said = found.get("error")
    return Reply(outcome, error=said[:MAX_ERROR_CHARS] if isinstance(said, str) else "", status=status)


def _object(body: bytes) -> dict:
    """The JSON object that a body is; an empty one when it is none."""
    try:
        found = msgspec.json.decode(body.removeprefix(BYTE_ORDER_MARK))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
