"""What a site's owner decides about it: the fields of the chatbot settings, with defaults, kept as JSON."""

from __future__ import annotations

import msgspec


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
    ai_provider: str = ""
    ai_model: str = ""
    system_prompt: str = ""
    custom_instructions: str = ""
    collect_email: bool = False
    collect_data: str = "none"
    lead_when: str = "never"
    operator_enabled: bool = True
    photo_upload_enabled: bool = True
    allowed_origins: list[str] = []
    identity_required: bool = False
    # 0: no budget. Both count per site; months and days are UTC.
    messages_per_month: int = 0
    tokens_per_day: int = 0
    upload_quota_bytes: int = 1 << 30
    # Confidence from which an answer counts as known; 0 takes the ranking's own.
    answer_threshold: float = 0.0


def read_settings(text: str) -> SiteSettings:
    """Settings from the JSON of a site's row."""
    return _DECODER.decode(text)


def write_settings(settings: SiteSettings) -> str:
    """The JSON a site's row keeps."""
    return _ENCODER.encode(settings).decode()


_DECODER = msgspec.json.Decoder(SiteSettings)
_ENCODER = msgspec.json.Encoder()
