"""Who may not write, for operators: block the visitor of a conversation, see the blocks, lift them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Blueprint, Response

from vexar.addresses import matches, parse, parse_network
from vexar.conversing import blocks
from vexar.errors import invalid
from vexar.routes.api import endpoint
from vexar.routes.fields import Done, OneOf, Text, Whole
from vexar.routes.lists import Pagination, list_answer
from vexar.routes.operator import CHAT, DENIED
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import found
from vexar.routes.watching import SitesQuery, reader

blueprint = Blueprint("blocks", __name__)

# A household or a phone has a whole /64, and a new address in it every day.
IPV6_BITS = 64
# The last time that can be told in every time zone: a later one could be stored, and never be shown again.
LATEST_MS = 253_370_764_800_000
COLUMNS = ("id", "site_id", "by", "value", "reason", "until", "created_at", "operator")


class BlockBody(msgspec.Struct, kw_only=True):
    """Whom to block: by the visitor's session, address or email. `reason` is shown to the visitor; `until` null: for
    good; `network`: a CIDR range around the address, with `by` ip only."""

    conversation_id: Whole(1)
    by: OneOf("session", "ip", "email")
    reason: Text(500, min_chars=0) | None = None
    until: datetime | None = None
    network: Text(50) | None = None


class Blocked(msgspec.Struct, kw_only=True):
    """A block that holds."""

    id: int
    site_id: int
    by: OneOf("session", "ip", "email")
    value: str
    reason: str | None
    until: str | None
    created_at: str
    operator: dict | None


class BlockAdded(msgspec.Struct, kw_only=True):
    """The block."""

    block: Blocked


class Lifted(msgspec.Struct, kw_only=True):
    """How many blocks met the visitor."""

    lifted: int


class BlockedPage(msgspec.Struct, kw_only=True):
    """The blocks that hold, the newest first."""

    data: list[Blocked]
    pagination: Pagination


@endpoint(blueprint, "POST", "/operator/block", body=BlockBody, answer=BlockAdded, strict=True, caller=signed_in,
          errors=DENIED, tag="operator", summary="Block a visitor")
def block(member: Member, body: BlockBody) -> dict:
    conversation, visitor = member.conversation(body.conversation_id, CHAT)
    value = _value(body, visitor)
    member.parts.conversations.block(
        conversation.site_id, body.by, value, reason=body.reason or None, until_ms=_until_ms(member, body.until),
        operator_id=member.operator.id,
    )
    # Not found: a colleague has lifted it again already.
    return {"block": found(member.parts.store.read(
        blocks.by_target, site_id=conversation.site_id, kind=body.by, value=blocks.target(body.by, value)
    ))}


@endpoint(blueprint, "POST", "/operator/unblock/<int:conversation_id>", body=Done, answer=Lifted, strict=True,
          caller=signed_in, errors=DENIED, tag="operator", summary="Lift every block that meets a visitor")
def unblock(member: Member, conversation_id: int, body: Done) -> dict:
    conversation, visitor = member.conversation(conversation_id, CHAT)
    return {"lifted": member.parts.conversations.unblock(conversation.site_id, visitor.session_id)}


@endpoint(blueprint, "GET", "/operator/blocked", query=SitesQuery, answer=BlockedPage, strict=True, caller=signed_in,
          errors=DENIED, tag="operator", summary="The blocks that hold")
def blocked(member: Member, query: SitesQuery) -> dict | Response:
    return list_answer(query, reader(member, query, blocks.page), "blocked", COLUMNS, _named)


@endpoint(blueprint, "DELETE", "/operator/blocked/<int:block_id>", answer=Done, strict=True, caller=signed_in,
          errors=DENIED, tag="operator", summary="Lift one block")
def lift(member: Member, block_id: int) -> dict:
    row = found(member.parts.store.read(blocks.one, block_id=block_id))
    member.site(row.site_id, CHAT)
    member.parts.conversations.lift(row)
    return {}


def _named(row: dict) -> dict:
    return {**row, "operator": (row["operator"] or {}).get("name")}


def _value(body: BlockBody, visitor: Any) -> str:
    """What is blocked of this visitor. Raises ApiError invalid."""
    if body.network is not None and body.by != "ip":
        raise invalid(network="goes with by ip only")
    if body.by == "session":
        return visitor.session_id
    if body.by == "email":
        if not visitor.email:
            raise invalid(by="the visitor's email address is not known")
        return visitor.email
    if not visitor.address:
        raise invalid(by="the visitor's address is not known")
    return _network(visitor.address, body.network)


def _network(address: str, given: str | None) -> str:
    if given is not None:
        network = parse_network(given)
        if network is None or not matches(address, network):
            raise invalid(network="must be a CIDR range that holds the visitor's address")
        return network
    known = parse(address)
    return f"{address}/{IPV6_BITS}" if known is not None and known.version == 6 else address


def _until_ms(member: Member, until: datetime | None) -> int | None:
    if until is None:
        return None
    until_ms = round(until.timestamp() * 1000) if until.tzinfo else round(until.replace(tzinfo=UTC).timestamp() * 1000)
    if until_ms <= member.parts.store.read(lambda tx: tx.now_ms()):
        raise invalid(until="must be in the future")
    if until_ms > LATEST_MS:
        raise invalid(until="must be before the year 9999; leave it out for good")
    return until_ms
