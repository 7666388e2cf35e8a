"""Proactive messages for operators: the rules of a site, and what became of them."""

from __future__ import annotations

import msgspec
from flask import Blueprint

from vexar.nudges import nudge_figures, nudge_rules
from vexar.routes.api import endpoint
from vexar.routes.fields import Done
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED
from vexar.sites import site_settings
from vexar.sites.settings import read_settings

blueprint = Blueprint("nudges", __name__)


class RulesBody(msgspec.Struct, kw_only=True):
    """All rules of the site, in the order in which pages ask for them."""

    rules: nudge_rules.Rules


class RulesOut(msgspec.Struct, kw_only=True):
    """All rules of the site: [{path, delay_seconds, frequency, variants: [{id, message, weight}]}]."""

    rules: list[dict]


class Figures(msgspec.Struct, kw_only=True):
    """Per rule: [{path, is_current, impressions, clicks, dismissals, conversions, variants: [{id, message,
    is_current, impressions, ...}]}]. A conversion is a visitor who wrote after having been shown it."""

    rules: list[dict]


@endpoint(blueprint, "GET", "/sites/<int:site_id>/nudge/rules", caller=signed_in, strict=True, answer=RulesOut,
          errors=EDITED, summary="The rules of proactive messages")
def read_rules(member: Member, site_id: int) -> dict:
    member.site(site_id, "can_edit")
    return _rules(member, site_id)


@endpoint(blueprint, "PUT", "/sites/<int:site_id>/nudge/rules", caller=signed_in, strict=True, body=RulesBody,
          answer=RulesOut, errors=EDITED, max_bytes=2**20, summary="Set the rules of proactive messages")
def set_rules(member: Member, site_id: int, body: RulesBody) -> dict:
    member.site(site_id, "can_edit")
    store = member.parts.store
    used = store.read_heavy(nudge_rules.highest, site_id=site_id)
    store.write(nudge_rules.replace, site_id=site_id, rules=nudge_rules.checked(body.rules), used=used)
    return _rules(member, site_id)


@endpoint(blueprint, "GET", "/sites/<int:site_id>/nudge/analytics", caller=signed_in, strict=True, answer=Figures,
          errors=EDITED, summary="What became of proactive messages")
def read_figures(member: Member, site_id: int) -> dict:
    settings = read_settings(member.site(site_id, "can_view_conversations").settings)
    return {"rules": member.parts.store.read_heavy(
        nudge_figures.of_site, site_id=site_id, after_id=settings.nudge_figures_after_id
    )}


@endpoint(blueprint, "DELETE", "/sites/<int:site_id>/nudge/analytics", caller=signed_in, strict=True, answer=Done,
          errors=EDITED, summary="Begin to count anew; dismissals and frequencies stay")
def reset_figures(member: Member, site_id: int) -> dict:
    member.site(site_id, "can_edit")
    newest = member.parts.store.read(nudge_figures.newest, site_id=site_id)
    member.parts.store.write(site_settings.forget_figures, site_id=site_id, after_id=newest)
    return {}


def _rules(member: Member, site_id: int) -> dict:
    return {"rules": [nudge_rules.to_wire(rule) for rule in member.parts.store.read(
        nudge_rules.of_site, site_id=site_id
    )]}
