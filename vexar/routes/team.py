"""The team: who is in it, who is invited, and who may do what where. Its changes are the owners'."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response
from msgspec import UNSET, Meta, UnsetType

from vexar.conversing.messages import to_time
from vexar.errors import ApiError
from vexar.parts import Parts, parts
from vexar.people import accounts, auth, links, team
from vexar.people.auth import PERMISSIONS
from vexar.routes.api import endpoint
from vexar.routes.auth import AvatarUrl, LoggedIn, NewPassword, changes_of, to_user
from vexar.routes.cookies import refuse_other_pages
from vexar.routes.fields import Done, Email, OneOf, PersonName, Text, Whole
from vexar.routes.lists import ListQuery, Pagination, csv_answer, page_answer, whole_answer
from vexar.routes.signed import Member, signed_in

blueprint = Blueprint("team", __name__)

MAX_SITES = 100
# Of a CSV file; a team is small.
MAX_MEMBERS = 10_000
COLLEAGUE_COLUMNS = ("id", "name", "is_owner", "online", "can_chat", "can_view_conversations", "can_edit")
CSV_COLUMNS = ("id", "email", "name", "is_owner", "is_invited", "created_at")
SiteIds = Annotated[list[Whole(1)], Meta(max_length=MAX_SITES, description="Where somebody works.")]
LinkToken = Text(200, description="From the link.")


class Permissions(msgspec.Struct, kw_only=True):
    """What somebody may do on its sites."""

    can_chat: bool = True
    can_view_conversations: bool = True
    can_edit: bool = False


class InviteBody(msgspec.Struct, kw_only=True):
    """Whom to invite."""

    email: Email
    name: PersonName
    is_owner: bool = False
    site_ids: SiteIds = []
    permissions: Permissions = msgspec.field(default_factory=Permissions)


class MemberBody(msgspec.Struct, kw_only=True):
    """What to change; what is left out stays."""

    email: Email | UnsetType = UNSET
    name: PersonName | UnsetType = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET
    is_owner: bool | UnsetType = UNSET
    site_ids: SiteIds | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET


class AcceptBody(msgspec.Struct, kw_only=True):
    """A password of one's own choice; the name as visitors shall read it."""

    token: LinkToken
    password: NewPassword
    name: PersonName | None = None


class TokenQuery(msgspec.Struct, kw_only=True):
    """The token of a link."""

    token: LinkToken


class MemberRow(msgspec.Struct, kw_only=True):
    """A member of the team; `is_invited`: has neither a password nor a key yet."""

    id: int
    email: str
    name: str
    avatar_url: str | None
    is_owner: bool
    is_invited: bool
    site_ids: list[int]
    permissions: Permissions
    created_at: str


class Members(msgspec.Struct, kw_only=True):
    """One page of the team."""

    data: list[MemberRow]
    pagination: Pagination


class OneMember(msgspec.Struct, kw_only=True):
    """A member."""

    member: MemberRow


class Invited(OneMember, kw_only=True):
    """The link is for this person alone, works once and is never shown again; send it yourself."""

    link: str
    expires_at: str


class Colleague(msgspec.Struct, kw_only=True):
    """Somebody who works for a site."""

    id: int
    name: str
    avatar_url: str | None
    is_owner: bool
    online: bool
    can_chat: bool
    can_view_conversations: bool
    can_edit: bool


class Colleagues(msgspec.Struct, kw_only=True):
    """A page of who works for a site."""

    data: list[Colleague]
    pagination: Pagination


class MyAccess(msgspec.Struct, kw_only=True):
    """What the operator may do on a site."""

    is_owner: bool
    can_chat: bool
    can_view_conversations: bool
    can_edit: bool


class LinkOf(msgspec.Struct, kw_only=True):
    """Whom a link is for; `password`: it sets a new password instead of the first."""

    email: str
    name: str
    purpose: OneOf("invite", "password")


def told(method: str, path: str, summary: str, **more: Any) -> Any:
    """An endpoint of this blueprint for operators."""
    errors = ("forbidden", *more.pop("errors", ()))
    return endpoint(blueprint, method, path, caller=signed_in, strict=True, summary=summary, errors=errors, **more)


@told("GET", "/team", "Who is in the team?", query=ListQuery, answer=Members)
def list_team(member: Member, query: ListQuery) -> dict | Response:
    """Members and invited ones, in the order they came; for owners."""
    member.require_owner()
    read = member.parts.store.read
    if query.format == "csv":
        return csv_answer("team", CSV_COLUMNS, read(team.page, limit=MAX_MEMBERS, offset=0)[0])
    return page_answer(*read(team.page, limit=query.per_page, offset=query.offset), query)


