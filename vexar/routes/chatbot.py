"""A site's chatbot settings: every field with its rule, partial changes, secrets that only go in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint
from msgspec import UNSET, Meta, UnsetType

from vexar.answers.manner import PRESETS, STRATEGIES, TONES
from vexar.routes.api import endpoint
from vexar.routes.fields import OneOf, Text, Whole
from vexar.routes.signed import Member, signed_in
from vexar.routes.sites import EDITED, found, given, known_providers
from vexar.sites import site_settings

blueprint = Blueprint("chatbot", __name__)

MAX_SECONDS = 7 * 86_400
# What running clocks are set by.
CLOCK_FIELDS = {
    "operator_timeout", "first_reply_timeout", "reply_timeout", "visitor_timeout", "operator_routing", "operator_id",
}
_COLOUR = r"#(?:[0-9A-Fa-f]{3}){1,2}"
Colour = Text(
    7, pattern=rf"^{_COLOUR}$(?!\n)", sentence="must be a colour such as #2f5bea", examples=["#2f5bea"]
)
ColourOrNone = Text(
    7, min_chars=0, pattern=rf"^(?:{_COLOUR})?$(?!\n)", sentence="must be a colour such as #2f5bea, or empty"
)
WebAddress = Text(2_000, min_chars=0, description="An http or https address; empty: none.")
Secret = Text(200, min_chars=0, description="Goes in and never comes out; empty: none.")
Clock = Whole(0, MAX_SECONDS)
Line = Text(200)


class HoursBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When people of the site answer: `days` holds mon to sun, each [["09:00", "17:30"], ...]; an end before its
    begin is on the next day, a missing day is a free one."""

    timezone: Text(64, description="An IANA name.", examples=["Europe/Berlin"]) = "UTC"
    days: Annotated[
        dict[OneOf(*site_settings.DAYS), Annotated[list[tuple[str, str]], Meta(max_length=10)]],
        Meta(examples=[{"mon": [["09:00", "17:30"]]}]),
    ] = {}


class Settings(msgspec.Struct, kw_only=True):
    """What changes; every field may be left out. Numbers in seconds, days or bytes; 0 switches a clock, the
    retention or a budget off."""

    bot_name: Text(100) | UnsetType = UNSET
    bot_avatar_url: WebAddress | UnsetType | None = UNSET
    welcome_message: Text(2_000, min_chars=0) | UnsetType = UNSET
    primary_color: Colour | UnsetType = UNSET
    header_color: ColourOrNone | UnsetType = UNSET
    position: OneOf("left", "right") | UnsetType = UNSET
    button_style: OneOf("round", "square") | UnsetType = UNSET
    starters: Annotated[list[Line], Meta(max_length=8)] | UnsetType = UNSET
    ai_provider: OneOf("", "builtin", "openai") | UnsetType = UNSET
    ai_model: Text(200, min_chars=0) | UnsetType = UNSET
    system_prompt: Text(16_000, min_chars=0) | UnsetType = UNSET
    custom_instructions: Text(16_000, min_chars=0) | UnsetType = UNSET
    behavior_preset: OneOf("", *PRESETS) | UnsetType = UNSET
    behavior_tone: OneOf("", *TONES) | UnsetType = UNSET
    behavior_goals: Annotated[list[Line], Meta(max_length=10)] | UnsetType = UNSET
    collect_email: bool | UnsetType = UNSET
    collect_data: OneOf("none", "email", "phone", "both") | UnsetType = UNSET
    lead_when: OneOf("never", "start", "after_answer") | UnsetType = UNSET
    lead_strategy: OneOf("", *STRATEGIES) | UnsetType = UNSET
    operator_enabled: bool | UnsetType = UNSET
    operator_routing: OneOf("all", "least_busy", "one") | UnsetType = UNSET
    operator_id: Whole(1) | UnsetType | None = UNSET
    working_hours: HoursBody | UnsetType | None = UNSET
    operator_timeout: Clock | UnsetType = UNSET
    first_reply_timeout: Clock | UnsetType = UNSET
    reply_timeout: Clock | UnsetType = UNSET
    visitor_timeout: Clock | UnsetType = UNSET
    photo_upload_enabled: bool | UnsetType = UNSET
    upload_quota_bytes: Whole(0, 2**50) | UnsetType = UNSET
    allowed_origins: Annotated[list[Text(300)], Meta(max_length=50)] | UnsetType = UNSET
    identity_required: bool | UnsetType = UNSET
    identity_secret: Text(128, min_chars=0) | UnsetType | None = UNSET
    retention_days: Whole(0, 36_500) | UnsetType = UNSET
    messages_per_month: Whole(0, 2**31 - 1) | UnsetType = UNSET
    tokens_per_day: Whole(0) | UnsetType = UNSET
    answer_threshold: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    data_api_enabled: bool | UnsetType = UNSET
    data_api_url: WebAddress | UnsetType | None = UNSET
    data_api_key: Secret | UnsetType | None = UNSET
    data_api_timeout: Whole(3, 30) | UnsetType = UNSET
    webhook_url: WebAddress | UnsetType | None = UNSET
    webhook_secret: Secret | UnsetType | None = UNSET


class Config(msgspec.Struct, kw_only=True):
    """`config`: every setting but the secrets, and it may be sent back as it is; `secrets`: which of them are set."""

    config: dict
    secrets: dict[str, bool]


@endpoint(blueprint, "GET", "/sites/<int:site_id>/chatbot", caller=signed_in, strict=True, answer=Config,
          errors=EDITED, summary="The chatbot settings of a site")
def read_settings(member: Member, site_id: int) -> dict:
    return site_settings.shown(member.site(site_id, "can_edit"))


@endpoint(blueprint, "PUT", "/sites/<int:site_id>/chatbot", caller=signed_in, strict=True, body=Settings,
          answer=Config, errors=EDITED, summary="Change chatbot settings; what is left out stays as it is")
def change_settings(member: Member, site_id: int, body: Settings) -> dict:
    member.site(site_id, "can_edit")
    changes = site_settings.checked(given(body))
    there = [provider["id"] for provider in known_providers(member.parts) if provider["is_available"]]
    row = member.parts.store.write(site_settings.change, site_id=site_id, changes=changes, providers=there)
    if changes.keys() & CLOCK_FIELDS:
        member.parts.conversations.rewind_clocks(site_id)
    return site_settings.shown(found(row))
