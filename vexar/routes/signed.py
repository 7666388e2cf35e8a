"""Who an operators' request speaks for: `@endpoint(..., caller=signed_in)` gives the function its `member`.

A bearer token (API key or session) or the console's cookie; a cookie writes only together with its CSRF token.
What is not the member's answers 404, as if it did not exist; what it may see but not do, 403.
"""

from __future__ import annotations

from typing import Any

from flask import request

from vexar.addresses import Address, client_address
from vexar.errors import ApiError
from vexar.models import Conversation, Visitor
from vexar.parts import Parts, parts
from vexar.people import auth
from vexar.people.auth import Access
from vexar.routes.cookies import check_csrf, cookie_token
from vexar.store import P, Statement, Transaction

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_CONVERSATION = Statement(Conversation.select(Conversation).where(Conversation.id == P.id))
_VISITOR = Statement(Visitor.select(Visitor).where(Visitor.id == P.id))


class Member:
    """One operators' request: `operator` is its row, `token` what it came with, `parts` the live objects."""

    __slots__ = ("operator", "parts", "token")

    def __init__(self, live: Parts, operator: Any, token: str) -> None:
        self.parts = live
        self.operator = operator
        self.token = token

    @property
    def is_owner(self) -> bool:
        """Whether it may do everything."""
        return bool(self.operator.is_owner)

    def require_owner(self) -> None:
        """Raises ApiError forbidden."""
        if not self.is_owner:
            raise ApiError("forbidden")

    def access(self, site_id: int, permission: str | None = None) -> Access:
        """What the member may do on a site. Raises ApiError not_found, or forbidden without the permission."""
        found = self.parts.store.read(auth.find_access, operator=self.operator, site_id=site_id)
        if found is None:
            raise ApiError("not_found")
        if permission and not getattr(found, permission):
            raise ApiError("forbidden")
        return found

    def site(self, site_id: int, permission: str | None = None) -> Any:
        """The row of one of the member's sites. Raises ApiError not_found, forbidden."""
        return self.access(site_id, permission).site

    def site_ids(self, permission: str | None = None) -> list[int]:
        """The member's sites (with this permission), ascending."""
        return self.parts.store.read(auth.site_ids, operator=self.operator, permission=permission)

    def conversation(self, conversation_id: int, permission: str) -> tuple[Any, Any]:
        """The rows of a conversation of the member's sites and of its visitor. Raises ApiError not_found, forbidden."""
        found = self.parts.store.read(_find_conversation, conversation_id=conversation_id)
        if found is None:
            raise ApiError("not_found")
        self.access(found[0].site_id, permission)
        return found

    def address(self) -> Address:
        """Where the request comes from."""
        return client_address(request.remote_addr, request.headers, self.parts.config.trusted_proxies)


def signed_in() -> Member:
    """The operator who sends the current request. Raises ApiError unauthorized; forbidden for a cookie's write
    without its CSRF token."""
    live = parts()
    token, is_cookie = _token()
    operator = live.store.read(auth.find_operator, token=token) if token else None
    if operator is None:
        raise ApiError("unauthorized")
    if is_cookie and request.method not in SAFE_METHODS:
        check_csrf(token)
    return Member(live, operator, token)


def _token() -> tuple[str | None, bool]:
    """The token of the request, and whether it came as a cookie. A header wins: no other page can set one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return (token.strip() or None, False) if scheme.lower() == "bearer" else (None, False)
    return cookie_token(), True


def _find_conversation(tx: Transaction, *, conversation_id: int) -> tuple[Any, Any] | None:
    conversation = tx.one(_CONVERSATION, id=conversation_id)
    visitor = tx.one(_VISITOR, id=conversation.visitor_id) if conversation else None
    # An eraser may come between the two: without its visitor a conversation is as good as gone.
    return (conversation, visitor) if visitor else None
