"""Who a public request speaks for: the site behind its key, the page it may come from, the address it counts for."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request

from vexar.addresses import Address, client_address
from vexar.conversing import views, visitors
from vexar.errors import ApiError, WrongFields
from vexar.models import Site
from vexar.parts import Parts, parts
from vexar.routes.api import error_answer
from vexar.sites.settings import SiteSettings, read_settings
from vexar.store import P, Statement, Transaction

_SITE = Statement(Site.select(Site).where((Site.site_key == P.site_key) & (Site.is_active == 1)))


# What every endpoint for visitors may answer, and those that write.
READ = ("site_not_found", "origin_not_allowed", "rate_limited")
WRITE = (*READ, "blocked")

OWN_PORTS = {"http": ":80", "https": ":443"}


class Caller:
    """One public request: its site and settings, its session, its address."""

    __slots__ = ("address", "parts", "session_id", "settings", "site")

    def __init__(self, live: Parts, site: Any, session_id: str, address: Address) -> None:
        self.parts = live
        self.site = site
        self.settings = settings_of(site)
        self.session_id = session_id
        self.address = address

    @property
    def bucket(self) -> str | None:
        """What limits by address count it under; None when the address is unknown."""
        return self.address.bucket

    def poll(self) -> None:
        """Count a read. Raises ApiError rate_limited."""
        self.parts.limits.check_poll(self.bucket, self.site.id, self.session_id)

    def form(self) -> None:
        """Count an email, contact or rating. Raises ApiError rate_limited."""
        self.parts.limits.check_form(self.bucket, self.site.id)

    def newcomer(self) -> None:
        """Count a session nobody has seen, before it is stored. Raises ApiError rate_limited."""
        if self.parts.store.read(visitors.find, site_id=self.site.id, session_id=self.session_id) is None:
            self.parts.limits.check_conversation(self.bucket, self.site.id)

    def state(self) -> views.State:
        """Where the visitor stands."""
        return self.parts.store.read(
            views.state, site_id=self.site.id, session_id=self.session_id, address=self.address.text
        )

    def refuse_blocked(self) -> None:
        """Raise ApiError blocked when a block meets the visitor; for requests whose own job does not look."""
        block = self.state().block
        if block is not None:
            raise ApiError("blocked", block.reason or "")


def enter(scope: Any) -> Caller:
    """The caller behind `site_key` and `session_id`. Raises ApiError site_not_found, origin_not_allowed."""
    live = parts()
    site = live.store.read(find_site, site_key=scope.site_key)
    if site is None:
        raise ApiError("site_not_found")
    address = client_address(request.remote_addr, request.headers, live.config.trusted_proxies)
    _check_origin(live, site, address)
    return Caller(live, site, getattr(scope, "session_id", ""), address)


def answer_wrong_fields(problem: WrongFields) -> Response:
    """The 422 of a visitor's endpoint; a page that may not use the site's key is told that instead."""
    live = parts()
    site_key = problem.given.get("site_key")
    is_sound = isinstance(site_key, str) and "site_key" not in problem.errors
    site = live.store.read(find_site, site_key=site_key) if is_sound else None
    if site is not None:
        try:
            _check_origin(live, site, client_address(
                request.remote_addr, request.headers, live.config.trusted_proxies
            ))
        except ApiError as refusal:
            return error_answer(refusal)
    return error_answer(problem)


def find_site(tx: Transaction, *, site_key: str) -> Any:
    """The row of the active site with this key, or None."""
    return tx.one(_SITE, site_key=site_key)


def settings_of(site: Any) -> SiteSettings:
    """A site's settings; read once for every text they ever had."""
    return _settings(site.settings)


@lru_cache(maxsize=256)
def _settings(text: str) -> SiteSettings:
    return read_settings(text)


def own_origins(live: Parts, address: Address) -> list[str]:
    """Where Vexar itself is reached: as this request came in, and as VEXAR_PUBLIC_URL says."""
    # A proxy nobody named is not believed about the scheme either: its visitors may have used both.
    schemes = ("http", "https") if address.text is None else (address.scheme,)
    found = [_plain(f"{scheme}://{request.host}") for scheme in schemes]
    if live.config.public_url:
        public = urlsplit(live.config.public_url)
        found.append(_plain(f"{public.scheme}://{public.netloc}"))
    return found


def _check_origin(live: Parts, site: Any, address: Address) -> None:
    origin = request.headers.get("Origin")
    if origin is None or "*" in (allowed := settings_of(site).allowed_origins):
        return
    origin = _plain(origin)
    if origin in own_origins(live, address):
        return
    if origin == "null" or origin not in [_plain(one.rstrip("/")) for one in allowed]:
        # No CORS headers then: the page must not read even the refusal.
        g.is_origin_refused = True
        raise ApiError("origin_not_allowed")


def _plain(origin: str) -> str:
    """An origin as browsers write it: in lower case, without the scheme's own port."""
    origin = origin.lower()
    return origin.removesuffix(OWN_PORTS.get(origin.partition("://")[0], ""))


def verify_user(caller: Caller, user_id: str | None, user_hash: str | None) -> str | None:
    """The verified id of a signed-in visitor; None for an anonymous one. Raises ApiError bad_user_hash."""
    if user_id is None and user_hash is None and not caller.settings.identity_required:
        return None
    secret = caller.site.identity_secret
    expected = hmac.new(secret.encode(), (user_id or "").encode(), hashlib.sha256).hexdigest()
    if not (secret and user_id and hmac.compare_digest(expected.encode(), (user_hash or "").lower().encode())):
        raise ApiError("bad_user_hash")
    return user_id
