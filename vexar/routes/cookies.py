"""The console's cookie: the session token where no script can read it, for this host alone.

On https it is `Secure` and carries the `__Host-` prefix, so that no other host of the domain can plant one.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Response, request

from vexar.addresses import client_address
from vexar.errors import ApiError
from vexar.parts import Parts, parts
from vexar.people.sessions import SESSION_MS
from vexar.routes.scope import own_origins

NAME = "vexar_session"
SECURE_NAME = f"__Host-{NAME}"
CSRF_HEADER = "X-CSRF-Token"


def cookie_token() -> str | None:
    """The session token the current request's cookie holds."""
    # Only the name that fits: on https a plain one may come from anybody who speaks http to this host.
    return request.cookies.get(_name(parts()))


def keep_cookie(answer: Response, token: str) -> Response:
    """Hand the session to the browser."""
    answer.set_cookie(_name(parts()), token, max_age=SESSION_MS // 1000, **_attributes(parts()))
    return answer


def forget_cookie(answer: Response) -> Response:
    """Take it away again; nothing where the browser sent none."""
    if cookie_token() is not None:
        answer.delete_cookie(_name(parts()), **_attributes(parts()))
    return answer


def csrf_token(secret_key: str, token: str) -> str:
    """What a page of this session sends in X-CSRF-Token with every write."""
    return hmac.new(secret_key.encode(), f"csrf:{token}".encode(), hashlib.sha256).hexdigest()


def check_csrf(token: str) -> None:
    """Raises ApiError forbidden when the current request does not carry its session's CSRF token."""
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), csrf_token(parts().config.secret_key, token).encode()):
        raise ApiError("forbidden", "This page has expired; reload it and try again.")


def refuse_other_pages() -> None:
    """Raises ApiError forbidden for a request that a page elsewhere made: it must not sign anybody in here."""
    live = parts()
    address = client_address(request.remote_addr, request.headers, live.config.trusted_proxies)
    origin = request.headers.get("Origin")
    # Old browsers leave out the one or the other; programs both.
    is_elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    if is_elsewhere or (origin is not None and origin.lower() not in own_origins(live, address)):
        raise ApiError("forbidden", "This request came from another website.")


def _name(live: Parts) -> str:
    return SECURE_NAME if _is_https(live) else NAME


def _attributes(live: Parts) -> dict:
    # Lax and not Strict: a link to the console in a message shall find the operator signed in.
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": _is_https(live)}


def _is_https(live: Parts) -> bool:
    """Whether the browser uses https, as far as this server can know."""
    public = urlsplit(live.config.public_url)
    if public.scheme == "https" and request.host == public.netloc:
        return True
    return client_address(request.remote_addr, request.headers, live.config.trusted_proxies).scheme == "https"
