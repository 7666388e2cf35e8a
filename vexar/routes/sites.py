"""Sites for operators: making, changing and removing them, the tag to paste, the key, who may make answers."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
from flask import Blueprint, Response, request
from msgspec import UNSET, UnsetType

from vexar.addresses import client_address
from vexar.errors import ApiError
from vexar.parts import Parts
from vexar.routes.api import endpoint
from vexar.routes.fields import Filled
from vexar.routes.lists import ListQuery, Pagination, whole_answer
from vexar.routes.signed import Member, signed_in
from vexar.sites import sites

blueprint = Blueprint("sites", __name__)

CSV_COLUMNS = ("id", "name", "url", "site_key", "is_active", "created_at")
SEEN = ("not_found",)
EDITED = ("not_found", "forbidden")
PROVIDER_NAMES = {"builtin": "From the site's knowledge alone", "openai": "The AI endpoint of this server"}
SiteName = Filled(sites.MAX_NAME_CHARS, examples=["Juniper Lane"])
SiteUrl = Filled(sites.MAX_URL_CHARS, examples=["https://shop.example"])


class NewSite(msgspec.Struct, kw_only=True):
    """A website; its host's name is its name when none is given."""

    url: SiteUrl
    name: SiteName | None = None


class SiteChanges(msgspec.Struct, kw_only=True):
    """What changes. A site that is not active answers visitors 404 and keeps everything."""

    url: SiteUrl | UnsetType = UNSET
    name: SiteName | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class SiteOut(msgspec.Struct, kw_only=True):
    """One site: {id, name, url, site_key, is_active, allowed_origins, created_at}."""

    site: dict


class MadeSite(SiteOut, kw_only=True):
    """The new site, and the tag to paste into its pages."""

    code: str


class Sites(msgspec.Struct, kw_only=True):
    """A page of the operator's sites, by number."""

    data: list[dict]
    pagination: Pagination


class Code(msgspec.Struct, kw_only=True):
    """The tag to paste, and the key in it."""

    code: str
    site_key: str


class Removed(msgspec.Struct, kw_only=True):
    """Whether everything is gone already; what is left of a large one goes in the background."""

    is_done: bool


class Providers(msgspec.Struct, kw_only=True):
    """Who may make answers: [{id, name, models, is_available}]; `default`: who is asked where a site names nobody."""

    providers: list[dict]
    default: str


@endpoint(blueprint, "GET", "/sites", caller=signed_in, strict=True, query=ListQuery, answer=Sites,
          summary="The operator's sites")
def list_sites(member: Member, query: ListQuery) -> dict | Response:
    rows = member.parts.store.read(sites.find_all, site_ids=member.site_ids())
    return whole_answer(query, [sites.to_wire(row) for row in rows], "sites", CSV_COLUMNS)


@endpoint(blueprint, "POST", "/sites", caller=signed_in, strict=True, body=NewSite, answer=MadeSite, status=201,
          errors=("forbidden",), summary="Add a site")
def add_site(member: Member, body: NewSite) -> tuple[dict, int]:
    member.require_owner()
    site = member.parts.store.write(
        sites.add, url=sites.checked_url(body.url), name=body.name or "", site_key=sites.new_key(),
        identity_secret=secrets.token_hex(32),
    )
    return {"site": sites.to_wire(site), "code": sites.widget_code(base(member), site.site_key)}, 201


@endpoint(blueprint, "GET", "/sites/<int:site_id>", caller=signed_in, strict=True, answer=SiteOut, errors=SEEN,
          summary="One site")
def one_site(member: Member, site_id: int) -> dict:
    return {"site": sites.to_wire(member.site(site_id))}


@endpoint(blueprint, "PUT", "/sites/<int:site_id>", caller=signed_in, strict=True, body=SiteChanges, answer=SiteOut,
          errors=EDITED, summary="Change a site's name, address or whether it is active")
def change_site(member: Member, site_id: int, body: SiteChanges) -> dict:
    member.site(site_id, "can_edit")
    changes = given(body)
    if "url" in changes:
        sites.checked_url(changes["url"])
    if "is_active" in changes:
        changes["is_active"] = int(changes["is_active"])
    row = member.parts.store.write(sites.change, site_id=site_id, **changes)
    return {"site": sites.to_wire(found(row))}


@endpoint(blueprint, "DELETE", "/sites/<int:site_id>", caller=signed_in, strict=True, answer=Removed, errors=EDITED,
          summary="Remove a site with everything of it")
def remove_site(member: Member, site_id: int) -> dict:
    site = member.site(site_id)
    member.require_owner()
    return {"is_done": member.parts.eraser.site(site.id)}


@endpoint(blueprint, "GET", "/sites/<int:site_id>/widget-code", caller=signed_in, strict=True, answer=Code,
          errors=SEEN, summary="The tag to paste into the site's pages")
def widget_code(member: Member, site_id: int) -> dict:
    site = member.site(site_id)
    return {"code": sites.widget_code(base(member), site.site_key), "site_key": site.site_key}


@endpoint(blueprint, "POST", "/sites/<int:site_id>/rotate-key", caller=signed_in, strict=True, answer=Code,
          errors=EDITED, summary="Give a site a new key; the old one stops working at once")
def rotate_key(member: Member, site_id: int) -> dict:
    member.site(site_id)
    member.require_owner()
    site_key = sites.new_key()
    member.parts.store.write(sites.rotate_key, site_id=site_id, site_key=site_key)
    return {"code": sites.widget_code(base(member), site_key), "site_key": site_key}


@endpoint(blueprint, "GET", "/ai-providers", caller=signed_in, strict=True, answer=Providers,
          summary="Who may make answers")
def ai_providers(member: Member) -> dict:
    return {"providers": known_providers(member.parts), "default": default_provider(member.parts)}


def known_providers(live: Parts) -> list[dict]:
    """Every provider: {id, name, models, is_available}. `models` are suggestions; an endpoint may know more."""
    there = live.runs.providers.providers
    models = {"openai": [live.config.ai_model] if live.config.ai_model else []}
    return [
        {"id": name, "name": said, "models": models.get(name, []), "is_available": name in there}
        for name, said in PROVIDER_NAMES.items()
    ]


def default_provider(live: Parts) -> str:
    """Who is asked where a site names nobody."""
    return "openai" if live.config.ai_base_url else "builtin"


def base(member: Member) -> str:
    """Where pages find this server: as the settings say, else as this request found it."""
    config = member.parts.config
    if config.public_url:
        return config.public_url
    address = client_address(request.remote_addr, request.headers, config.trusted_proxies)
    return f"{address.scheme}://{request.host}"


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a partial change that were sent."""
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def found(row: Any) -> Any:
    """The row, unless it went away meanwhile. Raises ApiError not_found."""
    if row is None:
        raise ApiError("not_found")
    return row
