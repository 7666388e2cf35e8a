"""Signing in and out, and what somebody may change about itself: the person, the password, the API key."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, request
from msgspec import UNSET, Meta, UnsetType

from vexar.addresses import client_address
from vexar.errors import ApiError
from vexar.parts import Parts, parts
from vexar.people import auth, team
from vexar.people.accounts import find_by_id, plain_email
from vexar.people.passwords import MAX_CHARS, MIN_CHARS
from vexar.routes.api import endpoint, json_answer
from vexar.routes.cookies import forget_cookie
from vexar.routes.fields import Done, Email, Filled, PersonName, Text
from vexar.routes.signed import Member, signed_in

blueprint = Blueprint("auth", __name__)

Password = Text(MAX_CHARS, description="Compared exactly.")
NewPassword = Text(MAX_CHARS, description=f"At least {MIN_CHARS} characters.")
AvatarUrl = Annotated[str, Meta(
    max_length=2_000, pattern=r"^(https?://[^\s]+|/uploads/[^\s]+)?$", description="A web address; empty: none.",
    extra={"sentence": "must be a web address that begins with https:// or http://"},
)]  # fmt: skip


class LoginBody(msgspec.Struct, kw_only=True):
    """Who signs in."""

    email: Filled(320)
    password: Password


class OwnSite(msgspec.Struct, kw_only=True):
    """A site the operator works for, and what it may do there."""

    id: int
    name: str
    is_online: bool
    can_chat: bool
    can_view_conversations: bool
    can_edit: bool


class User(msgspec.Struct, kw_only=True):
    """The operator who is signed in."""

    id: int
    email: str
    name: str
    avatar_url: str | None
    is_owner: bool
    has_api_key: bool
    sites: list[OwnSite]


class Me(msgspec.Struct, kw_only=True):
    """Who is signed in."""

    user: User


class LoggedIn(msgspec.Struct, kw_only=True):
    """A new session; send the token as `Authorization: Bearer`. It is valid for 30 days."""

    token: str
    user: User


class MeBody(msgspec.Struct, kw_only=True):
    """What to change; what is left out stays. Only owners change an email, which is what they sign in with."""

    name: PersonName | UnsetType = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET
    email: Email | UnsetType = UNSET


class PasswordBody(msgspec.Struct, kw_only=True):
    """The password, and the one that shall take its place."""

    current_password: Password
    new_password: NewPassword


class ApiKey(msgspec.Struct, kw_only=True):
    """A new API key; it is never shown again."""

    api_key: str


@endpoint(blueprint, "POST", "/auth/login", strict=True, body=LoginBody, answer=LoggedIn,
          errors=("unauthorized", "rate_limited"), summary="Sign in")  # fmt: skip
def login(body: LoginBody) -> dict:
    """Wrong email and wrong password are the same answer. Failures block the account and the address for longer and
    longer: 429 with retry_after and blocked_until."""
    live = parts()
    token = live.accounts.login(body.email, body.password, own_bucket(live))
    operator = live.store.read(auth.find_operator, token=token)
    return {"token": token, "user": to_user(live, operator)}


@endpoint(blueprint, "POST", "/auth/logout", caller=signed_in, strict=True, body=Done, errors=("forbidden",),
          summary="Sign out")  # fmt: skip
def logout(member: Member, body: Done) -> Response:
    """The session ends, here and in the console; an API key stays."""
    member.parts.accounts.logout(member.token)
    return forget_cookie(json_answer({"success": True}, headers={"Cache-Control": "no-store"}))


@endpoint(blueprint, "GET", "/auth/me", caller=signed_in, strict=True, answer=Me, summary="Who am I?")
def show_me(member: Member) -> dict:
    """The operator behind the token, with its sites and what it may do there."""
    return {"user": to_user(member.parts, member.operator)}


@endpoint(blueprint, "PUT", "/auth/me", caller=signed_in, strict=True, body=MeBody, answer=Me,
          errors=("forbidden",), summary="Change name, picture or email")  # fmt: skip
def change_me(member: Member, body: MeBody) -> dict:
    """Visitors read the name and see the picture."""
    # Whoever could try addresses here would learn who else has an account.
    if body.email is not UNSET and not member.is_owner:
        raise ApiError("forbidden", "Only an owner can change an email address.")
    live, changes = member.parts, changes_of(body)
    live.store.write(team.change, operator_id=member.operator.id, site_ids=None, rights=None, **changes)
    return {"user": to_user(live, live.store.read(find_by_id, operator_id=member.operator.id))}


@endpoint(blueprint, "POST", "/auth/change-password", caller=signed_in, strict=True, body=PasswordBody,
          errors=("forbidden", "rate_limited"), summary="Change the password")  # fmt: skip
def change_password(member: Member, body: PasswordBody) -> dict:
    """Every other session of the operator ends; its API key stays."""
    member.parts.accounts.change_password(
        member.operator, member.token, current=body.current_password, new=body.new_password,
        bucket=member.address().bucket,
    )
    return {}


@endpoint(blueprint, "POST", "/auth/api-key", caller=signed_in, strict=True, body=Done, answer=ApiKey,
          errors=("forbidden",), summary="Make a new API key")  # fmt: skip
def new_api_key(member: Member, body: Done) -> dict:
    """The earlier key ends at once. Only a hash of the new one is stored."""
    return {"api_key": member.parts.accounts.new_key(member.operator.id)}


def own_bucket(live: Parts) -> str | None:
    """What the attempts of the current request's address are counted under; None where it is unknown."""
    return client_address(request.remote_addr, request.headers, live.config.trusted_proxies).bucket


def to_user(live: Parts, operator: Any) -> dict:
    """The operator as it sees itself."""
    return {
        "id": operator.id, "email": operator.email, "name": operator.name, "avatar_url": operator.avatar_url,
        "is_owner": bool(operator.is_owner), "has_api_key": operator.key_hash is not None,
        "sites": live.store.read(team.own_sites, operator=operator),
    }


def changes_of(body: Any) -> dict[str, Any]:
    """The columns of an operator that a body names."""
    names = ("name", "avatar_url", "email", "is_owner")
    found = {name: value for name in names if (value := getattr(body, name, UNSET)) is not UNSET}
    if "avatar_url" in found:
        found["avatar_url"] = found["avatar_url"] or None
    if "email" in found:
        found["email"] = plain_email(found["email"])
    return found
