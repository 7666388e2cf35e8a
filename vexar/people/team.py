"""The team: its members, what each may do where, who is invited and who is gone.

A member who is removed loses sessions, key and links at once; the row stays for the name on old messages. One owner
who can sign in always remains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vexar.conversing.messages import to_time
from vexar.errors import ApiError, invalid
from vexar.models import Conversation, Operator, OperatorSite, Presence, Site, Visitor
from vexar.people import links, presence, sessions
from vexar.people.auth import PERMISSIONS
from vexar.store import Duplicate, P, Statement, Transaction

# What a new member may do unless it is told.
DEFAULT_RIGHTS = {"can_chat": True, "can_view_conversations": True, "can_edit": False}

_IS_ACTIVE = Operator.is_active == 1
# Nobody: the shared desk of the command line, which no person signs in to.
_IS_PERSON = _IS_ACTIVE & (Operator.email != "desk@localhost")
_MEMBERS = Operator.select(Operator).where(_IS_PERSON)
_PAGE = Statement(_MEMBERS.order_by(Operator.id).limit(P.limit).offset(P.offset))
_SHOWN = Statement(_MEMBERS.where(Operator.id == P.id))
_ONE = Statement(_MEMBERS.where(Operator.id == P.id), lock=True)
_COUNT = Statement(Operator.select(Operator.id).where(_IS_PERSON))
# Locked as a whole: two owners who demote each other at the same moment would leave none.
_OWNERS = Statement(
    Operator.select(Operator.id, Operator.password_hash, Operator.key_hash)
    .where(_IS_ACTIVE & (Operator.is_owner == 1)).order_by(Operator.id),
    lock=True,
)
_ADD = Statement(
    Operator.insert(
        email=P.email, name=P.name, avatar_url=None, is_owner=P.is_owner, key_hash=None, created_ms=P.now_ms,
        password_hash=None, is_active=1,
    )
)
_CHANGE = Statement(
    Operator.update(name=P.name, email=P.email, avatar_url=P.avatar_url, is_owner=P.is_owner)
    .where(Operator.id == P.id)
)
# A name that is no address: nobody can sign in with it, and the address is free for somebody new.
_REMOVE = Statement(
    Operator.update(is_active=0, is_owner=0, password_hash=None, key_hash=None, email=P.email)
    .where(Operator.id == P.id)
)
_RIGHTS = OperatorSite.select(OperatorSite)
_UNASSIGN = Statement(OperatorSite.delete().where(OperatorSite.operator_id == P.operator_id))
_ASSIGN = Statement(
    OperatorSite.insert(
        operator_id=P.operator_id, site_id=P.site_id, can_chat=P.can_chat,
        can_view_conversations=P.can_view_conversations, can_edit=P.can_edit,
    )
)
_SITES = Statement(Site.select(Site.id, Site.name).order_by(Site.id))
_WISHES = Statement(Presence.select(Presence).where(Presence.operator_id == P.operator_id))
_LEAVE = Statement(Presence.delete().where(Presence.operator_id == P.operator_id))
_OF_SITE = Statement(
    OperatorSite.select(OperatorSite).where(OperatorSite.site_id == P.site_id).order_by(OperatorSite.operator_id)
)
_HELD = Statement(
    Conversation.select(Conversation.site_id, Visitor.session_id)
    .join(Visitor, on=(Visitor.conversation_id == Conversation.id))
    .where((Conversation.operator_id == P.operator_id) & (Conversation.mode == "operator"))
)


def page(tx: Transaction, *, limit: int, offset: int) -> tuple[list[dict], int]:
    """Some of the members, in the order they came, as JSON shows them; and how many there are."""
    rows = tx.all(_PAGE, limit=limit, offset=offset)
    return _to_wire(tx, rows), len(tx.all(_COUNT))


def member(tx: Transaction, *, operator_id: int) -> dict | None:
    """One member as JSON shows it, or None."""
    row = tx.one(_SHOWN, id=operator_id)
    return row and _to_wire(tx, [row])[0]


def of_site(tx: Transaction, *, site_id: int) -> list[dict]:
    """Who works for a site, as colleagues may see it: names and rights, no addresses. Owners work for all."""
    rights = {row.operator_id: row for row in tx.all(_OF_SITE, site_id=site_id)}
    rows = tx.all(_MEMBERS.where((Operator.is_owner == 1) | Operator.id.in_(sorted(rights) or [0])))
    online = {row.id for row in presence.online(tx, site_id=site_id)}
    return [
        {
            "id": row.id, "name": row.name, "avatar_url": row.avatar_url, "is_owner": bool(row.is_owner),
            "online": row.id in online, **permissions(row, rights.get(row.id)),
        }
        for row in sorted(rows, key=lambda row: row.id)
    ]


def own_sites(tx: Transaction, *, operator: Any) -> list[dict]:
    """The sites an operator may enter, with what it may do there and whether it wants to be online."""
    rights = {row.site_id: row for row in tx.all(_RIGHTS.where(OperatorSite.operator_id == operator.id))}
    wishes = {row.site_id: bool(row.is_online) for row in tx.all(_WISHES, operator_id=operator.id)}
    return [
        {
            "id": site.id, "name": site.name, "is_online": wishes.get(site.id, True),
            **permissions(operator, rights.get(site.id)),
        }
        for site in tx.all(_SITES) if operator.is_owner or site.id in rights
    ]


def permissions(operator: Any, rights: Any) -> dict[str, bool]:
    """What somebody may do on a site; `rights`: its row of operator_site, or None."""
    return {name: bool(operator.is_owner or (rights and getattr(rights, name))) for name in PERMISSIONS}


def invite(
    tx: Transaction, *, email: str, name: str, is_owner: bool, site_ids: list[int], rights: Mapping[str, bool],
    token: str,
) -> int:
    """A new member, and the link to join with; its id. Raises ApiError invalid."""
    try:
        operator_id = tx.insert(_ADD, email=email, name=name, is_owner=int(is_owner), now_ms=tx.now_ms())
    except Duplicate:
        raise invalid(email="belongs to somebody of the team already") from None
    _assign(tx, operator_id, site_ids, rights)
    links.add(tx, token=token, purpose=links.INVITE, operator_id=operator_id)
    return operator_id


def change(tx: Transaction, *, operator_id: int, site_ids: list[int] | None, rights: Mapping[str, bool] | None,
           **values: Any) -> None:  # fmt: skip
    """Change name, email, avatar_url, is_owner (those given), sites and rights. Raises ApiError not_found, invalid,
    conflict for the last owner."""
    row = _locked(tx, operator_id, is_leaving=values.get("is_owner") is False)
    kept = {name: getattr(row, name) for name in ("name", "email", "avatar_url", "is_owner")}
    try:
        tx.run(_CHANGE, id=operator_id, **{**kept, **values, "is_owner": int(values.get("is_owner", row.is_owner))})
    except Duplicate:
        raise invalid(email="belongs to somebody of the team already") from None
    if values.get("email", row.email) != row.email:
        # It may have gone to somebody else, which is why the address is changed.
        links.void(tx, operator_id=operator_id)
    if site_ids is None and rights is None:
        return
    old = tx.all(_RIGHTS.where(OperatorSite.operator_id == operator_id))
    if site_ids is None:
        site_ids = [one.site_id for one in old]
    if rights is None and old:
        # Rights are the same on every site: those of the first hold for a new one, too.
        rights = {name: bool(getattr(old[0], name)) for name in PERMISSIONS}
    _assign(tx, operator_id, site_ids, rights or {})


def remove(tx: Transaction, *, operator_id: int) -> None:
    """Take somebody out of the team. Raises ApiError not_found, conflict for the last owner."""
    _locked(tx, operator_id, is_leaving=True)
    tx.run(_REMOVE, id=operator_id, email=f"removed:{operator_id}")
    tx.run(_UNASSIGN, operator_id=operator_id)
    tx.run(_LEAVE, operator_id=operator_id)
    links.void(tx, operator_id=operator_id)
    sessions.end_all(tx, operator_id=operator_id)


def site_ids_of(tx: Transaction, *, operator_id: int) -> list[int]:
    """The sites somebody is assigned to."""
    return [row.site_id for row in tx.all(_RIGHTS.where(OperatorSite.operator_id == operator_id))]


def left_behind(tx: Transaction, *, operator_id: int) -> list[tuple[int, str]]:
    """(site_id, session_id) of the open conversations somebody has on sites where it may not chat any more."""
    operator = tx.one(Operator.select(Operator).where(Operator.id == operator_id))
    rights = tx.all(_RIGHTS.where(OperatorSite.operator_id == operator_id))
    may_chat = {row.site_id for row in rights if row.can_chat}
    held = [] if operator.is_owner else tx.all(_HELD, operator_id=operator_id)
    return [(row.site_id, row.session_id) for row in held if row.site_id not in may_chat]


def _locked(tx: Transaction, operator_id: int, *, is_leaving: bool) -> Any:
    owners = tx.all(_OWNERS)
    row = tx.one(_ONE, id=operator_id)
    if row is None:
        raise ApiError("not_found")
    can_sign_in = [one.id for one in owners if one.password_hash or one.key_hash]
    if is_leaving and can_sign_in == [operator_id]:
        raise ApiError("conflict", "This is the last owner; make somebody else an owner first.")
    return row


def _assign(tx: Transaction, operator_id: int, site_ids: list[int], rights: Mapping[str, bool]) -> None:
    known = {row.id for row in tx.all(_SITES)}
    if unknown := sorted(set(site_ids) - known):
        raise invalid(site_ids=f"there is no site {unknown[0]}")
    numbers = {name: int(rights.get(name, default)) for name, default in DEFAULT_RIGHTS.items()}
    tx.run(_UNASSIGN, operator_id=operator_id)
    for site_id in sorted(set(site_ids)):
        tx.run(_ASSIGN, operator_id=operator_id, site_id=site_id, **numbers)


def _to_wire(tx: Transaction, rows: list) -> list[dict]:
    found = tx.all(_RIGHTS.where(OperatorSite.operator_id.in_([row.id for row in rows] or [0])))
    rights: dict[int, list] = {}
    for one in sorted(found, key=lambda one: one.site_id):
        rights.setdefault(one.operator_id, []).append(one)
    return [_member_to_wire(row, rights.get(row.id, [])) for row in rows]


def _member_to_wire(row: Any, rights: list) -> dict:
    return {
        "id": row.id, "email": row.email, "name": row.name, "avatar_url": row.avatar_url,
        "is_owner": bool(row.is_owner),
        "is_invited": not (row.password_hash or row.key_hash),
        "site_ids": [one.site_id for one in rights],
        "permissions": permissions(row, rights[0] if rights else None),
        "created_at": to_time(row.created_ms),
    }  # fmt: skip
