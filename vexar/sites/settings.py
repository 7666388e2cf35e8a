"""What a site's owner decides about it: the fields of the chatbot settings, with defaults, kept as JSON."""

from __future__ import annotations

import msgspec


class WorkingHours(msgspec.Struct, kw_only=True):
    """When people of the site answer."""

    # IANA name, such as Europe/Berlin.
    timezone: str = "UTC"
    # mon to sun -> [["09:00", "17:30"], ...]; a missing day is a free one. Ends after midnight belong to the next day.
    days: dict[str, list[tuple[str, str]]] = {}


class SiteSettings(msgspec.Struct, kw_only=True):
    """One site's settings. Unknown fields of a newer version are ignored, missing ones have defaults."""

    bot_name: str = "Assistant"
    bot_avatar_url: str | None = None
    welcome_message: str = "Hello! How can I help you?"
    primary_color: str = "#2f5bea"
    header_color: str = ""
    position: str = "right"
    button_style: str = "round"
    starters: list[str] = []
    # Empty: the server's own.
    ai_provider: str = ""
    ai_model: str = ""
    system_prompt: str = ""
    custom_instructions: str = ""
    # Where nobody is there to answer, an email address is asked for.
    collect_email: bool = False
    # What the contact form asks for: none, email, phone or both.
    collect_data: str = "none"
    # When it comes by itself: never, start or after_answer.
    lead_when: str = "never"
    # How the AI asks for a contact: empty (not at all), gentle or direct.
    lead_strategy: str = ""
    # What they do to the prompt: answers/manner.py.
    behavior_preset: str = ""
    behavior_tone: str = ""
    behavior_goals: list[str] = []
    operator_enabled: bool = True
    # Who is told of a waiting visitor: all, least_busy or one (then only operator_id).
    operator_routing: str = "all"
    operator_id: int | None = None
    # None: always.
    working_hours: WorkingHours | None = None
    # The four clocks, in seconds; 0 switches one off. Nobody accepts; no first reply; no reply to the visitor's
    # last message; the visitor is silent.
    operator_timeout: int = 120
    first_reply_timeout: int = 180
    reply_timeout: int = 600
    visitor_timeout: int = 1800
    photo_upload_enabled: bool = True
    allowed_origins: list[str] = []
    identity_required: bool = False
    # Closed conversations older than this are erased; 0: kept for good.
    retention_days: int = 0
    # 0: no budget. Both count per site; months and days are UTC.
    messages_per_month: int = 0
    tokens_per_day: int = 0
    upload_quota_bytes: int = 1 << 30
    # Confidence from which an answer counts as known; 0 takes the ranking's own.
    answer_threshold: float = 0.0
    data_api_enabled: bool = False
    data_api_url: str = ""
    data_api_key: str = ""
    data_api_timeout: int = 5
    webhook_url: str = ""
    webhook_secret: str = ""
    # No field of the chatbot settings: nudge events up to this number do not count in the figures any more.
    nudge_figures_after_id: int = 0


def read_settings(text: str) -> SiteSettings:
    """Settings from the JSON of a site's row."""
    return _DECODER.decode(text)


def write_settings(settings: SiteSettings) -> str:
    """The JSON a site's row keeps."""
    return _ENCODER.encode(settings).decode()


_DECODER = msgspec.json.Decoder(SiteSettings)
_ENCODER = msgspec.json.Encoder()