@told("POST", "/team", "Invite somebody", body=InviteBody, answer=Invited, status=201)
def invite(member: Member, body: InviteBody) -> dict:
    """The answer has the link to join with, valid for seven days; for owners."""
    member.require_owner()
    token, live = links.new_token(), member.parts
    operator_id = live.store.write(
        team.invite, email=accounts.plain_email(body.email), name=body.name, is_owner=body.is_owner,
        site_ids=body.site_ids, rights=msgspec.structs.asdict(body.permissions), token=token,
    )
    return {"member": _member(live, operator_id), **_link(live, operator_id, token)}


@told("PUT", "/team/<int:operator_id>", "Change a member", body=MemberBody, answer=OneMember,
      errors=("not_found", "conflict"))  # fmt: skip
def change_member(member: Member, operator_id: int, body: MemberBody) -> dict:
    """For owners; the last owner stays one (409)."""
    member.require_owner()
    live = member.parts
    rights = None if body.permissions is UNSET else msgspec.structs.asdict(body.permissions)
    site_ids = None if body.site_ids is UNSET else body.site_ids
    live.store.write(
        team.change, operator_id=operator_id, site_ids=site_ids, rights=rights, **changes_of(body)
    )
    _let_go(live, operator_id)
    return {"member": _member(live, operator_id)}


@told("DELETE", "/team/<int:operator_id>", "Remove a member", errors=("not_found", "conflict"))
def remove_member(member: Member, operator_id: int) -> dict:
    """Sessions, key and links end at once, the conversations go back to the AI, the name stays on old messages; for
    owners. The last owner stays (409)."""
    member.require_owner()
    live = member.parts
    live.store.write(team.remove, operator_id=operator_id)
    _let_go(live, operator_id)
    return {}


@told("POST", "/team/<int:operator_id>/link", "Make a new link for a member", body=Done, answer=Invited,
      errors=("not_found",))  # fmt: skip
def new_link(member: Member, operator_id: int, body: Done) -> dict:
    """An invitation again (seven days), or for a new password (an hour); the earlier link is void. For owners."""
    member.require_owner()
    live = member.parts
    if _member(live, operator_id) is None:
        raise ApiError("not_found")
    link, until_ms = live.accounts.personal_link(operator_id)
    return {"member": _member(live, operator_id), "link": link, "expires_at": to_time(until_ms)}


@told("GET", "/sites/<int:site_id>/team", "Who works for a site?", query=ListQuery, answer=Colleagues,
      errors=("not_found",))  # fmt: skip
def list_colleagues(member: Member, site_id: int, query: ListQuery) -> dict | Response:
    """Names and rights of the colleagues, for transfers; no addresses."""
    site = member.site(site_id)
    return whole_answer(query, member.parts.store.read(team.of_site, site_id=site.id), "team", COLLEAGUE_COLUMNS)


@told("GET", "/sites/<int:site_id>/my-access", "What may I do on a site?", answer=MyAccess, errors=("not_found",))
def my_access(member: Member, site_id: int) -> dict:
    """The operator's own permissions."""
    access = member.access(site_id)
    return {"is_owner": member.is_owner, **{name: getattr(access, name) for name in PERMISSIONS}}


@endpoint(blueprint, "GET", "/team/validate-invite", strict=True, query=TokenQuery, answer=LinkOf,
          errors=("not_found",), summary="Whom is a link for?")  # fmt: skip
def validate_invite(query: TokenQuery) -> dict:
    """For invitations and for links to a new password. Wrong, used, expired and void are the same 404."""
    operator = parts().accounts.whose(query.token)
    purpose = links.INVITE if operator.password_hash is None else links.PASSWORD
    return {"email": operator.email, "name": operator.name, "purpose": purpose}


@endpoint(blueprint, "POST", "/team/accept-invite", strict=True, body=AcceptBody, answer=LoggedIn,
          errors=("not_found", "forbidden"), summary="Join by a link")  # fmt: skip
def accept_invite(body: AcceptBody) -> dict:
    """Sets the password and signs in; the link is void then, and every earlier session ended."""
    refuse_other_pages()
    live = parts()
    token = live.accounts.accept(body.token, body.password, body.name)
    operator = live.store.read(auth.find_operator, token=token)
    return {"token": token, "user": to_user(live, operator)}


def _let_go(live: Parts, operator_id: int) -> None:
    """Give the AI back what somebody has who may not chat there any more: no visitor shall wait for nobody."""
    for site_id, session_id in live.store.read_heavy(team.left_behind, operator_id=operator_id):
        # The visitor may have closed it, or a colleague taken it, meanwhile.
        with suppress(ApiError):
            live.conversations.return_to_ai(site_id, session_id)


def _member(live: Parts, operator_id: int) -> dict | None:
    return live.store.read(team.member, operator_id=operator_id)


def _link(live: Parts, operator_id: int, token: str) -> dict:
    found = live.store.read(links.find, token=token, purposes=(links.INVITE,))
    return {"link": links.url(live.config, links.INVITE, token), "expires_at": to_time(found.until_ms)}
